package study

import (
	"context"

	"dolor/evaluate"
)

// Prepare reads the table of p and returns the rows and the validation plan that Run would work
// on, fitting nothing: for programs that evaluate something else on the same folds. Workers 0
// means the cores. Errors are those of Run before its first fit.
func Prepare(ctx context.Context, env *Env, p *Protocol, workers int) (*evaluate.Data, *evaluate.Plan, error) {
	c, err := buildCohort(ctx, p, workers)
	if err != nil {
		return nil, nil, err
	}
	plan, err := planOf(p, env)
	if err != nil {
		return nil, nil, err
	}
	return c.data, plan, nil
}
