package xgbfile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dolor/internal/tree"
	"dolor/internal/xgbfile"
)

// expected is what bench/peers/xgboost_fixtures.py writes beside a model.
type expected struct {
	XGBoost, Command          string
	Rows                      [][]*float64
	Margin, Probability, Half []float64
	Leaf                      [][]int32
}

func fixtures(t testing.TB) []string {
	t.Helper()
	var models []string
	for _, ext := range []string{"json", "ubj"} {
		m, err := filepath.Glob("testdata/[0-9]*." + ext)
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, m...)
	}
	var out []string
	for _, m := range models {
		if !strings.HasSuffix(m, ".expected.json") {
			out = append(out, m)
		}
	}
	if len(out) < 10 {
		t.Fatalf("got %d fixtures, want them all", len(out))
	}
	return out
}

func TestFixtures(t *testing.T) {
	for _, path := range fixtures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f := mustRead(t, path)
			b, err := os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)) + ".expected.json")
			if err != nil {
				t.Fatal(err)
			}
			var want expected
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			x := table(f, len(want.Rows), func(i, j int) float64 {
				if v := want.Rows[i][j]; v != nil {
					return *v
				}
				return math.NaN()
			})
			compare(t, "margin", margins(t, f, x, len(f.Ensemble.Trees)), want.Margin)
			leaves := make([]int32, x.Rows*len(f.Ensemble.Trees))
			if err := f.Ensemble.Leaves(context.Background(), x, 1, leaves); err != nil {
				t.Fatal(err)
			}
			for i, row := range want.Leaf {
				for k, leaf := range row {
					if got := f.NodeID(k, leaves[i*len(row)+k]); got != leaf {
						t.Fatalf("leaf of row %d in tree %d: got %d, want %d", i, k, got, leaf)
					}
				}
			}
			if f.Attributes["note"] != "a \"quoted\" \\ note\n" {
				t.Errorf("attribute note: got %q", f.Attributes["note"])
			}
			for _, format := range []xgbfile.Format{xgbfile.JSON, xgbfile.UBJSON} {
				g := rewrite(t, f, format)
				compare(t, "margin as written", margins(t, g, x, len(g.Ensemble.Trees)), want.Margin)
			}
			// The first half of the rounds, as iteration_range gives it.
			f.Truncate((len(f.Rounds) - 1) / 2)
			compare(t, "half of the rounds", margins(t, f, x, len(f.Ensemble.Trees)), want.Half)
			rewrite(t, f, xgbfile.JSON)
		})
	}
}

// rewrite writes f, reads it back, and checks that nothing but what is documented was lost.
func rewrite(t *testing.T, f *xgbfile.File, format xgbfile.Format) *xgbfile.File {
	t.Helper()
	b, err := xgbfile.Write(f, format)
	if err != nil {
		t.Fatal(err)
	}
	if format == xgbfile.JSON && !json.Valid(b) {
		t.Error("the JSON is not valid")
	}
	g, err := xgbfile.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := xgbfile.Write(g, format)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, again) {
		t.Error("written twice: the bytes differ")
	}
	want := *f
	if format == xgbfile.UBJSON {
		want.Levels = nil
	}
	same(t, &want, g)
	return g
}

// same compares two files, apart from XGBoost's version and numbering of nodes, and from types that
// one of them leaves out.
func same(t *testing.T, a, b *xgbfile.File) {
	t.Helper()
	plain := func(f *xgbfile.File) xgbfile.File {
		c := *f
		c.Version, c.NodeIDs, c.Types = [3]int{}, nil, nil
		return xgbfile.File{
			Booster: c.Booster, Objective: c.Objective, BaseScore: c.BaseScore, ScalePosWeight: c.ScalePosWeight,
			Ensemble: c.Ensemble, Named: c.Named, Levels: c.Levels, Rounds: c.Rounds, Attributes: c.Attributes,
		}
	}
	x, y := plain(a), plain(b)
	for k := range x.Ensemble.Trees { // a set may end in empty words
		for s := range min(len(x.Ensemble.Trees[k].Sets), len(y.Ensemble.Trees[k].Sets)) {
			x.Ensemble.Trees[k].Sets[s] = trim(x.Ensemble.Trees[k].Sets[s])
			y.Ensemble.Trees[k].Sets[s] = trim(y.Ensemble.Trees[k].Sets[s])
		}
	}
	if diff := cmp.Diff(x, y, cmp.AllowUnexported(xgbfile.File{}), cmp.Comparer(func(a, b tree.Feature) bool {
		return a.Name == b.Name // levels may be known from names that UBJSON leaves out
	})); diff != "" {
		t.Errorf("files differ (-want +got):\n%s", diff)
	}
}

func trim(s []uint64) []uint64 {
	for len(s) > 0 && s[len(s)-1] == 0 {
		s = s[:len(s)-1]
	}
	return s
}

func TestLevels(t *testing.T) {
	f := mustRead(t, "testdata/names.json")
	want := [][]string{nil, {"u", "v", "w e"}, {"10", "20", "35"}}
	if diff := cmp.Diff(want, f.Levels); diff != "" {
		t.Errorf("levels (-want +got):\n%s", diff)
	}
	b, err := xgbfile.Write(f, xgbfile.JSON)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("testdata/names.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cats(t, source), cats(t, b)); diff != "" {
		t.Errorf("names as written, against XGBoost's own (-want +got):\n%s", diff)
	}
}

func TestDamagedLevels(t *testing.T) {
	f := mustRead(t, "testdata/damaged.json")
	want := [][]string{nil, nil, {"10", "20", "35"}}
	if diff := cmp.Diff(want, f.Levels); diff != "" {
		t.Errorf("levels (-want +got):\n%s", diff)
	}
	if got := f.Ensemble.Features[1].Levels; got != 3 {
		t.Errorf("categories of the feature whose names are damaged: got %d, want 3", got)
	}
}

func cats(t *testing.T, b []byte) any {
	t.Helper()
	var d struct {
		Learner struct {
			Booster struct {
				Model struct{ Cats any }
			} `json:"gradient_booster"`
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d.Learner.Booster.Model.Cats
}
