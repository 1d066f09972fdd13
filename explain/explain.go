// Package explain says what a prediction rests on.
//
// [Attribute] splits the score of each row of a fitted recipe into one number for each raw
// predictor and a base, which add up to the score exactly. [Summarise] turns such a table
// into mean absolute attributions with intervals, the direction of each effect and the
// stability of the ranking. [Permutation] measures what a model loses without a predictor,
// [PartialDependence] and [AccumulatedEffects] how its prediction moves with one: they need
// nothing but predictions, so they work for any family.
//
// No number here is meaningful without its scale, its background and its averaging: each
// result carries them as an [About], which every table and figure prints. Attributions
// describe the model, not causes. Results depend on rows and streams, never on the number of
// workers.
package explain

import (
	"context"
	"fmt"
	"math"
	"strings"

	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/glm"
	"dolor/model"
)

// The scales on which attributions add up.
const (
	LogOdds     = "log-odds"
	Probability = "probability"
)

// The modes of [Options].
const (
	Path           = "path"           // trees only: what is unknown follows the training rows down each tree
	Interventional = "interventional" // what is unknown is taken from background rows
)

// Tolerance is the most by which attributions plus base may miss the score (relative to the
// score where that is above 1).
const Tolerance = 1e-6

// About is what must be known to read an attribution.
type About struct {
	Scale       string `json:"scale"`       // "log-odds" or "probability"
	Calibration string `json:"calibration"` // the recalibration that comes after the score, "none" when none does
	Background  string `json:"background"`  // what the base is the mean over, in words
	Averaging   string `json:"averaging"`   // over models or folds, in words
}

// ScaleText returns "log-odds", with "before recalibration (NAME)" when one follows.
func (a About) ScaleText() string {
	if a.Calibration == "" || a.Calibration == "none" {
		return a.Scale
	}
	return a.Scale + " before recalibration (" + a.Calibration + ")"
}

// String returns the three facts in one line.
func (a About) String() string {
	return "scale: " + a.ScaleText() + "; background: " + a.Background + "; averaging: " + a.Averaging
}

// Attributions is the score of each row in parts.
type Attributions struct {
	About
	Phi  frame.Matrix // [rows, raw predictors]; Names are those of the recipe's schema
	Base []float64    // one a row
	// Score is what they add up to: the model's margin, averaged over members.
	Score []float64
	Gap   float64 // largest |sum - score|
	// Columns is the same by model column (a level, a spline term, a missingness indicator), and
	// Parent names the raw predictor that each of them derives from.
	Columns frame.Matrix
	Parent  []string
}

// Options of [Attribute]; nil is allowed.
type Options struct {
	// Mode is Path or Interventional; "" is the model's own: path for trees, and for linear models
	// interventional against the means of the training rows.
	Mode string
	// Background holds raw predictors; needed by Interventional on trees. For a linear model nil
	// means the training rows.
	Background *frame.Frame
	// BackgroundName says in words whose rows they are: "train.csv".
	BackgroundName string
	Workers        int // 0: the cores
}

// scorer is a model that gives its score without the detour over probabilities.
type scorer interface {
	Score(ctx context.Context, x *frame.Frame, dst []float64) ([]float64, error)
}

// Attribute explains the rows of x, which must hold the raw predictors of f as its schema has
// them. Attributions of derived columns are summed to the predictor they come from (see
// [frame.Field].Parent); several members (imputations) are averaged with equal weight. On the log-odds
// scale the score is the log-odds before recalibration; on the probability scale (averaged trees)
// it is the mean of the members' probabilities.
//
// Errors: Unsupported when the family gives no attributions in this mode, Internal when they do not
// add up to the score within [Tolerance], and what the chain or the model return.
func Attribute(ctx context.Context, f *evaluate.Fitted, x *frame.Frame, o *Options) (*Attributions, error) {
	if o == nil {
		o = &Options{}
	}
	if len(f.Members) == 0 {
		return nil, diag.Errorf(diag.Invalid, "members", "expected a fitted model, got none")
	}
	a := &Attributions{Base: make([]float64, x.Rows()), Score: make([]float64, x.Rows())}
	a.Calibration = "none"
	if f.Calibration != nil {
		a.Calibration = f.Calibration.Name()
	}
	columns := newPool(x.Rows())
	share := 1 / float64(len(f.Members))
	for k, m := range f.Members {
		t, err := m.Chain.Apply(ctx, x)
		if err != nil {
			return nil, err
		}
		var background *frame.Frame
		if o.Background != nil {
			if background, err = m.Chain.Apply(ctx, o.Background); err != nil {
				return nil, err
			}
		}
		p, err := attribute(ctx, f, m.Model, t, background, o)
		if err != nil {
			return nil, err
		}
		if k == 0 {
			a.Scale, a.Background = p.scale, p.background
		}
		for i, b := range p.base {
			a.Base[i] += float64(share * b)
			a.Score[i] += float64(share * p.score[i])
		}
		columns.add(p.phi, t.Schema(), share)
	}
	a.Averaging = averaging(len(f.Members), a.Scale)
	a.Columns, a.Parent = columns.matrix()
	a.sumToPredictors(f.Schema)
	return a, a.check()
}

func averaging(members int, scale string) string {
	if members == 1 {
		return "none, one model"
	}
	return fmt.Sprintf("mean over %d imputations on the %s scale", members, scale)
}

// parts is one member's answer.
type parts struct {
	phi        frame.Matrix
	base       []float64
	score      []float64
	scale      string
	background string
}

// attribute explains encoded rows x by one model.
func attribute(ctx context.Context, f *evaluate.Fitted, m model.Model, x, background *frame.Frame, o *Options) (*parts, error) {
	p := &parts{scale: scaleOf(m)}
	var err error
	switch e, linear := m.(model.Equation); {
	case o.Mode != "" && o.Mode != Path && o.Mode != Interventional:
		return nil, diag.Errorf(diag.Invalid, "mode", "expected %s or %s, got %q", Path, Interventional, o.Mode)
	case linear && o.Mode == Path:
		return nil, diag.Errorf(diag.Unsupported, "mode", "%s: path-dependent attributions exist for trees only", f.Family.Name)
	case linear && background != nil:
		p.phi, p.base, err = linearAgainst(e, x, background)
		p.background = rowsOf(background.Rows(), o.BackgroundName) + ", interventional"
	default:
		err = p.nonlinear(ctx, f, m, x, background, o)
	}
	if err != nil {
		return nil, err
	}
	if p.phi.Rows != x.Rows() || len(p.base) != x.Rows() || len(p.phi.Names) != p.phi.Cols {
		return nil, diag.Errorf(diag.Internal, f.Family.Name, "expected attributions of %d rows, got %d", x.Rows(), p.phi.Rows)
	}
	p.score, err = scoreOf(ctx, m, x, p.scale)
	return p, err
}

// nonlinear asks the model itself, or its trees.
func (p *parts) nonlinear(ctx context.Context, f *evaluate.Fitted, m model.Model, x, background *frame.Frame, o *Options) (err error) {
	_, linear := m.(model.Equation)
	t, trees := m.(model.TreeEnsemble)
	switch a, ok := m.(model.Attributor); {
	case trees:
		if o.Mode == Interventional && background == nil {
			return diag.Errorf(diag.Missing, "background", "interventional attributions of trees need background rows")
		}
		p.phi, p.base, err = treesAttribute(ctx, m, t, x, background, o)
		if background != nil && o.Mode != Path {
			p.background = rowsOf(background.Rows(), o.BackgroundName) + ", interventional"
		} else {
			p.background = training(f.N) + ", path-dependent"
		}
	case ok && background != nil:
		return diag.Errorf(diag.Unsupported, "background", "%s: attributions against other rows exist for linear models and trees only", f.Family.Name)
	case ok:
		p.phi, p.base, err = a.Attribute(ctx, x)
		p.background = training(f.N)
		if linear {
			p.background += ", interventional"
		}
	default:
		e := diag.Errorf(diag.Unsupported, "model", "%s gives no attributions", f.Family.Name)
		e.Hint = "permutation importance works for every family"
		return e
	}
	return err
}

func training(n int) string { return fmt.Sprintf("the %d training rows", n) }

func rowsOf(n int, name string) string {
	s := fmt.Sprintf("%d rows", n)
	if n == 1 {
		s = "1 row"
	}
	if name != "" {
		s += " of " + name
	}
	return s
}

// Attributable reports whether [Attribute] can explain f in the default mode.
func Attributable(f *evaluate.Fitted) bool {
	for _, m := range f.Members {
		_, a := m.Model.(model.Attributor)
		_, t := m.Model.(model.TreeEnsemble)
		if !a && !t {
			return false
		}
	}
	return len(f.Members) > 0
}

func scaleOf(m model.Model) string {
	if t, ok := m.(model.TreeEnsemble); ok && t.Averaged() {
		return Probability
	}
	return LogOdds
}

// scoreOf is the score that attributions must add up to.
func scoreOf(ctx context.Context, m model.Model, x *frame.Frame, scale string) ([]float64, error) {
	if s, ok := m.(scorer); ok && scale == LogOdds {
		return s.Score(ctx, x, nil)
	}
	p, err := m.Predict(ctx, x, nil)
	if err != nil || scale == Probability {
		return p, err
	}
	for i, v := range p {
		p[i] = glm.Logit(v)
	}
	return p, nil
}

// linearAgainst is exact for a sum of terms: phi_ij = coef_j (x_ij - mean_j) with the mean over
// the background rows (Lundberg and Lee 2017, A unified approach to interpreting model
// predictions, corollary 1, arXiv:1705.07874).
func linearAgainst(e model.Equation, x, background *frame.Frame) (phi frame.Matrix, base []float64, err error) {
	if background.Rows() == 0 {
		return phi, nil, diag.Errorf(diag.Invalid, "background", "expected at least one row, got none")
	}
	at := 0.0
	var names []string
	var coef []float64
	for _, t := range e.Terms() {
		if strings.HasPrefix(t.Name, "(") {
			if _, column := x.Column(t.Name); !column {
				at += t.Estimate
				continue
			}
		}
		names = append(names, t.Name)
		coef = append(coef, t.Estimate)
	}
	means := make([]float64, len(names))
	b, err := dense(background, names)
	if err != nil {
		return phi, nil, err
	}
	for i := range b.Rows {
		for j, v := range b.Row(i) {
			means[j] += v
		}
	}
	if phi, err = dense(x, names); err != nil {
		return phi, nil, err
	}
	for j := range means {
		means[j] /= float64(b.Rows)
		at += float64(coef[j] * means[j])
	}
	base = make([]float64, phi.Rows)
	for i := range base {
		base[i] = at
		row := phi.Row(i)
		for j, v := range row {
			row[j] = coef[j] * (v - means[j])
		}
	}
	return phi, base, nil
}

func dense(x *frame.Frame, names []string) (frame.Matrix, error) {
	sub, err := x.Select(names...)
	if err != nil {
		return frame.Matrix{}, err
	}
	return model.DenseMatrix(sub)
}

// check measures the gap. A score that is infinite (a probability of 0 or 1) is not compared,
// one beyond 15 on the log-odds scale only as a probability: it comes from one.
func (a *Attributions) check() error {
	for i, want := range a.Score {
		got := a.Base[i]
		for _, v := range a.Phi.Row(i) {
			got += v
		}
		gap := math.Abs(got - want)
		switch {
		case math.IsInf(want, 0):
			continue
		case a.Scale == LogOdds && math.Abs(want) > 15:
			gap = min(gap, math.Abs(glm.Expit(got)-glm.Expit(want)))
		}
		if !(gap <= Tolerance*max(1, math.Abs(want))) {
			return diag.Errorf(diag.Internal, "attributions", "row %d: attributions and base miss the score by %.2g", i+1, gap)
		}
		a.Gap = max(a.Gap, gap)
	}
	return nil
}
