package explain_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"dolor/diag"
	"dolor/evaluate"
	"dolor/explain"
	"dolor/frame"
	"dolor/internal/glm"
	"dolor/model"
	"dolor/model/elasticnet"
	"dolor/model/forest"
	"dolor/model/gbm"
	"dolor/model/logistic"
	"dolor/preprocess"
	"dolor/rng"
)

// patients simulates n rows: two numbers (one with gaps), an unordered and an ordered category, and a
// number without effect. The first two numbers interact.
func patients(t testing.TB, n int, label string) *evaluate.Data {
	t.Helper()
	random := rng.New(7).Child(label).Rand()
	age, dose, noise := make([]float64, n), make([]float64, n), make([]float64, n)
	site, grade := make([]int32, n), make([]int32, n)
	y := make([]bool, n)
	for i := range n {
		age[i], dose[i], noise[i] = random.NormFloat64(), random.NormFloat64(), random.NormFloat64()
		site[i], grade[i] = int32(random.IntN(3)), int32(random.IntN(4))
		eta := 1.2*age[i] - 0.8*dose[i] + 0.9*age[i]*dose[i] + []float64{0, 1, -1}[site[i]] + 0.3*float64(grade[i]) - 0.4
		y[i] = random.Float64() < glm.Expit(eta)
		if random.IntN(10) == 0 {
			dose[i] = math.NaN()
		}
	}
	x, err := frame.New(n,
		frame.NumberColumn(frame.Field{Name: "age", Modality: frame.Clinical, Unit: "a"}, age),
		frame.NumberColumn(frame.Field{Name: "dose", Modality: frame.Opioid}, dose),
		frame.CategoryColumn(frame.Field{Name: "site", Levels: []string{"lung", "breast", "bone"}}, site),
		frame.CategoryColumn(frame.Field{Name: "grade", Ordered: true, Levels: []string{"1", "2", "3", "4"}}, grade),
		frame.NumberColumn(frame.Field{Name: "noise"}, noise),
	)
	if err != nil {
		t.Fatal(err)
	}
	return &evaluate.Data{X: x, Outcome: evaluate.Outcome{Y: y}}
}

func steps() preprocess.Chain {
	impute, spline := preprocess.DefaultImpute(), preprocess.DefaultRCS()
	spline.Columns = []string{"age"}
	return preprocess.Chain{
		{Name: "impute", Step: impute}, {Name: "rcs", Step: spline}, {Name: "one_hot", Step: preprocess.DefaultOneHot()},
	}
}

func fit(t testing.TB, f model.Family, d *evaluate.Data, imputations int, calibration string) *evaluate.Fitted {
	t.Helper()
	r := evaluate.Recipe{Family: f, Params: f.Default(), Imputations: imputations, Calibration: calibration}
	if f.Dense {
		r.Steps = steps()
	}
	switch p := r.Params.(type) {
	case *gbm.Params:
		p.NEstimators, p.MaxDepth = 30, 3
	case *forest.Params:
		p.NEstimators = 30
	}
	fitted, _, err := r.Fit(t.Context(), d, 3, "test", rng.New(1))
	if err != nil {
		t.Fatal(err)
	}
	return fitted
}

func families() []model.Family {
	return []model.Family{logistic.Family(), elasticnet.Family(), gbm.Family(), forest.Family()}
}

// TestAttributionsAddUp: base plus attributions is the score of every family, by column and by
// predictor, also when members are averaged and a recalibration follows.
func TestAttributionsAddUp(t *testing.T) {
	d, held := patients(t, 300, "train"), patients(t, 90, "held")
	for _, f := range families() {
		for _, members := range []int{1, 3} {
			fitted := fit(t, f, d, members, "logistic")
			a, err := explain.Attribute(t.Context(), fitted, held.X, nil)
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			_, raw, err := fitted.Predict(t.Context(), held.X)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(a.Phi.Names, held.X.Schema().Names()) {
				t.Errorf("%s: predictors %v", f.Name, a.Phi.Names)
			}
			for i, p := range raw {
				sum, columns := a.Base[i], a.Base[i]
				for _, v := range a.Phi.Row(i) {
					sum += v
				}
				for _, v := range a.Columns.Row(i) {
					columns += v
				}
				want := glm.Logit(p)
				if f.Name == "forest" { // the mean of the members' probabilities
					want = a.Score[i]
					if members == 1 && p != want {
						t.Fatalf("forest, row %d: score %v, probability %v", i, want, p)
					}
				}
				if math.Abs(sum-want) > 1e-6 || math.Abs(columns-want) > 1e-6 {
					t.Fatalf("%s, %d members, row %d: parts add up to %v and %v, score %v", f.Name, members, i, sum, columns, want)
				}
			}
			if scale := map[bool]string{true: explain.Probability, false: explain.LogOdds}[f.Name == "forest"]; a.Scale != scale || a.Calibration != "logistic" || a.Background == "" || a.Averaging == "" || a.Gap > 1e-6 {
				t.Errorf("%s: %+v", f.Name, a.About)
			}
		}
	}
}

func TestColumnsGoToTheirPredictor(t *testing.T) {
	d := patients(t, 300, "train")
	a, err := explain.Attribute(t.Context(), fit(t, logistic.Family(), d, 1, "none"), d.X, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"age'": "age", "site=lung": "site", "dose:missing": "dose", "noise": "noise"}
	for name, parent := range want {
		k := slices.Index(a.Columns.Names, name)
		if k < 0 || a.Parent[k] != parent {
			t.Errorf("%s: not a column of %s among %v", name, parent, a.Columns.Names)
		}
	}
}

// shapley is the definition, by all coalitions against every background row.
func shapley(t *testing.T, f *evaluate.Fitted, x, background *frame.Frame, row int) ([]float64, float64) {
	t.Helper()
	n := x.Cols()
	value := make([]float64, 1<<n)
	for s := range value {
		var cols []frame.Column
		for j := range n {
			rows := make([]int, background.Rows())
			for i := range rows {
				rows[i] = row
			}
			if s>>j&1 == 1 {
				cols = append(cols, x.At(j).Take(rows))
			} else {
				cols = append(cols, background.At(j))
			}
		}
		mixed, err := frame.New(background.Rows(), cols...)
		if err != nil {
			t.Fatal(err)
		}
		_, p, err := f.Predict(t.Context(), mixed)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range p {
			if f.Family.Name != "forest" {
				v = glm.Logit(v)
			}
			value[s] += v / float64(len(p))
		}
	}
	factorial := []float64{1, 1, 2, 6, 24, 120}
	phi := make([]float64, n)
	for j := range n {
		for s := range value {
			if s>>j&1 == 1 {
				continue
			}
			k := 0
			for b := s; b > 0; b &= b - 1 {
				k++
			}
			phi[j] += factorial[k] * factorial[n-k-1] / factorial[n] * (value[s|1<<j] - value[s])
		}
	}
	return phi, value[0]
}

// TestBackgroundIsTheDefinition: against given rows, linear models and trees give the Shapley value
// of the mean score over those rows.
func TestBackgroundIsTheDefinition(t *testing.T) {
	d := patients(t, 200, "train")
	for _, f := range families() {
		background := d.X.Take([]int{3, 5, 8, 13, 21, 34})
		fitted := fit(t, f, d, 1, "none")
		x := d.X.Take([]int{0, 50, 100})
		a, err := explain.Attribute(t.Context(), fitted, x, &explain.Options{Mode: explain.Interventional, Background: background, BackgroundName: "b.csv"})
		if err != nil {
			t.Fatal(err)
		}
		if a.Background != "6 rows of b.csv, interventional" {
			t.Errorf("%s: background %q", f.Name, a.Background)
		}
		for i := range x.Rows() {
			phi, base := shapley(t, fitted, x, background, i)
			for j, want := range phi {
				if got := a.Phi.Row(i)[j]; math.Abs(got-want) > 2e-6 {
					t.Errorf("%s row %d %s: got %v, want %v", f.Name, i, a.Phi.Names[j], got, want)
				}
			}
			if math.Abs(a.Base[i]-base) > 2e-6 {
				t.Errorf("%s row %d: base %v, want %v", f.Name, i, a.Base[i], base)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	d := patients(t, 200, "train")
	lin, trees := fit(t, logistic.Family(), d, 1, "none"), fit(t, gbm.Family(), d, 1, "none")
	silent := *lin
	silent.Members = []evaluate.Member{{Chain: lin.Members[0].Chain, Model: mute{lin.Members[0].Model}}}
	wrong := *lin
	wrong.Members = []evaluate.Member{{Chain: lin.Members[0].Chain, Model: off{lin.Members[0].Model}}}
	for _, c := range []struct {
		name string
		f    *evaluate.Fitted
		o    *explain.Options
		kind diag.Kind
	}{
		{"unknown mode", lin, &explain.Options{Mode: "kernel"}, diag.Invalid},
		{"path of a linear model", lin, &explain.Options{Mode: explain.Path}, diag.Unsupported},
		{"trees without background", trees, &explain.Options{Mode: explain.Interventional}, diag.Missing},
		{"no attributions", &silent, nil, diag.Unsupported},
		{"parts that do not add up", &wrong, nil, diag.Internal},
		{"empty background", lin, &explain.Options{Background: d.X.Take(nil)}, diag.Invalid},
		{"no member", &evaluate.Fitted{}, nil, diag.Invalid},
	} {
		if _, err := explain.Attribute(t.Context(), c.f, d.X, c.o); diag.KindOf(err) != c.kind {
			t.Errorf("%s: got %v of kind %v, want %v", c.name, err, diag.KindOf(err), c.kind)
		}
	}
	if explain.Attributable(&silent) || !explain.Attributable(lin) || !explain.Attributable(trees) {
		t.Error("Attributable disagrees with Attribute")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := explain.Attribute(ctx, trees, d.X, nil); diag.KindOf(err) != diag.Canceled {
		t.Errorf("cancelled: got %v", err)
	}
}

// mute predicts and gives nothing else.
type mute struct{ m model.Model }

func (m mute) Predict(ctx context.Context, x *frame.Frame, dst []float64) ([]float64, error) {
	return m.m.Predict(ctx, x, dst)
}
func (m mute) AppendBinary(b []byte) ([]byte, error) { return m.m.AppendBinary(b) }

// off is an Attributor that misses the score by 1e-5.
type off struct{ model.Model }

func (m off) Attribute(ctx context.Context, x *frame.Frame) (frame.Matrix, []float64, error) {
	phi, base, err := m.Model.(model.Attributor).Attribute(ctx, x)
	for i := range base {
		base[i] += 1e-5
	}
	return phi, base, err
}

// ensemble shows the trees and hides that the model attributes.
type ensemble struct {
	mute
	model.TreeEnsemble
}

// TestTreesWithoutAttributor: the trees alone lead to the model's own attributions, and a background
// does not change what the mode path means.
func TestTreesWithoutAttributor(t *testing.T) {
	d := patients(t, 200, "train")
	for _, f := range families()[2:] {
		fitted := fit(t, f, d, 1, "none")
		own, err := explain.Attribute(t.Context(), fitted, d.X, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := fitted.Members[0]
		plain := *fitted
		plain.Members = []evaluate.Member{{Chain: m.Chain, Model: ensemble{mute{m.Model}, m.Model.(model.TreeEnsemble)}}}
		for name, o := range map[string]*explain.Options{"default": nil, "path": {Mode: explain.Path, Background: d.X.Take([]int{1, 2})}} {
			got, err := explain.Attribute(t.Context(), &plain, d.X, o)
			if err != nil {
				t.Fatal(err)
			}
			if got.Background != "the 200 training rows, path-dependent" || got.Scale != own.Scale {
				t.Errorf("%s, %s: %s", f.Name, name, got.About)
			}
			for k, v := range got.Phi.Data {
				if math.Abs(v-own.Phi.Data[k]) > 1e-9 {
					t.Fatalf("%s, %s: attribution %d is %v, the model says %v", f.Name, name, k, v, own.Phi.Data[k])
				}
			}
		}
	}
}
