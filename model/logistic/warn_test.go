package logistic_test

import (
	"math"
	"strings"
	"testing"

	"dolor/frame"
	"dolor/internal/golden"
	"dolor/model"
	"dolor/model/logistic"
)

func separated(t *testing.T, which string) *model.Dataset {
	t.Helper()
	c := golden.CSV(t, "stats/separation.csv")
	return dataset(t, c, func(i int) bool { return c["y"][i] == "1" }, func(i int) bool { return c["case"][i] == which },
		predictor{"x1", ""}, predictor{"x2", ""})
}

func codes(m *logistic.Model) map[string]string {
	out := make(map[string]string)
	for _, w := range m.Warnings() {
		out[w.Code] = w.Msg
	}
	return out
}

func TestSeparationIsReported(t *testing.T) {
	for _, c := range []struct{ which, want string }{
		{"complete", "complete separation of the outcome by x1"},
		{"quasi", "quasi-complete separation of the outcome by x2"},
	} {
		m := fit(t, separated(t, c.which))
		if got := codes(m)["separation"]; !strings.HasPrefix(got, c.want) || !strings.Contains(got, "penalty firth") {
			t.Errorf("%s: got %q, want it to start with %q", c.which, got, c.want)
		}
	}
	birth := golden.CSV(t, "stats/regression.csv")
	m := fit(t, dataset(t, birth, func(i int) bool { return birth["y"][i] == "1" }, nil, predictor{"age", ""}, predictor{"lwt", ""}))
	if got, ok := codes(m)["separation"]; ok {
		t.Errorf("no separation: got %q", got)
	}
}

func TestFirthEquation(t *testing.T) {
	g := golden.Load(t, "stats/regression.expected.json").Get("separation_complete", "firth")
	p := logistic.Default()
	p.Penalty, p.Interval = logistic.Firth, logistic.Profile
	m, err := p.Learner().Fit(t.Context(), separated(t, "complete"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := codes(m.(*logistic.Model))["separation"]; !strings.HasPrefix(got, "complete separation") {
		t.Errorf("separation under Firth's penalty: got %q", got)
	}
	for j, term := range m.(*logistic.Model).Terms() {
		golden.Close(t, term.Name, term.Estimate, g.Get("coef", j).Float(), 1e-6)
		golden.Close(t, term.Name+" se", term.SE, g.Get("se", j).Float(), 1e-6)
		golden.Close(t, term.Name+" lower", term.Lower, g.Get("ci_profile", j, 0).Float(), 1e-5)
		golden.Close(t, term.Name+" upper", term.Upper, g.Get("ci_profile", j, 1).Float(), 1e-5)
		golden.Close(t, term.Name+" p", term.P, g.Get("lr_p", j).Float(), 1e-6)
	}
}

// Profiles of maximum likelihood agree with the likelihood itself at their ends, and are
// infinite on the side of a separated coefficient.
func TestPlainProfile(t *testing.T) {
	p := logistic.Default()
	p.Interval = logistic.Profile
	m, err := p.Learner().Fit(t.Context(), separated(t, "quasi"), nil)
	if err != nil {
		t.Fatal(err)
	}
	terms := m.(*logistic.Model).Terms()
	if x2 := terms[2]; !math.IsInf(x2.Upper, 1) || math.IsInf(x2.Lower, 0) || math.IsNaN(x2.Lower) {
		t.Errorf("x2: got limits %g and %g, want a finite and an infinite one", x2.Lower, x2.Upper)
	}
	if x1 := terms[1]; math.IsInf(x1.Lower, 0) || math.IsInf(x1.Upper, 0) || !(x1.Lower < x1.Estimate && x1.Estimate < x1.Upper) {
		t.Errorf("x1: got %g (%g to %g), want finite limits around the estimate", x1.Estimate, x1.Lower, x1.Upper)
	}
}

func TestAliasedColumnHasNoCoefficient(t *testing.T) {
	c := golden.CSV(t, "stats/regression.csv")
	d := dataset(t, c, func(i int) bool { return c["y"][i] == "1" }, nil, predictor{"age", ""}, predictor{"lwt", ""})
	age, _ := d.X.Column("age")
	lwt, _ := d.X.Column("lwt")
	sum := make([]float64, d.Rows())
	for i := range sum {
		sum[i] = 2*age.Numbers()[i] - lwt.Numbers()[i] + 7
	}
	want := fit(t, d).Weights()
	x, err := d.X.With(frame.NumberColumn(frame.Field{Name: "sum"}, sum))
	if err != nil {
		t.Fatal(err)
	}
	d.X = x
	m := fit(t, d)
	golden.CloseAll(t, "coefficients", m.Weights(), want, 1e-9)
	if got := codes(m)["aliased"]; !strings.HasPrefix(got, "sum is constant or a linear combination") {
		t.Errorf("got warning %q", got)
	}
}
