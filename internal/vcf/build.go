package vcf

import (
	"path"
	"strconv"
	"strings"

	"dolor/diag"
)

// Build is a build of the human reference genome.
type Build uint8

// The builds; positions of one mean nothing in the other.
const (
	UnknownBuild Build = iota
	GRCh37
	GRCh38
)

// String returns GRCh37, GRCh38 or unknown.
func (b Build) String() string { return [...]string{"unknown", "GRCh37", "GRCh38", "unknown"}[b&3] }

// ParseBuild reads a stated build: GRCh37 or hg19, GRCh38 or hg38. Errors are of kind Invalid.
func ParseBuild(s string) (Build, error) {
	switch strings.ToLower(s) {
	case "grch37", "hg19", "b37", "37":
		return GRCh37, nil
	case "grch38", "hg38", "b38", "38":
		return GRCh38, nil
	}
	return UnknownBuild, diag.Errorf(diag.Invalid, "build", "expected GRCh37 or GRCh38, got another word")
}

// lengths37 and lengths38 hold the lengths of chromosomes 1 to 22, X and Y (Genome Reference
// Consortium, GCA_000001405.1 and GCA_000001405.15).
var (
	lengths37 = [24]int{
		249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431, 135534747, 135006516, 133851895,
		115169878, 107349540, 102531392, 90354753, 81195210, 78077248, 59128983, 63025520, 48129895, 51304566, 155270560, 59373566,
	}
	lengths38 = [24]int{
		248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422, 135086622, 133275309,
		114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167, 46709983, 50818468, 156040895, 57227415,
	}
)

// Build returns the genome build that the header tells by ##reference, by the lengths and the
// assembly of ##contig lines and by RefSeq names of contigs. Without any it is UnknownBuild. It
// is an error of kind Invalid when two of them contradict each other, and of kind Unsupported
// when they tell of another assembly.
func (h *Header) Build() (Build, error) {
	found, line := UnknownBuild, 0
	say := func(b Build, at int) error {
		if found != UnknownBuild && b != found {
			return &diag.Error{
				Kind: diag.Invalid, Pos: diag.Pos{File: h.name, Line: at}, Field: "genome build",
				Msg: "expected " + found.String() + " as line " + strconv.Itoa(line) + " says, got " + b.String(), Hint: "the header contradicts itself",
			}
		}
		if found == UnknownBuild {
			found, line = b, at
		}
		return nil
	}
	other := func(at int) error {
		return &diag.Error{
			Kind: diag.Unsupported, Pos: diag.Pos{File: h.name, Line: at}, Field: "genome build",
			Msg: "expected GRCh37 or GRCh38, got another assembly", Hint: "call or lift the variants to GRCh38",
		}
	}
	text := func(s string, at int) error {
		switch b, known := named(s); {
		case known && b == UnknownBuild:
			return other(at)
		case known:
			return say(b, at)
		}
		return nil
	}
	if err := text(path.Base(strings.ReplaceAll(h.Reference, `\`, "/")), h.refLine); err != nil {
		return UnknownBuild, err
	}
	for _, c := range h.Contigs {
		if err := text(c.Assembly, c.Line); err != nil {
			return UnknownBuild, err
		}
		if _, b, ok := accession(c.ID); ok && b != UnknownBuild {
			if err := say(b, c.Line); err != nil {
				return UnknownBuild, err
			}
		}
		n := number(Chrom(c.ID))
		if n == 0 || c.Length == 0 {
			continue
		}
		switch c.Length {
		case lengths37[n-1]:
			if err := say(GRCh37, c.Line); err != nil {
				return UnknownBuild, err
			}
		case lengths38[n-1]:
			if err := say(GRCh38, c.Line); err != nil {
				return UnknownBuild, err
			}
		default:
			return UnknownBuild, other(c.Line)
		}
	}
	return found, nil
}

// number returns 1 to 24 of a chromosome's plain name, 0 of another.
func number(chrom string) int {
	switch chrom {
	case "X":
		return 23
	case "Y":
		return 24
	}
	n, err := strconv.Atoi(chrom)
	if err != nil || n < 1 || n > 22 {
		return 0
	}
	return n
}

// named finds the name of a build in free text; known with UnknownBuild is another assembly.
// Text that names two builds tells nothing.
func named(s string) (b Build, known bool) {
	s = strings.ToLower(s)
	has := func(words ...string) bool {
		for _, w := range words {
			for from := 0; ; {
				i := strings.Index(s[from:], w)
				if i < 0 {
					break
				}
				i += from
				before := i == 0 || !alnum(s[i-1]) || strings.HasPrefix(w, "hg") || strings.HasPrefix(w, "grch")
				after := i+len(w) == len(s) || s[i+len(w)] < '0' || s[i+len(w)] > '9'
				if before && after {
					return true
				}
				from = i + 1
			}
		}
		return false
	}
	is37 := has("grch37", "hg19", "hs37", "hs37d5", "b37", "g1k_v37", "human_g1k_v37", "human_g1k_v37_decoy", "ncbi37", "build37")
	is38 := has("grch38", "hg38", "hs38", "hs38dh", "b38", "ncbi38", "build38")
	switch {
	case is37 && !is38:
		return GRCh37, true
	case is38 && !is37:
		return GRCh38, true
	case !is37 && has("hg18", "hg17", "ncbi36", "grch36", "b36", "build36", "chm13", "chm13v2", "t2t", "hs1", "grcm38", "grcm39", "mm10", "mm39"):
		return UnknownBuild, true
	}
	return UnknownBuild, false
}

func alnum(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' }
