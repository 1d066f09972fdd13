package pool_test

import (
	"fmt"
	"math"
	"testing"

	"dolor/diag"
	"dolor/internal/golden"
	"dolor/pool"

	"pgregory.net/rapid"
)

func pair(t *testing.T, what string, got pool.Interval, want golden.Value, tol float64) {
	t.Helper()
	golden.Close(t, what+" lower", got.Lower, want.Get(0).Float(), tol)
	golden.Close(t, what+" upper", got.Upper, want.Get(1).Float(), tol)
}

func TestCombineGolden(t *testing.T) {
	cells := golden.CSV(t, "stats/meta.csv")
	auc, se := golden.Numbers(t, cells["auc"]), golden.Numbers(t, cells["se_auc"])
	effects := map[string][]pool.Effect{}
	for i, c := range cells["case"] {
		e, err := pool.LogitAUC(auc[i], se[i])
		if err != nil {
			t.Fatal(err)
		}
		effects[c] = append(effects[c], e)
	}
	all := golden.Load(t, "stats/meta.expected.json")
	keys := map[string]pool.Tau2{
		"common_effect": pool.CommonEffect, "dersimonian_laird": pool.DerSimonianLaird,
		"reml": pool.REML, "paule_mandel": pool.PauleMandel,
	}
	for name, es := range effects {
		for key, m := range keys {
			t.Run(name+"/"+key, func(t *testing.T) {
				c := all.Get(name)
				r, err := pool.Combine(es, &pool.Options{Tau2: m, Scale: pool.Logit})
				if err != nil {
					t.Fatal(err)
				}
				for i, e := range es {
					golden.Close(t, "yi", e.Y, c.Get("yi", i).Float(), 1e-12)
					golden.Close(t, "vi", e.V, c.Get("vi", i).Float(), 1e-12)
				}
				const tol = 1e-8
				for _, x := range []struct {
					key string
					got float64
				}{
					{"k", float64(r.K)},
					{"q", r.Q},
					{"q_df", float64(r.QDF)},
					{"q_p", r.QP},
					{"i2_from_q", r.I2},
					{"h2_from_q", r.H2},
					{"typical_variance", r.TypicalV},
				} {
					golden.Close(t, x.key, x.got, c.Get(x.key).Float(), tol)
				}
				pair(t, "tau2_ci", r.Tau2CI, c.Get("tau2_ci_q_profile"), tol)
				w := c.Get(key)
				tau := tol
				if m == pool.REML {
					tau = 1e-7
					golden.Close(t, "loglik", r.LogLik, w.Get("restricted_loglik_without_constant").Float(), tol)
					golden.Close(t, "tau2_se", r.Tau2SE, w.Get("tau2_se").Float(), 1e-7)
				}
				for _, x := range []struct {
					key string
					got float64
				}{
					{"mu_logit", r.Mu},
					{"auc", r.Report().Estimate},
					{"se_wald", r.SE},
					{"q_factor", r.QFactor},
					{"se_hk", r.SEHK},
					{"se_hk_truncated", r.SEHKTrunc},
					{"i2_from_tau2", r.I2Tau},
					{"h2_from_tau2", r.H2Tau},
				} {
					golden.Close(t, x.key, x.got, w.Get(x.key).Float(), tau)
				}
				golden.Close(t, "tau2", r.Tau2, w.Get("tau2").Float(), tau)
				for i := range r.Weights {
					golden.Close(t, "weight", 100*r.Weights[i], w.Get("weights_percent", i).Float(), tau)
				}
				pair(t, "ci_wald_logit", r.Wald, w.Get("ci_wald_logit"), tau)
				pair(t, "ci_hk_logit", r.HK, w.Get("ci_hk_logit"), tau)
				for key, i := range map[string]pool.Interval{
					"ci_wald": r.Wald, "ci_hk": r.HK, "ci_hk_truncated": r.HKTruncated,
					"pi_wald_k_minus_2": r.PredictWald, "pi_hk_k_minus_2": r.PredictHK,
					"pi_hk_k_minus_1": r.PredictHKMinus1, "pi_wald_normal": r.PredictWaldNormal,
				} {
					pair(t, key, i.Back(pool.Logit), w.Get(key), tau)
				}
			})
		}
	}
}

func TestRubinGolden(t *testing.T) {
	want := golden.Load(t, "stats/imputation.expected.json")
	cells := golden.CSV(t, "stats/imputation.csv")
	est, se, df := golden.Numbers(t, cells["estimate"]), golden.Numbers(t, cells["se"]), golden.Numbers(t, cells["df_complete"])
	type group struct {
		q, s []float64
		df   float64
	}
	cases := map[string]group{}
	for i, c := range cells["case"] {
		g := cases[c]
		cases[c] = group{append(g.q, est[i]), append(g.s, se[i]), df[i]}
	}
	a := golden.CSV(t, "stats/imputation-auc.csv")
	auc, aucSE := golden.Numbers(t, a["auc"]), golden.Numbers(t, a["se"])
	g := group{df: math.Inf(1)}
	for i := range auc {
		e, err := pool.LogitAUC(auc[i], aucSE[i])
		if err != nil {
			t.Fatal(err)
		}
		g.q, g.s = append(g.q, e.Y), append(g.s, math.Sqrt(e.V))
	}
	cases["auc_logit"] = g
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r, err := pool.Rubin(c.q, c.s, c.df, 0)
			if err != nil {
				t.Fatal(err)
			}
			w := want.Get(name)
			for key, got := range map[string]float64{
				"m": float64(r.M), "estimate": r.Estimate, "within": r.Within, "between": r.Between, "total": r.Total, "se": r.SE,
				"lambda": r.Lambda, "relative_increase": r.RelativeIncrease, "df_rubin_1987": r.DFRubin,
				"df_observed": r.DFObserved, "df_barnard_rubin": r.DF, "fmi": r.FMI,
				"relative_efficiency": r.RelativeEfficiency, "t": r.T, "p": r.P,
			} {
				golden.Close(t, key, got, w.Get(key).Float(), 1e-9)
			}
			pair(t, "ci", pool.Interval{Lower: r.Lower, Upper: r.Upper}, w.Get("ci"), 1e-9)
			if name == "auc_logit" {
				golden.Close(t, "auc", pool.Logit.Back(r.Estimate), w.Get("auc").Float(), 1e-9)
				pair(t, "auc ci", pool.Interval{Lower: r.Lower, Upper: r.Upper}.Back(pool.Logit), w.Get("auc_ci"), 1e-9)
				z := 1.959963984540054 * r.SE
				pair(t, "auc ci normal", pool.Interval{Lower: r.Estimate - z, Upper: r.Estimate + z}.Back(pool.Logit), w.Get("auc_ci_normal"), 1e-9)
			}
		})
	}
}

func TestRubinVectorGolden(t *testing.T) {
	want := golden.Load(t, "stats/imputation.expected.json").Get("vector_d1")
	cells := golden.CSV(t, "stats/imputation-vector.csv")
	var est [][]float64
	var cov [][][]float64
	cols := [][]float64{golden.Numbers(t, cells["u1"]), golden.Numbers(t, cells["u2"]), golden.Numbers(t, cells["u3"])}
	q := golden.Numbers(t, cells["estimate"])
	for i := 0; i < len(q); i += 3 {
		est = append(est, q[i:i+3])
		var m [][]float64
		for a := range 3 {
			m = append(m, []float64{cols[0][i+a], cols[1][i+a], cols[2][i+a]})
		}
		cov = append(cov, m)
	}
	r, err := pool.RubinVector(est, cov)
	if err != nil {
		t.Fatal(err)
	}
	golden.CloseAll(t, "estimate", r.Estimate, want.Get("estimate").Floats(), 1e-9)
	for a := range 3 {
		golden.CloseAll(t, "within", r.Within[a], want.Get("within", a).Floats(), 1e-9)
		golden.CloseAll(t, "between", r.Between[a], want.Get("between", a).Floats(), 1e-9)
		golden.CloseAll(t, "total", r.Total[a], want.Get("total", a).Floats(), 1e-9)
		golden.CloseAll(t, "total_d1", r.TotalD1[a], want.Get("total_d1", a).Floats(), 1e-9)
	}
	for key, got := range map[string]float64{"r1": r.R1, "d1": r.D1, "df1": float64(r.DF1), "df2": r.DF2, "p": r.P} {
		golden.Close(t, key, got, want.Get(key).Float(), 1e-9)
	}
}

func TestCombineRefuses(t *testing.T) {
	if _, err := pool.Combine([]pool.Effect{{Y: 1, V: 1}}, nil); diag.KindOf(err) != diag.Unfit {
		t.Errorf("one site: got %v", err)
	}
	if _, err := pool.Combine([]pool.Effect{{Y: 1, V: 1}, {Y: 1, V: 0}}, nil); diag.KindOf(err) != diag.Invalid {
		t.Errorf("variance 0: got %v", err)
	}
	if _, err := pool.LogitAUC(1, 0.1); diag.KindOf(err) != diag.Unfit {
		t.Errorf("auc 1: got %v", err)
	}
	if _, err := pool.Rubin([]float64{1}, []float64{1}, 10, 0); diag.KindOf(err) != diag.Invalid {
		t.Errorf("one imputation: got %v", err)
	}
}

// Shifting every estimate shifts the mean; scaling scales it; tau2 goes with the square.
func TestCombineEquivariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(2, 8).Draw(t, "k")
		a := rapid.Float64Range(0.5, 2).Draw(t, "a")
		b := rapid.Float64Range(-3, 3).Draw(t, "b")
		var e, f []pool.Effect
		for range k {
			x := pool.Effect{Y: rapid.Float64Range(-2, 2).Draw(t, "y"), V: rapid.Float64Range(0.01, 1).Draw(t, "v")}
			e = append(e, x)
			f = append(f, pool.Effect{Y: a*x.Y + b, V: a * a * x.V})
		}
		for _, m := range []pool.Tau2{pool.DerSimonianLaird, pool.PauleMandel, pool.CommonEffect} {
			r, err := pool.Combine(e, &pool.Options{Tau2: m})
			if err != nil {
				t.Fatal(err)
			}
			s, err := pool.Combine(f, &pool.Options{Tau2: m})
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(s.Mu-(a*r.Mu+b)) > 1e-7 || math.Abs(s.Tau2-a*a*r.Tau2) > 1e-7 {
				t.Fatalf("%v: mean %g and tau2 %g do not follow %g and %g", m, s.Mu, s.Tau2, r.Mu, r.Tau2)
			}
		}
	})
}

func ExampleCombine() {
	var sites []pool.Effect
	for _, s := range [][2]float64{{0.71, 0.031}, {0.78, 0.022}, {0.82, 0.04}, {0.69, 0.05}} {
		e, err := pool.LogitAUC(s[0], s[1])
		if err != nil {
			fmt.Println(err)
			return
		}
		sites = append(sites, e)
	}
	r, err := pool.Combine(sites, &pool.Options{Scale: pool.Logit})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := r.Report()
	fmt.Printf("AUC %.2f (%.2f to %.2f), a new site %.2f to %.2f\n", p.Estimate, p.Lower, p.Upper, p.PredictLower, p.PredictUpper)
	// Output: AUC 0.75 (0.65 to 0.83), a new site 0.56 to 0.88
}

// A new site varies more than the mean is uncertain: its interval can never be the narrower.
func TestPredictionIntervalHoldsTheInterval(t *testing.T) {
	effects := []pool.Effect{{Y: 1.66, V: 0.03}, {Y: 1.70, V: 0.03}, {Y: 1.60, V: 0.3}} // tau2 is 0, factor below 1
	r, err := pool.Combine(effects, nil)
	if err != nil {
		t.Fatal(err)
	}
	rep := r.Report()
	if rep.PredictLower > rep.Lower || rep.PredictUpper < rep.Upper {
		t.Errorf("prediction interval [%g, %g] lies inside the interval of the mean [%g, %g]", rep.PredictLower, rep.PredictUpper, rep.Lower, rep.Upper)
	}
}
