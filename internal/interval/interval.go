// Package interval holds confidence intervals for a proportion, for the difference of two, and
// the quantiles they need.
//
// Each function takes the number of events x out of n (either may be fractional, as with
// effective sample sizes) and the level, e.g. 0.95, and returns the two limits. They return
// NaN when n is not positive, x lies outside [0, n] or the level outside (0, 1). All are pure.
package interval

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Z returns the two-sided standard normal quantile of level: 1.959963984540054 for 0.95.
// NaN when level is outside (0, 1).
func Z(level float64) float64 {
	if !(level > 0 && level < 1) {
		return math.NaN()
	}
	return -distuv.UnitNormal.Quantile((1 - level) / 2)
}

// Wald returns x/n -+ z sqrt(p(1-p)/n), not clipped. It is known to be poor near 0 and 1 and
// is here for comparison.
func Wald(x, n, level float64) (lower, upper float64) {
	if !valid(x, n, level) {
		return math.NaN(), math.NaN()
	}
	p := x / n
	h := Z(level) * math.Sqrt(p*(1-p)/n)
	return p - h, p + h
}

// Wilson returns the score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953), clipped
// to [0, 1].
func Wilson(x, n, level float64) (lower, upper float64) {
	if !valid(x, n, level) {
		return math.NaN(), math.NaN()
	}
	p, z := x/n, Z(level)
	z2 := z * z
	mid := p + z2/(2*n)
	h := z * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	lower, upper = (mid-h)/(1+z2/n), (mid+h)/(1+z2/n)
	if x == 0 {
		lower = 0
	}
	if x == n {
		upper = 1
	}
	return max(0, lower), min(1, upper)
}

// WilsonContinuity returns the continuity-corrected score interval of Newcombe 1998, method 4
// (doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E).
func WilsonContinuity(x, n, level float64) (lower, upper float64) {
	if !valid(x, n, level) {
		return math.NaN(), math.NaN()
	}
	p, z := x/n, Z(level)
	z2 := z * z
	den := 2 * (n + z2)
	if x > 0 {
		lower = max(0, (2*n*p+z2-1-z*math.Sqrt(max(0, z2-2-1/n+4*p*(n*(1-p)+1))))/den)
	}
	upper = 1
	if x < n {
		upper = min(1, (2*n*p+z2+1+z*math.Sqrt(max(0, z2+2-1/n+4*p*(n*(1-p)-1))))/den)
	}
	return lower, upper
}

// WilsonPropTest returns the variant of R's prop.test, whose correction is
// min(0.5, |x - n/2|) and so vanishes at one half.
func WilsonPropTest(x, n, level float64) (lower, upper float64) {
	if !valid(x, n, level) {
		return math.NaN(), math.NaN()
	}
	p, z := x/n, Z(level)
	c := min(0.5, math.Abs(x-n/2)) / n
	a := z * z / (2 * n)
	upper = 1
	if q := p + c; q < 1 {
		upper = min(1, (q+a+z*math.Sqrt(q*(1-q)/n+a/(2*n)))/(1+2*a))
	}
	if q := p - c; q > 0 {
		lower = max(0, (q+a-z*math.Sqrt(q*(1-q)/n+a/(2*n)))/(1+2*a))
	}
	return lower, upper
}

// ClopperPearson returns the exact interval (Clopper and Pearson 1934,
// doi:10.1093/biomet/26.4.404), from beta quantiles. It never covers less than level.
func ClopperPearson(x, n, level float64) (lower, upper float64) {
	if !valid(x, n, level) {
		return math.NaN(), math.NaN()
	}
	a := (1 - level) / 2
	upper = 1
	if x > 0 {
		lower = BetaQuantile(a, x, n-x+1)
	}
	if x < n {
		upper = 1 - BetaQuantile(a, n-x, x+1)
	}
	return lower, upper
}

// AgrestiCoull returns the Wald interval of (x + z^2/2)/(n + z^2), not clipped (Agresti and
// Coull 1998, doi:10.1080/00031305.1998.10480550).
func AgrestiCoull(x, n, level float64) (lower, upper float64) {
	if !valid(x, n, level) {
		return math.NaN(), math.NaN()
	}
	z := Z(level)
	return Wald(x+z*z/2, n+z*z, level)
}

// AgrestiCoullClipped is AgrestiCoull kept within [0, 1].
func AgrestiCoullClipped(x, n, level float64) (lower, upper float64) {
	l, u := AgrestiCoull(x, n, level)
	return max(0, l), min(1, u)
}

// Jeffreys returns the equal-tailed credible interval under the Beta(1/2, 1/2) prior (Brown,
// Cai and DasGupta 2001, doi:10.1214/ss/1009213286).
func Jeffreys(x, n, level float64) (lower, upper float64) {
	if !valid(x, n, level) {
		return math.NaN(), math.NaN()
	}
	a := (1 - level) / 2
	return BetaQuantile(a, x+0.5, n-x+0.5), 1 - BetaQuantile(a, n-x+0.5, x+0.5)
}

// JeffreysModified is Jeffreys with the lower limit 0 when x = 0 and the upper limit 1 when
// x = n.
func JeffreysModified(x, n, level float64) (lower, upper float64) {
	lower, upper = Jeffreys(x, n, level)
	if x == 0 && n > 0 {
		lower = 0
	}
	if x == n && n > 0 {
		upper = 1
	}
	return lower, upper
}

// NewcombeDifference returns the interval of x1/n1 - x2/n2 for two independent samples that
// combines their Wilson limits (Newcombe 1998, method 10,
// doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I).
func NewcombeDifference(x1, n1, x2, n2, level float64) (lower, upper float64) {
	l1, u1 := Wilson(x1, n1, level)
	l2, u2 := Wilson(x2, n2, level)
	p1, p2 := x1/n1, x2/n2
	d := p1 - p2
	return d - math.Hypot(p1-l1, u2-p2), d + math.Hypot(u1-p1, p2-l2)
}

// BetaQuantile returns the q-quantile of the Beta(a, b) distribution to about 1e-14
// relative, by Newton steps kept inside a shrinking bracket. NaN unless 0 <= q <= 1, a > 0
// and b > 0.
func BetaQuantile(q, a, b float64) float64 {
	switch {
	case !(q >= 0 && q <= 1) || !(a > 0) || !(b > 0):
		return math.NaN()
	case q == 0:
		return 0
	case q == 1:
		return 1
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	lo, hi := 0.0, 1.0
	x := a / (a + b)
	for range 400 {
		f := mathext.RegIncBeta(a, b, x) - q
		if f == 0 {
			return x
		}
		if f > 0 {
			hi = x
		} else {
			lo = x
		}
		density := math.Exp((a-1)*math.Log(x) + (b-1)*math.Log1p(-x) + lab - la - lb)
		next := x - f/density
		if !(next > lo && next < hi) {
			next = lo + (hi-lo)/2
			if lo == 0 && hi < 1e-3 {
				next = hi / 16 // a small quantile is reached faster on the log scale
			}
		}
		if math.Abs(next-x) <= 1e-15*x || hi-lo <= 1e-16*hi {
			return next
		}
		x = next
	}
	return x
}

func valid(x, n, level float64) bool {
	return n > 0 && x >= 0 && x <= n && level > 0 && level < 1
}
