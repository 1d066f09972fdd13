package explain_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dolor/diag"
	"dolor/explain"
	"dolor/frame"
	"dolor/internal/hypo"
	"dolor/metric"
	"dolor/model/logistic"
	"dolor/rng"
)

// equateNum takes two undefined numbers as equal.
var equateNum = cmp.Comparer(func(a, b explain.Num) bool { return a == b || a != a && b != b })

// table is attributions of a known additive score: two rows a patient, three fits.
func table(t testing.TB, n int) *explain.Table {
	t.Helper()
	d := patients(t, n, "summary")
	random := rng.New(11).Child("summary").Rand()
	out := &explain.Table{Phi: frame.NewMatrix(n, 3), X: d.X, TestShare: 0.5}
	out.Phi.Names = []string{"age", "site", "dose"}
	out.About = explain.About{Scale: explain.LogOdds, Calibration: "none", Background: "b", Averaging: "a"}
	age, _ := d.X.Column("age")
	site, _ := d.X.Column("site")
	dose, _ := d.X.Column("dose")
	for i := range n {
		slope := -1 + 0.1*float64(i%3)
		row := out.Phi.Row(i)
		row[0], row[1] = slope*age.Numbers()[i], []float64{0.2, -0.1, -0.1}[site.Codes()[i]]
		if v := dose.Numbers()[i]; v == v {
			row[2] = 0.01*v + 0.001*random.NormFloat64()
		}
		out.Base = append(out.Base, float64(i%3))
		out.Fold = append(out.Fold, i%3)
		out.Patient = append(out.Patient, string(rune('a'+i/2%26))+string(rune('a'+i/52)))
	}
	return out
}

func TestSummary(t *testing.T) {
	s, err := explain.Summarise(t.Context(), table(t, 300), &explain.SummaryOptions{Stream: rng.New(3), Replicates: 200})
	if err != nil {
		t.Fatal(err)
	}
	if s.N != 300 || s.Patients != 150 || s.Fits != 3 || s.Base != 1 || s.BaseLower != 0 || s.BaseUpper != 2 {
		t.Errorf("got %d rows, %d patients, %d fits, base %v from %v to %v", s.N, s.Patients, s.Fits, s.Base, s.BaseLower, s.BaseUpper)
	}
	age, site, dose := s.Predictors[0], s.Predictors[1], s.Predictors[2]
	if age.Predictor != "age" || site.Predictor != "site" || dose.Predictor != "dose" {
		t.Fatalf("order %s, %s, %s", age.Predictor, site.Predictor, dose.Predictor)
	}
	for _, m := range s.Predictors {
		if !(m.Lower < m.MeanAbs && m.MeanAbs < m.Upper) || !(m.FoldLower <= m.MeanAbs && m.MeanAbs <= m.FoldUpper) {
			t.Errorf("%s: %v not within %v to %v and %v to %v", m.Predictor, m.MeanAbs, m.Lower, m.Upper, m.FoldLower, m.FoldUpper)
		}
	}
	if age.Unit != "a" || age.Word() != "lowers" || !(age.DirectionUpper < -0.9) || age.RankLower != 1 || age.RankUpper != 1 {
		t.Errorf("age: %+v", age)
	}
	// No order, so no correlation, but a mean for each level.
	if site.Word() != "by level" || !math.IsNaN(float64(site.Direction)) || len(site.Levels) != 3 || math.Abs(float64(site.Levels[0].Mean)-0.2) > 1e-12 {
		t.Errorf("site: %+v", site)
	}
	if dose.Word() != "raises" || len(dose.Levels) != 1 || dose.Levels[0].Level != explain.Missing || dose.Levels[0].Mean != 0 {
		t.Errorf("dose: %+v", dose)
	}
	if w := float64(s.Stability.KendallW); math.Abs(w-1) > 1e-12 || s.Stability.FoldOverlap != 1 || s.Stability.Top != 1 {
		t.Errorf("fits with one order: %+v", s.Stability)
	}
}

func TestSummaryDoesNotDependOnWorkers(t *testing.T) {
	var first []byte
	for _, workers := range []int{1, 2, 5} {
		s, err := explain.Summarise(t.Context(), table(t, 120), &explain.SummaryOptions{Stream: rng.New(3), Replicates: 50, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if string(b) != string(first) {
			t.Errorf("%d workers: another summary", workers)
		}
		var back explain.Summary
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(back); err != nil || string(again) != string(b) {
			t.Errorf("JSON changes it (%v)", err)
		}
	}
}

func TestDirectionIsSpearman(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(5, 40).Draw(t, "n")
		x := rapid.SliceOfN(rapid.Map(rapid.IntRange(-4, 4), func(v int) float64 { return float64(v) }), n, n).Draw(t, "x")
		phi := rapid.SliceOfN(rapid.Map(rapid.IntRange(-3, 3), func(v int) float64 { return float64(v) }), n, n).Draw(t, "phi")
		f, err := frame.New(n, frame.NumberColumn(frame.Field{Name: "x"}, x))
		if err != nil {
			t.Fatal(err)
		}
		in := &explain.Table{Phi: frame.Matrix{Rows: n, Cols: 1, Data: phi, Names: []string{"x"}}, Base: make([]float64, n), X: f}
		s, err := explain.Summarise(t.Context(), in, &explain.SummaryOptions{Replicates: 2})
		if err != nil {
			t.Fatal(err)
		}
		want, got := hypo.Spearman(x, phi).R, float64(s.Predictors[0].Direction)
		if math.IsNaN(want) != math.IsNaN(got) || math.Abs(want-got) > 1e-12 {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// TestPermutingColumnsPermutesAttributions: the order in which predictors come changes nothing else.
func TestPermutingColumnsPermutesAttributions(t *testing.T) {
	in := table(t, 60)
	want, err := explain.Summarise(t.Context(), in, &explain.SummaryOptions{Replicates: 30})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		perm := rapid.Permutation([]int{0, 1, 2}).Draw(t, "perm")
		out := *in
		out.Phi = frame.NewMatrix(in.Phi.Rows, 3)
		out.Phi.Names = make([]string, 3)
		for k, j := range perm {
			out.Phi.Names[k] = in.Phi.Names[j]
			for i := range in.Phi.Rows {
				out.Phi.Row(i)[k] = in.Phi.Row(i)[j]
			}
		}
		got, err := explain.Summarise(t.Context(), &out, &explain.SummaryOptions{Replicates: 30})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, equateNum); d != "" {
			t.Error(d)
		}
	})
}

func TestSummaryRefusals(t *testing.T) {
	good := table(t, 12)
	for name, change := range map[string]func(*explain.Table){
		"no row":       func(t *explain.Table) { t.Phi = frame.NewMatrix(0, 3) },
		"short base":   func(t *explain.Table) { t.Base = t.Base[1:] },
		"not a number": func(t *explain.Table) { t.Phi.Data = slices.Clone(t.Phi.Data); t.Phi.Data[4] = math.NaN() },
		"other rows":   func(t *explain.Table) { t.X = t.X.Take([]int{0}) },
		"short fold":   func(t *explain.Table) { t.Fold = t.Fold[1:] },
	} {
		bad := *good
		change(&bad)
		if _, err := explain.Summarise(t.Context(), &bad, nil); diag.KindOf(err) != diag.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	one := *good
	one.Phi = frame.Matrix{Rows: 1, Cols: 3, Data: good.Phi.Data[:3], Names: good.Phi.Names}
	one.Base, one.X, one.Fold, one.Patient = good.Base[:1], good.X.Take([]int{0}), []int{0}, []string{""}
	if s, err := explain.Summarise(t.Context(), &one, nil); err != nil || s.N != 1 || s.Predictors[0].Word() == "raises" {
		t.Errorf("one row: %+v, %v", s, err)
	}
}

func TestSwarmCountsEveryRow(t *testing.T) {
	in := table(t, 120)
	s, err := explain.Summarise(t.Context(), in, &explain.SummaryOptions{Replicates: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Swarm.Rows {
		n := 0
		for _, d := range r.Dots {
			n += d[2]
		}
		if n != 120 {
			t.Errorf("%s: %d dots, want 120", r.Predictor, n)
		}
	}
}

func TestPermutationImportance(t *testing.T) {
	d, held := patients(t, 300, "train"), patients(t, 200, "held")
	f := fit(t, logistic.Family(), d, 1, "none")
	predict := func(ctx ctx, x *frame.Frame) ([]float64, error) { p, _, err := f.Predict(ctx, x); return p, err }
	rows := &explain.Judged{X: held.X, Y: held.Y}
	var want *explain.PermutationImportance
	for _, workers := range []int{1, 3} {
		r, err := explain.Permutation(t.Context(), predict, rows, &explain.PermutationOptions{Repeats: 5, Replicates: 100, Stream: rng.New(2), Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = r
		} else if diff := cmp.Diff(want, r, equateNum); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
	}
	p, _ := predict(t.Context(), held.X)
	auc, err := metric.AUC(metric.Data{Y: held.Y, P: p}, 0.95)
	if err != nil || math.Abs(auc.Value-float64(want.AUC)) > 1e-12 {
		t.Errorf("AUC %v, want %v (%v)", want.AUC, auc.Value, err)
	}
	loss, err := metric.LogLoss(metric.Data{Y: held.Y, P: p}, 0.95)
	if err != nil || math.Abs(loss.Value-float64(want.LogLoss)) > 1e-12 {
		t.Errorf("log loss %v, want %v (%v)", want.LogLoss, loss.Value, err)
	}
	if want.Predictors[0].Predictor != "age" || !(want.Predictors[0].LogLossLower > 0) || !(want.Predictors[0].AUCLower > 0) {
		t.Errorf("age must matter most: %+v", want.Predictors[0])
	}
	for _, m := range want.Predictors {
		if m.Predictor == "noise" && !(m.LogLossLower < 0.01) {
			t.Errorf("noise matters: %+v", m)
		}
	}
	// The columns of one parent move together: a category and its encoding lose the same.
	c, err := f.Members[0].Chain.Apply(t.Context(), held.X)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := explain.Permutation(t.Context(), func(ctx ctx, x *frame.Frame) ([]float64, error) { return f.Members[0].Model.Predict(ctx, x, nil) },
		&explain.Judged{X: c, Y: held.Y}, &explain.PermutationOptions{Repeats: 1, Replicates: 2})
	if err != nil || len(encoded.Predictors) != 5 {
		t.Errorf("got %d groups, want one a predictor (%v)", len(encoded.Predictors), err)
	}
	one, err := explain.Permutation(t.Context(), predict, &explain.Judged{X: held.X, Y: make([]bool, 200)}, &explain.PermutationOptions{Repeats: 1, Replicates: 5})
	if err != nil || !math.IsNaN(float64(one.AUC)) || math.IsNaN(float64(one.LogLoss)) {
		t.Errorf("one class: AUC %v, log loss %v (%v)", one.AUC, one.LogLoss, err)
	}
}

func BenchmarkSummarise(b *testing.B) {
	in := table(b, 3000)
	for b.Loop() {
		if _, err := explain.Summarise(b.Context(), in, &explain.SummaryOptions{Stream: rng.New(1), Workers: 1}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(in.Phi.Rows*in.Phi.Cols*500)*float64(b.N)/b.Elapsed().Seconds(), "cells/s")
}
