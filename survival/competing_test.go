package survival

import (
	"testing"

	"dolor/internal/golden"
)

func TestAalenJohansenGolden(t *testing.T) {
	d := readRef(t, "stats/competing.csv")
	want := golden.Load(t, "stats/competing.expected.json").Get("aalen_johansen")
	logc, err := AalenJohansen(d.Data, &CurveOptions{Limits: Log})
	if err != nil {
		t.Fatal(err)
	}
	cll, err := AalenJohansen(d.Data, nil)
	if err != nil {
		t.Fatal(err)
	}
	for cause, key := range map[int]string{Event: "cause1", Competing: "cause2"} {
		w := want.Get(key)
		for i, h := range w.Get("horizon").Floats() {
			e := logc.Risk(cause, h, Delta)
			golden.Close(t, "cif", e.Value, w.Get("cif", i).Float(), 1e-8)
			golden.Close(t, "delta", e.SE*e.SE, w.Get("var_delta_by_hand", i).Float(), 1e-10)
			golden.Close(t, "se_survfit", e.SE, w.Get("se_survfit", i).Float(), 1e-8)
			golden.Close(t, "lower", e.Lower, w.Get("survfit_lower_log", i).Float(), 1e-8)
			golden.Close(t, "upper", e.Upper, w.Get("survfit_upper_log", i).Float(), 1e-8)
			g := logc.Risk(cause, h, Gray)
			golden.Close(t, "gray", g.SE*g.SE, w.Get("var_cuminc", i).Float(), 1e-10)
			l := cll.Risk(cause, h, Delta)
			golden.CloseAll(t, "loglog", []float64{l.Lower, l.Upper}, w.Get("ci_loglog_from_se_survfit", i).Floats(), 1e-8)
		}
	}
	w := want.Get("event_free")
	for i, h := range w.Get("horizon").Floats() {
		golden.Close(t, "event free", logc.EventFree(h).Value, w.Get("p", i).Float(), 1e-8)
		golden.Close(t, "event free se", logc.EventFree(h).SE, w.Get("se_survfit", i).Float(), 1e-8)
	}
}

func TestGrayGolden(t *testing.T) {
	d := readRef(t, "stats/competing.csv")
	want := golden.Load(t, "stats/competing.expected.json")
	third := make([]int, d.N())
	for i, a := range d.col["age"] {
		for _, c := range want.Get("gray_by_age_third", "cuts").Floats() {
			if c <= a {
				third[i]++
			}
		}
	}
	for _, tt := range []struct {
		key    string
		group  []int
		groups int
	}{{"gray_by_sex", ints(d.col["sex"]), 2}, {"gray_by_age_third", third, 3}} {
		w := want.Get(tt.key)
		for i, c := range w.Get("cause").Floats() {
			r, err := GrayTest(d.Data, int(c), tt.group, tt.groups)
			if err != nil {
				t.Fatal(err)
			}
			golden.Close(t, tt.key+" chisq", r.ChiSq, w.Get("chisq", i).Float(), 1e-8)
			golden.Close(t, tt.key+" p", r.P, w.Get("p", i).Float(), 1e-8)
			golden.Close(t, tt.key+" df", float64(r.DF), w.Get("df", i).Float(), 0)
		}
	}
}

func TestFineGrayGolden(t *testing.T) {
	d := readRef(t, "stats/competing.csv")
	want := golden.Load(t, "stats/competing.expected.json")
	x := design(d.col["sex"], d.col["age"], d.col["x"])
	w := want.Get("fine_gray_cause1")
	f, err := FitFineGray(d.Data, x, 3, &FineGrayOptions{Ties: NaiveCensoring})
	if err != nil {
		t.Fatal(err)
	}
	golden.CloseAll(t, "crr coef", f.Coef, w.Get("coef").Floats(), 1e-5)
	golden.CloseAll(t, "crr se", f.SE, w.Get("se").Floats(), 1e-5)
	golden.Close(t, "crr loglik", f.LogLik, w.Get("loglik").Float(), 1e-5)
	golden.Close(t, "crr null", f.LogLikNull, w.Get("loglik_null").Float(), 1e-5)
	f, err = FitFineGray(d.Data, x, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	golden.CloseAll(t, "finegray coef", f.Coef, w.Get("coef_finegray_coxph_breslow").Floats(), 1e-5)
	c, err := FitCox(d.Data, x, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	golden.CloseAll(t, "cause-specific coef", c.Coef, want.Get("cause_specific_cox_efron", "coef").Floats(), 1e-6)
	golden.CloseAll(t, "cause-specific se", c.SE, want.Get("cause_specific_cox_efron", "se").Floats(), 1e-6)
}

func TestNetBenefitGolden(t *testing.T) {
	d := readRef(t, "stats/decision-curve-survival.csv")
	all := golden.Load(t, "stats/decision-curve.expected.json")
	for key, censor := range map[string]bool{
		"survival_km_horizon_10": true, "competing_aj_horizon_10": false,
		"survival_km_horizon_25": true, "competing_aj_horizon_25": false,
	} {
		t.Run(key, func(t *testing.T) {
			w := all.Get(key)
			c := w.Get("curve")
			pts, err := NetBenefit(d.Data, d.col["p"], w.Get("horizon").Float(), c.Get("threshold").Floats(), censor, 0)
			if err != nil {
				t.Fatal(err)
			}
			dd := d.Data
			if censor {
				dd = dd.only(Event)
			}
			overall, _, _ := riskAt(dd, w.Get("horizon").Float())
			golden.Close(t, "overall", overall, w.Get("overall_risk").Float(), 1e-10)
			for i, p := range pts {
				golden.Close(t, "positives", float64(p.Positives), c.Get("positives", i).Float(), 0)
				golden.Close(t, "risk", p.Risk, c.Get("risk_in_positives", i).Float(), 1e-10)
				golden.Close(t, "net benefit", p.NetBenefit.Value, c.Get("net_benefit", i).Float(), 1e-10)
				golden.Close(t, "treat all", p.TreatAll.Value, c.Get("treat_all", i).Float(), 1e-10)
				golden.Close(t, "standardised", p.Standardised, c.Get("standardised", i).Float(), 1e-10)
				golden.Close(t, "avoided", p.AvoidedPer100, c.Get("interventions_avoided_per_100", i).Float(), 1e-10)
				followed := 0.0
				if p.Followed {
					followed = 1
				}
				if p.Positives > 0 {
					golden.Close(t, "followed", followed, c.Get("followed_to_horizon", i).Float(), 0)
				}
			}
		})
	}
}
