// Package study reads a protocol file and runs it end to end: table to cohort, validation
// plan, performance, figures, report and bundle, in one folder that appears whole or not at
// all.
//
// [Read] checks a protocol and fills every default; [Run] leaves the study folder; [Resume]
// continues a run that was stopped; [Rederive] writes results, figures and report again from
// the predictions without refitting anything.
package study

import (
	"encoding/json"
	"maps"

	"github.com/goccy/go-yaml/ast"

	"dolor/diag"
	"dolor/frame"
)

// Protocol is a study file with every default written out. Its JSON, read back, repeats the
// study.
type Protocol struct {
	Study       string                   `json:"study"`
	Seed        uint64                   `json:"seed"`
	Simulated   bool                     `json:"simulated"` // the patients do not exist; every page says so
	Data        DataSpec                 `json:"data"`
	Cohort      CohortSpec               `json:"cohort"`
	Predictors  map[string]PredictorList `json:"predictors"`
	Available   map[string]string        `json:"available,omitempty"` // column -> when it is known
	Models      []ModelSpec              `json:"models"`
	Primary     string                   `json:"primary"` // family of the headline; default the first
	Preprocess  []StepSpec               `json:"preprocess"`
	Imputations int                      `json:"imputations"` // fitted imputations to pool; 1 is single imputation
	Tuning      TuningSpec               `json:"tuning"`
	Calibration CalibrationSpec          `json:"calibration"`
	Validation  ValidationSpec           `json:"validation"`
	Thresholds  ThresholdSpec            `json:"thresholds"`
	Subgroups   []string                 `json:"subgroups,omitempty"`
	Level       float64                  `json:"level"` // of intervals
	Card        CardSpec                 `json:"card"`  // what only people know

	pos   map[string]diag.Pos // where each key stood, for faults found in the data
	flags map[string]string   // key -> flag, when a command line stood for the file
}

// DataSpec names the files.
type DataSpec struct {
	Source    string     `json:"source"` // table
	Path      StringList `json:"path"`   // one file or several, relative to the protocol
	Missing   []string   `json:"missing,omitempty"`
	Delimiter string     `json:"delimiter,omitempty"`
}

// CohortSpec says who is in and what happened.
type CohortSpec struct {
	Outcome  OutcomeSpec `json:"outcome"`
	TimeZero string      `json:"time_zero,omitempty"` // "day 3"; default day 0
	ID       string      `json:"id,omitempty"`
	Site     SiteSpec    `json:"site,omitzero"`
	Date     string      `json:"date,omitempty"`
	Weight   string      `json:"weight,omitempty"` // case weights of the sampling design
}

// OutcomeSpec is either a column with its event, or a time with a status.
type OutcomeSpec struct {
	Column    string     `json:"column,omitempty"`
	Event     EventSpec  `json:"event,omitzero"` // "> 0", or the values that are the event
	Time      string     `json:"time,omitempty"`
	Status    string     `json:"status,omitempty"`
	Competing StringList `json:"competing,omitempty"`
	Horizon   float64    `json:"horizon,omitempty"`
}

// SiteSpec is a column, or {from: file}.
type SiteSpec struct {
	Column string `json:"column,omitempty"`
	From   string `json:"from,omitempty"`
}

// PredictorList is a list of predictors, or the word all, or nothing.
type PredictorList struct {
	All     bool
	Columns []Predictor
}

// Predictor is one column with what the protocol says of it.
type Predictor struct {
	Column    string     `json:"column"`
	Kind      string     `json:"kind,omitempty"`
	Unit      string     `json:"unit,omitempty"`
	Missing   StringList `json:"missing,omitempty"`
	Levels    []string   `json:"levels,omitempty"`
	Ordered   bool       `json:"ordered,omitempty"`
	Available string     `json:"available,omitempty"`
}

// ModelSpec is a family with its hyperparameters.
type ModelSpec struct {
	Family string         `json:"family"`
	Params map[string]any `json:"params,omitempty"`
}

// StepSpec is a preprocessing step with its settings.
type StepSpec struct {
	Step     string
	Settings map[string]any
}

// TuningSpec says how hyperparameters are searched.
type TuningSpec struct {
	Method string `json:"method"` // none, random, grid
	Trials int    `json:"trials"`
	Metric string `json:"metric"`
}

// CalibrationSpec names the recalibration.
type CalibrationSpec struct {
	Method string `json:"method"`
}

// ValidationSpec is the validation plan.
type ValidationSpec struct {
	Internal  *InternalSpec `json:"internal,omitempty"`
	Temporal  *TemporalSpec `json:"temporal,omitempty"`
	External  *ExternalSpec `json:"external,omitempty"`
	Sites     string        `json:"sites,omitempty"` // leave-one-out
	Bootstrap int           `json:"bootstrap,omitempty"`
	Frozen    string        `json:"frozen,omitempty"` // SHA-256 of the bundle validated; written by validate
}

// InternalSpec is nested cross-validation.
type InternalSpec struct {
	Outer   int `json:"outer"`
	Inner   int `json:"inner"`
	Repeats int `json:"repeats"`
}

// TemporalSpec holds out later patients.
type TemporalSpec struct {
	TestFrom string `json:"test_from"`
}

// ExternalSpec holds out sites.
type ExternalSpec struct {
	Site StringList `json:"site"`
}

// ThresholdSpec holds the declared thresholds.
type ThresholdSpec struct {
	Decision float64   `json:"decision"`
	Report   []float64 `json:"report,omitempty"` // further thresholds in the tables
	Curve    []float64 `json:"curve,omitempty"`  // range of the decision curve: [from, to]
	Strata   []float64 `json:"strata,omitempty"`
}

// CardSpec is the part of the model card that only people know.
type CardSpec struct {
	IntendedUse string `json:"intended_use,omitempty"`
	Population  string `json:"population,omitempty"`
	Limitations string `json:"limitations,omitempty"`
	Contact     string `json:"contact,omitempty"`
	DataLicence string `json:"data_licence,omitempty"`
	Citation    string `json:"citation,omitempty"`
}

// StringList accepts one text or a list.
type StringList []string

func (s *StringList) decodeNode(d *decoder, path string, n ast.Node) {
	if t, ok := scalarText(n); ok {
		*s = StringList{t}
		return
	}
	var v []string
	d.slice(path, n, &v)
	*s = v
}

// EventSpec is a comparison ("> 0") or the values that are the event.
type EventSpec struct {
	Compare string
	Values  []string
}

func (e *EventSpec) decodeNode(d *decoder, path string, n ast.Node) {
	if t, ok := scalarText(n); ok {
		if _, _, err := parseCompare(t); err == nil {
			e.Compare = t
			return
		}
		e.Values = []string{t}
		return
	}
	d.slice(path, n, &e.Values)
}

// MarshalJSON writes the comparison or the list.
func (e EventSpec) MarshalJSON() ([]byte, error) {
	if e.Compare != "" {
		return json.Marshal(e.Compare)
	}
	return json.Marshal(e.Values)
}

func (s *SiteSpec) decodeNode(d *decoder, path string, n ast.Node) {
	if t, ok := scalarText(n); ok {
		s.Column = t
		return
	}
	type bare SiteSpec
	d.into(path, n, (*bare)(s))
}

func (p *PredictorList) decodeNode(d *decoder, path string, n ast.Node) {
	if t, ok := scalarText(n); ok {
		if t != "all" {
			d.fault(path, n, "expected a list of columns or the word all, got other text")
			return
		}
		p.All = true
		return
	}
	d.slice(path, n, &p.Columns)
	kept := p.Columns[:0]
	for _, c := range p.Columns {
		if c.Column == "all" && c.Kind == "" {
			p.All = true
			continue
		}
		kept = append(kept, c)
	}
	p.Columns = kept
}

// MarshalJSON writes what decodeNode reads.
func (p PredictorList) MarshalJSON() ([]byte, error) {
	if p.All && len(p.Columns) == 0 {
		return []byte(`"all"`), nil
	}
	out := make([]any, 0, len(p.Columns)+1)
	if p.All {
		out = append(out, "all")
	}
	for _, c := range p.Columns {
		out = append(out, c)
	}
	return json.Marshal(out)
}

func (p *Predictor) decodeNode(d *decoder, path string, n ast.Node) {
	if t, ok := scalarText(n); ok {
		p.Column = t
		return
	}
	type bare Predictor
	d.into(path, n, (*bare)(p))
	if p.Column == "" {
		d.fault(path+".column", n, "missing")
	}
}

func (m *ModelSpec) decodeNode(d *decoder, path string, n ast.Node) {
	if t, ok := scalarText(n); ok {
		m.Family = t
		return
	}
	type bare ModelSpec
	d.into(path, n, (*bare)(m))
}

func (s *StepSpec) decodeNode(d *decoder, path string, n ast.Node) {
	if t, ok := scalarText(n); ok {
		s.Step = t
		return
	}
	m, ok := plain(n).(map[string]any)
	name, named := m["step"].(string)
	if !ok || !named {
		d.fault(path, n, "expected the name of a step or {step: name, ...}, got %s", shape(n))
		return
	}
	delete(m, "step")
	s.Step, s.Settings = name, m
}

// MarshalJSON writes {"step": name, settings...}.
func (s StepSpec) MarshalJSON() ([]byte, error) {
	m := map[string]any{"step": s.Step}
	maps.Copy(m, s.Settings)
	return json.Marshal(m)
}

func (c *CalibrationSpec) decodeNode(d *decoder, path string, n ast.Node) {
	if t, ok := scalarText(n); ok {
		c.Method = t
		return
	}
	type bare CalibrationSpec
	d.into(path, n, (*bare)(c))
}

func (t *TuningSpec) decodeNode(d *decoder, path string, n ast.Node) {
	if text, ok := scalarText(n); ok {
		t.Method = text
		return
	}
	type bare TuningSpec
	d.into(path, n, (*bare)(t))
}

// modalityNames are the keys of predictors.
func modalityNames() []string {
	out := make([]string, len(frame.Modalities))
	for i, m := range frame.Modalities {
		out[i] = string(m)
	}
	return out
}
