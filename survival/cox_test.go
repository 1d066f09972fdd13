package survival

import (
	"math"
	"strconv"
	"testing"

	"dolor/internal/golden"
)

func design(cols ...[]float64) []float64 {
	var x []float64
	for i := range cols[0] {
		for _, c := range cols {
			x = append(x, c[i])
		}
	}
	return x
}

func TestCoxGolden(t *testing.T) {
	d := readRef(t, "stats/survival.csv")
	want := golden.Load(t, "stats/survival.expected.json").Get("cox")
	x := design(d.col["age"], d.col["sex"], d.col["ecog"], d.col["karno"])
	for _, m := range []Method{Efron, Breslow} {
		f, err := FitCox(d.Data, x, 4, &CoxOptions{Method: m})
		if err != nil {
			t.Fatal(err)
		}
		w := want.Get(m.String())
		golden.CloseAll(t, "coef", f.Coef, w.Get("coef").Floats(), 1e-6)
		golden.CloseAll(t, "se", f.SE, w.Get("se").Floats(), 1e-6)
		for i := range 4 {
			golden.CloseAll(t, "vcov", f.Cov[i], w.Get("vcov", i).Floats(), 1e-8)
		}
		golden.Close(t, "null", f.LogLikNull, w.Get("loglik_null").Float(), 1e-8)
		golden.Close(t, "loglik", f.LogLik, w.Get("loglik").Float(), 1e-8)
		golden.Close(t, "lr", f.LR, w.Get("lr_chisq").Float(), 1e-6)
		golden.Close(t, "wald", f.Wald, w.Get("wald_chisq").Float(), 1e-6)
		golden.Close(t, "score", f.Score, w.Get("score_chisq").Float(), 1e-6)
		c, err := f.Concordance(0)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, "concordance", c.C.Value, w.Get("concordance").Float(), 1e-6)
		golden.Close(t, "concordance se", c.C.SE, w.Get("concordance_se").Float(), 1e-6)
		b := w.Get("baseline_cumhaz_at_covariates_0")
		s := w.Get("predicted_survival_new")
		for i, h := range b.Get("horizon").Floats() {
			golden.Close(t, "baseline", f.BaselineHazard(h), b.Get("value", i).Float(), 1e-6)
			golden.Close(t, "survival", f.Survival(h, []float64{60, 1, 1, 80}), s.Get("surv", i).Float(), 1e-6)
		}
		if !f.Converged {
			t.Error("not converged")
		}
		if m == Efron {
			z, err := f.ProportionalHazards()
			if err != nil {
				t.Fatal(err)
			}
			zw := want.Get("zph_km_efron")
			golden.CloseAll(t, "zph", append(z.ChiSq, z.Global), zw.Get("chisq").Floats(), 1e-5)
			golden.CloseAll(t, "zph p", append(z.P, z.GlobP), zw.Get("p").Floats(), 1e-5)
			golden.Close(t, "zph df", float64(z.DF), zw.Get("df", 4).Float(), 0)
		}
	}
	f, err := FitCox(d.Data, d.col["score"], 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := want.Get("slope_of_score_efron")
	golden.Close(t, "slope", f.Coef[0], w.Get("slope").Float(), 1e-6)
	golden.Close(t, "slope se", f.SE[0], w.Get("se").Float(), 1e-6)
}

// The coefficients and C that the data set's README gives.
func TestCoxRotterdam(t *testing.T) {
	cells := golden.ReadCSV(t, golden.Data(t, "tabular-rotterdam-gbsg/rotterdam.csv"))
	num := func(k string) []float64 { return golden.Numbers(t, cells[k]) }
	age, nodes, grade, rtime, recur, dtime, death := num("age"), num("nodes"), num("grade"), num("rtime"), num("recur"), num("dtime"), num("death")
	var d Data
	var x []float64
	for i := range age {
		status, time := Censored, dtime[i]
		if recur[i] == 1 {
			time = rtime[i]
		}
		if recur[i] == 1 || death[i] == 1 {
			status = Event
		}
		d.Time, d.Status = append(d.Time, time), append(d.Status, status)
		g3, big := 0.0, 1.0
		if grade[i] == 3 {
			g3 = 1
		}
		if cells["size"][i] == "<=20" {
			big = 0
		}
		x = append(x, age[i], math.Log(nodes[i]+1), g3, big)
	}
	f, err := FitCox(d, x, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	for j, want := range []float64{0.004683, 0.493614, 0.342487, 0.305148} {
		golden.Close(t, "coefficient "+strconv.Itoa(j), f.Coef[j], want, 1e-6)
	}
	c, err := f.Concordance(0)
	if err != nil {
		t.Fatal(err)
	}
	golden.Close(t, "C", c.C.Value, 0.669763, 1e-6)
}

func TestLungCounts(t *testing.T) {
	cells := golden.ReadCSV(t, golden.Data(t, "tabular-ncctg-lung/lung.csv"))
	d := Data{Time: golden.Numbers(t, cells["time"])}
	for _, s := range cells["status"] {
		d.Status = append(d.Status, map[string]int{"1": Censored, "2": Event}[s])
	}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	if d.N() != 148 || d.Count(Event) != 110 {
		t.Errorf("got %d patients and %d deaths, want 148 and 110", d.N(), d.Count(Event))
	}
}

// A column that orders the events perfectly has no finite coefficient, and the fit says so.
func TestCoxMonotone(t *testing.T) {
	d := Data{Time: []float64{1, 2, 3, 4, 5, 6, 7, 8}, Status: []int{1, 1, 1, 1, 0, 0, 0, 0}}
	x := []float64{1, 1, 1, 1, 0, 0, 0, 0}
	if f, err := FitCox(d, x, 1, nil); err == nil && f.Converged {
		t.Errorf("cox: converged at %g", f.Coef)
	}
	if f, err := FitFineGray(d, x, 1, nil); err == nil && f.Converged {
		t.Errorf("fine-gray: converged at %g", f.Coef)
	}
}
