package metric

import (
	"math"

	"dolor/diag"
)

// SlopeFit is the logistic recalibration y ~ a + b logit p.
type SlopeFit struct {
	Intercept, Slope               Estimate      // Wald; the intercept is the joint one, not [CITL]
	ProfileIntercept, ProfileSlope Estimate      // likelihood-ratio intervals; NaN with weights
	SE                             [2]float64    // of a, b
	Cov                            [2][2]float64 // inverse information; sandwich with weights
	Z, P                           float64       // Wald test of slope 1
	JointWald, JointWaldP          float64       // Wald test of (0, 1), 2 df
	JointLR, JointLRP              float64       // likelihood-ratio test of (0, 1), 2 df; NaN with weights
	Deviance                       float64       // -2 log-likelihood
	Warning                        []diag.Warning
}

// CalibrationSlope returns the slope of y ~ a + b logit p with its Wald interval (Cox 1958;
// Miller, Hui and Tierney, "Validation techniques for logistic regression models", Statistics
// in Medicine 1991;10:1213-1226, doi:10.1002/sim.4780100805). 1 is ideal; below 1, risks are
// too extreme. NaN with the reason for one class, constant probabilities or perfect
// separation. Cost O(n).
func CalibrationSlope(d Data, level float64) (Estimate, error) {
	if err := checkCal(d, level); err != nil {
		return Estimate{}, err
	}
	s, _ := slopeFit(newRecal(d), d.totals(), level)
	return s.Slope, nil
}

// Recalibration returns the full fit behind [CalibrationSlope], with joint tests and profile
// likelihood intervals. Its Slope, SE and joint tests are NaN where the slope is.
func Recalibration(d Data, level float64) (SlopeFit, error) {
	if err := checkCal(d, level); err != nil {
		return SlopeFit{}, err
	}
	r := newRecal(d)
	s, f := slopeFit(r, d.totals(), level)
	if !f.ok {
		return s, nil
	}
	a, b := f.a, f.b
	c := s.Cov
	det := c[0][0]*c[1][1] - c[0][1]*c[0][1]
	s.JointWald = (c[1][1]*a*a - 2*c[0][1]*a*(b-1) + c[0][0]*(b-1)*(b-1)) / det
	s.JointWaldP = chiP(s.JointWald, 2)
	if d.W != nil {
		s.ProfileIntercept = noProfile("calibration_intercept_joint", a, level)
		s.ProfileSlope = noProfile("calibration_slope", b, level)
		return s, nil
	}
	s.JointLR = math.Max(2*(f.at.ll-r.pass(0, 1, true).ll), 0)
	s.JointLRP = chiP(s.JointLR, 2)
	z := calZ(level)
	// Each profile starts its inner fit on the regression line of the joint normal.
	lo, hi := profileLimits(b, f.at.ll, s.SE[1], z*z, func(v float64) float64 {
		return r.profileAt(a+c[0][1]/c[1][1]*(v-b), v, true, false)
	})
	s.ProfileSlope = Estimate{"calibration_slope", math.NaN(), b, lo, hi, level, r.note("profile likelihood")}
	lo, hi = profileLimits(a, f.at.ll, s.SE[0], z*z, func(v float64) float64 {
		return r.profileAt(v, b+c[0][1]/c[0][0]*(v-a), false, true)
	})
	s.ProfileIntercept = Estimate{"calibration_intercept_joint", math.NaN(), a, lo, hi, level, r.note("profile likelihood")}
	return s, nil
}

func (r *recal) profileAt(a, b float64, freeA, freeB bool) float64 {
	f := r.fit(a, b, freeA, freeB)
	if !f.ok {
		return math.NaN()
	}
	return f.at.ll
}

func slopeFit(r *recal, t calTotals, level float64) (SlopeFit, recalFit) {
	nan := math.NaN()
	s := SlopeFit{
		SE: [2]float64{nan, nan}, Cov: [2][2]float64{{nan, nan}, {nan, nan}}, Z: nan, P: nan, JointWald: nan,
		JointWaldP: nan, JointLR: nan, JointLRP: nan, Deviance: nan, Warning: r.warnings(),
	}
	refuse := func(why string) (SlopeFit, recalFit) {
		s.Intercept = calUndefined("calibration_intercept_joint", level, why)
		s.Slope = calUndefined("calibration_slope", level, why)
		s.ProfileIntercept, s.ProfileSlope = s.Intercept, s.Slope
		return s, recalFit{}
	}
	if why := t.oneClass(); why != "" {
		return refuse(why)
	}
	if r.constant() {
		return refuse("constant probability")
	}
	if r.separated() {
		return refuse("the probability separates the outcome perfectly")
	}
	f := r.fit(0, 1, true, true)
	if !f.ok {
		return refuse("the likelihood has no finite maximum")
	}
	det := f.at.h00*f.at.h11 - f.at.h01*f.at.h01
	s.Cov = [2][2]float64{{f.at.h11 / det, -f.at.h01 / det}, {-f.at.h01 / det, f.at.h00 / det}}
	method := waldInformation
	if r.w != nil {
		method = waldSandwich
		s.Cov = sandwich2(s.Cov, [2][2]float64{{f.at.s00, f.at.s01}, {f.at.s01, f.at.s11}})
	}
	s.SE = [2]float64{math.Sqrt(s.Cov[0][0]), math.Sqrt(s.Cov[1][1])}
	s.Intercept = calWald("calibration_intercept_joint", f.a, s.SE[0], level, r.note(method))
	s.Slope = calWald("calibration_slope", f.b, s.SE[1], level, r.note(method))
	s.Z = (f.b - 1) / s.SE[1]
	s.P = calP(s.Z)
	s.Deviance = -2 * f.at.ll
	s.ProfileIntercept = calUndefined("calibration_intercept_joint", level, "not asked for")
	s.ProfileSlope = calUndefined("calibration_slope", level, "not asked for")
	return s, f
}

func sandwich2(a, m [2][2]float64) (out [2][2]float64) {
	for i := range 2 {
		for j := range 2 {
			for k := range 2 {
				for l := range 2 {
					out[i][j] += a[i][k] * m[k][l] * a[l][j]
				}
			}
		}
	}
	return out
}

// constant reports whether all weighted rows share one logit.
func (r *recal) constant() bool {
	first := math.NaN()
	for i, z := range r.z {
		if r.w != nil && r.w[i] == 0 {
			continue
		}
		if math.IsNaN(first) {
			first = z
		} else if z != first {
			return false
		}
	}
	return true
}

// separated reports whether some cut of z puts all events on one side (ties on the cut
// allowed): then no finite slope maximises the likelihood.
func (r *recal) separated() bool {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i, z := range r.z {
		if r.w != nil && r.w[i] == 0 {
			continue
		}
		k := int(r.y[i])
		lo[k], hi[k] = math.Min(lo[k], z), math.Max(hi[k], z)
	}
	return lo[1] >= hi[0] || lo[0] >= hi[1]
}
