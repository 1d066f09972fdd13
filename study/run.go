package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dolor/assess"
	"dolor/bundle"
	"dolor/diag"
	"dolor/evaluate"
	"dolor/figure"
	"dolor/frame"
	"dolor/internal/atomicfile"
	"dolor/preprocess"
	"dolor/progress"
	"dolor/report"
	"dolor/rng"
)

// Options of a run; nil is allowed.
type Options struct {
	Workers  int // 0: the cores; changes nothing in what is written
	Progress progress.Func
	Resume   bool // continue with the finished fits of a stopped run
}

// markers are the files by which a folder is known as a study folder, which a run may replace.
var markers = []string{"protocol.json", "results.json"}

// Run carries out the protocol and leaves the study folder at out, whole or not at all. While
// it runs, finished fits are kept in out + ".partial"; a run with Resume continues there.
// Errors have the kinds of package diag; a folder already at out is replaced only when it is
// a study folder, and only once the new one is complete.
func Run(ctx context.Context, env *Env, p *Protocol, out string, o *Options) (*assess.Results, error) {
	if o == nil {
		o = &Options{}
	}
	if p.Validation.Frozen != "" {
		return nil, diag.Errorf(diag.Unsupported, "validation.frozen", "this protocol describes the validation of a frozen model; use the validate command")
	}
	folder, err := atomicfile.Dir(out, markers...)
	if err != nil {
		return nil, err
	}
	defer folder.Abort()
	c, err := buildCohort(ctx, p, o.Workers)
	if err != nil {
		return nil, err
	}
	plan, err := planOf(p, env)
	if err != nil {
		return nil, err
	}
	shown := p.relativeTo(out)
	kept, err := openPartial(out+".partial", fingerprint(env, p, c), o.Resume)
	if err != nil {
		return nil, err
	}
	root := rng.New(p.Seed)
	res, err := evaluate.Run(ctx, c.data, plan, &evaluate.Options{
		Stream: root.Child("evaluate"), Workers: o.Workers, Progress: o.Progress, Checkpoint: kept,
		Explain: explainHeldOut,
	})
	if err != nil {
		kept.removeIfEmpty()
		return nil, err
	}
	m, err := materialOf(ctx, shown, c, res)
	if err != nil {
		return nil, err
	}
	if err := m.write(folder); err != nil {
		return nil, err
	}
	if err := writeBundles(ctx, env, p, c, res, folder); err != nil {
		return nil, err
	}
	results, err := m.derive(ctx, env, folder, o)
	if err != nil {
		return nil, err
	}
	if err := folder.Commit(); err != nil {
		return nil, err
	}
	return results, kept.remove()
}

// Resume is Run with Resume set.
func Resume(ctx context.Context, env *Env, p *Protocol, out string, o *Options) (*assess.Results, error) {
	var again Options
	if o != nil {
		again = *o
	}
	again.Resume = true
	return Run(ctx, env, p, out, &again)
}

// Rederive computes results, figures and report again from the predictions and the other
// files of the study folder dir. Nothing is fitted to the patients again.
func Rederive(ctx context.Context, env *Env, dir string, o *Options) (*assess.Results, error) {
	if o == nil {
		o = &Options{}
	}
	m, err := readMaterial(ctx, env, dir)
	if err != nil {
		return nil, err
	}
	folder, err := atomicfile.Dir(dir, markers...)
	if err != nil {
		return nil, err
	}
	defer folder.Abort()
	if err := copyKept(dir, folder); err != nil {
		return nil, err
	}
	results, err := m.derive(ctx, env, folder, o)
	if err != nil {
		return nil, err
	}
	return results, folder.Commit()
}

// planOf turns the protocol into a validation plan.
func planOf(p *Protocol, env *Env) (*evaluate.Plan, error) {
	plan := &evaluate.Plan{Inner: 5, LeaveSiteOut: p.Validation.Sites != "", Bootstrap: p.Validation.Bootstrap}
	plan.Thresholds = p.allThresholds()
	if in := p.Validation.Internal; in != nil {
		plan.Outer, plan.Inner, plan.Repeats = in.Outer, in.Inner, in.Repeats
	}
	if t := p.Validation.Temporal; t != nil {
		d, err := parseDate(t.TestFrom)
		if err != nil {
			return nil, err
		}
		plan.TemporalFrom = d
	}
	if e := p.Validation.External; e != nil {
		plan.External = e.Site
	}
	chain, err := chainOf(p.Preprocess)
	if err != nil {
		return nil, err
	}
	for _, m := range p.Models {
		f, _ := env.Family(m.Family)
		params, err := paramsOf(f, m.Params)
		if err != nil {
			return nil, err
		}
		r := evaluate.Recipe{
			Family: f, Params: params, Calibration: p.Calibration.Method,
			Tuning: evaluate.Tuning{Method: p.Tuning.Method, Trials: p.Tuning.Trials, Metric: p.Tuning.Metric},
		}
		if f.Dense {
			r.Steps, r.Imputations = chain, p.Imputations // the others read missing values as they are
		}
		plan.Recipes = append(plan.Recipes, r)
	}
	return plan, nil
}

func chainOf(specs []StepSpec) (preprocess.Chain, error) {
	var chain preprocess.Chain
	for _, s := range specs {
		step, err := stepOf(s)
		if err != nil {
			return nil, err
		}
		chain = append(chain, preprocess.Stage{Name: s.Step, Step: step})
	}
	return chain, nil
}

// specOf writes a stage as the protocol has it.
func specOf(s preprocess.Stage) (StepSpec, error) {
	b, err := json.Marshal(s.Step)
	if err != nil {
		return StepSpec{}, err
	}
	spec := StepSpec{Step: s.Name}
	if err := json.Unmarshal(b, &spec.Settings); err != nil {
		return StepSpec{}, err
	}
	return spec, nil
}

// allThresholds is the decision threshold and the others to report, increasing.
func (p *Protocol) allThresholds() []float64 {
	t := append([]float64{p.Thresholds.Decision}, p.Thresholds.Report...)
	t = append(t, p.Thresholds.Strata...)
	slices.Sort(t)
	return slices.Compact(t)
}

// relativeTo returns p with data paths as seen from the folder dir, so that the protocol in
// a study folder can be run again where it stands, and names no machine.
func (p *Protocol) relativeTo(dir string) *Protocol {
	q := *p
	q.Data.Path = slices.Clone(p.Data.Path)
	base, err := filepath.Abs(dir)
	if err != nil {
		return &q
	}
	for i, f := range q.Data.Path {
		abs, err := filepath.Abs(f)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(base, abs); err == nil {
			q.Data.Path[i] = filepath.ToSlash(rel)
		}
	}
	return &q
}

// fingerprint identifies protocol, data and program: a checkpoint of another is no use.
func fingerprint(env *Env, p *Protocol, c *cohort) string {
	h := sha256.New()
	b, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	h.Write(b)
	for _, in := range c.inputs {
		h.Write([]byte(in.SHA256))
	}
	h.Write([]byte(env.Version))
	return hex.EncodeToString(h.Sum(nil))
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // the file was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// writeBundles writes model.dolor for the primary family and models/ for the others.
func writeBundles(ctx context.Context, env *Env, p *Protocol, c *cohort, res *evaluate.Result, folder *atomicfile.Folder) error {
	row := medianRow(c.data.X.Take(res.Development))
	for _, f := range res.Final {
		if f.HoldsValues() {
			continue // materialOf has warned
		}
		ex, err := bundle.NewExample(ctx, f, row)
		if err != nil {
			return err
		}
		b := &bundle.Bundle{Version: env.Version, Fitted: f, Example: ex, Card: bundle.Card{
			Study: p.Study, Outcome: c.outcome, Simulated: p.Simulated, IntendedUse: p.Card.IntendedUse,
			Population: p.Card.Population, Limitations: p.Card.Limitations, Contact: p.Card.Contact,
			Decision: p.Thresholds.Decision, Horizon: p.Cohort.Outcome.Horizon,
		}}
		name := "model.dolor"
		if f.Family.Name != p.Primary {
			name = "models/" + f.Family.Name + ".dolor"
		}
		content, err := b.Encode()
		if err != nil {
			return err
		}
		if err := folder.WriteFile(name, func(w io.Writer) error { _, err := w.Write(content); return err }); err != nil {
			return err
		}
	}
	return nil
}

// medianRow is an invented patient: the median of each number (rounded to two digits, so no
// patient's value need be it) and the commonest level of each category.
func medianRow(x *frame.Frame) map[string]any {
	row := make(map[string]any)
	for i := range x.Cols() {
		c := x.At(i)
		switch c.Kind {
		case frame.Category:
			counts := make([]int, len(c.Levels))
			for _, k := range c.Codes() {
				if k >= 0 {
					counts[k]++
				}
			}
			row[c.Name] = nil
			if len(counts) > 0 {
				row[c.Name] = c.Levels[slices.Index(counts, slices.Max(counts))]
			}
		default:
			row[c.Name] = roundedMedian(c.Numbers())
		}
	}
	return row
}

func writeJSON(folder *atomicfile.Folder, name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return folder.WriteFile(name, func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
}

// derive writes everything that follows from the material: results.json, tripod.json,
// figures and report.html.
func (m *material) derive(ctx context.Context, env *Env, folder *atomicfile.Folder, o *Options) (*assess.Results, error) {
	results, err := assess.Compute(ctx, m.input(o))
	if err != nil {
		return nil, err
	}
	explanations, ws, err := m.explanations(ctx, o)
	if err != nil {
		return nil, err
	}
	results.Attributions, results.Warnings = explanations, diag.Merge(results.Warnings, ws...)
	if err := writeJSON(folder, "results.json", results); err != nil {
		return nil, err
	}
	protocol, err := json.MarshalIndent(m.Protocol, "", "  ")
	if err != nil {
		return nil, err
	}
	in := &report.Input{Results: results, Protocol: protocol, Version: env.Version}
	if _, err := figure.WriteAll(filepath.Join(folder.Path(), "figures"), results); err != nil {
		return nil, err
	}
	if err := writeJSON(folder, "tripod.json", report.NewTripod(results, protocol)); err != nil {
		return nil, err
	}
	if err := folder.WriteFile("report.html", func(w io.Writer) error { return report.HTML(w, in) }); err != nil {
		return nil, err
	}
	return results, folder.WriteFile("run.log", func(w io.Writer) error { return writeLog(w, m, results) })
}

// writeLog lists what was done, without times or machine, so that it repeats.
func writeLog(w io.Writer, m *material, r *assess.Results) error {
	var b strings.Builder
	fmt.Fprintf(&b, "study %s, seed %d\n", m.Protocol.Study, m.Protocol.Seed)
	for _, in := range r.Inputs {
		fmt.Fprintf(&b, "read %s: %d rows, sha256 %s\n", in.File, in.Rows, in.SHA256)
	}
	for _, s := range r.Flow {
		fmt.Fprintf(&b, "cohort: %s: %d", s.Label, s.N)
		if s.Excluded > 0 {
			fmt.Fprintf(&b, " (%d left out: %s)", s.Excluded, s.Reason)
		}
		b.WriteByte('\n')
	}
	for _, t := range m.Fits.Tasks {
		fmt.Fprintf(&b, "fit %s: train n %d, %d events; test n %d, %d events; calibration %s\n",
			t.Key(), t.TrainN, t.TrainEvents, t.TestN, t.TestEvents, t.Calibration)
	}
	for _, x := range r.Warnings {
		fmt.Fprintf(&b, "warning %s: %s (%d)\n", x.Code, x.Msg, x.Count)
	}
	fmt.Fprintf(&b, "results: %d rows\n", len(r.Rows))
	_, err := io.WriteString(w, b.String())
	return err
}
