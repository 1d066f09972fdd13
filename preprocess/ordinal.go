package preprocess

import (
	"context"
	"math"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// Ordinal replaces a category by the rank (from 0) of its level among those met in training:
// in the field's order if it is ordered, else alphabetical. The column keeps its name.
type Ordinal struct {
	Columns      []string `json:"columns,omitempty"`       // empty: every category column
	UnknownValue *float64 `json:"unknown_value,omitempty"` // of a level not met in training; none: missing
	MissingValue *float64 `json:"missing_value,omitempty"` // of a gap; none: it stays missing
}

// Validate reports every fault at once.
func (s *Ordinal) Validate() error {
	var l diag.List
	check := func(name string, v *float64) {
		if v != nil && !finite(*v) {
			l.Addf(diag.Invalid, "ordinal."+name, "expected a finite number")
		}
	}
	check("unknown_value", s.UnknownValue)
	check("missing_value", s.MissingValue)
	return l.Err()
}

type ordinal struct {
	Columns []frame.Field `json:"columns"`
	Unknown *float64      `json:"unknown_value,omitempty"`
	Missing *float64      `json:"missing_value,omitempty"`
	Out     frame.Schema  `json:"output"`
}

// Fit learns the levels.
func (s *Ordinal) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cols, err := pick(train, s.Columns, false, frame.Category)
	if err != nil {
		return nil, err
	}
	t := &ordinal{Unknown: s.UnknownValue, Missing: s.MissingValue}
	for _, c := range cols {
		t.Columns = append(t.Columns, seen(c).Field)
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

func (t *ordinal) Output() frame.Schema { return t.Out }

func (t *ordinal) Apply(_ context.Context, in *frame.Frame) (*frame.Frame, error) {
	cols, err := needAll(in, t.Columns)
	if err != nil {
		return nil, err
	}
	or := func(p *float64) float64 {
		if p == nil {
			return math.NaN()
		}
		return *p
	}
	e := newEdit()
	for j, c := range cols {
		v := make([]float64, c.Len())
		for i, k := range recode(c, t.Columns[j].Levels) {
			switch k {
			case unseen:
				v[i] = or(t.Unknown)
			case -1:
				v[i] = or(t.Missing)
			default:
				v[i] = float64(k)
			}
		}
		f := c.Field
		f.Ordered = false
		e.set(c.Name, frame.NumberColumn(f, v))
	}
	return e.apply(in)
}

func (t *ordinal) Check(in *frame.Frame) []diag.Warning {
	becomes := "missing"
	if t.Unknown != nil {
		becomes = "the unknown value"
	}
	var ws []diag.Warning
	for _, f := range t.Columns {
		ws = append(ws, checkLevels(in, f, becomes)...)
	}
	return ws
}

func (t *ordinal) check() error { return allCategories(t.Columns) }

func allCategories(fields []frame.Field) error {
	for _, f := range fields {
		if f.Kind != frame.Category {
			return damaged(f.Name, "expected a category column, got a %s", f.Kind)
		}
	}
	return nil
}
