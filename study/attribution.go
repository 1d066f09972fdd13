package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dolor/diag"
	"dolor/evaluate"
	"dolor/explain"
	"dolor/frame"
	"dolor/internal/atomicfile"
	"dolor/rng"
)

// attributionsFile holds, for each row that a fit had not seen, the score of that fit in parts.
const attributionsFile = "attributions.parquet"

// The key columns of attributions.parquet; the others are predictors.
const (
	keyFamily     = "dolor:family"
	keyValidation = "dolor:validation"
	keyRepeat     = "dolor:repeat"
	keyFold       = "dolor:fold"
	keyBase       = "dolor:base"
)

// AttributionFits says what the attributions of one family under one validation mean; the
// numbers are in attributions.parquet.
type AttributionFits struct {
	Family     string   `json:"family"`
	Validation string   `json:"validation"`
	Scale      string   `json:"scale,omitempty"`
	Background []string `json:"background,omitempty"` // of the fits that differ in it, in order of appearance
	Averaging  string   `json:"averaging,omitempty"`  // over the members of one fit
	Note       string   `json:"note,omitempty"`       // why a fit has none
}

// attributions is attributions.parquet in memory, one entry a row and fit.
type attributions struct {
	row          []int
	patient      []string
	family       []string
	validation   []string
	repeat, fold []int
	base         []float64
	predictors   []string
	phi          [][]float64 // by predictor; NaN where the fit has no such predictor
}

// explainHeldOut is the study's evaluate.Explainer. A fit that cannot be explained costs its explanation,
// not the study: it says why in Note.
func explainHeldOut(ctx context.Context, f *evaluate.Fitted, x *frame.Frame) (*evaluate.Explained, error) {
	a, err := explain.Attribute(ctx, f, x, &explain.Options{Workers: 1})
	switch {
	case diag.KindOf(err) == diag.Canceled:
		return nil, err
	case err != nil:
		return &evaluate.Explained{Note: err.Error()}, nil //nolint:nilerr // the note carries it to results and report
	}
	return &evaluate.Explained{
		Predictors: a.Phi.Names, Phi: a.Phi.Data, Base: a.Base,
		Scale: a.Scale, Background: a.Background, Averaging: a.Averaging,
	}, nil
}

// addAttributions takes over what the fits said. number gives the row of the data as read.
func (m *material) addAttributions(parts []evaluate.Attributions, patient []string, number []int) {
	for _, p := range parts {
		if p.Note != "" {
			for _, v := range p.Validation {
				m.attributionFits(p.Family, v).Note = p.Note
			}
			continue
		}
		info := m.attributionFits(p.Family, p.Validation[0])
		info.Scale, info.Averaging = p.Scale, p.Averaging
		if !slices.Contains(info.Background, p.Background) {
			info.Background = append(info.Background, p.Background)
		}
		for i, v := range p.Validation {
			m.attributionFits(p.Family, v).like(info)
			row, who := p.Row[i]-1, ""
			if patient != nil {
				who = patient[row]
			}
			n := len(p.Predictors)
			m.Attributions.add(number[row], who, p.Family, v, p.Repeat, p.Fold, p.Base[i], p.Predictors, p.Phi[i*n:(i+1)*n])
		}
	}
}

// attributionFits returns the entry of family and validation, made when there is none.
func (m *material) attributionFits(family, validation string) *AttributionFits {
	for i := range m.Fits.Attributions {
		if a := &m.Fits.Attributions[i]; a.Family == family && a.Validation == validation {
			return a
		}
	}
	m.Fits.Attributions = append(m.Fits.Attributions, AttributionFits{Family: family, Validation: validation})
	return &m.Fits.Attributions[len(m.Fits.Attributions)-1]
}

// like gives a the facts of b: the final fit explains the temporal and the external test alike.
func (a *AttributionFits) like(b *AttributionFits) {
	if a.Scale == "" {
		a.Scale, a.Averaging, a.Background = b.Scale, b.Averaging, slices.Clone(b.Background)
	}
}

func (a *attributions) add(row int, patient, family, validation string, repeat, fold int, base float64, names []string, phi []float64) {
	n := len(a.row)
	a.row, a.patient, a.family = append(a.row, row), append(a.patient, patient), append(a.family, family)
	a.validation, a.repeat, a.fold = append(a.validation, validation), append(a.repeat, repeat), append(a.fold, fold)
	a.base = append(a.base, base)
	for j, name := range names {
		k := j
		if k >= len(a.predictors) || a.predictors[k] != name {
			k = slices.Index(a.predictors, name)
		}
		if k < 0 {
			k = len(a.predictors)
			a.predictors = append(a.predictors, name)
			a.phi = append(a.phi, slices.Repeat([]float64{math.NaN()}, n))
		}
		a.phi[k] = append(a.phi[k], phi[j])
	}
	for k := range a.phi {
		if len(a.phi[k]) == n {
			a.phi[k] = append(a.phi[k], math.NaN())
		}
	}
}

// write leaves attributions.parquet, unless no fit could be explained.
func (a *attributions) write(folder *atomicfile.Folder) error {
	n := len(a.row)
	if n == 0 {
		return nil
	}
	ints := func(v []int) []float64 {
		out := make([]float64, len(v))
		for i, x := range v {
			out[i] = float64(x)
		}
		return out
	}
	has := make([]bool, n)
	for i, p := range a.patient {
		has[i] = p != ""
	}
	cols := []frame.Column{
		frame.NumberColumn(frame.Field{Name: keyRow}, ints(a.row)),
		frame.TextColumn(frame.Field{Name: keyPatient}, a.patient, has),
		frame.TextColumn(frame.Field{Name: keyFamily}, a.family, nil),
		frame.TextColumn(frame.Field{Name: keyValidation}, a.validation, nil),
		frame.NumberColumn(frame.Field{Name: keyRepeat}, ints(a.repeat)),
		frame.NumberColumn(frame.Field{Name: keyFold}, ints(a.fold)),
		frame.NumberColumn(frame.Field{Name: keyBase}, a.base),
	}
	for k, name := range a.predictors {
		cols = append(cols, frame.NumberColumn(frame.Field{Name: name}, a.phi[k]))
	}
	table, err := frame.New(n, cols...)
	if err != nil {
		return err
	}
	return table.WriteParquet(filepath.Join(folder.Path(), attributionsFile))
}

// readAttributions reads the file of dir; a folder without one has none.
func readAttributions(ctx context.Context, dir string) (*attributions, error) {
	a := &attributions{}
	path := filepath.Join(dir, attributionsFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	t, _, err := frame.ReadParquet(ctx, path, nil)
	if err != nil {
		return nil, err
	}
	var faults diag.List
	num := func(name string) []float64 {
		c, ok := t.Column(name)
		if !ok || c.Numbers() == nil {
			faults.Addf(diag.Invalid, name, "expected a number column in the attributions table")
			return make([]float64, t.Rows())
		}
		return c.Numbers()
	}
	ints := func(name string) []int {
		out := make([]int, t.Rows())
		for i, v := range num(name) {
			out[i] = int(v)
		}
		return out
	}
	text := func(name string) []string {
		out := make([]string, t.Rows())
		c, ok := t.Column(name)
		if !ok {
			faults.Addf(diag.Invalid, name, "expected this column in the attributions table")
			return out
		}
		for i := range out {
			out[i], _ = c.String(i)
		}
		return out
	}
	a.row, a.patient, a.family, a.validation = ints(keyRow), text(keyPatient), text(keyFamily), text(keyValidation)
	a.repeat, a.fold, a.base = ints(keyRepeat), ints(keyFold), num(keyBase)
	for _, f := range t.Schema() {
		if !strings.HasPrefix(f.Name, "dolor:") {
			a.predictors = append(a.predictors, f.Name)
			a.phi = append(a.phi, num(f.Name))
		}
	}
	return a, faults.Err()
}

// explanations derives the summary of each family under each validation from the attributions
// file. Only the primary family keeps the dots of its figure.
func (m *material) explanations(ctx context.Context, o *Options) ([]explain.Summary, []diag.Warning, error) {
	var out []explain.Summary
	var ws []diag.Warning
	at := make(map[int]int, m.Frame.Rows()) // row as read to row of the frame
	c, ok := m.Frame.Column(keyRow)
	if !ok {
		return nil, nil, m.Frame.NoColumn(keyRow)
	}
	for i, v := range c.Numbers() {
		at[int(v)] = i
	}
	root := rng.New(m.Protocol.Seed).Child("explain")
	for _, info := range m.Fits.Attributions {
		t := m.attributionTable(&info, at)
		s := &explain.Summary{}
		if t == nil && info.Note == "" {
			info.Note = "the folder has no " + attributionsFile
		}
		if t != nil {
			var err error
			s, err = explain.Summarise(ctx, t, &explain.SummaryOptions{
				Level: m.Protocol.Level, Stream: root.Child(info.Family).Child(info.Validation), Workers: o.Workers,
			})
			if err != nil {
				return nil, nil, fmt.Errorf("attributions of %s: %w", info.Family, err)
			}
		}
		if info.Note != "" {
			s.Note = info.Note
			ws = diag.Merge(ws, diag.Warning{Code: "no_attributions", Count: 1, First: info.Family, Msg: "a fit could not be explained: " + info.Note})
		}
		s.Family, s.Validation = info.Family, info.Validation
		if info.Family != m.Protocol.Primary {
			s.Swarm = nil
		}
		out = append(out, *s)
	}
	return out, ws, nil
}

// attributionTable collects the rows of one family and validation; nil when there are none.
func (m *material) attributionTable(info *AttributionFits, at map[int]int) *explain.Table {
	a := m.Attributions
	t := &explain.Table{}
	var rows, entries []int
	fits := make(map[[2]int]int)
	repeats := 0
	for i := range a.row {
		r, ok := at[a.row[i]]
		if !ok || a.family[i] != info.Family || a.validation[i] != info.Validation {
			continue
		}
		key := [2]int{a.repeat[i], a.fold[i]}
		if _, ok := fits[key]; !ok {
			fits[key] = len(fits)
		}
		t.Fold = append(t.Fold, fits[key])
		t.Base, t.Patient = append(t.Base, a.base[i]), append(t.Patient, a.patient[i])
		rows, entries = append(rows, r), append(entries, i)
		repeats = max(repeats, a.repeat[i]+1)
	}
	if len(rows) == 0 {
		return nil
	}
	for k, p := range t.Patient {
		if p == "" { // without an id a row is a patient, the same one in every repeat
			t.Patient[k] = fmt.Sprintf("row %d", a.row[entries[k]])
		}
	}
	var use []int
	for k := range a.phi {
		if !math.IsNaN(a.phi[k][entries[0]]) {
			use = append(use, k)
			t.Phi.Names = append(t.Phi.Names, a.predictors[k])
		}
	}
	names := t.Phi.Names
	t.Phi = frame.NewMatrix(len(entries), len(use))
	t.Phi.Names = names
	for i, e := range entries {
		for j, k := range use {
			t.Phi.Data[i*len(use)+j] = a.phi[k][e]
		}
	}
	t.X = m.Frame.Take(rows)
	m.aboutFits(t, info, len(fits), repeats)
	return t
}

// aboutFits says what the table means, from what the fits were.
func (m *material) aboutFits(t *explain.Table, info *AttributionFits, fits, repeats int) {
	t.Scale, t.Background = info.Scale, explain.JoinBackgrounds(info.Background, fits)
	kind := info.Validation
	if kind == "temporal" || kind == "external" {
		kind = "final"
	}
	var calibrations []string
	share, n := 0.0, 0.0
	for _, task := range m.Fits.Tasks {
		if task.Family != info.Family || task.Kind != kind {
			continue
		}
		if !slices.Contains(calibrations, task.Calibration) {
			calibrations = append(calibrations, task.Calibration)
		}
		if task.TrainN > 0 {
			share += float64(task.TestN) / float64(task.TrainN)
			n++
		}
	}
	slices.Sort(calibrations)
	t.Calibration = strings.Join(calibrations, " or ")
	if n > 0 && fits > 1 {
		t.TestShare = share / n
	}
	t.Averaging = "one model for every row"
	if fits > 1 {
		t.Averaging = fmt.Sprintf("each row by the model that had not seen it, %d fits", fits)
	}
	if repeats > 1 {
		t.Averaging += fmt.Sprintf(", all %d repeats counted", repeats)
	}
	if strings.HasPrefix(info.Averaging, "mean") {
		t.Averaging += "; " + info.Averaging
	}
}

// explainAll explains every row of a frozen model's external validation.
func (m *material) explainAll(ctx context.Context, f *evaluate.Fitted, x *frame.Frame, c *cohort) error {
	e, err := explainHeldOut(ctx, f, x)
	if err != nil {
		return err
	}
	a := evaluate.Attributions{Task: evaluate.Task{Kind: "final", Family: f.Family.Name}, Explained: e}
	for i := range x.Rows() {
		a.Validation, a.Row = append(a.Validation, "external"), append(a.Row, i+1)
	}
	m.addAttributions([]evaluate.Attributions{a}, c.data.Patient, c.rowNumber)
	return nil
}
