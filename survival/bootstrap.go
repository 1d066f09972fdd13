package survival

import (
	"context"
	"fmt"
	"math"
	"slices"

	"dolor/diag"
	"dolor/internal/par"
	"dolor/rng"
)

// BootstrapOptions of [Bootstrap]; zero fields mean level 0.95, 1,000 resamples and as many
// workers as cores.
type BootstrapOptions struct {
	Level     float64
	Resamples int
	Workers   int
	Stream    rng.Stream // resample k draws from Child("bootstrap", k)
}

// Bootstrap gives percentile intervals of the statistics of whole patients drawn with
// replacement, for numbers without an influence function (ICI, E50, E90, differences of C). statistic
// receives the rows drawn, in an order that does not matter, and returns the same number of values each
// time. Resamples in which it fails or is NaN are left out; Method tells how many remain. A statistic with fewer than nine
// in ten left has no interval. Efron 1981, JASA 76:312. The result does not depend on the number of workers.
func Bootstrap(ctx context.Context, n int, statistic func(rows []int) ([]float64, error), o *BootstrapOptions) ([]Estimate, error) {
	var opt BootstrapOptions
	if o != nil {
		opt = *o
	}
	level, err := levelOr(opt.Level)
	if err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, diag.Errorf(diag.Invalid, "n", "expected at least one patient, got %d", n)
	}
	if opt.Resamples == 0 {
		opt.Resamples = 1000
	}
	if opt.Resamples < 2 {
		return nil, diag.Errorf(diag.Invalid, "resamples", "expected at least 2, got %d", opt.Resamples)
	}
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	point, err := statistic(rows)
	if err != nil {
		return nil, err
	}
	draws := make([][]float64, opt.Resamples)
	err = par.For(ctx, opt.Resamples, opt.Workers, func(_ context.Context, k int) error {
		r := opt.Stream.Child("bootstrap", k).Rand()
		take := make([]int, n)
		for i := range take {
			take[i] = r.IntN(n)
		}
		if v, err := statistic(take); err == nil && len(v) == len(point) {
			draws[k] = v
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Estimate, len(point))
	for j, v := range point {
		var kept []float64
		for _, d := range draws {
			if d != nil && !math.IsNaN(d[j]) {
				kept = append(kept, d[j])
			}
		}
		out[j] = percentile(v, kept, opt.Resamples, level)
	}
	return out, nil
}

func percentile(value float64, kept []float64, asked int, level float64) Estimate {
	method := fmt.Sprintf("bootstrap, percentile, %d of %d resamples", len(kept), asked)
	if 10*len(kept) < 9*asked || len(kept) < 2 {
		nan := math.NaN()
		return Estimate{value, nan, nan, nan, level, method + ": no interval"}
	}
	mean := meanOf(kept)
	var ss sum
	for _, x := range kept {
		ss.add((x - mean) * (x - mean))
	}
	slices.Sort(kept)
	return Estimate{
		value, math.Sqrt(ss.value() / float64(len(kept)-1)),
		quantile7(kept, (1-level)/2), quantile7(kept, (1+level)/2), level, method,
	}
}
