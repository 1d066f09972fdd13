package frame

import (
	"context"
	"math"
	"slices"
	"strings"

	"dolor/diag"
)

// sampleRows is how many rows the first guess of the kinds looks at. The guess decides only
// how much work is done, never the result.
const sampleRows = 200

// guess sets the mode of each column: from its declared kind, or from the first rows.
func (t *table) guess() {
	for j := range t.cols {
		switch c := &t.cols[j]; c.spec.Kind {
		case Number, 0:
			c.mode = number
		case Time:
			c.mode = moment
		default:
			c.mode = word
		}
	}
	lex := t.lexer()
	for i := range sampleRows + 1 {
		cells, more, err := lex.row()
		if err != nil || !more {
			return
		}
		if i == 0 || len(cells) != len(t.cols) {
			continue
		}
		for j := range t.cols {
			if c := &t.cols[j]; c.spec.Kind == 0 && c.mode == number {
				if f, _ := t.judge(c, cells[j]); f != nil {
					c.mode = word
				}
			}
		}
	}
}

// settle decides the kinds that were not declared and makes the columns. ok is false when a
// cell is at fault.
func (t *table) settle(ctx context.Context) (ok bool, err error) {
	again := false
	for j := range t.cols {
		c := &t.cols[j]
		if c.mode != number || c.spec.Kind != 0 {
			continue
		}
		bad := 0
		for i := range t.segs {
			bad += t.segs[i].bad[j]
		}
		if bad == 0 {
			continue
		}
		parsed := 0
		for _, v := range c.num {
			if !math.IsNaN(v) {
				parsed++
			}
		}
		if parsed >= 9*bad {
			return false, nil
		}
		again = true
		c.mode, c.num = word, nil
	}
	if again {
		ok, err := t.parseAgain(ctx)
		if !ok || err != nil {
			return ok, err
		}
	}
	for j := range t.cols {
		if !t.settleColumn(j) {
			return false, nil
		}
	}
	return true, nil
}

// parseAgain reads the columns that turned out to be words.
func (t *table) parseAgain(ctx context.Context) (ok bool, err error) {
	kept := make([]csvColumn, len(t.cols))
	copy(kept, t.cols)
	dicts := make([][]*dict, len(t.segs))
	for i := range t.segs {
		dicts[i] = t.segs[i].dicts
	}
	for j := range t.cols {
		if c := &t.cols[j]; c.mode != word || c.code != nil {
			c.mode = skip
		}
	}
	ok, err = t.parse(ctx)
	if !ok || err != nil {
		return ok, err
	}
	for j := range t.cols {
		if t.cols[j].mode == word {
			continue
		}
		t.cols[j] = kept[j]
		for i := range t.segs {
			t.segs[i].dicts[j] = dicts[i][j]
		}
	}
	return true, nil
}

// settleColumn makes column j; false means that a cell is at fault.
func (t *table) settleColumn(j int) bool {
	c := &t.cols[j]
	f := Field{Name: c.name, Modality: c.spec.Modality, Unit: c.spec.Unit}
	if c.mode == number {
		c.column = NumberColumn(f, c.num)
		return true
	}
	if c.mode == moment {
		c.column = TimeColumn(f, c.num)
		return true
	}
	cells, counts := t.mergeDicts(j)
	switch kind := c.kindOf(cells, counts, t.opts.Dates); kind {
	case 0:
		return false
	case Number, Time:
		value := make([]float64, len(cells))
		for i, s := range cells {
			v, ok := parseNumber([]byte(s))
			if kind == Time {
				v, ok = parseDate([]byte(s))
			}
			if !ok {
				v = math.NaN()
			}
			value[i] = v
		}
		num := make([]float64, t.rows)
		for i, code := range c.code {
			num[i] = math.NaN()
			if code >= 0 {
				num[i] = value[code]
			}
		}
		c.column = NumberColumn(f, num)
		if kind == Time {
			c.column = TimeColumn(f, num)
		}
	case Text:
		text, has := make([]string, t.rows), make([]bool, t.rows)
		for i, code := range c.code {
			if code >= 0 {
				text[i], has[i] = cells[code], true
			}
		}
		c.column = TextColumn(f, text, has)
	default:
		return c.category(f, cells, counts)
	}
	c.code = nil
	return true
}

// mergeDicts unites the segments' dictionaries of column j and rewrites its codes.
func (t *table) mergeDicts(j int) (cells []string, counts []int) {
	c := &t.cols[j]
	all := make(map[string]int32)
	for i := range t.segs {
		s := &t.segs[i]
		d := s.dicts[j]
		to := make([]int32, len(d.cells))
		for k, cell := range d.cells {
			code, ok := all[cell]
			if !ok {
				code = int32(len(cells))
				all[cell] = code
				cells, counts = append(cells, cell), append(counts, 0)
			}
			to[k] = code
			counts[code] += d.count[k]
		}
		for r := s.row; r < s.row+s.rows; r++ {
			if k := c.code[r]; k >= 0 {
				c.code[r] = to[k]
			}
		}
		s.dicts[j] = nil
	}
	return cells, counts
}

// kindOf decides the kind of a column of words; 0 means that it is a number column with
// faults.
func (c *csvColumn) kindOf(cells []string, counts []int, dates bool) Kind {
	if c.spec.Kind != 0 {
		return c.spec.Kind
	}
	parsed, bad, n := 0, 0, 0
	allDates := dates && len(cells) > 0
	for i, s := range cells {
		n += counts[i]
		if _, ok := parseDate([]byte(s)); !ok {
			allDates = false
		}
		if isNA([]byte(s)) {
			continue
		}
		if _, ok := parseNumber([]byte(s)); ok {
			parsed += counts[i]
		} else {
			bad += counts[i]
		}
	}
	switch {
	case bad == 0:
		return Number
	case parsed >= 9*bad:
		return 0
	case allDates:
		return Time
	case len(cells) <= max(50, int(math.Sqrt(float64(n)))):
		return Category
	}
	return Text
}

// category orders the levels and rewrites the codes.
func (c *csvColumn) category(f Field, cells []string, counts []int) bool {
	to := make([]int32, len(cells))
	f.Ordered = c.spec.Ordered
	if c.spec.Levels != nil {
		f.Levels = slices.Clone(c.spec.Levels)
		for i, s := range cells {
			if to[i] = int32(c.levelOf(s)); to[i] < 0 {
				return false
			}
		}
	} else {
		spelt := cells
		if c.spec.Kind == Category {
			spelt = normalLevels(cells)
		}
		f.Levels = slices.Clone(spelt)
		slices.SortFunc(f.Levels, compareLevels)
		f.Levels = slices.Compact(f.Levels)
		at := make(map[string]int32, len(f.Levels))
		for i, l := range f.Levels {
			at[l] = int32(i)
		}
		for i, s := range spelt {
			to[i] = at[s]
			if isNA([]byte(s)) {
				c.naLevel += counts[i]
			}
		}
	}
	for i, code := range c.code {
		if code >= 0 {
			c.code[i] = to[code]
		}
	}
	c.column = CategoryColumn(f, c.code)
	return true
}

// levelOf returns the declared level that a cell names, by text or, for numbers, by value;
// -1 if none.
func (c *csvColumn) levelOf(cell string) int {
	if i := slices.Index(c.spec.Levels, cell); i >= 0 {
		return i
	}
	v, ok := parseNumber([]byte(cell))
	if !ok {
		return -1
	}
	return slices.IndexFunc(c.spec.Levels, func(l string) bool {
		w, ok := parseNumber([]byte(l))
		return ok && v == w
	})
}

// warnings says what is readable but suspect.
func (t *table) warnings() []diag.Warning {
	var ws []diag.Warning
	if len(t.cols) == 1 && strings.ContainsAny(t.cols[0].name, ",;\t|") {
		ws = append(ws, diag.Warning{
			Code: "one_column", Count: 1, First: t.opts.Name,
			Msg: "the file has one column, whose name contains a separator; check the separator",
		})
	}
	for j := range t.cols {
		c := &t.cols[j]
		if c.naLevel > 0 {
			ws = append(ws, diag.Warning{
				Code: "missing_token_level", Count: c.naLevel, First: c.name,
				Msg: c.name + " has a level that reads like a missing value (NA, N/A, NaN, null); declare it as missing if it is",
			})
		}
		if c.column.MissingCount() == t.rows {
			ws = append(ws, diag.Warning{
				Code: "column_all_missing", Count: 1, First: c.name,
				Msg: c.name + " has no value in any row",
			})
		}
	}
	return ws
}
