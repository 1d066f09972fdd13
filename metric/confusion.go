package metric

import (
	"math"

	"dolor/diag"
	"dolor/internal/interval"
)

// The cells of a two-by-two table, as indices.
const (
	cellTP = iota
	cellFP
	cellFN
	cellTN
)

// Table is a two-by-two table of decision against outcome; a row is positive when its
// probability is at least the threshold. Cells are sums of weights. Intervals treat weights as
// sampling weights: a common factor changes nothing.
type Table struct {
	Threshold      float64 // NaN when the table did not come from a threshold
	TP, FP, FN, TN float64

	sq [4]float64 // sums of squared weights; the counts when every weight is 1
}

// NewTable returns the table of plain counts, with no threshold.
func NewTable(tp, fp, fn, tn float64) Table {
	return Table{math.NaN(), tp, fp, fn, tn, [4]float64{tp, fp, fn, tn}}
}

// Confusion returns the table of d at threshold. Errors are those of [Data.Check], and a
// threshold that is not a number.
func Confusion(d Data, threshold float64) (Table, error) {
	ts, err := Confusions(d, []float64{threshold})
	if err != nil {
		return Table{}, err
	}
	return ts[0], nil
}

// Confusions returns one table per threshold, in their order, in one pass over the rows:
// O(n log k) for k thresholds, nothing is sorted but the thresholds.
func Confusions(d Data, thresholds []float64) ([]Table, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	for i, t := range thresholds {
		if math.IsNaN(t) {
			return nil, diag.Errorf(diag.Invalid, "threshold", "number %d: expected a number, got a missing value", i+1)
		}
	}
	return tabulate(d, thresholds), nil
}

// weights returns the cells in the order of the constants.
func (t Table) cells() [4]float64 { return [4]float64{t.TP, t.FP, t.FN, t.TN} }

// Total returns the total weight.
func (t Table) Total() float64 { return t.TP + t.FP + t.FN + t.TN }

// delta returns the standard error of a smooth function of the cell shares from its gradient:
// sum over rows of (w (g_c - mean g))^2 / W^2, the multinomial delta method.
func (t Table) delta(gradient [4]float64) float64 {
	c, n := t.cells(), t.Total()
	mean := 0.0
	for k, g := range gradient {
		mean += c[k] / n * g
	}
	v := 0.0
	for k, g := range gradient {
		v += t.sq[k] * (g - mean) * (g - mean)
	}
	return math.Sqrt(v) / n
}

// share is a proportion of weights with the effective sample size behind it.
type share struct{ x, n, p float64 }

// proportion returns the share of the cells in within that also lie in hit. The effective size
// is that at which p(1-p)/n is the linearised variance, Kish's w^2/sum w^2 when p is 0 or 1;
// without weights it is the count.
func (t Table) proportion(hit, within []int) share {
	c := t.cells()
	x, n := 0.0, 0.0
	for _, k := range within {
		n += c[k]
	}
	in := [4]bool{}
	for _, k := range hit {
		x += c[k]
		in[k] = true
	}
	if n == 0 {
		return share{0, 0, math.NaN()}
	}
	p := x / n
	v, sq := 0.0, 0.0
	for _, k := range within {
		y := 0.0
		if in[k] {
			y = 1
		}
		v += t.sq[k] * (y - p) * (y - p)
		sq += t.sq[k]
	}
	size := n * n / sq
	if v > 0 && p > 0 && p < 1 {
		size = p * (1 - p) * n * n / v
	}
	return share{p * size, size, p}
}

func (s share) wilson(level float64) (lower, upper float64) {
	return interval.Wilson(min(max(0, s.x), s.n), s.n, level)
}

func (t Table) weighted() bool { return t.cells() != t.sq }

var (
	rowsAll      = []int{cellTP, cellFP, cellFN, cellTN}
	rowsEvent    = []int{cellTP, cellFN}
	rowsOther    = []int{cellFP, cellTN}
	rowsPositive = []int{cellTP, cellFP}
	rowsNegative = []int{cellFN, cellTN}
)

// rate makes the estimate of a proportion with Wilson's interval.
func (t Table) rate(name, empty string, hit, within []int, level float64) Estimate {
	s := t.proportion(hit, within)
	if s.n == 0 {
		return undefined(name, t.Threshold, level, "not estimable: "+empty)
	}
	e := Estimate{Name: name, Threshold: t.Threshold, Value: s.p, Level: level, Method: "wilson"}
	if t.weighted() {
		e.Method = "wilson, effective size"
	}
	e.Lower, e.Upper = s.wilson(level)
	return e
}

// Sensitivity returns TP/(TP+FN) with Wilson's interval; NaN without events. With weights the
// interval uses the effective size at which the binomial variance is the linearised one.
func (t Table) Sensitivity(level float64) Estimate {
	return t.rate("sensitivity", "no events", []int{cellTP}, rowsEvent, level)
}

// Specificity returns TN/(TN+FP) with Wilson's interval; NaN without non-events.
func (t Table) Specificity(level float64) Estimate {
	return t.rate("specificity", "no non-events", []int{cellTN}, rowsOther, level)
}

// PPV returns TP/(TP+FP) with Wilson's interval; NaN when nobody is positive.
func (t Table) PPV(level float64) Estimate {
	return t.rate("ppv", "nobody positive", []int{cellTP}, rowsPositive, level)
}

// NPV returns TN/(TN+FN) with Wilson's interval; NaN when nobody is negative.
func (t Table) NPV(level float64) Estimate {
	return t.rate("npv", "nobody negative", []int{cellTN}, rowsNegative, level)
}

// Accuracy returns the share decided rightly, with Wilson's interval.
func (t Table) Accuracy(level float64) Estimate {
	return t.rate("accuracy", "no rows", []int{cellTP, cellTN}, rowsAll, level)
}

// Prevalence returns the share with the outcome, with Wilson's interval.
func (t Table) Prevalence(level float64) Estimate {
	return t.rate("prevalence", "no rows", rowsEvent, rowsAll, level)
}

// Estimates returns every number of the table with its interval, in a fixed order:
// sensitivity, specificity, ppv, npv, accuracy, prevalence, balanced_accuracy, f1, mcc, kappa,
// youden, lr_positive, lr_negative, dor.
func (t Table) Estimates(level float64) []Estimate {
	return []Estimate{
		t.Sensitivity(level), t.Specificity(level), t.PPV(level), t.NPV(level), t.Accuracy(level),
		t.Prevalence(level), t.BalancedAccuracy(level), t.F1(level), t.MCC(level), t.Kappa(level),
		t.Youden(level), t.LRPositive(level), t.LRNegative(level), t.DOR(level),
	}
}

// tabulate fills the tables by finding, for each row, how many thresholds it reaches.
func tabulate(d Data, thresholds []float64) []Table {
	cuts, place := distinctCuts(thresholds)
	k := len(cuts)
	// Class 0 and 1 by number of thresholds reached.
	var w, sq [2][]float64
	for c := range 2 {
		w[c], sq[c] = make([]float64, k+1), make([]float64, k+1)
	}
	if d.W == nil {
		var counts [2][]int
		counts[0], counts[1] = make([]int, k+1), make([]int, k+1)
		for i, p := range d.P {
			if d.Y[i] {
				counts[1][reached(cuts, p)]++
			} else {
				counts[0][reached(cuts, p)]++
			}
		}
		for c := range 2 {
			for j, n := range counts[c] {
				w[c][j], sq[c][j] = float64(n), float64(n)
			}
		}
	} else {
		var sums [2][]runSum
		sums[0], sums[1] = make([]runSum, k+1), make([]runSum, k+1)
		for i, p := range d.P {
			c, j := 0, reached(cuts, p)
			if d.Y[i] {
				c = 1
			}
			sums[c][j].add(d.W[i])
			sq[c][j] += d.W[i] * d.W[i]
		}
		for c := range 2 {
			for j := range sums[c] {
				w[c][j] = sums[c][j].sum()
			}
		}
	}
	at := make([]Table, k)
	for j := range k {
		t := Table{Threshold: cuts[j]}
		cell := func(c, from, to int) (sum, square float64) {
			var s, q runSum
			for i := from; i < to; i++ {
				s.add(w[c][i])
				q.add(sq[c][i])
			}
			return s.sum(), q.sum()
		}
		t.TP, t.sq[cellTP] = cell(1, j+1, k+1)
		t.FP, t.sq[cellFP] = cell(0, j+1, k+1)
		t.FN, t.sq[cellFN] = cell(1, 0, j+1)
		t.TN, t.sq[cellTN] = cell(0, 0, j+1)
		at[j] = t
	}
	out := make([]Table, len(thresholds))
	for i, j := range place {
		out[i] = at[j]
	}
	return out
}
