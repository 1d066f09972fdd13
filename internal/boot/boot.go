// Package boot resamples rows and turns replicates into confidence intervals.
//
// [Run] calls a statistic on the rows of each resample; [Plan] says how rows are drawn: plainly,
// within strata, or by cluster, so that all rows of a patient come and go together. Replicate i
// uses the stream's child i, so the number of workers changes nothing. The interval functions
// take the estimate and its replicates and follow R's boot.ci (Davison and Hinkley 1997,
// Bootstrap Methods and their Application, chapter 5).
package boot

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"dolor/diag"
	"dolor/internal/interval"
	"dolor/internal/par"
	"dolor/rng"

	"gonum.org/v1/gonum/stat/distuv"
)

// Plan says how a resample of N rows is drawn. Stratum and Cluster have one number per row or
// are nil. Without clusters rows are drawn with replacement, as many from each stratum as it
// holds; with clusters whole clusters are drawn, as many from each stratum as it holds, the
// stratum of a cluster being that of its first row.
type Plan struct {
	N       int
	Stratum []int
	Cluster []int
}

// Sampler draws resamples of one plan. It is immutable and safe for concurrent use.
type Sampler struct {
	units  [][]int // rows of each unit; nil when every unit is one row
	strata [][]int // units of each stratum
	n      int
}

// NewSampler checks p. Errors are of kind Invalid: wrong lengths.
func NewSampler(p Plan) (*Sampler, error) {
	if p.N < 0 {
		return nil, diag.Errorf(diag.Invalid, "rows", "expected at least 0, got %d", p.N)
	}
	if p.Stratum != nil && len(p.Stratum) != p.N {
		return nil, diag.Errorf(diag.Invalid, "stratum", "expected %d values, got %d", p.N, len(p.Stratum))
	}
	if p.Cluster != nil && len(p.Cluster) != p.N {
		return nil, diag.Errorf(diag.Invalid, "cluster", "expected %d values, got %d", p.N, len(p.Cluster))
	}
	s := &Sampler{n: p.N}
	first := make([]int, 0, p.N) // first row of each unit
	if p.Cluster == nil {
		for i := range p.N {
			first = append(first, i)
		}
	} else {
		at := map[int]int{}
		for i, c := range p.Cluster {
			u, ok := at[c]
			if !ok {
				u = len(s.units)
				at[c] = u
				s.units = append(s.units, nil)
				first = append(first, i)
			}
			s.units[u] = append(s.units[u], i)
		}
	}
	at := map[int]int{}
	for u, i := range first {
		k := 0
		if p.Stratum != nil {
			k = p.Stratum[i]
		}
		g, ok := at[k]
		if !ok {
			g = len(s.strata)
			at[k] = g
			s.strata = append(s.strata, nil)
		}
		s.strata[g] = append(s.strata[g], u)
	}
	return s, nil
}

// Draw appends the rows of one resample to dst.
func (s *Sampler) Draw(r *rand.Rand, dst []int) []int {
	for _, units := range s.strata {
		for range units {
			u := units[r.IntN(len(units))]
			if s.units == nil {
				dst = append(dst, u)
			} else {
				dst = append(dst, s.units[u]...)
			}
		}
	}
	return dst
}

// Run returns the statistic on each of reps resamples. stat is called from several goroutines
// with rows it must not keep; what it cannot estimate it returns as NaN. workers 0 means
// GOMAXPROCS.
func Run(ctx context.Context, p Plan, reps, workers int, stream rng.Stream, stat func(rows []int) float64) ([]float64, error) {
	s, err := NewSampler(p)
	if err != nil {
		return nil, err
	}
	t := make([]float64, max(0, reps))
	err = par.For(ctx, len(t), workers, func(_ context.Context, i int) error {
		t[i] = stat(s.Draw(stream.Child("replicate", i).Rand(), make([]int, 0, p.N)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Defined returns the replicates that are numbers, and how many are not.
func Defined(t []float64) (kept []float64, lost int) {
	kept = make([]float64, 0, len(t))
	for _, v := range t {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			kept = append(kept, v)
		}
	}
	return kept, len(t) - len(kept)
}

// Moments returns mean(t) - t0 and the standard deviation of t (n-1).
func Moments(t0 float64, t []float64) (bias, se float64) {
	n := float64(len(t))
	sum := 0.0
	for _, v := range t {
		sum += v
	}
	mean, ss := sum/n, 0.0
	for _, v := range t {
		ss += (v - mean) * (v - mean)
	}
	return mean - t0, math.Sqrt(ss / (n - 1))
}

// Normal returns the bias-corrected normal interval, t0 - bias -+ z se.
func Normal(t0 float64, t []float64, level float64) (lower, upper float64) {
	bias, se := Moments(t0, t)
	h := interval.Z(level) * se
	return t0 - bias - h, t0 - bias + h
}

// Percentile returns the percentile interval, with ranks (R+1)a interpolated on the normal
// scale.
func Percentile(t []float64, level float64) (lower, upper float64) {
	s := slices.Sorted(slices.Values(t))
	a := (1 - level) / 2
	return order(s, a), order(s, 1-a)
}

// Basic returns the basic interval, twice t0 less the percentile limits.
func Basic(t0 float64, t []float64, level float64) (lower, upper float64) {
	l, u := Percentile(t, level)
	return 2*t0 - u, 2*t0 - l
}

// Studentised returns t0 - z* se0 at the quantiles of z* = (t - t0)/se, where se holds the
// standard error within each replicate and se0 that of t0.
func Studentised(t0, se0 float64, t, se []float64, level float64) (lower, upper float64) {
	z := make([]float64, 0, len(t))
	for i := range min(len(t), len(se)) {
		if v := (t[i] - t0) / se[i]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			z = append(z, v)
		}
	}
	l, u := Percentile(z, level)
	return t0 - u*se0, t0 - l*se0
}

// BCa returns the bias-corrected and accelerated interval (Efron 1987,
// doi:10.1080/01621459.1987.10478410) with z0 from the share of replicates strictly below t0
// and the acceleration given (see [Acceleration]). It is NaN when every replicate lies on one
// side of t0.
func BCa(t0 float64, t []float64, acceleration, level float64) (lower, upper float64) {
	s := slices.Sorted(slices.Values(t))
	z0 := Bias(t0, t, false)
	if math.IsInf(z0, 0) || math.IsNaN(z0+acceleration) {
		return math.NaN(), math.NaN()
	}
	l, u := Adjusted(z0, acceleration, level)
	return order(s, l), order(s, u)
}

// Adjusted returns the two tail areas at which BCa reads the replicates.
func Adjusted(z0, acceleration, level float64) (lower, upper float64) {
	f := func(q float64) float64 {
		w := z0 + distuv.UnitNormal.Quantile(q)
		return distuv.UnitNormal.CDF(z0 + w/(1-acceleration*w))
	}
	a := (1 - level) / 2
	return f(a), f(1 - a)
}

// Bias returns z0, the normal quantile of the share of replicates below t0; with half, ties
// count one half.
func Bias(t0 float64, t []float64, half bool) float64 {
	n := 0.0
	for _, v := range t {
		switch {
		case v < t0:
			n++
		case v == t0 && half:
			n += 0.5
		}
	}
	switch q := n / float64(len(t)); q {
	case 0:
		return math.Inf(-1)
	case 1:
		return math.Inf(1)
	default:
		return distuv.UnitNormal.Quantile(q)
	}
}

// Jackknife returns the statistic without each of n units in turn.
func Jackknife(ctx context.Context, n, workers int, without func(i int) float64) ([]float64, error) {
	out := make([]float64, n)
	err := par.For(ctx, n, workers, func(_ context.Context, i int) error {
		out[i] = without(i)
		return nil
	})
	return out, err
}

// JackknifeInfluence returns (n-1)(t0 - t_(-i)).
func JackknifeInfluence(t0 float64, without []float64) []float64 {
	l := make([]float64, len(without))
	for i, v := range without {
		l[i] = float64(len(without)-1) * (t0 - v)
	}
	return l
}

// Acceleration returns sum L^3 / (6 (sum L^2)^1.5) of the influence values L; 0 when all are 0.
func Acceleration(influence []float64) float64 {
	s2, s3 := 0.0, 0.0
	for _, l := range influence {
		s2 += l * l
		s3 += l * l * l
	}
	if s2 == 0 {
		return 0
	}
	return s3 / (6 * math.Pow(s2, 1.5))
}

// order reads the sorted replicates at rank (R+1)q, interpolating between order statistics on
// the normal-quantile scale (Davison and Hinkley, equation 5.8); ranks beyond the ends give the
// ends.
func order(s []float64, q float64) float64 {
	n := len(s)
	if n == 0 || math.IsNaN(q) {
		return math.NaN()
	}
	rank := float64(n+1) * q
	k := int(rank)
	switch {
	case k <= 0:
		return s[0]
	case k >= n:
		return s[n-1]
	case float64(k) == rank:
		return s[k-1]
	}
	z := distuv.UnitNormal.Quantile
	lo := z(float64(k) / float64(n+1))
	hi := z(float64(k+1) / float64(n+1))
	return s[k-1] + (z(q)-lo)/(hi-lo)*(s[k]-s[k-1])
}
