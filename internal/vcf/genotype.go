package vcf

import (
	"bytes"
	"strconv"

	"dolor/diag"
)

// Genotype is one sample's cell of a record. Unknown numbers are -1.
type Genotype struct {
	Alleles []int  // index into REF, ALT...; -1 for a missing one; empty when GT is absent
	Phased  bool   // every separator is |
	Set     string // PS; empty: none stated
	Depth   int    // MIN_DP where stated, else DP
	Quality float64
	Depths  []int  // AD by allele; nil when absent or not one number an allele
	Filter  string // FT; empty when absent
	Copies  float64
}

const maxPloidy = 16

// Genotypes reads the samples' columns into dst, which is grown as needed and whose memory is used
// again. A cell that breaks the format is a [*RecordError] and makes the whole record bad.
func (rec *Record) Genotypes(dst []Genotype) ([]Genotype, error) {
	n := len(rec.r.Samples)
	for len(dst) < n {
		dst = append(dst, Genotype{})
	}
	dst = dst[:n]
	if n == 0 {
		return dst, nil
	}
	keys := bytes.Split(rec.format, []byte(":"))
	rest := rec.samples
	for i := range dst {
		var cell []byte
		cell, rest, _ = bytes.Cut(rest, []byte("\t"))
		if msg := dst[i].parse(keys, cell, len(rec.Alt)); msg != "" {
			e := rec.r.at(diag.Invalid, "sample column "+strconv.Itoa(len(columns)+2+i), msg)
			e.Pos.Line = rec.Line
			return dst, &RecordError{e}
		}
	}
	return dst, nil
}

func (g *Genotype) parse(keys [][]byte, cell []byte, alts int) (msg string) {
	*g = Genotype{Alleles: g.Alleles[:0], Depths: g.Depths[:0], Depth: -1, Quality: -1, Copies: -1}
	if len(cell) == 0 {
		return "expected a genotype, got an empty cell"
	}
	depth := -1
	k := 0
	for v := range bytes.SplitSeq(cell, []byte(":")) {
		if k >= len(keys) {
			return "expected at most " + strconv.Itoa(len(keys)) + " fields as in FORMAT, got more"
		}
		switch string(keys[k]) {
		case "GT":
			if msg := g.gt(v, alts); msg != "" {
				return msg
			}
		case "PS":
			if s := string(v); s != "." && s != "" {
				g.Set = s
			}
		case "DP":
			depth = whole(v)
		case "MIN_DP":
			g.Depth = whole(v)
		case "GQ":
			g.Quality = real(v)
		case "FT":
			if s := string(v); s != "." {
				g.Filter = s
			}
		case "CN":
			g.Copies = real(v)
		case "AD":
			for d := range bytes.SplitSeq(v, []byte(",")) {
				g.Depths = append(g.Depths, whole(d))
			}
			if len(g.Depths) != alts+1 {
				g.Depths = g.Depths[:0]
			}
		}
		k++
	}
	if g.Depth < 0 {
		g.Depth = depth
	}
	return ""
}

// gt reads 0/1, 1|0, ./., 1, |0|1 (VCF 4.4).
func (g *Genotype) gt(v []byte, alts int) (msg string) {
	const want = "expected a genotype such as 0/1 or .|., got "
	if len(v) > 0 && (v[0] == '/' || v[0] == '|') {
		v = v[1:]
	}
	g.Phased = true
	for i := 0; ; {
		start := i
		for i < len(v) && v[i] != '/' && v[i] != '|' {
			i++
		}
		a := -1
		if cell := v[start:i]; string(cell) != "." {
			var ok bool
			if a, ok = digits(cell); !ok {
				return want + strconv.Itoa(len(v)) + " characters"
			}
			if a > alts {
				return "expected an allele of at most " + strconv.Itoa(alts) + " as listed in ALT, got a higher number"
			}
		}
		if g.Alleles = append(g.Alleles, a); len(g.Alleles) > maxPloidy {
			return want + "more than " + strconv.Itoa(maxPloidy) + " alleles"
		}
		if i == len(v) {
			break
		}
		g.Phased = g.Phased && v[i] == '|'
		i++
	}
	g.Phased = g.Phased && len(g.Alleles) > 1
	return ""
}

func whole(v []byte) int {
	n, ok := digits(v)
	if !ok {
		return -1
	}
	return n
}

func real(v []byte) float64 {
	x, err := strconv.ParseFloat(string(v), 64)
	if err != nil || !(x >= 0) || x > 1e9 {
		return -1
	}
	return x
}
