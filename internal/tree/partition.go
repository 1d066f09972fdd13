package tree

import (
	"context"

	"dolor/internal/par"
)

// minParallel is the least number of rows that a worker of its own is worth.
const minParallel = 4096

// partition moves the rows of s whose code is 1 in left to the front, the others behind them,
// both in their old order, with their packed values. It returns the first of the others.
func (g *Grower) partition(s span, column int32, left *[MaxBins]uint8) int {
	n := g.partitionPart(s, column, left)
	copy(g.rows[s.lo+n:s.hi], g.rowsTmp[s.lo:])
	copy(g.pack[s.lo+n:s.hi], g.packTmp[s.lo:])
	return s.lo + n
}

// partitionPart moves the rows that go left to the front of s, and the others, into the
// second buffers from s.lo on. It returns the number that go left.
func (g *Grower) partitionPart(s span, column int32, left *[MaxBins]uint8) int {
	codes := g.bins.column(column)
	rows, pack := g.rows[s.lo:s.hi], g.pack[s.lo:s.hi]
	return partitionRows(rows, g.rowsTmp[s.lo:s.hi], pack, g.packTmp[s.lo:s.hi], codes, left)
}

//go:noinline
func partitionRows(rows, rowsTmp []int32, pack, packTmp []int64, codes []uint8, left *[MaxBins]uint8) int {
	l, r := 0, 0
	n := len(rows)
	pack, rowsTmp, packTmp = pack[:n], rowsTmp[:n], packTmp[:n]
	for i := range n {
		row, v := rows[i], pack[i]
		// Written to both sides, kept on one: no branch to predict.
		to := int(left[codes[row]])
		rows[l], pack[l] = row, v
		rowsTmp[r], packTmp[r] = row, v
		l += to
		r += 1 - to
	}
	return l
}

// partitionParallel is partition with the rows spread over the workers.
func (g *Grower) partitionParallel(ctx context.Context, s span, column int32, left *[MaxBins]uint8) (int, error) {
	n := min(len(g.workers), s.len()/minParallel)
	if n <= 1 {
		return g.partition(s, column, left), nil
	}
	parts := splitRange(s.lo, s.hi, n)
	count := make([]int, n)
	err := par.For(ctx, n, n, func(_ context.Context, k int) error {
		count[k] = g.partitionPart(parts[k], column, left)
		return nil
	})
	if err != nil {
		return 0, err
	}
	at := s.lo
	for k, p := range parts {
		copy(g.rows[at:], g.rows[p.lo:p.lo+count[k]])
		copy(g.pack[at:], g.pack[p.lo:p.lo+count[k]])
		at += count[k]
	}
	mid := at
	to := make([]int, n)
	for k, p := range parts {
		to[k] = at
		at += p.len() - count[k]
	}
	err = par.For(ctx, n, n, func(_ context.Context, k int) error {
		m := parts[k].len() - count[k]
		copy(g.rows[to[k]:to[k]+m], g.rowsTmp[parts[k].lo:])
		copy(g.pack[to[k]:to[k]+m], g.packTmp[parts[k].lo:])
		return nil
	})
	return mid, err
}

// settle records the leaves of the rows of s by their code of column: ids[1] where left is 1,
// else ids[0]. Rows are not moved.
func (g *Grower) settle(s span, column int32, left *[MaxBins]uint8, ids [2]int32) {
	codes := g.bins.column(column)
	for _, r := range g.rows[s.lo:s.hi] {
		g.leaf[r] = ids[left[codes[r]]&1]
	}
}

// settleParallel is settle with the rows spread over the workers.
func (g *Grower) settleParallel(ctx context.Context, s span, column int32, left *[MaxBins]uint8, ids [2]int32) error {
	parts := splitRange(s.lo, s.hi, max(1, min(len(g.workers), s.len()/minParallel)))
	return par.For(ctx, len(parts), len(parts), func(_ context.Context, k int) error {
		g.settle(parts[k], column, left, ids)
		return nil
	})
}
