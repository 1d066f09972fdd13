package metric

import (
	"math"

	"dolor/diag"
)

// DecisionPoint holds what a decision rule is worth at one threshold probability t, all as
// shares of patients unless stated, with o = t/(1-t):
//
//	NetBenefit    TP/n - FP/n o                (Vickers and Elkin 2006, doi:10.1177/0272989X06295361)
//	TreatAll      the same when everybody is treated; TreatNone is 0
//	Standardised  NetBenefit over prevalence; StandardisedAll likewise
//	Avoided       100 (NetBenefit - TreatAll)/o, interventions avoided per 100 patients
//	Untreated     TN/n - FN/n / o, net benefit for the untreated (Rousson and Zumbrunn 2011,
//	              doi:10.1186/1472-6947-11-45)
//	VersusAll     NetBenefit - TreatAll
//	VersusBest    NetBenefit - max(TreatAll, 0)
//
// At t = 0 quantities divided by o are NaN; at t = 1 those multiplied by o are.
type DecisionPoint struct {
	Threshold       float64
	Table           Table
	NetBenefit      Estimate
	TreatAll        Estimate
	TreatNone       Estimate
	Standardised    Estimate
	StandardisedAll Estimate
	Avoided         Estimate
	Untreated       Estimate
	VersusAll       Estimate
	VersusBest      Estimate
}

// DecisionOptions changes how a decision curve is made; nil is the zero value.
type DecisionOptions struct {
	// Prevalence is the outcome's share in the population when events and non-events were
	// sampled separately (case-control); 0 means the share in the data.
	Prevalence float64
	// Wald asks for symmetric intervals from the influence function (Marsh, Janes and Pepe 2020,
	// doi:10.1111/biom.13190) instead of the combined Wilson limits of the two shares.
	Wald bool
}

// DecisionCurve returns one point per threshold, in their order. Nothing is sorted but the
// thresholds; the cost is O(n log k).
//
// The default interval of every quantity a p - b q, p and q shares of the same patients, is
// made from the Wilson limits of p and q and their correlation (method of variance estimates
// recovery, Zou and Donner 2008, doi:10.1002/sim.3095; "mover, wilson"): unlike Wald's it has
// width when nobody, or everybody, is positive. Quantities divided by an estimated prevalence
// use the delta method. VersusBest takes the default that is better in the data as given.
// Thresholds must lie in [0, 1], else an error of kind Invalid.
func DecisionCurve(d Data, thresholds []float64, level float64, opts *DecisionOptions) ([]DecisionPoint, error) {
	if opts == nil {
		opts = &DecisionOptions{}
	}
	if err := levelFault(level); err != nil {
		return nil, err
	}
	if !(opts.Prevalence >= 0 && opts.Prevalence < 1) {
		return nil, diag.Errorf(diag.Invalid, "prevalence", "expected a number between 0 and 1, got %g", opts.Prevalence)
	}
	for i, t := range thresholds {
		if !(t >= 0 && t <= 1) {
			return nil, diag.Errorf(diag.Invalid, "threshold", "number %d: expected a number from 0 to 1, got %g", i+1, t)
		}
	}
	tables, err := Confusions(d, thresholds)
	if err != nil {
		return nil, err
	}
	out := make([]DecisionPoint, len(tables))
	for i, t := range tables {
		out[i] = decide(t, level, *opts)
	}
	return out, nil
}

// NetBenefit returns the net benefit at one threshold; see [DecisionPoint] and [DecisionCurve].
func NetBenefit(d Data, threshold, level float64) (Estimate, error) {
	ps, err := DecisionCurve(d, []float64{threshold}, level, nil)
	if err != nil {
		return Estimate{}, err
	}
	return ps[0].NetBenefit, nil
}

// NetBenefitTreatAll returns the net benefit of treating everybody.
func NetBenefitTreatAll(d Data, threshold, level float64) (Estimate, error) {
	ps, err := DecisionCurve(d, []float64{threshold}, level, nil)
	if err != nil {
		return Estimate{}, err
	}
	return ps[0].TreatAll, nil
}

// Decide returns the decision point of a table made elsewhere; t.Threshold must be set.
func (t Table) Decide(level float64, opts *DecisionOptions) DecisionPoint {
	if opts == nil {
		opts = &DecisionOptions{}
	}
	return decide(t, level, *opts)
}

func decide(t Table, level float64, opts DecisionOptions) DecisionPoint {
	m := newMixture(t, opts.Prevalence)
	o := t.Threshold / (1 - t.Threshold)
	inv := (1 - t.Threshold) / t.Threshold
	p := DecisionPoint{Threshold: t.Threshold, Table: t}
	none := Estimate{
		Name: "net_benefit_treat_none", Threshold: t.Threshold, Value: 0, Lower: 0, Upper: 0, Level: level,
		Method: "by definition",
	}
	p.TreatNone = none
	make1 := func(name string, a float64, i int, b float64, j int) Estimate {
		if m.why != "" {
			return undefined(name, t.Threshold, level, m.why)
		}
		if math.IsNaN(a) || math.IsNaN(b) || math.IsInf(a, 0) || math.IsInf(b, 0) {
			return undefined(name, t.Threshold, level, "not estimable: threshold 0 or 1")
		}
		return m.difference(name, a, i, b, j, level, opts.Wald)
	}
	p.NetBenefit = make1("net_benefit", 1, cellTP, o, cellFP)
	p.VersusAll = make1("net_benefit_versus_all", o, cellTN, 1, cellFN)
	p.Avoided = make1("interventions_avoided", 100, cellTN, 100*inv, cellFN)
	p.Untreated = make1("net_benefit_untreated", 1, cellTN, inv, cellFN)
	p.TreatAll = m.treatAll("net_benefit_treat_all", o, level)
	p.Standardised, p.StandardisedAll = m.standardised(o, level)
	if p.TreatAll.Value > 0 {
		p.VersusBest = p.VersusAll
	} else {
		p.VersusBest = p.NetBenefit
	}
	p.VersusBest.Name = "net_benefit_versus_best"
	return p
}

// mixture is a table whose events and non-events may have been sampled apart: cell shares in
// the population and the means of cell scores with their standard errors.
type mixture struct {
	t          Table
	prevalence float64 // given; 0 when the data's own
	p          [4]float64
	why        string // why nothing can be said, or empty
}

func newMixture(t Table, prevalence float64) mixture {
	m := mixture{t: t, prevalence: prevalence}
	c := t.cells()
	n1, n0 := t.TP+t.FN, t.FP+t.TN
	switch {
	case t.Total() == 0:
		m.why = "not estimable: no rows"
		return m
	case prevalence > 0 && (n1 == 0 || n0 == 0):
		m.why = "not estimable: one class"
		return m
	}
	for k := range c {
		switch {
		case prevalence == 0:
			m.p[k] = c[k] / t.Total()
		case k == cellTP || k == cellFN:
			m.p[k] = prevalence * c[k] / n1
		default:
			m.p[k] = (1 - prevalence) * c[k] / n0
		}
	}
	return m
}

// se returns the standard error of the mean of a score per cell.
func (m mixture) se(x [4]float64) float64 {
	if m.prevalence == 0 {
		return m.t.delta(x)
	}
	v := 0.0
	for _, s := range []struct {
		share float64
		cells []int
	}{{m.prevalence, rowsEvent}, {1 - m.prevalence, rowsOther}} {
		c, n, mean, ss := m.t.cells(), 0.0, 0.0, 0.0
		for _, k := range s.cells {
			n += c[k]
			mean += c[k] * x[k]
		}
		mean /= n
		for _, k := range s.cells {
			ss += m.t.sq[k] * (x[k] - mean) * (x[k] - mean)
		}
		v += s.share * s.share * ss / (n * n)
	}
	return math.Sqrt(v)
}

// limits returns the Wilson limits of the share of cell k.
func (m mixture) limits(k int, level float64) (lower, upper float64) {
	if m.prevalence == 0 {
		return m.t.proportion([]int{k}, rowsAll).wilson(level)
	}
	within, scale := rowsEvent, m.prevalence
	if k == cellFP || k == cellTN {
		within, scale = rowsOther, 1-m.prevalence
	}
	l, u := m.t.proportion([]int{k}, within).wilson(level)
	return scale * l, scale * u
}

// difference returns a p_i - b p_j with its interval.
func (m mixture) difference(name string, a float64, i int, b float64, j int, level float64, wald bool) Estimate {
	e := Estimate{Name: name, Threshold: m.t.Threshold, Value: a*m.p[i] - b*m.p[j], Level: level}
	var x [4]float64
	x[i], x[j] = a, -b
	if wald {
		e.Lower, e.Upper = waldLimits(e.Value, m.se(x), level)
		e.Method = "influence, wald"
		return e
	}
	e.Method = "mover, wilson"
	var xi, xj [4]float64
	xi[i], xj[j] = 1, 1
	si, sj := m.se(xi), m.se(xj)
	r := 0.0
	if m.prevalence == 0 && si > 0 && sj > 0 {
		var xs [4]float64
		xs[i], xs[j] = 1, 1
		both := m.se(xs)
		r = min(1, max(-1, (both*both-si*si-sj*sj)/(2*si*sj)))
	}
	li, ui := m.limits(i, level)
	lj, uj := m.limits(j, level)
	di, dj := a*(m.p[i]-li), b*(uj-m.p[j])
	e.Lower = e.Value - math.Sqrt(max(0, di*di+dj*dj-2*r*di*dj))
	di, dj = a*(ui-m.p[i]), b*(m.p[j]-lj)
	e.Upper = e.Value + math.Sqrt(max(0, di*di+dj*dj-2*r*di*dj))
	return e
}

// treatAll returns prevalence - (1-prevalence) o, with Wilson's limits of the prevalence; it is
// known exactly when the prevalence was given.
func (m mixture) treatAll(name string, o, level float64) Estimate {
	if m.why != "" {
		return undefined(name, m.t.Threshold, level, m.why)
	}
	if math.IsInf(o, 0) {
		return undefined(name, m.t.Threshold, level, "not estimable: threshold 0 or 1")
	}
	f := func(p float64) float64 { return p - (1-p)*o }
	e := Estimate{Name: name, Threshold: m.t.Threshold, Level: level}
	if m.prevalence > 0 {
		e.Value = f(m.prevalence)
		e.Lower, e.Upper, e.Method = e.Value, e.Value, "exact: prevalence given"
		return e
	}
	prev := m.t.Prevalence(level)
	e.Value, e.Lower, e.Upper, e.Method = f(prev.Value), f(prev.Lower), f(prev.Upper), prev.Method
	return e
}

// standardised returns net benefit over prevalence, for the rule and for treating all.
func (m mixture) standardised(o, level float64) (rule, all Estimate) {
	const a, b = "net_benefit_standardised", "net_benefit_treat_all_standardised"
	prev := m.p[cellTP] + m.p[cellFN]
	why := m.why
	switch {
	case why != "":
	case math.IsInf(o, 0):
		why = "not estimable: threshold 0 or 1"
	case prev == 0:
		why = "not estimable: no events"
	}
	if why != "" {
		return undefined(a, m.t.Threshold, level, why), undefined(b, m.t.Threshold, level, why)
	}
	make1 := func(name string, x [4]float64) Estimate {
		v := 0.0
		for k := range x {
			v += x[k] * m.p[k]
		}
		v /= prev
		for k := range x {
			if m.prevalence == 0 && (k == cellTP || k == cellFN) {
				x[k] -= v
			}
			x[k] /= prev
		}
		e := Estimate{Name: name, Threshold: m.t.Threshold, Value: v, Level: level, Method: "influence, wald"}
		e.Lower, e.Upper = waldLimits(v, m.se(x), level)
		return e
	}
	rule = make1(a, [4]float64{cellTP: 1, cellFP: -o})
	all = make1(b, [4]float64{cellTP: 1, cellFN: 1, cellFP: -o, cellTN: -o})
	return rule, all
}
