package elasticnet_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"dolor/frame"
	"dolor/model/elasticnet"
	"dolor/rng"
)

// simulated returns independent gaussian predictors, ten of which matter.
func simulated(n, p int) (frame.Matrix, []bool) {
	r := rng.New(1).Child("elasticnet bench", n, p).Rand()
	x := frame.NewMatrix(n, p)
	y := make([]bool, n)
	for i := range n {
		eta := -0.5
		for j := range x.Row(i) {
			v := r.NormFloat64()
			x.Row(i)[j] = v
			if j < 10 {
				eta += v / 2
			}
		}
		y[i] = r.Float64() < 1/(1+math.Exp(-eta))
	}
	return x, y
}

func BenchmarkPath(b *testing.B) {
	for _, size := range [][2]int{{2000, 200}, {100000, 50}} {
		x, y := simulated(size[0], size[1])
		for _, l1 := range []float64{.5, 1} {
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("rows=%d/cols=%d/l1_ratio=%g/workers=%d", size[0], size[1], l1, workers), func(b *testing.B) {
					var r *elasticnet.PathResult
					for b.Loop() {
						var err error
						r, err = elasticnet.Path(context.Background(), x, y, nil, nil, &elasticnet.PathOptions{L1Ratio: l1, Workers: workers})
						if err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(r.Passes), "passes")
					b.ReportMetric(float64(len(r.Lambda)), "lambdas")
				})
			}
		}
	}
}
