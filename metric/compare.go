package metric

import (
	"context"
	"encoding/json"
	"math"

	"dolor/diag"
	"dolor/internal/boot"
	"dolor/rng"
)

// BootstrapOptions changes a bootstrap; the zero value asks for 2000 replicates stratified by
// nothing, on all cores.
type BootstrapOptions struct {
	Replicates int   // 0 means 2000
	Workers    int   // 0 means GOMAXPROCS
	Patient    []int // rows of one number are drawn together; nil means each row alone
	ByOutcome  bool  // draw events and non-events apart, keeping their numbers
}

func (o *BootstrapOptions) plan(d Data) (boot.Plan, int, int) {
	if o == nil {
		o = &BootstrapOptions{}
	}
	p := boot.Plan{N: d.N(), Cluster: o.Patient}
	if o.ByOutcome {
		p.Stratum = make([]int, d.N())
		for i, y := range d.Y {
			if y {
				p.Stratum[i] = 1
			}
		}
	}
	reps := o.Replicates
	if reps <= 0 {
		reps = 2000
	}
	return p, reps, o.Workers
}

// ComparePaired returns the difference of any metric between two sets of predictions of the same
// patients, by resampling patients ("bootstrap, percentile"). The p value doubles the smaller
// share of replicates on either side of 0, one added to both counts. Replicates in which the
// metric is NaN are left out; when more than one in ten is, the limits are NaN with the reason.
func ComparePaired(ctx context.Context, name string, a, b Data, metric func(Data) float64, level float64, s rng.Stream, o *BootstrapOptions) (Comparison, error) {
	if err := levelFault(level); err != nil {
		return Comparison{}, err
	}
	for _, d := range []Data{a, b} {
		if err := d.Check(); err != nil {
			return Comparison{}, err
		}
	}
	if err := samePatients(a, b); err != nil {
		return Comparison{}, err
	}
	c := noComparison(name, level)
	c.Difference = metric(a) - metric(b)
	if math.IsNaN(c.Difference) {
		c.Method = "not estimable: the metric is undefined"
		return c, nil
	}
	p, reps, workers := o.plan(a)
	t, err := boot.Run(ctx, p, reps, workers, s, func(rows []int) float64 { return metric(a.Take(rows)) - metric(b.Take(rows)) })
	if err != nil {
		return Comparison{}, err
	}
	t, lost := boot.Defined(t)
	if 10*lost > reps || len(t) < 2 {
		c.Method = "interval not estimable: the metric is undefined in many resamples"
		return c, nil
	}
	_, c.SE = boot.Moments(c.Difference, t)
	c.Lower, c.Upper = boot.Percentile(t, level)
	below, above := 1.0, 1.0
	for _, v := range t {
		if v <= 0 {
			below++
		}
		if v >= 0 {
			above++
		}
	}
	c.P = min(1, 2*min(below, above)/float64(len(t)+1))
	c.Method = "bootstrap, percentile"
	return c, nil
}

// Bootstrap returns any metric with its percentile interval from resampled patients, under the
// rules of [ComparePaired].
func Bootstrap(ctx context.Context, name string, d Data, metric func(Data) float64, level float64, s rng.Stream, o *BootstrapOptions) (Estimate, error) {
	if err := levelFault(level); err != nil {
		return Estimate{}, err
	}
	if len(d.P) != len(d.Y) || d.W != nil && len(d.W) != len(d.Y) {
		return Estimate{}, diag.Errorf(diag.Invalid, "probability", "expected as many values as outcomes")
	}
	v := metric(d)
	if math.IsNaN(v) {
		return undefined(name, math.NaN(), level, "not estimable: the metric is undefined"), nil
	}
	p, reps, workers := o.plan(d)
	t, err := boot.Run(ctx, p, reps, workers, s, func(rows []int) float64 { return metric(d.Take(rows)) })
	if err != nil {
		return Estimate{}, err
	}
	t, lost := boot.Defined(t)
	e := Estimate{Name: name, Threshold: math.NaN(), Value: v, Lower: math.NaN(), Upper: math.NaN(), Level: level}
	if 10*lost > reps || len(t) < 2 {
		e.Method = "interval not estimable: the metric is undefined in many resamples"
		return e, nil
	}
	e.Lower, e.Upper = boot.Percentile(t, level)
	e.Method = "bootstrap, percentile"
	return e, nil
}

// MarshalJSON writes metric, threshold (left out when there is none), difference, lower,
// upper, level, p_value, method; undefined is null. The caller adds the names of a and b.
func (c Comparison) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Metric     string   `json:"metric"`
		Threshold  *float64 `json:"threshold,omitempty"`
		Difference *float64 `json:"difference"`
		Lower      *float64 `json:"lower"`
		Upper      *float64 `json:"upper"`
		Level      float64  `json:"level"`
		P          *float64 `json:"p_value"`
		Method     string   `json:"method"`
	}{c.Metric, finite(c.Threshold), finite(c.Difference), finite(c.Lower), finite(c.Upper), c.Level, finite(c.P), c.Method})
}
