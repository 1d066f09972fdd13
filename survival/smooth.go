package survival

import (
	"math"
	"slices"

	"dolor/diag"
	"dolor/internal/glm"
)

// SmoothPoint is one point of a smooth calibration curve.
type SmoothPoint struct{ P, Observed, Lower, Upper float64 }

// Smooth is a smooth calibration curve of predicted risks at a horizon with the distances
// from the diagonal over the patients.
type Smooth struct {
	Curve               []SmoothPoint // ascending in P
	ICI, E50, E90, EMax float64       // mean, median, 90th percentile (type 7) and largest of |p - observed|
	Method              string
}

// SmoothCalibration regresses the event by the horizon on a restricted cubic spline of logit p with
// three knots (10th, 50th and 90th percentile), weighting by the inverse probability of
// censoring, and reads the curve at each of the given risks (nil: 50 points over the range
// of p). Pointwise limits are sandwich, on the logit scale. Distances after Austin, Harrell and van
// Klaveren 2020, Stat Med 39:2714, doi:10.1002/sim.8570; weights instead of a hazard
// regression, so that competing events are handled. Kind Unfit when the fit does not exist.
func SmoothCalibration(d Data, p []float64, horizon float64, at []float64, o *HorizonOptions) (*Smooth, error) {
	w, err := newWeighted(d, p, horizon, o)
	if err != nil {
		return nil, err
	}
	if w.reason != "" {
		return nil, diag.Errorf(diag.Unfit, "probability", "expected risks to smooth, got a case where %s", w.reason)
	}
	sorted := slices.Sorted(slices.Values(w.logit))
	knots := []float64{quantile7(sorted, 0.1), quantile7(sorted, 0.5), quantile7(sorted, 0.9)}
	cols := 3
	if !(knots[0] < knots[1] && knots[1] < knots[2]) {
		cols, knots = 2, nil // too few distinct values: a straight line
	}
	x := make([]float64, 0, cols*len(p))
	for _, l := range w.logit {
		x = append(x, basis(l, knots)...)
	}
	fit, inf, reason := w.fit(x, cols, nil)
	if reason != "" {
		return nil, diag.Errorf(diag.Unfit, "probability", "expected risks to smooth, got a case where %s", reason)
	}
	s := &Smooth{Method: "restricted cubic spline of logit p, 3 knots, inverse probability of censoring"}
	if knots == nil {
		s.Method = "straight line in logit p, inverse probability of censoring"
	}
	dist := make([]float64, len(p))
	for i, l := range w.logit {
		dist[i] = math.Abs(p[i] - glm.Expit(dot(basis(l, knots), fit.Coef)))
	}
	s.ICI = meanOf(dist)
	slices.Sort(dist)
	s.E50, s.E90, s.EMax = quantile7(dist, 0.5), quantile7(dist, 0.9), dist[len(dist)-1]
	if at == nil {
		low, high := glm.Expit(sorted[0]), glm.Expit(sorted[len(sorted)-1])
		for i := range 50 {
			at = append(at, low+(high-low)*float64(i)/49)
		}
	}
	z := zOf(w.opt.Level)
	for _, v := range slices.Sorted(slices.Values(at)) {
		if !(v > 0 && v < 1) {
			return nil, diag.Errorf(diag.Invalid, "at", "expected risks between 0 and 1, got %g", v)
		}
		b := basis(glm.Logit(v), knots)
		eta, variance := dot(b, fit.Coef), 0.0
		for _, row := range inf {
			u := dot(b, row)
			variance += u * u
		}
		h := z * math.Sqrt(variance)
		s.Curve = append(s.Curve, SmoothPoint{v, glm.Expit(eta), glm.Expit(eta - h), glm.Expit(eta + h)})
	}
	return s, nil
}

// basis is 1, x and, with knots, Harrell's restricted cubic term divided by the squared span.
func basis(x float64, knots []float64) []float64 {
	if knots == nil {
		return []float64{1, x}
	}
	cube := func(v float64) float64 { v = math.Max(v, 0); return v * v * v }
	a, b, c := knots[0], knots[1], knots[2]
	r := cube(x-a) - cube(x-b)*(c-a)/(c-b) + cube(x-c)*(b-a)/(c-b)
	return []float64{1, x, r / ((c - a) * (c - a))}
}

// quantile7 is R's default quantile of ascending values.
func quantile7(sorted []float64, p float64) float64 {
	h := p * float64(len(sorted)-1)
	i := int(h)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (h-float64(i))*(sorted[i+1]-sorted[i])
}
