package tree

import (
	"context"

	"dolor/internal/par"
)

// task is a node that may be split, with its histogram; nil means that it has to be built.
type task struct {
	node *gnode
	h    *hist
}

// minScan is the least number of columns whose search a worker of its own is worth: the search
// takes about 0.3 µs a column, waking a worker several.
const minScan = 128

// evaluate looks for the best split of t's node and reports whether there is one worth making.
func (g *Grower) evaluate(ctx context.Context, w *worker, t task, parallel bool) (bool, error) {
	node := t.node
	columns := g.sampler.Node(node.depth, node.key)
	columns = g.interactions.Allowed(node.path).Filter(columns)
	node.split.column = -1
	n := 1
	if parallel {
		n = max(1, min(len(g.workers), len(columns)/minScan))
	}
	if n <= 1 {
		w.scan.start(g, node)
		for _, j := range columns {
			w.scan.scan(t.h, j)
		}
		node.split = w.scan.best
	} else {
		parts := splitRange(0, len(columns), n)
		err := par.For(ctx, n, n, func(_ context.Context, k int) error {
			s := &g.workers[k].scan
			s.start(g, node)
			for _, j := range columns[parts[k].lo:parts[k].hi] {
				s.scan(t.h, j)
			}
			return nil
		})
		if err != nil {
			return false, err
		}
		for k := range n {
			if s := &g.workers[k].scan.best; s.column >= 0 && (k == 0 || node.split.column < 0 || s.loss > node.split.loss) {
				node.split = *s
			}
		}
	}
	return node.split.column >= 0 && node.split.loss >= g.p.Gamma, ctx.Err()
}

// leftCodes marks the codes that a split sends left.
func (s *split) leftCodes(bins int) *[MaxBins]uint8 {
	var left [MaxBins]uint8
	for k := range bins {
		if s.set == nil && k <= int(s.code) || s.set != nil && s.set[k>>6]>>(k&63)&1 == 0 {
			left[k] = 1
		}
	}
	if s.missing {
		left[bins] = 1
	}
	return &left
}

// divide splits t's node as evaluate found. It returns the children that may be split
// further, with their histograms, the one with fewer rows first; the others are settled as
// leaves. t's histogram is used up.
func (g *Grower) divide(ctx context.Context, w *worker, t task, parallel bool) ([]task, error) {
	node, sp := t.node, &t.node.split
	left := sp.leftCodes(g.bins.Columns[sp.column].Bins())
	l, r := g.children(node)
	// A child's rows are not known yet; assume enough of them for the check.
	l.rows, r.rows = node.rows, node.rows
	if !g.canGrow(l) && !g.canGrow(r) {
		defer g.putHist(t.h)
		ids := [2]int32{r.id, l.id}
		if parallel {
			return nil, g.settleParallel(ctx, node.rows, sp.column, left, ids)
		}
		g.settle(node.rows, sp.column, left, ids)
		return nil, nil
	}
	var mid int
	var err error
	if parallel {
		if mid, err = g.partitionParallel(ctx, node.rows, sp.column, left); err != nil {
			return nil, err
		}
	} else {
		mid = g.partition(node.rows, sp.column, left)
	}
	l.rows, r.rows = span{node.rows.lo, mid}, span{mid, node.rows.hi}
	small, large := l, r
	if r.rows.len() < l.rows.len() {
		small, large = r, l
	}
	return g.childTasks(ctx, w, t.h, small, large, parallel)
}

// childTasks makes the histograms of the children that may be split and settles the others.
func (g *Grower) childTasks(ctx context.Context, w *worker, parent *hist, small, large *gnode, parallel bool) ([]task, error) {
	build := func(h *hist, s span) error {
		if parallel {
			return g.buildParallel(ctx, h, s)
		}
		g.build(h, s, w.scratch)
		return nil
	}
	var tasks []task
	needSmall, needLarge := g.canGrow(small), g.canGrow(large)
	if needSmall || needLarge && parent != nil {
		h := g.getHist()
		if err := build(h, small.rows); err != nil {
			return nil, err
		}
		if needLarge && parent != nil {
			g.subtract(parent, h, large.rows.len())
		}
		if needSmall {
			tasks = append(tasks, task{small, h})
		} else {
			g.putHist(h)
		}
	}
	if needLarge {
		if parent == nil {
			parent = g.getHist()
			if err := build(parent, large.rows); err != nil {
				return nil, err
			}
		}
		tasks = append(tasks, task{large, parent})
	} else {
		g.putHist(parent)
	}
	for _, c := range []*gnode{small, large} {
		if !g.canGrow(c) {
			g.settleLeaf(c)
		}
	}
	return tasks, nil
}

// settleLeaf makes a leaf of a node whose rows are together.
func (g *Grower) settleLeaf(node *gnode) {
	for _, r := range g.rows[node.rows.lo:node.rows.hi] {
		g.leaf[r] = node.id
	}
}

// children makes the two children of a node that is split, without their rows.
func (g *Grower) children(node *gnode) (l, r *gnode) {
	sp := &node.split
	l = &gnode{id: g.newID(), depth: node.depth + 1, key: 2 * node.key, g: sp.gl, h: sp.hl, path: node.path}
	r = &gnode{id: g.newID(), depth: node.depth + 1, key: 2*node.key + 1, g: node.g - sp.gl, h: node.h - sp.hl, path: node.path}
	if g.interactions != nil {
		l.path = node.path.With(sp.column)
		r.path = l.path
	}
	l.bounds, r.bounds = node.bounds, node.bounds
	if g.p.Monotone != nil && g.bins.Columns[sp.column].Levels == 0 {
		wl := g.p.BoundedWeight(float64(l.g)*g.scale.ug, float64(l.h)*g.scale.uh, node.bounds)
		wr := g.p.BoundedWeight(float64(r.g)*g.scale.ug, float64(r.h)*g.scale.uh, node.bounds)
		l.bounds, r.bounds = node.bounds.Split(g.p.Monotone[sp.column], wl, wr)
	}
	node.left, node.right = l, r
	return l, r
}
