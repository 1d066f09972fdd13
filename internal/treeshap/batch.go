package treeshap

import (
	"context"
	"encoding/binary"

	"dolor/internal/par"
	"dolor/internal/tree"
)

// Rows are worked through in blocks: trees outside, rows of the block inside, so that the
// tables of a group stay in the nearest cache while a block passes. Sums of a block are kept by
// output column and turned into rows at the end.
const (
	mostRows  = 512     // rows of a block
	sumsBytes = 2 << 20 // the most that the sums of a block may take, but for the smallest block
)

// space is the scratch space of a worker.
type space struct {
	sums    []float64 // [width, stride]
	arrays  []byte    // [bit arrays, stride]; a byte, 0 or 1, for each row
	pattern []byte    // [stride]; the first eight bits of the rows' patterns
	higher  []byte    // [stride]; the next eight
	zero    []byte    // [stride]
	deep    deepSpace
	pair    pairSpace
}

// blockRows returns the rows of a block of width sums.
func blockRows(width, rows int) int {
	n := sumsBytes / 8 / max(width, 1) &^ 7
	return max(8, min(n, mostRows, (rows+7)&^7))
}

// run computes the sums of all trees that have tables in g, and calls emit for every block of
// rows with them: sums[column*stride+row-lo].
func (x *Explainer) run(ctx context.Context, t *tree.Table, workers, width int, g *game, emit func(s *space, lo, hi, stride int)) error {
	stride := blockRows(width, t.Rows)
	return par.For(ctx, (t.Rows+stride-1)/stride, workers, func(ctx context.Context, b int) error {
		s, ok := x.scratch.Get().(*space)
		if !ok {
			s = new(space)
		}
		defer x.scratch.Put(s)
		lo, hi := b*stride, min((b+1)*stride, t.Rows)
		s.sums = sized(s.sums, width*stride)
		for i := range x.plans {
			if g.tables[i] == nil {
				continue
			}
			if i%16 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			p := &x.plans[i]
			p.decide(s, t, lo, hi, stride)
			for k := range p.groups {
				p.groups[k].read(s, stride)
				g.tables[i][k].add(s.sums, s.pattern[:hi-lo], stride, p.size)
			}
			for k := range p.large {
				if g.cubes == nil || g.cubes[i] == nil || g.cubes[i][k].a == nil {
					continue
				}
				p.large[k].read(s, stride)
				g.cubes[i][k].add(s.sums, &p.large[k], s.pattern[:hi-lo], s.higher, stride)
			}
		}
		emit(s, lo, hi, stride)
		return ctx.Err()
	})
}

// decide fills the bit arrays of p for rows lo to hi of t.
func (p *plan) decide(s *space, t *tree.Table, lo, hi, stride int) {
	need := (len(p.splits) + len(p.merges)) * stride
	if len(s.arrays) < need {
		s.arrays = make([]byte, need)
	}
	if len(s.pattern) < stride {
		s.pattern, s.higher, s.zero = make([]byte, stride), make([]byte, stride), make([]byte, stride)
	}
	for i, k := range p.splits {
		n := &p.tree.Nodes[k]
		outcomes(p.tree, n, t.Columns[n.Feature].Values[lo:hi], s.arrays[i*stride:])
	}
	for i, m := range p.merges {
		a, b := s.arrays[int(m.a)*stride:][:stride], s.arrays[int(m.b)*stride:][:stride]
		dst := s.arrays[(len(p.splits)+i)*stride:][:stride]
		const each = 0x0101010101010101
		notA, notB := each*uint64(m.notA), each*uint64(m.notB)
		for r := 0; r+8 <= len(dst); r += 8 {
			v := (binary.LittleEndian.Uint64(a[r:]) ^ notA) & (binary.LittleEndian.Uint64(b[r:]) ^ notB)
			binary.LittleEndian.PutUint64(dst[r:], v)
		}
	}
}

// outcomes fills dst with 1 where a value goes left at n and 0 where it goes right, as
// tree.Tree.Next.
func outcomes(t *tree.Tree, n *tree.Node, values []float32, dst []byte) {
	dst = dst[:len(values)]
	split := n.Threshold
	switch {
	case n.Set != 0:
		for i, v := range values {
			dst[i] = 0
			if t.Next(n, v) == n.Left {
				dst[i] = 1
			}
		}
	case n.DefaultLeft: // a missing value is not at or above the threshold
		for i, v := range values {
			b := byte(1)
			if v >= split {
				b = 0
			}
			dst[i] = b
		}
	default:
		for i, v := range values {
			b := byte(0)
			if v < split {
				b = 1
			}
			dst[i] = b
		}
	}
}

// read puts the patterns of g into s.pattern and s.higher, eight rows at a time.
func (g *group) read(s *space, stride int) {
	g.gather8(s, s.pattern[:stride], 0, stride)
	if len(g.bits) > 8 {
		g.gather8(s, s.higher[:stride], 8, stride)
	}
}

// gather8 puts eight bits of the patterns, from first on, into dst.
func (g *group) gather8(s *space, dst []byte, first, stride int) {
	var src [8][]byte
	for j := range src {
		src[j] = s.zero[:stride]
		if first+j < len(g.bits) {
			src[j] = s.arrays[int(g.bits[first+j])*stride:][:stride]
		}
	}
	gather(dst, s.zero[:stride], src[0], src[1], src[2], src[3], 0)
	if len(g.bits) > first+4 {
		gather(dst, dst, src[4], src[5], src[6], src[7], 4)
	}
}

// gather sets four bits of the patterns, from shift on.
func gather(dst, before, b0, b1, b2, b3 []byte, shift uint) {
	n := len(dst)
	before, b0, b1, b2, b3 = before[:n], b0[:n], b1[:n], b2[:n], b3[:n]
	for r := 0; r <= n-8; r += 8 {
		v := binary.LittleEndian.Uint64(b0[r:]) | binary.LittleEndian.Uint64(b1[r:])<<1 |
			binary.LittleEndian.Uint64(b2[r:])<<2 | binary.LittleEndian.Uint64(b3[r:])<<3
		binary.LittleEndian.PutUint64(dst[r:], binary.LittleEndian.Uint64(before[r:])|v<<shift)
	}
}

// add adds the table rows of the patterns to the sums.
func (t *table) add(sums []float64, pattern []byte, stride, size int) {
	n := len(pattern)
	for c := 0; c < len(t.slots); c += 4 {
		data := (*[1 << mostBits][4]float64)(t.data[c/4*size:])
		var to [4][]float64
		live := min(4, len(t.slots)-c)
		for i := range live {
			to[i] = sums[int(t.slots[c+i])*stride:][:n]
		}
		add4(data, pattern, to, live)
	}
}

// add4 adds the first live of four columns of a table.
func add4(data *[1 << mostBits][4]float64, pattern []byte, to [4][]float64, live int) {
	n := len(pattern)
	switch live {
	case 4:
		a, b, c, d := to[0][:n], to[1][:n], to[2][:n], to[3][:n]
		for r, v := range pattern {
			e := &data[v]
			a[r] += e[0]
			b[r] += e[1]
			c[r] += e[2]
			d[r] += e[3]
		}
	case 3:
		a, b, c := to[0][:n], to[1][:n], to[2][:n]
		for r, v := range pattern {
			e := &data[v]
			a[r] += e[0]
			b[r] += e[1]
			c[r] += e[2]
		}
	case 2:
		a, b := to[0][:n], to[1][:n]
		for r, v := range pattern {
			e := &data[v]
			a[r] += e[0]
			b[r] += e[1]
		}
	case 1:
		a := to[0][:n]
		for r, v := range pattern {
			a[r] += data[v][0]
		}
	}
}

// untabled says what to add for trees without tables: by covers (rules) or by pairs of rows.
type untabled struct {
	background *BackgroundExplainer // nil for the path-dependent game
	weights    *pairWeights
	rules      map[int][]nodes4 // by number of points
}

// singles adds the attributions of all rows of t to phi [rows, columns]; background is nil for
// the path-dependent game.
func (x *Explainer) singles(ctx context.Context, t *tree.Table, workers int, phi []float64, g *game, background *BackgroundExplainer) error {
	columns := x.Columns()
	other := x.others(g, background)
	err := x.run(ctx, t, workers, columns, g, func(s *space, lo, hi, stride int) {
		for j := range columns {
			for r, v := range s.sums[j*stride:][:hi-lo] {
				phi[(lo+r)*columns+j] = v
			}
		}
		x.rest(ctx, s, other, g, t, lo, hi, columns, phi, nil)
	})
	if err != nil || background == nil {
		return err
	}
	return x.passing(ctx, t, workers, phi, background)
}

// matrices returns the interaction values of all rows of t.
func (x *Explainer) matrices(ctx context.Context, t *tree.Table, workers int, dst []float64, single, double *game, background *BackgroundExplainer) ([]float64, error) {
	columns := x.Columns()
	phi := sized(nil, t.Rows*columns)
	if err := x.singles(ctx, t, workers, phi, single, background); err != nil {
		return nil, err
	}
	all := sized(dst, t.Rows*columns*columns)
	other := x.others(double, background)
	err := x.run(ctx, t, workers, len(x.pairs), double, func(s *space, lo, hi, stride int) {
		for r := lo; r < hi; r++ {
			m := all[r*columns*columns:][:columns*columns]
			for i, p := range x.pairs {
				m[int(p.a)*columns+int(p.b)] = s.sums[i*stride+r-lo]
			}
		}
		x.rest(ctx, s, other, double, t, lo, hi, columns*columns, nil, all)
		for r := lo; r < hi; r++ {
			complete(all[r*columns*columns:][:columns*columns], phi[r*columns:][:columns])
		}
	})
	return all, err
}

// complete mirrors what is above the diagonal of m and sets the diagonal so that rows sum to phi.
func complete(m, phi []float64) {
	n := len(phi)
	for i := range n {
		rest := phi[i]
		for j := range n {
			switch {
			case j < i:
				m[i*n+j] = m[j*n+i]
				rest -= m[i*n+j]
			case j > i:
				rest -= m[i*n+j]
			}
		}
		m[i*n+i] = rest
	}
}

// others prepares for the trees without tables.
func (x *Explainer) others(g *game, background *BackgroundExplainer) *untabled {
	u := &untabled{background: background, rules: map[int][]nodes4{}}
	most := 0
	for i := range x.plans {
		if g.tables[i] != nil {
			continue
		}
		d := x.plans[i].deep
		most = max(most, d.most)
		if n := d.points(); background == nil && u.rules[n] == nil {
			u.rules[n] = gauss(n)
		}
	}
	if background != nil && most > 0 {
		u.weights = newPairWeights(most)
	}
	return u
}

// rest adds the trees without tables to rows lo to hi of phi, or of pairs when that is not nil;
// width numbers a row.
func (x *Explainer) rest(ctx context.Context, s *space, u *untabled, g *game, t *tree.Table, lo, hi, width int, phi, pairs []float64) {
	for i := range x.plans {
		d := x.plans[i].deep
		if g.tables[i] != nil || d.most == 0 {
			continue
		}
		s.pair.far = nil
		if u.background != nil && pairs == nil && x.plans[i].counted() {
			if s.pair.far = u.background.far[i]; s.pair.far == nil {
				continue // all leaves are counted by pattern
			}
		}
		for r := lo; r < hi; r++ {
			if ctx.Err() != nil {
				return
			}
			var row, matrix []float64
			if pairs != nil {
				matrix = pairs[r*width:][:width]
			} else {
				row = phi[r*width:][:width]
			}
			if u.background == nil {
				d.add(&s.deep, u.rules[d.points()], t, r, row, matrix)
			} else {
				d.addPairs(&s.pair, u.weights, t, r, u.background.rows, row, matrix)
			}
		}
	}
}
