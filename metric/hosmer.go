package metric

import (
	"math"

	"dolor/diag"
)

// HosmerLemeshow is the grouped chi-square test of calibration. Its power follows sample size
// and grouping, so it is given for comparison with older papers only.
type HosmerLemeshow struct {
	Groups                      []Group
	ChiSq                       float64
	DFDevelopment, DFValidation int // groups - 2 (model fitted on these rows), groups
	PDevelopment, PValidation   float64
}

// HosmerLemeshowTest computes sum (O-E)^2/(E(1-E/n)) over k groups (Hosmer and Lemeshow,
// "Goodness of fit tests for the multiple logistic regression model", Communications in
// Statistics A 1980;9:1043-1069, doi:10.1080/03610928008827941). A group with E 0 or n adds 0 when
// it is met exactly and makes the statistic infinite otherwise. Unsupported for weighted
// rows; NaN without rows.
func HosmerLemeshowTest(d Data, how Binning, k int) (HosmerLemeshow, error) {
	if d.W != nil {
		return HosmerLemeshow{}, diag.Errorf(diag.Unsupported, "weight", "expected unweighted rows for the Hosmer-Lemeshow test")
	}
	g, err := CalibrationGroups(d, how, k, 0.95)
	if err != nil {
		return HosmerLemeshow{}, err
	}
	n := len(g.Groups)
	h := HosmerLemeshow{Groups: g.Groups, DFDevelopment: n - 2, DFValidation: n}
	if n == 0 {
		h.ChiSq, h.DFDevelopment = math.NaN(), 0
	}
	for _, b := range g.Groups {
		e := b.MeanP * b.Weight
		diff, v := b.Events-e, e*(1-b.MeanP)
		switch {
		case v > 0:
			h.ChiSq += diff * diff / v
		case math.Abs(diff) > 1e-9:
			h.ChiSq = math.Inf(1)
		}
	}
	h.PDevelopment = chiP(h.ChiSq, float64(h.DFDevelopment))
	h.PValidation = chiP(h.ChiSq, float64(h.DFValidation))
	return h, nil
}
