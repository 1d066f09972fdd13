package forest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/par"
	"dolor/internal/tree"
	"dolor/model"
	"dolor/rng"
)

type learner struct{ p Params }

// Fit implements [model.Learner]. Rows of weight 0 are left out before anything is drawn.
// With Group, whole patients are drawn, so that no patient is both in a tree and out of bag.
// Trees are grown side by side, each from its own stream Child("tree", t). Errors: Invalid for
// a bad hyperparameter, weight or cell, Unsupported for an offset or a category of more than 65,535
// levels in use, Unfit for one class or no rows, Canceled.
func (l *learner) Fit(ctx context.Context, train *model.Dataset, opts *model.FitOptions) (model.Model, error) {
	if err := l.p.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := train.Check(); err != nil {
		return nil, err
	}
	if train.Offset != nil {
		return nil, diag.Errorf(diag.Unsupported, "offset", "a forest averages probabilities and has no log-odds to add an offset to")
	}
	fo := model.FitOptions{Stream: rng.New(0)}
	if opts != nil {
		fo = *opts
	}
	if fo.Workers <= 0 {
		fo.Workers = runtime.GOMAXPROCS(0)
	}
	g, err := newGrowing(ctx, l.p, train, fo.Workers)
	if err != nil {
		return nil, err
	}
	trees := make([]tree.Tree, l.p.NEstimators)
	idle := make(chan *worker, fo.Workers)
	for range min(fo.Workers, len(trees)) {
		idle <- g.worker()
	}
	done := make(chan struct{}, len(trees))
	err = par.For(ctx, len(trees), fo.Workers, func(ctx context.Context, t int) error {
		w := <-idle
		defer func() { idle <- w }()
		var err error
		trees[t], err = w.grow(ctx, fo.Stream.Child("tree", t).Rand())
		done <- struct{}{}
		fo.Progress.Report("trees", len(done), len(trees))
		return err
	})
	if err != nil {
		return nil, err
	}
	close(idle)
	return g.finish(train, trees, idle)
}

// growing is what the trees of one fit share.
type growing struct {
	params   Params
	schema   frame.Schema
	rows     []int // rows of train of positive weight; nil: all
	data     *tree.Coded
	y        []bool
	w        []int64
	unit     float64
	cart     tree.CartParams
	patient  []int32 // of each row, 0 to patients-1; nil: its own
	patients int
	draws    int  // patients drawn for a tree
	left     bool // some are left out of each tree
}

func newGrowing(ctx context.Context, p Params, train *model.Dataset, workers int) (*growing, error) {
	g := &growing{params: p}
	for i, w := range train.W {
		if w > 0 {
			g.rows = append(g.rows, i)
		}
	}
	kept := train
	if train.W != nil && len(g.rows) < train.Rows() {
		kept = train.Take(g.rows)
	} else {
		g.rows = nil
	}
	for _, f := range kept.X.Schema() {
		g.schema = append(g.schema, frame.Field{Name: f.Name, Kind: f.Kind, Modality: f.Modality, Unit: f.Unit, Levels: f.Levels, Ordered: f.Ordered})
	}
	table, err := model.TreeTable(kept.X, g.schema)
	if err != nil {
		return nil, err
	}
	if g.data, err = tree.Code(ctx, table, workers); err != nil {
		return nil, err
	}
	n := kept.Rows()
	g.y = kept.Y
	g.patients = n
	if kept.Group != nil {
		g.patient = make([]int32, n)
		at := make(map[string]int32)
		for i, key := range kept.Group {
			k, ok := at[key]
			if !ok {
				k = int32(len(at))
				at[key] = k
			}
			g.patient[i] = k
		}
		g.patients = len(at)
	}
	g.draws = g.patients
	if p.MaxSamples != nil {
		g.draws = max(1, int(math.Round(*p.MaxSamples*float64(g.patients))))
	}
	g.left = p.Bootstrap || g.draws < g.patients
	if !p.Bootstrap {
		g.draws = min(g.draws, g.patients)
	}
	g.w, g.unit = tree.WholeWeights(caseWeights(p, kept), 64)
	g.cart = tree.CartParams{
		LogLoss: p.Criterion == LogLoss, Random: p.Splitter == Random,
		MaxDepth: p.MaxDepth, MaxLeaves: p.MaxLeafNodes, MaxFeatures: p.MaxFeatures.columns(len(g.schema)),
		MinSplit: p.MinSamplesSplit, MinLeaf: p.MinSamplesLeaf, MinWeightFraction: p.MinWeightFraction,
		MaxOneHot: p.MaxCatToOneHot,
	}
	return g, nil
}

// caseWeights returns the weights of the rows, times those of the classes.
func caseWeights(p Params, d *model.Dataset) []float64 {
	if p.ClassWeight != Balanced {
		return d.W
	}
	w := make([]float64, d.Rows())
	var all, with float64
	for i := range w {
		w[i] = 1
		if d.W != nil {
			w[i] = d.W[i]
		}
		all += w[i]
		if d.Y[i] {
			with += w[i]
		}
	}
	for i := range w {
		if d.Y[i] {
			w[i] *= all / (2 * with)
		} else {
			w[i] *= all / (2 * (all - with))
		}
	}
	return w
}

// worker grows trees one after the other.
type worker struct {
	g     *growing
	cart  *tree.Cart
	times []uint16 // of each row
	drawn []uint16 // of each patient, when rows are not patients
	order []int32  // of patients, for drawing without replacement
	oob   tally
}

func (g *growing) worker() *worker {
	n := len(g.y)
	w := &worker{g: g, cart: tree.NewCart(g.data, g.y, g.w, g.unit, g.cart), times: make([]uint16, n)}
	w.drawn = w.times
	if g.patient != nil {
		w.drawn = make([]uint16, g.patients)
	}
	if g.left {
		w.oob = newTally(n)
	}
	return w
}

func (w *worker) grow(ctx context.Context, r *rand.Rand) (tree.Tree, error) {
	g := w.g
	w.draw(r)
	if g.patient != nil {
		for i, k := range g.patient {
			w.times[i] = w.drawn[k]
		}
	}
	if !g.left {
		return w.cart.Grow(ctx, w.times, r, nil)
	}
	return w.cart.Grow(ctx, w.times, r, w.oob.add)
}

// draw sets how often each patient is in the tree.
func (w *worker) draw(r *rand.Rand) {
	g := w.g
	switch {
	case g.params.Bootstrap:
		clear(w.drawn)
		for range g.draws {
			if k := r.IntN(g.patients); w.drawn[k] < math.MaxUint16 {
				w.drawn[k]++
			}
		}
	case g.draws < g.patients:
		if w.order == nil {
			w.order = make([]int32, g.patients)
		}
		for k := range w.order {
			w.order[k] = int32(k)
		}
		clear(w.drawn)
		for k := range g.draws {
			at := k + r.IntN(g.patients-k)
			w.order[k], w.order[at] = w.order[at], w.order[k]
			w.drawn[w.order[k]] = 1
		}
	default:
		for k := range w.drawn {
			w.drawn[k] = 1
		}
	}
}

// finish makes the model of the trees and collects what the workers know.
func (g *growing) finish(train *model.Dataset, trees []tree.Tree, workers <-chan *worker) (*Model, error) {
	m := &Model{params: g.params, schema: g.schema, rows: train.Rows(), events: train.Events()}
	m.ensemble.Trees = trees
	m.features()
	if g.left {
		total := newTally(len(g.y))
		for w := range workers {
			total.merge(w.oob)
		}
		m.outOfBag(train, g.rows, total)
	}
	stumps := 0
	for i := range trees {
		if len(trees[i].Nodes) == 1 {
			stumps++
		}
	}
	if stumps == len(trees) {
		m.warn("no_split", "no tree found a split: all patients get the same probability", stumps)
	}
	for j := range g.schema {
		if g.data.Binned(j) {
			m.warn("binned_column", fmt.Sprintf("%s: more than 65,535 distinct values; splits are at quantiles", g.schema[j].Name), 1)
		}
	}
	if g.params.ClassWeight == Balanced {
		m.warn("class_weight", "balanced class weights: probabilities are not those of the patients", 1)
	}
	m.prepare()
	return m, nil
}
