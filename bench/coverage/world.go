package main

import (
	"context"
	"math"

	"dolor/internal/glm"
	"dolor/internal/par"
	"dolor/metric"
	"dolor/rng"
)

// The metrics judged, in the order of every table.
const (
	auc = iota
	brier
	oe
	citl
	slope
	benefit
	metrics
)

// names are those of the machine-readable contract, titles those of the page.
var (
	names  = [metrics]string{"auc", "brier", "oe_ratio", "calibration_intercept", "calibration_slope", "net_benefit"}
	titles = [metrics]string{"AUC", "Brier score", "O/E", "Calibration intercept", "Calibration slope", "Net benefit at 0.2"}
)

// threshold is the risk at which net benefit is judged.
const threshold = 0.2

// values holds one number for each metric.
type values [metrics]float64

// effects are the relative strengths of the predictors; four are noise. Predictors are
// independent standard normal: maximum likelihood is equivariant under linear maps, so
// correlated predictors would give the same predictions.
var effects = []float64{1, 0.8, 0.6, 0.5, 0.4, 0.3, 0, 0, 0, 0}

// trueAUC is the discrimination of the true risk.
const trueAUC = 0.78

// world is a population in which the risk of every patient is known: logit risk =
// intercept + beta x.
type world struct {
	name       string
	n          int
	prevalence float64
	coef       []float64 // intercept first
}

// newWorld solves for the scale of the effects and the intercept that give trueAUC and the
// prevalence.
func newWorld(name string, n int, prevalence float64) *world {
	w := &world{name: name, n: n, prevalence: prevalence}
	lo, hi := 0.0, 5.0
	for range 40 {
		s := (lo + hi) / 2
		w.coef = append([]float64{0}, effects...)
		for j := range effects {
			w.coef[j+1] *= s
		}
		w.coef[0] = bisect(-20, 20, func(a float64) float64 {
			w.coef[0] = a
			return w.risk() - prevalence
		})
		if w.truth(w.coef)[auc] < trueAUC {
			lo = s
		} else {
			hi = s
		}
	}
	return w
}

// bisect finds the root of an increasing function.
func bisect(lo, hi float64, f func(float64) float64) float64 {
	for range 60 {
		if m := (lo + hi) / 2; f(m) < 0 {
			lo = m
		} else {
			hi = m
		}
	}
	return (lo + hi) / 2
}

// sample is a study drawn from a world: design with the intercept column, row-major.
type sample struct {
	n, cols int
	x, y    []float64
	outcome []bool
}

func (w *world) sample(n int, s rng.Stream) *sample {
	r := s.Rand()
	d := &sample{n: n, cols: len(w.coef)}
	d.x, d.y, d.outcome = make([]float64, n*d.cols), make([]float64, n), make([]bool, n)
	for i := range n {
		row := d.x[i*d.cols : (i+1)*d.cols]
		row[0] = 1
		for j := 1; j < d.cols; j++ {
			row[j] = r.NormFloat64()
		}
		if r.Float64() < glm.Expit(dot(row, w.coef)) {
			d.y[i], d.outcome[i] = 1, true
		}
	}
	return d
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func normal(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

// given returns E[Y | model's logit] as a function: the true logit is normal given the
// model's, and the trapezoidal rule on +-8 standard deviations is exact to rounding.
func (w *world) given(model []float64) func(m float64) float64 {
	const step = 0.5
	bb, mm, bm := dot(w.coef[1:], w.coef[1:]), dot(model[1:], model[1:]), dot(w.coef[1:], model[1:])
	ratio := 0.0
	if mm > 0 {
		ratio = bm / mm
	}
	tau := math.Sqrt(math.Max(0, bb-ratio*bm))
	return func(m float64) float64 {
		mu, sum := w.coef[0]+ratio*(m-model[0]), 0.0
		for z := -8.0; z <= 8; z += step {
			sum += step * normal(z) * glm.Expit(mu+tau*z)
		}
		return sum
	}
}

// risk is the mean risk.
func (w *world) risk() float64 {
	return w.given(append([]float64{w.coef[0]}, make([]float64, len(w.coef)-1)...))(w.coef[0])
}

// truth is the value of every metric when the model with these coefficients meets the whole
// population, by integration: the true and the model's logit are bivariate normal.
func (w *world) truth(model []float64) values {
	const step, points = 0.02, 801
	sd := math.Sqrt(dot(model[1:], model[1:]))
	given := w.given(model)
	var v values
	var wt, m, r [points]float64
	sumR, sumP, sumB := 0.0, 0.0, 0.0
	for i := range points {
		z := float64(i-points/2) * step
		wt[i], m[i] = step*normal(z), model[0]+sd*z
		r[i] = given(m[i])
		p := glm.Expit(m[i])
		sumR += wt[i] * r[i]
		sumP += wt[i] * p
		sumB += wt[i] * (p*p - 2*p*r[i] + r[i])
	}
	below := 0.0
	for i := range points {
		f0 := wt[i] * (1 - r[i])
		v[auc] += wt[i] * r[i] * (below + f0/2)
		below += f0
	}
	v[auc] /= sumR * (1 - sumR)
	v[brier], v[oe] = sumB, sumR/sumP
	v[citl] = recalibrate(m[:], r[:], wt[:], 0, 1, false)[0]
	v[slope] = recalibrate(m[:], r[:], wt[:], 0, 1, true)[1]
	v[benefit] = w.benefit(model, sd, given)
	return v
}

// benefit integrates over the patients at or above the threshold by Simpson's rule.
func (w *world) benefit(model []float64, sd float64, given func(float64) float64) float64 {
	const parts = 200
	lo := math.Max(-8, (glm.Logit(threshold)-model[0])/sd)
	if lo > 8 {
		return 0
	}
	h := (8 - lo) / parts
	sum := 0.0
	for i := range parts + 1 {
		k := 2.0
		switch {
		case i == 0 || i == parts:
			k = 1
		case i%2 == 1:
			k = 4
		}
		z := lo + h*float64(i)
		r := given(model[0] + sd*z)
		sum += k * h / 3 * normal(z) * (r - (1-r)*threshold/(1-threshold))
	}
	return sum
}

// simulated is the same by drawing new patients: the check of truth.
func (w *world) simulated(ctx context.Context, model []float64, n, workers int, s rng.Stream) (values, error) {
	const block = 10000
	d := metric.Data{Y: make([]bool, n), P: make([]float64, n)}
	err := par.For(ctx, (n+block-1)/block, workers, func(_ context.Context, b int) error {
		from := b * block
		part := w.sample(min(block, n-from), s.Child("patients", b))
		for i := range part.n {
			d.Y[from+i] = part.outcome[i]
			d.P[from+i] = glm.Expit(dot(part.x[i*part.cols:(i+1)*part.cols], model))
		}
		return nil
	})
	if err != nil {
		return values{}, err
	}
	var v values
	for k, f := range []func(metric.Data, float64) (metric.Estimate, error){
		metric.AUC, metric.Brier, metric.OERatio, metric.CalibrationIntercept, metric.CalibrationSlope,
		func(d metric.Data, level float64) (metric.Estimate, error) {
			return metric.NetBenefit(d, threshold, level)
		},
	} {
		e, err := f(d, level)
		if err != nil {
			return v, err
		}
		v[k] = e.Value
	}
	return v, nil
}
