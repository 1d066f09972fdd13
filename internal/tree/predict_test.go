package tree_test

import (
	"context"
	"math"
	"testing"

	"pgregory.net/rapid"

	"dolor/internal/tree"
)

// walk is the definition of a margin.
func walk(e *tree.Ensemble, t *tree.Table, trees int, i int) float32 {
	row := make([]float32, len(e.Features))
	for j := range row {
		row[j] = t.Columns[j].Values[i]
	}
	sum := e.Base
	for k := range trees {
		v := e.Trees[k].Nodes[e.Trees[k].LeafOf(row)].Value
		if e.Scale != nil {
			v = float32(v * e.Scale[k])
		}
		sum += v
	}
	return sum
}

// values are those at which comparisons may go wrong.
var values = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32,
	math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), tree.Missing,
	2, 63, 64, 65, 127, 128, 1 << 20, 2.5, math.Nextafter32(1, 0), math.Nextafter32(1, 2),
}

var thresholds = []float32{0, float32(math.Copysign(0, -1)), 1, -1, math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32, 2, math.Nextafter32(1, 0)}

func drawEnsemble(t *rapid.T, features int) *tree.Ensemble {
	e := &tree.Ensemble{Features: make([]tree.Feature, features), Base: 0.25}
	dart := rapid.Bool().Draw(t, "dart")
	sets := rapid.Bool().Draw(t, "sets")
	for k := range rapid.IntRange(0, 4).Draw(t, "trees") {
		tr := tree.Tree{Nodes: []tree.Node{{Left: tree.Leaf, Right: tree.Leaf, Parent: -1}}}
		for range rapid.IntRange(0, 30).Draw(t, "splits") {
			p := int32(rapid.IntRange(0, len(tr.Nodes)-1).Draw(t, "parent"))
			if !tr.Nodes[p].IsLeaf() {
				p = int32(len(tr.Nodes) - 1)
			}
			n := &tr.Nodes[p]
			n.Value = 0
			n.Feature = int32(rapid.IntRange(0, features-1).Draw(t, "feature"))
			n.DefaultLeft = rapid.Bool().Draw(t, "missing left")
			if sets && rapid.Bool().Draw(t, "category") {
				set := make([]uint64, rapid.IntRange(0, 3).Draw(t, "words"))
				for w := range set {
					set[w] = rapid.Uint64().Draw(t, "bits")
				}
				tr.Sets = append(tr.Sets, set)
				n.Set = int32(len(tr.Sets))
			} else {
				n.Threshold = rapid.SampledFrom(thresholds).Draw(t, "threshold")
			}
			n.Left, n.Right = int32(len(tr.Nodes)), int32(len(tr.Nodes)+1)
			tr.Nodes = append(tr.Nodes,
				tree.Node{Left: tree.Leaf, Right: tree.Leaf, Parent: p, Value: float32(len(tr.Nodes)) / 3},
				tree.Node{Left: tree.Leaf, Right: tree.Leaf, Parent: p, Value: -float32(len(tr.Nodes)) / 7})
		}
		e.Trees = append(e.Trees, tr)
		if dart {
			e.Scale = append(e.Scale, 1/float32(k+2))
		}
	}
	return e
}

func TestMarginsEqualWalking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		features := rapid.IntRange(1, 4).Draw(t, "features")
		e := drawEnsemble(t, features)
		rows := rapid.SampledFrom([]int{0, 1, 5, 63, 64, 65, 130, 4099}).Draw(t, "rows")
		x := &tree.Table{Rows: rows, Columns: make([]tree.Column, features)}
		for j := range x.Columns {
			x.Columns[j].Values = make([]float32, rows)
			for i := range rows {
				x.Columns[j].Values[i] = values[(i*(2*j+1)+i/len(values)+j)%len(values)]
			}
		}
		first := rapid.IntRange(0, len(e.Trees)).Draw(t, "first")
		got, leaves := make([]float32, rows), make([]int32, rows*len(e.Trees))
		p := tree.NewPredictor(e)
		for _, workers := range []int{1, 2} {
			for name, f := range map[string]func() error{
				"ensemble":  func() error { return e.MarginsFirst(context.Background(), x, workers, first, got) },
				"predictor": func() error { return p.MarginsFirst(context.Background(), x, workers, first, got) },
			} {
				if err := f(); err != nil {
					t.Fatal(err)
				}
				for i := range got {
					if want := walk(e, x, first, i); got[i] != want {
						t.Fatalf("%s, row %d: got %v, want %v", name, i, got[i], want)
					}
				}
			}
		}
		if err := e.Leaves(context.Background(), x, 2, leaves); err != nil {
			t.Fatal(err)
		}
		for i := range min(rows, 30) {
			sum := e.Base
			for k := range e.Trees {
				v := e.Trees[k].Nodes[leaves[i*len(e.Trees)+k]].Value
				if e.Scale != nil {
					v = float32(v * e.Scale[k])
				}
				sum += v
			}
			if want := walk(e, x, len(e.Trees), i); sum != want {
				t.Fatalf("row %d: the leaves add up to %v, want %v", i, sum, want)
			}
		}
	})
}

// stump splits feature j at 0.
func stump(j int32, value float32) tree.Tree {
	return tree.Tree{Nodes: []tree.Node{
		{Left: 1, Right: 2, Parent: -1, Feature: j},
		{Left: tree.Leaf, Right: tree.Leaf, Value: -value},
		{Left: tree.Leaf, Right: tree.Leaf, Value: value},
	}}
}

func TestMarginsOfManyFeatures(t *testing.T) {
	const features, rows = 9000, 70 // more places than a block of 8 rows can hold
	e := &tree.Ensemble{Features: make([]tree.Feature, features)}
	x := &tree.Table{Rows: rows, Columns: make([]tree.Column, features)}
	for j := range features {
		e.Trees = append(e.Trees, stump(int32(j), float32(j)))
		x.Columns[j].Values = make([]float32, rows)
		for i := range rows {
			x.Columns[j].Values[i] = float32((i+j)%3 - 1)
		}
	}
	for _, k := range []int{2000, features} {
		e.Features, e.Trees = e.Features[:k], e.Trees[:k]
		got := make([]float32, rows)
		if err := e.Margins(context.Background(), x, 1, got); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if want := walk(e, x, k, i); got[i] != want {
				t.Fatalf("%d features, row %d: got %v, want %v", k, i, got[i], want)
			}
		}
	}
}

func TestMarginsOfDeepAndLargeTrees(t *testing.T) {
	for name, splits := range map[string]int{"deep": 300, "large": 40000} {
		t.Run(name, func(t *testing.T) {
			tr := tree.Tree{Nodes: []tree.Node{{Left: tree.Leaf, Right: tree.Leaf, Parent: -1}}}
			at := int32(0)
			for k := range splits {
				n := &tr.Nodes[at]
				n.Threshold, n.Value = float32(k), 0
				n.Left, n.Right = int32(len(tr.Nodes)), int32(len(tr.Nodes)+1)
				for s := range 2 {
					tr.Nodes = append(tr.Nodes, tree.Node{Left: tree.Leaf, Right: tree.Leaf, Parent: at, Value: float32(2*k + s)})
				}
				at = n.Right
			}
			e := &tree.Ensemble{Features: make([]tree.Feature, 1), Trees: []tree.Tree{tr}}
			x := &tree.Table{Rows: 100, Columns: []tree.Column{{Values: make([]float32, 100)}}}
			for i := range 100 {
				x.Columns[0].Values[i] = float32(i*5) - 3
			}
			got := make([]float32, 100)
			if err := e.Margins(context.Background(), x, 1, got); err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if want := walk(e, x, 1, i); got[i] != want {
					t.Fatalf("row %d: got %v, want %v", i, got[i], want)
				}
			}
		})
	}
}

func TestMarginsRefuse(t *testing.T) {
	e := &tree.Ensemble{Features: make([]tree.Feature, 2)}
	x := &tree.Table{Rows: 1, Columns: []tree.Column{{Values: []float32{1}}}}
	if err := e.Margins(context.Background(), x, 1, make([]float32, 1)); err == nil {
		t.Error("a table with too few columns: got no error")
	}
	e.Features = e.Features[:1]
	if err := e.Margins(context.Background(), x, 1, make([]float32, 2)); err == nil {
		t.Error("too many results: got no error")
	}
	if err := e.Leaves(context.Background(), x, 1, make([]int32, 1)); err == nil {
		t.Error("leaves of no tree: got no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Margins(ctx, x, 1, make([]float32, 1)); err == nil {
		t.Error("cancelled: got no error")
	}
}

func TestImportance(t *testing.T) {
	e := &tree.Ensemble{Features: make([]tree.Feature, 3), Trees: []tree.Tree{stump(0, 1), stump(2, 1), stump(2, 1)}}
	for k := range e.Trees {
		e.Trees[k].Nodes[0].Gain, e.Trees[k].Nodes[0].Cover = float32(k+1), 10*float32(k+1)
	}
	for kind, want := range map[string][]float64{
		tree.ImportanceWeight: {1, 0, 2}, tree.ImportanceGain: {1, 0, 2.5}, tree.ImportanceTotalGain: {1, 0, 5},
		tree.ImportanceCover: {10, 0, 25}, tree.ImportanceTotalCover: {10, 0, 50},
	} {
		got, err := e.Importance(kind)
		if err != nil {
			t.Fatal(err)
		}
		for j := range want {
			if got[j] != want[j] {
				t.Errorf("%s: got %v, want %v", kind, got, want)
			}
		}
	}
	if _, err := e.Importance("size"); err == nil {
		t.Error("an unknown kind: got no error")
	}
}
