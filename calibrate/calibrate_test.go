package calibrate_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"dolor/calibrate"
	"dolor/internal/glm"
	"dolor/internal/golden"
	"dolor/rng"
)

func bools(v []float64) []bool {
	out := make([]bool, len(v))
	for i, x := range v {
		out[i] = x == 1
	}
	return out
}

func TestIsotonicAgainstScikitLearn(t *testing.T) {
	g := golden.Load(t, "ml/calibration.expected.json")
	c := golden.CSV(t, "ml/scores.csv")
	s, y, w := golden.Numbers(t, c["score"]), golden.Numbers(t, c["y"]), golden.Numbers(t, c["w"])
	neg := make([]float64, len(s))
	for i, v := range s {
		neg[i] = -v
	}
	for _, tt := range []struct {
		key  string
		x, w []float64
		o    *calibrate.IsotonicOptions
	}{
		{"isotonic", s, nil, nil},
		{"isotonic_weighted", s, w, nil},
		{"isotonic_decreasing_bounded_of_minus_score", neg, nil, &calibrate.IsotonicOptions{Decreasing: true, Bounded: true, Lower: .1, Upper: .9}},
	} {
		f, err := calibrate.FitIsotonic(tt.x, y, tt.w, tt.o)
		if err != nil {
			t.Fatal(err)
		}
		golden.CloseAll(t, tt.key+" x", f.X, g.Get(tt.key, "x_thresholds").Floats(), 1e-9)
		golden.CloseAll(t, tt.key+" y", f.Y, g.Get(tt.key, "y_thresholds").Floats(), 1e-9)
		if g.Get(tt.key).Has("at_scores") {
			golden.CloseAll(t, tt.key+" scores", f.Predict(tt.x, nil), g.Get(tt.key, "at_scores").Floats(), 1e-9)
			golden.CloseAll(t, tt.key+" grid", f.Predict(g.Get("grid").Floats(), nil), g.Get(tt.key, "at_grid").Floats(), 1e-9)
		}
	}
}

func TestPlattAgainstScikitLearn(t *testing.T) {
	g := golden.Load(t, "ml/calibration.expected.json")
	c := golden.CSV(t, "ml/scores.csv")
	s, y, w := golden.Numbers(t, c["score"]), golden.Numbers(t, c["y"]), golden.Numbers(t, c["w"])
	for key, w := range map[string][]float64{"platt": nil, "platt_weighted": w} {
		a, b, err := calibrate.FitPlatt(s, bools(y), w)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, key+" a", a, g.Get(key, "a").Float(), 1e-6)
		golden.Close(t, key+" b", b, g.Get(key, "b").Float(), 1e-6)
		want := g.Get(key, "at_grid").Floats()
		for i, x := range g.Get("grid").Floats() {
			golden.Close(t, key+" grid", glm.Expit(-a*x-b), want[i], 1e-6)
		}
	}
}

// breast returns the first five columns standardised over all rows, and the outcome.
func breast(t *testing.T) (x [][]float64, y []bool) {
	t.Helper()
	c := golden.CSV(t, "ml/breast.csv")
	yv := golden.Numbers(t, c["y"])
	x = make([][]float64, len(yv))
	for _, name := range firstColumns(t, 5) {
		v := golden.Numbers(t, c[name])
		var m, ss float64
		for _, a := range v {
			m += a / float64(len(v))
		}
		for _, a := range v {
			ss += (a - m) * (a - m) / float64(len(v))
		}
		for i, a := range v {
			x[i] = append(x[i], (a-m)/math.Sqrt(ss))
		}
	}
	return x, bools(yv)
}

// ridge is scikit-learn's LogisticRegression with C = 1: half the squared norm of the
// coefficients plus the summed loss, by Newton steps; the intercept is free.
func ridge(t *testing.T, x [][]float64, y []bool, rows []int) []float64 {
	t.Helper()
	k := len(x[0]) + 1
	b := make([]float64, k)
	for range 50 {
		h := make([][]float64, k)
		for i := range h {
			h[i] = make([]float64, k+1)
			if i > 0 {
				h[i][i] = 1
				h[i][k] = -b[i]
			}
		}
		for _, r := range rows {
			row := append([]float64{1}, x[r]...)
			mu := glm.Expit(score(b, x[r]))
			res := -mu
			if y[r] {
				res++
			}
			for i := range k {
				for j := range k {
					h[i][j] += mu * (1 - mu) * row[i] * row[j]
				}
				h[i][k] += res * row[i]
			}
		}
		for i := range k { // Gauss-Jordan; the matrix is positive definite
			p := h[i][i]
			for j := i; j <= k; j++ {
				h[i][j] /= p
			}
			for o := range k {
				if f := h[o][i]; o != i {
					for j := i; j <= k; j++ {
						h[o][j] -= f * h[i][j]
					}
				}
			}
		}
		for i := range k {
			b[i] += h[i][k]
		}
	}
	return b
}

func score(b, x []float64) float64 {
	s := b[0]
	for j, v := range x {
		s += b[j+1] * v
	}
	return s
}

func span(lo, hi int) []int {
	var out []int
	for i := lo; i < hi; i++ {
		out = append(out, i)
	}
	return out
}

func pick(b []float64, x [][]float64, y []bool, rows []int) (s []float64, yy []bool) {
	for _, r := range rows {
		s, yy = append(s, score(b, x[r])), append(yy, y[r])
	}
	return s, yy
}

func TestCalibratedClassifiersAgainstScikitLearn(t *testing.T) {
	g := golden.Load(t, "ml/calibration.expected.json")
	x, y := breast(t)
	test := span(379, len(y))
	for _, key := range []string{"calibrated_prefit_sigmoid", "calibrated_prefit_isotonic"} {
		b := ridge(t, x, y, span(0, 189))
		golden.CloseAll(t, key+" coef", b[1:], g.Get(key, "coef").Floats(), 1e-3)
		b = append([]float64{g.Get(key, "intercept").Float()}, g.Get(key, "coef").Floats()...)
		s, yy := pick(b, x, y, span(189, 379))
		q, _ := pick(b, x, y, test)
		var got []float64
		if key == "calibrated_prefit_sigmoid" {
			a, c, err := calibrate.FitPlatt(s, yy, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range q {
				got = append(got, glm.Expit(-a*v-c))
			}
			golden.CloseAll(t, key, got, g.Get(key, "probability").Floats(), 1e-5)
			continue
		}
		yn := make([]float64, len(yy))
		for i, v := range yy {
			if v {
				yn[i] = 1
			}
		}
		f, err := calibrate.FitIsotonic(s, yn, nil, &calibrate.IsotonicOptions{Bounded: true, Upper: 1})
		if err != nil {
			t.Fatal(err)
		}
		golden.CloseAll(t, key, f.Predict(q, nil), g.Get(key, "probability").Floats(), 1e-9)
	}
	// Unshuffled stratified folds: row r of the sorted outcomes goes to fold r mod 5, which
	// fixes each class's share; classes are then dealt in row order.
	key := "calibrated_cv5_sigmoid_ensemble"
	fold := unshuffled(y[:379], 5)
	mean := make([]float64, len(test))
	for k := range 5 {
		var train, held []int
		for i, f := range fold {
			if f == k {
				held = append(held, i)
			} else {
				train = append(train, i)
			}
		}
		b := ridge(t, x, y, train)
		s, yy := pick(b, x, y, held)
		a, c, err := calibrate.FitPlatt(s, yy, nil)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, fmt.Sprint(key, " a ", k), a, g.Get(key, "a", k).Float(), 1e-4)
		golden.Close(t, fmt.Sprint(key, " b ", k), c, g.Get(key, "b", k).Float(), 1e-4)
		q, _ := pick(b, x, y, test)
		for i, v := range q {
			mean[i] += glm.Expit(-a*v-c) / 5
		}
	}
	golden.CloseAll(t, key, mean, g.Get(key, "probability").Floats(), 1e-4)
}

func unshuffled(y []bool, k int) []int {
	var first, n int
	for _, v := range y {
		if v == y[0] {
			first++
		}
	}
	n = len(y)
	fold := make([]int, n)
	for class := range 2 {
		var queue []int
		lo, hi := 0, first
		if class == 1 {
			lo, hi = first, n
		}
		for f := range k {
			for i := f; i < n; i += k {
				if i >= lo && i < hi {
					queue = append(queue, f)
				}
			}
		}
		for i, v := range y {
			if (v == y[0]) == (class == 0) {
				fold[i], queue = queue[0], queue[1:]
			}
		}
	}
	return fold
}

func simulate(seed uint64, n int, a, b float64) (p []float64, y []bool) {
	r := rng.New(seed).Rand()
	for range n {
		z := r.NormFloat64()*1.3 - 0.5
		p = append(p, glm.Expit(z))
		y = append(y, r.Float64() < glm.Expit(a+b*z))
	}
	return p, y
}

// Every map is non-decreasing, within [0, 1] also at 0 and 1, and survives saving.
func TestMapsAreMonotoneAndSaved(t *testing.T) {
	for _, slope := range []float64{-1, 0.3, 1, 2} {
		p, y := simulate(5, 600, -0.4, slope)
		p[0], p[1] = 0, 1
		var grid []float64
		for i := range 1001 {
			grid = append(grid, float64(i)/1000)
		}
		for _, m := range calibrate.Methods() {
			f, err := m.Fit(p, y, nil)
			if err != nil {
				t.Fatal(err)
			}
			q := f.Apply(grid, nil)
			if !slices.IsSorted(q) || q[0] < 0 || q[1000] > 1 {
				t.Errorf("%s, slope %g: not a non-decreasing map into [0, 1]", m.Name(), slope)
			}
			if slope < 0 && m.Name() == "logistic" && (f.Name() != "intercept" || len(calibrate.Warnings(f)) == 0) {
				t.Error("a negative slope must be refused with a warning")
			}
			b, err := calibrate.Save(f)
			if err != nil {
				t.Fatal(err)
			}
			back, err := calibrate.Load(b)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(back.Apply(grid, nil), q) || back.Name() != f.Name() {
				t.Errorf("%s: saving changed the map", m.Name())
			}
		}
	}
}

func TestTinyDataFallBackWithWarning(t *testing.T) {
	p, y := simulate(6, 12, 0, 1)
	for _, name := range []string{"logistic", "platt", "beta", "isotonic"} {
		m, err := calibrate.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := m.Fit(p, y, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name() != "intercept" || len(calibrate.Warnings(f)) != 1 {
			t.Errorf("%s on 12 rows: got %s with %d warnings, want intercept with 1", name, f.Name(), len(calibrate.Warnings(f)))
		}
		f, err = m.Fit(p, make([]bool, len(p)), nil)
		if err != nil || f.Name() != "none" || len(calibrate.Warnings(f)) != 1 {
			t.Errorf("%s on one class: expected none with a warning", name)
		}
	}
	if _, err := calibrate.Load([]byte(`{"method":"logistic","a":-1,"b":1,"c":0}`)); err == nil {
		t.Error("a decreasing map must not load")
	}
}

func TestChooseFindsTheMiscalibration(t *testing.T) {
	for _, tt := range []struct {
		a, b float64
		not  string
	}{{1.5, 1, "none"}, {0, 0.4, "none"}} {
		p, y := simulate(8, 2000, tt.a, tt.b)
		c, err := calibrate.Choose(context.Background(), p, y, nil, nil, rng.New(2))
		if err != nil {
			t.Fatal(err)
		}
		if c.Map.Name() == tt.not || len(c.Scores) != 5 {
			t.Errorf("a=%g b=%g: chose %s among %d", tt.a, tt.b, c.Map.Name(), len(c.Scores))
		}
	}
}

func ExampleChoose() {
	p := []float64{.1, .2, .3, .4}
	y := []bool{false, false, true, true}
	c, err := calibrate.Choose(context.Background(), p, y, nil, []int{0, 1, 0, 1}, rng.New(1))
	fmt.Println(err == nil, len(c.Scores), c.Map.Name() != "")
	// Output: true 5 true
}
