package main

import (
	"math"

	"dolor/assess"
	"dolor/internal/boot"
	"dolor/internal/interval"
	"dolor/metric"
	"dolor/rng"
	"dolor/split"
)

// folded is a repeated cross-validation of one sample.
type folded struct {
	k, repeats int
	heldOut    [][]assess.HeldOut // by repeat, in row order
	scored     []*scored          // the same, sorted
	fold       [][]int            // by repeat and row
	test       []values           // each fold's own rows
	whole      values             // mean over fold models of their value on all rows
	value      values             // the cross-validated estimate
	curves     [metrics][]float64
	se         values
	sharp      float64 // standard error of the AUC with n - 1 in each class of each fold
}

func (b *book) fit(d *sample, rows []int, count []float64) []float64 {
	c, bad := fit(d, rows, count)
	b.fits++
	if bad {
		b.separated++
	}
	return c
}

func (d *sample) logits(coef []float64) []float64 {
	lp := make([]float64, d.n)
	for i := range lp {
		lp[i] = dot(d.x[i*d.cols:(i+1)*d.cols], coef)
	}
	return lp
}

func (d *sample) pick(rows []int, v []float64) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = v[r]
	}
	return out
}

func crossValidate(b *book, d *sample, k, repeats int, s rng.Stream) (*folded, error) {
	f := &folded{k: k, repeats: repeats}
	splits, err := split.Folds{K: k, Repeats: repeats}.Split(&split.Rows{N: d.n, Y: d.outcome}, s)
	if err != nil {
		return nil, err
	}
	var lp []float64
	for i, sp := range splits {
		if i%k == 0 {
			lp = make([]float64, d.n)
			f.fold = append(f.fold, make([]int, d.n))
		}
		coef := b.fit(d, sp.Train, nil)
		all := d.logits(coef)
		v := newScored(all, d.y).measure(nil)
		for m := range v {
			f.whole[m] += v[m] / float64(len(splits))
		}
		for _, r := range sp.Test {
			lp[r], f.fold[sp.Repeat][r] = all[r], sp.Fold
		}
		f.test = append(f.test, newScored(d.pick(sp.Test, all), d.pick(sp.Test, d.y)).measure(nil))
		if i%k == k-1 {
			sc := newScored(lp, d.y)
			f.scored = append(f.scored, sc)
			h := make([]assess.HeldOut, d.n)
			for r := range h {
				h[r] = assess.HeldOut{Row: r, Fold: f.fold[sp.Repeat][r], Y: d.outcome[r], P: sc.p[r]}
			}
			f.heldOut = append(f.heldOut, h)
		}
	}
	f.value = f.measure(nil, repeats)
	f.curves, f.se, err = influences(f.heldOut, d.n)
	f.sharp = f.sharpened(d)
	return f, err
}

// sharpened is the standard error of the mean AUC within folds when each class of each fold
// gives an unbiased variance, as DeLong's does: with few events in a fold the plain influence
// curve, which divides by n and not n - 1, is too short. Folds with one row of a class keep it.
func (f *folded) sharpened(d *sample) float64 {
	sum := make([]float64, d.n)
	for r := range f.heldOut {
		_, curve, err := assess.CrossValidated(names[auc], threshold, d.n, f.heldOut[r:r+1])
		if err != nil || curve == nil {
			return math.NaN()
		}
		size := make([][2]float64, f.k)
		for i, k := range f.fold[r] {
			size[k][int(d.y[i])]++
		}
		for i, k := range f.fold[r] {
			if n := size[k][int(d.y[i])]; n > 1 {
				curve[i] *= math.Sqrt(n / (n - 1))
			}
			sum[i] += curve[i] / float64(f.repeats)
		}
	}
	ss := 0.0
	for _, x := range sum {
		ss += x * x
	}
	return math.Sqrt(ss)
}

// measure is the cross-validated value of the first repeats with rows counted as given.
func (f *folded) measure(count []float64, repeats int) values {
	var mean values
	for r := range repeats {
		var v values
		v[auc] = f.scored[r].within(count, f.fold[r], f.k)
		f.scored[r].pooled(count, &v)
		for m := range v {
			mean[m] += v[m] / float64(repeats)
		}
	}
	return mean
}

func rowsOf(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// crossValidated draws one study, cross-validates it in every way, refits on all rows and
// notes the refitted model's true values.
func crossValidated(w *world, s rng.Stream) (*book, error) {
	b := &book{}
	d := w.sample(w.n, s.Child("patients"))
	full := b.fit(d, rowsOf(d.n), nil)
	b.truth = w.truth(full)
	apparent := newScored(d.logits(full), d.y)

	one, err := crossValidate(b, d, 5, 1, s.Child("folds", 5, 1))
	if err != nil {
		return nil, err
	}
	five, err := crossValidate(b, d, 5, 4, s.Child("folds", 5, 4))
	if err != nil {
		return nil, err
	}
	ten, err := crossValidate(b, d, 10, 4, s.Child("folds", 10, 4))
	if err != nil {
		return nil, err
	}
	twenty, err := crossValidate(b, d, 20, 2, s.Child("folds", 20, 2))
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name string
		*folded
	}{{"influence curve, 5 folds x 1", one}, {"influence curve, 5 folds x 4", five}, {"influence curve, 10 folds x 4", ten}, {"influence curve, 20 folds x 2", twenty}} {
		for m := range metrics {
			b.wald(m, f.name, f.value[m], f.se[m])
		}
	}
	for _, f := range []struct {
		name string
		*folded
	}{{"influence curve, n - 1 in each fold, 5 folds x 1", one}, {"influence curve, n - 1 in each fold, 5 folds x 4", five}, {"influence curve, n - 1 in each fold, 10 folds x 4", ten}} {
		b.wald(auc, f.name, f.value[auc], f.sharp)
	}
	b.plain(auc, "influence curve, n - 1 in each fold, 5 folds x 4, plain", five.value[auc], interval.Z(level)*five.sharp)
	b.plain(auc, "influence curve, 5 folds x 4, plain", five.value[auc], interval.Z(level)*five.se[auc])
	lo, hi := relative(five.value[brier], interval.Z(level)*five.se[brier])
	b.add(brier, "influence curve, 5 folds x 4, log", five.value[brier], lo, hi)
	lo, hi = meanTable(five).limits()
	b.add(benefit, "mover, Wilson limits, counts averaged over repeats, 5 folds x 4", five.value[benefit], lo, hi)
	b.plain(oe, "influence curve, 5 folds x 4, plain", five.value[oe], interval.Z(level)*five.se[oe])
	if err := asIfFixed(b, one, five); err != nil {
		return nil, err
	}
	byFold(b, one, five)
	heldOutBootstrap(b, five, d.n, s.Child("held-out bootstrap"))

	top := apparent.measure(nil)
	for _, f := range []struct {
		name string
		*folded
	}{{"Burman's correction, 5 folds x 4, influence curve", five}, {"Burman's correction, 10 folds x 4, influence curve", ten}} {
		for m := range metrics {
			b.wald(m, f.name, f.value[m]+top[m]-f.whole[m], f.se[m])
		}
	}
	_, own, err := influences([][]assess.HeldOut{single(metric.Data{Y: d.outcome, P: apparent.p})}, d.n)
	if err != nil {
		return nil, err
	}
	for m := range metrics {
		b.wald(m, "cross-validation, 5 folds x 4, influence curve of the apparent value", five.value[m], own[m])
		b.wald(m, "cross-validation, 10 folds x 4, influence curve of the apparent value", ten.value[m], own[m])
		b.wald(m, "cross-validation, 20 folds x 2, influence curve of the apparent value", twenty.value[m], own[m])
		b.wald(m, "Burman's correction, 5 folds x 4, influence curve of the apparent value", five.value[m]+top[m]-five.whole[m], own[m])
		b.wald(m, "Burman's correction, 10 folds x 4, influence curve of the apparent value", ten.value[m]+top[m]-ten.whole[m], own[m])
	}
	b.wald(auc, "Burman's correction, 5 folds x 4, influence curve, n - 1 in each fold", five.value[auc]+top[auc]-five.whole[auc], five.sharp)
	b.wald(auc, "Burman's correction, 10 folds x 4, influence curve, n - 1 in each fold", ten.value[auc]+top[auc]-ten.whole[auc], ten.sharp)
	if err := refitted(b, d, apparent, top, five, s.Child("refits")); err != nil {
		return nil, err
	}
	if err := cvBootstrap(b, d, five, s.Child("bootstrapped cross-validation")); err != nil {
		return nil, err
	}
	return b, nested(b, d, five, s.Child("nested"))
}

// treatment is the two-by-two table at the threshold, averaged over repeats.
type treatment struct{ metric.Table }

func meanTable(f *folded) treatment {
	var c [2][2]float64
	for r, sc := range f.scored {
		for i, h := range f.heldOut[r] {
			treat := 0
			if sc.p[i] >= threshold {
				treat = 1
			}
			y := 0
			if h.Y {
				y = 1
			}
			c[treat][y] += 1 / float64(f.repeats)
		}
	}
	t := metric.NewTable(c[1][1], c[1][0], c[0][1], c[0][0])
	t.Threshold = threshold
	return treatment{t}
}

// limits are those of net benefit from Wilson's limits of the two shares.
func (t treatment) limits() (lo, hi float64) {
	e := t.Decide(level, nil).NetBenefit
	return e.Lower, e.Upper
}

// asIfFixed adds the intervals that take the held-out predictions for those of one model on
// new patients.
func asIfFixed(b *book, f, five *folded) error {
	c := &book{}
	d := metric.Data{Y: make([]bool, len(f.heldOut[0])), P: f.scored[0].p}
	for i, h := range f.heldOut[0] {
		d.Y[i] = h.Y
	}
	if err := closed(c, d); err != nil {
		return err
	}
	e := float64(d.Events())
	sorted, err := metric.NewSorted(d)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		name string
		*folded
	}{{"5 folds x 1", f}, {"5 folds x 4", five}} {
		b.wald(auc, "mean within folds, Hanley-McNeil, logit, "+x.name, x.value[auc], metric.HanleyMcNeil(x.value[auc], e, float64(d.N())-e))
		b.wald(auc, "mean within folds, DeLong's standard error of pooled scores, logit, "+x.name, x.value[auc], sorted.DeLong().SE())
	}
	for _, x := range c.entries {
		b.add(x.metric, "as one fixed model, pooled: "+x.method, x.est, x.lo, x.hi)
	}
	return nil
}

// byFold adds the intervals made from the spread of the folds' own values.
func byFold(b *book, one, five *folded) {
	for m := range metrics {
		v := column(one.test, m)
		mean, sd, n := meanSD(v)
		k := float64(one.k)
		b.plain(m, "fold mean +- SD", mean, sd)
		b.plain(m, "fold mean +- 1.96 SD", mean, interval.Z(level)*sd)
		b.plain(m, "fold mean +- t SD / sqrt K", mean, student(n-1)*sd/math.Sqrt(n))
		b.plain(m, "Nadeau-Bengio corrected t, 5 folds x 1", mean, student(n-1)*sd*math.Sqrt(1/n+1/(k-1)))
		mean, sd, n = meanSD(column(five.test, m))
		b.plain(m, "Nadeau-Bengio corrected t, 5 folds x 4", mean, student(n-1)*sd*math.Sqrt(1/n+1/(k-1)))
	}
}

// heldOutBootstrap resamples patients with their held-out predictions; nothing is refitted.
func heldOutBootstrap(b *book, f *folded, n int, s rng.Stream) {
	const times = 200
	r, count := s.Rand(), make([]float64, n)
	all, outside := make([]values, times), make([]values, times)
	out := make([]float64, n)
	for i := range times {
		tally(r, count)
		all[i] = f.measure(count, f.repeats)
		for j, c := range count {
			out[j] = 0
			if c == 0 {
				out[j] = 1
			}
		}
		outside[i] = f.measure(out, 1)
	}
	for m := range metrics {
		t, _ := boot.Defined(column(all, m))
		lo, hi := boot.Percentile(t, level)
		b.add(m, "bootstrap of held-out predictions, percentile", f.value[m], lo, hi)
		lo, hi = boot.BCa(f.value[m], t, boot.Acceleration(f.curves[m]), level)
		b.add(m, "bootstrap of held-out predictions, BCa", f.value[m], lo, hi)
		t, _ = boot.Defined(column(outside, m))
		mean, _, _ := meanSD(t)
		lo, hi = boot.Percentile(t, level)
		b.add(m, "bootstrap bias-corrected cross-validation", mean, lo, hi)
	}
}
