package assess

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"dolor/internal/glm"
)

// influence is an estimate with the influence of each distinct row on it, scaled so that the
// variance is the sum over patients of the squared sum of their rows' values.
//
// With repeated cross-validation estimate and influence are means over repeats. The AUC is
// the mean over folds of the AUC within each fold (LeDell, Petersen and van der Laan 2015,
// Electron J Stat 9:1583, doi:10.1214/15-EJS1035); means of losses, net benefit and the
// calibration regressions use all held-out rows of a repeat.
type influence struct {
	value float64
	ic    []float64
	note  string // why value is NaN
}

func undefined(note string) influence { return influence{value: math.NaN(), note: note} }

// statistic computes a metric on the observations of one repeat, adding each row's influence
// into ic (len = distinct rows of the whole stack).
type statistic func(o []obs, ic []float64) (value float64, note string)

// over averages a statistic over the repeats of s.
func over(s *stack, f statistic) influence {
	if s.rows() == 0 {
		return undefined("no rows")
	}
	total := influence{ic: make([]float64, s.rows())}
	ic := make([]float64, s.rows())
	k := float64(len(s.repeats))
	for _, o := range s.repeats {
		clear(ic)
		v, note := f(o, ic)
		if note != "" {
			return undefined(note)
		}
		total.value += v / k
		for i, x := range ic {
			total.ic[i] += x / k
		}
	}
	return total
}

// variance sums the influence within patients, squares and adds, with the finite-sample
// factor G/(G-1) for G patients.
func (s *stack) variance(f influence) float64 {
	groups := 0
	for _, c := range s.cluster {
		groups = max(groups, c+1)
	}
	sums := make([]float64, groups)
	for i, c := range s.cluster {
		sums[c] += f.ic[i]
	}
	v := 0.0
	for _, x := range sums {
		v += x * x
	}
	if groups < 2 {
		return math.NaN()
	}
	return v * float64(groups) / float64(groups-1)
}

// scale is the scale on which an interval is symmetric.
type scale uint8

const (
	identity scale = iota
	logOdds
	logarithm
)

// interval returns the Wald interval of value on the given scale.
func interval(value, variance, level float64, sc scale) (lower, upper float64) {
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	se := math.Sqrt(variance)
	switch sc {
	case logOdds:
		if value <= 0 || value >= 1 {
			return math.NaN(), math.NaN()
		}
		l, d := glm.Logit(value), z*se/(value*(1-value))
		return glm.Expit(l - d), glm.Expit(l + d)
	case logarithm:
		if value <= 0 {
			return math.NaN(), math.NaN()
		}
		d := z * se / value
		return value * math.Exp(-d), value * math.Exp(d)
	default:
		return value - z*se, value + z*se
	}
}

// aucStatistic is the mean of the AUC within folds that hold both classes.
func aucStatistic(o []obs, ic []float64) (float64, string) {
	var used [][]obs
	for _, f := range folds(o) {
		if e := countEvents(f); e > 0 && e < len(f) {
			used = append(used, f)
		}
	}
	if len(used) == 0 {
		return math.NaN(), "one class"
	}
	mean, k := 0.0, float64(len(used))
	for _, f := range used {
		a, place := placements(f)
		n1 := float64(countEvents(f))
		n0 := float64(len(f)) - n1
		mean += a / k
		for i, x := range f {
			if x.y {
				ic[x.row] += (place[i] - a) / n1 / k
			} else {
				ic[x.row] += (place[i] - a) / n0 / k
			}
		}
	}
	return mean, ""
}

// placements returns the AUC of f (ties one half) and for each observation the share of the
// other class that it is ranked rightly against.
func placements(f []obs) (auc float64, place []float64) {
	order := make([]int, len(f))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case f[a].p < f[b].p:
			return -1
		case f[a].p > f[b].p:
			return 1
		}
		return a - b
	})
	n1 := float64(countEvents(f))
	n0 := float64(len(f)) - n1
	place = make([]float64, len(f))
	below1, below0 := 0.0, 0.0
	for i := 0; i < len(order); {
		j, t1, t0 := i, 0.0, 0.0
		for ; j < len(order) && f[order[j]].p == f[order[i]].p; j++ {
			if f[order[j]].y {
				t1++
			} else {
				t0++
			}
		}
		for ; i < j; i++ {
			k := order[i]
			if f[k].y {
				place[k] = (below0 + t0/2) / n0
				auc += place[k] / n1
			} else {
				place[k] = (n1 - below1 - t1/2) / n1
			}
		}
		below1 += t1
		below0 += t0
	}
	return auc, place
}

func countEvents(f []obs) int {
	n := 0
	for _, x := range f {
		if x.y {
			n++
		}
	}
	return n
}

func meanStatistic(loss func(obs) float64) statistic {
	return func(o []obs, ic []float64) (float64, string) {
		n := float64(len(o))
		mean := 0.0
		for _, x := range o {
			mean += loss(x) / n
		}
		for _, x := range o {
			ic[x.row] += (loss(x) - mean) / n
		}
		return mean, ""
	}
}

func one(y bool) float64 {
	if y {
		return 1
	}
	return 0
}

func brierLoss(x obs) float64 { d := one(x.y) - x.p; return d * d }

func logLoss(x obs) float64 {
	if x.y {
		return -math.Log(x.p)
	}
	return -math.Log1p(-x.p)
}

// scaledBrierStatistic is 1 - Brier/(ybar(1-ybar)), by the delta method.
func scaledBrierStatistic(o []obs, ic []float64) (float64, string) {
	n := float64(len(o))
	rate := float64(countEvents(o)) / n
	v := rate * (1 - rate)
	if v == 0 {
		return math.NaN(), "one class"
	}
	b := 0.0
	for _, x := range o {
		b += brierLoss(x) / n
	}
	for _, x := range o {
		ic[x.row] += (-(brierLoss(x)-b)/v + b/(v*v)*(1-2*rate)*(one(x.y)-rate)) / n
	}
	return 1 - b/v, ""
}

// oeStatistic is observed over expected events.
func oeStatistic(o []obs, ic []float64) (float64, string) {
	n := float64(len(o))
	obsRate, expRate := float64(countEvents(o))/n, 0.0
	for _, x := range o {
		expRate += x.p / n
	}
	if obsRate == 0 {
		return math.NaN(), "no events"
	}
	if expRate == 0 {
		return math.NaN(), "no expected events"
	}
	r := obsRate / expRate
	for _, x := range o {
		ic[x.row] += (one(x.y) - r*x.p) / (expRate * n)
	}
	return r, ""
}

// recalibration fits logit(y) = a + b logit(p) (slope) or with b = 1 (intercept) and returns
// the wanted coefficient with the sandwich influence of each row.
func recalibration(slope bool) statistic {
	return func(o []obs, ic []float64) (float64, string) {
		n, e := len(o), countEvents(o)
		if e == 0 || e == n {
			return math.NaN(), "one class"
		}
		cols := 1
		if slope {
			cols = 2
		}
		pr := glm.Problem{Rows: n, Cols: cols, X: make([]float64, n*cols), Y: make([]float64, n)}
		if !slope {
			pr.Offset = make([]float64, n)
		}
		lo, hi := math.Inf(1), math.Inf(-1)
		for i, x := range o {
			// As package metric: a probability of 0 or 1 has no logit; 1e-8 away it has.
			l := glm.Logit(math.Min(math.Max(x.p, 1e-8), 1-1e-8))
			lo, hi = math.Min(lo, l), math.Max(hi, l)
			pr.Y[i] = one(x.y)
			pr.X[i*cols] = 1
			if slope {
				pr.X[i*cols+1] = l
			} else {
				pr.Offset[i] = l
			}
		}
		if slope && hi == lo {
			return math.NaN(), "all predicted probabilities are equal"
		}
		f, err := glm.Logistic(pr, nil)
		if err != nil || !f.Converged {
			return math.NaN(), "the recalibration does not converge (separation)"
		}
		want := cols - 1
		for i, x := range o {
			eta := f.Coef[0]
			if slope {
				eta += f.Coef[1] * pr.X[i*cols+1]
			} else {
				eta += pr.Offset[i]
			}
			r := pr.Y[i] - glm.Expit(eta)
			for j := range cols {
				ic[x.row] += f.Cov[want*cols+j] * pr.X[i*cols+j] * r
			}
		}
		return f.Coef[want], ""
	}
}

// netBenefitStatistic is the net benefit of treating at or above threshold t (Vickers and
// Elkin 2006, doi:10.1177/0272989X06295361).
func netBenefitStatistic(t float64) statistic {
	return meanStatistic(func(x obs) float64 { return treated(x, t) })
}

// treatAllStatistic is the net benefit of treating everybody.
func treatAllStatistic(t float64) statistic {
	return meanStatistic(func(x obs) float64 { x.p = 1; return treated(x, t) })
}

// treated is what one patient adds to the net benefit.
func treated(x obs, t float64) float64 {
	switch {
	case x.p < t:
		return 0
	case x.y:
		return 1
	default:
		return -t / (1 - t)
	}
}
