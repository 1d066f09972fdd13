package smooth

import (
	"math"
	"slices"
)

// knotShares are the quantiles of the knots: Harrell, "Regression Modeling Strategies",
// 2nd ed. 2015, table 2.3, doi:10.1007/978-3-319-19425-7.
var knotShares = map[int][]float64{
	3: {.1, .5, .9},
	4: {.05, .35, .65, .95},
	5: {.05, .275, .5, .725, .95},
	6: {.05, .23, .41, .59, .77, .95},
	7: {.025, .025 + .95/6, .025 + 1.9/6, .5, .975 - 1.9/6, .975 - .95/6, .975}, // printed .1833 .3417 .6583 .8167; equally spaced, as in Hmisc
}

// Knots places 3 to 7 knots at Harrell's quantiles (type 7) of x, weighted by w (nil means
// 1 each). With fewer than 100 rows the outer knots are the 5th smallest and 5th largest
// value. ErrTooFew if the knots are not distinct. (Hmisc moves knots further when many
// values tie at an extreme; this does not.)
func Knots(x, w []float64, k int) ([]float64, error) {
	shares, ok := knotShares[k]
	if !ok || len(x) < k {
		return nil, ErrTooFew
	}
	q := NewQuantiles(x, w)
	knots := make([]float64, k)
	for i, s := range shares {
		knots[i] = q.At(s)
	}
	if q.total < 100 {
		if q.total < 10 {
			return nil, ErrTooFew
		}
		knots[0], knots[k-1] = q.rank(5), q.rank(q.total-4)
	}
	for i := 1; i < k; i++ {
		if !(knots[i] > knots[i-1]) {
			return nil, ErrTooFew
		}
	}
	return knots, nil
}

// Basis fills dst (len(knots)-1) with the restricted cubic spline basis at x: x itself, then
// the [Terms].
func Basis(x float64, knots, dst []float64) {
	dst[0] = x
	Terms(x, knots, dst[1:])
}

// Terms fills dst (len(knots)-2) with the terms after the linear one: truncated cubes divided
// by (last knot - first knot)^2, linear beyond the outer knots (Stone and Koo 1985; Harrell
// 2015, equation 2.25). knots must be strictly increasing, at least three. NaN gives NaN.
func Terms(x float64, knots, dst []float64) {
	k := len(knots)
	t, tk, tk1 := knots[0], knots[k-1], knots[k-2]
	norm := (tk - t) * (tk - t)
	last, before := cube(x-tk), cube(x-tk1)
	for j := range k - 2 {
		dst[j] = (cube(x-knots[j]) - before*(tk-knots[j])/(tk-tk1) + last*(tk1-knots[j])/(tk-tk1)) / norm
	}
}

func cube(v float64) float64 {
	if v <= 0 {
		return 0
	}
	return v * v * v
}

// Quantiles holds a weighted sample for quantiles of type 7 (Hyndman and Fan, American
// Statistician 1996;50:361-365, doi:10.2307/2684934). Whole weights count as repeats; other
// weights are scaled to mean 1 first.
type Quantiles struct {
	x, cum []float64
	total  float64
}

// NewQuantiles sorts a copy of x; w may be nil. NaN must not occur.
func NewQuantiles(x, w []float64) Quantiles {
	var p Points
	if w == nil {
		q := Quantiles{x: slices.Clone(x), total: float64(len(x))}
		slices.Sort(q.x)
		return q
	}
	p = Collapse(x, make([]float64, len(x)), w)
	q := Quantiles{x: p.X, cum: make([]float64, len(p.X)), total: p.Total()}
	scale := 1.0
	if !p.whole {
		scale = float64(len(x)) / q.total
	}
	var c float64
	for i, n := range p.N {
		c += n * scale
		q.cum[i] = c
	}
	q.total = c
	return q
}

// rank returns the value of 1-based rank r.
func (q Quantiles) rank(r float64) float64 {
	if q.cum == nil {
		return q.x[min(max(int(r), 1), len(q.x))-1]
	}
	i, _ := slices.BinarySearch(q.cum, r-1e-9)
	return q.x[min(i, len(q.x)-1)]
}

// At returns the quantile at share s in [0, 1]; NaN when the sample is empty.
func (q Quantiles) At(s float64) float64 {
	if len(q.x) == 0 {
		return math.NaN()
	}
	h := 1 + math.Max(q.total-1, 0)*s
	f := math.Floor(h + 4e-16*h)
	g := h - f
	a := q.rank(f)
	if math.Abs(g) < 1e-12 {
		return a
	}
	return a + g*(q.rank(math.Min(f+1, q.total))-a)
}
