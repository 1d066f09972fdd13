package metric

import (
	"math"
	"slices"

	"dolor/internal/interval"
)

// distinctCuts returns the thresholds in ascending order without repeats, and where each of
// the originals is among them.
func distinctCuts(thresholds []float64) (cuts []float64, place []int) {
	cuts = slices.Clone(thresholds)
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	place = make([]int, len(thresholds))
	for i, t := range thresholds {
		place[i], _ = slices.BinarySearch(cuts, t)
	}
	return cuts, place
}

// reached returns how many of the ascending cuts are at most p.
func reached(cuts []float64, p float64) int {
	lo, n := 0, len(cuts)
	for n > 0 {
		half := n >> 1
		if cuts[lo+half] <= p {
			lo += half + 1
			n -= half + 1
		} else {
			n = half
		}
	}
	return lo
}

// BalancedAccuracy returns the mean of sensitivity and specificity, with the Wald interval of
// independent proportions on the logit scale; NaN with one class.
func (t Table) BalancedAccuracy(level float64) Estimate {
	y, se, ok := t.youden()
	if !ok {
		return undefined("balanced_accuracy", t.Threshold, level, "not estimable: one class")
	}
	return t.bounded("balanced_accuracy", (y+1)/2, se/2, level)
}

// Youden returns sensitivity + specificity - 1 with a Wald interval, standard error
// sqrt(se(1-se)/P + sp(1-sp)/N); NaN with one class.
func (t Table) Youden(level float64) Estimate {
	y, se, ok := t.youden()
	if !ok {
		return undefined("youden", t.Threshold, level, "not estimable: one class")
	}
	e := Estimate{Name: "youden", Threshold: t.Threshold, Value: y, Level: level, Method: "wald"}
	e.Lower, e.Upper = waldLimits(y, se, level)
	e.Lower, e.Upper = max(-1, e.Lower), min(1, e.Upper)
	return e
}

// YoudenSE returns the standard error of Youden's index; NaN with one class.
func (t Table) YoudenSE() float64 {
	_, se, ok := t.youden()
	if !ok {
		return math.NaN()
	}
	return se
}

func (t Table) youden() (value, se float64, ok bool) {
	s, r := t.proportion([]int{cellTP}, rowsEvent), t.proportion([]int{cellTN}, rowsOther)
	if s.n == 0 || r.n == 0 {
		return 0, 0, false
	}
	return s.p + r.p - 1, math.Sqrt(s.p*(1-s.p)/s.n + r.p*(1-r.p)/r.n), true
}

// bounded makes an estimate of a quantity within 0 to 1 by the delta method on the logit
// scale, or says why there is no interval.
func (t Table) bounded(name string, v, se, level float64) Estimate {
	e := Estimate{Name: name, Threshold: t.Threshold, Value: v, Level: level, Method: "delta, logit"}
	e.Lower, e.Upper = logitLimits(v, se, level)
	if math.IsNaN(e.Lower) {
		e.Method = "interval not estimable: value at its limit"
	}
	return e
}

// F1 returns 2TP/(2TP+FP+FN), the harmonic mean of precision and recall, with a multinomial
// delta-method interval on the logit scale. NaN when nobody is positive and there are no
// events; 0 when only TP is empty.
func (t Table) F1(level float64) Estimate {
	den := 2*t.TP + t.FP + t.FN
	if den == 0 {
		return undefined("f1", t.Threshold, level, "not estimable: no events and nobody positive")
	}
	f, n := 2*t.TP/den, t.Total()
	u := den / n
	return t.bounded("f1", f, t.delta([4]float64{(2 - 2*f) / u, -f / u, -f / u, 0}), level)
}

// MCC returns Matthews' correlation (phi) of decision and outcome (Matthews 1975,
// doi:10.1016/0005-2795(75)90109-9) with a multinomial delta-method interval on Fisher's z
// scale. NaN when a margin is empty.
func (t Table) MCC(level float64) Estimate {
	n := t.Total()
	a, b, c, d := t.TP/n, t.FP/n, t.FN/n, t.TN/n
	p, e := a+b, a+c // shares positive and with the outcome
	v := p * (1 - p) * e * (1 - e)
	if !(t.TP+t.FP > 0 && t.FN+t.TN > 0 && t.TP+t.FN > 0 && t.FP+t.TN > 0) {
		return undefined("mcc", t.Threshold, level, "not estimable: an empty margin")
	}
	s := math.Sqrt(v)
	r := (a*d - b*c) / s
	// r = (a - p e)/s with a, p, e linear in the cells.
	dp := -e/s - r*(1-2*p)/(2*p*(1-p))
	de := -p/s - r*(1-2*e)/(2*e*(1-e))
	se := t.delta([4]float64{1/s + dp + de, dp, de, 0})
	out := Estimate{Name: "mcc", Threshold: t.Threshold, Value: r, Level: level, Method: "delta, fisher z"}
	if math.Abs(r) < 1 {
		h := interval.Z(level) * se / (1 - r*r)
		out.Lower, out.Upper = math.Tanh(math.Atanh(r)-h), math.Tanh(math.Atanh(r)+h)
	} else {
		out.Lower, out.Upper = math.NaN(), math.NaN()
		out.Method = "interval not estimable: value at its limit"
	}
	return out
}

// Kappa returns Cohen's kappa of decision and outcome with the Wald interval of Fleiss, Cohen
// and Everitt 1969 (doi:10.1037/h0028106), not clipped. NaN when chance agreement is complete.
func (t Table) Kappa(level float64) Estimate {
	k, se, _ := t.kappa()
	if math.IsNaN(k) {
		return undefined("kappa", t.Threshold, level, "not estimable: chance agreement is complete")
	}
	e := Estimate{Name: "kappa", Threshold: t.Threshold, Value: k, Level: level, Method: "fleiss-cohen-everitt, wald"}
	e.Lower, e.Upper = waldLimits(k, se, level)
	return e
}

// KappaSE returns the standard error of kappa, and that under independence of decision and
// outcome (for a test of kappa = 0; counts, not weights); NaN when kappa is undefined.
func (t Table) KappaSE() (se, underIndependence float64) {
	_, se, null := t.kappa()
	return se, null
}

func (t Table) kappa() (value, se, null float64) {
	n := t.Total()
	a, d := t.TP/n, t.TN/n
	p, e := (t.TP+t.FP)/n, (t.TP+t.FN)/n
	chance := p*e + (1-p)*(1-e)
	if !(chance < 1) {
		return math.NaN(), math.NaN(), math.NaN()
	}
	value = (a + d - chance) / (1 - chance)
	// d kappa = [d agreement - (1 - kappa) d chance] / (1 - chance), each cell's own shares.
	gp, ge := 2*e-1, 2*p-1
	g := func(agree, pos, event float64) float64 {
		return (agree - (1-value)*(gp*pos+ge*event)) / (1 - chance)
	}
	se = t.delta([4]float64{g(1, 1, 1), g(0, 1, 0), g(0, 0, 1), g(1, 0, 0)})
	s := p*e*(p+e) + (1-p)*(1-e)*(2-p-e)
	null = math.Sqrt(max(0, chance+chance*chance-s)/n) / (1 - chance)
	return value, se, null
}

// Ratio is a ratio of a table with the standard error of its logarithm.
type Ratio struct{ Value, SELog, Lower, Upper float64 }

// LRPositive returns sensitivity/(1-specificity) with the log-method interval (Simel, Samsa and
// Matchar 1991, doi:10.1016/0895-4356(91)90128-V). With an empty cell the value may be 0 or
// infinite and the limits are NaN.
func (t Table) LRPositive(level float64) Estimate {
	return t.ratio("lr_positive", t.Ratios(level)[0], level)
}

// LRNegative returns (1-sensitivity)/specificity with the log-method interval; see LRPositive.
func (t Table) LRNegative(level float64) Estimate {
	return t.ratio("lr_negative", t.Ratios(level)[1], level)
}

// DOR returns the diagnostic odds ratio TP TN/(FP FN) with the log-method interval (Glas and
// others 2003, doi:10.1016/S0895-4356(03)00177-X); see LRPositive.
func (t Table) DOR(level float64) Estimate { return t.ratio("dor", t.Ratios(level)[2], level) }

func (t Table) ratio(name string, r Ratio, level float64) Estimate {
	e := Estimate{Name: name, Threshold: t.Threshold, Value: r.Value, Lower: r.Lower, Upper: r.Upper, Level: level, Method: "log"}
	switch {
	case math.IsNaN(r.Value):
		e.Method = "not estimable: an empty margin"
	case math.IsNaN(r.Lower):
		e.Method = "interval not estimable: an empty cell"
	}
	return e
}

// Ratios returns the positive and negative likelihood ratio and the diagnostic odds ratio.
func (t Table) Ratios(level float64) [3]Ratio {
	s, r := t.proportion([]int{cellTP}, rowsEvent), t.proportion([]int{cellFP}, rowsOther)
	// Relative variances of sensitivity, its complement, 1 - specificity and specificity.
	vs, vns := (1-s.p)/(s.p*s.n), s.p/((1-s.p)*s.n)
	vr, vnr := (1-r.p)/(r.p*r.n), r.p/((1-r.p)*r.n)
	make1 := func(num, den, v float64) Ratio {
		out := Ratio{Value: num / den, SELog: math.Sqrt(v), Lower: math.NaN(), Upper: math.NaN()}
		if !(num > 0) || !(den > 0) {
			out.SELog = math.NaN()
			return out
		}
		h := interval.Z(level) * out.SELog
		out.Lower, out.Upper = out.Value*math.Exp(-h), out.Value*math.Exp(h)
		return out
	}
	lrp, lrn := make1(s.p, r.p, vs+vr), make1(t.FN/(t.TP+t.FN), t.TN/(t.FP+t.TN), vns+vnr)
	// var logit p = p(1-p)/n / (p(1-p))^2
	dor := make1(t.TP*t.TN, t.FP*t.FN, 1/(s.n*s.p*(1-s.p))+1/(r.n*r.p*(1-r.p)))
	for _, q := range []*Ratio{&lrp, &lrn, &dor} {
		if t.TP == 0 || t.FP == 0 || t.FN == 0 || t.TN == 0 {
			// As published: any empty cell leaves the log method undefined for the ratios it enters.
			if math.IsInf(q.SELog, 0) {
				q.SELog, q.Lower, q.Upper = math.NaN(), math.NaN(), math.NaN()
			}
		}
	}
	return [3]Ratio{lrp, lrn, dor}
}

// HalfAdded returns the table with 0.5 added to each cell if any is empty, the usual correction
// for ratios (Haldane 1956, Anscombe 1956); otherwise the table itself.
func (t Table) HalfAdded() Table {
	c := t.cells()
	if slices.Min(c[:]) > 0 {
		return t
	}
	t.TP, t.FP, t.FN, t.TN = t.TP+0.5, t.FP+0.5, t.FN+0.5, t.TN+0.5
	for k := range t.sq {
		t.sq[k] += 0.5
	}
	return t
}
