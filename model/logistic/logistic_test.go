package logistic_test

import (
	"context"
	"fmt"
	"testing"

	"dolor/frame"
	"dolor/model"
	"dolor/model/logistic"
	"dolor/model/modeltest"
)

func score(ctx context.Context, m model.Model, x *frame.Frame) ([]float64, error) {
	return m.(*logistic.Model).Score(ctx, x, nil)
}

func TestBattery(t *testing.T) {
	for _, penalty := range []string{logistic.None, logistic.Firth} {
		t.Run(penalty, func(t *testing.T) {
			modeltest.Run(t, logistic.Family(), modeltest.Options{
				Params: func() model.Params {
					p := logistic.Default()
					p.Penalty = penalty
					return &p
				},
				OrderTol: 1e-9, WeightTol: 1e-9, ZeroWeightTol: 1e-9,
				Score: score, CancelRows: 40000,
			})
		})
	}
}

func FuzzLoad(f *testing.F) { modeltest.FuzzLoad(f, logistic.Family()) }

func Example() {
	x, err := frame.New(6, frame.NumberColumn(frame.Field{Name: "pain"}, []float64{2, 3, 5, 4, 7, 8}))
	if err != nil {
		fmt.Println(err)
		return
	}
	train := &model.Dataset{X: x, Y: []bool{false, false, false, true, false, true}}
	m, err := logistic.Default().Learner().Fit(context.Background(), train, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range m.(model.Equation).Terms() {
		fmt.Printf("%s %.3f (%.3f to %.3f)\n", t.Name, t.Estimate, t.Lower, t.Upper)
	}
	// Output:
	// (intercept) -2.853 (-8.088 to 2.383)
	// pain 0.422 (-0.490 to 1.333)
}
