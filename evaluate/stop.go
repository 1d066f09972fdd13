package evaluate

import (
	"context"
	"math"

	"dolor/diag"
	"dolor/model"
	"dolor/preprocess"
	"dolor/rng"
	"dolor/split"
)

// fitter learns members from the rows of one training set: once for the whole of it, and once
// for the part of it that is left when settings stop early, whose chains must not have seen the
// rows that stop them. Chains are shared by the settings tried on the same rows.
type fitter struct {
	recipe *Recipe
	data   *Data
	stream rng.Stream

	whole *prepared
	parts map[int]*prepared // by the number of parts, one of which is held out
}

// prepared is rows with their fitted chains, and the rows held out for early stopping.
type prepared struct {
	train, tune *Data // tune is nil when nothing is held out
	chains      []preprocess.Transform
	warnings    []diag.Warning
}

func (r *Recipe) fitter(d *Data, s rng.Stream) *fitter {
	return &fitter{recipe: r, data: d, stream: s, parts: make(map[int]*prepared)}
}

// members fits p once an imputation; child keys the streams of the models.
func (f *fitter) members(ctx context.Context, p model.Params, child func(k int) rng.Stream) ([]Member, []diag.Warning, error) {
	rows, err := f.rows(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	warnings := diag.Merge(nil, rows.warnings...)
	members := make([]Member, len(rows.chains))
	for k, c := range rows.chains {
		m, err := f.recipe.fitModel(ctx, rows, c, p, child(k))
		if err != nil {
			return nil, nil, err
		}
		members[k] = Member{c, m}
		if w, ok := m.(model.Warner); ok {
			warnings = diag.Merge(warnings, w.Warnings()...)
		}
	}
	return members, warnings, nil
}

// rows are the rows that p is fitted on, with their chains.
func (f *fitter) rows(ctx context.Context, p model.Params) (*prepared, error) {
	k := 0
	if e, ok := p.(model.EarlyStopper); ok {
		if share := e.HoldOut(); share > 0 {
			k = max(2, int(math.Round(1/share)))
		}
	}
	if k == 0 {
		if f.whole == nil {
			whole := &prepared{train: f.data}
			if err := f.prepare(ctx, whole, f.stream); err != nil {
				return nil, err
			}
			f.whole = whole
		}
		return f.whole, nil
	}
	if part, ok := f.parts[k]; ok {
		return part, nil
	}
	part, err := f.holdOut(k)
	if err != nil {
		return nil, err
	}
	if err := f.prepare(ctx, part, f.stream.Child("stop", k)); err != nil {
		return nil, err
	}
	f.parts[k] = part
	return part, nil
}

func (f *fitter) prepare(ctx context.Context, p *prepared, s rng.Stream) error {
	var err error
	p.chains, p.warnings, err = f.recipe.fitChains(ctx, p.train, s)
	return err
}

// holdOut takes one of k parts of the rows away for early stopping: stratified by outcome, patients
// whole. With fewer than k patients of a class the parts are as many as there are.
func (f *fitter) holdOut(k int) (*prepared, error) {
	rows := &split.Rows{N: f.data.Rows(), Y: f.data.Y, Group: f.data.Patient}
	with, without := classes(rows)
	folds, err := split.Folds{K: min(k, max(2, min(with, without)))}.Split(rows, f.stream.Child("stop", k).Child("rows"))
	if err != nil {
		return nil, &diag.Error{
			Kind: diag.KindOf(err), Field: "early_stopping_rounds", Msg: "the training rows cannot spare rows to stop on", Err: err,
			Hint: "set early_stopping_rounds to 0",
		}
	}
	return &prepared{train: f.data.take(folds[0].Train), tune: f.data.take(folds[0].Test)}, nil
}

// classes counts the patients with an event and those with a row without one.
func classes(d *split.Rows) (with, without int) {
	seen := make(map[string][2]bool, d.N)
	for i, y := range d.Y {
		if d.Group == nil {
			if y {
				with++
			} else {
				without++
			}
			continue
		}
		c := seen[d.Group[i]]
		if y && !c[1] {
			with++
			c[1] = true
		}
		if !y && !c[0] {
			without++
			c[0] = true
		}
		seen[d.Group[i]] = c
	}
	return with, without
}

// fitModel learns the model behind chain c. A censored outcome gives each row its
// inverse-probability-of-censoring weight, with the censoring curve of the rows that are learnt from;
// rows of weight zero (censored before the horizon) are left out.
func (r *Recipe) fitModel(ctx context.Context, rows *prepared, c preprocess.Transform, p model.Params, s rng.Stream) (model.Model, error) {
	train, err := dataset(ctx, rows.train, rows.train, c)
	if err != nil {
		return nil, err
	}
	o := &model.FitOptions{Stream: s, Workers: 1}
	if rows.tune != nil {
		if o.Tune, err = dataset(ctx, rows.train, rows.tune, c); err != nil {
			return nil, err
		}
	}
	m, err := p.Learner().Fit(ctx, train, o)
	if err != nil {
		return nil, r.named(err)
	}
	return m, nil
}

// dataset is what a learner sees of d, weighted under the censoring curve of from.
func dataset(ctx context.Context, from, d *Data, c preprocess.Transform) (*model.Dataset, error) {
	x, err := c.Apply(ctx, d.X)
	if err != nil {
		return nil, err
	}
	ds := &model.Dataset{X: x, Y: d.Y, W: d.Weight, Group: d.Patient}
	if !d.Timed() {
		return ds, nil
	}
	w, err := censoringWeights(from, d)
	if err != nil {
		return nil, err
	}
	var keep []int
	for i, v := range w {
		if v > 0 {
			keep = append(keep, i)
		}
	}
	ds.W = w
	return ds.Take(keep), nil
}
