package assess

import (
	"context"
	"math"
	"slices"

	"dolor/internal/glm"
	"dolor/internal/par"
	"dolor/survival"
)

// timed judges predictions of an event by a horizon when some patients are censored before
// it or die of something else: inverse-probability-of-censoring weights for AUC, Brier score
// and recalibration; Kaplan-Meier or Aalen-Johansen for observed risk and net benefit.
// Point estimates average over repeats, the AUC over folds; all intervals are percentile
// bootstrap over patients, the censoring curve learnt anew in each resample.
func (m *measurer) timed(ctx context.Context) error {
	type quantity struct {
		name string
		t    float64
	}
	nan := math.NaN()
	qs := []quantity{
		{"auc", nan},
		{"brier", nan},
		{"scaled_brier", nan},
		{"oe_ratio", nan},
		{"calibration_intercept", nan},
		{"calibration_slope", nan},
	}
	for _, t := range m.in.Thresholds {
		qs = append(qs, quantity{"net_benefit", t}, quantity{"net_benefit_treat_all", t}, quantity{"net_benefit_vs_treat_all", t})
	}
	est, why := m.timedValues(nil)
	boot := make([][]float64, replicates)
	err := par.For(ctx, replicates, 1, func(_ context.Context, b int) error {
		boot[b], _ = m.timedValues(m.resample(m.stream.Child("timed", b)))
		return nil
	})
	if err != nil {
		return err
	}
	a := (1 - m.in.Level) / 2
	for i, q := range qs {
		if math.IsNaN(est[i]) {
			note := "not estimated"
			if why != "" {
				note += ": " + why
			}
			m.row(q.name, q.t, nan, nan, nan, note)
			continue
		}
		var v []float64
		for _, b := range boot {
			if !math.IsNaN(b[i]) {
				v = append(v, b[i])
			}
		}
		if len(v) < replicates/2 {
			m.row(q.name, q.t, est[i], nan, nan, "censoring-weighted; no interval: most resamples have no estimate")
			continue
		}
		how := "inverse probability of censoring weights"
		if q.name == "oe_ratio" || q.t == q.t {
			how = "Kaplan-Meier"
			if m.competing() {
				how = "Aalen-Johansen"
			}
		}
		m.row(q.name, q.t, est[i], quantile7(v, a), quantile7(v, 1-a), how+"; percentile bootstrap of patients")
	}
	return nil
}

func (m *measurer) competing() bool {
	return slices.Contains(m.s.status, survival.Competing)
}

// timedValues computes every quantity on the distinct rows picked (nil: all), in the order of
// timed. why explains a missing AUC.
func (m *measurer) timedValues(pickRows []int) (out []float64, why string) {
	n := 6 + 3*len(m.in.Thresholds)
	out = make([]float64, n)
	k := float64(len(m.s.repeats))
	for _, o := range m.s.repeats {
		rows := o
		if pickRows != nil {
			rows = make([]obs, len(pickRows))
			for i, r := range pickRows {
				rows[i] = o[r]
			}
		}
		v, w := m.timedRepeat(rows)
		if w != "" {
			why = w
		}
		for i := range out {
			out[i] += v[i] / k
		}
	}
	return out, why
}

func (m *measurer) survivalData(o []obs) (survival.Data, []float64) {
	d := survival.Data{Time: make([]float64, len(o)), Status: make([]int, len(o))}
	p := make([]float64, len(o))
	for i, x := range o {
		d.Time[i], d.Status[i], p[i] = m.s.time[x.row], m.s.status[x.row], x.p
	}
	return d, p
}

func (m *measurer) timedRepeat(o []obs) (out []float64, why string) {
	h := m.in.Horizon
	out = make([]float64, 6+3*len(m.in.Thresholds))
	for i := range out {
		out[i] = math.NaN()
	}
	auc, n := 0.0, 0
	for _, f := range folds(o) {
		d, p := m.survivalData(f)
		if r, err := survival.IPCW(d, p, h, nil); err == nil && !math.IsNaN(r.AUC.Value) {
			auc += r.AUC.Value
			n++
		} else if err != nil {
			why = err.Error()
		}
	}
	if n > 0 {
		out[0] = auc / float64(n)
	}
	d, p := m.survivalData(o)
	r, err := survival.IPCW(d, p, h, nil)
	if err != nil {
		return out, err.Error()
	}
	out[1], out[2] = r.Brier.Value, r.BrierScaled.Value
	mean := 0.0
	for _, x := range p {
		mean += x / float64(len(p))
	}
	out[3] = r.EventRate.Value / mean
	if w, err := survival.Weights(d, h, survival.EventsFirst); err == nil {
		out[4] = weightedRecalibration(p, w.Y, w.W, false)
		out[5] = weightedRecalibration(p, w.Y, w.W, true)
	}
	points, err := survival.NetBenefit(d, p, h, m.in.Thresholds, false, m.in.Level)
	if err != nil {
		return out, err.Error()
	}
	for i, pt := range points {
		out[6+3*i], out[7+3*i], out[8+3*i] = pt.NetBenefit.Value, pt.TreatAll.Value, pt.OverTreatAll
	}
	return out, why
}

// weightedRecalibration is the calibration intercept (slope fixed at 1) or slope under case
// weights; NaN when it cannot be fitted.
func weightedRecalibration(p []float64, y []bool, w []float64, slope bool) float64 {
	cols := 1
	if slope {
		cols = 2
	}
	pr := glm.Problem{Cols: cols}
	for i := range p {
		l := glm.Logit(p[i])
		if w[i] == 0 {
			continue
		}
		if math.IsInf(l, 0) {
			return math.NaN()
		}
		pr.Rows++
		pr.Y = append(pr.Y, one(y[i]))
		pr.W = append(pr.W, w[i])
		pr.X = append(pr.X, 1)
		if slope {
			pr.X = append(pr.X, l)
		} else {
			pr.Offset = append(pr.Offset, l)
		}
	}
	f, err := glm.Logistic(pr, nil)
	if err != nil || !f.Converged {
		return math.NaN()
	}
	return f.Coef[cols-1]
}
