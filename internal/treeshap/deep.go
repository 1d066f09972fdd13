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
	d := &deepTree{tree: t, scale: scale, column: make([]int32, n), above: make([]int32, n),
		share: make([]float64, n), whole: make([]float64, n)}
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

// deepSpace is the scratch space of the passes, an entry for each edge.
type deepSpace struct {
	met                       []bool // the row meets the conditions on the edge's column down to the edge
	down, lead, ratio, up, by [][4]float64
}

func (s *deepSpace) grow(n int) {
	if len(s.met) >= n {
		return
	}
	s.met = make([]bool, n)
	for _, a := range []*[][4]float64{&s.down, &s.lead, &s.ratio, &s.up, &s.by} {
		*a = make([][4]float64, n)
	}
}

// meet fills s.met for row r of t.
func (d *deepTree) meet(s *deepSpace, t *tree.Table, r int) {
	s.grow(len(d.tree.Nodes))
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
	for i := range rule {
		d.descend(s, &rule[i], pairs != nil)
		d.ascend(s, phi, pairs, len(t.Columns))
	}
}

// descend computes, for the four points: down, the product of the factors of the columns of the
// path to a node; ratio, what the edge multiplies it by; lead, down of the upper node without
// the edge's column, times the weight of the point; by, what the edge adds to the logarithmic
// derivative with respect to its column.
func (d *deepTree) descend(s *deepSpace, p *nodes4, pairs bool) {
	s.down[0] = [4]float64{1, 1, 1, 1}
	for k := 1; k < len(d.tree.Nodes); k++ {
		up := &s.down[d.tree.Nodes[k].Parent]
		a := d.above[k]
		if a > 0 && !s.met[a] {
			// The column is already not met: the factor shrinks by the share at every point.
			for i := range 4 {
				s.ratio[k][i] = d.share[k]
				s.down[k][i] = up[i] * d.share[k]
			}
			continue
		}
		var factor [4]float64
		w := d.whole[k]
		for i := range 4 {
			factor[i] = p.u[i] * w
		}
		if s.met[k] {
			for i := range 4 {
				factor[i] += p.t[i]
			}
		}
		one, rest := [4]float64{1, 1, 1, 1}, 0.0
		if a > 0 {
			rest = 1 - d.whole[a]
			for i := range 4 {
				one[i] = 1 / (p.t[i] + float64(p.u[i]*d.whole[a]))
			}
		}
		for i := range 4 {
			s.ratio[k][i] = factor[i] * one[i]
			s.lead[k][i] = up[i] * one[i] * p.w[i]
			s.down[k][i] = up[i] * s.ratio[k][i]
		}
		if !pairs {
			continue
		}
		for i := range 4 {
			if s.met[k] {
				s.by[k][i] = (1-w)/factor[i] - float64(rest*one[i])
			} else {
				s.by[k][i] = -1/p.u[i] - float64(rest*one[i])
			}
		}
	}
}

// ascend sums the leaves under every node and adds what each edge contributes.
func (d *deepTree) ascend(s *deepSpace, phi, pairs []float64, columns int) {
	nodes := d.tree.Nodes
	clear(s.up[:len(nodes)])
	for k := len(nodes) - 1; k > 0; k-- {
		if nodes[k].IsLeaf() {
			v := d.scale * float64(nodes[k].Value)
			s.up[k] = [4]float64{v, v, v, v}
		}
		here, ratio, over := &s.up[k], &s.ratio[k], &s.up[nodes[k].Parent]
		for i := range 4 {
			over[i] += float64(ratio[i] * here[i])
		}
		a := d.above[k]
		if a > 0 && !s.met[a] {
			continue // the column's factor keeps its logarithmic derivative
		}
		gain, rest := -d.whole[k], 0.0
		if s.met[k] {
			gain = 1 - d.whole[k]
		}
		if a > 0 {
			rest = 1 - d.whole[a]
		}
		var c [4]float64
		for i := range 4 {
			c[i] = s.lead[k][i] * here[i] * (gain - float64(ratio[i]*rest))
		}
		if pairs == nil {
			phi[d.column[k]] += c[0] + c[1] + c[2] + c[3]
			continue
		}
		d.couple(s, &c, k, pairs, columns)
	}
}

// couple adds the halves of the interactions of edge k's column with the columns above it.
func (d *deepTree) couple(s *deepSpace, c *[4]float64, k int, pairs []float64, columns int) {
	nodes := d.tree.Nodes
	mine := d.column[k]
	for e := nodes[k].Parent; e > 0; e = nodes[e].Parent {
		if d.column[e] == mine || d.above[e] > 0 && !s.met[d.above[e]] {
			continue
		}
		by := &s.by[e]
		v := float64(c[0]*by[0]) + float64(c[1]*by[1]) + float64(c[2]*by[2]) + float64(c[3]*by[3])
		lo, hi := min(mine, d.column[e]), max(mine, d.column[e])
		pairs[int(lo)*columns+int(hi)] += v / 2
	}
}
