package metric

import (
	"context"
	"fmt"
	"math"

	"dolor/diag"
	"dolor/internal/par"
	"dolor/rng"
)

// CalibrationErrorIntervals returns ece, mce and rmsce of [CalibrationErrorBinned] with
// bias-corrected bootstrap percentile intervals over resampled rows; groups are cut anew in
// each resample, replicate r drawing from stream.Child("calibration error", r). reps 0 means
// 200, workers 0 all processors. Kinds Invalid, Usage, Canceled.
func CalibrationErrorIntervals(ctx context.Context, d Data, how Binning, k int, level float64, stream rng.Stream, reps, workers int) ([]Estimate, error) {
	if _, err := CalibrationGroups(d, how, k, level); err != nil {
		return nil, err
	}
	return bootstrapped(ctx, d, []string{"ece", "mce", "rmsce"}, fmt.Sprintf("%s, %d bins", how, k), level, stream.Child("calibration error"), reps, workers, func(d Data) []float64 {
		e, err := CalibrationErrorBinned(d, how, k)
		if err != nil {
			return nil
		}
		return []float64{e.ECE, e.MCE, e.RMSCE}
	})
}

// RSquaredIntervals returns cox_snell, nagelkerke and mcfadden of [RSquared] with
// bias-corrected bootstrap percentile intervals, as [CalibrationErrorIntervals] does.
func RSquaredIntervals(ctx context.Context, d Data, level float64, stream rng.Stream, reps, workers int) ([]Estimate, error) {
	if err := checkCal(d, level); err != nil {
		return nil, err
	}
	return bootstrapped(ctx, d, []string{"cox_snell", "nagelkerke", "mcfadden"}, "of the probabilities as they are", level, stream.Child("r2"), reps, workers, func(d Data) []float64 {
		r, err := RSquared(d)
		if err != nil {
			return nil
		}
		return []float64{r.CoxSnell, r.Nagelkerke, r.McFadden}
	})
}

// bootstrapped runs stat on resampled rows. Resamples with an undefined number are left out;
// more than a tenth of them makes the interval NaN.
func bootstrapped(ctx context.Context, d Data, names []string, what string, level float64, stream rng.Stream, reps, workers int, stat func(Data) []float64) ([]Estimate, error) {
	if reps <= 0 {
		reps = 200
	}
	n := d.N()
	slots := make([][]float64, reps)
	err := par.For(ctx, reps, workers, func(_ context.Context, r int) error {
		gen := stream.Child("resample", r).Rand()
		rows := make([]int, n)
		for i := range rows {
			rows[i] = gen.IntN(n)
		}
		slots[r] = stat(d.Take(rows))
		return nil
	})
	if err != nil {
		return nil, &diag.Error{Kind: diag.KindOf(err), Op: "metric.bootstrap", Err: err}
	}
	value := stat(d)
	out := make([]Estimate, len(names))
	for k, name := range names {
		var reached []float64
		for _, s := range slots {
			if s != nil && !math.IsNaN(s[k]) && !math.IsInf(s[k], 0) {
				reached = append(reached, s[k])
			}
		}
		if value == nil || math.IsNaN(value[k]) {
			out[k] = calUndefined(name, level, "no rows or one class")
			continue
		}
		e := Estimate{name, math.NaN(), value[k], math.NaN(), math.NaN(), level, what + "; bias-corrected bootstrap"}
		if len(reached)*10 >= reps*9 {
			e.Lower, e.Upper = biasCorrected(reached, value[k], level)
			e.Method += fmt.Sprintf(", %d of %d resamples", len(reached), reps)
		} else {
			e.Method += " not estimable: undefined in more than a tenth of the resamples"
		}
		out[k] = e
	}
	return out, nil
}
