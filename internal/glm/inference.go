package glm

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// HC0 returns the sandwich covariance inv(I) sum_i s_i s_i' inv(I), s_i the score of row i
// (White, Econometrica 1982;50:1, doi:10.2307/1912526), row-major [Cols, Cols]. f must be the
// fit of pr.
func (f *Fit) HC0(pr Problem) []float64 {
	p := pr.Cols
	eta := make([]float64, pr.Rows)
	pr.linpredLogLik(f.Coef, eta)
	meat := make([]float64, p*p)
	for i := range pr.Rows {
		r := pr.Y[i] - Expit(eta[i])
		if pr.W != nil {
			r *= pr.W[i]
		}
		x := pr.X[i*p : (i+1)*p]
		for a, xa := range x {
			for b, xb := range x {
				meat[a*p+b] += r * r * xa * xb
			}
		}
	}
	return times(times(f.Cov, meat, p), f.Cov, p)
}

func times(a, b []float64, p int) []float64 {
	out := make([]float64, p*p)
	for i := range p {
		for k := range p {
			for j := range p {
				out[i*p+j] += a[i*p+k] * b[k*p+j]
			}
		}
	}
	return out
}

// AIC returns -2 l + 2 k, k the number of coefficients.
func (f *Fit) AIC() float64 { return -2*f.LogLik + 2*float64(len(f.Coef)) }

// BIC returns -2 l + k log n for n rows.
func (f *Fit) BIC(n int) float64 {
	return -2*f.LogLik + float64(len(f.Coef))*math.Log(float64(n))
}

// LikelihoodRatio tests small against large, which must contain it: twice the difference of
// the log-likelihoods on the difference of the number of coefficients.
func LikelihoodRatio(small, large *Fit) (chisq, df, p float64) {
	chisq = 2 * (large.LogLik - small.LogLik)
	df = float64(len(large.Coef) - len(small.Coef))
	if df <= 0 {
		return chisq, df, math.NaN()
	}
	return chisq, df, distuv.ChiSquared{K: df}.Survival(max(0, chisq))
}

// WaldP returns the two-sided normal p-value of z.
func WaldP(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }
