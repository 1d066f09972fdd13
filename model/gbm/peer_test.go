package gbm_test

import (
	"fmt"
	"testing"

	"dolor/frame"
	"dolor/internal/golden"
	"dolor/internal/tree"
	"dolor/model"
	"dolor/model/gbm"
)

// TestExactUnderEveryParameter compares trees node by node with those of XGBoost 3.2, for cases
// that use penalties, limits, constraints, weights and offsets (bench/peers/gbm_exact.py).
func TestExactUnderEveryParameter(t *testing.T) {
	ref := golden.Load(t, "gbm/exact.expected.json")
	n, cols := ref.Get("y").Len(), ref.Get("x", 0).Len()
	d := &model.Dataset{}
	var columns []frame.Column
	for j := range cols {
		v := make([]float64, n)
		for i := range v {
			v[i] = ref.Get("x", i, j).Float()
		}
		columns = append(columns, frame.NumberColumn(frame.Field{Name: fmt.Sprintf("x%d", j)}, v))
	}
	for _, y := range ref.Get("y").Floats() {
		d.Y = append(d.Y, y == 1)
	}
	var err error
	if d.X, err = frame.New(n, columns...); err != nil {
		t.Fatal(err)
	}
	for k := range ref.Get("cases").Len() {
		c := ref.Get("cases", k)
		t.Run(c.Get("name").Text(), func(t *testing.T) {
			p := gbm.Default()
			half := 0.5
			// XGBoost's defaults.
			p.TreeMethod, p.NEstimators, p.BaseScore, p.LearningRate, p.MaxDepth = gbm.Exact, int(ref.Get("rounds").Float()), &half, 0.3, 6
			for _, key := range c.Get("parameters").Keys() {
				v := c.Get("parameters", key)
				switch key {
				case "monotone_constraints":
					p.MonotoneConstraints = map[string]int{}
					for j, sign := range v.Floats() {
						p.MonotoneConstraints[fmt.Sprintf("x%d", j)] = int(sign)
					}
				case "interaction_constraints":
					for s := range v.Len() {
						var set []string
						for _, j := range v.Get(s).Floats() {
							set = append(set, fmt.Sprintf("x%.0f", j))
						}
						p.InteractionConstraints = append(p.InteractionConstraints, set)
					}
				case "max_depth":
					p.MaxDepth = int(v.Float())
				default:
					*map[string]*float64{
						"reg_lambda": &p.RegLambda, "reg_alpha": &p.RegAlpha, "gamma": &p.Gamma, "min_child_weight": &p.MinChildWeight,
						"max_delta_step": &p.MaxDeltaStep, "learning_rate": &p.LearningRate, "scale_pos_weight": &p.ScalePosWeight,
					}[key] = v.Float()
				}
			}
			data := *d
			if c.Get("weights").Bool() {
				data.W = ref.Get("weight").Floats()
			}
			var offset []float64
			if c.Get("offset").Bool() {
				offset = ref.Get("offset").Floats()
				data.Offset = offset
			}
			m := fit(t, p, &data, 1)
			for i := range m.Trees().Trees {
				meets(t, fmt.Sprintf("tree %d", i), &m.Trees().Trees[i], 0, c.Get("trees", i), 0)
			}
			got := margins(t, m, d.X)
			for i := range offset {
				got[i] += offset[i]
			}
			golden.CloseAll(t, "margin", got, c.Get("margin").Floats(), 5e-6)
		})
	}
}

// meets compares node i of got with node j of XGBoost's dump and goes on below.
func meets(t *testing.T, what string, got *tree.Tree, i int32, want golden.Value, j int) {
	t.Helper()
	x, w := &got.Nodes[i], want.Get(j).Floats()
	if leaf := w[3] < 0; leaf || x.IsLeaf() {
		if !leaf || !x.IsLeaf() {
			t.Fatalf("%s: node %d: got leaf %v with gain %g, want leaf %v with gain %g", what, j, x.IsLeaf(), x.Gain, leaf, w[5])
		}
		golden.Close(t, what+": leaf", float64(x.Value), w[1], 2e-6)
		return
	}
	if x.Feature != int32(w[0]) || x.Threshold != float32(w[1]) || x.DefaultLeft != (w[2] == 1) {
		t.Fatalf("%s: node %d: got column %d at %g, missing left %v, gain %.9g, want column %g at %g, %g, gain %.9g", what, j,
			x.Feature, x.Threshold, x.DefaultLeft, x.Gain, w[0], w[1], w[2], w[5])
	}
	meets(t, what, got, x.Left, want, int(w[3]))
	meets(t, what, got, x.Right, want, int(w[4]))
}
