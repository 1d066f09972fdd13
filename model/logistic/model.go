package logistic

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

// Intercept is the name of the constant in an equation.
const Intercept = "(intercept)"

// Model is a fitted logistic regression. It is immutable and safe for concurrent use.
type Model struct {
	params   Params
	linear   model.Linear
	fit      summary
	terms    []model.Term
	cov      []float64 // [terms, terms] or nil
	warnings []diag.Warning
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

// Terms implements [model.Equation]: the intercept, then every predictor that has a
// coefficient.
func (m *Model) Terms() []model.Term { return slices.Clone(m.terms) }

// Covariance implements [model.Equation].
func (m *Model) Covariance() []float64 { return slices.Clone(m.cov) }

// Warnings implements [model.Warner]; codes: aliased, separation, not_converged,
// events_per_parameter.
func (m *Model) Warnings() []diag.Warning { return slices.Clone(m.warnings) }

// LogLik returns the log-likelihood at the estimate, and with Firth's penalty the penalised
// one, else NaN.
func (m *Model) LogLik() (plain, penalised float64) {
	return float64(m.fit.LogLik), float64(m.fit.Penalised)
}

// Weights implements [model.Averager]: the intercept, then the coefficients.
func (m *Model) Weights() []float64 { return m.linear.Weights() }

// WithWeights implements [model.Averager]. The new model has no standard errors.
func (m *Model) WithWeights(w []float64) (model.Model, error) {
	l, err := m.linear.Reweighted(w)
	if err != nil {
		return nil, err
	}
	out := &Model{params: m.params, linear: *l, fit: m.fit, warnings: m.warnings}
	nan := math.NaN()
	out.fit.LogLik, out.fit.Penalised = number(nan), number(nan)
	for a, t := range m.terms {
		out.terms = append(out.terms, model.Term{Name: t.Name, Estimate: w[a], SE: nan, Lower: nan, Upper: nan, P: nan})
	}
	return out, nil
}

// summary describes the fit.
type summary struct {
	Rows       int    `json:"rows"`
	Events     int    `json:"events"`
	LogLik     number `json:"log_lik"`
	Penalised  number `json:"penalised_log_lik"`
	Iterations int    `json:"iterations"`
	Converged  bool   `json:"converged"`
}

// number is a float64 that may be undefined (null) or infinite ("Inf", "-Inf") in JSON.
// Finite numbers are written with the fewest digits that read back to the same bits.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	switch v := float64(n); {
	case math.IsNaN(v):
		return []byte("null"), nil
	case math.IsInf(v, 1):
		return []byte(`"Inf"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-Inf"`), nil
	default:
		return json.Marshal(v)
	}
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "null":
		*n = number(math.NaN())
		return nil
	case `"Inf"`:
		*n = number(math.Inf(1))
		return nil
	case `"-Inf"`:
		*n = number(math.Inf(-1))
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// saved is the file form, version 1.
type saved struct {
	Format     string         `json:"format"` // "dolor/logistic"
	Version    int            `json:"version"`
	Params     Params         `json:"params"`
	Linear     model.Linear   `json:"linear"`
	Fit        summary        `json:"fit"`
	Terms      []savedTerm    `json:"terms"`
	Covariance []float64      `json:"covariance,omitempty"`
	Warnings   []diag.Warning `json:"warnings,omitempty"`
}

type savedTerm struct {
	SE     number `json:"se"`
	Lower  number `json:"lower"`
	Upper  number `json:"upper"`
	P      number `json:"p_value"`
	Method string `json:"method,omitempty"`
}

const format = "dolor/logistic"

// AppendBinary implements [model.Model]: one JSON object.
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	s := saved{Format: format, Version: 1, Params: m.params, Linear: m.linear, Fit: m.fit, Covariance: m.cov, Warnings: m.warnings}
	for _, t := range m.terms {
		s.Terms = append(s.Terms, savedTerm{number(t.SE), number(t.Lower), number(t.Upper), number(t.P), t.Method})
	}
	out, err := json.Marshal(s)
	return append(b, out...), err
}

// Load reads what AppendBinary wrote. Anything else is an error of kind Invalid, or
// Unsupported for another version.
func Load(b []byte) (*Model, error) {
	var s saved
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Msg: "expected a saved logistic model", Err: err}
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, diag.Errorf(diag.Invalid, "", "expected one JSON object, got more after it")
	}
	switch {
	case s.Format != format:
		return nil, diag.Errorf(diag.Invalid, "format", "expected %s, got %s", format, diag.Describe(s.Format))
	case s.Version != 1:
		return nil, diag.Errorf(diag.Unsupported, "version", "expected 1, got %d", s.Version)
	case len(s.Terms) != len(s.Linear.Coef)+1:
		return nil, diag.Errorf(diag.Invalid, "terms", "expected %d, got %d", len(s.Linear.Coef)+1, len(s.Terms))
	case s.Covariance != nil && len(s.Covariance) != len(s.Terms)*len(s.Terms):
		return nil, diag.Errorf(diag.Invalid, "covariance", "expected %d values, got %d", len(s.Terms)*len(s.Terms), len(s.Covariance))
	}
	if err := s.Params.Validate(); err != nil {
		return nil, err
	}
	if err := s.Linear.Valid(); err != nil {
		return nil, err
	}
	m := &Model{params: s.Params, linear: s.Linear, fit: s.Fit, cov: s.Covariance, warnings: s.Warnings}
	for a, t := range s.Terms {
		name, est := Intercept, s.Linear.Intercept
		if a > 0 {
			name, est = s.Linear.Columns[a-1].Name, s.Linear.Coef[a-1]
		}
		m.terms = append(m.terms, model.Term{
			Name: name, Estimate: est, SE: float64(t.SE), Lower: float64(t.Lower),
			Upper: float64(t.Upper), P: float64(t.P), Method: t.Method,
		})
	}
	return m, nil
}
