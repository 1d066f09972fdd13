package metric

import (
	"math"
	"testing"

	"dolor/rng"
)

// The counts add up to n and have the multinomial's means and variances.
func TestMultinomialCounts(t *testing.T) {
	cells := []float64{500, 1, 250, 0.0, 249}
	const n, draws = 1000, 4000
	mean, square := make([]float64, len(cells)), make([]float64, len(cells))
	for r := range draws {
		c := multinomial(cells, n, rng.New(7).Child("multinomial", r).Rand())
		total := 0.0
		for i, v := range c {
			total += v
			mean[i] += v / draws
			square[i] += v * v / draws
		}
		if total != n {
			t.Fatalf("draw %d: got %g rows, want %d", r, total, n)
		}
	}
	for i, c := range cells {
		share := c / n
		variance := n * share * (1 - share)
		if se := math.Sqrt(variance / draws); math.Abs(mean[i]-c) > 4*se {
			t.Errorf("cell %d: mean %g, want %g within %g", i, mean[i], c, 4*se)
		}
		if got := square[i] - mean[i]*mean[i]; math.Abs(got-variance) > 0.12*variance+1e-9 {
			t.Errorf("cell %d: variance %g, want %g", i, got, variance)
		}
	}
}
