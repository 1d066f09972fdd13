package study_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"dolor/calibrate"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/builtin"
	"dolor/internal/par"
	"dolor/model"
	"dolor/preprocess"
	"dolor/rng"
)

// pipeline is one way through a study.
type pipeline struct {
	name   string
	recipe evaluate.Recipe
}

// pipelines lists every family with every preprocessing step (recalibrations in turn) and
// with every recalibration (default steps), tuned and untuned, singly and multiply imputed.
func pipelines() []pipeline {
	var out []pipeline
	calibrations := append(calibrate.Names(), "auto")
	for _, f := range builtin.Families() {
		add := func(name string, r evaluate.Recipe) {
			r.Family, r.Params = f, quick(f)
			out = append(out, pipeline{f.Name + "/" + name, r})
		}
		if space := f.Space; space != nil {
			f.Space = func(s rng.Stream) model.Params { return shortened(f.Name, space(s)) }
		}
		for k, kind := range preprocess.Steps {
			add("step "+kind.Name, evaluate.Recipe{Steps: chainWith(kind), Calibration: calibrations[k%len(calibrations)]})
		}
		for _, c := range calibrations {
			add("calibration "+c, evaluate.Recipe{Steps: dense(), Calibration: c})
		}
		add("random search", evaluate.Recipe{Steps: dense(), Calibration: "none", Tuning: evaluate.Tuning{Method: "random", Trials: 2, Metric: "auc"}})
		if !f.Dense {
			add("missing as it is", evaluate.Recipe{Calibration: "auto", Tuning: evaluate.Tuning{Method: "random", Trials: 1}})
		}
		add("multiple imputation", evaluate.Recipe{Steps: chainWith(stepNamed("impute_chained")), Imputations: 2, Calibration: "none"})
	}
	return out
}

func stepNamed(name string) preprocess.Kind {
	return preprocess.Steps[slices.IndexFunc(preprocess.Steps, func(k preprocess.Kind) bool { return k.Name == name })]
}

// quickly are settings that make a family's fit short: fewer penalties or trees than a study takes.
var quickly = map[string]string{
	"elasticnet": `{"n_lambda": 8, "lambda_min_ratio": 0.05, "folds": 3}`,
	"forest":     `{"n_estimators": 20}`,
	"gbm":        `{"n_estimators": 15}`,
}

// quick is the family's default, made short.
func quick(f model.Family) model.Params { return shortened(f.Name, f.Default()) }

func shortened(family string, p model.Params) model.Params {
	if settings, ok := quickly[family]; ok {
		if err := unmarshal(p, settings); err != nil {
			panic(err)
		}
	}
	return p
}

// permuted returns d with outcomes dealt anew among patients; rows of one patient that agree
// keep agreeing. Here every row is its own patient.
func permuted(d *evaluate.Data, k int) *evaluate.Data {
	out := *d
	out.Y = slices.Clone(d.Y)
	rng.New(99).Child("permutation", k).Rand().Shuffle(len(out.Y), func(i, j int) { out.Y[i], out.Y[j] = out.Y[j], out.Y[i] })
	out.Patient = nil
	return &out
}

// foldAUC is the mean over folds (and left-out sites) of the AUC of p's predictions, ties one
// half.
func foldAUC(p *evaluate.Predictions) float64 {
	type key struct {
		validation   string
		repeat, fold int
	}
	events, others := map[key][]float64{}, map[key][]float64{}
	var order []key
	for i := range p.Len() {
		if p.Validation[i] == "apparent" {
			continue
		}
		k := key{p.Validation[i], p.Repeat[i], p.Fold[i]}
		if !slices.Contains(order, k) {
			order = append(order, k)
		}
		if p.Outcome[i] {
			events[k] = append(events[k], p.Probability[i])
		} else {
			others[k] = append(others[k], p.Probability[i])
		}
	}
	sum := 0.0
	for _, k := range order {
		won := 0.0
		for _, a := range events[k] {
			for _, b := range others[k] {
				switch {
				case a > b:
					won++
				case a == b:
					won += 0.5
				}
			}
		}
		sum += won / float64(len(events[k])*len(others[k]))
	}
	return sum / float64(len(order))
}

// spread returns the mean of auc and the variance of one of its values.
func spread(auc []float64) (mean, variance float64) {
	n := float64(len(auc))
	for _, a := range auc {
		mean += a / n
	}
	for _, a := range auc {
		variance += (a - mean) * (a - mean) / (n - 1)
	}
	return mean, variance
}

// nullFault says what is wrong when the AUCs of permuted outcomes are not around one half:
// their mean must lie within three standard errors of it. variance is that of one AUC.
func nullFault(auc []float64, variance float64) error {
	mean, _ := spread(auc)
	se := math.Sqrt(variance / float64(len(auc)))
	if !(math.Abs(mean-0.5) <= 3*se) {
		return fmt.Errorf("mean AUC %.4f over %d permuted outcomes is %.1f standard errors (%.4f) from 0.5", mean, len(auc), (mean-0.5)/se, se)
	}
	return nil
}

// permutationAUCs runs every pipeline on the same permuted outcomes: [pipeline][permutation].
func permutationAUCs(t testing.TB, pipes []pipeline, permutations int) [][]float64 {
	t.Helper()
	d := simulate(t, 120, 1, 3)
	auc := make([][]float64, len(pipes))
	for i := range auc {
		auc[i] = make([]float64, permutations)
	}
	err := par.For(t.Context(), len(pipes)*permutations, 0, func(_ context, i int) error {
		p, k := i%len(pipes), i/len(pipes)
		plan := &evaluate.Plan{Outer: 3, Inner: 3, LeaveSiteOut: strings.Contains(pipes[p].name, "calibration"), Recipes: []evaluate.Recipe{pipes[p].recipe}}
		res, err := evaluate.Run(t.Context(), permuted(d, k), plan, &evaluate.Options{Stream: rng.New(uint64(k)).Child("permutation study"), Workers: 1})
		if err != nil {
			return fmt.Errorf("%s: %w", pipes[p].name, err)
		}
		auc[p][k] = foldAUC(res.Predictions)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return auc
}

// TestPermutedOutcomes sends outcomes that mean nothing through every family, every
// preprocessing step and every recalibration: nothing may be found. The build tag long runs
// 200 permutations.
func TestPermutedOutcomes(t *testing.T) {
	pipes := pipelines()
	aucs := permutationAUCs(t, pipes, permutations)
	pooled := 0.0
	for _, auc := range aucs {
		_, v := spread(auc)
		pooled += v / float64(len(aucs))
	}
	for i, auc := range aucs {
		_, v := spread(auc)
		if permutations < 100 {
			// Ten values tell their own variance too badly for some fifty comparisons; that of
			// all pipelines together is steady.
			v = pooled
		}
		if err := nullFault(auc, v); err != nil {
			t.Errorf("%s: %v", pipes[i].name, err)
		}
	}
}

// TestLeakyPipelineIsCaught selects predictors on all rows before the split, as is often
// done: the test above must fail on it.
func TestLeakyPipelineIsCaught(t *testing.T) {
	const n, noise, kept = 100, 300, 5
	r := rng.New(4).Child("noise").Rand()
	cols := make([]frame.Column, noise)
	for j := range cols {
		v := make([]float64, n)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		cols[j] = frame.NumberColumn(frame.Field{Name: fmt.Sprintf("n%d", j)}, v)
	}
	x, err := frame.New(n, cols...)
	if err != nil {
		t.Fatal(err)
	}
	d := &evaluate.Data{X: x}
	for i := range n {
		d.Y = append(d.Y, i%3 == 0)
	}
	f := builtin.Families()[0]
	plan := &evaluate.Plan{Outer: 3, Inner: 3, Recipes: []evaluate.Recipe{{Family: f, Params: f.Default(), Calibration: "none"}}}
	var auc []float64
	for k := range 10 {
		p := permuted(d, k)
		p.X, err = x.Select(largestDifferences(x, p.Y, kept)...)
		if err != nil {
			t.Fatal(err)
		}
		res, err := evaluate.Run(t.Context(), p, plan, &evaluate.Options{Stream: rng.New(1)})
		if err != nil {
			t.Fatal(err)
		}
		auc = append(auc, foldAUC(res.Predictions))
	}
	_, v := spread(auc)
	if err := nullFault(auc, v); err == nil {
		t.Errorf("selection before the split went unnoticed: AUCs %v", auc)
	} else {
		t.Log("as it should be:", err)
	}
}

// largestDifferences names the k columns whose means differ most by outcome.
func largestDifferences(x *frame.Frame, y []bool, k int) []string {
	names := x.Schema().Names()
	diff := make(map[string]float64)
	for j, name := range names {
		for i, v := range x.At(j).Numbers() {
			if y[i] {
				diff[name] += 2 * v
			} else {
				diff[name] -= v
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if math.Abs(diff[a]) > math.Abs(diff[b]) {
			return -1
		}
		return 1
	})
	return names[:k]
}
