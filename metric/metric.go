// Package metric scores probabilities against outcomes, one file per metric.
//
// The functions take a [Data]: outcome, probability and optional weight per row. They return
// an [Estimate] or a small result struct, always with an interval at the given level. Nothing
// here fits, tunes or chooses a threshold. Undefined numbers are NaN and become null in JSON.
package metric

import (
	"encoding/json"
	"math"

	"dolor/diag"
)

// Data is the predictions of one column on one set of patients.
type Data struct {
	Y []bool    // outcome
	P []float64 // probability in [0, 1], len(Y)
	W []float64 // weight >= 0, len(Y); nil means 1 each
}

// N returns the number of rows.
func (d Data) N() int { return len(d.Y) }

// Events returns how many rows have the outcome (unweighted).
func (d Data) Events() int {
	n := 0
	for _, y := range d.Y {
		if y {
			n++
		}
	}
	return n
}

// Weight returns the weight of row i.
func (d Data) Weight(i int) float64 {
	if d.W == nil {
		return 1
	}
	return d.W[i]
}

// Take returns the rows, in that order, repeats allowed.
func (d Data) Take(rows []int) Data {
	out := Data{Y: make([]bool, len(rows)), P: make([]float64, len(rows))}
	if d.W != nil {
		out.W = make([]float64, len(rows))
	}
	for i, r := range rows {
		out.Y[i], out.P[i] = d.Y[r], d.P[r]
		if d.W != nil {
			out.W[i] = d.W[r]
		}
	}
	return out
}

// Check reports unequal lengths, probabilities outside [0, 1] or not a number, and negative
// or non-finite weights. Rows count from 1 in its texts. Kind Invalid.
func (d Data) Check() error {
	if len(d.P) != len(d.Y) {
		return diag.Errorf(diag.Invalid, "probability", "expected %d values, got %d", len(d.Y), len(d.P))
	}
	if d.W != nil && len(d.W) != len(d.Y) {
		return diag.Errorf(diag.Invalid, "weight", "expected %d values, got %d", len(d.Y), len(d.W))
	}
	var faults diag.List
	for i, p := range d.P {
		switch {
		case math.IsNaN(p):
			faults.Addf(diag.Invalid, "probability", "row %d: expected a number from 0 to 1, got a missing value", i+1)
		case p < 0 || p > 1:
			faults.Addf(diag.Invalid, "probability", "row %d: expected a number from 0 to 1, got one outside", i+1)
		}
	}
	for i, w := range d.W {
		if !(w >= 0) || math.IsInf(w, 0) {
			faults.Addf(diag.Invalid, "weight", "row %d: expected a finite number of at least 0", i+1)
		}
	}
	return faults.Err()
}

// Estimate is one number with its interval. Value, Lower and Upper are NaN when undefined,
// with the reason in Method ("not estimable: one class").
type Estimate struct {
	Name      string  // "auc"
	Threshold float64 // NaN when the metric has none
	Value     float64
	Lower     float64
	Upper     float64
	Level     float64 // 0.95
	Method    string  // "delong, logit"
}

// MarshalJSON writes the keys of the machine-readable contract: name, threshold (left out
// when there is none), estimate, lower, upper, level, method; undefined is null.
func (e Estimate) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name      string   `json:"name"`
		Threshold *float64 `json:"threshold,omitempty"`
		Estimate  *float64 `json:"estimate"`
		Lower     *float64 `json:"lower"`
		Upper     *float64 `json:"upper"`
		Level     float64  `json:"level"`
		Method    string   `json:"method"`
	}{e.Name, finite(e.Threshold), finite(e.Value), finite(e.Lower), finite(e.Upper), e.Level, e.Method})
}

// finite returns nil for NaN and infinities, which JSON cannot hold.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
