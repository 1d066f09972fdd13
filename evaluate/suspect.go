package evaluate

import (
	"context"
	"fmt"
	"math"

	"dolor/diag"
	"dolor/frame"
	"dolor/metric"
	"dolor/rng"
)

// suspectAUC is the within-fold AUC above which one column alone is named: clinical
// predictors seldom reach it, a column made from the outcome does.
const suspectAUC = 0.95

// Suspect is a predictor that ranks the outcome almost perfectly on its own, which hints at
// information from after time zero.
type Suspect struct {
	Column string  `json:"column"`
	AUC    float64 `json:"auc"` // mean within folds, of the better of value and missingness
}

// Warning puts s in words.
func (s Suspect) Warning() diag.Warning {
	return diag.Warning{
		Code: "suspect_column", Count: 1, First: s.Column,
		Msg: fmt.Sprintf("%s alone has AUC %.3f within folds: check that it is known at time zero", s.Column, s.AUC),
	}
}

// Suspects scores every predictor on its own over rows: the direction of a number and the
// event rates of a category's levels are learnt on four fifths and judged on the last fifth.
func Suspects(ctx context.Context, d *Data, rows []int, s rng.Stream) ([]Suspect, error) {
	dev := d.take(rows)
	n := min(5, min(countTrue(dev.Y), dev.Rows()-countTrue(dev.Y)))
	if n < 2 {
		return nil, nil
	}
	folds, err := foldsOf(dev, n, s)
	if err != nil {
		return nil, err
	}
	var out []Suspect
	for j := range dev.X.Cols() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := dev.X.At(j)
		best := 0.0
		for _, scores := range columnScores(c) {
			sum, used := 0.0, 0
			for _, f := range folds {
				p := scores(dev.Y, f.Train, f.Test)
				e, err := metric.AUC(metric.Data{Y: pick(dev.Y, f.Test), P: p}, 0.95)
				if err == nil && !math.IsNaN(e.Value) {
					sum += e.Value
					used++
				}
			}
			if used > 0 {
				best = math.Max(best, sum/float64(used))
			}
		}
		if best > suspectAUC {
			out = append(out, Suspect{c.Name, best})
		}
	}
	return out, nil
}

// scoring gives test rows a score in [0, 1] learnt from training rows.
type scoring func(y []bool, train, test []int) []float64

// columnScores returns the ways a column can rank the outcome: by event rate of its level
// (or of missing), and for a number also by value.
func columnScores(c frame.Column) []scoring {
	level := func(i int) int {
		switch {
		case c.IsMissing(i):
			return 0
		case c.Kind == frame.Category:
			return 1 + int(c.Codes()[i])
		default:
			return 1
		}
	}
	byRate := func(y []bool, train, test []int) []float64 {
		n, e := make(map[int]float64), make(map[int]float64)
		for _, i := range train {
			n[level(i)]++
			if y[i] {
				e[level(i)]++
			}
		}
		p := make([]float64, len(test))
		for k, i := range test {
			l := level(i)
			p[k] = (e[l] + 0.5) / (n[l] + 1)
		}
		return p
	}
	if c.Kind != frame.Number {
		return []scoring{byRate}
	}
	byValue := func(y []bool, train, test []int) []float64 {
		lo, hi, mean := math.Inf(1), math.Inf(-1), [2]float64{}
		count := [2]float64{}
		for _, i := range train {
			v := c.Numbers()[i]
			if math.IsNaN(v) {
				continue
			}
			lo, hi = math.Min(lo, v), math.Max(hi, v)
			k := 0
			if y[i] {
				k = 1
			}
			mean[k] += v
			count[k]++
		}
		up := mean[1]/count[1] >= mean[0]/count[0]
		p := make([]float64, len(test))
		for k, i := range test {
			v := c.Numbers()[i]
			q := 0.5 // missing, or nothing learnt
			if !math.IsNaN(v) && hi > lo {
				q = math.Min(math.Max((v-lo)/(hi-lo), 0), 1)
			}
			if !up {
				q = 1 - q
			}
			p[k] = q
		}
		return p
	}
	return []scoring{byRate, byValue}
}
