package elasticnet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"dolor/diag"
	"dolor/model"
	"dolor/rng"
)

type learner struct{ p Params }

// space draws one set of hyperparameters: the mix, and the rule that chooses the penalty.
func space(s rng.Stream) model.Params {
	r := s.Rand()
	p := Default()
	p.L1Ratio = r.Float64()
	if r.Float64() < 0.5 {
		p.Choose = Lambda1SE
	}
	return &p
}

// Fit implements [model.Learner]. Errors: Invalid for a bad hyperparameter, weight, kind or
// gap, Missing for a penalty factor of no column, Unfit for one class, no rows or fewer than
// two rows of a class when the penalty is chosen by cross-validation, Canceled.
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
	x, err := model.DenseMatrix(train.X)
	if err != nil {
		return nil, err
	}
	fo := model.FitOptions{Stream: rng.New(0)}
	if opts != nil {
		fo = *opts
	}
	o := PathOptions{
		L1Ratio: l.p.L1Ratio, NLambda: l.p.NLambda, MinRatio: l.p.LambdaMinRatio,
		NoStandardize: !l.p.Standardize, Tol: l.p.Tol, MaxIter: l.p.MaxIter, Workers: fo.Workers,
	}
	if o.PenaltyFactor, err = l.factors(train); err != nil {
		return nil, err
	}
	m := &Model{params: l.p, rows: train.Rows(), events: train.Events()}
	if l.p.Lambda != nil {
		o.Lambda = []float64{*l.p.Lambda}
	}
	path, err := Path(ctx, x, train.Y, train.W, train.Offset, &o)
	if err != nil {
		return nil, err
	}
	at := 0
	if l.p.Lambda == nil {
		o.Lambda = path.Lambda
		k := m.folds(train)
		if k < 2 {
			return nil, diag.Errorf(diag.Unfit, "outcome", "expected at least 2 rows of each class to choose lambda by cross-validation, got fewer")
		}
		fold, err := foldsOf(train, k, fo.Stream.Child("elasticnet").Child("folds"))
		if err != nil {
			return nil, err
		}
		if m.cv, err = CrossValidate(ctx, x, train.Y, train.W, train.Offset, fold, l.p.Measure, &o); err != nil {
			return nil, err
		}
		if at = m.cv.Min; l.p.Choose == Lambda1SE {
			at = m.cv.OneSE
		}
		if at == len(path.Lambda)-1 && len(path.Lambda) == l.p.NLambda {
			m.warn("lambda_at_end", "the chosen penalty is the smallest of the path; a smaller one might do better")
		}
	}
	m.lambda, m.devRatio = path.Lambda[at], path.DevRatio[at]
	m.linear = model.Linear{
		Intercept: path.Intercept[at], Columns: model.NewColumns(train.X, x, train.W),
		Coef: slices.Clone(path.Beta.Row(at)),
	}
	if !path.Converged[at] {
		m.warn("not_converged", fmt.Sprintf("the fit did not converge in %d iterations", l.p.MaxIter))
	}
	if path.DF[at] == 0 {
		m.warn("empty_model", "every coefficient is 0: all patients get the same probability")
	}
	return m, nil
}

// folds returns the number of folds that gives each one of either class, at most as asked.
func (m *Model) folds(d *model.Dataset) int {
	// Patients with a row of each class: they, not rows, are dealt to the folds.
	with, without := make(map[string]bool), make(map[string]bool)
	for i, y := range d.Y {
		if d.W != nil && d.W[i] == 0 {
			continue
		}
		key := strconv.Itoa(i)
		if d.Group != nil {
			key = d.Group[i]
		}
		if y {
			with[key] = true
		} else {
			without[key] = true
		}
	}
	k := min(m.params.Folds, len(with), len(without))
	if k < m.params.Folds {
		m.warn("fewer_folds", fmt.Sprintf("inner cross-validation in %d folds instead of %d: the rarer class has no more rows", k, m.params.Folds))
	}
	return k
}

func (l *learner) factors(d *model.Dataset) ([]float64, error) {
	if len(l.p.PenaltyFactor) == 0 {
		return nil, nil
	}
	names := d.X.Schema().Names()
	out := slices.Repeat([]float64{1}, len(names))
	var faults diag.List
	for _, name := range slices.Sorted(maps.Keys(l.p.PenaltyFactor)) {
		j := slices.Index(names, name)
		if j < 0 {
			e := d.X.NoColumn(name)
			e.Field = "penalty_factor." + name
			faults.Add(e)
			continue
		}
		out[j] = l.p.PenaltyFactor[name]
	}
	return out, faults.Err()
}
