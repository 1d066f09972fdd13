package preprocess

import (
	"cmp"
	"context"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// Impute fills gaps with one value per column, learnt from the training rows that have it.
// A level not met in training counts as a gap. Ties of the mode go to the smallest number
// or the first level, as scikit-learn's SimpleImputer does.
type Impute struct {
	Columns   []string `json:"columns,omitempty"` // empty: every number and category column
	Number    string   `json:"number"`            // median, mean, mode, constant, or none to leave numbers alone
	Category  string   `json:"category"`          // mode, constant, or none
	Value     *float64 `json:"value,omitempty"`   // of number constant
	Level     string   `json:"level,omitempty"`   // of category constant; added to the levels
	Indicator bool     `json:"indicator"`         // add NAME:missing for each column with gaps in training
	Least     float64  `json:"indicator_share"`   // only where at least this share of the training rows is missing
	Empty     string   `json:"empty"`             // a column wholly missing in training: error, drop or constant
}

// DefaultImpute fills numbers by the median and categories by the mode, with indicators.
func DefaultImpute() *Impute {
	return &Impute{Number: "median", Category: "mode", Indicator: true, Empty: "error"}
}

// Validate reports every fault at once.
func (s *Impute) Validate() error {
	var l diag.List
	oneOf(&l, "impute.number", s.Number, "median", "mean", "mode", "constant", "none")
	oneOf(&l, "impute.category", s.Category, "mode", "constant", "none")
	oneOf(&l, "impute.empty", s.Empty, "error", "drop", "constant")
	if s.Value == nil && s.Number == "constant" {
		l.Addf(diag.Invalid, "impute.value", "expected the number to fill in, got none")
	}
	if s.Value != nil && (math.IsNaN(*s.Value) || math.IsInf(*s.Value, 0)) {
		l.Addf(diag.Invalid, "impute.value", "expected a finite number")
	}
	if !(s.Least >= 0 && s.Least <= 1) {
		l.Addf(diag.Invalid, "impute.indicator_share", "must be in [0, 1], got %v", s.Least)
	}
	if s.Level == "" && s.Category == "constant" {
		l.Addf(diag.Invalid, "impute.level", "expected the level to fill in, got none")
	}
	if s.Empty == "constant" && s.Value == nil && s.Level == "" {
		l.Addf(diag.Invalid, "impute.empty", "constant: expected a value or a level to fill in, got neither")
	}
	return l.Err()
}

type imputed struct {
	Columns []fill        `json:"columns"`
	Dropped []frame.Field `json:"dropped,omitempty"`
	Out     frame.Schema  `json:"output"`
}

type fill struct {
	Field     frame.Field `json:"field"` // levels: those of training, and the fill
	Value     float64     `json:"value"` // a number, or a code
	Indicator bool        `json:"indicator,omitempty"`
	Empty     bool        `json:"empty,omitempty"` // wholly missing in training
}

// Fit learns the fills. A column wholly missing in training is an error of kind Unfit unless
// Empty says otherwise; then there is a warning.
func (s *Impute) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	var kinds []frame.Kind
	if s.Number != "none" {
		kinds = append(kinds, frame.Number)
	}
	if s.Category != "none" {
		kinds = append(kinds, frame.Category)
	}
	cols, err := pick(train, s.Columns, false, kinds...)
	if err != nil {
		return nil, err
	}
	t := &imputed{}
	var faults diag.List
	for _, c := range cols {
		missing := c.MissingCount()
		empty := missing == c.Len()
		constant := c.Kind == frame.Number && s.Value != nil || c.Kind == frame.Category && s.Level != ""
		if empty && (s.Empty == "error" || s.Empty == "constant" && !constant) {
			faults.Add(allMissing(c.Name))
			continue
		}
		if empty && s.Empty == "drop" {
			t.Dropped = append(t.Dropped, seenField(c))
			continue
		}
		f := s.fill(c, empty)
		f.Indicator, f.Empty = s.Indicator && missing > 0 && float64(missing) >= s.Least*float64(c.Len()), empty
		t.Columns = append(t.Columns, f)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

func allMissing(name string) *diag.Error {
	e := diag.Errorf(diag.Unfit, name, "expected some values in the training rows, got none")
	e.Hint = "leave the column out, or put drop_missing first"
	return e
}

func seenField(c frame.Column) frame.Field {
	if c.Kind == frame.Category {
		return seen(c).Field
	}
	return c.Field
}

func (s *Impute) fill(c frame.Column, empty bool) fill {
	if c.Kind == frame.Category {
		l := seen(c)
		f := fill{Field: l.Field}
		if s.Category == "constant" || empty {
			k := slices.Index(f.Field.Levels, s.Level)
			if k < 0 {
				k = len(f.Field.Levels)
				f.Field.Levels = append(f.Field.Levels, s.Level)
			}
			f.Value = float64(k)
			return f
		}
		f.Value = float64(commonest(l.counts))
		return f
	}
	v := present(c.Numbers())
	f := fill{Field: c.Field}
	switch {
	case s.Number == "constant" || empty:
		f.Value = *s.Value
	case s.Number == "mean":
		f.Value = total(v) / float64(len(v))
	case s.Number == "mode":
		f.Value = mode(v)
	default:
		f.Value = median(v)
	}
	return f
}

// commonest returns the first position of the largest count.
func commonest(counts []int) int {
	best := 0
	for k, n := range counts {
		if n > counts[best] {
			best = k
		}
	}
	return best
}

// mode returns the smallest of the commonest values; it sorts v.
func mode(v []float64) float64 {
	slices.SortFunc(v, cmp.Compare[float64])
	best, count := v[0], 0
	for i := 0; i < len(v); {
		j := i
		for j < len(v) && v[j] == v[i] {
			j++
		}
		if j-i > count {
			best, count = v[i], j-i
		}
		i = j
	}
	return best
}

func (t *imputed) Output() frame.Schema { return t.Out }

func (t *imputed) Apply(_ context.Context, in *frame.Frame) (*frame.Frame, error) {
	e := newEdit()
	var faults diag.List
	for _, f := range t.Columns {
		c, err := need(in, f.Field)
		if err != nil {
			faults.AddErr(err)
			continue
		}
		field := c.Field
		var ind []float64
		if f.Indicator {
			ind = make([]float64, c.Len())
		}
		if c.Kind == frame.Category {
			codes := recodeKnown(c, f.Field.Levels)
			for i, k := range codes {
				if k < 0 {
					codes[i] = int32(f.Value)
					if ind != nil {
						ind[i] = 1
					}
				}
			}
			field.Levels = f.Field.Levels
			e.set(c.Name, frame.CategoryColumn(field, codes))
		} else {
			v := slices.Clone(c.Numbers())
			for i, x := range v {
				if x != x {
					v[i] = f.Value
					if ind != nil {
						ind[i] = 1
					}
				}
			}
			e.set(c.Name, frame.NumberColumn(field, v))
		}
		if ind != nil {
			e.tail = append(e.tail, indicatorColumn(c.Field, ind))
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	for _, f := range t.Dropped {
		e.set(f.Name)
	}
	return e.apply(in)
}

func (t *imputed) Check(in *frame.Frame) []diag.Warning {
	var ws []diag.Warning
	for _, f := range t.Columns {
		ws = append(ws, checkLevels(in, f.Field, "missing")...)
	}
	return ws
}

func (t *imputed) Warnings() []diag.Warning {
	ws := dropWarnings("column_all_missing", "wholly missing in training, dropped", t.Dropped)
	for _, f := range t.Columns {
		if f.Empty {
			ws = append(ws, diag.Warning{Code: "column_all_missing", Msg: f.Field.Name + ": wholly missing in training, filled with a constant", Count: 1, First: f.Field.Name})
		}
	}
	return ws
}

func (t *imputed) check() error {
	for _, f := range t.Columns {
		if f.Field.Kind == frame.Category && !(f.Value >= 0 && f.Value < float64(len(f.Field.Levels)) && f.Value == math.Trunc(f.Value)) {
			return damaged(f.Field.Name, "expected the fill to be one of %d levels", len(f.Field.Levels))
		}
	}
	return nil
}

// dropWarnings names each dropped column.
func dropWarnings(code, why string, dropped []frame.Field) []diag.Warning {
	var ws []diag.Warning
	for _, f := range dropped {
		ws = append(ws, diag.Warning{Code: code, Msg: f.Name + ": " + why, Count: 1, First: f.Name})
	}
	return ws
}
