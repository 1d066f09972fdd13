package gbm

import (
	"encoding/json"
	"maps"
	"strconv"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/xgbfile"
)

// Attributes of the saved file that hold what XGBoost has no place for, each a JSON value. A file
// without the first is another program's.
const (
	keyFormat   = "dolor.format"
	keyParams   = "dolor.params"
	keyColumns  = "dolor.columns"
	keyTraining = "dolor.training"
	keyWarnings = "dolor.warnings"

	formatName = `"gbm/1"`
)

// AppendBinary implements [model.Model]: an XGBoost model file in JSON, see docs/format/xgboost.md.
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	f, err := m.File()
	if err != nil {
		return nil, err
	}
	out, err := xgbfile.Write(f, xgbfile.JSON)
	return append(b, out...), err
}

// File returns the model as XGBoost's file holds it, for export. The trees are shared.
func (m *Model) File() (*xgbfile.File, error) {
	f := m.file
	f.Ensemble, f.BaseScore, f.Objective = m.ens, m.base, xgbfile.Logistic
	f.Named = true
	f.Levels = make([][]string, len(m.fields))
	categories := false
	for j, c := range m.fields {
		if c.Kind == frame.Category {
			f.Levels[j], categories = c.Levels, true
		}
	}
	if !categories {
		f.Levels = nil
	}
	if m.imported {
		f.Attributes = maps.Clone(m.file.Attributes)
	} else {
		f.Booster, f.ScalePosWeight = xgbfile.GBTree, float32(m.params.ScalePosWeight)
		f.Rounds = make([]int, len(m.ens.Trees)+1)
		for k := range f.Rounds {
			f.Rounds[k] = k
		}
		f.Attributes = map[string]string{}
	}
	if m.training.TuneLoss != nil && len(m.ens.Trees) > 0 {
		f.Attributes["best_iteration"] = strconv.Itoa(len(m.ens.Trees) - 1)
		f.Attributes["best_score"] = strconv.FormatFloat(*m.training.TuneLoss, 'g', -1, 64)
	}
	if m.imported {
		return &f, nil
	}
	f.Attributes[keyFormat] = formatName
	warnings := m.warnings
	if warnings == nil {
		warnings = []diag.Warning{}
	}
	for key, v := range map[string]any{keyParams: m.params, keyColumns: m.fields, keyTraining: m.training, keyWarnings: warnings} {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, &diag.Error{Kind: diag.Internal, Field: key, Msg: "not saved", Err: err}
		}
		f.Attributes[key] = string(text)
	}
	return &f, nil
}

// Load reads what AppendBinary wrote, and any file that XGBoost wrote for binary:logistic with gbtree
// or dart, in JSON or UBJSON. Of such a file the columns are its features, numbers or categories;
// categories without names are called by their codes. Every round is used, as XGBoost's
// Booster.predict does. Errors are of kind Invalid or Unsupported and name the JSON path.
func Load(b []byte) (*Model, error) {
	f, err := xgbfile.Read(b)
	if err != nil {
		return nil, err
	}
	m := &Model{base: f.BaseScore, ens: f.Ensemble}
	format, own := f.Attributes[keyFormat]
	if !own {
		m.adopt(f)
		return m, nil
	}
	field := func(key string) string { return "learner.attributes." + key }
	if format != formatName {
		return nil, diag.Errorf(diag.Unsupported, field(keyFormat), "expected %s, got %s", formatName, diag.Describe(format))
	}
	for _, part := range []struct {
		key string
		v   any
	}{{keyParams, &m.params}, {keyColumns, &m.fields}, {keyTraining, &m.training}, {keyWarnings, &m.warnings}} {
		text, ok := f.Attributes[part.key]
		if !ok {
			return nil, diag.Errorf(diag.Missing, field(part.key), "expected a JSON value, got none")
		}
		if err := diag.DecodeJSON([]byte(text), part.v); err != nil {
			return nil, &diag.Error{Kind: diag.Invalid, Field: field(part.key), Msg: "expected what dolor wrote", Err: err}
		}
	}
	if err := m.params.Validate(); err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Field: field(keyParams), Msg: "expected hyperparameters", Err: err}
	}
	if len(m.warnings) == 0 {
		m.warnings = nil
	}
	features := m.ens.Features
	m.ready()
	if len(features) != len(m.ens.Features) {
		return nil, diag.Errorf(diag.Invalid, field(keyColumns), "expected %d columns, got %d", len(features), len(m.ens.Features))
	}
	for j, c := range m.fields {
		switch got := m.ens.Features[j]; {
		case c.Kind != frame.Number && c.Kind != frame.Category:
			return nil, diag.Errorf(diag.Invalid, field(keyColumns), "column %d: expected a number or a category, got %s", j+1, c.Kind)
		case got != features[j]:
			return nil, diag.Errorf(diag.Invalid, field(keyColumns), "column %d: expected the name and the number of levels of the feature", j+1)
		}
	}
	return m, nil
}

// adopt takes over a file of another program.
func (m *Model) adopt(f *xgbfile.File) {
	m.imported = true
	m.fields = make(frame.Schema, len(f.Ensemble.Features))
	for j, c := range f.Ensemble.Features {
		m.fields[j] = frame.Field{Name: c.Name, Kind: frame.Number}
		if c.Levels == 0 {
			continue
		}
		m.fields[j].Kind = frame.Category
		if f.Levels != nil && f.Levels[j] != nil {
			m.fields[j].Levels = f.Levels[j]
			continue
		}
		levels := make([]string, c.Levels)
		for k := range levels {
			levels[k] = strconv.Itoa(k)
		}
		m.fields[j].Levels = levels
	}
	m.file = *f
	m.ready()
}
