// Package frame is the table every stage hands to the next: typed, immutable columns with a
// modality, a unit and missing values of one kind each.
//
// Make one with [New], or read one from CSV or Parquet. Derive others with Take (rows),
// Select and With (columns); they share storage. A learner that needs numbers asks once for
// [Frame.Matrix]. Nothing here is written after construction, so frames may be shared
// between goroutines.
package frame

import (
	"strconv"

	"dolor/diag"
)

// Frame is an immutable table: columns of equal length with distinct names.
type Frame struct {
	cols []Column
	pos  map[string]int
	rows int
}

// New returns a frame of cols. rows is needed when there are no columns; otherwise it must
// be the columns' length. Errors are of kind Invalid: unequal lengths, empty or repeated
// names.
func New(rows int, cols ...Column) (*Frame, error) {
	f := &Frame{cols: cols, pos: make(map[string]int, len(cols)), rows: rows}
	for i, c := range cols {
		if c.Name == "" {
			return nil, diag.Errorf(diag.Invalid, "", "column %d: expected a name, got none", i+1)
		}
		if c.Len() != rows {
			return nil, diag.Errorf(diag.Invalid, c.Name, "expected %d rows, got %d", rows, c.Len())
		}
		if _, dup := f.pos[c.Name]; dup {
			return nil, diag.Errorf(diag.Invalid, c.Name, "expected distinct column names, got this one twice")
		}
		f.pos[c.Name] = i
	}
	return f, nil
}

// Rows returns the number of rows.
func (f *Frame) Rows() int { return f.rows }

// Cols returns the number of columns.
func (f *Frame) Cols() int { return len(f.cols) }

// At returns column i.
func (f *Frame) At(i int) Column { return f.cols[i] }

// Column returns the named column.
func (f *Frame) Column(name string) (Column, bool) {
	i, ok := f.pos[name]
	if !ok {
		return Column{}, false
	}
	return f.cols[i], true
}

// Schema returns the fields in order.
func (f *Frame) Schema() Schema {
	s := make(Schema, len(f.cols))
	for i, c := range f.cols {
		s[i] = c.Field
	}
	return s
}

// Take returns the frame restricted to rows, in that order, repeats allowed.
func (f *Frame) Take(rows []int) *Frame {
	out := &Frame{cols: make([]Column, len(f.cols)), pos: f.pos, rows: len(rows)}
	for i, c := range f.cols {
		out.cols[i] = c.Take(rows)
	}
	return out
}

// Select returns the frame with only the named columns, in that order. A name that is not
// there is an error of kind Missing with the nearest name as hint.
func (f *Frame) Select(names ...string) (*Frame, error) {
	var faults diag.List
	cols := make([]Column, 0, len(names))
	for _, n := range names {
		c, ok := f.Column(n)
		if !ok {
			faults.Add(f.NoColumn(n))
			continue
		}
		cols = append(cols, c)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return New(f.rows, cols...)
}

// NoColumn returns the error for a column that is not in f, with the nearest name as hint.
func (f *Frame) NoColumn(name string) *diag.Error {
	e := diag.Errorf(diag.Missing, name, "no such column")
	if near := diag.Nearest(name, f.Schema().Names()); near != "" {
		e.Hint = "did you mean " + strconv.Quote(near) + "?"
	}
	return e
}

// With returns the frame with cols replaced (same name) or appended.
func (f *Frame) With(cols ...Column) (*Frame, error) {
	out := append([]Column(nil), f.cols...)
	for _, c := range cols {
		if i, ok := f.pos[c.Name]; ok {
			out[i] = c
		} else {
			out = append(out, c)
		}
	}
	return New(f.rows, out...)
}

// Without returns the frame less the named columns; names not there are ignored.
func (f *Frame) Without(names ...string) *Frame {
	drop := make(map[string]bool, len(names))
	for _, n := range names {
		drop[n] = true
	}
	out := &Frame{pos: make(map[string]int), rows: f.rows}
	for _, c := range f.cols {
		if !drop[c.Name] {
			out.pos[c.Name] = len(out.cols)
			out.cols = append(out.cols, c)
		}
	}
	return out
}
