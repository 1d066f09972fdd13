package treeshap

import "dolor/internal/tree"

// Trees without tables, weights from covers. The Shapley value of a column is the integral over
// t in [0, 1] of the derivative, with respect to the column, of the expected score when every
// column is known with probability t (Owen, Multilinear extensions of games, 1972,
// doi:10.1287/mnsc.18.5.64). For one leaf that expectation is its value times the product over
// the columns of its path of t q + (1-t) w, with q 1 when the row meets the column's conditions
// and 0 when not, and w the covers' share. The integrand is a polynomial whose degree is below the
// number of columns on a path, so Gauss-Legendre quadrature with half as many points gives the
// integral exactly, as in Quadrature-TreeSHAP (Wettenstein, Mitchell and Yu 2026,
// arXiv:2605.04497), and each point costs one pass down and one up the tree as in Linear
// TreeSHAP (Yu et al. 2022, arXiv:2209.08192), whose interpolation it replaces: all points lie
// inside (0, 1), so every factor is positive and nothing cancels however deep the tree is.

// deepTree is a tree read edge by edge; edge k leads into node k, edge 0 does not exist.
type deepTree struct {
	tree   *tree.Tree
	scale  float64
	column []int32   // split by the edge's upper node
	above  []int32   // the nearest edge further up that splits the same column; 0 for none
	share  []float64 // covers' share of the edge
	whole  []float64 // product of the shares of the edge and all those above of the same column
	most   int       // most columns on a path
}

func newDeep(t *tree.Tree, scale float64) *deepTree {
	n := len(t.Nodes)
	d := &deepTree{
		tree: t, scale: scale, column: make([]int32, n), above: make([]int32, n),
		share: make([]float64, n), whole: make([]float64, n),
	}
	last := map[int32]int32{} // by column, the lowest edge of the path to the node at hand
	columns := 0
	type work struct {
		node int32
		back bool
	}
	stack := []work{{node: 0}}
	for len(stack) > 0 {
		w := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		k := w.node
		if w.back {
			if last[d.column[k]] = d.above[k]; d.above[k] == 0 {
				columns--
			}
			continue
		}
		if k > 0 {
			c := d.column[k]
			a := last[c]
			d.above[k], d.whole[k] = a, d.share[k]
			if a > 0 {
				d.whole[k] *= d.whole[a]
			} else {
				columns++
				d.most = max(d.most, columns)
			}
			last[c] = k
			stack = append(stack, work{k, true})
		}
		if node := &t.Nodes[k]; !node.IsLeaf() {
			d.column[node.Left], d.column[node.Right] = node.Feature, node.Feature
			d.share[node.Left], d.share[node.Right] = shares(t, node)
			stack = append(stack, work{node: node.Right}, work{node: node.Left})
		}
	}
	return d
}

// points returns how many quadrature points are exact for the tree, a multiple of 4.
func (d *deepTree) points() int { return 4 * max(1, (d.most+7)/8) }

// deepSpace is the scratch space of the passes.
type deepSpace struct {
	met        []bool // by edge: the row meets the conditions on its column down to it
	tree       *deepTree
	rule       *nodes4
	phi, pairs []float64
	columns    int
	over       []coupling // the edges above that count in interactions
}

// coupling is an edge of the path: its column, and what it adds to the logarithmic derivative
// with respect to the column at the four points.
type coupling struct {
	column int32
	by     [4]float64
}

// meet fills s.met for row r of t.
func (d *deepTree) meet(s *deepSpace, t *tree.Table, r int) {
	if len(s.met) < len(d.tree.Nodes) {
		s.met = make([]bool, len(d.tree.Nodes))
	}
	for k := range d.tree.Nodes {
		n := &d.tree.Nodes[k]
		if n.IsLeaf() {
			continue
		}
		next := d.tree.Next(n, t.Columns[n.Feature].Values[r])
		// Both edges have the same edge above.
		open := d.above[n.Left] == 0 || s.met[d.above[n.Left]]
		s.met[n.Left], s.met[n.Right] = open && next == n.Left, open && next == n.Right
	}
}

// add adds the attributions of row r of t to phi [columns], or the halves of the interactions to the
// entries of pairs [columns, columns] above the diagonal when that is not nil.
func (d *deepTree) add(s *deepSpace, rule []nodes4, t *tree.Table, r int, phi, pairs []float64) {
	d.meet(s, t, r)
	s.tree, s.phi, s.pairs, s.columns = d, phi, pairs, len(t.Columns)
	for i := range rule {
		p := &rule[i]
		s.rule = p
		if pairs == nil {
			s.walk(0, p.w[0], p.w[1], p.w[2], p.w[3])
		} else {
			s.walkPairs(0, p.w)
		}
	}
}

// walk goes through the subtree of node k, which is not a leaf, at four points. d is the
// product of the factors of the path's columns times the point's weight; what returns is the
// sum of the leaves below, each times the factors of the edges below k. An edge whose column
// is met by the row (q = 1) or not (q = 0) after it, and was met before, gives its column
//
//	sum over points of d / f * up * (q - w - ratio (1 - v))
//
// with f the column's factor before the edge, ratio f times it after, w and v the products of
// the column's shares after and before. When the column was not met before the edge, its factor
// shrinks alike at every point and the edge gives nothing.
func (s *deepSpace) walk(k int32, d0, d1, d2, d3 float64) (u0, u1, u2, u3 float64) {
	t, p := s.tree, s.rule
	n := &t.tree.Nodes[k]
	column, a := n.Feature, t.above[n.Left]
	closed := a > 0 && !s.met[a]
	sum := 0.0
	for c := n.Left; ; c = n.Right {
		var r0, r1, r2, r3 float64 // ratio
		if closed {
			r0 = t.share[c]
			r1, r2, r3 = r0, r0, r0
		} else {
			w := t.whole[c]
			r0, r1, r2, r3 = float64(p.u[0]*w), float64(p.u[1]*w), float64(p.u[2]*w), float64(p.u[3]*w)
			if s.met[c] {
				r0 += p.t[0]
				r1 += p.t[1]
				r2 += p.t[2]
				r3 += p.t[3]
			}
		}
		var f0, f1, f2, f3 float64
		again := a > 0 && !closed
		if again {
			v := t.whole[a]
			f0, f1 = 1/(p.t[0]+float64(p.u[0]*v)), 1/(p.t[1]+float64(p.u[1]*v))
			f2, f3 = 1/(p.t[2]+float64(p.u[2]*v)), 1/(p.t[3]+float64(p.u[3]*v))
			r0, r1, r2, r3 = r0*f0, r1*f1, r2*f2, r3*f3
		}
		var b0, b1, b2, b3 float64
		if child := &t.tree.Nodes[c]; child.IsLeaf() {
			b0 = t.scale * float64(child.Value)
			b1, b2, b3 = b0, b0, b0
		} else {
			b0, b1, b2, b3 = s.walk(c, d0*r0, d1*r1, d2*r2, d3*r3)
		}
		u0 += float64(r0 * b0)
		u1 += float64(r1 * b1)
		u2 += float64(r2 * b2)
		u3 += float64(r3 * b3)
		if !closed {
			gain := -t.whole[c]
			if s.met[c] {
				gain++
			}
			if again {
				rest := 1 - t.whole[a]
				sum += float64(d0*f0*b0*(gain-float64(r0*rest))) + float64(d1*f1*b1*(gain-float64(r1*rest))) +
					float64(d2*f2*b2*(gain-float64(r2*rest))) + float64(d3*f3*b3*(gain-float64(r3*rest)))
			} else {
				sum += float64(gain * (float64(d0*b0) + float64(d1*b1) + float64(d2*b2) + float64(d3*b3)))
			}
		}
		if c == n.Right {
			break
		}
	}
	s.phi[column] += sum
	return u0, u1, u2, u3
}

// walkPairs is walk for interactions: what an edge gives to its column goes, times what every
// edge above adds to the logarithmic derivative with respect to its own column, to the pair.
func (s *deepSpace) walkPairs(k int32, d [4]float64) (up [4]float64) {
	t, p := s.tree, s.rule
	n := &t.tree.Nodes[k]
	if n.IsLeaf() {
		v := t.scale * float64(n.Value)
		return [4]float64{v, v, v, v}
	}
	a := t.above[n.Left]
	closed := a > 0 && !s.met[a]
	for _, c := range [2]int32{n.Left, n.Right} {
		var ratio, next, give, by [4]float64
		w := t.whole[c]
		for i := range 4 {
			if closed {
				ratio[i] = t.share[c]
				next[i] = d[i] * ratio[i]
				continue
			}
			before, rest, factor, gain := 1.0, 0.0, float64(p.u[i]*w), -w
			by[i] = -1 / p.u[i]
			if s.met[c] {
				factor += p.t[i]
				gain = 1 - w
				by[i] = gain / factor
			}
			if a > 0 {
				before = 1 / (p.t[i] + float64(p.u[i]*t.whole[a]))
				rest = 1 - t.whole[a]
			}
			by[i] -= float64(rest * before)
			ratio[i] = factor * before
			next[i] = d[i] * ratio[i]
			give[i] = d[i] * before * (gain - float64(ratio[i]*rest))
		}
		if !closed {
			s.over = append(s.over, coupling{n.Feature, by})
		}
		below := s.walkPairs(c, next)
		if !closed {
			s.over = s.over[:len(s.over)-1]
			for i := range 4 {
				give[i] *= below[i]
			}
			s.couple(n.Feature, &give)
		}
		for i := range 4 {
			up[i] += float64(ratio[i] * below[i])
		}
	}
	return up
}

// couple adds the halves of the interactions of column with the columns above.
func (s *deepSpace) couple(column int32, give *[4]float64) {
	for i := range s.over {
		e := &s.over[i]
		if e.column == column {
			continue
		}
		v := float64(give[0]*e.by[0]) + float64(give[1]*e.by[1]) + float64(give[2]*e.by[2]) + float64(give[3]*e.by[3])
		s.pairs[int(min(column, e.column))*s.columns+int(max(column, e.column))] += v / 2
	}
}
