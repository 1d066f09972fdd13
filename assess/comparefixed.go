package assess

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"dolor/metric"
)

// CompareFixed gives the paired differences b - a of two probability columns on the same
// rows: AUC by DeLong's test, Brier score and net benefit by the standard error of the
// (weighted) mean of the differences row by row. Kind Invalid for malformed data.
func CompareFixed(nameA, nameB string, a, b metric.Data, thresholds []float64, level float64) ([]Comparison, error) {
	auc, err := metric.AUCPaired(b, a, level)
	if err != nil {
		return nil, err
	}
	base := Comparison{A: nameA, B: nameB, N: a.N(), Events: a.Events()}
	c := base
	c.Metric, c.Method = "auc", auc.Method
	c.Difference, c.Lower, c.Upper, c.P = Num(auc.Difference), Num(auc.Lower), Num(auc.Upper), Num(auc.P)
	out := []Comparison{c}
	mean := func(name string, t float64, loss func(obs) float64) {
		c := base
		c.Metric, c.Method = name, "paired, standard error of the mean difference"
		if !math.IsNaN(t) {
			x := Num(t)
			c.Threshold = &x
		}
		d, se := pairedMean(a, b, loss)
		lo, hi := interval(d, se*se, level, identity)
		c.Difference, c.Lower, c.Upper, c.P = Num(d), Num(lo), Num(hi), Num(math.NaN())
		if se > 0 {
			c.P = Num(2 * distuv.UnitNormal.CDF(-math.Abs(d)/se))
		}
		out = append(out, c)
	}
	mean("brier", math.NaN(), brierLoss)
	for _, t := range thresholds {
		mean("net_benefit", t, func(x obs) float64 { return treated(x, t) })
	}
	return out, nil
}

// pairedMean is the weighted mean of loss(b) - loss(a) with its standard error, weights taken
// as sampling weights.
func pairedMean(a, b metric.Data, loss func(obs) float64) (mean, se float64) {
	d := make([]float64, a.N())
	total := 0.0
	for i := range d {
		d[i] = loss(obs{y: b.Y[i], p: b.P[i]}) - loss(obs{y: a.Y[i], p: a.P[i]})
		w := a.Weight(i)
		total += w
		mean += w * d[i]
	}
	mean /= total
	v := 0.0
	for i, x := range d {
		r := a.Weight(i) * (x - mean) / total
		v += r * r
	}
	n := float64(len(d))
	return mean, math.Sqrt(v * n / (n - 1))
}
