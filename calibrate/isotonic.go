package calibrate

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"dolor/diag"
)

// Isotonic is a fitted monotone regression: lines between thresholds, constant outside.
type Isotonic struct {
	X []float64 // increasing
	Y []float64
}

// IsotonicOptions of [FitIsotonic]; nil means increasing and unbounded.
type IsotonicOptions struct {
	Decreasing   bool
	Bounded      bool // cut the values to [Lower, Upper]
	Lower, Upper float64
}

// FitIsotonic is weighted least squares under monotonicity by pooling adjacent violators
// (Barlow and others 1972; Zadrozny and Elkan, KDD 2002, doi:10.1145/775047.775151, for
// calibration) with scikit-learn's conventions: tied x are averaged first, rows of weight 0
// are left out, and thresholds inside a flat stretch are dropped. Kind Invalid for bad rows or
// none. O(n log n).
func FitIsotonic(x, y, w []float64, opts *IsotonicOptions) (Isotonic, error) {
	var o IsotonicOptions
	if opts != nil {
		o = *opts
	}
	if len(x) != len(y) || w != nil && len(w) != len(x) {
		return Isotonic{}, diag.Errorf(diag.Invalid, "score", "expected as many scores and weights as outcomes")
	}
	if err := checkWeights(w); err != nil {
		return Isotonic{}, err
	}
	var rows []int
	for i := range x {
		if math.IsNaN(x[i]) || math.IsInf(x[i], 0) || math.IsNaN(y[i]) {
			return Isotonic{}, diag.Errorf(diag.Invalid, "score", "row %d: expected a finite number", i+1)
		}
		if w == nil || w[i] > 0 {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return Isotonic{}, diag.Errorf(diag.Invalid, "score", "expected at least one row of positive weight")
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Or(cmp.Compare(x[a], x[b]), cmp.Compare(y[a], y[b])) })
	var ux, uy, uw []float64
	for i := 0; i < len(rows); {
		at := x[rows[i]]
		var s, n float64
		for ; i < len(rows) && x[rows[i]] == at; i++ {
			wi := 1.0
			if w != nil {
				wi = w[rows[i]]
			}
			s += wi * y[rows[i]]
			n += wi
		}
		ux, uy, uw = append(ux, at), append(uy, s/n), append(uw, n)
	}
	if o.Decreasing {
		slices.Reverse(uy)
		slices.Reverse(uw)
	}
	fit := pool(uy, uw)
	if o.Decreasing {
		slices.Reverse(fit)
	}
	if o.Bounded {
		for i, v := range fit {
			fit[i] = math.Min(math.Max(v, o.Lower), o.Upper)
		}
	}
	var iso Isotonic
	last := len(fit) - 1
	for i, v := range fit {
		if i == 0 || i == last || v != fit[i-1] || v != fit[i+1] {
			iso.X, iso.Y = append(iso.X, ux[i]), append(iso.Y, v)
		}
	}
	return iso, nil
}

// pool returns the non-decreasing fit.
func pool(y, w []float64) []float64 {
	type block struct {
		s, w float64
		n    int
	}
	var bs []block
	for i := range y {
		b := block{w[i] * y[i], w[i], 1}
		for len(bs) > 0 && bs[len(bs)-1].s*b.w >= b.s*bs[len(bs)-1].w {
			top := bs[len(bs)-1]
			b = block{b.s + top.s, b.w + top.w, b.n + top.n}
			bs = bs[:len(bs)-1]
		}
		bs = append(bs, b)
	}
	out := make([]float64, 0, len(y))
	for _, b := range bs {
		v := b.s / b.w
		if k := len(out); k > 0 { // rounding must not break the order
			v = math.Max(v, out[k-1])
		}
		for range b.n {
			out = append(out, v)
		}
	}
	return out
}

// Predict fills dst with the fitted values at x; NaN stays NaN.
func (f Isotonic) Predict(x, dst []float64) []float64 {
	dst = sized(dst, len(x))
	last := len(f.X) - 1
	for i, v := range x {
		j := sort.SearchFloat64s(f.X, v)
		switch {
		case math.IsNaN(v):
			dst[i] = v
		case j > last:
			dst[i] = f.Y[last]
		case j == 0 || f.X[j] == v:
			dst[i] = f.Y[j]
		default:
			dst[i] = f.Y[j-1] + (f.Y[j]-f.Y[j-1])*((v-f.X[j-1])/(f.X[j]-f.X[j-1]))
		}
	}
	return dst
}
