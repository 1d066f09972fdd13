package genomic

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// constraints is what a genotype says of the two haplotypes: sets of variants of the catalogue.
type constraints struct {
	none, both bits // on no copy; on every copy
	het        bits // on exactly one of two
	some, miss bits // one copy is known: it has, it lacks the variant
	phased     []phase
}

// phase is a set of variants whose copies are known to lie together: a has aHas and lacks aNot,
// the other b has bHas and lacks bNot, or the other way round.
type phase struct{ aHas, aNot, bHas, bNot bits }

func (p phase) allows(a, b bits) bool {
	return p.aHas.within(a) && p.aNot.apart(a) && p.bHas.within(b) && p.bNot.apart(b)
}

func (k *constraints) allow(a, b bits) bool {
	if !k.het.within(a.xor(b)) || !k.some.within(a.or(b)) || !k.miss.apart(a.and(b)) {
		return false
	}
	for _, p := range k.phased {
		if !p.allows(a, b) && !p.allows(b, a) {
			return false
		}
	}
	return true
}

// pairs returns the distinct pairs of alleles, in order, that k allows among haplotypes; with one
// copy (single) the pairs of an allele with itself.
func (k *constraints) pairs(haplotypes []haplotype, single bool) [][2]string {
	var fit []haplotype
	for _, h := range haplotypes {
		if k.both.within(h.variants) && k.none.apart(h.variants) {
			fit = append(fit, h)
		}
	}
	var out [][2]string
	seen := make(map[[2]string]bool)
	for i, a := range fit {
		for j := i; j < len(fit) && (j == i || !single); j++ {
			b := fit[j]
			key := [2]string{a.allele, b.allele}
			if starLess(b.allele, a.allele) {
				key[0], key[1] = key[1], key[0]
			}
			if !seen[key] && k.allow(a.variants, b.variants) {
				seen[key] = true
				out = append(out, key)
			}
		}
	}
	slices.SortFunc(out, func(x, y [2]string) int { return cmp.Or(starCompare(x[0], y[0]), starCompare(x[1], y[1])) })
	return out
}

// starNumber reads the number of *4, *36+*10 (the first) or *1x2.
func starNumber(s string) int {
	s = strings.TrimPrefix(s, "*")
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(s)
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return 1 << 30 // a word: last
	}
	return n
}

func starCompare(a, b string) int {
	return cmp.Or(cmp.Compare(starNumber(a), starNumber(b)), cmp.Compare(a, b))
}

func starLess(a, b string) bool { return starCompare(a, b) < 0 }
