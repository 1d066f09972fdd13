package glm_test

import (
	"math"
	"testing"

	"dolor/internal/glm"
	"dolor/internal/golden"
)

// table returns the problem with an intercept and the named columns.
func table(t *testing.T, file string, keep func(map[string][]string, int) bool, names ...string) glm.Problem {
	t.Helper()
	cols := golden.CSV(t, file)
	var rows []int
	for i := range cols["y"] {
		if keep == nil || keep(cols, i) {
			rows = append(rows, i)
		}
	}
	pr := glm.Problem{Rows: len(rows), Cols: len(names) + 1}
	pr.X = make([]float64, pr.Rows*pr.Cols)
	y := golden.Numbers(t, cols["y"])
	for r, i := range rows {
		pr.X[r*pr.Cols] = 1
		pr.Y = append(pr.Y, y[i])
	}
	for j, n := range names {
		v := golden.Numbers(t, cols[n])
		for r, i := range rows {
			pr.X[r*pr.Cols+j+1] = v[i]
		}
	}
	return pr
}

func matrix(v golden.Value) []float64 {
	var out []float64
	for i := range v.Len() {
		out = append(out, v.Get(i).Floats()...)
	}
	return out
}

var predictors = []string{"age", "lwt", "smoke", "ht", "ui", "ptl", "ftv"}

func TestGLMMeetsR(t *testing.T) {
	want := golden.Load(t, "stats/regression.expected.json")
	cols := golden.CSV(t, "stats/regression.csv")
	for _, key := range []string{"glm", "glm_weighted", "glm_offset"} {
		t.Run(key, func(t *testing.T) {
			g := want.Get(key)
			pr := table(t, "stats/regression.csv", nil, predictors...)
			switch key {
			case "glm_weighted":
				pr.W = golden.Numbers(t, cols["w"])
			case "glm_offset":
				pr.Offset = golden.Numbers(t, cols["off"])
			}
			direct, err := glm.Logistic(pr, nil)
			if err != nil {
				t.Fatal(err)
			}
			basis, err := glm.Orthogonalise(pr).Fit(false, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, f := range map[string]*glm.Fit{"direct": direct, "basis": basis} {
				golden.CloseAll(t, name+" coef", f.Coef, g.Get("coef").Floats(), 1e-8)
				golden.CloseAll(t, name+" vcov", f.Cov, matrix(g.Get("vcov")), 1e-8)
				golden.Close(t, name+" loglik", f.LogLik, g.Get("loglik").Float(), 1e-9)
				golden.Close(t, name+" aic", f.AIC(), g.Get("aic").Float(), 1e-9)
				golden.Close(t, name+" bic", f.BIC(pr.Rows), g.Get("bic").Float(), 1e-9)
				for j, b := range f.Coef {
					z := b / math.Sqrt(f.Cov[j*pr.Cols+j])
					golden.Close(t, name+" z", z, g.Get("z", j).Float(), 1e-8)
					golden.Close(t, name+" p", glm.WaldP(z), g.Get("p", j).Float(), 1e-8)
				}
				for i, want := range g.Get("fitted_first_5").Floats() {
					eta := 0.0
					for j, b := range f.Coef {
						eta += b * pr.X[i*pr.Cols+j]
					}
					if pr.Offset != nil {
						eta += pr.Offset[i]
					}
					golden.Close(t, name+" fitted", glm.Expit(eta), want, 1e-8)
				}
				if g.Has("vcov_sandwich_hc0") {
					golden.CloseAll(t, name+" hc0", f.HC0(pr), matrix(g.Get("vcov_sandwich_hc0")), 1e-8)
				}
			}
			null := glm.Problem{Rows: pr.Rows, Cols: 1, Y: pr.Y, W: pr.W, Offset: pr.Offset, X: make([]float64, pr.Rows)}
			for i := range null.X {
				null.X[i] = 1
			}
			f0, err := glm.Logistic(null, nil)
			if err != nil {
				t.Fatal(err)
			}
			golden.Close(t, "null deviance", -2*f0.LogLik, g.Get("null_deviance").Float(), 1e-9)
			golden.Close(t, "deviance", -2*direct.LogLik, g.Get("deviance").Float(), 1e-9)
			if glm.Separation(glm.Orthogonalise(pr)) != nil {
				t.Error("separation reported where estimates are finite")
			}
		})
	}
}

func TestLikelihoodRatioMeetsR(t *testing.T) {
	want := golden.Load(t, "stats/regression.expected.json").Get("lr_test_first3_vs_all")
	small, err := glm.Logistic(table(t, "stats/regression.csv", nil, predictors[:3]...), nil)
	if err != nil {
		t.Fatal(err)
	}
	large, err := glm.Logistic(table(t, "stats/regression.csv", nil, predictors...), nil)
	if err != nil {
		t.Fatal(err)
	}
	chisq, df, p := glm.LikelihoodRatio(small, large)
	golden.Close(t, "chisq", chisq, want.Get("chisq").Float(), 1e-8)
	golden.Close(t, "df", df, want.Get("df").Float(), 0)
	golden.Close(t, "p", p, want.Get("p").Float(), 1e-8)
}

func TestFirthMeetsReference(t *testing.T) {
	want := golden.Load(t, "stats/regression.expected.json")
	inCase := func(c string) func(map[string][]string, int) bool {
		return func(cols map[string][]string, i int) bool { return cols["case"][i] == c }
	}
	for _, c := range []struct {
		name string
		pr   glm.Problem
		g    golden.Value
	}{
		{"complete", table(t, "stats/separation.csv", inCase("complete"), "x1", "x2"), want.Get("separation_complete", "firth")},
		{"quasi", table(t, "stats/separation.csv", inCase("quasi"), "x1", "x2"), want.Get("separation_quasi", "firth")},
		{"birthwt", table(t, "stats/regression.csv", nil, predictors[:3]...), want.Get("firth_regression_csv_first3")},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := glm.Orthogonalise(c.pr).Fit(true, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !f.Converged {
				t.Error("not converged")
			}
			golden.CloseAll(t, "coef", f.Coef, c.g.Get("coef").Floats(), 1e-6)
			golden.CloseAll(t, "vcov", f.Cov, matrix(c.g.Get("vcov")), 1e-6)
			golden.Close(t, "penalised", f.Penalised, c.g.Get("penalised_loglik").Float(), 1e-6)
			golden.Close(t, "loglik", f.LogLik, c.g.Get("loglik").Float(), 1e-6)
			for j := range f.Coef {
				pf := glm.Profile(c.pr, f, j, true, 0.95, nil)
				golden.Close(t, "lower", pf.Lower, c.g.Get("ci_profile", j, 0).Float(), 1e-5)
				golden.Close(t, "upper", pf.Upper, c.g.Get("ci_profile", j, 1).Float(), 1e-5)
				golden.Close(t, "chisq", pf.ChiSq, c.g.Get("lr_chisq", j).Float(), 1e-6)
				golden.Close(t, "p", pf.P, c.g.Get("lr_p", j).Float(), 1e-6)
				half := 1.959963984540054 * math.Sqrt(f.Cov[j*c.pr.Cols+j])
				golden.Close(t, "wald lower", f.Coef[j]-half, c.g.Get("ci_wald", j, 0).Float(), 1e-6)
				golden.Close(t, "wald upper", f.Coef[j]+half, c.g.Get("ci_wald", j, 1).Float(), 1e-6)
			}
			sep := glm.Separation(glm.Orthogonalise(c.pr))
			switch c.name {
			case "complete":
				if sep == nil || !sep.Complete || sep.Rows != c.pr.Rows {
					t.Errorf("complete separation: got %+v", sep)
				}
			case "quasi":
				if sep == nil || sep.Complete || len(sep.Columns) == 0 || sep.Columns[len(sep.Columns)-1] != 2 {
					t.Errorf("quasi-complete separation by x2: got %+v", sep)
				}
			default:
				if sep != nil {
					t.Errorf("no separation: got %+v", sep)
				}
			}
		})
	}
}
