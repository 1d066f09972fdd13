package tree_test

import (
	"context"
	"fmt"
	"testing"

	"dolor/internal/tree"
	"dolor/rng"
)

// benchTrees is 100 full trees of depth 6 on 50 columns of which a twentieth is missing.
func benchTrees(rows int) (*tree.Ensemble, *tree.Table) {
	const trees, depth, cols = 100, 6, 50
	r := rng.New(1).Rand()
	e := &tree.Ensemble{Features: make([]tree.Feature, cols)}
	for range trees {
		t := tree.Tree{Nodes: make([]tree.Node, 1<<(depth+1)-1)}
		for i := range t.Nodes {
			n := &t.Nodes[i]
			*n = tree.Node{Left: tree.Leaf, Right: tree.Leaf, Parent: int32(i-1) / 2}
			if 2*i+2 < len(t.Nodes) {
				n.Left, n.Right = int32(2*i+1), int32(2*i+2)
				n.Feature, n.Threshold, n.DefaultLeft = int32(r.IntN(cols)), float32(r.NormFloat64()), r.IntN(2) == 0
			} else {
				n.Value = float32(r.NormFloat64())
			}
		}
		t.Nodes[0].Parent = -1
		e.Trees = append(e.Trees, t)
	}
	x := &tree.Table{Rows: rows, Columns: make([]tree.Column, cols)}
	for j := range x.Columns {
		x.Columns[j].Values = make([]float32, rows)
		for i := range rows {
			x.Columns[j].Values[i] = float32(r.NormFloat64())
			if r.IntN(20) == 0 {
				x.Columns[j].Values[i] = tree.Missing
			}
		}
	}
	return e, x
}

func BenchmarkMargins(b *testing.B) {
	for _, rows := range []int{1, 100_000} {
		e, x := benchTrees(rows)
		dst := make([]float32, rows)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("rows=%d/cols=50/workers=%d", rows, workers), func(b *testing.B) {
				for b.Loop() {
					if err := e.Margins(context.Background(), x, workers, dst); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
