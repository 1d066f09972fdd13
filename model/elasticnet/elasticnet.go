// Package elasticnet is the family of logistic regression with ridge, lasso and elastic-net
// penalties, chosen by inner cross-validation.
//
// [Path] fits a falling sequence of penalties, [CrossValidate] measures it on folds; the
// family (fill a [Params], take its Learner, Fit) does both and keeps the coefficients of the
// chosen penalty. Definitions are glmnet's. Results depend on the rows, the hyperparameters
// and the random stream (folds only), never on the number of workers.
package elasticnet

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/model"
)

// Choices of the penalty.
const (
	LambdaMin = "lambda_min" // the best cross-validated mean
	Lambda1SE = "lambda_1se" // the largest penalty within one standard error of it
)

// Params are the hyperparameters.
type Params struct {
	L1Ratio        float64            `json:"l1_ratio"`         // 0 ridge, 1 lasso
	Lambda         *float64           `json:"lambda"`           // the penalty; null: chosen by cross-validation. scikit-learn's C is 1/(lambda n)
	NLambda        int                `json:"n_lambda"`         // length of the path
	LambdaMinRatio float64            `json:"lambda_min_ratio"` // smallest over largest penalty; 0: 1e-4, or 1e-2 when rows < columns
	Choose         string             `json:"choose"`           // "lambda_min" or "lambda_1se"
	Folds          int                `json:"folds"`            // of the inner cross-validation, stratified by outcome
	Measure        string             `json:"measure"`          // "deviance", "auc", "brier" or "class"
	Standardize    bool               `json:"standardize"`      // scale columns to unit sd (divisor n) before penalising
	PenaltyFactor  map[string]float64 `json:"penalty_factor"`   // by column; 1 where not named, 0 is never penalised
	MaxIter        int                `json:"max_iter"`         // outer iterations per penalty
	Tol            float64            `json:"tol"`              // curvature-weighted squared step at convergence
}

// Default returns an even mix of lasso and ridge, its penalty chosen by 10-fold deviance.
func Default() Params {
	return Params{
		L1Ratio: 0.5, NLambda: 100, Choose: LambdaMin, Folds: 10, Measure: Deviance,
		Standardize: true, MaxIter: 100, Tol: 1e-9,
	}
}

var _ model.Params = (*Params)(nil)

// Validate reports every fault, kind Invalid.
func (p Params) Validate() error {
	var faults diag.List
	bad := func(field, format string, args ...any) { faults.Addf(diag.Invalid, field, format, args...) }
	if !(p.L1Ratio >= 0 && p.L1Ratio <= 1) {
		bad("l1_ratio", "must be in [0, 1], got %g", p.L1Ratio)
	}
	if p.Lambda != nil && (!(*p.Lambda >= 0) || math.IsInf(*p.Lambda, 0)) {
		bad("lambda", "must be a finite number of at least 0, got %g", *p.Lambda)
	}
	if p.NLambda < 2 {
		bad("n_lambda", "must be at least 2, got %d", p.NLambda)
	}
	if !(p.LambdaMinRatio >= 0 && p.LambdaMinRatio < 1) {
		bad("lambda_min_ratio", "must be in [0, 1), got %g", p.LambdaMinRatio)
	}
	if p.Choose != LambdaMin && p.Choose != Lambda1SE {
		bad("choose", "expected lambda_min or lambda_1se, got %q", p.Choose)
	}
	if p.Folds < 2 {
		bad("folds", "must be at least 2, got %d", p.Folds)
	}
	if !slices.Contains(Measures(), p.Measure) {
		bad("measure", "expected deviance, auc, brier or class, got %q", p.Measure)
	}
	for _, name := range slices.Sorted(maps.Keys(p.PenaltyFactor)) {
		if v := p.PenaltyFactor[name]; !(v >= 0) || math.IsInf(v, 0) {
			bad(fmt.Sprintf("penalty_factor.%s", name), "must be a finite number of at least 0, got %g", v)
		}
	}
	if p.MaxIter < 1 {
		bad("max_iter", "must be at least 1, got %d", p.MaxIter)
	}
	if !(p.Tol > 0 && p.Tol < 1) {
		bad("tol", "must be in (0, 1), got %g", p.Tol)
	}
	return faults.Err()
}

// Learner returns the learner of p.
func (p Params) Learner() model.Learner { return &learner{p} }

// Family describes elastic-net logistic regression.
func Family() model.Family {
	return model.Family{
		Name:  "elasticnet",
		Title: "Elastic-net logistic regression",
		Needs: []frame.Kind{frame.Number},
		Dense: true,
		Default: func() model.Params {
			p := Default()
			return &p
		},
		Space: space,
		Grid: func() []model.Params {
			var out []model.Params
			for _, l1 := range []float64{0, 0.25, 0.5, 0.75, 1} {
				p := Default()
				p.L1Ratio = l1
				out = append(out, &p)
			}
			return out
		},
		Load: func(b []byte) (model.Model, error) { return Load(b) },
		Cite: []string{
			"10.18637/jss.v033.i01 Friedman, Hastie and Tibshirani, Regularization paths for generalized linear models via coordinate descent, J Stat Softw 2010;33(1)",
			"10.1111/j.1467-9868.2005.00503.x Zou and Hastie, Regularization and variable selection via the elastic net, J R Stat Soc B 2005;67:301",
			"10.1111/j.1467-9868.2011.01004.x Tibshirani et al., Strong rules for discarding predictors in lasso-type problems, J R Stat Soc B 2012;74:245",
		},
	}
}
