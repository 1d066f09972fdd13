package main

import (
	"math"

	"dolor/assess"
	"dolor/internal/boot"
	"dolor/metric"
	"dolor/rng"
	"dolor/split"
)

// How many models the methods that refit make from one study.
const (
	refits       = 100 // optimism bootstrap
	cvResamples  = 30  // resamples that are cross-validated anew
	nestedRounds = 8   // random partitions of nested cross-validation
)

// refitted adds what needs models fitted to resamples: optimism corrections, out-of-bag
// losses, and the variance between training sets.
func refitted(b *book, d *sample, apparent *scored, top values, five *folded, s rng.Stream) error {
	inResample, inOriginal := make([]values, refits), make([]values, refits)
	lossBrier, lossBenefit, seen := make([]float64, d.n), make([]float64, d.n), make([]float64, d.n)
	r, count := s.Rand(), make([]float64, d.n)
	for i := range refits {
		rows := draw(r, d, count)
		sc := newScored(d.logits(b.fit(d, rows, count)), d.y)
		inResample[i], inOriginal[i] = sc.measure(count), sc.measure(nil)
		for j, c := range count {
			if c == 0 {
				e := d.y[j] - sc.p[j]
				lossBrier[j] += e * e
				if sc.p[j] >= threshold {
					lossBenefit[j] += d.y[j] - (1-d.y[j])*threshold/(1-threshold)
				}
				seen[j]++
			}
		}
	}
	_, se, err := influences([][]assess.HeldOut{single(metric.Data{Y: d.outcome, P: apparent.p})}, d.n)
	if err != nil {
		return err
	}
	for m := range metrics {
		c := boot.Optimism(top[m], column(inResample, m), column(inOriginal, m))
		b.wald(m, "optimism bootstrap, influence curve of the apparent value", c.Corrected, se[m])
		b.wald(m, "optimism bootstrap, influence curve of cross-validation", c.Corrected, five.se[m])
		t, _ := boot.Defined(column(inResample, m))
		lo, hi := boot.Percentile(t, level)
		b.add(m, "optimism bootstrap, location-shifted percentile (Noma)", c.Corrected, lo-c.Optimism, hi-c.Optimism)
		_, train, _ := meanSD(column(inOriginal, m))
		both := math.Hypot(five.se[m], train)
		b.wald(m, "influence curve + variance between training sets, 5 folds x 4", five.value[m], both)
		b.wald(m, "optimism bootstrap, influence curve + variance between training sets", c.Corrected, both)
		burman := five.value[m] + top[m] - five.whole[m]
		b.wald(m, "Burman's correction, influence curve + variance between training sets, 5 folds x 4", burman, both)
		if m == auc {
			sharp := math.Hypot(five.sharp, train)
			b.wald(m, "influence curve, n - 1 in each fold, + variance between training sets, 5 folds x 4", five.value[m], sharp)
			b.wald(m, "Burman's correction, influence curve, n - 1 in each fold, + variance between training sets, 5 folds x 4", burman, sharp)
			b.wald(m, "optimism bootstrap, influence curve of cross-validation, n - 1 in each fold", c.Corrected, five.sharp)
		}
	}
	for _, l := range []struct {
		m    int
		loss []float64
	}{{brier, lossBrier}, {benefit, lossBenefit}} {
		for j := range l.loss {
			l.loss[j] /= seen[j]
		}
		mean, sd, n := meanSD(l.loss)
		b.wald(l.m, "out-of-bag losses averaged by patient", mean, sd/math.Sqrt(n))
	}
	return nil
}

// draw fills count with a resample that holds both classes and returns the rows drawn.
func draw(r intn, d *sample, count []float64) []int {
	for range 1000 {
		if tally(r, count); bothClasses(count, d.y) {
			break
		}
	}
	rows := make([]int, 0, d.n)
	for i, c := range count {
		if c > 0 {
			rows = append(rows, i)
		}
	}
	return rows
}

// cvBootstrap cross-validates resamples, all copies of a patient in one fold.
func cvBootstrap(b *book, d *sample, five *folded, s rng.Stream) error {
	out := make([]values, cvResamples)
	r, count := s.Child("rows").Rand(), make([]float64, d.n)
	for i := range out {
		rows := draw(r, d, count)
		y := make([]bool, len(rows))
		for j, row := range rows {
			y[j] = d.outcome[row]
		}
		splits, err := split.Folds{K: 5}.Split(&split.Rows{N: len(rows), Y: y}, s.Child("folds", i))
		if err != nil {
			return err
		}
		lp, fold := make([]float64, d.n), make([]int, d.n)
		for _, sp := range splits {
			train := make([]int, len(sp.Train))
			for j, t := range sp.Train {
				train[j] = rows[t]
			}
			coef := b.fit(d, train, count)
			for _, t := range sp.Test {
				row := rows[t]
				lp[row], fold[row] = dot(d.x[row*d.cols:(row+1)*d.cols], coef), sp.Fold
			}
		}
		sc := newScored(lp, d.y)
		out[i][auc] = sc.within(count, fold, 5)
		sc.pooled(count, &out[i])
	}
	for m := range metrics {
		_, sd, _ := meanSD(column(out, m))
		b.wald(m, "bootstrapped cross-validation, normal", five.value[m], sd)
	}
	return nil
}

// nested adds nested cross-validation's interval: the mean squared error of the inner
// estimate is found from how far it lies from the outer fold's value, less the variance of
// the latter, and bounded by the naive one and sqrt K times it.
func nested(b *book, d *sample, five *folded, s rng.Stream) error {
	const k = 5
	var square, inner, outer, squares, inners, outers [metrics]float64
	for round := range nestedRounds {
		splits, err := split.Folds{K: k}.Split(&split.Rows{N: d.n, Y: d.outcome}, s.Child("round", round))
		if err != nil {
			return err
		}
		fold := make([]int, d.n)
		for _, sp := range splits {
			for _, r := range sp.Test {
				fold[r] = sp.Fold
			}
		}
		var pair [k][k][]float64
		for i := range k {
			for j := i; j < k; j++ {
				pair[i][j] = d.logits(b.fit(d, others(fold, i, j), nil))
				pair[j][i] = pair[i][j]
			}
		}
		out := make([]float64, d.n)
		for r := range out {
			out[r] = pair[fold[r]][fold[r]][r]
		}
		var cv values
		sc := newScored(out, d.y)
		cv[auc] = sc.within(nil, fold, k)
		sc.pooled(nil, &cv)
		for m := range metrics {
			outer[m] += cv[m]
			outers[m]++
		}
		for i := range k {
			lp, count := make([]float64, d.n), make([]float64, d.n)
			for r, f := range fold {
				if f != i {
					lp[r], count[r] = pair[i][f][r], 1
				}
			}
			var in values
			sc := newScored(lp, d.y)
			in[auc] = sc.within(count, fold, k)
			sc.pooled(count, &in)
			test := splits[i].Test
			held := newScored(d.pick(test, out), d.pick(test, d.y))
			one := metric.Data{P: held.p, Y: make([]bool, len(test))}
			for j, r := range test {
				one.Y[j] = d.outcome[r]
			}
			value := held.measure(nil)
			_, se, err := influences([][]assess.HeldOut{single(one)}, len(test))
			if err != nil {
				return err
			}
			for m := range metrics {
				if e := in[m] - value[m]; !math.IsNaN(e) && !math.IsNaN(se[m]) {
					square[m] += e*e - se[m]*se[m]
					squares[m]++
				}
				if !math.IsNaN(in[m]) {
					inner[m] += in[m]
					inners[m]++
				}
			}
		}
	}
	for m := range metrics {
		ncv, cv := inner[m]/inners[m], outer[m]/outers[m]
		bias := (1 + float64(k-2)/k) * (ncv - cv)
		se := math.Sqrt(math.Max(0, square[m]/squares[m]) * (k - 1) / k)
		se = math.Min(math.Max(se, five.se[m]), math.Sqrt(k)*five.se[m])
		b.wald(m, "nested cross-validation (Bates)", ncv-bias, se)
	}
	return nil
}

// others lists the rows outside folds i and j.
func others(fold []int, i, j int) []int {
	var out []int
	for r, f := range fold {
		if f != i && f != j {
			out = append(out, r)
		}
	}
	return out
}
