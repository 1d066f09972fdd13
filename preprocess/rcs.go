package preprocess

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/smooth"
	"dolor/rng"
)

// RCS expands a number into a restricted cubic spline: linear beyond the outer knots (Stone
// and Koo 1985; Harrell, Regression Modeling Strategies, 2nd edition 2015,
// doi:10.1007/978-3-319-19425-7, section 2.4.5). K knots give K-1 columns: the number itself
// and K-2 terms named age', age”, in its unit. Knots lie at Harrell's quantiles of the
// training rows (table 2.3); where ties make knots coincide fewer are used, and below three
// distinct ones the column stays linear, with a warning. Gaps stay gaps.
type RCS struct {
	Columns []string `json:"columns,omitempty"` // empty: every number column but indicators
	Knots   int      `json:"knots"`             // 3 to 7
}

// DefaultRCS places five knots, Harrell's advice for samples above 100.
func DefaultRCS() *RCS { return &RCS{Knots: 5} }

// Validate reports every fault at once.
func (s *RCS) Validate() error {
	if s.Knots < 3 || s.Knots > 7 {
		return diag.Errorf(diag.Invalid, "rcs.knots", "expected 3 to 7, got %d", s.Knots)
	}
	return nil
}

// knotQuantiles are the positions of table 2.3 of Regression Modeling Strategies, by number
// of knots less 3; those for 7 are printed to four digits.
var knotQuantiles = [...][]float64{
	{0.1, 0.5, 0.9},
	{0.05, 0.35, 0.65, 0.95},
	{0.05, 0.275, 0.5, 0.725, 0.95},
	{0.05, 0.23, 0.41, 0.59, 0.77, 0.95},
	{0.025, 0.1833, 0.3417, 0.5, 0.6583, 0.8167, 0.975},
}

// Knots returns Harrell's k knots (3 to 7) for the values of v that are not NaN: type 7
// quantiles, the outer two replaced by the fifth smallest and largest value below 100 values
// (and by the extremes below 5). Knots that coincide are returned once, so there may be
// fewer than k; nil when k is out of range or nothing is present.
func Knots(v []float64, k int) []float64 {
	x := sorted(v)
	n := len(x)
	if n == 0 || k < 3 || k > 7 {
		return nil
	}
	knots := make([]float64, k)
	for i, p := range equallySpaced(k) {
		knots[i] = quantile(x, p)
	}
	if n < 100 {
		fifth := min(4, n-1)
		knots[0], knots[k-1] = x[fifth], x[n-1-fifth]
		slices.Sort(knots)
	}
	return slices.Compact(knots)
}

// equallySpaced returns the quantiles of knotQuantiles to full precision: those for six and
// seven knots are equally spaced between the outer ones, as R's Hmisc computes them.
func equallySpaced(k int) []float64 {
	p := slices.Clone(knotQuantiles[k-3])
	lo, hi := p[0], p[k-1]
	for i := 1; i < k-1 && k >= 4; i++ {
		p[i] = lo + (hi-lo)*float64(i)/float64(k-1)
	}
	return p
}

// Basis fills dst (len(knots)-2) with the terms after the linear one at x: Harrell's
// equation 2.25 divided by the squared distance of the outer knots. knots must be strictly
// increasing, at least three. NaN gives NaN.
func Basis(dst []float64, x float64, knots []float64) { smooth.Terms(x, knots, dst) }

type splined struct {
	Columns []spline     `json:"columns"`
	Out     frame.Schema `json:"output"`
	Asked   int          `json:"knots"`
}

type spline struct {
	Field frame.Field `json:"field"`
	Knots []float64   `json:"knots"` // fewer than 3: linear
}

// Fit places the knots. A column wholly missing in training is an error of kind Unfit.
func (s *RCS) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cols, err := pick(train, s.Columns, false, frame.Number)
	if err != nil {
		return nil, err
	}
	t := &splined{Asked: s.Knots}
	var faults diag.List
	for _, c := range cols {
		knots := Knots(c.Numbers(), s.Knots)
		if knots == nil {
			faults.Add(allMissing(c.Name))
			continue
		}
		t.Columns = append(t.Columns, spline{c.Field, knots})
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

func (t *splined) Output() frame.Schema { return t.Out }

func (t *splined) Apply(_ context.Context, in *frame.Frame) (*frame.Frame, error) {
	e := newEdit()
	var faults diag.List
	for _, s := range t.Columns {
		c, err := need(in, s.Field)
		if err != nil {
			faults.AddErr(err)
			continue
		}
		if len(s.Knots) < 3 {
			continue
		}
		terms := make([][]float64, len(s.Knots)-2)
		for j := range terms {
			terms[j] = make([]float64, c.Len())
		}
		at := make([]float64, len(terms))
		for i, x := range c.Numbers() {
			Basis(at, x, s.Knots)
			for j, b := range at {
				terms[j][i] = b
			}
		}
		cols := []frame.Column{c}
		for j, v := range terms {
			cols = append(cols, frame.NumberColumn(frame.Field{
				Name: c.Name + strings.Repeat("'", j+1), Modality: c.Modality, Unit: c.Unit, Parent: c.Source(),
			}, v))
		}
		e.set(c.Name, cols...)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return e.apply(in)
}

func (t *splined) Warnings() []diag.Warning {
	var ws []diag.Warning
	for _, s := range t.Columns {
		if n := len(s.Knots); n < t.Asked {
			msg := s.Field.Name + ": ties leave " + strconv.Itoa(n) + " distinct knots of " + strconv.Itoa(t.Asked)
			if n < 3 {
				msg += ", kept linear"
			}
			ws = append(ws, diag.Warning{Code: "few_knots", Msg: msg, Count: 1, First: s.Field.Name})
		}
	}
	return ws
}

func (t *splined) check() error {
	for _, s := range t.Columns {
		for i, k := range s.Knots {
			if i > 0 && !(k > s.Knots[i-1]) || math.IsNaN(k) {
				return damaged(s.Field.Name, "expected increasing knots")
			}
		}
		if s.Field.Kind != frame.Number || len(s.Knots) > 7 {
			return damaged(s.Field.Name, "expected a number column with at most 7 knots")
		}
	}
	return nil
}
