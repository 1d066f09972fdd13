package metric

import (
	"math"
	"slices"

	"dolor/diag"
)

// Conformal holds the thresholds of split conformal prediction sets (Vovk, Gammerman and
// Shafer 2005, doi:10.1007/b106715; Lei and others 2018, doi:10.1080/01621459.2017.1307116).
// A class belongs to a patient's set when one less its probability is at most its threshold.
type Conformal struct {
	Threshold [2]float64 // for no outcome and outcome; +Inf when too few rows calibrate
	N, K      [2]int     // calibration rows, and the rank of the score taken
}

// ConformalThreshold returns the k-th smallest score, k = ceil((n+1)(1-alpha) - 1e-9), the
// guard keeping rounding from pushing k up; +Inf when k exceeds n. NaN when alpha lies outside
// (0, 1).
func ConformalThreshold(scores []float64, alpha float64) (threshold float64, k int) {
	if !(alpha > 0 && alpha < 1) {
		return math.NaN(), 0
	}
	k = int(math.Ceil(float64(len(scores)+1)*(1-alpha) - 1e-9))
	if k > len(scores) {
		return math.Inf(1), k
	}
	s := slices.Sorted(slices.Values(scores))
	return s[max(k, 1)-1], k
}

// NewConformal calibrates on d so that sets hold the truth with probability 1 - alpha: over
// all patients, or with byClass among patients with and without the outcome separately.
// Weights are refused.
func NewConformal(d Data, alpha float64, byClass bool) (Conformal, error) {
	if err := d.Check(); err != nil {
		return Conformal{}, err
	}
	if !(alpha > 0 && alpha < 1) {
		return Conformal{}, diag.Errorf(diag.Invalid, "alpha", "expected a number between 0 and 1, got %g", alpha)
	}
	if d.W != nil {
		return Conformal{}, diag.Errorf(diag.Unsupported, "weight", "expected no weights for conformal sets")
	}
	var scores [2][]float64
	for i, y := range d.Y {
		if y {
			scores[1] = append(scores[1], 1-d.P[i])
		} else {
			scores[0] = append(scores[0], 1-(1-d.P[i]))
		}
	}
	if !byClass {
		all := slices.Concat(scores[0], scores[1])
		scores = [2][]float64{all, all}
	}
	var c Conformal
	for k, s := range scores {
		c.N[k] = len(s)
		c.Threshold[k], c.K[k] = ConformalThreshold(s, alpha)
	}
	return c, nil
}

// Set returns which classes the set of a patient with probability p holds.
func (c Conformal) Set(p float64) (without, with bool) {
	return 1-(1-p) <= c.Threshold[0], 1-p <= c.Threshold[1]
}

// ConformalSummary describes the sets of new patients.
type ConformalSummary struct {
	Coverage            float64 // share of sets that hold the truth; NaN without rows
	MeanSize            float64
	Empty, Single, Both int
}

// Summary applies the sets to d.
func (c Conformal) Summary(d Data) ConformalSummary {
	var s ConformalSummary
	hit, size := 0, 0
	for i, y := range d.Y {
		a, b := c.Set(d.P[i])
		if y && b || !y && a {
			hit++
		}
		switch {
		case a && b:
			s.Both++
			size += 2
		case a || b:
			s.Single++
			size++
		default:
			s.Empty++
		}
	}
	n := float64(d.N())
	s.Coverage, s.MeanSize = float64(hit)/n, float64(size)/n
	return s
}
