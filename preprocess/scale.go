package preprocess

import (
	"context"
	"math"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// Standardise subtracts the mean and divides by the standard deviation (divisor n), as
// scikit-learn's StandardScaler; gaps stay gaps. A constant column is centred, not divided.
type Standardise struct {
	Columns []string `json:"columns,omitempty"` // empty: every number column but indicators
}

// Robust subtracts the median and divides by the interquartile range (type 7 quantiles), as
// scikit-learn's RobustScaler; gaps stay gaps. A range of 0 divides by 1.
type Robust struct {
	Columns []string `json:"columns,omitempty"` // empty: every number column but indicators
}

// MinMax maps the training range to 0..1; gaps stay gaps. A constant column becomes 0.
type MinMax struct {
	Columns []string `json:"columns,omitempty"` // empty: every number column but indicators
	Clip    bool     `json:"clip"`              // hold later values within 0..1
}

// Validate has nothing to find.
func (s *Standardise) Validate() error { return nil }

// Validate has nothing to find.
func (s *Robust) Validate() error { return nil }

// Validate has nothing to find.
func (s *MinMax) Validate() error { return nil }

type scaled struct {
	Columns []scaling    `json:"columns"`
	Clip    bool         `json:"clip,omitempty"`
	Out     frame.Schema `json:"output"`
}

type scaling struct {
	Field  frame.Field `json:"field"`
	Center float64     `json:"center"`
	Scale  float64     `json:"scale"` // not 0
}

// Fit learns mean and standard deviation of each column. A column wholly missing in training
// is an error of kind Unfit.
func (s *Standardise) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	return fitScale(ctx, train, s.Columns, false, func(v []float64) (center, scale float64) {
		mean, variance := meanVar(v)
		n := float64(len(v))
		// scikit-learn's bound on the rounding of a constant column's variance, from Chan,
		// Golub and LeVeque 1983, doi:10.1080/00031305.1983.10483115.
		const eps = 0x1p-52
		if bound := n * mean * eps; variance <= n*eps*variance+bound*bound {
			return mean, 1
		}
		return mean, math.Sqrt(variance)
	})
}

// Fit learns median and interquartile range of each column. A column wholly missing in
// training is an error of kind Unfit.
func (s *Robust) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	return fitScale(ctx, train, s.Columns, false, func(v []float64) (center, scale float64) {
		v = sorted(v)
		return quantile(v, 0.5), quantile(v, 0.75) - quantile(v, 0.25)
	})
}

// Fit learns the range of each column. A column wholly missing in training is an error of
// kind Unfit.
func (s *MinMax) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	return fitScale(ctx, train, s.Columns, s.Clip, func(v []float64) (center, scale float64) {
		lo, hi := v[0], v[0]
		for _, x := range v {
			lo, hi = math.Min(lo, x), math.Max(hi, x)
		}
		return lo, hi - lo
	})
}

func fitScale(ctx context.Context, train *frame.Frame, names []string, clip bool, learn func([]float64) (center, scale float64)) (Transform, error) {
	cols, err := pick(train, names, false, frame.Number)
	if err != nil {
		return nil, err
	}
	t := &scaled{Clip: clip}
	var faults diag.List
	for _, c := range cols {
		v := present(c.Numbers())
		if len(v) == 0 {
			faults.Add(allMissing(c.Name))
			continue
		}
		center, scale := learn(v)
		if scale == 0 {
			scale = 1
		}
		if !finite(center, scale) {
			faults.Add(overflow(c.Name))
		}
		t.Columns = append(t.Columns, scaling{c.Field, center, scale})
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

func finite(v ...float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

func overflow(name string) *diag.Error {
	return diag.Errorf(diag.Unfit, name, "expected values whose mean and spread can be computed, got some too large")
}

func (t *scaled) Output() frame.Schema { return t.Out }

// Apply gives (x - center) / scale, a number without unit.
func (t *scaled) Apply(_ context.Context, in *frame.Frame) (*frame.Frame, error) {
	e := newEdit()
	var faults diag.List
	for _, s := range t.Columns {
		c, err := need(in, s.Field)
		if err != nil {
			faults.AddErr(err)
			continue
		}
		v := make([]float64, c.Len())
		for i, x := range c.Numbers() {
			v[i] = (x - s.Center) / s.Scale
			if t.Clip {
				v[i] = clip(v[i], 0, 1)
			}
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

// clip holds x within lo..hi; NaN stays NaN.
func clip(x, lo, hi float64) float64 {
	switch {
	case x < lo:
		return lo
	case x > hi:
		return hi
	}
	return x
}

func (t *scaled) check() error {
	for _, s := range t.Columns {
		if s.Field.Kind != frame.Number || s.Scale == 0 {
			return damaged(s.Field.Name, "expected a number column with a scale other than 0")
		}
	}
	return nil
}
