package assess

import "math"

func smdContinuous(a, b []float64) float64  { return math.NaN() }
func smdCategorical(a, b []float64) float64 { return math.NaN() }
