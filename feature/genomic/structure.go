package genomic

import (
	"math"
	"strconv"
	"strings"

	"dolor/internal/vcf"
)

// structural reports whether the record tells of copies: <DEL>, <DUP>, <CNV>, <CN0>...
func structural(rec *vcf.Record) bool {
	for _, a := range rec.Alt {
		if _, ok := alleleCopies(a); ok {
			return true
		}
	}
	return false
}

// alleleCopies returns the copies that one chromosome holds by a symbolic allele; -1 for any number.
func alleleCopies(alt string) (n int, ok bool) {
	if !vcf.Symbolic(alt) {
		return 0, false
	}
	name, _, _ := strings.Cut(strings.Trim(alt, "<>"), ":")
	switch {
	case name == "DEL":
		return 0, true
	case name == "DUP", name == "CNV":
		return -1, true
	case strings.HasPrefix(name, "CN"):
		n, err := strconv.Atoi(name[2:])
		return n, err == nil && n >= 0 && n < 100
	}
	return 0, false
}

// structure takes up a record of copies: one over the whole of CYP2D6 gives the number of copies,
// by FORMAT CN or else by the genotype; one over a part of it is a hybrid or a break that cannot
// be read.
func (ob *observer) structure(rec *vcf.Record, gts []vcf.Genotype, good bool) {
	from, to := ob.gene()
	if rec.Chrom != "22" || rec.Pos > to || rec.End < from || !good {
		return
	}
	whole := rec.Pos <= from && rec.End >= to
	for i := range gts {
		g, s := &gts[i], &ob.samples[i]
		if g.Filter != "" && g.Filter != "PASS" && !ob.anyPass {
			continue
		}
		n, more, carried, told := 0, false, false, len(g.Alleles) > 0
		for _, a := range g.Alleles {
			switch {
			case a < 0:
				told = false
			case a == 0:
				n++
			default:
				carried = true
				k, ok := alleleCopies(rec.Alt[a-1])
				switch {
				case !ok:
					told = false
				case k < 0 && strings.HasPrefix(rec.Alt[a-1], "<CNV"):
					told = false
				case k < 0:
					n, more = n+2, true
				default:
					n += k
				}
			}
		}
		if c := g.Copies; c >= 0 && c == math.Trunc(c) && c < 100 {
			n, more, told = int(c), false, true
			carried = carried || n != 2
		}
		switch {
		case !whole && carried:
			s.partial = true
		case !whole || !told:
		case s.copies >= 0 && (int(s.copies) != n || s.more != more):
			s.clash = true
		default:
			s.copies, s.more = int8(n), more
		}
	}
}
