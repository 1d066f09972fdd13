package study

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"dolor/assess"
	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/atomicfile"
	"dolor/rng"
)

// material is what a study folder keeps and everything else is derived from.
type material struct {
	Protocol    *Protocol
	Cohort      CohortFile
	Fits        FitsFile
	Frame       *frame.Frame // predictors and subgroup columns of the rows kept
	Predictions *evaluate.Predictions
	Trials      []evaluate.Trial
	// Attributions of held-out rows; never nil, empty in folders of earlier versions.
	Attributions *attributions
}

// CohortFile is cohort.json.
type CohortFile struct {
	Outcome  string              `json:"outcome"`
	Horizon  float64             `json:"horizon_days,omitempty"`
	N        int                 `json:"n"`
	Events   int                 `json:"events"`
	Flow     []assess.FlowStep   `json:"flow"`
	Inputs   []assess.Provenance `json:"inputs"`
	Left     []string            `json:"left_out,omitempty"` // known only after time zero
	Warnings []diag.Warning      `json:"warnings,omitempty"`
	// Predictors are the columns of frame.parquet that are predictors; the others are keys,
	// outcome and subgroups.
	Predictors  []string `json:"predictors"`
	Development int      `json:"development"`
	Temporal    int      `json:"temporal"`
	External    int      `json:"external"`
}

// FitsFile is fits.json: what every fit chose, the optimism of every bootstrap replicate,
// and the equations of the final models.
type FitsFile struct {
	Tasks      []evaluate.TaskReport `json:"tasks"`
	Optimism   []evaluate.Optimism   `json:"optimism,omitempty"`
	Equations  []assess.Equation     `json:"equations"`
	Parameters map[string]int        `json:"parameters"` // candidate parameters a family, for sample size
	Suspects   []evaluate.Suspect    `json:"suspects,omitempty"`
	Warnings   []diag.Warning        `json:"warnings,omitempty"`
	// Attributions says what attributions.parquet means.
	Attributions []AttributionFits `json:"attributions,omitempty"`
}

// The key columns of frame.parquet.
const (
	keyRow     = "dolor:row"
	keyPatient = "dolor:patient"
	keySite    = "dolor:site"
	keyPart    = "dolor:part" // development, temporal, external
	keyOutcome = "dolor:outcome"
)

func materialOf(ctx context.Context, p *Protocol, c *cohort, res *evaluate.Result) (*material, error) {
	d := c.data
	m := &material{Protocol: p, Predictions: res.Predictions, Trials: res.Trials, Attributions: &attributions{}}
	for i := range m.Predictions.Row { // rows of the data as read, not of the rows kept
		m.Predictions.Row[i] = c.rowNumber[m.Predictions.Row[i]-1]
	}
	m.Cohort = CohortFile{
		Outcome: c.outcome, Horizon: d.Horizon, N: d.Rows(), Events: countTrue(d.Y), Flow: c.flow, Inputs: c.inputs,
		Left: c.left, Warnings: c.warnings, Predictors: d.X.Schema().Names(),
		Development: len(res.Development), Temporal: len(res.Temporal), External: len(res.External),
	}
	suspects, err := evaluate.Suspects(ctx, d, res.Development, rng.New(p.Seed).Child("suspects"))
	if err != nil {
		return nil, err
	}
	m.Fits = FitsFile{Tasks: res.Tasks, Optimism: res.Optimism, Warnings: res.Warnings, Suspects: suspects, Parameters: map[string]int{}}
	for _, f := range res.Final {
		if f.HoldsValues() {
			m.Fits.Warnings = diag.Merge(m.Fits.Warnings, diag.Warning{
				Code: "bundle_not_written", Count: 1, First: f.Family.Name,
				Msg: "the model keeps training values for its imputation, so no bundle was written; impute by median or impute_chained with bayesian_ridge to take it elsewhere",
			})
		}
		e, parameters := equationOf(f)
		m.Fits.Parameters[f.Family.Name] = parameters
		if e != nil {
			m.Fits.Equations = append(m.Fits.Equations, *e)
		}
	}
	m.addAttributions(res.Attributions, d.Patient, c.rowNumber)
	m.Frame, err = keyedFrame(p, c, res)
	return m, err
}

// keyedFrame is the table kept in the study folder.
func keyedFrame(p *Protocol, c *cohort, res *evaluate.Result) (*frame.Frame, error) {
	d := c.data
	part := make([]int32, d.Rows())
	for _, r := range res.Temporal {
		part[r] = 1
	}
	for _, r := range res.External {
		part[r] = 2
	}
	row, y := make([]float64, d.Rows()), make([]float64, d.Rows())
	for i := range row {
		row[i] = float64(c.rowNumber[i])
		if d.Y[i] {
			y[i] = 1
		}
	}
	cols := []frame.Column{
		frame.NumberColumn(frame.Field{Name: keyRow}, row),
		frame.CategoryColumn(frame.Field{Name: keyPart, Levels: []string{"development", "temporal", "external"}}, part),
		frame.NumberColumn(frame.Field{Name: keyOutcome}, y),
	}
	if d.Patient != nil {
		cols = append(cols, frame.TextColumn(frame.Field{Name: keyPatient}, d.Patient, nil))
	}
	if d.Site != nil {
		cols = append(cols, frame.TextColumn(frame.Field{Name: keySite}, d.Site, nil))
	}
	for i := range d.X.Cols() {
		cols = append(cols, d.X.At(i))
	}
	for _, s := range p.Subgroups {
		if _, ok := d.X.Column(s); !ok {
			col, _ := c.raw.Column(s)
			cols = append(cols, col)
		}
	}
	return frame.New(d.Rows(), cols...)
}

func (m *material) write(folder *atomicfile.Folder) error {
	for name, v := range map[string]any{"protocol.json": m.Protocol, "cohort.json": m.Cohort, "fits.json": m.Fits} {
		if err := writeJSON(folder, name, v); err != nil {
			return err
		}
	}
	if err := m.Frame.WriteParquet(filepath.Join(folder.Path(), "frame.parquet")); err != nil {
		return err
	}
	table, err := m.Predictions.Frame()
	if err != nil {
		return err
	}
	if err := table.WriteParquet(filepath.Join(folder.Path(), "predictions.parquet")); err != nil {
		return err
	}
	if err := m.Attributions.write(folder); err != nil {
		return err
	}
	return folder.WriteFile("trials.jsonl", func(w io.Writer) error {
		enc := json.NewEncoder(w)
		for _, t := range m.Trials {
			if err := enc.Encode(trialJSON(t)); err != nil {
				return err
			}
		}
		return nil
	})
}

// trialJSON writes undefined scores as null.
func trialJSON(t evaluate.Trial) any {
	folds := make([]assess.Num, len(t.Folds))
	for i, v := range t.Folds {
		folds[i] = assess.Num(v)
	}
	return struct {
		Task   string       `json:"task"`
		Family string       `json:"family"`
		Trial  int          `json:"trial"`
		Params any          `json:"params"`
		Metric string       `json:"metric"`
		Value  assess.Num   `json:"value"`
		Folds  []assess.Num `json:"folds"`
		Chosen bool         `json:"chosen"`
	}{t.Task, t.Family, t.Trial, t.Params, t.Metric, assess.Num(t.Value), folds, t.Chosen}
}

// keptFiles are what Rederive takes over as they are.
var keptFiles = []string{"protocol.json", "cohort.json", "fits.json", "frame.parquet", "predictions.parquet", "trials.jsonl"}

func copyKept(dir string, folder *atomicfile.Folder) error {
	names := slices.Clone(keptFiles)
	others, err := filepath.Glob(filepath.Join(dir, "models", "*.dolor"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "model.dolor")); err == nil {
		names = append(names, "model.dolor")
	}
	if _, err := os.Stat(filepath.Join(dir, attributionsFile)); err == nil {
		names = append(names, attributionsFile)
	}
	for _, o := range others {
		names = append(names, "models/"+filepath.Base(o))
	}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return diag.FileError(filepath.Join(dir, name), err)
		}
		if err := folder.WriteFile(name, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
			return err
		}
	}
	return nil
}

// readMaterial reads a study folder back.
func readMaterial(ctx context.Context, env *Env, dir string) (*material, error) {
	m := &material{}
	src, err := os.ReadFile(filepath.Join(dir, "protocol.json"))
	if err != nil {
		return nil, diag.FileError(filepath.Join(dir, "protocol.json"), err)
	}
	if m.Protocol, err = Parse("protocol.json", src, env); err != nil {
		return nil, err
	}
	for name, v := range map[string]any{"cohort.json": &m.Cohort, "fits.json": &m.Fits} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, diag.FileError(filepath.Join(dir, name), err)
		}
		if err := json.Unmarshal(b, v); err != nil {
			return nil, &diag.Error{Kind: diag.Invalid, Pos: diag.Pos{File: name}, Msg: "not readable", Err: err}
		}
	}
	if m.Frame, _, err = frame.ReadParquet(ctx, filepath.Join(dir, "frame.parquet"), nil); err != nil {
		return nil, err
	}
	table, _, err := frame.ReadParquet(ctx, filepath.Join(dir, "predictions.parquet"), nil)
	if err != nil {
		return nil, err
	}
	if m.Predictions, err = evaluate.PredictionsFrom(table); err != nil {
		return nil, err
	}
	m.Attributions, err = readAttributions(ctx, dir)
	return m, err
}

// input hands the material to assess.
func (m *material) input(o *Options) *assess.Input {
	p := m.Protocol
	in := &assess.Input{
		Study: p.Study, Simulated: p.Simulated, Outcome: m.Cohort.Outcome, Horizon: m.Cohort.Horizon,
		Level: p.Level, Decision: p.Thresholds.Decision, Thresholds: p.allThresholds(),
		CurveFrom: p.Thresholds.Curve[0], CurveTo: p.Thresholds.Curve[1],
		Primary: p.Primary, Predictions: m.Predictions, Optimism: m.Fits.Optimism, Tasks: m.Fits.Tasks,
		Predictors: m.Cohort.Predictors, Frame: m.Frame, Subgroups: p.Subgroups, Parameters: m.Fits.Parameters,
		Flow: slices.Clone(m.Cohort.Flow), Inputs: m.Cohort.Inputs, Equations: m.Fits.Equations,
		Stream: rng.New(p.Seed).Child("assess"), Workers: o.Workers, Progress: o.Progress,
	}
	for _, spec := range p.Models {
		in.Families = append(in.Families, spec.Family)
	}
	in.Flow = append(in.Flow, assess.FlowStep{Label: "Development", N: m.Cohort.Development})
	if m.Cohort.Temporal > 0 {
		in.Flow = append(in.Flow, assess.FlowStep{Label: "Temporal validation", N: m.Cohort.Temporal})
	}
	if m.Cohort.External > 0 {
		in.Flow = append(in.Flow, assess.FlowStep{Label: "External validation", N: m.Cohort.External})
	}
	in.Keys = assess.Keys{Row: keyRow, Site: keySite, Part: keyPart, Outcome: keyOutcome}
	in.Warnings = diag.Merge(slices.Clone(m.Cohort.Warnings), m.Fits.Warnings...)
	for _, s := range m.Fits.Suspects {
		in.Warnings = diag.Merge(in.Warnings, s.Warning())
	}
	return in
}

func roundedMedian(v []float64) any {
	var x []float64
	for _, a := range v {
		if !math.IsNaN(a) {
			x = append(x, a)
		}
	}
	if len(x) == 0 {
		return nil
	}
	slices.Sort(x)
	m := x[len(x)/2]
	if m == 0 {
		return 0.0
	}
	scale := math.Pow(10, 1-math.Floor(math.Log10(math.Abs(m))))
	return math.Round(m*scale) / scale
}
