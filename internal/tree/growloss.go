package tree

import (
	"container/heap"
	"context"
)

// histBytes bounds the histograms kept for nodes that wait to be split; the others are built
// anew when their turn comes.
const histBytes = 256 << 20

// growQueue grows one node at a time until there are MaxLeaves: by level, or the one with the
// largest reduction of the loss first, ties in order of their making.
func (g *Grower) growQueue(ctx context.Context, root *gnode) error {
	q := &queue{lossGuided: g.p.LossGuided}
	keep := max(4, histBytes/(16*max(g.slots, 1)))
	leaves := 1
	w := g.workers[0]
	tasks := []task{{root, g.getHist()}}
	if err := g.buildParallel(ctx, tasks[0].h, root.rows); err != nil {
		return err
	}
	for {
		for _, t := range tasks {
			ok, err := g.evaluate(ctx, w, t, true)
			if err != nil {
				return err
			}
			switch {
			case ok:
				if q.kept++; q.kept > keep {
					g.putHist(t.h)
					t.h = nil
					q.kept--
				}
				heap.Push(q, entry{t, q.made})
				q.made++
			default:
				g.putHist(t.h)
				if t.node != root {
					g.settleLeaf(t.node)
				}
			}
		}
		if q.Len() == 0 {
			return nil
		}
		if g.p.MaxLeaves > 0 && leaves >= g.p.MaxLeaves {
			break
		}
		t := heap.Pop(q).(entry).task
		if t.h != nil {
			q.kept--
		}
		var err error
		if tasks, err = g.divide(ctx, w, t, true); err != nil {
			return err
		}
		leaves++
	}
	for _, e := range q.entries {
		g.putHist(e.h)
		e.node.split.column = -1
		if e.node != root {
			g.settleLeaf(e.node)
		}
	}
	return nil
}

// entry is a task in the queue; made counts them.
type entry struct {
	task
	made int
}

// queue is a heap of the nodes that can be split.
type queue struct {
	entries    []entry
	lossGuided bool
	made, kept int
}

func (q *queue) Len() int { return len(q.entries) }

func (q *queue) Less(i, j int) bool {
	a, b := &q.entries[i], &q.entries[j]
	if q.lossGuided {
		if x, y := a.node.split.loss, b.node.split.loss; x != y {
			return x > y
		}
	} else if a.node.depth != b.node.depth {
		return a.node.depth < b.node.depth
	}
	return a.made < b.made
}

func (q *queue) Swap(i, j int) { q.entries[i], q.entries[j] = q.entries[j], q.entries[i] }
func (q *queue) Push(x any)    { q.entries = append(q.entries, x.(entry)) }

func (q *queue) Pop() any {
	n := len(q.entries) - 1
	e := q.entries[n]
	q.entries[n] = entry{}
	q.entries = q.entries[:n]
	return e
}
