package samplesize

import (
	"fmt"
	"math"

	"dolor/diag"
)

// Report compares the patients at hand with every criterion.
type Report struct {
	N        int            `json:"n"`        // patients at hand
	Events   float64        `json:"events"`   // at hand, expected
	Criteria []Criterion    `json:"criteria"` // in a fixed order
	Binding  string         `json:"binding"`  // name of the criterion that asks for most
	Required int            `json:"required"` // what it asks for
	Enough   bool           `json:"enough"`   // N >= Required
	Warnings []diag.Warning `json:"warnings"`
}

func newReport(n int, events float64, criteria []Criterion, code string) *Report {
	r := &Report{N: n, Events: events}
	for _, c := range criteria {
		c.Ceiling = int(math.Ceil(c.N))
		if c.Ceiling > r.Required {
			r.Required, r.Binding = c.Ceiling, c.Name
		}
		r.Criteria = append(r.Criteria, c)
	}
	r.Enough = n >= r.Required
	if !r.Enough {
		r.Warnings = append(r.Warnings, warning(code, n, r))
	}
	return r
}

// DevelopmentReport checks n patients against Riley's criteria and van Smeden's. van
// Smeden's formula is left out above 30 parameters, beyond which it was not studied.
func DevelopmentReport(n int, d Development) (*Report, error) {
	if n < 0 {
		return nil, diag.Errorf(diag.Invalid, "n", "expected at least 0, got %d", n)
	}
	r, err := d.Riley()
	if err != nil {
		return nil, err
	}
	const riley = "Riley 2019, doi:10.1002/sim.7992"
	list := []Criterion{
		{Name: "shrinkage", N: r.N1, Cite: riley},
		{Name: "optimism of R2", N: r.N2, Cite: riley},
		{Name: "overall risk", N: r.N3, Cite: riley},
	}
	if d.Parameters <= 30 {
		v, err := d.VanSmeden()
		if err != nil {
			return nil, err
		}
		list = append(list, Criterion{Name: "prediction error", N: v, Cite: "van Smeden 2019, doi:10.1177/0962280218784726"})
	}
	return newReport(n, float64(n)*d.Prevalence, list, "sample_size_development"), nil
}

// Validation is what is expected when a model is validated on new patients. A standard
// error or width of 0 takes the default given; a criterion whose inputs are absent is left
// out.
type Validation struct {
	Prevalence   float64
	SELogOE      float64   // 0 means 0.051, an interval of 0.2 around 1
	C            float64   // C statistic to expect; 0 leaves its criterion out
	Width        float64   // of its interval; 0 means 0.1
	LP           []float64 // linear predictors to expect; nil leaves the slope out
	SESlope      float64   // 0 means 0.051, an interval of 0.2 around 1
	Threshold    float64   // 0 leaves the net benefit out
	Sensitivity  float64   // to expect at Threshold
	Specificity  float64
	SENetBenefit float64 // of the standardised net benefit; 0 means 0.051
}

// ValidationReport checks n patients against the criteria of Riley et al. 2021, Stat Med
// 40:4230, doi:10.1002/sim.9025.
func ValidationReport(n int, v Validation) (*Report, error) {
	if n < 0 {
		return nil, diag.Errorf(diag.Invalid, "n", "expected at least 0, got %d", n)
	}
	or := func(x, def float64) float64 {
		if x == 0 {
			return def
		}
		return x
	}
	var list []Criterion
	var faults diag.List
	add := func(name string, need float64, err error) {
		if err != nil {
			faults.AddErr(err)
			return
		}
		list = append(list, Criterion{Name: name, N: need, Cite: "Riley 2021, doi:10.1002/sim.9025"})
	}
	need, err := ObservedExpected(v.Prevalence, or(v.SELogOE, 0.051))
	add("observed/expected", need, err)
	if v.LP != nil {
		need, err = CalibrationSlope(v.LP, or(v.SESlope, 0.051))
		add("calibration slope", need, err)
	}
	if v.C != 0 {
		need, err = CStatistic(v.C, v.Prevalence, or(v.Width, 0.1))
		add("c statistic", need, err)
	}
	if v.Threshold != 0 {
		need, err = NetBenefit(v.Prevalence, v.Sensitivity, v.Specificity, v.Threshold, or(v.SENetBenefit, 0.051))
		add("standardised net benefit", need, err)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return newReport(n, float64(n)*v.Prevalence, list, "sample_size_validation"), nil
}

func warning(code string, n int, r *Report) diag.Warning {
	return diag.Warning{
		Code:  code,
		Msg:   fmt.Sprintf("%d patients are fewer than the %d that the criterion %q asks for", n, r.Required, r.Binding),
		Count: 1,
	}
}
