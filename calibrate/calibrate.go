// Package calibrate maps scores to probabilities: none, intercept-only, logistic, beta and
// isotonic recalibration.
//
// A [Method] is fitted on rows that neither trained the model nor judge it and gives a
// [Map]. Maps are saved as JSON and read back by [Load].
package calibrate

// Method fits a recalibration.
type Method interface {
	Name() string // "logistic"
	// Fit learns from probabilities p in [0, 1], outcomes y and weights w (nil means 1).
	Fit(p []float64, y []bool, w []float64) (Map, error)
}

// Map is a fitted recalibration: immutable and non-decreasing.
type Map interface {
	Name() string
	// Apply fills dst with calibrated probabilities, allocating if dst is short.
	Apply(p, dst []float64) []float64
}
