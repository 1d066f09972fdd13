package metric

import (
	"context"
	"errors"
	"fmt"
	"math"

	"dolor/diag"
	"dolor/internal/glm"
	"dolor/internal/smooth"
	"dolor/rng"
)

// Smoother names a way to estimate the observed risk as a curve over the predicted risk.
type Smoother string

// The smoothers. Auto is Loess up to 5,000 rows and RCS above.
const (
	Auto             Smoother = ""
	Loess            Smoother = "loess"             // exact local fit at each distinct probability
	LoessInterpolate Smoother = "loess_interpolate" // R's default surface: fits at a few vertices
	Lowess           Smoother = "lowess"            // span 2/3, no robustness passes, as rms::val.prob
	RCS              Smoother = "rcs"               // logistic regression on a spline of logit p
)

// autoRows is the largest number of rows that Auto gives to exact loess, whose cost is
// quadratic.
const autoRows = 5000

// SmoothOptions choose the curve; the zero value is the default.
type SmoothOptions struct {
	Method Smoother
	Span   float64 // loess; 0 means 0.75
	Degree int     // loess; 0 means 2
	Knots  int     // rcs, 3 to 7; 0 means 5, falling to 4 and 3 with a warning when knots tie
}

func (o SmoothOptions) resolve(rows int) (SmoothOptions, error) {
	if o.Method == Auto {
		o.Method = Loess
		if rows > autoRows {
			o.Method = RCS
		}
	}
	if o.Span == 0 {
		o.Span = 0.75
	}
	if o.Degree == 0 {
		o.Degree = 2
	}
	switch {
	case o.Method != Loess && o.Method != LoessInterpolate && o.Method != Lowess && o.Method != RCS:
		return o, diag.Errorf(diag.Usage, "smoother", "expected loess, loess_interpolate, lowess or rcs")
	case !(o.Span > 0 && o.Span <= 1):
		return o, diag.Errorf(diag.Usage, "span", "expected a number above 0 and at most 1")
	case o.Degree != 1 && o.Degree != 2:
		return o, diag.Errorf(diag.Usage, "degree", "expected 1 or 2, got %d", o.Degree)
	case o.Knots != 0 && (o.Knots < 3 || o.Knots > 7):
		return o, diag.Errorf(diag.Usage, "knots", "expected 3 to 7, got %d", o.Knots)
	}
	return o, nil
}

// curve is a fitted smoother.
type curve struct {
	pts   smooth.Points
	fit   []float64 // at pts.X
	name  string
	at    func(q float64) float64
	limit func(q, z float64) (lower, upper float64) // nil: none
	warn  []diag.Warning
	rcs   *RCSFit
}

var errTooFew = errors.New("too few distinct probabilities for the smoother")

// fitCurve smooths pts; squares[i] is the sum of squared weights at point i (nil: pts.N).
func fitCurve(pts smooth.Points, squares []float64, o SmoothOptions) (curve, error) {
	if o.Method == RCS {
		return fitRCS(pts, squares, o)
	}
	if o.Method == Lowess {
		return fitLowess(pts)
	}
	l, err := smooth.NewLoess(pts, o.Span, o.Degree)
	if err != nil {
		return curve{}, errTooFew
	}
	c := curve{pts: pts}
	if o.Method == LoessInterpolate {
		s := l.Interpolate(0.2)
		c.at = s.Eval
		c.fit = make([]float64, len(pts.X))
		for i, x := range pts.X {
			c.fit[i] = s.Eval(x)
		}
		c.name = fmt.Sprintf("loess interpolated, span %g, degree %d", o.Span, o.Degree)
	} else {
		c.fit = l.Fitted()
		c.at = func(q float64) float64 { v, _ := l.At(q); return v }
		c.name = fmt.Sprintf("loess direct, span %g, degree %d", o.Span, o.Degree)
	}
	c.limit = func(q, z float64) (float64, float64) {
		v, se := c.at(q), math.Sqrt(l.Variance(q, c.fit, squares))
		return v - z*se, v + z*se
	}
	return c, nil
}

func fitLowess(pts smooth.Points) (curve, error) {
	var x, y []float64
	for i, n := range pts.N {
		if n != math.Floor(n) {
			return curve{}, errors.New("lowess is not defined for weights that are not whole numbers")
		}
		for range int(n) {
			x, y = append(x, pts.X[i]), append(y, pts.Y[i])
		}
	}
	if len(pts.X) < 2 {
		return curve{}, errTooFew
	}
	all := smooth.Lowess(x, y, 2.0/3, 0, -1)
	c := curve{pts: pts, fit: make([]float64, len(pts.X)), name: "lowess, span 2/3, no robustness pass"}
	row := 0
	for i, n := range pts.N {
		c.fit[i] = all[row]
		row += int(n)
	}
	c.at = func(q float64) float64 { return smooth.Linear(pts.X, c.fit, q) }
	return c, nil
}

// RCSFit is the logistic regression of the outcome on a restricted cubic spline of logit p.
type RCSFit struct {
	Knots                          []float64 // on the logit scale
	Coef                           []float64 // intercept, linear, then len(Knots)-2 cubic terms
	Cov                            []float64 // row-major; inverse information, sandwich when weighted
	Deviance                       float64
	NonlinearityLR, NonlinearityLP float64 // against the logistic recalibration, len(Knots)-2 df
}

// SplineCalibration fits an RCSFit with 3 to 7 knots at Harrell's quantiles of logit p (see
// package smooth). Unfit when knots tie or the fit has no finite maximum.
func SplineCalibration(d Data, knots int) (RCSFit, error) {
	if err := d.Check(); err != nil {
		return RCSFit{}, err
	}
	o, err := SmoothOptions{Method: RCS, Knots: knots}.resolve(d.N())
	if err != nil {
		return RCSFit{}, err
	}
	in := newSmoothInput(d)
	c, err := fitCurve(in.points(d.W), in.squares(d.W), o)
	if err != nil {
		return RCSFit{}, &diag.Error{Kind: diag.Unfit, Field: "probability", Err: err}
	}
	s, f := slopeFit(newRecal(d), d.totals(), 0.95)
	c.rcs.NonlinearityLR, c.rcs.NonlinearityLP = math.NaN(), math.NaN()
	if f.ok {
		c.rcs.NonlinearityLR = s.Deviance - c.rcs.Deviance
		c.rcs.NonlinearityLP = chiP(c.rcs.NonlinearityLR, float64(len(c.rcs.Knots)-2))
	}
	return *c.rcs, nil
}

func clipLogit(p float64) float64 {
	return glm.Logit(math.Min(math.Max(p, logitClip), 1-logitClip))
}

func fitRCS(pts smooth.Points, squares []float64, o SmoothOptions) (curve, error) {
	m := len(pts.X)
	z := make([]float64, m)
	clipped := 0
	for i, p := range pts.X {
		z[i] = clipLogit(p)
		if p < logitClip || p > 1-logitClip {
			clipped += int(math.Max(pts.N[i], 1))
		}
	}
	c := curve{pts: pts}
	if clipped > 0 {
		c.warn = (&recal{clipped: clipped}).warnings()
	}
	var knots []float64
	var err error
	if o.Knots > 0 {
		knots, err = smooth.Knots(z, pts.N, o.Knots)
	} else {
		for k := 5; k >= 3; k-- {
			if knots, err = smooth.Knots(z, pts.N, k); err == nil {
				if k < 5 {
					c.warn = append(c.warn, diag.Warning{Code: "fewer_knots", Count: 1, Msg: fmt.Sprintf("the calibration spline has %d knots, not 5, because probabilities tie", k)})
				}
				break
			}
		}
	}
	if err != nil {
		return curve{}, errTooFew
	}
	k := len(knots)
	pr := glm.Problem{Rows: m, Cols: k, X: make([]float64, m*k), Y: pts.Y, W: pts.N}
	for i := range m {
		pr.X[i*k] = 1
		smooth.Basis(z[i], knots, pr.X[i*k+1:(i+1)*k])
	}
	f, err := glm.Logistic(pr, nil)
	if err != nil || !f.Converged {
		return curve{}, errors.New("the spline's likelihood has no finite maximum")
	}
	c.name = fmt.Sprintf("rcs on logit, %d knots", k)
	cov := f.Cov
	if squares != nil {
		cov = splineSandwich(pr, f, squares)
	}
	c.rcs = &RCSFit{Knots: knots, Coef: f.Coef, Cov: cov, Deviance: -2 * f.LogLik}
	row := make([]float64, k)
	eta := func(q float64) float64 {
		row[0] = 1
		smooth.Basis(clipLogit(q), knots, row[1:])
		var e float64
		for j, b := range f.Coef {
			e += b * row[j]
		}
		return e
	}
	c.at = func(q float64) float64 { return glm.Expit(eta(q)) }
	c.fit = make([]float64, m)
	for i, x := range pts.X {
		c.fit[i] = c.at(x)
	}
	c.limit = func(q, zq float64) (float64, float64) {
		e := eta(q)
		var v float64
		for a := range k {
			for b := range k {
				v += row[a] * cov[a*k+b] * row[b]
			}
		}
		se := math.Sqrt(math.Max(v, 0))
		return glm.Expit(e - zq*se), glm.Expit(e + zq*se)
	}
	return c, nil
}

// splineSandwich is A^-1 B A^-1 with binomial B = sum w^2 mu(1-mu) x x'.
func splineSandwich(pr glm.Problem, f *glm.Fit, squares []float64) []float64 {
	k := pr.Cols
	b := make([]float64, k*k)
	for i := range pr.Rows {
		x := pr.X[i*k : (i+1)*k]
		var e float64
		for j, v := range x {
			e += v * f.Coef[j]
		}
		mu := glm.Expit(e)
		s := squares[i] * mu * (1 - mu)
		for r := range k {
			for c := range k {
				b[r*k+c] += s * x[r] * x[c]
			}
		}
	}
	mul := func(p, q []float64) []float64 {
		out := make([]float64, k*k)
		for i := range k {
			for l := range k {
				for j := range k {
					out[i*k+j] += p[i*k+l] * q[l*k+j]
				}
			}
		}
		return out
	}
	return mul(mul(f.Cov, b), f.Cov)
}

// CurvePoint is one point of a calibration curve; everything is cut to [0, 1].
type CurvePoint struct{ P, Observed, Lower, Upper float64 }

// Curve is a smooth calibration curve with a pointwise band.
type Curve struct {
	Points   []CurvePoint
	Smoother string // "loess direct, span 0.75, degree 2"
	Band     string // how Lower and Upper were made
	Level    float64
	Warnings []diag.Warning
}

// CurveOptions of [SmoothCurve]; nil means the defaults.
type CurveOptions struct {
	Smooth     SmoothOptions
	Grid       []float64 // where to evaluate; nil means 101 even steps over the range of p
	Replicates int       // bootstrap refits for the band; 0 means the delta method
	Workers    int       // 0 means all processors
}

// SmoothCurve estimates the observed risk over the predicted risk (Austin and Steyerberg,
// "Graphical assessment of internal and external calibration of logistic regression models by
// using loess smoothers", Statistics in Medicine 2014;33:517-535, doi:10.1002/sim.5941). The
// delta-method band of loess uses the binomial variance at the curve, that of the spline the
// normal band on the logit; lowess has none (NaN). The bootstrap band holds percentiles over
// resampled rows. Too few distinct probabilities give an empty curve with the reason in
// Smoother. Kinds Invalid, Usage, Canceled.
func SmoothCurve(ctx context.Context, d Data, level float64, stream rng.Stream, opts *CurveOptions) (Curve, error) {
	if err := checkCal(d, level); err != nil {
		return Curve{}, err
	}
	var o CurveOptions
	if opts != nil {
		o = *opts
	}
	so, err := o.Smooth.resolve(d.N())
	if err != nil {
		return Curve{}, err
	}
	in := newSmoothInput(d)
	pts := in.points(d.W)
	c, err := fitCurve(pts, in.squares(d.W), so)
	if err != nil {
		return Curve{Smoother: "not estimable: " + err.Error(), Level: level}, nil //nolint:nilerr // undefined is a result, with its reason
	}
	grid := o.Grid
	if grid == nil {
		lo, hi := pts.X[0], pts.X[len(pts.X)-1]
		for i := range 101 {
			grid = append(grid, lo+(hi-lo)*float64(i)/100)
		}
	}
	out := Curve{Smoother: c.name, Level: level, Warnings: c.warn, Band: "none"}
	unit := func(v float64) float64 { return math.Min(math.Max(v, 0), 1) }
	z := calZ(level)
	for _, q := range grid {
		p := CurvePoint{q, unit(c.at(q)), math.NaN(), math.NaN()}
		if c.limit != nil && o.Replicates <= 0 {
			lo, hi := c.limit(q, z)
			p.Lower, p.Upper = unit(lo), unit(hi)
		}
		out.Points = append(out.Points, p)
	}
	if c.limit != nil {
		out.Band = "pointwise, delta method"
	}
	if o.Replicates <= 0 {
		return out, nil
	}
	reps, failed, note, err := in.bootstrap(ctx, d.W, so, o.Replicates, o.Workers, stream.Child("calibration curve"), func(c curve) []float64 {
		v := make([]float64, len(grid))
		for i, q := range grid {
			v[i] = unit(c.at(q))
		}
		return v
	})
	if err != nil {
		return Curve{}, err
	}
	out.Band = fmt.Sprintf("pointwise, bootstrap percentile, %d resamples%s", o.Replicates, note)
	out.Warnings = append(out.Warnings, failedWarning(failed)...)
	for i := range out.Points {
		q := smooth.NewQuantiles(column(reps, i), nil)
		out.Points[i].Lower, out.Points[i].Upper = q.At((1-level)/2), q.At((1+level)/2)
	}
	return out, nil
}
