package assess

import "dolor/diag"

// HeldOut is one prediction of a row by a model that was not fitted to it.
type HeldOut struct {
	Row  int // index of the patient, from 0
	Fold int // from 0
	Y    bool
	P    float64
}

// CrossValidated returns what a study reports for a cross-validated metric (auc, brier,
// oe_ratio, calibration_intercept, calibration_slope, or net_benefit at threshold) and the
// influence of each of the patients on it, scaled so that the variance is the sum of their
// squares times patients/(patients-1). Each repeat lists every patient once. The AUC is the
// mean over folds (LeDell, Petersen and van der Laan 2015, doi:10.1214/15-EJS1035). Value is
// NaN, and the influence nil, where the metric is undefined. Kind Usage for another metric.
func CrossValidated(metric string, threshold float64, patients int, repeats [][]HeldOut) (value float64, curve []float64, err error) {
	f, ok := map[string]statistic{
		"auc": aucStatistic, "brier": meanStatistic(brierLoss), "oe_ratio": oeStatistic,
		"calibration_intercept": recalibration(false), "calibration_slope": recalibration(true),
		"net_benefit": netBenefitStatistic(threshold),
	}[metric]
	if !ok {
		return 0, nil, diag.Errorf(diag.Usage, "assess.CrossValidated", "expected a metric with an influence curve, got %q", metric)
	}
	s := &stack{y: make([]bool, patients), cluster: make([]int, patients)}
	for i := range s.cluster {
		s.cluster[i] = i
	}
	for _, r := range repeats {
		o := make([]obs, len(r))
		for i, h := range r {
			o[i] = obs{h.Row, h.Fold, h.Y, h.P}
			s.y[h.Row] = h.Y
		}
		s.repeats = append(s.repeats, o)
	}
	c := over(s, f)
	return c.value, c.ic, nil
}
