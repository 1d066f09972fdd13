package gbm

import (
	"context"
	"math"

	"dolor/internal/par"
	"dolor/internal/tree"
)

// objective is the weighted log loss of some rows, as XGBoost's binary:logistic computes it:
// margins and derivatives are float32. Exponential and logarithm are the same bits on every
// processor, because they decide splits and where boosting stops.
type objective struct {
	y []bool
	w []float32 // nil: 1 each
}

// chunk is the number of rows of one task.
const chunk = 1 << 14

// derivatives fills grad with w (p - y) and hess with w max(p (1 - p), 1e-16).
func (o *objective) derivatives(ctx context.Context, margin, grad, hess []float32, workers int) error {
	tasks := (len(margin) + chunk - 1) / chunk
	return par.For(ctx, tasks, workers, func(_ context.Context, k int) error {
		o.part(margin, grad, hess, k*chunk, min(len(margin), (k+1)*chunk))
		return nil
	})
}

// part is derivatives for the rows from lo to hi.
func (o *objective) part(margin, grad, hess []float32, lo, hi int) {
	for i := lo; i < hi; i++ {
		m := margin[i]
		p := float32(tree.Sigmoid(float64(m)))
		g, h := p, max(float32(p*(1-p)), 1e-16)
		if o.y[i] {
			g = p - 1
		}
		if o.w != nil {
			g *= o.w[i]
			h *= o.w[i]
		}
		grad[i], hess[i] = g, h
	}
}

// loss returns the weighted mean log loss.
func (o *objective) loss(margin []float32) float64 {
	var sum, total float64
	for i, m := range margin {
		w, x := 1.0, float64(m)
		if o.w != nil {
			w = float64(o.w[i])
		}
		if o.y[i] {
			x = -x
		}
		// log(1 + e^x) without overflow
		sum += float64(w * (max(x, 0) + logOf(1+tree.Exp(-math.Abs(x)))))
		total += w
	}
	return sum / total
}

// rate returns the probability p for which the weighted sum of p_i - y_i is 0, where p_i has the
// log-odds of p plus the offset of row i: the weighted prevalence when offset is nil.
func (o *objective) rate(offset []float64) float64 {
	var with, total float64
	for i, y := range o.y {
		w := 1.0
		if o.w != nil {
			w = float64(o.w[i])
		}
		total += w
		if y {
			with += w
		}
	}
	p := with / total
	if offset == nil {
		return p
	}
	// The sum rises with the intercept b and both classes are there, so it has one zero; it
	// lies where all offsets together would put it, and bisection needs no derivative.
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range offset {
		lo, hi = min(lo, v), max(hi, v)
	}
	logit := logOf(p) - logOf(1-p)
	lo, hi = logit-hi, logit-lo
	for range 100 {
		b := lo + (hi-lo)/2
		var sum float64
		for i, v := range offset {
			w := 1.0
			if o.w != nil {
				w = float64(o.w[i])
			}
			sum += float64(w * tree.Sigmoid(b+v))
		}
		if sum < with {
			lo = b
		} else {
			hi = b
		}
	}
	return tree.Sigmoid(lo + (hi-lo)/2)
}

// logOf is the natural logarithm of x > 0 to about 1e-15, the same bits on every processor
// (math.Log is compiled to fused operations where the target has them).
func logOf(x float64) float64 {
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f, e = 2*f, e-1
	}
	// log f = 2 artanh s; |s| <= 0.172, so the terms fall by 0.0295 each.
	s := (f - 1) / (f + 1)
	z := s * s
	sum := 0.0
	for k := 23; k >= 3; k -= 2 {
		sum = float64(z * (1/float64(k) + sum))
	}
	return float64(float64(e)*math.Ln2) + float64(2*s*(1+sum))
}
