package treeshap

import "math"

// nodes4 is four points of a quadrature rule on [0, 1]: positions, one minus them, weights.
type nodes4 struct{ t, u, w [4]float64 }

// gauss returns the Gauss-Legendre rule on [0, 1] with n points, n a multiple of 4. It integrates
// polynomials up to degree 2n-1 exactly. The roots are found by Newton's method on the
// three-term recurrence (Abramowitz and Stegun 1964, 22.7.10 and 25.4.29), without library
// functions whose last bit depends on the processor.
func gauss(n int) []nodes4 {
	rule := make([]nodes4, n/4)
	for i := range n / 2 {
		// Tricomi's first guess, to about 1e-3.
		z := cosine(math.Pi * (float64(i) + 0.75) / (float64(n) + 0.5))
		for range 20 {
			value, slope := legendre(n, z)
			step := value / slope
			z -= step
			if math.Abs(step) < 1e-15 {
				break
			}
		}
		_, slope := legendre(n, z)
		s := 1 - float64(z*z)
		w := 1 / (s * slope * slope) // half of the weight on [-1, 1]
		low, high := (1-z)/2, (1+z)/2
		k := n - 1 - i
		rule[i/4].t[i%4], rule[i/4].u[i%4], rule[i/4].w[i%4] = low, high, w
		rule[k/4].t[k%4], rule[k/4].u[k%4], rule[k/4].w[k%4] = high, low, w
	}
	return rule
}

// legendre returns the Legendre polynomial of degree n and its slope at z in (-1, 1).
func legendre(n int, z float64) (value, slope float64) {
	before, p := 1.0, z
	for k := 2; k <= n; k++ {
		f := float64(k)
		before, p = p, (float64((2*f-1)*z*p)-float64((f-1)*before))/f
	}
	return p, float64(n) * (float64(z*p) - before) / (float64(z*z) - 1)
}

// cosine returns cos(x) for x in [0, pi/2] to about 1e-9, by the series.
func cosine(x float64) float64 {
	y := x * x
	sum, term := 1.0, 1.0
	for k := 2.0; k <= 16; k += 2 {
		term = float64(term * (-y / (k * (k - 1))))
		sum += term
	}
	return sum
}
