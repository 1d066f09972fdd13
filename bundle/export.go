package bundle

import (
	"slices"

	"dolor/calibrate"
	"dolor/diag"
	"dolor/frame"
	"dolor/internal/tree"
	"dolor/internal/xgbfile"
	"dolor/model"
	"dolor/preprocess"
)

// ExportOptions say how a model is exported. Nil is allowed.
type ExportOptions struct {
	UBJSON bool // instead of JSON
	// Uncalibrated exports a recalibrated model as it was before: XGBoost then predicts other
	// probabilities than the bundle, though in the same order.
	Uncalibrated bool
}

// Export returns the bundle's model as a file that XGBoost loads and predicts the same margins from; a
// forest becomes one of reg:squarederror whose predictions are the probabilities. Errors are of
// kind Unsupported: a family without trees, several models, preprocessing that XGBoost would
// not do, or recalibration that o does not allow to be left out. The warnings say what XGBoost will
// not do that the bundle does.
func (b *Bundle) Export(o *ExportOptions) ([]byte, []diag.Warning, error) {
	if o == nil {
		o = &ExportOptions{}
	}
	refuse := func(hint, format string, args ...any) error {
		e := diag.Errorf(diag.Unsupported, "", format, args...)
		e.Hint = hint
		return e
	}
	if n := len(b.Fitted.Members); n != 1 {
		return nil, nil, refuse("fit with one imputation, or none: trees take missing values as they are",
			"the bundle averages %d models, one an imputation; an XGBoost file holds one", n)
	}
	m := b.Fitted.Members[0]
	chain, ok := m.Chain.(*preprocess.Fitted)
	if !ok {
		return nil, nil, refuse("", "the bundle transforms its predictors; XGBoost would not")
	}
	for i := range chain.Len() {
		if name, _ := chain.At(i); !slices.Contains(dropsOnly, name) {
			return nil, nil, refuse("fit without preprocessing: trees need none",
				"the bundle transforms its predictors by %s before the model sees them; XGBoost would not", name)
		}
	}
	var ws []diag.Warning
	add := func(code, msg string) { ws = append(ws, diag.Warning{Code: code, Msg: msg, Count: 1}) }
	if name := b.Fitted.Calibration.Name(); name != calibrate.None.Name() {
		if !o.Uncalibrated {
			return nil, nil, refuse("export the model as it was before with --uncalibrated",
				"the bundle recalibrates its probabilities (%s); XGBoost would not", name)
		}
		add("uncalibrated", "XGBoost will predict the probabilities before recalibration ("+name+")")
	}
	f, err := xgboostFile(m.Model, b.Fitted.Schema)
	if err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(b.Fitted.Warnings, func(w diag.Warning) bool { return w.Code == warnLevels }) {
		f.Levels = nil // codes are not names: XGBoost would look for them in its tables
	}
	format := xgbfile.JSON
	if o.UBJSON {
		format = xgbfile.UBJSON
	}
	out, err := xgbfile.Write(f, format)
	if err != nil {
		return nil, nil, err
	}
	if f.Objective == xgbfile.SquaredError {
		add("squared_error", "XGBoost will call the probabilities predictions of a regression")
	}
	if slices.ContainsFunc(f.Ensemble.Features, func(c tree.Feature) bool { return c.Levels > 0 }) {
		if o.UBJSON {
			add("codes", "XGBoost will match categories by code: UBJSON that version 1.7 reads cannot name them")
		} else {
			add("codes", "XGBoost will match categories by name from version 3.1 on, and by code before")
		}
		add("unseen_level", "XGBoost will not take a category it does not know as missing: it refuses the table, or sends it left")
	}
	add("units", "XGBoost will check neither units nor ranges")
	return out, ws, nil
}

// dropsOnly are the steps that only leave columns out: what the model reads, it reads as it is.
var dropsOnly = []string{"drop_missing", "variance", "correlation"}

// xgboostFile returns the model as an XGBoost file: as it says itself, or from its trees.
func xgboostFile(m model.Model, raw frame.Schema) (*xgbfile.File, error) {
	if own, ok := m.(interface{ File() (*xgbfile.File, error) }); ok {
		return own.File()
	}
	trees, ok := m.(model.TreeEnsemble)
	if !ok || !trees.Averaged() {
		return nil, diag.Errorf(diag.Unsupported, "", "expected a model of trees (gbm or forest), got one of another family")
	}
	return forestFile(trees.Trees(), raw)
}

// forestFile writes a mean of trees as the sum of their leaves divided by their number: one round of
// parallel trees, which start from 0. The sum is in float32, so that it differs from the
// float64 mean by some 1e-7.
func forestFile(e *tree.Ensemble, raw frame.Schema) (*xgbfile.File, error) {
	f := &xgbfile.File{
		Booster: xgbfile.GBTree, Objective: xgbfile.SquaredError, Named: true, Rounds: []int{0, len(e.Trees)},
		Ensemble: tree.Ensemble{Features: e.Features, Trees: make([]tree.Tree, len(e.Trees))},
	}
	if len(e.Trees) == 0 {
		f.Rounds = []int{0}
	}
	share := float32(1) / float32(max(1, len(e.Trees)))
	for k, t := range e.Trees {
		nodes := slices.Clone(t.Nodes)
		for i := range nodes {
			nodes[i].Value *= share
		}
		f.Ensemble.Trees[k] = tree.Tree{Nodes: nodes, Sets: t.Sets}
	}
	for j, c := range e.Features {
		if i := raw.Index(c.Name); c.Levels > 0 && i >= 0 {
			if f.Levels == nil {
				f.Levels = make([][]string, len(e.Features))
			}
			f.Levels[j] = raw[i].Levels
		}
	}
	return f, nil
}
