package tree

import (
	"context"
	"math"

	"dolor/diag"
	"dolor/internal/par"
)

// chunk is the number of rows of one task: large enough that a task's own memory is small
// beside its work, small enough to share the rows out evenly.
const chunk = 4096

// Margins fills dst (len t.Rows) with the score of every row: Base, then tree by tree what the row's
// leaf adds, in float32 and in that order, as XGBoost sums. t has the ensemble's features by
// position; further columns are ignored. workers 0 means GOMAXPROCS; the result is the same for any.
// The error is the context's, or of kind Internal when lengths do not fit.
func (e *Ensemble) Margins(ctx context.Context, t *Table, workers int, dst []float32) error {
	return e.MarginsFirst(ctx, t, workers, len(e.Trees), dst)
}

// MarginsFirst is Margins with the first trees trees only.
func (e *Ensemble) MarginsFirst(ctx context.Context, t *Table, workers, trees int, dst []float32) error {
	if t.Rows < smallTable {
		if err := e.fits(t, len(dst), 1); err != nil {
			return err
		}
		for i := range dst {
			sum := e.Base
			for k := range e.Trees[:trees] {
				tr := &e.Trees[k]
				sum += e.leafValue(k, &tr.Nodes[tr.leafIn(t, i)])
			}
			dst[i] = sum
		}
		return ctx.Err()
	}
	return NewPredictor(e).MarginsFirst(ctx, t, workers, trees, dst)
}

// smallTable is the number of rows below which laying the trees out costs more than it saves.
const smallTable = 64

// leafValue is what a leaf of tree k adds.
func (e *Ensemble) leafValue(k int, leaf *Node) float32 {
	if e.Scale == nil {
		return leaf.Value
	}
	return float32(leaf.Value * e.Scale[k])
}

// leafIn returns the leaf of row i.
func (t *Tree) leafIn(x *Table, i int) int32 {
	k := int32(0)
	for {
		n := &t.Nodes[k]
		if n.Left == Leaf {
			return k
		}
		k = t.Next(n, x.Columns[n.Feature].Values[i])
	}
}

// fits checks the lengths that Margins and Leaves are given.
func (e *Ensemble) fits(t *Table, got, perRow int) error {
	if len(t.Columns) < len(e.Features) {
		return diag.Errorf(diag.Internal, "", "expected a table of %d columns, got %d", len(e.Features), len(t.Columns))
	}
	if got != t.Rows*perRow {
		return diag.Errorf(diag.Internal, "", "expected room for %d results, got %d", t.Rows*perRow, got)
	}
	return nil
}

// Leaves fills dst (row-major [rows, trees]) with the node of each row's leaf in each tree.
func (e *Ensemble) Leaves(ctx context.Context, t *Table, workers int, dst []int32) error {
	if err := e.fits(t, len(dst), len(e.Trees)); err != nil {
		return err
	}
	tasks := (t.Rows + chunk - 1) / chunk
	return par.For(ctx, tasks, workers, func(_ context.Context, task int) error {
		for i := task * chunk; i < min(t.Rows, (task+1)*chunk); i++ {
			out := dst[i*len(e.Trees) : (i+1)*len(e.Trees)]
			for k := range e.Trees {
				out[k] = e.Trees[k].leafIn(t, i)
			}
		}
		return nil
	})
}

// A Predictor is an ensemble laid out for speed. It is immutable and safe for concurrent use.
//
// Numbers are compared as integers in the order of float32, so that a missing value can be the least or the
// greatest of all: each feature takes two places of a row, one for splits that send missing
// left and one for those that send it right, if there are such. A leaf is a split that nothing is greater than
// and whose left child is itself; thus every row takes as many steps as the tree is deep, without
// a branch, and the steps of several rows overlap in the processor.
type Predictor struct {
	e     *Ensemble
	trees []flatTree
	nodes []uint64  // of all trees, then flatNodes zeros
	value []float32 // of each node, when it is a leaf
	slots []slot
	rows  int // of a block: a power of two
}

// flatNodes is what a node's index of 16 bits reaches; nodes of a tree are addressed in a
// window of that many, so that Go needs no bounds check.
const flatNodes = 1 << 16

// slot is a place in a row: a feature, and where its missing values go.
type slot struct {
	feature     int32
	missingLeft bool
}

// flatTree is a tree's place in Predictor.nodes. One that splits on categories, or is too large,
// stays as it is.
type flatTree struct {
	start, depth int
	plain        bool // walk Ensemble.Trees
}

// NewPredictor lays e out. e must not change afterwards.
func NewPredictor(e *Ensemble) *Predictor {
	p := &Predictor{e: e, trees: make([]flatTree, len(e.Trees))}
	place := make(map[slot]int)
	for k := range e.Trees {
		if len(e.Trees[k].Sets) > 0 || len(e.Trees[k].Nodes) >= flatNodes {
			p.trees[k].plain = true
			continue
		}
		for i := range e.Trees[k].Nodes {
			n := &e.Trees[k].Nodes[i]
			s := slot{n.Feature, n.DefaultLeft}
			if _, known := place[s]; !known && n.Left != Leaf {
				place[s] = len(p.slots)
				p.slots = append(p.slots, s)
			}
		}
	}
	p.rows = 64
	for p.rows > 8 && len(p.slots)*p.rows > flatNodes {
		p.rows /= 2
	}
	if len(p.slots)*p.rows > flatNodes { // more than 8192 places: no window holds a block
		for k := range p.trees {
			p.trees[k].plain = true
		}
		return p
	}
	for k := range e.Trees {
		if !p.trees[k].plain {
			p.flatten(k, place)
		}
	}
	p.nodes = append(p.nodes, make([]uint64, flatNodes)...)
	p.value = append(p.value, make([]float32, flatNodes)...)
	return p
}

// flatten lays out tree k level by level, so that siblings are neighbours.
func (p *Predictor) flatten(k int, place map[slot]int) {
	t := &p.e.Trees[k]
	f := &p.trees[k]
	f.start, f.depth = len(p.nodes), t.Depth()
	queue := make([]int32, 1, len(t.Nodes))
	for i := 0; i < len(queue); i++ {
		n := &t.Nodes[queue[i]]
		if n.Left == Leaf {
			p.nodes = append(p.nodes, flatNode(math.MaxInt32, 0, i))
			p.value = append(p.value, p.e.leafValue(k, n))
			continue
		}
		off := place[slot{n.Feature, n.DefaultLeft}] * p.rows
		// x < Threshold goes left, so what is greater than the integer below Threshold goes right.
		p.nodes = append(p.nodes, flatNode(ordered(n.Threshold)-1, off, len(queue)))
		p.value = append(p.value, 0)
		queue = append(queue, n.Left, n.Right)
	}
}

// flatNode packs a limit, a row's offset and the left child.
func flatNode(limit int32, off, left int) uint64 {
	return uint64(uint32(limit))<<32 | uint64(off)<<16 | uint64(left)
}

// ordered maps float32 to int32 such that a < b exactly when ordered(a) < ordered(b); both zeros
// are one. NaN has no place; it is handled before.
func ordered(x float32) int32 {
	b := int32(math.Float32bits(x + 0)) // -0 + 0 = 0
	return b ^ (b>>31)&math.MaxInt32
}

// Margins is Ensemble.Margins.
func (p *Predictor) Margins(ctx context.Context, t *Table, workers int, dst []float32) error {
	return p.MarginsFirst(ctx, t, workers, len(p.e.Trees), dst)
}

// MarginsFirst is Ensemble.MarginsFirst.
func (p *Predictor) MarginsFirst(ctx context.Context, t *Table, workers, trees int, dst []float32) error {
	if err := p.e.fits(t, len(dst), 1); err != nil {
		return err
	}
	tasks := (t.Rows + chunk - 1) / chunk
	return par.For(ctx, tasks, workers, func(_ context.Context, task int) error {
		block := make([]int32, flatNodes)
		for at := task * chunk; at < min(t.Rows, (task+1)*chunk); at += p.rows {
			p.block(t, at, min(at+p.rows, t.Rows), p.trees[:trees], (*[flatNodes]int32)(block), dst)
		}
		return nil
	})
}

// block predicts rows from to to, at most p.rows of them.
func (p *Predictor) block(t *Table, from, to int, trees []flatTree, block *[flatNodes]int32, dst []float32) {
	for s, sl := range p.slots {
		fill(block[s*p.rows:s*p.rows+to-from], t.Columns[sl.feature].Values[from:to], sl.missingLeft)
	}
	out := dst[from:to]
	for i := range out {
		out[i] = p.e.Base
	}
	for k := range trees {
		f := &trees[k]
		if f.plain {
			tr := &p.e.Trees[k]
			for i := range out {
				out[i] += p.e.leafValue(k, &tr.Nodes[tr.leafIn(t, from+i)])
			}
			continue
		}
		addTree((*[flatNodes]uint64)(p.nodes[f.start:]), (*[flatNodes]float32)(p.value[f.start:]), f.depth, block, out)
	}
}

// fill puts a column's values into a block.
func fill(dst []int32, values []float32, missingLeft bool) {
	missing := int32(math.MaxInt32)
	if missingLeft {
		missing = math.MinInt32
	}
	for i, x := range values[:len(dst)] {
		v := ordered(x)
		if x != x {
			v = missing
		}
		dst[i] = v
	}
}
