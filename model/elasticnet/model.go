package elasticnet

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/model"
)

// Model is a fitted elastic net: one point of the path. It is immutable and safe for
// concurrent use.
type Model struct {
	params       Params
	linear       model.Linear
	lambda       float64
	devRatio     float64
	rows, events int
	cv           *CVResult // nil when the penalty was given
	warnings     []diag.Warning
}

var (
	_ model.Model      = (*Model)(nil)
	_ model.Equation   = (*Model)(nil)
	_ model.Attributor = (*Model)(nil)
	_ model.Averager   = (*Model)(nil)
	_ model.Warner     = (*Model)(nil)
)

// Predict implements [model.Model]: P(outcome) at offset 0. Columns are found by name; every
// one that is missing is named in the error.
func (m *Model) Predict(ctx context.Context, x *frame.Frame, dst []float64) ([]float64, error) {
	return m.linear.Predict(ctx, x, dst)
}

// Score fills dst with the log-odds of each row, allocating if dst is short.
func (m *Model) Score(ctx context.Context, x *frame.Frame, dst []float64) ([]float64, error) {
	return m.linear.Score(ctx, x, dst)
}

// Attribute implements [model.Attributor] exactly, on the log-odds scale relative to the
// training means.
func (m *Model) Attribute(ctx context.Context, x *frame.Frame) (frame.Matrix, []float64, error) {
	return m.linear.Attribute(ctx, x)
}

// Terms implements [model.Equation]: the intercept and every column, zeros included. A
// penalised estimate has no standard error: those fields are NaN.
func (m *Model) Terms() []model.Term {
	nan := math.NaN()
	out := []model.Term{{Name: "(intercept)", Estimate: m.linear.Intercept, SE: nan, Lower: nan, Upper: nan, P: nan}}
	for j, c := range m.linear.Columns {
		out = append(out, model.Term{Name: c.Name, Estimate: m.linear.Coef[j], SE: nan, Lower: nan, Upper: nan, P: nan})
	}
	return out
}

// Covariance implements [model.Equation]; it is nil.
func (m *Model) Covariance() []float64 { return nil }

// Warnings implements [model.Warner]; codes: not_converged, fewer_folds, lambda_at_end,
// empty_model.
func (m *Model) Warnings() []diag.Warning { return slices.Clone(m.warnings) }

// Lambda returns the penalty of the model.
func (m *Model) Lambda() float64 { return m.lambda }

// CrossValidation returns how the penalty was chosen; ok is false when it was given.
func (m *Model) CrossValidation() (r CVResult, ok bool) {
	if m.cv == nil {
		return CVResult{}, false
	}
	r = *m.cv
	r.Lambda, r.Mean, r.SD = slices.Clone(r.Lambda), slices.Clone(r.Mean), slices.Clone(r.SD)
	return r, true
}

// Weights implements [model.Averager]: the intercept, then the coefficients.
func (m *Model) Weights() []float64 { return m.linear.Weights() }

// WithWeights implements [model.Averager].
func (m *Model) WithWeights(w []float64) (model.Model, error) {
	l, err := m.linear.Reweighted(w)
	if err != nil {
		return nil, err
	}
	out := *m
	out.linear = *l
	return &out, nil
}

func (m *Model) warn(code, msg string) {
	m.warnings = append(m.warnings, diag.Warning{Code: code, Msg: msg, Count: 1})
}

// saved is the file form, version 1.
type saved struct {
	Format   string         `json:"format"` // "dolor/elasticnet"
	Version  int            `json:"version"`
	Params   Params         `json:"params"`
	Linear   model.Linear   `json:"linear"`
	Lambda   float64        `json:"lambda"`
	DevRatio float64        `json:"dev_ratio"`
	Rows     int            `json:"rows"`
	Events   int            `json:"events"`
	CV       *CVResult      `json:"cross_validation,omitempty"`
	Warnings []diag.Warning `json:"warnings,omitempty"`
}

const format = "dolor/elasticnet"

// AppendBinary implements [model.Model]: one JSON object, numbers with the fewest digits that
// read back to the same bits.
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	out, err := json.Marshal(saved{format, 1, m.params, m.linear, m.lambda, m.devRatio, m.rows, m.events, m.cv, m.warnings})
	return append(b, out...), err
}

// Load reads what AppendBinary wrote. Anything else is an error of kind Invalid, or
// Unsupported for another version.
func Load(b []byte) (*Model, error) {
	var s saved
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Msg: "expected a saved elasticnet model", Err: err}
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, diag.Errorf(diag.Invalid, "", "expected one JSON object, got more after it")
	}
	switch {
	case s.Format != format:
		return nil, diag.Errorf(diag.Invalid, "format", "expected %s, got %s", format, diag.Describe(s.Format))
	case s.Version != 1:
		return nil, diag.Errorf(diag.Unsupported, "version", "expected 1, got %d", s.Version)
	}
	if err := s.Params.Validate(); err != nil {
		return nil, err
	}
	if err := s.Linear.Valid(); err != nil {
		return nil, err
	}
	if r := s.CV; r != nil {
		n := len(r.Lambda)
		if len(r.Mean) != n || len(r.SD) != n || r.Min < 0 || r.Min >= n || r.OneSE < 0 || r.OneSE >= n {
			return nil, diag.Errorf(diag.Invalid, "cross_validation", "expected as many means and deviations as penalties, and indices among them")
		}
	}
	return &Model{s.Params, s.Linear, s.Lambda, s.DevRatio, s.Rows, s.Events, s.CV, s.Warnings}, nil
}
