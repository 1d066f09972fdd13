package treeshap_test

import (
	"fmt"
	"testing"

	"dolor/internal/tree"
	"dolor/internal/treeshap"
	"dolor/rng"
)

// fullModel is an ensemble of full trees of numbers, the slowest of its depth.
func fullModel(trees, depth, columns, rows int) (*tree.Ensemble, *tree.Table) {
	r := rng.New(1).Child("treeshap").Rand()
	e := &tree.Ensemble{Features: make([]tree.Feature, columns)}
	for range trees {
		t := randomTree(r, shape{columns: columns, depth: depth})
		for k := range t.Nodes {
			t.Nodes[k].Set, t.Nodes[k].Threshold = 0, float32(r.NormFloat64())
		}
		e.Trees = append(e.Trees, t)
	}
	t := &tree.Table{Rows: rows}
	for range columns {
		c := tree.Column{Values: make([]float32, rows)}
		for i := range c.Values {
			c.Values[i] = float32(r.NormFloat64())
			if r.Float64() < 0.05 {
				c.Values[i] = tree.Missing
			}
		}
		t.Columns = append(t.Columns, c)
	}
	return e, t
}

func BenchmarkPathDependent(b *testing.B) {
	for _, c := range []struct{ rows, depth, bytes int }{
		{10000, 6, 0}, {1, 6, 0}, {1000, 6, -1}, {1000, 8, 0}, {100, 10, 0},
	} {
		e, t := fullModel(100, c.depth, 50, c.rows)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("rows=%d/depth=%d/bytes=%d/workers=%d", c.rows, c.depth, c.bytes, workers), func(b *testing.B) {
				x, err := treeshap.New(e, &treeshap.Options{Bytes: c.bytes})
				if err != nil {
					b.Fatal(err)
				}
				if err := x.Prepare(b.Context(), workers); err != nil {
					b.Fatal(err)
				}
				dst := make([]float64, c.rows*50)
				for b.Loop() {
					if _, _, err := x.PathDependent(b.Context(), t, workers, dst); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(c.rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func BenchmarkPrepare(b *testing.B) {
	e, _ := fullModel(100, 6, 50, 1)
	for b.Loop() {
		x, err := treeshap.New(e, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := x.Prepare(b.Context(), 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInterventional(b *testing.B) {
	e, ground := fullModel(100, 6, 50, 1000)
	for _, rows := range []int{1, 10000} {
		_, t := fullModel(1, 1, 50, rows)
		x, err := treeshap.New(e, nil)
		if err != nil {
			b.Fatal(err)
		}
		var back *treeshap.BackgroundExplainer
		b.Run("background=1000/prepare", func(b *testing.B) {
			for b.Loop() {
				if back, err = x.Interventional(b.Context(), ground, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("background=1000/rows=%d", rows), func(b *testing.B) {
			dst := make([]float64, rows*50)
			for b.Loop() {
				if _, _, err := back.Values(b.Context(), t, 1, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkInteractions(b *testing.B) {
	const rows = 1000
	e, t := fullModel(100, 6, 50, rows)
	x, err := treeshap.New(e, nil)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]float64, rows*50*50)
	for b.Loop() {
		if _, _, err := x.Interactions(b.Context(), t, 1, dst); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkForest is the case without kept tables: trees grown out to 100 to 200 leaves.
func BenchmarkForest(b *testing.B) {
	r := rng.New(2).Rand()
	e := randomEnsemble(r, shape{columns: 20, trees: 0})
	for len(e.Trees) < 50 {
		if t := randomTree(r, shape{columns: 20, depth: 14, stop: 0.3}); len(t.Nodes) > 200 && len(t.Nodes) < 400 {
			e.Trees = append(e.Trees, t)
		}
	}
	for _, size := range []int{100, 1000} {
		t, ground := randomTable(r, 20, size), randomTable(r, 20, size)
		for _, bytes := range []int{0, -1} {
			x, err := treeshap.New(e, &treeshap.Options{Bytes: bytes})
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("path/rows=%d/bytes=%d", size, bytes), func(b *testing.B) {
				for b.Loop() {
					if _, _, err := x.PathDependent(b.Context(), t, 1, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
			back, err := x.Interventional(b.Context(), ground, 1)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("background=%d/rows=%d/bytes=%d", size, size, bytes), func(b *testing.B) {
				for b.Loop() {
					if _, _, err := back.Values(b.Context(), t, 1, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
