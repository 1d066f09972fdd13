package tree

import "math"

// levels is how many steps are taken before it is asked whether all rows have come to a leaf. A
// tree grown by levels is as deep everywhere; one grown leaf by leaf is not.
const levels = 8

// addTree adds to out[i] what the leaf of row i of the block adds, four rows at a time so that
// their steps overlap. Indices of 16 bits into windows of 2^16 need no bounds checks.
func addTree(nodes *[flatNodes]uint64, value *[flatNodes]float32, depth int, block *[flatNodes]int32, out []float32) {
	i := 0
	for ; i+4 <= len(out); i += 4 {
		r := uint16(i)
		var a, b, c, d uint16
		for left := depth; left > 0; left -= levels {
			for range min(left, levels) {
				a = step(nodes[a], block, r)
				b = step(nodes[b], block, r+1)
				c = step(nodes[c], block, r+2)
				d = step(nodes[d], block, r+3)
			}
			if atLeaf(nodes[a]) && atLeaf(nodes[b]) && atLeaf(nodes[c]) && atLeaf(nodes[d]) {
				break
			}
		}
		o := out[i : i+4 : i+4]
		o[0] += value[a]
		o[1] += value[b]
		o[2] += value[c]
		o[3] += value[d]
	}
	for ; i < len(out); i++ {
		var a uint16
		for k := 0; k < depth && !atLeaf(nodes[a]); k++ {
			a = step(nodes[a], block, uint16(i))
		}
		out[i] += value[a]
	}
}

// atLeaf reports whether a node is a leaf: nothing exceeds its limit.
func atLeaf(node uint64) bool { return node>>32 == math.MaxInt32 }

// step returns the child of a node that row r of the block goes to.
func step(node uint64, block *[flatNodes]int32, r uint16) uint16 {
	// The sign of limit - value is 1 when the value is greater: no branch to mispredict.
	return uint16(node) + uint16(uint64(int64(node)>>32-int64(block[uint16(node>>16)+r]))>>63)
}

// addMixedTree is addTree for a tree that also splits on categories, whose places in the block
// start at catStart.
func addMixedTree(nodes *[flatNodes]uint64, value *[flatNodes]float32, bits *[flatNodes]uint64, depth int, catStart int64, block *[flatNodes]int32, out []float32) {
	i := 0
	for ; i+4 <= len(out); i += 4 {
		r := uint16(i)
		var a, b, c, d uint16
		for left := depth; left > 0; left -= levels {
			for range min(left, levels) {
				a = mixedStep(nodes[a], bits, catStart, block, r)
				b = mixedStep(nodes[b], bits, catStart, block, r+1)
				c = mixedStep(nodes[c], bits, catStart, block, r+2)
				d = mixedStep(nodes[d], bits, catStart, block, r+3)
			}
			if atLeaf(nodes[a]) && atLeaf(nodes[b]) && atLeaf(nodes[c]) && atLeaf(nodes[d]) {
				break
			}
		}
		o := out[i : i+4 : i+4]
		o[0] += value[a]
		o[1] += value[b]
		o[2] += value[c]
		o[3] += value[d]
	}
	for ; i < len(out); i++ {
		var a uint16
		for k := 0; k < depth && !atLeaf(nodes[a]); k++ {
			a = mixedStep(nodes[a], bits, catStart, block, uint16(i))
		}
		out[i] += value[a]
	}
}

// mixedStep is step for a node that may split on categories: both answers are found, and the
// offset says which counts.
func mixedStep(node uint64, bits *[flatNodes]uint64, catStart int64, block *[flatNodes]int32, r uint16) uint16 {
	off := uint16(node >> 16)
	v, limit := int64(block[off+r]), int64(node)>>32
	category := uint64((catStart - 1 - int64(off)) >> 63) // all ones, or 0
	at := uint64(limit+v) & category
	in := bits[uint16(at>>6)] >> (at & 63) & 1
	above := uint64(limit-v) >> 63
	return uint16(node) + uint16(above&^category|in&category)
}
