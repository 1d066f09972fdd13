// Package modeltest is the battery that every model family passes.
//
// Call [Run] from a test of the family with what the family claims in [Options], and
// [FuzzLoad] from a fuzz target. The data are simulated from fixed streams. Predictions are
// compared bit by bit except where Options states a tolerance.
package modeltest

import (
	"context"
	"math"
	"slices"
	"testing"

	"dolor/diag"
	"dolor/frame"
	"dolor/model"
	"dolor/rng"
)

// Options say what a family claims. Zero fields have the meaning stated.
type Options struct {
	Params func() model.Params // hyperparameters to test; nil means the family's defaults
	Rows   int                 // rows of the training data; 0 means 240

	// OrderTol is the largest change of a prediction when the training rows are reordered; 0
	// means the family does not claim that row order is immaterial.
	OrderTol float64
	// WeightTol is the largest difference of a prediction between weight 2 and the row twice; 0
	// means the family does not claim it.
	WeightTol float64
	// ZeroWeightTol is the same for weight 0 and the row left out.
	ZeroWeightTol float64

	HandlesMissing bool // fits and predicts with missing cells; else it must refuse with kind Invalid
	NoWeights      bool // refuses case weights with kind Unsupported
	NeedsTune      bool // wants FitOptions.Tune

	// Score returns the scale on which attributions add up; nil means the log-odds of Predict.
	Score func(ctx context.Context, m model.Model, x *frame.Frame) ([]float64, error)
	// AttributeTol is the largest gap between attributions plus base and the score; 0 means 1e-9.
	AttributeTol float64

	// CancelRows and CancelCols size the data of the cancelling test, which should take longer
	// than a tenth of a second to fit; 0 means 20,000 and 40.
	CancelRows, CancelCols int
}

// battery is one run over one family.
type battery struct {
	fam  model.Family
	o    Options
	data *model.Dataset
	tune *model.Dataset
}

// Run runs the battery on fam as named subtests.
func Run(t *testing.T, fam model.Family, o Options) {
	t.Helper()
	if o.Params == nil {
		o.Params = fam.Default
	}
	if o.Rows == 0 {
		o.Rows = 240
	}
	if o.AttributeTol == 0 {
		o.AttributeTol = 1e-9
	}
	if o.CancelRows == 0 {
		o.CancelRows = 20000
	}
	if o.CancelCols == 0 {
		o.CancelCols = 40
	}
	b := &battery{fam: fam, o: o, data: Data(fam, o.Rows, 6, "train"), tune: Data(fam, 80, 6, "tune")}
	for _, s := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"description", b.description},
		{"workers change nothing", b.workers},
		{"refit equals first fit", b.refit},
		{"subset of predictions", b.subset},
		{"one row equals its row in a batch", b.oneRow},
		{"columns by name", b.byName},
		{"concurrent predictions", b.concurrent},
		{"row order", b.rowOrder},
		{"weight 2 is the row twice", b.weightTwo},
		{"weight 0 is the row left out", b.weightZero},
		{"bad weights", b.badWeights},
		{"saved and loaded", b.saved},
		{"damaged files", b.damaged},
		{"missing values", b.missing},
		{"infinite values", b.infinite},
		{"one class", b.oneClass},
		{"one row", b.oneRowFit},
		{"no rows", b.noRows},
		{"constant column", b.constant},
		{"unseen level", b.unseen},
		{"cancelling", b.cancelling},
		{"attributions", b.attributions},
		{"averaging", b.averaging},
		{"equation", b.equation},
	} {
		t.Run(s.name, s.run)
	}
}

// Data simulates n rows with cols standard normal predictors x1, x2, ..., a category where
// the family reads one, and an outcome that depends on the first three. label names the stream.
func Data(fam model.Family, n, cols int, label string) *model.Dataset {
	r := rng.New(3).Child("modeltest").Child(label).Rand()
	num := make([][]float64, cols)
	for j := range num {
		num[j] = make([]float64, n)
	}
	code := make([]int32, n)
	d := &model.Dataset{Y: make([]bool, n)}
	for i := range n {
		eta := -0.4
		for j := range cols {
			v := r.NormFloat64()
			num[j][i] = v
			if j < 3 {
				eta += v * (0.8 - 0.5*float64(j))
			}
		}
		code[i] = int32(r.IntN(3))
		d.Y[i] = r.Float64() < 1/(1+math.Exp(-eta))
	}
	var columns []frame.Column
	for j, v := range num {
		columns = append(columns, frame.NumberColumn(frame.Field{Name: name(j), Modality: frame.Clinical}, v))
	}
	if slices.Contains(fam.Needs, frame.Category) && !fam.Dense {
		columns = append(columns, frame.CategoryColumn(frame.Field{
			Name: "group", Modality: frame.Clinical,
			Levels: []string{"a", "b", "c"},
		}, code))
	}
	x, err := frame.New(n, columns...)
	if err != nil {
		panic("modeltest: " + err.Error()) // cannot happen: names and lengths are made above
	}
	d.X = x
	return d
}

func name(j int) string { return "x" + string(rune('1'+j%9)) + suffix(j/9) }

func suffix(k int) string {
	if k == 0 {
		return ""
	}
	return string(rune('a'+(k-1)%26)) + suffix((k-1)/26)
}

// fit fits with seed 11 and fails t on an error.
func (b *battery) fit(t *testing.T, d *model.Dataset, workers int) model.Model {
	t.Helper()
	m, err := b.try(t.Context(), d, workers)
	if err != nil {
		t.Fatalf("fit: %v", err)
	}
	return m
}

func (b *battery) try(ctx context.Context, d *model.Dataset, workers int) (model.Model, error) {
	o := &model.FitOptions{Stream: rng.New(11), Workers: workers}
	if b.o.NeedsTune {
		o.Tune = b.tune
	}
	return b.o.Params().Learner().Fit(ctx, d, o)
}

// predict predicts, checks length and range, and fails t on an error.
func predict(t *testing.T, m model.Model, x *frame.Frame) []float64 {
	t.Helper()
	p, err := m.Predict(t.Context(), x, nil)
	if err != nil {
		t.Fatalf("predict: %v", err)
	}
	if len(p) != x.Rows() {
		t.Fatalf("predict: got %d values, want %d", len(p), x.Rows())
	}
	for i, v := range p {
		if !(v >= 0 && v <= 1) {
			t.Fatalf("predict: row %d: got %g, want a number in [0, 1]", i, v)
		}
	}
	return p
}

func bytesOf(t *testing.T, m model.Model) []byte {
	t.Helper()
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	return b
}

// same fails t unless got and want agree bit by bit.
func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	near(t, what, got, want, 0)
}

func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if d := math.Abs(got[i] - want[i]); !(d <= tol) {
			t.Fatalf("%s: row %d: got %.17g, want %.17g (tolerance %g)", what, i, got[i], want[i], tol)
		}
	}
}

// refused fails t unless err is of one of the kinds and says something.
func refused(t *testing.T, what string, err error, kinds ...diag.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: got no error, want kind %v", what, kinds)
	}
	if !slices.Contains(kinds, diag.KindOf(err)) {
		t.Errorf("%s: got kind %v (%v), want %v", what, diag.KindOf(err), err, kinds)
	}
	if err.Error() == "" {
		t.Errorf("%s: the error says nothing", what)
	}
}
