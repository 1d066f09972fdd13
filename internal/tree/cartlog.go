package tree

import "math"

// logTable is how many values of x log x are kept; half a megabyte, which a cache holds.
const logTable = 1 << 16

// xlogx is x log x for the entropy of nodes. It uses neither the processor's fused
// multiply-add nor math.Log, so that a split is the same on every machine.
type xlogx []float64

// newXlogx tabulates the integers up to most.
func newXlogx(most int64) xlogx {
	t := make(xlogx, min(most+1, logTable))
	for i := 1; i < len(t); i++ {
		t[i] = float64(float64(i) * ln(float64(i)))
	}
	return t
}

// at returns x log x of a whole number x of at least 0.
func (t xlogx) at(x float64) float64 {
	if x < float64(len(t)) {
		return t[int(x)]
	}
	return float64(x * ln(x))
}

// ln is the natural logarithm of a finite x > 0, within 2 units in the last place near 1 and
// 1 elsewhere: log(m) = 2 atanh((m-1)/(m+1)) by its series for m in [sqrt(1/2), sqrt(2)).
func ln(x float64) float64 {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	s := (m - 1) / (m + 1)
	z := float64(s * s)
	sum := 0.0
	for k := 23; k >= 3; k -= 2 { // z < 0.0295, so that the first term left out is below 1e-19
		sum = float64((sum + 1/float64(k)) * z)
	}
	return float64(float64(e)*math.Ln2) + float64(float64(2*s)*(1+sum))
}
