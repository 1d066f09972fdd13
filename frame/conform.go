package frame

import (
	"math"
	"slices"
	"strconv"

	"dolor/diag"
)

// Conform returns f with the columns of want, in that order and with its levels: what a model
// asks of new data before it predicts. Columns that want does not name are dropped. A column
// with its levels in another order is recoded; a level that want does not know becomes
// missing, with the warning unseen_level. A column of another kind is converted when nothing
// is lost: words that are all numbers to Number, dates to Time, numbers to a Category whose
// levels are numbers, anything but Time to Text; a column without a value to any kind. Units
// must agree where both are stated. Errors name every column that is missing (kind Missing,
// with the nearest name) or differs (kind Invalid).
func (f *Frame) Conform(want Schema) (*Frame, []diag.Warning, error) {
	var faults diag.List
	var ws []diag.Warning
	cols := make([]Column, 0, len(want))
	for _, w := range want {
		c, ok := f.Column(w.Name)
		if !ok {
			faults.Add(f.NoColumn(w.Name))
			continue
		}
		if w.Unit != "" && c.Unit != "" && w.Unit != c.Unit {
			faults.Addf(diag.Invalid, w.Name, "expected unit %s, got %s", w.Unit, c.Unit)
			continue
		}
		out, warning, fault := c.as(w)
		if fault != nil {
			faults.Add(fault)
			continue
		}
		if warning != nil {
			ws = append(ws, *warning)
		}
		cols = append(cols, out)
	}
	if err := faults.Err(); err != nil {
		return nil, nil, err
	}
	out, err := New(f.rows, cols...)
	return out, ws, err
}

// as converts c to the field w.
func (c Column) as(w Field) (Column, *diag.Warning, *diag.Error) {
	mismatch := func() *diag.Error {
		return diag.Errorf(diag.Invalid, w.Name, "expected a %s column, got a %s", w.Kind, c.Kind)
	}
	if c.MissingCount() == c.Len() {
		return missingColumn(w, c.Len()), nil, nil
	}
	out := Column{Field: w}
	switch w.Kind {
	case Number, Time:
		if c.Kind == w.Kind {
			out.num = c.num
			return out, nil, nil
		}
		if c.Kind == Number || c.Kind == Time {
			return out, nil, mismatch()
		}
		out.num = make([]float64, c.Len())
		for i := range out.num {
			out.num[i] = math.NaN()
			s, ok := c.String(i)
			if !ok || isNA([]byte(s)) {
				continue
			}
			v, ok := parseNumber([]byte(s))
			if w.Kind == Time {
				v, ok = parseDate([]byte(s))
			}
			if !ok {
				return out, nil, mismatch()
			}
			out.num[i] = v
		}
		return out, nil, nil
	case Text:
		if c.Kind == Time {
			return out, nil, mismatch()
		}
		out.text, out.has = make([]string, c.Len()), make([]bool, c.Len())
		for i := range out.text {
			out.text[i], out.has[i] = c.String(i)
		}
		return out, nil, nil
	default:
		if c.Kind == Time || c.Kind == Number && !numericLevels(w.Levels) {
			return out, nil, mismatch()
		}
		return c.recode(w)
	}
}

func numericLevels(levels []string) bool {
	return !slices.ContainsFunc(levels, func(l string) bool { _, ok := parseNumber([]byte(l)); return !ok })
}

// recode gives c the levels of w.
func (c Column) recode(w Field) (Column, *diag.Warning, *diag.Error) {
	out := Column{Field: w, code: make([]int32, c.Len())}
	if c.Kind == Category && slices.Equal(c.Levels, w.Levels) {
		out.code = c.code
		return out, nil, nil
	}
	find := csvColumn{spec: ColumnSpec{Levels: w.Levels}}
	known := make(map[string]int32)
	unseen, first := 0, 0
	for i := range out.code {
		out.code[i] = -1
		s, ok := c.String(i)
		if !ok {
			continue
		}
		code, ok := known[s]
		if !ok {
			code = int32(find.levelOf(s))
			known[s] = code
		}
		if out.code[i] = code; code < 0 {
			if unseen++; unseen == 1 {
				first = i + 1
			}
		}
	}
	if unseen == 0 {
		return out, nil, nil
	}
	return out, &diag.Warning{
		Code: "unseen_level", Count: unseen, First: "row " + strconv.Itoa(first),
		Msg: w.Name + " has levels that are not among the " + itoa(len(w.Levels)) + " known; they became missing",
	}, nil
}

// missingColumn returns a column without a value.
func missingColumn(f Field, rows int) Column {
	c := Column{Field: f}
	switch f.Kind {
	case Category:
		c.code = make([]int32, rows)
		for i := range c.code {
			c.code[i] = -1
		}
	case Text:
		c.text, c.has = make([]string, rows), make([]bool, rows)
	default:
		c.num = make([]float64, rows)
		for i := range c.num {
			c.num[i] = math.NaN()
		}
	}
	return c
}

// ConstantColumn returns a Category column whose every row is value, such as the site of all
// rows of one file.
func ConstantColumn(f Field, value string, rows int) Column {
	f.Levels = []string{value}
	return CategoryColumn(f, make([]int32, rows))
}

// Concat puts frames below one another. Columns are united by name, in order of first
// appearance; a frame without a column has it missing. Levels are merged: those of unordered
// categories are sorted when they differ, those of ordered ones must agree. Category and
// Text make Text, and a column without a value takes the kind of the others. Other kinds,
// and units that differ, are errors of kind Invalid that name each column. Modality and unit
// are the first stated.
func Concat(frames ...*Frame) (*Frame, error) {
	var names []string
	rows := 0
	seen := make(map[string]bool)
	for _, f := range frames {
		rows += f.rows
		for _, c := range f.cols {
			if !seen[c.Name] {
				seen[c.Name] = true
				names = append(names, c.Name)
			}
		}
	}
	var faults diag.List
	cols := make([]Column, 0, len(names))
	for _, name := range names {
		field, fault := unite(name, frames)
		if fault != nil {
			faults.Add(fault)
			continue
		}
		out := Column{Field: field}
		for _, f := range frames {
			part := missingColumn(field, f.rows)
			if c, ok := f.Column(name); ok {
				if part, _, fault = c.as(field); fault != nil {
					faults.Add(fault)
					break
				}
			}
			out.num = append(out.num, part.num...)
			out.code = append(out.code, part.code...)
			out.text = append(out.text, part.text...)
			out.has = append(out.has, part.has...)
		}
		cols = append(cols, out)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return New(rows, cols...)
}

// unite returns the field that the column name has in all frames together.
func unite(name string, frames []*Frame) (Field, *diag.Error) {
	var field Field
	valued := false
	for k, f := range frames {
		c, ok := f.Column(name)
		if !ok {
			continue
		}
		got, has := c.Field, c.MissingCount() < c.Len()
		if field.Kind == 0 {
			field, valued = got, has
			field.Levels = slices.Clone(got.Levels)
			continue
		}
		if field.Unit != "" && got.Unit != "" && field.Unit != got.Unit {
			return field, diag.Errorf(diag.Invalid, name, "expected unit %s in every file, got %s in file %d", field.Unit, got.Unit, k+1)
		}
		if field.Unit == "" {
			field.Unit = got.Unit
		}
		if field.Modality == "" {
			field.Modality = got.Modality
		}
		switch words := field.Kind >= Category && got.Kind >= Category && field.Kind != Time && got.Kind != Time; {
		case field.Kind == got.Kind && field.Kind != Category:
		case field.Kind == got.Kind:
			if fault := mergeLevels(&field, got, k); fault != nil {
				return field, fault
			}
		case words:
			field.Kind, field.Levels, field.Ordered = Text, nil, false
		case !has: // its kind is only the reader's default
		case !valued:
			field.Kind, field.Levels, field.Ordered = got.Kind, slices.Clone(got.Levels), got.Ordered
		default:
			return field, &diag.Error{
				Kind: diag.Invalid, Op: "frame.Concat", Field: name, Hint: "declare its kind",
				Msg: "expected one kind in every file, got " + field.Kind.String() + " and, in file " + itoa(k+1) + ", " + got.Kind.String(),
			}
		}
		valued = valued || has
	}
	return field, nil
}

func mergeLevels(field *Field, got Field, k int) *diag.Error {
	if slices.Equal(field.Levels, got.Levels) {
		return nil
	}
	if field.Ordered || got.Ordered {
		return diag.Errorf(diag.Invalid, field.Name, "expected the same ordered levels in every file, got others in file %d", k+1)
	}
	field.Levels = append(field.Levels, got.Levels...)
	slices.SortFunc(field.Levels, compareLevels)
	field.Levels = slices.Compact(field.Levels)
	return nil
}
