package tree

import (
	"cmp"
	"slices"
)

const (
	defaultOneHot    = 4
	defaultThreshold = 64
)

// scanLevels tries the splits of a category: one level against the rest where there are few,
// else the prefixes and suffixes of the levels sorted by gradient over curvature, among which
// the best partition of all is (Fisher 1958, doi:10.1080/01621459.1958.10501479), with at most
// MaxCatThreshold levels on the right. Levels that the node does not have stay left.
func (s *scanner) scanLevels(c *BinColumn, j int32) {
	oneHot, most := s.g.p.MaxCatToOneHot, s.g.p.MaxCatThreshold
	if oneHot == 0 {
		oneHot = defaultOneHot
	}
	if most == 0 {
		most = defaultThreshold
	}
	order := s.order[:0]
	for k := range s.n {
		if s.hl[k] > 0 && c.LevelOf[k] >= 0 {
			order = append(order, uint8(k))
			s.ratio[k] = s.gl[k] / (s.hl[k] + s.lambda)
		}
	}
	if c.Levels <= oneHot {
		for _, k := range order {
			s.trySet(j, order, int(k), 1, s.gl[k], s.hl[k])
		}
		return
	}
	slices.SortFunc(order, func(a, b uint8) int {
		return cmp.Or(cmp.Compare(s.ratio[a], s.ratio[b]), cmp.Compare(a, b))
	})
	most = min(most, len(order))
	g, h := 0.0, 0.0
	for k, code := range order[:most] {
		g, h = g+s.gl[code], h+s.hl[code]
		s.trySet(j, order, -1, k+1, g, h)
	}
	g, h = 0, 0
	for k := range most {
		code := order[len(order)-1-k]
		g, h = g+s.gl[code], h+s.hl[code]
		s.trySet(j, order, -1, -(k + 1), g, h)
	}
}

// trySet compares the split that sends a set of levels with sums g and h to the right: the
// level one if that is not negative, else the first count in order, or the last where count
// is negative. Missing is tried on the right, then on the left.
func (s *scanner) trySet(j int32, order []uint8, one, count int, g, h float64) {
	s.trySide(j, order, one, count, g+s.mg, h+s.mh, false)
	if !s.none {
		s.trySide(j, order, one, count, g, h, true)
	}
}

func (s *scanner) trySide(j int32, order []uint8, one, count int, gr, hr float64, missing bool) {
	gl, hl := s.tg-gr, s.th-hr
	loss, ok := s.loss(j, gl, hl)
	if !ok || loss <= s.best.loss {
		return
	}
	set := new([4]uint64)
	switch {
	case one >= 0:
		order = []uint8{uint8(one)}
	case count > 0:
		order = order[:count]
	default:
		order = order[len(order)+count:]
	}
	for _, k := range order {
		set[k>>6] |= 1 << (k & 63)
	}
	s.best = split{loss: loss, column: j, set: set, missing: s.side(missing, hl), gl: int64(gl), hl: int64(hl)}
	s.raise()
}
