package gbm

import (
	"context"
	"slices"
	"sync"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/tree"
	"dolor/internal/treeshap"
	"dolor/internal/xgbfile"
	"dolor/model"
)

// Model is a fitted or imported sum of trees on the log-odds scale. It is immutable and safe for
// concurrent use.
type Model struct {
	params   Params
	imported bool         // from a file that dolor did not train: params are not known
	fields   frame.Schema // the columns read, by the trees' index
	base     float32      // probability before the first tree
	ens      tree.Ensemble
	file     xgbfile.File // an imported file's own facts
	training training
	warnings []diag.Warning

	// made once, on first use
	explainer func() (*treeshap.Explainer, error)
	predictor func() *tree.Predictor
}

// fewRows is the number of rows below which laying the trees out for speed costs more than it
// saves.
const fewRows = 64

// training is what the fit leaves for its reader.
type training struct {
	Rows     int      `json:"rows"` // the trees learnt from, held-out ones and those of weight 0 not counted
	Events   int      `json:"events"`
	Grown    int      `json:"trees_grown"` // before those after the best round were dropped
	TuneLoss *float64 `json:"tune_loss"`   // log loss of the best round on the tuning rows; null without early stopping
	// Fixed says how gradients became integers; null with exact.
	Fixed *tree.Fixed `json:"fixed"`
}

var (
	_ model.Model        = (*Model)(nil)
	_ model.Attributor   = (*Model)(nil)
	_ model.Warner       = (*Model)(nil)
	_ model.TreeEnsemble = (*Model)(nil)
	_ model.Staged       = (*Model)(nil)
)

// ready names the trees' columns and prepares what is made on first use.
func (m *Model) ready() {
	m.ens.Features = make([]tree.Feature, len(m.fields))
	for j, f := range m.fields {
		m.ens.Features[j].Name = f.Name
		if f.Kind == frame.Category {
			m.ens.Features[j].Levels = max(1, len(f.Levels))
		}
	}
	m.explainer = sync.OnceValues(func() (*treeshap.Explainer, error) { return treeshap.New(&m.ens, nil) })
	m.predictor = sync.OnceValue(func() *tree.Predictor { return tree.NewPredictor(&m.ens) })
}

// Predict implements [model.Model]: P(outcome) at offset 0, the float64 sigmoid of the float32
// margin. Columns are found by name; every one that is missing is named in the error.
func (m *Model) Predict(ctx context.Context, x *frame.Frame, dst []float64) ([]float64, error) {
	dst, err := m.Score(ctx, x, dst)
	for i, v := range dst {
		dst[i] = tree.Sigmoid(v)
	}
	return dst, err
}

// Score fills dst with the margin (log-odds) of each row, allocating if dst is short. It is a
// float32: the base and the trees' values are added in order in float32, as XGBoost does.
func (m *Model) Score(ctx context.Context, x *frame.Frame, dst []float64) ([]float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t, err := m.Table(x)
	if err != nil {
		return nil, err
	}
	margin, err := m.margins(ctx, t)
	if err != nil {
		return nil, err
	}
	if cap(dst) < t.Rows {
		dst = make([]float64, t.Rows)
	}
	dst = dst[:t.Rows]
	for i, v := range margin {
		dst[i] = float64(v)
	}
	return dst, nil
}

// Attribute implements [model.Attributor]: exact path-dependent Shapley values of the margin (Lundberg
// et al. 2020, doi:10.1038/s42256-019-0138-9), in float64. They and the base add up to Score: the
// float32 rounding of the margin, about 1e-6, is shared among the columns in proportion to
// their size. base is the mean margin of the training rows as the trees' covers weigh them.
func (m *Model) Attribute(ctx context.Context, x *frame.Frame) (phi frame.Matrix, base []float64, err error) {
	if err := ctx.Err(); err != nil {
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
	margin, err := m.margins(ctx, t)
	if err != nil {
		return phi, nil, err
	}
	phi = frame.Matrix{Rows: t.Rows, Cols: len(m.fields), Data: values, Names: m.fields.Names()}
	base = make([]float64, t.Rows)
	for i := range base {
		base[i] = treeshap.Settle(phi.Row(i), at, float64(margin[i]))
	}
	return phi, base, nil
}

// Trees implements [model.TreeEnsemble].
func (m *Model) Trees() *tree.Ensemble { return &m.ens }

// Averaged implements [model.TreeEnsemble]: the score is the sum of the trees' values.
func (m *Model) Averaged() bool { return false }

// Table implements [model.TreeEnsemble].
func (m *Model) Table(x *frame.Frame) (*tree.Table, error) { return model.TreeTable(x, m.fields) }

// Rounds implements [model.Staged]: the trees kept, and the trees grown before early stopping
// dropped those after the best round.
func (m *Model) Rounds() (kept, run int) {
	return len(m.ens.Trees), max(m.training.Grown, len(m.ens.Trees))
}

// Columns returns the columns the model reads, in the trees' order.
func (m *Model) Columns() frame.Schema { return slices.Clone(m.fields) }

// Params returns the hyperparameters; ok is false for a model that another program trained.
func (m *Model) Params() (p Params, ok bool) { return m.params, !m.imported }

// Warnings implements [model.Warner]; codes: early_stopping_split, early_stopping_few,
// trees_at_end, scale_pos_weight, empty_model.
func (m *Model) Warnings() []diag.Warning { return slices.Clone(m.warnings) }

func (m *Model) warn(code, msg string) {
	m.warnings = append(m.warnings, diag.Warning{Code: code, Msg: msg, Count: 1})
}

// margins adds the trees' values in order, in float32.
func (m *Model) margins(ctx context.Context, t *tree.Table) ([]float32, error) {
	out := make([]float32, t.Rows)
	if t.Rows < fewRows {
		return out, m.ens.Margins(ctx, t, 1, out)
	}
	return out, m.predictor().Margins(ctx, t, 0, out)
}
