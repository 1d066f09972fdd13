package genomic

import (
	"dolor/internal/vcf"
)

// panel is the catalogue on one genome build.
type panel struct {
	*catalogue
	build vcf.Build
	at    []int       // position of each variant on the build
	other []int       // and on the other one
	indel []vcf.Indel // of a variant that is one, moved to the left as far as is known; else zero
	bases map[string]map[int]byte
}

// reach is how far an indel may be written to the right of its place in the table and still
// be taken for possibly the same.
const reach = 50

func newPanel(build vcf.Build) *panel {
	p := &panel{catalogue: theCatalogue(), build: build, bases: make(map[string]map[int]byte)}
	p.at = make([]int, len(p.variants))
	p.other = make([]int, len(p.variants))
	p.indel = make([]vcf.Indel, len(p.variants))
	for i, v := range p.variants {
		p.at[i], p.other[i] = v.pos, v.pos+v.shift
		if build == vcf.GRCh37 {
			p.at[i], p.other[i] = p.other[i], p.at[i]
		}
		known := p.bases[v.chrom]
		if known == nil {
			known = make(map[int]byte)
			p.bases[v.chrom] = known
		}
		for k := range len(v.ref) {
			known[p.at[i]+k] = v.ref[k]
		}
	}
	for i, v := range p.variants {
		if v.swapped && build == vcf.GRCh37 {
			p.bases[v.chrom][p.at[i]] = v.alt[0]
		}
	}
	for i, v := range p.variants {
		if in, ok := p.asIndel(p.at[i], v.ref, v.alt); ok {
			p.indel[i], _ = in.Left(p.base(v.chrom))
		}
	}
	return p
}

func (p *panel) asIndel(pos int, ref, alt string) (vcf.Indel, bool) {
	ch := vcf.Changes(pos, ref, alt)
	if len(ch) != 1 {
		return vcf.Indel{}, false
	}
	return ch[0].Indel()
}

// base returns the reference bases of chrom that are known: from the table's alleles.
func (p *panel) base(chrom string) func(int) (byte, bool) {
	known := p.bases[chrom]
	return func(pos int) (byte, bool) {
		b, ok := known[pos]
		return b, ok
	}
}

// refCopy is what a copy carries that equals the reference genome: usually not the variant, on
// GRCh37 the variant itself where that build holds it.
func (p *panel) refCopy(v int) int8 {
	if p.build == vcf.GRCh37 && p.variants[v].swapped {
		return has
	}
	return lacks
}

// span returns the first and last reference position that v speaks of.
func (p *panel) span(v int) (from, to int) {
	return p.at[v], p.at[v] + len(p.variants[v].ref) - 1
}

// gene returns the first and last position of CYP2D6 that is asked for.
func (p *panel) gene() (from, to int) {
	from, _ = p.span(0)
	for v := range p.n2d6 {
		_, end := p.span(v)
		to = max(to, end)
	}
	return from, to
}

// regions is what has to be read of a file, on both builds: records at the places of the other
// one give a wrong build away.
func (p *panel) regions() []vcf.Region {
	from, to := p.gene()
	moved := p.other[0] - p.at[0]
	out := []vcf.Region{{Chrom: "22", From: from - reach, To: to + reach}, {Chrom: "22", From: from + moved - reach, To: to + moved + reach}}
	for _, v := range []int{p.comt, p.oprm1} {
		for _, at := range []int{p.at[v], p.other[v]} {
			out = append(out, vcf.Region{Chrom: p.variants[v].chrom, From: at, To: at})
		}
	}
	return out
}
