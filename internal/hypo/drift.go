package hypo

import (
	"math"
	"slices"
)

// KS is the two-sample Kolmogorov-Smirnov test.
type KS struct {
	D           float64 // largest distance between the two empirical distributions
	PAsymptotic float64 // 2 sum (-1)^(k-1) exp(-2 k^2 z^2), z = D sqrt(nm/(n+m))
	PExact      float64 // by counting lattice paths; NaN with ties or beyond 10,000 cells
}

// KSTest compares two samples; NaN when either is empty. Ties are allowed for D.
func KSTest(x, y []float64) KS {
	nan := math.NaN()
	if len(x) == 0 || len(y) == 0 {
		return KS{nan, nan, nan}
	}
	a, b := slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y))
	if math.IsNaN(a[0]) || math.IsNaN(b[0]) {
		return KS{nan, nan, nan}
	}
	n, m := float64(len(a)), float64(len(b))
	d, tied := 0.0, false
	for i, j := 0, 0; i < len(a) || j < len(b); {
		v := math.Inf(1)
		if i < len(a) {
			v = a[i]
		}
		if j < len(b) {
			v = min(v, b[j])
		}
		k := 0
		for ; i < len(a) && a[i] == v; i++ {
			k++
		}
		for ; j < len(b) && b[j] == v; j++ {
			k++
		}
		tied = tied || k > 1
		d = max(d, math.Abs(float64(i)/n-float64(j)/m))
	}
	out := KS{d, kolmogorov(d * math.Sqrt(n*m/(n+m))), nan}
	if !tied && len(a)*len(b) <= 10_000 {
		out.PExact = pathsOutside(d, len(a), len(b))
	}
	return out
}

// kolmogorov returns the upper tail of the limiting distribution at z. For small z, where the
// alternating series fails, its theta-function transform is used.
func kolmogorov(z float64) float64 {
	if z <= 0 {
		return 1
	}
	if z < 0.6 {
		s := 0.0
		for k := 1.0; k < 20; k += 2 {
			s += math.Exp(-k * k * math.Pi * math.Pi / (8 * z * z))
		}
		return 1 - math.Sqrt(2*math.Pi)/z*s
	}
	s, sign := 0.0, 1.0
	for k := 1.0; k < 100; k++ {
		t := math.Exp(-2 * k * k * z * z)
		s += sign * t
		if t < 1e-20 {
			break
		}
		sign = -sign
	}
	return min(1, max(0, 2*s))
}

// pathsOutside returns P(D >= d) as one less the share of lattice paths that stay strictly
// inside the band |i/n - j/m| < d (Kim and Jennrich 1973; R's psmirnov).
func pathsOutside(d float64, n, m int) float64 {
	fn, fm := float64(n), float64(m)
	q := (0.5 + math.Floor(d*fn*fm-1e-7)) / (fn * fm)
	u := make([]float64, m+1)
	for j := range u {
		if float64(j)/fm <= q {
			u[j] = 1
		}
	}
	for i := 1; i <= n; i++ {
		w := float64(i) / float64(i+m)
		if float64(i)/fn > q {
			u[0] = 0
		} else {
			u[0] *= w
		}
		for j := 1; j <= m; j++ {
			if math.Abs(float64(i)/fn-float64(j)/fm) > q {
				u[j] = 0
			} else {
				u[j] = w*u[j] + u[j-1]
			}
		}
	}
	return min(1, max(0, 1-u[m]))
}

// PSI is the population stability index over bins.
type PSI struct {
	Value              float64
	Reference, Current []float64 // share of each bin
}

// psiFloor keeps an empty bin from making the index infinite.
const psiFloor = 1e-4

// PSIOf returns sum (f - e) ln(f/e) over the bins cut at the ascending inner edges, right
// closed, with shares e of reference and f of current floored at 1e-4; NaN when either is
// empty.
func PSIOf(reference, current, edges []float64) PSI {
	share := func(x []float64) []float64 {
		s := make([]float64, len(edges)+1)
		for _, v := range x {
			k, _ := slices.BinarySearch(edges, v) // first edge >= v
			s[k]++
		}
		for k := range s {
			s[k] /= float64(len(x))
		}
		return s
	}
	p := PSI{Reference: share(reference), Current: share(current)}
	for k, e := range p.Reference {
		f := max(p.Current[k], psiFloor)
		e = max(e, psiFloor)
		p.Value += (f - e) * math.Log(f/e)
	}
	if len(reference) == 0 || len(current) == 0 {
		p.Value = math.NaN()
	}
	return p
}
