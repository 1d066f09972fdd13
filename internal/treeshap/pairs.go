package treeshap

import "dolor/internal/tree"

// Trees without tables, weights from a background: every row meets every background row
// (Lundberg et al. 2020, algorithm 3). Where the two go different ways at a split on a column
// not yet settled, the column is settled on the row's side or on the background's; below, only
// leaves that one of the two can reach column by column are visited. A leaf met by the row in a
// columns and by the background in b, all others by both, gives each of the a the weight
// (a-1)! b! / (a+b)! and each of the b minus a! (b-1)! / (a+b)!.

// pairWeights holds those weights for a and b up to most.
type pairWeights struct {
	n   int
	own []float64 // own[a*n+b] = (a-1)! b! / (a+b)!; 0 for a = 0
}

func newPairWeights(most int) *pairWeights {
	w := &pairWeights{n: most + 1}
	w.own = make([]float64, w.n*w.n)
	for a := 1; a <= most; a++ {
		w.own[a*w.n] = 1 / float64(a)
		for b := 1; a+b <= most; b++ {
			w.own[a*w.n+b] = w.own[a*w.n+b-1] * float64(b) / float64(a+b)
		}
	}
	return w
}

// at returns the weight of one of the row's a columns, and of one of the background's b.
func (w *pairWeights) at(a, b int) (row, background float64) {
	return w.own[a*w.n+b], -w.own[b*w.n+a]
}

// The sides that a column of the path is settled on.
const (
	unsettled = iota // both meet it, or it is not on the path
	ofRow            // only the row meets it
	ofBackground
)

// pairSpace is the state of the walk: one row, one background row.
type pairSpace struct {
	side        []uint8 // by column
	mine, back  []int32 // columns settled on the row's and the background's side
	row, ground []float32
	scale       float64 // of a leaf value: the tree's weight over the number of background rows
	phi, pairs  []float64
	weights     *pairWeights
	far         []bool // nodes to visit; nil for all
}

// addPairs adds the attributions of row r against the rows [rows, columns] of a background, or the halves of the
// interactions when pairs is not nil.
func (d *deepTree) addPairs(s *pairSpace, w *pairWeights, t *tree.Table, r int, rows []float32, phi, pairs []float64) {
	n := len(t.Columns)
	if len(s.side) < n {
		s.side, s.row = make([]uint8, n), make([]float32, n)
	}
	for j := range n {
		s.row[j] = t.Columns[j].Values[r]
	}
	s.weights, s.phi, s.pairs = w, phi, pairs
	s.scale = d.scale / float64(len(rows)/n)
	for b := 0; b < len(rows); b += n {
		s.ground = rows[b:][:n]
		d.walk(s, 0)
	}
}

// walk returns what the leaves under node k give to one of the columns settled above on the
// row's side, and to one on the background's.
func (d *deepTree) walk(s *pairSpace, k int32) (mine, back float64) {
	if s.far != nil && !s.far[k] {
		return 0, 0
	}
	node := &d.tree.Nodes[k]
	if node.IsLeaf() {
		v := s.scale * float64(node.Value)
		if s.pairs != nil {
			s.leafPairs(v)
			return 0, 0
		}
		a, b := s.weights.at(len(s.mine), len(s.back))
		return v * a, v * b
	}
	c := node.Feature
	side := s.side[c]
	if side == ofRow {
		return d.walk(s, d.tree.Next(node, s.row[c]))
	}
	back1 := d.tree.Next(node, s.ground[c])
	if side == ofBackground {
		return d.walk(s, back1)
	}
	row1 := d.tree.Next(node, s.row[c])
	if row1 == back1 {
		return d.walk(s, row1)
	}
	s.side[c] = ofRow
	s.mine = append(s.mine, c)
	mineA, backA := d.walk(s, row1)
	s.mine = s.mine[:len(s.mine)-1]
	s.side[c] = ofBackground
	s.back = append(s.back, c)
	mineB, backB := d.walk(s, back1)
	s.back = s.back[:len(s.back)-1]
	s.side[c] = unsettled
	if s.pairs == nil {
		s.phi[c] += mineA + backB
	}
	return mineA + mineB, backA + backB
}

// leafPairs adds a leaf of value v to the halves of the interactions: with a columns on the
// row's side and b on the background's, the interaction of two of the a is
// (a-2)! b! / (a+b-1)!, of one each minus (a-1)! (b-1)! / (a+b-1)!, of two of the b
// a! (b-2)! / (a+b-1)!.
func (s *pairSpace) leafPairs(v float64) {
	a, b := len(s.mine), len(s.back)
	columns := len(s.side)
	put := func(c, e int32, w float64) {
		s.pairs[int(min(c, e))*columns+int(max(c, e))] += float64(v / 2 * w)
	}
	for i, c := range s.mine {
		for _, e := range s.mine[:i] {
			w, _ := s.weights.at(a-1, b)
			put(c, e, w)
		}
		for _, e := range s.back {
			w, _ := s.weights.at(a, b-1)
			put(c, e, -w)
		}
	}
	for i, c := range s.back {
		for _, e := range s.back[:i] {
			_, w := s.weights.at(a, b-1)
			put(c, e, -w)
		}
	}
}
