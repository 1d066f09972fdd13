package preprocess

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"dolor/diag"
	"dolor/internal/quant"
)

// present returns the values of v that are not NaN, in a new slice.
func present(v []float64) []float64 {
	out := make([]float64, 0, len(v))
	for _, x := range v {
		if !math.IsNaN(x) {
			out = append(out, x)
		}
	}
	return out
}

// total sums with Neumaier's compensation (Neumaier 1974, doi:10.1002/zamm.19740540106).
func total(v []float64) float64 {
	var s, c float64
	for _, x := range v {
		t := s + x
		if math.Abs(s) >= math.Abs(x) {
			c += (s - t) + x
		} else {
			c += (x - t) + s
		}
		s = t
	}
	return s + c
}

// meanVar returns the mean and the variance with divisor n (two passes).
func meanVar(v []float64) (mean, variance float64) {
	n := float64(len(v))
	mean = total(v) / n
	var s, c float64
	for _, x := range v {
		d := x - mean
		s += d * d
		c += d
	}
	return mean, math.Max(0, (s-c*c/n)/n)
}

// median reorders v; len(v) >= 1. The mean of the middle two for an even count.
func median(v []float64) float64 {
	n := len(v)
	hi := nth(v, n/2)
	if n%2 == 1 {
		return hi
	}
	lo := v[0]
	for _, x := range v[:n/2] {
		lo = math.Max(lo, x)
	}
	return (lo + hi) / 2
}

// nth partitions v about its k-th smallest value (k from 0) and returns it: Hoare's
// selection (1961, doi:10.1145/366622.366647) with the median of three as pivot, linear on
// average and on ties.
func nth(v []float64, k int) float64 {
	lo, hi := 0, len(v)-1
	for lo < hi {
		p := median3(v[lo], v[lo+(hi-lo)/2], v[hi])
		i, j := lo, hi
		for i <= j {
			for v[i] < p {
				i++
			}
			for p < v[j] {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return v[k]
		}
	}
	return v[k]
}

func median3(a, b, c float64) float64 {
	return math.Max(math.Min(a, b), math.Min(math.Max(a, b), c))
}

// quantile is of type 7, of an ascending slice with at least one value.
func quantile(sorted []float64, p float64) float64 { return quant.Sorted(sorted, p, 7) }

func sorted(v []float64) []float64 {
	out := present(v)
	slices.Sort(out)
	return out
}

// gappy is a slice whose NaN travel through JSON as null.
type gappy []float64

func (g gappy) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 8*len(g)+2)
	b = append(b, '[')
	for i, x := range g {
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case math.IsNaN(x):
			b = append(b, "null"...)
		case math.IsInf(x, 0):
			return nil, diag.Errorf(diag.Invalid, "", "expected finite numbers to save, got an infinite one")
		default:
			b = strconv.AppendFloat(b, x, 'g', -1, 64)
		}
	}
	return append(b, ']'), nil
}

func (g *gappy) UnmarshalJSON(b []byte) error {
	var v []*float64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*g = make(gappy, len(v))
	for i, x := range v {
		(*g)[i] = math.NaN()
		if x != nil {
			(*g)[i] = *x
		}
	}
	return nil
}
