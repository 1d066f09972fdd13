package evaluate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"dolor/calibrate"
	"dolor/diag"
	"dolor/frame"
	"dolor/internal/glm"
	"dolor/model"
	"dolor/preprocess"
	"dolor/rng"
)

// Recipe is everything that is learnt from training rows, for one family.
type Recipe struct {
	Family      model.Family
	Params      model.Params     // used as they are, or as trial 0 when tuning
	Steps       preprocess.Chain // in order; empty: none
	Imputations int              // fitted chains and models to average; 0 and 1 mean one
	Tuning      Tuning
	Calibration string // none, intercept, logistic, beta, isotonic, auto
}

// Tuning says how hyperparameters are searched on inner folds.
type Tuning struct {
	Method string // none, random, grid
	Trials int    // random: draws beside the default
	Metric string // log_loss, brier, auc
}

// Trial is one setting tried in one task.
type Trial struct {
	Task   string          `json:"task"`
	Family string          `json:"family"`
	Trial  int             `json:"trial"`
	Params json.RawMessage `json:"params"` // as written, so that a checkpoint keeps its bytes
	Metric string          `json:"metric"`
	Value  float64         `json:"value"` // mean over inner folds; NaN undefined, null in JSON
	Folds  []float64       `json:"folds"`
	// Rounds is how many rounds (trees, epochs) the models of the inner folds kept, one a fold and
	// imputation; nil for families that are not fitted in rounds.
	Rounds []int `json:"rounds,omitempty"`
	Chosen bool  `json:"chosen,omitempty"`
}

// savedTrial is Trial with undefined values as null.
type savedTrial struct {
	bareTrial
	Value *float64   `json:"value"`
	Folds []*float64 `json:"folds"`
}

type bareTrial Trial

// MarshalJSON writes undefined values as null.
func (t Trial) MarshalJSON() ([]byte, error) {
	s := savedTrial{bareTrial: bareTrial(t), Value: defined(t.Value)}
	for _, v := range t.Folds {
		s.Folds = append(s.Folds, defined(v))
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Trial) UnmarshalJSON(b []byte) error {
	var s savedTrial
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*t = Trial(s.bareTrial)
	t.Value, t.Folds = orNaN(s.Value), nil
	for _, v := range s.Folds {
		t.Folds = append(t.Folds, orNaN(v))
	}
	return nil
}

func defined(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// Fitted is a recipe learnt from training rows: it predicts from raw predictors.
type Fitted struct {
	Family      model.Family
	Params      model.Params
	Members     []Member // one, or one an imputation
	Calibration calibrate.Map
	Schema      frame.Schema // of the raw predictors, in training order
	N, Events   int
	Warnings    []diag.Warning
}

// Rounds is how many rounds each member's model kept; nil for families not fitted in rounds.
func (f *Fitted) Rounds() []int { return rounds(f.Members) }

func rounds(members []Member) []int {
	var out []int
	for _, m := range members {
		if s, ok := m.Model.(model.Staged); ok {
			kept, _ := s.Rounds()
			out = append(out, kept)
		}
	}
	return out
}

// Member is one fitted chain with the model learnt behind it.
type Member struct {
	Chain preprocess.Transform
	Model model.Model
}

// HoldsValues reports whether a fitted step keeps training values (donors of an imputation):
// such a model must not leave its hospital.
func (f *Fitted) HoldsValues() bool {
	return slices.ContainsFunc(f.Warnings, func(w diag.Warning) bool { return w.Code == "state_holds_values" })
}

// Predict returns P(outcome) for the rows of x, which must hold the raw predictors. Several
// members are averaged on the log-odds scale. Uncalibrated is before the recalibration.
func (f *Fitted) Predict(ctx context.Context, x *frame.Frame) (p, uncalibrated []float64, err error) {
	uncalibrated, err = predictMembers(ctx, f.Members, x)
	if err != nil {
		return nil, nil, err
	}
	return f.Calibration.Apply(uncalibrated, nil), uncalibrated, nil
}

func predictMembers(ctx context.Context, members []Member, x *frame.Frame) ([]float64, error) {
	sum := make([]float64, x.Rows())
	for _, m := range members {
		t, err := m.Chain.Apply(ctx, x)
		if err != nil {
			return nil, err
		}
		p, err := m.Model.Predict(ctx, t, nil)
		if err != nil {
			return nil, err
		}
		if len(members) == 1 {
			return p, nil
		}
		for i, v := range p {
			sum[i] += glm.Logit(v)
		}
	}
	for i := range sum {
		sum[i] = glm.Expit(sum[i] / float64(len(members)))
	}
	return sum, nil
}

// Fit learns the recipe from d: tunes and calibrates on inner folds of d, then refits on all
// of d. inner is the number of folds; it is used only when something is tuned or calibrated.
func (r *Recipe) Fit(ctx context.Context, d *Data, inner int, task string, s rng.Stream) (*Fitted, []Trial, error) {
	candidates, err := r.candidates(s.Child("tune"))
	if err != nil {
		return nil, nil, err
	}
	f := &Fitted{Family: r.Family, Params: candidates[0], Schema: d.X.Schema(), N: d.Rows(), Events: countTrue(d.Y)}
	f.Calibration = calibrate.None
	var trials []Trial
	if len(candidates) > 1 || r.Calibration != "none" && r.Calibration != "" {
		var best int
		var oof *held
		trials, oof, best, err = r.innerLoop(ctx, d, candidates, inner, task, s)
		if err != nil {
			return nil, nil, err
		}
		f.Params = candidates[best]
		m, warnings, err := r.calibration(ctx, oof, s.Child("calibrate"))
		if err != nil {
			return nil, nil, err
		}
		f.Calibration = m
		f.Warnings = diag.Merge(f.Warnings, warnings...)
	}
	final := s.Child("final")
	members, warnings, err := r.fitter(d, final).members(ctx, f.Params, func(k int) rng.Stream { return final.Child("model", k) })
	if err != nil {
		return nil, nil, err
	}
	f.Members, f.Warnings = members, diag.Merge(f.Warnings, warnings...)
	return f, trials, nil
}

// candidates lists the settings to try; the first is the declared one.
func (r *Recipe) candidates(s rng.Stream) ([]model.Params, error) {
	out := []model.Params{r.Params}
	switch r.Tuning.Method {
	case "", "none":
	case "random":
		if r.Family.Space != nil {
			for k := range r.Tuning.Trials {
				out = append(out, r.Family.Space(s.Child("trial", k)))
			}
		}
	case "grid":
		if r.Family.Grid != nil {
			out = append(out, r.Family.Grid()...)
		}
	default:
		return nil, diag.Errorf(diag.Invalid, "tuning.method", "expected none, random or grid, got %q", r.Tuning.Method)
	}
	for _, p := range out {
		if err := p.Validate(); err != nil {
			return nil, r.named(err)
		}
	}
	return out, nil
}

func (r *Recipe) calibration(ctx context.Context, oof *held, s rng.Stream) (calibrate.Map, []diag.Warning, error) {
	if r.Calibration == "none" || r.Calibration == "" {
		return calibrate.None, nil, nil
	}
	return fitCalibration(ctx, r.Calibration, oof, s)
}

func (r *Recipe) fitChains(ctx context.Context, d *Data, s rng.Stream) ([]preprocess.Transform, []diag.Warning, error) {
	var warnings []diag.Warning
	chains := make([]preprocess.Transform, max(1, r.Imputations))
	for k := range chains {
		c, err := r.Steps.Fit(ctx, d.X, d.Y, s.Child("chain", k))
		if err != nil {
			return nil, nil, err
		}
		chains[k] = c
		if w, ok := c.(interface{ Warnings() []diag.Warning }); ok {
			warnings = diag.Merge(warnings, w.Warnings()...)
		}
	}
	return chains, warnings, nil
}

// named says which family an error is about.
func (r *Recipe) named(err error) error { return fmt.Errorf("%s: %w", r.Family.Name, err) }

// savedFitted is the JSON of a Fitted.
type savedFitted struct {
	Family      string          `json:"family"`
	Params      json.RawMessage `json:"params"`
	Members     []savedMember   `json:"members"`
	Calibration json.RawMessage `json:"calibration"`
	Schema      frame.Schema    `json:"schema"`
	N           int             `json:"n"`
	Events      int             `json:"events"`
	Warnings    []diag.Warning  `json:"warnings,omitempty"`
}

type savedMember struct {
	Chain json.RawMessage `json:"chain"`
	Model []byte          `json:"model"`
}

// MarshalJSON saves f; LoadFitted reads it back to bit-equal predictions.
func (f *Fitted) MarshalJSON() ([]byte, error) {
	s := savedFitted{Family: f.Family.Name, Schema: f.Schema, N: f.N, Events: f.Events, Warnings: f.Warnings}
	var err error
	if s.Params, err = json.Marshal(f.Params); err != nil {
		return nil, err
	}
	if s.Calibration, err = json.Marshal(f.Calibration); err != nil {
		return nil, err
	}
	for _, m := range f.Members {
		var sm savedMember
		if sm.Chain, err = json.Marshal(m.Chain); err != nil {
			return nil, err
		}
		if sm.Model, err = m.Model.AppendBinary(nil); err != nil {
			return nil, err
		}
		s.Members = append(s.Members, sm)
	}
	return json.Marshal(s)
}

// LoadFitted reads what MarshalJSON wrote. family finds a family by name.
func LoadFitted(b []byte, family func(string) (model.Family, bool)) (*Fitted, error) {
	var s savedFitted
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Field: "fitted", Msg: "expected a saved model", Err: err}
	}
	fam, ok := family(s.Family)
	if !ok {
		return nil, diag.Errorf(diag.Unsupported, "family", "%q is not compiled in", s.Family)
	}
	if len(s.Members) == 0 {
		return nil, diag.Errorf(diag.Invalid, "members", "expected at least one, got none")
	}
	f := &Fitted{Family: fam, Params: fam.Default(), Schema: s.Schema, N: s.N, Events: s.Events, Warnings: s.Warnings}
	if err := json.Unmarshal(s.Params, f.Params); err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Field: "params", Msg: "expected hyperparameters of " + s.Family, Err: err}
	}
	var err error
	if f.Calibration, err = calibrate.Load(s.Calibration); err != nil {
		return nil, err
	}
	for _, sm := range s.Members {
		var m Member
		if m.Chain, err = preprocess.LoadChain(sm.Chain); err != nil {
			return nil, err
		}
		if m.Model, err = fam.Load(sm.Model); err != nil {
			return nil, err
		}
		f.Members = append(f.Members, m)
	}
	return f, nil
}

func countTrue(y []bool) int {
	n := 0
	for _, v := range y {
		if v {
			n++
		}
	}
	return n
}
