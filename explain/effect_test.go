package explain_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"dolor/diag"
	"dolor/evaluate"
	"dolor/explain"
	"dolor/frame"
	"dolor/internal/glm"
	"dolor/model/gbm"
	"dolor/model/logistic"
	"dolor/rng"
)

type ctx = context.Context

// additive is a known score: 2 age - dose (0 when missing) + by site.
func additive(_ ctx, x *frame.Frame) ([]float64, error) {
	age, _ := x.Column("age")
	dose, _ := x.Column("dose")
	site, _ := x.Column("site")
	p := make([]float64, x.Rows())
	for i := range p {
		eta := 2*age.Numbers()[i] + []float64{0, 1, -1}[site.Codes()[i]]
		if v := dose.Numbers()[i]; v == v {
			eta -= v
		}
		p[i] = glm.Expit(eta)
	}
	return p, nil
}

// TestEffectsOfAnAdditiveScore: for a sum of terms both curves are the term, up to a constant.
func TestEffectsOfAnAdditiveScore(t *testing.T) {
	d := patients(t, 200, "effects")
	o := &explain.EffectOptions{Scale: explain.LogOdds, Replicates: 20, Grid: 9, Stream: rng.New(1)}
	for name, of := range map[string]func(ctx, explain.Predictor, *frame.Frame, string, *explain.EffectOptions) (*explain.Effect, error){
		"partial dependence": explain.PartialDependence, "accumulated": explain.AccumulatedEffects,
	} {
		for predictor, slope := range map[string]float64{"age": 2, "dose": -1} {
			e, err := of(t.Context(), additive, d.X, predictor, o)
			if err != nil {
				t.Fatal(err)
			}
			for k := 1; k < len(e.X); k++ {
				if got := float64(e.Y[k]-e.Y[k-1]) / (e.X[k] - e.X[k-1]); math.Abs(got-slope) > 1e-6 {
					t.Errorf("%s of %s: slope %v, want %v", name, predictor, got, slope)
				}
				if !(e.Lower[k] <= e.Y[k] && e.Y[k] <= e.Upper[k]) {
					t.Errorf("%s of %s: %v outside %v to %v", name, predictor, e.Y[k], e.Lower[k], e.Upper[k])
				}
			}
		}
		e, err := of(t.Context(), additive, d.X, "site", o)
		if err != nil {
			t.Fatal(err)
		}
		at := func(l string) float64 { return float64(e.Y[slices.Index(e.Levels, l)]) }
		if a, b := at("breast")-at("lung"), at("bone")-at("lung"); math.Abs(a-1) > 1e-6 || math.Abs(b+1) > 1e-6 {
			t.Errorf("%s of site: differences %v and %v, want 1 and -1", name, a, b)
		}
	}
}

// TestAccumulatedEffectsDoNotExtrapolate is the example of Apley and Zhu: two predictors that move
// together, and a score that is wild only where no patient is.
func TestAccumulatedEffectsDoNotExtrapolate(t *testing.T) {
	random := rng.New(1).Child("ale").Rand()
	n := 2000
	a, b := make([]float64, n), make([]float64, n)
	for i := range a {
		a[i] = random.Float64()
		b[i] = a[i] + 0.02*random.NormFloat64()
	}
	x, err := frame.New(n, frame.NumberColumn(frame.Field{Name: "a"}, a), frame.NumberColumn(frame.Field{Name: "b"}, b))
	if err != nil {
		t.Fatal(err)
	}
	score := func(_ ctx, x *frame.Frame) ([]float64, error) {
		a, b := x.At(0).Numbers(), x.At(1).Numbers()
		p := make([]float64, x.Rows())
		for i := range p {
			p[i] = 0.2 + 0.3*a[i]
			if math.Abs(a[i]-b[i]) > 0.3 {
				p[i] = 0.99
			}
		}
		return p, nil
	}
	o := &explain.EffectOptions{Replicates: 2}
	ale, err := explain.AccumulatedEffects(t.Context(), score, x, "a", o)
	if err != nil {
		t.Fatal(err)
	}
	pd, err := explain.PartialDependence(t.Context(), score, x, "a", o)
	if err != nil {
		t.Fatal(err)
	}
	last := len(ale.X) - 1
	if got := float64(ale.Y[last] - ale.Y[0]); math.Abs(got-0.3*(ale.X[last]-ale.X[0])) > 1e-9 {
		t.Errorf("accumulated effect over the range: %v, want 0.3 of it", got)
	}
	if pd.Y[0] < 0.5 {
		t.Error("partial dependence was expected to show the part where no patient is")
	}
}

func TestEffectEdges(t *testing.T) {
	d := patients(t, 30, "effects")
	if _, err := explain.PartialDependence(t.Context(), additive, d.X, "agee", nil); diag.KindOf(err) != diag.Missing {
		t.Errorf("unknown predictor: %v", err)
	}
	if _, err := explain.AccumulatedEffects(t.Context(), additive, d.X, "age", &explain.EffectOptions{ICE: true}); diag.KindOf(err) != diag.Unsupported {
		t.Errorf("ICE: %v", err)
	}
	if _, err := explain.AccumulatedEffects(t.Context(), additive, d.X.Take(nil), "age", nil); diag.KindOf(err) != diag.Invalid {
		t.Errorf("no row: %v", err)
	}
	e, err := explain.PartialDependence(t.Context(), additive, d.X, "age", &explain.EffectOptions{ICE: true, Replicates: 2})
	if err != nil || e.ICE.Rows != 30 || e.ICE.Cols != len(e.X) {
		t.Fatalf("ICE [%d, %d]: %v", e.ICE.Rows, e.ICE.Cols, err)
	}
	constant, err := d.X.With(frame.NumberColumn(frame.Field{Name: "age"}, slices.Repeat([]float64{2}, 30)))
	if err != nil {
		t.Fatal(err)
	}
	if e, err := explain.AccumulatedEffects(t.Context(), additive, constant, "age", nil); err != nil || len(e.Y) != 1 || e.Y[0] != 0 {
		t.Errorf("constant predictor: %+v, %v", e, err)
	}
}

// TestPartners: interaction values find the pair that was built in; a linear model has no partner.
func TestPartners(t *testing.T) {
	d := patients(t, 600, "partners")
	trees := fit(t, gbm.Family(), d, 1, "none")
	partner := func(f *evaluate.Fitted, x *frame.Frame) []explain.Partner {
		a, err := explain.Attribute(t.Context(), f, x, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := explain.Partners(t.Context(), f, x, a, "age")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := partner(trees, d.X)
	if len(p) == 0 || p[0].Predictor != "dose" || p[0].Method != explain.InteractionValue || !(p[0].Strength > 0) {
		t.Errorf("trees: %+v", p)
	}
	if p := partner(fit(t, logistic.Family(), d, 1, "none"), d.X); len(p) != 0 {
		t.Errorf("a linear model interacts: %+v", p)
	}
	// Without the trees the same attributions lead to the same predictor, under another name.
	plain := *trees
	plain.Members = []evaluate.Member{{Chain: trees.Members[0].Chain, Model: attributor{mute{trees.Members[0].Model}, trees.Members[0].Model}}}
	if p := partner(&plain, d.X); len(p) == 0 || p[0].Predictor != "dose" || p[0].Method != explain.ResidualAssociation {
		t.Errorf("fallback: %+v", p)
	}
}

// attributor hides that a model is made of trees.
type attributor struct {
	mute
	of any
}

func (a attributor) Attribute(c ctx, x *frame.Frame) (frame.Matrix, []float64, error) {
	return a.of.(interface {
		Attribute(ctx, *frame.Frame) (frame.Matrix, []float64, error)
	}).Attribute(c, x)
}

func TestWaterfall(t *testing.T) {
	d := patients(t, 200, "train")
	f := fit(t, logistic.Family(), d, 1, "logistic")
	a, err := explain.Attribute(t.Context(), f, d.X, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, raw, err := f.Predict(t.Context(), d.X)
	if err != nil {
		t.Fatal(err)
	}
	w, err := a.Waterfall(d.X, 4, "5", p[4])
	if err != nil {
		t.Fatal(err)
	}
	sum := w.Base
	for k, part := range w.Parts {
		sum += part.Phi
		if k > 0 && math.Abs(part.Phi) > math.Abs(w.Parts[k-1].Phi) {
			t.Error("parts are not in falling order")
		}
	}
	if math.Abs(sum-w.Score) > 1e-12 || math.Abs(float64(w.Before)-raw[4]) > 1e-9 || float64(w.Probability) != p[4] {
		t.Errorf("score %v of parts %v, probability %v before and %v after, want %v and %v", w.Score, sum, w.Before, w.Probability, raw[4], p[4])
	}
	if _, err := a.Waterfall(d.X, 200, "201", 0); diag.KindOf(err) != diag.Invalid {
		t.Errorf("row that is not there: %v", err)
	}
}

func TestJoinBackgrounds(t *testing.T) {
	for want, in := range map[string][]string{
		"": nil,
		"the 10 training rows of each fit, path-dependent":      {"the 10 training rows, path-dependent", "the 10 training rows, path-dependent"},
		"the 9 to 11 training rows of each fit, interventional": {"the 10 training rows, interventional", "the 9 training rows, interventional", "the 11 training rows, interventional"},
		"5 rows of a.csv; the 10 training rows":                 {"the 10 training rows", "5 rows of a.csv"},
		"the 10 training rows, a; the 9 training rows, b":       {"the 10 training rows, a", "the 9 training rows, b"},
	} {
		if got := explain.JoinBackgrounds(in, len(in)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func ExampleAbout() {
	a := explain.About{Scale: explain.LogOdds, Calibration: "beta", Background: "the 242 training rows, path-dependent", Averaging: "none, one model"}
	fmt.Println(a)
	// Output: scale: log-odds before recalibration (beta); background: the 242 training rows, path-dependent; averaging: none, one model
}
