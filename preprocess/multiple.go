package preprocess

import (
	"context"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// Multiple fits c on the same training rows m times, from the streams
// r.Child("imputation", 0..m-1): with a chain whose imputation is random (impute_chained with
// method pmm) these are m imputations, to be analysed each and pooled by Rubin's rules
// (Rubin 1987, doi:10.1002/9780470316696). A chain without randomness gives m equal ones.
func Multiple(ctx context.Context, c Chain, m int, train *frame.Frame, y []bool, r rng.Stream) ([]*Fitted, error) {
	if m < 1 {
		return nil, diag.Errorf(diag.Invalid, "imputations", "expected at least 1, got %d", m)
	}
	out := make([]*Fitted, m)
	for i := range out {
		f, _, err := c.FitApply(ctx, train, y, r.Child("imputation", i))
		if err != nil {
			return nil, err
		}
		out[i] = f
	}
	return out, nil
}
