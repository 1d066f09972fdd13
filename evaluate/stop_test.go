package evaluate_test

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"sync"
	"testing"

	"dolor/evaluate"
	"dolor/frame"
	"dolor/metric"
	"dolor/model"
	"dolor/preprocess"
	"dolor/preprocess/preprocesstest"
	"dolor/rng"
)

// stopFit is what one fit of the recorder saw: the values of column x, which name the rows.
type stopFit struct {
	params      stopParams
	chain       []string // identifiers the chain was learnt from
	train, tune []float64
	events      [2]int // of train and tune
}

// recorder is a family that remembers by heart the outcome of every x it is given, in training
// or for early stopping, and says 0.5 of others: any row or patient that leaks is predicted.
type recorder struct {
	mu   sync.Mutex
	spy  *preprocesstest.Spy
	fits []stopFit
}

type stopParams struct {
	Share float64 `json:"share"`
	rec   *recorder
}

func (p *stopParams) Validate() error        { return nil }
func (p *stopParams) Learner() model.Learner { return p }
func (p *stopParams) HoldOut() float64       { return p.Share }

func (p *stopParams) Fit(_ context.Context, train *model.Dataset, o *model.FitOptions) (model.Model, error) {
	f := stopFit{params: *p, train: xOf(train.X)}
	m := memory{}
	learn := func(d *model.Dataset) {
		for i, x := range xOf(d.X) {
			m[strconv.FormatFloat(x, 'g', -1, 64)] = d.Y[i]
		}
	}
	learn(train)
	f.events[0] = train.Events()
	if o.Tune != nil {
		f.tune, f.events[1] = xOf(o.Tune.X), o.Tune.Events()
		learn(o.Tune)
	}
	p.rec.mu.Lock()
	defer p.rec.mu.Unlock()
	if p.rec.spy != nil {
		fits := p.rec.spy.Fits()
		f.chain = fits[len(fits)-1] // one worker: the chain learnt last is this model's
	}
	p.rec.fits = append(p.rec.fits, f)
	return m, nil
}

type memory map[string]bool

func (m memory) Rounds() (kept, run int) { return len(m), len(m) + 1 }

func (m memory) Predict(_ context.Context, x *frame.Frame, dst []float64) ([]float64, error) {
	dst = dst[:0]
	for _, v := range xOf(x) {
		p := 0.5
		if y, ok := m[strconv.FormatFloat(v, 'g', -1, 64)]; ok {
			p = 0.01
			if y {
				p = 0.99
			}
		}
		dst = append(dst, p)
	}
	return dst, nil
}

func (m memory) AppendBinary(b []byte) ([]byte, error) {
	s, err := json.Marshal(m)
	return append(b, s...), err
}

func xOf(f *frame.Frame) []float64 {
	c, _ := f.Column("x")
	return c.Numbers()
}

func (rec *recorder) family() model.Family {
	return model.Family{
		Name: "recorder", Needs: []frame.Kind{frame.Number},
		Default: func() model.Params { return &stopParams{Share: 0.2, rec: rec} },
		Space:   func(rng.Stream) model.Params { return &stopParams{rec: rec} },
		Load: func(b []byte) (model.Model, error) {
			m := memory{}
			return m, json.Unmarshal(b, &m)
		},
	}
}

// TestRowsForEarlyStopping: the rows that stop a fit belong to the rows of that fit, are whole
// patients, hold the outcome in proportion, were seen neither by the fit nor by its chain, and no
// patient of a row that judges (inner or outer) is among them.
func TestRowsForEarlyStopping(t *testing.T) {
	const inner = 3
	d := data(t, 240)
	x := d.X.At(1).Numbers()
	rowAt := make(map[float64]int, len(x))
	for i, v := range x {
		rowAt[v] = i
	}
	rows := func(v []float64) []int {
		out := make([]int, len(v))
		for i, a := range v {
			out[i] = rowAt[a]
		}
		slices.Sort(out)
		return out
	}
	for _, plan := range []evaluate.Plan{{Outer: 4, Repeats: 2}, {LeaveSiteOut: true}, {TemporalFrom: 20007}, {External: []string{"B"}}} {
		rec := &recorder{spy: &preprocesstest.Spy{ID: "id"}}
		plan.Inner, plan.Recipes = inner, []evaluate.Recipe{{
			Family: rec.family(), Params: rec.family().Default(), Calibration: "logistic",
			Steps: preprocess.Chain{{Name: "spy", Step: rec.spy}}, Tuning: evaluate.Tuning{Method: "random", Trials: 1},
		}}
		res, err := evaluate.Run(t.Context(), d, &plan, &evaluate.Options{Stream: rng.New(1), Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		per := 2*inner + 1 // both settings on every inner fold, then the chosen one
		if got, want := len(rec.fits), per*len(res.Tasks); got != want {
			t.Fatalf("got %d fits, want %d", got, want)
		}
		for k, task := range res.Tasks {
			own := rec.fits[k*per : (k+1)*per]
			all := slices.Concat(rows(own[per-1].train), rows(own[per-1].tune)) // of the task
			slices.Sort(all)
			var test []int
			for _, v := range []string{"internal", "site", "temporal", "external"} {
				test = append(test, predictedBy(res.Predictions, task, v)...)
			}
			if task.Kind != "final" && len(test) == 0 {
				t.Fatalf("%s predicts nothing", task.Key())
			}
			for j, f := range own {
				train, tune := rows(f.train), rows(f.tune)
				if f.params.Share == 0 {
					if f.tune != nil {
						t.Errorf("%s, fit %d: rows held out from settings that do not stop", task.Key(), j)
					}
					continue
				}
				if overlap(d, train, tune) != "" || overlap(d, rowsOf(t, f.chain), tune) != "" {
					t.Errorf("%s, fit %d: model or chain saw a patient who stops it", task.Key(), j)
				}
				if got := rowsOf(t, f.chain); !slices.Equal(got, train) {
					t.Errorf("%s, fit %d: the chain was learnt from %d rows, the model from %d", task.Key(), j, len(got), len(train))
				}
				if p := overlap(d, tune, test); p != "" {
					t.Errorf("%s, fit %d: stopped on %s, whom it predicts as held out", task.Key(), j, p)
				}
				if slices.ContainsFunc(tune, func(r int) bool { return !slices.Contains(all, r) }) {
					t.Errorf("%s, fit %d: stopped on a row that is not the task's", task.Key(), j)
				}
				n := float64(len(train) + len(tune))
				if share := float64(len(tune)) / n; share < 0.15 || share > 0.25 {
					t.Errorf("%s, fit %d: held out %.2f of the rows, want 0.2", task.Key(), j, share)
				}
				a, b := float64(f.events[0])/float64(len(train)), float64(f.events[1])/float64(len(tune))
				if math.Abs(a-b) > 0.12 {
					t.Errorf("%s, fit %d: outcome in %.2f of training and %.2f of stopping rows", task.Key(), j, a, b)
				}
				if j < per-1 { // what an inner fit used on neither side judges it
					used := slices.Concat(train, tune)
					left := slices.DeleteFunc(slices.Clone(all), func(r int) bool { return slices.Contains(used, r) })
					if len(left) == 0 || overlap(d, used, left) != "" {
						t.Errorf("%s, fit %d: a patient on both sides, or nobody judges", task.Key(), j)
					}
				}
			}
			if trial := res.Trials[2*k]; len(trial.Rounds) != inner || len(task.Rounds) != 1 {
				t.Errorf("%s: rounds %v of the folds and %v of the task are not recorded", task.Key(), trial.Rounds, task.Rounds)
			}
		}
	}
}

// TestEarlyStoppingOfChanceStaysAtChance: outcomes drawn by lot per patient, predictors that name the
// patient, a family that knows by heart all it was shown: held-out probabilities say
// nothing, so the AUC is 0.5 exactly.
func TestEarlyStoppingOfChanceStaysAtChance(t *testing.T) {
	d := data(t, 200)
	r := rng.New(9).Rand()
	x := slices.Clone(d.X.At(1).Numbers())
	for i := 0; i < d.Rows(); i += 2 {
		x[i+1] = x[i]
		d.Y[i] = r.Float64() < 0.4
		d.Y[i+1] = d.Y[i]
	}
	var err error
	if d.X, err = d.X.With(frame.NumberColumn(frame.Field{Name: "x"}, x)); err != nil {
		t.Fatal(err)
	}
	rec := &recorder{}
	plan := &evaluate.Plan{Outer: 5, Inner: 3, Repeats: 2, LeaveSiteOut: true, Bootstrap: 3, Recipes: []evaluate.Recipe{{
		Family: rec.family(), Params: rec.family().Default(), Calibration: "none", Tuning: evaluate.Tuning{Method: "random", Trials: 1},
	}}}
	res, err := evaluate.Run(t.Context(), d, plan, &evaluate.Options{Stream: rng.New(1)})
	if err != nil {
		t.Fatal(err)
	}
	var y []bool
	var p []float64
	for i := range res.Predictions.Len() {
		if v := res.Predictions.Validation[i]; v == "internal" || v == "site" {
			y, p = append(y, res.Predictions.Outcome[i]), append(p, res.Predictions.Probability[i])
		}
	}
	auc, err := metric.AUC(metric.Data{Y: y, P: p}, 0.95)
	if err != nil || auc.Value != 0.5 || len(p) != 200*3 {
		t.Errorf("got AUC %v of %d held-out predictions (%v), want 0.5 of 600", auc.Value, len(p), err)
	}
	for _, trial := range res.Trials {
		if trial.Value != math.Ln2 && math.Abs(trial.Value-math.Ln2) > 1e-12 {
			t.Errorf("%s: an inner loss of %v: an inner fold knew its judges", trial.Task, trial.Value)
		}
	}
}
