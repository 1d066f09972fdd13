package metric_test

import (
	"math"
	"testing"

	"dolor/internal/golden"
	"dolor/metric"
)

// scored reads one score column of the discrimination cases.
func scored(t *testing.T, column string) map[string]metric.Data {
	t.Helper()
	in := golden.CSV(t, "stats/discrimination.csv")
	score, y := golden.Numbers(t, in[column]), golden.Numbers(t, in["y"])
	out := map[string]metric.Data{}
	for i, c := range in["case"] {
		d := out[c]
		d.Y, d.P = append(d.Y, y[i] == 1), append(d.P, score[i])
		out[c] = d
	}
	return out
}

func TestDiscriminationMatchesReference(t *testing.T) {
	ref := golden.Load(t, "stats/discrimination.expected.json")
	const tol = 1e-10
	data := map[string]map[string]metric.Data{"s1": scored(t, "s1"), "s2": scored(t, "s2")}
	seen := 0
	for _, c := range ref.Keys() {
		for _, col := range []string{"s1", "s2"} {
			if !ref.Get(c).Has(col) {
				continue
			}
			seen++
			r, d := ref.Get(c, col), data[col][c]
			name := c + "/" + col + " "
			s, err := metric.NewSorted(d)
			if err != nil {
				t.Fatal(err)
			}
			dl := s.DeLong()
			near := func(key string, got float64) {
				t.Helper()
				golden.Close(t, name+key, got, r.Get(key).Float(), tol)
			}
			pair := func(key string, lo, hi float64) {
				t.Helper()
				golden.CloseAll(t, name+key, []float64{lo, hi}, r.Get(key).Floats(), tol)
			}
			near("n", float64(d.N()))
			near("n1", float64(dl.Events))
			near("n0", float64(dl.Others))
			near("auc", dl.AUC)
			dxy, err := metric.SomersD(d, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			near("somers_dxy", dxy.Value)
			near("gini", dxy.Value)
			near("delong_var", dl.Var)
			near("delong_se", dl.SE())
			lo, hi := dl.Wald(0.95)
			pair("delong_ci_plain_unclipped", lo, hi)
			pair("delong_ci_plain", max(0, lo), min(1, hi))
			lo, hi = dl.Logit(0.95)
			pair("delong_ci_logit", lo, hi)
			near("logit_auc", math.Log(dl.AUC/(1-dl.AUC)))
			near("logit_auc_se", dl.SE()/(dl.AUC*(1-dl.AUC)))
			near("hanley_mcneil_se", metric.HanleyMcNeil(dl.AUC, float64(dl.Events), float64(dl.Others)))

			for key, f := range map[string]func(d metric.Data, lo, hi, level float64) (metric.PartialAUC, error){
				"pauc_spec_0.8_1": metric.PartialAUCSpecificity, "pauc_sens_0.8_1": metric.PartialAUCSensitivity,
			} {
				p, err := f(d, 0.8, 1, 0.95)
				if err != nil {
					t.Fatal(err)
				}
				near(key, p.Area.Value)
				near(key+"_standardised", p.Standardised.Value)
				if r.Has(key + "_over_width") {
					near(key+"_over_width", p.OverWidth.Value)
				}
			}
			near("average_precision", s.AveragePrecision(0.95).Value)
			near("auprc_trapezoid", s.AUPRC())
			near("prevalence", float64(d.Events())/float64(d.N()))

			roc := s.ROC(false)
			golden.CloseAll(t, name+"roc threshold", roc.Threshold, r.Get("roc", "threshold").Floats(), tol)
			golden.CloseAll(t, name+"roc tp", roc.TP, r.Get("roc", "tp").Floats(), tol)
			golden.CloseAll(t, name+"roc fp", roc.FP, r.Get("roc", "fp").Floats(), tol)
			golden.CloseAll(t, name+"roc tpr", roc.TPR, r.Get("roc", "tpr").Floats(), tol)
			golden.CloseAll(t, name+"roc fpr", roc.FPR, r.Get("roc", "fpr").Floats(), tol)
		}
		if !ref.Get(c).Has("paired") {
			continue
		}
		a, b := data["s1"][c], data["s2"][c]
		p, err := metric.AUCPaired(a, b, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		r := ref.Get(c, "paired")
		golden.Close(t, c+" difference", p.Difference, r.Get("difference").Float(), tol)
		golden.Close(t, c+" covariance", p.Covariance, r.Get("covariance").Float(), tol)
		golden.Close(t, c+" correlation", p.Correlation, r.Get("correlation").Float(), tol)
		golden.Close(t, c+" se_difference", p.SE, r.Get("se_difference").Float(), tol)
		golden.Close(t, c+" z", p.Z, r.Get("z").Float(), tol)
		golden.Close(t, c+" p", p.P, r.Get("p").Float(), tol)
		golden.CloseAll(t, c+" ci_difference", []float64{p.Lower, p.Upper}, r.Get("ci_difference").Floats(), tol)
		u, err := metric.AUCUnpaired(a, b, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		r = ref.Get(c, "unpaired")
		golden.Close(t, c+" unpaired se", u.SE, r.Get("se_difference").Float(), tol)
		golden.Close(t, c+" unpaired z", u.Z, r.Get("z").Float(), tol)
		golden.Close(t, c+" unpaired p", u.P, r.Get("p_normal").Float(), tol)
		golden.Close(t, c+" unpaired df", u.DF, r.Get("df_welch").Float(), tol)
		golden.Close(t, c+" unpaired p t", u.PT, r.Get("p_welch_t").Float(), tol)
	}
	if seen < 12 {
		t.Errorf("compared %d columns, want at least 12", seen)
	}
}

func TestIndependentGroupsMatchReference(t *testing.T) {
	r := golden.Load(t, "stats/discrimination.expected.json").Get("independent_groups")
	d := scored(t, "s1")["main"]
	a := metric.Data{Y: d.Y[:80], P: d.P[:80]}
	b := metric.Data{Y: d.Y[80:], P: d.P[80:]}
	u, err := metric.AUCUnpaired(a, b, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	sa, err := metric.NewSorted(a)
	if err != nil {
		t.Fatal(err)
	}
	sb, err := metric.NewSorted(b)
	if err != nil {
		t.Fatal(err)
	}
	for key, got := range map[string]float64{
		"auc1": sa.DeLong().AUC, "auc2": sb.DeLong().AUC, "var1": sa.DeLong().Var, "var2": sb.DeLong().Var,
		"z": u.Z, "p_normal": u.P, "df_welch": u.DF, "p_welch_t": u.PT,
	} {
		golden.Close(t, key, got, r.Get(key).Float(), 1e-10)
	}
}
