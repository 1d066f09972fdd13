package treeshap_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"dolor/internal/tree"
	"dolor/internal/treeshap"
	"dolor/rng"
)

// drawShape draws small ensembles: shallow and deep, with columns that come back on a path,
// categories, missing values, weights and nodes without cover.
func drawShape(t *rapid.T) shape {
	return shape{
		columns: rapid.IntRange(1, 6).Draw(t, "columns"),
		trees:   rapid.IntRange(0, 4).Draw(t, "trees"),
		depth:   rapid.IntRange(0, 9).Draw(t, "depth"),
		stop:    rapid.SampledFrom([]float64{0, 0.2, 0.5}).Draw(t, "stop"),
		noCover: rapid.SampledFrom([]float64{0, 0, 0.2}).Draw(t, "no cover"),
		dart:    rapid.Bool().Draw(t, "dart"),
	}
}

// algorithms are the ways to attribute: with tables, without, and with tables for some trees.
var algorithms = []treeshap.Options{{}, {Bytes: -1}, {Bytes: 100_000}}

func near(t testing.TB, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tolerance*(1+math.Abs(want[i]))) {
			t.Fatalf("%s[%d]: got %v, want %v", what, i, got[i], want[i])
		}
	}
}

// fatal adapts rapid.T to near.
type fatal struct {
	testing.TB
	t *rapid.T
}

func (f fatal) Helper()                   {}
func (f fatal) Fatalf(s string, a ...any) { f.t.Fatalf(s, a...) }

// TestEqualsTheDefinition compares both games, values and interactions, of all algorithms with
// the sums over all coalitions.
func TestEqualsTheDefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawShape(rt)
		r := rng.New(rapid.Uint64().Draw(rt, "seed")).Rand()
		e, table, ground := randomEnsemble(r, s), randomTable(r, s.columns, 2), randomTable(r, s.columns, 3)
		f, ctx, n := fatal{t: rt}, t.Context(), s.columns
		for _, o := range algorithms {
			x, err := treeshap.New(e, &o)
			if err != nil {
				rt.Fatal(err)
			}
			b, err := x.Interventional(ctx, ground, 1)
			if err != nil {
				rt.Fatal(err)
			}
			cover, base, err := x.PathDependent(ctx, table, 1, nil)
			coverPairs, _, err2 := x.Interactions(ctx, table, 1, nil)
			back, mean, err3 := b.Values(ctx, table, 1, nil)
			backPairs, _, err4 := b.Interactions(ctx, table, 1, nil)
			if err != nil || err2 != nil || err3 != nil || err4 != nil {
				rt.Fatal(err, err2, err3, err4)
			}
			for i := range table.Rows {
				row := rowOf(table, i)
				phi, pairs := bruteForce(n, func(known uint) float64 { return expected(e, row, known) })
				near(f, "path-dependent", cover[i*n:][:n], phi, 1e-11)
				near(f, "path-dependent pairs", coverPairs[i*n*n:][:n*n], pairs, 1e-11)
				near(f, "base", []float64{base}, []float64{expected(e, row, 0)}, 1e-11)
				phi, pairs = bruteForce(n, func(known uint) float64 { return mixed(e, row, ground, known) })
				near(f, "interventional", back[i*n:][:n], phi, 1e-11)
				near(f, "interventional pairs", backPairs[i*n*n:][:n*n], pairs, 1e-11)
				near(f, "mean", []float64{mean}, []float64{mixed(e, row, ground, 0)}, 1e-11)
			}
		}
	})
}

// TestDeepTreesEqualTheDefinition: paths of more than eight columns have no tables.
func TestDeepTreesEqualTheDefinition(t *testing.T) {
	const n = 12
	r := rng.New(4).Rand()
	e := randomEnsemble(r, shape{columns: n, trees: 1, depth: 14, stop: 0.1})
	for len(e.Trees[0].Nodes) < 500 {
		e = randomEnsemble(r, shape{columns: n, trees: 1, depth: 14, stop: 0.1})
	}
	x, err := treeshap.New(e, nil)
	if err != nil {
		t.Fatal(err)
	}
	if x.Tables() != 0 {
		t.Fatal("expected a tree without tables")
	}
	table, ground := randomTable(r, n, 2), randomTable(r, n, 2)
	b, err := x.Interventional(t.Context(), ground, 1)
	if err != nil {
		t.Fatal(err)
	}
	cover, _, _ := x.PathDependent(t.Context(), table, 1, nil)
	coverPairs, _, _ := x.Interactions(t.Context(), table, 1, nil)
	back, _, _ := b.Values(t.Context(), table, 1, nil)
	backPairs, _, _ := b.Interactions(t.Context(), table, 1, nil)
	for i := range table.Rows {
		row := rowOf(table, i)
		phi, pairs := bruteForce(n, func(known uint) float64 { return expected(e, row, known) })
		near(t, "path-dependent", cover[i*n:][:n], phi, 1e-12)
		near(t, "path-dependent pairs", coverPairs[i*n*n:][:n*n], pairs, 1e-12)
		phi, pairs = bruteForce(n, func(known uint) float64 { return mixed(e, row, ground, known) })
		near(t, "interventional", back[i*n:][:n], phi, 1e-12)
		near(t, "interventional pairs", backPairs[i*n*n:][:n*n], pairs, 1e-12)
	}
}

// TestAddsUpHoweverDeep: a chain of splits on 300 columns, where polynomial interpolation and
// division of weights would overflow.
func TestAddsUpHoweverDeep(t *testing.T) {
	const n = 300
	r := rng.New(5).Rand()
	e := &tree.Ensemble{Features: make([]tree.Feature, n)}
	var tr tree.Tree
	for k := range n {
		at := int32(2 * k)
		tr.Nodes = append(tr.Nodes,
			tree.Node{Left: at + 1, Right: at + 2, Parent: max(at-2, -1), Feature: int32(k), Cover: float32(n + 1 - k)},
			tree.Node{Left: tree.Leaf, Right: tree.Leaf, Parent: at, Value: float32(r.NormFloat64()), Cover: 1})
	}
	tr.Nodes = append(tr.Nodes, tree.Node{Left: tree.Leaf, Right: tree.Leaf, Parent: 2*n - 2, Value: 3, Cover: 1})
	e.Trees = []tree.Tree{tr}
	x, err := treeshap.New(e, nil)
	if err != nil {
		t.Fatal(err)
	}
	table := &tree.Table{Rows: 1}
	for range n {
		table.Columns = append(table.Columns, tree.Column{Values: []float32{1}})
	}
	phi, base, err := x.PathDependent(t.Context(), table, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := base
	for _, v := range phi {
		sum += v
	}
	near(t, "margin", []float64{sum}, []float64{3}, 1e-12)
}
