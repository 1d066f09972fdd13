package gbm

import (
	"context"
	"math"

	"dolor/internal/tree"
	"dolor/internal/xgbfile"
	"dolor/model"
	"dolor/rng"
)

// booster adds trees to a model.
type booster struct {
	m          *Model
	fo         *model.FitOptions
	grow       grower
	id         []uint64
	grad, hess []float32
	train      side
	tune       *side // nil without early stopping

	best     int // trees of the smallest tuning loss
	bestLoss float64
	early    bool // stopped before n_estimators
}

// side is a set of rows with their margins so far.
type side struct {
	table  *tree.Table
	obj    objective
	margin []float32
	more   []float32 // what the last tree added
}

// grower grows one tree from the derivatives of the loss; rows are those that take part, nil for
// all.
type grower interface {
	Grow(ctx context.Context, grad, hess []float32, rows []int32, s rng.Stream) (*tree.Tree, error)
	// AddTo adds the values of the last tree to the margins of all rows it could learn from.
	AddTo(ctx context.Context, margin []float32) error
}

func newBooster(ctx context.Context, m *Model, train, tune *model.Dataset, p tree.GrowParams, fo *model.FitOptions) (*booster, error) {
	b := &booster{m: m, fo: fo, id: patients(train), bestLoss: math.Inf(1)}
	table, err := model.TreeTable(train.X, m.fields)
	if err != nil {
		return nil, err
	}
	b.train = side{table: table, obj: m.objective(train)}
	if m.params.BaseScore != nil {
		m.setBase(*m.params.BaseScore)
	} else {
		m.setBase(b.train.obj.rate(train.Offset))
	}
	b.train.start(m, train.Offset)
	if tune != nil {
		b.tune = &side{obj: m.objective(tune)}
		if b.tune.table, err = model.TreeTable(tune.X, m.fields); err != nil {
			return nil, err
		}
		b.tune.start(m, tune.Offset)
		b.bestLoss = b.tune.obj.loss(b.tune.margin)
	}
	b.grad, b.hess = make([]float32, table.Rows), make([]float32, table.Rows)
	if m.params.TreeMethod == Exact {
		b.grow, err = tree.NewExact(ctx, table, p, fo.Workers)
		return b, err
	}
	bins, err := tree.NewBins(ctx, table, train.W, m.params.MaxBin, fo.Workers)
	if err != nil {
		return nil, err
	}
	g, err := tree.NewGrower(bins, &p, 0, fo.Workers)
	if err != nil {
		return nil, err
	}
	fixed := g.Fixed()
	b.grow, m.training.Fixed = g, &fixed
	return b, nil
}

// objective returns the log loss of d's rows, the outcome's weight taken in.
func (m *Model) objective(d *model.Dataset) objective {
	o := objective{y: d.Y}
	if d.W == nil && m.params.ScalePosWeight == 1 {
		return o
	}
	o.w = make([]float32, d.Rows())
	for i, y := range d.Y {
		w := float32(1)
		if d.W != nil {
			w = float32(d.W[i])
		}
		if y {
			w *= float32(m.params.ScalePosWeight)
		}
		o.w[i] = w
	}
	return o
}

// setBase starts the margins at the log-odds of p as XGBoost computes them from its file.
func (m *Model) setBase(p float64) {
	// Within these bounds the log-odds are finite in float32.
	m.base = min(max(float32(p), 1e-38), math.Nextafter32(1, 0))
	m.ens.Base = xgbfile.LogOdds(m.base)
}

func (s *side) start(m *Model, offset []float64) {
	s.margin = make([]float32, s.table.Rows)
	for i := range s.margin {
		s.margin[i] = m.ens.Base
		if offset != nil {
			s.margin[i] += float32(offset[i])
		}
	}
}

// run grows trees until there are n_estimators of them or the tuning loss has not fallen for
// early_stopping_rounds trees.
func (b *booster) run(ctx context.Context, s rng.Stream) error {
	p := &b.m.params
	for k := range p.NEstimators {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.train.obj.derivatives(ctx, b.train.margin, b.grad, b.hess, b.fo.Workers); err != nil {
			return err
		}
		one := s.Child("tree", k)
		t, err := b.grow.Grow(ctx, b.grad, b.hess, subsample(b.id, p.Subsample, one.Child("rows")), one)
		if err != nil {
			return err
		}
		b.m.ens.Trees = append(b.m.ens.Trees, *t)
		if err := b.grow.AddTo(ctx, b.train.margin); err != nil {
			return err
		}
		b.fo.Progress.Report("trees", k+1, p.NEstimators)
		if b.tune == nil {
			continue
		}
		if err := b.tune.add(ctx, t, b.m.ens.Features, b.fo.Workers); err != nil {
			return err
		}
		if loss := b.tune.obj.loss(b.tune.margin); loss < b.bestLoss {
			b.best, b.bestLoss = k+1, loss
		} else if k+1-b.best >= p.EarlyStoppingRounds {
			b.early = true
			break
		}
	}
	return nil
}

// finish keeps the trees of the best round and says what the reader must know.
func (b *booster) finish() {
	m := b.m
	m.training.Grown = len(m.ens.Trees)
	if b.tune != nil {
		m.ens.Trees = m.ens.Trees[:b.best:b.best]
		m.training.TuneLoss = &b.bestLoss
		if !b.early && m.params.NEstimators > 0 {
			m.warn("trees_at_end", "early stopping did not stop before n_estimators trees; more might do better")
		}
	}
	split := false
	for i := range m.ens.Trees {
		split = split || len(m.ens.Trees[i].Nodes) > 1
	}
	if !split {
		m.warn("empty_model", "no tree has a split: all patients get the same probability")
	}
}

// add adds t's values to the margins.
func (s *side) add(ctx context.Context, t *tree.Tree, features []tree.Feature, workers int) error {
	one := tree.Ensemble{Features: features, Trees: []tree.Tree{*t}}
	if s.more == nil {
		s.more = make([]float32, len(s.margin))
	}
	if err := one.Margins(ctx, s.table, workers, s.more); err != nil {
		return err
	}
	for i, v := range s.more {
		s.margin[i] += v
	}
	return nil
}
