package study

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"

	"dolor/assess"
	"dolor/diag"
	"dolor/frame"
	"dolor/metric"
	"dolor/rng"
)

// MetricsTable asks for the metrics of a table of outcomes and probabilities.
type MetricsTable struct {
	File       string
	Outcome    string
	Prob       []string
	Thresholds []float64 // empty: 0.2
	Only       []string  // metrics wanted; nil: all
	Weight     string
	Level      float64
	Seed       uint64
	Workers    int
}

// MetricsResult is the answer of Metrics.
type MetricsResult struct {
	N           int                 `json:"n"`
	Events      int                 `json:"events"`
	Metrics     []ColumnEstimate    `json:"metrics"`
	Comparisons []assess.Comparison `json:"comparisons"`
	Warnings    []diag.Warning      `json:"warnings"`
}

// ColumnEstimate is a metric of one probability column.
type ColumnEstimate struct {
	Column string
	metric.Estimate
}

// MarshalJSON adds the column to the keys of the estimate.
func (c ColumnEstimate) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(c.Estimate)
	if err != nil {
		return nil, err
	}
	name, err := json.Marshal(c.Column)
	if err != nil {
		return nil, err
	}
	return append(append([]byte(`{"column":`), name...), append([]byte{','}, b[1:]...)...), nil
}

// Metrics reads t.File and gives every metric of each probability column with its interval,
// and the paired differences of each later column from the first.
func Metrics(ctx context.Context, t *MetricsTable) (*MetricsResult, error) {
	if len(t.Thresholds) == 0 {
		t.Thresholds = []float64{0.2}
	}
	for _, v := range t.Thresholds {
		if !(v > 0 && v < 1) {
			return nil, diag.Errorf(diag.Usage, "--threshold", "must be in (0, 1), got %v", v)
		}
	}
	for _, name := range t.Only {
		if !slices.Contains(assess.Metrics(), name) {
			e := diag.Errorf(diag.Usage, "--metric", "unknown metric %q", name)
			if near := diag.Nearest(name, assess.Metrics()); near != "" {
				e.Hint = "did you mean \"" + near + "\"?"
			}
			return nil, e
		}
	}
	specs := map[string]frame.ColumnSpec{t.Outcome: {Kind: frame.Number}}
	need := append([]string{t.Outcome}, t.Prob...)
	if t.Weight != "" {
		need = append(need, t.Weight)
	}
	for _, n := range need {
		specs[n] = frame.ColumnSpec{Kind: frame.Number}
	}
	f, ws, err := ReadTable(ctx, t.File, nil, "", specs, t.Workers)
	if err != nil {
		return nil, err
	}
	if f, err = f.Select(need...); err != nil {
		return nil, inFile(t.File, err)
	}
	y, err := binary(f.At(0), filepath.Base(t.File))
	if err != nil {
		return nil, err
	}
	out := &MetricsResult{N: f.Rows(), Events: countTrue(y), Comparisons: []assess.Comparison{}, Warnings: []diag.Warning{}}
	out.Warnings = diag.Merge(out.Warnings, ws...)
	var weight []float64
	if t.Weight != "" {
		weight = f.At(len(need) - 1).Numbers()
	}
	if err := probabilities(f, t.Prob, filepath.Base(t.File)); err != nil {
		return nil, err
	}
	data := make([]metric.Data, len(t.Prob))
	for k, name := range t.Prob {
		data[k] = metric.Data{Y: y, P: f.At(1 + k).Numbers(), W: weight}
		es, more, err := assess.Fixed(ctx, data[k], &assess.FixedOptions{
			Thresholds: t.Thresholds, Level: t.Level, Stream: rng.New(t.Seed).Child("metrics", k), Workers: t.Workers, Only: t.Only,
		})
		if err != nil {
			return nil, &diag.Error{Kind: diag.KindOf(err), Pos: diag.Pos{File: filepath.Base(t.File)}, Field: name, Err: err}
		}
		out.Warnings = diag.Merge(out.Warnings, more...)
		for _, e := range es {
			out.Metrics = append(out.Metrics, ColumnEstimate{name, e})
		}
	}
	for k := 1; k < len(data); k++ {
		c, err := assess.CompareFixed(t.Prob[0], t.Prob[k], data[0], data[k], t.Thresholds, t.Level)
		if err != nil {
			return nil, err
		}
		out.Comparisons = append(out.Comparisons, c...)
	}
	return out, nil
}

// binary reads an outcome column of 0 and 1 without gaps.
func binary(c frame.Column, file string) ([]bool, error) {
	y := make([]bool, c.Len())
	var faults diag.List
	for i, v := range c.Numbers() {
		what := ""
		switch {
		case v == 1:
			y[i] = true
		case v == 0:
		case math.IsNaN(v):
			what = "a missing value"
		default:
			what = "another number"
		}
		if what != "" {
			e := diag.Errorf(diag.Invalid, c.Name, "expected 0 or 1, got %s", what)
			e.Pos = diag.Pos{File: file, Line: i + 2}
			faults.Add(e)
		}
	}
	return y, faults.Err()
}

// probabilities checks that each named column holds a number from 0 to 1 in every row.
func probabilities(f *frame.Frame, names []string, file string) error {
	var faults diag.List
	for _, name := range names {
		c, _ := f.Column(name)
		for i, v := range c.Numbers() {
			what := ""
			switch {
			case math.IsNaN(v):
				what = "a missing value"
			case v < 0:
				what = "one below 0"
			case v > 1:
				what = "one above 1"
			}
			if what != "" {
				e := diag.Errorf(diag.Invalid, name, "expected a probability from 0 to 1, got %s", what)
				e.Pos = diag.Pos{File: file, Line: i + 2}
				faults.Add(e)
			}
		}
	}
	return faults.Err()
}
