package assess

import (
	"context"
	"fmt"
	"math"
	"slices"

	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/par"
	"dolor/progress"
	"dolor/rng"
)

// Keys names the key columns of Input.Frame.
type Keys struct{ Row, Site, Part, Outcome string }

// Input is what a study leaves to be judged.
type Input struct {
	Study       string
	Simulated   bool
	Outcome     string  // in words
	Horizon     float64 // days; 0 for a binary outcome
	Level       float64
	Decision    float64
	Thresholds  []float64
	CurveFrom   float64
	CurveTo     float64
	Primary     string
	Families    []string
	Predictions *evaluate.Predictions
	Optimism    []evaluate.Optimism
	Tasks       []evaluate.TaskReport
	Frame       *frame.Frame
	Keys        Keys
	Predictors  []string // columns of Frame
	Subgroups   []string // columns of Frame
	Parameters  map[string]int
	Flow        []FlowStep
	Inputs      []Provenance
	Equations   []Equation
	Warnings    []diag.Warning

	Stream   rng.Stream
	Workers  int
	Progress progress.Func
}

// Compute derives every number and curve. It fits nothing to predictors; the smooth
// calibration curves and the recalibration slopes it fits are measurements. The result does
// not depend on Workers.
func Compute(ctx context.Context, in *Input) (*Results, error) {
	r := &Results{
		Format: 1, Study: in.Study, Simulated: in.Simulated, Outcome: in.Outcome, Level: in.Level,
		Decision: in.Decision, Thresholds: in.Thresholds, Primary: in.Primary, Families: in.Families,
		N: in.Frame.Rows(), Inputs: in.Inputs, Flow: in.Flow, Equations: in.Equations, Warnings: in.Warnings,
	}
	if c, ok := in.Frame.Column(in.Keys.Outcome); ok {
		for _, v := range c.Numbers() {
			if v == 1 {
				r.Events++
			}
		}
	}
	describe(in, r)
	jobs := in.jobs()
	done := make([]*judged, len(jobs))
	err := par.For(ctx, len(jobs), in.Workers, func(ctx context.Context, i int) error {
		j, err := in.judge(ctx, jobs[i])
		done[i] = j
		in.Progress.Report("measures", i+1, len(jobs))
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, j := range done {
		r.Rows = append(r.Rows, j.rows...)
		r.Comparisons = append(r.Comparisons, j.comparisons...)
		if j.curves != nil {
			r.Curves = append(r.Curves, *j.curves)
		}
		r.Warnings = diag.Merge(r.Warnings, j.warnings...)
	}
	pooled(in, r)
	corrected(in, r)
	sampleSize(in, r)
	choices(in, r)
	cautions(r)
	r.Notes = notes(in, r)
	return r, nil
}

// job is one family under one validation, over all rows or one site or one subgroup level.
type job struct {
	selection
	subgroup, stratum string
	curves            bool
}

// jobs lists what is judged, in a fixed order.
func (in *Input) jobs() []job {
	have := make(map[[2]string]map[string]bool) // family, validation -> sites
	for i := range in.Predictions.Len() {
		k := [2]string{in.Predictions.Family[i], in.Predictions.Validation[i]}
		if have[k] == nil {
			have[k] = make(map[string]bool)
		}
		have[k][in.Predictions.Site[i]] = true
	}
	var jobs []job
	for _, v := range []string{Apparent, Internal, Temporal, External, SiteOut} {
		for _, f := range in.Families {
			sites, ok := have[[2]string{f, v}]
			if !ok {
				continue
			}
			base := selection{family: f, configuration: "all", validation: v}
			names := make([]string, 0, len(sites))
			for s := range sites {
				names = append(names, s)
			}
			slices.Sort(names)
			if v == SiteOut || v == External && len(names) > 1 {
				for _, s := range names {
					one := base
					one.site = s
					jobs = append(jobs, job{selection: one, curves: true})
				}
				if v == SiteOut {
					continue
				}
			}
			if v == External && len(names) == 1 {
				base.site = names[0]
			}
			jobs = append(jobs, job{selection: base, curves: v != Apparent || in.onlyApparent()})
			if v == Apparent {
				continue
			}
			for _, g := range in.Subgroups {
				for _, l := range in.strata(g) {
					sub := base
					sub.rows = l.rows
					jobs = append(jobs, job{selection: sub, subgroup: g, stratum: l.name})
				}
			}
		}
	}
	return jobs
}

// onlyApparent reports whether no prediction is held out: then the apparent curves are all
// there is to draw.
func (in *Input) onlyApparent() bool {
	return !slices.ContainsFunc(in.Predictions.Validation, func(v string) bool { return v != Apparent })
}

// stratum is one level of a subgroup column with its rows.
type stratum struct {
	name string
	rows map[int]bool
}

// strata divides the rows by a subgroup column: levels of a category, or below and from the
// median of a number. Rows without a value form no stratum.
func (in *Input) strata(column string) []stratum {
	c, ok := in.Frame.Column(column)
	if !ok {
		return nil
	}
	keys, _ := in.Frame.Column(in.Keys.Row)
	row := func(i int) int { return int(keys.Numbers()[i]) }
	var out []stratum
	if c.Kind == frame.Number && len(distinct(c, 7)) > 6 {
		m := quantile7(present(c), 0.5)
		low, high := stratum{fmt.Sprintf("below %.4g", m), map[int]bool{}}, stratum{fmt.Sprintf("%.4g or more", m), map[int]bool{}}
		for i, v := range c.Numbers() {
			switch {
			case math.IsNaN(v):
			case v < m:
				low.rows[row(i)] = true
			default:
				high.rows[row(i)] = true
			}
		}
		return []stratum{low, high}
	}
	for _, name := range distinct(c, 50) {
		s := stratum{name, map[int]bool{}}
		for i := range c.Len() {
			if v, ok := c.String(i); ok && v == name {
				s.rows[row(i)] = true
			}
		}
		out = append(out, s)
	}
	return out
}

// judged is what one job gives.
type judged struct {
	rows        []Row
	comparisons []Comparison
	curves      *Curves
	warnings    []diag.Warning
}

func (in *Input) judge(ctx context.Context, j job) (*judged, error) {
	s := stackOf(in.Predictions, j.selection)
	out := &judged{}
	m := &measurer{in: in, s: s, j: j, stream: in.Stream.Child(j.family, 0).Child(j.validation).Child(j.site).Child(j.subgroup).Child(j.stratum)}
	if err := m.all(ctx); err != nil {
		return nil, fmt.Errorf("%s %s: %w", j.family, j.validation, err)
	}
	out.rows, out.warnings = m.rows, m.warnings
	if j.family != in.Primary && j.validation != Apparent && j.subgroup == "" && slices.Contains(in.Families, in.Primary) {
		a := j.selection
		a.family = in.Primary
		out.comparisons = compare(in, j, stackOf(in.Predictions, a), s)
	}
	if j.curves {
		c, err := m.curves(ctx)
		if err != nil {
			return nil, err
		}
		out.curves = c
	}
	return out, nil
}
