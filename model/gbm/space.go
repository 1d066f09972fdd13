package gbm

import (
	"math"
	"math/rand/v2"
	"strconv"

	"dolor/model"
	"dolor/rng"
)

// Trees of the search space and the rounds without progress that end them.
const (
	spaceTrees = 2000
	spaceStop  = 50
)

// space draws one set of hyperparameters: the ranges that tuning guides of XGBoost share, the
// number of trees left to early stopping. Numbers are rounded to three digits, as reports
// print them.
func space(s rng.Stream) model.Params {
	r := s.Rand()
	p := Default()
	p.NEstimators, p.EarlyStoppingRounds = spaceTrees, spaceStop
	p.LearningRate = logUniform(r, 0.01, 0.3)
	p.MaxDepth = 2 + r.IntN(7)
	p.MinChildWeight = logUniform(r, 0.5, 20)
	p.Subsample = uniform(r, 0.5, 1)
	p.ColsampleByTree = uniform(r, 0.4, 1)
	p.RegLambda = logUniform(r, 0.1, 30)
	p.RegAlpha = logUniform(r, 1e-3, 10)
	// Half of the draws leave splits free of a least gain.
	if g := logUniform(r, 1e-2, 5); r.Float64() < 0.5 {
		p.Gamma = g
	}
	return &p
}

// grid is for grid search: 12 points over depth, size of children and shrinkage of leaves.
func grid() []model.Params {
	var out []model.Params
	for _, depth := range []int{2, 3, 5} {
		for _, child := range []float64{1, 5} {
			for _, lambda := range []float64{1, 10} {
				p := Default()
				p.NEstimators, p.EarlyStoppingRounds, p.LearningRate = spaceTrees, spaceStop, 0.05
				p.Subsample = 0.8
				p.MaxDepth, p.MinChildWeight, p.RegLambda = depth, child, lambda
				out = append(out, &p)
			}
		}
	}
	return out
}

func uniform(r *rand.Rand, lo, hi float64) float64 {
	return digits3(lo + float64((hi-lo)*r.Float64()))
}

func logUniform(r *rand.Rand, lo, hi float64) float64 {
	return min(hi, max(lo, digits3(lo*math.Pow(hi/lo, r.Float64()))))
}

// digits3 rounds v to three significant digits.
func digits3(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v
	}
	return out
}
