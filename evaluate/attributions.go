package evaluate

import (
	"context"

	"dolor/frame"
)

// Explainer splits the scores that f gives the rows of x, whose outcome f has not seen. What it
// cannot explain it says in Note, with no row.
type Explainer func(ctx context.Context, f *Fitted, x *frame.Frame) (*Explained, error)

// Explained is the scores of some rows in parts that add up to them.
type Explained struct {
	Predictors []string  `json:"predictors"`
	Phi        []float64 `json:"phi"`  // [rows, predictors] row-major
	Base       []float64 `json:"base"` // one a row
	Scale      string    `json:"scale"`
	Background string    `json:"background"`
	Averaging  string    `json:"averaging"`
	Note       string    `json:"note,omitempty"` // why there are none
}

// Attributions is what the fits of a run said of the rows they had not seen, fit by fit in task
// order.
type Attributions struct {
	Task
	Validation []string // of each row: internal, site, temporal, external
	Row        []int    // 1-based row of the data as read
	*Explained
}

// explain asks about the rows that were held out from the fit of t.
func (t *Task) explain(ctx context.Context, d *Data, f *Fitted, ask Explainer) (*Explained, error) {
	rows := t.heldOut()
	if ask == nil || len(rows) == 0 {
		return nil, nil
	}
	return ask(ctx, f, d.X.Take(rows))
}

// heldOut is the rows of test that the fit has not seen: none of a bootstrap, and of the final
// fit those of the temporal and external tests.
func (t *Task) heldOut() []int {
	switch t.Kind {
	case kindBootstrap:
		return nil
	case kindFinal:
		return t.test[len(t.test)-t.unseen:]
	default:
		return t.test
	}
}

// explained keeps what a task said; where names the part of rows that are not development.
func (r *Result) explained(t *Task, e *Explained, where map[int]string) {
	if e == nil {
		return
	}
	a := Attributions{Task: *t, Explained: e}
	for _, row := range t.heldOut() {
		v := t.Kind
		if v == kindFinal {
			v = where[row]
		}
		a.Validation, a.Row = append(a.Validation, v), append(a.Row, row+1)
	}
	r.Attributions = append(r.Attributions, a)
}
