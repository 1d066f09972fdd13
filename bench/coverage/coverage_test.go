package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"

	"dolor/diag"
	"dolor/metric"
	"dolor/rng"
)

func testWorld() *world { return newWorld("test", 200, 0.3) }

func TestWorldHasTheDeclaredPrevalenceAndAUC(t *testing.T) {
	w := testWorld()
	v := w.truth(w.coef)
	for k, want := range (values{trueAUC, v[brier], 1, 0, 1, v[benefit]}) {
		if math.Abs(v[k]-want) > 1e-6 {
			t.Errorf("true model: %s = %v, want %v", names[k], v[k], want)
		}
	}
	if p := w.risk(); math.Abs(p-0.3) > 1e-9 {
		t.Errorf("prevalence %v, want 0.3", p)
	}
}

// The integral and a large sample must agree for a model that is neither true nor calibrated.
func TestIntegrationAgreesWithDrawnPatients(t *testing.T) {
	w := testWorld()
	s := rng.New(3)
	model, _ := fit(w.sample(120, s.Child("development")), rowsOf(120), nil)
	got := w.truth(model)
	drawn, err := w.simulated(context.Background(), model, 200_000, 2, s)
	if err != nil {
		t.Fatal(err)
	}
	for k, tol := range (values{0.005, 0.002, 0.02, 0.025, 0.02, 0.004}) {
		if math.Abs(got[k]-drawn[k]) > tol {
			t.Errorf("%s: integral %v, drawn %v", names[k], got[k], drawn[k])
		}
	}
}

func TestQuickMeasuresAgreeWithThePackage(t *testing.T) {
	w := testWorld()
	s := rng.New(4)
	d := w.sample(150, s)
	sc := newScored(d.logits(w.coef), d.y)
	counts := make([]float64, d.n)
	tally(s.Child("count").Rand(), counts)
	for _, c := range [][]float64{nil, counts} {
		data := metric.Data{Y: d.outcome, P: sc.p, W: c}
		got := sc.measure(c)
		for k, f := range []func(metric.Data, float64) (metric.Estimate, error){
			metric.AUC, metric.Brier, metric.OERatio, metric.CalibrationIntercept, metric.CalibrationSlope,
			func(d metric.Data, l float64) (metric.Estimate, error) { return metric.NetBenefit(d, threshold, l) },
		} {
			e, err := f(data, level)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got[k]-e.Value) > 1e-8 {
				t.Errorf("%s: %v, want %v", names[k], got[k], e.Value)
			}
		}
	}
}

// In one fold the sharpened standard error is DeLong's.
func TestSharpenedIsDeLongInOneFold(t *testing.T) {
	w := testWorld()
	d := w.sample(100, rng.New(5))
	sc := newScored(d.logits(w.coef), d.y)
	data := metric.Data{Y: d.outcome, P: sc.p}
	f := &folded{k: 1, repeats: 1, scored: []*scored{sc}, fold: [][]int{make([]int, d.n)}}
	f.heldOut = append(f.heldOut, single(data))
	sorted, err := metric.NewSorted(data)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.sharpened(d), sorted.DeLong().SE(); math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		covered, n int
		want       string
	}{{950, 1000, "holds"}, {920, 1000, "holds"}, {900, 1000, "too low"}, {979, 1000, "holds"}, {990, 1000, "too high"}} {
		x := cell{n: c.n, covered: c.covered}
		x.finish()
		if got := x.verdict(); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.covered, c.n, got, c.want)
		}
	}
}

func TestChooseTakesWhatHolds(t *testing.T) {
	at := func(share ...float64) []cell {
		var out []cell
		for _, s := range share {
			c := cell{n: 1000, covered: int(1000 * s)}
			c.finish()
			out = append(out, c)
		}
		return out
	}
	lines := []line{
		{brier, "influence curve, 5 folds x 1", at(0.90, 0.95)},
		{brier, "influence curve, 5 folds x 4", at(0.945, 0.95)},
		{brier, "nested cross-validation (Bates)", at(0.95, 0.95)},
		{oe, "influence curve, 5 folds x 1", at(0.90, 0.95)},
		{auc, "fold mean +- SD", at(0.95, 0.95)},
	}
	if l, ok := choose(lines, brier, fromRefits); !ok || l.method != "influence curve, 5 folds x 4" {
		t.Errorf("got %q, %v", l.method, ok)
	}
	if l, ok := choose(lines, oe, fromRefits); ok || l.method != "influence curve, 5 folds x 1" {
		t.Errorf("got %q, %v; nothing holds", l.method, ok)
	}
	if l, ok := choose(lines, auc, fromRefits); ok || l.method != "" {
		t.Errorf("got %q; a spread of folds is never chosen", l.method)
	}
}

// A short run through everything: the bytes do not depend on workers.
func TestWorkersChangeNothing(t *testing.T) {
	var pages [2][]byte
	for i, workers := range []int{1, 3} {
		p := plan{fixed: 4, crossValidated: 2, population: 20_000, seed: 7, workers: workers}
		s, err := simulate(context.Background(), p, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		table, err := s.table()
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(table) {
			t.Error("coverage.json is not JSON")
		}
		pages[i] = append(s.page(), table...)
	}
	if !bytes.Equal(pages[0], pages[1]) {
		t.Error("the page differs between 1 and 3 workers")
	}
	for _, want := range []string{"**simulated**", "Nadeau-Bengio", "never on scores pooled over folds", "mean over training sets"} {
		if !strings.Contains(string(pages[0]), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-only", "nonsense"}, {"-replications", "-1"}} {
		err := run(context.Background(), args, io.Discard, io.Discard)
		if diag.KindOf(err) != diag.Usage {
			t.Errorf("%v: got %v", args, err)
		}
	}
}
