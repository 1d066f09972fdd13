package genomic

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"dolor/diag"
	"dolor/internal/vcf"
)

// Options say how genotypes are read. Nil is allowed.
type Options struct {
	Build      vcf.Build      // stated build; 0: as the header says. One that the header contradicts is refused
	Copies     map[string]int // copies of CYP2D6 by sample, from elsewhere: 0 to 4
	Called     *Sites         // positions that the assay calls: without a record they are reference
	Alleles    []string       // the star alleles that the assay can see; nil: all of the table
	MinDepth   int            // reads a genotype needs where DP is given
	MinQuality float64        // GQ a genotype needs where it is given
	AnyFilter  bool           // records that failed a filter count as well
	BadShare   float64        // share of bad records that stops the run; 0 means 0.05
	MaxLine    int            // bytes of the longest line; 0: the reader's bound
}

// ParseBuild reads GRCh37 (hg19) or GRCh38 (hg38).
func ParseBuild(s string) (vcf.Build, error) { return vcf.ParseBuild(s) }

// ReadVCF reads the genotypes of a VCF file. The genome build must be stated, in the header or in
// o, and the file must agree with it: reference bases and rs numbers at the positions asked for
// are compared. Errors: Missing and Invalid as the reader of VCF gives them; Invalid when the
// build contradicts itself, Missing when nothing tells it, Unsupported for another assembly or a
// file without samples, Unfit when too many records are bad.
//
// Alleles are compared in their shortest form. Substitutions of several bases are split. An
// insertion or deletion is moved to the left as far as reference bases are known, which are those
// of the table's alleles and of the record itself, for no genome is needed; one that stops at an
// unknown base and may be the table's makes that position unknown, never reference.
func ReadVCF(ctx context.Context, path string, o *Options) (*Table, error) {
	return readVCF(ctx, path, o, func(v *vcf.Options) (*vcf.Reader, error) { return vcf.Open(path, v) })
}

// ReadVCFFrom reads as [ReadVCF] does, from src, which name stands for in messages.
func ReadVCFFrom(ctx context.Context, src io.Reader, name string, o *Options) (*Table, error) {
	return readVCF(ctx, name, o, func(v *vcf.Options) (*vcf.Reader, error) { return vcf.NewReader(src, name, v) })
}

// minForShare is the least number of records before a share of bad ones stops the run.
const minForShare = 100

func readVCF(ctx context.Context, path string, o *Options, open func(*vcf.Options) (*vcf.Reader, error)) (*Table, error) {
	if o == nil {
		o = &Options{}
	}
	// every record is read of regions on both builds, so the panel can follow the header
	r, err := open(&vcf.Options{MaxLine: o.MaxLine, Regions: newPanel(vcf.GRCh38).regions()})
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // only read from
	build, err := buildOf(&r.Header, path, o.Build)
	if err != nil {
		return nil, err
	}
	if len(r.Samples) == 0 {
		return nil, &diag.Error{Kind: diag.Missing, Pos: diag.Pos{File: path, Line: r.Line()}, Msg: "expected columns of samples after FORMAT, got none"}
	}
	haplotypes, err := restrict(o.Alleles)
	if err != nil {
		return nil, err
	}
	if o.Called != nil && o.Called.build != vcf.UnknownBuild && o.Called.build != build {
		return nil, &diag.Error{Kind: diag.Invalid, Field: "called sites", Msg: "expected sites of " + build.String() + ", got sites of " + o.Called.build.String()}
	}
	ob := newObserver(newPanel(build), len(r.Samples), o)
	t := &Table{Build: build}
	if err := ob.records(ctx, r, t, path, o); err != nil {
		return nil, err
	}
	if err := ob.settled(path); err != nil {
		return nil, err
	}
	if o.Called != nil {
		ob.coverSites(o.Called)
	}
	ob.finish(t, r.Samples, o, haplotypes)
	return t, nil
}

// buildOf combines what the header says with what the caller states.
func buildOf(h *vcf.Header, path string, stated vcf.Build) (vcf.Build, error) {
	b, err := h.Build()
	switch {
	case err != nil:
		return b, err
	case b == vcf.UnknownBuild && stated == vcf.UnknownBuild:
		return b, &diag.Error{
			Kind: diag.Missing, Pos: diag.Pos{File: path}, Field: "genome build",
			Msg:  "expected ##reference, or ##contig lines with length or assembly, that tell GRCh37 or GRCh38, got neither",
			Hint: "state the build that the variants were called on",
		}
	case b == vcf.UnknownBuild:
		return stated, nil
	case stated != vcf.UnknownBuild && stated != b:
		return b, &diag.Error{
			Kind: diag.Invalid, Pos: diag.Pos{File: path}, Field: "genome build",
			Msg: "expected " + stated.String() + " as stated, got a header of " + b.String(),
		}
	}
	return b, nil
}

func (ob *observer) records(ctx context.Context, r *vcf.Reader, t *Table, path string, o *Options) error {
	share := o.BadShare
	if share <= 0 {
		share = 0.05
	}
	var list diag.List
	all := 0
	tooMany := func() error {
		return &diag.Error{Kind: diag.Unfit, Msg: "too many bad records", Err: list.Err(), Hint: "repair the file, or allow a larger share of bad records"}
	}
	var gts []vcf.Genotype
	for n := 0; ; n++ {
		if n%256 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			all++
			if err = ob.reference(rec, path); err != nil {
				return err
			}
			if gts, err = rec.Genotypes(gts); err == nil {
				ob.add(rec, gts)
				continue
			}
		}
		var bad *vcf.RecordError
		if !errors.As(err, &bad) {
			return err
		}
		t.Bad++
		list.Add(bad.Fault)
		if all >= minForShare && float64(t.Bad) > share*float64(all+t.Bad) {
			return tooMany()
		}
	}
	if t.Bad > 0 && float64(t.Bad) > share*float64(max(all, r.Line())) {
		return tooMany()
	}
	t.Faults = list.Faults()
	return nil
}

// finish makes the calls.
func (ob *observer) finish(t *Table, names []string, o *Options, haplotypes []haplotype) {
	t.Samples = make([]Sample, len(names))
	t.index = make(map[string]int, len(names))
	t.counts = make(map[string][]int8)
	memo := make(map[string]Call)
	for i, name := range names {
		stated := -1
		if n, ok := o.Copies[name]; ok {
			stated = n
		}
		t.Samples[i] = ob.sample(i, stated, memo, haplotypes)
		t.Samples[i].ID = name
		t.index[name] = i
	}
	for v := range ob.variants {
		va := &ob.variants[v]
		if va.rsid == "" {
			continue
		}
		counts := make([]int8, len(names))
		for i := range names {
			counts[i] = int8(ob.count(&ob.samples[i].states[v], v))
		}
		t.counts[va.rsid+va.alt] = counts
	}
	if ob.notes.filtered > 0 {
		t.Warnings = append(t.Warnings, diag.Warning{Code: "filtered", Count: ob.notes.filtered, Msg: "records that failed a filter of the caller: their genotypes count as no call"})
	}
	if o.Alleles != nil {
		t.Warnings = append(t.Warnings, diag.Warning{Code: "alleles_restricted", Count: 1, Msg: "CYP2D6: only " + strconv.Itoa(len(o.Alleles)) + " stated alleles were considered; others were taken for impossible"})
	}
	if o.Called != nil {
		t.Warnings = append(t.Warnings, diag.Warning{Code: "called_sites", Count: 1, Msg: "positions of the list of called sites without a record were taken for reference"})
	}
	var ws []diag.Warning
	t.Checks, ws = t.ChecksBy(func(string) string { return "" })
	t.Warnings = append(t.Warnings, ws...)
}

// restrict returns the haplotypes of the alleles that are allowed.
func restrict(alleles []string) ([]haplotype, error) {
	all := theCatalogue().haplotypes
	if alleles == nil {
		return all, nil
	}
	for _, a := range alleles {
		if !slices.ContainsFunc(all, func(h haplotype) bool { return h.allele == a }) {
			return nil, diag.Errorf(diag.Invalid, "alleles", "expected star alleles that small variants define, such as *1 or *10, got %s", diag.Describe(a))
		}
	}
	var out []haplotype
	for _, h := range all {
		if slices.Contains(alleles, h.allele) {
			out = append(out, h)
		}
	}
	return out, nil
}

// Sites is a list of positions that an assay calls.
type Sites struct {
	build  vcf.Build
	ranges []vcf.Region
}

// ReadSites reads a list of called positions: BED (chromosome, start from 0, end; tab-separated) of
// the same build as the VCF file; lines that begin with #, track or browser are passed over.
// Errors are of kind Missing or Invalid, with the line.
func ReadSites(path string) (*Sites, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &diag.Error{Kind: diag.KindOf(err), Pos: diag.Pos{File: path}, Msg: "cannot be opened", Err: err}
	}
	defer func() { _ = f.Close() }() // only read from
	s := &Sites{}
	in := bufio.NewScanner(f)
	for line := 1; in.Scan(); line++ {
		t := strings.TrimRight(in.Text(), "\r")
		if t == "" || t[0] == '#' || strings.HasPrefix(t, "track") || strings.HasPrefix(t, "browser") {
			continue
		}
		cells := strings.Split(t, "\t")
		from, to := 0, 0
		ok := len(cells) >= 3
		if ok {
			var err1, err2 error
			from, err1 = strconv.Atoi(cells[1])
			to, err2 = strconv.Atoi(cells[2])
			ok = err1 == nil && err2 == nil && from >= 0 && to >= from
		}
		if !ok {
			return nil, &diag.Error{Kind: diag.Invalid, Pos: diag.Pos{File: path, Line: line}, Msg: "expected chromosome, start and end separated by tabs, as in BED, got something else"}
		}
		s.ranges = append(s.ranges, vcf.Region{Chrom: vcf.Chrom(cells[0]), From: from + 1, To: to})
	}
	if err := in.Err(); err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Pos: diag.Pos{File: path}, Msg: "cannot be read", Err: err}
	}
	return s, nil
}

// coverSites takes the called positions for covered in every sample.
func (ob *observer) coverSites(sites *Sites) {
	for v := range ob.variants {
		from, to := ob.span(v)
		var m uint32
		for _, r := range sites.ranges {
			if r.Chrom == ob.variants[v].chrom {
				m |= covered(from, to, &vcf.Record{Pos: r.From, End: r.To})
			}
		}
		for i := range ob.samples {
			ob.samples[i].states[v].cover |= m
		}
	}
}

// ReadCopies reads the copies of CYP2D6 by sample: a CSV file with the columns sample and copies,
// 0 to 4. Errors are of kind Missing or Invalid, with the line.
func ReadCopies(path string) (map[string]int, error) {
	out := make(map[string]int)
	err := eachRow(path, []string{"sample", "copies"}, nil, func(pos diag.Pos, row map[string]string) *diag.Error {
		n, err := strconv.Atoi(row["copies"])
		if err != nil || n < 0 || n > 4 {
			return &diag.Error{Kind: diag.Invalid, Pos: pos, Field: "copies", Msg: "expected 0 to 4, got " + diag.Describe(row["copies"])}
		}
		if _, dup := out[row["sample"]]; dup || row["sample"] == "" {
			return &diag.Error{Kind: diag.Invalid, Pos: pos, Field: "sample", Msg: "expected a sample once, got it twice or none"}
		}
		out[row["sample"]] = n
		return nil
	})
	return out, err
}

// eachRow reads a CSV file whose header holds the columns need and no others than those and may.
// It stops at the first error of visit.
func eachRow(path string, need, may []string, visit func(diag.Pos, map[string]string) *diag.Error) error {
	f, err := os.Open(path)
	if err != nil {
		return &diag.Error{Kind: diag.KindOf(err), Pos: diag.Pos{File: path}, Msg: "cannot be opened", Err: err}
	}
	defer func() { _ = f.Close() }() // only read from
	return eachRowOf(f, path, need, may, visit)
}

func eachRowOf(src io.Reader, name string, need, may []string, visit func(diag.Pos, map[string]string) *diag.Error) error {
	r := csv.NewReader(src)
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	invalid := func(line int, field, msg string) error {
		return &diag.Error{Kind: diag.Invalid, Pos: diag.Pos{File: name, Line: line}, Field: field, Msg: msg}
	}
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return &diag.Error{Kind: diag.Missing, Pos: diag.Pos{File: name}, Msg: "expected a header with the columns " + strings.Join(need, ", ") + ", got an empty file"}
	}
	if err != nil {
		return invalid(1, "", "expected CSV, got a line that cannot be read")
	}
	cols := make([]string, len(head))
	for i, h := range head {
		cols[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))
		if slices.Contains(cols[:i], cols[i]) {
			return invalid(1, "", "expected distinct column names, got one twice")
		}
		if !slices.Contains(need, cols[i]) && !slices.Contains(may, cols[i]) {
			e := &diag.Error{Kind: diag.Invalid, Pos: diag.Pos{File: name, Line: 1, Col: i + 1}, Msg: "expected the columns " + strings.Join(slices.Concat(need, may), ", ") + ", got another one"}
			if near := diag.Nearest(cols[i], slices.Concat(need, may)); near != "" {
				e.Hint = "did you mean " + near + "?"
			}
			return e
		}
	}
	for _, n := range need {
		if !slices.Contains(cols, n) {
			return &diag.Error{Kind: diag.Missing, Pos: diag.Pos{File: name, Line: 1}, Field: n, Msg: "expected this column, got none of the name"}
		}
	}
	row := make(map[string]string, len(cols))
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			line := 0
			if pe, ok := errors.AsType[*csv.ParseError](err); ok {
				line = pe.Line
			}
			return invalid(line, "", "expected CSV, got a line that cannot be read")
		}
		line, _ := r.FieldPos(0)
		if len(cells) != len(cols) {
			return invalid(line, "", "expected "+strconv.Itoa(len(cols))+" cells, got "+strconv.Itoa(len(cells)))
		}
		for i, c := range cells {
			row[cols[i]] = strings.TrimSpace(c)
		}
		if e := visit(diag.Pos{File: name, Line: line}, row); e != nil {
			return e
		}
	}
}
