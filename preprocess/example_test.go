package preprocess_test

import (
	"context"
	"fmt"
	"math"

	"dolor/frame"
	"dolor/preprocess"
	"dolor/rng"
)

func ExampleChain_FitApply() {
	train, _ := frame.New(4,
		frame.NumberColumn(frame.Field{Name: "chol", Unit: "mg/dL"}, []float64{200, math.NaN(), 240, 220}),
		frame.CategoryColumn(frame.Field{Name: "cp", Levels: []string{"1", "3"}}, []int32{0, 1, 1, 0}))
	chain, _ := preprocess.DecodeChain([]byte(`[{"step":"impute"},{"step":"one_hot"}]`))
	_, out, err := chain.FitApply(context.Background(), train, nil, rng.New(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range out.Cols() {
		fmt.Println(out.At(i).Name, out.At(i).Numbers())
	}
	// Output:
	// chol [200 220 240 220]
	// cp=3 [0 1 1 0]
	// chol:missing [0 1 0 0]
}
