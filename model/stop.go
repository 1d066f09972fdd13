package model

// EarlyStopper is implemented by Params that stop fitting by the loss on held-out rows. The
// caller who fits a chain of transforms before the learner must hold the rows out before the chain,
// and hand them over as FitOptions.Tune; evaluate does. Without Tune such a learner splits its
// own training rows.
type EarlyStopper interface {
	// HoldOut returns the share of the training rows to hold out, below 1; 0 means that
	// these settings do not stop early.
	HoldOut() float64
}

// Staged is implemented by models fitted in rounds (trees, epochs).
type Staged interface {
	// Rounds returns how many rounds the model keeps and how many were run.
	Rounds() (kept, run int)
}
