package metric

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"dolor/diag"
	"dolor/internal/par"
	"dolor/internal/smooth"
	"dolor/rng"

	"gonum.org/v1/gonum/stat/distuv"
)

// SmoothError is the distance between the probabilities and a smooth calibration curve.
type SmoothError struct {
	ICI, E50, E90, Emax Estimate // mean, median, 90% quantile (type 7), largest |p - curve|
	MSE                 float64  // mean square
	Smoother            string
	Warnings            []diag.Warning
}

// ICIOptions of [ICI]; nil means the defaults.
type ICIOptions struct {
	Smooth     SmoothOptions
	Clip       bool // cut the curve to [0, 1] first; R's loess does not
	Replicates int  // bootstrap resamples; 0 means 200, negative none
	Workers    int  // 0 means all processors; never changes a number
}

// ICI returns the integrated calibration index and its kin E50, E90 and Emax: Austin and
// Steyerberg, "The Integrated Calibration Index (ICI) and related metrics", Statistics in
// Medicine 2019;38:4051-4065, doi:10.1002/sim.8281. The default curve is exact loess (span 0.75,
// degree 2) up to 5,000 rows and a 5-knot spline of logit p above; Method names it. The
// interval is the bias-corrected bootstrap percentile one (Efron 1981) over resampled rows,
// replicate r drawing from stream.Child("ici", r); above 1,000 distinct probabilities
// loess replicates use R's interpolated surface and spline replicates 1,000 merged points, and
// Method says so. Constant or too few distinct probabilities give NaN with the reason, never
// 0. Weight 2 equals the row twice in the estimates. Kinds Invalid, Usage, Canceled.
func ICI(ctx context.Context, d Data, level float64, stream rng.Stream, opts *ICIOptions) (SmoothError, error) {
	if err := checkCal(d, level); err != nil {
		return SmoothError{}, err
	}
	var o ICIOptions
	if opts != nil {
		o = *opts
	}
	so, err := o.Smooth.resolve(d.N())
	if err != nil {
		return SmoothError{}, err
	}
	if o.Replicates == 0 {
		o.Replicates = 200
	}
	in := newSmoothInput(d)
	names := [4]string{"ici", "e50", "e90", "emax"}
	c, err := fitCurve(in.points(d.W), nil, so)
	if err != nil {
		var e [4]Estimate
		for k, n := range names {
			e[k] = calUndefined(n, level, err.Error())
		}
		return SmoothError{e[0], e[1], e[2], e[3], math.NaN(), "none", nil}, nil
	}
	v := c.errors(o.Clip)
	out := SmoothError{MSE: v[4], Smoother: c.name, Warnings: c.warn}
	var reps [][]float64
	method := c.name + "; no interval"
	if o.Replicates > 0 {
		var failed int
		var note string
		reps, failed, note, err = in.bootstrap(ctx, d.W, so, o.Replicates, o.Workers, stream.Child("ici"), func(c curve) []float64 {
			e := c.errors(o.Clip)
			return e[:4]
		})
		if err != nil {
			return SmoothError{}, err
		}
		out.Warnings = append(out.Warnings, failedWarning(failed)...)
		method = fmt.Sprintf("%s; bias-corrected bootstrap, %d resamples%s", c.name, o.Replicates, note)
		if failed*10 > o.Replicates {
			reps = nil
			method = c.name + "; interval not estimable: more than a tenth of the resamples had too few distinct probabilities"
		}
	}
	for k, e := range []*Estimate{&out.ICI, &out.E50, &out.E90, &out.Emax} {
		*e = Estimate{names[k], math.NaN(), v[k], math.NaN(), math.NaN(), level, method}
		if len(reps) > 0 {
			e.Lower, e.Upper = biasCorrected(column(reps, k), v[k], level)
		}
	}
	return out, nil
}

// errors returns ici, e50, e90, emax and mse of the curve.
func (c curve) errors(clip bool) (v [5]float64) {
	e := make([]float64, len(c.fit))
	var sum, sq kahan
	var total float64
	for i, f := range c.fit {
		if clip {
			f = math.Min(math.Max(f, 0), 1)
		}
		e[i] = math.Abs(c.pts.X[i] - f)
		n := c.pts.N[i]
		total += n
		sum.add(n * e[i])
		sq.add(n * e[i] * e[i])
		v[3] = math.Max(v[3], e[i])
	}
	q := smooth.NewQuantiles(e, c.pts.N)
	v[0], v[1], v[2], v[4] = sum.sum()/total, q.At(0.5), q.At(0.9), sq.sum()/total
	return v
}

// smoothInput is the rows in an order that every resample reuses.
type smoothInput struct {
	p, y []float64
	ord  []int
}

func newSmoothInput(d Data) *smoothInput {
	in := &smoothInput{p: d.P, y: make([]float64, len(d.Y)), ord: smooth.Order(d.P)}
	for i, y := range d.Y {
		in.y[i] = b2f(y)
	}
	return in
}

func (in *smoothInput) points(w []float64) smooth.Points {
	return smooth.CollapseSorted(in.p, in.y, w, in.ord)
}

// squares returns the sum of squared weights at each point of points(w); nil when unweighted.
func (in *smoothInput) squares(w []float64) []float64 {
	if w == nil {
		return nil
	}
	sq := make([]float64, len(w))
	for i, v := range w {
		sq[i] = v * v
	}
	// Points of weight 0 drop out of both alike.
	return smooth.CollapseSorted(in.p, in.y, sq, in.ord).N
}

// mergeRows is the number of distinct probabilities above which replicates are approximated.
const mergeRows = 1000

// bootstrap refits the curve on resampled rows. Failed replicates are left out and counted;
// note says how replicates depart from the fit itself.
func (in *smoothInput) bootstrap(ctx context.Context, w []float64, o SmoothOptions, reps, workers int, stream rng.Stream, stat func(curve) []float64) (out [][]float64, failed int, note string, err error) {
	n := len(in.p)
	src := in
	if distinct := len(in.points(w).X); distinct > mergeRows {
		switch o.Method {
		case Loess:
			o.Method, note = LoessInterpolate, " on the interpolated surface"
		case RCS:
			src, note = in.merged(), fmt.Sprintf(" on %d merged points", mergeRows)
		default: // the other smoothers are refitted as they are
		}
	}
	// Resampling rows and merging them to fixed points is drawing the counts of the cells
	// (point, outcome) from a multinomial, which costs the cells instead of the rows.
	var cells []float64
	if src != in && w == nil {
		src, cells = src.cells()
	}
	slots := make([][]float64, reps)
	err = par.For(ctx, reps, workers, func(_ context.Context, r int) error {
		gen := stream.Child("resample", r).Rand()
		var counts []float64
		if cells != nil {
			counts = multinomial(cells, n, gen)
		} else {
			counts = make([]float64, n)
			for range n {
				counts[gen.IntN(n)]++
			}
		}
		for i, v := range w {
			counts[i] *= v
		}
		c, err := fitCurve(src.points(counts), nil, o)
		if err != nil {
			return nil //nolint:nilerr // a resample that cannot be smoothed is counted, not fatal
		}
		slots[r] = stat(c)
		return nil
	})
	if err != nil {
		return nil, 0, "", &diag.Error{Kind: diag.KindOf(err), Op: "metric.bootstrap", Err: err}
	}
	for _, s := range slots {
		if s != nil {
			out = append(out, s)
		} else {
			failed++
		}
	}
	return out, failed, note, nil
}

// merged replaces p by its mean within mergeRows runs of equally many sorted rows.
func (in *smoothInput) merged() *smoothInput {
	m := &smoothInput{p: make([]float64, len(in.p)), y: in.y, ord: in.ord}
	n := len(in.ord)
	for c := range mergeRows {
		run := in.ord[c*n/mergeRows : (c+1)*n/mergeRows]
		var s float64
		for _, i := range run {
			s += in.p[i]
		}
		for _, i := range run {
			m.p[i] = s / float64(len(run))
		}
	}
	return m
}

// cells gathers merged rows into at most two for each point, one an outcome, with the number
// of rows in each.
func (in *smoothInput) cells() (*smoothInput, []float64) {
	out := &smoothInput{}
	var counts []float64
	for i := 0; i < len(in.ord); {
		p := in.p[in.ord[i]]
		var n [2]float64
		for ; i < len(in.ord) && in.p[in.ord[i]] == p; i++ {
			n[int(in.y[in.ord[i]])]++
		}
		for y, c := range n {
			if c > 0 {
				out.p, out.y = append(out.p, p), append(out.y, float64(y))
				counts = append(counts, c)
			}
		}
	}
	out.ord = smooth.Order(out.p)
	return out, counts
}

// multinomial draws n rows over cells in proportion to counts, whose sum is n, as a chain of
// binomials.
func multinomial(counts []float64, n int, gen *rand.Rand) []float64 {
	out := make([]float64, len(counts))
	left, mass := float64(n), float64(n)
	for i, c := range counts {
		if left == 0 {
			break
		}
		if c >= mass {
			out[i] = left
			break
		}
		out[i] = distuv.Binomial{N: left, P: c / mass, Src: gen}.Rand()
		left -= out[i]
		mass -= c
	}
	return out
}

func failedWarning(failed int) []diag.Warning {
	if failed == 0 {
		return nil
	}
	return []diag.Warning{{Code: "resample_not_smoothed", Count: failed, Msg: "bootstrap resamples could not be smoothed and were left out"}}
}

func column(rows [][]float64, k int) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = r[k]
	}
	return out
}

// biasCorrected is Efron's BC interval ("Nonparametric standard errors and confidence
// intervals", Canadian J Statistics 1981;9:139-172), ties counted half and the share kept off
// 0 and 1 by half a resample.
func biasCorrected(reps []float64, estimate, level float64) (lower, upper float64) {
	below := 0.5
	for _, v := range reps {
		switch {
		case v < estimate:
			below++
		case v == estimate:
			below += 0.5
		}
	}
	z0 := distuv.UnitNormal.Quantile(below / float64(len(reps)+1))
	q := smooth.NewQuantiles(reps, nil)
	z := calZ(level)
	return q.At(distuv.UnitNormal.CDF(2*z0 - z)), q.At(distuv.UnitNormal.CDF(2*z0 + z))
}
