package tree

import (
	"context"
	"math"
	"slices"

	"dolor/diag"
	"dolor/internal/par"
)

// sumLeaves takes the fine sums of all leaves. Going through the rows in their order is faster than
// leaf by leaf.
func (g *Grower) sumLeaves(ctx context.Context) error {
	n := int(g.ids.Load())
	parts := g.parts(g.bins.Rows)
	sums := make([][][2]int64, len(parts))
	err := par.For(ctx, len(parts), len(g.workers), func(_ context.Context, k int) error {
		s := make([][2]int64, n)
		lo, hi := parts[k].lo, parts[k].hi
		grad, hess := g.grad[lo:hi], g.hess[lo:hi]
		for i, id := range g.leaf[lo:hi] {
			if id >= 0 {
				f := &s[id]
				f[0] += toInt(float64(float64(grad[i]) * g.scale.fineG))
				f[1] += toInt(float64(float64(hess[i]) * g.scale.fineH))
			}
		}
		sums[k] = s
		return nil
	})
	if err != nil {
		return err
	}
	g.fine = sums[0]
	for _, s := range sums[1:] {
		for id, f := range s {
			g.fine[id][0] += f[0]
			g.fine[id][1] += f[1]
		}
	}
	return nil
}

// settleOthers finds the leaves of the rows that the tree was not grown on.
func (g *Grower) settleOthers(ctx context.Context, root *gnode, some bool) error {
	if !some {
		return nil
	}
	lefts := make([]*[MaxBins]uint8, g.ids.Load())
	eachNode(root, func(n *gnode) {
		if n.left != nil {
			lefts[n.id] = n.split.leftCodes(g.bins.Columns[n.split.column].Bins())
		}
	})
	parts := g.parts(g.bins.Rows)
	return par.For(ctx, len(parts), len(g.workers), func(_ context.Context, k int) error {
		for r := parts[k].lo; r < parts[k].hi; r++ {
			if g.leaf[r] >= 0 {
				continue
			}
			n := root
			for n.left != nil {
				if lefts[n.id][g.bins.byCol[int(n.split.column)*g.bins.Rows+r]] != 0 {
					n = n.left
				} else {
					n = n.right
				}
			}
			g.leaf[r] = n.id
		}
		return nil
	})
}

// eachNode calls f for root and all below it, level by level, left before right.
func eachNode(root *gnode, f func(*gnode)) {
	level := []*gnode{root}
	for len(level) > 0 {
		n := level[0]
		level = level[1:]
		f(n)
		if n.left != nil {
			level = append(level, n.left, n.right)
		}
	}
}

// finish numbers the nodes level by level and gives them their values.
func (g *Grower) finish(root *gnode) *Tree {
	n := int(g.ids.Load())
	g.index = append(g.index[:0], make([]int32, n)...)
	g.values = append(g.values[:0], make([]float32, n)...)
	nodes := make([]*gnode, 0, n)
	eachNode(root, func(node *gnode) {
		g.index[node.id] = int32(len(nodes))
		nodes = append(nodes, node)
	})
	for _, d := range slices.Backward(nodes) {

		d.fg, d.fh = g.fine[d.id][0], g.fine[d.id][1]
		if d.left != nil {
			d.fg, d.fh = d.left.fg+d.right.fg, d.left.fh+d.right.fh
		}
	}
	t := &Tree{Nodes: make([]Node, len(nodes))}
	t.Nodes[0].Parent = -1
	for k, d := range nodes {
		out := &t.Nodes[k]
		weight := g.weight(d)
		out.Weight, out.Cover = float32(weight), float32(float64(d.fh)*g.scale.ufineH)
		out.Left, out.Right = Leaf, Leaf
		if d.left == nil {
			out.Value = float32(weight * g.p.LearningRate)
			g.values[d.id] = out.Value
			continue
		}
		out.Left, out.Right = g.index[d.left.id], g.index[d.right.id]
		t.Nodes[out.Left].Parent, t.Nodes[out.Right].Parent = int32(k), int32(k)
		out.Feature, out.DefaultLeft, out.Gain = d.split.column, d.split.missing, float32(d.split.loss)
		g.condition(t, out, &d.split)
	}
	return t
}

// condition writes what a split asks of its column.
func (g *Grower) condition(t *Tree, out *Node, s *split) {
	c := &g.bins.Columns[s.column]
	switch {
	case s.set != nil:
		set := make([]uint64, (c.Levels+63)/64)
		for code, level := range c.LevelOf {
			if s.set[code>>6]>>(code&63)&1 != 0 {
				set[level>>6] |= 1 << (level & 63)
			}
		}
		t.Sets = append(t.Sets, set)
		out.Set = int32(len(t.Sets))
	case s.code < 0:
		// Only missing goes left: no number is below the least.
		out.Threshold = -math.MaxFloat32
	default:
		out.Threshold = c.Cuts[s.code]
	}
}

// weight returns the weight of a node from its fine sums. Whether its curvature suffices was
// decided on the coarse ones.
func (g *Grower) weight(d *gnode) float64 {
	p := *g.p
	if float64(d.h)*g.scale.uh >= p.MinChildWeight {
		p.MinChildWeight = 0
	}
	return p.BoundedWeight(float64(d.fg)*g.scale.ufineG, float64(d.fh)*g.scale.ufineH, d.bounds)
}

// Leaves writes the index of the leaf, in the tree that was grown last, of every row of the
// bins to dst, which it allocates if too short.
func (g *Grower) Leaves(dst []int32) []int32 {
	if cap(dst) < len(g.leaf) {
		dst = make([]int32, len(g.leaf))
	}
	dst = dst[:len(g.leaf)]
	for i, id := range g.leaf {
		dst[i] = g.index[id]
	}
	return dst
}

// AddTo adds the leaf value of the tree that was grown last to the margin of every row of the
// bins.
func (g *Grower) AddTo(ctx context.Context, margin []float32) error {
	if len(margin) != len(g.leaf) {
		return diag.Errorf(diag.Internal, "margin", "expected %d values, got %d", len(g.leaf), len(margin))
	}
	parts := g.parts(len(margin))
	return par.For(ctx, len(parts), len(g.workers), func(_ context.Context, k int) error {
		leaf := g.leaf[parts[k].lo:parts[k].hi]
		m := margin[parts[k].lo:parts[k].hi]
		for i, id := range leaf {
			m[i] += g.values[id]
		}
		return nil
	})
}
