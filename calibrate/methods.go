package calibrate

import (
	"encoding/json"
	"math"

	"dolor/diag"
	"dolor/internal/glm"
)

// Methods returns every method, simplest first: none, intercept, logistic, platt, beta,
// isotonic.
func Methods() []Method {
	return []Method{method{"none"}, method{"intercept"}, method{"logistic"}, method{"platt"}, method{"beta"}, method{"isotonic"}}
}

// ByName returns the method called name; Kind Unsupported with the nearest name as hint.
func ByName(name string) (Method, error) {
	names := make([]string, 0, 6)
	for _, m := range Methods() {
		if m.Name() == name {
			return m, nil
		}
		names = append(names, m.Name())
	}
	e := diag.Errorf(diag.Unsupported, "calibration.method", "expected none, intercept, logistic, platt, beta or isotonic")
	if n := diag.Nearest(name, names); n != "" {
		e.Hint = "did you mean " + n + "?"
	}
	return nil, e
}

// Warned is a Map that says what its reader must know: too few events, a refused slope.
type Warned interface{ Warnings() []diag.Warning }

// Warnings returns what m has to say, nil for nothing.
func Warnings(m Map) []diag.Warning {
	if w, ok := m.(Warned); ok {
		return w.Warnings()
	}
	return nil
}

// clip keeps logits finite: the bound metric uses for the calibration slope.
const clip = 1e-8

// needs is the least number of events, and of non-events, a method is fitted with; below it
// the method falls to intercept-only with a warning. Two parameters times 5 for the slopes,
// three times about 7 for beta, and for isotonic, which has no fixed number, enough that a
// block of a tenth of the events is not a handful.
var needs = map[string]int{"none": 0, "intercept": 1, "logistic": 10, "platt": 10, "beta": 20, "isotonic": 50}

type method struct{ name string }

var (
	_ Method = method{}
	_ Map    = (*parametric)(nil)
	_ Map    = (*isotonicMap)(nil)
)

// Name implements Method.
func (m method) Name() string { return m.name }

// Fit implements Method. Kind Invalid for bad rows; anything the data cannot support falls
// to a simpler map that carries a warning.
func (m method) Fit(p []float64, y []bool, w []float64) (Map, error) {
	if err := check(p, y, w); err != nil {
		return nil, err
	}
	if m.name == "none" {
		return &parametric{Kind: "none", A: 1, B: 1}, nil
	}
	events, others := 0, 0
	for i := range y {
		switch {
		case w != nil && w[i] == 0:
		case y[i]:
			events++
		default:
			others++
		}
	}
	if min(events, others) == 0 {
		return &parametric{Kind: "none", A: 1, B: 1, Warn: []diag.Warning{{Code: "calibration_one_class", Count: 1, Msg: m.name + " recalibration was not fitted: the rows hold one class; probabilities are left as they are"}}}, nil
	}
	fall := func(code, msg string) (Map, error) {
		f := intercept(p, y, w)
		f.Warn = []diag.Warning{{Code: code, Count: 1, Msg: m.name + " recalibration fell to intercept-only: " + msg}}
		return f, nil
	}
	if min(events, others) < needs[m.name] {
		return fall("calibration_few_events", "too few events or non-events")
	}
	switch m.name {
	case "intercept":
		return intercept(p, y, w), nil
	case "isotonic":
		iso, err := FitIsotonic(p, numbers(y), w, &IsotonicOptions{Lower: 0, Upper: 1, Bounded: true})
		if err != nil {
			return nil, err
		}
		return &isotonicMap{Kind: "isotonic", X: iso.X, Y: iso.Y}, nil
	case "beta":
		f, err := beta(p, y, w)
		if err != nil {
			return fall("calibration_no_maximum", "the likelihood has no finite maximum")
		}
		return f, nil
	}
	f := &parametric{Kind: m.name}
	if m.name == "platt" {
		s := make([]float64, len(p))
		for i, v := range p {
			s[i] = glm.Logit(bound(v))
		}
		a, b, err := FitPlatt(s, y, w)
		if err != nil {
			return fall("calibration_no_maximum", "the likelihood has no finite maximum")
		}
		f.A, f.B, f.C = -a, -a, -b
	} else {
		coef, err := regress(p, numbers(y), w, func(v float64, row []float64) { row[0], row[1] = 1, glm.Logit(v) }, 2)
		if err != nil {
			return fall("calibration_no_maximum", "constant or perfectly separating probabilities")
		}
		f.A, f.B, f.C = coef[1], coef[1], coef[0]
	}
	if !(f.A > 0) {
		return fall("calibration_negative_slope", "the slope was not positive, which would turn the ranking round")
	}
	return f, nil
}

// parametric is expit(A log p - B log(1-p) + C): none and intercept have A = B = 1, logistic
// and platt A = B, beta any A, B >= 0.
type parametric struct {
	Kind string         `json:"method"`
	A    float64        `json:"a"`
	B    float64        `json:"b"`
	C    float64        `json:"c"`
	Warn []diag.Warning `json:"warnings,omitempty"`
}

// Name implements Map: the method that was really used.
func (f *parametric) Name() string { return f.Kind }

// Warnings implements Warned.
func (f *parametric) Warnings() []diag.Warning { return f.Warn }

// Apply implements Map; NaN stays NaN.
func (f *parametric) Apply(p, dst []float64) []float64 {
	dst = sized(dst, len(p))
	if f.Kind == "none" {
		copy(dst, p)
		return dst
	}
	for i, v := range p {
		v = bound(v)
		dst[i] = glm.Expit(f.A*math.Log(v) - f.B*math.Log1p(-v) + f.C)
	}
	return dst
}

// isotonicMap joins the thresholds by lines, constant outside.
type isotonicMap struct {
	Kind string         `json:"method"`
	X    []float64      `json:"x"`
	Y    []float64      `json:"y"`
	Warn []diag.Warning `json:"warnings,omitempty"`
}

// Name implements Map.
func (f *isotonicMap) Name() string { return f.Kind }

// Warnings implements Warned.
func (f *isotonicMap) Warnings() []diag.Warning { return f.Warn }

// Apply implements Map; NaN stays NaN.
func (f *isotonicMap) Apply(p, dst []float64) []float64 {
	return Isotonic{X: f.X, Y: f.Y}.Predict(p, dst)
}

// Save writes m as JSON that [Load] reads. Kind Unsupported for a map of another package.
func Save(m Map) ([]byte, error) {
	switch m.(type) {
	case *parametric, *isotonicMap:
		return json.Marshal(m)
	}
	return nil, diag.Errorf(diag.Unsupported, "calibration", "expected a map made by this package")
}

// Load reads a map written by [Save]; Kind Invalid unless it is one, non-decreasing and
// within [0, 1].
func Load(b []byte) (Map, error) {
	var k struct {
		Kind string `json:"method"`
	}
	if err := json.Unmarshal(b, &k); err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Field: "calibration", Msg: "expected a JSON object", Err: err}
	}
	bad := func(msg string) (Map, error) { return nil, diag.Errorf(diag.Invalid, "calibration", "%s", msg) }
	if k.Kind == "isotonic" {
		f := &isotonicMap{}
		if err := json.Unmarshal(b, f); err != nil || len(f.X) == 0 || len(f.X) != len(f.Y) {
			return bad("expected as many y as x, at least one")
		}
		for i, v := range f.Y {
			if !(v >= 0 && v <= 1) || i > 0 && (f.X[i] <= f.X[i-1] || v < f.Y[i-1]) {
				return bad("expected increasing x and non-decreasing y from 0 to 1")
			}
		}
		return f, nil
	}
	if _, known := needs[k.Kind]; !known {
		return bad("expected a known method")
	}
	f := &parametric{}
	if err := json.Unmarshal(b, f); err != nil || !(f.A >= 0 && f.B >= 0) || math.IsInf(f.A+f.B+f.C, 0) || math.IsNaN(f.C) {
		return bad("expected finite a >= 0, b >= 0 and c")
	}
	return f, nil
}

func check(p []float64, y []bool, w []float64) error {
	if len(p) != len(y) || w != nil && len(w) != len(y) {
		return diag.Errorf(diag.Invalid, "probability", "expected as many probabilities and weights as outcomes")
	}
	for i, v := range p {
		if !(v >= 0 && v <= 1) {
			return diag.Errorf(diag.Invalid, "probability", "row %d: expected a number from 0 to 1", i+1)
		}
	}
	return checkWeights(w)
}

func checkWeights(w []float64) error {
	for i, v := range w {
		if !(v >= 0) || math.IsInf(v, 0) {
			return diag.Errorf(diag.Invalid, "weight", "row %d: expected a finite number of at least 0", i+1)
		}
	}
	return nil
}

func bound(p float64) float64 { return math.Min(math.Max(p, clip), 1-clip) }

func numbers(y []bool) []float64 {
	out := make([]float64, len(y))
	for i, v := range y {
		if v {
			out[i] = 1
		}
	}
	return out
}

func sized(dst []float64, n int) []float64 {
	if cap(dst) < n {
		return make([]float64, n)
	}
	return dst[:n]
}

// None is the recalibration that changes nothing.
var None Map = &parametric{Kind: "none", A: 1, B: 1}

// Names returns the names of Methods, in order.
func Names() []string {
	names := make([]string, 0, 6)
	for _, m := range Methods() {
		names = append(names, m.Name())
	}
	return names
}
