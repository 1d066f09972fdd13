package gbm_test

import (
	"context"
	"fmt"

	"dolor/frame"
	"dolor/model"
	"dolor/model/gbm"
	"dolor/rng"
)

func Example() {
	// Pain and dose matter together: neither alone tells the outcome.
	r := rng.New(1).Child("example").Rand()
	n := 400
	pain, dose := make([]float64, n), make([]float64, n)
	y := make([]bool, n)
	for i := range n {
		pain[i], dose[i] = float64(r.IntN(11)), float64(r.IntN(120))
		y[i] = (pain[i] > 5) == (dose[i] > 60)
	}
	x, err := frame.New(n, frame.NumberColumn(frame.Field{Name: "pain"}, pain), frame.NumberColumn(frame.Field{Name: "dose"}, dose))
	if err != nil {
		fmt.Println(err)
		return
	}
	p := gbm.Default()
	p.NEstimators = 50
	fitted, err := p.Learner().Fit(context.Background(), &model.Dataset{X: x, Y: y}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	m := fitted.(*gbm.Model)
	prob, err := m.Predict(context.Background(), x.Take([]int{0, 1, 2}), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, v := range prob {
		fmt.Printf("pain %.0f, dose %.0f: %.2f\n", pain[i], dose[i], v)
	}
	for _, one := range m.Importance() {
		fmt.Printf("%s: %.0f splits\n", one.Column, one.Weight)
	}
	// Output:
	// pain 4, dose 22: 0.99
	// pain 0, dose 16: 0.99
	// pain 8, dose 108: 0.99
	// pain: 100 splits
	// dose: 144 splits
}
