package metric_test

import (
	"fmt"
	"math"
	"testing"

	"dolor/internal/golden"
	"dolor/metric"
)

func TestConformalMatchesReference(t *testing.T) {
	ref := golden.Load(t, "stats/quantiles.expected.json")
	in := golden.CSV(t, "stats/conformal.csv")
	part := map[string]metric.Data{}
	for i, p := range golden.Numbers(t, in["p"]) {
		d := part[in["set"][i]]
		d.Y, d.P = append(d.Y, in["y"][i] == "1"), append(d.P, p)
		part[in["set"][i]] = d
	}
	cases := ref.Get("conformal")
	for i := range cases.Len() {
		r := cases.Get(i)
		for _, kind := range []string{"marginal", "by_class"} {
			q := r.Get(kind)
			c, err := metric.NewConformal(part["calibration"], r.Get("alpha").Float(), kind == "by_class")
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("case %d %s ", i, kind)
			for k := range 2 {
				e := q
				if kind == "by_class" {
					e = q.Get(fmt.Sprint("class", k))
				}
				golden.Close(t, name+"n", float64(c.N[k]), e.Get("n").Float(), 0)
				golden.Close(t, name+"k", float64(c.K[k]), e.Get("k").Float(), 0)
				golden.Close(t, name+"threshold", c.Threshold[k], e.Get("threshold").Float(), 1e-12)
			}
			if !q.Has("sets") {
				continue
			}
			s, e := c.Summary(part["test"]), q.Get("sets")
			for j, p := range part["test"].P {
				a, b := c.Set(p)
				if a != (e.Get("test_includes_0", j).Float() == 1) || b != (e.Get("test_includes_1", j).Float() == 1) {
					t.Errorf("%srow %d: got %v %v", name, j, a, b)
				}
			}
			golden.CloseAll(t, name+"summary", []float64{s.Coverage, s.MeanSize, float64(s.Empty), float64(s.Single), float64(s.Both)},
				[]float64{e.Get("coverage").Float(), e.Get("mean_size").Float(), e.Get("empty").Float(), e.Get("single").Float(), e.Get("both").Float()}, 1e-12)
		}
	}
}

func TestDifferencesMatchReference(t *testing.T) {
	r := golden.Load(t, "stats/tests.expected.json").Get("smd_g0_g1")
	in := golden.CSV(t, "stats/vectors.csv")
	x, b := golden.Numbers(t, in["x"]), golden.Numbers(t, in["b"])
	var xs, bs [2][]float64
	for i, g := range in["g"] {
		if g == "0" || g == "1" {
			k := int(g[0] - '0')
			xs[k], bs[k] = append(xs[k], x[i]), append(bs[k], b[i])
		}
	}
	mean := func(v []float64) float64 {
		s := 0.0
		for _, a := range v {
			s += a
		}
		return s / float64(len(v))
	}
	d, g := metric.CohenD(xs[0], xs[1])
	for k, v := range map[string]float64{
		"x_continuous": metric.SMDContinuous(xs[0], xs[1]), "x_cohens_d_pooled": d, "x_hedges_g": g,
		"b_binary":      metric.SMDBinary(mean(bs[0]), mean(bs[1])),
		"c_categorical": metric.SMDCategorical(r.Get("c_proportions", 0).Floats(), r.Get("c_proportions", 1).Floats()),
	} {
		golden.Close(t, k, v, r.Get(k).Float(), 1e-8)
	}
}

// scikit-learn 1.2.1 on the same scores, weighted and not.
func TestMetricsMatchScikitLearn(t *testing.T) {
	ref := golden.Load(t, "ml/calibration.expected.json").Get("metrics")
	in := golden.CSV(t, "ml/scores.csv")
	w := golden.Numbers(t, in["w"])
	d := metric.Data{P: golden.Numbers(t, in["p"])}
	for _, v := range in["y"] {
		d.Y = append(d.Y, v == "1")
	}
	const tol = 1e-9
	for name, w := range map[string][]float64{"unweighted": nil, "weighted": w} {
		d.W = w
		r := ref.Get(name)
		s, err := metric.NewSorted(d)
		if err != nil {
			t.Fatal(err)
		}
		tb, err := metric.Confusion(d, 0.5)
		if err != nil {
			t.Fatal(err)
		}
		for k, e := range map[string]metric.Estimate{
			"roc_auc": s.AUC(0.95), "average_precision": s.AveragePrecision(0.95), "f1_at_0.5": tb.F1(0.95),
			"balanced_accuracy_at_0.5": tb.BalancedAccuracy(0.95), "mcc_at_0.5": tb.MCC(0.95), "kappa_at_0.5": tb.Kappa(0.95),
		} {
			golden.Close(t, name+" "+k, e.Value, r.Get(k).Float(), tol)
			if !(e.Lower < e.Value && e.Value < e.Upper) {
				t.Errorf("%s %s: %g to %g does not hold the value", name, k, e.Lower, e.Upper)
			}
		}
		if w == nil {
			golden.CloseAll(t, "cells", []float64{tb.TN, tb.FP, tb.FN, tb.TP}, ref.Get("confusion_at_0.5_tn_fp_fn_tp").Floats(), 0)
			p, err := metric.PartialAUCSpecificity(d, 0.8, 1, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			golden.Close(t, "partial", p.Standardised.Value, ref.Get("partial_auc_fpr_0.2_standardised").Float(), tol)
			roc := s.ROC(true)
			golden.CloseAll(t, "fpr", roc.FPR, ref.Get("roc_points", "fpr").Floats(), tol)
			golden.CloseAll(t, "tpr", roc.TPR, ref.Get("roc_points", "tpr").Floats(), tol)
		}
	}
}

func TestHardCasesHaveReasons(t *testing.T) {
	yes := []bool{true, true, true}
	for name, c := range map[string]struct {
		d      metric.Data
		auc    float64
		method string
	}{
		"empty":     {metric.Data{}, math.NaN(), "not estimable: no rows"},
		"one row":   {metric.Data{Y: yes[:1], P: []float64{0.2}}, math.NaN(), "not estimable: one class"},
		"one class": {metric.Data{Y: yes, P: []float64{0.1, 0.2, 0.3}}, math.NaN(), "not estimable: one class"},
		"tied":      {metric.Data{Y: []bool{true, false, true}, P: []float64{0.5, 0.5, 0.5}}, 0.5, "all scores tied: variance 0"},
		"perfect": {
			metric.Data{Y: []bool{true, false, true}, P: []float64{0.9, 0.1, 0.8}},
			1,
			"exact, disjoint pairs (perfect separation: delong variance is 0)",
		},
		"one event": {
			metric.Data{Y: []bool{true, false, false}, P: []float64{0.5, 0.1, 0.8}},
			0.5,
			"hanley-mcneil, logit (one row in a class: delong variance undefined)",
		},
	} {
		e, err := metric.AUC(c.d, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, name, e.Value, c.auc, 0)
		if e.Method != c.method {
			t.Errorf("%s: method %q", name, e.Method)
		}
		for _, f := range []func() error{
			func() error { _, err := metric.AveragePrecision(c.d, 0.95); return err },
			func() error { _, err := metric.PartialAUCSpecificity(c.d, 0.8, 1, 0.95); return err },
			func() error { _, err := metric.AUCPaired(c.d, c.d, 0.95); return err },
			func() error { _, err := metric.NetBenefit(c.d, 0.2, 0.95); return err },
			func() error {
				tb, err := metric.Confusion(c.d, 0.2)
				tb.Estimates(0.95)
				return err
			},
			func() error { _, err := metric.AUCWithin([]metric.Data{c.d, c.d}, 0.95); return err },
		} {
			if err := f(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := metric.AUC(metric.Data{Y: yes, P: []float64{1, 2, math.NaN()}}, 0.95); err == nil {
		t.Error("a missing score was accepted")
	}
	if _, err := metric.AUC(metric.Data{Y: yes, P: []float64{1, 2, 3}}, 1.5); err == nil {
		t.Error("a level above 1 was accepted")
	}
}
