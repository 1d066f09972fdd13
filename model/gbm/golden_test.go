package gbm_test

import (
	"fmt"
	"math"
	"os"
	"testing"

	"dolor/frame"
	"dolor/internal/golden"
	"dolor/internal/tree"
	"dolor/model"
	"dolor/model/gbm"
)

// booster is a golden booster with its data and what XGBoost says of it.
type booster struct {
	want golden.Value
	xgb  *gbm.Model
	data *model.Dataset
	p    gbm.Params
}

func loadBooster(t *testing.T, name string) *booster {
	t.Helper()
	b := &booster{want: golden.Load(t, "ml/"+name+".expected.json")}
	raw, err := os.ReadFile(golden.Path(t, "ml/"+name+".model.json"))
	if err != nil {
		t.Fatal(err)
	}
	if b.xgb, err = gbm.Load(raw); err != nil {
		t.Fatal(err)
	}
	cols := golden.CSV(t, "ml/"+b.want.Get("data").Text())
	var columns []frame.Column
	for _, f := range b.xgb.Columns() {
		columns = append(columns, frame.NumberColumn(f, golden.Numbers(t, cols[f.Name])))
	}
	b.data = &model.Dataset{}
	for _, v := range cols["y"] {
		b.data.Y = append(b.data.Y, v == "1")
	}
	if b.data.X, err = frame.New(len(b.data.Y), columns...); err != nil {
		t.Fatal(err)
	}
	par := b.want.Get("parameters")
	num := func(key string, other float64) float64 {
		if par.Has(key) {
			return par.Get(key).Float()
		}
		return other
	}
	base := num("base_score", 0.5)
	b.p = gbm.Default()
	b.p.TreeMethod, b.p.NEstimators, b.p.BaseScore = par.Get("tree_method").Text(), int(b.want.Get("rounds").Float()), &base
	b.p.MaxDepth, b.p.LearningRate, b.p.MinChildWeight = int(num("max_depth", 6)), num("eta", 0.3), num("min_child_weight", 1)
	b.p.Gamma, b.p.RegLambda, b.p.RegAlpha = num("gamma", 0), num("reg_lambda", 1), num("reg_alpha", 0)
	b.p.MaxBin, b.p.ScalePosWeight = int(num("max_bin", 256)), num("scale_pos_weight", 1)
	return b
}

// perRound returns the mean log loss and the share of errors after each tree, in float32 as
// XGBoost's metrics read margins.
func (b *booster) perRound(t *testing.T, m *gbm.Model) (loss, wrong []float64) {
	t.Helper()
	table, err := m.Table(b.data.X)
	if err != nil {
		t.Fatal(err)
	}
	e := *m.Trees()
	margin := make([]float32, table.Rows)
	for k := range e.Trees {
		if err := e.MarginsFirst(t.Context(), table, 1, k+1, margin); err != nil {
			t.Fatal(err)
		}
		var l, w float64
		for i, y := range b.data.Y {
			p := tree.Sigmoid(float64(margin[i]))
			if (p > 0.5) != y {
				w++
			}
			if !y {
				p = 1 - p
			}
			l -= math.Log(p)
		}
		loss, wrong = append(loss, l/float64(table.Rows)), append(wrong, w/float64(table.Rows))
	}
	return loss, wrong
}

// TestGoldenBoosters: a loaded booster gives XGBoost's margins and importances.
func TestGoldenBoosters(t *testing.T) {
	for _, name := range []string{"xgb-exact", "xgb-exact-missing", "xgb-hist", "xgb-hist-breast"} {
		t.Run(name, func(t *testing.T) {
			b := loadBooster(t, name)
			golden.CloseAll(t, "margin", margins(t, b.xgb, b.data.X), b.want.Get("margin_float32").Floats(), 1e-6)
			imp := b.want.Get("importance")
			for _, one := range b.xgb.Importance() {
				for key, got := range map[string]float64{
					"weight": one.Weight, "gain": one.Gain, "total_gain": one.TotalGain, "cover": one.Cover, "total_cover": one.TotalCover,
				} {
					want := 0.0
					if imp.Get(key).Has(one.Column) {
						want = imp.Get(key, one.Column).Float()
					}
					golden.Close(t, one.Column+": "+key, got, want, 1e-5)
				}
			}
			if _, ok := b.xgb.Params(); ok {
				t.Error("an imported model claims to know its hyperparameters")
			}
		})
	}
}

// TestExactMeetsXGBoost trains with the golden parameters: the same trees node by node, the same
// margins, and the train metrics of every round.
func TestExactMeetsXGBoost(t *testing.T) {
	for _, name := range []string{"xgb-exact", "xgb-exact-missing"} {
		t.Run(name, func(t *testing.T) {
			b := loadBooster(t, name)
			m := fit(t, b.p, b.data, 1)
			want, got := b.xgb.Trees().Trees, m.Trees().Trees
			if len(got) != len(want) {
				t.Fatalf("got %d trees, want %d", len(got), len(want))
			}
			for k := range want {
				sameTree(t, fmt.Sprintf("tree %d", k), &got[k], &want[k], 0, 0)
			}
			golden.CloseAll(t, "margin", margins(t, m, b.data.X), b.want.Get("margin_float32").Floats(), 2e-6)
			loss, wrong := b.perRound(t, m)
			golden.CloseAll(t, "log loss", loss, b.want.Get("train_per_round", "logloss").Floats(), 1e-6)
			golden.CloseAll(t, "error", wrong, b.want.Get("train_per_round", "error").Floats(), 1e-9)
		})
	}
}

func sameTree(t *testing.T, what string, a, b *tree.Tree, i, j int32) {
	t.Helper()
	x, y := &a.Nodes[i], &b.Nodes[j]
	if x.IsLeaf() != y.IsLeaf() || x.Feature != y.Feature || x.DefaultLeft != y.DefaultLeft || x.Threshold != y.Threshold {
		t.Errorf("%s: node %d: got %+v, want %+v", what, j, *x, *y)
		return
	}
	golden.Close(t, what+": value", float64(x.Value), float64(y.Value), 1e-6)
	golden.Close(t, what+": cover", float64(x.Cover), float64(y.Cover), 1e-5)
	if !x.IsLeaf() {
		golden.Close(t, what+": gain", float64(x.Gain), float64(y.Gain), 1e-4)
		sameTree(t, what, a, b, x.Left, y.Left)
		sameTree(t, what, a, b, x.Right, y.Right)
	}
}

// TestHistMeetsXGBoost: the log loss of every round from the first is within 0.5 % of XGBoost's.
func TestHistMeetsXGBoost(t *testing.T) {
	for _, name := range []string{"xgb-hist", "xgb-hist-breast"} {
		t.Run(name, func(t *testing.T) {
			b := loadBooster(t, name)
			m := fit(t, b.p, b.data, 1)
			loss, _ := b.perRound(t, m)
			want := b.want.Get("train_per_round", "logloss").Floats()
			last := len(want) - 1
			t.Logf("log loss %.6f, XGBoost's %.6f", loss[last], want[last])
			if d := math.Abs(loss[last]-want[last]) / want[last]; d > 0.005 {
				t.Errorf("log loss %.6f is %.2f %% from XGBoost's %.6f", loss[last], 100*d, want[last])
			}
		})
	}
}
