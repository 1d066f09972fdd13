package metric

import (
	"math"
)

// AUC returns the area under the ROC curve: the chance that a patient with the outcome scores
// above one without, ties counting one half (Hanley and McNeil 1982,
// doi:10.1148/radiology.143.1.7063747). Scores need only an order.
//
// The interval is DeLong's variance on the logit scale ("delong, logit"). Where that is
// undefined another is used and named: with perfect or perfectly wrong separation the exact
// bound from disjoint pairs, with a single row in a class the variance of Hanley and McNeil.
// One class or no rows gives NaN with the reason in Method. An AUC below one half is not
// flipped. Weights are sampling weights (see [DeLong]). Cost O(n) after the radix sort.
func AUC(d Data, level float64) (Estimate, error) {
	if err := levelFault(level); err != nil {
		return Estimate{}, err
	}
	s, err := NewSorted(d)
	if err != nil {
		return Estimate{}, err
	}
	return s.AUC(level), nil
}

// AUC returns the area under the ROC curve with its interval; see the function [AUC].
func (s *Sorted) AUC(level float64) Estimate {
	if r := s.why(); r != "" {
		return undefined("auc", math.NaN(), level, r)
	}
	d := s.DeLong()
	e := Estimate{Name: "auc", Threshold: math.NaN(), Value: d.AUC, Level: level, Method: "delong, logit"}
	switch {
	case len(s.score) == 1:
		e.Lower, e.Upper = 0.5, 0.5
		e.Method = "all scores tied: variance 0"
	case d.AUC == 0 || d.AUC == 1:
		e.Lower, e.Upper = disjointPairs(d.AUC, min(s.rows1, s.rows0), level)
		e.Method = "exact, disjoint pairs (perfect separation: delong variance is 0)"
	case math.IsNaN(d.Var):
		e.Lower, e.Upper = logitLimits(d.AUC, HanleyMcNeil(d.AUC, float64(s.rows1), float64(s.rows0)), level)
		e.Method = "hanley-mcneil, logit (one row in a class: delong variance undefined)"
	default:
		e.Lower, e.Upper = d.Logit(level)
	}
	return e
}

// aucValue returns the AUC alone, NaN with one class.
func (s *Sorted) aucValue() float64 {
	if s.rows1 == 0 || s.rows0 == 0 {
		return math.NaN()
	}
	var area runSum
	below := s.wneg
	for g, p := range s.pos {
		q := s.neg[g]
		below -= q
		if p > 0 {
			area.add(p * (below + q/2))
		}
	}
	return min(1, max(0, area.sum()/s.wpos/s.wneg))
}

// disjointPairs bounds an AUC estimated as 1 (or 0) with k disjoint pairs of an event and a
// non-event: all k are concordant with probability AUC^k, so the Clopper-Pearson limit of k out
// of k holds with at least the stated confidence.
func disjointPairs(auc float64, k int, level float64) (lower, upper float64) {
	bound := math.Pow((1-level)/2, 1/float64(k))
	if auc == 0 {
		return 0, 1 - bound
	}
	return bound, 1
}

// SomersD returns Somers' D of outcome and score, 2 AUC - 1 (also called Gini), with the
// limits of the AUC on that scale.
func SomersD(d Data, level float64) (Estimate, error) {
	e, err := AUC(d, level)
	if err != nil {
		return Estimate{}, err
	}
	e.Name = "somers_d"
	e.Value, e.Lower, e.Upper = 2*e.Value-1, 2*e.Lower-1, 2*e.Upper-1
	return e, nil
}
