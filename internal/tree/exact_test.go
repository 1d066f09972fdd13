package tree_test

import (
	"fmt"
	"math"
	"testing"

	"dolor/internal/golden"
	"dolor/internal/tree"
	"dolor/rng"
)

// TestExactGrowsTheTreesOfXGBoost boosts with the parameters of the golden boosters and compares
// every node. A node whose best two splits are within 1e-6 of gain may differ; none does.
func TestExactGrowsTheTreesOfXGBoost(t *testing.T) {
	for _, name := range []string{"xgb-exact", "xgb-exact-missing"} {
		t.Run(name, func(t *testing.T) {
			want := golden.Load(t, "ml/"+name+".expected.json")
			learner := golden.Load(t, "ml/"+name+".model.json").Get("learner")
			trees := learner.Get("gradient_booster", "model", "trees")
			table, y := goldenTable(t, want.Get("data").Text(), learner.Get("feature_names"))
			par := want.Get("parameters")
			num := func(key string, other float64) float64 {
				if par.Has(key) {
					return par.Get(key).Float()
				}
				return other
			}
			p := tree.GrowParams{
				MaxDepth: int(num("max_depth", 6)), LearningRate: num("eta", 0.3), MinChildWeight: num("min_child_weight", 1),
				Gamma: num("gamma", 0), Lambda: num("reg_lambda", 1), Alpha: num("reg_alpha", 0),
			}
			e, err := tree.NewExact(t.Context(), table, p, 2)
			if err != nil {
				t.Fatal(err)
			}
			base := num("base_score", 0.5)
			margin := make([]float32, table.Rows)
			for i := range margin {
				margin[i] = float32(-math.Log(1/base - 1))
			}
			grad, hess := make([]float32, table.Rows), make([]float32, table.Rows)
			row := make([]float32, len(table.Columns))
			for k := range trees.Len() {
				for i, m := range margin {
					pr := float32(tree.Sigmoid(float64(m)))
					grad[i], hess[i] = pr-y[i], max(pr*(1-pr), 1e-16)
				}
				got, err := e.Grow(t.Context(), grad, hess, nil, rng.New(1))
				if err != nil {
					t.Fatal(err)
				}
				compare(t, fmt.Sprintf("tree %d", k), got, trees.Get(k))
				if t.Failed() {
					return
				}
				for i := range margin {
					for j, c := range table.Columns {
						row[j] = c.Values[i]
					}
					margin[i] += got.Nodes[got.LeafOf(row)].Value
				}
			}
			for i, w := range want.Get("margin_float32").Floats() {
				golden.Close(t, fmt.Sprintf("margin of row %d", i), float64(margin[i]), w, 1e-6)
			}
		})
	}
}

// goldenTable reads the data that a golden booster was trained on.
func goldenTable(t *testing.T, name string, names golden.Value) (*tree.Table, []float32) {
	t.Helper()
	cols := golden.CSV(t, "ml/"+name)
	table := &tree.Table{}
	var y []float32
	for k := range names.Len() + 1 {
		n := "y"
		if k < names.Len() {
			n = names.Get(k).Text()
		}
		v := golden.Numbers(t, cols[n])
		f := make([]float32, len(v))
		for i, x := range v {
			f[i] = float32(x)
		}
		table.Rows = len(v)
		if n == "y" {
			y = f
			continue
		}
		table.Columns = append(table.Columns, tree.Column{Name: n, Values: f})
	}
	return table, y
}

// compare walks both trees from the root: XGBoost keeps the nodes that it pruned in its arrays.
func compare(t *testing.T, what string, got *tree.Tree, want golden.Value) {
	t.Helper()
	col := func(name string) []float64 { return want.Get(name).Floats() }
	left, right, cond, feature := col("left_children"), col("right_children"), col("split_conditions"), col("split_indices")
	def, gain, cover, weight := col("default_left"), col("loss_changes"), col("sum_hessian"), col("base_weights")
	var walk func(g int32, w int)
	walk = func(g int32, w int) {
		n := &got.Nodes[g]
		at := fmt.Sprintf("%s, node %d", what, w)
		golden.Close(t, at+": cover", float64(n.Cover), cover[w], 1e-5)
		golden.Close(t, at+": weight", float64(n.Weight), weight[w], 1e-5)
		if leaf := left[w] < 0; leaf || n.IsLeaf() {
			if !leaf || !n.IsLeaf() {
				t.Errorf("%s: got leaf %v, want %v (gain %g)", at, n.IsLeaf(), leaf, gain[w])
				return
			}
			golden.Close(t, at+": leaf value", float64(n.Value), cond[w], 1e-6)
			return
		}
		if n.Feature != int32(feature[w]) || n.Threshold != float32(cond[w]) || n.DefaultLeft != (def[w] == 1) {
			t.Errorf("%s: got column %d below %g, missing left %v, gain %g, want column %g below %g, %g, gain %g", at,
				n.Feature, n.Threshold, n.DefaultLeft, n.Gain, feature[w], cond[w], def[w], gain[w])
			return
		}
		golden.Close(t, at+": gain", float64(n.Gain), gain[w], 1e-4)
		walk(n.Left, int(left[w]))
		walk(n.Right, int(right[w]))
	}
	walk(0, 0)
}
