package evaluate

import (
	"context"
	"math"

	"dolor/metric"
)

// Optimism is what one bootstrap replicate showed of one family: the whole recipe learnt
// from a resample of patients, judged on that resample and on the original rows (Harrell,
// Lee and Mark 1996, doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4).
type Optimism struct {
	Family    string         `json:"family"`
	Replicate int            `json:"replicate"`
	Stats     []OptimismStat `json:"stats"`
}

// OptimismStat is one metric on the resample and on the original rows; null when undefined.
type OptimismStat struct {
	Metric    string   `json:"metric"`
	Threshold *float64 `json:"threshold,omitempty"`
	Resample  *float64 `json:"resample"`
	Original  *float64 `json:"original"`
}

func optimismOf(ctx context.Context, f *Fitted, boot, original *Data, thresholds []float64) ([]OptimismStat, error) {
	a, err := statsOf(ctx, f, boot, thresholds)
	if err != nil {
		return nil, err
	}
	b, err := statsOf(ctx, f, original, thresholds)
	if err != nil {
		return nil, err
	}
	for i := range a {
		a[i].Original = b[i].Resample
	}
	return a, nil
}

// statsOf fills Metric, Threshold and Resample.
func statsOf(ctx context.Context, f *Fitted, d *Data, thresholds []float64) ([]OptimismStat, error) {
	p, _, err := f.Predict(ctx, d.X)
	if err != nil {
		return nil, err
	}
	md := metric.Data{Y: d.Y, P: p, W: d.Weight}
	if d.Timed() {
		if md.W, err = censoringWeights(d, d); err != nil {
			return nil, err
		}
	}
	var out []OptimismStat
	add := func(e metric.Estimate, err error) {
		s := OptimismStat{Metric: e.Name}
		if !math.IsNaN(e.Threshold) {
			s.Threshold = &e.Threshold
		}
		if err == nil && !math.IsNaN(e.Value) && !math.IsInf(e.Value, 0) {
			s.Resample = &e.Value
		}
		out = append(out, s)
	}
	const level = 0.95
	add(metric.AUC(md, level))
	add(metric.Brier(md, level))
	add(metric.ScaledBrier(md, level))
	add(metric.LogLoss(md, level))
	add(metric.OERatio(md, level))
	add(metric.CalibrationIntercept(md, level))
	add(metric.CalibrationSlope(md, level))
	for _, t := range thresholds {
		add(metric.NetBenefit(md, t, level))
	}
	return out, nil
}
