package model

import (
	"math"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/tree"
)

// TreeTable picks the fields out of x by name and converts them for trees: numbers to the nearest
// float32, categories to their codes, missing to NaN. Every column that is absent (kind
// Missing), of another kind, unit or set of levels, or with cells beyond float32's range
// (kind Invalid) is named. A category of x with other levels is matched by level name; a level that
// fields does not know becomes missing, as [frame.Conform] does with a warning earlier.
func TreeTable(x *frame.Frame, fields frame.Schema) (*tree.Table, error) {
	sub, err := x.Select(fields.Names()...)
	if err != nil {
		return nil, err
	}
	t := &tree.Table{Rows: x.Rows(), Columns: make([]tree.Column, len(fields))}
	var faults diag.List
	for j, f := range fields {
		c := sub.At(j)
		switch {
		case c.Kind != f.Kind:
			faults.Addf(diag.Invalid, f.Name, "expected a column of kind %s, got %s", f.Kind, c.Kind)
			continue
		case f.Unit != "" && c.Unit != "" && f.Unit != c.Unit:
			faults.Addf(diag.Invalid, f.Name, "expected unit %s, got %s", f.Unit, c.Unit)
			continue
		}
		out := make([]float32, x.Rows())
		col := tree.Column{Name: f.Name, Values: out}
		switch f.Kind {
		case frame.Number:
			beyond := 0
			for i, v := range c.Numbers() {
				out[i] = float32(v)
				if math.IsInf(float64(out[i]), 0) {
					beyond++
				}
			}
			if beyond > 0 {
				faults.Addf(diag.Invalid, f.Name, "expected finite numbers within float32's range, got %d beyond it", beyond)
			}
		case frame.Category:
			col.Levels = max(1, len(f.Levels))
			code := levelMap(f.Levels, c.Levels)
			for i, k := range c.Codes() {
				out[i] = tree.Missing
				if k >= 0 {
					out[i] = code[k]
				}
			}
		default:
			faults.Addf(diag.Invalid, f.Name, "expected a number or a category, got %s", f.Kind)
		}
		t.Columns[j] = col
	}
	return t, faults.Err()
}

// levelMap gives each level of got its code among known, missing where it is not there.
func levelMap(known, got []string) []float32 {
	at := make(map[string]int, len(known))
	for k, l := range known {
		at[l] = k
	}
	out := make([]float32, len(got))
	for k, l := range got {
		out[k] = tree.Missing
		if c, ok := at[l]; ok {
			out[k] = float32(c)
		}
	}
	return out
}
