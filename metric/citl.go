package metric

import (
	"math"

	"dolor/diag"
)

// CITL is calibration-in-the-large: the intercept of a logistic regression of the outcome
// with logit p as offset (slope fixed at 1). 0 is ideal; above 0, risks are too low.
type CITL struct {
	Wald    Estimate // name calibration_intercept
	Profile Estimate // likelihood-ratio interval; NaN interval with weights
	SE      float64  // inverse information; sandwich with weights
	Z, P    float64  // Wald test of 0
	LR, LRP float64  // likelihood-ratio test of 0, 1 df; NaN with weights
	Warning []diag.Warning
}

const (
	waldInformation = "wald, inverse information"
	waldSandwich    = "wald, sandwich"
)

// CalibrationIntercept returns the intercept of y ~ 1 + offset(logit p) with its Wald
// interval: Cox, "Two further applications of a model for binary regression", Biometrika
// 1958;45:562-565, doi:10.1093/biomet/45.3-4.562; Steyerberg and others 2010 as in
// [ScaledBrier]. NaN with one class. Cost O(n).
func CalibrationIntercept(d Data, level float64) (Estimate, error) {
	if err := checkCal(d, level); err != nil {
		return Estimate{}, err
	}
	return intercept(newRecal(d), d.totals(), level).Wald, nil
}

// CalibrationInTheLarge returns [CalibrationIntercept] with its tests and the profile
// likelihood interval.
func CalibrationInTheLarge(d Data, level float64) (CITL, error) {
	if err := checkCal(d, level); err != nil {
		return CITL{}, err
	}
	r := newRecal(d)
	c := intercept(r, d.totals(), level)
	if math.IsNaN(c.Wald.Value) {
		return c, nil
	}
	if d.W != nil {
		c.Profile = noProfile("calibration_intercept", c.Wald.Value, level)
		return c, nil
	}
	ll := r.pass(c.Wald.Value, 1, true).ll
	c.LR = math.Max(2*(ll-r.pass(0, 1, true).ll), 0)
	c.LRP = chiP(c.LR, 1)
	z := calZ(level)
	lo, hi := profileLimits(c.Wald.Value, ll, c.SE, z*z, func(a float64) float64 { return r.pass(a, 1, true).ll })
	c.Profile = Estimate{"calibration_intercept", math.NaN(), c.Wald.Value, lo, hi, level, r.note("profile likelihood")}
	return c, nil
}

func noProfile(name string, v, level float64) Estimate {
	e := calUndefined(name, level, "profile likelihood is not defined for weighted rows")
	e.Value = v
	return e
}

func intercept(r *recal, t calTotals, level float64) CITL {
	nan := math.NaN()
	c := CITL{SE: nan, Z: nan, P: nan, LR: nan, LRP: nan, Warning: r.warnings()}
	if why := t.oneClass(); why != "" {
		c.Wald = calUndefined("calibration_intercept", level, why)
		c.Profile = c.Wald
		return c
	}
	f := r.fit(0, 1, true, false)
	if !f.ok {
		c.Wald = calUndefined("calibration_intercept", level, "the likelihood has no finite maximum")
		c.Profile = c.Wald
		return c
	}
	method := waldInformation
	v := 1 / f.at.h00
	if r.w != nil {
		method = waldSandwich
		v *= f.at.s00 * v
	}
	c.SE = math.Sqrt(v)
	c.Wald = calWald("calibration_intercept", f.a, c.SE, level, r.note(method))
	c.Z = f.a / c.SE
	c.P = calP(c.Z)
	c.Profile = calUndefined("calibration_intercept", level, "not asked for")
	return c
}
