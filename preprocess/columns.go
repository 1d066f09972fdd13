package preprocess

import (
	"context"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
)

// pick returns the columns a step acts on: those named, else every column of the kinds. A
// missingness indicator is taken only when named or when all is set. Errors: no training
// rows (Unfit), a name that is not there (Missing), a wrong kind or an infinite value
// (Invalid).
func pick(train *frame.Frame, names []string, all bool, kinds ...frame.Kind) ([]frame.Column, error) {
	if train.Rows() == 0 {
		return nil, diag.Errorf(diag.Unfit, "", "expected at least 1 training row, got 0")
	}
	var cols []frame.Column
	var faults diag.List
	if len(names) == 0 {
		for i := range train.Cols() {
			if c := train.At(i); slices.Contains(kinds, c.Kind) && (all || !c.Missing) {
				cols = append(cols, c)
			}
		}
	}
	for _, n := range names {
		c, ok := train.Column(n)
		switch {
		case !ok:
			faults.Add(train.NoColumn(n))
		case !slices.Contains(kinds, c.Kind):
			faults.Addf(diag.Invalid, n, "expected %s, got a %s column", kindList(kinds), c.Kind)
		default:
			cols = append(cols, c)
		}
	}
	for _, c := range cols {
		inf := 0
		for _, v := range c.Numbers() {
			if math.IsInf(v, 0) {
				inf++
			}
		}
		if inf > 0 {
			faults.Addf(diag.Invalid, c.Name, "expected finite numbers, got %d infinite", inf)
		}
	}
	return cols, faults.Err()
}

func kindList(kinds []frame.Kind) string {
	if len(kinds) == 1 {
		return "a " + kinds[0].String() + " column"
	}
	return "a number or category column"
}

// need returns the column f was learnt on. It checks kind and unit; an empty unit on either
// side agrees with any.
func need(in *frame.Frame, f frame.Field) (frame.Column, error) {
	c, ok := in.Column(f.Name)
	switch {
	case !ok:
		return c, in.NoColumn(f.Name)
	case c.Kind != f.Kind:
		return c, diag.Errorf(diag.Invalid, f.Name, "expected a %s column, got a %s", f.Kind, c.Kind)
	case c.Unit != f.Unit && c.Unit != "" && f.Unit != "":
		return c, diag.Errorf(diag.Invalid, f.Name, "expected unit %s, got %s", f.Unit, c.Unit)
	}
	return c, nil
}

// needAll is need for every field, reporting all faults at once.
func needAll(in *frame.Frame, fields []frame.Field) ([]frame.Column, error) {
	cols := make([]frame.Column, len(fields))
	var faults diag.List
	for i, f := range fields {
		c, err := need(in, f)
		faults.AddErr(err)
		cols[i] = c
	}
	return cols, faults.Err()
}

// edit says how a frame changes: named columns are replaced in place by any number of
// others, and more are appended at the end.
type edit struct {
	repl map[string][]frame.Column
	tail []frame.Column
}

func newEdit() *edit { return &edit{repl: map[string][]frame.Column{}} }

func (e *edit) set(name string, cols ...frame.Column) { e.repl[name] = cols }

func (e *edit) apply(in *frame.Frame) (*frame.Frame, error) {
	cols := make([]frame.Column, 0, in.Cols()+len(e.tail))
	for i := range in.Cols() {
		c := in.At(i)
		if r, ok := e.repl[c.Name]; ok {
			cols = append(cols, r...)
		} else {
			cols = append(cols, c)
		}
	}
	return frame.New(in.Rows(), append(cols, e.tail...)...)
}

// output is the schema that t gives for the training frame. Levels that no training row
// has are left out: they may come from rows that must not be seen.
func output(ctx context.Context, t Transform, train *frame.Frame) (frame.Schema, error) {
	cols := make([]frame.Column, train.Cols())
	for i := range cols {
		c := train.At(i)
		cols[i] = c.Take(nil)
		if c.Kind == frame.Category {
			cols[i] = frame.CategoryColumn(seen(c).Field, nil)
		}
	}
	none, err := frame.New(0, cols...)
	if err != nil {
		return nil, err
	}
	out, err := t.Apply(ctx, none)
	if err != nil {
		return nil, err
	}
	return out.Schema(), nil
}

// levels is a category column recoded to what training rows hold: only levels that occur,
// sorted unless they are ordered.
type levels struct {
	Field  frame.Field
	codes  []int32
	counts []int
}

func seen(c frame.Column) levels {
	counts := make([]int, len(c.Levels))
	for _, k := range c.Codes() {
		if k >= 0 {
			counts[k]++
		}
	}
	var keep []int
	for k, n := range counts {
		if n > 0 {
			keep = append(keep, k)
		}
	}
	if !c.Ordered {
		slices.SortFunc(keep, func(a, b int) int {
			if c.Levels[a] < c.Levels[b] {
				return -1
			}
			return 1
		})
	}
	to := make([]int32, len(c.Levels))
	l := levels{Field: c.Field, codes: make([]int32, c.Len()), counts: make([]int, len(keep))}
	l.Field.Levels = make([]string, len(keep))
	for i, k := range keep {
		to[k], l.counts[i], l.Field.Levels[i] = int32(i), counts[k], c.Levels[k]
	}
	for i, k := range c.Codes() {
		l.codes[i] = -1
		if k >= 0 {
			l.codes[i] = to[k]
		}
	}
	return l
}

// unseen is the code that recode gives to a level not met in training.
const unseen = -2

// recode expresses c in the levels of training: -1 missing, -2 a level not among them.
func recode(c frame.Column, known []string) []int32 {
	pos := make(map[string]int32, len(known))
	for i, l := range known {
		pos[l] = int32(i)
	}
	to := make([]int32, len(c.Levels))
	for k, l := range c.Levels {
		to[k] = unseen
		if i, ok := pos[l]; ok {
			to[k] = i
		}
	}
	out := make([]int32, c.Len())
	for i, k := range c.Codes() {
		out[i] = -1
		if k >= 0 {
			out[i] = to[k]
		}
	}
	return out
}

// recodeKnown is recode with unseen levels made missing.
func recodeKnown(c frame.Column, known []string) []int32 {
	codes := recode(c, known)
	for i, k := range codes {
		codes[i] = max(k, -1)
	}
	return codes
}

// checkLevels counts cells of a category that training never met; becomes says what the
// step makes of them.
func checkLevels(in *frame.Frame, f frame.Field, becomes string) []diag.Warning {
	c, ok := in.Column(f.Name)
	if !ok || f.Kind != frame.Category || c.Kind != frame.Category {
		return nil
	}
	n := 0
	for _, k := range recode(c, f.Levels) {
		if k == unseen {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []diag.Warning{{Code: "unseen_level", Msg: f.Name + ": levels not met in training became " + becomes, Count: n, First: f.Name}}
}

// indicator is 1 where c is missing.
func indicator(c frame.Column) frame.Column {
	v := make([]float64, c.Len())
	for i := range v {
		if c.IsMissing(i) {
			v[i] = 1
		}
	}
	return indicatorColumn(c.Field, v)
}

func indicatorColumn(f frame.Field, v []float64) frame.Column {
	return frame.NumberColumn(frame.Field{
		Name: f.Name + ":missing", Modality: f.Modality, Parent: f.Source(), Missing: true,
	}, v)
}
