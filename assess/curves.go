package assess

import (
	"context"
	"math"
	"slices"

	wilson "dolor/internal/interval"
	"dolor/metric"
)

// curvePoints is how many points a curve is thinned to for drawing.
const curvePoints = 101

// curves gathers what the figures are drawn from.
func (m *measurer) curves(ctx context.Context) (*Curves, error) {
	c := &Curves{Family: m.j.family, Validation: m.j.validation, Site: m.j.site, N: m.s.rows(), Events: m.s.events()}
	note := m.tooFew()
	if note == "" && min(c.Events, c.N-c.Events) < fewEvents {
		note = counted(min(c.Events, c.N-c.Events), "patient") + " of one class, fewer than 10"
	}
	if note == "" && m.s.time != nil {
		note = "outcome may be censored: see the table"
	}
	if note != "" {
		c.ROC.Note, c.PR.Note, c.Calibration.Smooth.Note = note, note, note
		if m.s.time == nil || c.N == 0 {
			return c, nil
		}
		return c, m.decision(c)
	}
	c.ROC, c.PR = m.roc()
	t := m.meanTable(m.in.Decision)
	c.Confusion = Confusion{Threshold: m.in.Decision, TP: round(t.TP), FP: round(t.FP), FN: round(t.FN), TN: round(t.TN)}
	if err := m.calibration(ctx, c); err != nil {
		return nil, err
	}
	return c, m.decision(c)
}

func round(v float64) int { return int(math.Round(v)) }

// roc averages within-fold curves: sensitivity over a grid of false positive rates (Fawcett
// 2006, doi:10.1016/j.patrec.2005.10.010), precision over a grid of recall.
func (m *measurer) roc() (roc, pr Line) {
	grid := make([]float64, curvePoints)
	for i := range grid {
		grid[i] = float64(i) / (curvePoints - 1)
	}
	tpr, prec := make([]float64, curvePoints), make([]float64, curvePoints)
	used := 0
	for _, o := range m.s.repeats {
		for _, f := range folds(o) {
			if e := countEvents(f); e == 0 || e == len(f) {
				continue
			}
			used++
			x, y, r, p := operating(f)
			for i, g := range grid {
				tpr[i] += interpolate(x, y, g)
				prec[i] += interpolate(r, p, g)
			}
		}
	}
	for i := range grid {
		tpr[i] /= float64(used)
		prec[i] /= float64(used)
	}
	roc = Line{X: append([]float64{0}, grid...), Y: append([]float64{0}, tpr...)}
	return roc, Line{X: slices.Clone(grid), Y: prec}
}

// operating returns the ROC points (fpr, tpr) and the precision-recall points of f, one for
// each distinct probability from high to low.
func operating(f []obs) (fpr, tpr, recall, precision []float64) {
	s := slices.Clone(f)
	slices.SortStableFunc(s, func(a, b obs) int {
		switch {
		case a.p > b.p:
			return -1
		case a.p < b.p:
			return 1
		}
		return 0
	})
	n1 := float64(countEvents(f))
	n0 := float64(len(f)) - n1
	fpr, tpr = []float64{0}, []float64{0}
	tp, fp := 0.0, 0.0
	for i := 0; i < len(s); {
		j := i
		for ; j < len(s) && s[j].p == s[i].p; j++ {
			if s[j].y {
				tp++
			} else {
				fp++
			}
		}
		i = j
		fpr, tpr = append(fpr, fp/n0), append(tpr, tp/n1)
		if len(recall) == 0 {
			recall, precision = []float64{0}, []float64{tp / (tp + fp)}
		}
		recall, precision = append(recall, tp/n1), append(precision, tp/(tp+fp))
	}
	return fpr, tpr, recall, precision
}

// interpolate evaluates the polyline (x non-decreasing) at g; at a vertical step the top.
func interpolate(x, y []float64, g float64) float64 {
	k, _ := slices.BinarySearch(x, g)
	for k < len(x) && x[k] <= g {
		k++
	}
	if k == 0 {
		return y[0]
	}
	if k == len(x) || x[k-1] == g {
		return y[k-1]
	}
	return y[k-1] + (y[k]-y[k-1])*(g-x[k-1])/(x[k]-x[k-1])
}

// calibration draws the first repeat: pooling repeats would count each patient several times.
func (m *measurer) calibration(ctx context.Context, c *Curves) error {
	d := m.data(0)
	curve, err := metric.SmoothCurve(ctx, d, m.in.Level, m.stream.Child("curve"), nil)
	if err != nil {
		return err
	}
	c.Calibration.Method = curve.Smoother + "; band " + curve.Band
	if len(m.s.repeats) > 1 {
		c.Calibration.Method += "; first of " + itoa(len(m.s.repeats)) + " repeats"
	}
	line := &c.Calibration.Smooth
	for _, p := range curve.Points {
		line.X, line.Y = append(line.X, p.P), append(line.Y, p.Observed)
		if !math.IsNaN(p.Lower) {
			line.Lower, line.Upper = append(line.Lower, p.Lower), append(line.Upper, p.Upper)
		}
	}
	if len(line.Lower) != len(line.X) {
		line.Lower, line.Upper = nil, nil
	}
	if len(curve.Points) == 0 {
		line.Note = curve.Smoother
	}
	const bins = 20
	c.Calibration.Events, c.Calibration.Others = make([]int, bins), make([]int, bins)
	for i := range bins + 1 {
		c.Calibration.Edges = append(c.Calibration.Edges, float64(i)/bins)
	}
	order := make([]int, d.N())
	for i, p := range d.P {
		order[i] = i
		b := min(bins-1, int(p*bins))
		if d.Y[i] {
			c.Calibration.Events[b]++
		} else {
			c.Calibration.Others[b]++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case d.P[a] < d.P[b]:
			return -1
		case d.P[a] > d.P[b]:
			return 1
		}
		return 0
	})
	groups := min(10, max(2, d.N()/20))
	for g := range groups {
		part := order[g*len(order)/groups : (g+1)*len(order)/groups]
		cg := CalGroup{N: len(part)}
		for _, i := range part {
			cg.Predicted += d.P[i] / float64(len(part))
			if d.Y[i] {
				cg.Events++
			}
		}
		cg.Observed = float64(cg.Events) / float64(cg.N)
		cg.Lower, cg.Upper = wilson.Wilson(float64(cg.Events), float64(cg.N), m.in.Level)
		c.Calibration.Groups = append(c.Calibration.Groups, cg)
	}
	return nil
}

// decision fills the decision curve with a pointwise band.
func (m *measurer) decision(c *Curves) error {
	const points = 60
	ts := make([]float64, points)
	for i := range ts {
		ts[i] = m.in.CurveFrom + (m.in.CurveTo-m.in.CurveFrom)*float64(i)/(points-1)
	}
	c.Decision.Threshold = ts
	if m.s.time != nil {
		return m.timedDecision(c)
	}
	for _, t := range ts {
		nb, all := over(m.s, netBenefitStatistic(t)), over(m.s, treatAllStatistic(t))
		lo, hi := interval(nb.value, m.s.variance(nb), m.in.Level, identity)
		c.Decision.NetBenefit = append(c.Decision.NetBenefit, nb.value)
		c.Decision.Lower, c.Decision.Upper = append(c.Decision.Lower, lo), append(c.Decision.Upper, hi)
		c.Decision.TreatAll = append(c.Decision.TreatAll, all.value)
	}
	return nil
}

// timedDecision is decision for a censored outcome; the band is a percentile bootstrap.
func (m *measurer) timedDecision(c *Curves) error {
	inner := *m
	in := *m.in
	in.Thresholds = c.Decision.Threshold
	inner.in = &in
	est, _ := inner.timedValues(nil)
	boot := make([][]float64, replicates/2)
	for b := range boot {
		boot[b], _ = inner.timedValues(m.resample(m.stream.Child("decision", b)))
	}
	a := (1 - m.in.Level) / 2
	for i := range c.Decision.Threshold {
		k := 6 + 3*i
		if math.IsNaN(est[k]) {
			c.Decision = Decision{}
			return nil
		}
		var v []float64
		for _, x := range boot {
			if !math.IsNaN(x[k]) {
				v = append(v, x[k])
			}
		}
		c.Decision.NetBenefit = append(c.Decision.NetBenefit, est[k])
		c.Decision.TreatAll = append(c.Decision.TreatAll, est[k+1])
		c.Decision.Lower = append(c.Decision.Lower, quantile7(v, a))
		c.Decision.Upper = append(c.Decision.Upper, quantile7(v, 1-a))
	}
	return nil
}
