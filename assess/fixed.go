package assess

import (
	"context"
	"math"
	"strconv"

	"dolor/diag"
	"dolor/metric"
	"dolor/rng"
)

// Fixed gives every metric of one column of probabilities that nothing here was fitted to
// (an external validation, a held-out set, the metrics command), at level, in the order of
// the machine-readable contract; threshold metrics follow for each threshold. Intervals:
// AUC by DeLong on the logit scale, Brier and log loss by the standard error of the mean, O/E
// log-normal, recalibration by Wald, smooth calibration errors by the percentile bootstrap of
// rows from stream, shares by Wilson, net benefit from Wilson limits.
func Fixed(ctx context.Context, d metric.Data, thresholds []float64, level float64, stream rng.Stream, workers int) ([]metric.Estimate, []diag.Warning, error) {
	if err := d.Check(); err != nil {
		return nil, nil, err
	}
	var out []metric.Estimate
	var faults diag.List
	add := func(e metric.Estimate, err error) {
		faults.AddErr(err)
		out = append(out, e)
	}
	sorted, err := metric.NewSorted(d)
	if err != nil {
		return nil, nil, err
	}
	out = append(out, sorted.AUC(level), sorted.AveragePrecision(level))
	add(metric.Brier(d, level))
	add(metric.ScaledBrier(d, level))
	add(metric.LogLoss(d, level))
	add(metric.OERatio(d, level))
	add(metric.CalibrationIntercept(d, level))
	add(metric.CalibrationSlope(d, level))
	smooth, err := metric.ICI(ctx, d, level, stream, &metric.ICIOptions{Replicates: replicates, Workers: workers})
	faults.AddErr(err)
	out = append(out, smooth.ICI, smooth.E50, smooth.E90, smooth.Emax)
	points, err := metric.DecisionCurve(d, thresholds, level, nil)
	faults.AddErr(err)
	if err := faults.Err(); err != nil {
		return nil, nil, err
	}
	for _, p := range points {
		p.VersusAll.Name = "net_benefit_vs_treat_all"
		for _, e := range append([]metric.Estimate{p.NetBenefit, p.TreatAll, p.VersusAll}, tableEstimates(p.Table, level)...) {
			e.Threshold = p.Threshold
			out = append(out, e)
		}
	}
	return out, smooth.Warnings, nil
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
