package tree

import "math"

// Exp and what is built on it are the same bits on every processor: each product is rounded
// before it is added (math.Exp fuses the two where the CPU can), so that trees do not depend
// on the machine that grew them.

const (
	expBits  = 5
	expSteps = 1 << expBits
	// ln 2 in two parts, over the number of table steps. The first has 32 zero bits at its
	// end, so that its product with any k that occurs is exact.
	ln2Hi = 0x1.62e42feep-1 / expSteps
	ln2Lo = 0x1.a39ef35793c76p-33 / expSteps
	// inverse of ln 2, times the number of table steps
	invLn2 = 0x1.71547652b82fep0 * expSteps
	// adding this rounds a float64 to the nearest integer, which is then in the low bits
	shifter = 0x1.8p52
)

// Exp returns e to the power x to within 0.53 units in the last place: 2^(k/32) from a table,
// times a polynomial on [-ln2/64, ln2/64] (Tang 1989, doi:10.1145/63522.214389). NaN gives
// NaN; above 709.782 the result is +Inf, below -708.39 it is 0 (subnormal results are
// flushed).
func Exp(x float64) float64 {
	if !(x < 709 && x >= -708.39) {
		return expEdge(x)
	}
	return expScaled(x, 0)
}

// expEdge is Exp where the result or a step to it is out of range.
func expEdge(x float64) float64 {
	switch {
	case x < -708.39:
		return 0
	case x >= 710:
		return math.Inf(1)
	case x != x:
		return x
	}
	return 2 * expScaled(x, 1)
}

// expScaled returns e to the power x, over 2 to the power down.
func expScaled(x float64, down int64) float64 {
	kd := float64(x*invLn2) + shifter
	ki := int64(math.Float64bits(kd) << 12 >> 12)
	kd -= shifter
	r := (x - float64(kd*ln2Hi)) - float64(kd*ln2Lo)
	r2 := float64(r * r)
	// Taylor: the first term left out, r^7/5040, is below 2^-57 here.
	p := float64(r2*(1.0/2+float64(r*(1.0/6)))) +
		float64(float64(r2*r2)*(1.0/24+float64(r*(1.0/120+float64(r*(1.0/720))))))
	t := &expTable[ki&(expSteps-1)]
	s := math.Float64frombits(math.Float64bits(t.hi) + uint64(ki>>expBits-down)<<52)
	// t.lo is the relative rounding error of t.hi.
	return s + float64(s*(t.lo+(r+p)))
}

// Sigmoid returns 1/(1+e^-x), without overflow for any x. NaN gives NaN.
func Sigmoid(x float64) float64 {
	u := math.Float64bits(x)
	minus := math.Float64frombits(u | 1<<63)
	var e float64
	if minus >= -708.39 {
		e = expScaled(minus, 0)
	} else {
		e = Exp(minus)
	}
	// The numerator is e^x below 0 and 1 from there on; chosen by mask, because the sign is a
	// branch that cannot be predicted.
	negative := uint64(int64(u) >> 63)
	return math.Float64frombits(math.Float64bits(e)&negative|math.Float64bits(1)&^negative) / (1 + e)
}

// LogLossGradient returns the first and second derivative of the log loss at margin x for an
// outcome y in [0, 1] and a weight: weight*(p-y) and weight*p*(1-p), the latter at least
// 1e-16 times the weight as in XGBoost's binary:logistic.
func LogLossGradient(x, y, weight float64) (g, h float64) {
	p := Sigmoid(x)
	return weight * (p - y), weight * max(float64(p*(1-p)), 1e-16)
}
