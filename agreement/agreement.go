// Package agreement measures how well raters or methods agree: intraclass correlation, Lin's
// concordance, Bland-Altman limits and weighted kappa.
//
// All functions are pure; what is undefined is NaN.
package agreement

import (
	"math"

	"dolor/diag"
	"dolor/internal/interval"
)

// Interval is a value with its limits.
type Interval struct{ Value, Lower, Upper float64 }

// ICC holds the intraclass correlations of n patients by k raters (Shrout and Fleiss 1979,
// doi:10.1037/0033-2909.86.2.420; McGraw and Wong 1996, doi:10.1037/1082-989X.1.1.30, for the
// limits): form 1, raters differ by patient; form 2, raters are a sample, absolute agreement;
// form 3, these raters, consistency. Single is one rating, Average the mean of k.
type ICC struct {
	MSR, MSC, MSE, MSW        float64 // mean squares: patients, raters, residual, within patients
	Single1, Single2, Single3 Interval
	Average1                  Interval
	Average2                  Interval
	Average3                  Interval
	DF2                       float64 // Satterthwaite degrees of freedom of form 2
}

// NewICC computes the correlations of ratings[patient][rater]. It needs two patients and two
// raters and no missing value, else an error of kind Invalid.
func NewICC(ratings [][]float64, level float64) (ICC, error) {
	n := len(ratings)
	if n < 2 {
		return ICC{}, diag.Errorf(diag.Invalid, "ratings", "expected at least 2 patients, got %d", n)
	}
	k := len(ratings[0])
	if k < 2 {
		return ICC{}, diag.Errorf(diag.Invalid, "ratings", "expected at least 2 raters, got %d", k)
	}
	if !(level > 0 && level < 1) {
		return ICC{}, diag.Errorf(diag.Invalid, "level", "expected a number between 0 and 1, got %g", level)
	}
	row, col, grand := make([]float64, n), make([]float64, k), 0.0
	for i, r := range ratings {
		if len(r) != k {
			return ICC{}, diag.Errorf(diag.Invalid, "ratings", "row %d: expected %d ratings, got %d", i+1, k, len(r))
		}
		for j, v := range r {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return ICC{}, diag.Errorf(diag.Invalid, "ratings", "row %d: expected a finite number", i+1)
			}
			row[i] += v / float64(k)
			col[j] += v / float64(n)
			grand += v / float64(n*k)
		}
	}
	fn, fk := float64(n), float64(k)
	var ssr, ssc, ssw, sse float64
	for i, r := range ratings {
		ssr += fk * (row[i] - grand) * (row[i] - grand)
		for j, v := range r {
			ssw += (v - row[i]) * (v - row[i])
			e := v - row[i] - col[j] + grand
			sse += e * e
		}
	}
	for _, c := range col {
		ssc += fn * (c - grand) * (c - grand)
	}
	c := ICC{MSR: ssr / (fn - 1), MSC: ssc / (fk - 1), MSW: ssw / (fn * (fk - 1)), MSE: sse / ((fn - 1) * (fk - 1))}
	q := 1 - (1-level)/2

	// Forms 1 and 3 are functions of one F ratio.
	single := func(f float64) float64 { return (f - 1) / (f + fk - 1) }
	average := func(f float64) float64 { return 1 - 1/f }
	ratio := func(f, df2 float64) (s, a Interval) {
		lo, hi := f/fQuantile(q, fn-1, df2), f*fQuantile(q, df2, fn-1)
		return Interval{single(f), single(lo), single(hi)}, Interval{average(f), average(lo), average(hi)}
	}
	c.Single1, c.Average1 = ratio(c.MSR/c.MSW, fn*(fk-1))
	c.Single3, c.Average3 = ratio(c.MSR/c.MSE, (fn-1)*(fk-1))

	v := (c.MSR - c.MSE) / (c.MSR + (fk-1)*c.MSE + fk*(c.MSC-c.MSE)/fn)
	a, b := fk*v/(fn*(1-v)), 1+fk*v*(fn-1)/(fn*(1-v))
	top := a*c.MSC + b*c.MSE
	c.DF2 = top * top / (a*a*c.MSC*c.MSC/(fk-1) + b*b*c.MSE*c.MSE/((fn-1)*(fk-1)))
	fl, fu := fQuantile(q, fn-1, c.DF2), fQuantile(q, c.DF2, fn-1)
	rest := fk*c.MSC + (fk*fn-fk-fn)*c.MSE
	lo := fn * (c.MSR - fl*c.MSE) / (fl*rest + fn*c.MSR)
	hi := fn * (fu*c.MSR - c.MSE) / (rest + fn*fu*c.MSR)
	c.Single2 = Interval{v, lo, hi}
	// Spearman-Brown carries the single-rating values to the mean of k.
	up := func(r float64) float64 { return fk * r / (1 + (fk-1)*r) }
	c.Average2 = Interval{(c.MSR - c.MSE) / (c.MSR + (c.MSC-c.MSE)/fn), up(lo), up(hi)}
	return c, nil
}

// fQuantile returns the q-quantile of the F distribution through the beta distribution.
func fQuantile(q, d1, d2 float64) float64 {
	x := interval.BetaQuantile(q, d1/2, d2/2)
	return d2 / d1 * x / (1 - x)
}
