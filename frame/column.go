package frame

import "math"

// Column is one typed, immutable column. The slice accessors return the backing array:
// callers must not write to it.
type Column struct {
	Field
	num  []float64 // Number, Time
	code []int32   // Category
	text []string  // Text
	has  []bool    // Text: present
}

// NumberColumn makes a Number column; NaN is missing. It keeps v.
func NumberColumn(f Field, v []float64) Column {
	f.Kind, f.Levels = Number, nil
	return Column{Field: f, num: v}
}

// TimeColumn makes a Time column of days since 1970-01-01 UTC; NaN is missing. It keeps v.
func TimeColumn(f Field, v []float64) Column {
	f.Kind, f.Levels = Time, nil
	return Column{Field: f, num: v}
}

// CategoryColumn makes a Category column: codes index f.Levels, -1 is missing. It keeps v.
// It panics when a code is out of range, which only a programmer's mistake can cause.
func CategoryColumn(f Field, codes []int32) Column {
	f.Kind = Category
	for _, c := range codes {
		if c < -1 || int(c) >= len(f.Levels) {
			panic("frame: category code out of range of levels")
		}
	}
	return Column{Field: f, code: codes}
}

// TextColumn makes a Text column; has[i] false means missing, nil means all present.
func TextColumn(f Field, v []string, has []bool) Column {
	f.Kind, f.Levels = Text, nil
	if has == nil {
		has = make([]bool, len(v))
		for i := range has {
			has[i] = true
		}
	}
	return Column{Field: f, text: v, has: has}
}

// Len returns the number of rows.
func (c Column) Len() int {
	switch c.Kind {
	case Category:
		return len(c.code)
	case Text:
		return len(c.text)
	default:
		return len(c.num)
	}
}

// Numbers returns the values of a Number or Time column, else nil.
func (c Column) Numbers() []float64 { return c.num }

// Codes returns the codes of a Category column, else nil.
func (c Column) Codes() []int32 { return c.code }

// Texts returns the values of a Text column, else nil. A missing cell is "".
func (c Column) Texts() []string { return c.text }

// IsMissing reports whether row i is missing.
func (c Column) IsMissing(i int) bool {
	switch c.Kind {
	case Category:
		return c.code[i] < 0
	case Text:
		return !c.has[i]
	default:
		return math.IsNaN(c.num[i])
	}
}

// MissingCount returns how many rows are missing. Cost: one pass.
func (c Column) MissingCount() int {
	n := 0
	for i := range c.Len() {
		if c.IsMissing(i) {
			n++
		}
	}
	return n
}

// String returns the cell as text (for keys such as patient or site): the level, the text,
// or the shortest decimal. ok is false when the cell is missing.
func (c Column) String(i int) (s string, ok bool) {
	if c.IsMissing(i) {
		return "", false
	}
	switch c.Kind {
	case Category:
		return c.Levels[c.code[i]], true
	case Text:
		return c.text[i], true
	default:
		return formatNumber(c.num[i]), true
	}
}

// Take returns the column restricted to rows, in that order, repeats allowed.
func (c Column) Take(rows []int) Column {
	out := Column{Field: c.Field}
	switch c.Kind {
	case Category:
		out.code = make([]int32, len(rows))
		for i, r := range rows {
			out.code[i] = c.code[r]
		}
	case Text:
		out.text = make([]string, len(rows))
		out.has = make([]bool, len(rows))
		for i, r := range rows {
			out.text[i], out.has[i] = c.text[r], c.has[r]
		}
	default:
		out.num = make([]float64, len(rows))
		for i, r := range rows {
			out.num[i] = c.num[r]
		}
	}
	return out
}
