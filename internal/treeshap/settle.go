package treeshap

import (
	"math"
	"strconv"
)

// Settle changes phi so that phi and base add up to margin, and returns the base to go with
// it. What is missing, about 1e-6 when margin was summed in float32, is shared in proportion to
// |phi|. When all of phi is 0 there is nothing to share among, and the base takes it. A margin,
// base or phi that is not finite is left as it is.
func Settle(phi []float64, base, margin float64) float64 {
	size := 0.0
	for _, v := range phi {
		size += math.Abs(v)
	}
	if math.IsNaN(size+base+margin) || math.IsInf(size+math.Abs(base)+math.Abs(margin), 0) {
		return base
	}
	if size == 0 {
		return margin
	}
	// The second round shares the rounding of the first.
	for range 2 {
		rest := margin - base
		for _, v := range phi {
			rest -= v
		}
		for i, v := range phi {
			phi[i] = v + float64(rest*(math.Abs(v)/size))
		}
	}
	return base
}

func itoa(i int) string { return strconv.Itoa(i) }
