package tree

import (
	"context"
	"encoding/binary"

	"dolor/internal/par"
)

// hist holds the sums of gradient and curvature of every code of every column over the rows of
// a node. Narrow, column j has its packed sums at data[256*j]; wide, gradient and curvature are
// neighbours from data[512*j] on. A node of at most Fixed.Block rows is narrow.
type hist struct {
	data []int64
	wide bool
}

// tile is the number of rows whose codes are brought into the cache together and then added
// group by group, so that the 16 kB of a group's sums stay in the nearest cache.
const tile = 256

// touch reads one byte of each row's codes, so that the cache misses overlap.
//
//go:noinline
func touch(codes []uint8, stride int, rows []int32) (sink uint8) {
	for _, r := range rows {
		sink ^= codes[int(r)*stride]
	}
	return sink
}

// add8 adds the packed value of each row to its code's sum in eight columns. codes starts at the
// group's first column.
//
//go:noinline
func add8(h *[slots]int64, codes []uint8, stride int, rows []int32, pack []int64) {
	pack = pack[:len(rows)]
	for i, r := range rows {
		at := int(r) * stride
		x := binary.LittleEndian.Uint64(codes[at : at+8 : at+8])
		v := pack[i]
		h[uint8(x)] += v
		h[1*MaxBins+int(uint8(x>>8))] += v
		h[2*MaxBins+int(uint8(x>>16))] += v
		h[3*MaxBins+int(uint8(x>>24))] += v
		h[4*MaxBins+int(uint8(x>>32))] += v
		h[5*MaxBins+int(uint8(x>>40))] += v
		h[6*MaxBins+int(uint8(x>>48))] += v
		h[7*MaxBins+int(x>>56)] += v
	}
}

// add4 is add8 for four columns, from the one that codes starts at.
//
//go:noinline
func add4(h *[4 * MaxBins]int64, codes []uint8, stride int, rows []int32, pack []int64) {
	pack = pack[:len(rows)]
	for i, r := range rows {
		at := int(r) * stride
		x := binary.LittleEndian.Uint32(codes[at : at+4 : at+4])
		v := pack[i]
		h[uint8(x)] += v
		h[1*MaxBins+int(uint8(x>>8))] += v
		h[2*MaxBins+int(uint8(x>>16))] += v
		h[3*MaxBins+int(uint8(x>>24))] += v
	}
}

// add2 is add8 for two columns.
//
//go:noinline
func add2(h *[2 * MaxBins]int64, codes []uint8, stride int, rows []int32, pack []int64) {
	pack = pack[:len(rows)]
	for i, r := range rows {
		at := int(r) * stride
		x := binary.LittleEndian.Uint16(codes[at : at+2 : at+2])
		v := pack[i]
		h[uint8(x)] += v
		h[MaxBins+int(x>>8)] += v
	}
}

// add1 is add8 for one column.
//
//go:noinline
func add1(h *[MaxBins]int64, codes []uint8, stride int, rows []int32, pack []int64) {
	pack = pack[:len(rows)]
	for i, r := range rows {
		h[codes[int(r)*stride]] += pack[i]
	}
}

// accumulate adds at most Block rows to the narrow sums in dst, for the groups of columns that
// this tree uses.
func (g *Grower) accumulate(dst []int64, rows []int32, pack []int64) (sink uint8) {
	b := g.bins
	for lo := 0; lo < len(rows); lo += tile {
		hi := min(lo+tile, len(rows))
		r, p := rows[lo:hi], pack[lo:hi]
		for line := 0; line < b.stride; line += 64 {
			sink ^= touch(b.byRow[line:], b.stride, r)
		}
		for _, k := range g.groups {
			at := k * group
			codes, h := b.byRow[at:], dst[at*MaxBins:]
			left := len(b.Columns) - at
			if left >= group {
				add8((*[slots]int64)(h), codes, b.stride, r, p)
				continue
			}
			if left&4 != 0 {
				add4((*[4 * MaxBins]int64)(h), codes, b.stride, r, p)
				codes, h = codes[4:], h[4*MaxBins:]
			}
			if left&2 != 0 {
				add2((*[2 * MaxBins]int64)(h), codes, b.stride, r, p)
				codes, h = codes[2:], h[2*MaxBins:]
			}
			if left&1 != 0 {
				add1((*[MaxBins]int64)(h), codes, b.stride, r, p)
			}
		}
	}
	return sink
}

// build fills dst with the sums over the rows in s; scratch is narrow and is all 0 before and
// after.
func (g *Grower) build(dst *hist, s span, scratch []int64) {
	narrow := g.slots
	dst.wide = s.len() > g.fixed.Block
	if !dst.wide {
		clear(dst.data[:narrow])
		g.accumulate(dst.data, g.rows[s.lo:s.hi], g.pack[s.lo:s.hi])
		return
	}
	clear(dst.data[:2*narrow])
	for lo := s.lo; lo < s.hi; lo += g.fixed.Block {
		hi := min(lo+g.fixed.Block, s.hi)
		g.accumulate(scratch, g.rows[lo:hi], g.pack[lo:hi])
		g.flush(dst.data, scratch)
	}
}

// flush adds narrow sums to wide ones and clears them.
func (g *Grower) flush(wide, narrow []int64) {
	for _, j := range g.built {
		n := g.bins.Columns[j].Bins() + 1
		src := narrow[int(j)*MaxBins:][:n]
		dst := wide[int(j)*2*MaxBins:][:2*n]
		for i, v := range src {
			dst[2*i] += v >> 32
			dst[2*i+1] += int64(uint32(v))
		}
		clear(src)
	}
}

// buildParallel is build with the rows spread over the workers.
func (g *Grower) buildParallel(ctx context.Context, dst *hist, s span) error {
	n := min(len(g.workers), s.len()/minParallel)
	if n <= 1 {
		g.build(dst, s, g.workers[0].scratch)
		return nil
	}
	parts := splitRange(s.lo, s.hi, n)
	sums := make([]*hist, n)
	for k := range sums {
		sums[k] = dst
		if k > 0 {
			sums[k] = g.getHist()
		}
	}
	err := par.For(ctx, n, n, func(_ context.Context, k int) error {
		g.build(sums[k], parts[k], g.workers[k].scratch)
		return nil
	})
	if err == nil {
		err = g.addParallel(ctx, sums, s.len() > g.fixed.Block)
	}
	for _, h := range sums[1:] {
		g.putHist(h)
	}
	return err
}

// addParallel adds all of sums to the first, which becomes wide if asked.
func (g *Grower) addParallel(ctx context.Context, sums []*hist, wide bool) error {
	first := sums[0]
	if wide && !first.wide {
		g.widen(first)
	}
	parts := splitRange(0, len(g.built), len(sums))
	return par.For(ctx, len(parts), len(parts), func(_ context.Context, k int) error {
		for _, j := range g.built[parts[k].lo:parts[k].hi] {
			n := g.bins.Columns[j].Bins() + 1
			for _, h := range sums[1:] {
				addColumn(first, h, int(j), n, 1)
			}
		}
		return nil
	})
}

// addColumn adds sign times the n sums of column j in src to those in dst, which is wide if src
// is.
func addColumn(dst, src *hist, j, n int, sign int64) {
	switch {
	case dst.wide && src.wide:
		d, s := dst.data[2*MaxBins*j:][:2*n], src.data[2*MaxBins*j:][:2*n]
		for i, v := range s {
			d[i] += sign * v
		}
	case dst.wide:
		d, s := dst.data[2*MaxBins*j:][:2*n], src.data[MaxBins*j:][:n]
		for i, v := range s {
			d[2*i] += sign * (v >> 32)
			d[2*i+1] += sign * int64(uint32(v))
		}
	default:
		d, s := dst.data[MaxBins*j:][:n], src.data[MaxBins*j:][:n]
		for i, v := range s {
			d[i] += sign * v
		}
	}
}

// widen makes a narrow histogram wide, from the end so that nothing is overwritten early.
func (g *Grower) widen(h *hist) {
	for k := g.slots - 1; k >= 0; k-- {
		v := h.data[k]
		h.data[2*k], h.data[2*k+1] = v>>32, int64(uint32(v))
	}
	h.wide = true
}

// subtract turns the sums of a parent into those of its other child, of the given number of
// rows, by taking off the sums of one child.
func (g *Grower) subtract(parent, child *hist, rows int) {
	for _, j := range g.built {
		addColumn(parent, child, int(j), g.bins.Columns[j].Bins()+1, -1)
	}
	if !parent.wide || rows > g.fixed.Block {
		return
	}
	// Columns move towards the start, each into room that has been read.
	for j := range g.bins.Columns {
		n := g.bins.Columns[j].Bins() + 1
		src, dst := parent.data[2*MaxBins*j:][:2*n], parent.data[MaxBins*j:][:n]
		for i := range dst {
			dst[i] = src[2*i]<<32 + src[2*i+1]
		}
	}
	parent.wide = false
}
