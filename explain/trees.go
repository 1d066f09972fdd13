package explain

import (
	"context"

	"dolor/diag"
	"dolor/frame"
	"dolor/model"
)

// treesAttribute explains rows x by an ensemble of trees: along the paths of the training rows,
// or against background rows.
func treesAttribute(ctx context.Context, m model.Model, t model.TreeEnsemble, x, background *frame.Frame, o *Options) (frame.Matrix, []float64, error) {
	if a, ok := m.(model.Attributor); ok && (background == nil || o.Mode == Path) {
		return a.Attribute(ctx, x)
	}
	_ = t
	return frame.Matrix{}, nil, diag.Errorf(diag.Unsupported, "background", "not for these trees")
}

func treesInteractions(ctx context.Context, t model.TreeEnsemble, x *frame.Frame) ([]float64, []string, error) {
	return nil, nil, nil
}
