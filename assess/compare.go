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

// notes says what the intervals of this study cover, from the simulations in docs/coverage.md.
func notes(in *Input, r *Results) []string {
	has := make(map[string]bool)
	for _, x := range r.Rows {
		has[x.Validation] = true
	}
	var out []string
	if has[Internal] {
		out = append(out,
			"Intervals of nested cross-validation are for the value of the model refitted on all patients. In simulations of logistic regression "+
				"(n 200 with 20 % events, n 640 with 38.6 %) those of AUC, Brier score, O/E, calibration intercept, slope and net benefit were compatible with 93 to 97 % coverage.",
			"For the mean over training sets of this size no interval tried holds for O/E, calibration intercept and slope: those shown are too wide for it.",
			"Not covered by those simulations: smooth calibration errors, average precision, subgroups, tuning and selection inside the folds, and differences between families, whose intervals leave out that other training patients would give other models.")
	}
	if has[Temporal] || has[External] || has[SiteOut] {
		out = append(out, "Intervals on held-out periods, sites and files take the model as fixed and cover its value on further patients of the same kind; for net benefit at thresholds where hardly anybody is treated they are too wide.")
	}
	if has[Pooled] {
		out = append(out, "The interval of a pooled number is for the mean over hospitals; the prediction interval says where a new hospital may lie.")
	}
	if in.Horizon > 0 {
		out = append(out, "Intervals of a censored outcome come from resampling patients; their coverage was not simulated.")
	}
	return out
}
