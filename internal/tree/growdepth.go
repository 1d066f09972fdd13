package tree

import (
	"cmp"
	"context"
	"slices"

	"dolor/internal/par"
)

// growDeep grows every node that is worth it. The order does not matter to the tree, so that
// below the first nodes each worker takes a subtree at a time, whose rows stay in its cache,
// and the smaller child comes first, which bounds the histograms in use by the logarithm of the
// rows.
func (g *Grower) growDeep(ctx context.Context, root *gnode) error {
	t := task{root, g.getHist()}
	if err := g.buildParallel(ctx, t.h, root.rows); err != nil {
		return err
	}
	if len(g.workers) == 1 {
		return g.growSubtree(ctx, g.workers[0], t)
	}
	// Split the largest node by all workers together until subtrees are small enough to be
	// shared out evenly.
	open := []task{t}
	enough := max(root.rows.len()/(4*len(g.workers)), minParallel)
	for {
		k := -1
		for i, t := range open {
			if t.node.rows.len() > enough && (k < 0 || t.node.rows.len() > open[k].node.rows.len()) {
				k = i
			}
		}
		if k < 0 {
			break
		}
		t := open[k]
		open = slices.Delete(open, k, k+1)
		ok, err := g.evaluate(ctx, g.workers[0], t, true)
		if err != nil {
			return err
		}
		if !ok {
			g.putHist(t.h)
			if t.node != root {
				g.settleLeaf(t.node)
			}
			continue
		}
		more, err := g.divide(ctx, g.workers[0], t, true)
		if err != nil {
			return err
		}
		open = append(open, more...)
	}
	slices.SortStableFunc(open, func(a, b task) int { return cmp.Compare(b.node.rows.len(), a.node.rows.len()) })
	free := make(chan *worker, len(g.workers))
	for _, w := range g.workers {
		free <- w
	}
	return par.For(ctx, len(open), len(g.workers), func(ctx context.Context, i int) error {
		w := <-free
		defer func() { free <- w }()
		return g.growSubtree(ctx, w, open[i])
	})
}

// growSubtree grows t's node and all below it.
func (g *Grower) growSubtree(ctx context.Context, w *worker, t task) error {
	for {
		ok, err := g.evaluate(ctx, w, t, false)
		if err != nil {
			return err
		}
		if !ok {
			g.putHist(t.h)
			if t.node.depth > 0 {
				g.settleLeaf(t.node)
			}
			return nil
		}
		more, err := g.divide(ctx, w, t, false)
		if err != nil || len(more) == 0 {
			return err
		}
		if len(more) == 2 {
			if err := g.growSubtree(ctx, w, more[0]); err != nil {
				return err
			}
		}
		t = more[len(more)-1]
	}
}
