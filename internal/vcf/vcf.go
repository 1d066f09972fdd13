// Package vcf reads variant call files, VCF 4.x, plain, gzip or bgzip, as a stream: memory does
// not grow with the length of the file.
//
// [Open] or [NewReader] reads the header, [Header.Build] tells the genome build, and
// [Reader.Next] gives one [Record] after another; only those that touch [Options.Regions], when
// regions are given. [Record.Genotypes] reads the samples' columns. [Changes] and [Indel.Left]
// bring alleles to their shortest form.
//
// The reader is strict: a missing header, a file that ends early or a line beyond the limit stops
// it. A line that breaks the format is a [*RecordError]: the caller sets it aside and goes on.
// Nothing that a message says quotes a genotype or a sample's name.
package vcf

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"dolor/diag"
)

// Region is a stretch of one chromosome, 1-based, both ends included.
type Region struct {
	Chrom    string // without "chr": 1 to 22, X, Y, MT
	From, To int
}

// Options are the circumstances of reading. Nil is allowed.
type Options struct {
	MaxLine int      // bytes of the longest line accepted; 0 means 64 MiB
	Regions []Region // records outside are checked for chromosome and position and passed over; none: all are read
}

const defaultMaxLine = 64 << 20

// RecordError is the fault of one line; reading can go on after it.
type RecordError struct{ Fault *diag.Error }

// Error returns the text of the fault.
func (e *RecordError) Error() string { return e.Fault.Error() }

// Unwrap returns the fault.
func (e *RecordError) Unwrap() error { return e.Fault }

// Reader reads one file. It is safe for one goroutine at a time.
type Reader struct {
	Header

	in      *lines
	regions []Region
	rec     Record
	err     error // once set, every call returns it
	close   func() error
}

// Open reads the header of the file at path. Errors are those of [NewReader]; a file that is not
// there is of kind Missing.
func Open(path string, o *Options) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &diag.Error{Kind: diag.KindOf(err), Pos: diag.Pos{File: path}, Msg: "cannot be opened", Err: err}
	}
	r, err := NewReader(f, path, o)
	if err != nil {
		_ = f.Close() // only read from
		return nil, err
	}
	r.close = f.Close
	return r, nil
}

// NewReader reads the header from src, which name stands for in messages. gzip and bgzip are
// recognised by their first bytes. Errors: Missing when src is empty or has no header, Invalid
// when the header breaks the format, Unsupported for BCF and for VCF of another major version.
func NewReader(src io.Reader, name string, o *Options) (*Reader, error) {
	if o == nil {
		o = &Options{}
	}
	limit := o.MaxLine
	if limit <= 0 {
		limit = defaultMaxLine
	}
	in, err := newLines(src, name, limit)
	if err != nil {
		return nil, err
	}
	r := &Reader{in: in, regions: o.Regions}
	if err := r.read(in); err != nil {
		return nil, err
	}
	return r, nil
}

// Close closes the file that Open opened.
func (r *Reader) Close() error {
	if r.close == nil {
		return nil
	}
	return r.close()
}

// Next returns the next record that touches a region, valid until the next call. At the end it
// returns io.EOF. After a [*RecordError] the next call goes on with the next line; any other
// error is final.
func (r *Reader) Next() (*Record, error) {
	if r.err != nil {
		return nil, r.err
	}
	for {
		line, err := r.in.next()
		if err != nil {
			r.err = err
			return nil, err
		}
		wanted, err := r.rec.parse(line, r)
		if err != nil {
			return nil, err
		}
		if wanted {
			return &r.rec, nil
		}
	}
}

// Line returns the number of lines read so far.
func (r *Reader) Line() int { return r.in.line }

// at returns an error about the line just read.
func (r *Reader) at(kind diag.Kind, field, msg string) *diag.Error {
	return &diag.Error{Kind: kind, Pos: diag.Pos{File: r.in.name, Line: r.in.line}, Field: field, Msg: msg}
}

func (r *Reader) bad(field, msg string) error { return &RecordError{r.at(diag.Invalid, field, msg)} }

// Chrom returns the plain name of a chromosome (chr22, NC_000022.11 and 22 are 22; chrM is MT);
// other names are returned as they are.
func Chrom(name string) string {
	if n, _, ok := accession(name); ok {
		return n
	}
	if len(name) > 3 && strings.EqualFold(name[:3], "chr") {
		name = name[3:]
	}
	if name == "M" {
		return "MT"
	}
	return name
}

// accession reads a RefSeq name of a human chromosome: NC_000022.11 is 22 of GRCh38.
func accession(name string) (chrom string, b Build, ok bool) {
	num, found := strings.CutPrefix(name, "NC_0000")
	if !found || len(num) < 4 || num[2] != '.' {
		return "", 0, false
	}
	n, err1 := strconv.Atoi(num[:2])
	version, err2 := strconv.Atoi(num[3:])
	if err1 != nil || err2 != nil || n < 1 || n > 24 {
		return "", 0, false
	}
	switch version {
	case refSeq37[n-1]:
		b = GRCh37
	case refSeq37[n-1] + 1:
		b = GRCh38
	}
	chrom = strconv.Itoa(n)
	if n > 22 {
		chrom = string("XY"[n-23])
	}
	return chrom, b, true
}

// refSeq37 holds the versions of NC_000001 to NC_000024 in GRCh37; GRCh38 has the next (NCBI
// assemblies GCF_000001405.25 and GCF_000001405.26).
var refSeq37 = [24]int{10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11, 10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9}

// touches reports whether any region holds a base of [from, to].
func (r *Reader) touches(chrom string, from, to int) bool {
	if len(r.regions) == 0 {
		return true
	}
	return slices.ContainsFunc(r.regions, func(g Region) bool { return g.Chrom == chrom && from <= g.To && to >= g.From })
}
