package bundle

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"dolor/calibrate"
	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/xgbfile"
	"dolor/model"
	"dolor/preprocess"
	"dolor/rng"
)

// WarnImported is the code of the warning that an imported model carries: what the file did not say.
const WarnImported = "imported"

// warnLevels is the code of the warning that codes stand for the names of categories.
const warnLevels = "levels_unknown"

// BestRound as ImportOptions.Rounds stops at the round that early stopping found best.
const BestRound = -1

// ImportOptions say what an XGBoost file does not. Nil is allowed.
type ImportOptions struct {
	Name     string  // of the model; empty: "imported"
	Outcome  string  // in words; empty: said to be unknown
	Decision float64 // decision threshold; 0 means 0.2
	// Rounds keeps so many boosting rounds; 0 keeps all, as XGBoost's Booster.predict does, and
	// BestRound those up to the best, as its scikit-learn wrapper does.
	Rounds int
	// Columns names the features of a file that has no names, one a feature; nil: f0, f1, ...
	Columns []string
	// Levels names the categories of features whose names the file does not hold, in the order of
	// their codes; a feature left out has the codes themselves as levels.
	Levels map[string][]string
}

// Imported reports whether the model was trained by another program.
func (b *Bundle) Imported() bool { return b.Origin() != "" }

// Origin says where an imported model comes from and what is unknown of it; "" for any other.
func (b *Bundle) Origin() string {
	for _, w := range b.Fitted.Warnings {
		if w.Code == WarnImported {
			return w.Msg
		}
	}
	return ""
}

// Import makes a bundle of an XGBoost model file (JSON or UBJSON, binary:logistic, gbtree or
// dart): raw predictors go to the model as they are, and its probabilities are not recalibrated. fam
// must load such files. The card says where the model comes from and what is unknown. The worked
// example is a row of split values: no patient's. Errors are those of xgbfile.Read, and Invalid
// for options that do not fit the file.
func Import(ctx context.Context, file []byte, fam model.Family, version string, o *ImportOptions) (*Bundle, error) {
	if o == nil {
		o = &ImportOptions{}
	}
	if !(o.Decision >= 0 && o.Decision < 1) {
		return nil, diag.Errorf(diag.Invalid, "decision", "expected a threshold in (0, 1), got %v", o.Decision)
	}
	f, err := xgbfile.Read(file)
	if err != nil {
		return nil, err
	}
	warnings, err := o.complete(f)
	if err != nil {
		return nil, err
	}
	own, err := xgbfile.Write(f, xgbfile.JSON)
	if err != nil {
		return nil, err
	}
	m, err := fam.Load(own)
	if err != nil {
		return nil, err
	}
	read, ok := m.(interface{ Columns() frame.Schema })
	if !ok {
		return nil, diag.Errorf(diag.Unsupported, "family", "%s cannot tell which columns it reads", fam.Name)
	}
	schema := read.Columns()
	chain, err := emptyChain(ctx, schema)
	if err != nil {
		return nil, err
	}
	fitted := &evaluate.Fitted{
		Family: fam, Params: fam.Default(), Calibration: calibrate.None, Schema: schema,
		Members: []evaluate.Member{{Chain: chain, Model: m}}, Warnings: warnings,
	}
	ex, err := NewExample(ctx, fitted, splitRow(f, schema))
	if err != nil {
		return nil, err
	}
	return &Bundle{Version: version, Fitted: fitted, Example: ex, Card: o.card(f)}, nil
}

// emptyChain is a fitted chain without steps.
func emptyChain(ctx context.Context, schema frame.Schema) (preprocess.Transform, error) {
	var cols []frame.Column
	for _, c := range schema {
		if c.Kind == frame.Category {
			cols = append(cols, frame.CategoryColumn(c, nil))
		} else {
			cols = append(cols, frame.NumberColumn(c, nil))
		}
	}
	x, err := frame.New(0, cols...)
	if err != nil {
		return nil, err
	}
	return preprocess.Chain{}.Fit(ctx, x, nil, rng.Stream{})
}

// complete adds to f what o says, cuts it to the rounds asked for, and returns what the user must know.
func (o *ImportOptions) complete(f *xgbfile.File) ([]diag.Warning, error) {
	ws := []diag.Warning{{
		Code: WarnImported, Count: 1,
		Msg: "imported from " + origin(f) + ": its training data, hyperparameters and validation are not in the file",
	}}
	add := func(code, format string, args ...any) {
		ws = append(ws, diag.Warning{Code: code, Msg: fmt.Sprintf(format, args...), Count: 1})
	}
	rounds := len(f.Rounds) - 1
	best, known := f.BestRound()
	switch {
	case o.Rounds == BestRound && !known:
		return nil, diag.Errorf(diag.Invalid, "rounds", "expected a file that records best_iteration, got one without")
	case o.Rounds == BestRound:
		f.Truncate(best + 1)
	case o.Rounds < 0 || o.Rounds > rounds:
		return nil, diag.Errorf(diag.Invalid, "rounds", "expected 1 to %d rounds, got %d", rounds, o.Rounds)
	case o.Rounds > 0:
		f.Truncate(o.Rounds)
	case known && best+1 < rounds:
		add("best_iteration", "all %d rounds are used, as XGBoost's Booster.predict does; early stopping found round %d best, which its scikit-learn wrapper would stop at", rounds, best+1)
	}
	if err := o.nameColumns(f); err != nil {
		return nil, err
	}
	if !f.Named {
		add("unnamed", "the file does not name its %d features; columns are called f0, f1 and so on", len(f.Ensemble.Features))
	}
	unknown, err := o.nameLevels(f)
	if err != nil {
		return nil, err
	}
	if len(unknown) > 0 {
		add(warnLevels, "the file does not name the categories of %s; tables must hold XGBoost's codes 0, 1 and so on; a code above those listed becomes missing", strings.Join(unknown, ", "))
	}
	if w := f.ScalePosWeight; w != 0 && w != 1 {
		add("scale_pos_weight", "trained with rows of the outcome weighted %g times: its probabilities are not those of the patients it was trained on", w)
	}
	return ws, nil
}

// origin says which program and version wrote f.
func origin(f *xgbfile.File) string {
	if f.Version == [3]int{} {
		return "an XGBoost model file"
	}
	return fmt.Sprintf("a model file of XGBoost %d.%d.%d", f.Version[0], f.Version[1], f.Version[2])
}

func (o *ImportOptions) nameColumns(f *xgbfile.File) error {
	if o.Columns == nil {
		return nil
	}
	features := f.Ensemble.Features
	switch {
	case f.Named:
		return diag.Errorf(diag.Invalid, "columns", "expected a file whose features have no names, got one that names them")
	case len(o.Columns) != len(features):
		return diag.Errorf(diag.Invalid, "columns", "expected %d names, one a feature, got %d", len(features), len(o.Columns))
	}
	for j, name := range o.Columns {
		if name == "" || slices.Contains(o.Columns[:j], name) {
			return diag.Errorf(diag.Invalid, "columns", "expected distinct names, got name %d empty or twice", j+1)
		}
		features[j].Name = name
	}
	f.Named = true
	return nil
}

// mostCodes bounds the codes that stand for names.
const mostCodes = 1 << 20

// nameLevels returns the categorical features whose categories stay without names.
func (o *ImportOptions) nameLevels(f *xgbfile.File) ([]string, error) {
	given := 0
	var unknown []string
	for j, c := range f.Ensemble.Features {
		levels, ok := o.Levels[c.Name]
		has := f.Levels != nil && f.Levels[j] != nil
		switch {
		case ok && c.Levels == 0:
			return nil, diag.Errorf(diag.Invalid, "levels", "%s is not a category", c.Name)
		case ok && has:
			return nil, diag.Errorf(diag.Invalid, "levels", "the file names the categories of %s", c.Name)
		case ok && len(levels) < c.Levels:
			return nil, diag.Errorf(diag.Invalid, "levels", "%s: expected at least %d names, one a code, got %d", c.Name, c.Levels, len(levels))
		case ok:
			for k, l := range levels {
				if slices.Contains(levels[:k], l) {
					return nil, diag.Errorf(diag.Invalid, "levels", "%s: expected distinct names, got name %d twice", c.Name, k+1)
				}
			}
			if f.Levels == nil {
				f.Levels = make([][]string, len(f.Ensemble.Features))
			}
			f.Levels[j] = levels
			f.Ensemble.Features[j].Levels = len(levels)
			given++
		case c.Levels > 0 && !has:
			unknown = append(unknown, c.Name)
			if c.Levels > mostCodes {
				return nil, diag.Errorf(diag.Unsupported, "levels", "%s: expected at most %d categories, got %d", c.Name, mostCodes, c.Levels)
			}
			// A code beyond the largest in a set goes left at every split, which is not where a missing
			// value goes: codes are known up to the next multiple of 64.
			names := make([]string, (c.Levels+63)/64*64)
			for k := range names {
				names[k] = strconv.Itoa(k)
			}
			if f.Levels == nil {
				f.Levels = make([][]string, len(f.Ensemble.Features))
			}
			f.Levels[j] = names
			f.Ensemble.Features[j].Levels = len(names)
		}
	}
	if given < len(o.Levels) {
		return nil, diag.Errorf(diag.Invalid, "levels", "expected names of the file's features, got %d that are not", len(o.Levels)-given)
	}
	return unknown, nil
}

func (o *ImportOptions) card(f *xgbfile.File) Card {
	c := Card{
		Study: o.Name, Outcome: o.Outcome, Decision: o.Decision,
		Population: "unknown: the model file does not say whom it was trained on",
		Limitations: fmt.Sprintf("Imported from %s (%s, %d trees). Training data, hyperparameters and validation are unknown; the worked example is made of split values. Validate before use.",
			origin(f), f.Booster, len(f.Ensemble.Trees)),
	}
	if c.Study == "" {
		c.Study = "imported"
	}
	if c.Outcome == "" {
		c.Outcome = "unknown: the model file does not name it"
	}
	if c.Decision == 0 {
		c.Decision = 0.2
	}
	return c
}

// splitRow is a row at the middle split value of every number and in the first set of every
// category; missing where no tree splits.
func splitRow(f *xgbfile.File, schema frame.Schema) map[string]any {
	values := make([][]float32, len(schema))
	codes := make([]int, len(schema))
	for j := range codes {
		codes[j] = -1
	}
	for k := range f.Ensemble.Trees {
		t := &f.Ensemble.Trees[k]
		for i := range t.Nodes {
			n := &t.Nodes[i]
			switch {
			case n.IsLeaf():
			case n.Set == 0:
				values[n.Feature] = append(values[n.Feature], n.Threshold)
			case codes[n.Feature] < 0:
				codes[n.Feature] = firstCode(t.Sets[n.Set-1])
			}
		}
	}
	row := make(map[string]any, len(schema))
	for j, c := range schema {
		row[c.Name] = nil
		switch v := values[j]; {
		case c.Kind == frame.Category && codes[j] >= 0:
			row[c.Name] = c.Levels[codes[j]]
		case c.Kind == frame.Number && len(v) > 0:
			slices.Sort(v)
			row[c.Name] = shortest(v[len(v)/2])
		}
	}
	return row
}

// shortest is the float64 with the fewest digits that is nearest to x as float32.
func shortest(x float32) float64 {
	v, _ := strconv.ParseFloat(strconv.FormatFloat(float64(x), 'g', -1, 32), 64) // it always parses
	return v
}

func firstCode(set []uint64) int {
	for w, word := range set {
		if word != 0 {
			return 64*w + bits.TrailingZeros64(word)
		}
	}
	return -1
}
