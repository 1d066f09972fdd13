// Package logistic is the family of logistic regression: maximum likelihood by Newton's
// method, or Firth's penalised likelihood.
//
// Fill a [Params] (start from Default of [Family]), take its Learner, Fit, and ask the
// [Model] for predictions, its equation with intervals, attributions and warnings.
// Separation is detected exactly, aliased columns are left out with a warning. Fits are
// deterministic: no random numbers, one goroutine.
package logistic

import (
	"dolor/diag"
	"dolor/frame"
	"dolor/model"
)

// Penalties.
const (
	None  = "none"  // maximum likelihood
	Firth = "firth" // l + 0.5 log det I
)

// Intervals of the equation.
const (
	Wald    = "wald"    // estimate -/+ z standard errors
	Profile = "profile" // profile (penalised) likelihood; about a thousand constrained fits per coefficient
)

// Params are the hyperparameters.
type Params struct {
	Penalty  string  `json:"penalty"`  // "none" or "firth"
	Interval string  `json:"interval"` // "wald" or "profile"
	Level    float64 `json:"level"`    // of the intervals, in (0, 1)
	MaxIter  int     `json:"max_iter"` // Newton iterations, at least 1
	Tol      float64 `json:"tol"`      // relative change of the log-likelihood at convergence
}

// Family describes logistic regression.
func Family() model.Family {
	return model.Family{
		Name:  "logistic",
		Title: "Logistic regression",
		Needs: []frame.Kind{frame.Number},
		Dense: true,
		Default: func() model.Params {
			p := Default()
			return &p
		},
		Load: func(b []byte) (model.Model, error) { return Load(b) },
		Cite: []string{
			"10.1111/j.2517-6161.1958.tb00292.x Cox, The regression analysis of binary sequences, J R Stat Soc B 1958;20:215",
			"10.1093/biomet/80.1.27 Firth, Bias reduction of maximum likelihood estimates, Biometrika 1993;80:27",
			"10.1002/sim.1047 Heinze and Schemper, A solution to the problem of separation in logistic regression, Stat Med 2002;21:2409",
			"10.1093/biomet/71.1.1 Albert and Anderson, On the existence of maximum likelihood estimates in logistic regression models, Biometrika 1984;71:1",
		},
	}
}

// Default returns maximum likelihood with 95 % Wald intervals.
func Default() Params {
	return Params{Penalty: None, Interval: Wald, Level: 0.95, MaxIter: 100, Tol: 1e-12}
}

var _ model.Params = (*Params)(nil)

// Validate reports every fault, kind Invalid.
func (p Params) Validate() error {
	var faults diag.List
	if p.Penalty != None && p.Penalty != Firth {
		faults.Addf(diag.Invalid, "penalty", "expected none or firth, got %q", p.Penalty)
	}
	if p.Interval != Wald && p.Interval != Profile {
		faults.Addf(diag.Invalid, "interval", "expected wald or profile, got %q", p.Interval)
	}
	if !(p.Level > 0 && p.Level < 1) {
		faults.Addf(diag.Invalid, "level", "must be in (0, 1), got %g", p.Level)
	}
	if p.MaxIter < 1 {
		faults.Addf(diag.Invalid, "max_iter", "must be at least 1, got %d", p.MaxIter)
	}
	if !(p.Tol > 0 && p.Tol < 1) {
		faults.Addf(diag.Invalid, "tol", "must be in (0, 1), got %g", p.Tol)
	}
	return faults.Err()
}

// Learner returns the learner of p.
func (p Params) Learner() model.Learner { return &learner{p} }
