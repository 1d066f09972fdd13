package metric

import (
	"math"

	"dolor/diag"

	"gonum.org/v1/gonum/stat/distuv"
)

// checkCal checks rows and level before a calibration metric is computed.
func checkCal(d Data, level float64) error {
	if !(level > 0 && level < 1) {
		return diag.Errorf(diag.Usage, "level", "expected a number between 0 and 1")
	}
	return d.Check()
}

// calZ returns the normal quantile of a two-sided interval at level.
func calZ(level float64) float64 {
	return math.Sqrt2 * math.Erfinv(level)
}

// calP returns the two-sided normal tail of z.
func calP(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// chiP returns the upper tail of chi-square with df degrees of freedom.
func chiP(x, df float64) float64 {
	if math.IsNaN(x) || df <= 0 {
		return math.NaN()
	}
	return distuv.ChiSquared{K: df}.Survival(math.Max(x, 0))
}

// calUndefined is an estimate that cannot be made, with the reason.
func calUndefined(name string, level float64, reason string) Estimate {
	nan := math.NaN()
	return Estimate{Name: name, Threshold: nan, Value: nan, Lower: nan, Upper: nan, Level: level, Method: "not estimable: " + reason}
}

// calWald is the interval value +/- z se.
func calWald(name string, value, se, level float64, method string) Estimate {
	z := calZ(level)
	return Estimate{name, math.NaN(), value, value - z*se, value + z*se, level, method}
}

// kahan is Neumaier's compensated sum.
type kahan struct{ s, c float64 }

func (k *kahan) add(v float64) {
	t := k.s + v
	if math.Abs(k.s) >= math.Abs(v) {
		k.c += (k.s - t) + v
	} else {
		k.c += (v - t) + k.s
	}
	k.s = t
}

func (k *kahan) sum() float64 { return k.s + k.c }

// calTotals holds the sums most calibration metrics start from.
type calTotals struct {
	w, w2, wy, wp float64 // sums of w, w^2, w y, w p
	rows, events  int     // rows of positive weight
}

func (d Data) totals() calTotals {
	var t calTotals
	var w, w2, wy, wp kahan
	for i, p := range d.P {
		wi := d.Weight(i)
		if wi == 0 {
			continue
		}
		t.rows++
		w.add(wi)
		w2.add(wi * wi)
		wp.add(wi * p)
		if d.Y[i] {
			t.events++
			wy.add(wi)
		}
	}
	t.w, t.w2, t.wy, t.wp = w.sum(), w2.sum(), wy.sum(), wp.sum()
	return t
}

// oneClass names what is missing, or "".
func (t calTotals) oneClass() string {
	switch {
	case t.rows == 0:
		return "no rows"
	case t.events == 0 || t.events == t.rows:
		return "one class"
	}
	return ""
}

// b2f is the outcome as a number.
func b2f(y bool) float64 {
	if y {
		return 1
	}
	return 0
}
