// Package quant holds the nine sample quantiles of Hyndman and Fan, as R numbers them.
//
// Sort once and use [Sorted], or let [Of] copy and sort.
package quant

import (
	"math"
	"slices"
)

// fuzz is the tolerance R allows in deciding whether n p is a whole number.
const fuzz = 4 * 2.220446049250313e-16

// Of returns the p-quantile of x by the given type (1 to 9; 7 is R's default). x is not
// changed; NaN values make the result NaN. NaN for no values, p outside [0, 1] or another
// type. Cost O(n log n).
func Of(x []float64, p float64, typ int) float64 {
	if slices.ContainsFunc(x, math.IsNaN) {
		return math.NaN()
	}
	s := slices.Clone(x)
	slices.Sort(s)
	return Sorted(s, p, typ)
}

// All returns one quantile of x for each of ps. See [Of].
func All(x, ps []float64, typ int) []float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	out := make([]float64, len(ps))
	for i, p := range ps {
		out[i] = Sorted(s, p, typ)
	}
	return out
}

// Sorted returns the p-quantile of x, which must be in ascending order and without NaN
// (Hyndman and Fan 1996, Sample quantiles in statistical packages,
// doi:10.1080/00031305.1996.10473566).
func Sorted(x []float64, p float64, typ int) float64 {
	n := float64(len(x))
	if len(x) == 0 || !(p >= 0 && p <= 1) || typ < 1 || typ > 9 || math.IsNaN(x[0]) {
		return math.NaN()
	}
	if typ == 7 {
		h := (n - 1) * p
		lo := math.Floor(h + fuzz)
		return between(x, int(lo), h-lo)
	}
	if typ <= 3 {
		np := n * p
		if typ == 3 {
			np -= 0.5
		}
		j := math.Floor(np + fuzz)
		g := 0.0
		switch above := np > j+fuzz; {
		case typ == 1 && above, typ == 2 && above, typ == 3 && (above || math.Mod(j, 2) != 0):
			g = 1
		case typ == 2:
			g = 0.5
		}
		return between(x, int(j)-1, g)
	}
	var a, b float64
	switch typ {
	case 4:
		a, b = 0, 1
	case 5:
		a, b = 0.5, 0.5
	case 6:
		a, b = 0, 0
	case 8:
		a, b = 1.0/3, 1.0/3
	case 9:
		a, b = 3.0/8, 3.0/8
	}
	nppm := a + p*(n+1-a-b)
	j := math.Floor(nppm + fuzz)
	g := nppm - j
	if math.Abs(g) < fuzz {
		g = 0
	}
	return between(x, int(j)-1, g)
}

// between interpolates from x[i] to x[i+1] by g; positions outside are moved to the ends.
func between(x []float64, i int, g float64) float64 {
	lo := x[min(max(i, 0), len(x)-1)]
	hi := x[min(max(i+1, 0), len(x)-1)]
	switch {
	case g == 0 || lo == hi:
		return lo
	case g == 1:
		return hi
	}
	return (1-g)*lo + g*hi
}
