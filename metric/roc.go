package metric

import "math"

// ROCCurve holds the operating points from "nobody positive" (threshold +Inf) to "everybody
// positive", one per distinct score: a row is positive when its score is at least the
// threshold. TP and FP are sums of weights.
type ROCCurve struct {
	Threshold []float64
	TP, FP    []float64
	TPR       []float64 // sensitivity; NaN without events
	FPR       []float64 // 1 - specificity; NaN without non-events
}

// ROC returns the curve. With thin, points in the middle of a straight stretch are left out,
// which moves no area; the rule (second differences of TP and FP both 0) is scikit-learn's
// drop_intermediate.
func (s *Sorted) ROC(thin bool) ROCCurve {
	n := len(s.score)
	tp, fp := make([]float64, n), make([]float64, n)
	var t, f runSum
	for g := range n {
		t.add(s.pos[g])
		f.add(s.neg[g])
		tp[g], fp[g] = t.sum(), f.sum()
	}
	keep := func(g int) bool {
		if !thin || g == 0 || g == n-1 {
			return true
		}
		return tp[g+1]-2*tp[g]+tp[g-1] != 0 || fp[g+1]-2*fp[g]+fp[g-1] != 0
	}
	c := ROCCurve{}
	c.push(math.Inf(1), 0, 0, s)
	for g := range n {
		if keep(g) {
			c.push(s.score[g], tp[g], fp[g], s)
		}
	}
	return c
}

func (c *ROCCurve) push(threshold, tp, fp float64, s *Sorted) {
	c.Threshold = append(c.Threshold, threshold)
	c.TP = append(c.TP, tp)
	c.FP = append(c.FP, fp)
	c.TPR = append(c.TPR, tp/s.wpos)
	c.FPR = append(c.FPR, fp/s.wneg)
}

// ROC sorts d and returns its curve; see [Sorted.ROC].
func ROC(d Data, thin bool) (ROCCurve, error) {
	s, err := NewSorted(d)
	if err != nil {
		return ROCCurve{}, err
	}
	return s.ROC(thin), nil
}
