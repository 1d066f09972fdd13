package gbm

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"dolor/diag"
	"dolor/internal/tree"
	"dolor/model"
	"dolor/rng"
)

type learner struct{ p Params }

// Fit implements [model.Learner].
//
// Rows of weight 0 are left out; others count with their weight, times scale_pos_weight where the
// outcome is present. Dataset.Offset is added to the margin while learning (XGBoost's
// base_margin) and a base_score of null is the intercept that fits best on top of it, without
// an offset the weighted prevalence.
//
// Early stopping (early_stopping_rounds > 0) counts trees on FitOptions.Tune. A caller that
// fits transforms before the learner holds those rows out before the transforms (see
// [model.EarlyStopper]); package evaluate does, inside each training fold. When Tune is nil the
// learner holds out a fifth of the patients it was given, stratified by outcome, all rows of a
// patient (Group) together, and a warning says so. Either way the outer fold never meets the
// inner split, because the learner only has training rows. The model is that of the round with
// the smallest weighted log loss on those rows, the first of equals, with no tree at all when
// none lowers it; the trees are not grown again on all rows. Tune is not looked at when
// early_stopping_rounds is 0.
//
// Errors: Invalid for a bad hyperparameter, weight, offset, kind or cell, Missing for a constraint
// on no column, Unsupported for a category with exact, Unfit for no rows or one class, Canceled.
func (l *learner) Fit(ctx context.Context, train *model.Dataset, opts *model.FitOptions) (model.Model, error) {
	if err := l.p.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := train.Check(); err != nil {
		return nil, err
	}
	fo := model.FitOptions{Stream: rng.New(0)}
	if opts != nil {
		fo = *opts
	}
	stream := fo.Stream.Child("gbm")
	m := &Model{params: l.p, fields: train.X.Schema()}
	grow, err := l.growParams(train)
	if err != nil {
		return nil, err
	}
	train = positive(train)
	if l.p.ScalePosWeight != 1 {
		m.warn("scale_pos_weight", "rows with the outcome were weighted up or down: probabilities are not calibrated")
	}
	tune, err := m.stopping(&train, fo.Tune, stream)
	if err != nil {
		return nil, err
	}
	m.ready()
	m.training.Rows, m.training.Events = train.Rows(), train.Events()
	b, err := newBooster(ctx, m, train, tune, grow, &fo)
	if err != nil {
		return nil, err
	}
	if err := b.run(ctx, stream); err != nil {
		return nil, err
	}
	b.finish()
	return m, nil
}

// stopping returns the rows that early stopping counts trees on, nil for none; they leave train
// when they are an inner split of it.
func (m *Model) stopping(train **model.Dataset, tune *model.Dataset, s rng.Stream) (*model.Dataset, error) {
	if m.params.EarlyStoppingRounds == 0 {
		return nil, nil
	}
	if tune != nil {
		if err := tune.Check(); err != nil {
			return nil, fmt.Errorf("tuning rows: %w", err)
		}
		m.few(countRarer(tune))
		return positive(tune), nil
	}
	d := *train
	rows, held, rarer, err := innerSplit(d, patients(d), s.Child("hold out"))
	if err != nil {
		return nil, err
	}
	*train = d.Take(rows)
	m.warn("early_stopping_split", fmt.Sprintf("%d of %d training rows were held out to choose the number of trees; the trees did not learn from them", len(held), d.Rows()))
	m.few(rarer)
	return d.Take(held), nil
}

// few warns when early stopping has few patients of the rarer class to go by.
func (m *Model) few(rarer int) {
	if rarer < fewEvents {
		m.warn("early_stopping_few", fmt.Sprintf("the number of trees was chosen on %d patients of the rarer class; fewer than %d make it unsure", rarer, fewEvents))
	}
}

// positive returns d without the rows of weight 0.
func positive(d *model.Dataset) *model.Dataset {
	if !slices.Contains(d.W, 0) {
		return d
	}
	var rows []int
	for i, w := range d.W {
		if w > 0 {
			rows = append(rows, i)
		}
	}
	return d.Take(rows)
}

// growParams translates p for the columns of d.
func (l *learner) growParams(d *model.Dataset) (tree.GrowParams, error) {
	p := &l.p
	g := tree.GrowParams{
		MaxDepth: p.MaxDepth, MaxLeaves: p.MaxLeaves, LossGuided: p.GrowPolicy == LossGuide,
		LearningRate: p.LearningRate, MinChildWeight: p.MinChildWeight, Gamma: p.Gamma,
		Lambda: p.RegLambda, Alpha: p.RegAlpha, MaxDeltaStep: p.MaxDeltaStep,
		ColsampleByTree: p.ColsampleByTree, ColsampleByLevel: p.ColsampleLevel, ColsampleByNode: p.ColsampleNode,
		MaxCatToOneHot: p.MaxCatToOneHot, MaxCatThreshold: p.MaxCatThreshold,
	}
	fields := d.X.Schema()
	var faults diag.List
	find := func(key, name string) int {
		j := fields.Index(name)
		if j < 0 {
			e := d.X.NoColumn(name)
			e.Field = key
			faults.Add(e)
		}
		return j
	}
	for _, name := range slices.Sorted(maps.Keys(p.MonotoneConstraints)) {
		sign, key := p.MonotoneConstraints[name], "monotone_constraints."+name
		j := find(key, name)
		if j < 0 || sign == 0 {
			continue
		}
		if len(fields[j].Levels) > 0 {
			faults.Addf(diag.Invalid, key, "expected a number, got a category")
			continue
		}
		if g.Monotone == nil {
			g.Monotone = make([]int8, len(fields))
		}
		g.Monotone[j] = int8(sign)
	}
	for k, names := range p.InteractionConstraints {
		var set []int32
		for _, name := range names {
			if j := find(fmt.Sprintf("interaction_constraints[%d]", k), name); j >= 0 {
				set = append(set, int32(j))
			}
		}
		g.Interactions = append(g.Interactions, set)
	}
	return g, faults.Err()
}
