package metric

import "math"

// HanleyMcNeil returns the standard error of an AUC from its value and the numbers of events
// and non-events alone (Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747,
// equation 1 with the exponential approximation of Q1 and Q2). NaN unless auc is in [0, 1] and
// both counts are positive.
func HanleyMcNeil(auc, events, others float64) float64 {
	if !(auc >= 0 && auc <= 1) || !(events > 0) || !(others > 0) {
		return math.NaN()
	}
	q1 := auc / (2 - auc)
	q2 := 2 * auc * auc / (1 + auc)
	v := auc*(1-auc) + (events-1)*(q1-auc*auc) + (others-1)*(q2-auc*auc)
	return math.Sqrt(max(0, v) / (events * others))
}
