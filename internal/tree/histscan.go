package tree

// split is the best split of a node that has been found.
type split struct {
	loss   float64 // reduction of the loss
	column int32   // -1: none
	// code is the last code of a number that goes left, -1 when only missing does.
	code    int32
	set     *[4]uint64 // codes of a category that go right
	missing bool       // missing goes left
	gl, hl  int64      // coarse sums of the left child
}

// scanner looks for the best split of one node. It holds the sums of a column, converted.
type scanner struct {
	g      *Grower
	node   *gnode
	best   split
	parent float64 // the node's gain
	// In integer units: what a split's gain must reach, total sums, penalty.
	need, tg, th, lambda float64

	n      int // codes of values
	gl, hl [MaxBins]float64
	mg, mh float64 // sums of missing
	none   bool    // no missing value counts in the node
	order  [MaxBins]uint8
	ratio  [MaxBins]float64
}

// slack makes the quick test generous, so that rounding cannot hide a split from the exact one.
const slack = 1 - 1e-12

// start prepares s for a node.
func (s *scanner) start(g *Grower, node *gnode) {
	s.g, s.node = g, node
	s.best = split{loss: MinGain, column: -1}
	s.tg, s.th = float64(node.g), float64(node.h)
	s.parent = g.p.Gain(s.tg*g.scale.ug, s.th*g.scale.uh, node.bounds)
	s.lambda = g.p.Lambda * g.scale.h
	s.raise()
}

// raise sets what the next split must reach from the best so far.
func (s *scanner) raise() {
	sc := &s.g.scale
	s.need = (s.parent + s.best.loss) * slack * sc.uh * sc.g * sc.g
}

// scan looks at one column of h.
func (s *scanner) scan(h *hist, j int32) {
	c := &s.g.bins.Columns[j]
	s.n = c.Bins()
	s.convert(h, int(j), c.Levels == 0)
	s.none = s.mg == 0 && s.mh == 0
	if c.Levels > 0 {
		s.scanLevels(c, j)
		return
	}
	s.scanNumber(j)
}

// convert turns the sums of column j into float64: running sums for a number (up to and with
// each code), plain for a category. They are integers below 2^53, so nothing is rounded.
func (s *scanner) convert(h *hist, j int, running bool) {
	keep := int64(0)
	if running {
		keep = -1
	}
	n := s.n
	if h.wide {
		src := h.data[2*MaxBins*j:][:2*(n+1)]
		var a, b int64
		for k := range n {
			a, b = a&keep+src[2*k], b&keep+src[2*k+1]
			s.gl[uint8(k)], s.hl[uint8(k)] = float64(a), float64(b)
		}
		s.mg, s.mh = float64(src[2*n]), float64(src[2*n+1])
		return
	}
	src := h.data[MaxBins*j:][:n+1]
	a := int64(0)
	for k, v := range src[:n] {
		a = a&keep + v
		s.gl[uint8(k)], s.hl[uint8(k)] = float64(a>>32), float64(uint32(a))
	}
	s.mg, s.mh = float64(src[n]>>32), float64(uint32(src[n]))
}

// scanNumber tries every cut of a number, with missing on either side.
func (s *scanner) scanNumber(j int32) {
	tg, th, lambda := s.tg, s.th+s.lambda, s.lambda
	// After the last code there is nothing on the right but missing, which is the split that
	// sends only missing left.
	gl, hl := s.gl[:s.n-1], s.hl[:s.n-1]
	if s.none {
		for k, a := range gl {
			b := hl[k]
			c, d := tg-a, th-b
			b += lambda
			if a*a*d+c*c*b >= s.need*(b*d) {
				s.try(j, k, a, hl[k], false)
			}
		}
		return
	}
	mg, mh := s.mg, s.mh+lambda
	s.try(j, -1, s.mg, s.mh, true)
	for k, a := range gl {
		b := hl[k]
		c, d := tg-a, th-b
		e := b + lambda
		if a*a*d+c*c*e >= s.need*(e*d) {
			s.try(j, k, a, b, false)
		}
		a += mg
		c -= mg
		e = b + mh
		d -= s.mh
		if a*a*d+c*c*e >= s.need*(e*d) {
			s.try(j, k, a, b+s.mh, true)
		}
	}
}

// try compares the split of column j after code k exactly with the best. gl and hl are the
// sums on the left.
func (s *scanner) try(j int32, k int, gl, hl float64, missing bool) {
	if loss, ok := s.loss(j, gl, hl); ok && loss > s.best.loss {
		s.best = split{loss: loss, column: j, code: int32(k), missing: s.side(missing, hl), gl: int64(gl), hl: int64(hl)}
		s.raise()
	}
}

// side returns where missing goes: as tried or, where the node has none to learn it from, with
// the heavier child.
func (s *scanner) side(missing bool, hl float64) bool {
	if s.none {
		return 2*hl > s.th
	}
	return missing
}

// loss returns the reduction of the loss by a split of column j with the given sums on the
// left, and false where a child would have too little curvature or break a constraint.
func (s *scanner) loss(j int32, gl, hl float64) (float64, bool) {
	p, sc := s.g.p, &s.g.scale
	a, b := gl*sc.ug, hl*sc.uh
	c, d := (s.tg-gl)*sc.ug, (s.th-hl)*sc.uh
	if b <= 0 || d <= 0 || b < p.MinChildWeight || d < p.MinChildWeight {
		return 0, false
	}
	if s.g.bins.Columns[j].Levels > 0 {
		return p.splitGain(0, a, b, c, d, s.node.bounds) - s.parent, true
	}
	return p.SplitGain(int(j), a, b, c, d, s.node.bounds) - s.parent, true
}
