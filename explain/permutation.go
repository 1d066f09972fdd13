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
	"dolor/internal/glm"
	"dolor/internal/par"
	"dolor/rng"
)

// Predictor gives P(outcome) for each row of raw predictors: (*evaluate.Fitted).Predict less its
// second value, or any model's Predict.
type Predictor func(ctx context.Context, x *frame.Frame) ([]float64, error)

// Judged is held-out rows with their outcome.
type Judged struct {
	X       *frame.Frame
	Y       []bool
	W       []float64 // case weights; nil means 1 each
	Patient []string  // rows of one patient stay together in the bootstrap; nil: each row is a patient
}

// PermutationOptions of [Permutation]; nil is allowed.
type PermutationOptions struct {
	Repeats    int     // permutations of each predictor; 0: 10
	Replicates int     // of the bootstrap of patients; 0: 500
	Level      float64 // 0: 0.95
	Stream     rng.Stream
	Workers    int
}

// Permuted is what the model loses when one predictor is shuffled among the rows.
type Permuted struct {
	Predictor string   `json:"predictor"`
	Columns   []string `json:"columns"` // shuffled together: those with one parent
	// Fall of the AUC and rise of the log loss, means over repeats; null when undefined.
	AUC          Num `json:"auc_drop"`
	AUCLower     Num `json:"auc_drop_lower"`
	AUCUpper     Num `json:"auc_drop_upper"`
	LogLoss      Num `json:"log_loss_increase"`
	LogLossLower Num `json:"log_loss_increase_lower"`
	LogLossUpper Num `json:"log_loss_increase_upper"`
}

// PermutationImportance is the answer of [Permutation].
type PermutationImportance struct {
	N          int        `json:"n"`
	Events     int        `json:"events"`
	AUC        Num        `json:"auc"` // of the rows as they are
	LogLoss    Num        `json:"log_loss"`
	Repeats    int        `json:"repeats"`
	Level      float64    `json:"level"`
	Method     string     `json:"method"`
	Predictors []Permuted `json:"predictors"` // by falling rise of the log loss
}

// Permutation shuffles each predictor among the rows of d in turn, columns of one parent together,
// and measures the fall of the AUC and the rise of the log loss (Breiman 2001,
// doi:10.1023/A:1010933404324; model-agnostic: Fisher, Rudin and Dominici 2019, J Mach Learn Res
// 20(177)). Rows should be held out: on training rows an overfitted predictor looks important. A
// predictor that shares its information with another looks unimportant in both.
//
// Intervals are percentiles over resamples of patients with the model and the permutations held
// fixed. One class makes the AUC null. Cost: repeats times predictors times a prediction.
func Permutation(ctx context.Context, predict Predictor, d *Judged, o *PermutationOptions) (*PermutationImportance, error) {
	var opts PermutationOptions
	if o != nil {
		opts = *o
	}
	opts.Repeats, opts.Replicates = cmp.Or(opts.Repeats, 10), cmp.Or(opts.Replicates, 500)
	opts.Level = cmp.Or(opts.Level, 0.95)
	n := d.X.Rows()
	if n == 0 || len(d.Y) != n || d.W != nil && len(d.W) != n || d.Patient != nil && len(d.Patient) != n {
		return nil, diag.Errorf(diag.Invalid, "rows", "expected as many outcomes, weights and patients as rows (%d), and at least one", n)
	}
	w := d.W
	if w == nil {
		w = slices.Repeat([]float64{1}, n)
	}
	p, err := predict(ctx, d.X)
	if err != nil {
		return nil, err
	}
	intact := newScored(p, d.Y)
	r := &PermutationImportance{
		N: n, Repeats: opts.Repeats, Level: opts.Level, AUC: Num(intact.auc(w)), LogLoss: Num(intact.logLoss(w)),
		Method: fmt.Sprintf("mean of %d permutations; bootstrap of patients, model and permutations held fixed, percentile, %d resamples", opts.Repeats, opts.Replicates),
	}
	for _, y := range d.Y {
		if y {
			r.Events++
		}
	}
	weights, err := resampled(d, w, &opts)
	if err != nil {
		return nil, err
	}
	baseAUC, baseLoss := make([]float64, len(weights)), make([]float64, len(weights))
	for b, wb := range weights {
		baseAUC[b], baseLoss[b] = intact.auc(wb), intact.logLoss(wb)
	}
	groups := byParent(d.X.Schema())
	r.Predictors = make([]Permuted, len(groups))
	err = par.For(ctx, len(groups), opts.Workers, func(ctx context.Context, g int) error {
		m, err := opts.group(ctx, predict, d, groups[g], w, weights)
		if err != nil {
			return err
		}
		r.Predictors[g] = m.less(float64(r.AUC), float64(r.LogLoss), baseAUC, baseLoss, &opts, groups[g])
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.Predictors, func(a, b Permuted) int { return cmp.Compare(b.LogLoss, a.LogLoss) })
	return r, nil
}

// shuffled is one predictor's mean over repeats: on the rows, and on each resample.
type shuffled struct {
	auc, loss   float64
	aucs, losss []float64
}

// group shuffles the columns of one predictor. A row takes all of them from the same other row.
func (o *PermutationOptions) group(ctx context.Context, predict Predictor, d *Judged, columns []string, w []float64, weights [][]float64) (*shuffled, error) {
	m := &shuffled{aucs: make([]float64, len(weights)), losss: make([]float64, len(weights))}
	share := 1 / float64(o.Repeats)
	for k := range o.Repeats {
		perm := o.Stream.Child("permutation").Child(columns[0], k).Rand().Perm(d.X.Rows())
		var cols []frame.Column
		for _, name := range columns {
			c, _ := d.X.Column(name)
			cols = append(cols, c.Take(perm))
		}
		x, err := d.X.With(cols...)
		if err != nil {
			return nil, err
		}
		p, err := predict(ctx, x)
		if err != nil {
			return nil, err
		}
		s := newScored(p, d.Y)
		m.auc += float64(share * s.auc(w))
		m.loss += float64(share * s.logLoss(w))
		for b, wb := range weights {
			m.aucs[b] += float64(share * s.auc(wb))
			m.losss[b] += float64(share * s.logLoss(wb))
		}
	}
	return m, nil
}

func (m *shuffled) less(auc, loss float64, baseAUC, baseLoss []float64, o *PermutationOptions, columns []string) Permuted {
	lo, hi := (1-o.Level)/2, (1+o.Level)/2
	for b := range m.aucs {
		m.aucs[b] = baseAUC[b] - m.aucs[b]
		m.losss[b] -= baseLoss[b]
	}
	out := Permuted{Predictor: columns[0], Columns: columns, AUC: Num(auc - m.auc), LogLoss: Num(m.loss - loss)}
	out.AUCLower, out.AUCUpper = percentile(m.aucs, lo, hi)
	out.LogLossLower, out.LogLossUpper = percentile(m.losss, lo, hi)
	return out
}

// byParent groups columns that derive from one predictor, in order of first appearance.
func byParent(s frame.Schema) [][]string {
	var out [][]string
	at := make(map[string]int)
	for _, f := range s {
		k, ok := at[f.Source()]
		if !ok {
			k = len(out)
			at[f.Source()] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], f.Name)
	}
	return out
}

// resampled is the case weights of each resample of patients.
func resampled(d *Judged, w []float64, o *PermutationOptions) ([][]float64, error) {
	cluster, _ := clusters(d.Patient, len(w))
	sampler, err := boot.NewSampler(boot.Plan{N: len(w), Cluster: cluster})
	if err != nil {
		return nil, err
	}
	out := make([][]float64, o.Replicates)
	for b := range out {
		out[b] = make([]float64, len(w))
		for _, i := range sampler.Draw(o.Stream.Child("patients", b).Rand(), nil) {
			out[b][i] += w[i]
		}
	}
	return out, nil
}

// scored is predictions sorted once, so that a weighted AUC takes linear time.
type scored struct {
	y    []bool
	loss []float64 // log loss of each row
	ordered
}

func newScored(p []float64, y []bool) *scored {
	s := &scored{y: y, loss: make([]float64, len(p))}
	keep := make([]int32, len(p))
	for i, v := range p {
		keep[i] = int32(i)
		eta := glm.Logit(min(max(v, 1e-15), 1-1e-15))
		if y[i] {
			eta = -eta
		}
		s.loss[i] = glm.Log1pExp(eta)
	}
	s.ordered = newOrdered(p, keep)
	return s
}

func (s *scored) logLoss(w []float64) float64 {
	sum, total := 0.0, 0.0
	for i, l := range s.loss {
		sum += float64(w[i] * l)
		total += w[i]
	}
	return sum / total
}

// auc counts pairs of event and other, ties one half; NaN with one class.
func (s *scored) auc(w []float64) float64 {
	from, below, won, events := int32(0), 0.0, 0.0, 0.0
	for _, end := range s.ends {
		with, without := 0.0, 0.0
		for _, r := range s.rows[from:end] {
			if s.y[r] {
				with += w[r]
			} else {
				without += w[r]
			}
		}
		won += float64(with * (below + without/2))
		below += without
		events += with
		from = end
	}
	if events == 0 || below == 0 || math.IsNaN(won) {
		return nan
	}
	return won / (events * below)
}
