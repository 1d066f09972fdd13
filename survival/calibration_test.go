package survival

import (
	"context"
	"math"
	"strconv"
	"testing"

	"dolor/diag"
	"dolor/internal/golden"
	"dolor/rng"
)

func TestObservedExpectedGolden(t *testing.T) {
	d := readRef(t, "stats/survival.csv")
	list := golden.Load(t, "stats/survival.expected.json").Get("observed_expected_at_horizon")
	for i := range list.Len() {
		w := list.Get(i)
		h := w.Get("horizon").Float()
		r, err := OE(d.Data, d.col["p"+strconv.Itoa(int(h))], h, 0)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, "observed", r.Observed, w.Get("observed").Float(), 1e-8)
		golden.Close(t, "expected", r.Expected, w.Get("expected").Float(), 1e-8)
		golden.Close(t, "ratio", r.Ratio.Value, w.Get("ratio").Float(), 1e-8)
		golden.Close(t, "se_log", r.SELog, w.Get("se_log").Float(), 1e-8)
		golden.CloseAll(t, "ci", []float64{r.Ratio.Lower, r.Ratio.Upper}, w.Get("ci").Floats(), 1e-8)
	}
}

// The analytic standard errors equal those of leaving out one patient at a time, to the
// order at which the two estimators differ.
func TestInfluenceAgainstJackknife(t *testing.T) {
	for name, d := range map[string]Data{"survival": simulate(300, 1, false), "competing": simulate(300, 2, true)} {
		p := risks(d.N(), 3)
		for _, ties := range []Ties{EventsFirst, NaiveCensoring} {
			o := &HorizonOptions{Ties: ties, CompetingControls: name == "competing"}
			stat := func(d Data, p []float64) ([]float64, []float64) {
				h, err := IPCW(d, p, 4, o)
				if err != nil {
					t.Fatal(err)
				}
				r, err := Recalibrate(d, p, 4, o)
				if err != nil {
					t.Fatal(err)
				}
				ib, err := IntegratedBrier(d, [][]float64{p, p, p}, []float64{1, 2, 4}, o)
				if err != nil {
					t.Fatal(err)
				}
				nb, err := NetBenefit(d, p, 4, []float64{0.4}, false, 0)
				if err != nil {
					t.Fatal(err)
				}
				all := []Estimate{h.EventRate, h.Brier, h.BrierScaled, h.AUC, r.Intercept, r.Slope, ib, nb[0].NetBenefit}
				var v, se []float64
				for _, e := range all {
					v, se = append(v, e.Value), append(se, e.SE)
				}
				return v, se
			}
			_, se := stat(d, p)
			n := d.N()
			var loo [][]float64
			for leave := range n {
				var rows []int
				var q []float64
				for i := range n {
					if i != leave {
						rows, q = append(rows, i), append(q, p[i])
					}
				}
				v, _ := stat(d.Take(rows), q)
				loo = append(loo, v)
			}
			for j := range se {
				var m, ss float64
				for _, v := range loo {
					m += v[j] / float64(n)
				}
				for _, v := range loo {
					ss += (v[j] - m) * (v[j] - m)
				}
				jack := math.Sqrt(ss * float64(n-1) / float64(n))
				if math.Abs(se[j]/jack-1) > 0.03 {
					t.Errorf("%s, %v, statistic %d: standard error %.6g, by jackknife %.6g", name, ties, j, se[j], jack)
				}
			}
		}
	}
}

func TestSmoothAndGroups(t *testing.T) {
	d := simulate(400, 5, true)
	p := risks(400, 3)
	s, err := SmoothCalibration(d, p, 4, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Curve) != 50 || !(s.ICI >= 0 && s.E50 <= s.E90 && s.E90 <= s.EMax && s.ICI <= s.EMax) {
		t.Errorf("got %d points, ICI %g, E50 %g, E90 %g, Emax %g", len(s.Curve), s.ICI, s.E50, s.E90, s.EMax)
	}
	for _, c := range s.Curve {
		if !(c.Lower < c.Observed && c.Observed < c.Upper) {
			t.Errorf("at %g: %g not within %g to %g", c.P, c.Observed, c.Lower, c.Upper)
		}
	}
	g, err := CalibrationGroups(d, p, 4, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, x := range g {
		total += x.N
	}
	if len(g) != 10 || total != 400 {
		t.Errorf("got %d groups of %d patients", len(g), total)
	}
	boot := func(workers int) []Estimate {
		e, err := Bootstrap(context.Background(), d.N(), func(rows []int) ([]float64, error) {
			q := make([]float64, len(rows))
			for i, r := range rows {
				q[i] = p[r]
			}
			s, err := SmoothCalibration(d.Take(rows), q, 4, []float64{0.5}, nil)
			if err != nil {
				return nil, err
			}
			return []float64{s.ICI, s.EMax}, nil
		}, &BootstrapOptions{Resamples: 40, Workers: workers, Stream: rng.New(9)})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	one, three := boot(1), boot(3)
	for j := range one {
		if one[j] != three[j] || !(one[j].Lower < one[j].Upper) {
			t.Errorf("bootstrap differs with the workers or has no width: %+v, %+v", one[j], three[j])
		}
	}
}

func TestRefusals(t *testing.T) {
	d := Data{Time: []float64{1, 2, 3, 4}, Status: []int{1, 0, 1, 0}}
	p := []float64{.1, .2, .3, .4}
	for name, tt := range map[string]struct {
		err  func() error
		want diag.Kind
	}{
		"status":     {func() error { return Data{[]float64{1}, []int{3}}.Check() }, diag.Invalid},
		"time":       {func() error { return Data{[]float64{math.NaN()}, []int{1}}.Check() }, diag.Invalid},
		"negative":   {func() error { return Data{[]float64{-1}, []int{1}}.Check() }, diag.Invalid},
		"empty":      {func() error { return Data{}.Check() }, diag.Invalid},
		"lengths":    {func() error { return Data{[]float64{1}, nil}.Check() }, diag.Invalid},
		"too late":   {func() error { _, err := IPCW(d, p, 5, nil); return err }, diag.Unfit},
		"weights":    {func() error { _, err := Weights(d, 4, EventsFirst); return err }, diag.Unfit},
		"horizon":    {func() error { _, err := IPCW(d, p, math.NaN(), nil); return err }, diag.Invalid},
		"p":          {func() error { _, err := IPCW(d, []float64{.1, .2, .3, 2}, 2, nil); return err }, diag.Invalid},
		"level":      {func() error { _, err := KaplanMeier(d, &CurveOptions{Level: 95}); return err }, diag.Invalid},
		"one group":  {func() error { _, err := LogRank(d, []int{0, 0, 0, 0}, 2, nil); return err }, diag.Unfit},
		"collinear":  {func() error { _, err := FitCox(d, []float64{1, 1, 1, 1}, 1, nil); return err }, diag.Unfit},
		"no event":   {func() error { _, err := FitCox(Data{d.Time, []int{0, 0, 0, 0}}, p, 1, nil); return err }, diag.Unfit},
		"fg columns": {func() error { _, err := FitFineGray(d, p, 2, nil); return err }, diag.Invalid},
	} {
		if err := tt.err(); err == nil || diag.KindOf(err) != tt.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
	r, err := Recalibrate(d, []float64{0, .2, .3, .4}, 2.5, nil)
	if err != nil || !math.IsNaN(r.Slope.Value) {
		t.Errorf("a prediction of 0: got %v, %v", r, err)
	}
	c, err := HarrellC(Data{[]float64{1, 2}, []int{0, 0}}, []float64{1, 2}, nil)
	if err != nil || !math.IsNaN(c.C.Value) {
		t.Errorf("no event: got %v, %v", c, err)
	}
}
