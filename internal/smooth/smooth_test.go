package smooth_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"dolor/internal/golden"
	"dolor/internal/smooth"
	"dolor/rng"
)

func calibrationCase(t *testing.T, name string) (p, y []float64) {
	t.Helper()
	c := golden.CSV(t, "stats/calibration.csv")
	ps, ys := golden.Numbers(t, c["p"]), golden.Numbers(t, c["y"])
	for i, n := range c["case"] {
		if n == name {
			p, y = append(p, ps[i]), append(y, ys[i])
		}
	}
	return p, y
}

func TestLoessAgainstR(t *testing.T) {
	g := golden.Load(t, "stats/calibration.expected.json")
	for _, name := range []string{"sim", "ties", "small", "rare", "birthwt"} {
		t.Run(name, func(t *testing.T) {
			p, y := calibrationCase(t, name)
			want := g.Get(name, "loess")
			pts := smooth.Collapse(p, y, nil)
			l, err := smooth.NewLoess(pts, 0.75, 2)
			if err != nil {
				t.Fatal(err)
			}
			fit := l.Fitted()
			surf := l.Interpolate(0.2)
			rows := want.Get("row").Floats()
			direct, inter := want.Get("fitted_direct").Floats(), want.Get("fitted_interpolate").Floats()
			for i, r := range rows {
				x := p[int(r)-1]
				golden.Close(t, "direct", smooth.Linear(pts.X, fit, x), direct[i], 1e-10)
				golden.Close(t, "interpolate", surf.Eval(x), inter[i], 1e-10)
				v, _ := l.At(x)
				golden.Close(t, "at", v, direct[i], 1e-10)
			}
		})
	}
}

func TestLowessAgainstR(t *testing.T) {
	g := golden.Load(t, "stats/calibration.expected.json")
	for _, name := range []string{"sim", "ties", "small", "rare", "birthwt"} {
		p, y := calibrationCase(t, name)
		want := g.Get(name, "lowess")
		ord := smooth.Order(p)
		xs, ys := make([]float64, len(p)), make([]float64, len(p))
		for i, r := range ord {
			xs[i], ys[i] = p[r], y[r]
		}
		for key, delta := range map[string]float64{"y_default_delta": -1, "y_delta_0": 0} {
			fit := smooth.Lowess(xs, ys, 2.0/3, 0, delta)
			var dx, dy []float64
			for i := range xs {
				if i == 0 || xs[i] != xs[i-1] {
					dx, dy = append(dx, xs[i]), append(dy, fit[i])
				}
			}
			golden.CloseAll(t, name+" x", dx, want.Get("x").Floats(), 1e-12)
			golden.CloseAll(t, name+" "+key, dy, want.Get(key).Floats(), 1e-8)
		}
	}
}

func TestSplineAgainstHmisc(t *testing.T) {
	g := golden.Load(t, "stats/regression.expected.json")
	c := golden.CSV(t, "stats/rcs-input.csv")
	for _, col := range []string{"x", "u"} {
		var x []float64
		for _, v := range golden.Numbers(t, c[col]) {
			if !math.IsNaN(v) {
				x = append(x, v)
			}
		}
		for k := 3; k <= 7; k++ {
			want := g.Get("rcs", fmt.Sprintf("%s_%d", col, k))
			knots, err := smooth.Knots(x, nil, k)
			if err != nil {
				t.Fatal(err)
			}
			golden.CloseAll(t, "knots", knots, want.Get("knots").Floats(), 1e-12)
			rows := want.Get("basis_every_10th_row")
			dst := make([]float64, k-1)
			for i := range rows.Len() {
				smooth.Basis(x[10*i], knots, dst)
				golden.CloseAll(t, "basis", dst, rows.Get(i).Floats(), 1e-10)
			}
		}
	}
}

// A weight of 2 must equal the row twice, for every curve.
func TestWeightTwoIsRowTwice(t *testing.T) {
	r := rng.New(3).Rand()
	x, y, w := draw(r, 60)
	var x2, y2 []float64
	for i := range x {
		for range int(w[i]) {
			x2, y2 = append(x2, x[i]), append(y2, y[i])
		}
	}
	a, err := smooth.NewLoess(smooth.Collapse(x, y, w), 0.6, 2)
	if err != nil {
		t.Fatal(err)
	}
	b, err := smooth.NewLoess(smooth.Collapse(x2, y2, nil), 0.6, 2)
	if err != nil {
		t.Fatal(err)
	}
	golden.CloseAll(t, "loess", a.Fitted(), b.Fitted(), 1e-12)
	sa, sb := a.Interpolate(0.2), b.Interpolate(0.2)
	golden.CloseAll(t, "vertices", sa.At, sb.At, 1e-12)
	qa, qb := smooth.NewQuantiles(x, w), smooth.NewQuantiles(x2, nil)
	for _, s := range []float64{0, .1, .25, .5, .9, 1} {
		golden.Close(t, "quantile", qa.At(s), qb.At(s), 1e-12)
	}
}

// A polynomial of the fitted degree is reproduced exactly, also outside the data.
func TestLoessReproducesQuadratic(t *testing.T) {
	x, _, w := draw(rng.New(4).Rand(), 50)
	y := make([]float64, len(x))
	f := func(x float64) float64 { return 1 - 2*x + 3*x*x }
	for i := range x {
		y[i] = f(x[i])
	}
	l, err := smooth.NewLoess(smooth.Collapse(x, y, w), 0.5, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []float64{-0.1, 0, 0.2, 0.77, 1.1} {
		v, s := l.At(q)
		golden.Close(t, "value", v, f(q), 1e-9)
		golden.Close(t, "slope", s, -2+6*q, 1e-8)
	}
}

func TestTooFewPointsAreRefused(t *testing.T) {
	if _, err := smooth.NewLoess(smooth.Collapse([]float64{1, 1, 2}, []float64{0, 1, 0}, nil), .75, 2); err == nil {
		t.Error("two distinct points: expected an error")
	}
	if _, err := smooth.Knots(make([]float64, 200), nil, 5); err == nil {
		t.Error("constant values: expected an error")
	}
}

func draw(r *rand.Rand, n int) (x, y, w []float64) {
	for range n {
		v := math.Round(r.Float64()*200) / 200
		x = append(x, v)
		b := 0.0
		if r.Float64() < v {
			b = 1
		}
		y, w = append(y, b), append(w, float64(1+r.IntN(3)))
	}
	return x, y, w
}

func BenchmarkLoessFitted(b *testing.B) {
	for _, n := range []int{640, 5000} {
		b.Run("rows="+map[int]string{640: "640", 5000: "5000"}[n], func(b *testing.B) {
			r := rng.New(1).Rand()
			x, y := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i] = r.Float64()
				y[i] = float64(r.IntN(2))
			}
			pts := smooth.Collapse(x, y, nil)
			for b.Loop() {
				l, _ := smooth.NewLoess(pts, 0.75, 2)
				l.Fitted()
			}
		})
	}
}
