package frame

import (
	"bytes"
	"context"
	"math"
	"slices"
	"sync/atomic"
	"unicode/utf8"

	"dolor/internal/par"
)

// mode says what a pass does with the cells of a column.
type mode uint8

const (
	skip   mode = iota
	number      // into num
	moment      // a date into num
	word        // into code, through the segment's dictionary
)

// csvColumn is one column being read.
type csvColumn struct {
	name     string
	spec     ColumnSpec
	declared bool
	missing  tokens
	mode     mode
	num      []float64
	code     []int32
	column   Column
	naLevel  int // cells whose level looks like a missing token
}

// dict numbers the distinct cells of one column in one segment in order of appearance.
type dict struct {
	code  map[string]int32
	cells []string
	count []int
}

func (d *dict) add(cell []byte, missing *tokens) int32 {
	if c, ok := d.code[string(cell)]; ok {
		if c >= 0 {
			d.count[c]++
		}
		return c
	}
	s := string(cell)
	if len(trimSpace(cell)) == 0 || missing.match(cell) {
		d.code[s] = -1
		return -1
	}
	c := int32(len(d.cells))
	d.code[s] = c
	d.cells = append(d.cells, s)
	d.count = append(d.count, 1)
	return c
}

// tokens are the spellings of missing; numbers also match by value.
type tokens struct {
	texts []string
	nums  []float64
}

func missingTokens(list []string) tokens {
	var t tokens
	for _, s := range list {
		t.texts = append(t.texts, s)
		if v, ok := parseNumber([]byte(s)); ok {
			t.nums = append(t.nums, v)
		}
	}
	return t
}

func (t *tokens) match(cell []byte) bool {
	if len(t.texts) == 0 {
		return false
	}
	for _, s := range t.texts {
		if string(cell) == s || string(trimSpace(cell)) == s {
			return true
		}
	}
	if len(t.nums) == 0 {
		return false
	}
	v, ok := parseNumber(cell)
	return ok && t.value(v)
}

func (t *tokens) value(v float64) bool {
	return slices.Contains(t.nums, v)
}

// isNA reports whether a cell of a number column is one of the usual words for missing.
func isNA(cell []byte) bool {
	b := trimSpace(cell)
	return len(b) >= 2 && len(b) <= 4 && (bytes.EqualFold(b, []byte("na")) || bytes.EqualFold(b, []byte("nan")) ||
		bytes.EqualFold(b, []byte("n/a")) || bytes.EqualFold(b, []byte("null")))
}

// parse reads the cells of every column whose mode is not skip. ok is false when a row has
// not the right form or a declared number or date does not parse; explain then says which.
func (t *table) parse(ctx context.Context) (ok bool, err error) {
	for j := range t.cols {
		switch c := &t.cols[j]; c.mode {
		case number, moment:
			c.num = make([]float64, t.rows)
		case word:
			c.code = make([]int32, t.rows)
		default:
		}
	}
	var broken atomic.Bool
	err = par.For(ctx, len(t.segs), t.opts.Workers, func(_ context.Context, i int) error {
		if broken.Load() {
			return nil
		}
		s := &t.segs[i]
		return t.read(s.off, s.end, func(b []byte) {
			if !t.parseSegment(b, s) {
				broken.Store(true)
			}
		})
	})
	return !broken.Load(), err
}

// parseSegment reads the rows of s from b, which ends with a line break to spare.
func (t *table) parseSegment(b []byte, s *segment) bool {
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return false
	}
	s.dicts, s.bad = make([]*dict, len(t.cols)), make([]int, len(t.cols))
	for j := range t.cols {
		if t.cols[j].mode == word {
			s.dicts[j] = &dict{code: make(map[string]int32)}
		}
	}
	end := len(b) - 1
	if end > 0 && b[end-1] != '\n' {
		end++ // the spare line break closes the last row
	}
	var scratch []byte
	comma, last := t.opts.Comma, len(t.cols)-1
	p, row := 0, s.row
	for ; p < end; row++ {
		if row >= s.row+s.rows {
			return false
		}
		for j := range t.cols {
			c := &t.cols[j]
			sep := comma
			if j == last {
				sep = '\n'
			}
			if c.mode == number {
				if b[p] == sep {
					c.num[row] = math.NaN()
					p++
					continue
				}
				if v, next, ok := scanNumber(b, p); ok && b[next] == sep {
					if len(c.missing.nums) > 0 && c.missing.value(v) {
						v = math.NaN()
					}
					c.num[row] = v
					p = next + 1
					continue
				}
			}
			cell, next, ok := nextCell(b, p, comma, sep, &scratch)
			if !ok {
				return false
			}
			p = next
			if !c.put(cell, row, s, j) {
				return false
			}
		}
	}
	return row == s.row+s.rows
}

// put stores one cell; false means that a declared kind is not met.
func (c *csvColumn) put(cell []byte, row int, s *segment, j int) bool {
	switch c.mode {
	case word:
		if len(cell) == 0 {
			c.code[row] = -1
			return true
		}
		c.code[row] = s.dicts[j].add(cell, &c.missing)
	case number:
		v, ok := math.NaN(), true
		if len(trimSpace(cell)) > 0 && !isNA(cell) && !c.missing.match(cell) {
			if v, ok = parseNumber(cell); !ok {
				v = math.NaN()
				s.bad[j]++
			}
		}
		c.num[row] = v
		return ok || c.spec.Kind == 0
	case moment:
		v := math.NaN()
		if len(trimSpace(cell)) > 0 && !c.missing.match(cell) {
			var ok bool
			if v, ok = parseDate(cell); !ok {
				return false
			}
		}
		c.num[row] = v
	default:
	}
	return true
}

// nextCell returns the cell at b[p] and the position after its separator, which must be sep;
// a CR before a line break is dropped. The cell may lie in scratch. ok is false when the
// cell is malformed or another separator follows.
func nextCell(b []byte, p int, comma, sep byte, scratch *[]byte) (cell []byte, next int, ok bool) {
	if b[p] == '"' {
		return quotedCell(b, p+1, sep, scratch)
	}
	from := p
	for {
		switch c := b[p]; c {
		case comma, '\n':
			return b[from:p], p + 1, c == sep
		case '"':
			return nil, p, false
		case '\r':
			if p+1 >= len(b) || b[p+1] != '\n' {
				return nil, p, false
			}
			return b[from:p], p + 2, sep == '\n'
		}
		p++
	}
}

func quotedCell(b []byte, p int, sep byte, scratch *[]byte) (cell []byte, next int, ok bool) {
	*scratch = (*scratch)[:0]
	from := p
	for {
		n := bytes.IndexByte(b[p:], '"')
		if n < 0 {
			return nil, p, false
		}
		p += n + 1
		if p >= len(b) {
			return nil, p, false
		}
		if b[p] != '"' {
			cell = b[from : p-1]
			break
		}
		*scratch = append(*scratch, b[from:p]...)
		p++
		from = p
	}
	if len(*scratch) > 0 {
		*scratch = append(*scratch, cell...)
		cell = *scratch
	}
	if b[p] == '\r' && p+1 < len(b) && b[p+1] == '\n' {
		p++
	}
	return cell, p + 1, b[p] == sep
}
