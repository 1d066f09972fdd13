package tree

import "math"

// WholeWeights turns case weights into whole numbers in proportion and returns how many make
// up a weight of 1. nil, or 1 for each, gives nil and 1. Whole weights are kept as they are;
// others are rounded to 1 part in 2^50 of the largest weight times the rows, positive ones to
// no less than one part. times is how often a row may be counted in a tree. w must be finite
// and at least 0.
func WholeWeights(w []float64, times int) (whole []int64, unit float64) {
	most, ones, integers := 0.0, true, true
	for _, v := range w {
		most = max(most, v)
		ones = ones && v == 1
		integers = integers && v == math.Trunc(v)
	}
	if ones || most == 0 {
		return nil, 1
	}
	// most * rows * times * 2^scale < 2^50
	_, e := math.Frexp(most)
	_, n := math.Frexp(float64(len(w)) * float64(max(1, times)))
	scale := 50 - e - n
	if integers && scale >= 0 {
		scale = 0
	}
	whole = make([]int64, len(w))
	for i, v := range w {
		if v > 0 {
			whole[i] = max(1, int64(math.Round(math.Ldexp(v, scale))))
		}
	}
	return whole, math.Ldexp(1, scale)
}
