package elasticnet_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"dolor/frame"
	"dolor/internal/golden"
	"dolor/model"
	"dolor/model/elasticnet"
	"dolor/model/modeltest"
	"dolor/rng"
)

func score(ctx context.Context, m model.Model, x *frame.Frame) ([]float64, error) {
	return m.(*elasticnet.Model).Score(ctx, x, nil)
}

func TestBattery(t *testing.T) {
	t.Run("chosen by cross-validation", func(t *testing.T) {
		// Folds are drawn by row, so row order and repeated rows change the choice.
		modeltest.Run(t, elasticnet.Family(), modeltest.Options{Score: score, CancelRows: 20000, CancelCols: 60})
	})
	for _, l1 := range []float64{0, 0.5, 1} {
		t.Run(fmt.Sprintf("lambda given, l1_ratio %g", l1), func(t *testing.T) {
			modeltest.Run(t, elasticnet.Family(), modeltest.Options{
				Params: func() model.Params {
					p := elasticnet.Default()
					p.L1Ratio = l1
					lambda := 0.02
					p.Lambda = &lambda
					p.Tol = 1e-20
					return &p
				},
				OrderTol: 1e-8, WeightTol: 1e-8, ZeroWeightTol: 1e-8, Score: score, CancelRows: 20000, CancelCols: 60,
			})
		})
	}
}

func FuzzLoad(f *testing.F) { modeltest.FuzzLoad(f, elasticnet.Family()) }

func TestCrossValidationMeetsGlmnet(t *testing.T) {
	want := golden.Load(t, "stats/regression.expected.json")
	x, y, _, fold := regression(t)
	for _, l1 := range []float64{0, .5, 1} {
		for _, measure := range []string{elasticnet.Deviance, elasticnet.AUC} {
			key := fmt.Sprintf("cv_glmnet_alpha_%g_%s", l1, measure)
			t.Run(key, func(t *testing.T) {
				g := want.Get(key)
				r, err := elasticnet.CrossValidate(context.Background(), x, y, nil, nil, fold, measure,
					&elasticnet.PathOptions{L1Ratio: l1, Lambda: g.Get("lambda").Floats(), Tol: 1e-18})
				if err != nil {
					t.Fatal(err)
				}
				golden.CloseAll(t, "cvm", r.Mean, g.Get("cvm").Floats(), 1e-5)
				golden.CloseAll(t, "cvsd", r.SD, g.Get("cvsd").Floats(), 1e-5)
				golden.Close(t, "lambda_min", r.Lambda[r.Min], g.Get("lambda_min").Float(), 1e-12)
				golden.Close(t, "lambda_1se", r.Lambda[r.OneSE], g.Get("lambda_1se").Float(), 1e-12)
			})
		}
	}
}

// TestOptimality checks the conditions of the minimum on wide, correlated data with weights,
// an offset and penalty factors, where every branch of the solver is taken.
func TestOptimality(t *testing.T) {
	for _, size := range [][3]int{{60, 200, 0}, {300, 30, 0}, {700, 5, 0}, {60, 120, 8}, {700, 5, 2}} {
		for _, l1 := range []float64{0, .3, 1} {
			n, p := size[0], size[1]
			r := rng.New(5).Child("optimality", n, p).Rand()
			x := frame.NewMatrix(n, p)
			y := make([]bool, n)
			w, off, pf := make([]float64, n), make([]float64, n), make([]float64, p)
			var total float64
			for i := range n {
				common := r.NormFloat64()
				for j := range p {
					x.Row(i)[j] = 10*float64(j%3) + (common+r.NormFloat64())*(1+float64(j%4))
				}
				y[i] = r.Float64() < 1/(1+math.Exp(-common))
				w[i] = 0.5 + r.Float64()
				off[i] = 0.3 * r.NormFloat64()
				total += w[i]
			}
			var sum float64
			for j := range pf {
				pf[j] = float64(1+j%3) / 2
				sum += pf[j]
			}
			res, err := elasticnet.Path(t.Context(), x, y, w, off, &elasticnet.PathOptions{L1Ratio: l1, PenaltyFactor: pf, Tol: 1e-16, NLambda: 25, MaxGram: size[2]})
			if err != nil {
				t.Fatal(err)
			}
			for k, lambda := range res.Lambda {
				beta := res.Beta.Row(k)
				for j := range p {
					var mean, sd, g float64
					for i := range n {
						mean += w[i] / total * x.Row(i)[j]
					}
					for i := range n {
						d := x.Row(i)[j] - mean
						sd += w[i] / total * d * d
						eta := res.Intercept[k] + off[i]
						for q, b := range beta {
							eta += b * x.Row(i)[q]
						}
						yi := 0.0
						if y[i] {
							yi = 1
						}
						g += w[i] / total * (1/(1+math.Exp(-eta)) - yi) * d
					}
					sd = math.Sqrt(sd)
					g /= sd
					pen := lambda * pf[j] * float64(p) / sum
					b := beta[j] * sd
					gap := math.Abs(g) - pen*l1
					if b != 0 {
						gap = math.Abs(g + pen*(1-l1)*b + math.Copysign(pen*l1, b))
					}
					if gap > 1e-7 {
						t.Fatalf("%d x %d, l1_ratio %g, penalty %d, column %d: optimality missed by %g", n, p, l1, k, j, gap)
					}
				}
				if !res.Converged[k] {
					t.Errorf("%d x %d, l1_ratio %g, penalty %d: not converged", n, p, l1, k)
				}
			}
		}
	}
}

func Example() {
	r := rng.New(1).Child("example").Rand()
	n := 200
	pain, noise := make([]float64, n), make([]float64, n)
	y := make([]bool, n)
	for i := range n {
		pain[i], noise[i] = r.NormFloat64(), r.NormFloat64()
		y[i] = pain[i]+r.NormFloat64() > 0
	}
	x, err := frame.New(n, frame.NumberColumn(frame.Field{Name: "pain"}, pain), frame.NumberColumn(frame.Field{Name: "noise"}, noise))
	if err != nil {
		fmt.Println(err)
		return
	}
	p := elasticnet.Default()
	p.L1Ratio, p.Choose = 1, elasticnet.Lambda1SE
	m, err := p.Learner().Fit(context.Background(), &model.Dataset{X: x, Y: y}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range m.(model.Equation).Terms() {
		fmt.Printf("%s %.2f\n", t.Name, t.Estimate)
	}
	// Output:
	// (intercept) 0.18
	// pain 1.15
	// noise 0.00
}
