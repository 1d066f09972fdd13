package genomic

import (
	"slices"
	"strconv"

	"dolor/diag"
	"dolor/internal/vcf"
)

// What one copy of the gene carries at a variant.
const (
	unknown int8 = iota - 1
	lacks        // the base of GRCh38
	has          // the variant
	foreign      // a base that is neither
)

// How a state was learnt; the more direct way wins.
const (
	notSeen  uint8 = iota
	implied        // a record at the same position that lists other alleles
	explicit       // a record that lists the variant
)

// state is what is known of one sample at one variant.
type state struct {
	copies  [2]int8
	set     int32  // phase set; equal numbers lie in one order
	level   uint8  // notSeen, implied, explicit
	cover   uint32 // bases of the span that reference blocks cover
	denied  uint32 // bases that a reference block leaves without a call
	foreign bool   // some record calls a base that is neither
	clash   bool   // two records contradict each other
	depth   [2]int32
}

// observer turns the records of one file into states.
type observer struct {
	*panel
	samples []samples
	sets    map[string]int32
	next    int32 // private phase sets count down from -1
	minDP   int
	minGQ   float64
	anyPass bool // records that failed a filter count as well
	codes   []int8
	notes   notes
	here    int // records that list a variant of the table
	there   int // the same at the position of the other build
}

// samples holds one sample's states and structure.
type samples struct {
	states  []state
	copies  int8 // stated by the file; -1: not
	more    bool // copies is the least number
	partial bool // a structural variant touches part of the gene
	clash   bool
}

// notes counts what the reader of a result must know, by sample or for the whole file.
type notes struct{ filtered int }

// settled returns an error when the records are those of the other build after all.
func (ob *observer) settled(file string) error {
	if ob.there < 2 || ob.here > 0 {
		return nil
	}
	return &diag.Error{
		Kind: diag.Invalid, Pos: diag.Pos{File: file}, Field: "genome build",
		Msg:  "expected positions of " + ob.build.String() + ", got the positions of the other build at " + strconv.Itoa(ob.there) + " variants and none of this",
		Hint: "the file is of another genome build than it says",
	}
}

func newObserver(p *panel, n int, o *Options) *observer {
	ob := &observer{
		panel: p, samples: make([]samples, n), sets: make(map[string]int32),
		minDP: o.MinDepth, minGQ: o.MinQuality, anyPass: o.AnyFilter,
	}
	all := make([]state, n*len(p.variants))
	for i := range all {
		all[i].copies = [2]int8{unknown, unknown}
	}
	for i := range ob.samples {
		ob.samples[i] = samples{states: all[i*len(p.variants) : (i+1)*len(p.variants)], copies: -1}
	}
	return ob
}

// reference checks the record's REF against the bases that the build is known to have. A file
// whose reference bases differ is of another build: nothing of it can be trusted.
func (ob *observer) reference(rec *vcf.Record, file string) error {
	known := ob.bases[rec.Chrom]
	for k := range len(rec.Ref) {
		b, ok := known[rec.Pos+k]
		if ok && rec.Ref[k] != 'N' && rec.Ref[k] != b {
			return &diag.Error{
				Kind: diag.Invalid, Pos: diag.Pos{File: file, Line: rec.Line}, Field: "REF",
				Msg:  "expected the reference base of " + ob.build.String() + " at " + rec.Chrom + ":" + strconv.Itoa(rec.Pos+k) + ", got another one",
				Hint: "the file is of another genome build than it says, or the alleles are given for the other strand",
			}
		}
	}
	for v := range ob.variants {
		va := &ob.variants[v]
		if rec.Pos == ob.other[v] && va.chrom == rec.Chrom && rec.Ref == va.ref && slices.Contains(rec.Alt, va.alt) {
			ob.there++
		}
		if va.rsid != "" && va.rsid == rec.ID && va.chrom == rec.Chrom && len(va.ref) == 1 && len(rec.Ref) == 1 && rec.Pos != ob.at[v] {
			return &diag.Error{
				Kind: diag.Invalid, Pos: diag.Pos{File: file, Line: rec.Line}, Field: "POS",
				Msg:  "expected " + va.rsid + " at " + va.chrom + ":" + strconv.Itoa(ob.at[v]) + " of " + ob.build.String() + ", got another position",
				Hint: "the file is of another genome build than it says",
			}
		}
	}
	return nil
}

// add takes up one record.
func (ob *observer) add(rec *vcf.Record, gts []vcf.Genotype) {
	good := rec.Passed() || ob.anyPass
	if !good {
		ob.notes.filtered++
	}
	if structural(rec) {
		ob.structure(rec, gts, good)
		return
	}
	ob.next--
	private := ob.next
	for v := range ob.variants {
		if ob.variants[v].chrom != rec.Chrom {
			continue
		}
		from, to := ob.span(v)
		if rec.Pos > to+reach || rec.End < from {
			continue
		}
		level, informs := ob.read(v, rec)
		blocks := rec.Block() || rec.Complete()
		if !informs && !blocks {
			continue
		}
		for i := range gts {
			g := &gts[i]
			s := &ob.samples[i].states[v]
			sure := good && ob.sure(g, rec)
			switch {
			case !blocks:
			case sure && reads(g, rec):
				s.cover |= covered(from, to, rec)
			default:
				s.denied |= covered(from, to, rec)
			}
			if !informs {
				continue
			}
			if i == 0 && level == explicit {
				ob.here++
			}
			ob.apply(s, v, g, level, sure, private)
		}
	}
}

// sure reports whether the genotype of a sample may be believed.
func (ob *observer) sure(g *vcf.Genotype, rec *vcf.Record) bool {
	if g.Filter != "" && g.Filter != "PASS" && !ob.anyPass {
		return false
	}
	if g.Depth == 0 || g.Depth > 0 && g.Depth < ob.minDP {
		return false
	}
	if rec.Block() && g.Quality == 0 { // a caller's way to say that it knows nothing
		return false
	}
	return g.Quality < 0 || g.Quality >= ob.minGQ
}

// reads reports whether g states every copy as the reference or as bases in exchange: a record
// that weighs all alleles then hides no insertion or deletion.
func reads(g *vcf.Genotype, rec *vcf.Record) bool {
	if len(g.Alleles) < 2 {
		return false
	}
	for _, a := range g.Alleles {
		if a < 0 || a > 0 && (vcf.Symbolic(rec.Alt[a-1]) || len(rec.Alt[a-1]) != len(rec.Ref) || rec.Alt[a-1] == "*") {
			return false
		}
	}
	return true
}

// covered returns the bits of the span that the record lies over.
func covered(from, to int, rec *vcf.Record) uint32 {
	var m uint32
	for p := max(from, rec.Pos); p <= min(to, rec.End) && p-from < 32; p++ {
		m |= 1 << (p - from)
	}
	return m
}

func (ob *observer) apply(s *state, v int, g *vcf.Genotype, level uint8, sure bool, private int32) {
	var x [2]int8
	set := private
	switch {
	case !sure || len(g.Alleles) == 0:
		x = [2]int8{unknown, unknown}
	case len(g.Alleles) == 1:
		x = [2]int8{ob.code(g.Alleles[0]), unknown}
	case len(g.Alleles) == 2:
		x = [2]int8{ob.code(g.Alleles[0]), ob.code(g.Alleles[1])}
		if g.Phased {
			set = ob.set(ob.variants[v].chrom, g.Set)
		}
	default: // more than two copies: which alleles there are, not how often
		lo, hi := ob.code(g.Alleles[0]), ob.code(g.Alleles[0])
		for _, a := range g.Alleles[1:] {
			lo, hi = min(lo, ob.code(a)), max(hi, ob.code(a))
		}
		x = [2]int8{lo, hi}
	}
	if x[0] == foreign || x[1] == foreign {
		s.foreign = true
	}
	next := state{copies: x, set: set, level: level, cover: s.cover, denied: s.denied, foreign: s.foreign, clash: s.clash}
	if level == explicit && len(g.Depths) > 0 && sure {
		for a, d := range g.Depths {
			if d < 0 {
				continue
			}
			switch ob.code(a) {
			case lacks:
				next.depth[0] += int32(min(d, 1<<20))
			case has:
				next.depth[1] += int32(min(d, 1<<20))
			}
		}
	}
	switch {
	case level > s.level:
		*s = next
	case level < s.level:
	case level == implied: // neither lists the variant: the one that says more
		if weight(x) > weight(s.copies) {
			*s = next
		}
	case !same(s.copies, x): // two records list it and differ
		s.clash = s.clash || s.copies != [2]int8{unknown, unknown} && x != [2]int8{unknown, unknown}
		s.copies = [2]int8{unknown, unknown}
	}
}

func weight(x [2]int8) int {
	w := 0
	for _, c := range x {
		switch c {
		case foreign, has:
			w += 3
		case lacks:
			w++
		}
	}
	return w
}

func same(a, b [2]int8) bool { return a == b || a == [2]int8{b[1], b[0]} }

// set returns the number of a phase set of the file; without a name the whole chromosome is one.
func (ob *observer) set(chrom, name string) int32 {
	key := chrom + "\t" + name
	n, ok := ob.sets[key]
	if !ok {
		n = int32(len(ob.sets)) + 1
		ob.sets[key] = n
	}
	return n
}

func (ob *observer) code(allele int) int8 {
	if allele < 0 || allele >= len(ob.codes) {
		return unknown
	}
	return ob.codes[allele]
}
