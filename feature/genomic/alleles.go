package genomic

import (
	"slices"
	"strings"

	"dolor/internal/vcf"
)

// read sets ob.codes to what each allele of the record (REF first) carries of variant v. informs
// is false when the record says nothing of v beyond being a reference block.
func (ob *observer) read(v int, rec *vcf.Record) (level uint8, informs bool) {
	ob.codes = ob.codes[:0]
	if ob.indel[v].Seq != "" {
		return ob.readIndel(v, rec)
	}
	return ob.readBase(v, rec)
}

// readBase reads a variant of one base. An allele that exchanges the base tells what is there; one
// that deletes it tells nothing of the variant.
func (ob *observer) readBase(v int, rec *vcf.Record) (uint8, bool) {
	va, pos := &ob.variants[v], ob.at[v]
	if pos < rec.Pos || pos >= rec.Pos+len(rec.Ref) || rec.Block() {
		return 0, false
	}
	base := func(b byte) int8 {
		switch b {
		case va.ref[0]:
			return lacks
		case va.alt[0]:
			return has
		case 'N':
			return unknown
		}
		if ob.listed(va, b) {
			return lacks // another variant of the table
		}
		return foreign
	}
	ref := base(rec.Ref[pos-rec.Pos])
	exchanged, lists := false, false
	ob.codes = append(ob.codes, ref)
	for _, alt := range rec.Alt {
		c := unknown
		if !vcf.Symbolic(alt) && alt != "*" {
			at, changes := ref, vcf.Changes(rec.Pos, rec.Ref, alt)
			if len(changes) == 0 {
				at = unknown // a breakend
			}
			for _, ch := range changes {
				switch {
				case ch.Pos == pos && len(ch.Ref) == 1 && len(ch.Alt) == 1:
					at = base(ch.Alt[0])
					exchanged = true
					lists = lists || at != foreign && at != ref
				case ch.Pos <= pos && pos < ch.Pos+len(ch.Ref):
					at = unknown // deleted or rewritten
				}
			}
			c = at
		}
		ob.codes = append(ob.codes, c)
	}
	switch {
	case lists:
		return explicit, true
	case exchanged:
		// of one record among several at a place, 0 may stand for an allele that another one lists
		for i, alt := range rec.Alt {
			if ob.codes[i+1] == ref && !vcf.Symbolic(alt) {
				ob.codes[i+1] = unknown
			}
		}
		if !rec.Complete() {
			ob.codes[0] = unknown
		}
		return implied, true
	}
	return 0, false
}

// readIndel reads an insertion or deletion. Only a record that lists it, or an indel that may be
// the same written elsewhere, tells of it.
func (ob *observer) readIndel(v int, rec *vcf.Record) (uint8, bool) {
	want := ob.indel[v]
	base := ob.base(rec.Chrom)
	inRec := func(pos int) (byte, bool) {
		if k := pos - rec.Pos; k >= 0 && k < len(rec.Ref) && rec.Ref[k] != 'N' {
			return rec.Ref[k], true
		}
		return base(pos)
	}
	from, to := ob.span(v)
	lists, maybe := false, false
	ob.codes = append(ob.codes, lacks)
	for _, alt := range rec.Alt {
		c := lacks
		if vcf.Symbolic(alt) || alt == "*" || strings.ContainsAny(alt, "[].") {
			ob.codes = append(ob.codes, unknown)
			continue
		}
		for _, ch := range vcf.Changes(rec.Pos, rec.Ref, alt) {
			in, pure := ch.Indel()
			if !pure {
				if len(ch.Ref) != len(ch.Alt) && ch.Pos <= to+1 && ch.Pos+len(ch.Ref) >= from {
					c = unknown // rewritten
				}
				continue
			}
			left, exact := in.Left(inRec)
			switch {
			case left == want:
				c, lists = has, true
			case !exact && left.MayEqual(want, reach):
				c, maybe = unknown, true
			case left.Pos >= from-1 && left.Pos <= to || left.Deleted && left.Pos < from && left.Pos+len(left.Seq) >= from:
				if c != has && !slices.Contains(ob.indel, left) {
					c = unknown // another indel in its place, none of the table's
				}
			}
		}
		ob.codes = append(ob.codes, c)
	}
	if lists || maybe {
		return explicit, true
	}
	return 0, false
}

// listed reports whether b is the base of another variant at the place of va.
func (ob *observer) listed(va *variant, b byte) bool {
	return slices.ContainsFunc(ob.variants, func(o variant) bool {
		return o.chrom == va.chrom && o.pos == va.pos && len(o.ref) == 1 && len(o.alt) == 1 && o.alt[0] == b
	})
}
