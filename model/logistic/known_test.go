package logistic_test

import (
	"compress/gzip"
	"encoding/csv"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dolor/frame"
	"dolor/internal/glm"
	"dolor/internal/golden"
	"dolor/model"
	"dolor/model/logistic"
)

// cells reads a shared table into columns by name, or skips t.
func cells(t *testing.T, name string) map[string][]string {
	t.Helper()
	f, err := os.Open(golden.Data(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]string)
	for j, h := range rows[0] {
		for _, row := range rows[1:] {
			out[h] = append(out[h], row[j])
		}
	}
	return out
}

// predictor is a column, or one level of a category as 0 and 1.
type predictor struct{ column, level string }

// dataset keeps the rows that keep accepts and that have no gap.
func dataset(t *testing.T, c map[string][]string, outcome func(i int) bool, keep func(i int) bool, ps ...predictor) *model.Dataset {
	t.Helper()
	values := make([][]float64, len(ps))
	d := &model.Dataset{}
	n := len(c[ps[0].column])
rows:
	for i := range n {
		if keep != nil && !keep(i) {
			continue
		}
		v := make([]float64, len(ps))
		for j, p := range ps {
			cell := c[p.column][i]
			if cell == "" || cell == "?" || cell == "NA" {
				continue rows
			}
			if p.level != "" {
				if cell == p.level || strings.TrimSuffix(cell, ".0") == p.level {
					v[j] = 1
				}
				continue
			}
			f, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				t.Fatal(err)
			}
			v[j] = f
		}
		for j := range ps {
			values[j] = append(values[j], v[j])
		}
		d.Y = append(d.Y, outcome(i))
	}
	var cols []frame.Column
	for j, p := range ps {
		cols = append(cols, frame.NumberColumn(frame.Field{Name: p.column + p.level}, values[j]))
	}
	x, err := frame.New(len(d.Y), cols...)
	if err != nil {
		t.Fatal(err)
	}
	d.X = x
	return d
}

func fit(t *testing.T, d *model.Dataset) *logistic.Model {
	t.Helper()
	m, err := logistic.Default().Learner().Fit(t.Context(), d, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*logistic.Model)
}

func concordance(t *testing.T, m *logistic.Model, d *model.Dataset) float64 {
	t.Helper()
	s, err := m.Score(t.Context(), d.X, nil)
	if err != nil {
		t.Fatal(err)
	}
	var cases, controls []float64
	for i, y := range d.Y {
		if y {
			cases = append(cases, s[i])
		} else {
			controls = append(controls, s[i])
		}
	}
	var sum float64
	for _, a := range cases {
		for _, b := range controls {
			if a > b {
				sum++
			} else if a == b {
				sum += 0.5
			}
		}
	}
	return sum / float64(len(cases)*len(controls))
}

// slope fits y ~ a + b score; large is calibration in the large.
func slope(t *testing.T, m *logistic.Model, d *model.Dataset) (b, large float64) {
	t.Helper()
	s, err := m.Score(t.Context(), d.X, nil)
	if err != nil {
		t.Fatal(err)
	}
	pr := glm.Problem{Rows: len(s), Cols: 2, X: make([]float64, 2*len(s)), Y: make([]float64, len(s))}
	one := glm.Problem{Rows: len(s), Cols: 1, X: make([]float64, len(s)), Y: pr.Y, Offset: s}
	for i, v := range s {
		pr.X[2*i], pr.X[2*i+1], one.X[i] = 1, v, 1
		if d.Y[i] {
			pr.Y[i] = 1
		}
	}
	f, err := glm.Logistic(pr, nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := glm.Logistic(one, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f.Coef[1], g.Coef[0]
}

func TestGUSTO(t *testing.T) {
	c := cells(t, "tabular-gusto-16-regions/gusto.csv.gz")
	d := dataset(t, c, func(i int) bool { return c["day30"][i] == "1" }, nil, predictor{"age", ""},
		predictor{"Killip", "II"}, predictor{"Killip", "III"}, predictor{"Killip", "IV"},
		predictor{"sysbp", ""}, predictor{"pulse", ""}, predictor{"hyp", ""})
	if d.Rows() != 28392 || d.Events() != 1971 {
		t.Fatalf("got %d rows and %d deaths, want 28392 and 1971", d.Rows(), d.Events())
	}
	m := fit(t, d)
	golden.CloseAll(t, "coefficients", m.Weights(), []float64{-8.370625, 0.082605, 0.678068, 1.436485, 2.238104, -0.013385, 0.022509, 0.596085}, 1e-6)
	golden.Close(t, "AUC", concordance(t, m, d), 0.809705, 1e-6)
	p, err := m.Predict(t.Context(), d.X, nil)
	if err != nil {
		t.Fatal(err)
	}
	var brier float64
	for i, v := range p {
		if d.Y[i] {
			v--
		}
		brier += v * v / float64(len(p))
	}
	golden.Close(t, "Brier", brier, 0.055410, 1e-6)
	if w := m.Warnings(); len(w) > 0 {
		t.Errorf("warnings: got %v, want none", w)
	}
}

func TestHeart(t *testing.T) {
	load := func(hospital string) *model.Dataset {
		c := cells(t, "tabular-heart-4-hospitals/processed."+hospital+".csv")
		return dataset(t, c, func(i int) bool { return c["target"][i] != "0" }, nil, predictor{"age", ""}, predictor{"sex", ""},
			predictor{"cp", "2"}, predictor{"cp", "3"}, predictor{"cp", "4"}, predictor{"thalach", ""}, predictor{"exang", ""}, predictor{"oldpeak", ""})
	}
	dev := load("cleveland")
	m := fit(t, dev)
	golden.CloseAll(t, "coefficients", m.Weights(), []float64{-2.80124, 0.039361, 1.692929, 0.668753, 0.174237, 2.153889, -0.019183, 0.861191, 0.696776}, 5e-6)
	golden.Close(t, "apparent AUC", concordance(t, m, dev), 0.890200, 1e-6)
	for _, v := range []struct {
		hospital   string
		n          int
		auc, slope float64
	}{{"hungarian", 293, 0.879074, 0.91858}, {"switzerland", 117, 0.738532, 0.55468}} {
		d := load(v.hospital)
		if d.Rows() != v.n {
			t.Errorf("%s: got %d rows, want %d", v.hospital, d.Rows(), v.n)
		}
		golden.Close(t, v.hospital+" AUC", concordance(t, m, d), v.auc, 1e-6)
		b, _ := slope(t, m, d)
		golden.Close(t, v.hospital+" slope", b, v.slope, 1e-5)
	}
}

func TestHeadAndNeck(t *testing.T) {
	c := cells(t, "tabular-headneck-4-hospitals/headneck.csv")
	load := func(sites ...string) *model.Dataset {
		return dataset(t, c, func(i int) bool { return c["event_Death"][i] == "1" },
			func(i int) bool { return slices.Contains(sites, c["site"][i]) }, predictor{"Age", ""}, predictor{"T_stage", ""}, predictor{"N_stage", ""})
	}
	dev := load("HGJ", "CHUS")
	if dev.Rows() != 190 || dev.Events() != 32 {
		t.Fatalf("got %d rows and %d events, want 190 and 32", dev.Rows(), dev.Events())
	}
	m := fit(t, dev)
	golden.CloseAll(t, "coefficients", m.Weights(), []float64{-6.297561, 0.042959, 0.552551, 0.348460}, 1e-6)
	golden.Close(t, "AUC", concordance(t, m, dev), 0.686709, 1e-6)
	val := load("HMR")
	b, large := slope(t, m, val)
	golden.Close(t, "HMR AUC", concordance(t, m, val), 0.705514, 1e-6)
	golden.Close(t, "HMR slope", b, 1.29644, 1e-5)
	golden.Close(t, "HMR calibration in the large", large, 1.16715, 1e-5)
}
