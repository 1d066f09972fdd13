package forest

import (
	"context"
	"math"
	"slices"
	"sync"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/tree"
	"dolor/internal/treeshap"
	"dolor/model"
)

// Model is a fitted forest. It is immutable and safe for concurrent use.
type Model struct {
	params       Params
	schema       frame.Schema
	ensemble     tree.Ensemble
	rows, events int
	summary      *OutOfBag // nil when no row was left out
	oob          []float64 // nil in a model that was loaded
	warnings     []diag.Warning

	mean      *tree.Mean
	explainer func() (*treeshap.Explainer, error) // made on first use
}

var (
	_ model.Model        = (*Model)(nil)
	_ model.TreeEnsemble = (*Model)(nil)
	_ model.Attributor   = (*Model)(nil)
	_ model.Warner       = (*Model)(nil)
)

// prepare makes what prediction needs from the trees.
func (m *Model) prepare() {
	m.mean = tree.NewMean(m.ensemble.Trees, len(m.schema))
	m.explainer = sync.OnceValues(func() (*treeshap.Explainer, error) { return treeshap.New(&m.ensemble, nil) })
}

// features describes the columns to readers of the trees.
func (m *Model) features() {
	for _, f := range m.schema {
		levels := 0
		if f.Kind == frame.Category {
			levels = max(1, len(f.Levels))
		}
		m.ensemble.Features = append(m.ensemble.Features, tree.Feature{Name: f.Name, Levels: levels})
	}
}

// Predict implements [model.Model]: the float64 mean over the trees of the float32 share of
// the outcome in the leaf that a row falls into. A missing value goes the way that was best
// for those missing in training, or where none was missing with the greater weight of rows; so does a
// category that was not among the training rows of the node. Errors are those of [model.TreeTable] and Canceled.
func (m *Model) Predict(ctx context.Context, x *frame.Frame, dst []float64) ([]float64, error) {
	t, err := m.Table(x)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n := x.Rows()
	if len(dst) < n {
		dst = make([]float64, n)
	}
	dst = dst[:n]
	return dst, m.mean.Predict(ctx, t, 0, dst)
}

// Attribute implements [model.Attributor]: exact path-dependent Shapley values on the scale of
// probability (not log-odds), the mean over the trees of each tree's (Lundberg et al. 2020,
// doi:10.1038/s42256-019-0138-9). They and the base add up to Predict; the base is the mean
// share of the outcome in the trees' rows.
func (m *Model) Attribute(ctx context.Context, x *frame.Frame) (phi frame.Matrix, base []float64, err error) {
	p, err := m.Predict(ctx, x, nil)
	if err != nil {
		return phi, nil, err
	}
	t, err := m.Table(x)
	if err != nil {
		return phi, nil, err
	}
	e, err := m.explainer()
	if err != nil {
		return phi, nil, err
	}
	values, at, err := e.PathDependent(ctx, t, 0, nil)
	if err != nil {
		return phi, nil, err
	}
	trees := float64(len(m.ensemble.Trees))
	for i := range values {
		values[i] /= trees
	}
	phi = frame.Matrix{Rows: t.Rows, Cols: len(m.schema), Data: values, Names: m.schema.Names()}
	base = make([]float64, t.Rows)
	for i := range base {
		base[i] = treeshap.Settle(phi.Row(i), at/trees, p[i])
	}
	return phi, base, nil
}

// Trees implements [model.TreeEnsemble].
func (m *Model) Trees() *tree.Ensemble { return &m.ensemble }

// Averaged implements [model.TreeEnsemble]; it is true.
func (m *Model) Averaged() bool { return true }

// Table implements [model.TreeEnsemble].
func (m *Model) Table(x *frame.Frame) (*tree.Table, error) { return model.TreeTable(x, m.schema) }

// Params returns the hyperparameters the model was fitted with.
func (m *Model) Params() Params { return m.params }

// Warnings implements [model.Warner]; codes: no_split, never_out_of_bag, binned_column,
// class_weight.
func (m *Model) Warnings() []diag.Warning { return slices.Clone(m.warnings) }

// OutOfBag returns how the forest predicts rows of trees that were grown without them; ok is
// false when every tree has all rows.
func (m *Model) OutOfBag() (s OutOfBag, ok bool) {
	if m.summary == nil {
		return OutOfBag{}, false
	}
	return *m.summary, true
}

// OutOfBagPredictions returns the out-of-bag probability of each training row, NaN where every
// tree has the row or its weight is 0. It is nil in a model that was loaded, which keeps nothing of its
// patients, and when no row was left out.
func (m *Model) OutOfBagPredictions() []float64 { return slices.Clone(m.oob) }

// Importance returns, by column in the order of Trees, the share of each column in the
// decrease of impurity (Breiman's Gini importance): per tree the decreases divided by their sum,
// averaged over trees that split, summing to 1; all 0 without splits.
//
// It is biased: columns with many distinct values or many levels gain by chance what others
// cannot (Strobl and others 2007, doi:10.1186/1471-2105-8-25), and it is measured on the rows
// the trees learnt from. Use permutation importance on other rows to judge a predictor.
func (m *Model) Importance() []float64 {
	out := make([]float64, len(m.schema))
	one := make([]float64, len(m.schema))
	grown := 0.0
	for i := range m.ensemble.Trees {
		clear(one)
		total := 0.0
		for k := range m.ensemble.Trees[i].Nodes {
			if n := &m.ensemble.Trees[i].Nodes[k]; !n.IsLeaf() {
				one[n.Feature] += float64(n.Gain)
				total += float64(n.Gain)
			}
		}
		if total > 0 {
			grown++
			for j, v := range one {
				out[j] += v / total
			}
		}
	}
	for j := range out {
		out[j] /= math.Max(1, grown)
	}
	return out
}

func (m *Model) warn(code, msg string, count int) {
	m.warnings = append(m.warnings, diag.Warning{Code: code, Msg: msg, Count: count})
}
