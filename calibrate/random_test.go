package calibrate_test

import (
	"context"
	"testing"

	"dolor/calibrate"
	"dolor/internal/golden"
	"dolor/rng"
)

// Weight 2 equals the row twice for every method, and Choose does not depend on anything but
// its arguments.
func TestWeightTwoIsRowTwice(t *testing.T) {
	p, y := simulate(21, 300, -0.3, 0.7)
	r := rng.New(4).Rand()
	w := make([]float64, len(p))
	var p2 []float64
	var y2 []bool
	for i := range p {
		k := 1 + r.IntN(3)
		w[i] = float64(k)
		for range k {
			p2, y2 = append(p2, p[i]), append(y2, y[i])
		}
	}
	for _, m := range calibrate.Methods() {
		a, err := m.Fit(p, y, w)
		if err != nil {
			t.Fatal(err)
		}
		b, err := m.Fit(p2, y2, nil)
		if err != nil {
			t.Fatal(err)
		}
		golden.CloseAll(t, m.Name(), a.Apply(p, nil), b.Apply(p, nil), 1e-8)
	}
	one, err := calibrate.Choose(context.Background(), p, y, w, nil, rng.New(3))
	if err != nil {
		t.Fatal(err)
	}
	two, err := calibrate.Choose(context.Background(), p, y, w, nil, rng.New(3))
	if err != nil {
		t.Fatal(err)
	}
	golden.CloseAll(t, "same choice", one.Map.Apply(p, nil), two.Map.Apply(p, nil), 0)
}

// Scores that rank against the outcome are refused, and a beta map keeps a, b >= 0.
func TestSeparatedAndConstant(t *testing.T) {
	var sep, flat []float64
	var y []bool
	for i := range 100 {
		sep = append(sep, float64(i+1)/102)
		flat = append(flat, 0.3)
		y = append(y, i >= 50)
	}
	for _, name := range []string{"logistic", "beta"} {
		m, err := calibrate.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		for what, p := range map[string][]float64{"separated": sep, "constant": flat} {
			f, err := m.Fit(p, y, nil)
			if err != nil {
				t.Fatal(err)
			}
			if f.Name() != "intercept" || len(calibrate.Warnings(f)) == 0 {
				t.Errorf("%s, %s: got %s; want intercept-only with a warning", name, what, f.Name())
			}
		}
	}
	if _, err := calibrate.ByName("isotonc"); err == nil {
		t.Error("unknown method: expected an error")
	}
	if _, err := calibrate.Methods()[0].Fit([]float64{2}, []bool{true}, nil); err == nil {
		t.Error("probability 2: expected an error")
	}
}
