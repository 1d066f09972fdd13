// Package pool combines estimates: over sites by random-effects meta-analysis and over
// completed data sets by Rubin's rules.
//
// Give each estimate on a scale where it is close to normal: [LogitAUC] for areas under the
// curve, [LogRatio] for observed over expected, the identity for calibration slope and
// intercept. Undefined numbers are NaN.
package pool

import (
	"math"

	"dolor/diag"
)

// Effect is one site's estimate and its variance, on the scale of pooling.
type Effect struct {
	Y float64 // estimate
	V float64 // variance, > 0
}

// Scale maps a pooled number back to the scale of reports.
type Scale int

// The scales.
const (
	Identity Scale = iota // calibration slope and intercept, Brier differences
	Logit                 // AUC, C
	LogScale              // observed over expected
)

// String returns "identity", "logit" or "log".
func (s Scale) String() string {
	switch s {
	case Logit:
		return "logit"
	case LogScale:
		return "log"
	default:
		return "identity"
	}
}

// Back maps x from the scale of pooling to the scale of reports; NaN stays NaN.
func (s Scale) Back(x float64) float64 {
	switch s {
	case Logit:
		return 1 / (1 + math.Exp(-x))
	case LogScale:
		return math.Exp(x)
	default:
		return x
	}
}

// LogitAUC puts an AUC (or C) and its standard error on the logit scale, variance
// (se/(A(1-A)))^2: Snell, Ensor, Debray, Moons and Riley 2018, Stat Methods Med Res 27:3505,
// doi:10.1177/0962280217705678. Kind Unfit for an AUC of 0 or 1 or a standard error that
// is not above 0: such a site cannot be weighted.
func LogitAUC(auc, se float64) (Effect, error) {
	if !(auc > 0 && auc < 1) {
		return Effect{}, diag.Errorf(diag.Unfit, "auc", "expected a number between 0 and 1, ends excluded, got %g", auc)
	}
	if err := checkSE(se); err != nil {
		return Effect{}, err
	}
	s := se / (auc * (1 - auc))
	return Effect{math.Log(auc) - math.Log1p(-auc), s * s}, nil
}

// LogRatio puts a ratio (observed over expected) and the standard error of its logarithm on
// the log scale (Debray et al. 2017, BMJ 356:i6460). Kind Unfit for a ratio that is not
// above 0.
func LogRatio(ratio, seLog float64) (Effect, error) {
	if !(ratio > 0) || math.IsInf(ratio, 0) {
		return Effect{}, diag.Errorf(diag.Unfit, "ratio", "expected a finite number above 0, got %g", ratio)
	}
	if err := checkSE(seLog); err != nil {
		return Effect{}, err
	}
	return Effect{math.Log(ratio), seLog * seLog}, nil
}

// Plain leaves an estimate on its own scale.
func Plain(value, se float64) (Effect, error) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return Effect{}, diag.Errorf(diag.Unfit, "estimate", "expected a finite number, got %g", value)
	}
	if err := checkSE(se); err != nil {
		return Effect{}, err
	}
	return Effect{value, se * se}, nil
}

func checkSE(se float64) error {
	if !(se > 0) || math.IsInf(se, 0) {
		return diag.Errorf(diag.Unfit, "se", "expected a finite number above 0, got %g", se)
	}
	return nil
}
