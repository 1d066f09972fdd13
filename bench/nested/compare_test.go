package main

import (
	"math"
	"testing"

	"dolor/assess"
	"dolor/rng"
)

// TestAUCIsThatOfAStudy: without weights the value and the variance are those that studies report.
func TestAUCIsThatOfAStudy(t *testing.T) {
	r := rng.New(3).Rand()
	const n = 90
	var x []obs
	var h [][]assess.HeldOut
	y := make([]bool, n)
	for i := range y {
		y[i] = r.Float64() < 0.4
	}
	for repeat := range 2 {
		var one []assess.HeldOut
		for i := range n {
			p := math.Round(20*r.Float64()) / 20 // ties
			f := (i + repeat) % 3
			x = append(x, obs{i, 1000*repeat + f, y[i], 1, p})
			one = append(one, assess.HeldOut{Row: i, Fold: f, Y: y[i], P: p})
		}
		h = append(h, one)
	}
	want, curve, err := assess.CrossValidated("auc", 0, n, h)
	if err != nil {
		t.Fatal(err)
	}
	got, ic := foldAUC(x)
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("got AUC %v, want %v", got, want)
	}
	sum := make([]float64, n)
	for i, o := range x {
		sum[o.row] += ic[i]
	}
	var a, b float64
	for i := range sum {
		a, b = a+sum[i]*sum[i], b+curve[i]*curve[i]
	}
	if math.Abs(a-b) > 0.05*b {
		t.Errorf("got variance %v, want near %v", a, b)
	}
}

// TestWeightTwoIsTheRowTwice holds for both statistics.
func TestWeightTwoIsTheRowTwice(t *testing.T) {
	a := []obs{{0, 0, true, 2, 0.7}, {1, 0, false, 1, 0.7}, {2, 0, false, 1, 0.2}, {3, 0, true, 1, 0.1}, {4, 0, true, 0, 0.9}}
	b := []obs{{0, 0, true, 1, 0.7}, {0, 0, true, 1, 0.7}, {1, 0, false, 1, 0.7}, {2, 0, false, 1, 0.2}, {3, 0, true, 1, 0.1}}
	for name, f := range map[string]statistic{"auc": foldAUC, "log loss": meanLoss} {
		va, _ := f(a)
		vb, _ := f(b)
		if math.Abs(va-vb) > 1e-15 {
			t.Errorf("%s: got %v, want %v", name, va, vb)
		}
	}
}
