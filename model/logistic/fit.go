package logistic

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/glm"
	"dolor/model"
)

type learner struct{ p Params }

// suspect is the log-odds beyond which a converged fit is examined for separation. Below it
// a separating direction would leave a score far above the convergence bound, because the row
// it gains on would still contribute at least exp(-suspect) of its length.
const suspect = 12

// Fit implements [model.Learner]. Errors: Invalid for a bad hyperparameter, weight, kind or
// gap, Unfit for one class or no rows, Canceled.
func (l *learner) Fit(ctx context.Context, train *model.Dataset, _ *model.FitOptions) (model.Model, error) {
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
	basis := glm.Orthogonalise(problem(x, train))
	o := &glm.Options{MaxIter: l.p.MaxIter, Tol: l.p.Tol, Stop: func() bool { return ctx.Err() != nil }}
	fit, err := basis.Fit(l.p.Penalty == Firth, o)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if fit == nil || err != nil && !errors.Is(err, glm.ErrSingular) {
		return nil, diag.Errorf(diag.Unfit, "", "expected an information matrix of full rank, got a singular one")
	}
	m := &Model{params: l.p, fit: summary{
		Rows: train.Rows(), Events: train.Events(), LogLik: number(fit.LogLik),
		Penalised: number(fit.Penalised), Iterations: fit.Iter, Converged: fit.Converged && err == nil,
	}}
	columns := model.NewColumns(train.X, x, train.W)
	m.linear.Intercept = fit.Coef[0]
	for a, j := range basis.Kept[1:] {
		m.linear.Columns = append(m.linear.Columns, columns[j-1])
		m.linear.Coef = append(m.linear.Coef, fit.Coef[a+1])
	}
	m.warn(x.Names, basis, largest(&m.linear, x, train, basis.Kept))
	if err := m.linear.Valid(); err != nil {
		return nil, diag.Errorf(diag.Unfit, "", "expected finite coefficients, got a fit that diverges; use penalty firth")
	}
	m.intervals(basis, fit, o)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return m, nil
}

// problem puts an intercept column before x.
func problem(x frame.Matrix, d *model.Dataset) glm.Problem {
	pr := glm.Problem{
		Rows: x.Rows, Cols: x.Cols + 1, W: d.W, Offset: d.Offset,
		X: make([]float64, x.Rows*(x.Cols+1)), Y: make([]float64, x.Rows),
	}
	for i := range x.Rows {
		row := pr.X[i*pr.Cols : (i+1)*pr.Cols]
		row[0] = 1
		copy(row[1:], x.Row(i))
		if d.Y[i] {
			pr.Y[i] = 1
		}
	}
	return pr
}

// largest returns the largest log-odds in size, without the offset, among the training rows.
func largest(l *model.Linear, x frame.Matrix, d *model.Dataset, kept []int) float64 {
	var top float64
	for i := range x.Rows {
		if d.W != nil && d.W[i] == 0 {
			continue
		}
		eta := l.Intercept
		for a, j := range kept[1:] {
			eta += l.Coef[a] * x.Row(i)[j-1]
		}
		top = max(top, math.Abs(eta))
	}
	return top
}

// warn records what the reader of the model must know. names are the training columns.
func (m *Model) warn(names []string, b *glm.Basis, top float64) {
	quoted := func(columns []int) string {
		var s []string
		for _, j := range columns {
			if j > 0 {
				s = append(s, names[j-1])
			}
		}
		return strings.Join(s, ", ")
	}
	add := func(code, first, format string, args ...any) {
		m.warnings = append(m.warnings, diag.Warning{Code: code, Msg: fmt.Sprintf(format, args...), Count: 1, First: first})
	}
	for _, j := range b.Aliased {
		add("aliased", names[j-1], "%s is constant or a linear combination of other predictors; it has no coefficient", names[j-1])
	}
	// Firth's estimates are finite under separation, so their size tells nothing.
	if m.params.Penalty == Firth || !m.fit.Converged || !(top < suspect) {
		if sep := glm.Separation(b); sep != nil {
			kind, advice := "quasi-complete", ""
			if sep.Complete {
				kind = "complete"
			}
			if m.params.Penalty == None {
				advice = "; maximum likelihood estimates are infinite, use penalty firth"
			}
			who := quoted(sep.Columns)
			if who == "" {
				who = "the intercept"
			}
			first, _, _ := strings.Cut(who, ",")
			add("separation", first, "%s separation of the outcome by %s%s", kind, who, advice)
		}
	}
	if !m.fit.Converged {
		add("not_converged", "", "the fit did not converge in %d iterations", m.fit.Iterations)
	}
	rare := min(m.fit.Events, m.fit.Rows-m.fit.Events)
	if k := len(m.linear.Coef); k > 0 && float64(rare) < 10*float64(k) {
		add("events_per_parameter", "", "%d patients in the rarer outcome class for %d coefficients: fewer than 10 each", rare, k)
	}
}

// intervals fills the equation. Without a covariance everything but the estimate is NaN.
func (m *Model) intervals(b *glm.Basis, fit *glm.Fit, o *glm.Options) {
	k := len(fit.Coef)
	m.cov = slices.Clone(fit.Cov)
	z := distuv.UnitNormal.Quantile(0.5 + m.params.Level/2)
	// The kept columns on their own scale, for the profiles.
	kept := b.Problem
	if m.params.Interval == Profile && fit.Cov != nil {
		kept.X = make([]float64, b.Rows*k)
		for i := range b.Rows {
			for a := range k {
				for c := range a + 1 {
					kept.X[i*k+a] += b.X[i*k+c] * b.R[c*k+a]
				}
			}
		}
	}
	nan := math.NaN()
	for a, est := range fit.Coef {
		t := model.Term{Name: Intercept, Estimate: est, SE: nan, Lower: nan, Upper: nan, P: nan}
		if a > 0 {
			t.Name = m.linear.Columns[a-1].Name
		}
		if fit.Cov != nil {
			t.SE = math.Sqrt(fit.Cov[a*k+a])
			t.Method = m.params.Interval
			if m.params.Interval == Profile {
				pf := glm.Profile(kept, fit, a, m.params.Penalty == Firth, m.params.Level, o)
				t.Lower, t.Upper, t.P = pf.Lower, pf.Upper, pf.P
			} else {
				t.Lower, t.Upper, t.P = est-z*t.SE, est+z*t.SE, glm.WaldP(est/t.SE)
			}
		}
		m.terms = append(m.terms, t)
	}
}
