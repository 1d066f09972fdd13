package forest_test

import (
	"context"
	"testing"

	"dolor/frame"
	"dolor/model"
	"dolor/model/forest"
	"dolor/model/modeltest"
)

// score is the scale of attributions: the probability itself.
func score(ctx context.Context, m model.Model, x *frame.Frame) ([]float64, error) {
	return m.Predict(ctx, x, nil)
}

func params(change func(*forest.Params)) func() model.Params {
	return func() model.Params {
		p := forest.Default()
		p.NEstimators, p.MinSamplesLeaf = 40, 3
		change(&p)
		return &p
	}
}

func TestBattery(t *testing.T) {
	// Without the bootstrap, rows count by their sums alone; a tie in weight is an exact one.
	exact := modeltest.Options{OrderTol: 1e-15, WeightTol: 1e-15, ZeroWeightTol: 1e-15}
	for _, c := range []struct {
		name   string
		claims modeltest.Options
		change func(*forest.Params)
	}{
		{"default", modeltest.Options{ZeroWeightTol: 1e-15}, func(*forest.Params) {}},
		{"log loss", modeltest.Options{ZeroWeightTol: 1e-15}, func(p *forest.Params) { p.Criterion = forest.LogLoss }},
		{"extremely randomised", modeltest.Options{ZeroWeightTol: 1e-15}, func(p *forest.Params) { p.Splitter = forest.Random }},
		{"balanced", modeltest.Options{ZeroWeightTol: 1e-15}, func(p *forest.Params) { p.ClassWeight = forest.Balanced }},
		{"every row in every tree", exact, func(p *forest.Params) { p.Bootstrap, p.MinSamplesLeaf = false, 1 }},
		{"few leaves", exact, func(p *forest.Params) {
			p.Bootstrap, p.MinSamplesLeaf, p.MaxLeafNodes, p.Criterion = false, 1, 12, forest.LogLoss
		}},
		{"random splits of every row", exact, func(p *forest.Params) {
			p.Bootstrap, p.MinSamplesLeaf, p.Splitter = false, 1, forest.Random
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := c.claims
			o.Params, o.HandlesMissing, o.Score = params(c.change), true, score
			o.CancelRows, o.CancelCols = 20000, 30
			modeltest.Run(t, forest.Family(), o)
		})
	}
}

func FuzzLoad(f *testing.F) { modeltest.FuzzLoad(f, forest.Family()) }
