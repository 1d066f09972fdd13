package gbm_test

import (
	"context"
	"testing"

	"dolor/frame"
	"dolor/model"
	"dolor/model/gbm"
	"dolor/model/modeltest"
)

func score(ctx context.Context, m model.Model, x *frame.Frame) ([]float64, error) {
	return m.(*gbm.Model).Score(ctx, x, nil)
}

// params returns the defaults changed by edit.
func params(edit func(*gbm.Params)) func() model.Params {
	return func() model.Params {
		p := gbm.Default()
		p.NEstimators = 20
		edit(&p)
		return &p
	}
}

// numbers is the family as exact accepts it: without categories.
func numbers() model.Family {
	f := gbm.Family()
	f.Needs = []frame.Kind{frame.Number}
	return f
}

func TestBattery(t *testing.T) {
	t.Run("defaults", func(t *testing.T) {
		modeltest.Run(t, gbm.Family(), modeltest.Options{
			Params:         params(func(*gbm.Params) {}),
			HandlesMissing: true, OrderTol: 1e-15, WeightTol: 1e-6, ZeroWeightTol: 1e-15,
			Score: score, CancelRows: 40000, CancelCols: 60,
		})
	})
	t.Run("hist, every sampling, loss-guided, early stopping on given rows", func(t *testing.T) {
		modeltest.Run(t, gbm.Family(), modeltest.Options{
			Params: params(func(p *gbm.Params) {
				p.GrowPolicy, p.MaxLeaves, p.MaxDepth, p.MaxBin = gbm.LossGuide, 6, 0, 16
				p.Subsample, p.ColsampleByTree, p.ColsampleLevel, p.ColsampleNode = 0.7, 0.8, 0.8, 0.8
				p.EarlyStoppingRounds = 5
			}),
			HandlesMissing: true, NeedsTune: true, Score: score, CancelRows: 40000, CancelCols: 60,
		})
	})
	t.Run("exact", func(t *testing.T) {
		modeltest.Run(t, numbers(), modeltest.Options{
			Params:         params(func(p *gbm.Params) { p.TreeMethod = gbm.Exact }),
			HandlesMissing: true, OrderTol: 1e-6, WeightTol: 1e-6, ZeroWeightTol: 1e-12,
			Score: score, CancelRows: 20000, CancelCols: 20,
		})
	})
	t.Run("exact, every sampling and early stopping on given rows", func(t *testing.T) {
		modeltest.Run(t, numbers(), modeltest.Options{
			Params: params(func(p *gbm.Params) {
				p.TreeMethod, p.GrowPolicy, p.MaxLeaves = gbm.Exact, gbm.LossGuide, 6
				p.Subsample, p.ColsampleByTree, p.ColsampleLevel, p.ColsampleNode = 0.7, 0.8, 0.8, 0.8
				p.EarlyStoppingRounds = 5
			}),
			HandlesMissing: true, NeedsTune: true, Score: score, CancelRows: 20000, CancelCols: 20,
		})
	})
	t.Run("exact, early stopping on an inner split", func(t *testing.T) {
		modeltest.Run(t, numbers(), modeltest.Options{
			Params:         params(func(p *gbm.Params) { p.TreeMethod, p.EarlyStoppingRounds = gbm.Exact, 5 }),
			HandlesMissing: true, Score: score, CancelRows: 20000, CancelCols: 20,
		})
	})
}
