package elasticnet

import (
	"context"
	"math"
	"slices"
	"sort"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/par"
	"dolor/model"
	"dolor/rng"
	"dolor/split"
)

// Measures of a cross-validation.
const (
	Deviance = "deviance" // -2 log-likelihood per row, probabilities clipped to [1e-5, 1-1e-5]
	AUC      = "auc"      // area under the ROC curve within each fold, ties one half
	Brier    = "brier"    // mean squared error of the probability (half of glmnet's mse)
	Class    = "class"    // share of rows on the wrong side of 0.5
)

// Measures lists the names a protocol may use.
func Measures() []string { return []string{Deviance, AUC, Brier, Class} }

// CVResult is the cross-validated measure of each penalty.
type CVResult struct {
	Lambda []float64 `json:"lambda"`
	Mean   []float64 `json:"mean"` // over folds, weighted by their total weight
	SD     []float64 `json:"sd"`   // sqrt(weighted mean of (fold - mean)^2 / (folds - 1))
	Min    int       `json:"min"`  // index of the best mean; the larger penalty on a tie
	OneSE  int       `json:"one_se"`
}

// CrossValidate fits the path without each fold in turn and measures it on that fold, with
// the definitions of cv.glmnet (Friedman, Hastie, Tibshirani 2010). fold numbers the rows'
// folds, any integers. opts.Lambda, or else the path of all rows, gives the penalties; OneSE
// is the largest penalty whose mean is within one SD of the best. Folds run in parallel on
// opts.Workers; results do not depend on it. Errors are those of [Path]; a measure undefined
// in every fold (auc with one class each) is Unfit.
func CrossValidate(ctx context.Context, x frame.Matrix, y []bool, w, offset []float64, fold []int, measure string, opts *PathOptions) (*CVResult, error) {
	o := PathOptions{}
	if opts != nil {
		o = *opts
	}
	if !slices.Contains(Measures(), measure) {
		return nil, diag.Errorf(diag.Invalid, "measure", "expected deviance, auc, brier or class, got %q", measure)
	}
	if len(fold) != x.Rows {
		return nil, diag.Errorf(diag.Invalid, "fold", "expected %d values, got %d", x.Rows, len(fold))
	}
	ids := slices.Clone(fold)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) < 2 {
		return nil, diag.Errorf(diag.Invalid, "folds", "expected at least 2 folds, got %d", len(ids))
	}
	if len(o.Lambda) == 0 {
		all, err := Path(ctx, x, y, w, offset, &o)
		if err != nil {
			return nil, err
		}
		o.Lambda = all.Lambda
	}
	o.Lambda = slices.Clone(o.Lambda)
	slices.Sort(o.Lambda)
	slices.Reverse(o.Lambda)
	inner := o
	inner.Workers = 1
	scores := make([][]float64, len(ids))
	weights := make([]float64, len(ids))
	err := par.For(ctx, len(ids), o.Workers, func(ctx context.Context, k int) error {
		train, test := partRows(fold, ids[k])
		tx, ty, tw, to := take(x, y, w, offset, train)
		r, err := Path(ctx, tx, ty, tw, to, &inner)
		if err != nil {
			return err
		}
		vx, vy, vw, vo := take(x, y, w, offset, test)
		scores[k] = make([]float64, len(r.Lambda))
		p := make([]float64, len(vy))
		for l := range r.Lambda {
			for i := range p {
				eta := r.Intercept[l]
				if vo != nil {
					eta += vo[i]
				}
				for j, b := range r.Beta.Row(l) {
					if b != 0 {
						eta += b * vx.Data[i*vx.Cols+j]
					}
				}
				p[i] = 1 / (1 + math.Exp(-eta))
			}
			scores[k][l] = score(measure, vy, p, vw)
		}
		for i := range vy {
			weights[k] += weight(vw, i)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return summarise(o.Lambda, scores, weights, measure)
}

func summarise(lambda []float64, scores [][]float64, weights []float64, measure string) (*CVResult, error) {
	r := &CVResult{Lambda: lambda, Mean: make([]float64, len(lambda)), SD: make([]float64, len(lambda))}
	for l := range lambda {
		var sum, total, folds float64
		for k, s := range scores {
			if !math.IsNaN(s[l]) {
				sum += weights[k] * s[l]
				total += weights[k]
				folds++
			}
		}
		if folds < 2 {
			return nil, diag.Errorf(diag.Unfit, measure, "expected at least 2 folds with both outcomes, got %g", folds)
		}
		r.Mean[l] = sum / total
		var ss float64
		for k, s := range scores {
			if !math.IsNaN(s[l]) {
				ss += weights[k] * (s[l] - r.Mean[l]) * (s[l] - r.Mean[l])
			}
		}
		r.SD[l] = math.Sqrt(ss / total / (folds - 1))
	}
	sign := 1.0
	if measure == AUC {
		sign = -1
	}
	for l := range lambda {
		if sign*r.Mean[l] < sign*r.Mean[r.Min] {
			r.Min = l
		}
	}
	limit := sign*r.Mean[r.Min] + r.SD[r.Min]
	r.OneSE = slices.IndexFunc(r.Mean, func(m float64) bool { return sign*m <= limit })
	return r, nil
}

func weight(w []float64, i int) float64 {
	if w == nil {
		return 1
	}
	return w[i]
}

func partRows(fold []int, id int) (train, test []int) {
	for i, f := range fold {
		if f == id {
			test = append(test, i)
		} else {
			train = append(train, i)
		}
	}
	return train, test
}

func take(x frame.Matrix, y []bool, w, off []float64, rows []int) (frame.Matrix, []bool, []float64, []float64) {
	m := frame.NewMatrix(len(rows), x.Cols)
	m.Names = x.Names
	ty := make([]bool, len(rows))
	pick := func(v []float64) []float64 {
		if v == nil {
			return nil
		}
		o := make([]float64, len(rows))
		for k, i := range rows {
			o[k] = v[i]
		}
		return o
	}
	for k, i := range rows {
		copy(m.Row(k), x.Row(i))
		ty[k] = y[i]
	}
	return m, ty, pick(w), pick(off)
}

// score is the measure on one fold, NaN when undefined.
func score(measure string, y []bool, p, w []float64) float64 {
	if measure == AUC {
		return auc(y, p, w)
	}
	var sum, total float64
	for i, pi := range p {
		wi := weight(w, i)
		total += wi
		t := 0.0
		if y[i] {
			t = 1
		}
		switch measure {
		case Deviance:
			q := min(max(pi, 1e-5), 1-1e-5)
			if y[i] {
				sum -= 2 * wi * math.Log(q)
			} else {
				sum -= 2 * wi * math.Log1p(-q)
			}
		case Brier:
			sum += wi * (pi - t) * (pi - t)
		case Class:
			if (pi > 0.5) != y[i] {
				sum += wi
			}
		}
	}
	return sum / total
}

// auc is the weighted Mann-Whitney probability, ties one half.
func auc(y []bool, p, w []float64) float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return p[order[a]] < p[order[b]] })
	var below, sum, with float64 // below: weight of non-events with a smaller probability
	for s := 0; s < len(order); {
		e := s
		var t0, t1 float64
		for ; e < len(order) && p[order[e]] == p[order[s]]; e++ {
			if i := order[e]; y[i] {
				t1 += weight(w, i)
			} else {
				t0 += weight(w, i)
			}
		}
		sum += t1 * (below + t0/2)
		below += t0
		with += t1
		s = e
	}
	return sum / (below * with)
}

// foldsOf gives the fold of each row: k folds stratified by outcome, patients whole.
func foldsOf(d *model.Dataset, k int, s rng.Stream) ([]int, error) {
	parts, err := split.Folds{K: k}.Split(&split.Rows{N: d.Rows(), Y: d.Y, Group: d.Group}, s)
	if err != nil {
		return nil, err
	}
	fold := make([]int, d.Rows())
	for f, p := range parts {
		for _, i := range p.Test {
			fold[i] = f
		}
	}
	return fold, nil
}
