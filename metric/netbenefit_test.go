package metric_test

import (
	"fmt"
	"math"
	"testing"

	"dolor/internal/golden"
	"dolor/metric"
)

func decisionData(t *testing.T) metric.Data {
	t.Helper()
	in := golden.CSV(t, "stats/decision-curve.csv")
	d := metric.Data{P: golden.Numbers(t, in["p"]), W: golden.Numbers(t, in["w"])}
	for _, y := range in["y"] {
		d.Y = append(d.Y, y == "1")
	}
	return d
}

func TestDecisionCurveMatchesReference(t *testing.T) {
	ref := golden.Load(t, "stats/decision-curve.expected.json")
	d := decisionData(t)
	plain := metric.Data{Y: d.Y, P: d.P}
	for name, c := range map[string]struct {
		d    metric.Data
		opts *metric.DecisionOptions
	}{
		"unweighted":                  {plain, nil},
		"weighted":                    {d, nil},
		"case_control_prevalence_0.1": {plain, &metric.DecisionOptions{Prevalence: 0.1}},
	} {
		r := ref.Get(name)
		ts := r.Get("threshold").Floats()
		ps, err := metric.DecisionCurve(c.d, ts, 0.95, c.opts)
		if err != nil {
			t.Fatal(err)
		}
		columns := map[string]func(p metric.DecisionPoint) float64{
			"tp": func(p metric.DecisionPoint) float64 { return p.Table.TP }, "fp": func(p metric.DecisionPoint) float64 { return p.Table.FP },
			"net_benefit":                   func(p metric.DecisionPoint) float64 { return p.NetBenefit.Value },
			"treat_all":                     func(p metric.DecisionPoint) float64 { return p.TreatAll.Value },
			"treat_none":                    func(p metric.DecisionPoint) float64 { return p.TreatNone.Value },
			"standardised":                  func(p metric.DecisionPoint) float64 { return p.Standardised.Value },
			"standardised_all":              func(p metric.DecisionPoint) float64 { return p.StandardisedAll.Value },
			"interventions_avoided_per_100": func(p metric.DecisionPoint) float64 { return p.Avoided.Value },
			"net_benefit_untreated":         func(p metric.DecisionPoint) float64 { return p.Untreated.Value },
		}
		for _, key := range r.Keys() {
			if key == "threshold" {
				continue
			}
			f, ok := columns[key]
			if !ok {
				t.Errorf("%s: no column for %s", name, key)
				continue
			}
			got := make([]float64, len(ps))
			for i, p := range ps {
				got[i] = f(p)
			}
			golden.CloseAll(t, name+" "+key, got, r.Get(key).Floats(), 1e-10)
		}
	}
}

// The decision-curve teaching set of 750 simulated patients (dcurves, MIT): its documented values.
func TestNetBenefitOfTheTeachingSet(t *testing.T) {
	in := golden.ReadCSV(t, golden.Data(t, "tabular-dca-simulated/df_binary.csv"))
	d := metric.Data{P: golden.Numbers(t, in["cancerpredmarker"])}
	for _, v := range in["cancer"] {
		d.Y = append(d.Y, v == "TRUE" || v == "1")
	}
	if d.Events() != 105 || d.N() != 750 {
		t.Fatalf("got %d events in %d, want 105 in 750", d.Events(), d.N())
	}
	ps, err := metric.DecisionCurve(d, []float64{0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35}, 0.95, nil)
	if err != nil {
		t.Fatal(err)
	}
	rule := []float64{0.105544, 0.087407, 0.079216, 0.067333, 0.064000, 0.054667, 0.050154}
	all := []float64{0.094737, 0.044444, -0.011765, -0.075000, -0.146667, -0.228571, -0.323077}
	for i, p := range ps {
		golden.Close(t, fmt.Sprintf("net benefit at %g", p.Threshold), p.NetBenefit.Value, rule[i], 5.1e-7)
		golden.Close(t, fmt.Sprintf("treat all at %g", p.Threshold), p.TreatAll.Value, all[i], 5.1e-7)
		if !(p.NetBenefit.Lower < rule[i] && rule[i] < p.NetBenefit.Upper) {
			t.Errorf("at %g: interval %g to %g does not hold the value", p.Threshold, p.NetBenefit.Lower, p.NetBenefit.Upper)
		}
	}
}

func TestDecisionCurveAtItsEnds(t *testing.T) {
	d := metric.Data{Y: []bool{true, false, false}, P: []float64{0.9, 0.2, 0.4}}
	ps, err := metric.DecisionCurve(d, []float64{0, 1}, 0.95, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := ps[0]; math.Abs(p.NetBenefit.Value-1.0/3) > 1e-15 || !math.IsNaN(p.Avoided.Value) || !math.IsNaN(p.Untreated.Value) {
		t.Errorf("threshold 0: %+v", p)
	}
	if p := ps[1]; !math.IsNaN(p.NetBenefit.Value) || p.NetBenefit.Method != "not estimable: threshold 0 or 1" {
		t.Errorf("threshold 1: %+v", p.NetBenefit)
	}
	empty, err := metric.NetBenefit(metric.Data{}, 0.2, 0.95)
	if err != nil || empty.Method != "not estimable: no rows" || !math.IsNaN(empty.Value) {
		t.Errorf("no rows: %+v %v", empty, err)
	}
	if _, err := metric.DecisionCurve(d, []float64{1.2}, 0.95, nil); err == nil {
		t.Error("a threshold above 1 was accepted")
	}
}

func TestMcNemarMatchesReference(t *testing.T) {
	rows := golden.Load(t, "stats/proportions.expected.json").Get("mcnemar")
	for i := range rows.Len() {
		r := rows.Get(i)
		m := metric.NewMcNemar(r.Get("b").Float(), r.Get("c").Float())
		for key, got := range map[string]float64{
			"p_exact": m.PExact, "p_mid": m.PMid, "chisq": m.ChiSquare, "p_chisq": m.PChiSquare,
			"chisq_continuity": m.ChiSquareContinuity, "p_chisq_continuity": m.PChiSquareContinuity,
		} {
			golden.Close(t, fmt.Sprintf("mcnemar %g %g %s", m.B, m.C, key), got, r.Get(key).Float(), 1e-9)
		}
	}
}
