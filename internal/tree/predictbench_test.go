package tree_test

import (
	"context"
	"math"
	"math/rand"
	"testing"

	"dolor/internal/tree"
)

func benchEnsemble(trees, depth, cols int) *tree.Ensemble {
	r := rand.New(rand.NewSource(1))
	e := &tree.Ensemble{Features: make([]tree.Feature, cols)}
	for range trees {
		n := 1<<(depth+1) - 1
		t := tree.Tree{Nodes: make([]tree.Node, n)}
		for i := range t.Nodes {
			nd := &t.Nodes[i]
			nd.Parent = int32((i - 1) / 2)
			if 2*i+2 < n {
				nd.Left, nd.Right = int32(2*i+1), int32(2*i+2)
				nd.Feature = int32(r.Intn(cols))
				nd.Threshold = float32(r.NormFloat64())
				nd.DefaultLeft = r.Intn(2) == 0
			} else {
				nd.Left, nd.Right = -1, -1
				nd.Value = float32(r.NormFloat64())
			}
		}
		e.Trees = append(e.Trees, t)
	}
	return e
}

func BenchmarkMargins(b *testing.B) {
	r := rand.New(rand.NewSource(2))
	const rows, cols = 100000, 50
	tab := &tree.Table{Rows: rows, Columns: make([]tree.Column, cols)}
	for j := range tab.Columns {
		v := make([]float32, rows)
		for i := range v {
			v[i] = float32(r.NormFloat64())
			if r.Intn(20) == 0 {
				v[i] = float32(math.NaN())
			}
		}
		tab.Columns[j].Values = v
	}
	e := benchEnsemble(100, 6, cols)
	dst := make([]float32, rows)
	for b.Loop() {
		if err := e.Margins(context.Background(), tab, 1, dst); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
