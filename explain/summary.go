package explain

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/boot"
	"dolor/internal/par"
	"dolor/rng"
)

// Table is attributions of many rows, as a study collects them.
type Table struct {
	About
	Phi     frame.Matrix // [rows, predictors]
	Base    []float64    // one a row
	X       *frame.Frame // raw predictors, row by row; a column it lacks has no direction
	Patient []string     // rows of one patient stay together; nil: each row is a patient
	Fold    []int        // which fit explained the row; nil: one fit
	// TestShare is held-out over training rows of a fold, 1/(K-1) in K-fold cross-validation;
	// 0 when Fold is nil.
	TestShare float64
}

// SummaryOptions of [Summarise]; nil is allowed.
type SummaryOptions struct {
	Level      float64 // of the intervals; 0: 0.95
	Replicates int     // of the bootstrap; 0: 500, or 200 for over 200,000 attributions
	Top        int     // leading predictors whose overlap is measured; 0: 5, or half of fewer than ten
	Stream     rng.Stream
	Workers    int
}

// Summary is what the attributions of a set of patients show.
type Summary struct {
	Family     string `json:"family,omitempty"`
	Validation string `json:"validation,omitempty"`
	About
	N          int          `json:"n"`        // rows explained
	Patients   int          `json:"patients"` // distinct
	Fits       int          `json:"fits"`     // models that explained them
	Level      float64      `json:"level"`
	Base       Num          `json:"base"` // mean over rows
	BaseLower  Num          `json:"base_lowest"`
	BaseUpper  Num          `json:"base_highest"`
	Predictors []Importance `json:"predictors"` // by falling mean absolute attribution
	Stability  Stability    `json:"stability"`
	// Method says how Lower and Upper were made, FoldMethod the same of FoldLower and FoldUpper.
	Method     string `json:"method"`
	FoldMethod string `json:"fold_method,omitempty"`
	Swarm      *Swarm `json:"swarm,omitempty"`
	Note       string `json:"note,omitempty"` // why there is nothing
}

// Importance is one predictor.
type Importance struct {
	Predictor string         `json:"predictor"`
	Unit      string         `json:"unit,omitempty"`
	Modality  frame.Modality `json:"modality,omitempty"`
	MeanAbs   Num            `json:"mean_abs"` // mean absolute attribution
	Lower     Num            `json:"lower"`
	Upper     Num            `json:"upper"`
	// The same with the variance between training sets; null for one fit.
	FoldLower Num `json:"fold_lower"`
	FoldUpper Num `json:"fold_upper"`

	Rank      Num `json:"rank"` // 1 is the largest; ties share
	RankLower Num `json:"rank_lower"`
	RankUpper Num `json:"rank_upper"`

	// Direction is the Spearman correlation of value and attribution, null for an unordered
	// category or a constant; DirectionNote says why.
	Direction      Num         `json:"direction"`
	DirectionLower Num         `json:"direction_lower"`
	DirectionUpper Num         `json:"direction_upper"`
	DirectionNote  string      `json:"direction_note,omitempty"`
	Levels         []LevelMean `json:"levels,omitempty"` // of an unordered category, and missing values
}

// LevelMean is the mean attribution among the rows of one level.
type LevelMean struct {
	Level string `json:"level"`
	N     int    `json:"n"`
	Mean  Num    `json:"mean"`
	Lower Num    `json:"lower"`
	Upper Num    `json:"upper"`
}

// Missing is the level of rows without a value.
const Missing = "(missing)"

// Word returns "raises", "lowers", or "no clear direction" when the interval of the correlation
// includes 0 or there is none; a category has "by level".
func (m *Importance) Word() string {
	switch {
	case m.DirectionLower > 0:
		return "raises"
	case m.DirectionUpper < 0:
		return "lowers"
	case math.IsNaN(float64(m.Direction)) && slices.ContainsFunc(m.Levels, func(l LevelMean) bool { return l.Level != Missing }):
		return "by level"
	}
	return "no clear direction"
}

// Stability says how far the ranking of predictors can be relied on.
type Stability struct {
	Top int `json:"top"` // k below
	// Over fits (outer folds and repeats): Kendall's W and the mean share of the k leading
	// predictors that two fits have in common. Null for one fit.
	KendallW    Num `json:"kendall_w"`
	FoldOverlap Num `json:"fold_overlap"`
	// Over bootstraps of patients, models fixed: mean rank correlation with the ranking shown,
	// and mean overlap with its k leading predictors.
	RankCorrelation Num `json:"rank_correlation"`
	BootOverlap     Num `json:"boot_overlap"`
}

// Summarise measures t. Two intervals are given for a mean absolute attribution, and each says what
// variance it holds: Lower and Upper are percentiles over resamples of patients with the models
// held fixed (who was studied); FoldLower and FoldUpper, where several fits explained the rows,
// are fold mean -+ t SD sqrt(1/J + test/train) over the J fits (Nadeau and Bengio 2003,
// doi:10.1023/A:1024068626366), which holds the training sets too.
//
// A NaN in Phi, lengths that differ, or no row are errors of kind Invalid. Cost: predictors times rows
// times replicates.
func Summarise(ctx context.Context, t *Table, o *SummaryOptions) (*Summary, error) {
	var opts SummaryOptions
	if o != nil {
		opts = *o
	}
	if opts.Level == 0 {
		opts.Level = 0.95
	}
	if err := t.valid(); err != nil {
		return nil, err
	}
	if opts.Replicates == 0 {
		if opts.Replicates = 500; len(t.Phi.Data) > manyCells {
			opts.Replicates = 200
		}
	}
	p := t.Phi.Cols
	if opts.Top == 0 {
		opts.Top = min(5, max(1, p/2))
	}
	opts.Top = max(1, min(opts.Top, p))
	cluster, patients := clusters(t.Patient, t.Phi.Rows)
	s := &Summary{About: t.About, N: t.Phi.Rows, Patients: patients, Level: opts.Level}
	s.Method = fmt.Sprintf("bootstrap of patients, models held fixed, percentile, %d resamples", opts.Replicates)
	s.base(t.Base)
	g := newGauge(t)
	one := make([]float64, t.Phi.Rows)
	for i := range one {
		one[i] = 1
	}
	point := g.measure(one)
	reps, err := g.resample(ctx, cluster, &opts)
	if err != nil {
		return nil, err
	}
	folds := foldMeans(t)
	s.Fits = max(1, len(folds))
	lo, hi := (1-opts.Level)/2, (1+opts.Level)/2
	rank := ranking(point.abs)
	ranks := make([][]float64, len(reps))
	for b := range reps {
		ranks[b] = ranking(reps[b].abs)
	}
	for j := range p {
		m := g.describe(j)
		m.MeanAbs, m.Rank = Num(point.abs[j]), Num(rank[j])
		m.Lower, m.Upper = percentiles(reps, lo, hi, func(r *measured) float64 { return r.abs[j] })
		m.Direction = Num(point.rho[j])
		m.DirectionLower, m.DirectionUpper = percentiles(reps, lo, hi, func(r *measured) float64 { return r.rho[j] })
		if math.IsNaN(point.rho[j]) {
			m.DirectionLower, m.DirectionUpper = Num(nan), Num(nan)
			if m.DirectionNote == "" {
				m.DirectionNote = "attribution or value does not vary"
			}
		}
		for k := range m.Levels {
			at := g.levelAt[j] + k
			m.Levels[k].Mean = Num(point.level[at])
			m.Levels[k].Lower, m.Levels[k].Upper = percentiles(reps, lo, hi, func(r *measured) float64 { return r.level[at] })
		}
		r := make([]float64, len(ranks))
		for b := range ranks {
			r[b] = ranks[b][j]
		}
		m.RankLower, m.RankUpper = percentile(r, lo, hi)
		m.FoldLower, m.FoldUpper = Num(nan), Num(nan)
		if len(folds) > 1 {
			m.FoldLower, m.FoldUpper = corrected(folds, j, t.TestShare, opts.Level)
		}
		s.Predictors = append(s.Predictors, m)
	}
	if len(folds) > 1 {
		s.FoldMethod = fmt.Sprintf("mean -+ t SD sqrt(1/J + test/train) over J = %d fits (Nadeau and Bengio 2003)", len(folds))
	}
	s.Stability = stability(rank, ranks, folds, opts.Top)
	slices.SortStableFunc(s.Predictors, func(a, b Importance) int { return cmp.Compare(b.MeanAbs, a.MeanAbs) })
	s.Swarm = newSwarm(t, s.Predictors)
	return s, nil
}

// manyCells is the number of attributions beyond which 200 resamples must do: with so many rows the ends of
// the intervals hardly move, and 500 would take longer than the fits.
const manyCells = 200_000

func (t *Table) valid() error {
	n := t.Phi.Rows
	bad := func(field string, got int) error {
		return diag.Errorf(diag.Invalid, field, "expected %d values, got %d", n, got)
	}
	switch {
	case n == 0 || t.Phi.Cols == 0:
		return diag.Errorf(diag.Invalid, "attributions", "expected at least one row and one predictor, got %d and %d", n, t.Phi.Cols)
	case len(t.Phi.Names) != t.Phi.Cols:
		return diag.Errorf(diag.Invalid, "attributions", "expected %d names, got %d", t.Phi.Cols, len(t.Phi.Names))
	case len(t.Base) != n:
		return bad("base", len(t.Base))
	case t.Patient != nil && len(t.Patient) != n:
		return bad("patient", len(t.Patient))
	case t.Fold != nil && len(t.Fold) != n:
		return bad("fold", len(t.Fold))
	case t.X != nil && t.X.Rows() != n:
		return bad("predictors", t.X.Rows())
	}
	for k, v := range t.Phi.Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return diag.Errorf(diag.Invalid, t.Phi.Names[k%t.Phi.Cols], "expected finite attributions, got another in row %d", k/t.Phi.Cols+1)
		}
	}
	return nil
}

func (s *Summary) base(v []float64) {
	sum := 0.0
	for _, b := range v {
		sum += b
	}
	s.Base, s.BaseLower, s.BaseUpper = Num(sum/float64(len(v))), Num(slices.Min(v)), Num(slices.Max(v))
}

// clusters numbers patients in order of appearance. An empty key is a patient of its own.
func clusters(patient []string, rows int) ([]int, int) {
	if patient == nil {
		return nil, rows
	}
	out := make([]int, rows)
	at := make(map[string]int)
	n := 0
	for i, key := range patient {
		k, ok := at[key]
		if !ok || key == "" {
			k = n
			n++
			at[key] = k
		}
		out[i] = k
	}
	return out, n
}

// resample measures t on resamples of patients.
func (g *gauge) resample(ctx context.Context, cluster []int, o *SummaryOptions) ([]measured, error) {
	sampler, err := boot.NewSampler(boot.Plan{N: g.t.Phi.Rows, Cluster: cluster})
	if err != nil {
		return nil, err
	}
	out := make([]measured, o.Replicates)
	err = par.For(ctx, len(out), o.Workers, func(_ context.Context, b int) error {
		w := make([]float64, g.t.Phi.Rows)
		for _, i := range sampler.Draw(o.Stream.Child("attributions", b).Rand(), nil) {
			w[i]++
		}
		out[b] = g.measure(w)
		return nil
	})
	return out, err
}

func percentiles(reps []measured, lo, hi float64, of func(*measured) float64) (Num, Num) {
	v := make([]float64, len(reps))
	for b := range reps {
		v[b] = of(&reps[b])
	}
	return percentile(v, lo, hi)
}

// percentile is the percentile interval of the replicates that exist, NaN when more than a
// twentieth do not.
func percentile(v []float64, lo, hi float64) (Num, Num) {
	kept, lost := boot.Defined(v)
	if len(kept) < 2 || lost*20 > len(v) {
		return Num(nan), Num(nan)
	}
	l, u := boot.Percentile(kept, hi-lo)
	return Num(l), Num(u)
}
