package genomic

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"dolor/diag"
)

// unit is one allele on a chromosome and how often it stands there.
type unit struct {
	allele string // *4; empty: unknown
	n      int    // copies; 0: N, two or more
}

// Diplotype is the alleles on both chromosomes; a chromosome with several in a row holds a tandem.
type Diplotype [2][]unit

// String writes *1/*4, *1x2/*10, *36+*10/*1, *4/unknown; the lower number first.
func (d Diplotype) String() string {
	var side [2]string
	for i, units := range d {
		parts := make([]string, len(units))
		for j, u := range units {
			parts[j] = u.allele
			switch {
			case u.allele == "":
				parts[j] = "unknown"
			case u.n == 0:
				parts[j] += "xN"
			case u.n > 1:
				parts[j] += "x" + strconv.Itoa(u.n)
			}
		}
		side[i] = strings.Join(parts, "+")
	}
	if starLess(side[1], side[0]) {
		side[0], side[1] = side[1], side[0]
	}
	return side[0] + "/" + side[1]
}

// Score returns the activity score: the sum over all copies of the value of each (table
// cyp2d6-activity). It is NaN when the function of an allele or a number of copies is unknown.
func (d Diplotype) Score() float64 {
	sum := 0.0
	for _, units := range d {
		for _, u := range units {
			a, ok := activities()[u.allele]
			switch {
			case !ok:
				return math.NaN()
			case u.n == 0 && a.value == 0: // no function however often
			case u.n == 0:
				return math.NaN()
			default:
				sum += float64(u.n) * a.value
			}
		}
	}
	return sum
}

// maxN bounds the N of *1xN when a phenotype is read from it.
const maxN = 4

// each calls yield with d for every number of copies that an N can stand for.
func (d Diplotype) each(yield func(Diplotype)) {
	for s, units := range d {
		for j, u := range units {
			if u.n != 0 {
				continue
			}
			for n := 2; n <= maxN; n++ {
				e := Diplotype{slices.Clone(d[0]), slices.Clone(d[1])}
				e[s][j].n = n
				e.each(yield)
			}
			return
		}
	}
	yield(d)
}

// disputed reports whether tables differ on the value of an allele of d.
func (d Diplotype) disputed() bool {
	return slices.ContainsFunc(slices.Concat(d[0], d[1]), func(u unit) bool {
		return strings.HasPrefix(activities()[u.allele].status, "disputed")
	})
}

// ParseDiplotype reads *1/*4, CYP2D6*1/*4, *2x2/*1, *1/*2xN, *36+*10/*1, *4.001/*10, *4/unknown.
// Sub-alleles count as their allele; an allele that the tables do not know is unknown. Errors are
// of kind Invalid.
func ParseDiplotype(s string) (Diplotype, error) {
	bad := func() (Diplotype, error) {
		return Diplotype{}, diag.Errorf(diag.Invalid, "diplotype", "expected two alleles such as *1/*4, *2x2/*1 or *36+*10/*1, got %s", diag.Describe(s))
	}
	t := strings.TrimSpace(s)
	if len(t) > 200 {
		return bad()
	}
	t = strings.ReplaceAll(strings.ReplaceAll(t, "CYP2D6", ""), "|", "/")
	sides := strings.Split(t, "/")
	if len(sides) != 2 {
		return bad()
	}
	var d Diplotype
	for i, side := range sides {
		side = strings.Trim(strings.TrimSpace(side), "()")
		for part := range strings.SplitSeq(side, "+") {
			u, ok := parseUnit(strings.TrimSpace(part))
			if !ok {
				return bad()
			}
			d[i] = append(d[i], u)
		}
	}
	return d, nil
}

func parseUnit(s string) (unit, bool) {
	switch strings.ToLower(s) {
	case "unknown", "?", "n/a", "indeterminate":
		return unit{n: 1}, true
	}
	rest, ok := strings.CutPrefix(s, "*")
	if !ok {
		return unit{}, false
	}
	n := 1
	if at := strings.IndexAny(rest, "xX×"); at >= 0 {
		count := strings.TrimLeft(rest[at:], "xX×")
		rest = rest[:at]
		if strings.EqualFold(count, "n") {
			n = 0
		} else {
			var err error
			if n, err = strconv.Atoi(count); err != nil || n < 1 || n > 16 {
				return unit{}, false
			}
		}
	}
	number, minor, _ := strings.Cut(rest, ".")
	minor = strings.TrimPrefix(minor, "v")
	if !whole(number) || len(number) > 4 || minor != "" && !whole(minor) {
		return unit{}, false
	}
	number = strings.TrimLeft(number, "0")
	u := unit{allele: "*" + number, n: n}
	if _, known := activities()[u.allele]; !known {
		u.allele = ""
	}
	return u, true
}

func whole(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// resolve makes a call of everything that is still possible.
func resolve(options []Diplotype, copies int) Call {
	c := Call{Copies: copies, Score: math.NaN(), Phenotype: Indeterminate}
	var phenotypes []Phenotype
	unknown := false
	seen := make(map[string]bool, len(options))
	for _, d := range options {
		if name := d.String(); !seen[name] {
			seen[name] = true
			c.Diplotypes = append(c.Diplotypes, name)
		}
		d.each(func(e Diplotype) {
			s := e.Score()
			p := PhenotypeOf(s)
			if !slices.Contains(phenotypes, p) {
				phenotypes = append(phenotypes, p)
			}
			switch {
			case math.IsNaN(s):
				unknown = true
			case !slices.Contains(c.Scores, s):
				c.Scores = append(c.Scores, s)
			}
		})
	}
	slices.Sort(c.Scores)
	if len(c.Scores) == 1 && !unknown {
		c.Score = c.Scores[0]
	}
	if unknown {
		c.Scores = append(c.Scores, math.NaN())
	}
	if len(phenotypes) == 1 {
		c.Phenotype = phenotypes[0]
	}
	switch len(c.Diplotypes) {
	case 0:
		c.Status = NoCall
	case 1:
		c.Status = Called
	default:
		c.Status = Ambiguous
	}
	return c
}
