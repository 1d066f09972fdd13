// Package golden helps tests compare with values that another system computed, and with
// files that a person has looked at.
//
// Reference values are found by [Path]: first in testdata/ref of the repository, then in the
// folder shared/golden beside the repository; a test that needs a file found in neither is
// skipped and says so. [File] compares with testdata/*.golden of the calling package.
package golden

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden")

// Root returns the repository's folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Path returns where the reference file name ("stats/meta.csv") is, or skips t.
func Path(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range []string{"testdata/ref", "../shared/golden"} {
		p := filepath.Join(Root(), dir, name)
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	t.Skipf("reference values %s are neither in testdata/ref nor in ../shared/golden: not compared", name)
	return ""
}

// Data returns where the file name of the shared data sets ("tabular-rhc/rhc.csv.gz") is, or skips t.
func Data(t testing.TB, name string) string {
	t.Helper()
	p := filepath.Join(Root(), "../shared/data", name)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("data set %s is not in ../shared/data: not compared", name)
	}
	return p
}

// Value is a node of a reference JSON file.
type Value struct {
	t    testing.TB
	path string
	v    any
}

// Load reads the reference file name, e.g. "stats/meta.expected.json", or skips t.
func Load(t testing.TB, name string) Value {
	t.Helper()
	b, err := os.ReadFile(Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return Value{t, name, v}
}

// Get descends by object keys (string) and array positions (int); a missing node fails t.
func (v Value) Get(path ...any) Value {
	v.t.Helper()
	for _, p := range path {
		var next any
		ok := false
		switch p := p.(type) {
		case string:
			var m map[string]any
			if m, ok = v.v.(map[string]any); ok {
				next, ok = m[p]
			}
			v.path += "." + p
		case int:
			var a []any
			if a, ok = v.v.([]any); ok && p < len(a) {
				next = a[p]
			}
			v.path += "." + strconv.Itoa(p)
		}
		if !ok {
			v.t.Fatalf("reference value %s: not there", v.path)
		}
		v.v = next
	}
	return v
}

// Has reports whether the object has key.
func (v Value) Has(key string) bool {
	m, ok := v.v.(map[string]any)
	if ok {
		_, ok = m[key]
	}
	return ok
}

// Keys returns the keys of an object, in no order.
func (v Value) Keys() []string {
	m, _ := v.v.(map[string]any)
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// Len returns the length of an array.
func (v Value) Len() int { a, _ := v.v.([]any); return len(a) }

// IsNull reports whether the node is null.
func (v Value) IsNull() bool { return v.v == nil }

// Text returns a string node, else "".
func (v Value) Text() string { s, _ := v.v.(string); return s }

// Bool returns a boolean node.
func (v Value) Bool() bool { b, _ := v.v.(bool); return b }

// Float returns a number; "NaN", "Inf" and "-Inf" are read, null is NaN.
func (v Value) Float() float64 {
	v.t.Helper()
	switch x := v.v.(type) {
	case float64:
		return x
	case nil:
		return math.NaN()
	case string:
		if f, err := strconv.ParseFloat(x, 64); err == nil {
			return f
		}
	}
	v.t.Fatalf("reference value %s: expected a number, got %T", v.path, v.v)
	return 0
}

// Floats returns an array of numbers.
func (v Value) Floats() []float64 {
	v.t.Helper()
	out := make([]float64, v.Len())
	for i := range out {
		out[i] = v.Get(i).Float()
	}
	return out
}

// CSV reads a reference table into columns by name, or skips t.
func CSV(t testing.TB, name string) map[string][]string {
	t.Helper()
	return ReadCSV(t, Path(t, name))
}

// ReadCSV reads the table at path into columns by name.
func ReadCSV(t testing.TB, path string) map[string][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // the file was only read
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cols := make(map[string][]string)
	for j, name := range rows[0] {
		c := make([]string, 0, len(rows)-1)
		for _, r := range rows[1:] {
			c = append(c, r[j])
		}
		cols[name] = c
	}
	return cols
}

// Numbers converts cells to numbers; an empty cell or NA is NaN.
func Numbers(t testing.TB, cells []string) []float64 {
	t.Helper()
	out := make([]float64, len(cells))
	for i, c := range cells {
		if c == "" || c == "NA" {
			out[i] = math.NaN()
			continue
		}
		v, err := strconv.ParseFloat(c, 64)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = v
	}
	return out
}

// Close fails t unless got is within tol of want (absolute, or relative for |want| > 1).
// Equal infinities and two NaN agree.
func Close(t testing.TB, what string, got, want, tol float64) {
	t.Helper()
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return
	}
	if !(math.Abs(got-want) <= tol*math.Max(1, math.Abs(want))) {
		t.Errorf("%s: got %.15g, want %.15g (difference %.3g, tolerance %g)", what, got, want, got-want, tol)
	}
}

// CloseAll is Close for slices of equal length.
func CloseAll(t testing.TB, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d values, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		Close(t, what+"["+strconv.Itoa(i)+"]", got[i], want[i], tol)
	}
}

// File compares got with testdata/name of the calling package. -update rewrites it; a
// mismatch leaves name.got beside it.
func File(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		if err := os.WriteFile(path+".got", got, 0o644); err != nil {
			t.Error(err)
		}
		t.Errorf("%s differs from what was reviewed; compare with %s.got", path, path)
	}
}
