package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"dolor/assess"
	"dolor/bundle"
	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/atomicfile"
	"dolor/rng"
)

// TableOutcome says what happened in a table, for the verbs that need no protocol.
type TableOutcome struct {
	Outcome      string
	Event        []string // values, or one comparison
	Time, Status string
	Competing    []string
	Horizon      float64
	ID, Site     string
	Missing      []string
}

// protocol writes o as a protocol over one table.
func (o *TableOutcome) protocol(data string) (*Protocol, error) {
	p := defaults()
	p.Study = stem(data)
	p.Data = DataSpec{Source: "table", Path: StringList{data}, Missing: o.Missing}
	p.Cohort = CohortSpec{ID: o.ID, Site: SiteSpec{Column: o.Site}}
	p.Cohort.Outcome = OutcomeSpec{Column: o.Outcome, Time: o.Time, Status: o.Status, Competing: o.Competing, Horizon: o.Horizon}
	if len(o.Event) == 1 {
		if _, _, err := parseCompare(o.Event[0]); err == nil {
			p.Cohort.Outcome.Event.Compare = o.Event[0]
		}
	}
	if p.Cohort.Outcome.Event.Compare == "" {
		p.Cohort.Outcome.Event.Values = o.Event
	}
	p.Predictors = map[string]PredictorList{string(frame.Clinical): {All: true}}
	p.flags = map[string]string{
		"cohort.outcome": "--outcome", "cohort.outcome.event": "--event", "cohort.outcome.time": "--time",
		"cohort.outcome.status": "--status", "cohort.outcome.competing": "--competing", "cohort.outcome.horizon": "--horizon",
		"cohort.id": "--id", "cohort.site": "--site",
	}
	c := checker{d: &decoder{}}
	c.outcome(&p.Cohort.Outcome)
	return p, p.located(c.d.faults.Err())
}

// inFile names the file in a fault that names none.
func inFile(path string, err error) error {
	var l *diag.List
	var e *diag.Error
	switch {
	case errors.As(err, &l):
		for _, e := range l.Faults() {
			_ = inFile(path, e)
		}
	case errors.As(err, &e) && e.Pos.File == "":
		e.Pos.File = filepath.Base(path)
	}
	return err
}

// TableFit is a fit of one family on one table.
type TableFit struct {
	TableOutcome
	Family  string
	Data    string
	Params  json.RawMessage
	Out     string
	Seed    uint64
	Workers int
}

// TableFitted is the answer of FitTable.
type TableFitted struct {
	Family   string         `json:"family"`
	Rows     int            `json:"rows"`
	Events   int            `json:"events"`
	Seconds  float64        `json:"seconds"`
	Params   any            `json:"params"`
	Schema   frame.Schema   `json:"schema"`
	Warnings []diag.Warning `json:"warnings"`
}

// FitTable fits t.Family on every column of t.Data that is not outcome, id or site, with the
// default preprocessing, and writes the bundle t.Out. Nothing is tuned or recalibrated.
func FitTable(ctx context.Context, env *Env, t *TableFit) (*TableFitted, error) {
	fam, ok := env.Family(t.Family)
	if !ok {
		e := diag.Errorf(diag.Usage, "--family", "unknown family %q", t.Family)
		if near := diag.Nearest(t.Family, env.familyNames()); near != "" {
			e.Hint = "did you mean \"" + near + "\"?"
		} else {
			e.Hint = "known: " + strings.Join(env.familyNames(), ", ")
		}
		return nil, e
	}
	params, err := DecodeParams(fam, t.Params)
	if err != nil {
		return nil, fmt.Errorf("--params: %w", err)
	}
	p, err := t.protocol(t.Data)
	if err != nil {
		return nil, err
	}
	c, err := buildCohort(ctx, p, t.Workers)
	if err != nil {
		return nil, err
	}
	r := evaluate.Recipe{Family: fam, Params: params, Calibration: "none"}
	if fam.Dense {
		if r.Steps, err = defaultChain(); err != nil {
			return nil, err
		}
	}
	f, _, err := r.Fit(ctx, c.data, 0, "fit", rng.New(t.Seed).Child("fit"))
	if err != nil {
		return nil, err
	}
	if f.HoldsValues() {
		return nil, diag.Errorf(diag.Privacy, "", "the model keeps training values for its imputation; a bundle of it would carry patients' data")
	}
	ex, err := bundle.NewExample(ctx, f, medianRow(c.data.X))
	if err != nil {
		return nil, err
	}
	b := &bundle.Bundle{Version: env.Version, Fitted: f, Example: ex, Card: bundle.Card{
		Study: p.Study, Outcome: c.outcome, Decision: p.Thresholds.Decision, Horizon: t.Horizon,
	}}
	if err := b.Write(t.Out); err != nil {
		return nil, err
	}
	ws := diag.Merge(c.warnings, f.Warnings...)
	if ws == nil {
		ws = []diag.Warning{}
	}
	return &TableFitted{Family: fam.Name, Rows: f.N, Events: f.Events, Params: params, Schema: f.Schema, Warnings: ws}, nil
}

// readFor reads the columns a bundle needs from path, kinds as it declares; extra columns of
// the file come along.
func readFor(ctx context.Context, b *bundle.Bundle, path string, missing []string) (*frame.Frame, []diag.Warning, error) {
	specs := make(map[string]frame.ColumnSpec)
	for _, f := range b.Fitted.Schema {
		specs[f.Name] = frame.ColumnSpec{Kind: f.Kind, Unit: f.Unit, Modality: f.Modality, Missing: f.Tokens}
	}
	return ReadTable(ctx, path, missing, "", specs, 0)
}

// PredictTable predicts the rows of data with the bundle at path and writes CSV with the
// columns row (1-based, or the id) and probability. It returns how many.
func PredictTable(ctx context.Context, env *Env, path, data, id, out string, missing []string) (int, []diag.Warning, error) {
	b, err := bundle.Read(ctx, path, env.Family)
	if err != nil {
		return 0, nil, err
	}
	f, ws, err := readFor(ctx, b, data, missing)
	if err != nil {
		return 0, nil, err
	}
	p, _, more, err := b.Predict(ctx, f)
	if err != nil {
		return 0, nil, inFile(data, err)
	}
	row := frame.NumberColumn(frame.Field{Name: "row"}, make([]float64, f.Rows()))
	for i := range row.Numbers() {
		row.Numbers()[i] = float64(i + 1)
	}
	if id != "" {
		c, ok := f.Column(id)
		if !ok {
			return 0, nil, inFile(data, f.NoColumn(id))
		}
		row = c
		row.Name = "row"
	}
	table, err := frame.New(f.Rows(), row, frame.NumberColumn(frame.Field{Name: "probability"}, p))
	if err != nil {
		return 0, nil, err
	}
	return f.Rows(), diag.Merge(ws, more...), table.WriteCSV(out)
}

// Validate predicts every row of data with the bundle at path, which is never refitted, and
// leaves a study folder with the external validation at out.
func Validate(ctx context.Context, env *Env, path, data, out string, t *TableOutcome, o *Options) (*assess.Results, error) {
	if o == nil {
		o = &Options{}
	}
	b, err := bundle.Read(ctx, path, env.Family)
	if err != nil {
		return nil, err
	}
	folder, err := atomicfile.Dir(out, markers...)
	if err != nil {
		return nil, err
	}
	defer folder.Abort()
	if t.Horizon == 0 {
		t.Horizon = b.Card.Horizon
	}
	p, err := t.protocol(data)
	if err != nil {
		return nil, err
	}
	list := PredictorList{}
	for _, f := range b.Fitted.Schema {
		kind := "number"
		if f.Kind == frame.Category {
			kind = "category"
		}
		list.Columns = append(list.Columns, Predictor{Column: f.Name, Kind: kind, Unit: f.Unit, Missing: f.Tokens})
	}
	sum, err := fileSum(path)
	if err != nil {
		return nil, diag.FileError(path, err)
	}
	p.Study = b.Card.Study + ": external validation on " + stem(data)
	p.Simulated = b.Card.Simulated
	p.Predictors = map[string]PredictorList{string(frame.Clinical): list}
	p.Models = []ModelSpec{{Family: b.Fitted.Family.Name}}
	p.Primary = b.Fitted.Family.Name
	p.Tuning.Method, p.Calibration.Method = "none", b.Fitted.Calibration.Name()
	p.Validation.Frozen = sum
	p.Thresholds.Decision = b.Card.Decision
	p.Thresholds.Curve = []float64{0.01, 0.60}
	p.Card = CardSpec{IntendedUse: b.Card.IntendedUse, Population: b.Card.Population, Limitations: b.Card.Limitations, Contact: b.Card.Contact}
	c, err := buildCohort(ctx, p, o.Workers)
	if err != nil {
		return nil, err
	}
	x, ws, err := c.data.X.Conform(b.Fitted.Schema)
	if err != nil {
		return nil, inFile(data, err)
	}
	c.warnings = diag.Merge(c.warnings, ws...)
	prob, raw, err := b.Fitted.Predict(ctx, x)
	if err != nil {
		return nil, err
	}
	c.data.X = x
	res := &evaluate.Result{Predictions: evaluate.External(c.data, b.Fitted.Family.Name, prob, raw)}
	for i := range c.data.Rows() {
		res.External = append(res.External, i)
	}
	m := &material{Protocol: p.relativeTo(out), Predictions: res.Predictions, Attributions: &attributions{}}
	m.Cohort = CohortFile{
		Outcome: c.outcome, Horizon: c.data.Horizon, N: c.data.Rows(), Events: countTrue(c.data.Y), Flow: c.flow, Inputs: c.inputs,
		Warnings: c.warnings, Predictors: x.Schema().Names(), External: c.data.Rows(),
	}
	for i := range m.Predictions.Row {
		m.Predictions.Row[i] = c.rowNumber[m.Predictions.Row[i]-1]
	}
	if err := m.explainAll(ctx, b.Fitted, x, c); err != nil {
		return nil, err
	}
	if e, _ := equationOf(b.Fitted); e != nil {
		m.Fits.Equations = append(m.Fits.Equations, *e)
	}
	if m.Frame, err = keyedFrame(p, c, res); err != nil {
		return nil, err
	}
	if err := m.write(folder); err != nil {
		return nil, err
	}
	if err := copyFile(path, folder, "model.dolor"); err != nil {
		return nil, err
	}
	results, err := m.derive(ctx, env, folder, o)
	if err != nil {
		return nil, err
	}
	return results, folder.Commit()
}

func copyFile(path string, folder *atomicfile.Folder, name string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return diag.FileError(path, err)
	}
	return folder.WriteFile(name, func(w io.Writer) error { _, err := w.Write(b); return err })
}

// Check reads the protocol at path and its data as a run would and returns the number of
// rows kept; every fault is in the error.
func Check(ctx context.Context, env *Env, path string) (int, []diag.Warning, error) {
	p, err := Read(path, env)
	if err != nil {
		return 0, nil, err
	}
	c, err := buildCohort(ctx, p, 0)
	if err != nil {
		return 0, nil, err
	}
	plan, err := planOf(p, env)
	if err != nil {
		return 0, nil, err
	}
	return c.data.Rows(), c.warnings, evaluate.Check(c.data, plan, rng.New(p.Seed).Child("evaluate"))
}

// Show reads results.json of a study folder.
func Show(dir string) (*assess.Results, error) {
	path := filepath.Join(dir, "results.json")
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, diag.FileError(path, err)
	}
	var r assess.Results
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Pos: diag.Pos{File: "results.json"}, Msg: "expected the results of a study", Err: err}
	}
	if r.Format != 1 {
		return nil, diag.Errorf(diag.Unsupported, "results.json", "expected format 1, got %d", r.Format)
	}
	return &r, nil
}
