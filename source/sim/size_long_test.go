//go:build long

package sim_test

const (
	draws    = 400000
	aucTol   = 0.003
	slopeTol = 0.02
)
