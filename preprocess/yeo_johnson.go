package preprocess

import (
	"context"
	"math"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// YeoJohnson brings a skewed column near the normal (Yeo and Johnson, A new family of power
// transformations to improve normality or symmetry, 2000, doi:10.1093/biomet/87.4.954), the
// power being the maximum likelihood estimate, as scikit-learn's PowerTransformer. Gaps stay
// gaps. A constant column keeps power 1.
type YeoJohnson struct {
	Columns     []string `json:"columns,omitempty"` // empty: every number column but indicators
	Standardise bool     `json:"standardise"`       // to mean 0 and standard deviation 1 afterwards
}

// DefaultYeoJohnson standardises after the transform.
func DefaultYeoJohnson() *YeoJohnson { return &YeoJohnson{Standardise: true} }

// Validate has nothing to find.
func (s *YeoJohnson) Validate() error { return nil }

type powered struct {
	Columns []power      `json:"columns"`
	Out     frame.Schema `json:"output"`
}

type power struct {
	Field  frame.Field `json:"field"`
	Lambda float64     `json:"lambda"`
	Center float64     `json:"center"`
	Scale  float64     `json:"scale"`
}

// Fit learns the power of each column, then mean and standard deviation. A column wholly
// missing in training is an error of kind Unfit.
func (s *YeoJohnson) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	cols, err := pick(train, s.Columns, false, frame.Number)
	if err != nil {
		return nil, err
	}
	t := &powered{}
	var faults diag.List
	for _, c := range cols {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v := present(c.Numbers())
		if len(v) == 0 {
			faults.Add(allMissing(c.Name))
			continue
		}
		p := power{Field: c.Field, Lambda: yeoJohnsonLambda(v), Scale: 1}
		if s.Standardise {
			for i, x := range v {
				v[i] = yeoJohnson(x, p.Lambda)
			}
			mean, variance := meanVar(v)
			p.Center = mean
			if sd := math.Sqrt(variance); sd > 1e-14*math.Abs(mean) {
				p.Scale = sd
			}
		}
		if !finite(p.Lambda, p.Center, p.Scale) {
			faults.Add(overflow(c.Name))
		}
		t.Columns = append(t.Columns, p)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

// yeoJohnson is psi(x, lambda) of the paper's equation 2.1. Where the power is within one
// part in 2^52 of 0 (or 2) the logarithm is taken.
func yeoJohnson(x, lambda float64) float64 {
	const eps = 0x1p-52
	switch {
	case x >= 0 && math.Abs(lambda) < eps:
		return math.Log1p(x)
	case x >= 0:
		return math.Expm1(lambda*math.Log1p(x)) / lambda
	case math.Abs(lambda-2) < eps:
		return -math.Log1p(-x)
	default: // NaN too
		return -math.Expm1((2-lambda)*math.Log1p(-x)) / (2 - lambda)
	}
}

// yeoJohnsonLambda maximises the profile likelihood -n/2 log var(psi) + (lambda-1) sum
// sign(x) log(1+|x|), the paper's equation 3.1.
func yeoJohnsonLambda(v []float64) float64 {
	n := float64(len(v))
	jac := 0.0
	constant := true
	for _, x := range v {
		jac += math.Copysign(math.Log1p(math.Abs(x)), x)
		constant = constant && x == v[0]
	}
	if constant {
		return 1
	}
	psi := make([]float64, len(v))
	return minimise(func(lambda float64) float64 {
		for i, x := range v {
			psi[i] = yeoJohnson(x, lambda)
		}
		mean, variance := meanVar(psi)
		// Rounding of equal values must not pass for a spread: it would win.
		if tiny := 0x1p-50 * mean; !(variance > tiny*tiny) || math.IsInf(variance, 0) {
			return math.Inf(1)
		}
		return n/2*math.Log(variance) - (lambda-1)*jac
	}, -2, 2)
}

func (t *powered) Output() frame.Schema { return t.Out }

func (t *powered) Apply(_ context.Context, in *frame.Frame) (*frame.Frame, error) {
	e := newEdit()
	var faults diag.List
	for _, p := range t.Columns {
		c, err := need(in, p.Field)
		if err != nil {
			faults.AddErr(err)
			continue
		}
		v := make([]float64, c.Len())
		for i, x := range c.Numbers() {
			v[i] = (yeoJohnson(x, p.Lambda) - p.Center) / p.Scale
		}
		f := c.Field
		f.Unit = ""
		e.set(c.Name, frame.NumberColumn(f, v))
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return e.apply(in)
}

func (t *powered) check() error {
	for _, p := range t.Columns {
		if p.Field.Kind != frame.Number || p.Scale == 0 {
			return damaged(p.Field.Name, "expected a number column with a scale other than 0")
		}
	}
	return nil
}
