package boot

import "math"

// Corrected holds an optimism-corrected estimate.
type Corrected struct{ Apparent, Optimism, Corrected float64 }

// Optimism subtracts from the apparent performance the mean over resamples of (performance of
// the refitted model in its resample - in the original rows) (Harrell, Lee and Mark 1996,
// doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4). Resamples in which
// either is NaN are left out.
func Optimism(apparent float64, inResample, inOriginal []float64) Corrected {
	sum, n := 0.0, 0.0
	for i := range min(len(inResample), len(inOriginal)) {
		if d := inResample[i] - inOriginal[i]; !math.IsNaN(d) {
			sum += d
			n++
		}
	}
	return Corrected{apparent, sum / n, apparent - sum/n}
}

// Blend holds the .632 and .632+ estimates.
type Blend struct {
	E632        float64
	Overfitting float64 // relative overfitting rate, in [0, 1]
	Weight      float64 // of the out-of-bag estimate in .632+
	E632Plus    float64
}

// Point632 blends the apparent and the out-of-bag estimate of an error, or of a performance,
// given what a model without information would score (Efron and Tibshirani 1997, Improvements
// on cross-validation: the .632+ bootstrap method, doi:10.1080/01621459.1997.10474007). An
// out-of-bag estimate worse than no information is set to it.
func Point632(apparent, outOfBag, noInformation float64) Blend {
	b := Blend{E632: 0.368*apparent + 0.632*outOfBag}
	// One sign serves errors (no information is larger) and performances (it is smaller).
	sign := 1.0
	if noInformation < apparent {
		sign = -1
	}
	bag := outOfBag
	if sign*(bag-noInformation) > 0 {
		bag = noInformation
	}
	if sign*(bag-apparent) > 0 {
		b.Overfitting = (bag - apparent) / (noInformation - apparent)
	}
	b.Weight = 0.632 / (1 - 0.368*b.Overfitting)
	b.E632Plus = (1-b.Weight)*apparent + b.Weight*bag
	return b
}

// NoInformationBrier returns the mean over all pairs i, j of (y_i - p_j)^2, from moments.
func NoInformationBrier(y []bool, p []float64) float64 {
	n := float64(len(p))
	ybar, sp, sp2 := 0.0, 0.0, 0.0
	for i, v := range p {
		if y[i] {
			ybar++
		}
		sp += v
		sp2 += v * v
	}
	ybar /= n
	return ybar - 2*ybar*sp/n + sp2/n
}
