package study_test

import (
	"compress/gzip"
	stdcontext "context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dolor/assess"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/builtin"
	"dolor/preprocess"
	"dolor/rng"
	"dolor/study"
)

func env() *study.Env { return &study.Env{Families: builtin.Families(), Version: "test"} }

// simulate is a table of n rows, two of a patient now and then, with gaps, a rare level,
// three sites and dates over four years; the outcome depends on x1 and x2. signal 0 makes
// the outcome independent of everything.
func simulate(t testing.TB, n int, signal float64, seed uint64) *evaluate.Data {
	t.Helper()
	r := rng.New(seed).Child("simulate").Rand()
	d := &evaluate.Data{}
	x := make([][]float64, 4)
	for j := range x {
		x[j] = make([]float64, n)
	}
	stage := make([]int32, n)
	for i := range n {
		for j := range x {
			x[j][i] = r.NormFloat64()
		}
		x[3][i] = x[2][i] + 0.3*x[3][i]
		stage[i] = int32(r.IntN(3))
		if r.Float64() < 0.03 {
			stage[i] = 3
		}
		d.Y = append(d.Y, signal*(x[0][i]-x[1][i])+r.NormFloat64() > 0.4)
		if r.Float64() < 0.1 {
			x[1][i] = math.NaN()
		}
		if r.Float64() < 0.1 {
			stage[i] = -1
		}
		d.Patient = append(d.Patient, "p"+strconv.Itoa(i))
		d.Site = append(d.Site, string(rune('A'+i%3)))
		d.Date = append(d.Date, float64(18262+(i*37)%1461))
		if i > 0 && i%7 == 0 { // a second row of the patient before
			d.Patient[i], d.Site[i], d.Date[i] = d.Patient[i-1], d.Site[i-1], d.Date[i-1]
		}
	}
	cols := []frame.Column{frame.CategoryColumn(frame.Field{Name: "stage", Modality: frame.Clinical, Levels: []string{"I", "II", "III", "IV"}}, stage)}
	for j := range x {
		cols = append(cols, frame.NumberColumn(frame.Field{Name: "x" + strconv.Itoa(j+1), Modality: frame.Clinical}, x[j]))
	}
	var err error
	if d.X, err = frame.New(n, cols...); err != nil {
		t.Fatal(err)
	}
	return d
}

// timed turns the outcome of d into follow-up with censoring and competing events.
func timed(d *evaluate.Data, horizon float64, seed uint64) {
	r := rng.New(seed).Child("timed").Rand()
	d.Horizon = horizon
	for i, y := range d.Y {
		t, status := 1+1.5*horizon*r.Float64(), 0
		switch {
		case y && t <= horizon:
			status = 1
		case r.Float64() < 0.15:
			status = 2
		}
		d.Time, d.Status = append(d.Time, math.Round(t)), append(d.Status, status)
		d.Y[i] = status == 1 && d.Time[i] <= horizon
	}
}

// writeCSV writes d as a table the protocol can read and returns its path.
func writeCSV(t testing.TB, dir string, d *evaluate.Data) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("id,site,date," + strings.Join(d.X.Schema().Names(), ",") + ",y,time,status\n")
	for i := range d.Rows() {
		fmt.Fprintf(&b, "%s,%s,%s", d.Patient[i], d.Site[i], day(d.Date[i]))
		for j := range d.X.Cols() {
			s, _ := d.X.At(j).String(i)
			b.WriteString("," + s)
		}
		y, time, status := 0, 0.0, 0
		if d.Y[i] {
			y = 1
		}
		if d.Timed() {
			time, status = d.Time[i], d.Status[i]
		}
		fmt.Fprintf(&b, ",%d,%g,%d\n", y, time, status)
	}
	path := filepath.Join(dir, "t.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// dense is the default preprocessing of the product without standardising.
func dense() preprocess.Chain {
	var c preprocess.Chain
	for _, s := range preprocess.DefaultDense() {
		if s.Name != "standardise" {
			c = append(c, s)
		}
	}
	return c
}

// chainWith is a chain that holds the step kind where it can do its work, and ends dense.
func chainWith(kind preprocess.Kind) preprocess.Chain {
	s := preprocess.Stage{Name: kind.Name, Step: kind.New()}
	fill := preprocess.Stage{Name: "impute", Step: preprocess.DefaultImpute()}
	code := preprocess.Stage{Name: "one_hot", Step: preprocess.DefaultOneHot()}
	switch kind.Name {
	case "impute", "impute_knn", "impute_chained":
		// What a step leaves empty (chained imputation fills what it can) the next one fills.
		return preprocess.Chain{s, fill, code}
	case "one_hot", "ordinal":
		return preprocess.Chain{fill, s}
	case "drop_missing":
		return preprocess.Chain{s, fill, code}
	}
	return preprocess.Chain{fill, s, code}
}

type context = stdcontext.Context

func unmarshal(v any, text string) error { return json.Unmarshal([]byte(text), v) }

func day(d float64) string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }

type row = assess.Row

func withCancel(c context) (context, func()) { return stdcontext.WithCancel(c) }

func marshal(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// unzip writes the gzipped file at path to a folder of the test and returns where.
func unzip(t testing.TB, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // the file was only read
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(path), ".gz"))
	if err := os.WriteFile(out, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return out
}
