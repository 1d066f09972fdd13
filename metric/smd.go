package metric

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// SMDContinuous returns the standardised difference of means, (mean a - mean b)/sqrt((var a +
// var b)/2), NaN values left out (Austin 2009, doi:10.1002/sim.3697). NaN with fewer than two
// values in a group; 0 when all values are equal.
func SMDContinuous(a, b []float64) float64 {
	ma, va, na := definedMoments(a)
	mb, vb, nb := definedMoments(b)
	if na < 2 || nb < 2 {
		return math.NaN()
	}
	return standardDifference(ma-mb, math.Sqrt((va+vb)/2))
}

// CohenD returns the difference over the pooled standard deviation, and Hedges' g, which
// multiplies it by 1 - 3/(4(n1+n2) - 9).
func CohenD(a, b []float64) (d, g float64) {
	ma, va, na := definedMoments(a)
	mb, vb, nb := definedMoments(b)
	if na < 2 || nb < 2 {
		return math.NaN(), math.NaN()
	}
	pooled := math.Sqrt(((na-1)*va + (nb-1)*vb) / (na + nb - 2))
	d = standardDifference(ma-mb, pooled)
	return d, d * (1 - 3/(4*(na+nb)-9))
}

// SMDBinary returns the standardised difference of two proportions, (pa - pb)/sqrt((pa(1-pa) +
// pb(1-pb))/2).
func SMDBinary(pa, pb float64) float64 {
	return standardDifference(pa-pb, math.Sqrt((pa*(1-pa)+pb*(1-pb))/2))
}

// SMDCategorical returns the multivariate standardised distance of two sets of shares over the
// same levels (Yang and Dalton 2012, SAS Global Forum paper 335): sqrt(d' S^-1 d) with the
// first level dropped and S the mean of the two multinomial covariances. Which level is
// dropped does not matter. Levels empty in both groups are left out. NaN when the lengths
// differ or the groups share no level, so that S is singular.
func SMDCategorical(pa, pb []float64) float64 {
	if len(pa) != len(pb) {
		return math.NaN()
	}
	var a, b []float64
	for i := range pa {
		if pa[i] > 0 || pb[i] > 0 {
			a, b = append(a, pa[i]), append(b, pb[i])
		}
	}
	k := len(a) - 1
	if k < 0 {
		return math.NaN()
	}
	if k == 0 {
		return 0
	}
	d, s := mat.NewVecDense(k, nil), mat.NewSymDense(k, nil)
	for i := range k {
		d.SetVec(i, a[i+1]-b[i+1])
		for j := i; j < k; j++ {
			v := -(a[i+1]*a[j+1] + b[i+1]*b[j+1]) / 2
			if i == j {
				v += (a[i+1] + b[i+1]) / 2
			}
			s.SetSym(i, j, v)
		}
	}
	var c mat.Cholesky
	if !c.Factorize(s) || c.Cond() > 1e14 {
		return math.NaN()
	}
	var x mat.VecDense
	if c.SolveVecTo(&x, d) != nil {
		return math.NaN()
	}
	return math.Sqrt(max(0, mat.Dot(d, &x)))
}

func standardDifference(d, sd float64) float64 {
	if d == 0 && sd == 0 {
		return 0
	}
	return d / sd // infinite when two constants differ
}

// definedMoments returns mean, variance (n-1) and count of the values that are not NaN.
func definedMoments(x []float64) (mean, variance, n float64) {
	var s, ss runSum
	for _, v := range x {
		if !math.IsNaN(v) {
			s.add(v)
			n++
		}
	}
	mean = s.sum() / n
	for _, v := range x {
		if !math.IsNaN(v) {
			ss.add((v - mean) * (v - mean))
		}
	}
	return mean, ss.sum() / (n - 1), n
}
