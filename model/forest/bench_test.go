package forest_test

import (
	"fmt"
	"testing"

	"dolor/model"
	"dolor/model/forest"
	"dolor/model/modeltest"
	"dolor/rng"
)

func BenchmarkFit(b *testing.B) {
	for _, size := range [][3]int{{1000, 20, 500}, {10000, 50, 100}} {
		d := modeltest.Data(forest.Family(), size[0], size[1], "bench")
		p := forest.Default()
		p.MinSamplesLeaf, p.NEstimators = 1, size[2]
		b.Run(fmt.Sprintf("rows=%d/cols=%d/trees=%d/workers=1", size[0], size[1], size[2]), func(b *testing.B) {
			for b.Loop() {
				if _, err := p.Learner().Fit(b.Context(), d, &model.FitOptions{Stream: rng.New(1), Workers: 1}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size[0]*size[2])/b.Elapsed().Seconds(), "rows*trees/s")
		})
	}
}

func BenchmarkPredict(b *testing.B) {
	d := modeltest.Data(forest.Family(), 10000, 50, "bench")
	p := forest.Default()
	p.MinSamplesLeaf = 1
	m, err := p.Learner().Fit(b.Context(), d, nil)
	if err != nil {
		b.Fatal(err)
	}
	var dst []float64
	for b.Loop() {
		if dst, err = m.Predict(b.Context(), d.X, dst); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*d.Rows())/b.Elapsed().Seconds(), "rows/s")
}
