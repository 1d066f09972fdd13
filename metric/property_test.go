package metric_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"dolor/metric"
	"dolor/rng"

	"pgregory.net/rapid"
)

func drawData(t *rapid.T) metric.Data {
	n := rapid.IntRange(4, 60).Draw(t, "n")
	var d metric.Data
	for i := range n {
		d.Y = append(d.Y, i == 0 || i != 1 && rapid.Bool().Draw(t, "y"))
		d.P = append(d.P, float64(rapid.IntRange(0, 20).Draw(t, "p"))/20)
		d.W = append(d.W, float64(rapid.IntRange(1, 3).Draw(t, "w")))
	}
	return d
}

func value(t *rapid.T, e metric.Estimate, err error) metric.Estimate {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func near(t *rapid.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 1e-12) && !(math.IsNaN(got) && math.IsNaN(want)) {
		t.Fatalf("%s: got %.17g, want %.17g", what, got, want)
	}
}

func TestAUCProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t)
		auc := func(d metric.Data) metric.Estimate { e, err := metric.AUC(d, 0.95); return value(t, e, err) }
		base := auc(d)

		brute, pairs := 0.0, 0.0
		for i := range d.Y {
			for j := range d.Y {
				if d.Y[i] && !d.Y[j] {
					w := d.W[i] * d.W[j]
					pairs += w
					switch {
					case d.P[i] > d.P[j]:
						brute += w
					case d.P[i] == d.P[j]:
						brute += w / 2
					}
				}
			}
		}
		near(t, "pair count", base.Value, brute/pairs)

		mono, mirror := d, d
		mono.P, mirror.P, mirror.Y = nil, nil, nil
		for i, p := range d.P {
			mono.P = append(mono.P, math.Exp(3*p)-7)
			mirror.P = append(mirror.P, -p)
			mirror.Y = append(mirror.Y, !d.Y[i])
		}
		near(t, "monotone map", auc(mono).Value, base.Value)
		near(t, "monotone map, lower", auc(mono).Lower, base.Lower)
		near(t, "both reversed", auc(mirror).Value, base.Value)
		near(t, "outcome reversed", auc(metric.Data{Y: mirror.Y, P: d.P, W: d.W}).Value, 1-base.Value)

		perm := rapid.Permutation(rows(len(d.Y))).Draw(t, "order")
		near(t, "permuted", auc(d.Take(perm)).Value, base.Value)
		near(t, "permuted, lower", auc(d.Take(perm)).Lower, base.Lower)

		twice := repeated(d)
		near(t, "repeated rows", auc(twice).Value, base.Value)
		ap, err := metric.AveragePrecision(d, 0.95)
		near(t, "average precision repeated", value(t, ap, err).Value, func() float64 {
			e, err := metric.AveragePrecision(twice, 0.95)
			return value(t, e, err).Value
		}())

		whole, err := metric.PartialAUCSpecificity(d, 0, 1, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "partial over everything", whole.Area.Value, base.Value)
		s, err := metric.NewSorted(d)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "partial's error", whole.SE, s.DeLong().SE())
		counts := make([]float64, len(d.Y))
		for i := range counts {
			counts[i] = 1
		}
		near(t, "reweighed", s.Reweigh(counts).DeLong().AUC, auc(metric.Data{Y: d.Y, P: d.P}).Value)
	})
}

func TestNetBenefitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawData(t)
		at := float64(rapid.IntRange(1, 19).Draw(t, "t")) / 20
		point := func(d metric.Data) metric.DecisionPoint {
			p, err := metric.DecisionCurve(d, []float64{at, 0.5}, 0.95, nil)
			if err != nil {
				t.Fatal(err)
			}
			return p[0]
		}
		p := point(d)
		odds := at / (1 - at)
		near(t, "versus all", p.VersusAll.Value, p.NetBenefit.Value-p.TreatAll.Value)
		near(t, "versus best", p.VersusBest.Value, p.NetBenefit.Value-max(0, p.TreatAll.Value))
		if math.Abs(p.Avoided.Value-100*p.VersusAll.Value/odds) > 1e-9 {
			t.Fatal("interventions avoided")
		}
		// Untreated net benefit differs from treated by a constant, in units of the odds.
		n := p.Table.Total()
		near(t, "untreated", p.Untreated.Value, (p.NetBenefit.Value-p.TreatAll.Value)/odds)
		near(t, "treat all", p.TreatAll.Value, (p.Table.TP+p.Table.FN)/n-odds*(p.Table.FP+p.Table.TN)/n)
		near(t, "repeated rows", point(repeated(d)).NetBenefit.Value, p.NetBenefit.Value)
		for _, e := range []metric.Estimate{p.NetBenefit, p.VersusAll, p.Avoided, p.Untreated, p.TreatAll} {
			if !(e.Lower <= e.Value+1e-12 && e.Value <= e.Upper+1e-12) {
				t.Fatalf("%s: %g to %g does not hold %g", e.Name, e.Lower, e.Upper, e.Value)
			}
		}
	})
}

// repeated writes each row as often as its weight says, without weights.
func repeated(d metric.Data) metric.Data {
	var out metric.Data
	for i, w := range d.W {
		for range int(w) {
			out.Y, out.P = append(out.Y, d.Y[i]), append(out.P, d.P[i])
		}
	}
	return out
}

func rows(n int) []int {
	r := make([]int, n)
	for i := range r {
		r[i] = i
	}
	return r
}

// simulated returns n patients with a calibrated score.
func simulated(n int, s rng.Stream) metric.Data {
	r := s.Rand()
	d := metric.Data{Y: make([]bool, n), P: make([]float64, n)}
	for i := range n {
		d.P[i] = 1 / (1 + math.Exp(1.5-r.NormFloat64()))
		d.Y[i] = r.Float64() < d.P[i]
	}
	return d
}

func TestFoldsAndRepeats(t *testing.T) {
	d := simulated(200, rng.New(1))
	var part metric.Partition
	for k := range 5 {
		var at []int
		for i := k; i < 200; i += 5 {
			at = append(at, i)
		}
		part.Folds, part.Row = append(part.Folds, d.Take(at)), append(part.Row, at)
	}
	one, err := metric.AUCWithin(part.Folds, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	for _, reps := range [][]metric.Partition{{part}, {part, part, part}} {
		many, err := metric.AUCRepeats(reps, 200, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(many.Lower-one.Lower) > 1e-12 || math.Abs(many.Value-one.Value) > 1e-12 {
			t.Errorf("the same repeat %d times: got %+v, want %+v", len(reps), many, one)
		}
	}
	for _, m := range []metric.FoldMethod{metric.InfluencePlain, metric.NadeauBengio, metric.FoldT, metric.FoldSD} {
		e, err := metric.AUCWithinBy(part.Folds, 0.95, m)
		if err != nil || !(e.Lower < e.Value && e.Value < e.Upper) {
			t.Errorf("%s: %+v %v", m, e, err)
		}
	}
}

func TestPairedBootstrapIgnoresWorkersAndAgreesWithDeLong(t *testing.T) {
	a := simulated(300, rng.New(2))
	b := metric.Data{Y: a.Y, P: make([]float64, 300)}
	r := rng.New(3).Rand()
	for i, p := range a.P {
		b.P[i] = min(1, max(0, p+0.2*r.NormFloat64()))
	}
	auc := func(d metric.Data) float64 {
		e, err := metric.AUC(d, 0.95)
		if err != nil {
			return math.NaN()
		}
		return e.Value
	}
	var first metric.Comparison
	for i, w := range []int{1, 2, 7} {
		c, err := metric.ComparePaired(context.Background(), "auc", a, b, auc, 0.95, rng.New(4), &metric.BootstrapOptions{Replicates: 500, Workers: w})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = c
		} else if c.Lower != first.Lower || c.P != first.P {
			t.Errorf("%d workers: other limits", w)
		}
	}
	dl, err := metric.AUCPaired(a, b, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(first.SE/dl.SE-1) > 0.15 {
		t.Errorf("bootstrap error %g, delong %g", first.SE, dl.SE)
	}
}

func ExampleAUC() {
	d := metric.Data{Y: []bool{true, false, true, false, false}, P: []float64{0.8, 0.3, 0.4, 0.5, 0.1}}
	e, err := metric.AUC(d, 0.95)
	fmt.Printf("%.3f %s %v\n", e.Value, e.Method, err)
	// Output: 0.833 delong, logit <nil>
}

func BenchmarkMillionRows(b *testing.B) {
	d := simulated(1_000_000, rng.New(5))
	ts := make([]float64, 20)
	for i := range ts {
		ts[i] = float64(i+1) / 25
	}
	b.Run("auc+delong", func(b *testing.B) {
		for b.Loop() {
			if _, err := metric.AUC(d, 0.95); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("net benefit/thresholds=20", func(b *testing.B) {
		for b.Loop() {
			if _, err := metric.DecisionCurve(d, ts, 0.95, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	s, err := metric.NewSorted(d)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("average precision, sorted", func(b *testing.B) {
		for b.Loop() {
			s.AveragePrecision(0.95)
		}
	})
}
