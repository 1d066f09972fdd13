package tree_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"dolor/internal/tree"
	"dolor/rng"
)

// mixedTable has numbers with ties and missing values, and categories of 3 and 12 levels.
func mixedTable(rows int, seed uint64) (t *tree.Table, grad, hess []float32) {
	r := rng.New(seed).Rand()
	t = &tree.Table{Rows: rows, Columns: []tree.Column{
		{Name: "normal"},
		{Name: "rounded"},
		{Name: "complete"},
		{Name: "few", Levels: 3},
		{Name: "many", Levels: 12},
		{Name: "empty"},
		{Name: "constant"},
		{Name: "skewed"},
		{Name: "two"},
	}}
	for j := range t.Columns {
		c := &t.Columns[j]
		c.Values = make([]float32, rows)
		for i := range c.Values {
			x := r.NormFloat64()
			switch c.Name {
			case "rounded":
				x = math.Round(2 * x)
			case "few", "many":
				x = float64(r.IntN(c.Levels))
			case "empty":
				x = math.NaN()
			case "constant":
				x = 3
			case "skewed":
				x = math.Exp(3 * x)
			case "two":
				x = float64(r.IntN(2))
			}
			if c.Name != "complete" && c.Name != "constant" && r.Float64() < 0.1 {
				x = math.NaN()
			}
			c.Values[i] = float32(x)
		}
	}
	grad, hess = make([]float32, rows), make([]float32, rows)
	for i := range grad {
		x := 0.3 * r.NormFloat64()
		for j, w := range []float64{0.3, 0.1, -0.2} {
			if v := float64(t.Columns[j].Values[i]); v == v {
				x += w * v
			}
		}
		if v := t.Columns[4].Values[i]; v == 3 || v == 7 || v == 8 {
			x += 0.4
		}
		if v := t.Columns[3].Values[i]; v == 1 {
			x -= 0.2
		}
		p := 1 / (1 + math.Exp(-x))
		grad[i] = float32(p - float64(r.IntN(2)))
		hess[i] = float32(p * (1 - p))
	}
	return t, grad, hess
}

func mustBins(tb testing.TB, t *tree.Table, maxBin int) *tree.Bins {
	tb.Helper()
	b, err := tree.NewBins(context.Background(), t, nil, maxBin, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func mustGrow(tb testing.TB, b *tree.Bins, p *tree.GrowParams, workers int, grad, hess []float32, rows []int32) (*tree.Tree, []int32) {
	tb.Helper()
	g, err := tree.NewGrower(b, p, 0, workers)
	if err != nil {
		tb.Fatal(err)
	}
	out, err := g.Grow(context.Background(), grad, hess, rows, rng.New(5))
	if err != nil {
		tb.Fatal(err)
	}
	return out, g.Leaves(nil)
}

// row returns row i of t.
func row(t *tree.Table, i int) []float32 {
	x := make([]float32, len(t.Columns))
	for j := range x {
		x[j] = t.Columns[j].Values[i]
	}
	return x
}

// take returns the rows of t in the given order.
func take(t *tree.Table, order []int) *tree.Table {
	out := &tree.Table{Rows: len(order), Columns: slices.Clone(t.Columns)}
	for j := range out.Columns {
		out.Columns[j].Values = pick(t.Columns[j].Values, order)
	}
	return out
}

func pick(v []float32, order []int) []float32 {
	out := make([]float32, len(order))
	for k, i := range order {
		out[k] = v[i]
	}
	return out
}

// variants are parameters that take different ways through the grower.
func variants() map[string]*tree.GrowParams {
	base := func(f func(*tree.GrowParams)) *tree.GrowParams {
		p := &tree.GrowParams{MaxDepth: 5, LearningRate: 0.3, MinChildWeight: 1, Lambda: 1}
		f(p)
		return p
	}
	return map[string]*tree.GrowParams{
		"plain":        base(func(*tree.GrowParams) {}),
		"deep":         base(func(p *tree.GrowParams) { p.MaxDepth = 0; p.MinChildWeight = 0.1 }),
		"loss-guided":  base(func(p *tree.GrowParams) { p.LossGuided = true; p.MaxLeaves = 13; p.MaxDepth = 0 }),
		"leaves":       base(func(p *tree.GrowParams) { p.MaxLeaves = 11 }),
		"L1 and limit": base(func(p *tree.GrowParams) { p.Alpha = 0.5; p.MaxDeltaStep = 0.4 }),
		"gamma":        base(func(p *tree.GrowParams) { p.Gamma = 3 }),
		"monotone":     base(func(p *tree.GrowParams) { p.Monotone = []int8{1, 0, 1, 0, 0, 0, 0, -1, 1} }),
		"one-hot":      base(func(p *tree.GrowParams) { p.MaxCatToOneHot = 12 }),
		"sampled": base(func(p *tree.GrowParams) {
			p.ColsampleByTree, p.ColsampleByLevel, p.ColsampleByNode = 0.9, 0.8, 0.7
		}),
		"interactions": base(func(p *tree.GrowParams) { p.Interactions = [][]int32{{0, 2}, {2, 4}, {1}} }),
	}
}

// The same tree for any number of workers, any order of rows and whatever the size of blocks.
func TestGrowDoesNotDependOnWorkersOrOrder(t *testing.T) {
	table, grad, hess := mixedTable(40_000, 1)
	order := rand.New(rand.NewPCG(1, 2)).Perm(table.Rows) //nolint:forbidigo // any order will do
	shuffled, g2, h2 := take(table, order), pick(grad, order), pick(hess, order)
	b, b2 := mustBins(t, table, 64), mustBins(t, shuffled, 64)
	for name, p := range variants() {
		want, leaves := mustGrow(t, b, p, 1, grad, hess, nil)
		if len(want.Nodes) < 5 {
			t.Errorf("%s: %d nodes", name, len(want.Nodes))
		}
		for _, workers := range []int{2, 7} {
			got, l := mustGrow(t, b, p, workers, grad, hess, nil)
			if !slices.Equal(got.Nodes, want.Nodes) || !slices.EqualFunc(got.Sets, want.Sets, slices.Equal) || !slices.Equal(l, leaves) {
				t.Errorf("%s: another tree with %d workers", name, workers)
			}
		}
		got, _ := mustGrow(t, b2, p, 2, g2, h2, nil)
		if !slices.Equal(got.Nodes, want.Nodes) || !slices.EqualFunc(got.Sets, want.Sets, slices.Equal) {
			t.Errorf("%s: another tree for shuffled rows", name)
		}
	}
}

// Codes part the training rows exactly as the saved thresholds and sets do, rows that were not
// grown on included.
func TestLeavesAreThoseOfTheTree(t *testing.T) {
	table, grad, hess := mixedTable(3000, 2)
	b := mustBins(t, table, 32)
	some := make([]int32, 0, table.Rows)
	for i := range table.Rows {
		if i%3 != 0 {
			some = append(some, int32(i))
		}
	}
	for name, p := range variants() {
		for _, rows := range [][]int32{nil, some} {
			got, leaves := mustGrow(t, b, p, 2, grad, hess, rows)
			checkShape(t, name, got)
			for i := range table.Rows {
				if want := got.LeafOf(row(table, i)); leaves[i] != want {
					t.Fatalf("%s: row %d in leaf %d, the tree says %d", name, i, leaves[i], want)
				}
			}
		}
	}
}

// checkShape fails where links of nodes do not agree.
func checkShape(tb testing.TB, name string, t *tree.Tree) {
	tb.Helper()
	for k, n := range t.Nodes {
		if n.IsLeaf() {
			continue
		}
		if int(n.Left) <= k || int(n.Right) <= k || t.Nodes[n.Left].Parent != int32(k) || t.Nodes[n.Right].Parent != int32(k) {
			tb.Fatalf("%s: node %d has children %d and %d", name, k, n.Left, n.Right)
		}
	}
}

// sums are float64 sums over rows.
type sums struct{ g, h float64 }

// bestLoss finds the best split of rows by trying every partition that the grower may, with
// plain float64 sums: the grower is right if it reaches the same loss.
func bestLoss(t *tree.Table, b *tree.Bins, p *tree.GrowParams, rows []int, grad, hess []float32) float64 {
	var total sums
	for _, i := range rows {
		total.g += float64(grad[i])
		total.h += float64(hess[i])
	}
	best := 0.0
	try := func(j int, goesLeft func(x float32) bool) {
		var l sums
		for _, i := range rows {
			if goesLeft(t.Columns[j].Values[i]) {
				l.g += float64(grad[i])
				l.h += float64(hess[i])
			}
		}
		rg, rh := total.g-l.g, total.h-l.h
		if l.h < max(p.MinChildWeight, 1e-9) || rh < max(p.MinChildWeight, 1e-9) {
			return
		}
		loss := p.SplitGain(j, l.g, l.h, rg, rh, tree.Unbounded()) - p.Gain(total.g, total.h, tree.Unbounded())
		best = max(best, loss)
	}
	for j, c := range b.Columns {
		if c.Levels > 0 {
			continue
		}
		for _, missing := range []bool{false, true} {
			if missing {
				try(j, func(x float32) bool { return x != x })
			}
			for _, cut := range c.Cuts {
				try(j, func(x float32) bool { return x < cut || x != x && missing })
			}
		}
	}
	return best
}

func TestRootSplitIsTheBest(t *testing.T) {
	for seed := range uint64(20) {
		table, grad, hess := mixedTable(300, 10+seed)
		keep := []tree.Column{table.Columns[0], table.Columns[1], table.Columns[2], table.Columns[5], table.Columns[6], table.Columns[7], table.Columns[8]}
		table.Columns = keep
		b := mustBins(t, table, 50)
		for _, p := range []*tree.GrowParams{
			{MaxDepth: 1, LearningRate: 1, MinChildWeight: 1, Lambda: 1},
			{MaxDepth: 1, LearningRate: 1, Lambda: 0.5, Alpha: 1},
			{MaxDepth: 1, LearningRate: 1, MinChildWeight: 5, Lambda: 1, MaxDeltaStep: 0.2},
			{MaxDepth: 1, LearningRate: 1, MinChildWeight: 2, Lambda: 1, Monotone: []int8{-1, 1, -1, 1, 1, -1, 1}},
		} {
			got, _ := mustGrow(t, b, p, 1, grad, hess, nil)
			rows := make([]int, table.Rows)
			for i := range rows {
				rows[i] = i
			}
			want := bestLoss(table, b, p, rows, grad, hess)
			if math.Abs(float64(got.Nodes[0].Gain)-want) > 1e-4*(1+want) {
				t.Errorf("seed %d: gain %v, want %v", seed, got.Nodes[0].Gain, want)
			}
		}
	}
}

// Leaf weights come from the fine sums: the same as those of float64 sums.
func TestLeafValues(t *testing.T) {
	table, grad, hess := mixedTable(5000, 3)
	b := mustBins(t, table, 256)
	p := &tree.GrowParams{MaxDepth: 4, LearningRate: 0.3, MinChildWeight: 1, Lambda: 1}
	got, leaves := mustGrow(t, b, p, 1, grad, hess, nil)
	at := make([]sums, len(got.Nodes))
	for i, k := range leaves {
		at[k].g += float64(grad[i])
		at[k].h += float64(hess[i])
	}
	for k, n := range got.Nodes {
		if !n.IsLeaf() {
			continue
		}
		want := p.LearningRate * p.Weight(at[k].g, at[k].h)
		if math.Abs(float64(n.Value)-want) > 1e-7*math.Abs(want)+1e-9 {
			t.Errorf("leaf %d: got %v, want %v", k, n.Value, want)
		}
		if math.Abs(float64(n.Cover)-at[k].h) > 1e-6*at[k].h {
			t.Errorf("leaf %d: cover %v, want %v", k, n.Cover, at[k].h)
		}
	}
}
