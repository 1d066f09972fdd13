// Package samplesize computes how many patients a prediction study needs: to develop a
// model (Riley's three criteria, van Smeden's) and to validate one.
//
// Prevalences and shares are in (0, 1). N is unrounded; Ceiling is what to recruit.
package samplesize

import (
	"math"

	"dolor/diag"
)

// Development is what is expected of a model with a binary outcome before it is built.
type Development struct {
	Prevalence float64 // share with the outcome
	R2         float64 // Cox-Snell R2 to expect, adjusted for optimism
	Parameters int     // candidate predictor parameters, not predictors
	Shrinkage  float64 // smallest acceptable uniform shrinkage; 0 means 0.9
	Optimism   float64 // largest acceptable optimism of Nagelkerke's R2; 0 means 0.05
	Margin     float64 // half-width of the interval of the overall risk; 0 means 0.05
	MAPE       float64 // van Smeden: mean absolute prediction error; 0 means 0.05
}

// Criterion is one requirement on the number of patients.
type Criterion struct {
	Name    string  `json:"name"`
	N       float64 `json:"n"`
	Ceiling int     `json:"ceiling"`
	Cite    string  `json:"cite"`
}

// Riley is the outcome of the three criteria.
type Riley struct {
	MaxR2        float64 // largest possible Cox-Snell R2 at this prevalence
	R2Nagelkerke float64
	N1, N2, N3   float64
	S2           float64 // shrinkage that criterion 2 asks for
	Ceiling      [3]int
	N            int // largest ceiling
	Events       float64
	EPP          float64 // events per parameter at N
	ShrinkageAtN float64 // expected shrinkage at N
}

func (d Development) filled() (Development, error) {
	or := func(v *float64, def float64) {
		if *v == 0 {
			*v = def
		}
	}
	or(&d.Shrinkage, 0.9)
	or(&d.Optimism, 0.05)
	or(&d.Margin, 0.05)
	or(&d.MAPE, 0.05)
	var faults diag.List
	share := func(field string, v float64) {
		if !(v > 0 && v < 1) {
			faults.Addf(diag.Invalid, field, "expected a number between 0 and 1, got %g", v)
		}
	}
	share("prevalence", d.Prevalence)
	share("r2", d.R2)
	share("shrinkage", d.Shrinkage)
	share("optimism", d.Optimism)
	share("margin", d.Margin)
	share("mape", d.MAPE)
	if d.Parameters < 1 {
		faults.Addf(diag.Invalid, "parameters", "expected at least 1, got %d", d.Parameters)
	}
	if err := faults.Err(); err != nil {
		return d, err
	}
	if top := MaxR2(d.Prevalence); d.R2 >= top {
		return d, diag.Errorf(diag.Invalid, "r2", "expected less than %.4g, the largest possible at this prevalence, got %g", top, d.R2)
	}
	return d, nil
}

// MaxR2 returns the largest Cox-Snell R2 possible at a prevalence:
// 1 - exp(2(phi ln phi + (1-phi) ln(1-phi))).
func MaxR2(prevalence float64) float64 {
	p := prevalence
	return -math.Expm1(2 * (p*math.Log(p) + (1-p)*math.Log1p(-p)))
}

// R2FromNagelkerke returns the Cox-Snell R2 of a Nagelkerke R2 at a prevalence. Riley advises
// 0.15 where nothing better is known.
func R2FromNagelkerke(nagelkerke, prevalence float64) float64 {
	return nagelkerke * MaxR2(prevalence)
}

// Riley returns the criteria of Riley, Snell, Ensor et al. 2019, Stat Med 38:1276,
// doi:10.1002/sim.7992 (as pmsampsize): 1 shrinkage of at least S, 2 a small optimism of
// Nagelkerke's R2, 3 a precise overall risk (with 1.96 as published). Kind Invalid for
// numbers out of range, and for an R2 at or above the largest possible or the shrinkage.
func (d Development) Riley() (*Riley, error) {
	d, err := d.filled()
	if err != nil {
		return nil, err
	}
	if d.R2 >= d.Shrinkage {
		return nil, diag.Errorf(diag.Invalid, "r2", "expected less than the shrinkage %g, got %g", d.Shrinkage, d.R2)
	}
	r := &Riley{MaxR2: MaxR2(d.Prevalence)}
	r.R2Nagelkerke = d.R2 / r.MaxR2
	p := float64(d.Parameters)
	need := func(s float64) float64 { return p / ((s - 1) * math.Log1p(-d.R2/s)) }
	r.N1 = need(d.Shrinkage)
	r.S2 = d.R2 / (d.R2 + d.Optimism*r.MaxR2)
	r.N2 = need(r.S2)
	r.N3 = (1.96 / d.Margin) * (1.96 / d.Margin) * d.Prevalence * (1 - d.Prevalence)
	for i, n := range []float64{r.N1, r.N2, r.N3} {
		r.Ceiling[i] = int(math.Ceil(n))
		r.N = max(r.N, r.Ceiling[i])
	}
	r.Events = float64(r.N) * d.Prevalence
	r.EPP = r.Events / p
	r.ShrinkageAtN = shrinkageAt(float64(r.N), d.R2, p)
	return r, nil
}

// shrinkageAt solves n = P/((S-1) ln(1-R2/S)) for S in (R2, 1): the right side grows with S.
func shrinkageAt(n, r2, p float64) float64 {
	low, high := r2, 1.0
	for range 200 {
		mid := (low + high) / 2
		if mid <= low || mid >= high {
			break
		}
		if p/((mid-1)*math.Log1p(-r2/mid)) < n {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// VanSmeden returns the sample size at which the mean absolute error of the predicted risks
// is expected to be MAPE: van Smeden et al. 2019, Stat Methods Med Res 28:2455,
// doi:10.1177/0962280218784726, as cited in Riley et al. 2020, BMJ 368:m441, figure 2. Meant
// for up to 30 parameters.
func (d Development) VanSmeden() (float64, error) {
	if d.R2 == 0 { // not part of this formula
		d.R2 = MaxR2(d.Prevalence) / 2
	}
	d, err := d.filled()
	if err != nil {
		return 0, err
	}
	return math.Exp((-0.508 + 0.259*math.Log(d.Prevalence) + 0.504*math.Log(float64(d.Parameters)) - math.Log(d.MAPE)) / 0.544), nil
}
