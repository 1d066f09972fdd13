package metric

import (
	"math"
)

// R2 holds the likelihood-based explained variation of one set of probabilities. Values below
// 0 are possible for [RSquared]: the probabilities do worse than the prevalence.
type R2 struct {
	LR         float64 // 2 (log-likelihood - that of the prevalence)
	CoxSnell   float64 // 1 - exp(-LR/n): Cox and Snell 1989
	MaxCox     float64 // its largest possible value
	Nagelkerke float64 // CoxSnell/MaxCox: Biometrika 1991;78:691-692, doi:10.1093/biomet/78.3.691
	McFadden   float64 // 1 - log-likelihood / that of the prevalence
}

// RSquared takes the probabilities as they are. Minus infinity where an outcome was given
// probability 0; NaN with one class. n is the sum of the weights.
func RSquared(d Data) (R2, error) {
	if err := d.Check(); err != nil {
		return R2{}, err
	}
	t := d.totals()
	var ll kahan
	for i, p := range d.P {
		if w := d.Weight(i); w > 0 {
			l := rowLogLoss(p, d.Y[i])
			if math.IsInf(l, 1) {
				return r2Of(math.Inf(-1), t), nil
			}
			ll.add(-w * l)
		}
	}
	return r2Of(ll.sum(), t), nil
}

// RSquaredRecalibrated is [RSquared] after the logistic recalibration y ~ a + b logit p. NaN
// where [Recalibration] is.
func RSquaredRecalibrated(d Data) (R2, error) {
	if err := d.Check(); err != nil {
		return R2{}, err
	}
	s, f := slopeFit(newRecal(d), d.totals(), 0.95)
	if !f.ok {
		return r2Of(math.NaN(), d.totals()), nil
	}
	return r2Of(-s.Deviance/2, d.totals()), nil
}

func r2Of(ll float64, t calTotals) R2 {
	if t.oneClass() != "" {
		nan := math.NaN()
		return R2{nan, nan, nan, nan, nan}
	}
	ll0 := -t.w * entropy(t.wy/t.w)
	r := R2{LR: 2 * (ll - ll0), MaxCox: -math.Expm1(2 * ll0 / t.w), McFadden: 1 - ll/ll0}
	r.CoxSnell = -math.Expm1(-r.LR / t.w)
	r.Nagelkerke = r.CoxSnell / r.MaxCox
	return r
}

// Tjur is the discrimination slope: mean probability of events minus that of the others
// (Tjur, "Coefficients of determination in logistic regression models", American Statistician
// 2009;63:366-372), with the normal interval for a difference of two
// means. NaN with one class.
func Tjur(d Data, level float64) (Estimate, error) {
	if err := checkCal(d, level); err != nil {
		return Estimate{}, err
	}
	if why := d.totals().oneClass(); why != "" {
		return calUndefined("tjur", level, why), nil
	}
	m, v := classMeans(d, d.P)
	return calWald("tjur", m[1]-m[0], math.Sqrt(v[0]+v[1]), level, "normal, two means"), nil
}

// classMeans returns the weighted mean of x in non-events and events and its variance (n-1).
func classMeans(d Data, x []float64) (mean, variance [2]float64) {
	var s, ss [2]kahan
	var w, n [2]float64
	for i, v := range x {
		k := 0
		if d.Y[i] {
			k = 1
		}
		wi := d.Weight(i)
		if wi > 0 {
			n[k]++
		}
		w[k] += wi
		s[k].add(wi * v)
	}
	for k := range 2 {
		mean[k] = s[k].sum() / w[k]
	}
	for i, v := range x {
		k := 0
		if d.Y[i] {
			k = 1
		}
		e := d.Weight(i) * (v - mean[k])
		ss[k].add(e * e)
	}
	for k := range 2 {
		variance[k] = math.NaN()
		if n[k] > 1 {
			variance[k] = ss[k].sum() / (w[k] * w[k]) * n[k] / (n[k] - 1)
		}
	}
	return mean, variance
}

// ValProb holds Harrell's validation indices as rms::val.prob defines them; Wald, smooth and
// other entries of val.prob have their own functions here.
type ValProb struct {
	D, DChiSq, DP float64 // (LR-1)/n, LR, its p with 1 df: discrimination
	U, UChiSq, UP float64 // (joint LR-2)/n, joint LR of (0, 1), its p with 2 df: unreliability
	Q             float64 // D - U
}

// ValProbIndices returns them for unweighted or weighted rows (n is the sum of the weights;
// U is then NaN, having no likelihood-ratio test).
func ValProbIndices(d Data) (ValProb, error) {
	s, err := Recalibration(d, 0.95)
	if err != nil {
		return ValProb{}, err
	}
	r, err := RSquared(d)
	if err != nil {
		return ValProb{}, err
	}
	n := d.totals().w
	v := ValProb{D: (r.LR - 1) / n, DChiSq: r.LR, DP: chiP(r.LR, 1), U: (s.JointLR - 2) / n, UChiSq: s.JointLR, UP: s.JointLRP}
	v.Q = v.D - v.U
	return v, nil
}
