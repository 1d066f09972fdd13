package treeshap_test

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dolor/diag"
	"dolor/internal/tree"
	"dolor/internal/treeshap"
	"dolor/rng"
)

// fataler is a test or a property.
type fataler interface{ Fatal(args ...any) }

// every returns the results of all methods on table.
func every(t *testing.T, rt fataler, e *tree.Ensemble, o treeshap.Options, table, ground *tree.Table, workers int) [][]float64 {
	t.Helper()
	x, err := treeshap.New(e, &o)
	if err != nil {
		rt.Fatal(err)
	}
	ctx := t.Context()
	b, err := x.Interventional(ctx, ground, workers)
	if err != nil {
		rt.Fatal(err)
	}
	var out [][]float64
	for _, f := range []func() ([]float64, float64, error){
		func() ([]float64, float64, error) { return x.PathDependent(ctx, table, workers, nil) },
		func() ([]float64, float64, error) { return x.Approximate(ctx, table, workers, nil) },
		func() ([]float64, float64, error) { return b.Values(ctx, table, workers, nil) },
		func() ([]float64, float64, error) { return x.Interactions(ctx, table, workers, nil) },
		func() ([]float64, float64, error) { return b.Interactions(ctx, table, workers, nil) },
	} {
		phi, base, err := f()
		if err != nil {
			rt.Fatal(err)
		}
		out = append(out, append(phi, base))
	}
	return out
}

// TestSameBytes: the same bits for any number of workers, and for a row alone.
func TestSameBytes(t *testing.T) {
	for _, o := range algorithms {
		r := rng.New(9).Rand()
		s := shape{columns: 9, trees: 3, depth: 6, stop: 0.05, dart: true}
		e, table, ground := randomEnsemble(r, s), randomTable(r, 9, 600), randomTable(r, 9, 5)
		const n = 9
		want := every(t, t, e, o, table, ground, 1)
		for _, workers := range []int{2, 7} {
			for i, got := range every(t, t, e, o, table, ground, workers) {
				if !slices.Equal(got, want[i]) {
					t.Fatalf("method %d: %d workers differ from 1", i, workers)
				}
			}
		}
		for _, at := range []int{0, 17, 511, 512, 599} {
			one := &tree.Table{Rows: 1}
			for j := range n {
				one.Columns = append(one.Columns, tree.Column{Values: table.Columns[j].Values[at : at+1]})
			}
			for i, got := range every(t, t, e, o, one, ground, 1) {
				w := len(got) - 1
				if !slices.Equal(got[:w], want[i][at*w:][:w]) {
					t.Fatalf("method %d: row %d alone differs from the batch", i, at)
				}
			}
		}
	}
}

// TestBytesArePinned: no processor level may change a bit (GOAMD64=v3 fuses what is not
// rounded explicitly).
func TestBytesArePinned(t *testing.T) {
	h := fnv.New64a()
	for _, o := range algorithms {
		r := rng.New(11).Rand()
		s := shape{columns: 11, trees: 5, depth: 10, stop: 0.15, dart: true}
		e, table, ground := randomEnsemble(r, s), randomTable(r, 11, 9), randomTable(r, 11, 4)
		for _, v := range every(t, t, e, o, table, ground, 1) {
			if err := binary.Write(h, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, want := h.Sum64(), uint64(0xc528e39f7d1d9c04); got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

// TestAxioms: additivity, columns in another order, a column never split on, symmetric
// interactions whose rows sum to the attribution.
func TestAxioms(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawShape(rt)
		s.columns = rapid.IntRange(2, 20).Draw(rt, "many columns")
		r := rng.New(rapid.Uint64().Draw(rt, "seed")).Rand()
		e, table, ground := randomEnsemble(r, s), randomTable(r, s.columns, 5), randomTable(r, s.columns, 4)
		o := rapid.SampledFrom(algorithms).Draw(rt, "algorithm")
		got := every(t, rt, e, o, table, ground, 1)
		n, f := s.columns, fatal{t: rt}
		used := make([]bool, n)
		for i := range e.Trees {
			for k := range e.Trees[i].Nodes {
				if m := &e.Trees[i].Nodes[k]; !m.IsLeaf() {
					used[m.Feature] = true
				}
			}
		}
		for m, phi := range got[:3] {
			base := phi[len(phi)-1]
			for i := range table.Rows {
				sum := base
				for j, v := range phi[i*n:][:n] {
					sum += v
					if !used[j] && v != 0 {
						rt.Fatalf("method %d: column %d is not used and got %v", m, j, v)
					}
				}
				near(f, "margin", []float64{sum}, []float64{margin(e, rowOf(table, i))}, 1e-9)
			}
		}
		for k, single := range [][]float64{got[0], got[2]} {
			pairs := got[3+k]
			for i := range table.Rows {
				m := pairs[i*n*n:][:n*n]
				for a := range n {
					sum := 0.0
					for b := range n {
						sum += m[a*n+b]
						if m[a*n+b] != m[b*n+a] {
							rt.Fatal("interactions are not symmetric")
						}
					}
					near(f, "row of interactions", []float64{sum}, []float64{single[i*n+a]}, 1e-9)
				}
			}
		}
		turned, moved, movedGround := turn(e, table, ground)
		again := every(t, rt, turned, o, moved, movedGround, 1)
		for m := range 3 {
			for i := range table.Rows {
				for j := range n {
					near(f, "moved column", []float64{again[m][i*n+n-1-j]}, []float64{got[m][i*n+j]}, 1e-10)
				}
			}
		}
	})
}

// turn returns the same with the columns in the opposite order.
func turn(e *tree.Ensemble, tables ...*tree.Table) (*tree.Ensemble, *tree.Table, *tree.Table) {
	c := *e
	c.Features = slices.Clone(e.Features)
	slices.Reverse(c.Features)
	c.Trees = make([]tree.Tree, len(e.Trees))
	for i := range e.Trees {
		c.Trees[i] = tree.Tree{Nodes: slices.Clone(e.Trees[i].Nodes), Sets: e.Trees[i].Sets}
		for k := range c.Trees[i].Nodes {
			if n := &c.Trees[i].Nodes[k]; !n.IsLeaf() {
				n.Feature = int32(len(c.Features)) - 1 - n.Feature
			}
		}
	}
	var out [2]*tree.Table
	for i, t := range tables {
		out[i] = &tree.Table{Rows: t.Rows, Columns: slices.Clone(t.Columns)}
		slices.Reverse(out[i].Columns)
	}
	return &c, out[0], out[1]
}

// TestAlgorithmsAgree on larger models than the definition can be evaluated for.
func TestAlgorithmsAgree(t *testing.T) {
	for _, s := range []shape{
		{columns: 30, trees: 20, depth: 6},
		{columns: 8, trees: 4, depth: 11, stop: 0.2},
		{columns: 40, trees: 3, depth: 8, stop: 0.1},
		{columns: 30, trees: 3, depth: 17, stop: 0.3}, // tables, leaves counted by pattern, and pairs of rows
	} {
		t.Run(fmt.Sprintf("columns=%d,depth=%d", s.columns, s.depth), func(t *testing.T) {
			r := rng.New(7).Rand()
			// Against 700 rows leaves with up to 11 columns are counted by pattern.
			e, table, ground := randomEnsemble(r, s), randomTable(r, s.columns, 9), randomTable(r, s.columns, 700)
			for i := range e.Trees {
				for s.depth > 12 && len(e.Trees[i].Nodes) < 300 {
					e.Trees[i] = randomTree(r, s)
				}
			}
			x, err := treeshap.New(e, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := s.trees
			if s.depth > 12 {
				want = 0
			}
			if x.Tables() != want {
				t.Fatalf("%d of %d trees have tables", x.Tables(), s.trees)
			}
			tabled := every(t, t, e, treeshap.Options{}, table, ground, 2)
			for i, got := range every(t, t, e, treeshap.Options{Bytes: -1}, table, ground, 2) {
				near(t, "without tables", got, tabled[i], 1e-11)
			}
			// Trees whose tables are made and forgotten.
			for i, got := range every(t, t, e, treeshap.Options{Bytes: 1}, table, ground, 2) {
				near(t, "tables not kept", got, tabled[i], 1e-11)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	good := func() *tree.Ensemble {
		return &tree.Ensemble{Features: []tree.Feature{{Name: "age"}}, Trees: []tree.Tree{{Nodes: []tree.Node{
			{Left: 1, Right: 2, Parent: -1, Cover: 2},
			{Left: tree.Leaf, Right: tree.Leaf, Value: 1, Cover: 1},
			{Left: tree.Leaf, Right: tree.Leaf, Value: 2, Cover: 1},
		}}}}
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, spoil := range map[string]func(e *tree.Ensemble){
		"no node":     func(e *tree.Ensemble) { e.Trees[0].Nodes = nil },
		"cycle":       func(e *tree.Ensemble) { e.Trees[0].Nodes[0].Left = 0 },
		"two parents": func(e *tree.Ensemble) { e.Trees[0].Nodes[0].Left = 2 },
		"beyond":      func(e *tree.Ensemble) { e.Trees[0].Nodes[0].Right = 3 },
		"orphan":      func(e *tree.Ensemble) { e.Trees[0].Nodes = append(e.Trees[0].Nodes, tree.Node{Left: tree.Leaf}) },
		"column":      func(e *tree.Ensemble) { e.Trees[0].Nodes[0].Feature = 1 },
		"set":         func(e *tree.Ensemble) { e.Trees[0].Nodes[0].Set = 1 },
		"threshold":   func(e *tree.Ensemble) { e.Trees[0].Nodes[0].Threshold = nan },
		"value":       func(e *tree.Ensemble) { e.Trees[0].Nodes[1].Value = inf },
		"cover":       func(e *tree.Ensemble) { e.Trees[0].Nodes[1].Cover = -1 },
		"cover nan":   func(e *tree.Ensemble) { e.Trees[0].Nodes[1].Cover = nan },
		"scale":       func(e *tree.Ensemble) { e.Scale = []float32{1, 1} },
		"scale nan":   func(e *tree.Ensemble) { e.Scale = []float32{nan} },
		"base":        func(e *tree.Ensemble) { e.Base = nan },
	} {
		e := good()
		spoil(e)
		if _, err := treeshap.New(e, nil); diag.KindOf(err) != diag.Invalid || err == nil {
			t.Errorf("%s: got %v, want an invalid ensemble", name, err)
		}
	}
	if _, err := treeshap.New(nil, nil); diag.KindOf(err) != diag.Invalid {
		t.Errorf("got %v", err)
	}
	x, err := treeshap.New(good(), nil)
	if err != nil {
		t.Fatal(err)
	}
	one := &tree.Table{Rows: 1, Columns: []tree.Column{{Values: []float32{1}}}}
	for _, bad := range []*tree.Table{nil, {Rows: 1}, {Rows: 2, Columns: one.Columns}} {
		if _, _, err := x.PathDependent(t.Context(), bad, 1, nil); err == nil {
			t.Error("a table that does not fit was accepted")
		}
	}
	if _, err := x.Interventional(t.Context(), &tree.Table{Columns: make([]tree.Column, 1)}, 1); diag.KindOf(err) != diag.Missing {
		t.Errorf("got %v, want a missing background", err)
	}
	phi, _, err := x.PathDependent(t.Context(), &tree.Table{Columns: make([]tree.Column, 1)}, 1, nil)
	if err != nil || len(phi) != 0 {
		t.Errorf("no rows: got %v, %v", phi, err)
	}
}

func TestSettle(t *testing.T) {
	phi := []float64{0.5, -0.25, 0, 0.25}
	base := treeshap.Settle(phi, 0.1, 0.6+4e-6)
	near(t, "shared", phi, []float64{0.500002, -0.249999, 0, 0.250001}, 1e-12)
	sum := base
	for _, v := range phi {
		sum += v
	}
	near(t, "margin", []float64{sum, base}, []float64{0.6 + 4e-6, 0.1}, 1e-15)
	if got := treeshap.Settle([]float64{0, 0}, 0.1, 0.2); got != 0.2 {
		t.Errorf("nothing to share among: got base %v", got)
	}
	phi = []float64{1}
	if got := treeshap.Settle(phi, 0, math.NaN()); got != 0 || phi[0] != 1 {
		t.Errorf("no margin: got %v, %v", got, phi)
	}
}
