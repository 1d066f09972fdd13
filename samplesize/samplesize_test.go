package samplesize_test

import (
	"fmt"
	"math"
	"testing"

	"dolor/diag"
	"dolor/internal/golden"
	"dolor/samplesize"
)

func TestDevelopmentGolden(t *testing.T) {
	want := golden.Load(t, "stats/sample-size.expected.json").Get("development")
	cells := golden.CSV(t, "stats/sample-size.csv")
	prev, r2, par, shr := golden.Numbers(t, cells["prevalence"]), golden.Numbers(t, cells["r2_cs"]), golden.Numbers(t, cells["parameters"]), golden.Numbers(t, cells["shrinkage"])
	for i := range want.Len() {
		w := want.Get(i)
		d := samplesize.Development{Prevalence: prev[i], R2: r2[i], Parameters: int(par[i]), Shrinkage: shr[i]}
		r, err := d.Riley()
		if err != nil {
			t.Fatal(err)
		}
		v, err := d.VanSmeden()
		if err != nil {
			t.Fatal(err)
		}
		for key, got := range map[string]float64{
			"max_r2_cs": r.MaxR2, "r2_nagelkerke": r.R2Nagelkerke, "criterion1_n": r.N1, "criterion2_shrinkage": r.S2,
			"criterion2_n": r.N2, "criterion3_n": r.N3, "events": r.Events, "events_per_parameter": r.EPP,
			"shrinkage_at_minimum_n": r.ShrinkageAtN, "van_smeden_mape_0.05_n": v,
		} {
			golden.Close(t, key, got, w.Get(key).Float(), 1e-8)
		}
		for k, c := range r.Ceiling {
			golden.Close(t, "ceiling", float64(c), w.Get("ceiling", k).Float(), 0)
		}
		golden.Close(t, "minimum_n", float64(r.N), w.Get("minimum_n").Float(), 0)
	}
}

// The example of pmsampsize's documentation.
func TestPublishedExample(t *testing.T) {
	want := golden.Load(t, "stats/sample-size.expected.json").Get("published_example")
	r, err := samplesize.Development{Prevalence: 0.174, R2: 0.288, Parameters: 24}.Riley()
	if err != nil {
		t.Fatal(err)
	}
	for k, c := range r.Ceiling {
		golden.Close(t, "ceiling", float64(c), want.Get("ceiling", k).Float(), 0)
	}
	golden.Close(t, "minimum_n", float64(r.N), want.Get("minimum_n").Float(), 0)
}

func TestValidationGolden(t *testing.T) {
	want := golden.Load(t, "stats/sample-size.expected.json").Get("validation")
	oe := want.Get("oe")
	for i := range oe.Len() {
		w := oe.Get(i)
		se := w.Get("se_ln_oe").Float()
		n, err := samplesize.ObservedExpected(w.Get("prevalence").Float(), se)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, "oe n", n, w.Get("n").Float(), 1e-8)
		lo, hi := samplesize.ObservedExpectedInterval(se)
		golden.CloseAll(t, "oe ci", []float64{lo, hi}, w.Get("ci_for_oe_1").Floats(), 1e-8)
	}
	cs := want.Get("c_statistic")
	for i := range cs.Len() {
		w := cs.Get(i)
		c, p := w.Get("c").Float(), w.Get("prevalence").Float()
		n, err := samplesize.CStatistic(c, p, w.Get("ci_width").Float())
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, "c n", n, w.Get("n").Float(), 1e-8)
		golden.Close(t, "c ceiling", math.Ceil(n), w.Get("ceiling").Float(), 0)
		golden.Close(t, "c se", samplesize.CStatisticSE(c, p, math.Ceil(n)), w.Get("se_at_ceiling").Float(), 1e-8)
	}
}

// Recomputing the standard error at the answer gives what was asked for, by an independent
// route: the information of n patients scaled from the sample.
func TestSlopeAndNetBenefit(t *testing.T) {
	lp, err := samplesize.NormalLP(-1.5, 1, 4000)
	if err != nil {
		t.Fatal(err)
	}
	n, err := samplesize.CalibrationSlope(lp, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	// Trapezoid integration of the same information.
	var a, b, c float64
	for x := -9.0; x <= 7; x += 0.001 {
		f := math.Exp(-(x+1.5)*(x+1.5)/2) / math.Sqrt(2*math.Pi) * 0.001
		p := 1 / (1 + math.Exp(-x))
		a, b, c = a+f*p*(1-p), b+f*p*(1-p)*x, c+f*p*(1-p)*x*x
	}
	golden.Close(t, "slope n", n, a/(0.01*(a*c-b*b)), 2e-3)
	nb, err := samplesize.NetBenefit(0.5, 1, 1, 0.2, 0.1)
	if err != nil || nb != 0 {
		t.Errorf("a perfect test: got %g, %v", nb, err)
	}
	nb, err = samplesize.NetBenefit(0.5, 0.8, 0.7, 0.5, 0.1) // w = 1
	if err != nil {
		t.Fatal(err)
	}
	golden.Close(t, "net benefit n", nb, (0.16/0.5+0.21/0.5+0.09/0.25)/0.01, 1e-9)
}

func TestRefusals(t *testing.T) {
	for name, d := range map[string]samplesize.Development{
		"prevalence":   {Prevalence: 1, R2: .1, Parameters: 1},
		"r2 too big":   {Prevalence: .1, R2: .6, Parameters: 1},
		"parameters":   {Prevalence: .1, R2: .1},
		"not a number": {Prevalence: math.NaN(), R2: .1, Parameters: 1},
	} {
		if _, err := d.Riley(); diag.KindOf(err) != diag.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := samplesize.ValidationReport(100, samplesize.Validation{}); diag.KindOf(err) != diag.Invalid {
		t.Errorf("empty validation: got %v", err)
	}
	r, err := samplesize.ValidationReport(200, samplesize.Validation{Prevalence: .2, C: .75, LP: []float64{-2, -1, 0, 1}, Threshold: .2, Sensitivity: .8, Specificity: .6})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Criteria) != 4 || r.Enough || len(r.Warnings) != 1 {
		t.Errorf("got %d criteria, enough %v, %d warnings", len(r.Criteria), r.Enough, len(r.Warnings))
	}
}

func ExampleDevelopmentReport() {
	r, err := samplesize.DevelopmentReport(640, samplesize.Development{Prevalence: 0.386, R2: 0.2, Parameters: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Binding, r.Required, r.Enough)
	// Output: prediction error 988 false
}
