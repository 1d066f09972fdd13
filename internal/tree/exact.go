package tree

import (
	"cmp"
	"context"
	"math"
	"slices"

	"dolor/diag"
	"dolor/internal/par"
	"dolor/rng"
)

// Exact grows trees by the exact greedy algorithm (algorithms 1 and 3 of Chen and Guestrin 2016,
// doi:10.1145/2939672.2939785): every split between two neighbouring values of a column is
// tried, with the missing rows on either side. Splits, thresholds, ties, float32 gains and
// pruning are those of XGBoost's tree_method=exact. Departures: gradients are summed as integers
// of 62 bits, so that sums do not depend on the order of rows; limits of leaves and growing by
// gain, which XGBoost refuses here, work.
//
// The columns are sorted once. An Exact grows one tree at a time.
type Exact struct {
	p       GrowParams
	table   *Table
	workers int
	order   [][]int32 // by column: rows with a value, by rising value then row
	// forward[j]: missing rows are also tried on the right; XGBoost does so when the column
	// lacks a cell somewhere and has more than one value.
	forward []bool
	columns []int32 // columns with a value
	inter   *Interactions

	grad, hess []int64 // one a row
	scale      float64 // of both
	last       *Tree
}

// NewExact sorts the columns of t on at most workers goroutines. Categories are not supported
// (kind Unsupported, each named). t is kept.
func NewExact(ctx context.Context, t *Table, p GrowParams, workers int) (*Exact, error) {
	var faults diag.List
	for _, c := range t.Columns {
		if c.Levels > 0 {
			faults.Addf(diag.Unsupported, c.Name, "tree_method exact reads numbers only, got a category; use hist")
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	e := &Exact{
		p: p, table: t, workers: workers, inter: NewInteractions(p.Interactions), order: make([][]int32, len(t.Columns)), forward: make([]bool, len(t.Columns)),
		grad: make([]int64, t.Rows), hess: make([]int64, t.Rows),
	}
	err := par.For(ctx, len(t.Columns), workers, func(_ context.Context, j int) error {
		v := t.Columns[j].Values
		rows := make([]int32, 0, t.Rows)
		for i, x := range v {
			if x == x {
				rows = append(rows, int32(i))
			}
		}
		slices.SortFunc(rows, func(a, b int32) int {
			return cmp.Or(cmp.Compare(v[a], v[b]), cmp.Compare(a, b))
		})
		e.order[j] = rows
		e.forward[j] = len(rows) < t.Rows && len(rows) > 0 && v[rows[0]] != v[rows[len(rows)-1]]
		return nil
	})
	for j, rows := range e.order {
		if len(rows) > 0 {
			e.columns = append(e.columns, int32(j))
		}
	}
	return e, err
}

// exactNode is a node while its tree grows.
type exactNode struct {
	depth      int
	rows       []int32   // all rows of the node
	sorted     [][]int32 // by column of the tree: its rows with a value, by rising value
	grad, hess int64
	gain       float32 // of the node as a leaf
	bounds     Bounds
	path       ColumnSet // columns split on above
	best       exactSplit
}

// exactSplit is the best split found so far.
type exactSplit struct {
	loss        float32 // reduction; 0: none
	column      int32
	threshold   float32
	defaultLeft bool
}

// Grow grows a tree from the first and second derivatives of the loss, one a row. rows are the
// rows that take part, in any order; nil means all. s draws columns.
func (e *Exact) Grow(ctx context.Context, grad, hess []float32, rows []int32, s rng.Stream) (*Tree, error) {
	if rows == nil {
		rows = make([]int32, e.table.Rows)
		for i := range rows {
			rows[i] = int32(i)
		}
	}
	e.quantize(grad, hess, len(rows))
	g := &exactTree{Exact: e, t: &Tree{}, sampler: NewColumnSampler(e.columns, &e.p, s)}
	in := make([]bool, e.table.Rows)
	for _, r := range rows {
		in[r] = true
	}
	cols := g.sampler.Tree()
	root := &exactNode{rows: slices.Clone(rows), sorted: make([][]int32, len(cols)), bounds: Unbounded()}
	for k, j := range cols {
		list := make([]int32, 0, len(rows))
		for _, r := range e.order[j] {
			if in[r] {
				list = append(list, r)
			}
		}
		root.sorted[k] = list
	}
	g.side = make([]bool, e.table.Rows)
	g.add(root, -1)
	if err := g.grow(ctx); err != nil {
		return nil, err
	}
	g.t.prune(&e.p)
	e.last = g.t
	return g.t, nil
}

// AddTo adds the leaf values of the tree that was grown last to the margins of all rows.
func (e *Exact) AddTo(ctx context.Context, margin []float32) error {
	if len(margin) != e.table.Rows || e.last == nil {
		return diag.Errorf(diag.Internal, "margin", "expected %d values and a tree, got %d", e.table.Rows, len(margin))
	}
	return par.For(ctx, (len(margin)+chunk-1)/chunk, e.workers, func(_ context.Context, k int) error {
		for i := k * chunk; i < min(len(margin), (k+1)*chunk); i++ {
			margin[i] += e.last.Nodes[e.last.leafIn(e.table, i)].Value
		}
		return nil
	})
}

// quantize turns the derivatives into integers whose sums over n rows fit into 63 bits.
func (e *Exact) quantize(grad, hess []float32, n int) {
	most := 0.0
	for i := range grad {
		most = max(most, math.Abs(float64(grad[i])), math.Abs(float64(hess[i])))
	}
	_, top := math.Frexp(most)
	_, count := math.Frexp(float64(n))
	e.scale = math.Ldexp(1, 62-top-count)
	for i := range grad {
		e.grad[i] = int64(math.RoundToEven(float64(grad[i]) * e.scale))
		e.hess[i] = int64(math.RoundToEven(float64(hess[i]) * e.scale))
	}
}

// exactTree is the tree that is growing.
type exactTree struct {
	*Exact
	t       *Tree
	nodes   []*exactNode // by node of t; nil once split or closed
	leaves  int
	sampler *ColumnSampler
	side    []bool // of the rows of the node being split: true goes left
}

// add appends a node to the tree, with sums, weight and gain.
func (g *exactTree) add(n *exactNode, parent int32) int32 {
	for _, r := range n.rows {
		n.grad += g.grad[r]
		n.hess += g.hess[r]
	}
	gs, hs := float64(n.grad)/g.scale, float64(n.hess)/g.scale
	w := float32(g.p.BoundedWeight(gs, hs, n.bounds))
	n.gain = float32(g.p.GainGivenWeight(gs, hs, float64(w)))
	g.t.Nodes = append(g.t.Nodes, Node{
		Left: Leaf, Right: Leaf, Parent: parent, Weight: w,
		Value: w * float32(g.p.LearningRate), Cover: float32(hs),
	})
	g.nodes = append(g.nodes, n)
	g.leaves++
	return int32(len(g.t.Nodes) - 1)
}

// grow splits until nothing is left to split.
func (g *exactTree) grow(ctx context.Context) error {
	queue := []int32{0}
	for len(queue) > 0 {
		fresh := queue[:0:0]
		for _, id := range queue {
			if g.nodes[id].best.loss == 0 {
				if err := g.search(ctx, id); err != nil {
					return err
				}
			}
			if g.nodes[id].best.loss > 0 {
				fresh = append(fresh, id)
			} else {
				g.nodes[id] = nil
			}
		}
		queue = fresh
		todo := queue
		queue = nil
		if g.p.LossGuided && len(todo) > 0 {
			// The largest gain first; of equals the older node.
			at := 0
			for k, id := range todo {
				if g.nodes[id].best.loss > g.nodes[todo[at]].best.loss {
					at = k
				}
			}
			queue = slices.Concat(todo[:at], todo[at+1:])
			todo = todo[at : at+1]
		}
		for _, id := range todo {
			children, err := g.split(ctx, id)
			if err != nil {
				return err
			}
			queue = append(queue, children...)
		}
	}
	return nil
}

// search finds the best split of node id; none where a limit is reached.
func (g *exactTree) search(ctx context.Context, id int32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n := g.nodes[id]
	if g.p.MaxDepth > 0 && n.depth >= g.p.MaxDepth || g.p.MaxLeaves > 0 && g.leaves >= g.p.MaxLeaves {
		return nil
	}
	draw := g.inter.Allowed(n.path).Filter(g.sampler.Node(n.depth, int(id)))
	found := make([]exactSplit, len(draw))
	all := g.sampler.Tree()
	err := par.For(ctx, len(draw), g.workers, func(_ context.Context, k int) error {
		at, _ := slices.BinarySearch(all, draw[k])
		found[k] = g.scan(n, draw[k], n.sorted[at])
		return nil
	})
	for _, f := range found {
		if f.loss > n.best.loss {
			n.best = f
		}
	}
	if !(n.best.loss > MinGain) {
		n.best = exactSplit{}
	}
	return err
}

// scan tries every split of n on column j; rows are those with a value, by rising value.
func (g *exactTree) scan(n *exactNode, j int32, rows []int32) exactSplit {
	best := exactSplit{column: j}
	if len(rows) == 0 {
		return best
	}
	v := g.table.Columns[j].Values
	some := len(rows) < len(n.rows) // rows without a value
	try := func(gl, hl int64, threshold float32, defaultLeft bool) {
		if loss := g.loss(n, j, gl, hl); loss > best.loss {
			best.loss, best.threshold, best.defaultLeft = loss, threshold, defaultLeft
		}
	}
	if g.forward[j] {
		var gl, hl int64
		last := v[rows[0]]
		for _, r := range rows {
			if x := v[r]; x != last {
				try(gl, hl, between(last, x), false)
				last = x
			}
			gl += g.grad[r]
			hl += g.hess[r]
		}
		if some {
			try(gl, hl, beyond(last, 1), false)
		}
	}
	gl, hl := n.grad, n.hess // left of the threshold, the rows without a value included
	last := v[rows[len(rows)-1]]
	for _, r := range slices.Backward(rows) {
		if x := v[r]; x != last {
			try(gl, hl, between(x, last), true)
			last = x
		}
		gl -= g.grad[r]
		hl -= g.hess[r]
	}
	if some {
		try(gl, hl, beyond(last, -1), true)
	}
	return best
}

// loss returns the reduction by a split with the given sums on the left, in float32 as XGBoost
// compares it; 0 where it is not allowed.
func (g *exactTree) loss(n *exactNode, j int32, gradLeft, hessLeft int64) float32 {
	gl, hl := float64(gradLeft)/g.scale, float64(hessLeft)/g.scale
	gr, hr := float64(n.grad-gradLeft)/g.scale, float64(n.hess-hessLeft)/g.scale
	if hl < g.p.MinChildWeight || hr < g.p.MinChildWeight {
		return 0
	}
	wl, wr := float32(g.p.BoundedWeight(gl, hl, n.bounds)), float32(g.p.BoundedWeight(gr, hr, n.bounds))
	switch d := g.p.direction(int(j)); {
	case d > 0 && wl > wr, d < 0 && wl < wr:
		return 0
	}
	gain := float32(g.p.GainGivenWeight(gl, hl, float64(wl))) + float32(g.p.GainGivenWeight(gr, hr, float64(wr)))
	loss := gain - n.gain
	if !(loss > 0) || math.IsInf(float64(loss), 0) {
		return 0
	}
	return loss
}

// beyond returns a threshold that all values lie below (sign 1, last the largest) or not below
// (sign -1, last the smallest), as far away as XGBoost puts it.
func beyond(last, sign float32) float32 {
	gap := last
	if gap < 0 {
		gap = -gap
	}
	gap += MinGain
	t := last + sign*gap
	if math.IsInf(float64(t), 0) {
		t = sign * math.MaxFloat32
	}
	if sign > 0 && !(t > last) {
		t = float32(math.Inf(1))
	}
	return t
}

// split makes two children of node id and returns them; none when the tree has leaves enough.
func (g *exactTree) split(ctx context.Context, id int32) ([]int32, error) {
	n := g.nodes[id]
	g.nodes[id] = nil
	if g.p.MaxLeaves > 0 && g.leaves >= g.p.MaxLeaves {
		return nil, nil
	}
	b := n.best
	v := g.table.Columns[b.column].Values
	for _, r := range n.rows {
		x := v[r]
		g.side[r] = x < b.threshold || x != x && b.defaultLeft
	}
	path := n.path
	if g.inter != nil {
		path = path.With(b.column)
	}
	left := &exactNode{depth: n.depth + 1, path: path, sorted: make([][]int32, len(n.sorted)), bounds: n.bounds}
	right := &exactNode{depth: n.depth + 1, path: path, sorted: make([][]int32, len(n.sorted)), bounds: n.bounds}
	left.rows, right.rows = g.part(n.rows)
	err := par.For(ctx, len(n.sorted), g.workers, func(_ context.Context, k int) error {
		left.sorted[k], right.sorted[k] = g.part(n.sorted[k])
		return nil
	})
	if err != nil {
		return nil, err
	}
	g.leaves--
	l, r := g.add(left, id), g.add(right, id)
	at := &g.t.Nodes[id]
	at.Left, at.Right, at.Feature, at.Threshold, at.DefaultLeft = l, r, b.column, b.threshold, b.defaultLeft
	at.Gain, at.Value = b.loss, 0
	if d := g.p.direction(int(b.column)); d != 0 {
		// The children's own weights are within the parent's bounds; their children must also keep
		// the two sides apart.
		left.bounds, right.bounds = n.bounds.Split(d, float64(g.t.Nodes[l].Weight), float64(g.t.Nodes[r].Weight))
	}
	return []int32{l, r}, nil
}

// part moves the rows that go left to the front of rows, keeps the order on both sides, and
// returns the two parts.
func (g *exactTree) part(rows []int32) (left, right []int32) {
	at := 0
	var later []int32
	for _, r := range rows {
		if g.side[r] {
			rows[at] = r
			at++
			continue
		}
		later = append(later, r)
	}
	copy(rows[at:], later)
	return rows[:at:at], rows[at:]
}
