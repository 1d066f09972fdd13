package survival

import (
	"math"

	"dolor/diag"
)

// NetBenefitPoint is one threshold of a decision curve for a risk at a horizon. The
// estimates are per patient; a patient is positive iff p >= Threshold.
type NetBenefitPoint struct {
	Threshold     float64
	Positives     int
	Risk          float64 // of the event by the horizon among the positives; NaN without any
	Followed      bool    // false: nobody positive was followed to the horizon; the curve is carried forward
	NetBenefit    Estimate
	TreatAll      Estimate
	Standardised  float64 // net benefit over the overall risk; NaN where that is 0
	AvoidedPer100 float64 // interventions avoided against treating everybody
	OverTreatAll  float64 // net benefit minus that of treating everybody
}

// NetBenefit computes the decision curve of predicted risks p of Event by the horizon:
// NB = F P - (1-F) P t/(1-t), P the share positive and F the risk among them by Kaplan-Meier,
// or by Aalen-Johansen where there are competing events. Vickers, Cronin, Elkin and Gonen 2008, BMC
// Med Inform Decis Mak 8:53, doi:10.1186/1472-6947-8-53. The standard error takes P as
// binomial and F, given who is positive, with its own variance (the two are uncorrelated):
// (F(1+o)-o)^2 P(1-P)/n + P^2 (1+o)^2 var F, o = t/(1-t). Without positives the net benefit is 0. Set
// censorCompeting to treat competing events as censoring. Kind Invalid for malformed input.
func NetBenefit(d Data, p []float64, horizon float64, thresholds []float64, censorCompeting bool, level float64) ([]NetBenefitPoint, error) {
	level, err := levelOr(level)
	if err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	if err := checkP(p, d.N()); err != nil {
		return nil, err
	}
	if err := checkHorizon(horizon); err != nil {
		return nil, err
	}
	for _, t := range thresholds {
		if !(t > 0 && t < 1) {
			return nil, diag.Errorf(diag.Invalid, "threshold", "expected a number between 0 and 1, got %g", t)
		}
	}
	if censorCompeting {
		d = d.only(Event)
	}
	overall, overallSE, _ := riskAt(d, horizon)
	out := make([]NetBenefitPoint, 0, len(thresholds))
	rows := make([]int, 0, d.N())
	for _, t := range thresholds {
		rows = rows[:0]
		for i, v := range p {
			if v >= t {
				rows = append(rows, i)
			}
		}
		pt := NetBenefitPoint{Threshold: t, Positives: len(rows), Risk: math.NaN(), Followed: true}
		o := t / (1 - t)
		pt.TreatAll = netBenefit(overall, overallSE, 1, o, float64(d.N()), level)
		if len(rows) == 0 {
			pt.NetBenefit = Estimate{0, 0, 0, 0, level, "nobody positive"}
		} else {
			var se float64
			pt.Risk, se, pt.Followed = riskAt(d.Take(rows), horizon)
			pt.NetBenefit = netBenefit(pt.Risk, se, float64(len(rows))/float64(d.N()), o, float64(d.N()), level)
		}
		pt.Standardised = math.NaN()
		if overall > 0 {
			pt.Standardised = pt.NetBenefit.Value / overall
		}
		pt.OverTreatAll = pt.NetBenefit.Value - pt.TreatAll.Value
		pt.AvoidedPer100 = 100 * pt.OverTreatAll / o
		out = append(out, pt)
	}
	return out, nil
}

func netBenefit(f, se, share, odds, n, level float64) Estimate {
	value := f*share - (1-f)*share*odds
	a := f*(1+odds) - odds
	b := share * (1 + odds) * se
	return linear(value, math.Sqrt(a*a*share*(1-share)/n+b*b), level, "vickers, delta method")
}

// riskAt returns the cumulative incidence of Event by the horizon, its standard error, and
// whether it is known there.
func riskAt(d Data, horizon float64) (f, se float64, followed bool) {
	c := aalenJohansen(newTable(d))
	k := upTo(c.Time, horizon) - 1
	if k < 0 {
		return 0, 0, c.Followed(horizon)
	}
	return c.F1[k], math.Sqrt(c.variance(Event, k, Delta)), c.Followed(horizon)
}
