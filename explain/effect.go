package explain

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/boot"
	"dolor/internal/glm"
	"dolor/internal/interval"
	"dolor/internal/quant"
	"dolor/rng"
)

// The values of Effect.Kind.
const (
	Dependence  = "partial_dependence"
	Accumulated = "accumulated_local_effects"
)

// Effect is how the mean prediction moves with one predictor.
type Effect struct {
	Predictor string    `json:"predictor"`
	Unit      string    `json:"unit,omitempty"`
	Kind      string    `json:"kind"`
	Scale     string    `json:"scale"`            // "probability" or "log-odds"
	X         []float64 `json:"x,omitempty"`      // grid of a number
	Levels    []string  `json:"levels,omitempty"` // of a category, in the order used
	Y         []Num     `json:"y"`
	Lower     []Num     `json:"lower"`
	Upper     []Num     `json:"upper"`
	N         int       `json:"n"` // rows used
	Level     float64   `json:"level"`
	Method    string    `json:"method"`
	// ICE is the curve of each row [rows, grid] when asked for.
	ICE frame.Matrix `json:"-"`
}

// EffectOptions of [PartialDependence] and [AccumulatedEffects]; nil is allowed.
type EffectOptions struct {
	Grid       int    // points of a number: distinct quantiles; 0: 20
	Scale      string // Probability or LogOdds; "": Probability
	ICE        bool   // keep the curve of each row
	Replicates int    // of the bootstrap; 0: 500
	Level      float64
	Patient    []string // rows of one patient stay together; nil: each row is a patient
	Stream     rng.Stream
}

func (o *EffectOptions) filled() EffectOptions {
	var out EffectOptions
	if o != nil {
		out = *o
	}
	out.Grid, out.Replicates = cmp.Or(out.Grid, 20), cmp.Or(out.Replicates, 500)
	out.Level, out.Scale = cmp.Or(out.Level, 0.95), cmp.Or(out.Scale, Probability)
	return out
}

// on brings probabilities to the scale asked for.
func (o *EffectOptions) on(predict Predictor) Predictor {
	if o.Scale != LogOdds {
		return predict
	}
	return func(ctx context.Context, x *frame.Frame) ([]float64, error) {
		p, err := predict(ctx, x)
		out := make([]float64, len(p))
		for i, v := range p {
			out[i] = glm.Logit(min(max(v, 1e-15), 1-1e-15))
		}
		return out, err
	}
}

// PartialDependence sets the predictor to each grid value in every row and averages the predictions
// (Friedman 2001, doi:10.1214/aos/1013203451, section 8.2); with ICE it keeps each row's curve
// (Goldstein et al. 2015, doi:10.1080/10618600.2014.907095). Where predictors are correlated it
// averages over rows that do not exist: prefer [AccumulatedEffects]. Intervals are percentiles over
// resamples of patients, model held fixed. Errors: Missing for an unknown predictor, Unsupported for
// one that is neither number nor category, Invalid for no value. Cost: grid times a prediction.
func PartialDependence(ctx context.Context, predict Predictor, x *frame.Frame, name string, o *EffectOptions) (*Effect, error) {
	opts := o.filled()
	predict = opts.on(predict)
	e, c, err := opts.start(x, name, Dependence)
	if err != nil {
		return nil, err
	}
	points := len(e.X) + len(e.Levels)
	rows := x.Rows()
	ice := frame.NewMatrix(rows, points)
	for k := range points {
		set, err := x.With(constant(c, e, k))
		if err != nil {
			return nil, err
		}
		p, err := predict(ctx, set)
		if err != nil {
			return nil, err
		}
		for i, v := range p {
			ice.Data[i*points+k] = v
		}
	}
	e.N = rows
	curve := func(w []float64) []float64 {
		out, total := make([]float64, points), 0.0
		for i := range rows {
			total += w[i]
			for k, v := range ice.Row(i) {
				out[k] += float64(w[i] * v)
			}
		}
		for k := range out {
			out[k] /= total
		}
		return out
	}
	if opts.ICE {
		e.ICE = ice
	}
	return e, opts.band(e, rows, curve)
}

// start finds the predictor and its grid.
func (o *EffectOptions) start(x *frame.Frame, name, kind string) (*Effect, frame.Column, error) {
	c, ok := x.Column(name)
	if !ok {
		return nil, c, x.NoColumn(name)
	}
	if o.Patient != nil && len(o.Patient) != x.Rows() {
		return nil, c, diag.Errorf(diag.Invalid, "patient", "expected %d values, got %d", x.Rows(), len(o.Patient))
	}
	if o.Grid < 2 || !(o.Level > 0 && o.Level < 1) || o.Scale != Probability && o.Scale != LogOdds {
		return nil, c, diag.Errorf(diag.Invalid, name, "expected at least 2 grid points, a level in (0, 1) and a scale of %s or %s", Probability, LogOdds)
	}
	e := &Effect{Predictor: name, Unit: c.Unit, Kind: kind, Scale: o.Scale, Level: o.Level}
	e.Method = fmt.Sprintf("bootstrap of patients, model held fixed, percentile, %d resamples", o.Replicates)
	switch c.Kind {
	case frame.Number:
		var v []float64
		for _, a := range c.Numbers() {
			if !math.IsNaN(a) && !math.IsInf(a, 0) {
				v = append(v, a)
			}
		}
		slices.Sort(v)
		e.X = grid(v, o.Grid)
	case frame.Category:
		n := make([]int, len(c.Levels))
		for _, k := range c.Codes() {
			if k >= 0 {
				n[k]++
			}
		}
		for k, l := range c.Levels {
			if n[k] > 0 {
				e.Levels = append(e.Levels, l)
			}
		}
	default:
		return nil, c, diag.Errorf(diag.Unsupported, name, "expected a number or a category, got a %s", c.Kind)
	}
	if len(e.X)+len(e.Levels) == 0 {
		return nil, c, diag.Errorf(diag.Invalid, name, "expected values, got none")
	}
	return e, c, nil
}

// grid is at most n distinct quantiles of sorted v, its ends among them.
func grid(v []float64, n int) []float64 {
	distinct := slices.Compact(slices.Clone(v))
	if len(distinct) <= n {
		return distinct
	}
	out := make([]float64, n)
	for k := range out {
		out[k] = quant.Sorted(v, float64(k)/float64(n-1), 1)
	}
	return slices.Compact(out)
}

// constant is column c with grid point k of e in every row.
func constant(c frame.Column, e *Effect, k int) frame.Column {
	if c.Kind == frame.Category {
		code := int32(slices.Index(c.Levels, e.Levels[k]))
		return frame.CategoryColumn(c.Field, slices.Repeat([]int32{code}, c.Len()))
	}
	return frame.NumberColumn(c.Field, slices.Repeat([]float64{e.X[k]}, c.Len()))
}

// band fills Y, Lower and Upper from a curve that depends on case weights.
func (o *EffectOptions) band(e *Effect, rows int, curve func(w []float64) []float64) error {
	if rows == 0 || !(interval.Z(o.Level) > 0) {
		return diag.Errorf(diag.Invalid, e.Predictor, "expected at least one row and a level in (0, 1)")
	}
	point := curve(slices.Repeat([]float64{1}, rows))
	cluster, _ := clusters(o.Patient, rows)
	sampler, err := boot.NewSampler(boot.Plan{N: rows, Cluster: cluster})
	if err != nil {
		return err
	}
	reps := make([][]float64, o.Replicates)
	for b := range reps {
		w := make([]float64, rows)
		for _, i := range sampler.Draw(o.Stream.Child("effect", b).Rand(), nil) {
			w[i]++
		}
		reps[b] = curve(w)
	}
	lo, hi := (1-o.Level)/2, (1+o.Level)/2
	v := make([]float64, len(reps))
	for k, y := range point {
		for b := range reps {
			v[b] = reps[b][k]
		}
		l, u := percentile(v, lo, hi)
		e.Y, e.Lower, e.Upper = append(e.Y, Num(y)), append(e.Lower, l), append(e.Upper, u)
	}
	return nil
}
