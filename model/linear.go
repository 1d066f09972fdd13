package model

import (
	"context"
	"math"

	"dolor/diag"
	"dolor/frame"
)

// Column is what a dense model remembers of a predictor.
type Column struct {
	Name string  `json:"name"`
	Unit string  `json:"unit,omitempty"`
	Mean float64 `json:"mean"` // weighted mean of the training rows
}

// Linear is a fitted linear predictor on the log-odds scale, the part that the linear
// families share. It is immutable and safe for concurrent use.
type Linear struct {
	Intercept float64   `json:"intercept"`
	Columns   []Column  `json:"columns"`
	Coef      []float64 `json:"coef"` // one per column
}

// NewColumns describes the columns of x, whose cells are in m, with means weighted by w (nil
// means 1 each).
func NewColumns(x *frame.Frame, m frame.Matrix, w []float64) []Column {
	out := make([]Column, m.Cols)
	sum, comp := make([]float64, m.Cols), make([]float64, m.Cols)
	var total float64
	for i := range m.Rows {
		wi := 1.0
		if w != nil {
			wi = w[i]
		}
		total += wi
		for j, v := range m.Row(i) {
			// Kahan summation: means are reported.
			t := wi*v - comp[j]
			s := sum[j] + t
			comp[j] = (s - sum[j]) - t
			sum[j] = s
		}
	}
	for j := range out {
		f := x.At(j).Field
		out[j] = Column{Name: f.Name, Unit: f.Unit, Mean: sum[j] / total}
	}
	return out
}

// Valid reports a linear predictor that could not have been fitted: lengths that differ,
// numbers that are not finite, names empty or repeated. Kind Invalid.
func (l *Linear) Valid() error {
	if len(l.Coef) != len(l.Columns) {
		return diag.Errorf(diag.Invalid, "coef", "expected %d values, got %d", len(l.Columns), len(l.Coef))
	}
	seen := make(map[string]bool, len(l.Columns))
	bad := func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }
	if bad(l.Intercept) {
		return diag.Errorf(diag.Invalid, "intercept", "expected a finite number")
	}
	for j, c := range l.Columns {
		switch {
		case c.Name == "" || seen[c.Name]:
			return diag.Errorf(diag.Invalid, "columns", "column %d: expected distinct names, got an empty or repeated one", j+1)
		case bad(l.Coef[j]) || bad(c.Mean):
			return diag.Errorf(diag.Invalid, c.Name, "expected finite numbers")
		}
		seen[c.Name] = true
	}
	return nil
}

// Matrix picks the model's columns out of x by name. Every missing column, every one of
// another kind or unit or with gaps or infinite cells is named.
func (l *Linear) Matrix(x *frame.Frame) (frame.Matrix, error) {
	names := make([]string, len(l.Columns))
	for j, c := range l.Columns {
		names[j] = c.Name
	}
	sub, err := x.Select(names...)
	if err != nil {
		return frame.Matrix{}, err
	}
	var faults diag.List
	for j, c := range l.Columns {
		if u := sub.At(j).Unit; c.Unit != "" && u != "" && u != c.Unit {
			faults.Addf(diag.Invalid, c.Name, "expected unit %s, got %s", c.Unit, u)
		}
	}
	if err := faults.Err(); err != nil {
		return frame.Matrix{}, err
	}
	return DenseMatrix(sub)
}

// DenseMatrix is x.Matrix() that also refuses infinite cells.
func DenseMatrix(x *frame.Frame) (frame.Matrix, error) {
	m, err := x.Matrix()
	if err != nil {
		return m, err
	}
	var faults diag.List
	for j, name := range m.Names {
		count := 0
		for i := range m.Rows {
			if math.IsInf(m.Data[i*m.Cols+j], 0) {
				count++
			}
		}
		if count > 0 {
			faults.Addf(diag.Invalid, name, "expected finite numbers, got %d infinite", count)
		}
	}
	return m, faults.Err()
}

// Score fills dst with the log-odds of each row, allocating if dst is short.
func (l *Linear) Score(ctx context.Context, x *frame.Frame, dst []float64) ([]float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := l.Matrix(x)
	if err != nil {
		return nil, err
	}
	if cap(dst) < m.Rows {
		dst = make([]float64, m.Rows)
	}
	dst = dst[:m.Rows]
	for i := range dst {
		eta := l.Intercept
		for j, v := range m.Row(i) {
			eta += float64(l.Coef[j] * v)
		}
		dst[i] = eta
	}
	return dst, nil
}

// Predict is [Model.Predict].
func (l *Linear) Predict(ctx context.Context, x *frame.Frame, dst []float64) ([]float64, error) {
	dst, err := l.Score(ctx, x, dst)
	for i, eta := range dst {
		if eta >= 0 {
			dst[i] = 1 / (1 + math.Exp(-eta))
		} else {
			e := math.Exp(eta)
			dst[i] = e / (1 + e)
		}
	}
	return dst, err
}

// Attribute is [Attributor.Attribute], exact: phi_ij = coef_j (x_ij - mean_j) on the log-odds
// scale, base the log-odds at the training means.
func (l *Linear) Attribute(ctx context.Context, x *frame.Frame) (phi frame.Matrix, base []float64, err error) {
	if err := ctx.Err(); err != nil {
		return phi, nil, err
	}
	phi, err = l.Matrix(x)
	if err != nil {
		return frame.Matrix{}, nil, err
	}
	at := l.Intercept
	for j, c := range l.Columns {
		at += float64(l.Coef[j] * c.Mean)
	}
	base = make([]float64, phi.Rows)
	for i := range base {
		base[i] = at
		for j, v := range phi.Row(i) {
			phi.Row(i)[j] = l.Coef[j] * (v - l.Columns[j].Mean)
		}
	}
	return phi, base, nil
}

// Weights is [Averager.Weights]: the intercept, then the coefficients.
func (l *Linear) Weights() []float64 { return append([]float64{l.Intercept}, l.Coef...) }

// Reweighted returns l with other weights in the order of Weights.
func (l *Linear) Reweighted(w []float64) (*Linear, error) {
	if len(w) != len(l.Coef)+1 {
		return nil, diag.Errorf(diag.Invalid, "weights", "expected %d values, got %d", len(l.Coef)+1, len(w))
	}
	out := &Linear{Intercept: w[0], Columns: l.Columns, Coef: append([]float64(nil), w[1:]...)}
	return out, out.Valid()
}
