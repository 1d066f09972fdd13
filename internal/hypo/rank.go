package hypo

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// MannWhitney is the rank-sum test (Mann and Whitney 1947, doi:10.1214/aoms/1177730491).
type MannWhitney struct {
	U       float64 // pairs in which x is above y, ties one half
	Z       float64 // without continuity correction, variance corrected for ties
	P       float64 // normal
	PCorr   float64 // normal with continuity correction of one half
	PExact  float64 // from the null distribution; NaN with ties or beyond 50 in either group
	AUC     float64 // U over the number of pairs
	HasTies bool
}

// exactMost is the largest group for which the exact distribution is worked out, as in R.
const exactMost = 50

// MannWhitneyTest compares x with y; NaN when either is empty.
func MannWhitneyTest(x, y []float64) MannWhitney {
	nan := math.NaN()
	w := MannWhitney{nan, nan, nan, nan, nan, nan, false}
	m, n := float64(len(x)), float64(len(y))
	if m == 0 || n == 0 {
		return w
	}
	rank, ties := midranks(slices.Concat(x, y))
	r := sum(rank[:len(x)])
	w.U = r - m*(m+1)/2
	w.AUC = w.U / (m * n)
	w.HasTies = ties > 0
	d := w.U - m*n/2
	s := math.Sqrt(m * n / 12 * (m + n + 1 - ties/((m+n)*(m+n-1))))
	w.Z = d / s
	w.P = normalP(w.Z)
	if s > 0 {
		w.PCorr = normalP(max(0, math.Abs(d)-0.5) / s)
	}
	if !w.HasTies && !math.IsNaN(w.U) && len(x) <= exactMost && len(y) <= exactMost {
		w.PExact = exactU(int(w.U), len(x), len(y))
	}
	return w
}

// exactU returns the two-sided p of U by counting arrangements, doubling the smaller tail.
func exactU(u, m, n int) float64 {
	total := m * n
	k := min(u, total-u)
	// ways[i]: arrangements with U = i, by the generating function prod (1-q^(n+i))/(1-q^i).
	ways := make([]float64, total+1)
	ways[0] = 1
	for i := 1; i <= m; i++ {
		for j := total; j >= n+i; j-- {
			ways[j] -= ways[j-n-i]
		}
		for j := i; j <= total; j++ {
			ways[j] += ways[j-i]
		}
	}
	all, tail := 0.0, 0.0
	for i, v := range ways {
		all += v
		if i <= k {
			tail += v
		}
	}
	return min(1, 2*tail/all)
}

// KruskalWallis tests whether groups share a distribution, corrected for ties (Kruskal and
// Wallis 1952, doi:10.1080/01621459.1952.10483441). Empty groups are left out; fewer than two
// give NaN.
func KruskalWallis(groups ...[]float64) Result {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g []float64) bool { return len(g) == 0 })
	if len(groups) < 2 {
		return nothing()
	}
	rank, ties := midranks(slices.Concat(groups...))
	n := float64(len(rank))
	h, at := 0.0, 0
	for _, g := range groups {
		s := sum(rank[at : at+len(g)])
		h += s * s / float64(len(g))
		at += len(g)
	}
	h = (12*h/(n*(n+1)) - 3*(n+1)) / (1 - ties/(n*n*n-n))
	df := float64(len(groups) - 1)
	return Result{h, df, chiSquareP(h, df)}
}

// Correlation is a coefficient with its test; Lower and Upper are NaN where no interval is made.
type Correlation struct{ R, Statistic, P, Lower, Upper float64 }

// Pearson returns the product-moment correlation, its t test and the interval on Fisher's z
// scale (n above 3).
func Pearson(x, y []float64, level float64) Correlation {
	nan := math.NaN()
	n := float64(len(x))
	if len(x) != len(y) || len(x) < 3 {
		return Correlation{nan, nan, nan, nan, nan}
	}
	r := pearson(x, y)
	t := r * math.Sqrt((n-2)/(1-r*r))
	c := Correlation{r, t, studentP(t, n-2), nan, nan}
	if n > 3 && level > 0 && level < 1 {
		h := -distuv.UnitNormal.Quantile((1-level)/2) / math.Sqrt(n-3)
		c.Lower, c.Upper = math.Tanh(math.Atanh(r)-h), math.Tanh(math.Atanh(r)+h)
	}
	return c
}

func pearson(x, y []float64) float64 {
	mx, _ := meanVar(x)
	my, _ := meanVar(y)
	sxy, sxx, syy := 0.0, 0.0, 0.0
	for i := range x {
		sxy += (x[i] - mx) * (y[i] - my)
		sxx += (x[i] - mx) * (x[i] - mx)
		syy += (y[i] - my) * (y[i] - my)
	}
	return min(1, max(-1, sxy/math.Sqrt(sxx*syy)))
}

// Spearman returns the correlation of midranks with its t approximation.
func Spearman(x, y []float64) Correlation {
	rx, _ := midranks(x)
	ry, _ := midranks(y)
	return Pearson(rx, ry, 0)
}

// Kendall returns tau-b with the normal test, its variance corrected for ties (Kendall 1970,
// Rank Correlation Methods, chapter 4). Cost O(n log n).
func Kendall(x, y []float64) Correlation {
	nan := math.NaN()
	n := len(x)
	if len(x) != len(y) || n < 2 {
		return Correlation{nan, nan, nan, nan, nan}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(x[a], x[b]), cmp.Compare(y[a], y[b])) })
	ys := make([]float64, n)
	joint, run := 0.0, 1
	for k, i := range order {
		ys[k] = y[i]
		if k > 0 {
			if p := order[k-1]; x[p] == x[i] && y[p] == y[i] {
				joint += float64(run)
				run++
			} else {
				run = 1
			}
		}
	}
	tx, ty := tieSums(x), tieSums(y)
	swaps := inversions(ys, make([]float64, n))
	fn := float64(n)
	pairs := fn * (fn - 1) / 2
	s := pairs - tx.pairs - ty.pairs + joint - 2*float64(swaps)
	tau := s / math.Sqrt((pairs-tx.pairs)*(pairs-ty.pairs))
	v := (fn*(fn-1)*(2*fn+5)-tx.v-ty.v)/18 +
		2*tx.pairs*2*ty.pairs/(2*fn*(fn-1))
	if n > 2 {
		v += tx.triples * ty.triples / (9 * fn * (fn - 1) * (fn - 2))
	}
	z := s / math.Sqrt(v)
	return Correlation{tau, z, normalP(z), nan, nan}
}

// ties of one variable: pairs, sum t(t-1)(t-2), sum t(t-1)(2t+5).
type ties struct{ pairs, triples, v float64 }

func tieSums(x []float64) ties {
	s := slices.Sorted(slices.Values(x))
	var out ties
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && s[j] == s[i] {
			j++
		}
		t := float64(j - i)
		out.pairs += t * (t - 1) / 2
		out.triples += t * (t - 1) * (t - 2)
		out.v += t * (t - 1) * (2*t + 5)
		i = j
	}
	return out
}

// inversions counts pairs out of order by merge sort; it sorts x.
func inversions(x, tmp []float64) int {
	if len(x) < 2 {
		return 0
	}
	h := len(x) / 2
	c := inversions(x[:h], tmp[:h]) + inversions(x[h:], tmp[h:])
	i, j := 0, h
	for k := range x {
		if j == len(x) || i < h && x[i] <= x[j] {
			tmp[k] = x[i]
			i++
		} else {
			tmp[k] = x[j]
			j++
			c += h - i
		}
	}
	copy(x, tmp)
	return c
}

// TTest is a comparison of two means.
type TTest struct {
	Difference   float64 // mean of x less mean of y
	T, DF, P     float64
	Lower, Upper float64
}

// Welch compares two means without assuming equal variances (Welch 1947,
// doi:10.1093/biomet/34.1-2.28). Fewer than two values in a group give NaN.
func Welch(x, y []float64, level float64) TTest {
	nan := math.NaN()
	if len(x) < 2 || len(y) < 2 {
		return TTest{nan, nan, nan, nan, nan, nan}
	}
	mx, vx := meanVar(x)
	my, vy := meanVar(y)
	a, b := vx/float64(len(x)), vy/float64(len(y))
	t := TTest{Difference: mx - my, Lower: nan, Upper: nan}
	se := math.Sqrt(a + b)
	t.T = t.Difference / se
	t.DF = (a + b) * (a + b) / (a*a/float64(len(x)-1) + b*b/float64(len(y)-1))
	t.P = studentP(t.T, t.DF)
	if level > 0 && level < 1 && t.DF > 0 {
		h := -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: t.DF}.Quantile((1-level)/2) * se
		t.Lower, t.Upper = t.Difference-h, t.Difference+h
	}
	return t
}
