package explain

import (
	"context"

	"dolor/frame"
	"dolor/internal/tree"
	"dolor/internal/treeshap"
	"dolor/model"
)

// treesAttribute explains rows x by an ensemble of trees: by the model itself, or along the paths of the
// training rows, or against background rows. What float32 addition leaves between the sum of the
// leaves and the margin is shared in proportion to the attributions.
func treesAttribute(ctx context.Context, m model.Model, t model.TreeEnsemble, x, background *frame.Frame, o *Options) (frame.Matrix, []float64, error) {
	if a, ok := m.(model.Attributor); ok && (background == nil || o.Mode == Path) {
		return a.Attribute(ctx, x)
	}
	e, table, divisor, err := treesOf(t, x)
	if err != nil {
		return frame.Matrix{}, nil, err
	}
	var values []float64
	var at float64
	if background != nil && o.Mode != Path {
		var b *tree.Table
		if b, err = t.Table(background); err != nil {
			return frame.Matrix{}, nil, err
		}
		var against *treeshap.BackgroundExplainer
		if against, err = e.Interventional(ctx, b, o.Workers); err != nil {
			return frame.Matrix{}, nil, err
		}
		values, at, err = against.Values(ctx, table, o.Workers, nil)
	} else {
		values, at, err = e.PathDependent(ctx, table, o.Workers, nil)
	}
	if err != nil {
		return frame.Matrix{}, nil, err
	}
	phi := frame.Matrix{Rows: table.Rows, Cols: e.Columns(), Data: values, Names: treeColumns(t)}
	for k := range values {
		values[k] /= divisor
	}
	score, err := scoreOf(ctx, m, x, scaleOf(m))
	if err != nil {
		return frame.Matrix{}, nil, err
	}
	base := make([]float64, phi.Rows)
	for i := range base {
		base[i] = treeshap.Settle(phi.Row(i), at/divisor, score[i])
	}
	return phi, base, nil
}

// treesInteractions is the interaction values of every pair of the model's columns.
func treesInteractions(ctx context.Context, t model.TreeEnsemble, x *frame.Frame) ([]float64, []string, error) {
	e, table, divisor, err := treesOf(t, x)
	if err != nil {
		return nil, nil, err
	}
	phi, _, err := e.Interactions(ctx, table, 0, nil)
	for k := range phi {
		phi[k] /= divisor
	}
	return phi, treeColumns(t), err
}

// treesOf prepares the trees of t. An averaged ensemble is a sum divided by the number of its trees.
func treesOf(t model.TreeEnsemble, x *frame.Frame) (*treeshap.Explainer, *tree.Table, float64, error) {
	ens, divisor := t.Trees(), 1.0
	if t.Averaged() {
		divisor = float64(max(1, len(ens.Trees)))
		ens = &tree.Ensemble{Features: ens.Features, Trees: ens.Trees}
	}
	e, err := treeshap.New(ens, nil)
	if err != nil {
		return nil, nil, 0, err
	}
	table, err := t.Table(x)
	return e, table, divisor, err
}

func treeColumns(t model.TreeEnsemble) []string {
	var out []string
	for _, f := range t.Trees().Features {
		out = append(out, f.Name)
	}
	return out
}
