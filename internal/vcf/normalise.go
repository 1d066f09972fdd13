package vcf

import "strings"

// Change is one difference of an alternative allele from the reference: a base exchanged, an
// insertion (Ref empty), a deletion (Alt empty), or both at once.
type Change struct {
	Pos      int    // of the first base of Ref; of the base after an insertion
	Ref, Alt string // without what they share at either end
}

// Changes splits the allele alt of a record into its differences: alleles of equal length into
// single bases, others by cutting what both ends share, the right end first. Alleles that are not
// bases (symbolic, *, breakends) have none.
func Changes(pos int, ref, alt string) []Change {
	if !bases(alt) {
		return nil
	}
	if len(ref) == len(alt) {
		var out []Change
		for i := range len(ref) {
			if ref[i] != alt[i] {
				out = append(out, Change{pos + i, ref[i : i+1], alt[i : i+1]})
			}
		}
		return out
	}
	for ref != "" && alt != "" && ref[len(ref)-1] == alt[len(alt)-1] {
		ref, alt = ref[:len(ref)-1], alt[:len(alt)-1]
	}
	for ref != "" && alt != "" && ref[0] == alt[0] {
		pos, ref, alt = pos+1, ref[1:], alt[1:]
	}
	return []Change{{pos, ref, alt}}
}

// Indel is a pure insertion or deletion, told by what is inserted or deleted and the base before it.
type Indel struct {
	Pos     int // of the base before
	Deleted bool
	Seq     string // inserted or deleted bases
}

// Indel returns c as a pure insertion or deletion; ok is false when it is anything else.
func (c Change) Indel() (in Indel, ok bool) {
	switch {
	case c.Alt == "" && c.Ref != "":
		return Indel{Pos: c.Pos - 1, Deleted: true, Seq: c.Ref}, true
	case c.Ref == "" && c.Alt != "":
		return Indel{Pos: c.Pos - 1, Seq: c.Alt}, true
	}
	return Indel{}, false
}

// Left moves in to the left as far as the same sequence results (Tan, Abecasis and Kang: Unified
// representation of genetic variants, 2015, doi 10.1093/bioinformatics/btv112), asking base for
// the reference base of a position. exact is false when it stopped because a base was not known:
// the indel may then be written further to the left as well.
func (in Indel) Left(base func(pos int) (byte, bool)) (out Indel, exact bool) {
	for {
		b, known := base(in.Pos)
		if !known {
			return in, false
		}
		last := len(in.Seq) - 1
		if in.Pos <= 1 || in.Seq[last] != b {
			return in, true
		}
		in.Seq = string(b) + in.Seq[:last]
		in.Pos--
	}
}

// MayEqual reports whether in, written further to the left, could be other: the same kind of change
// at most reach bases before, with the same bases in turned order.
func (in Indel) MayEqual(other Indel, reach int) bool {
	return in.Deleted == other.Deleted && len(in.Seq) == len(other.Seq) &&
		other.Pos <= in.Pos && in.Pos-other.Pos <= reach && strings.Contains(in.Seq+in.Seq, other.Seq)
}
