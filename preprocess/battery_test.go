package preprocess_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"dolor/diag"
	"dolor/frame"
	"dolor/preprocess"
	"dolor/preprocess/preprocesstest"
	"dolor/rng"
)

func pmm() *preprocess.ImputeChained {
	s := preprocess.DefaultImputeChained()
	s.Method, s.MaxIter, s.Empty = "pmm", 5, "drop"
	return s
}

func TestLeakBattery(t *testing.T) {
	more := map[string][]preprocess.Step{
		"impute": {
			preprocess.DefaultImpute(),
			&preprocess.Impute{Number: "constant", Value: new(-5.0), Category: "constant", Level: "none", Empty: "constant"},
			&preprocess.Impute{Number: "mode", Category: "none", Empty: "drop"},
		},
		"impute_knn":     {preprocess.DefaultImputeKNN(), &preprocess.ImputeKNN{Neighbors: 3, Weights: "distance", Empty: "drop"}},
		"impute_chained": {preprocess.DefaultImputeChained(), pmm()},
		"one_hot": {
			preprocess.DefaultOneHot(), &preprocess.OneHot{Drop: "none", Unknown: "other", Missing: "zero", MinCount: 20},
			&preprocess.OneHot{Drop: "first", Unknown: "other", Missing: "level", MinCount: 8},
		},
		"variance": {preprocess.DefaultVariance(), &preprocess.Variance{NearZero: true, FreqCut: 2, UniqueCut: 50}},
		"min_max":  {&preprocess.MinMax{Clip: true}},
	}
	for _, k := range preprocess.Steps {
		preprocesstest.Run(t, k, more[k.Name]...)
	}
}

// Known answer: with x2 = 2 x1 + noise, matching must return observed values near the line,
// and its m imputations must differ.
func TestPredictiveMeanMatching(t *testing.T) {
	r := rng.New(3).Rand()
	n := 400
	a, b := make([]float64, n), make([]float64, n)
	observed := map[float64]bool{}
	for i := range a {
		a[i] = r.NormFloat64()
		b[i] = 2*a[i] + 0.3*r.NormFloat64()
		if i%4 == 0 {
			b[i] = math.NaN()
		} else {
			observed[b[i]] = true
		}
	}
	f, err := frame.New(n, frame.NumberColumn(frame.Field{Name: "a"}, a), frame.NumberColumn(frame.Field{Name: "b"}, b))
	if err != nil {
		t.Fatal(err)
	}
	ms, err := preprocess.Multiple(t.Context(), preprocess.Chain{{Name: "impute_chained", Step: pmm()}}, 3, f, nil, rng.New(9))
	if err != nil {
		t.Fatal(err)
	}
	var first []float64
	differ := 0
	for k, m := range ms {
		out, err := m.Apply(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := out.Column("b")
		sse := 0.0
		for i := 0; i < n; i += 4 {
			v := c.Numbers()[i]
			if !observed[v] {
				t.Fatalf("row %d: the imputed value was never observed", i)
			}
			sse += (v - 2*a[i]) * (v - 2*a[i])
			if k > 0 && v != first[i] {
				differ++
			}
		}
		if sd := math.Sqrt(sse / 100); sd < 0.2 || sd > 0.5 {
			t.Errorf("imputation %d: residual sd %.3f, want near 0.3", k, sd)
		}
		if k == 0 {
			first = c.Numbers()
		}
	}
	if differ < 50 {
		t.Errorf("only %d of 200 imputed values differ between imputations", differ)
	}
}

func TestErrorsNameWhatIsWrong(t *testing.T) {
	tests := []struct{ name, step, settings, want string }{
		{"unknown step", "imput", `{}`, `step: no such step; did you mean "impute"?`},
		{"unknown key", "impute", `{"nubmer":"mean"}`, `impute.nubmer: no such setting; did you mean "number"?`},
		{"wrong type", "rcs", `{"knots":"five"}`, `rcs.knots: expected a whole number, got text`},
		{"out of range", "rcs", `{"knots":9}`, `rcs.knots: expected 3 to 7, got 9`},
		{"choice", "one_hot", `{"drop":"frist"}`, `one_hot.drop: expected one of none, first, got 5 letters; did you mean "first"?`},
	}
	for _, tt := range tests {
		_, err := preprocess.Decode(tt.step, []byte(tt.settings))
		if err == nil || err.Error() != tt.want || diag.KindOf(err) != diag.Invalid {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestDefaultChainGivesADenseMatrix(t *testing.T) {
	f := preprocesstest.Frame(200, 4).Without("id")
	c := preprocess.DefaultDense()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = preprocess.DecodeChain(b); err != nil {
		t.Fatal(err)
	}
	fitted, out, err := c.FitApply(t.Context(), f, nil, rng.New(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Matrix(); err != nil {
		t.Error(err)
	}
	if w := fitted.Warnings(); len(w) != 1 || w[0].First != "same" {
		t.Errorf("got warnings %v, want one about the constant column", w)
	}
	if got := strings.Join(out.Schema().Names(), " "); !strings.Contains(got, "crp:missing") || !strings.Contains(got, "site=lung") {
		t.Errorf("got columns %s", got)
	}
}

func TestSpySeesWhatWasFitted(t *testing.T) {
	spy := &preprocesstest.Spy{ID: "id"}
	c := preprocess.Chain{{Name: "impute", Step: preprocess.DefaultImpute()}, {Name: "spy", Step: spy}}
	f := preprocesstest.Frame(30, 1)
	if _, _, err := c.FitApply(t.Context(), f.Take([]int{2, 5}), nil, rng.New(1)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(spy.Fits()); got != "[[p2 p5]]" {
		t.Errorf("got %s, want [[p2 p5]]", got)
	}
}

func FuzzLoadChain(f *testing.F) {
	fr := preprocesstest.Frame(12, 1)
	for _, k := range preprocess.Steps {
		if tr, err := k.New().Fit(f.Context(), fr, nil, rng.New(1)); err == nil {
			b, err := json.Marshal(tr)
			if err != nil {
				f.Fatal(err)
			}
			f.Add([]byte(`[{"step":"` + k.Name + `","state":` + string(b) + `}]`))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := preprocess.LoadChain(b)
		if err != nil {
			return
		}
		_, _, _ = c.ApplyWarn(t.Context(), fr) // must not panic
		_ = c.Warnings()
	})
}

func FuzzDecode(f *testing.F) {
	f.Add("impute", []byte(`{"number":"mean"}`))
	f.Add("rcs", []byte(`{"knots":4}`))
	f.Fuzz(func(_ *testing.T, name string, b []byte) {
		if s, err := preprocess.Decode(name, b); err == nil && s.Validate() != nil {
			panic("decoded settings must be valid")
		}
	})
}

func wide(rows, cols int) *frame.Frame {
	r := rng.New(1).Rand()
	cs := make([]frame.Column, cols)
	base := make([]float64, rows)
	for i := range base {
		base[i] = r.NormFloat64()
	}
	for j := range cs {
		v := make([]float64, rows)
		for i := range v {
			v[i] = base[i] + r.NormFloat64()
			if r.Float64() < 0.1 {
				v[i] = math.NaN()
			}
		}
		cs[j] = frame.NumberColumn(frame.Field{Name: fmt.Sprint("x", j)}, v)
	}
	f, err := frame.New(rows, cs...)
	if err != nil {
		panic(err)
	}
	return f
}

func BenchmarkMedianStandardise10000x100(b *testing.B) {
	bench(b, wide(10000, 100), preprocess.Chain{{Name: "impute", Step: preprocess.DefaultImpute()}, {Name: "standardise", Step: &preprocess.Standardise{}}})
}

func BenchmarkChainedRidge1000x20(b *testing.B) {
	bench(b, wide(1000, 20), preprocess.Chain{{Name: "impute_chained", Step: preprocess.DefaultImputeChained()}})
}

func BenchmarkChainedPMM1000x20(b *testing.B) {
	bench(b, wide(1000, 20), preprocess.Chain{{Name: "impute_chained", Step: pmm()}})
}

func bench(b *testing.B, f *frame.Frame, c preprocess.Chain) {
	b.Helper()
	for b.Loop() {
		if _, _, err := c.FitApply(b.Context(), f, nil, rng.New(1)); err != nil {
			b.Fatal(err)
		}
	}
}
