package metric

import (
	"math"
)

// PRCurve holds precision and recall at each distinct score, high to low. It starts with
// threshold +Inf, recall 0, precision 1 by convention.
type PRCurve struct {
	Threshold []float64
	Recall    []float64
	Precision []float64
}

// PR returns the precision-recall curve; recall is NaN without events.
func (s *Sorted) PR() PRCurve {
	n := len(s.score)
	c := PRCurve{make([]float64, 0, n+1), make([]float64, 0, n+1), make([]float64, 0, n+1)}
	c.Threshold, c.Recall, c.Precision = append(c.Threshold, math.Inf(1)), append(c.Recall, 0), append(c.Precision, 1)
	var tp, fp runSum
	for g := range n {
		tp.add(s.pos[g])
		fp.add(s.neg[g])
		c.Threshold = append(c.Threshold, s.score[g])
		c.Recall = append(c.Recall, tp.sum()/s.wpos)
		c.Precision = append(c.Precision, tp.sum()/(tp.sum()+fp.sum()))
	}
	return c
}

// AveragePrecision returns sum (R_k - R_(k-1)) P_k over the distinct scores from high to low,
// which is scikit-learn's definition and interpolates nothing. The interval comes from the
// influence function of that sum on the logit scale ("influence, logit"); when average
// precision is 1, the exact limit for the chance that an event ranks above the non-events is
// not available and the limits are NaN with the reason. No events or no rows gives NaN.
func AveragePrecision(d Data, level float64) (Estimate, error) {
	if err := levelFault(level); err != nil {
		return Estimate{}, err
	}
	s, err := NewSorted(d)
	if err != nil {
		return Estimate{}, err
	}
	return s.AveragePrecision(level), nil
}

// AveragePrecision returns average precision with its interval; see the function
// [AveragePrecision].
func (s *Sorted) AveragePrecision(level float64) Estimate {
	if s.rows1 == 0 {
		reason := "not estimable: one class"
		if s.rows0 == 0 {
			reason = "not estimable: no rows"
		}
		return undefined("average_precision", math.NaN(), level, reason)
	}
	v, se := s.averagePrecision()
	e := Estimate{Name: "average_precision", Threshold: math.NaN(), Value: v, Level: level, Method: "influence, logit"}
	e.Lower, e.Upper = logitLimits(v, se, level)
	switch {
	case s.rows0 == 0:
		e.Lower, e.Upper = math.NaN(), math.NaN()
		e.Method = "interval not estimable: one class"
	case math.IsNaN(e.Lower):
		e.Method = "interval not estimable: average precision is 1"
	}
	return e
}

// AveragePrecisionBinomial is AveragePrecision with the logit interval of Boyd, Eng and Page
// 2013 (doi:10.1007/978-3-642-40994-3_29), which takes the standard error of the logit as
// 1/sqrt(n1 AP (1-AP)), n1 the number of events ("binomial, logit").
func (s *Sorted) AveragePrecisionBinomial(level float64) Estimate {
	e := s.AveragePrecision(level)
	if s.rows1 == 0 || s.rows0 == 0 {
		return e
	}
	n1 := effective(s.wpos, sumOf(s.pos2))
	e.Lower, e.Upper = logitLimits(e.Value, math.Sqrt(e.Value*(1-e.Value)/n1), level)
	if !math.IsNaN(e.Lower) {
		e.Method = "binomial, logit"
	}
	return e
}

// averagePrecision returns the value and its standard error. With A(s) the weight of events at
// or above s, B(s) that of all rows, and W1 the weight of events, AP = (1/W1) sum over events
// of A/B. A row k adds to AP through its own term (if an event), and through A and B in the
// terms of every event scored no higher than itself:
//
//	n IF_k = [ y_k A/B(s_k) + y_k sum_{i<=k} 1/B_i - sum_{i<=k} A_i/B_i^2 - y_k AP ] / W1
//
// the sums running over events i with s_i <= s_k.
func (s *Sorted) averagePrecision() (value, se float64) {
	n := len(s.score)
	a, b := make([]float64, n), make([]float64, n)
	var tp, all, ap runSum
	for g := range n {
		tp.add(s.pos[g])
		all.add(s.pos[g])
		all.add(s.neg[g])
		a[g], b[g] = tp.sum(), all.sum()
		if s.pos[g] > 0 {
			ap.add(s.pos[g] * (a[g] / b[g]))
		}
	}
	value = min(1, ap.sum()/s.wpos)
	var inv, ratio, ss runSum // sums over events scored no higher, from the bottom up
	for g := n - 1; g >= 0; g-- {
		if p := s.pos[g]; p > 0 {
			inv.add(p / b[g])
			ratio.add(p * (a[g] / b[g] / b[g]))
		}
		event := (a[g]/b[g] + inv.sum() - ratio.sum() - value) / s.wpos
		other := -ratio.sum() / s.wpos
		ss.add(s.pos2[g]*event*event + s.neg2[g]*other*other)
	}
	return value, math.Sqrt(ss.sum())
}

// AUPRC returns the area under the precision-recall curve by the trapezoid rule from (recall
// 0, precision 1). Linear interpolation is too favourable between distant points (Davis and
// Goadrich 2006, doi:10.1145/1143844.1143874); prefer [AveragePrecision]. NaN without events.
func (s *Sorted) AUPRC() float64 {
	if s.rows1 == 0 {
		return math.NaN()
	}
	c := s.PR()
	var area runSum
	for i := 1; i < len(c.Recall); i++ {
		area.add((c.Recall[i] - c.Recall[i-1]) * (c.Precision[i] + c.Precision[i-1]) / 2)
	}
	return area.sum()
}

// effective returns Kish's effective sample size, w^2 / sum of squared weights.
func effective(w, w2 float64) float64 { return w * w / w2 }

func sumOf(x []float64) float64 {
	var s runSum
	for _, v := range x {
		s.add(v)
	}
	return s.sum()
}
