// Package treeshap computes exact Shapley attributions of tree ensembles, on the scale of the
// leaf values (the margin of a boosted model, the probability of a forest).
//
// [New] checks an ensemble and prepares it. [Explainer.PathDependent] attributes under the
// conditional expectation that the trees themselves imply, weighting the two sides of an
// unknown split by the training rows that went there (Node.Cover). [Explainer.Interventional]
// takes a background table and attributes against the average row of it. Both also give
// pairwise interactions. [Explainer.Approximate] gives the quick contributions of Saabas.
//
// Two algorithms give the same numbers. Trees whose paths hold at most eight different columns
// are turned into tables that are indexed by the outcomes of the splits (WOODELF: Nadel and
// Wettenstein, From decision trees to Boolean logic: a fast and unified SHAP algorithm, 2025,
// arXiv:2511.09376): a row costs a few table rows a tree, and a background of m rows and a
// table of n rows cost n + m, not n x m. Other trees go through a quadrature that is exact for
// polynomials when weights come from covers (see deep.go). Against a background their leaves are
// still counted by pattern, in tables that are made for a call and forgotten (passing.go), up to
// as many columns as pays for the size of the background; leaves with more columns on their
// path, and all interactions of such trees, compare rows with background rows (pairs.go). Which
// is used depends on the model, the background and Options, never on the number of rows, so a
// row gives the same bytes alone and in a batch, for any number of workers.
//
// Arithmetic is float64 on the float32 leaf values. Attributions plus base equal the float64
// sum of the leaf values that the row reaches to about 1e-12; [Settle] shares what is left to a
// margin that was summed in float32.
//
// An Explainer is safe for concurrent use and must not outlive changes to its ensemble.
package treeshap

import (
	"context"
	"math"
	"sync"

	"dolor/diag"
	"dolor/internal/par"
	"dolor/internal/tree"
)

// DefaultBytes is the memory that the tables of one kind may take unless Options says
// otherwise: 100 trees of depth 6 take 13 MiB, of depth 8 about 200 MiB.
const DefaultBytes = 256 << 20

// mostDepth is the longest path that is accepted: the walks through a tree recurse, and no
// grown tree is near it.
const mostDepth = 20000

// Options tunes an Explainer. Nil means the defaults.
type Options struct {
	// Bytes bounds the memory of the attribution tables; trees are given tables in order until
	// it is spent, and the others use the algorithm without tables. 0 means DefaultBytes, a
	// negative number no tables at all. Each background and each kind of attribution (single
	// columns, pairs) has tables of its own. The bound counts values only.
	Bytes int
}

// Explainer attributes the score of one ensemble to its columns.
type Explainer struct {
	ensemble *tree.Ensemble
	bytes    int
	plans    []plan
	base     float64     // score expected when no column is known
	means    [][]float64 // by tree and node: expected leaf value, unscaled
	pairs    []pair      // pairs of columns whose interactions come from tables

	scratch sync.Pool

	mu      sync.Mutex
	single  *game // tables of the path-dependent attributions, made on first use
	doubles *game // tables of the path-dependent interactions, made on first use
}

// New prepares e. Errors are Invalid: a tree that is not a tree (a child before its parent,
// two parents, an index out of range), a value, threshold or cover that is not finite, a
// negative cover, a column that Features does not have. A split whose two children have no
// cover counts both sides as equally likely. A path of more than 20,000 splits is Unsupported.
func New(e *tree.Ensemble, o *Options) (*Explainer, error) {
	if err := check(e); err != nil {
		return nil, err
	}
	x := &Explainer{ensemble: e, bytes: DefaultBytes, base: float64(e.Base)}
	if o != nil && o.Bytes != 0 {
		x.bytes = max(o.Bytes, 0)
	}
	x.plans = make([]plan, len(e.Trees))
	x.means = make([][]float64, len(e.Trees))
	single, double := x.bytes, x.bytes
	for i := range e.Trees {
		p := &x.plans[i]
		p.tree = &e.Trees[i]
		p.scale = 1
		if e.Scale != nil {
			p.scale = float64(e.Scale[i])
		}
		x.means[i] = means(p.tree)
		x.base += float64(p.scale * x.means[i][0])
		p.compile(single, double, x.bytes > 0)
		if p.single {
			single -= p.bytes()
		}
		if p.double {
			double -= p.pairBytes()
		}
	}
	x.pairs = usedPairs(x.plans)
	return x, nil
}

// Columns returns the number of columns that the ensemble reads, the width of an attribution.
func (x *Explainer) Columns() int { return len(x.ensemble.Features) }

// Tables returns how many of the trees use tables.
func (x *Explainer) Tables() int {
	n := 0
	for i := range x.plans {
		if x.plans[i].single {
			n++
		}
	}
	return n
}

// Prepare builds what [Explainer.PathDependent] needs, so that the first call is as fast as
// the others; a server calls it once. workers 0 means GOMAXPROCS.
func (x *Explainer) Prepare(ctx context.Context, workers int) error {
	_, err := x.covers(ctx, workers, false)
	return err
}

// covers returns the tables of the path-dependent game, and builds them on first use.
func (x *Explainer) covers(ctx context.Context, workers int, pairs bool) (*game, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	at := &x.single
	if pairs {
		at = &x.doubles
	}
	if *at == nil {
		g, err := x.build(ctx, workers, pairs, nil)
		if err != nil {
			return nil, err
		}
		*at = g
	}
	return *at, nil
}

// PathDependent returns the path-dependent attributions phi [rows, Columns] of the rows of t,
// row-major in dst when it is long enough, and the base that completes every row to its score
// (Lundberg et al., From local explanations to global understanding with explainable AI for
// trees, 2020, doi:10.1038/s42256-019-0138-9, the game of algorithm 1; XGBoost's pred_contribs).
// t must have the ensemble's columns in its order (Missing or Invalid otherwise). workers 0
// means GOMAXPROCS. The cost a row is the number of leaves, times about 2 for trees with tables.
func (x *Explainer) PathDependent(ctx context.Context, t *tree.Table, workers int, dst []float64) (phi []float64, base float64, err error) {
	if err := x.accepts(t); err != nil {
		return nil, 0, err
	}
	g, err := x.covers(ctx, workers, false)
	if err != nil {
		return nil, 0, err
	}
	phi = sized(dst, t.Rows*x.Columns())
	return phi, x.base, x.singles(ctx, t, workers, phi, g, nil)
}

// Interactions returns the path-dependent interaction values [rows, Columns, Columns] of the
// rows of t: off the diagonal half of the Shapley interaction of the two columns, symmetric;
// on it what is left of the column's attribution, so that a row of the matrix sums to it
// (Lundberg et al. 2020, equations 4 to 6; XGBoost's pred_interactions without the bias row).
func (x *Explainer) Interactions(ctx context.Context, t *tree.Table, workers int, dst []float64) (phi []float64, base float64, err error) {
	if err := x.accepts(t); err != nil {
		return nil, 0, err
	}
	single, err := x.covers(ctx, workers, false)
	if err != nil {
		return nil, 0, err
	}
	double, err := x.covers(ctx, workers, true)
	if err != nil {
		return nil, 0, err
	}
	phi, err = x.matrices(ctx, t, workers, dst, single, double, nil)
	return phi, x.base, err
}

// accepts checks that t has the columns of the ensemble.
func (x *Explainer) accepts(t *tree.Table) error {
	if t == nil || t.Rows < 0 {
		return diag.Errorf(diag.Invalid, "table", "expected a table, got none")
	}
	if len(t.Columns) != x.Columns() {
		return diag.Errorf(diag.Missing, "table", "expected %d columns, got %d", x.Columns(), len(t.Columns))
	}
	for i := range t.Columns {
		if c := &t.Columns[i]; len(c.Values) != t.Rows {
			return diag.Errorf(diag.Invalid, x.ensemble.Features[i].Name, "expected %d values, got %d", t.Rows, len(c.Values))
		}
	}
	return nil
}

// check says what is wrong with e.
func check(e *tree.Ensemble) error {
	if e == nil {
		return diag.Errorf(diag.Invalid, "ensemble", "expected an ensemble, got none")
	}
	if !finite(e.Base) {
		return diag.Errorf(diag.Invalid, "base", "expected a finite number")
	}
	if e.Scale != nil && len(e.Scale) != len(e.Trees) {
		return diag.Errorf(diag.Invalid, "scale", "expected a weight for each of %d trees, got %d", len(e.Trees), len(e.Scale))
	}
	for i, s := range e.Scale {
		if !finite(s) {
			return diag.Errorf(diag.Invalid, "scale", "expected a finite weight of tree %d", i)
		}
	}
	for i := range e.Trees {
		if fault := fault(&e.Trees[i], len(e.Features)); fault != nil {
			fault.Msg = "tree " + itoa(i) + ": " + fault.Msg
			return fault
		}
	}
	return nil
}

// fault says what is wrong with t, or nothing.
func fault(t *tree.Tree, columns int) *diag.Error {
	if len(t.Nodes) == 0 {
		return diag.Errorf(diag.Invalid, "nodes", "expected at least one node, got none")
	}
	level := make([]int32, len(t.Nodes)) // 1 at the root; 0 before a parent was seen
	level[0] = 1
	for k := range t.Nodes {
		n := &t.Nodes[k]
		switch {
		case level[k] == 0:
			return diag.Errorf(diag.Invalid, "nodes", "node %d: expected a parent before it", k)
		case level[k] > mostDepth+1:
			return diag.Errorf(diag.Unsupported, "nodes", "node %d: expected at most %d splits above it", k, mostDepth)
		case !finite(n.Cover) || n.Cover < 0:
			return diag.Errorf(diag.Invalid, "cover", "node %d: expected a finite number that is not negative", k)
		case n.IsLeaf():
			if !finite(n.Value) {
				return diag.Errorf(diag.Invalid, "value", "node %d: expected a finite number", k)
			}
			continue
		case int(n.Feature) < 0 || int(n.Feature) >= columns:
			return diag.Errorf(diag.Invalid, "feature", "node %d: expected a column from 0 to %d, got %d", k, columns-1, n.Feature)
		case n.Set < 0 || int(n.Set) > len(t.Sets):
			return diag.Errorf(diag.Invalid, "set", "node %d: expected a set from 0 to %d, got %d", k, len(t.Sets), n.Set)
		case n.Threshold != n.Threshold:
			return diag.Errorf(diag.Invalid, "threshold", "node %d: expected a number", k)
		}
		for _, c := range [2]int32{n.Left, n.Right} {
			if int(c) <= k || int(c) >= len(t.Nodes) || level[c] > 0 {
				return diag.Errorf(diag.Invalid, "nodes", "node %d: expected children after it that have no other parent", k)
			}
			level[c] = level[k] + 1
		}
	}
	return nil
}

// shares returns the weights of the two children of n when its column is not known: their part
// of the cover, which always adds to 1. XGBoost divides by the parent's cover instead, which
// differs by float32 rounding of the sums.
func shares(t *tree.Tree, n *tree.Node) (left, right float64) {
	l, r := float64(t.Nodes[n.Left].Cover), float64(t.Nodes[n.Right].Cover)
	if l+r == 0 {
		return 0.5, 0.5
	}
	return l / (l + r), r / (l + r)
}

// means returns the expected leaf value under every node when no column is known.
func means(t *tree.Tree) []float64 {
	m := make([]float64, len(t.Nodes))
	for k := len(t.Nodes) - 1; k >= 0; k-- {
		n := &t.Nodes[k]
		if n.IsLeaf() {
			m[k] = float64(n.Value)
			continue
		}
		l, r := shares(t, n)
		m[k] = float64(l*m[n.Left]) + float64(r*m[n.Right])
	}
	return m
}

// eachTree runs fn for every tree on workers.
func (x *Explainer) eachTree(ctx context.Context, workers int, fn func(i int) error) error {
	return par.For(ctx, len(x.plans), workers, func(_ context.Context, i int) error { return fn(i) })
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// sized returns n zeros, in dst when it is long enough.
func sized(dst []float64, n int) []float64 {
	if cap(dst) < n {
		return make([]float64, n)
	}
	dst = dst[:n]
	clear(dst)
	return dst
}
