package tree

import (
	"context"

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

// MarginsFirst is Margins with the first trees trees only, at most all.
func (e *Ensemble) MarginsFirst(ctx context.Context, t *Table, workers, trees int, dst []float32) error {
	trees = max(0, min(trees, len(e.Trees)))
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
