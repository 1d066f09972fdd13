package calibrate

import (
	"context"
	"math"

	"dolor/diag"
	"dolor/rng"
)

// Score is what one method reached in cross-validation.
type Score struct {
	Method  string  `json:"method"`
	LogLoss float64 `json:"log_loss"` // mean over held-out rows, p bounded by 1e-8
}

// Choice is the outcome of [Choose].
type Choice struct {
	Map      Map
	Scores   []Score // every method tried, in the order of Methods
	Warnings []diag.Warning
}

// Choose tries every method by cross-validated log loss inside the given rows, fits the best
// on all of them and reports the scores. folds gives the fold of each row (rows of one patient
// share one); nil means 5 stratified folds drawn from stream. Ties go to the simpler method.
// platt is left out: on logits it is logistic with shrunken targets. A method that falls back inside a
// fold is scored as it fell. With fewer than 2 folds holding rows, or one class, the map is
// none, with a warning. Kind Invalid for bad rows, Canceled.
func Choose(ctx context.Context, p []float64, y []bool, w []float64, folds []int, stream rng.Stream) (Choice, error) {
	if err := check(p, y, w); err != nil {
		return Choice{}, err
	}
	if folds != nil && len(folds) != len(p) {
		return Choice{}, diag.Errorf(diag.Invalid, "folds", "expected %d values, got %d", len(p), len(folds))
	}
	if folds == nil {
		folds = stratify(y, 5, stream)
	}
	var ids []int
	seen := make(map[int]bool)
	for _, f := range folds {
		if !seen[f] {
			seen[f] = true
			ids = append(ids, f)
		}
	}
	var c Choice
	best := -1
	var tried []Method
	for _, m := range Methods() {
		if m.Name() == "platt" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return Choice{}, &diag.Error{Kind: diag.Canceled, Op: "calibrate.Choose", Err: err}
		}
		if len(ids) < 2 {
			break
		}
		loss, err := crossLoss(m, p, y, w, folds, ids)
		if err != nil {
			return Choice{}, err
		}
		tried = append(tried, m)
		c.Scores = append(c.Scores, Score{m.Name(), loss})
		if best < 0 || loss < c.Scores[best].LogLoss-1e-12 {
			best = len(tried) - 1
		}
	}
	m := Method(method{"none"})
	if best >= 0 {
		m = tried[best]
	} else {
		c.Warnings = append(c.Warnings, diag.Warning{Code: "calibration_not_chosen", Count: 1, Msg: "too few folds hold rows to choose a recalibration; probabilities are left as they are"})
	}
	var err error
	if c.Map, err = m.Fit(p, y, w); err != nil {
		return Choice{}, err
	}
	c.Warnings = diag.Merge(c.Warnings, Warnings(c.Map)...)
	return c, nil
}

func crossLoss(m Method, p []float64, y []bool, w []float64, folds, ids []int) (float64, error) {
	var loss, total float64
	for _, id := range ids {
		var tp, hp, tw, hw []float64
		var ty, hy []bool
		for i, f := range folds {
			wi := 1.0
			if w != nil {
				wi = w[i]
			}
			if f == id {
				hp, hy, hw = append(hp, p[i]), append(hy, y[i]), append(hw, wi)
			} else {
				tp, ty, tw = append(tp, p[i]), append(ty, y[i]), append(tw, wi)
			}
		}
		f, err := m.Fit(tp, ty, tw)
		if err != nil {
			return 0, err
		}
		for i, q := range f.Apply(hp, nil) {
			q = bound(q)
			if !hy[i] {
				q = 1 - q
			}
			loss -= hw[i] * math.Log(q)
			total += hw[i]
		}
	}
	return loss / total, nil
}

func stratify(y []bool, k int, stream rng.Stream) []int {
	folds := make([]int, len(y))
	next := 0
	order := stream.Child("calibration folds").Rand().Perm(len(y))
	for _, class := range []bool{true, false} {
		for _, i := range order {
			if y[i] == class {
				folds[i] = next % k
				next++
			}
		}
	}
	return folds
}
