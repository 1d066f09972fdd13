package elasticnet

import (
	"context"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
)

// PathOptions steer [Path]. Nil is allowed; each zero field has the meaning stated.
type PathOptions struct {
	L1Ratio       float64   // share of the lasso penalty in [0, 1]; NaN is not allowed. 0 is ridge
	Lambda        []float64 // penalties to fit, sorted by Path from large to small; nil: a sequence from the data
	NLambda       int       // length of that sequence; 0 means 100
	MinRatio      float64   // its smallest over its largest penalty; 0 means 1e-4, or 1e-2 when rows < columns
	NoStandardize bool      // penalise the columns as they are instead of scaled to unit sd (divisor n)
	PenaltyFactor []float64 // per column, >= 0, rescaled to sum to the number of columns; nil means 1 each
	Tol           float64   // largest curvature-weighted squared step at convergence; 0 means 1e-9
	MaxIter       int       // outer iterations per penalty; 0 means 100
	MaxGram       int       // largest working set whose Hessian is kept in memory; 0 means 4096. Past it residuals are updated instead, as in glmnet's naive mode
	NoEarlyStop   bool      // go on when the deviance explained no longer moves (glmnet stops below 1e-5 or above 0.999)
	Workers       int       // 0 means GOMAXPROCS; never changes a bit of the result
}

// PathResult is the solution for each penalty, coefficients on the original scale.
type PathResult struct {
	Lambda    []float64
	Intercept []float64
	Beta      frame.Matrix // [penalties, columns]
	DevRatio  []float64    // share of the null deviance explained
	DF        []int        // non-zero coefficients
	NullDev   float64      // deviance of the intercept (and offset) alone, in the weights given
	Converged []bool
	Passes    int // sweeps over the data
}

// Path fits binomial elastic-net regression for a falling sequence of penalties: it minimises
//
//	-l(b0, b)/sum(w) + lambda sum_j f_j ((1-a)/2 b_j^2 + a |b_j|)
//
// with l the weighted log-likelihood, predictors scaled to unit standard deviation and a the
// L1Ratio, the definition of glmnet (Friedman, Hastie, Tibshirani, J Stat Softw 2010;33(1),
// doi:10.18637/jss.v033.i01). Columns are screened by the sequential strong rule and every
// one left out is checked against its optimality condition (Tibshirani et al., J R Stat Soc B
// 2012;74:245, doi:10.1111/j.1467-9868.2011.01004.x).
//
// Departure from glmnet: the Hessian on the working set is kept from penalty to penalty and
// only rescaled by the mean curvature, while the gradient is exact; it is measured anew when
// the steps it has cost exceed its price. One sweep over the data per penalty is typical.
//
// x is [rows, columns] without missing values, y has both outcomes, w and offset may be nil.
// Errors are of kind Invalid, Unfit (one outcome only) or Canceled. Cost: O(rows * columns) a
// penalty and O(rows * k^2) for a few Hessians of the k columns in play.
func Path(ctx context.Context, x frame.Matrix, y []bool, w, offset []float64, opts *PathOptions) (*PathResult, error) {
	o := PathOptions{}
	if opts != nil {
		o = *opts
	}
	if err := o.check(x, y, w, offset); err != nil {
		return nil, err
	}
	if o.NLambda == 0 {
		o.NLambda = 100
	}
	if o.MinRatio == 0 {
		o.MinRatio = 1e-4
		if x.Rows < x.Cols {
			o.MinRatio = 1e-2
		}
	}
	if o.Tol == 0 {
		o.Tol = 1e-9
	}
	if o.MaxIter == 0 {
		o.MaxIter = 100
	}
	if o.MaxGram == 0 {
		o.MaxGram = 4096
	}
	f := &fitter{o: o, d: newDesign(x, y, w, offset, !o.NoStandardize, o.Workers)}
	if err := f.start(ctx); err != nil {
		return nil, err
	}
	return f.run(ctx, w)
}

func (o PathOptions) check(x frame.Matrix, y []bool, w, offset []float64) error {
	var faults diag.List
	if !(o.L1Ratio >= 0 && o.L1Ratio <= 1) {
		faults.Addf(diag.Invalid, "l1_ratio", "expected a number from 0 to 1, got %g", o.L1Ratio)
	}
	for _, l := range o.Lambda {
		if !(l >= 0) || math.IsInf(l, 0) {
			faults.Addf(diag.Invalid, "lambda", "expected a finite number of at least 0, got %g", l)
		}
	}
	if o.NLambda < 0 || o.MinRatio < 0 || o.MinRatio >= 1 || o.Tol < 0 || o.MaxIter < 0 || o.MaxGram < 0 {
		faults.Addf(diag.Invalid, "options", "expected positive counts and tolerances and a ratio below 1")
	}
	lengths := func(name string, got int) {
		if got != x.Rows {
			faults.Addf(diag.Invalid, name, "expected %d values, got %d", x.Rows, got)
		}
	}
	lengths("outcome", len(y))
	if w != nil {
		lengths("weight", len(w))
	}
	if offset != nil {
		lengths("offset", len(offset))
	}
	if o.PenaltyFactor != nil {
		if len(o.PenaltyFactor) != x.Cols {
			faults.Addf(diag.Invalid, "penalty_factor", "expected %d values, got %d", x.Cols, len(o.PenaltyFactor))
		}
		for _, v := range o.PenaltyFactor {
			if !(v >= 0) || math.IsInf(v, 0) {
				faults.Addf(diag.Invalid, "penalty_factor", "expected finite numbers of at least 0, got %g", v)
			}
		}
	}
	if err := faults.Err(); err != nil {
		return err
	}
	var w0, w1 float64
	for i, yi := range y {
		wi := 1.0
		if w != nil {
			wi = w[i]
		}
		if !(wi >= 0) || math.IsInf(wi, 0) {
			return diag.Errorf(diag.Invalid, "weight", "row %d: expected a finite number of at least 0", i+1)
		}
		if offset != nil && (math.IsNaN(offset[i]) || math.IsInf(offset[i], 0)) {
			return diag.Errorf(diag.Invalid, "offset", "row %d: expected a finite number", i+1)
		}
		if yi {
			w1 += wi
		} else {
			w0 += wi
		}
	}
	if w0 == 0 || w1 == 0 {
		return diag.Errorf(diag.Unfit, "outcome", "expected rows with and without the outcome, got one class")
	}
	for k, v := range x.Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			name := ""
			if x.Names != nil {
				name = x.Names[k%x.Cols]
			}
			return diag.Errorf(diag.Invalid, name, "row %d: expected a finite number", k/x.Cols+1)
		}
	}
	return nil
}

// fitter carries the state from one penalty to the next.
type fitter struct {
	o    PathOptions
	d    *design
	pf   []float64 // rescaled penalty factors
	q    *quad
	at   *point // the last place with an exact gradient
	sol  *point // the last solution; only b0 and b are used
	next *point
	full bool // gradients are always of all columns

	nullLoss float64
	extra    int // sweeps since H was measured beyond the one each penalty needs anyway
	passes   int
}

func (f *fitter) start(ctx context.Context) error {
	d := f.d
	f.pf = make([]float64, d.p)
	var sum float64
	for j := range f.pf {
		f.pf[j] = 1
		if f.o.PenaltyFactor != nil {
			f.pf[j] = f.o.PenaltyFactor[j]
		}
		sum += f.pf[j]
	}
	for j := range f.pf {
		if sum > 0 {
			f.pf[j] *= float64(d.p) / sum
		}
	}
	f.at, f.next, f.sol = newPoint(d.n, d.p), newPoint(d.n, d.p), &point{b: make([]float64, d.p)}
	f.q = newQuad(d)
	f.full = d.n*d.p <= 1<<23
	if err := f.nullModel(ctx); err != nil {
		return err
	}
	for j := range d.p {
		if f.pf[j] == 0 && d.sd[j] > 0 {
			f.q.add(j)
		}
	}
	if len(f.q.cols) > 0 {
		// The unpenalised columns alone: every other column stays out.
		pe := penalty{make([]float64, d.p), make([]float64, d.p)}
		if _, _, err := f.solve(ctx, pe, false); err != nil {
			return err
		}
		f.at.b0 = f.sol.b0
		copy(f.at.b, f.sol.b)
		return f.sweep(ctx, f.at, nil)
	}
	return nil
}

func (f *fitter) sweep(ctx context.Context, pt *point, cols []int) error {
	f.passes++
	return f.d.pass(ctx, pt, cols)
}

// nullModel fits the intercept by Newton's method with halving.
func (f *fitter) nullModel(ctx context.Context) error {
	d := f.d
	var ybar float64
	for i, y := range d.y {
		ybar += d.w[i] * y
	}
	f.at.b0 = math.Log(ybar) - math.Log1p(-ybar)
	if err := f.sweep(ctx, f.at, nil); err != nil {
		return err
	}
	for range 50 {
		step := -f.at.g0 / f.at.sumV
		if !(math.Abs(step) > 1e-15*(1+math.Abs(f.at.b0))) || math.Abs(f.at.g0) < 1e-15 {
			break
		}
		old, b0 := f.at.loss, f.at.b0
		for range 40 {
			f.at.b0 = b0 + step
			if err := f.sweep(ctx, f.at, nil); err != nil {
				return err
			}
			if f.at.loss <= old+1e-15*math.Abs(old) {
				break
			}
			step /= 2
		}
	}
	f.nullLoss = f.at.loss
	f.sol.b0 = f.at.b0
	return f.q.refresh(ctx, f.at)
}

func (f *fitter) run(ctx context.Context, w []float64) (*PathResult, error) {
	d, o := f.d, f.o
	total := float64(d.n)
	if w != nil {
		total = 0
		for _, v := range w {
			total += v
		}
	}
	lambdas := slices.Clone(o.Lambda)
	slices.Sort(lambdas)
	slices.Reverse(lambdas)
	given := len(lambdas) > 0
	largest := f.lambdaMax()
	if !given {
		lambdas = sequence(largest, o.MinRatio, o.NLambda)
	}
	r := &PathResult{NullDev: 2 * total * f.nullLoss}
	pe := penalty{make([]float64, d.p), make([]float64, d.p)}
	last := max(largest, lambdas[0])
	for k, lambda := range lambdas {
		for j := range d.p {
			pe.l1[j] = lambda * o.L1Ratio * f.pf[j]
			pe.l2[j] = lambda * (1 - o.L1Ratio) * f.pf[j]
		}
		f.screen(lambda, last)
		loss, converged, err := f.solve(ctx, pe, true)
		if err != nil {
			return nil, err
		}
		last = lambda
		f.record(r, lambda, loss, converged)
		// glmnet's rules (glmnet.control: fdev, devmax, mnlam).
		if n := len(r.DevRatio); !given && !o.NoEarlyStop && k+1 >= 5 &&
			(r.DevRatio[n-1]-r.DevRatio[n-2] < 1e-5 || r.DevRatio[n-1] > 0.999) {
			break
		}
	}
	r.Beta.Rows, r.Beta.Cols = len(r.Lambda), d.p
	r.Passes = f.passes
	return r, nil
}

func (f *fitter) record(r *PathResult, lambda, loss float64, converged bool) {
	b0, df := f.sol.b0, 0
	for j, b := range f.sol.b {
		v := 0.0
		if b != 0 {
			v = b / f.d.sd[j]
			b0 -= v * f.d.mean[j]
			df++
		}
		r.Beta.Data = append(r.Beta.Data, v)
	}
	r.Lambda = append(r.Lambda, lambda)
	r.Intercept = append(r.Intercept, b0)
	r.DevRatio = append(r.DevRatio, 1-loss/f.nullLoss)
	r.DF = append(r.DF, df)
	r.Converged = append(r.Converged, converged)
}

// lambdaMax is the smallest penalty at which every penalised coefficient is 0; for ridge it
// is that of an L1Ratio of 0.001, as in glmnet.
func (f *fitter) lambdaMax() float64 {
	var top float64
	for j, g := range f.at.g {
		if f.pf[j] > 0 && f.d.sd[j] > 0 {
			top = max(top, math.Abs(g)/f.pf[j])
		}
	}
	return top / max(f.o.L1Ratio, 1e-3)
}

func sequence(top, ratio float64, n int) []float64 {
	out := make([]float64, n)
	for k := range out {
		out[k] = top
		if n > 1 {
			out[k] = top * math.Pow(ratio, float64(k)/float64(n-1))
		}
	}
	return out
}

// screen adds the columns that the sequential strong rule cannot rule out at lambda.
func (f *fitter) screen(lambda, last float64) {
	for j, g := range f.at.g {
		if f.q.pos[j] < 0 && f.d.sd[j] > 0 && math.Abs(g) >= f.o.L1Ratio*f.pf[j]*(2*lambda-last) {
			f.q.add(j)
		}
	}
}
