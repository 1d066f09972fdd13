package genomic

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"dolor/diag"
)

// final returns what each copy carries at v after all records were seen.
func (ob *observer) final(s *state, v int) [2]int8 {
	switch {
	case s.clash:
		return [2]int8{unknown, unknown}
	case s.foreign && s.copies[0] != foreign && s.copies[1] != foreign:
		return [2]int8{foreign, unknown}
	case s.level != notSeen:
		return s.copies
	}
	from, to := ob.span(v)
	if n := to - from + 1; n <= 32 && s.cover&^s.denied == uint32(1<<n-1) {
		return [2]int8{ob.refCopy(v), ob.refCopy(v)}
	}
	return [2]int8{unknown, unknown}
}

// count returns the copies of the variant v among two, or -1.
func (ob *observer) count(s *state, v int) int {
	x := ob.final(s, v)
	if x[0] < lacks || x[1] < lacks || x[0] > has || x[1] > has {
		return -1
	}
	return int(x[0] + x[1])
}

// sample returns what the states of sample i amount to. stated is its number of copies from
// elsewhere, -1 for none.
func (ob *observer) sample(i, stated int, memo map[string]Call, haplotypes []haplotype) Sample {
	s := &ob.samples[i]
	var out Sample
	warn := func(code, msg string) {
		out.Warnings = diag.Merge(out.Warnings, diag.Warning{Code: code, Msg: msg, Count: 1})
	}
	out.OPRM1G, out.COMTA = ob.count(&s.states[ob.oprm1], ob.oprm1), ob.count(&s.states[ob.comt], ob.comt)
	for _, v := range []int{ob.oprm1, ob.comt} {
		if s.states[v].foreign {
			warn("unlisted_allele", ob.variants[v].name()+": an allele that is neither of the two known: no call")
		}
	}
	for v := range ob.variants {
		if s.states[v].clash {
			warn("records_disagree", ob.variants[v].name()+": two records disagree: no call")
		}
	}
	copies := int(s.copies)
	clash := s.clash
	switch {
	case stated >= 0 && copies >= 0 && stated != copies && (!s.more || stated < copies):
		clash = true
	case stated >= 0:
		copies = stated
		s.more = false
	}
	out.CYP2D6 = ob.call(s, copies, memo, haplotypes, warn)
	c := &out.CYP2D6
	switch {
	case clash:
		warn("copies_disagree", "CYP2D6: two statements of the number of copies disagree: no call")
		*c = withSites(noCall(NoCall, -1), c)
	case s.partial:
		warn("hybrid", "CYP2D6: a structural variant covers a part of the gene: the phenotype cannot be told")
		*c = withSites(noCall(NoCall, copies), c)
	case copies > 4:
		warn("many_copies", "CYP2D6: more than four copies are not enumerated: the phenotype cannot be told")
		*c = withSites(noCall(NoCall, copies), c)
	case c.Status == Absent:
	case copies < 0:
		warn("copies_assumed", "CYP2D6: the number of copies is not stated: two assumed; *5, duplications and hybrids cannot be seen")
	}
	return out
}

func withSites(c Call, old *Call) Call {
	c.Called, c.Sites = old.Called, old.Sites
	return c
}

// call enumerates the diplotypes that one sample's states allow.
func (ob *observer) call(s *samples, copies int, memo map[string]Call, haplotypes []haplotype, warn func(code, msg string)) Call {
	k, called, foreignAt := ob.constrain(s.states, copies == 1)
	switch {
	case copies == 0:
		c := resolve([]Diplotype{{{{"*5", 1}}, {{"*5", 1}}}}, 0)
		c.Called, c.Sites = called, ob.n2d6
		return c
	case copies > 4:
		c := noCall(NoCall, copies)
		c.Called, c.Sites = called, ob.n2d6
		return c
	case called == 0 && copies < 0:
		c := noCall(Absent, copies)
		c.Sites = ob.n2d6
		return c
	case len(foreignAt) > 0:
		for _, v := range foreignAt {
			warn("unlisted_allele", ob.variants[v].name()+": an allele that no star allele of the table has: no call")
		}
		c := noCall(NoCall, copies)
		c.Called, c.Sites = called, ob.n2d6
		return c
	}
	key := ""
	if len(k.phased) == 0 && copies < 3 {
		key = k.key(copies)
		if c, ok := memo[key]; ok {
			return ob.told(c, warn)
		}
	}
	single := copies == 1
	if single {
		k = k.single()
	}
	pairs := k.pairs(ob.open(&k, haplotypes), single)
	c := resolve(ob.options(pairs, copies, s), copies)
	c.Called, c.Sites = called, ob.n2d6
	if ob.inferred(pairs, &k) {
		c.Status, c.Score, c.Phenotype = Ambiguous, math.NaN(), Indeterminate
	}
	if key != "" && len(memo) < maxMemo {
		memo[key] = c
	}
	return ob.told(c, warn)
}

const maxMemo = 4096

// seen returns the variants of which at least one copy was called.
func (k *constraints) seen() bits { return k.none.or(k.both).or(k.het).or(k.some).or(k.miss) }

// open adds to haplotypes the bare form of each allele whose defining variant was not fully called:
// *4 is its splice defect, whatever else the table's sub-alleles carry, and is not ruled out by
// reference bases at the rest.
func (ob *observer) open(k *constraints, haplotypes []haplotype) []haplotype {
	full := k.none.or(k.both).or(k.het)
	out := haplotypes
	for _, h := range ob.cores {
		if !h.variants.within(full) && slices.ContainsFunc(haplotypes, func(g haplotype) bool { return g.allele == h.allele }) {
			out = append(slices.Clip(out), h)
		}
	}
	return out
}

// inferred reports whether every pair holds an allele of which a defining variant was not called at
// all: only variants beside it speak for the allele, and the table knows no haplotype that has those
// alone.
func (ob *observer) inferred(pairs [][2]string, k *constraints) bool {
	seen := k.seen()
	for _, p := range pairs {
		if ob.defining[p[0]].within(seen) && ob.defining[p[1]].within(seen) {
			return false
		}
	}
	return len(pairs) > 0
}

// told adds the warnings that belong to a call.
func (ob *observer) told(c Call, warn func(code, msg string)) Call {
	switch c.Status {
	case NoCall:
		warn("no_pair", "CYP2D6: no pair of alleles of the table gives this genotype: no call")
	case Called, Absent:
	case Ambiguous:
		if len(c.Diplotypes) == 1 {
			warn("inferred", "CYP2D6: the variant that defines an allele has no call; only variants beside it speak for the allele")
		} else {
			warn("ambiguous", "CYP2D6: several diplotypes are possible")
		}
	}
	if c.Status != Absent && c.Called < c.Sites {
		for range c.Sites - c.Called {
			warn("positions_missing", "CYP2D6: positions of the table without a call")
		}
	}
	if c.Status != NoCall && len(c.Diplotypes) <= 8 {
		for _, name := range c.Diplotypes {
			if d, err := ParseDiplotype(name); err == nil && d.disputed() {
				warn("disputed_value", "CYP2D6: tables differ on the activity value of an allele of "+name)
			}
		}
	}
	c.Diplotypes, c.Scores = slices.Clone(c.Diplotypes), slices.Clone(c.Scores)
	return c
}

// constrain gathers the states of CYP2D6. called counts positions with every copy known, foreignAt
// names those with a base that no haplotype has; single says that there is one copy.
func (ob *observer) constrain(states []state, single bool) (k constraints, called int, foreignAt []int) {
	sets := make(map[int32][]int)
	var order []int32
	for v := range ob.n2d6 {
		x := ob.final(&states[v], v)
		a, b := x[0], x[1]
		if a == foreign || b == foreign {
			foreignAt = append(foreignAt, v)
			continue
		}
		if a != unknown && b != unknown || single && a != b {
			called++
		}
		switch {
		case a == unknown && b == unknown:
		case a == has && b == has:
			k.both.set(v)
		case a == lacks && b == lacks:
			k.none.set(v)
		case a == unknown || b == unknown:
			if a == has || b == has {
				k.some.set(v)
			} else {
				k.miss.set(v)
			}
			fallthrough
		default:
			if a != unknown && b != unknown {
				k.het.set(v)
			}
			set := states[v].set
			if len(sets[set]) == 0 {
				order = append(order, set)
			}
			sets[set] = append(sets[set], v)
		}
	}
	for _, set := range order {
		if set == 0 || len(sets[set]) < 2 {
			continue
		}
		var p phase
		for _, v := range sets[set] {
			put(&p.aHas, &p.aNot, states[v].copies[0], v)
			put(&p.bHas, &p.bNot, states[v].copies[1], v)
		}
		k.phased = append(k.phased, p)
	}
	return k, called, foreignAt
}

func put(hasIt, lacksIt *bits, x int8, v int) {
	switch x {
	case has:
		hasIt.set(v)
	case lacks:
		lacksIt.set(v)
	}
}

// single turns what is known of two columns into what the one copy must be: a heterozygous
// position cannot be.
func (k constraints) single() constraints {
	k.both = k.both.or(k.some)
	k.none = k.none.or(k.miss)
	k.some, k.miss, k.phased = bits{}, bits{}, nil
	return k
}

func (k *constraints) key(copies int) string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(copies))
	for _, s := range []bits{k.none, k.both, k.het, k.some, k.miss} {
		for _, w := range s {
			b.WriteByte(' ')
			b.WriteString(strconv.FormatUint(w, 36))
		}
	}
	return b.String()
}

// options writes each pair with its copies: with one copy the other chromosome is *5; with three or
// more every way to share them out, unless the depths of the alleles decide.
func (ob *observer) options(pairs [][2]string, copies int, s *samples) []Diplotype {
	var out []Diplotype
	totals := []int{copies}
	switch {
	case copies < 0:
		totals[0] = 2
	case s.more:
		totals = []int{copies, copies + 1}
		if copies >= 4 {
			totals = totals[:1]
		}
	}
	for _, p := range pairs {
		for _, n := range totals {
			if n == 1 {
				out = append(out, Diplotype{{{p[0], 1}}, {{"*5", 1}}})
				continue
			}
			var ways []Diplotype
			for a := n - 1; a >= 1; a-- {
				ways = append(ways, Diplotype{{{p[0], a}}, {{p[1], n - a}}})
				if p[0] == p[1] && a <= n-a {
					break
				}
			}
			if len(ways) == 2 && p[0] != p[1] {
				ways = ob.byDepth(ways, p, s)
			}
			out = append(out, ways...)
		}
	}
	return out
}

// byDepth decides which of two alleles is the doubled one by the reads of each allele at positions
// where they differ: two thirds against one third of the reads, likelihood ratio 2^(difference).
// Ours: at least 1000 to one, and a share of at least 0.58 for the doubled allele.
func (ob *observer) byDepth(ways []Diplotype, p [2]string, s *samples) []Diplotype {
	var first, second haplotype
	n := [2]int{}
	for _, h := range ob.haplotypes { // only alleles with one definition can be told apart by reads
		if h.allele == p[0] {
			first, n[0] = h, n[0]+1
		}
		if h.allele == p[1] {
			second, n[1] = h, n[1]+1
		}
	}
	if n != [2]int{1, 1} {
		return ways
	}
	reads := [2]float64{}
	for v := range ob.n2d6 {
		st := &s.states[v]
		if first.variants.has(v) == second.variants.has(v) || st.depth[0]+st.depth[1] == 0 {
			continue
		}
		d := [2]float64{float64(st.depth[0]), float64(st.depth[1])} // lacks, has
		if first.variants.has(v) {
			d[0], d[1] = d[1], d[0]
		}
		reads[0], reads[1] = reads[0]+d[0], reads[1]+d[1]
	}
	diff, total := reads[0]-reads[1], reads[0]+reads[1]
	if math.Abs(diff)*math.Ln2 < math.Log(1000) || math.Max(reads[0], reads[1])/total < 0.58 {
		return ways
	}
	if diff > 0 {
		return ways[:1]
	}
	return ways[1:]
}
