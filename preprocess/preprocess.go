// Package preprocess learns transforms on training rows and replays them elsewhere.
//
// A [Step] holds settings; Fit learns from training rows only and gives a [Transform], which
// Apply replays on any frame. Applying never learns: the row that comes out depends on the
// row that went in and on the training rows, not on its neighbours. Steps are listed in
// [Steps] and pass the leak battery.
package preprocess

import (
	"context"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// Step is an unfitted transform: a plain struct with JSON tags.
type Step interface {
	Validate() error
	// Fit learns from train and, where a step says so, from y (len train.Rows()). All
	// randomness comes from r.
	Fit(ctx context.Context, train *frame.Frame, y []bool, r rng.Stream) (Transform, error)
}

// Transform is a fitted step: immutable, safe for concurrent use, and saved as JSON by
// encoding/json. Apply needs the columns it was learnt on and passes others through.
type Transform interface {
	Output() frame.Schema
	Apply(ctx context.Context, in *frame.Frame) (*frame.Frame, error)
}

// Kind is one entry of Steps.
type Kind struct {
	Name string                          // "impute", as in the protocol
	New  func() Step                     // defaults, target of JSON decoding
	Load func([]byte) (Transform, error) // reads what json.Marshal of the Transform wrote
}

// Warner is a Transform that has something to say about what it learnt: a column dropped, a
// column too tied for its knots, training rows kept in the state.
type Warner interface{ Warnings() []diag.Warning }

// Checker is a Transform that can say, without applying, what in a frame it has not met in
// training: levels never seen, counted per column.
type Checker interface {
	Check(in *frame.Frame) []diag.Warning
}
