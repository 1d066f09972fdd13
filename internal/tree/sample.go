package tree

import (
	"slices"
	"sync"

	"dolor/rng"
)

// ColumnSampler draws the columns that may be split on: a fraction for the tree, of these a
// fraction for every level, of these a fraction for every node, never fewer than one. The
// draws depend only on the stream, the level and the node, so growing nodes in another order
// gives the same columns.
type ColumnSampler struct {
	stream          rng.Stream
	tree            []int32
	mu              sync.Mutex // guards levels
	levels          [][]int32
	byLevel, byNode float64
}

// NewColumnSampler draws the columns of one tree out of columns, which is sorted.
func NewColumnSampler(columns []int32, p *GrowParams, s rng.Stream) *ColumnSampler {
	c := &ColumnSampler{stream: s, byLevel: p.ColsampleByLevel, byNode: p.ColsampleByNode}
	c.tree = drawColumns(columns, p.ColsampleByTree, s.Child("columns"))
	return c
}

// Tree returns the columns drawn for the tree, sorted. They must not be changed.
func (c *ColumnSampler) Tree() []int32 { return c.tree }

// Node returns the columns, sorted, that the node with the given index may be split on; depth
// is the number of splits above it. They must not be changed. Safe for concurrent use.
func (c *ColumnSampler) Node(depth, node int) []int32 {
	c.mu.Lock()
	for len(c.levels) <= depth {
		c.levels = append(c.levels, drawColumns(c.tree, c.byLevel, c.stream.Child("level", len(c.levels))))
	}
	level := c.levels[depth]
	c.mu.Unlock()
	if !partial(c.byNode) {
		return level
	}
	return drawColumns(level, c.byNode, c.stream.Child("node", node))
}

// partial reports whether fraction leaves anything out; 0 means 1.
func partial(fraction float64) bool { return fraction > 0 && fraction < 1 }

// drawColumns returns a sorted sample of the given fraction of columns, at least one.
func drawColumns(columns []int32, fraction float64, s rng.Stream) []int32 {
	if !partial(fraction) || len(columns) == 0 {
		return columns
	}
	n := max(1, int(fraction*float64(len(columns))))
	drawn := slices.Clone(columns)
	r := s.Rand()
	for i := range n {
		j := i + r.IntN(len(drawn)-i)
		drawn[i], drawn[j] = drawn[j], drawn[i]
	}
	drawn = drawn[:n]
	slices.Sort(drawn)
	return drawn
}
