package vcf_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dolor/diag"
	"dolor/internal/golden"
	"dolor/internal/vcf"
)

const head = "##fileformat=VCFv4.2\n##contig=<ID=chr22,length=50818468,assembly=\"GRCh38, p13\">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n"

const eof = "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00\x42\x43\x02\x00\x1b\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// bgzip writes text as blocks of a few bytes, as bgzip does.
func bgzip(t testing.TB, text string, size int) []byte {
	t.Helper()
	var out bytes.Buffer
	for len(text) > 0 {
		n := min(size, len(text))
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Extra = []byte{'B', 'C', 2, 0, 0, 0}
		if _, err := z.Write([]byte(text[:n])); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		block := b.Bytes()
		binary.LittleEndian.PutUint16(block[16:], uint16(len(block)-1))
		out.Write(block)
		text = text[n:]
	}
	out.WriteString(eof)
	return out.Bytes()
}

func gz(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read returns every record as text, and the error that ended the file or the first bad record.
func read(data []byte, o *vcf.Options) (got []string, bad []error, err error) {
	r, err := vcf.NewReader(bytes.NewReader(data), "t.vcf", o)
	if err != nil {
		return nil, nil, err
	}
	var gts []vcf.Genotype
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got, bad, nil
		}
		if err == nil {
			gts, err = rec.Genotypes(gts)
		}
		var re *vcf.RecordError
		switch {
		case errors.As(err, &re):
			bad = append(bad, err)
			continue
		case err != nil:
			return got, bad, err
		}
		s := fmt.Sprintf("%s:%d-%d %s>%s", rec.Chrom, rec.Pos, rec.End, rec.Ref, strings.Join(rec.Alt, ","))
		for _, g := range gts {
			s += fmt.Sprint(" ", g.Alleles, g.Phased)
		}
		got = append(got, s)
	}
}

const body = "chr22\t10\t.\ta\tC,<NON_REF>\t.\tPASS\tEND=12\tGT:DP\t0/1:5\t1|0\n" +
	"22\t20\trs1\tAT\tA\t3.5\tq10\tDP=4\tGT:PS:AD\t./1:7:1,2\t.:.:.\n" +
	"NC_000022.11\t30\t.\tG\t.\t.\t.\tEND=40\tGT\t0/0\t0"

func TestReadAllForms(t *testing.T) {
	want := []string{
		"22:10-12 A>C,<NON_REF> [0 1] false [1 0] true",
		"22:20-21 AT>A [-1 1] false [-1] false",
		"22:30-40 G> [0 0] false [0] false",
	}
	for name, data := range map[string][]byte{
		"plain":      []byte(head + body + "\n"),
		"no newline": []byte(head + body),
		"crlf":       []byte(strings.ReplaceAll(head+body+"\n", "\n", "\r\n")),
		"gzip":       gz(t, head+body+"\n"),
		"bgzip":      bgzip(t, head+body+"\n", 50),
		"one block":  bgzip(t, head+body+"\n", 1<<15),
	} {
		got, bad, err := read(data, nil)
		if err != nil || len(bad) > 0 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %q, %v, %v", name, got, bad, err)
		}
	}
	got, _, err := read([]byte(head+body), &vcf.Options{Regions: []vcf.Region{{Chrom: "22", From: 35, To: 36}}})
	if err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "22:30") {
		t.Errorf("a region inside a block: got %q, %v", got, err)
	}
}

func TestFatal(t *testing.T) {
	whole := bgzip(t, head+body+"\n", 50)
	flipped := gz(t, head+body+"\n")
	flipped[len(flipped)-8] ^= 1
	for _, c := range []struct {
		name string
		data []byte
		o    *vcf.Options
		kind diag.Kind
		want string
	}{
		{"empty", nil, nil, diag.Missing, "t.vcf: expected a VCF file, got an empty file"},
		{"empty gzip", gz(t, ""), nil, diag.Missing, "t.vcf:1: expected a VCF file, got an empty file"},
		{"no header", []byte(body), nil, diag.Missing, "t.vcf:1: expected ##fileformat=VCFv4.x in the first line, got a line of"},
		{"only columns", []byte(head[strings.Index(head, "#CHROM"):]), nil, diag.Missing, "t.vcf:1: expected ##fileformat=VCFv4.x in the first line, got the line of the columns"},
		{"no columns", []byte("##fileformat=VCFv4.2\n" + body), nil, diag.Missing, "t.vcf:2: expected the header line #CHROM before the first record"},
		{"header alone", []byte("##fileformat=VCFv4.2\n##x=y\n"), nil, diag.Missing, "t.vcf:2: expected the header line #CHROM, got the end of the file"},
		{"old", []byte("##fileformat=VCFv3.3\n"), nil, diag.Unsupported, "t.vcf:1: expected VCF version 4.x"},
		{"bcf", []byte("BCF\x02\x02"), nil, diag.Unsupported, "t.vcf: expected VCF text, got BCF"},
		{"bcf in gzip", gz(t, "BCF\x02\x02"), nil, diag.Unsupported, "t.vcf: expected VCF text, got BCF"},
		{"spaces", []byte("##fileformat=VCFv4.2\n#CHROM POS ID\n"), nil, diag.Invalid, "t.vcf:2: expected column 1 to be #CHROM"},
		{"sample twice", []byte(strings.Replace(head, "\tb\n", "\ta\n", 1)), nil, diag.Invalid, "t.vcf:3: expected distinct sample names, got that of column 11 twice"},
		{"sample without name", []byte(strings.Replace(head, "\tb\n", "\t\n", 1)), nil, diag.Invalid, "t.vcf:3: expected a sample's name in column 11, got none"},
		{"cut gzip", gz(t, head+body)[:90], nil, diag.Invalid, "expected more compressed data, got the end of the file"},
		{"cut between blocks", whole[:len(whole)-len(eof)], nil, diag.Invalid, "expected more compressed data, got the end of the file"},
		{"damaged", flipped, nil, diag.Invalid, "expected intact gzip data, got damaged data"},
		{"rubbish behind", append(gz(t, head+body+"\n"), "rubbish at the end"...), nil, diag.Invalid, "damaged data"},
		{"long line", []byte(head + "22\t1\t" + strings.Repeat("x", 5000)), &vcf.Options{MaxLine: 1000}, diag.Invalid, "t.vcf:4: expected a line of at most 1000 bytes, got a longer one"},
	} {
		_, _, err := read(c.data, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || diag.KindOf(err) != c.kind {
			t.Errorf("%s: got %v (%v), want %q (%v)", c.name, err, diag.KindOf(err), c.want, c.kind)
		}
	}
}

func TestBadRecordsAreSetAside(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"22\t1\t.\tA", "at least 8 columns separated by tabs, got 4"},
		{"\t1\t.\tA\tC\t.\t.\t.\tGT\t0/0\t0/0", "CHROM"},
		{"22\t-1\t.\tA\tC\t.\t.\t.\tGT\t0/0\t0/0", "POS"},
		{"22\t99999999999\t.\tA\tC\t.\t.\t.\tGT\t0/0\t0/0", "POS"},
		{"22\t1\t.\t\tC\t.\t.\t.\tGT\t0/0\t0/0", "REF"},
		{"22\t1\t.\tAX\tC\t.\t.\t.\tGT\t0/0\t0/0", "REF"},
		{"22\t1\t.\tA\t\t.\t.\t.\tGT\t0/0\t0/0", "ALT"},
		{"22\t1\t.\tA\tA\t.\t.\t.\tGT\t0/0\t0/0", "ALT"},
		{"22\t1\t.\tA\tC,\t.\t.\t.\tGT\t0/0\t0/0", "ALT"},
		{"22\t1\t.\tA\tC\tx\t.\t.\tGT\t0/0\t0/0", "QUAL"},
		{"22\t1\t.\tA\tC\t.\t\t.\tGT\t0/0\t0/0", "FILTER"},
		{"22\t9\t.\tA\t<NON_REF>\t.\t.\tEND=3\tGT\t0/0\t0/0", "INFO/END"},
		{"22\t1\t.\tA\tC\t.\t.\t.\tGT\t0/0", "expected 2 sample columns as in the header, got 1"},
		{"22\t1\t.\tA\tC\t.\t.\t.\tGT\t0/0\t0/0\t0/0", "got 3"},
		{"22\t1\t.\tA\tC\t.\t.\t.", "got 0"},
		{"22\t1\t.\tA\tC\t.\t.\t.\tGT\t0/2\t0/0", "sample column 10"},
		{"22\t1\t.\tA\tC\t.\t.\t.\tGT\t0/0\t0\\1", "sample column 11"},
		{"22\t1\t.\tA\tC\t.\t.\t.\tGT\t0/\t0/0", "sample column 10"},
		{"22\t1\t.\tA\tC\t.\t.\t.\tGT\t0/0:3\t0/0", "at most 1 fields"},
		{"22\t1\t.\tA\tC\t.\t.\t.\tGT\t\t0/0", "empty cell"},
	} {
		got, bad, err := read([]byte(head+c.line+"\n"+body+"\n"), nil)
		if err != nil || len(bad) != 1 || len(got) != 3 {
			t.Errorf("%q: got %d records, %v, %v; want 3 and one set aside", c.line, len(got), bad, err)
			continue
		}
		if msg := bad[0].Error(); !strings.HasPrefix(msg, "t.vcf:4: ") || !strings.Contains(msg, c.want) {
			t.Errorf("%q: got %q, want %q", c.line, msg, c.want)
		}
	}
}

func TestBuild(t *testing.T) {
	for _, c := range []struct {
		meta string
		want vcf.Build
		kind diag.Kind
	}{
		{"", vcf.UnknownBuild, 0},
		{"##reference=file:///refs/hg38/GRCh38_full_analysis_set.fa", vcf.GRCh38, 0},
		{"##reference=/data/GRCh38/human_g1k_v37.fasta", vcf.GRCh37, 0},
		{"##reference=hs37d5", vcf.GRCh37, 0},
		{"##reference=/job37/ref.fa", vcf.UnknownBuild, 0},
		{"##reference=hg19ToHg38.fa", vcf.UnknownBuild, 0},
		{"##reference=chm13v2.0.fa", 0, diag.Unsupported},
		{"##contig=<ID=22,length=51304566>", vcf.GRCh37, 0},
		{"##contig=<ID=chr22,length=50818468>", vcf.GRCh38, 0},
		{"##contig=<ID=chr6,assembly=GRCh38.p13,species=\"Homo sapiens\">", vcf.GRCh38, 0},
		{"##contig=<ID=NC_000022.10>", vcf.GRCh37, 0},
		{"##contig=<ID=NC_000006.12,length=170805979>", vcf.GRCh38, 0},
		{"##contig=<ID=GL000191.1,length=106433>\n##contig=<ID=22,length=51304566>", vcf.GRCh37, 0},
		{"##contig=<ID=22,length=51304567>", 0, diag.Unsupported},
		{"##reference=hg38.fa\n##contig=<ID=22,length=51304566>", 0, diag.Invalid},
		{"##contig=<ID=22,length=51304566,assembly=hg38>", 0, diag.Invalid},
		{"##contig=<ID=1,length=249250621>\n##contig=<ID=22,length=50818468>", 0, diag.Invalid},
	} {
		h := "##fileformat=VCFv4.1\n"
		if c.meta != "" {
			h += c.meta + "\n"
		}
		r, err := vcf.NewReader(strings.NewReader(h+"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"), "t.vcf", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Build()
		if c.kind != 0 {
			if diag.KindOf(err) != c.kind || !strings.Contains(err.Error(), "genome build") {
				t.Errorf("%s: got %v, %v; want kind %v", c.meta, got, err, c.kind)
			}
		} else if err != nil || got != c.want {
			t.Errorf("%s: got %v, %v; want %v", c.meta, got, err, c.want)
		}
	}
}

// TestLeft writes one random insertion or deletion at every place at which it gives the same
// sequence: all forms come to one.
func TestLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		genome := rapid.StringOfN(rapid.SampledFrom([]rune("AC")), 12, 40, -1).Draw(t, "genome")
		base := func(pos int) (byte, bool) {
			if pos < 1 || pos > len(genome) {
				return 0, false
			}
			return genome[pos-1], true
		}
		n := rapid.IntRange(1, 4).Draw(t, "length")
		at := rapid.IntRange(1, len(genome)-n-1).Draw(t, "at") // the base before, 1-based
		apply := func(in vcf.Indel) string {
			if in.Deleted {
				if in.Pos+len(in.Seq) > len(genome) || genome[in.Pos:in.Pos+len(in.Seq)] != in.Seq {
					return ""
				}
				return genome[:in.Pos] + genome[in.Pos+len(in.Seq):]
			}
			return genome[:in.Pos] + in.Seq + genome[in.Pos:]
		}
		in := vcf.Indel{Pos: at, Deleted: true, Seq: genome[at : at+n]}
		if rapid.Bool().Draw(t, "insertion") {
			in = vcf.Indel{Pos: at, Seq: rapid.StringOfN(rapid.SampledFrom([]rune("AC")), n, n, -1).Draw(t, "inserted")}
		}
		want, exact := in.Left(base)
		if !exact || apply(want) != apply(in) {
			t.Fatalf("%v moved to %v: exact %v, another sequence", in, want, exact)
		}
		for pos := 1; pos < len(genome); pos++ {
			other := vcf.Indel{Pos: pos, Deleted: in.Deleted, Seq: in.Seq}
			for range n {
				if s := apply(other); s != "" && s == apply(in) {
					if got, _ := other.Left(base); got != want {
						t.Fatalf("%v and %v give one sequence but come to %v and %v", in, other, want, got)
					}
				}
				other.Seq = other.Seq[1:] + other.Seq[:1]
			}
		}
		blind, exact := in.Left(func(int) (byte, bool) { return 0, false })
		if exact || blind != in || !blind.MayEqual(want, 100) {
			t.Fatalf("without bases %v must stay, not be exact, and may equal %v", in, want)
		}
	})
}

func TestChanges(t *testing.T) {
	for _, c := range []struct{ ref, alt, want string }{
		{"A", "C", "[{10 A C}]"},
		{"AGT", "CGA", "[{10 A C} {12 T A}]"},
		{"CT", "C", "[{11 T }]"},
		{"CT", "T", "[{10 C }]"},
		{"CTTT", "CTT", "[{11 T }]"},
		{"C", "CTG", "[{11  TG}]"},
		{"TGA", "TCCA", "[{11 G CC}]"},
		{"A", "<DEL>", "[]"},
		{"A", "*", "[]"},
		{"A", "G]17:198982]", "[]"},
	} {
		if got := fmt.Sprint(vcf.Changes(10, c.ref, c.alt)); got != c.want {
			t.Errorf("%s>%s: got %s, want %s", c.ref, c.alt, got, c.want)
		}
	}
}

// TestSharedFiles reads the shared files whole and counts what their page states.
func TestSharedFiles(t *testing.T) {
	r, err := vcf.Open(golden.Data(t, "pgx/cyp2d6_100samples_subset.vcf.gz"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if b, err := r.Build(); b != vcf.GRCh38 || err != nil || len(r.Samples) != 65 {
		t.Errorf("got %v, %v, %d samples; want GRCh38 and 65", b, err, len(r.Samples))
	}
	var ref, missing, variant, records int
	var gts []vcf.Genotype
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if gts, err = rec.Genotypes(gts); err != nil {
			t.Fatal(err)
		}
		records++
		for _, g := range gts {
			switch fmt.Sprint(g.Alleles) {
			case "[0 0]":
				ref++
			case "[-1 -1]":
				missing++
			default:
				variant++
			}
		}
	}
	t.Logf("%d records x 65 samples: %d reference, %d missing, %d with a variant allele", records, ref, missing, variant)
	if records != 153 || ref+missing+variant != 153*65 {
		t.Errorf("got %d records, want 153", records)
	}
	if ref != 9271 || missing != 534 || variant != 140 {
		t.Errorf("got %d, %d, %d; want 9271, 534, 140 as the page of the data says", ref, missing, variant)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(head + body))
	f.Add(gz(f, head+body))
	f.Add(bgzip(f, head+body, 40))
	f.Add([]byte("##fileformat=VCFv4.4\n##contig=<ID=chr22,assembly=\"a\\\"b>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n22\t5\t.\tA\tC[22:9[\t.\t.\tEND=7\tGT:CN\t|0|1:2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := vcf.NewReader(bytes.NewReader(data), "t.vcf", &vcf.Options{MaxLine: 1 << 16})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "t.vcf") || diag.KindOf(err) == diag.Internal {
				t.Errorf("an error without the file or of kind internal: %v", err)
			}
			return
		}
		_, _ = r.Build()
		var gts []vcf.Genotype
		for {
			rec, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				gts, err = rec.Genotypes(gts)
			}
			var bad *vcf.RecordError
			switch {
			case errors.As(err, &bad):
				if bad.Fault.Pos.Line == 0 {
					t.Error("a bad record without a line")
				}
			case err != nil:
				if e, ok := errors.AsType[*diag.Error](err); !ok || e.Pos.Line == 0 {
					t.Errorf("an error without a line: %v", err)
				}
				return
			default:
				for _, a := range rec.Alt {
					for _, c := range vcf.Changes(rec.Pos, rec.Ref, a) {
						if in, ok := c.Indel(); ok {
							in.Left(func(pos int) (byte, bool) { return 'A', pos > rec.Pos-10 })
						}
					}
				}
			}
		}
	})
}

func ExampleReader() {
	r, err := vcf.NewReader(strings.NewReader(head+body), "example.vcf", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	build, _ := r.Build()
	fmt.Println(build, len(r.Samples))
	for {
		rec, err := r.Next()
		if err != nil {
			break
		}
		fmt.Println(rec.Chrom, rec.Pos, rec.Ref, rec.Alt, rec.Block())
	}
	// Output:
	// GRCh38 2
	// 22 10 A [C <NON_REF>] false
	// 22 20 AT [A] false
	// 22 30 G [] true
}

func BenchmarkReader(b *testing.B) {
	var s strings.Builder
	s.WriteString(head)
	for i := range 20000 {
		fmt.Fprintf(&s, "chr22\t%d\trs%d\tA\tC\t30\tPASS\tAC=1;AN=4\tGT:DP:GQ\t0/1:30:99\t0/0:28:99\n", 1000+i, i)
	}
	data := []byte(s.String())
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, _, err := read(data, &vcf.Options{Regions: []vcf.Region{{Chrom: "22", From: 5000, To: 5100}}}); err != nil {
			b.Fatal(err)
		}
	}
}
