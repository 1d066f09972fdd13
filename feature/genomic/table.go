package genomic

import (
	"cmp"
	"embed"
	"encoding/csv"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed tables
var files embed.FS

// Version is the edition of one table.
type Version struct {
	Table   string `json:"table"`
	Version string `json:"version"`
	Source  string `json:"source"` // what it holds, from where
}

// Versions lists the tables that calls depend on. Print them with every result.
func Versions() []Version {
	var out []Version
	for _, name := range []string{"cyp2d6-haplotypes", "cyp2d6-activity", "cyp2d6-phenotype", "cyp2d6-drugs", "pgx-variants", "cpic-opioid", "allele-frequencies"} {
		head, _, _ := strings.Cut(text(name), "\n")
		id, about, _ := strings.Cut(strings.TrimPrefix(head, "# "), " | ")
		_, version, _ := strings.Cut(id, " ")
		out = append(out, Version{name, version, about})
	}
	return out
}

// text returns an embedded table. It panics when there is none, which only a change of the source can cause.
func text(name string) string {
	b, err := files.ReadFile("tables/" + name + ".csv")
	if err != nil {
		panic("genomic: " + err.Error())
	}
	return string(b)
}

// records reads an embedded table, one map a row. It panics when the table is not CSV, which
// only a change of the source can cause.
func records(name string) []map[string]string {
	r := csv.NewReader(strings.NewReader(text(name)))
	r.Comment = '#'
	all, err := r.ReadAll()
	if err != nil {
		panic("genomic: table " + name + ": " + err.Error())
	}
	out := make([]map[string]string, len(all)-1)
	for i, rec := range all[1:] {
		out[i] = make(map[string]string, len(rec))
		for j, v := range rec {
			out[i][all[0][j]] = v
		}
	}
	return out
}

// number reads a number of an embedded table; an empty cell is NaN.
func number(s string) float64 {
	if s == "" {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("genomic: a table holds a number that is none")
	}
	return v
}

// activity is the value of one copy of an allele.
type activity struct {
	value  float64 // NaN: unknown or uncertain function
	status string
}

var activities = sync.OnceValue(func() map[string]activity {
	out := make(map[string]activity)
	for _, r := range records("cyp2d6-activity") {
		out[r["allele"]] = activity{number(r["activity_value"]), r["status"]}
	}
	return out
})

type band struct {
	phenotype      Phenotype
	lo, hi         float64
	withLo, withHi bool
}

var bands = sync.OnceValue(func() []band {
	var out []band
	for _, r := range records("cyp2d6-phenotype") {
		if r["score_min"] == "" {
			continue
		}
		b := band{Phenotype(r["phenotype"]), number(r["score_min"]), number(r["score_max"]), r["min_inclusive"] == "1", r["max_inclusive"] == "1"}
		if math.IsNaN(b.hi) {
			b.hi = math.Inf(1)
		}
		out = append(out, b)
	}
	return out
})

// PhenotypeOf returns what an activity score means by table cyp2d6-phenotype: 0 poor, up to but
// not 1.25 intermediate, 1.25 to 2.25 normal, above ultrarapid; of NaN and of what is below 0
// Indeterminate.
func PhenotypeOf(score float64) Phenotype {
	for _, b := range bands() {
		if (score > b.lo || b.withLo && score == b.lo) && (score < b.hi || b.withHi && score == b.hi) {
			return b.phenotype
		}
	}
	return Indeterminate
}

// Context is what the guideline says of one drug and phenotype, as data for a reader.
type Context struct {
	Drug      string `json:"drug"`
	Gene      string `json:"gene"`
	Phenotype string `json:"phenotype"`
	Text      string `json:"text"`
	Strength  string `json:"strength"`
	Status    string `json:"status"` // how far the row was verified
}

// Contexts returns the rows of table cpic-opioid. Of OPRM1 and COMT they all say that there is
// no recommendation.
func Contexts() []Context {
	var out []Context
	for _, r := range records("cpic-opioid") {
		out = append(out, Context{r["drug"], r["gene"], r["phenotype"], r["recommendation_own_words"], r["strength"], r["status"]})
	}
	return out
}

// Applies reports whether the row speaks of phenotype of CYP2D6.
func (c Context) Applies(p Phenotype) bool {
	if c.Gene != "CYP2D6" || p == Indeterminate {
		return false
	}
	return c.Phenotype == "any" || slices.Contains(strings.Split(c.Phenotype, " or "), string(p))
}

// haplotype is one sub-allele of the table.
type haplotype struct {
	allele   string
	variants bits // positions in the list of variants
}

// variant is one position that is asked for.
type variant struct {
	gene, rsid string // rsid: empty where the table has none
	chrom      string
	pos        int // GRCh38
	shift      int // position on GRCh37 minus that on GRCh38
	ref, alt   string
	swapped    bool // the GRCh37 reference is alt
}

func (v *variant) name() string {
	if v.rsid != "" {
		return v.gene + " " + v.rsid
	}
	return v.gene + " " + strconv.Itoa(v.pos) + v.ref + ">" + v.alt
}

// shift2D6 moves CYP2D6 from GRCh38 to GRCh37: every pair of positions of table pgx-variants,
// and all 127 of the gene in the variant table of pypgx, differ by it.
const shift2D6 = 396002

// catalogue is every variant that is asked for and the haplotypes that CYP2D6 is read by. The
// variants of CYP2D6 stand first, by position.
type catalogue struct {
	variants   []variant
	haplotypes []haplotype
	defining   map[string]bits // of each allele: what all of its sub-alleles have
	cores      []haplotype     // alleles that always come with more than what defines them, bare
	n2d6       int
	oprm1      int // its place in variants
	comt       int
}

var theCatalogue = sync.OnceValue(func() *catalogue {
	c := &catalogue{defining: make(map[string]bits)}
	known := make(map[string]map[string]string)
	for _, r := range records("pgx-variants") {
		known[r["pos_grch38"]+r["ref_grch38"]+">"+r["alt"]] = r
	}
	seen := make(map[string]bool)
	rows := records("cyp2d6-haplotypes")
	for _, r := range rows {
		for name := range strings.SplitSeq(r["variants_grch38"], ";") {
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			v := variant{gene: "CYP2D6", chrom: "22", shift: shift2D6}
			digits := strings.IndexFunc(name, func(r rune) bool { return r < '0' || r > '9' })
			v.pos = int(number(name[:digits]))
			v.ref, v.alt, _ = strings.Cut(name[digits:], ">")
			if k := known[name]; k != nil {
				v.rsid = k["rsid"]
			}
			v.swapped = v.rsid == "rs16947" || v.rsid == "rs1135840"
			c.variants = append(c.variants, v)
		}
	}
	slices.SortFunc(c.variants, func(a, b variant) int {
		return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.ref, b.ref), cmp.Compare(a.alt, b.alt))
	})
	c.n2d6 = len(c.variants)
	place := make(map[string]int)
	for i, v := range c.variants {
		place[strconv.Itoa(v.pos)+v.ref+">"+v.alt] = i
	}
	for _, r := range rows {
		h := haplotype{allele: r["allele"]}
		for name := range strings.SplitSeq(r["variants_grch38"], ";") {
			if name != "" {
				h.variants.set(place[name])
			}
		}
		c.haplotypes = append(c.haplotypes, h)
		if all, ok := c.defining[h.allele]; ok {
			c.defining[h.allele] = all.and(h.variants)
		} else {
			c.defining[h.allele] = h.variants
		}
	}
	for _, allele := range slices.SortedFunc(maps.Keys(c.defining), starCompare) {
		bare := haplotype{allele, c.defining[allele]}
		if !slices.Contains(c.haplotypes, bare) {
			c.cores = append(c.cores, bare)
		}
	}
	for _, r := range records("pgx-variants") {
		if r["gene"] == "CYP2D6" {
			continue
		}
		v := variant{
			gene: r["gene"], rsid: r["rsid"], chrom: r["chrom"], pos: int(number(r["pos_grch38"])),
			ref: r["ref_grch38"], alt: r["alt"],
		}
		v.shift = int(number(r["pos_grch37"])) - v.pos
		if v.gene == "OPRM1" {
			c.oprm1 = len(c.variants)
		} else {
			c.comt = len(c.variants)
		}
		c.variants = append(c.variants, v)
	}
	return c
})
