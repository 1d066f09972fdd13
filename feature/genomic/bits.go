package genomic

// bits is a set of variants.
type bits [3]uint64

func (b *bits) set(i int)     { b[i>>6] |= 1 << (i & 63) }
func (b bits) has(i int) bool { return b[i>>6]>>(i&63)&1 == 1 }

// within reports whether every member of b is in c.
func (b bits) within(c bits) bool {
	return b[0]&^c[0]|b[1]&^c[1]|b[2]&^c[2] == 0
}

// apart reports whether b and c share no member.
func (b bits) apart(c bits) bool { return b[0]&c[0]|b[1]&c[1]|b[2]&c[2] == 0 }

func (b bits) or(c bits) bits  { return bits{b[0] | c[0], b[1] | c[1], b[2] | c[2]} }
func (b bits) and(c bits) bits { return bits{b[0] & c[0], b[1] & c[1], b[2] & c[2]} }
func (b bits) xor(c bits) bits { return bits{b[0] ^ c[0], b[1] ^ c[1], b[2] ^ c[2]} }
