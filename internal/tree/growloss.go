package tree

import (
	"container/heap"
	"context"
	"slices"

	"dolor/internal/par"
)

// histBytes bounds the histograms kept for nodes that wait to be split; the others are built
// anew when their turn comes.
const histBytes = 256 << 20

// growQueue grows one node at a time until there are MaxLeaves: by level, or the one with the
// largest reduction of the loss first, ties in order of their making. The tree is the same for
// any number of workers: what they divide ahead is used when its turn comes, or undone.
func (g *Grower) growQueue(ctx context.Context, root *gnode) error {
	q := &queue{lossGuided: g.p.LossGuided, keep: max(4, histBytes/(16*max(g.slots, 1)))}
	leaves := 1
	first := division{tasks: []task{{root, g.getHist()}}}
	if err := g.buildParallel(ctx, first.tasks[0].h, root.rows); err != nil {
		return err
	}
	if err := g.evaluateAll(ctx, g.workers[0], &first, true); err != nil {
		return err
	}
	d := &first
	for {
		for i, t := range d.tasks {
			if !d.ok[i] {
				if t.node != root {
					g.settleLeaf(t.node)
				}
				continue
			}
			if q.kept++; q.kept > q.keep {
				g.putHist(t.h)
				t.h = nil
				q.kept--
			}
			heap.Push(q, entry{task: t, made: q.made})
			q.made++
		}
		if q.Len() == 0 {
			return nil
		}
		if g.p.MaxLeaves > 0 && leaves >= g.p.MaxLeaves {
			break
		}
		e := heap.Pop(q).(entry)
		q.kept -= e.hists()
		if e.ahead == nil {
			var err error
			if e.ahead, err = g.divideAhead(ctx, q, e.task, g.p.MaxLeaves-leaves-1); err != nil {
				return err
			}
		}
		d = e.ahead
		leaves++
	}
	for _, e := range q.entries {
		if e.ahead != nil {
			for _, t := range e.ahead.tasks {
				g.putHist(t.h)
			}
			e.node.left, e.node.right = nil, nil
		} else {
			g.putHist(e.h)
		}
		e.node.split.column = -1
		if e.node != root {
			g.settleLeaf(e.node)
		}
	}
	return nil
}

// division is what became of a node: the children that may be split, and whether they should be.
type division struct {
	tasks []task
	ok    []bool
}

// divideEvaluate splits t's node and looks for the splits of its children.
func (g *Grower) divideEvaluate(ctx context.Context, w *worker, t task, parallel bool) (*division, error) {
	tasks, err := g.divide(ctx, w, t, parallel)
	if err != nil {
		return nil, err
	}
	d := &division{tasks: tasks}
	return d, g.evaluateAll(ctx, w, d, parallel)
}

// evaluateAll looks for the splits of d's nodes.
func (g *Grower) evaluateAll(ctx context.Context, w *worker, d *division, parallel bool) error {
	d.ok = make([]bool, len(d.tasks))
	for i, t := range d.tasks {
		var err error
		if d.ok[i], err = g.evaluate(ctx, w, t, parallel); err != nil {
			return err
		}
		if !d.ok[i] {
			g.putHist(t.h)
			d.tasks[i].h = nil
		}
	}
	return nil
}

// divideAhead divides t. A node with too few rows for several workers leaves the others idle,
// so these divide the nodes that are next in q, at most more of them (below 0: any number).
func (g *Grower) divideAhead(ctx context.Context, q *queue, t task, more int) (*division, error) {
	enough := max(g.bins.Rows/len(g.workers), minParallel)
	todo := []*entry{{task: t}}
	if len(g.workers) > 1 && t.node.rows.len() <= enough {
		n := min(aheadOfWorker*len(g.workers)-1, (q.keep-q.kept)/2)
		if g.p.MaxLeaves > 0 {
			n = min(n, more)
		}
		todo = append(todo, q.next(n, enough)...)
	}
	if len(todo) == 1 {
		return g.divideEvaluate(ctx, g.workers[0], t, true)
	}
	free := make(chan *worker, len(g.workers))
	for _, w := range g.workers {
		free <- w
	}
	err := par.For(ctx, len(todo), len(g.workers), func(ctx context.Context, i int) (err error) {
		w := <-free
		defer func() { free <- w }()
		todo[i].ahead, err = g.divideEvaluate(ctx, w, todo[i].task, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, e := range todo[1:] {
		if e.h != nil {
			q.kept--
		}
		e.h = nil
		q.kept += e.hists()
	}
	return todo[0].ahead, nil
}

// aheadOfWorker is the number of nodes that one worker divides before all wait for each other.
const aheadOfWorker = 1

// entry is a task in the queue; made counts them.
type entry struct {
	task
	made  int
	ahead *division // of a node that is divided already
}

// hists returns the number of histograms that e holds.
func (e *entry) hists() int {
	n := 0
	if e.h != nil {
		n = 1
	}
	if e.ahead != nil {
		for _, t := range e.ahead.tasks {
			if t.h != nil {
				n++
			}
		}
	}
	return n
}

// queue is a heap of the nodes that can be split.
type queue struct {
	entries    []entry
	lossGuided bool
	made       int // entries so far
	kept, keep int // histograms in the entries, and the most that there may be
}

// next returns up to n nodes of at most rows rows that are not divided yet, in the order in
// which they would be. They are valid until the queue changes.
func (q *queue) next(n, rows int) []*entry {
	var at []int
	for i := range q.entries {
		if e := &q.entries[i]; e.ahead == nil && e.node.rows.len() <= rows {
			at = append(at, i)
		}
	}
	slices.SortFunc(at, func(i, j int) int {
		if q.Less(i, j) {
			return -1
		}
		return 1
	})
	out := make([]*entry, 0, max(0, min(n, len(at))))
	for _, i := range at[:cap(out)] {
		out = append(out, &q.entries[i])
	}
	return out
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
