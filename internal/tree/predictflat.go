package tree

import (
	"context"
	"math"
	"math/bits"

	"dolor/internal/par"
)

// A Predictor is an ensemble laid out for speed. It is immutable and safe for concurrent use.
//
// Numbers are compared as integers in the order of float32, so that a missing value can be the
// least or the greatest of all: each feature takes two places of a row, one for splits that send
// missing left and one for those that send it right, if there are such. A leaf is a split whose
// limit nothing exceeds and whose left child is itself; thus every row takes as many steps as
// the tree is deep, without a branch, and the steps of several rows overlap in the processor.
// A split on categories looks the code up in a table of bits.
type Predictor struct {
	e     *Ensemble
	trees []flatTree
	nodes []uint64  // of all trees, then flatNodes zeros
	value []float32 // of each node, when it is a leaf
	bits  []uint64  // of all trees' sets, then flatNodes zeros
	slots []slot    // those of numbers first
	codes []int32   // for each slot of a category, the codes its tables hold; 0 for numbers
	rows  int       // of a block: a power of two
	// catStart is the offset from which slots are of categories.
	catStart int64
}

// flatNodes is what a node's index of 16 bits reaches; the nodes of a tree are addressed in a
// window of that many, so that Go needs no bounds check.
const flatNodes = 1 << 16

// maxBits bounds the tables of sets, in words of 64: trees beyond it are walked as they are.
const maxBits = 1 << 22

// slot is a place in a row: a feature, how its splits are read, and where its missing values go.
type slot struct {
	feature     int32
	category    bool
	missingLeft bool
}

// flatTree is a tree's place in a Predictor. One that is too large stays as it is.
type flatTree struct {
	start, depth int
	sets         int  // where its tables start, when mixed
	mixed        bool // some of its splits are on categories
	plain        bool // walk Ensemble.Trees
}

// NewPredictor lays e out. e must not change afterwards.
func NewPredictor(e *Ensemble) *Predictor {
	p := &Predictor{e: e, trees: make([]flatTree, len(e.Trees))}
	place := p.layRow()
	for k := range e.Trees {
		if !p.trees[k].plain {
			p.flatten(k, place)
		}
	}
	p.nodes = append(p.nodes, make([]uint64, flatNodes)...)
	p.value = append(p.value, make([]float32, flatNodes)...)
	p.bits = append(p.bits, make([]uint64, flatNodes)...)
	return p
}

// layRow gives every feature that is split its places in a row.
func (p *Predictor) layRow() map[slot]int {
	place := make(map[slot]int)
	var numbers, categories []slot
	widest := make(map[int32]int32) // feature -> words of its widest set
	for k := range p.e.Trees {
		t := &p.e.Trees[k]
		if len(t.Nodes) >= flatNodes {
			p.trees[k].plain = true
			continue
		}
		p.trees[k].mixed = len(t.Sets) > 0
		for i := range t.Nodes {
			n := &t.Nodes[i]
			if n.Left == Leaf {
				continue
			}
			s := slot{n.Feature, n.Set > 0, n.DefaultLeft}
			if s.category {
				widest[n.Feature] = max(widest[n.Feature], int32(len(t.Sets[n.Set-1])))
			}
			if _, known := place[s]; known {
				continue
			}
			place[s] = 0
			if s.category {
				categories = append(categories, s)
			} else {
				numbers = append(numbers, s)
			}
		}
	}
	if len(numbers) == 0 && len(categories) > 0 {
		numbers = append(numbers, slot{feature: categories[0].feature}) // leaves read a number, in vain
	}
	p.slots = append(numbers, categories...)
	p.codes = make([]int32, len(p.slots))
	p.rows = 64
	for p.rows > 8 && len(p.slots)*p.rows > flatNodes {
		p.rows /= 2
	}
	if len(p.slots)*p.rows > flatNodes { // more than 8192 places: no window holds a block
		for k := range p.trees {
			p.trees[k].plain = true
		}
		p.slots = nil
	}
	for i, s := range p.slots {
		place[s] = i
		if s.category {
			p.codes[i] = 64 * widest[s.feature]
		}
	}
	p.catStart = int64(len(numbers) * p.rows)
	return place
}

// flatten lays out tree k level by level, so that siblings are neighbours.
func (p *Predictor) flatten(k int, place map[slot]int) {
	t, f := &p.e.Trees[k], &p.trees[k]
	if f.mixed && !p.tablesFit(t, place) {
		f.plain = true
		return
	}
	f.start, f.depth, f.sets = len(p.nodes), t.Depth(), len(p.bits)
	queue := make([]int32, 1, len(t.Nodes))
	for i := 0; i < len(queue); i++ {
		n := &t.Nodes[queue[i]]
		if n.Left == Leaf {
			p.nodes = append(p.nodes, flatNode(math.MaxInt32, 0, i))
			p.value = append(p.value, p.e.leafValue(k, n))
			continue
		}
		at := place[slot{n.Feature, n.Set > 0, n.DefaultLeft}]
		// x < Threshold goes left, so what is greater than the integer below Threshold goes right.
		limit := ordered(n.Threshold) - 1
		if n.Set > 0 {
			limit = int32(64 * (len(p.bits) - f.sets))
			p.addTable(t.Sets[n.Set-1], p.codes[at])
		}
		p.nodes = append(p.nodes, flatNode(limit, at*p.rows, len(queue)))
		p.value = append(p.value, 0)
		queue = append(queue, n.Left, n.Right)
	}
}

// tableWords is the number of words of a table of so many codes and the two for missing.
func tableWords(codes int32) int { return int(codes)/64 + 1 }

// tablesFit reports whether the tables of t fit into a window, and into what may be used.
func (p *Predictor) tablesFit(t *Tree, place map[slot]int) bool {
	words := 0
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.Left != Leaf && n.Set > 0 {
			words += tableWords(p.codes[place[slot{n.Feature, true, n.DefaultLeft}]])
		}
	}
	return words <= flatNodes && len(p.bits)+words <= maxBits
}

// The first places of a table, before the code 0.
const (
	goesLeft  = 0 // missing that goes left, and whatever is not a code of the table
	goesRight = 1 // missing that goes right
	firstCode = 2
)

// addTable appends the table of a set: which values go right.
func (p *Predictor) addTable(set []uint64, codes int32) {
	at := len(p.bits)
	p.bits = append(p.bits, make([]uint64, tableWords(codes))...)
	table := p.bits[at:]
	table[0] = 1 << goesRight
	for w, word := range set {
		for ; word != 0; word &= word - 1 {
			c := 64*w + bits.TrailingZeros64(word) + firstCode
			table[c/64] |= 1 << (c % 64)
		}
	}
}

// flatNode packs a limit (of a category: where its table starts, in bits), a row's offset and
// the left child.
func flatNode(limit int32, off, left int) uint64 {
	return uint64(uint32(limit))<<32 | uint64(off)<<16 | uint64(left)
}

// ordered maps float32 to int32 such that a < b exactly when ordered(a) < ordered(b); both
// zeros are one. NaN has no place; it is handled before.
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
	trees = max(0, min(trees, len(p.trees)))
	tasks := (t.Rows + chunk - 1) / chunk
	return par.For(ctx, tasks, workers, func(_ context.Context, task int) error {
		block := new([flatNodes]int32)
		for at := task * chunk; at < min(t.Rows, (task+1)*chunk); at += p.rows {
			p.block(t, at, min(at+p.rows, t.Rows), p.trees[:trees], block, dst)
		}
		return nil
	})
}

// block predicts rows from to to, at most p.rows of them.
func (p *Predictor) block(t *Table, from, to int, trees []flatTree, block *[flatNodes]int32, dst []float32) {
	for i, s := range p.slots {
		place, values := block[i*p.rows:i*p.rows+to-from], t.Columns[s.feature].Values[from:to]
		if s.category {
			fillCodes(place, values, p.codes[i], s.missingLeft)
		} else {
			fillNumbers(place, values, s.missingLeft)
		}
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
		nodes, value := (*[flatNodes]uint64)(p.nodes[f.start:]), (*[flatNodes]float32)(p.value[f.start:])
		if f.mixed {
			addMixedTree(nodes, value, (*[flatNodes]uint64)(p.bits[f.sets:]), f.depth, p.catStart, block, out)
		} else {
			addTree(nodes, value, f.depth, block, out)
		}
	}
}

// fillNumbers puts a column of numbers into a block.
func fillNumbers(dst []int32, values []float32, missingLeft bool) {
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

// fillCodes puts a column of codes into a block, as places in a table of so many codes.
func fillCodes(dst []int32, values []float32, codes int32, missingLeft bool) {
	missing := int32(goesRight)
	if missingLeft {
		missing = goesLeft
	}
	for i, x := range values[:len(dst)] {
		switch {
		case x != x:
			dst[i] = missing
		case x >= 0 && x < float32(codes):
			dst[i] = int32(x) + firstCode
		default:
			dst[i] = goesLeft
		}
	}
}
