package tree

import (
	"math/bits"
	"slices"
)

// Sizes from which another way of ordering codes is faster; measured on nodes of 10,000 x 50.
const (
	insertionRows = 24 // at most this many rows: insertion sort
	histogramSpan = 4  // codes at most this many times the rows: a counter a code
	crowded       = 48 // rows in a bucket above which insertion is not relied on
)

// runs are the distinct codes of a column in a node, rising, with sums up to and including
// each: rows, weight, weight with the outcome. Missing rows are apart.
type runs struct {
	code         []uint16
	n            []int32
	w, e         []float64
	missN        int32
	missW, missE float64
}

func (r *runs) len() int { return len(r.code) }

// resize makes room for m runs.
func (r *runs) resize(m int) {
	if cap(r.code) < m {
		m2 := m + m/2
		r.code, r.n = make([]uint16, m2), make([]int32, m2)
		r.w, r.e = make([]float64, m2), make([]float64, m2)
	}
	r.code, r.n, r.w, r.e = r.code[:m], r.n[:m], r.w[:m], r.e[:m]
}

// build makes the runs of column j in the rows of it; false when there is nothing to split.
func (c *Cart) build(j int32, it *cartItem) bool {
	c.runs.missN, c.runs.missW, c.runs.missE = 0, 0, 0
	if !c.packed {
		return c.buildWide(j, it)
	}
	codes := c.data.cols[j].codes
	rows := c.rows[it.in[0]:it.in[1]]
	pay := c.pay[it.in[0]:it.in[1]]
	pay = pay[:len(rows)]
	keys := c.keys[:len(rows)]
	least, most := ^uint32(0), uint32(0)
	if c.data.cols[j].missing {
		m := 0
		var miss uint64
		for i, r := range rows {
			code := codes[r]
			p := uint32(pay[i])
			if code == noCode {
				miss += packedOf(p)
				continue
			}
			k := uint32(code)<<16 | p
			keys[m] = k
			m++
			least, most = min(least, k), max(most, k)
		}
		keys = keys[:m]
		c.runs.missN, c.runs.missW, c.runs.missE = unpack(miss)
	} else {
		for i, r := range rows {
			k := uint32(codes[r])<<16 | uint32(pay[i])
			keys[i] = k
			least, most = min(least, k), max(most, k)
		}
	}
	least, most = least>>16, most>>16
	if len(keys) == 0 || least == most && c.runs.missN == 0 {
		return false
	}
	span := int(most-least) + 1
	switch {
	case len(keys) <= insertionRows:
		insertion(keys)
		c.sum(keys)
	case span <= histogramSpan*len(keys):
		c.sumHistogram(keys, least, span)
	default:
		c.sum(c.bucketSort(keys, least, span))
	}
	return true
}

// A packed sum holds rows in 21 bits, weight in 21, weight with the outcome in 22.
func packedOf(p uint32) uint64 {
	w := uint64(p >> 1)
	return 1 | w<<21 | (w&-uint64(p&1))<<42
}

func unpack(v uint64) (n int32, w, e float64) {
	const low = 1<<21 - 1
	return int32(v & low), float64(v >> 21 & low), float64(v >> 42)
}

// sum makes the runs of sorted keys.
func (c *Cart) sum(keys []uint32) {
	r := &c.runs
	r.resize(len(keys))
	k := -1
	var total uint64
	before := ^uint32(0)
	for _, key := range keys {
		total += packedOf(key & 0xffff)
		if code := key >> 16; code != before {
			k++
			before = code
		}
		r.code[k] = uint16(key >> 16)
		r.n[k], r.w[k], r.e[k] = unpack(total)
	}
	r.resize(k + 1)
}

// sumHistogram makes the runs by a counter for each of span codes from least.
func (c *Cart) sumHistogram(keys []uint32, least uint32, span int) {
	h := c.hist[:span]
	for _, key := range keys {
		h[key>>16-least] += packedOf(key & 0xffff)
	}
	r := &c.runs
	r.resize(min(span, len(keys)) + 1) // one more, written to and dropped
	k := 0
	var total uint64
	for d, v := range h {
		total += v
		r.code[k] = uint16(least + uint32(d))
		r.n[k], r.w[k], r.e[k] = unpack(total)
		if v != 0 {
			k++
		}
	}
	clear(h)
	r.resize(k)
}

// bucketSort sorts keys by dealing them to about as many buckets as there are keys, then
// by insertion; a crowded bucket is sorted first.
func (c *Cart) bucketSort(keys []uint32, least uint32, span int) []uint32 {
	shift := 16 + max(0, bits.Len(uint(span/len(keys)))-1)
	buckets := span>>(shift-16) + 2
	if cap(c.scratch.count) < buckets {
		c.scratch.count = make([]int32, 2*buckets)
	}
	at := c.scratch.count[:buckets]
	clear(at)
	least <<= 16
	for _, k := range keys {
		at[(k-least)>>shift]++
	}
	total, most := int32(0), int32(0)
	for b, n := range at {
		at[b] = total
		total += n
		most = max(most, n)
	}
	out := c.scratch.keys[:len(keys)]
	for _, k := range keys {
		b := (k - least) >> shift
		out[at[b]] = k
		at[b]++
	}
	if most > crowded {
		slices.Sort(out)
		return out
	}
	insertion(out)
	return out
}

// insertion sorts a few keys, or keys that are nearly sorted.
func insertion(keys []uint32) {
	for i := 1; i < len(keys); i++ {
		k := keys[i]
		h := i
		for h > 0 && keys[h-1] > k {
			keys[h] = keys[h-1]
			h--
		}
		keys[h] = k
	}
}

// buildWide is build for weights that the packed sums cannot hold.
func (c *Cart) buildWide(j int32, it *cartItem) bool {
	codes := c.data.cols[j].codes
	pay := c.pay[it.in[0]:it.in[1]]
	if cap(c.wide) < len(pay) {
		c.wide = make([]uint64, len(pay))
	}
	keys := c.wide[:0]
	for i, r := range c.rows[it.in[0]:it.in[1]] {
		if code := codes[r]; code != noCode {
			keys = append(keys, uint64(code)<<32|uint64(i))
			continue
		}
		w, e := weightOf(pay[i])
		c.runs.missN++
		c.runs.missW += float64(w) // whole numbers below 2^52: exact
		c.runs.missE += float64(e)
	}
	if len(keys) == 0 {
		return false
	}
	slices.Sort(keys)
	if keys[0]>>32 == keys[len(keys)-1]>>32 && c.runs.missN == 0 {
		return false
	}
	r := &c.runs
	r.resize(len(keys))
	k := -1
	var n int32
	var w, e int64
	for i, key := range keys {
		dw, de := weightOf(pay[uint32(key)])
		n, w, e = n+1, w+dw, e+de
		if i == 0 || key>>32 != keys[i-1]>>32 {
			k++
		}
		r.code[k], r.n[k], r.w[k], r.e[k] = uint16(key>>32), n, float64(w), float64(e)
	}
	r.resize(k + 1)
	return true
}

func weightOf(pay uint64) (w, e int64) {
	w = int64(pay >> 1)
	return w, w & -int64(pay&1)
}
