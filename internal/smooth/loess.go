package smooth

import "math"

// Loess is a local polynomial regression with tricube weights: Cleveland and Devlin,
// "Locally weighted regression", JASA 1988;83:596-610, doi:10.1080/01621459.1988.10478639,
// as R's loess(family="gaussian", surface="direct").
//
// The neighbourhood of q holds the span share of the rows nearest to it: the bandwidth is
// the distance to row number floor(n*span + 1e-5), n the sum of the weights (the floor is
// left out when weights are not whole numbers, so that weight 2 always equals the row
// twice). R itself does not count weights into the neighbourhood.
type Loess struct {
	pts    Points
	degree int
	mass   float64   // rows in a neighbourhood
	span   float64   // as given
	cum    []float64 // cum[i] = weight of points before i
	buf    []float64 // kernel weights of the current window
}

// NewLoess prepares a fit of degree 0, 1 or 2 with span in (0, 1]. ErrTooFew unless there
// are more than degree distinct abscissas. Not safe for concurrent use.
func NewLoess(p Points, span float64, degree int) (*Loess, error) {
	if len(p.X) <= degree || degree < 0 || degree > 2 || !(span > 0 && span <= 1) {
		return nil, ErrTooFew
	}
	l := &Loess{pts: p, degree: degree, span: span, cum: make([]float64, len(p.X)+1), buf: make([]float64, len(p.X))}
	for i, n := range p.N {
		l.cum[i+1] = l.cum[i] + n
	}
	total := l.cum[len(p.X)]
	l.mass = total * span
	if p.whole {
		l.mass = math.Floor(total*span + 1e-5)
		if l.mass < 1 {
			return nil, ErrTooFew
		}
	}
	return l, nil
}

// window returns the points [lo, hi) within the bandwidth h of q: the smallest distance that
// reaches the wanted mass. The search starts at from and may start at next for a larger q.
func (l *Loess) window(q float64, from int) (lo, hi, next int, h float64) {
	x, m := l.pts.X, len(l.pts.X)
	lo = from
	for hi = lo; hi < m && l.cum[hi]-l.cum[lo] < l.mass-1e-9; hi++ {
	}
	for {
		// Drop the leftmost point while the window without it, extended on the right as
		// far as needed, is nearer.
		nlo, nhi := lo+1, hi
		for nhi < m && l.cum[nhi]-l.cum[nlo] < l.mass-1e-9 {
			nhi++
		}
		if nlo >= m || l.cum[nhi]-l.cum[nlo] < l.mass-1e-9 {
			break
		}
		if math.Max(q-x[lo], x[hi-1]-q) < math.Max(q-x[nlo], x[nhi-1]-q) {
			break
		}
		lo, hi = nlo, nhi
	}
	h, next = math.Max(q-x[lo], x[hi-1]-q), lo
	for lo > 0 && q-x[lo-1] <= h {
		lo--
	}
	for hi < m && x[hi]-q <= h {
		hi++
	}
	return lo, hi, next, h
}

// local holds the weighted moments of one neighbourhood about their centre.
type local struct {
	lo, hi     int
	inv        float64 // 1/bandwidth; u = (x-q)*inv
	w          float64 // sum of weights
	centre     float64 // weighted mean of u
	c2, c3, d2 float64 // moments of v = u-centre; squared norm of the quadratic
	ybar       float64
	b1, b2     float64 // coefficients on v and on the quadratic v^2 - (c3/c2) v - c2/w
}

// rank tolerance on squared norms relative to the raw moment; below it a direction is
// treated as absent and the degree falls.
const rankTol = 1e-12

func (l *Loess) solve(q float64, lo, hi int, h float64) local {
	f := local{lo: lo, hi: hi}
	if h <= 0 { // all the mass sits on one abscissa
		f.w, f.ybar = l.pts.N[lo], l.pts.Y[lo]
		l.buf[0] = f.w
		return f
	}
	f.inv = 1 / h
	x, y, n := l.pts.X[lo:hi], l.pts.Y[lo:hi], l.pts.N[lo:hi]
	buf := l.buf[:len(x)]
	var wy, wu float64
	for i, xi := range x {
		u := (xi - q) * f.inv
		t := max(1-math.Abs(u*u*u), 0)
		t = t * t * t * n[i]
		buf[i] = t
		f.w += t
		wu += t * u
		wy += t * y[i]
	}
	f.centre, f.ybar = wu/f.w, wy/f.w
	if l.degree == 0 {
		return f
	}
	var c2, c3, c4, y1, y2 float64
	for i, xi := range x {
		v := (xi-q)*f.inv - f.centre
		tv := buf[i] * v
		tv2 := tv * v
		r := y[i] - f.ybar
		c2 += tv2
		c3 += tv2 * v
		c4 += tv2 * v * v
		y1 += tv * r
		y2 += tv2 * r
	}
	f.c2, f.c3 = c2, c3
	if c2 <= rankTol*f.w {
		f.c2 = 0
		return f
	}
	f.b1 = y1 / c2
	if l.degree == 1 {
		return f
	}
	k := c3 / c2
	f.d2 = c4 - c3*k - c2*c2/f.w
	num := y2 - k*y1
	if f.d2 < 1e-3*c4 { // cancellation: sum the squares themselves
		f.d2, num = 0, 0
		for i, xi := range x {
			v := (xi-q)*f.inv - f.centre
			e := v*v - k*v - c2/f.w
			f.d2 += buf[i] * e * e
			num += buf[i] * e * (y[i] - f.ybar - f.b1*v)
		}
	}
	if f.d2 <= rankTol*c4 {
		f.d2 = 0
		return f
	}
	f.b2 = num / f.d2
	return f
}

// value and slope of the local polynomial at u = 0.
func (f local) value() float64 {
	s := f.ybar
	if f.c2 > 0 {
		v := -f.centre
		s += f.b1 * v
		if f.d2 > 0 {
			s += f.b2 * (v*v - f.c3/f.c2*v - f.c2/f.w)
		}
	}
	return s
}

func (f local) slope() float64 {
	if f.c2 <= 0 {
		return 0
	}
	g := f.b1
	if f.d2 > 0 {
		g += f.b2 * (-2*f.centre - f.c3/f.c2)
	}
	return g * f.inv
}

// Fitted returns the curve at every distinct abscissa, in order: one moving window,
// O(len(X)^2 * span).
func (l *Loess) Fitted() []float64 {
	out := make([]float64, len(l.pts.X))
	from := 0
	for i, q := range l.pts.X {
		lo, hi, next, h := l.window(q, from)
		from = next
		out[i] = l.solve(q, lo, hi, h).value()
	}
	return out
}

// At returns value and slope of the curve at q. Outside the data it extrapolates the local
// polynomial, as R's direct surface does.
func (l *Loess) At(q float64) (value, slope float64) {
	lo, hi, _, h := l.window(q, 0)
	f := l.solve(q, lo, hi, h)
	return f.value(), f.slope()
}

// Variance returns the variance of the curve at q when point i has mean m[i] (clipped to
// [0, 1]) and binomial variance: sum over rows of l_r(q)^2 m(1-m), l the smoother's weights. sq[i] is the
// sum of squared row weights at point i; nil means N (unweighted rows).
func (l *Loess) Variance(q float64, m, sq []float64) float64 {
	lo, hi, _, h := l.window(q, 0)
	f := l.solve(q, lo, hi, h)
	var s float64
	for i := f.lo; i < f.hi; i++ {
		lw := l.buf[i-f.lo] / l.pts.N[i] // kernel weight of one unit of row weight
		g := 1 / f.w
		if f.c2 > 0 {
			v := (l.pts.X[i]-q)*f.inv - f.centre
			g += v * -f.centre / f.c2
			if f.d2 > 0 {
				k := f.c3 / f.c2
				at := f.centre*f.centre + k*f.centre - f.c2/f.w
				g += (v*v - k*v - f.c2/f.w) * at / f.d2
			}
		}
		lw *= g
		n := l.pts.N[i]
		if sq != nil {
			n = sq[i]
		}
		mi := math.Min(math.Max(m[i], 0), 1)
		s += lw * lw * n * mi * (1 - mi)
		if h <= 0 {
			break
		}
	}
	return s
}
