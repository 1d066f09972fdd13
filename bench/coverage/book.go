package main

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"dolor/internal/glm"
	"dolor/internal/interval"
)

// level is that of every interval.
const level = 0.95

// entry is one interval of one replication.
type entry struct {
	metric  int
	method  string
	est     float64
	lo, hi  float64
	defined bool
}

// book collects the intervals of a replication; every replication adds the same ones in the
// same order.
type book struct {
	entries   []entry
	separated int    // fits whose likelihood had no finite maximum
	fits      int    // fits made
	truth     values // of this replication's refitted model
}

func (b *book) add(metric int, method string, est, lo, hi float64) {
	b.entries = append(b.entries, entry{metric, method, est, lo, hi, !math.IsNaN(lo) && !math.IsNaN(hi)})
}

// wald adds the normal interval on the metric's own scale: logit for AUC, log for O/E.
func (b *book) wald(metric int, method string, est, se float64) {
	lo, hi := onScale(metric, est, interval.Z(level)*se)
	b.add(metric, method, est, lo, hi)
}

// plain adds est -+ half.
func (b *book) plain(metric int, method string, est, half float64) {
	b.add(metric, method, est, est-half, est+half)
}

func onScale(metric int, est, half float64) (lo, hi float64) {
	switch metric {
	case auc:
		if est <= 0 || est >= 1 {
			return math.NaN(), math.NaN()
		}
		l, d := glm.Logit(est), half/(est*(1-est))
		return glm.Expit(l - d), glm.Expit(l + d)
	case oe:
		if est <= 0 {
			return math.NaN(), math.NaN()
		}
		return relative(est, half)
	default:
		return est - half, est + half
	}
}

// relative returns the limits on the log scale.
func relative(est, half float64) (lo, hi float64) {
	return est * math.Exp(-half/est), est * math.Exp(half/est)
}

// student is the two-sided quantile of t with df degrees of freedom.
func student(df float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(0.5 + level/2)
}

// meanSD returns the mean and standard deviation (n-1) of what is a number, and its count.
func meanSD(v []float64) (mean, sd, n float64) {
	for _, x := range v {
		if !math.IsNaN(x) {
			mean += x
			n++
		}
	}
	mean /= n
	for _, x := range v {
		if !math.IsNaN(x) {
			sd += (x - mean) * (x - mean)
		}
	}
	return mean, math.Sqrt(sd / (n - 1)), n
}

// column picks one metric.
func column(v []values, k int) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = x[k]
	}
	return out
}
