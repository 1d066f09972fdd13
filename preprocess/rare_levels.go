package preprocess

import (
	"context"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// RareLevels merges the levels of a category met too seldom in training into one. A level
// not met in training at all joins them if there is such a group (the model has learnt what
// it means), else it becomes missing. Gaps stay gaps.
type RareLevels struct {
	Columns  []string `json:"columns,omitempty"` // empty: every category column
	MinCount int      `json:"min_count"`         // merged if met fewer times
	MinShare float64  `json:"min_share"`         // or in less than this share of rows with a level
	Label    string   `json:"label"`             // of the merged level; a level already so called joins
}

// DefaultRareLevels merges levels with fewer than 10 training rows into "other".
func DefaultRareLevels() *RareLevels { return &RareLevels{MinCount: 10, Label: other} }

// Validate reports every fault at once.
func (s *RareLevels) Validate() error {
	var l diag.List
	if s.MinCount < 0 {
		l.Addf(diag.Invalid, "rare_levels.min_count", "expected at least 0, got %d", s.MinCount)
	}
	if !(s.MinShare >= 0 && s.MinShare < 1) {
		l.Addf(diag.Invalid, "rare_levels.min_share", "must be in [0, 1), got %g", s.MinShare)
	}
	if s.Label == "" {
		l.Addf(diag.Invalid, "rare_levels.label", "expected a name, got none")
	}
	return l.Err()
}

type merged struct {
	Columns []merge      `json:"columns"`
	Out     frame.Schema `json:"output"`
}

type merge struct {
	Field  frame.Field `json:"field"`  // as met in training
	Levels []string    `json:"levels"` // after merging
	Target []int32     `json:"target"` // per level of Field
	Other  int32       `json:"other"`  // -1 when nothing was merged
}

// Fit counts the levels. An ordered category loses its order when levels are merged.
func (s *RareLevels) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cols, err := pick(train, s.Columns, false, frame.Category)
	if err != nil {
		return nil, err
	}
	t := &merged{}
	for _, c := range cols {
		l := seen(c)
		n := c.Len() - c.MissingCount()
		m := merge{Field: l.Field, Other: -1, Levels: []string{}, Target: make([]int32, len(l.counts))}
		any := false
		for k, count := range l.counts {
			rare := count < s.MinCount || float64(count) < s.MinShare*float64(n)
			any = any || rare
			m.Target[k] = -1
			if !rare && l.Field.Levels[k] != s.Label {
				m.Target[k] = int32(len(m.Levels))
				m.Levels = append(m.Levels, l.Field.Levels[k])
			}
		}
		if any || slices.Contains(l.Field.Levels, s.Label) {
			m.Other = int32(len(m.Levels))
			m.Levels = append(m.Levels, s.Label)
			for k, to := range m.Target {
				if to < 0 {
					m.Target[k] = m.Other
				}
			}
		}
		t.Columns = append(t.Columns, m)
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

func (t *merged) Output() frame.Schema { return t.Out }

func (t *merged) Apply(_ context.Context, in *frame.Frame) (*frame.Frame, error) {
	e := newEdit()
	var faults diag.List
	for _, m := range t.Columns {
		c, err := need(in, m.Field)
		if err != nil {
			faults.AddErr(err)
			continue
		}
		codes := recode(c, m.Field.Levels)
		for i, k := range codes {
			switch {
			case k == unseen:
				codes[i] = m.Other
			case k >= 0:
				codes[i] = m.Target[k]
			}
		}
		f := c.Field
		f.Levels = m.Levels
		f.Ordered = f.Ordered && m.Other < 0
		e.set(c.Name, frame.CategoryColumn(f, codes))
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return e.apply(in)
}

func (t *merged) Check(in *frame.Frame) []diag.Warning {
	var ws []diag.Warning
	for _, m := range t.Columns {
		becomes := "missing"
		if m.Other >= 0 && int(m.Other) < len(m.Levels) {
			becomes = m.Levels[m.Other]
		}
		ws = append(ws, checkLevels(in, m.Field, becomes)...)
	}
	return ws
}

func (t *merged) check() error {
	for _, m := range t.Columns {
		if m.Field.Kind != frame.Category || len(m.Target) != len(m.Field.Levels) {
			return damaged(m.Field.Name, "expected a category with a target for each of %d levels", len(m.Field.Levels))
		}
		for _, k := range append([]int32{m.Other}, m.Target...) {
			if k < -1 || int(k) >= len(m.Levels) {
				return damaged(m.Field.Name, "expected a target below %d, got %d", len(m.Levels), k)
			}
		}
	}
	return nil
}
