// Package hypo holds the classical tests that tables and drift checks need: contingency
// tables, ranks, correlation, two means, distributions, and adjusted p values.
//
// All functions are pure. p values are two-sided unless the name says otherwise; what cannot
// be computed is NaN. Inputs must hold no NaN: one makes the result NaN.
package hypo

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Result is a test statistic with its degrees of freedom (NaN where there are none) and p value.
type Result struct{ Statistic, DF, P float64 }

func nothing() Result { return Result{math.NaN(), math.NaN(), math.NaN()} }

func normalP(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

func chiSquareP(x, df float64) float64 {
	if math.IsNaN(x) || !(df > 0) {
		return math.NaN()
	}
	return distuv.ChiSquared{K: df}.Survival(x)
}

func studentP(t, df float64) float64 {
	if math.IsNaN(t) || !(df > 0) {
		return math.NaN()
	}
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.CDF(-math.Abs(t))
}

// midranks returns the ranks of x from 1, ties sharing their mean, and the sum of t^3 - t over
// groups of t ties.
func midranks(x []float64) (rank []float64, ties float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	rank = make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		if j == i { // NaN
			rank[order[i]] = math.NaN()
			i++
			continue
		}
		for _, r := range order[i:j] {
			rank[r] = float64(i+j+1) / 2
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return rank, ties
}

func meanVar(x []float64) (mean, variance float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v
	}
	mean /= n
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	return mean, variance / (n - 1)
}

// Adjusted p values, in the order given (Holm 1979; Hochberg 1988,
// doi:10.1093/biomet/75.4.800; Benjamini and Hochberg 1995,
// doi:10.1111/j.2517-6161.1995.tb02031.x; Benjamini and Yekutieli 2001,
// doi:10.1214/aos/1013699998). NaN stays NaN and is not counted.

// Bonferroni multiplies by the number of tests.
func Bonferroni(p []float64) []float64 {
	return adjust(p, func(s []float64) {
		for i := range s {
			s[i] = min(1, s[i]*float64(len(s)))
		}
	})
}

// Holm is the step-down method of Holm; it controls the familywise error.
func Holm(p []float64) []float64 {
	return adjust(p, func(s []float64) {
		last := 0.0
		for i := range s {
			last = max(last, min(1, s[i]*float64(len(s)-i)))
			s[i] = last
		}
	})
}

// Hochberg is the step-up method of Hochberg, for independent or positively dependent tests.
func Hochberg(p []float64) []float64 {
	return stepUp(p, func(n, rank float64) float64 { return n - rank + 1 })
}

// BenjaminiHochberg controls the false discovery rate under independence.
func BenjaminiHochberg(p []float64) []float64 {
	return stepUp(p, func(n, rank float64) float64 { return n / rank })
}

// BenjaminiYekutieli controls the false discovery rate under any dependence.
func BenjaminiYekutieli(p []float64) []float64 {
	return stepUp(p, func(n, rank float64) float64 {
		h := 0.0
		for i := 1.0; i <= n; i++ {
			h += 1 / i
		}
		return h * n / rank
	})
}

func stepUp(p []float64, factor func(n, rank float64) float64) []float64 {
	return adjust(p, func(s []float64) {
		last := 1.0
		for i := len(s) - 1; i >= 0; i-- {
			last = min(last, s[i]*factor(float64(len(s)), float64(i+1)))
			s[i] = last
		}
	})
}

// adjust applies f to the defined values in ascending order and puts them back.
func adjust(p []float64, f func(sorted []float64)) []float64 {
	var at []int
	for i, v := range p {
		if !math.IsNaN(v) {
			at = append(at, i)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int {
		if p[a] < p[b] {
			return -1
		} else if p[a] > p[b] {
			return 1
		}
		return 0
	})
	s := make([]float64, len(at))
	for k, i := range at {
		s[k] = p[i]
	}
	f(s)
	out := slices.Clone(p)
	for k, i := range at {
		out[i] = s[k]
	}
	return out
}
