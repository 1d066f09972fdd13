package smooth

import (
	"math"
	"slices"
)

// Lowess is Cleveland's robust locally weighted regression of degree 1: "Robust locally
// weighted regression and smoothing scatterplots", JASA 1979;74:829-836,
// doi:10.1080/01621459.1979.10481038, following clowess of R (netlib's lowess). x must be
// increasing (ties allowed), f is the share of points in a neighbourhood, iter the number of
// robustness passes and delta the distance within which values are interpolated; negative
// delta means R's default, 1% of the range. It returns the fitted value of every point.
func Lowess(x, y []float64, f float64, iter int, delta float64) []float64 {
	n := len(x)
	if n == 0 {
		return nil
	}
	if n < 2 {
		return []float64{y[0]}
	}
	if delta < 0 {
		delta = 0.01 * (x[n-1] - x[0])
	}
	ns := max(2, min(n, int(f*float64(n)+1e-7)))
	ys := make([]float64, n)
	w, rw, res := make([]float64, n), make([]float64, n), make([]float64, n)
	for pass := 0; pass <= iter; pass++ {
		nleft, nright, last, i := 0, ns-1, -1, 0
		for {
			for nright < n-1 && x[i]-x[nleft] > x[nright+1]-x[i] {
				nleft++
				nright++
			}
			v, ok := lowest(x, y, x[i], nleft, nright, w, rw, pass > 0)
			if !ok {
				v = y[i]
			}
			ys[i] = v
			if last < i-1 { // points skipped because close: on the line
				denom := x[i] - x[last]
				for j := last + 1; j < i; j++ {
					alpha := (x[j] - x[last]) / denom
					ys[j] = alpha*ys[i] + (1-alpha)*ys[last]
				}
			}
			last = i
			cut := x[last] + delta
			for i = last + 1; i < n; i++ {
				if x[i] > cut {
					break
				}
				if x[i] == x[last] {
					ys[i] = ys[last]
					last = i
				}
			}
			i = max(last+1, i-1)
			if last >= n-1 {
				break
			}
		}
		if pass == iter {
			break
		}
		var mean float64
		for i := range res {
			res[i] = y[i] - ys[i]
			mean += math.Abs(res[i]) / float64(n)
			rw[i] = math.Abs(res[i])
		}
		s := slices.Clone(rw)
		slices.Sort(s)
		cmad := 3 * (s[n/2] + s[(n-1)/2])
		if cmad < 1e-7*mean {
			break
		}
		for i, r := range res {
			switch a := math.Abs(r); {
			case a <= 0.001*cmad:
				rw[i] = 1
			case a <= 0.999*cmad:
				u := 1 - (a/cmad)*(a/cmad)
				rw[i] = u * u
			default:
				rw[i] = 0
			}
		}
	}
	return ys
}

// lowest fits the line at xs over [nleft, nright] and beyond while tied.
func lowest(x, y []float64, xs float64, nleft, nright int, w, rw []float64, robust bool) (float64, bool) {
	n := len(x)
	span := x[n-1] - x[0]
	h := math.Max(xs-x[nleft], x[nright]-xs)
	h9, h1 := 0.999*h, 0.001*h
	var a float64
	j := nleft
	for ; j < n; j++ {
		w[j] = 0
		r := math.Abs(x[j] - xs)
		if r <= h9 {
			if r <= h1 {
				w[j] = 1
			} else {
				u := r / h
				u = 1 - u*u*u
				w[j] = u * u * u
			}
			if robust {
				w[j] *= rw[j]
			}
			a += w[j]
		} else if x[j] > xs {
			break
		}
	}
	nrt := j
	if a <= 0 {
		return 0, false
	}
	var centre float64
	for j := nleft; j < nrt; j++ {
		w[j] /= a
		centre += w[j] * x[j]
	}
	if h > 0 {
		b := xs - centre
		var c float64
		for j := nleft; j < nrt; j++ {
			c += w[j] * (x[j] - centre) * (x[j] - centre)
		}
		if math.Sqrt(c) > 0.001*span {
			b /= c
			for j := nleft; j < nrt; j++ {
				w[j] *= b*(x[j]-centre) + 1
			}
		}
	}
	var s float64
	for j := nleft; j < nrt; j++ {
		s += w[j] * y[j]
	}
	return s, true
}
