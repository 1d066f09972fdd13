// Package tree grows and evaluates binary decision trees on columns of float32: the part that
// the boosting and forest families share.
//
// A [Table] holds predictors as trees see them: numbers as float32, categories as their codes,
// missing as NaN. [Tree] is what was grown, with the meaning of every field as in XGBoost's
// model files. Growing by histogram works on the columns binned once, with gradients as
// fixed-point integers, so that sums are exact: the same tree for any number of workers, any
// order of rows and any split of rows over hospitals.
package tree

import "math"

// Table is the predictors of some rows, by column.
type Table struct {
	Rows    int
	Columns []Column
}

// Column is one predictor. Values has one entry a row and NaN where missing. A category
// (Levels > 0) is stored as its code, 0 to Levels-1, which float32 holds exactly.
type Column struct {
	Name   string
	Values []float32
	Levels int // number of categories; 0 means a number
}

// Leaf marks the children of a leaf.
const Leaf = -1

// Node is a split or a leaf.
type Node struct {
	Left, Right, Parent int32 // node indices; Left == Leaf in a leaf, Parent == -1 at the root
	Feature             int32 // column that is split; 0 in a leaf
	// Threshold sends a number left when x < Threshold.
	Threshold float32
	// Set is 1 + the index into Tree.Sets when the split is on a category: a code in the set
	// goes right, any other left. 0 means a split on a number.
	Set         int32
	DefaultLeft bool // where missing values go
	// Value is what a leaf adds to the score, learning rate included; in a split it is 0.
	Value float32
	// Weight is the value that the node had or would have as a leaf, before the learning
	// rate (XGBoost's base_weights).
	Weight float32
	Gain   float32 // reduction of the loss by the split; 0 in a leaf
	Cover  float32 // sum of curvature (boosting) or of weight (forest) of the training rows
}

// Tree is a grown tree. Nodes[0] is the root; children come after their parent.
type Tree struct {
	Nodes []Node
	Sets  [][]uint64 // bit sets of category codes
}

// IsLeaf reports whether n is a leaf.
func (n *Node) IsLeaf() bool { return n.Left == Leaf }

// Next returns the child that the value x of n's column goes to.
func (t *Tree) Next(n *Node, x float32) int32 {
	var left bool
	switch {
	case x != x:
		left = n.DefaultLeft
	case n.Set == 0:
		left = x < n.Threshold
	default:
		left = !t.contains(n.Set, x)
	}
	if left {
		return n.Left
	}
	return n.Right
}

// contains reports whether the code x is in set; what is not a code is not.
func (t *Tree) contains(set int32, x float32) bool {
	s := t.Sets[set-1]
	if !(x >= 0) || x >= float32(64*len(s)) {
		return false
	}
	k := uint(x)
	return s[k/64]>>(k%64)&1 != 0
}

// LeafOf returns the index of the leaf that row falls into. row has one value a column.
func (t *Tree) LeafOf(row []float32) int32 {
	k := int32(0)
	for {
		n := &t.Nodes[k]
		if n.Left == Leaf {
			return k
		}
		k = t.Next(n, row[n.Feature])
	}
}

// Depth returns the number of splits on the longest path.
func (t *Tree) Depth() int {
	depth := make([]int, len(t.Nodes))
	most := 0
	for i := 1; i < len(t.Nodes); i++ {
		depth[i] = depth[t.Nodes[i].Parent] + 1
		most = max(most, depth[i])
	}
	return most
}

// Ensemble is a weighted sum of trees over named columns.
type Ensemble struct {
	Features []Feature
	Trees    []Tree
	Scale    []float32 // weight of each tree (DART); nil means 1 each
	Base     float32   // added to every score
}

// Feature describes a column that an ensemble reads.
type Feature struct {
	Name   string
	Levels int // number of categories; 0 means a number
}

// Missing is the missing value.
var Missing = float32(math.NaN())
