package main

import (
	"math"

	"dolor/assess"
	"dolor/internal/boot"
	"dolor/internal/glm"
	"dolor/internal/interval"
	"dolor/metric"
	"dolor/rng"
)

// resamples of the bootstraps that refit nothing.
const resamples = 500

// fixed draws one set of new patients, predicts them with the given coefficients and makes
// every candidate interval.
func fixed(w *world, model []float64, s rng.Stream) (*book, error) {
	d := w.sample(w.n, s.Child("patients"))
	lp := make([]float64, d.n)
	for i := range lp {
		lp[i] = dot(d.x[i*d.cols:(i+1)*d.cols], model)
	}
	sc := newScored(lp, d.y)
	data := metric.Data{Y: d.outcome, P: sc.p}
	b := &book{}
	if err := closed(b, data); err != nil {
		return nil, err
	}
	est := sc.measure(nil)
	curves, se, err := influences([][]assess.HeldOut{single(data)}, d.n)
	if err != nil {
		return nil, err
	}
	for k := range metrics {
		switch k {
		case auc, brier: // the closed forms are the same
		case oe:
			b.wald(k, "sandwich, log", est[k], se[k])
			b.plain(k, "sandwich, plain", est[k], interval.Z(level)*se[k])
		case benefit:
		default:
			b.wald(k, "sandwich", est[k], se[k])
		}
	}
	drawn := make([]values, resamples)
	r, count := s.Child("bootstrap").Rand(), make([]float64, d.n)
	for i := range drawn {
		tally(r, count)
		drawn[i] = sc.measure(count)
	}
	for k := range metrics {
		t, _ := boot.Defined(column(drawn, k))
		add := func(name string, lo, hi float64) { b.add(k, name, est[k], lo, hi) }
		lo, hi := boot.Percentile(t, level)
		add("bootstrap, percentile", lo, hi)
		lo, hi = boot.Basic(est[k], t, level)
		add("bootstrap, basic", lo, hi)
		lo, hi = boot.Normal(est[k], t, level)
		add("bootstrap, normal", lo, hi)
		lo, hi = boot.BCa(est[k], t, boot.Acceleration(curves[k]), level)
		add("bootstrap, BCa", lo, hi)
	}
	return b, nil
}

// single lists the predictions of one model as one fold.
func single(d metric.Data) []assess.HeldOut {
	h := make([]assess.HeldOut, len(d.Y))
	for i := range h {
		h[i] = assess.HeldOut{Row: i, Y: d.Y[i], P: d.P[i]}
	}
	return h
}

// influences returns the influence of each patient on each metric and the standard error
// that follows from it.
func influences(repeats [][]assess.HeldOut, n int) (curves [metrics][]float64, se values, err error) {
	for k := range metrics {
		_, c, err := assess.CrossValidated(names[k], threshold, n, repeats)
		if err != nil {
			return curves, se, err
		}
		ss := 0.0
		for _, x := range c {
			ss += x * x
		}
		curves[k], se[k] = c, math.Sqrt(ss*float64(n)/float64(n-1))
		if c == nil {
			se[k] = math.NaN()
		}
	}
	return curves, se, nil
}

// closed adds the intervals with a formula, as metric makes them.
func closed(b *book, d metric.Data) error {
	take := func(k int, method string, e metric.Estimate) { b.add(k, method, e.Value, e.Lower, e.Upper) }
	s, err := metric.NewSorted(d)
	if err != nil {
		return err
	}
	dl := s.DeLong()
	lo, hi := dl.Wald(level)
	b.add(auc, "DeLong, plain", dl.AUC, lo, hi)
	lo, hi = dl.Logit(level)
	b.add(auc, "DeLong, logit", dl.AUC, lo, hi)
	e := float64(d.Events())
	hm := metric.HanleyMcNeil(dl.AUC, e, float64(d.N())-e)
	b.plain(auc, "Hanley-McNeil, plain", dl.AUC, interval.Z(level)*hm)
	b.wald(auc, "Hanley-McNeil, logit", dl.AUC, hm)

	br, err := metric.Brier(d, level)
	if err != nil {
		return err
	}
	take(brier, "standard error of the mean", br)
	v, se, err := metric.BrierSE(d)
	if err != nil {
		return err
	}
	b.add(brier, "standard error of the mean, log", v, v*math.Exp(-interval.Z(level)*se/v), v*math.Exp(interval.Z(level)*se/v))

	o, err := metric.ObservedExpected(d, level)
	if err != nil {
		return err
	}
	take(oe, "log-normal, binomial", o.Ratio)
	take(oe, "exact Poisson", o.Poisson)
	b.wald(oe, "log-normal, Poisson", o.Ratio.Value, o.Ratio.Value*o.SELogPoisson)
	n := float64(d.N())
	lo, hi = interval.Wilson(o.Observed, n, level)
	b.add(oe, "Wilson limits of the observed share", o.Ratio.Value, lo*n/o.Expected, hi*n/o.Expected)

	c, err := metric.CalibrationInTheLarge(d, level)
	if err != nil {
		return err
	}
	take(citl, "Wald", c.Wald)
	take(citl, "profile likelihood", c.Profile)
	f, err := metric.Recalibration(d, level)
	if err != nil {
		return err
	}
	take(slope, "Wald", f.Slope)
	take(slope, "profile likelihood", f.ProfileSlope)

	for _, plain := range []bool{false, true} {
		p, err := metric.DecisionCurve(d, []float64{threshold}, level, &metric.DecisionOptions{Wald: plain})
		if err != nil {
			return err
		}
		if plain {
			take(benefit, "Wald", p[0].NetBenefit)
		} else {
			take(benefit, "mover, Wilson limits", p[0].NetBenefit)
		}
	}
	return nil
}

// fit is maximum likelihood on rows (weights nil: 1 each); separated is true when no finite
// maximum was found, and the last iterate then stands in.
func fit(d *sample, rows []int, count []float64) (coef []float64, separated bool) {
	pr := glm.Problem{Rows: len(rows), Cols: d.cols, X: make([]float64, 0, len(rows)*d.cols), Y: make([]float64, 0, len(rows))}
	for _, i := range rows {
		pr.X = append(pr.X, d.x[i*d.cols:(i+1)*d.cols]...)
		pr.Y = append(pr.Y, d.y[i])
		if count != nil {
			pr.W = append(pr.W, count[i])
		}
	}
	f, err := glm.Logistic(pr, &glm.Options{Tol: 1e-9, MaxIter: 30})
	separated = err != nil || !f.Converged
	for _, c := range f.Coef {
		separated = separated || math.Abs(c) > 15
	}
	return f.Coef, separated
}
