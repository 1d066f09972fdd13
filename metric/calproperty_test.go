package metric_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"dolor/internal/glm"
	"dolor/internal/golden"
	"dolor/metric"
	"dolor/rng"
)

// calSim draws rows whose outcome has logit a + b logit p.
func calSim(seed uint64, n int, a, b float64) metric.Data {
	r := rng.New(seed).Rand()
	d := metric.Data{Y: make([]bool, n), P: make([]float64, n)}
	for i := range n {
		z := 1.2*r.NormFloat64() - 0.5
		d.P[i] = glm.Expit(z)
		d.Y[i] = r.Float64() < glm.Expit(a+b*z)
	}
	return d
}

func TestScoresAgainstScikitLearn(t *testing.T) {
	g := golden.Load(t, "ml/calibration.expected.json").Get("metrics")
	c := golden.CSV(t, "ml/scores.csv")
	d := metric.Data{P: golden.Numbers(t, c["p"])}
	for _, y := range golden.Numbers(t, c["y"]) {
		d.Y = append(d.Y, y == 1)
	}
	for _, key := range []string{"unweighted", "weighted"} {
		if key == "weighted" {
			d.W = golden.Numbers(t, c["w"])
		}
		b, err := metric.Brier(d, .95)
		if err != nil {
			t.Fatal(err)
		}
		l, err := metric.LogLoss(d, .95)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, key+" brier", b.Value, g.Get(key, "brier").Float(), 1e-9)
		golden.Close(t, key+" log loss", l.Value, g.Get(key, "log_loss").Float(), 1e-9)
	}
	d.W = nil
	root := golden.Load(t, "ml/calibration.expected.json").Get("calibration_curve_10_bins")
	for key, how := range map[string]metric.Binning{"uniform": metric.WidthRight, "quantile": metric.Quantile7} {
		e, err := metric.CalibrationErrorBinned(d, how, 10)
		if err != nil {
			t.Fatal(err)
		}
		var obs, pred []float64
		for _, b := range e.Groups {
			obs, pred = append(obs, b.MeanY), append(pred, b.MeanP)
		}
		golden.CloseAll(t, key+" observed", obs, root.Get(key, "observed").Floats(), 1e-9)
		golden.CloseAll(t, key+" predicted", pred, root.Get(key, "predicted").Floats(), 1e-9)
	}
}

func TestRecalibratedHasSlopeOneInterceptZero(t *testing.T) {
	d := calSim(1, 2000, 0.5, 0.6)
	s, err := metric.Recalibration(d, .95)
	if err != nil {
		t.Fatal(err)
	}
	half := metric.Data{Y: d.Y, P: make([]float64, d.N())}
	fixed := metric.Data{Y: d.Y, P: make([]float64, d.N())}
	for i, p := range d.P {
		half.P[i] = glm.Expit(glm.Logit(p) / 2)
		fixed.P[i] = glm.Expit(s.Intercept.Value + s.Slope.Value*glm.Logit(p))
	}
	h, _ := metric.CalibrationSlope(half, .95)
	golden.Close(t, "slope of half the logit", h.Value, 2*s.Slope.Value, 1e-9)
	f, _ := metric.Recalibration(fixed, .95)
	golden.Close(t, "slope", f.Slope.Value, 1, 1e-9)
	golden.Close(t, "intercept", f.Intercept.Value, 0, 1e-9)
	c, _ := metric.CalibrationIntercept(fixed, .95)
	golden.Close(t, "in the large", c.Value, 0, 1e-9)
	o, _ := metric.OERatio(fixed, .95)
	golden.Close(t, "observed over expected", o.Value, 1, 1e-9)
}

func TestWeightTwoIsRowTwiceForCalibration(t *testing.T) {
	d := calSim(2, 150, 0.2, 0.8)
	r := rng.New(9).Rand()
	var rows []int
	w := d
	w.W = make([]float64, d.N())
	for i := range d.P {
		k := 1 + r.IntN(3)
		w.W[i] = float64(k)
		for range k {
			rows = append(rows, i)
		}
	}
	twice := d.Take(rows)
	for name, f := range map[string]func(metric.Data, float64) (metric.Estimate, error){
		"brier": metric.Brier, "scaled": metric.ScaledBrier, "log loss": metric.LogLoss, "oe": metric.OERatio,
		"intercept": metric.CalibrationIntercept, "slope": metric.CalibrationSlope, "tjur": metric.Tjur,
	} {
		a, err := f(w, .95)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := f(twice, .95)
		golden.Close(t, name, a.Value, b.Value, 1e-9)
		if !(a.Lower < a.Value && a.Value < a.Upper) {
			t.Errorf("%s: the interval does not hold the estimate", name)
		}
	}
	for _, m := range []metric.Smoother{metric.Loess, metric.LoessInterpolate, metric.Lowess, metric.RCS} {
		o := &metric.ICIOptions{Smooth: metric.SmoothOptions{Method: m}, Replicates: -1}
		a, err := metric.ICI(context.Background(), w, .95, rng.New(1), o)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := metric.ICI(context.Background(), twice, .95, rng.New(1), o)
		for k, e := range []metric.Estimate{a.ICI, a.E50, a.E90, a.Emax} {
			golden.Close(t, string(m), e.Value, []metric.Estimate{b.ICI, b.E50, b.E90, b.Emax}[k].Value, 1e-8)
		}
	}
}

func TestUndefinedIsNaNWithReason(t *testing.T) {
	oneClass := metric.Data{Y: make([]bool, 20), P: make([]float64, 20)}
	constant := calSim(3, 20, 0, 1)
	for i := range 20 {
		oneClass.P[i] = float64(i+1) / 30
		constant.P[i] = 0.3
	}
	separated := metric.Data{Y: []bool{false, false, true, true}, P: []float64{.1, .2, .3, .4}}
	for name, tt := range map[string]struct {
		f func(metric.Data, float64) (metric.Estimate, error)
		d metric.Data
	}{
		"slope, one class":     {metric.CalibrationSlope, oneClass},
		"intercept, one class": {metric.CalibrationIntercept, oneClass},
		"slope, constant":      {metric.CalibrationSlope, constant},
		"slope, separated":     {metric.CalibrationSlope, separated},
		"brier, no rows":       {metric.Brier, metric.Data{}},
		"scaled, one class":    {metric.ScaledBrier, oneClass},
	} {
		e, err := tt.f(tt.d, .95)
		if err != nil || !math.IsNaN(e.Value) || len(e.Method) < len("not estimable: ")+3 {
			t.Errorf("%s: got %g, %q, %v; want NaN with a reason", name, e.Value, e.Method, err)
		}
	}
	e, err := metric.ICI(context.Background(), constant, .95, rng.New(1), nil)
	if err != nil || !math.IsNaN(e.ICI.Value) {
		t.Errorf("ICI of a constant: got %g, %v; want NaN", e.ICI.Value, err)
	}
	edge := calSim(4, 300, 0, 1)
	edge.P[0], edge.P[1] = 0, 1
	s, err := metric.Recalibration(edge, .95)
	if err != nil || len(s.Warning) != 1 || s.Warning[0].Count != 2 || math.IsNaN(s.Slope.Value) {
		t.Errorf("probabilities of 0 and 1: got %v, %v", s.Warning, err)
	}
}

func TestIntervalsDoNotDependOnWorkers(t *testing.T) {
	d := calSim(5, 300, 0.3, 0.7)
	var first string
	for _, workers := range []int{1, 2, 7} {
		e, err := metric.ICI(context.Background(), d, .95, rng.New(1), &metric.ICIOptions{Replicates: 40, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		c, err := metric.SmoothCurve(context.Background(), d, .95, rng.New(1), &metric.CurveOptions{Replicates: 20, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(e, c)
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("%d workers gave other numbers", workers)
		}
		if !(e.ICI.Lower <= e.ICI.Value && e.ICI.Value <= e.ICI.Upper) {
			t.Errorf("ICI %g outside %g to %g", e.ICI.Value, e.ICI.Lower, e.ICI.Upper)
		}
	}
}

// The delta band of loess must agree with the spread of bootstrap refits, and contain the
// curve.
func TestBandsAgree(t *testing.T) {
	d := calSim(6, 640, 0, 1)
	for _, m := range []metric.Smoother{metric.Loess, metric.RCS} {
		o := metric.CurveOptions{Smooth: metric.SmoothOptions{Method: m}, Grid: []float64{.2, .4, .6}}
		a, err := metric.SmoothCurve(context.Background(), d, .95, rng.New(1), &o)
		if err != nil {
			t.Fatal(err)
		}
		o.Replicates = 200
		b, err := metric.SmoothCurve(context.Background(), d, .95, rng.New(1), &o)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range a.Points {
			q := b.Points[i]
			ratio := (p.Upper - p.Lower) / (q.Upper - q.Lower)
			if ratio < 0.7 || ratio > 1.4 || p.Observed <= p.Lower || p.Observed >= p.Upper {
				t.Errorf("%s at %g: delta band %g wide, bootstrap band %g", m, p.P, p.Upper-p.Lower, q.Upper-q.Lower)
			}
		}
	}
}

func ExampleBrier() {
	d := metric.Data{Y: []bool{true, false, true, false}, P: []float64{.9, .2, .6, .4}}
	b, err := metric.Brier(d, .95)
	fmt.Printf("%.4f (%.4f to %.4f) %v\n", b.Value, b.Lower, b.Upper, err)
	// Output: 0.0925 (0.0152 to 0.1698) <nil>
}

func BenchmarkCalibrationMillion(b *testing.B) {
	d := calSim(7, 1_000_000, 0.2, 0.8)
	for b.Loop() {
		for _, f := range []func(metric.Data, float64) (metric.Estimate, error){
			metric.CalibrationIntercept, metric.CalibrationSlope, metric.OERatio, metric.Brier, metric.LogLoss,
		} {
			if _, err := f(d, .95); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(d.N())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkICI(b *testing.B) {
	for _, n := range []int{640, 5000, 50000} {
		b.Run(fmt.Sprintf("rows=%d/resamples=200", n), func(b *testing.B) {
			d := calSim(7, n, 0.2, 0.8)
			for b.Loop() {
				if _, err := metric.ICI(context.Background(), d, .95, rng.New(1), nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestBootstrapIntervalsHoldTheEstimate(t *testing.T) {
	d := calSim(11, 300, 0.4, 0.6)
	e, err := metric.CalibrationErrorIntervals(context.Background(), d, metric.Quantile7, 10, .95, rng.New(1), 100, 2)
	if err != nil {
		t.Fatal(err)
	}
	r, err := metric.RSquaredIntervals(context.Background(), d, .95, rng.New(1), 100, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range append(e, r...) {
		if !(v.Lower <= v.Value && v.Value <= v.Upper) {
			t.Errorf("%s: %g outside %g to %g", v.Name, v.Value, v.Lower, v.Upper)
		}
	}
	none, err := metric.RSquaredIntervals(context.Background(), metric.Data{}, .95, rng.New(1), 10, 1)
	if err != nil || !math.IsNaN(none[0].Value) {
		t.Errorf("no rows: got %v, %v", none, err)
	}
}
