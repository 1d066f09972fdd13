package assess

import (
	"math"
	"testing"

	"dolor/diag"
)

func TestCrossValidated(t *testing.T) {
	// Two folds, AUC 1 and 0.5: the mean within folds, whatever the scores' level.
	h := []HeldOut{
		{0, 0, true, 0.9},
		{1, 0, false, 0.8},
		{2, 0, true, 0.85},
		{3, 0, false, 0.7},
		{4, 1, true, 0.2},
		{5, 1, false, 0.1},
		{6, 1, false, 0.3},
		{7, 1, true, 0.2},
	}
	v, curve, err := CrossValidated("auc", 0.2, 8, [][]HeldOut{h, h})
	if err != nil || math.Abs(v-0.75) > 1e-12 {
		t.Errorf("got %v, %v; want 0.75", v, err)
	}
	sum := 0.0
	for _, x := range curve {
		sum += x
	}
	if len(curve) != 8 || math.Abs(sum) > 1e-12 {
		t.Errorf("influence %v: expected 8 values that sum to 0", curve)
	}
	if _, curve, err := CrossValidated("calibration_slope", 0.2, 1, [][]HeldOut{h[:1]}); err != nil || curve != nil {
		t.Errorf("one class: got %v, %v; want no curve", curve, err)
	}
	if _, _, err := CrossValidated("f1", 0.2, 8, [][]HeldOut{h}); diag.KindOf(err) != diag.Usage {
		t.Errorf("unknown metric: got %v", err)
	}
}
