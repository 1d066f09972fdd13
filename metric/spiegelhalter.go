package metric

import "math"

// Spiegelhalter tests calibration by the Brier score's expected part: z = sum w (y-p)(1-2p) /
// sqrt(sum w^2 (1-2p)^2 p(1-p)), standard normal when the probabilities are right
// (Spiegelhalter, "Probabilistic prediction in patient management and clinical trials",
// Statistics in Medicine 1986;5:421-433, doi:10.1002/sim.4780050506). p is two-sided. NaN when the
// variance is 0 (every p is 0, 0.5 or 1).
func Spiegelhalter(d Data) (z, p float64, err error) {
	if err := d.Check(); err != nil {
		return math.NaN(), math.NaN(), err
	}
	var num, den kahan
	for i, q := range d.P {
		w := d.Weight(i)
		num.add(w * (b2f(d.Y[i]) - q) * (1 - 2*q))
		den.add(w * w * (1 - 2*q) * (1 - 2*q) * q * (1 - q))
	}
	if !(den.sum() > 0) {
		return math.NaN(), math.NaN(), nil
	}
	z = num.sum() / math.Sqrt(den.sum())
	return z, calP(z), nil
}
