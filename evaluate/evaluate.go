// Package evaluate runs a validation plan: nested cross-validation, temporal holdout,
// external sites, leave-one-site-out and the optimism bootstrap.
//
// A [Recipe] is everything learnt from training rows: preprocessing, tuning, model and
// calibration. [Run] cuts the plan into independent tasks, fits the recipe on each task's
// training rows only, and keeps every held-out prediction in [Predictions]. Tasks write
// their own slots, so the number of workers changes nothing; a [Checkpoint] lets a stopped
// run continue with the tasks that are left.
package evaluate

import (
	"context"
	"encoding/json"
	"math"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/par"
	"dolor/progress"
	"dolor/rng"
)

// Outcome is what happened to each row. Y is whether the event is known to have happened
// (by the horizon, for time to event). Time and Status are nil for a plain binary outcome;
// with them a row may be censored, and case weights are derived in each training set.
type Outcome struct {
	Y       []bool
	Time    []float64 // days from time zero
	Status  []int     // 0 censored, 1 event, 2 competing
	Horizon float64   // days; used with Time
}

// Timed reports whether the outcome has times and may be censored.
func (o *Outcome) Timed() bool { return o.Time != nil }

// Take returns the outcome of rows.
func (o *Outcome) Take(rows []int) Outcome {
	out := Outcome{Y: pick(o.Y, rows), Horizon: o.Horizon}
	if o.Timed() {
		out.Time, out.Status = pick(o.Time, rows), pick(o.Status, rows)
	}
	return out
}

// Data is what a plan is run on. Slices have one entry a row; Site and Date may be nil.
type Data struct {
	X *frame.Frame // predictors only
	Outcome
	Patient []string  // key; rows of one patient stay together
	Site    []string  // hospital
	Date    []float64 // days since 1970 of time zero; NaN unknown
	Weight  []float64 // case weights of the sampling design; nil means 1
}

// Rows returns the number of rows.
func (d *Data) Rows() int { return len(d.Y) }

// Plan says which validations to run. Zero fields mean: not this one.
type Plan struct {
	Outer, Inner, Repeats int      // internal: nested cross-validation; Inner also serves tuning elsewhere
	TemporalFrom          float64  // rows dated on or after are the temporal test; NaN or 0: none
	External              []string // sites kept out of development
	LeaveSiteOut          bool
	Bootstrap             int // optimism replicates
	Thresholds            []float64
	Recipes               []Recipe
}

// Options are the circumstances of a run; nil is allowed.
type Options struct {
	Stream     rng.Stream
	Workers    int // 0: GOMAXPROCS
	Progress   progress.Func
	Checkpoint Checkpoint // nil: nothing is kept
	Explain    Explainer  // nil: held-out rows are predicted only
}

// Checkpoint keeps finished tasks, so that a stopped run can continue.
type Checkpoint interface {
	Load(key string) ([]byte, bool, error)
	Store(key string, b []byte) error
}

// Result is what a run leaves.
type Result struct {
	Predictions *Predictions
	Final       []*Fitted    // one a recipe, learnt from all development rows
	Trials      []Trial      // every tuning trial of every task, in task order
	Optimism    []Optimism   // one a recipe and replicate
	Tasks       []TaskReport // in task order
	Development []int        // rows used for development
	Temporal    []int        // rows of the temporal test
	External    []int        // rows of the external test
	// Attributions of held-out rows, when Options.Explain was set.
	Attributions []Attributions
	Warnings     []diag.Warning
}

// TaskReport says what one fit chose.
type TaskReport struct {
	Task
	TrainN      int             `json:"train_n"`
	TrainEvents int             `json:"train_events"`
	TestN       int             `json:"test_n"`
	TestEvents  int             `json:"test_events"`
	Calibration string          `json:"calibration"`
	Params      json.RawMessage `json:"params"`           // as written, so that a checkpoint keeps its bytes
	Rounds      []int           `json:"rounds,omitempty"` // trees or epochs kept, one an imputation
}

// Run fits and predicts everything plan asks for. Errors: Unfit when the data cannot carry
// the plan (too few events for the folds, one class), Canceled, and what a fit returns.
// The same data, plan and stream give the same result for any number of workers.
func Run(ctx context.Context, d *Data, plan *Plan, o *Options) (*Result, error) {
	if o == nil {
		o = &Options{}
	}
	parts, err := partition(d, plan)
	if err != nil {
		return nil, err
	}
	tasks, err := planTasks(d, plan, parts, o.Stream)
	if err != nil {
		return nil, err
	}
	done := make([]*outcomeOfTask, len(tasks))
	var finished progressCount
	err = par.For(ctx, len(tasks), o.Workers, func(ctx context.Context, i int) error {
		r, err := runOrLoad(ctx, d, plan, &tasks[i], o)
		if err != nil {
			return err
		}
		done[i] = r
		o.Progress.Report("fits", finished.add(), len(tasks))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return collect(d, parts, tasks, done), nil
}

// Check reports whether the data can carry the plan, fitting nothing.
func Check(d *Data, plan *Plan, s rng.Stream) error {
	p, err := partition(d, plan)
	if err != nil {
		return err
	}
	_, err = planTasks(d, plan, p, s)
	return err
}

// parts is how rows are divided before any splitting.
type parts struct{ development, temporal, external []int }

// partition divides rows: an external site never takes part in development; of the others,
// rows dated from TemporalFrom on are the temporal test.
func partition(d *Data, plan *Plan) (*parts, error) {
	var p parts
	external := make(map[string]int, len(plan.External))
	for _, s := range plan.External {
		external[s] = 0
	}
	temporal := plan.TemporalFrom != 0 && !math.IsNaN(plan.TemporalFrom)
	if len(external) > 0 && d.Site == nil {
		return nil, diag.Errorf(diag.Invalid, "validation.external", "expected a site for each row, got a table without sites")
	}
	if temporal && d.Date == nil {
		return nil, diag.Errorf(diag.Invalid, "validation.temporal", "expected a date for each row, got a table without dates")
	}
	for i := range d.Rows() {
		if d.Site != nil {
			if n, out := external[d.Site[i]]; out {
				external[d.Site[i]] = n + 1
				p.external = append(p.external, i)
				continue
			}
		}
		if temporal {
			if math.IsNaN(d.Date[i]) {
				return nil, diag.Errorf(diag.Invalid, "date", "row %d: expected a date for the temporal split, got none", i+1)
			}
			if d.Date[i] >= plan.TemporalFrom {
				p.temporal = append(p.temporal, i)
				continue
			}
		}
		p.development = append(p.development, i)
	}
	for _, s := range plan.External {
		if external[s] == 0 {
			e := diag.Errorf(diag.Invalid, "validation.external.site", "no row of site %q", s)
			if near := diag.Nearest(s, distinct(d.Site)); near != "" {
				e.Hint = "did you mean \"" + near + "\"?"
			}
			return nil, e
		}
	}
	if temporal && len(p.temporal) == 0 {
		return nil, diag.Errorf(diag.Unfit, "temporal split", "no row on or after the date test_from")
	}
	if n, all := events(d.Y, p.development), len(p.development); n == 0 || n == all {
		return nil, diag.Errorf(diag.Unfit, "outcome", "expected rows with and without the event, got %d events in %d rows of development", n, all)
	}
	return &p, nil
}

func events(y []bool, rows []int) int {
	n := 0
	for _, r := range rows {
		if y[r] {
			n++
		}
	}
	return n
}

func pick[T any](v []T, rows []int) []T {
	if v == nil {
		return nil
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = v[r]
	}
	return out
}

// distinct returns the distinct values of v in order of first appearance.
func distinct(v []string) []string {
	var out []string
	seen := make(map[string]bool)
	for _, s := range v {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
