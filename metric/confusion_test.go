package metric_test

import (
	"fmt"
	"math"
	"testing"

	"dolor/internal/golden"
	"dolor/internal/interval"
	"dolor/metric"
	"dolor/rng"
)

func TestTwoByTwoMatchesReference(t *testing.T) {
	rows := golden.Load(t, "stats/proportions.expected.json").Get("two_by_two")
	const tol = 1e-9
	for i := range rows.Len() {
		r := rows.Get(i)
		tb := metric.NewTable(r.Get("tp").Float(), r.Get("fp").Float(), r.Get("fn").Float(), r.Get("tn").Float())
		name := fmt.Sprintf("table %d ", i)
		got := map[string]metric.Estimate{}
		for _, e := range tb.Estimates(0.95) {
			got[e.Name] = e
		}
		for _, k := range []string{"sensitivity", "specificity", "ppv", "npv", "accuracy", "prevalence"} {
			e, q := got[k], r.Get(k)
			if q.IsNull() {
				golden.Close(t, name+k, e.Value, math.NaN(), tol)
				continue
			}
			golden.Close(t, name+k, e.Value, q.Get("estimate").Float(), tol)
			golden.CloseAll(t, name+k, []float64{e.Lower, e.Upper}, q.Get("wilson").Floats(), tol)
			lo, hi := interval.ClopperPearson(q.Get("x").Float(), q.Get("n").Float(), 0.95)
			golden.CloseAll(t, name+k+" clopper", []float64{lo, hi}, q.Get("clopper_pearson").Floats(), tol)
		}
		ratios := func(what string, tb metric.Table, r golden.Value) {
			t.Helper()
			for j, k := range []string{"lr_positive", "lr_negative", "dor"} {
				q := tb.Ratios(0.95)[j]
				golden.Close(t, what+k, q.Value, r.Get(k, "estimate").Float(), tol)
				golden.Close(t, what+k+" se", q.SELog, r.Get(k, "se_log").Float(), tol)
				golden.CloseAll(t, what+k+" ci", []float64{q.Lower, q.Upper}, r.Get(k, "ci").Floats(), tol)
			}
		}
		ratios(name, tb, r)
		ratios(name+"half added ", tb.HalfAdded(), r.Get("half_added"))
		for _, k := range []string{"f1", "mcc", "kappa", "balanced_accuracy", "youden"} {
			golden.Close(t, name+k, got[k].Value, r.Get(k).Float(), tol)
		}
		se, null := tb.KappaSE()
		// The reference's kappa_se leaves out the square of (p.i + pj.) in the off-diagonal
		// term of Fleiss, Cohen and Everitt's equation 8; see TestKappaErrorIsTheMultinomialOne.
		golden.Close(t, name+"kappa_se with the slip", slippedKappaSE(tb), r.Get("kappa_se").Float(), tol)
		golden.Close(t, name+"kappa_se_null", null, r.Get("kappa_se_null").Float(), tol)
		lo, hi := got["kappa"].Lower, got["kappa"].Upper
		golden.Close(t, name+"kappa_ci", (hi-lo)/2, interval.Z(0.95)*se, tol)
		golden.Close(t, name+"youden_se", tb.YoudenSE(), r.Get("youden_se").Float(), tol)
	}
}

// slippedKappaSE is equation 8 with the off-diagonal margins not squared, as in the reference.
func slippedKappaSE(tb metric.Table) float64 { return equation8(tb, 1) }

func equation8(tb metric.Table, power float64) float64 {
	n := tb.Total()
	a, b, c, d := tb.TP/n, tb.FP/n, tb.FN/n, tb.TN/n
	p, e := a+b, a+c
	chance := p*e + (1-p)*(1-e)
	k := (a + d - chance) / (1 - chance)
	sq := func(x float64) float64 { return x * x }
	diagonal := a*sq(1-(p+e)*(1-k)) + d*sq(1-(2-p-e)*(1-k))
	// FP lies in row "positive", column "no outcome": margins p.i of column i = positive, pj. of row j.
	off := sq(1-k) * (b*math.Pow(e+1-p, power) + c*math.Pow(1-e+p, power))
	return math.Sqrt(max(0, diagonal+off-sq(k-chance*(1-k)))/n) / (1 - chance)
}

// The multinomial sampling distribution of kappa, by simulation, is what KappaSE gives and not
// what the slipped formula gives.
func TestKappaErrorIsTheMultinomialOne(t *testing.T) {
	for _, c := range [][4]float64{{40, 12, 8, 90}, {0, 4, 6, 30}, {12, 7, 5, 0}} {
		tb := metric.NewTable(c[0], c[1], c[2], c[3])
		se, _ := tb.KappaSE()
		golden.Close(t, fmt.Sprint("equation 8 ", c), se, equation8(tb, 2), 1e-12)
		const scale, reps = 400, 4000 // large samples with the same shares, so that the delta method is exact
		r := rng.New(1).Child("kappa").Rand()
		n := int(tb.Total()) * scale
		var sum, sq float64
		for range reps {
			left, rest := n, tb.Total()
			var x [4]float64
			for k, v := range c {
				if rest > 0 && left > 0 {
					// Normal approximation to the binomial: n is at least 9600.
					q := v / rest
					x[k] = math.Round(float64(left)*q + math.Sqrt(float64(left)*q*(1-q))*r.NormFloat64())
					x[k] = min(max(0, x[k]), float64(left))
				}
				left -= int(x[k])
				rest -= v
			}
			k := metric.NewTable(x[0], x[1], x[2], x[3]).Kappa(0.95).Value
			sum += k
			sq += k * k
		}
		sd := math.Sqrt(sq/reps-sum/reps*sum/reps) * math.Sqrt(scale)
		if math.Abs(sd/se-1) > 0.05 {
			t.Errorf("%v: simulated standard deviation %.5f, KappaSE %.5f", c, sd, se)
		}
	}
}
