// Package model states what a family of prediction models must do; each family has a folder.
//
// [Params] are hyperparameters; their Learner is fitted on a [Dataset] and gives a [Model],
// which predicts and is saved but can never be refitted. Optional powers are the small
// interfaces below, found by type assertion. A family is described by a [Family] value and
// listed in internal/builtin. Every family passes modeltest.Run.
package model

import (
	"context"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/tree"
	"dolor/progress"
	"dolor/rng"
)

// Dataset is what a learner sees: predictors, outcome, and optional weights and offset.
type Dataset struct {
	X      *frame.Frame
	Y      []bool    // outcome, len X.Rows()
	W      []float64 // case weights >= 0, finite; nil means 1 each
	Offset []float64 // log-odds added to the linear predictor; nil means 0
	// Group is the patient of each row. A learner that splits its rows keeps a patient's rows
	// together; nil means every row is a patient of its own.
	Group []string
}

// Rows returns the number of rows.
func (d *Dataset) Rows() int { return len(d.Y) }

// Events returns how many rows have the outcome.
func (d *Dataset) Events() int {
	n := 0
	for _, y := range d.Y {
		if y {
			n++
		}
	}
	return n
}

// Take returns the dataset restricted to rows, in that order.
func (d *Dataset) Take(rows []int) *Dataset {
	out := &Dataset{X: d.X.Take(rows), Y: make([]bool, len(rows))}
	for i, r := range rows {
		out.Y[i] = d.Y[r]
	}
	pick := func(v []float64) []float64 {
		if v == nil {
			return nil
		}
		o := make([]float64, len(rows))
		for i, r := range rows {
			o[i] = v[r]
		}
		return o
	}
	out.W, out.Offset = pick(d.W), pick(d.Offset)
	if d.Group != nil {
		out.Group = make([]string, len(rows))
		for i, r := range rows {
			out.Group[i] = d.Group[r]
		}
	}
	return out
}

// FitOptions are the circumstances of a fit. Nil is allowed; zero fields mean: stream of
// seed 0, GOMAXPROCS workers, nobody watching, no tuning rows.
type FitOptions struct {
	Stream   rng.Stream
	Workers  int
	Progress progress.Func
	Tune     *Dataset // rows for early stopping, disjoint from the training rows
}

// Params are the hyperparameters of one family: a plain struct with JSON tags.
type Params interface {
	Validate() error // reports every fault at once, kind Invalid
	Learner() Learner
}

// Learner fits a model. It holds hyperparameters only and is safe for concurrent use.
type Learner interface {
	Fit(ctx context.Context, train *Dataset, opts *FitOptions) (Model, error)
}

// Model is a fitted model. It is immutable and safe for concurrent use.
type Model interface {
	// Predict fills dst with P(outcome) for each row of x and returns it, allocating if dst
	// is short. x must hold at least the columns the model was fitted on; others are ignored.
	Predict(ctx context.Context, x *frame.Frame, dst []float64) ([]float64, error)
	// AppendBinary appends the saved form, which Family.Load reads back to a bit-equal model.
	AppendBinary(b []byte) ([]byte, error)
}

// Attributor explains predictions: phi [rows, predictors] plus base equals the score.
type Attributor interface {
	Attribute(ctx context.Context, x *frame.Frame) (phi frame.Matrix, base []float64, err error)
}

// Embedder gives inner representations, for fusion.
type Embedder interface {
	Embed(ctx context.Context, x *frame.Frame) (frame.Matrix, error)
}

// TreeEnsemble is a model made of trees that can be read: exact attributions, importances and
// export work from it. Nothing returned may be written to.
type TreeEnsemble interface {
	// Trees returns the trees with the columns they read, in the order of Table's columns. The
	// model's score is Base plus the sum of the trees' values when Averaged is false (log-odds),
	// else the mean of the trees' values (a probability; Base and Scale are then unused).
	Trees() *tree.Ensemble
	// Averaged reports that the score is the mean of the trees' values, not their sum.
	Averaged() bool
	// Table picks the model's columns out of x by name as the trees read them. Errors are those
	// of [TreeTable].
	Table(x *frame.Frame) (*tree.Table, error)
}

// Averager exposes weights for federated averaging.
type Averager interface {
	Weights() []float64
	WithWeights(w []float64) (Model, error)
}

// Warner tells what the reader of a fitted model must know (separation, not converged).
type Warner interface{ Warnings() []diag.Warning }

// Term is one line of a model equation on the log-odds scale.
type Term struct {
	Name     string  `json:"name"` // "(intercept)" or the column
	Estimate float64 `json:"estimate"`
	SE       float64 `json:"se"` // NaN when the family gives none
	Lower    float64 `json:"lower"`
	Upper    float64 `json:"upper"`
	P        float64 `json:"p_value"`
	Method   string  `json:"method,omitempty"` // of the interval: wald, profile
}

// Equation is a model that can be written as a sum of terms (TRIPOD+AI item 22). When the
// family gives covariances, Covariance is row-major [terms, terms], else nil.
type Equation interface {
	Terms() []Term
	Covariance() []float64
}

// Family describes a kind of model.
type Family struct {
	Name    string                  // "logistic"
	Title   string                  // "Logistic regression"
	Needs   []frame.Kind            // column kinds it can read
	Dense   bool                    // needs complete numbers: the study imputes, encodes and scales before it
	Default func() Params           // defaults, also the target of JSON decoding
	Space   func(rng.Stream) Params // one draw from the search space; nil when nothing is tuned
	Grid    func() []Params         // grid for grid search; nil when nothing is tuned
	Load    func([]byte) (Model, error)
	Cite    []string // papers, DOI first
}
