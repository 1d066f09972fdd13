package tree_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dolor/diag"
	"dolor/internal/tree"
	"dolor/rng"
)

// eighths is a table of numbers that are eighths, some of them missing, with gradients.
func eighths(t *rapid.T, cols int) (table *tree.Table, grad, hess []float32) {
	rows := rapid.IntRange(1, 120).Draw(t, "rows")
	r := rng.New(rapid.Uint64().Draw(t, "seed")).Rand()
	table = &tree.Table{Rows: rows, Columns: make([]tree.Column, cols)}
	for j := range table.Columns {
		v := make([]float32, rows)
		for i := range v {
			v[i] = float32(r.IntN(100)-50) / 8
			if r.IntN(8) == 0 {
				v[i] = tree.Missing
			}
		}
		table.Columns[j].Values = v
	}
	grad, hess = make([]float32, rows), make([]float32, rows)
	for i := range grad {
		grad[i] = float32(r.NormFloat64())
		if x := table.Columns[0].Values[i]; x == x {
			grad[i] -= x / 8
		}
		hess[i] = float32(r.Float64()) + 0.01
	}
	return table, grad, hess
}

func binsOf(t *rapid.T, table *tree.Table) *tree.Bins {
	b, err := tree.NewBins(context.Background(), table, nil, 256, 1)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func growOn(t *rapid.T, b *tree.Bins, p *tree.GrowParams, bound int, grad, hess []float32) *tree.Tree {
	g, err := tree.NewGrower(b, p, bound, 1)
	if err != nil {
		t.Fatal(err)
	}
	out, err := g.Grow(context.Background(), grad, hess, nil, rng.New(5))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func value(t *tree.Tree, x []float32) float32 { return t.Nodes[t.LeafOf(x)].Value }

func TestMonotoneHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, grad, hess := eighths(t, 3)
		p := &tree.GrowParams{
			MaxDepth: rapid.IntRange(0, 6).Draw(t, "depth"), LearningRate: 1, Lambda: rapid.SampledFrom([]float64{0, 1}).Draw(t, "lambda"),
			Alpha:      rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "alpha"),
			LossGuided: rapid.Bool().Draw(t, "loss-guided"), Monotone: []int8{-1, 1, 0},
		}
		if rapid.Bool().Draw(t, "with the trend") {
			p.Monotone[0] = 1
		}
		got := growOn(t, binsOf(t, table), p, 0, grad, hess)
		r := rng.New(1).Rand()
		for range 200 {
			x := []float32{float32(r.IntN(120)-60) / 8, float32(r.IntN(120)-60) / 8, float32(r.IntN(120)-60) / 8}
			if r.IntN(4) == 0 {
				x[2] = tree.Missing
			}
			for j, d := range p.Monotone[:2] {
				y := slices.Clone(x)
				y[j] += float32(r.IntN(40)) / 8
				if diff := value(got, y) - value(got, x); diff*float32(d) < 0 {
					t.Fatalf("column %d, direction %d: %v from %v to %v", j, d, diff, x, y)
				}
			}
		}
	})
}

func TestAddingAConstantChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, grad, hess := eighths(t, 3)
		p := &tree.GrowParams{MaxDepth: 4, LearningRate: 1, Lambda: 1}
		want := growOn(t, binsOf(t, table), p, 0, grad, hess)
		const shift = 1024
		for i := range table.Columns[1].Values {
			table.Columns[1].Values[i] += shift
		}
		got := growOn(t, binsOf(t, table), p, 0, grad, hess)
		for i := range table.Rows {
			x := row(table, i)
			a := value(got, x)
			x[1] -= shift
			if b := value(want, x); a != b {
				t.Fatalf("row %d: %v, want %v", i, a, b)
			}
		}
	})
}

func TestDuplicatedRowsEqualDoubledWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, grad, hess := eighths(t, 3)
		p := &tree.GrowParams{MaxDepth: 4, LearningRate: 1, Lambda: 1, MinChildWeight: 1}
		order := make([]int, 0, 2*table.Rows)
		for i := range table.Rows {
			order = append(order, i, i)
		}
		got := growOn(t, binsOf(t, take(table, order)), p, 1000, pick(grad, order), pick(hess, order))
		for i := range grad {
			grad[i] *= 2
			hess[i] *= 2
		}
		want := growOn(t, binsOf(t, table), p, 1000, grad, hess)
		if !slices.Equal(got.Nodes, want.Nodes) {
			t.Fatalf("got %v, want %v", got.Nodes, want.Nodes)
		}
	})
}

// Splits of equal gain on two columns go to the lower one, so the gains agree in any case and
// the trees where nothing ties.
func TestPermutingColumns(t *testing.T) {
	table, y := normalTable(2000, 5, 0.05, 9)
	margin, grad, hess := make([]float32, 2000), make([]float32, 2000), make([]float32, 2000)
	gradients(margin, y, grad, hess)
	want, _ := mustGrow(t, mustBins(t, table, 256), plain(), 1, grad, hess, nil)
	to := []int32{3, 0, 4, 1, 2}
	moved := &tree.Table{Rows: table.Rows, Columns: make([]tree.Column, 5)}
	for j, k := range to {
		moved.Columns[k] = table.Columns[j]
	}
	got, _ := mustGrow(t, mustBins(t, moved, 256), plain(), 1, grad, hess, nil)
	if len(got.Nodes) != len(want.Nodes) {
		t.Fatalf("%d nodes, want %d", len(got.Nodes), len(want.Nodes))
	}
	for k, n := range want.Nodes {
		if !n.IsLeaf() {
			n.Feature = to[n.Feature]
		}
		if got.Nodes[k] != n {
			t.Errorf("node %d: got %+v, want %+v", k, got.Nodes[k], n)
		}
	}
}

func TestUselessColumnsAndConstraints(t *testing.T) {
	table, grad, hess := mixedTable(3000, 4)
	b := mustBins(t, table, 64)
	for name, p := range variants() {
		got, _ := mustGrow(t, b, p, 1, grad, hess, nil)
		leaves := 0
		for k, n := range got.Nodes {
			if n.IsLeaf() {
				leaves++
				continue
			}
			if n.Feature == 5 || n.Feature == 6 {
				t.Errorf("%s: split on column %d, which is empty or constant", name, n.Feature)
			}
			if n.Gain < float32(p.Gamma) || n.Gain <= 0 {
				t.Errorf("%s: gain %v", name, n.Gain)
			}
			if name == "interactions" {
				checkPath(t, got, int32(k), [][]int32{{0, 2}, {2, 4}, {1}})
			}
		}
		if p.MaxLeaves > 0 && leaves > p.MaxLeaves {
			t.Errorf("%s: %d leaves", name, leaves)
		}
		if p.MaxDepth > 0 && got.Depth() > p.MaxDepth {
			t.Errorf("%s: depth %d", name, got.Depth())
		}
	}
}

// checkPath fails if the columns above and at node k are in no set together and not all one.
func checkPath(tb testing.TB, t *tree.Tree, k int32, sets [][]int32) {
	tb.Helper()
	var path []int32
	for ; k >= 0; k = t.Nodes[k].Parent {
		path = append(path, t.Nodes[k].Feature)
	}
	slices.Sort(path)
	path = slices.Compact(path)
	for _, set := range sets {
		if !slices.ContainsFunc(path, func(j int32) bool { return !slices.Contains(set, j) }) {
			return
		}
	}
	if len(path) > 1 {
		tb.Errorf("columns %v on one path", path)
	}
}

func TestFewRows(t *testing.T) {
	nan := tree.Missing
	deep := &tree.GrowParams{LearningRate: 1}
	for _, tt := range []struct {
		name   string
		values []float32
		nodes  int
	}{
		{"no rows", nil, 1},
		{"one row", []float32{1}, 1},
		{"two rows", []float32{1, 2}, 3},
		{"equal rows", []float32{1, 1}, 1},
		{"zero and minus zero", []float32{0, float32(math.Copysign(0, -1))}, 1},
		{"one missing", []float32{nan, 2}, 3},
		{"all missing", []float32{nan, nan}, 1},
		{"largest", []float32{-math.MaxFloat32, math.MaxFloat32}, 3},
		{"neighbours", []float32{1, math.Nextafter32(1, 2)}, 3},
		{"neighbours of the largest", []float32{math.MaxFloat32, math.Nextafter32(math.MaxFloat32, 0)}, 3},
		{"denormal", []float32{0, math.SmallestNonzeroFloat32}, 3},
		{"denormal below", []float32{0, -math.SmallestNonzeroFloat32}, 3},
	} {
		table := &tree.Table{Rows: len(tt.values), Columns: []tree.Column{{Values: tt.values}}}
		grad, hess := make([]float32, len(tt.values)), make([]float32, len(tt.values))
		for i := range grad {
			grad[i], hess[i] = float32(2*i-1), 1
		}
		got, leaves := mustGrow(t, mustBins(t, table, 256), deep, 1, grad, hess, nil)
		if len(got.Nodes) != tt.nodes {
			t.Errorf("%s: %d nodes, want %d", tt.name, len(got.Nodes), tt.nodes)
		}
		for i, x := range tt.values {
			if k := got.LeafOf([]float32{x}); k != leaves[i] {
				t.Errorf("%s: row %d in leaf %d, the tree says %d", tt.name, i, leaves[i], k)
			}
		}
	}
	none := &tree.Table{Rows: 3}
	if got, _ := mustGrow(t, mustBins(t, none, 256), deep, 1, []float32{1, 1, 1}, []float32{1, 1, 1}, nil); got.Nodes[0].Value != -1 {
		t.Errorf("no columns: value %v, want -1", got.Nodes[0].Value)
	}
}

// Of very many categories the most frequent have codes; the rest stay together.
func TestManyCategories(t *testing.T) {
	const rows, levels = 20_000, 1 << 16
	r := rng.New(8).Rand()
	v, grad, hess := make([]float32, rows), make([]float32, rows), make([]float32, rows)
	for i := range v {
		v[i] = float32(r.IntN(levels))
		if i%2 == 0 {
			v[i] = float32(r.IntN(40) * 1600)
		}
		grad[i], hess[i] = float32(r.NormFloat64()), 1
		if v[i] == 3200 || v[i] == 16000 {
			grad[i] -= 2
		}
	}
	table := &tree.Table{Rows: rows, Columns: []tree.Column{{Name: "code", Levels: levels, Values: v}}}
	got, leaves := mustGrow(t, mustBins(t, table, 256), &tree.GrowParams{MaxDepth: 3, LearningRate: 1, Lambda: 1}, 1, grad, hess, nil)
	if len(got.Nodes) < 3 || len(got.Sets) == 0 || len(got.Sets[0]) != levels/64 {
		t.Fatalf("%d nodes, %d sets", len(got.Nodes), len(got.Sets))
	}
	for i, x := range v {
		if k := got.LeafOf([]float32{x}); k != leaves[i] {
			t.Fatalf("row %d in leaf %d, the tree says %d", i, leaves[i], k)
		}
	}
	in := func(code int) bool { return got.Sets[0][code/64]>>(code%64)&1 != 0 }
	if !in(3200) || !in(16000) {
		t.Error("the two levels that differ are not parted from the rest")
	}
}

func TestGrowRefuses(t *testing.T) {
	ctx := context.Background()
	nan := float32(math.NaN())
	inf := float32(math.Inf(1))
	one := &tree.Table{Rows: 2, Columns: []tree.Column{{Name: "x", Values: []float32{1, 2}}}}
	bins := func(c tree.Column, w []float64, maxBin int) func() error {
		return func() error {
			_, err := tree.NewBins(ctx, &tree.Table{Rows: 2, Columns: []tree.Column{c}}, w, maxBin, 1)
			return err
		}
	}
	grow := func(p *tree.GrowParams, bound int, grad, hess, rows any) func() error {
		return func() error {
			b, err := tree.NewBins(ctx, one, nil, 0, 1)
			if err != nil {
				return err
			}
			g, err := tree.NewGrower(b, p, bound, 1)
			if err != nil {
				return err
			}
			r, _ := rows.([]int32)
			_, err = g.Grow(ctx, grad.([]float32), hess.([]float32), r, rng.New(1))
			return err
		}
	}
	ok := []float32{1, 1}
	number := one.Columns[0]
	p := plain()
	for _, tt := range []struct {
		name string
		do   func() error
		want diag.Kind
	}{
		{"infinite number", bins(tree.Column{Values: []float32{1, inf}}, nil, 256), diag.Invalid},
		{"short column", bins(tree.Column{Values: []float32{1}}, nil, 256), diag.Invalid},
		{"code beyond the levels", bins(tree.Column{Levels: 2, Values: []float32{1, 2}}, nil, 256), diag.Invalid},
		{"code between", bins(tree.Column{Levels: 2, Values: []float32{1, 0.5}}, nil, 256), diag.Invalid},
		{"one bin", bins(number, nil, 1), diag.Invalid},
		{"too many bins", bins(number, nil, 257), diag.Invalid},
		{"negative weight", bins(number, []float64{1, -1}, 256), diag.Invalid},
		{"missing weight", bins(number, []float64{1, math.NaN()}, 256), diag.Invalid},
		{"too few weights", bins(number, []float64{1}, 256), diag.Invalid},
		{"missing gradient", grow(p, 0, []float32{1, nan}, ok, nil), diag.Unfit},
		{"infinite gradient", grow(p, 0, []float32{-inf, 1}, ok, nil), diag.Unfit},
		{"missing curvature", grow(p, 0, ok, []float32{1, nan}, nil), diag.Unfit},
		{"negative curvature", grow(p, 0, ok, []float32{1, -1}, nil), diag.Unfit},
		{"row beyond", grow(p, 0, ok, ok, []int32{2}), diag.Internal},
		{"too many rows for the bound", grow(p, 1, ok, ok, nil), diag.Invalid},
		{"monotone", grow(&tree.GrowParams{Monotone: []int8{1, 1}}, 0, ok, ok, nil), diag.Invalid},
		{"interactions", grow(&tree.GrowParams{Interactions: [][]int32{{4}}}, 0, ok, ok, nil), diag.Invalid},
	} {
		if err := tt.do(); err == nil || diag.KindOf(err) != tt.want {
			t.Errorf("%s: got %v, want kind %v", tt.name, err, tt.want)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	b, err := tree.NewBins(ctx, one, nil, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 2} {
		g, err := tree.NewGrower(b, &tree.GrowParams{}, 0, workers)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Grow(cancelled, []float32{1, -1}, ok, nil, rng.New(1)); diag.KindOf(err) != diag.Canceled {
			t.Errorf("cancelled: got %v", err)
		}
		if got, err := g.Grow(ctx, []float32{1, -1}, ok, nil, rng.New(1)); err != nil || len(got.Nodes) != 3 {
			t.Errorf("after cancelling: got %v, %v", got, err)
		}
	}
	if _, err := tree.NewBins(cancelled, one, nil, 0, 1); diag.KindOf(err) != diag.Canceled {
		t.Errorf("cancelled bins: got %v", err)
	}
}
