package figure

import (
	"math"
	"strconv"
	"strings"
)

const (
	minus = "\u2212"
	nbsp  = "\u00a0"
	// Undefined stands where a number does not exist.
	Undefined = "not estimated"
)

// Fixed writes v with the given decimals, U+2212 for minus and no negative zero; NaN and
// infinities give [Undefined].
func Fixed(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Undefined
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if neg, ok := strings.CutPrefix(s, "-"); ok {
		if strings.Trim(neg, "0.") == "" {
			return neg
		}
		return minus + neg
	}
	return s
}

// Signed is [Fixed] with a plus before what is positive after rounding.
func Signed(v float64, digits int) string {
	s := Fixed(v, digits)
	if s == Undefined || strings.HasPrefix(s, minus) || strings.Trim(s, "0.") == "" {
		return s
	}
	return "+" + s
}

// Percent writes the share v as a percentage with a no-break space before the sign.
func Percent(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Undefined
	}
	return Fixed(100*v, digits) + nbsp + "%"
}

// Threshold writes a probability threshold as a percentage, with the decimals it needs.
func Threshold(t float64) string {
	for d := range 2 {
		if math.Abs(100*t-math.Round(100*t*math.Pow10(d))/math.Pow10(d)) < 1e-9 {
			return Percent(t, d)
		}
	}
	return Percent(t, 2)
}

// Scale says how a metric is written.
type Scale struct {
	Label     string
	Digits    int
	Factor    float64 // 100 for shares and for net benefit per 100 patients
	Signed    bool
	Percent   bool
	Reference float64 // the value of no effect or of perfection, NaN when none; before Factor
	Unit      string
	Hint      string // how to read it, one clause
}

// ScaleOf returns how the metric of that name is written; an unknown name gives three digits.
func ScaleOf(metric string) Scale {
	nan := math.NaN()
	switch metric {
	case "auc":
		return Scale{Label: "AUC", Digits: 2, Factor: 1, Reference: 0.5, Hint: "0.5 is chance, 1 perfect ranking"}
	case "average_precision":
		return Scale{Label: "Average precision", Digits: 2, Factor: 1, Reference: nan, Hint: "the event share is chance"}
	case "partial_auc":
		return Scale{Label: "Partial AUC", Digits: 2, Factor: 1, Reference: nan}
	case "brier":
		return Scale{Label: "Brier score", Digits: 3, Factor: 1, Reference: nan, Hint: "0 is perfect"}
	case "scaled_brier":
		return Scale{Label: "Scaled Brier score", Digits: 3, Factor: 1, Reference: 0, Hint: "0 is no better than the event share"}
	case "log_loss":
		return Scale{Label: "Log loss", Digits: 3, Factor: 1, Reference: nan}
	case "oe_ratio":
		return Scale{Label: "Observed / expected", Digits: 2, Factor: 1, Reference: 1, Hint: "below 1: risks overestimated"}
	case "calibration_intercept":
		return Scale{Label: "Calibration intercept", Digits: 2, Factor: 1, Reference: 0, Hint: "slope fixed at 1; below 0: risks overestimated"}
	case "calibration_slope":
		return Scale{Label: "Calibration slope", Digits: 2, Factor: 1, Reference: 1, Hint: "below 1: too extreme"}
	case "ici":
		return Scale{Label: "ICI", Digits: 3, Factor: 1, Reference: nan, Hint: "mean distance from the ideal line"}
	case "e50":
		return Scale{Label: "E50", Digits: 3, Factor: 1, Reference: nan}
	case "e90":
		return Scale{Label: "E90", Digits: 3, Factor: 1, Reference: nan}
	case "emax":
		return Scale{Label: "Emax", Digits: 3, Factor: 1, Reference: nan}
	case "net_benefit":
		return Scale{Label: "Net benefit", Digits: 1, Factor: 100, Signed: true, Reference: 0, Unit: "per 100 patients"}
	case "net_benefit_treat_all":
		return Scale{Label: "Net benefit, treat all", Digits: 1, Factor: 100, Signed: true, Reference: 0, Unit: "per 100 patients"}
	case "net_benefit_vs_treat_all":
		return Scale{Label: "Net benefit over treat all", Digits: 1, Factor: 100, Signed: true, Reference: 0, Unit: "per 100 patients"}
	case "standardized_net_benefit", "standardised_net_benefit":
		return Scale{Label: "Standardised net benefit", Digits: 3, Factor: 1, Reference: 0}
	case "interventions_avoided":
		return Scale{Label: "Interventions avoided", Digits: 1, Factor: 100, Signed: true, Reference: 0, Unit: "per 100 patients"}
	case "sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy":
		label := map[string]string{
			"sensitivity": "Sensitivity", "specificity": "Specificity",
			"ppv": "Positive predictive value", "npv": "Negative predictive value",
			"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy",
		}[metric]
		return Scale{Label: label, Digits: 1, Factor: 100, Percent: true, Reference: nan}
	case "f1":
		return Scale{Label: "F1", Digits: 2, Factor: 1, Reference: nan}
	case "mcc":
		return Scale{Label: "Matthews correlation", Digits: 2, Factor: 1, Reference: 0}
	}
	return Scale{Label: strings.ReplaceAll(metric, "_", " "), Digits: 3, Factor: 1, Reference: nan}
}

// Difference returns s as the scale of a difference: three digits, signed, reference 0.
func (s Scale) Difference() Scale {
	s.Reference, s.Signed, s.Hint = 0, true, ""
	if s.Factor == 1 {
		s.Digits = 3
	}
	return s
}

func (s Scale) one(v float64, digits int) string {
	v *= s.Factor
	var t string
	if s.Signed {
		t = Signed(v, digits)
	} else {
		t = Fixed(v, digits)
	}
	if s.Percent && t != Undefined {
		t += nbsp + "%"
	}
	return t
}

// digitsFor adds up to two digits where rounding would put a bound on the reference.
func (s Scale) digitsFor(lo, hi float64) int {
	d := s.Digits
	if math.IsNaN(s.Reference) {
		return d
	}
	hides := func(v float64) bool {
		return !math.IsNaN(v) && v != s.Reference && Fixed(v*s.Factor, d) == Fixed(s.Reference*s.Factor, d)
	}
	for d < s.Digits+2 && (hides(lo) || hides(hi)) {
		d++
	}
	return d
}

// Format writes an estimate and its interval, "0.85" and "0.82 to 0.88". The interval is ""
// when either bound is NaN.
func (s Scale) Format(est, lo, hi float64) (estimate, interval string) {
	d := s.digitsFor(lo, hi)
	if math.IsNaN(lo) || math.IsNaN(hi) || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return s.one(est, s.Digits), ""
	}
	return s.one(est, d), s.one(lo, d) + " to " + s.one(hi, d)
}

// Text is [Scale.Format] as one phrase: "0.85 (0.82 to 0.88)".
func (s Scale) Text(est, lo, hi float64) string {
	e, ci := s.Format(est, lo, hi)
	if ci == "" {
		return e
	}
	return e + " (" + ci + ")"
}

// Small writes a count of patients so that no group under ten can be recognised.
func Small(n int) string {
	if n > 0 && n < 10 {
		return "<" + nbsp + "10"
	}
	return strconv.Itoa(n)
}

// FamilyName returns how a model family is called in print.
func FamilyName(f string) string {
	switch f {
	case "logistic":
		return "Logistic regression"
	case "elasticnet":
		return "Elastic net"
	case "forest":
		return "Random forest"
	case "gbm":
		return "Gradient boosting"
	case "mlp":
		return "Multilayer perceptron"
	case "cnn":
		return "Imaging CNN"
	case "genomic-elasticnet":
		return "Genomic elastic net"
	case "late-fusion":
		return "Late fusion"
	case "transformer":
		return "Multimodal transformer"
	case "stack":
		return "Stacked ensemble"
	}
	return f
}

// ValidationName returns how a kind of validation is called in print.
func ValidationName(v string) string {
	switch v {
	case "apparent":
		return "Apparent (same patients)"
	case "bootstrap":
		return "Optimism-corrected bootstrap"
	case "internal":
		return "Internal, nested cross-validation"
	case "temporal":
		return "Temporal, later patients"
	case "external":
		return "External"
	case "site":
		return "Site left out"
	case "pooled":
		return "Pooled over sites"
	}
	return v
}
