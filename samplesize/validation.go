package samplesize

import (
	"math"

	"dolor/diag"

	"gonum.org/v1/gonum/stat/distuv"
)

// ObservedExpected returns the patients needed to estimate O/E with standard error seLog of its
// logarithm: (1-phi)/(phi se^2). Riley et al. 2021, Stat Med 40:4230, doi:10.1002/sim.9025,
// criterion 1.
func ObservedExpected(prevalence, seLog float64) (float64, error) {
	if err := share("prevalence", prevalence); err != nil {
		return 0, err
	}
	if err := positive("se", seLog); err != nil {
		return 0, err
	}
	return (1 - prevalence) / (prevalence * seLog * seLog), nil
}

// ObservedExpectedInterval returns the 95 % limits to expect around an O/E of 1 at that
// standard error.
func ObservedExpectedInterval(seLog float64) (lower, upper float64) {
	z := distuv.UnitNormal.Quantile(0.975)
	return math.Exp(-z * seLog), math.Exp(z * seLog)
}

// CStatisticSE returns Newcombe's standard error of a C statistic (2006, Stat Med 25:559,
// doi:10.1002/sim.2324, method 4) with n patients.
func CStatisticSE(c, prevalence, n float64) float64 {
	top := c * (1 - c) * (1 + (n/2-1)*(1-c)/(2-c) + (n/2-1)*c/(1+c))
	return math.Sqrt(top / (n * n * prevalence * (1 - prevalence)))
}

// CStatistic returns the patients needed for a 95 % interval of the C statistic of the
// given width. Riley et al. 2021, criterion 3.
func CStatistic(c, prevalence, width float64) (float64, error) {
	if !(c > 0.5 && c < 1) {
		return 0, diag.Errorf(diag.Invalid, "c", "expected a number between 0.5 and 1, got %g", c)
	}
	if err := share("prevalence", prevalence); err != nil {
		return 0, err
	}
	if err := share("width", width); err != nil {
		return 0, err
	}
	se := width / (2 * distuv.UnitNormal.Quantile(0.975))
	// se^2 n^2 phi(1-phi) = c(1-c)(1 - h + h n/2), h = (1-c)/(2-c) + c/(1+c).
	h := (1-c)/(2-c) + c/(1+c)
	a := se * se * prevalence * (1 - prevalence)
	b := c * (1 - c) * h / 2
	return (b + math.Sqrt(b*b+4*a*c*(1-c)*(1-h))) / (2 * a), nil
}

// CalibrationSlope returns the patients needed to estimate the calibration slope with
// standard error se, when the linear predictor (logit of the risk) is distributed as lp
// and well calibrated: I_a / (se^2 (I_a I_b - I_ab^2)). Riley et al. 2021, criterion 2.
func CalibrationSlope(lp []float64, se float64) (float64, error) {
	if len(lp) < 2 {
		return 0, diag.Errorf(diag.Invalid, "lp", "expected at least two values, got %d", len(lp))
	}
	if err := positive("se", se); err != nil {
		return 0, err
	}
	var ia, iab, ib, mean float64
	n := float64(len(lp))
	for i, x := range lp {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return 0, diag.Errorf(diag.Invalid, "lp", "row %d: expected a finite number", i+1)
		}
		mean += x / n
	}
	for _, x := range lp {
		p := 1 / (1 + math.Exp(-x))
		v, y := p*(1-p)/n, x-mean // the slope's information does not depend on the origin
		ia += v
		iab += v * y
		ib += v * y * y
	}
	det := ia*ib - iab*iab
	if !(det > 1e-14*ia*ib) {
		return 0, diag.Errorf(diag.Unfit, "lp", "expected values that differ, got a constant")
	}
	return ia / (se * se * det), nil
}

// NormalLP returns a sample of size points, at the midpoints of equal probability, from a
// normal linear predictor, for [CalibrationSlope].
func NormalLP(mean, sd float64, points int) ([]float64, error) {
	if err := positive("sd", sd); err != nil {
		return nil, err
	}
	if math.IsNaN(mean) || math.IsInf(mean, 0) {
		return nil, diag.Errorf(diag.Invalid, "mean", "expected a finite number, got %g", mean)
	}
	if points < 2 {
		return nil, diag.Errorf(diag.Invalid, "points", "expected at least 2, got %d", points)
	}
	out := make([]float64, points)
	for i := range out {
		out[i] = mean + sd*distuv.UnitNormal.Quantile((float64(i)+0.5)/float64(points))
	}
	return out, nil
}

// NetBenefit returns the patients needed to estimate the standardised net benefit at a
// threshold with standard error se, given the sensitivity and specificity to expect there.
// Riley et al. 2021, criterion 4, by the variance of Marsh, Janes and Pepe 2020,
// Biometrics 76:853, doi:10.1111/biom.13190.
func NetBenefit(prevalence, sensitivity, specificity, threshold, se float64) (float64, error) {
	if err := share("prevalence", prevalence); err != nil {
		return 0, err
	}
	if err := share("threshold", threshold); err != nil {
		return 0, err
	}
	if err := positive("se", se); err != nil {
		return 0, err
	}
	if !(sensitivity >= 0 && sensitivity <= 1) || !(specificity >= 0 && specificity <= 1) {
		return 0, diag.Errorf(diag.Invalid, "sensitivity", "expected sensitivity and specificity from 0 to 1, got %g and %g", sensitivity, specificity)
	}
	w := (1 - prevalence) / prevalence * threshold / (1 - threshold)
	fp := 1 - specificity
	v := sensitivity*(1-sensitivity)/prevalence + w*w*specificity*fp/(1-prevalence) +
		w*w*fp*fp/(prevalence*(1-prevalence))
	return v / (se * se), nil
}

func share(field string, v float64) error {
	if !(v > 0 && v < 1) {
		return diag.Errorf(diag.Invalid, field, "expected a number between 0 and 1, got %g", v)
	}
	return nil
}

func positive(field string, v float64) error {
	if !(v > 0) || math.IsInf(v, 0) {
		return diag.Errorf(diag.Invalid, field, "expected a finite number above 0, got %g", v)
	}
	return nil
}
