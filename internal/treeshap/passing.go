package treeshap

import (
	"context"

	"dolor/internal/par"
	"dolor/internal/tree"
)

// Trees whose tables are not kept still cost n + m against a background: their tables, and the
// sums over subsets of leaves with 9 to 12 columns, are made for some trees at a time, used for
// all rows, and forgotten.

// passingBytes is the memory of the tables that are forgotten.
const passingBytes = 64 << 20

// leafCube is the a and h of a cube: what a leaf gives for every pattern of its columns.
type leafCube struct{ a, h []float64 }

// passing adds the counted trees that have no tables of their own to phi [rows, columns].
func (x *Explainer) passing(ctx context.Context, t *tree.Table, workers int, phi []float64, background *BackgroundExplainer) error {
	var some []int
	room := 0
	for i := range x.plans {
		p := &x.plans[i]
		if p.single || !p.counted() {
			continue
		}
		need := p.bytes()
		for k := range p.large {
			if n := len(p.large[k].bits); n <= background.most {
				need += 16 << n
			}
		}
		if room+need > passingBytes && len(some) > 0 {
			if err := x.pass(ctx, t, workers, phi, background, some); err != nil {
				return err
			}
			some, room = some[:0], 0
		}
		some, room = append(some, i), room+need
	}
	if len(some) == 0 {
		return nil
	}
	return x.pass(ctx, t, workers, phi, background, some)
}

// pass adds some trees.
func (x *Explainer) pass(ctx context.Context, t *tree.Table, workers int, phi []float64, background *BackgroundExplainer, some []int) error {
	g := &game{tables: make([][]table, len(x.plans)), cubes: make([][]leafCube, len(x.plans))}
	err := par.For(ctx, len(some), workers, func(_ context.Context, k int) error {
		p := &x.plans[some[k]]
		b := new(builder)
		g.tables[some[k]] = b.tables(x, p, false, p.count(background.table), background.table.Rows)
		g.cubes[some[k]] = b.cubes(p, background.table, background.most)
		return nil
	})
	if err != nil {
		return err
	}
	columns := x.Columns()
	return x.run(ctx, t, workers, columns, g, func(s *space, lo, hi, stride int) {
		for j := range columns {
			for r, v := range s.sums[j*stride:][:hi-lo] {
				phi[(lo+r)*columns+j] += v
			}
		}
	})
}

// cubes counts the background's patterns at the large groups of p with up to most bits and sums
// over subsets. The others stay empty.
func (b *builder) cubes(p *plan, background *tree.Table, most int) []leafCube {
	count := make([][]float64, len(p.large))
	for k := range count {
		if n := len(p.large[k].bits); n <= most {
			count[k] = make([]float64, 1<<n)
		}
	}
	stride := blockRows(0, background.Rows)
	var s space
	for lo := 0; lo < background.Rows; lo += stride {
		hi := min(lo+stride, background.Rows)
		p.decide(&s, background, lo, hi, stride)
		for k := range p.large {
			g := &p.large[k]
			if count[k] == nil {
				continue
			}
			g.read(&s, stride)
			turn := g.complement()
			for r, v := range s.pattern[:hi-lo] {
				count[k][int(v)|int(s.higher[r])<<8^turn]++
			}
		}
	}
	out := make([]leafCube, len(p.large))
	for k := range out {
		if count[k] == nil {
			continue
		}
		l := &p.large[k].leaves[0]
		b.cube.frequencies(len(l.players), count[k], background.Rows)
		b.cube.sums(l.value)
		size := 1 << len(l.players)
		// The counts are used up and the sums take their place.
		out[k] = leafCube{append(count[k][:0], b.cube.a[:size]...), append([]float64(nil), b.cube.h[:size]...)}
	}
	return out
}

// complement returns the bits of the pattern of a group of one leaf that are 0 when the column is
// satisfied: player i has bit i alone.
func (g *group) complement() int {
	turn := 0
	for _, q := range g.leaves[0].players {
		turn |= int(q.mask &^ q.want)
	}
	return turn
}

// add adds what the leaf of g gives to the rows with these patterns.
func (c *leafCube) add(sums []float64, g *group, pattern, higher []byte, stride int) {
	n := len(pattern)
	turn := g.complement()
	for i, q := range g.leaves[0].players {
		bit := 1 << i
		to := sums[int(q.column)*stride:][:n]
		for r, v := range pattern {
			met := int(v) | int(higher[r])<<8 ^ turn
			if met&bit != 0 {
				to[r] += c.h[met] - c.h[met^bit] - c.a[met^bit]
			} else {
				to[r] -= c.a[met]
			}
		}
	}
}
