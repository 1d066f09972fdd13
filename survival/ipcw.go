package survival

import (
	"math"
	"slices"

	"dolor/diag"
)

// HorizonOptions of the weighted measures; nil and zero fields mean level 0.95, events
// before censorings, and controls that are event-free.
type HorizonOptions struct {
	Level             float64
	Ties              Ties
	CompetingControls bool // AUC: patients with the competing event by the horizon are controls too
}

func (o *HorizonOptions) get() (HorizonOptions, error) {
	var out HorizonOptions
	if o != nil {
		out = *o
	}
	var err error
	out.Level, err = levelOr(out.Level)
	return out, err
}

// Horizon holds the weighted measures of one column of predictions at one horizon.
type Horizon struct {
	Horizon     float64
	EventRate   Estimate // weighted share with the event: 1 - Kaplan-Meier or Aalen-Johansen
	Brier       Estimate
	BrierNull   Estimate // of predicting EventRate for everybody: F(1-F)
	BrierScaled Estimate // 1 - Brier/BrierNull
	AUC         Estimate // cumulative cases, dynamic controls

	MeanWeight     float64
	SumWeightCases float64
	Cases          int
	Competing      int
	Controls       int // event-free past the horizon
	Lost           int // censored by the horizon, weight 0
}

// IPCW scores predicted risks p of Event by the horizon, weighting by the inverse
// probability of being uncensored ([Weights]).
//
// Brier: Graf et al. 1999, Stat Med 18:2529; with competing events Schoop et al. 2011,
// doi:10.1002/bimj.201000073. AUC, cumulative/dynamic with ties one half: Uno et al. 2007,
// doi:10.1198/016214507000000149; Blanche et al. 2013, doi:10.1002/sim.5958. Standard errors
// are the infinitesimal jackknife with the estimation of the censoring curve included;
// intervals normal for Brier and its scaled form, logit for AUC and the event rate. Kind Invalid for
// malformed input, Unfit when the follow-up ends before the horizon. O(n log n).
func IPCW(d Data, p []float64, horizon float64, o *HorizonOptions) (*Horizon, error) {
	opt, err := o.get()
	if err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	if err := checkP(p, d.N()); err != nil {
		return nil, err
	}
	c, err := censoringAt(d, horizon, opt.Ties)
	if err != nil {
		return nil, err
	}
	w := c.weights(d, horizon)
	res := &Horizon{Horizon: horizon}
	n := float64(d.N())
	res.count(d, w)

	// Means over patients of w*loss: derivative by the case weight (w*loss - mean)/n.
	mean := func(loss func(i int) float64) (float64, []float64) {
		direct, g := make([]float64, d.N()), make([]float64, d.N())
		var s sum
		for i := range w {
			if w[i] != 0 {
				g[i] = w[i] * loss(i) / n
				s.add(g[i])
			}
		}
		m := s.value()
		for i := range w {
			direct[i] = g[i] - m/n
		}
		return m, c.influence(d, horizon, direct, g)
	}
	isCase := func(i int) bool { return d.Time[i] <= horizon && d.Status[i] == Event }
	rate, rateIF := mean(func(i int) float64 {
		if isCase(i) {
			return 1
		}
		return 0
	})
	brier, brierIF := mean(func(i int) float64 {
		if isCase(i) {
			return (1 - p[i]) * (1 - p[i])
		}
		return p[i] * p[i]
	})
	const method = "inverse probability of censoring, influence function"
	res.EventRate = logitScale(rate, math.Sqrt(sumSquares(rateIF)), opt.Level, method)
	res.Brier = linear(brier, math.Sqrt(sumSquares(brierIF)), opt.Level, method)
	res.Brier.Lower = math.Max(res.Brier.Lower, 0)
	null := rate * (1 - rate)
	nullSE := math.Abs(1-2*rate) * res.EventRate.SE
	res.BrierNull = linear(null, nullSE, opt.Level, method)
	res.BrierNull.Lower = math.Max(res.BrierNull.Lower, 0)
	if null > 0 {
		var v sum
		for i := range w {
			x := -brierIF[i]/null + brier/(null*null)*(1-2*rate)*rateIF[i]
			v.add(x * x)
		}
		res.BrierScaled = linear(1-brier/null, math.Sqrt(v.value()), opt.Level, method)
	} else {
		res.BrierScaled = undefined(opt.Level, "one outcome")
	}
	res.AUC = aucAt(d, p, horizon, c, w, opt)
	return res, nil
}

// count fills the counts and sums of weights.
func (h *Horizon) count(d Data, w []float64) {
	var all, cases sum
	for i, t := range d.Time {
		all.add(w[i])
		switch {
		case t > h.Horizon:
			h.Controls++
		case d.Status[i] == Event:
			h.Cases++
			cases.add(w[i])
		case d.Status[i] == Competing:
			h.Competing++
		default:
			h.Lost++
		}
	}
	h.MeanWeight, h.SumWeightCases = all.value()/float64(d.N()), cases.value()
}

// aucGradient returns the cumulative/dynamic AUC and its derivative by the logarithm of
// every patient's weight. O(n log n).
func aucGradient(d Data, p []float64, horizon float64, w []float64, competingControls bool) (float64, []float64, bool) {
	n := d.N()
	order := byTime(p) // ascending predictions
	kind := make([]int8, n)
	var cases, controls sum
	for i, t := range d.Time {
		switch {
		case w[i] == 0:
		case t > horizon, competingControls && d.Status[i] == Competing:
			kind[i] = -1
			controls.add(w[i])
		case d.Status[i] == Event:
			kind[i] = 1
			cases.add(w[i])
		}
	}
	w1, w0 := cases.value(), controls.value()
	if w1 == 0 || w0 == 0 {
		return math.NaN(), nil, false
	}
	// below[i]: share of opposite weight that p[i] beats, ties one half.
	grad := make([]float64, n)
	var auc, below0, below1 sum
	for at := 0; at < n; {
		end := at
		var t0, t1 sum
		for ; end < n && p[order[end]] == p[order[at]]; end++ {
			switch r := order[end]; kind[r] {
			case 1:
				t1.add(w[r])
			case -1:
				t0.add(w[r])
			}
		}
		for _, r := range order[at:end] {
			switch kind[r] {
			case 1:
				grad[r] = (below0.value() + t0.value()/2) / w0
				auc.add(w[r] * grad[r])
			case -1:
				grad[r] = (w1 - below1.value() - t1.value()/2) / w1
			}
		}
		below0.add(t0.value())
		below1.add(t1.value())
		at = end
	}
	a := auc.value() / w1
	for i := range grad {
		switch kind[i] {
		case 1:
			grad[i] = w[i] * (grad[i] - a) / w1
		case -1:
			grad[i] = w[i] * (grad[i] - a) / w0
		}
	}
	return a, grad, true
}

func aucAt(d Data, p []float64, horizon float64, c *censoring, w []float64, opt HorizonOptions) Estimate {
	a, grad, ok := aucGradient(d, p, horizon, w, opt.CompetingControls)
	if !ok {
		return undefined(opt.Level, "cases or controls are absent at the horizon")
	}
	se := math.Sqrt(sumSquares(c.influence(d, horizon, grad, grad)))
	return logitScale(a, se, opt.Level, "inverse probability of censoring, influence function")
}

// AUCDifference compares two columns of predictions on the same patients at a horizon:
// a minus b, with the covariance from paired influence values (Blanche et al. 2013) and a
// normal interval.
func AUCDifference(d Data, a, b []float64, horizon float64, o *HorizonOptions) (Estimate, error) {
	opt, err := o.get()
	if err != nil {
		return Estimate{}, err
	}
	if err := d.Check(); err != nil {
		return Estimate{}, err
	}
	for _, p := range [][]float64{a, b} {
		if err := checkP(p, d.N()); err != nil {
			return Estimate{}, err
		}
	}
	c, err := censoringAt(d, horizon, opt.Ties)
	if err != nil {
		return Estimate{}, err
	}
	w := c.weights(d, horizon)
	va, ga, ok := aucGradient(d, a, horizon, w, opt.CompetingControls)
	vb, gb, okb := aucGradient(d, b, horizon, w, opt.CompetingControls)
	if !ok || !okb {
		return undefined(opt.Level, "cases or controls are absent at the horizon"), nil
	}
	for i := range ga {
		ga[i] -= gb[i]
	}
	se := math.Sqrt(sumSquares(c.influence(d, horizon, ga, ga)))
	return linear(va-vb, se, opt.Level, "inverse probability of censoring, paired influence functions"), nil
}

// IntegratedBrier averages the Brier score over the horizons by the trapezoid rule, divided
// by the span. p[k] holds the predicted risks by horizons[k]; horizons ascend, at least two.
// The standard error uses the influence values of every horizon together.
func IntegratedBrier(d Data, p [][]float64, horizons []float64, o *HorizonOptions) (Estimate, error) {
	opt, err := o.get()
	if err != nil {
		return Estimate{}, err
	}
	if err := d.Check(); err != nil {
		return Estimate{}, err
	}
	if len(p) != len(horizons) || len(horizons) < 2 {
		return Estimate{}, diag.Errorf(diag.Invalid, "horizons", "expected at least two with one column of predictions each, got %d and %d", len(horizons), len(p))
	}
	if !slices.IsSortedFunc(horizons, func(a, b float64) int {
		if a < b {
			return -1
		}
		return 1
	}) {
		return Estimate{}, diag.Errorf(diag.Invalid, "horizons", "expected them in ascending order without repeats")
	}
	n := float64(d.N())
	last := len(horizons) - 1
	span := horizons[last] - horizons[0]
	total := 0.0
	inf := make([]float64, d.N())
	for k, h := range horizons {
		if err := checkP(p[k], d.N()); err != nil {
			return Estimate{}, err
		}
		c, err := censoringAt(d, h, opt.Ties)
		if err != nil {
			return Estimate{}, err
		}
		share := (horizons[min(k+1, last)] - horizons[max(k-1, 0)]) / (2 * span)
		g := make([]float64, d.N())
		var s sum
		for i, w := range c.weights(d, h) {
			loss := p[k][i]
			if d.Time[i] <= h && d.Status[i] == Event {
				loss = 1 - loss
			}
			if w != 0 {
				g[i] = w * loss * loss / n
				s.add(g[i])
			}
		}
		direct := make([]float64, d.N())
		for i := range direct {
			direct[i] = g[i] - s.value()/n
		}
		total += share * s.value()
		for i, v := range c.influence(d, h, direct, g) {
			inf[i] += share * v
		}
	}
	e := linear(total, math.Sqrt(sumSquares(inf)), opt.Level, "inverse probability of censoring, trapezoid, influence function")
	e.Lower = math.Max(e.Lower, 0)
	return e, nil
}
