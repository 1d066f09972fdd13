package model

import (
	"math"

	"dolor/diag"
)

// Check reports everything about d that no family can learn from: unequal lengths, no rows,
// weights that are negative or not finite, offsets that are not finite (kind Invalid), and
// an outcome with one class only among rows of positive weight (kind Unfit).
func (d *Dataset) Check() error {
	n := d.X.Rows()
	var faults diag.List
	length := func(field string, got int) bool {
		if got != n {
			faults.Addf(diag.Invalid, field, "expected %d values, got %d", n, got)
		}
		return got == n
	}
	ok := length("outcome", len(d.Y))
	if d.W != nil {
		ok = length("weight", len(d.W)) && ok
	}
	if d.Offset != nil {
		length("offset", len(d.Offset))
	}
	if d.Group != nil {
		length("group", len(d.Group))
	}
	for i, w := range d.W {
		if !(w >= 0) || math.IsInf(w, 0) {
			faults.Addf(diag.Invalid, "weight", "row %d: expected a finite number of at least 0", i+1)
		}
	}
	for i, v := range d.Offset {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			faults.Addf(diag.Invalid, "offset", "row %d: expected a finite number", i+1)
		}
	}
	if err := faults.Err(); err != nil || !ok {
		return err
	}
	if n == 0 {
		return diag.Errorf(diag.Unfit, "outcome", "expected rows to learn from, got none")
	}
	var with, without bool
	for i, y := range d.Y {
		if d.W != nil && d.W[i] == 0 {
			continue
		}
		with, without = with || y, without || !y
	}
	if !with || !without {
		return diag.Errorf(diag.Unfit, "outcome", "expected rows with and without the outcome, got one class")
	}
	return nil
}
