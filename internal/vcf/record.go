package vcf

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Record is one line, valid until the next is read.
type Record struct {
	Line    int
	Name    string // of the chromosome, as the file writes it
	Chrom   string // without "chr"
	Pos     int    // 1-based; of the first base of Ref
	ID      string // "." when there is none
	Ref     string // upper case: A, C, G, T, N
	Alt     []string
	Filters string // as written: PASS, "." or names
	End     int    // last position told of: INFO END of a block or symbolic allele, else the end of Ref

	format, samples []byte
	r               *Reader
}

// Passed reports whether the record passed every filter or was not filtered.
func (rec *Record) Passed() bool { return rec.Filters == "." || rec.Filters == "PASS" }

// Symbolic reports whether alt is written in angle brackets, as <NON_REF> or <DEL>.
func Symbolic(alt string) bool { return strings.HasPrefix(alt, "<") }

// AnyOther reports whether alt stands for every allele that was not seen: <NON_REF>, <*>, <X>.
func AnyOther(alt string) bool { return alt == "<NON_REF>" || alt == "<*>" || alt == "<X>" }

// Block reports whether the record tells only of reference bases, from Pos to End: a gVCF
// reference block, or a line without an alternative allele.
func (rec *Record) Block() bool {
	return !slices.ContainsFunc(rec.Alt, func(a string) bool { return !AnyOther(a) })
}

// Complete reports whether the caller weighed every possible allele at the record's position: ALT
// holds <NON_REF> or <*>.
func (rec *Record) Complete() bool {
	return slices.ContainsFunc(rec.Alt, AnyOther)
}

// parse fills rec from line. It reports whether the record touches a region of r; of others
// only the chromosome and the position are checked.
func (rec *Record) parse(line []byte, r *Reader) (wanted bool, err error) {
	var f [8][]byte
	rest := line
	for i := range f {
		cell, after, ok := bytes.Cut(rest, []byte("\t"))
		if !ok && i < len(f)-1 {
			return false, r.bad("", "expected at least 8 columns separated by tabs, got "+strconv.Itoa(i+1))
		}
		f[i], rest = cell, after
		if i == 7 && !ok {
			rest = nil
		}
	}
	if len(f[0]) == 0 {
		return false, r.bad("CHROM", "expected the name of a chromosome, got an empty cell")
	}
	pos, ok := digits(f[1])
	if !ok {
		return false, r.bad("POS", "expected a position of at most 10 digits, got "+strconv.Itoa(len(f[1]))+" characters")
	}
	if string(f[0]) != rec.Name {
		rec.Name = string(f[0])
		rec.Chrom = Chrom(rec.Name)
	}
	rec.r, rec.Line, rec.Pos = r, r.in.line, pos
	rec.End = pos + max(len(f[3]), 1) - 1
	if bytes.IndexByte(f[4], '<') >= 0 || len(f[4]) == 1 && f[4][0] == '.' {
		if rec.End, err = rec.end(f[7]); err != nil {
			return false, err
		}
	}
	if !r.touches(rec.Chrom, rec.Pos, rec.End) {
		return false, nil
	}
	return true, rec.rest(&f, rest)
}

// rest reads what only wanted records need.
func (rec *Record) rest(f *[8][]byte, after []byte) error {
	r := rec.r
	rec.ID, rec.Filters = string(f[2]), string(f[6])
	rec.Ref = strings.ToUpper(string(f[3]))
	if !bases(rec.Ref) {
		return r.bad("REF", "expected bases A, C, G, T or N, got "+strconv.Itoa(len(f[3]))+" characters")
	}
	rec.Alt = rec.Alt[:0]
	if string(f[4]) != "." {
		for a := range strings.SplitSeq(string(f[4]), ",") {
			if !Symbolic(a) {
				a = strings.ToUpper(a)
			}
			if !allele(a) || a == rec.Ref {
				return r.bad("ALT", "expected bases, *, <...> or a breakend that differs from REF, got an allele of "+strconv.Itoa(len(a))+" characters")
			}
			rec.Alt = append(rec.Alt, a)
		}
	}
	if q := string(f[5]); q != "." {
		if _, err := strconv.ParseFloat(q, 64); err != nil {
			return r.bad("QUAL", "expected a number or a point, got "+strconv.Itoa(len(q))+" characters")
		}
	}
	if rec.Filters == "" {
		return r.bad("FILTER", "expected PASS, a point or names of filters, got an empty cell")
	}
	rec.format, rec.samples = nil, nil
	n := len(r.Samples)
	got := 0
	if after != nil {
		got = bytes.Count(after, []byte("\t")) // FORMAT is no sample
	}
	if after == nil && n > 0 || got != n {
		return r.bad("", "expected "+strconv.Itoa(n)+" sample columns as in the header, got "+strconv.Itoa(got))
	}
	if after != nil {
		rec.format, rec.samples, _ = bytes.Cut(after, []byte("\t"))
	}
	return nil
}

// end returns the position that INFO's END states, or the end of Ref.
func (rec *Record) end(info []byte) (int, error) {
	for cell := range bytes.SplitSeq(info, []byte(";")) {
		v, ok := bytes.CutPrefix(cell, []byte("END="))
		if !ok {
			continue
		}
		n, ok := digits(v)
		if !ok || n < rec.Pos {
			return 0, rec.r.bad("INFO/END", "expected a position not before POS, got "+strconv.Itoa(len(v))+" characters")
		}
		return max(n, rec.End), nil
	}
	return rec.End, nil
}

func digits(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 10 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func bases(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case 'A', 'C', 'G', 'T', 'N':
		default:
			return false
		}
	}
	return s != ""
}

func allele(a string) bool {
	switch {
	case a == "":
		return false
	case a == "*":
		return true
	case Symbolic(a):
		return len(a) > 2 && a[len(a)-1] == '>'
	case strings.ContainsAny(a, "[]"), a[0] == '.', a[len(a)-1] == '.':
		return len(a) > 1 // a breakend
	}
	return bases(a)
}
