package main

import (
	"cmp"
	"math"
	"slices"

	"dolor/internal/glm"
)

// scored is a set of predictions that resampling visits again and again: sorted once, then
// measured under many sets of row counts.
type scored struct {
	lp, p, y []float64
	order    []int // by lp, ascending
}

func newScored(lp, y []float64) *scored {
	s := &scored{lp: lp, y: y, p: make([]float64, len(lp)), order: make([]int, len(lp))}
	for i, l := range lp {
		s.p[i], s.order[i] = glm.Expit(l), i
	}
	slices.SortFunc(s.order, func(a, b int) int { return cmp.Compare(lp[a], lp[b]) })
	return s
}

// measure returns every metric with row i counted count[i] times (nil: once); NaN where
// undefined. The regressions start at a, b.
func (s *scored) measure(count []float64) values {
	var v values
	v[auc] = s.auc(count, nil, 0)
	s.pooled(count, &v)
	return v
}

func weight(count []float64, i int) float64 {
	if count == nil {
		return 1
	}
	return count[i]
}

// auc is the AUC of the rows whose fold is k (fold nil: of all), ties one half.
func (s *scored) auc(count []float64, fold []int, k int) float64 {
	ones, zeros, sum := 0.0, 0.0, 0.0
	for i := 0; i < len(s.order); {
		t1, t0, at := 0.0, 0.0, s.lp[s.order[i]]
		for ; i < len(s.order) && s.lp[s.order[i]] == at; i++ {
			j := s.order[i]
			if fold != nil && fold[j] != k {
				continue
			}
			c := weight(count, j)
			t1 += c * s.y[j]
			t0 += c * (1 - s.y[j])
		}
		sum += t1 * (zeros + t0/2)
		ones += t1
		zeros += t0
	}
	return sum / (ones * zeros)
}

// within is the mean of the AUCs within folds that hold both classes.
func (s *scored) within(count []float64, fold []int, folds int) float64 {
	sum, used := 0.0, 0.0
	for k := range folds {
		if a := s.auc(count, fold, k); !math.IsNaN(a) {
			sum += a
			used++
		}
	}
	return sum / used
}

// pooled fills every metric but the AUC.
func (s *scored) pooled(count []float64, v *values) {
	n, events, expected, loss, gain := 0.0, 0.0, 0.0, 0.0, 0.0
	for i, p := range s.p {
		c := weight(count, i)
		n += c
		events += c * s.y[i]
		expected += c * p
		loss += c * (s.y[i] - p) * (s.y[i] - p)
		if p >= threshold {
			gain += c * (s.y[i] - (1-s.y[i])*threshold/(1-threshold))
		}
	}
	v[brier], v[oe], v[benefit] = loss/n, events/expected, gain/n
	v[citl], v[slope] = math.NaN(), math.NaN()
	if events > 0 && events < n {
		v[citl] = recalibrate(s.lp, s.y, count, 0, 1, false)[0]
		v[slope] = recalibrate(s.lp, s.y, count, 0, 1, true)[1]
	}
}

// recalibrate fits logit y = a + b z by weighted maximum likelihood (b fixed unless freeB)
// from the start a, b; NaN without a finite solution.
func recalibrate(z, y, w []float64, a, b float64, freeB bool) [2]float64 {
	bad := [2]float64{math.NaN(), math.NaN()}
	for range 60 {
		var g0, g1, h00, h01, h11 float64
		for i, x := range z {
			c := weight(w, i)
			if c == 0 {
				continue
			}
			mu := glm.Expit(a + b*x)
			e, v := c*(y[i]-mu), c*mu*(1-mu)
			g0 += e
			g1 += e * x
			h00 += v
			h01 += v * x
			h11 += v * x * x
		}
		var da, db float64
		if freeB {
			det := h00*h11 - h01*h01
			if !(det > 1e-12*h00*h11) {
				return bad
			}
			da, db = (h11*g0-h01*g1)/det, (h00*g1-h01*g0)/det
		} else {
			da = g0 / h00
		}
		if big := math.Max(math.Abs(da), math.Abs(db)); big > 2 {
			da, db = da*2/big, db*2/big
		}
		a, b = a+da, b+db
		if math.IsNaN(a+b) || math.Abs(b) > 50 || math.Abs(a) > 50 {
			return bad
		}
		if math.Abs(da)+math.Abs(db) < 1e-9 {
			return [2]float64{a, b}
		}
	}
	return bad
}

// tally counts the draws of n rows with replacement; every row of group 0..groups-1 is one unit.
type intn interface{ IntN(n int) int }

func tally(r intn, count []float64) {
	clear(count)
	for range count {
		count[r.IntN(len(count))]++
	}
}

// bothClasses reports whether the counted rows hold both outcomes.
func bothClasses(count, y []float64) bool {
	n, e := 0.0, 0.0
	for i, c := range count {
		n += c
		e += c * y[i]
	}
	return e > 0 && e < n
}
