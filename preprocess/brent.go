package preprocess

import "math"

// minimise finds a local minimum of f near [a, b] to a relative 1e-10: the interval is
// widened downhill by the golden ratio until it holds a minimum, then Brent's method closes
// in (Algorithms for Minimization without Derivatives, 1973, chapter 5). f may return +Inf.
func minimise(f func(float64) float64, a, b float64) float64 {
	const golden = 1.618033988749895
	fa, fb := f(a), f(b)
	if fa < fb {
		a, b, fb = b, a, fa
	}
	c := b + golden*(b-a)
	fc := f(c)
	for i := 0; fc < fb && i < 60; i++ {
		a, b, fb = b, c, fc
		c = b + golden*(b-a)
		fc = f(c)
	}
	return brent(f, math.Min(a, c), b, math.Max(a, c))
}

// brent minimises f on [a, b] starting at x inside.
func brent(f func(float64) float64, a, x, b float64) float64 {
	const cgold, tol = 0.3819660112501051, 1e-10
	w, v := x, x
	fx := f(x)
	fw, fv := fx, fx
	var d, e float64
	for range 500 {
		mid := (a + b) / 2
		tol1 := tol*math.Abs(x) + 1e-11
		if math.Abs(x-mid) <= 2*tol1-(b-a)/2 {
			break
		}
		parabola := false
		if math.Abs(e) > tol1 {
			r := (x - w) * (fx - fv)
			q := (x - v) * (fx - fw)
			p := (x-v)*q - (x-w)*r
			q = 2 * (q - r)
			if q > 0 {
				p = -p
			}
			q = math.Abs(q)
			old := e
			e = d
			if math.Abs(p) < math.Abs(q*old/2) && p > q*(a-x) && p < q*(b-x) {
				parabola = true
				d = p / q
				if u := x + d; u-a < 2*tol1 || b-u < 2*tol1 {
					d = math.Copysign(tol1, mid-x)
				}
			}
		}
		if !parabola {
			e = b - x
			if x >= mid {
				e = a - x
			}
			d = cgold * e
		}
		u := x + d
		if math.Abs(d) < tol1 {
			u = x + math.Copysign(tol1, d)
		}
		fu := f(u)
		if fu <= fx {
			if u >= x {
				a = x
			} else {
				b = x
			}
			v, fv, w, fw, x, fx = w, fw, x, fx, u, fu
			continue
		}
		if u < x {
			a = u
		} else {
			b = u
		}
		switch {
		case fu <= fw || w == x:
			v, fv, w, fw = w, fw, u, fu
		case fu <= fv || v == x || v == w:
			v, fv = u, fu
		}
	}
	return x
}
