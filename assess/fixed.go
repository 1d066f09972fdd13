package assess

import (
	"context"
	"math"
	"slices"
	"strconv"

	"dolor/diag"
	"dolor/metric"
	"dolor/rng"
)

// FixedOptions of [Fixed]. Thresholds may be empty; Level is of the intervals.
type FixedOptions struct {
	Thresholds []float64
	Level      float64
	Stream     rng.Stream
	Workers    int      // 0: the cores; changes no number
	Only       []string // metrics wanted; nil: all
}

// wants reports whether one of names is asked for.
func (o *FixedOptions) wants(names ...string) bool {
	return o.Only == nil || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(o.Only, n) })
}

// Metrics lists the names that [Fixed] knows, in its order.
func Metrics() []string {
	return []string{
		"auc", "average_precision", "brier", "scaled_brier", "log_loss", "oe_ratio", "calibration_intercept",
		"calibration_slope", "ici", "e50", "e90", "emax", "net_benefit", "net_benefit_treat_all", "net_benefit_vs_treat_all",
		"sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1", "mcc",
	}
}

// Fixed gives every metric of one column of probabilities that nothing here was fitted to
// (an external validation, a held-out set, the metrics command), in the order of the
// machine-readable contract; threshold metrics follow for each threshold. Intervals:
// AUC by DeLong on the logit scale, Brier and log loss by the standard error of the mean, O/E
// log-normal, recalibration by Wald, smooth calibration errors by the bias-corrected bootstrap
// of rows, shares by Wilson, net benefit from Wilson limits.
func Fixed(ctx context.Context, d metric.Data, o *FixedOptions) ([]metric.Estimate, []diag.Warning, error) {
	if err := d.Check(); err != nil {
		return nil, nil, err
	}
	var out []metric.Estimate
	var faults diag.List
	if o.wants("auc", "average_precision") {
		sorted, err := metric.NewSorted(d)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, sorted.AUC(o.Level), sorted.AveragePrecision(o.Level))
	}
	for _, m := range []struct {
		name string
		f    func(metric.Data, float64) (metric.Estimate, error)
	}{
		{"brier", metric.Brier},
		{"scaled_brier", metric.ScaledBrier},
		{"log_loss", metric.LogLoss},
		{"oe_ratio", metric.OERatio},
		{"calibration_intercept", metric.CalibrationIntercept},
		{"calibration_slope", metric.CalibrationSlope},
	} {
		if o.wants(m.name) {
			e, err := m.f(d, o.Level)
			faults.AddErr(err)
			out = append(out, e)
		}
	}
	var warnings []diag.Warning
	if o.wants("ici", "e50", "e90", "emax") {
		smooth, err := metric.ICI(ctx, d, o.Level, o.Stream, &metric.ICIOptions{Replicates: replicates, Workers: o.Workers})
		faults.AddErr(err)
		out = append(out, smooth.ICI, smooth.E50, smooth.E90, smooth.Emax)
		warnings = smooth.Warnings
	}
	points, err := metric.DecisionCurve(d, o.Thresholds, o.Level, nil)
	faults.AddErr(err)
	if err := faults.Err(); err != nil {
		return nil, nil, err
	}
	for _, p := range points {
		for _, e := range append(decisionEstimates(p), tableEstimates(p.Table, o.Level)...) {
			e.Threshold = p.Threshold
			out = append(out, e)
		}
	}
	return slices.DeleteFunc(out, func(e metric.Estimate) bool { return !o.wants(e.Name) }), warnings, nil
}

// decisionEstimates are the net benefit, that of treating everybody, and their difference.
func decisionEstimates(p metric.DecisionPoint) []metric.Estimate {
	p.VersusAll.Name = "net_benefit_vs_treat_all"
	return []metric.Estimate{p.NetBenefit, p.TreatAll, p.VersusAll}
}

// tableEstimates are the threshold metrics of the contract.
func tableEstimates(t metric.Table, level float64) []metric.Estimate {
	return []metric.Estimate{
		t.Sensitivity(level), t.Specificity(level), t.PPV(level), t.NPV(level), t.Accuracy(level),
		t.BalancedAccuracy(level), t.F1(level), t.MCC(level),
	}
}

// smoothCalibration returns ICI, E50, E90 and Emax of d without interval; NaN with the reason
// in method. quick evaluates loess at R's vertices instead of every probability.
func smoothCalibration(ctx context.Context, d metric.Data, level float64, quick bool) (v [4]float64, method string, err error) {
	o := &metric.ICIOptions{Replicates: -1}
	if quick && d.N() <= 5000 {
		o.Smooth.Method = metric.LoessInterpolate
	}
	e, err := metric.ICI(ctx, d, level, rng.Stream{}, o)
	if err != nil {
		return v, "", err
	}
	method = e.Smoother
	if math.IsNaN(e.ICI.Value) {
		method = e.ICI.Method
	}
	return [4]float64{e.ICI.Value, e.E50.Value, e.E90.Value, e.Emax.Value}, method, nil
}

func itoa(n int) string { return strconv.Itoa(n) }

// Number writes a number as short as it can be read back.
func Number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
