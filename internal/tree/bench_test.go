package tree_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"dolor/internal/tree"
	"dolor/rng"
)

// normalTable has numbers of which a share is missing, and an outcome that depends on three.
func normalTable(rows, cols int, missing float64, seed uint64) (*tree.Table, []float32) {
	r := rng.New(seed).Rand()
	t := &tree.Table{Rows: rows, Columns: make([]tree.Column, cols)}
	score := make([]float64, rows)
	for j := range t.Columns {
		v := make([]float32, rows)
		for i := range v {
			x := r.NormFloat64()
			v[i] = float32(x)
			switch j {
			case 0:
				score[i] += x
			case 1:
				score[i] += math.Abs(x) - 0.8
			case 2:
				if x > 0.3 {
					score[i]--
				}
			}
			if r.Float64() < missing {
				v[i] = tree.Missing
			}
		}
		t.Columns[j] = tree.Column{Name: fmt.Sprint("x", j), Values: v}
	}
	y := make([]float32, rows)
	for i := range y {
		if r.Float64() < tree.Sigmoid(score[i]) {
			y[i] = 1
		}
	}
	return t, y
}

// gradients fills grad and hess with those of the log loss.
func gradients(margin, y, grad, hess []float32) {
	for i, m := range margin {
		g, h := tree.LogLossGradient(float64(m), float64(y[i]), 1)
		grad[i], hess[i] = float32(g), float32(h)
	}
}

func plain() *tree.GrowParams {
	return &tree.GrowParams{MaxDepth: 6, LearningRate: 0.1, MinChildWeight: 1, Lambda: 1}
}

func BenchmarkGrow(b *testing.B) {
	ctx := context.Background()
	for _, rows := range []int{10_000, 100_000, 1_000_000} {
		t, y := normalTable(rows, 50, 0.05, 1)
		bins, err := tree.NewBins(ctx, t, nil, 256, 0)
		if err != nil {
			b.Fatal(err)
		}
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("rows=%d/cols=50/workers=%d", rows, workers), func(b *testing.B) {
				g, err := tree.NewGrower(bins, plain(), 0, workers)
				if err != nil {
					b.Fatal(err)
				}
				margin, grad, hess := make([]float32, rows), make([]float32, rows), make([]float32, rows)
				for k := 0; b.Loop(); k++ {
					gradients(margin, y, grad, hess)
					if _, err := g.Grow(ctx, grad, hess, nil, rng.New(1).Child("tree", k)); err != nil {
						b.Fatal(err)
					}
					if err := g.AddTo(ctx, margin); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func BenchmarkNewBins(b *testing.B) {
	t, _ := normalTable(1_000_000, 50, 0.05, 1)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("rows=1000000/cols=50/workers=%d", workers), func(b *testing.B) {
			for b.Loop() {
				if _, err := tree.NewBins(context.Background(), t, nil, 256, workers); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
