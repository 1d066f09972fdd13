package tree

import (
	"container/heap"
	"context"
	"math"
	"math/rand/v2"
)

// CartParams says how a classification tree is grown (Breiman, Friedman, Olshen and Stone,
// Classification and Regression Trees, 1984; doi:10.1201/9781315139470).
type CartParams struct {
	LogLoss           bool    // impurity is the entropy instead of Gini's
	Random            bool    // one random split a column (Geurts 2006, doi:10.1007/s10994-006-6226-1) instead of the best
	MaxDepth          int     // splits on a path; 0 means no limit
	MaxLeaves         int     // leaves, split in order of falling gain; 0 means no limit
	MaxFeatures       int     // columns drawn for a split; 0 means all
	MinSplit, MinLeaf int     // fewest rows in a node that is split, in a leaf; 0 means 2, 1
	MinWeightFraction float64 // least weight in a leaf, as a fraction of the tree's rows
	MaxOneHot         int     // categories present in a node up to which one of them is split off; 0 means 4
}

// Cart grows classification trees on coded columns, one at a time: it holds the scratch
// memory of one worker. All sums are of integers, so that a tree depends on which rows are in
// it, never on their order. Not safe for concurrent use; several may share a Coded.
//
// A split maximises the decrease of weighted impurity over the columns drawn for it. Columns
// are drawn without replacement, MaxFeatures of them and then on until one varies, as
// scikit-learn does. Missing values are tried on both sides, and alone (then the threshold is
// the least float32 and they are on the left); where a node has none they go to the heavier child, as in scikit-learn 1.3 and later. So do
// categories that a node does not have. Thresholds separate the same values as scikit-learn's
// midpoints; unlike there, values closer than 1e-7 are told apart.
type Cart struct {
	data   *Coded
	y      []bool
	w      []int64 // nil: 1 each
	unit   float64 // weight of 1 in w
	params CartParams
	log    xlogx

	// The tree that grows.
	packed    bool // sums fit the packed histogram
	minWeight int64
	nodes     []Node
	sets      [][]uint64
	rows, out []int32  // rows of the tree, and rows left out, segment by segment
	pay       []uint64 // of rows: weight << 1 | outcome
	rand      *rand.Rand
	features  []int32

	runs    runs
	best    cartSplit
	hist    []uint64 // all zero between searches
	keys    []uint32
	wide    []uint64
	scratch scratch
}

type scratch struct {
	keys  []uint32
	count []int32
	rows  []int32
	pay   []uint64
	right []uint8 // by code: 1 where the split sends it right
	order []int32
	n     []int32
	w, e  []int64
}

// cartSplit is the best split found so far in a node.
type cartSplit struct {
	ok          bool
	feature     int32
	num, den    float64 // Gini: the decrease is proportional to num/den; entropy: num, den = 1
	cut         int     // codes <= cut go left, in a split on a number
	threshold   float32
	right       []uint16 // codes that go right, in a split on a category
	missingLeft bool
}

// cartItem is a leaf that will be split.
type cartItem struct {
	node, depth int32
	in, out     [2]int // its segments of Cart.rows and Cart.out
	n           int
	w, e        int64
	split       cartSplit
	gain        float64
}

// NewCart prepares a worker. y is the outcome; w holds whole weights, nil for 1 each, of which
// unit make up a weight of 1; the greatest possible sum must stay below 2^52. Rows of weight 0 must not be grown on.
func NewCart(data *Coded, y []bool, w []int64, unit float64, p CartParams) *Cart {
	c := &Cart{data: data, y: y, w: w, unit: unit, params: p}
	if c.params.MaxFeatures <= 0 {
		c.params.MaxFeatures = len(data.cols)
	}
	if c.params.MaxOneHot == 0 {
		c.params.MaxOneHot = 4
	}
	c.params.MinLeaf = max(1, p.MinLeaf)
	c.params.MinSplit = max(2, p.MinSplit)
	if p.LogLoss {
		most := int64(4 * data.Rows)
		if w != nil {
			most = logTable
		}
		c.log = newXlogx(most)
	}
	widest := 0
	for j := range data.cols {
		widest = max(widest, len(data.cols[j].first))
	}
	c.hist = make([]uint64, widest)
	c.scratch.right = make([]uint8, noCode+1)
	c.features = make([]int32, len(data.cols))
	return c
}

// Grow returns the tree of the rows with times[i] > 0, each counted that often. A node's value
// is the weighted share of its rows with the outcome, its gain the decrease of weighted
// impurity, its cover the weight of its rows. leftOut, unless nil, is called for each leaf
// with the rows that are not in the tree but fall into it; it must not keep them.
// Nodes are in depth-first order, left before right. The error is that of ctx.
func (c *Cart) Grow(ctx context.Context, times []uint16, r *rand.Rand, leftOut func(rows []int32, value float32)) (Tree, error) {
	c.rand = r
	c.nodes, c.sets = c.nodes[:0], nil
	root := c.start(times, leftOut != nil)
	for j := range c.features {
		c.features[j] = int32(j)
	}
	c.leaf(&root, -1)
	open := &frontier{byGain: c.params.MaxLeaves > 0}
	c.open(open, root)
	for leaves := 1; open.Len() > 0 && (c.params.MaxLeaves == 0 || leaves < c.params.MaxLeaves); leaves++ {
		it := open.next()
		if it.n > 1<<12 && ctx.Err() != nil {
			return Tree{}, ctx.Err()
		}
		left, right := c.divide(&it)
		for _, child := range []*cartItem{&right, &left} { // the left is taken up first
			c.open(open, *child)
		}
	}
	return c.finish(leftOut), nil
}

// start lists the rows and weights of the root.
func (c *Cart) start(times []uint16, keepOut bool) cartItem {
	c.rows, c.pay, c.out = c.rows[:0], c.pay[:0], c.out[:0]
	it := cartItem{}
	var heaviest int64
	for i, t := range times {
		w := int64(1)
		if c.w != nil {
			w = c.w[i]
		}
		if t == 0 {
			if keepOut && w > 0 {
				c.out = append(c.out, int32(i))
			}
			continue
		}
		w *= int64(t)
		p := uint64(w) << 1
		if c.y[i] {
			p |= 1
			it.e += w
		}
		it.w += w
		heaviest = max(heaviest, w)
		c.rows, c.pay = append(c.rows, int32(i)), append(c.pay, p)
	}
	it.n = len(c.rows)
	it.in, it.out = [2]int{0, it.n}, [2]int{0, len(c.out)}
	// The packed histogram has 21 bits for rows, 21 for weight and 22 for events; its keys 15
	// bits for the weight of a row.
	c.packed = it.w < 1<<21 && heaviest < 1<<15
	c.minWeight = int64(math.Ceil(c.params.MinWeightFraction * float64(it.w)))
	c.scratch.fit(it.n, len(c.out))
	if cap(c.keys) < it.n {
		c.keys = make([]uint32, it.n)
	}
	return it
}

func (s *scratch) fit(in, out int) {
	if m := max(in, out); cap(s.rows) < m {
		s.rows = make([]int32, m)
	}
	if cap(s.pay) < in {
		s.pay = make([]uint64, in)
		s.keys = make([]uint32, in)
	}
}

// leaf appends the node of it.
func (c *Cart) leaf(it *cartItem, parent int32) {
	p := float32(float64(it.e) / float64(it.w))
	it.node = int32(len(c.nodes))
	c.nodes = append(c.nodes, Node{
		Left: Leaf, Right: Leaf, Parent: parent, Value: p, Weight: p,
		Cover: float32(float64(it.w) / c.unit),
	})
}

// open searches the split of it and, if there is one, lists it for splitting.
func (c *Cart) open(f *frontier, it cartItem) {
	p := &c.params
	// Where the rows that were left out ended is noted in the leaf until the tree is finished.
	n := &c.nodes[it.node]
	n.Left, n.Right = int32(^it.out[0]), int32(^it.out[1])
	if it.e == 0 || it.e == it.w || it.n < p.MinSplit || it.n < 2*p.MinLeaf || it.w < 2*c.minWeight ||
		p.MaxDepth > 0 && int(it.depth) >= p.MaxDepth {
		return
	}
	if c.search(&it) {
		f.add(it)
	}
}

// divide makes the children of it.
func (c *Cart) divide(it *cartItem) (left, right cartItem) {
	col := &c.data.cols[it.split.feature]
	s := &it.split
	mid := c.partition(it)
	left = cartItem{depth: it.depth + 1, in: [2]int{it.in[0], mid[0]}, out: [2]int{it.out[0], mid[1]}}
	right = cartItem{depth: it.depth + 1, in: [2]int{mid[0], it.in[1]}, out: [2]int{mid[1], it.out[1]}}
	left.n = mid[0] - it.in[0]
	right.n = it.n - left.n
	for _, p := range c.pay[left.in[0]:left.in[1]] {
		left.w += int64(p >> 1)
		left.e += int64(p>>1) & -int64(p&1)
	}
	right.w, right.e = it.w-left.w, it.e-left.e
	c.leaf(&left, it.node)
	c.leaf(&right, it.node)
	n := &c.nodes[it.node]
	n.Left, n.Right, n.Feature, n.Value = left.node, right.node, s.feature, 0
	n.Threshold, n.DefaultLeft, n.Gain = s.threshold, s.missingLeft, float32(it.gain/c.unit)
	if col.levels > 0 {
		most := 0
		for _, code := range s.right {
			most = max(most, int(col.first[code]))
		}
		set := make([]uint64, most/64+1)
		for _, code := range s.right {
			level := int(col.first[code])
			set[level/64] |= 1 << (level % 64)
		}
		c.sets = append(c.sets, set)
		n.Set = int32(len(c.sets))
	}
	return left, right
}

// finish copies the nodes in depth-first order and hands out the rows that were left out.
func (c *Cart) finish(leftOut func(rows []int32, value float32)) Tree {
	t := Tree{Nodes: make([]Node, 0, len(c.nodes))}
	type visit struct{ from, parent int32 }
	stack := []visit{{0, -1}}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n := c.nodes[v.from]
		at := int32(len(t.Nodes))
		n.Parent = v.parent
		if v.parent >= 0 {
			if p := &t.Nodes[v.parent]; p.Left == Leaf {
				p.Left = at
			} else {
				p.Right = at
			}
		}
		if n.Left < 0 {
			if rows := c.out[^n.Left:^n.Right]; leftOut != nil && len(rows) > 0 {
				leftOut(rows, n.Value)
			}
		} else {
			stack = append(stack, visit{n.Right, at}, visit{n.Left, at})
			if n.Set > 0 {
				t.Sets = append(t.Sets, c.sets[n.Set-1])
				n.Set = int32(len(t.Sets))
			}
		}
		n.Left, n.Right = Leaf, Leaf
		t.Nodes = append(t.Nodes, n)
	}
	return t
}

// frontier holds the leaves to split: last in, first out, or by falling gain.
type frontier struct {
	items  []cartItem
	byGain bool
}

func (f *frontier) add(it cartItem) {
	if f.byGain {
		heap.Push(f, it)
		return
	}
	f.items = append(f.items, it)
}

func (f *frontier) next() cartItem {
	if f.byGain {
		return heap.Pop(f).(cartItem)
	}
	it := f.items[len(f.items)-1]
	f.items = f.items[:len(f.items)-1]
	return it
}

// Len implements [heap.Interface].
func (f *frontier) Len() int { return len(f.items) }

// Less implements [heap.Interface]: larger gain first, then the older node.
func (f *frontier) Less(a, b int) bool {
	x, y := &f.items[a], &f.items[b]
	if x.gain != y.gain {
		return x.gain > y.gain
	}
	return x.node < y.node
}

// Swap implements [heap.Interface].
func (f *frontier) Swap(a, b int) { f.items[a], f.items[b] = f.items[b], f.items[a] }

// Push implements [heap.Interface].
func (f *frontier) Push(x any) { f.items = append(f.items, x.(cartItem)) }

// Pop implements [heap.Interface].
func (f *frontier) Pop() any {
	it := f.items[len(f.items)-1]
	f.items = f.items[:len(f.items)-1]
	return it
}
