package preprocess

import (
	"context"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// OneHot replaces a category by 0/1 columns named NAME=LEVEL, one for each level met in
// training. What becomes of the rest:
//
//   - A level not met in training is 0 in all of them, so with drop first it reads as the
//     first level; with unknown other it goes to NAME=other where that column exists.
//   - A gap has a column of its own, NAME:missing, if the training rows had gaps (missing
//     level); otherwise, or with missing zero, it is 0 in all.
//   - Levels (and gaps, if they have a column) met fewer than min_count times share
//     NAME=other; a level already called other joins them.
type OneHot struct {
	Columns  []string `json:"columns,omitempty"` // empty: every category column
	Drop     string   `json:"drop"`              // none, or first: leave out the first level as reference
	Unknown  string   `json:"unknown"`           // zero, or other
	Missing  string   `json:"missing"`           // level, or zero
	MinCount int      `json:"min_count"`         // 0 or 1: no grouping
}

// DefaultOneHot drops the first level.
func DefaultOneHot() *OneHot {
	return &OneHot{Drop: "first", Unknown: "zero", Missing: "level"}
}

// Validate reports every fault at once.
func (s *OneHot) Validate() error {
	var l diag.List
	oneOf(&l, "one_hot.drop", s.Drop, "none", "first")
	oneOf(&l, "one_hot.unknown", s.Unknown, "zero", "other")
	oneOf(&l, "one_hot.missing", s.Missing, "level", "zero")
	if s.MinCount < 0 {
		l.Addf(diag.Invalid, "one_hot.min_count", "expected at least 0, got %d", s.MinCount)
	}
	return l.Err()
}

const other = "other"

type oneHot struct {
	Columns []dummies    `json:"columns"`
	Out     frame.Schema `json:"output"`
}

// dummies says which 0/1 column each level sets; -1 is none.
type dummies struct {
	Field   frame.Field `json:"field"`
	Names   []string    `json:"names"`  // of the columns: a level, or other; the gap column is last if Gap
	Target  []int       `json:"target"` // per level of Field
	Unknown int         `json:"unknown"`
	Missing int         `json:"missing"`
	Gap     bool        `json:"gap,omitempty"`
}

// Fit learns the levels.
func (s *OneHot) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cols, err := pick(train, s.Columns, false, frame.Category)
	if err != nil {
		return nil, err
	}
	t := &oneHot{}
	for _, c := range cols {
		t.Columns = append(t.Columns, s.learn(c))
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

func (s *OneHot) learn(c frame.Column) dummies {
	l := seen(c)
	d := dummies{Field: l.Field, Target: make([]int, len(l.counts)), Unknown: -1, Missing: -1}
	gaps := c.MissingCount()
	gapColumn := s.Missing == "level" && gaps > 0
	var rare []int
	group := gapColumn && gaps < s.MinCount // gaps in the group
	for k, n := range l.counts {
		if n < s.MinCount {
			rare = append(rare, k)
		}
	}
	if k := slices.Index(l.Field.Levels, other); k >= 0 && (len(rare) > 0 || group) && !slices.Contains(rare, k) {
		rare = append(rare, k)
	}
	for k, name := range l.Field.Levels {
		if !slices.Contains(rare, k) {
			d.Target[k] = len(d.Names)
			d.Names = append(d.Names, name)
		}
	}
	if len(rare) > 0 || group {
		at := len(d.Names)
		d.Names = append(d.Names, other)
		for _, k := range rare {
			d.Target[k] = at
		}
		if group {
			d.Missing = at
		}
		if s.Unknown == other {
			d.Unknown = at
		}
	}
	if s.Drop == "first" && len(d.Names) > 0 {
		d.Names = slices.Delete(d.Names, 0, 1)
		for k := range d.Target {
			d.Target[k]--
		}
		d.Unknown, d.Missing = max(d.Unknown-1, -1), max(d.Missing-1, -1)
	}
	if gapColumn && !group {
		d.Missing, d.Gap = len(d.Names), true
		d.Names = append(d.Names, "")
	}
	return d
}

func (t *oneHot) Output() frame.Schema { return t.Out }

func (t *oneHot) Apply(_ context.Context, in *frame.Frame) (*frame.Frame, error) {
	e := newEdit()
	var faults diag.List
	for _, d := range t.Columns {
		c, err := need(in, d.Field)
		if err != nil {
			faults.AddErr(err)
			continue
		}
		e.set(c.Name, d.columns(c)...)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return e.apply(in)
}

func (d dummies) columns(c frame.Column) []frame.Column {
	v := make([][]float64, len(d.Names))
	for j := range v {
		v[j] = make([]float64, c.Len())
	}
	for i, k := range recode(c, d.Field.Levels) {
		to := d.Missing
		switch {
		case k == unseen:
			to = d.Unknown
		case k >= 0:
			to = d.Target[k]
		}
		if to >= 0 {
			v[to][i] = 1
		}
	}
	cols := make([]frame.Column, len(v))
	for j, name := range d.Names {
		if d.Gap && j == len(v)-1 {
			cols[j] = indicatorColumn(c.Field, v[j])
			continue
		}
		cols[j] = frame.NumberColumn(frame.Field{Name: c.Name + "=" + name, Modality: c.Modality, Parent: c.Source()}, v[j])
	}
	return cols
}

func (t *oneHot) Check(in *frame.Frame) []diag.Warning {
	var ws []diag.Warning
	for _, d := range t.Columns {
		becomes := "0 in every column"
		if d.Unknown >= 0 {
			becomes = other
		}
		ws = append(ws, checkLevels(in, d.Field, becomes)...)
	}
	return ws
}

func (t *oneHot) check() error {
	for _, d := range t.Columns {
		if len(d.Target) != len(d.Field.Levels) {
			return damaged(d.Field.Name, "expected a target for each of %d levels, got %d", len(d.Field.Levels), len(d.Target))
		}
		for _, k := range append([]int{d.Unknown, d.Missing}, d.Target...) {
			if k >= len(d.Names) {
				return damaged(d.Field.Name, "expected a target below %d, got %d", len(d.Names), k)
			}
		}
	}
	return nil
}
