package assess

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"dolor/diag"
)

// compare gives the paired differences b - a on the same patients: AUC, Brier score, and
// net benefit at every threshold, by the influence curve of the difference.
func compare(in *Input, j job, a, b *stack) []Comparison {
	if a.rows() == 0 || a.rows() != b.rows() || a.time != nil || len(a.repeats) != len(b.repeats) {
		return nil
	}
	var out []Comparison
	add := func(name string, t float64, f statistic) {
		fa, fb := over(a, f), over(b, f)
		if math.IsNaN(fa.value) || math.IsNaN(fb.value) {
			return
		}
		d := influence{value: fb.value - fa.value, ic: make([]float64, len(fa.ic))}
		for i := range d.ic {
			d.ic[i] = fb.ic[i] - fa.ic[i]
		}
		v := b.variance(d)
		lo, hi := interval(d.value, v, in.Level, identity)
		c := Comparison{
			Metric: name, A: in.Primary, B: j.family, Validation: j.validation, Site: j.site,
			Difference: Num(d.value), Lower: Num(lo), Upper: Num(hi), P: Num(math.NaN()),
			N: b.rows(), Events: b.events(), Method: "paired, influence curve",
		}
		if v > 0 {
			c.P = Num(2 * distuv.UnitNormal.CDF(-math.Abs(d.value)/math.Sqrt(v)))
		}
		if !math.IsNaN(t) {
			x := Num(t)
			c.Threshold = &x
		}
		out = append(out, c)
	}
	add("auc", math.NaN(), aucStatistic)
	add("brier", math.NaN(), meanStatistic(brierLoss))
	for _, t := range in.Thresholds {
		add("net_benefit", t, netBenefitStatistic(t))
	}
	return out
}

// cautions adds the warnings that follow from the numbers themselves.
func cautions(r *Results) {
	add := func(code, msg, first string) {
		r.Warnings = diag.Merge(r.Warnings, diag.Warning{Code: code, Msg: msg, Count: 1, First: first})
	}
	for _, x := range r.Rows {
		if x.Family != r.Primary || x.Subgroup != "" {
			continue
		}
		where := x.Validation
		if x.Site != "" {
			where += ", " + x.Site
		}
		switch {
		case x.Metric == "calibration_slope" && x.Validation != Apparent && float64(x.Upper) < 1:
			add("slope_below_one", "predictions are too extreme: high risks are overestimated and low risks underestimated ("+where+")", where)
		case x.Metric == "net_benefit_vs_treat_all" && x.Validation != Apparent && float64(x.Upper) < 0 && x.Threshold != nil && float64(*x.Threshold) == r.Decision:
			add("worse_than_treat_all", "at the decision threshold the model is worth less than treating everybody ("+where+")", where)
		}
	}
}
