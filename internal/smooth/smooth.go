// Package smooth fits curves through points: local regression (loess), Cleveland's lowess
// and the restricted cubic spline basis.
//
// [Collapse] turns rows into [Points], one per distinct abscissa; [NewLoess] prepares a local
// regression on them. Everything is a plain function of its arguments; nothing is shared.
package smooth

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"sort"
)

// ErrTooFew says that there are too few distinct abscissas for the curve asked for.
var ErrTooFew = errors.New("smooth: too few distinct values")

// Points is a scatter with tied abscissas merged: X strictly increasing, Y the weighted mean
// at each, N the weight (number of rows when unweighted). Points of weight 0 are left out.
type Points struct {
	X, Y, N []float64
	whole   bool // every weight is a whole number
}

// Collapse merges rows with equal x. w may be nil (1 each). It panics on unequal lengths.
func Collapse(x, y, w []float64) Points {
	if len(x) != len(y) || w != nil && len(w) != len(x) {
		panic("smooth: unequal lengths")
	}
	return CollapseSorted(x, y, w, Order(x))
}

// Order returns the row numbers that sort x, ties in row order.
func Order(x []float64) []int {
	ord := make([]int, len(x))
	for i := range ord {
		ord[i] = i
	}
	slices.SortStableFunc(ord, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	return ord
}

// CollapseSorted is Collapse when the order of x is known: a bootstrap with counts as
// weights sorts once.
func CollapseSorted(x, y, w []float64, ord []int) Points {
	p := Points{whole: true}
	for i := 0; i < len(ord); {
		at := x[ord[i]]
		var n, s float64
		for ; i < len(ord) && x[ord[i]] == at; i++ {
			wi := 1.0
			if w != nil {
				wi = w[ord[i]]
				p.whole = p.whole && wi == math.Floor(wi)
			}
			n += wi
			s += wi * y[ord[i]]
		}
		if n > 0 {
			p.X, p.Y, p.N = append(p.X, at), append(p.Y, s/n), append(p.N, n)
		}
	}
	return p
}

// Total returns the sum of the weights.
func (p Points) Total() float64 {
	var t float64
	for _, n := range p.N {
		t += n
	}
	return t
}

// Linear interpolates the increasing abscissas x with values y at q, constant outside.
func Linear(x, y []float64, q float64) float64 {
	j := sort.SearchFloat64s(x, q)
	switch {
	case j == len(x):
		return y[j-1]
	case x[j] == q || j == 0:
		return y[j]
	}
	return y[j-1] + (y[j]-y[j-1])*((q-x[j-1])/(x[j]-x[j-1]))
}
