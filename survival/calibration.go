package survival

import (
	"math"

	"dolor/diag"
	"dolor/internal/glm"

	"gonum.org/v1/gonum/mat"
)

// ObservedExpected is how many events came by the horizon against how many were predicted.
type ObservedExpected struct {
	Observed float64 // Kaplan-Meier or Aalen-Johansen risk
	Expected float64 // mean predicted risk
	SELog    float64 // of the logarithm of Ratio: se(Observed)/Observed
	Ratio    Estimate
}

// OE compares the observed risk at the horizon with the mean of the predicted risks p:
// Kaplan-Meier without competing events, Aalen-Johansen with them. The interval is symmetric on the log scale
// and takes the predictions as fixed. McLernon et al. 2023, Ann Intern Med 176:105,
// doi:10.7326/M22-0844. Level 0 means 0.95. Kind Invalid for malformed input, Unfit when nobody was
// followed to the horizon.
func OE(d Data, p []float64, horizon, level float64) (*ObservedExpected, error) {
	level, err := levelOr(level)
	if err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	if err := checkP(p, d.N()); err != nil {
		return nil, err
	}
	if err := checkHorizon(horizon); err != nil {
		return nil, err
	}
	f, se, followed := riskAt(d, horizon)
	if !followed {
		return nil, tooShort()
	}
	r := &ObservedExpected{Observed: f, Expected: meanOf(p), SELog: math.NaN()}
	if r.Expected == 0 {
		r.Ratio = undefined(level, "no predicted risk")
		return r, nil
	}
	if f > 0 {
		r.SELog = se / f
	}
	r.Ratio = logScale(f/r.Expected, se/r.Expected, level, "observed over expected at the horizon")
	return r, nil
}

func tooShort() error {
	return diag.Errorf(diag.Unfit, "horizon", "expected patients followed past it, got a follow-up that ends before")
}

func meanOf(v []float64) float64 {
	var s sum
	for _, x := range v {
		s.add(x)
	}
	return s.value() / float64(len(v))
}

// CalibrationGroup is a group of patients with similar predictions.
type CalibrationGroup struct {
	N        int
	Mean     float64 // predicted
	Observed Estimate
	Followed bool // false: the group's curve is carried forward to the horizon
}

// CalibrationGroups orders the patients by prediction and cuts them into groups of nearly
// equal size, equal predictions together, each with its Kaplan-Meier or Aalen-Johansen risk at the
// horizon (log-log limits). There may be fewer groups than asked for. Level 0 means 0.95.
func CalibrationGroups(d Data, p []float64, horizon float64, groups int, level float64) ([]CalibrationGroup, error) {
	level, err := levelOr(level)
	if err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	if err := checkP(p, d.N()); err != nil {
		return nil, err
	}
	if err := checkHorizon(horizon); err != nil {
		return nil, err
	}
	if groups < 1 {
		return nil, diag.Errorf(diag.Invalid, "groups", "expected at least 1, got %d", groups)
	}
	order := byTime(p)
	var out []CalibrationGroup
	for g, at := 0, 0; g < groups && at < len(order); g++ {
		end := max(at, (g+1)*len(order)/groups)
		for end > at && end < len(order) && p[order[end]] == p[order[end-1]] {
			end++
		}
		if end == at {
			continue
		}
		rows := order[at:end]
		at = end
		t := aalenJohansen(newTable(d.Take(rows)))
		t.Level = level
		var s sum
		for _, r := range rows {
			s.add(p[r])
		}
		out = append(out, CalibrationGroup{len(rows), s.value() / float64(len(rows)), t.Risk(Event, horizon, Delta), t.Followed(horizon)})
	}
	return out, nil
}

// Recalibration holds the logistic recalibration of predicted risks at a horizon.
type Recalibration struct {
	Intercept Estimate // with the slope fixed at 1: calibration in the large
	Slope     Estimate
	Warnings  []diag.Warning
}

// Recalibrate fits logit P(event by the horizon) = a + logit p, and a + b logit p, with
// inverse-probability-of-censoring weights ([Weights]). Ideal: a = 0, b = 1. Standard errors are
// sandwich with the estimation of the censoring curve included; intervals normal. Estimates
// are undefined, with the reason in Method, when a prediction is 0 or 1 or the fit does not
// exist.
func Recalibrate(d Data, p []float64, horizon float64, o *HorizonOptions) (*Recalibration, error) {
	w, err := newWeighted(d, p, horizon, o)
	if err != nil {
		return nil, err
	}
	if w.reason != "" {
		e := undefined(w.opt.Level, w.reason)
		return &Recalibration{Intercept: e, Slope: e}, nil
	}
	const method = "weighted logistic, sandwich with censoring"
	res := &Recalibration{}
	one := make([]float64, len(p))
	both := make([]float64, 2*len(p))
	for i, l := range w.logit {
		one[i], both[2*i], both[2*i+1] = 1, 1, l
	}
	est := func(x []float64, cols, at int, offset []float64) Estimate {
		fit, inf, reason := w.fit(x, cols, offset)
		if reason != "" {
			return undefined(w.opt.Level, reason)
		}
		v := 0.0
		for i := range inf {
			v += inf[i][at] * inf[i][at]
		}
		return linear(fit.Coef[at], math.Sqrt(v), w.opt.Level, method)
	}
	res.Intercept = est(one, 1, 0, w.logit)
	res.Slope = est(both, 2, 1, nil)
	return res, nil
}

// weighted is the binary problem at a horizon.
type weighted struct {
	d       Data
	c       *censoring
	horizon float64
	opt     HorizonOptions
	logit   []float64
	y, w    []float64
	reason  string // why there is no logit scale
}

func newWeighted(d Data, p []float64, horizon float64, o *HorizonOptions) (*weighted, error) {
	opt, err := o.get()
	if err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	if err := checkP(p, d.N()); err != nil {
		return nil, err
	}
	c, err := censoringAt(d, horizon, opt.Ties)
	if err != nil {
		return nil, err
	}
	out := &weighted{d: d, c: c, horizon: horizon, opt: opt, w: c.weights(d, horizon), y: make([]float64, d.N()), logit: make([]float64, d.N())}
	ones, zeros := 0, 0
	for i, v := range p {
		out.logit[i] = glm.Logit(v)
		if v == 0 || v == 1 {
			out.reason = "a prediction is 0 or 1"
		}
		switch {
		case out.w[i] == 0:
		case d.Time[i] <= horizon && d.Status[i] == Event:
			out.y[i] = 1
			ones++
		default:
			zeros++
		}
	}
	if ones == 0 || zeros == 0 {
		out.reason = "one outcome"
	}
	return out, nil
}

// fit returns the weighted logistic fit and the influence of every patient on its
// coefficients, or why there is none.
func (w *weighted) fit(x []float64, cols int, offset []float64) (*glm.Fit, [][]float64, string) {
	n := w.d.N()
	f, err := glm.Logistic(glm.Problem{Rows: n, Cols: cols, X: x, Y: w.y, W: w.w, Offset: offset}, nil)
	if err != nil {
		return nil, nil, "predictions do not vary enough"
	}
	if !f.Converged {
		return nil, nil, "the fit does not converge"
	}
	inf := make([][]float64, n)
	for i := range inf {
		inf[i] = make([]float64, cols)
	}
	cov := mat.NewDense(cols, cols, f.Cov)
	g := make([]float64, n)
	for j := range cols {
		for i := range n {
			row := x[i*cols : (i+1)*cols]
			e := dot(row, f.Coef)
			if offset != nil {
				e += offset[i]
			}
			res := w.w[i] * (w.y[i] - glm.Expit(e))
			g[i] = 0
			for k, v := range row {
				g[i] += cov.At(j, k) * v * res
			}
		}
		for i, v := range w.c.influence(w.d, w.horizon, g, g) {
			inf[i][j] = v
		}
	}
	return f, inf, ""
}
