package evaluate_test

import (
	"fmt"

	"dolor/evaluate"
)

// The predictions table goes to columns, for Parquet, and back.
func ExamplePredictionsFrom() {
	p := evaluate.External(&evaluate.Data{Outcome: evaluate.Outcome{Y: []bool{true, false}}}, "logistic",
		[]float64{0.7, 0.2}, []float64{0.8, 0.1})
	f, err := p.Frame()
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := evaluate.PredictionsFrom(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Row, back.Validation, back.Outcome, back.Probability)
	// Output: [1 2] [external external] [true false] [0.7 0.2]
}
