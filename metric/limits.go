package metric

import (
	"math"

	"dolor/diag"
	"dolor/internal/interval"
)

// levelFault reports a level outside (0, 1).
func levelFault(level float64) error {
	if level > 0 && level < 1 {
		return nil
	}
	return diag.Errorf(diag.Invalid, "level", "expected a number between 0 and 1, got %g", level)
}

// undefined is an estimate that could not be made, with the reason as its method.
func undefined(name string, threshold, level float64, reason string) Estimate {
	return Estimate{
		Name: name, Threshold: threshold, Value: math.NaN(), Lower: math.NaN(), Upper: math.NaN(),
		Level: level, Method: reason,
	}
}

// waldLimits returns v -+ z se.
func waldLimits(v, se, level float64) (lower, upper float64) {
	h := interval.Z(level) * se
	return v - h, v + h
}

// logitLimits returns the Wald limits of logit(v) mapped back, with the standard error of
// logit(v) by the delta method, se/(v(1-v)). NaN when v is 0 or 1.
func logitLimits(v, se, level float64) (lower, upper float64) {
	if !(v > 0 && v < 1) {
		return math.NaN(), math.NaN()
	}
	l := math.Log(v) - math.Log1p(-v)
	h := interval.Z(level) * se / (v * (1 - v))
	return 1 / (1 + math.Exp(h-l)), 1 / (1 + math.Exp(-h-l))
}

// normalP returns the two-sided p value of a standard normal deviate.
func normalP(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }
