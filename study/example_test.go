package study_test

import (
	"fmt"

	"dolor/internal/builtin"
	"dolor/study"
)

func ExampleParse() {
	env := &study.Env{Families: builtin.Families()}
	p, err := study.Parse("study.yaml", []byte(`
study: heart
data: {path: heart.csv}
cohort: {outcome: {column: target, event: "> 0"}}
predictors: {clinical: all}
models: [logistic]
`), env)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Validation.Internal.Outer, "folds; calibration", p.Calibration.Method, "; threshold", p.Thresholds.Decision)

	_, err = study.Parse("study.yaml", []byte("study: heart\nmodles: [logistic]\n"), env)
	fmt.Println(err)
	// Output:
	// 5 folds; calibration auto ; threshold 0.2
	// study.yaml:2:1: modles: unknown key; did you mean "models"?
}
