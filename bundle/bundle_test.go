package bundle_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"testing"

	"dolor/bundle"
	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/builtin"
	"dolor/model"
	"dolor/preprocess"
	"dolor/rng"
)

func family(name string) (model.Family, bool) {
	for _, f := range builtin.Families() {
		if f.Name == name {
			return f, true
		}
	}
	return model.Family{}, false
}

// example fits family k on 80 invented patients with a number that has gaps and a category.
func example(t testing.TB, k int) (*bundle.Bundle, *frame.Frame) {
	t.Helper()
	r := rng.New(1).Child("bundle").Rand()
	n := 80
	x, s, y := make([]float64, n), make([]int32, n), make([]bool, n)
	for i := range n {
		x[i], s[i] = r.NormFloat64(), int32(r.IntN(3))
		y[i] = x[i]+r.NormFloat64() > 0
		if r.Float64() < 0.1 {
			x[i] = math.NaN()
		}
	}
	f, err := frame.New(n, frame.NumberColumn(frame.Field{Name: "crp", Unit: "mg/L"}, x),
		frame.CategoryColumn(frame.Field{Name: "stage", Levels: []string{"I", "II", "III"}}, s))
	if err != nil {
		t.Fatal(err)
	}
	fam := builtin.Families()[k]
	rec := evaluate.Recipe{Family: fam, Params: fam.Default(), Steps: preprocess.DefaultDense(), Calibration: "isotonic"}
	fitted, _, err := rec.Fit(t.Context(), &evaluate.Data{X: f, Outcome: evaluate.Outcome{Y: y}}, 3, "fit", rng.New(2))
	if err != nil {
		t.Fatal(err)
	}
	ex, err := bundle.NewExample(t.Context(), fitted, map[string]any{"crp": 0.5, "stage": "II"})
	if err != nil {
		t.Fatal(err)
	}
	return &bundle.Bundle{Version: "1", Fitted: fitted, Example: ex, Card: bundle.Card{Study: "s", Outcome: "y 1", Decision: 0.2}}, f
}

func encode(t testing.TB, b *bundle.Bundle) []byte {
	t.Helper()
	out, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRoundTrip: a bundle read back predicts bit for bit what the fit did, and encodes to the
// same bytes.
func TestRoundTrip(t *testing.T) {
	for k, fam := range builtin.Families() {
		b, x := example(t, k)
		content := encode(t, b)
		if !bytes.Equal(content, encode(t, b)) {
			t.Errorf("%s: two encodings differ", fam.Name)
		}
		path := filepath.Join(t.TempDir(), "m.dolor")
		if err := b.Write(path); err != nil {
			t.Fatal(err)
		}
		got, err := bundle.Read(t.Context(), path, family)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(content, encode(t, got)) {
			t.Errorf("%s: encoding what was read gives other bytes", fam.Name)
		}
		p, raw, _, err := got.Predict(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		want, wantRaw, err := b.Fitted.Predict(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if math.Float64bits(p[i]) != math.Float64bits(want[i]) || math.Float64bits(raw[i]) != math.Float64bits(wantRaw[i]) {
				t.Fatalf("%s: row %d: got %v and %v, want %v and %v", fam.Name, i, p[i], raw[i], want[i], wantRaw[i])
			}
		}
	}
}

// parts unpacks an archive.
func parts(t testing.TB, content []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]byte)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// pack makes an archive of files with a manifest of their true checksums.
func pack(t testing.TB, format int, files map[string][]byte, extra ...string) []byte {
	t.Helper()
	sums := make(map[string]string)
	for name, b := range files {
		h := sha256.Sum256(b)
		sums[name] = hex.EncodeToString(h[:])
	}
	m, err := json.Marshal(map[string]any{"format": format, "version": "1", "family": "logistic", "sha256": sums})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	add := func(name string, b []byte) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	add("manifest.json", m)
	for _, name := range []string{"card.json", "model.json", "example.json"} {
		if b, ok := files[name]; ok {
			add(name, b)
		}
	}
	for _, name := range extra {
		add(name, []byte("x"))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRefused(t *testing.T) {
	b, _ := example(t, 0)
	whole := parts(t, encode(t, b))
	delete(whole, "manifest.json")
	with := func(name, text string) map[string][]byte {
		out := make(map[string][]byte)
		maps.Copy(out, whole)
		if text == "" {
			delete(out, name)
		} else {
			out[name] = []byte(text)
		}
		return out
	}
	for _, tt := range []struct {
		name    string
		content []byte
		kind    diag.Kind
		text    string
	}{
		{"not a zip", []byte("PK"), diag.Invalid, "expected a dolor bundle (a zip archive), got something else"},
		{"newer format", pack(t, 2, whole), diag.Unsupported, "format: expected 1, got 2"},
		{"stranger", pack(t, 1, whole, "run.sh"), diag.Invalid, "unexpected member in the archive"},
		{"twice", pack(t, 1, whole, "card.json"), diag.Invalid, "card.json: expected once, got it twice"},
		{"no model", pack(t, 1, with("model.json", "")), diag.Invalid, "model.json: missing"},
		{"unknown key in card", pack(t, 1, with("card.json", `{"studyx":"s"}`)), diag.Invalid, "card.json: studyx: unknown key; did you mean \"study\"?"},
		{"model not JSON", pack(t, 1, with("model.json", `nonsense`)), diag.Invalid, "model.json: fitted: expected a saved model"},
		{"unknown family", pack(t, 1, with("model.json", `{"family":"oracle"}`)), diag.Unsupported, "model.json: family: \"oracle\" is not compiled in"},
		{"no members", pack(t, 1, with("model.json", `{"family":"logistic","params":{}}`)), diag.Invalid, "model.json: members: expected at least one, got none"},
		{
			"another example", pack(t, 1, with("example.json", `{"row":{"crp":0.5,"stage":"II"},"probability":0.999}`)), diag.Invalid,
			"example.json: the worked example gives another probability than recorded",
		},
	} {
		_, err := bundle.Decode(t.Context(), tt.content, family)
		if diag.KindOf(err) != tt.kind || err.Error() != tt.text {
			t.Errorf("%s: got %v (%v), want %s (%v)", tt.name, err, diag.KindOf(err), tt.text, tt.kind)
		}
	}
}

// TestWriteKeepsTheOld: a bundle that cannot be written leaves what was there.
func TestWriteKeepsTheOld(t *testing.T) {
	b, _ := example(t, 0)
	dir := t.TempDir()
	if err := b.Write(dir); diag.KindOf(err) != diag.Invalid {
		t.Errorf("a folder in the way: got %v, want kind invalid", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("%v was left behind (%v)", entries, err)
	}
}

func goodKind(err error) bool {
	k := diag.KindOf(err)
	return k == diag.Invalid || k == diag.Unsupported || k == diag.Missing
}

// FuzzBundle feeds archives as they come.
func FuzzBundle(f *testing.F) {
	for k := range builtin.Families() {
		b, _ := example(f, k)
		content := encode(f, b)
		f.Add(content)
		f.Add(content[:len(content)/2])
	}
	f.Add([]byte("PK\x05\x06" + string(make([]byte, 18))))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := bundle.Decode(t.Context(), content, family); err != nil && !goodKind(err) {
			t.Errorf("kind %v: %v", diag.KindOf(err), err)
		}
	})
}

// FuzzMembers feeds members whose checksums are right, as an attacker would make them.
func FuzzMembers(f *testing.F) {
	for k := range builtin.Families() {
		b, _ := example(f, k)
		p := parts(f, encode(f, b))
		f.Add(p["card.json"], p["model.json"], p["example.json"])
	}
	f.Fuzz(func(t *testing.T, card, fitted, example []byte) {
		content := pack(t, 1, map[string][]byte{"card.json": card, "model.json": fitted, "example.json": example})
		b, err := bundle.Decode(t.Context(), content, family)
		if err != nil {
			if !goodKind(err) {
				t.Errorf("kind %v: %v", diag.KindOf(err), err)
			}
			return
		}
		// What is accepted must be usable: an empty table is predicted, and the bundle encodes.
		encode(t, b)
	})
}
