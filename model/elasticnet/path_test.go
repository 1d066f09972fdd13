package elasticnet_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"dolor/frame"
	"dolor/internal/golden"
	"dolor/model/elasticnet"
)

func regression(t *testing.T) (x frame.Matrix, y []bool, w []float64, fold []int) {
	t.Helper()
	cols := golden.CSV(t, "stats/regression.csv")
	names := []string{"age", "lwt", "smoke", "ht", "ui", "ptl", "ftv"}
	yn := golden.Numbers(t, cols["y"])
	x = frame.NewMatrix(len(yn), len(names))
	x.Names = names
	for j, n := range names {
		for i, v := range golden.Numbers(t, cols[n]) {
			x.Data[i*x.Cols+j] = v
		}
	}
	for _, v := range yn {
		y = append(y, v == 1)
	}
	for _, v := range golden.Numbers(t, cols["fold"]) {
		fold = append(fold, int(v))
	}
	return x, y, golden.Numbers(t, cols["w"]), fold
}

func TestPathMeetsGlmnet(t *testing.T) {
	want := golden.Load(t, "stats/regression.expected.json")
	x, y, w, _ := regression(t)
	cases := []struct {
		key  string
		opts elasticnet.PathOptions
		w    []float64
	}{
		{"glmnet_alpha_0", elasticnet.PathOptions{L1Ratio: 0}, nil},
		{"glmnet_alpha_0.5", elasticnet.PathOptions{L1Ratio: .5}, nil},
		{"glmnet_alpha_1", elasticnet.PathOptions{L1Ratio: 1}, nil},
		{"glmnet_alpha_0.5_weighted", elasticnet.PathOptions{L1Ratio: .5}, w},
		{"glmnet_alpha_1_penalty_factor", elasticnet.PathOptions{L1Ratio: 1, PenaltyFactor: []float64{0, 1, 2, 1, 1, 1, 1}}, nil},
		{"glmnet_alpha_0.5_not_standardised", elasticnet.PathOptions{L1Ratio: .5, NoStandardize: true}, nil},
	}
	for _, c := range cases {
		t.Run(c.key, func(t *testing.T) {
			g := want.Get(c.key)
			c.opts.Lambda = g.Get("lambda").Floats()
			c.opts.Tol = 1e-18
			r, err := elasticnet.Path(context.Background(), x, y, c.w, nil, &c.opts)
			if err != nil {
				t.Fatal(err)
			}
			golden.CloseAll(t, "intercept", r.Intercept, g.Get("intercept").Floats(), 1e-6)
			golden.CloseAll(t, "dev_ratio", r.DevRatio, g.Get("dev_ratio").Floats(), 1e-8)
			golden.Close(t, "nulldev", r.NullDev, g.Get("nulldev").Float(), 1e-9)
			for k := range r.Lambda {
				golden.CloseAll(t, fmt.Sprintf("beta[%d]", k), r.Beta.Row(k), g.Get("beta", k).Floats(), 1e-6)
				if float64(r.DF[k]) != g.Get("df", k).Float() {
					t.Errorf("df[%d]: got %d", k, r.DF[k])
				}
			}
			if g.Has("lambda_max") {
				o := elasticnet.PathOptions{L1Ratio: c.opts.L1Ratio, NLambda: 2}
				p, err := elasticnet.Path(context.Background(), x, y, c.w, nil, &o)
				if err != nil {
					t.Fatal(err)
				}
				golden.Close(t, "lambda_max", p.Lambda[0], g.Get("lambda_max").Float(), 1e-12)
			}
		})
	}
}

func TestPathMeetsScikitLearn(t *testing.T) {
	want := golden.Load(t, "ml/logistic.expected.json").Get("fits")
	cols := golden.CSV(t, "ml/breast.csv")
	features := slices.DeleteFunc(header(t, "ml/breast.csv"), func(s string) bool { return s == "y" })
	y01 := golden.Numbers(t, cols["y"])
	n := len(y01)
	x := frame.NewMatrix(n, 10)
	y := make([]bool, n)
	balanced, third := make([]float64, n), make([]float64, n)
	events := 0.0
	for _, v := range y01 {
		events += v
	}
	for i, v := range y01 {
		y[i] = v == 1
		balanced[i] = float64(n) / (2 * (float64(n) - events))
		if y[i] {
			balanced[i] = float64(n) / (2 * events)
		}
		third[i] = 1
		if i%3 == 0 {
			third[i] = 2
		}
	}
	for j := range 10 {
		v := golden.Numbers(t, cols[features[j]])
		var m, s float64
		for _, a := range v {
			m += a / float64(n)
		}
		for _, a := range v {
			s += (a - m) * (a - m) / float64(n)
		}
		for i, a := range v {
			x.Data[i*10+j] = (a - m) / math.Sqrt(s)
		}
	}
	for _, c := range []struct {
		key   string
		c, l1 float64
		w     []float64
	}{
		{"l2_C1", 1, 0, nil},
		{"elastic_C1_l1ratio1", 1, 1, nil},
		{"elastic_C1_l1ratio0.5", 1, .5, nil},
		{"l2_C0.05", .05, 0, nil},
		{"elastic_C0.05_l1ratio1", .05, 1, nil},
		{"elastic_C0.05_l1ratio0.5", .05, .5, nil},
		{"l2_C1_balanced", 1, 0, balanced},
		{"l2_C1_weights_2_every_third_row", 1, 0, third},
	} {
		t.Run(c.key, func(t *testing.T) {
			total := float64(n)
			if c.w != nil {
				total = 0
				for _, v := range c.w {
					total += v
				}
			}
			r, err := elasticnet.Path(context.Background(), x, y, c.w, nil, &elasticnet.PathOptions{
				L1Ratio: c.l1, Lambda: []float64{1 / (c.c * total)}, NoStandardize: true, Tol: 1e-18,
			})
			if err != nil {
				t.Fatal(err)
			}
			g := want.Get(c.key)
			b0 := g.Get("intercept").Float()
			golden.Close(t, "intercept", r.Intercept[0], b0, 1e-5)
			golden.CloseAll(t, "coef", r.Beta.Row(0), g.Get("coef").Floats(), 1e-5)
		})
	}
}

// header returns the column names of a reference table in file order.
func header(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(golden.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	h, err := csv.NewReader(f).Read()
	if err != nil {
		t.Fatal(err)
	}
	return h
}
