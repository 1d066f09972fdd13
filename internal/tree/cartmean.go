package tree

import (
	"context"

	"dolor/internal/par"
)

// meanRows is how many rows are looked up together: their values and the sums stay in the
// first cache while the trees pass by.
const meanRows = 128

// Mean predicts the mean of the values of trees whose nodes are in depth-first order, left
// before right, as [Cart] grows them. It is immutable and safe for concurrent use.
type Mean struct {
	trees   []Tree
	nodes   []meanNode // all trees, one after the other
	roots   []int
	columns int
}

// meanNode is a node in 16 bytes. The left child is the next node.
type meanNode struct {
	value   float32 // the threshold, or the value of a leaf
	right   int32   // distance to the right child; 0 in a leaf
	feature int32
	set     int32 // > 0: 1 + the category set; the sign bit: missing values go left
}

const missingLeftBit = -1 << 31

// NewMean prepares trees, which must be sound and read fewer than columns columns.
func NewMean(trees []Tree, columns int) *Mean {
	m := &Mean{trees: trees, columns: columns, roots: make([]int, len(trees))}
	total := 0
	for i := range trees {
		m.roots[i] = total
		total += len(trees[i].Nodes)
	}
	m.nodes = make([]meanNode, 0, total)
	for i := range trees {
		for k := range trees[i].Nodes {
			n := &trees[i].Nodes[k]
			c := meanNode{value: n.Value}
			if n.Left != Leaf {
				c = meanNode{value: n.Threshold, right: n.Right - int32(k), feature: n.Feature, set: n.Set}
				if n.DefaultLeft {
					c.set |= missingLeftBit
				}
			}
			m.nodes = append(m.nodes, c)
		}
	}
	return m
}

// Predict fills dst, which has t.Rows values, with the float64 mean over the trees, in their
// order, of the value of the leaf that each row falls into, on at most workers goroutines. A
// row's value does not depend on the rows around it. The error is that of ctx.
func (m *Mean) Predict(ctx context.Context, t *Table, workers int, dst []float64) error {
	blocks := (t.Rows + meanRows - 1) / meanRows
	return par.For(ctx, blocks, workers, func(ctx context.Context, b int) error {
		lo, hi := b*meanRows, min(t.Rows, (b+1)*meanRows)
		m.block(t, lo, hi, dst[lo:hi])
		return ctx.Err()
	})
}

func (m *Mean) block(t *Table, lo, hi int, sum []float64) {
	p := m.columns
	x := make([]float32, (hi-lo)*p)
	for j := range t.Columns {
		for i, v := range t.Columns[j].Values[lo:hi] {
			x[i*p+j] = v
		}
	}
	clear(sum)
	for k, root := range m.roots {
		t := &m.trees[k]
		for i := range sum {
			row := x[i*p : i*p+p]
			at := root
			n := &m.nodes[at]
			for n.right != 0 {
				v := row[n.feature]
				left := v < n.value
				if v != v {
					left = n.set < 0
				} else if set := n.set &^ missingLeftBit; set != 0 {
					left = !t.contains(set, v)
				}
				if left {
					at++
				} else {
					at += int(n.right)
				}
				n = &m.nodes[at]
			}
			sum[i] += float64(n.value)
		}
	}
	for i := range sum {
		sum[i] /= float64(len(m.roots))
	}
}
