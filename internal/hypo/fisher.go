package hypo

import (
	"math"
	"slices"
)

// tieTolerance is how much likelier, relatively, a table may be and still count as no likelier
// than the observed one, as R has it.
const tieTolerance = 1e-7

// Fisher is the exact test of a 2 x 2 table given its margins (Fisher 1935), with the
// conditional maximum likelihood odds ratio and its exact limits.
type Fisher struct {
	P            float64 // sums the tables no more likely than the observed one
	Less         float64 // of an odds ratio below 1
	Greater      float64
	OddsRatio    float64 // conditional; 0 or +Inf at the edge of the support
	Lower, Upper float64
}

// FisherTest tests the table of counts a b / c d; NaN for negative or fractional counts, no
// rows, or a level outside (0, 1).
func FisherTest(a, b, c, d, level float64) Fisher {
	nan := math.NaN()
	f := Fisher{nan, nan, nan, nan, nan, nan}
	for _, v := range []float64{a, b, c, d} {
		if !(v >= 0) || v != math.Floor(v) || math.IsInf(v, 0) {
			return f
		}
	}
	if a+b+c+d == 0 || !(level > 0 && level < 1) {
		return f
	}
	m, n, k := a+c, b+d, a+b // first column, second column, first row
	lo, hi := max(0, k-n), min(k, m)
	logs := make([]float64, int(hi-lo)+1)
	for i := range logs {
		x := lo + float64(i)
		logs[i] = logChoose(m, x) + logChoose(n, k-x)
	}
	// density of the noncentral hypergeometric at log odds ratio t
	density := func(t float64) []float64 {
		p := make([]float64, len(logs))
		top := math.Inf(-1)
		for i, l := range logs {
			p[i] = l + t*float64(i)
			top = max(top, p[i])
		}
		sum := 0.0
		for i := range p {
			p[i] = math.Exp(p[i] - top)
			sum += p[i]
		}
		for i := range p {
			p[i] /= sum
		}
		return p
	}
	at := int(a - lo)
	below := func(p []float64) float64 { return sum(p[:at+1]) }
	above := func(p []float64) float64 { return sum(p[at:]) }
	null := density(0)
	f.Less, f.Greater = min(1, below(null)), min(1, above(null))
	f.P = 0
	for _, v := range null {
		if v <= null[at]*(1+tieTolerance) {
			f.P += v
		}
	}
	f.P = min(1, f.P)
	alpha := (1 - level) / 2
	switch {
	case len(logs) == 1:
		f.OddsRatio, f.Lower, f.Upper = nan, 0, math.Inf(1)
		return f
	case at == 0:
		f.OddsRatio = 0
	case at == len(logs)-1:
		f.OddsRatio = math.Inf(1)
	default:
		f.OddsRatio = math.Exp(rising(func(t float64) float64 {
			mean := 0.0
			for i, v := range density(t) {
				mean += float64(i) * v
			}
			return mean - float64(at)
		}))
	}
	f.Lower, f.Upper = 0, math.Inf(1)
	if at > 0 {
		f.Lower = math.Exp(rising(func(t float64) float64 { return above(density(t)) - alpha }))
	}
	if at < len(logs)-1 {
		f.Upper = math.Exp(rising(func(t float64) float64 { return alpha - below(density(t)) }))
	}
	return f
}

// rising returns where an increasing function of the log odds ratio crosses 0.
func rising(f func(float64) float64) float64 {
	lo, hi := -1.0, 1.0
	for f(lo) > 0 && lo > -1e4 {
		lo *= 2
	}
	for f(hi) < 0 && hi < 1e4 {
		hi *= 2
	}
	for range 200 {
		mid := lo + (hi-lo)/2
		if mid == lo || mid == hi {
			break
		}
		if f(mid) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + (hi-lo)/2
}

// fisherLimit bounds the number of tables FisherTable walks.
const fisherLimit = 20_000_000

// FisherTable returns the exact two-sided p value of a table of any size given its margins
// (Freeman and Halton 1951, doi:10.1093/biomet/38.1-2.141), walking every table. It is NaN
// when counts are not whole or the walk would pass 20 million steps; use the chi-square test then.
func FisherTable(table [][]float64) float64 {
	rows, cols, n := margins(table)
	if len(rows) < 2 || len(cols) < 2 || !(n > 0) {
		return math.NaN()
	}
	fact := make([]float64, int(n)+1)
	for i := range fact {
		fact[i], _ = math.Lgamma(float64(i) + 1)
	}
	constant := -fact[int(n)]
	left := make([]int, len(rows))
	for i, r := range rows {
		left[i] = int(r)
		constant += fact[int(r)]
	}
	caps := make([]int, len(cols))
	for j, c := range cols {
		caps[j] = int(c)
		constant += fact[int(c)]
	}
	observed := constant
	for _, r := range table {
		for _, v := range r {
			if v != math.Floor(v) || v < 0 {
				return math.NaN()
			}
			observed -= fact[int(v)]
		}
	}
	w := walk{fact: fact, caps: caps, limit: observed + math.Log1p(tieTolerance)}
	w.column(0, 0, caps[0], slices.Clone(left), constant)
	if w.steps > fisherLimit {
		return math.NaN()
	}
	return min(1, w.p)
}

type walk struct {
	fact  []float64
	caps  []int
	limit float64
	p     float64
	steps int
}

// column places the rest of column j into rows i and below; left holds what each row still needs.
func (w *walk) column(j, i, rest int, left []int, log float64) {
	if w.steps++; w.steps > fisherLimit {
		return
	}
	if j == len(w.caps)-1 { // the last column is decided
		for _, v := range left {
			log -= w.fact[v]
		}
		if log <= w.limit {
			w.p += math.Exp(log)
		}
		return
	}
	if i == len(left)-1 {
		if rest > left[i] {
			return
		}
		left[i] -= rest
		w.column(j+1, 0, w.caps[min(j+1, len(w.caps)-1)], left, log-w.fact[rest])
		left[i] += rest
		return
	}
	for x := 0; x <= min(rest, left[i]); x++ {
		left[i] -= x
		w.column(j, i+1, rest-x, left, log-w.fact[x])
		left[i] += x
	}
}

func sum(x []float64) float64 {
	s, c := 0.0, 0.0
	for _, v := range x {
		y := v - c
		t := s + y
		c = (t - s) - y
		s = t
	}
	return s
}

func logChoose(n, k float64) float64 {
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(k + 1)
	c, _ := math.Lgamma(n - k + 1)
	return a - b - c
}
