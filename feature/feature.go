// Package feature turns a history cut at time zero into typed columns; one folder per
// modality.
//
// An [Extractor] declares its columns with window, unit and range, and fills one [Row] a
// patient from a [clinical.Past], which holds nothing of what came later. [Build] runs
// extractors over pasts and returns the frame.
package feature

import (
	"context"
	"math"
	"slices"

	"dolor/clinical"
	"dolor/diag"
	"dolor/frame"
	"dolor/internal/par"
)

// Column declares one predictor.
type Column struct {
	frame.Field
	From, To   int     // window in days from time zero, both included; To 0 reaches up to the timestamp
	Min, Max   float64 // plausible range of a number; a value outside becomes missing with a warning; both 0: none
	Direction  string  // "higher is worse", "higher is better" or empty
	Definition string  // one sentence
	Source     string  // guideline, paper or "ours"
	Codes      []clinical.Code
}

// Extractor computes the predictors of one modality. It is safe for concurrent use.
type Extractor interface {
	// Columns declares the columns, in the order of the row. They never depend on patients.
	Columns() []Column
	// Extract fills row, whose cells start missing, from one patient's past.
	Extract(ctx context.Context, past *clinical.Past, row *Row) error
}

// Row is one patient's cells of one extractor.
type Row struct {
	cols     []Column
	num      []float64
	code     []int32
	text     []string
	has      []bool
	warnings []diag.Warning
}

func newRow(cols []Column) *Row {
	r := &Row{cols: cols, num: make([]float64, len(cols)), code: make([]int32, len(cols)), text: make([]string, len(cols)), has: make([]bool, len(cols))}
	r.reset()
	return r
}

func (r *Row) reset() {
	for j := range r.num {
		r.num[j], r.code[j], r.text[j], r.has[j] = math.NaN(), -1, "", false
	}
	r.warnings = r.warnings[:0]
}

// Number sets number column j; NaN is missing. A value that is infinite or outside the
// declared range becomes missing and is warned of.
func (r *Row) Number(j int, v float64) {
	c := &r.cols[j]
	if math.IsInf(v, 0) || (c.Min != 0 || c.Max != 0) && (v < c.Min || v > c.Max) {
		r.Warn("out_of_range", c.Name+": a value outside the declared range became missing")
		v = math.NaN()
	}
	r.num[j] = v
}

// Level sets category column j. A level that is not declared becomes missing and is warned of.
func (r *Row) Level(j int, level string) {
	k := slices.Index(r.cols[j].Levels, level)
	if k < 0 {
		r.Warn("unknown_level", r.cols[j].Name+": a level that is not declared became missing")
	}
	r.code[j] = int32(k)
}

// Levels returns the declared levels of category column j.
func (r *Row) Levels(j int) []string { return r.cols[j].Levels }

// Text sets text column j.
func (r *Row) Text(j int, s string) { r.text[j], r.has[j] = s, true }

// Warn counts something the reader of the frame must know; msg holds no patient's value.
func (r *Row) Warn(code, msg string) {
	r.warnings = diag.Merge(r.warnings, diag.Warning{Code: code, Msg: msg, Count: 1})
}

// Build runs every extractor over every past and returns the frame, one row a past in their
// order, columns in the order of the extractors, and the warnings merged. The result does not
// depend on workers (0 means GOMAXPROCS). Two columns of one name are an error of kind Internal.
func Build(ctx context.Context, pasts []*clinical.Past, extractors []Extractor, workers int) (*frame.Frame, []diag.Warning, error) {
	var cols []Column
	start := make([]int, len(extractors)+1)
	for e, x := range extractors {
		cols = append(cols, x.Columns()...)
		start[e+1] = len(cols)
	}
	cells := newCells(cols, len(pasts))
	const batch = 64
	n := (len(pasts) + batch - 1) / batch
	warnings := make([][]diag.Warning, n)
	err := par.For(ctx, n, workers, func(ctx context.Context, b int) error {
		rows := make([]*Row, len(extractors))
		for e := range extractors {
			rows[e] = newRow(cols[start[e]:start[e+1]])
		}
		for i := b * batch; i < min((b+1)*batch, len(pasts)); i++ {
			for e, x := range extractors {
				rows[e].reset()
				if err := x.Extract(ctx, pasts[i], rows[e]); err != nil {
					return err
				}
				cells.put(i, start[e], rows[e])
				warnings[b] = diag.Merge(warnings[b], rows[e].warnings...)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var all []diag.Warning
	for _, w := range warnings {
		all = diag.Merge(all, w...)
	}
	f, err := cells.frame(len(pasts))
	return f, all, err
}

// cells is the table under construction, by column.
type cells struct {
	cols []Column
	num  [][]float64
	code [][]int32
	text [][]string
	has  [][]bool
}

func newCells(cols []Column, rows int) *cells {
	c := &cells{cols: cols, num: make([][]float64, len(cols)), code: make([][]int32, len(cols)), text: make([][]string, len(cols)), has: make([][]bool, len(cols))}
	for j := range cols {
		switch cols[j].Kind {
		case frame.Category:
			c.code[j] = make([]int32, rows)
		case frame.Text:
			c.text[j], c.has[j] = make([]string, rows), make([]bool, rows)
		default:
			c.num[j] = make([]float64, rows)
		}
	}
	return c
}

func (c *cells) put(i, at int, r *Row) {
	for k := range r.cols {
		j := at + k
		switch c.cols[j].Kind {
		case frame.Category:
			c.code[j][i] = r.code[k]
		case frame.Text:
			c.text[j][i], c.has[j][i] = r.text[k], r.has[k]
		default:
			c.num[j][i] = r.num[k]
		}
	}
}

func (c *cells) frame(rows int) (*frame.Frame, error) {
	out := make([]frame.Column, len(c.cols))
	for j := range c.cols {
		f := c.cols[j].Field
		switch f.Kind {
		case frame.Category:
			out[j] = frame.CategoryColumn(f, c.code[j])
		case frame.Text:
			out[j] = frame.TextColumn(f, c.text[j], c.has[j])
		default:
			out[j] = frame.NumberColumn(f, c.num[j])
		}
	}
	return frame.New(rows, out...)
}
