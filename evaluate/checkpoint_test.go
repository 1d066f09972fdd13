package evaluate_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dolor/evaluate"
)

// TestTrialKeepsUndefinedScores: a fold without a score is null in JSON and NaN again after,
// and the settings keep the order they were written in.
func TestTrialKeepsUndefinedScores(t *testing.T) {
	want := evaluate.Trial{
		Task: "final-x", Family: "x", Trial: 2, Params: json.RawMessage(`{"z":1,"a":2}`), Metric: "auc",
		Value: math.NaN(), Folds: []float64{0.5, math.NaN(), 0.25}, Chosen: true,
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got evaluate.Trial
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateNaNs()); d != "" {
		t.Errorf("%s\n%s", b, d)
	}
	again, err := json.Marshal(got)
	if err != nil || string(again) != string(b) {
		t.Errorf("got %s, want %s (%v)", again, b, err)
	}
}
