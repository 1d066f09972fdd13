package tree

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"dolor/diag"
	"dolor/internal/par"
	"dolor/rng"
)

// Grower grows one tree after another by histograms on the same binned rows; its buffers, about
// 28 bytes a row, are reused. It is not safe for concurrent use.
type Grower struct {
	bins    *Bins
	p       *GrowParams
	fixed   Fixed
	workers []*worker

	rows, rowsTmp []int32 // by node: the rows of a node are together
	pack, packTmp []int64 // their packed values
	leaf          []int32 // id of the leaf of each row

	// of the tree that is being grown
	grad, hess   []float32
	scale        scales
	built        []int32 // columns drawn for it
	groups       []int   // groups that these are in
	sampler      *ColumnSampler
	interactions *Interactions
	ids          atomic.Int32
	index        []int32    // node index by id
	values       []float32  // leaf value by id
	fine         [][2]int64 // fine sums by id

	slots int // entries of a narrow histogram
	mu    sync.Mutex
	pool  []*hist
}

// worker is what one goroutine needs for itself.
type worker struct {
	scratch []int64
	scan    scanner
}

// gnode is a node while the tree is grown.
type gnode struct {
	left, right *gnode
	id          int32
	depth       int
	key         int // 1 at the root, 2k and 2k+1 below k
	rows        span
	g, h        int64 // coarse sums
	fg, fh      int64 // fine sums, once the tree is grown
	bounds      Bounds
	path        ColumnSet // columns split above; kept only under interaction constraints
	split       split
}

// NewGrower returns a Grower for b with parameters p, which it does not copy and which must not
// change. rowBound is the most rows that a tree may be grown on, all sites of a federation
// together (0 means b.Rows); the bits of gradients follow from it. workers is the number of
// goroutines (0 means GOMAXPROCS); it changes no result. Faults of p are of kind Invalid.
func NewGrower(b *Bins, p *GrowParams, rowBound, workers int) (*Grower, error) {
	if rowBound == 0 {
		rowBound = max(1, b.Rows)
	}
	if rowBound < 1 || rowBound > 1<<31-1 {
		return nil, diag.Errorf(diag.Invalid, "row_bound", "expected 1 to 2147483647, got %d", rowBound)
	}
	if p.Monotone != nil && len(p.Monotone) != len(b.Columns) {
		return nil, diag.Errorf(diag.Invalid, "monotone_constraints", "expected %d, one a column, got %d", len(b.Columns), len(p.Monotone))
	}
	for _, set := range p.Interactions {
		for _, j := range set {
			if j < 0 || int(j) >= len(b.Columns) {
				return nil, diag.Errorf(diag.Invalid, "interaction_constraints", "expected columns below %d, got %d", len(b.Columns), j)
			}
		}
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	g := &Grower{
		bins: b, p: p, fixed: NewFixed(rowBound), interactions: NewInteractions(p.Interactions),
		rows: make([]int32, b.Rows), rowsTmp: make([]int32, b.Rows),
		pack: make([]int64, b.Rows), packTmp: make([]int64, b.Rows),
		leaf: make([]int32, b.Rows), slots: b.groups() * slots,
	}
	for range workers {
		g.workers = append(g.workers, &worker{scratch: make([]int64, g.slots)})
	}
	return g, nil
}

// Fixed returns how gradients become integers.
func (g *Grower) Fixed() Fixed { return g.fixed }

// Grow grows a tree on rows (nil means all; a row may not occur twice) for the gradients and
// curvatures of the loss, one a row of the bins, curvature from 0 on. s gives the columns that
// are drawn. The tree's weights and covers are of the rows used; [Grower.Leaves] and
// [Grower.AddTo] know all. Gradients that are not finite are of kind Unfit; cancelling stops
// between nodes. grad and hess are not kept.
func (g *Grower) Grow(ctx context.Context, grad, hess []float32, rows []int32, s rng.Stream) (*Tree, error) {
	if len(grad) != g.bins.Rows || len(hess) != g.bins.Rows {
		return nil, diag.Errorf(diag.Internal, "gradient", "expected %d values, got %d and %d", g.bins.Rows, len(grad), len(hess))
	}
	n, err := g.begin(ctx, grad, hess, rows, s)
	if err != nil {
		return nil, err
	}
	defer func() { g.grad, g.hess = nil, nil }()
	root := &gnode{key: 1, rows: span{0, n}, bounds: Unbounded()}
	if root.g, root.h, err = g.totals(ctx, n); err != nil {
		return nil, err
	}
	root.id = g.newID()
	if g.canGrow(root) && g.p.MaxLeaves != 1 {
		if g.p.LossGuided || g.p.MaxLeaves > 0 {
			err = g.growQueue(ctx, root)
		} else {
			err = g.growDeep(ctx, root)
		}
		if err != nil {
			return nil, err
		}
	}
	if root.left == nil {
		g.settleLeaf(root)
	}
	if err := g.sumLeaves(ctx); err != nil {
		return nil, err
	}
	if err := g.settleOthers(ctx, root, rows != nil); err != nil {
		return nil, err
	}
	return g.finish(root), nil
}

// begin sets up the rows, their packed values and the columns of a tree. It returns the
// number of rows.
func (g *Grower) begin(ctx context.Context, grad, hess []float32, rows []int32, s rng.Stream) (int, error) {
	n := g.bins.Rows
	if rows != nil {
		n = len(rows)
		if n > g.bins.Rows {
			return 0, diag.Errorf(diag.Internal, "rows", "expected at most %d, got %d", g.bins.Rows, n)
		}
		for _, r := range rows {
			if r < 0 || int(r) >= g.bins.Rows {
				return 0, diag.Errorf(diag.Internal, "rows", "expected rows below %d, got another", g.bins.Rows)
			}
		}
	}
	if n > g.fixed.RowBound {
		return 0, diag.Errorf(diag.Invalid, "row_bound", "expected at most %d rows, got %d", g.fixed.RowBound, n)
	}
	most, curve, err := extremes(ctx, grad, hess, rows, len(g.workers))
	if err != nil {
		return 0, err
	}
	g.grad, g.hess = grad, hess
	g.scale = g.fixed.scalesFor(most, curve)
	g.ids.Store(0)
	all := make([]int32, len(g.bins.Columns))
	for j := range all {
		all[j] = int32(j)
	}
	g.sampler = NewColumnSampler(all, g.p, s)
	g.built = g.sampler.Tree()
	g.groups = g.groups[:0]
	for _, j := range g.built {
		if k := int(j) / group; len(g.groups) == 0 || g.groups[len(g.groups)-1] != k {
			g.groups = append(g.groups, k)
		}
	}
	if len(g.built) < len(all) {
		// Groups hold columns that are not drawn, whose sums nobody clears.
		for _, w := range g.workers {
			clear(w.scratch)
		}
	}
	if rows != nil {
		for i := range g.leaf {
			g.leaf[i] = -1
		}
		copy(g.rows, rows)
	}
	parts := g.parts(n)
	return n, par.For(ctx, len(parts), len(g.workers), func(_ context.Context, k int) error {
		lo, hi := parts[k].lo, parts[k].hi
		if rows == nil {
			for i := lo; i < hi; i++ {
				g.rows[i] = int32(i)
			}
		}
		g.scale.pack(g.pack[lo:hi], grad, hess, g.rows[lo:hi])
		return nil
	})
}

// parts spreads n rows over the workers.
func (g *Grower) parts(n int) []span {
	return splitRange(0, n, max(1, min(len(g.workers), n/minParallel)))
}

// totals returns the coarse sums over all n rows.
func (g *Grower) totals(ctx context.Context, n int) (sg, sh int64, err error) {
	parts := g.parts(n)
	sums := make([][2]int64, len(parts))
	err = par.For(ctx, len(parts), len(g.workers), func(_ context.Context, k int) error {
		for _, v := range g.pack[parts[k].lo:parts[k].hi] {
			sums[k][0] += v >> 32
			sums[k][1] += int64(uint32(v))
		}
		return nil
	})
	for _, s := range sums {
		sg, sh = sg+s[0], sh+s[1]
	}
	return sg, sh, err
}

func (g *Grower) newID() int32 { return g.ids.Add(1) - 1 }

// canGrow reports whether a split of node could be allowed at all.
func (g *Grower) canGrow(node *gnode) bool {
	h := float64(node.h) * g.scale.uh
	return (g.p.MaxDepth == 0 || node.depth < g.p.MaxDepth) && node.rows.len() >= 2 && node.h > 0 &&
		h >= 2*g.p.MinChildWeight
}

// getHist takes a histogram from the pool; its contents are not cleared.
func (g *Grower) getHist() *hist {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.pool); n > 0 {
		h := g.pool[n-1]
		g.pool = g.pool[:n-1]
		return h
	}
	size := g.slots
	if g.bins.Rows > g.fixed.Block {
		size *= 2
	}
	return &hist{data: make([]int64, size)}
}

func (g *Grower) putHist(h *hist) {
	if h == nil {
		return
	}
	g.mu.Lock()
	g.pool = append(g.pool, h)
	g.mu.Unlock()
}
