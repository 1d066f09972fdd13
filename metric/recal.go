package metric

import (
	"context"
	"math"

	"dolor/diag"
	"dolor/internal/par"
)

// logitClip is how near 0 or 1 a probability may be before its logit is bounded; the value
// of val.prob.ci.2 in the CalibrationCurves package (Van Calster and others 2016).
const logitClip = 1e-8

// recal is the logistic regression of the outcome on logit p: two parameters a + b logit p.
type recal struct {
	z, y    []float64 // logit p and the outcome as a number
	w       []float64 // nil means 1
	clipped int
}

// chunk is the number of rows summed at a time; fixed, so that sums do not depend on workers.
const chunk = 1 << 14

func newRecal(d Data) *recal {
	r := &recal{z: make([]float64, len(d.P)), y: make([]float64, len(d.P)), w: d.W}
	clipped := make([]int, (len(d.P)+chunk-1)/chunk)
	r.chunks(func(c, lo, hi int) {
		for i := lo; i < hi; i++ {
			p := d.P[i]
			if p < logitClip || p > 1-logitClip {
				p = math.Min(math.Max(p, logitClip), 1-logitClip)
				clipped[c]++
			}
			r.z[i] = math.Log(p / (1 - p))
			r.y[i] = b2f(d.Y[i])
		}
	})
	for _, c := range clipped {
		r.clipped += c
	}
	return r
}

// warnings says how many probabilities were moved.
func (r *recal) warnings() []diag.Warning {
	if r.clipped == 0 {
		return nil
	}
	return []diag.Warning{{
		Code: "probability_clipped", Count: r.clipped,
		Msg: "probabilities within 1e-8 of 0 or 1 were moved to that distance before taking logits",
	}}
}

// note adds the clipping to a method's name.
func (r *recal) note(method string) string {
	if r.clipped > 0 {
		method += "; probabilities within 1e-8 of 0 or 1 moved"
	}
	return method
}

// chunks calls fn for each block of rows, on several workers when there are many.
func (r *recal) chunks(fn func(c, lo, hi int)) {
	n := len(r.z)
	workers := 1
	if n >= 1<<17 {
		workers = 0
	}
	// The body cannot fail and the context is never cancelled.
	_ = par.For(context.Background(), (n+chunk-1)/chunk, workers, func(_ context.Context, c int) error {
		fn(c, c*chunk, min((c+1)*chunk, n))
		return nil
	})
}

// sums are the score, information and, on request, log-likelihood and outer product of
// scores of a + b z.
type sums struct {
	g0, g1, h00, h01, h11, ll, s00, s01, s11 float64
}

func (r *recal) pass(a, b float64, full bool) sums {
	parts := make([]sums, (len(r.z)+chunk-1)/chunk)
	r.chunks(func(c, lo, hi int) {
		var s sums
		for i := lo; i < hi; i++ {
			z, y := r.z[i], r.y[i]
			eta := a + b*z
			t := math.Exp(-math.Abs(eta))
			q := 1 / (1 + t)
			mu := q
			if eta < 0 {
				mu = t * q
			}
			res, v := y-mu, t*q*q
			w := 1.0
			if r.w != nil {
				w = r.w[i]
				res *= w
				v *= w
			}
			s.g0 += res
			s.g1 += res * z
			s.h00 += v
			vz := v * z
			s.h01 += vz
			s.h11 += vz * z
			if full {
				// y eta - log(1+exp eta), without overflow
				s.ll += w * (y*eta - math.Max(eta, 0) - math.Log1p(t))
				if r.w != nil {
					s.s00 += res * res
					s.s01 += res * res * z
					s.s11 += res * res * z * z
				}
			}
		}
		parts[c] = s
	})
	var acc [9]kahan
	for _, p := range parts {
		for k, v := range [9]float64{p.g0, p.g1, p.h00, p.h01, p.h11, p.ll, p.s00, p.s01, p.s11} {
			acc[k].add(v)
		}
	}
	return sums{
		acc[0].sum(), acc[1].sum(), acc[2].sum(), acc[3].sum(), acc[4].sum(),
		acc[5].sum(), acc[6].sum(), acc[7].sum(), acc[8].sum(),
	}
}

// recalFit is a maximum of the likelihood over the free parameters.
type recalFit struct {
	a, b float64
	at   sums // at the maximum, full
	ok   bool // false: no finite maximum, or no information
}

// fit maximises over a (if freeA) and b (if freeB) from the given start: Newton's method, steps
// halved until the slope along the step is no longer much reversed.
func (r *recal) fit(a, b float64, freeA, freeB bool) recalFit {
	step := func(s sums) (da, db float64, ok bool) {
		switch {
		case freeA && freeB:
			det := s.h00*s.h11 - s.h01*s.h01
			if !(det > 1e-14*s.h00*s.h11) {
				return 0, 0, false
			}
			return (s.h11*s.g0 - s.h01*s.g1) / det, (s.h00*s.g1 - s.h01*s.g0) / det, true
		case freeA:
			return s.g0 / s.h00, 0, s.h00 > 0
		default:
			return 0, s.g1 / s.h11, s.h11 > 0
		}
	}
	s := r.pass(a, b, false)
	for range 60 {
		da, db, ok := step(s)
		if !ok {
			return recalFit{a: a, b: b}
		}
		slope := s.g0*da + s.g1*db // twice the predicted gain
		if !(slope > 1e-20*(s.h00+1)) {
			return recalFit{a, b, r.pass(a, b, true), true}
		}
		h := 1.0
		var next sums
		for range 40 {
			next = r.pass(a+h*da, b+h*db, false)
			if next.g0*da+next.g1*db >= -0.5*slope {
				break
			}
			h /= 2
		}
		a, b, s = a+h*da, b+h*db, next
		if math.Abs(a) > 1e4 || math.Abs(b) > 1e4 {
			return recalFit{a: a, b: b}
		}
		if h == 1 && slope < 1e-22*(s.h00+1) {
			break
		}
	}
	// Rounding of the score can keep the decrement above its bound; near enough is converged.
	da, db, ok := step(s)
	if !ok || s.g0*da+s.g1*db > 1e-12*(s.h00+1) {
		return recalFit{a: a, b: b}
	}
	return recalFit{a, b, r.pass(a, b, true), true}
}

// profileLimits inverts the likelihood-ratio test of one parameter: the two points at which
// ll drops by q/2 from the maximum. at(v) gives the log-likelihood maximised over the other
// parameter. se sets the first step. NaN for an end that cannot be bracketed.
func profileLimits(best, llmax, se, q float64, at func(v float64) float64) (lower, upper float64) {
	end := func(sign float64) float64 {
		f := func(k float64) float64 { return llmax - at(best+sign*k*se) - q/2 }
		lo, flo := 0.0, -q/2
		hi := math.Sqrt(q)
		fhi := f(hi)
		for range 60 {
			if fhi >= 0 {
				break
			}
			if math.IsNaN(fhi) {
				return math.NaN()
			}
			lo, flo = hi, fhi
			hi *= 1.5
			fhi = f(hi)
		}
		if !(fhi >= 0) {
			return math.NaN()
		}
		// Illinois variant of the secant method on sqrt-like ground.
		side := 0
		for range 100 {
			m := (lo*fhi - hi*flo) / (fhi - flo)
			if hi-lo < 1e-13*hi {
				break
			}
			fm := f(m)
			if math.Abs(fm) < 1e-13*(1+math.Abs(llmax)*1e-3) {
				return best + sign*m*se
			}
			if fm > 0 {
				hi, fhi = m, fm
				if side == 1 {
					flo /= 2
				}
				side = 1
			} else {
				lo, flo = m, fm
				if side == -1 {
					fhi /= 2
				}
				side = -1
			}
		}
		return best + sign*(lo*fhi-hi*flo)/(fhi-flo)*se
	}
	return end(-1), end(1)
}
