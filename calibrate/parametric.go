package calibrate

import (
	"errors"
	"math"

	"dolor/diag"
	"dolor/internal/glm"
)

var errNoMaximum = errors.New("calibrate: the likelihood has no finite maximum")

// regress fits a logistic regression of t on the row that fill makes of a bounded p.
func regress(p, t, w []float64, fill func(v float64, row []float64), k int) ([]float64, error) {
	pr := glm.Problem{Rows: len(p), Cols: k, X: make([]float64, len(p)*k), Y: t, W: w}
	for i, v := range p {
		fill(bound(v), pr.X[i*k:(i+1)*k])
	}
	f, err := glm.Logistic(pr, nil)
	if err != nil || !f.Converged {
		return nil, errNoMaximum
	}
	for j, c := range f.Coef {
		// A standard error in the hundreds on the logit scale is separation.
		if math.IsNaN(c) || math.Abs(c) > 1e6 || f.Cov[j*k+j] > 1e4 {
			return nil, errNoMaximum
		}
	}
	return f.Coef, nil
}

// intercept shifts the logits so that observed equals expected (slope fixed at 1).
func intercept(p []float64, y []bool, w []float64) *parametric {
	pr := glm.Problem{Rows: len(p), Cols: 1, X: make([]float64, len(p)), Y: numbers(y), W: w, Offset: make([]float64, len(p))}
	for i, v := range p {
		pr.X[i], pr.Offset[i] = 1, glm.Logit(bound(v))
	}
	f, err := glm.Logistic(pr, nil)
	if err != nil || !f.Converged {
		return &parametric{Kind: "none", A: 1, B: 1, Warn: []diag.Warning{{Code: "calibration_no_maximum", Count: 1, Msg: "intercept recalibration has no finite maximum; probabilities are left as they are"}}}
	}
	return &parametric{Kind: "intercept", A: 1, B: 1, C: f.Coef[0]}
}

// beta is Kull, Silva Filho and Flach, "Beta calibration", AISTATS 2017 (PMLR 54:623-631):
// logit = a log p - b log(1-p) + c with a, b >= 0; a negative one is set to 0 and the rest
// refitted, as the authors do.
func beta(p []float64, y []bool, w []float64) (*parametric, error) {
	t := numbers(y)
	c, err := regress(p, t, w, func(v float64, row []float64) { row[0], row[1], row[2] = 1, math.Log(v), -math.Log1p(-v) }, 3)
	if err != nil {
		return nil, err
	}
	f := &parametric{Kind: "beta", A: c[1], B: c[2], C: c[0]}
	if f.A >= 0 && f.B >= 0 {
		return f, nil
	}
	dropA := f.A < f.B
	c, err = regress(p, t, w, func(v float64, row []float64) {
		row[0], row[1] = 1, math.Log(v)
		if dropA {
			row[1] = -math.Log1p(-v)
		}
	}, 2)
	if err != nil {
		return nil, err
	}
	f.A, f.B, f.C = math.Max(c[1], 0), 0, c[0]
	if dropA {
		f.A, f.B = 0, f.A
	}
	if f.A == 0 && f.B == 0 {
		return nil, errNoMaximum // falling in p: only a constant is left, which intercept-only beats
	}
	return f, nil
}

// FitPlatt fits P = 1/(1+exp(a s + b)) to scores of any scale by maximum likelihood with
// Platt's targets (n1+1)/(n1+2) and 1/(n0+2), n1 and n0 the (weighted) numbers of events and
// others: Platt, "Probabilistic outputs for support vector machines", 1999, as scikit-learn's
// sigmoid calibration. a is negative when higher scores mean events. Kind Invalid for bad
// rows, Unfit when there is no finite maximum.
func FitPlatt(score []float64, y []bool, w []float64) (a, b float64, err error) {
	if len(score) != len(y) || w != nil && len(w) != len(y) {
		return 0, 0, diag.Errorf(diag.Invalid, "score", "expected as many scores and weights as outcomes")
	}
	if err := checkWeights(w); err != nil {
		return 0, 0, err
	}
	var n [2]float64
	pr := glm.Problem{Rows: len(y), Cols: 2, X: make([]float64, 2*len(y)), Y: make([]float64, len(y)), W: w}
	for i, yes := range y {
		if math.IsNaN(score[i]) || math.IsInf(score[i], 0) {
			return 0, 0, diag.Errorf(diag.Invalid, "score", "row %d: expected a finite number", i+1)
		}
		wi := 1.0
		if w != nil {
			wi = w[i]
		}
		k := 0
		if yes {
			k = 1
		}
		n[k] += wi
		pr.X[2*i], pr.X[2*i+1] = 1, score[i]
	}
	for i, yes := range y {
		pr.Y[i] = 1 / (n[0] + 2)
		if yes {
			pr.Y[i] = (n[1] + 1) / (n[1] + 2)
		}
	}
	f, err := glm.Logistic(pr, nil)
	if err != nil || !f.Converged {
		return 0, 0, &diag.Error{Kind: diag.Unfit, Field: "score", Err: errNoMaximum}
	}
	return -f.Coef[1], -f.Coef[0], nil
}
