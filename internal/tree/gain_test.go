package tree_test

import (
	"math"
	"testing"

	"dolor/internal/tree"
)

func TestWeightAndGainByHand(t *testing.T) {
	tests := []struct {
		name    string
		p       tree.GrowParams
		g, h    float64
		w, gain float64
	}{
		{"plain", tree.GrowParams{Lambda: 1}, -3, 2, 1, 3},
		{"L1", tree.GrowParams{Lambda: 1, Alpha: 1}, -3, 1, 1, 2},
		{"L1 swallows", tree.GrowParams{Lambda: 1, Alpha: 4}, -3, 1, 0, 0},
		{"limit", tree.GrowParams{Lambda: 1, MaxDeltaStep: 0.5}, -3, 2, 0.5, 3 - 0.75},
		{"no curvature", tree.GrowParams{}, -3, 0, 0, 0},
	}
	for _, tt := range tests {
		if got := tt.p.Weight(tt.g, tt.h); got != tt.w {
			t.Errorf("%s: weight %v, want %v", tt.name, got, tt.w)
		}
		if got := tt.p.Gain(tt.g, tt.h, tree.Unbounded()); got != tt.gain {
			t.Errorf("%s: gain %v, want %v", tt.name, got, tt.gain)
		}
	}
	small := tree.GrowParams{MinChildWeight: 3}
	if got := small.Weight(-3, 2); got != 0 {
		t.Errorf("below min_child_weight: weight %v, want 0", got)
	}
}

func TestMonotoneSplitGain(t *testing.T) {
	p := tree.GrowParams{Lambda: 1, Monotone: []int8{1, -1, 0}}
	b := tree.Unbounded()
	// The left child wants 1, the right -1.
	if got := p.SplitGain(0, -3, 2, 3, 2, b); !math.IsInf(got, -1) {
		t.Errorf("rising: got %v, want -Inf", got)
	}
	for _, feature := range []int{1, 2} {
		if got := p.SplitGain(feature, -3, 2, 3, 2, b); got != 6 {
			t.Errorf("column %d: got %v, want 6", feature, got)
		}
	}
	l, r := b.Split(-1, 1, -1)
	if l.Lower != 0 || r.Upper != 0 || !math.IsInf(l.Upper, 1) || !math.IsInf(r.Lower, -1) {
		t.Errorf("falling bounds: got %v and %v", l, r)
	}
	if got := p.BoundedWeight(-3, 2, r); got != 0 {
		t.Errorf("weight above its bound: got %v, want 0", got)
	}
}
