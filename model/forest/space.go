package forest

import (
	"bytes"
	"encoding/json"
	"math"

	"dolor/diag"
	"dolor/model"
	"dolor/rng"
)

// MaxFeatures is how many columns are drawn for a split: a Rule, or a Value. In JSON it is "sqrt", "log2", "all", a
// number strictly between 0 and 1 (that fraction of the columns) or a whole number of at
// least 1 (that many columns; more than there are means all). 1 is one column: what
// scikit-learn writes as 1.0 or None is "all" here, as JSON does not tell 1 from 1.0.
type MaxFeatures struct {
	Rule  string  // "sqrt", "log2" or "all"; empty: Value
	Value float64 // a fraction below 1, or a whole number
}

// MarshalJSON writes the rule or the value.
func (m MaxFeatures) MarshalJSON() ([]byte, error) {
	if m.Rule != "" {
		return json.Marshal(m.Rule)
	}
	return json.Marshal(m.Value)
}

// UnmarshalJSON reads a rule or a value; Params.Validate checks which.
func (m *MaxFeatures) UnmarshalJSON(b []byte) error {
	out := MaxFeatures{}
	var err error
	if bytes.HasPrefix(b, []byte(`"`)) {
		err = json.Unmarshal(b, &out.Rule)
	} else {
		err = json.Unmarshal(b, &out.Value)
	}
	if err != nil {
		return diag.Errorf(diag.Invalid, "max_features", `expected "sqrt", "log2", "all" or a number, got %s`, diag.Describe(string(b)))
	}
	*m = out
	return nil
}

func (m MaxFeatures) validate() *diag.Error {
	switch m.Rule {
	case "sqrt", "log2", "all":
		return nil
	case "":
		if m.Value > 0 && m.Value < 1 || m.Value >= 1 && m.Value == math.Trunc(m.Value) && m.Value <= mostLevel {
			return nil
		}
		return diag.Errorf(diag.Invalid, "max_features", "must be in (0, 1) or a whole number of at least 1, got %g", m.Value)
	}
	return diag.Errorf(diag.Invalid, "max_features", `expected "sqrt", "log2", "all" or a number, got %q`, m.Rule)
}

// columns returns how many of n columns are drawn; at least 1. Fractions round down, as in scikit-learn.
func (m MaxFeatures) columns(n int) int {
	k := n
	switch {
	case m.Rule == "sqrt":
		k = int(math.Sqrt(float64(n)))
	case m.Rule == "log2":
		k = 0
		for 2<<k <= n {
			k++
		}
	case m.Rule == "" && m.Value < 1:
		k = int(m.Value * float64(n))
	case m.Rule == "":
		k = int(m.Value)
	}
	return min(n, max(1, k))
}

// space draws one set of hyperparameters: those that tuning is known to change (Probst,
// Wright and Boulesteix 2019, doi:10.1002/widm.1301): columns drawn, node size, sample size,
// split rule. The number of trees is not tuned.
func space(s rng.Stream) model.Params {
	r := s.Rand()
	p := Default()
	// Node size from 2 to 64, even on the log scale.
	p.MinSamplesLeaf = int(math.Round(math.Exp2(1 + 5*r.Float64())))
	switch u := r.Float64(); {
	case u < 0.3:
	case u < 0.4:
		p.MaxFeatures = MaxFeatures{Rule: "log2"}
	default:
		p.MaxFeatures = MaxFeatures{Value: math.Round(100*(0.1+0.7*r.Float64())) / 100}
	}
	if r.Float64() < 0.5 {
		f := math.Round(100*(0.3+0.6*r.Float64())) / 100
		p.MaxSamples = &f
		p.Bootstrap = r.Float64() < 0.5
	}
	if r.Float64() < 0.25 {
		p.Splitter = Random
	}
	if r.Float64() < 0.25 {
		p.Criterion = LogLoss
	}
	return &p
}

// grid crosses the two that matter most.
func grid() []model.Params {
	var out []model.Params
	for _, leaf := range []int{3, 10, 30} {
		for _, f := range []MaxFeatures{{Rule: "sqrt"}, {Value: 0.33}, {Value: 0.66}} {
			p := Default()
			p.MinSamplesLeaf, p.MaxFeatures = leaf, f
			out = append(out, &p)
		}
	}
	return out
}
