package preprocess

import (
	"context"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// Winsorise pulls values beyond two training quantiles (type 7) in to them. Gaps stay gaps.
type Winsorise struct {
	Columns []string `json:"columns,omitempty"` // empty: every number column but indicators
	Lower   float64  `json:"lower"`             // quantile, 0 leaves the low end alone up to the training minimum
	Upper   float64  `json:"upper"`
}

// DefaultWinsorise limits to the 1st and 99th percentile.
func DefaultWinsorise() *Winsorise { return &Winsorise{Lower: 0.01, Upper: 0.99} }

// Validate reports every fault at once.
func (s *Winsorise) Validate() error {
	var l diag.List
	if !(s.Lower >= 0 && s.Lower <= 1) {
		l.Addf(diag.Invalid, "winsorise.lower", "must be in [0, 1], got %g", s.Lower)
	}
	if !(s.Upper <= 1 && s.Upper > s.Lower) {
		l.Addf(diag.Invalid, "winsorise.upper", "must be in (lower, 1], got %g", s.Upper)
	}
	return l.Err()
}

type limited struct {
	Columns []limits     `json:"columns"`
	Out     frame.Schema `json:"output"`
}

type limits struct {
	Field frame.Field `json:"field"`
	Lower float64     `json:"lower"`
	Upper float64     `json:"upper"`
}

// Fit learns the limits. A column wholly missing in training is an error of kind Unfit.
func (s *Winsorise) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cols, err := pick(train, s.Columns, false, frame.Number)
	if err != nil {
		return nil, err
	}
	t := &limited{}
	var faults diag.List
	for _, c := range cols {
		v := sorted(c.Numbers())
		if len(v) == 0 {
			faults.Add(allMissing(c.Name))
			continue
		}
		t.Columns = append(t.Columns, limits{c.Field, quantile(v, s.Lower), quantile(v, s.Upper)})
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

func (t *limited) Output() frame.Schema { return t.Out }

func (t *limited) Apply(_ context.Context, in *frame.Frame) (*frame.Frame, error) {
	e := newEdit()
	var faults diag.List
	for _, l := range t.Columns {
		c, err := need(in, l.Field)
		if err != nil {
			faults.AddErr(err)
			continue
		}
		v := make([]float64, c.Len())
		for i, x := range c.Numbers() {
			v[i] = clip(x, l.Lower, l.Upper)
		}
		e.set(c.Name, frame.NumberColumn(c.Field, v))
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return e.apply(in)
}

func (t *limited) check() error {
	for _, l := range t.Columns {
		if l.Field.Kind != frame.Number || !(l.Lower <= l.Upper) {
			return damaged(l.Field.Name, "expected a number column with lower not above upper")
		}
	}
	return nil
}
