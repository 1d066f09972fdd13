package xgbfile_test

import (
	"context"
	"math"
	"os"
	"testing"

	"dolor/internal/golden"
	"dolor/internal/tree"
	"dolor/internal/xgbfile"
)

// tolerance of margins and importances against XGBoost.
const tolerance = 1e-6

func mustRead(t testing.TB, path string) *xgbfile.File {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := xgbfile.Read(b)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

// table makes a table of n rows from cell, NaN where it says nothing.
func table(f *xgbfile.File, n int, cell func(i, j int) float64) *tree.Table {
	x := &tree.Table{Rows: n, Columns: make([]tree.Column, len(f.Ensemble.Features))}
	for j := range x.Columns {
		x.Columns[j].Values = make([]float32, n)
		for i := range n {
			x.Columns[j].Values[i] = float32(cell(i, j))
		}
	}
	return x
}

// readTable reads a CSV file of the golden folder, columns by the features' names.
func readTable(t *testing.T, f *xgbfile.File, name string) *tree.Table {
	t.Helper()
	cols := golden.CSV(t, name)
	numbers := make([][]float64, len(f.Ensemble.Features))
	for j := range numbers {
		numbers[j] = golden.Numbers(t, cols[f.Ensemble.Features[j].Name])
	}
	return table(f, len(numbers[0]), func(i, j int) float64 { return numbers[j][i] })
}

func margins(t *testing.T, f *xgbfile.File, x *tree.Table, trees int) []float32 {
	t.Helper()
	got := make([]float32, x.Rows)
	if err := f.Ensemble.MarginsFirst(context.Background(), x, 1, trees, got); err != nil {
		t.Fatal(err)
	}
	return got
}

func compare(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(float64(got[i])-want[i]) <= tolerance) {
			t.Fatalf("%s, row %d: got %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"exact", "hist", "exact-missing", "hist-breast"} {
		t.Run(name, func(t *testing.T) {
			f := mustRead(t, golden.Path(t, "ml/xgb-"+name+".model.json"))
			want := golden.Load(t, "ml/xgb-"+name+".expected.json")
			x := readTable(t, f, "ml/"+want.Get("data").Text())
			got := margins(t, f, x, len(f.Ensemble.Trees))
			compare(t, "margin", got, want.Get("margin_float32").Floats())
			probability := make([]float32, len(got))
			for i, m := range got {
				probability[i] = float32(1 / (1 + math.Exp(-float64(m))))
			}
			compare(t, "probability", probability, want.Get("probability_float32").Floats())

			half := margins(t, f, x, len(f.Ensemble.Trees)/2)
			var some []float32
			leaves := make([]int32, x.Rows*len(f.Ensemble.Trees))
			if err := f.Ensemble.Leaves(context.Background(), x, 1, leaves); err != nil {
				t.Fatal(err)
			}
			for k, r := range want.Get("rows_explained").Floats() {
				i := int(r)
				some = append(some, half[i])
				for tr, leaf := range want.Get("leaf_of_rows_explained", k).Floats() {
					if got := f.NodeID(tr, leaves[i*len(f.Ensemble.Trees)+tr]); got != int32(leaf) {
						t.Errorf("leaf of row %d in tree %d: got %d, want %v", i, tr, got, leaf)
					}
				}
			}
			compare(t, "half of the trees", some, want.Get("margin_first_half_of_trees_float32").Floats())

			edges := want.Get("edge_rows")
			edge := table(f, edges.Len(), func(i, j int) float64 { return edges.Get(i, j).Float() })
			compare(t, "edge rows", margins(t, f, edge, len(f.Ensemble.Trees)), want.Get("edge_margin_float32").Floats())

			for _, kind := range []string{"weight", "gain", "cover", "total_gain", "total_cover"} {
				got, err := f.Ensemble.Importance(kind)
				if err != nil {
					t.Fatal(err)
				}
				for j, feature := range f.Ensemble.Features {
					expected := 0.0
					if want.Get("importance", kind).Has(feature.Name) {
						expected = want.Get("importance", kind, feature.Name).Float()
					}
					if !(math.Abs(got[j]-expected) <= tolerance*max(1, expected)) {
						t.Errorf("%s of %s: got %v, want %v", kind, feature.Name, got[j], expected)
					}
				}
			}
		})
	}
}

func TestGoldenUBJSONEqualsJSON(t *testing.T) {
	a := mustRead(t, golden.Path(t, "ml/xgb-exact-missing.model.json"))
	b := mustRead(t, golden.Path(t, "ml/xgb-exact-missing.model.ubj"))
	same(t, a, b)
}
