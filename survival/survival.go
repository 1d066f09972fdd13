// Package survival measures and checks predictions of the time to an event when some
// patients are followed for too short a time (censoring) or have another event first
// (competing risks).
//
// The functions take a [Data]: follow-up time and status per patient. They cover the curves
// (Kaplan-Meier, Nelson-Aalen, Aalen-Johansen), tests between groups (log-rank, Gray),
// concordance (Harrell, Uno), the measures at a horizon that weight patients by the inverse
// probability of being uncensored (Brier, AUC, event rate), observed over expected,
// calibration and net benefit at a horizon, and the regressions that validation needs (Cox,
// Fine-Gray). Tied times follow one rule: events come before censorings, as in R's survival.
//
// Nothing here chooses a horizon or a threshold. Undefined numbers are NaN.
package survival

import (
	"encoding/json"
	"math"

	"dolor/diag"

	"gonum.org/v1/gonum/stat/distuv"
)

// The values of a status.
const (
	Censored  = 0 // still event-free at the last contact
	Event     = 1 // the event of interest
	Competing = 2 // another event that makes the one of interest impossible
)

// DefaultLevel is the coverage of an interval when options give none.
const DefaultLevel = 0.95

// Data is the follow-up of one set of patients, in any order.
type Data struct {
	Time   []float64 // time from time zero to the event or the last contact, finite, >= 0
	Status []int     // Censored, Event or Competing, len(Time)
}

// N returns the number of patients.
func (d Data) N() int { return len(d.Time) }

// Count returns how many patients have the status.
func (d Data) Count(status int) int {
	n := 0
	for _, s := range d.Status {
		if s == status {
			n++
		}
	}
	return n
}

// Take returns the patients, in that order, repeats allowed.
func (d Data) Take(rows []int) Data {
	out := Data{Time: make([]float64, len(rows)), Status: make([]int, len(rows))}
	for i, r := range rows {
		out.Time[i], out.Status[i] = d.Time[r], d.Status[r]
	}
	return out
}

// Check reports no patients, unequal lengths, times that are negative or not finite and
// statuses other than 0, 1 and 2. Rows count from 1 in its texts. Kind Invalid.
func (d Data) Check() error {
	if len(d.Time) == 0 {
		return diag.Errorf(diag.Invalid, "time", "expected at least one patient, got none")
	}
	if len(d.Status) != len(d.Time) {
		return diag.Errorf(diag.Invalid, "status", "expected %d values, got %d", len(d.Time), len(d.Status))
	}
	var faults diag.List
	for i, t := range d.Time {
		switch {
		case math.IsNaN(t):
			faults.Addf(diag.Invalid, "time", "row %d: expected a number of at least 0, got a missing value", i+1)
		case t < 0 || math.IsInf(t, 0):
			faults.Addf(diag.Invalid, "time", "row %d: expected a finite number of at least 0, got one outside", i+1)
		}
	}
	for i, s := range d.Status {
		if s != Censored && s != Event && s != Competing {
			faults.Addf(diag.Invalid, "status", "row %d: expected 0 (censored), 1 (event) or 2 (competing event), got another code", i+1)
		}
	}
	return faults.Err()
}

// only returns d with the given status as Event and every other one as Censored.
func (d Data) only(status int) Data {
	out := Data{Time: d.Time, Status: make([]int, len(d.Status))}
	for i, s := range d.Status {
		if s == status {
			out.Status[i] = Event
		}
	}
	return out
}

// Estimate is one number with its standard error and interval. Value, SE, Lower and Upper
// are NaN when undefined, with the reason in Method.
type Estimate struct {
	Value  float64
	SE     float64 // of Value on its own scale
	Lower  float64
	Upper  float64
	Level  float64 // 0.95
	Method string  // "influence function, logit"
}

// MarshalJSON writes estimate, se, lower, upper, level and method; undefined is null.
func (e Estimate) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Estimate *float64 `json:"estimate"`
		SE       *float64 `json:"se"`
		Lower    *float64 `json:"lower"`
		Upper    *float64 `json:"upper"`
		Level    float64  `json:"level"`
		Method   string   `json:"method"`
	}{finite(e.Value), finite(e.SE), finite(e.Lower), finite(e.Upper), e.Level, e.Method})
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// undefined returns an estimate without a value and the reason for it.
func undefined(level float64, reason string) Estimate {
	nan := math.NaN()
	return Estimate{nan, nan, nan, nan, level, "not estimable: " + reason}
}

// levelOr returns level, or DefaultLevel for 0. Levels outside (0, 1) are a fault.
func levelOr(level float64) (float64, error) {
	if level == 0 {
		return DefaultLevel, nil
	}
	if !(level > 0 && level < 1) {
		return 0, diag.Errorf(diag.Invalid, "level", "expected a number between 0 and 1, got %g", level)
	}
	return level, nil
}

// zOf returns the two-sided normal quantile of a level.
func zOf(level float64) float64 { return distuv.UnitNormal.Quantile(0.5 + level/2) }

// chiTail returns P(X > x) for a chi-square with df degrees of freedom.
func chiTail(x, df float64) float64 {
	if math.IsNaN(x) || df <= 0 {
		return math.NaN()
	}
	return distuv.ChiSquared{K: df}.Survival(math.Max(x, 0))
}

// linear gives value -/+ z se.
func linear(value, se, level float64, method string) Estimate {
	h := zOf(level) * se
	return Estimate{value, se, value - h, value + h, level, method + ", normal"}
}

// logScale gives exp(log value -/+ z se/value).
func logScale(value, se, level float64, method string) Estimate {
	if !(value > 0) {
		return Estimate{value, se, math.NaN(), math.NaN(), level, method + ", log: no interval at 0"}
	}
	h := math.Exp(zOf(level) * se / value)
	return Estimate{value, se, value / h, value * h, level, method + ", log"}
}

// logitScale gives the inverse logit of logit(value) -/+ z se/(value(1-value)).
func logitScale(value, se, level float64, method string) Estimate {
	if !(value > 0 && value < 1) {
		return Estimate{value, se, math.NaN(), math.NaN(), level, method + ", logit: no interval at 0 or 1"}
	}
	l := math.Log(value) - math.Log1p(-value)
	h := zOf(level) * se / (value * (1 - value))
	return Estimate{value, se, 1 / (1 + math.Exp(h-l)), 1 / (1 + math.Exp(-l-h)), level, method + ", logit"}
}

// sum adds with Neumaier's compensation.
type sum struct{ s, c float64 }

func (a *sum) add(v float64) {
	t := a.s + v
	if math.Abs(a.s) >= math.Abs(v) {
		a.c += (a.s - t) + v
	} else {
		a.c += (v - t) + a.s
	}
	a.s = t
}

func (a *sum) value() float64 { return a.s + a.c }

// sumSquares returns the compensated sum of v^2.
func sumSquares(v []float64) float64 {
	var a sum
	for _, x := range v {
		a.add(x * x)
	}
	return a.value()
}

func checkP(p []float64, n int) error {
	if len(p) != n {
		return diag.Errorf(diag.Invalid, "probability", "expected %d values, got %d", n, len(p))
	}
	var faults diag.List
	for i, v := range p {
		switch {
		case math.IsNaN(v):
			faults.Addf(diag.Invalid, "probability", "row %d: expected a number from 0 to 1, got a missing value", i+1)
		case v < 0 || v > 1:
			faults.Addf(diag.Invalid, "probability", "row %d: expected a number from 0 to 1, got one outside", i+1)
		}
	}
	return faults.Err()
}

func checkFinite(field string, v []float64, n int) error {
	if len(v) != n {
		return diag.Errorf(diag.Invalid, field, "expected %d values, got %d", n, len(v))
	}
	var faults diag.List
	for i, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			faults.Addf(diag.Invalid, field, "row %d: expected a finite number", i+1)
		}
	}
	return faults.Err()
}

func checkHorizon(h float64) error {
	if !(h > 0) || math.IsInf(h, 0) {
		return diag.Errorf(diag.Invalid, "horizon", "expected a finite number above 0, got %g", h)
	}
	return nil
}
