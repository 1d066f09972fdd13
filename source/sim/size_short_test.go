//go:build !long

package sim_test

// The tolerances follow the number of draws: the standard error of an AUC is about 0.0018 here.
const (
	draws    = 40000
	aucTol   = 0.007
	slopeTol = 0.05
)
