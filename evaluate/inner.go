package evaluate

import (
	"context"
	"encoding/json"
	"math"

	"dolor/calibrate"
	"dolor/diag"
	"dolor/metric"
	"dolor/model"
	"dolor/rng"
	"dolor/split"
	"dolor/survival"
)

// held is the inner out-of-fold predictions of one candidate.
type held struct {
	p     []float64
	y     []bool
	w     []float64
	group []string
}

// innerLoop tries every candidate on the same inner folds of d. Preprocessing is learnt once
// an inner fold and shared by the candidates that learn from the same rows. It returns the trials, the out-of-fold
// predictions of the best candidate and its index. Ties go to the earlier candidate.
func (r *Recipe) innerLoop(ctx context.Context, d *Data, candidates []model.Params, inner int, task string, s rng.Stream) ([]Trial, *held, int, error) {
	folds, err := foldsOf(d, inner, s.Child("inner"))
	if err != nil {
		return nil, nil, 0, err
	}
	metricName := r.Tuning.Metric
	if metricName == "" {
		metricName = "log_loss"
	}
	trials := make([]Trial, len(candidates))
	oof := make([][]float64, len(candidates))
	for c, p := range candidates {
		settings, err := json.Marshal(p)
		if err != nil {
			return nil, nil, 0, err
		}
		trials[c] = Trial{Task: task, Family: r.Family.Name, Trial: c, Params: settings, Metric: metricName}
		oof[c] = make([]float64, d.Rows())
	}
	weight := make([]float64, d.Rows())
	for k, fold := range folds {
		train, test := d.take(fold.Train), d.take(fold.Test)
		fs := s.Child("innerfold", k)
		fit := r.fitter(train, fs)
		w, err := scoringWeights(train, test)
		if err != nil {
			return nil, nil, 0, err
		}
		for i, row := range fold.Test {
			weight[row] = w[i]
		}
		for c, params := range candidates {
			members, _, err := fit.members(ctx, params, func(j int) rng.Stream { return fs.Child("trial", c, j) })
			if err != nil {
				return nil, nil, 0, err
			}
			p, err := predictMembers(ctx, members, test.X)
			if err != nil {
				return nil, nil, 0, err
			}
			for i, row := range fold.Test {
				oof[c][row] = p[i]
			}
			trials[c].Rounds = append(trials[c].Rounds, rounds(members)...)
			trials[c].Folds = append(trials[c].Folds, score(metricName, metric.Data{Y: test.Y, P: p, W: w}))
		}
	}
	best := 0
	for c := range trials {
		trials[c].Value = meanFinite(trials[c].Folds)
		if better(metricName, trials[c].Value, trials[best].Value) {
			best = c
		}
	}
	trials[best].Chosen = true
	return trials, &held{oof[best], d.Y, weight, d.Patient}, best, nil
}

// score is the tuning metric on one inner fold; undefined is NaN.
func score(name string, d metric.Data) float64 {
	switch name {
	case "auc":
		e, err := metric.AUC(d, 0.95)
		if err != nil {
			return math.NaN()
		}
		return e.Value
	case "brier":
		e, err := metric.Brier(d, 0.95)
		if err != nil {
			return math.NaN()
		}
		return e.Value
	default:
		// A model sure of what did not happen must lose, not break the search.
		c := metric.Data{Y: d.Y, P: make([]float64, len(d.P)), W: d.W}
		for i, p := range d.P {
			c.P[i] = math.Min(math.Max(p, 1e-15), 1-1e-15)
		}
		e, err := metric.LogLoss(c, 0.95)
		if err != nil {
			return math.NaN()
		}
		return e.Value
	}
}

func better(name string, a, b float64) bool {
	if math.IsNaN(b) {
		return !math.IsNaN(a)
	}
	if name == "auc" {
		return a > b
	}
	return a < b
}

func meanFinite(v []float64) float64 {
	s, n := 0.0, 0
	for _, x := range v {
		if !math.IsNaN(x) {
			s += x
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return s / float64(n)
}

// fitCalibration fits the named recalibration on out-of-fold predictions, or chooses one by
// their cross-validated log loss, patients whole.
func fitCalibration(ctx context.Context, name string, h *held, s rng.Stream) (calibrate.Map, []diag.Warning, error) {
	if name != "auto" {
		method, err := calibrate.ByName(name)
		if err != nil {
			return nil, nil, err
		}
		m, err := method.Fit(h.p, h.y, h.w)
		if err != nil {
			return nil, nil, err
		}
		return m, calibrate.Warnings(m), nil
	}
	var folds []int
	if h.group != nil {
		k := min(5, countTrue(h.y), len(h.y)-countTrue(h.y))
		if k < 2 {
			return calibrate.None, []diag.Warning{{Code: "calibration_not_chosen", Count: 1, Msg: "too few events to choose a recalibration; probabilities are left as they are"}}, nil
		}
		parts, err := split.Folds{K: k}.Split(&split.Rows{N: len(h.y), Y: h.y, Group: h.group}, s)
		if err != nil {
			return nil, nil, err
		}
		folds = make([]int, len(h.y))
		for f, p := range parts {
			for _, i := range p.Test {
				folds[i] = f
			}
		}
	}
	c, err := calibrate.Choose(ctx, h.p, h.y, h.w, folds, s)
	if err != nil {
		return nil, nil, err
	}
	return c.Map, c.Warnings, nil
}

// scoringWeights weighs the rows of test for a metric: design weights, times the inverse
// probability of censoring under the curve of train when the outcome is timed.
func scoringWeights(train, test *Data) ([]float64, error) {
	if !test.Timed() {
		if test.Weight != nil {
			return test.Weight, nil
		}
		w := make([]float64, test.Rows())
		for i := range w {
			w[i] = 1
		}
		return w, nil
	}
	return censoringWeights(train, test)
}

// censoringWeights gives rows of d their weight at the horizon under the censoring curve of
// from: 0 when censored before it, 1/G otherwise (Uno et al. 2007, doi:10.1198/016214507000000149).
func censoringWeights(from, d *Data) ([]float64, error) {
	w, err := survival.WeightsFrom(survival.Data{Time: from.Time, Status: from.Status},
		survival.Data{Time: d.Time, Status: d.Status}, d.Horizon, survival.EventsFirst)
	if err != nil {
		return nil, err
	}
	if d.Weight != nil {
		for i := range w {
			w[i] *= d.Weight[i]
		}
	}
	return w, nil
}

// take returns the rows of d.
func (d *Data) take(rows []int) *Data {
	return &Data{
		X: d.X.Take(rows), Outcome: d.Take(rows), Patient: pick(d.Patient, rows),
		Site: pick(d.Site, rows), Date: pick(d.Date, rows), Weight: pick(d.Weight, rows),
	}
}

// foldsOf splits the rows of d into k folds, stratified by outcome, patients whole.
func foldsOf(d *Data, k int, s rng.Stream) ([]split.Split, error) {
	return split.Folds{K: k}.Split(&split.Rows{N: d.Rows(), Y: d.Y, Group: d.Patient}, s)
}
