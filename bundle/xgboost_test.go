package bundle_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dolor/bundle"
	"dolor/calibrate"
	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/golden"
	"dolor/internal/xgbfile"
	"dolor/model"
	"dolor/preprocess"
	"dolor/rng"
)

const fixtures = "../internal/xgbfile/testdata/"

func gbmFamily(t testing.TB) model.Family {
	t.Helper()
	f, ok := family("gbm")
	if !ok {
		t.Fatal("gbm is not compiled in")
	}
	return f
}

func importFile(t testing.TB, path string, o *bundle.ImportOptions) *bundle.Bundle {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Import(t.Context(), content, gbmFamily(t), "1", o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestImportGolden: a bundle of every reference booster, read back from its bytes, predicts
// XGBoost's probabilities.
func TestImportGolden(t *testing.T) {
	for _, file := range []string{"exact.model.json", "hist.model.json", "exact-missing.model.json", "exact-missing.model.ubj", "hist-breast.model.json"} {
		t.Run(file, func(t *testing.T) {
			name, _, _ := strings.Cut(file, ".")
			want := golden.Load(t, "ml/xgb-"+name+".expected.json")
			made := importFile(t, golden.Path(t, "ml/xgb-"+file), nil)
			b, err := bundle.Decode(t.Context(), encode(t, made), family)
			if err != nil {
				t.Fatal(err)
			}
			if !b.Imported() || b.Fitted.N != 0 {
				t.Errorf("got %d rows and origin %q, want an imported model of unknown rows", b.Fitted.N, b.Origin())
			}
			cols := golden.CSV(t, "ml/"+want.Get("data").Text())
			var columns []frame.Column
			for _, f := range b.Fitted.Schema {
				columns = append(columns, frame.NumberColumn(f, golden.Numbers(t, cols[f.Name])))
			}
			x, err := frame.New(len(cols["y"]), columns...)
			if err != nil {
				t.Fatal(err)
			}
			got, _, _, err := b.Predict(t.Context(), x)
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range want.Get("probability_float32").Floats() {
				if !(math.Abs(got[i]-p) <= 1e-6) {
					t.Fatalf("row %d: got %v, want %v", i, got[i], p)
				}
			}
		})
	}
}

func codes(b *bundle.Bundle) []string {
	var out []string
	for _, w := range b.Fitted.Warnings {
		out = append(out, w.Code)
	}
	return out
}

func TestImportSaysWhatIsUnknown(t *testing.T) {
	b := importFile(t, fixtures+"17-plain.json", &bundle.ImportOptions{Name: "m", Outcome: "death", Decision: 0.1})
	if got, want := strings.Join(codes(b), " "), "imported unnamed"; got != want {
		t.Errorf("got warnings %s, want %s", got, want)
	}
	if b.Card.Study != "m" || b.Card.Outcome != "death" || b.Card.Decision != 0.1 || !strings.Contains(b.Card.Limitations, "XGBoost 1.7.6") {
		t.Errorf("got card %+v", b.Card)
	}
	b = importFile(t, fixtures+"17-gbtree.json", nil)
	if got, want := strings.Join(codes(b), " "), "imported levels_unknown"; got != want {
		t.Errorf("got warnings %s, want %s", got, want)
	}
	if got := b.Fitted.Schema[2]; got.Kind != frame.Category || len(got.Levels) != 64 || got.Levels[63] != "63" {
		t.Errorf("got field %+v, want the codes as levels", got)
	}
	if out, _, err := b.Export(nil); err != nil || strings.Contains(string(out), `"cats"`) {
		t.Errorf("exported codes as names, or not at all: %v", err)
	}
	b = importFile(t, fixtures+"names.json", nil)
	if got := strings.Join(b.Fitted.Schema[1].Levels, "|"); got != "u|v|w e" {
		t.Errorf("got levels %s, want those of the file", got)
	}
	levels := map[string][]string{"c": {"I", "II", "III"}, "d": make([]string, 70)}
	for k := range levels["d"] {
		levels["d"][k] = "site " + string(rune('A'+k%26)) + string(rune('A'+k/26))
	}
	b = importFile(t, fixtures+"17-gbtree.json", &bundle.ImportOptions{Levels: levels})
	if got := strings.Join(b.Fitted.Schema[2].Levels, " "); got != "I II III" {
		t.Errorf("got levels %s, want those given", got)
	}
	b = importFile(t, fixtures+"32-plain.json", &bundle.ImportOptions{Columns: []string{"v", "w", "x", "y", "z"}, Rounds: 2})
	if got := strings.Join(b.Fitted.Schema.Names(), " "); got != "v w x y z" {
		t.Errorf("got columns %s, want those given", got)
	}
	trees, ok := b.Fitted.Members[0].Model.(model.TreeEnsemble)
	if !ok || len(trees.Trees().Trees) != 2 {
		t.Errorf("got another number of trees than the two rounds asked for")
	}
}

func TestImportRefuses(t *testing.T) {
	plain, err := os.ReadFile(fixtures + "17-plain.json")
	if err != nil {
		t.Fatal(err)
	}
	named, err := os.ReadFile(fixtures + "17-gbtree.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		o    bundle.ImportOptions
		want string
	}{
		"objective": {[]byte(strings.Replace(string(plain), "binary:logistic", "count:poisson", 1)), bundle.ImportOptions{}, `learner.objective.name: expected the objective binary:logistic, got "count:poisson"`},
		"rounds":    {plain, bundle.ImportOptions{Rounds: 7}, "rounds: expected 1 to 6 rounds, got 7"},
		"columns":   {plain, bundle.ImportOptions{Columns: []string{"a"}}, "columns: expected 5 names, one a feature, got 1"},
		"twice":     {plain, bundle.ImportOptions{Columns: []string{"a", "a", "b", "c", "d"}}, "columns: expected distinct names, got name 2 empty or twice"},
		"named":     {named, bundle.ImportOptions{Columns: []string{"a"}}, "columns: expected a file whose features have no names, got one that names them"},
		"number":    {named, bundle.ImportOptions{Levels: map[string][]string{"a": {"x"}}}, "levels: a is not a category"},
		"nobody":    {named, bundle.ImportOptions{Levels: map[string][]string{"q": {"x"}}}, "levels: expected names of the file's features, got 1 that are not"},
		"few":       {named, bundle.ImportOptions{Levels: map[string][]string{"c": {"x"}}}, "levels: c: expected at least 2 names, one a code, got 1"},
		"decision":  {named, bundle.ImportOptions{Decision: 2}, "decision: expected a threshold in (0, 1), got 2"},
	} {
		if _, err := bundle.Import(t.Context(), c.file, gbmFamily(t), "1", &c.o); err == nil || err.Error() != c.want {
			t.Errorf("%s:\ngot  %v\nwant %s", name, err, c.want)
		}
	}
	if _, err := bundle.Import(t.Context(), plain, gbmFamily(t), "1", &bundle.ImportOptions{Rounds: bundle.BestRound}); (err == nil) != strings.Contains(string(plain), "best_iteration") {
		t.Errorf("rounds best: got %v", err)
	}
}

// TestExport: what Export writes gives the margins of the bundle, in both encodings.
func TestExport(t *testing.T) {
	paths, err := filepath.Glob(fixtures + "[0-9]*-*[a-z].json")
	if err != nil || len(paths) < 10 {
		t.Fatalf("got %d fixtures, %v", len(paths), err)
	}
	for _, path := range paths {
		if strings.Contains(path, "expected") {
			continue
		}
		b := importFile(t, path, nil)
		for _, ubj := range []bool{false, true} {
			out, ws, err := b.Export(&bundle.ExportOptions{UBJSON: ubj})
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if len(ws) == 0 {
				t.Errorf("%s: got no word on what XGBoost will not do", path)
			}
			f, err := xgbfile.Read(out)
			if err != nil {
				t.Fatal(err)
			}
			trees, ok := b.Fitted.Members[0].Model.(model.TreeEnsemble)
			if !ok {
				t.Fatal("not a model of trees")
			}
			x, _, _, err := tableOf(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			table, err := trees.Table(x)
			if err != nil {
				t.Fatal(err)
			}
			got, want := make([]float32, 1), make([]float32, 1)
			if err := f.Ensemble.Margins(t.Context(), table, 1, got); err != nil {
				t.Fatal(err)
			}
			if err := trees.Trees().Margins(t.Context(), table, 1, want); err != nil {
				t.Fatal(err)
			}
			if got[0] != want[0] {
				t.Errorf("%s: got margin %v, want %v", path, got[0], want[0])
			}
		}
	}
}

// tableOf is the worked example of b as a frame.
func tableOf(_ context.Context, b *bundle.Bundle) (*frame.Frame, []float64, []float64, error) {
	var cols []frame.Column
	for _, f := range b.Fitted.Schema {
		if f.Kind == frame.Category {
			code := int32(-1)
			for k, l := range f.Levels {
				if l == b.Example.Row[f.Name] {
					code = int32(k)
				}
			}
			cols = append(cols, frame.CategoryColumn(f, []int32{code}))
			continue
		}
		v, ok := b.Example.Row[f.Name].(float64)
		if !ok {
			v = math.NaN()
		}
		cols = append(cols, frame.NumberColumn(f, []float64{v}))
	}
	x, err := frame.New(1, cols...)
	return x, nil, nil, err
}

func TestExportRefuses(t *testing.T) {
	logistic, _ := example(t, 0)
	if _, _, err := logistic.Export(nil); diag.KindOf(err) != diag.Unsupported || !strings.Contains(err.Error(), "before the model sees them; XGBoost would not") {
		t.Errorf("preprocessing: got %v", err)
	}
	b := importFile(t, fixtures+"32-plain.json", nil)
	twice := *b.Fitted
	twice.Members = append(twice.Members, twice.Members...)
	if _, _, err := (&bundle.Bundle{Fitted: &twice}).Export(nil); diag.KindOf(err) != diag.Unsupported || !strings.Contains(err.Error(), "averages 2 models") {
		t.Errorf("two members: got %v", err)
	}
	m, err := calibrate.ByName("logistic")
	if err != nil {
		t.Fatal(err)
	}
	y, p := make([]bool, 50), make([]float64, 50)
	for i := range y {
		y[i], p[i] = i%3 == 0, float64(i%7+1)/9
	}
	scaled := *b.Fitted
	if scaled.Calibration, err = m.Fit(p, y, nil); err != nil {
		t.Fatal(err)
	}
	c := &bundle.Bundle{Fitted: &scaled}
	if _, _, err := c.Export(nil); diag.KindOf(err) != diag.Unsupported || !strings.Contains(err.Error(), "--uncalibrated") {
		t.Errorf("recalibrated: got %v", err)
	}
	out, ws, err := c.Export(&bundle.ExportOptions{Uncalibrated: true})
	if err != nil || len(out) == 0 || ws[0].Code != "uncalibrated" {
		t.Errorf("uncalibrated: got %v, %v", ws, err)
	}
}

// TestExportTrained: a gbm trained here travels out and back: same probabilities, facts kept.
func TestExportTrained(t *testing.T) {
	_, x := example(t, 0)
	y := make([]bool, x.Rows())
	for i, v := range x.At(0).Numbers() {
		y[i] = v > 0 || i%5 == 0
	}
	fam := gbmFamily(t)
	rec := evaluate.Recipe{Family: fam, Params: fam.Default(), Steps: preprocess.Chain{}, Calibration: "none"}
	fitted, _, err := rec.Fit(t.Context(), &evaluate.Data{X: x, Outcome: evaluate.Outcome{Y: y}}, 3, "fit", rng.New(2))
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle.Bundle{Fitted: fitted}
	out, _, err := b.Export(nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := bundle.Import(t.Context(), out, fam, "1", nil)
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := fitted.Predict(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	got, _, _, err := back.Predict(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("row %d: got %v, want %v", i, got[i], want[i])
		}
	}
	if back.Fitted.Schema[0].Unit != "mg/L" || strings.Join(back.Fitted.Schema[1].Levels, " ") != "I II III" {
		t.Errorf("got schema %+v, want units and levels kept", back.Fitted.Schema)
	}
}
