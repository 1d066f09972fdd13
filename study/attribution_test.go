package study_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/glm"
	"dolor/study"
)

// TestAttributionsFile: each held-out prediction of each family has its line, whose parts add up to the
// log-odds before recalibration; results say what they mean, and derive again from the file alone.
func TestAttributionsFile(t *testing.T) {
	dir, p := prepare(t, everything, 200)
	out := filepath.Join(dir, "a")
	results, err := study.Run(t.Context(), env(), p, out, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := frame.ReadParquet(t.Context(), filepath.Join(out, "attributions.parquet"), nil)
	if err != nil {
		t.Fatal(err)
	}
	table, _, err := frame.ReadParquet(t.Context(), filepath.Join(out, "predictions.parquet"), nil)
	if err != nil {
		t.Fatal(err)
	}
	preds, err := evaluate.PredictionsFrom(table)
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		row, repeat, fold  int
		family, validation string
	}
	want := make(map[key]float64)
	for i, v := range preds.Validation {
		if v != "apparent" {
			want[key{preds.Row[i], preds.Repeat[i], preds.Fold[i], preds.Family[i], v}] = glm.Logit(preds.Uncalibrated[i])
		}
	}
	num := func(name string, i int) float64 { c, _ := a.Column(name); return c.Numbers()[i] }
	text := func(name string, i int) string { c, _ := a.Column(name); s, _ := c.String(i); return s }
	predictors := []string{"x1", "x2", "x3", "x4", "stage"}
	for i := range a.Rows() {
		k := key{int(num("dolor:row", i)), int(num("dolor:repeat", i)), int(num("dolor:fold", i)), text("dolor:family", i), text("dolor:validation", i)}
		score, ok := want[k]
		if !ok {
			t.Fatalf("line %d: no such prediction: %+v", i+1, k)
		}
		delete(want, k)
		sum := num("dolor:base", i)
		for _, name := range predictors {
			sum += num(name, i)
		}
		if math.Abs(sum-score) > 1e-6 {
			t.Fatalf("%+v: parts add up to %v, score %v", k, sum, score)
		}
		if text("dolor:patient", i) == "" {
			t.Fatalf("%+v: no patient", k)
		}
	}
	if len(want) > 0 {
		t.Errorf("%d held-out predictions have no attributions", len(want))
	}
	var seen []string
	for _, s := range results.Attributions {
		seen = append(seen, s.Family+" "+s.Validation)
		if s.Note != "" || s.Scale == "" || s.Background == "" || s.Averaging == "" || s.Calibration == "" || s.Method == "" || len(s.Predictors) != len(predictors) {
			t.Errorf("%s %s: %+v", s.Family, s.Validation, s.About)
		}
		if (s.Swarm != nil) != (s.Family == results.Primary) {
			t.Errorf("%s: dots are for the primary family", s.Family)
		}
	}
	for _, f := range results.Families {
		for _, v := range []string{"internal", "temporal", "external", "site"} {
			if !slices.Contains(seen, f+" "+v) {
				t.Errorf("no attributions of %s under %s among %v", f, v, seen)
			}
		}
	}
	// A folder of a version that kept no attributions is derived again without them.
	if err := os.Remove(filepath.Join(out, "attributions.parquet")); err != nil {
		t.Fatal(err)
	}
	again, err := study.Rederive(t.Context(), env(), out, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range again.Attributions {
		if len(s.Predictors) != 0 || s.Note == "" {
			t.Errorf("%s %s: without the file %d predictors, note %q", s.Family, s.Validation, len(s.Predictors), s.Note)
		}
	}
}
