package genomic_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dolor/diag"
	"dolor/feature/genomic"
	"dolor/internal/golden"
	"dolor/internal/vcf"
)

const head37 = "##fileformat=VCFv4.2\n##contig=<ID=22,length=51304566>\n##contig=<ID=6,length=171115067>\n"

const oneSample = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n"

// rows writes data lines of one sample: "22 42126611 C G 0/1".
func rows(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		c := strings.Fields(l)
		format := "GT"
		if len(c) > 5 {
			format = c[5]
		}
		info := "."
		if len(c) > 6 {
			info = c[6]
		}
		filter := "PASS"
		if len(c) > 7 {
			filter = c[7]
		}
		fmt.Fprintf(&b, "%s\t%s\t.\t%s\t%s\t.\t%s\t%s\t%s\t%s\n", c[0], c[1], c[2], c[3], filter, info, format, c[4])
	}
	return b.String()
}

func one(t testing.TB, text string, o *genomic.Options) genomic.Sample {
	t.Helper()
	tab, err := genomic.ReadVCFFrom(context.Background(), strings.NewReader(text), "t.vcf", o)
	if err != nil {
		t.Fatal(err)
	}
	return tab.Samples[0]
}

// gene37 covers the whole gene and the two other positions with reference blocks.
const (
	block38 = "22 42126500 N <NON_REF> 0/0 GT END=42131000"
	block37 = "22 42522500 N <NON_REF> 0/0 GT END=42527000"
)

func show(c genomic.Call) string {
	return fmt.Sprintf("%s %s %v %s", c.Status, strings.Join(c.Diplotypes, "|"), c.Score, c.Phenotype)
}

func TestCalls(t *testing.T) {
	for _, c := range []struct {
		name, head string
		lines      []string
		o          *genomic.Options
		want       string
	}{
		{"blocks of reference", head38, []string{block38}, nil, "called *1/*1 2 normal"},
		{"nothing", head38, nil, nil, "missing  NaN indeterminate"},
		{"*4", head38, []string{block38, "22 42126611 C G 0/1", "22 42128945 C T 0/1", "22 42130692 G A 0/1"}, nil, "called *1/*4 1 intermediate"},
		{"*10 hom", head38, []string{block38, "22 42126611 C G 1/1", "22 42130692 G A 1/1"}, nil, "called *10/*10 0.5 intermediate"},
		{"*1/*10 is normal", head38, []string{block38, "22 42126611 C G 0/1", "22 42130692 G A 0/1"}, nil, "called *1/*10 1.25 normal"},
		{"*17/*29, the example of StellarPGx", head38, []string{block38, "22 42126611 C G 1/1", "22 42127608 C T 0/1", "22 42127941 G A 1/1", "22 42129132 C T 0/1", "22 42129770 G A 0/1"}, nil, "called *17/*29 1 intermediate"},
		{"no known pair", head38, []string{block38, "22 42129132 C T 1/1", "22 42128945 C T 1/1"}, nil, "no_call  NaN indeterminate"},
		{"GRCh37: reference there is *2", head37, []string{block37}, nil, "called *2/*2 2 normal"},
		{"GRCh37: *1 differs from the reference", head37, []string{block37, "22 42522613 G C 1/1", "22 42523943 A G 1/1"}, nil, "called *1/*1 2 normal"},
		{"GRCh37: *4 over *2", head37, []string{block37, "22 42523943 A G 0/1", "22 42524947 C T 0/1", "22 42526694 G A 0/1"}, nil, "ambiguous *2/*4|*4/*39 1 intermediate"},
		{"several alleles in one record", head38, []string{block38, "22 42126611 C G 1/1", "22 42127941 G A 1/1", "22 42129033 C A,T 1/2"}, nil, "called *8/*14 0.5 intermediate"},
		{"the same in two records", head38, []string{block38, "22 42126611 C G 1/1", "22 42127941 G A 1/1", "22 42129033 C A 0/1", "22 42129033 C T 0/1"}, nil, "called *8/*14 0.5 intermediate"},
		{"exchange of two bases together", head38, []string{block38, "22 42126611 C G 0/1", "22 42127941 G A 0/1", "22 42129036 AG CT 0/1", "22 42129042 T C 0/1"}, nil, "called *1/*121 NaN indeterminate"},
		{"deletion with more bases around", head38, []string{block38, "22 42128241 CTG CG 0/1"}, nil, "called *1/*3 1 intermediate"},
		{"deletion written to the right", head38, []string{block38, "22 42128174 CTTC C 0/1"}, nil, "called *1/*9 1.5 normal"},
		{"deletion that may be that of *3", head38, []string{block38, "22 42128244 TT T 0/1"}, nil, "ambiguous"},
		{"deletion that cannot be that of *3", head38, []string{block38, "22 42128244 GT G 0/1"}, nil, "called *1/*1 2 normal"},
		{"only another base was asked for", head38, []string{"22 42129033 C T 0/0"}, &genomic.Options{Alleles: []string{"*1", "*8", "*14"}}, "ambiguous"},
		{"an allele of no haplotype", head38, []string{block38, "22 42126611 C T 0/1"}, nil, "no_call  NaN indeterminate"},
		{"half missing reference", head38, []string{block38, "22 42128241 CT C 0/."}, nil, "ambiguous"},
		{"half missing variant", head38, []string{block38, "22 42128241 CT C ./1"}, nil, "ambiguous"},
		{"failed a filter", head38, []string{block38, "22 42128241 CT C 0/1 GT . q10"}, nil, "ambiguous"},
		{"failed a filter, allowed", head38, []string{block38, "22 42128241 CT C 0/1 GT . q10"}, &genomic.Options{AnyFilter: true}, "called *1/*3 1 intermediate"},
		{"no reads", head38, []string{block38, "22 42128241 CT C 0/0:0 GT:DP"}, nil, "ambiguous"},
		{"block of quality 0", head38, []string{"22 42126500 N <NON_REF> 0/0:0 GT:GQ END=42131000"}, nil, "missing  NaN indeterminate"},
		{"quality below what is asked", head38, []string{"22 42126500 N <NON_REF> 0/0:12 GT:GQ END=42131000"}, &genomic.Options{MinQuality: 20}, "missing  NaN indeterminate"},
		{"missing overrides a block", head38, []string{block38, "22 42128945 C T ./."}, nil, "ambiguous *1/*1|*1/*4|*4/*4 NaN indeterminate"},
		{"two records disagree", head38, []string{block38, "22 42128241 CT C 0/1", "22 42128241 CT C 0/0"}, nil, "ambiguous"},
		{"the variant that defines *4 was not called", head38, []string{
			"22 42126500 N <NON_REF> 0/0 GT END=42128944", "22 42128946 N <NON_REF> 0/0 GT END=42131000",
			"22 42126611 C G 1/1", "22 42129809 T C 1/1", "22 42129819 G T 1/1", "22 42130692 G A 1/1",
		}, nil, "ambiguous *4/*4 NaN indeterminate"},
		{"phase cannot be told", head38, []string{block38, "22 42126611 C G 0/1", "22 42127941 G A 0/1"}, nil, "ambiguous *1/*2|*34/*39 2 normal"},
		{"phase apart", head38, []string{block38, "22 42126611 C G 0|1", "22 42127941 G A 1|0"}, nil, "called *34/*39 2 normal"},
		{"phase together", head38, []string{block38, "22 42126611 C G 0|1", "22 42127941 G A 0|1"}, nil, "called *1/*2 2 normal"},
		{"two phase sets", head38, []string{block38, "22 42126611 C G 0|1:5 GT:PS", "22 42127941 G A 1|0:9 GT:PS"}, nil, "ambiguous *1/*2|*34/*39 2 normal"},
		{"no copy", head38, nil, &genomic.Options{Copies: map[string]int{"s": 0}}, "called *5/*5 0 poor"},
		{"one copy", head38, []string{block38, "22 42126611 C G 1/1", "22 42127803 C T 1/1", "22 42127941 G A 1/1"}, &genomic.Options{Copies: map[string]int{"s": 1}}, "called *5/*41 0.5 intermediate"},
		{"one copy, heterozygous", head38, []string{block38, "22 42128241 CT C 0/1"}, &genomic.Options{Copies: map[string]int{"s": 1}}, "no_call  NaN indeterminate"},
		{"three copies of one allele", head38, []string{block38}, &genomic.Options{Copies: map[string]int{"s": 3}}, "called *1/*1x2 3 ultrarapid"},
		{"three copies of two alleles", head38, []string{block38, "22 42128241 CT C 0/1"}, &genomic.Options{Copies: map[string]int{"s": 3}}, "ambiguous *1x2/*3|*1/*3x2 NaN indeterminate"},
		{"three copies, reads decide", head38, []string{block38, "22 42126611 C G 0/1:60,31 GT:AD", "22 42130692 G A 0/1:58,30 GT:AD"}, &genomic.Options{Copies: map[string]int{"s": 3}}, "called *1x2/*10 2.25 normal"},
		{"three copies, few reads", head38, []string{block38, "22 42126611 C G 0/1:6,3 GT:AD", "22 42130692 G A 0/1:5,3 GT:AD"}, &genomic.Options{Copies: map[string]int{"s": 3}}, "ambiguous *1x2/*10|*1/*10x2 NaN normal"},
		{"a deletion record", head38, []string{block38, "22 42123000 N <DEL> 0/1 GT END=42135500"}, nil, "called *1/*5 1 intermediate"},
		{"a record of copies", head38, []string{block38, "22 42123000 N <CNV> 0/1:3 GT:CN END=42135500"}, nil, "called *1/*1x2 3 ultrarapid"},
		{"a duplication without a number", head38, []string{block38, "22 42123000 N <DUP> 0/1 GT END=42135500"}, nil, "ambiguous *1/*1x2|*1/*1x3|*1x2/*1x2 NaN ultrarapid"},
		{"a deletion of a part", head38, []string{block38, "22 42128000 N <DEL> 0/1 GT END=42135500"}, nil, "no_call  NaN indeterminate"},
		{"copies disagree", head38, []string{block38, "22 42123000 N <DEL> 0/1 GT END=42135500"}, &genomic.Options{Copies: map[string]int{"s": 2}}, "no_call  NaN indeterminate"},
		{"only the alleles of a panel", head38, []string{"22 42126611 C G 0/0", "22 42128241 CT C 0/0", "22 42128945 C T 0/1", "22 42130692 G A 0/1"}, &genomic.Options{Alleles: []string{"*1", "*3", "*4"}}, "called *1/*4 1 intermediate"},
		{"*43: tables differ", head38, []string{block38, "22 42130715 C T 0/1"}, nil, "called *1/*43 1.5 normal"},
		{"*22: function unknown", head38, []string{block38, "22 42130710 G A 0/1"}, nil, "called *1/*22 NaN indeterminate"},
	} {
		s := one(t, c.head+oneSample+rows(c.lines...), c.o)
		if got := show(s.CYP2D6); got != c.want && (c.want != "ambiguous" || s.CYP2D6.Status != genomic.Ambiguous) {
			t.Errorf("%s: got %q, want %q; %v", c.name, got, c.want, s.Warnings)
		}
	}
}

func TestOPRM1AndCOMT(t *testing.T) {
	for _, c := range []struct {
		name, text string
		g, a       int
	}{
		{"nothing", head38 + oneSample, -1, -1},
		{"counts", head38 + oneSample + rows("chr6 154039662 A G 1/1", "chr22 19963748 G A 0|1"), 2, 1},
		{"reference rows", head38 + oneSample + rows("6 154039662 A . 0/0", "22 19963748 G A 0/0"), 0, 0},
		{"blocks", head38 + oneSample + rows("6 154039000 N <*> 0/0 GT END=154040000", "22 19963748 G <*> 0/0"), 0, 0},
		{"block beside it", head38 + oneSample + rows("6 154039000 N <*> 0/0 GT END=154039661"), -1, -1},
		{"missing, half missing", head38 + oneSample + rows("6 154039662 A G ./.", "22 19963748 G A ./1"), -1, -1},
		{"another base", head38 + oneSample + rows("6 154039662 A G,T 0/2", "22 19963748 G C 0/0"), -1, -1},
		{"GRCh37", head37 + oneSample + rows("6 154360797 A G 0/1", "22 19951271 G A 1/1"), 1, 2},
	} {
		s := one(t, c.text, nil)
		if s.OPRM1G != c.g || s.COMTA != c.a {
			t.Errorf("%s: got %d and %d, want %d and %d", c.name, s.OPRM1G, s.COMTA, c.g, c.a)
		}
	}
}

func TestRefusals(t *testing.T) {
	none := "##fileformat=VCFv4.2\n" + oneSample
	for _, c := range []struct {
		name, text string
		o          *genomic.Options
		kind       diag.Kind
		want       string
	}{
		{"no header", rows(block38), nil, diag.Missing, "t.vcf:1: expected ##fileformat"},
		{"build not told", none + rows(block38), nil, diag.Missing, "genome build: expected ##reference"},
		{"build contradicted", head38 + oneSample, &genomic.Options{Build: vcf.GRCh37}, diag.Invalid, "expected GRCh37 as stated, got a header of GRCh38"},
		{"another assembly", "##fileformat=VCFv4.2\n##reference=hg18.fa\n" + oneSample, nil, diag.Unsupported, "another assembly"},
		{"reference base of the other build", head38 + oneSample + rows("22 42126611 G C 0/1"), nil, diag.Invalid, "t.vcf:6: REF: expected the reference base of GRCh38 at 22:42126611"},
		{"stated build, other bases", none + rows("22 42523943 A G 0/1"), &genomic.Options{Build: vcf.GRCh38}, 99, ""},
		{"stated build, other positions", none + rows("22 42523943 A G 0/1", "22 42524947 C T 0/1", "22 42526694 G A 0/1"), &genomic.Options{Build: vcf.GRCh38}, diag.Invalid, "positions of the other build at 2 variants"},
		{"rs number of the other build", strings.Replace(head38+oneSample+rows("6 154360797 A G 0/1"), "154360797\t.", "154360797\trs1799971", 1), nil, diag.Invalid, "t.vcf:6: POS: expected rs1799971 at 6:154039662 of GRCh38"},
		{"no samples", head38 + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", nil, diag.Missing, "expected columns of samples"},
		{"unknown allele", head38 + oneSample, &genomic.Options{Alleles: []string{"*5"}}, diag.Invalid, "alleles"},
		{"too many bad records", head38 + oneSample + strings.Repeat("22\t1\t.\n", 10), nil, diag.Unfit, "too many bad records"},
	} {
		_, err := genomic.ReadVCFFrom(context.Background(), strings.NewReader(c.text), "t.vcf", c.o)
		if c.kind == 99 {
			continue
		}
		if err == nil || diag.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q of kind %v", c.name, err, c.want, c.kind)
		}
	}
}

// TestBadRecordIsMissing: a record that cannot be read leaves its position unknown, with its line told.
func TestBadRecordIsMissing(t *testing.T) {
	text := head38 + oneSample + strings.Repeat(rows("1 5 A C 0/0"), 60) + rows("22 42126611 C G 0/0", "22 42128945 C T 0/3")
	tab, err := genomic.ReadVCFFrom(context.Background(), strings.NewReader(text), "t.vcf", nil)
	if err != nil {
		t.Fatal(err)
	}
	if tab.Bad != 1 || tab.Faults[0].Pos.Line != 67 || tab.Samples[0].CYP2D6.Called != 1 {
		t.Errorf("got %d bad, %v, %d called", tab.Bad, tab.Faults, tab.Samples[0].CYP2D6.Called)
	}
}

// file writes the genotype of two haplotypes at every position of the table, on either build.
func file(sites [][3]string, a, b map[string]bool, build37 bool, keep func(i int) bool) string {
	var s strings.Builder
	s.WriteString(head38)
	if build37 {
		s.Reset()
		s.WriteString(head37)
	}
	s.WriteString(oneSample)
	for i, v := range sites {
		if !keep(i) {
			continue
		}
		pos, _ := strconv.Atoi(v[0])
		ref, alt := v[1], v[2]
		x, y := a[v[0]+v[1]+">"+v[2]], b[v[0]+v[1]+">"+v[2]]
		if build37 {
			pos += 396002
			if v[0] == "42126611" || v[0] == "42127941" {
				ref, alt, x, y = alt, ref, !x, !y
			}
		}
		gt := map[bool]string{false: "0", true: "1"}
		fmt.Fprintf(&s, "22\t%d\t.\t%s\t%s\t.\tPASS\t.\tGT\t%s/%s\n", pos, ref, alt, gt[x], gt[y])
	}
	return s.String()
}

// TestRemovingRecords draws two haplotypes of the table and removes records: nothing gets more
// certain, what was possible stays possible, and a position without a record is never reference.
func TestRemovingRecords(t *testing.T) {
	sites := coreSites(t)
	haps := haplotypes(t)
	rapid.Check(t, func(t *rapid.T) {
		a := haps[rapid.IntRange(0, len(haps)-1).Draw(t, "a")]
		b := haps[rapid.IntRange(0, len(haps)-1).Draw(t, "b")]
		build37 := rapid.Bool().Draw(t, "GRCh37")
		all := func(int) bool { return true }
		full := one37(t, file(sites, a.v, b.v, build37, all))
		want := fmt.Sprintf("*%d/*%d", min(a.star, b.star), max(a.star, b.star))
		if !slices.Contains(full.CYP2D6.Diplotypes, want) {
			t.Fatalf("got %s, want %s among them", show(full.CYP2D6), want)
		}
		n := rapid.IntRange(1, len(sites)).Draw(t, "removed")
		gone := make(map[int]bool)
		for range n {
			gone[rapid.IntRange(0, len(sites)-1).Draw(t, "row")] = true
		}
		part := one37(t, file(sites, a.v, b.v, build37, func(i int) bool { return !gone[i] }))
		for _, d := range full.CYP2D6.Diplotypes {
			if len(gone) < len(sites) && !slices.Contains(part.CYP2D6.Diplotypes, d) {
				t.Fatalf("%s is no longer possible without %d records", d, len(gone))
			}
		}
		if part.CYP2D6.Status == genomic.Called && full.CYP2D6.Status != genomic.Called {
			t.Fatal("fewer records made the call certain")
		}
		if p := part.CYP2D6.Phenotype; p != genomic.Indeterminate && p != full.CYP2D6.Phenotype {
			t.Fatalf("fewer records changed the phenotype from %s to %s", full.CYP2D6.Phenotype, p)
		}
		if part.CYP2D6.Called != full.CYP2D6.Called-len(gone) {
			t.Fatalf("%d positions called without %d of %d records", part.CYP2D6.Called, len(gone), full.CYP2D6.Called)
		}
		// any allele that needs no more than the removed positions stays possible: it was not read as reference
		for _, h := range haps {
			covered := h.star != a.star
			for v := range h.v {
				i := slices.IndexFunc(sites, func(s [3]string) bool { return s[0]+s[1]+">"+s[2] == v })
				covered = covered && (gone[i] || a.v[v])
			}
			for v := range a.v {
				i := slices.IndexFunc(sites, func(s [3]string) bool { return s[0]+s[1]+">"+s[2] == v })
				covered = covered && (gone[i] || h.v[v])
			}
			name := fmt.Sprintf("*%d/*%d", min(h.star, b.star), max(h.star, b.star))
			if covered && len(gone) < len(sites) && !slices.Contains(part.CYP2D6.Diplotypes, name) {
				t.Fatalf("%s was ruled out by records that are not there", name)
			}
		}
	})
}

func one37(t *rapid.T, text string) genomic.Sample {
	tab, err := genomic.ReadVCFFrom(context.Background(), strings.NewReader(text), "t.vcf", nil)
	if err != nil {
		t.Fatal(err)
	}
	return tab.Samples[0]
}

type hap struct {
	star int
	v    map[string]bool
}

func haplotypes(t testing.TB) []hap {
	t.Helper()
	b, err := os.ReadFile("tables/cyp2d6-haplotypes.csv")
	if err != nil {
		t.Fatal(err)
	}
	var out []hap
	for _, line := range strings.Split(string(b), "\n")[2:] {
		c := strings.Split(line, ",")
		if len(c) < 3 {
			continue
		}
		n, _ := strconv.Atoi(c[0][1:])
		h := hap{n, make(map[string]bool)}
		for v := range strings.SplitSeq(c[2], ";") {
			if v != "" {
				h.v[v] = true
			}
		}
		out = append(out, h)
	}
	return out
}

// TestBuildsAgree calls every shared diplotype from GRCh37 as well: the same answers.
func TestBuildsAgree(t *testing.T) {
	sites := coreSites(t)
	for i, r := range truth(t) {
		if i%7 != 0 {
			continue
		}
		a, b := make(map[string]bool), make(map[string]bool)
		for v, g := range r.genotype {
			a[v], b[v] = g == "1/1", true
		}
		all := func(int) bool { return true }
		x, y := one(t, file(sites, a, b, false, all), nil), one(t, file(sites, a, b, true, all), nil)
		if show(x.CYP2D6) != show(y.CYP2D6) {
			t.Errorf("%s: GRCh38 %s, GRCh37 %s", r.star, show(x.CYP2D6), show(y.CYP2D6))
		}
	}
}

func TestCalledSites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sites.bed")
	write := func(s string) {
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("track name=x\n#c\nchr22\t42126500\t42131000\nchr6\t154039661\t154039662\n")
	sites, err := genomic.ReadSites(path)
	if err != nil {
		t.Fatal(err)
	}
	s := one(t, head38+oneSample+rows("22 42128241 CT C 0/1"), &genomic.Options{Called: sites})
	if show(s.CYP2D6) != "called *1/*3 1 intermediate" || s.OPRM1G != 0 || s.COMTA != -1 {
		t.Errorf("got %s, %d, %d", show(s.CYP2D6), s.OPRM1G, s.COMTA)
	}
	s = one(t, head38+oneSample+rows("22 42126500 N <NON_REF> ./. GT END=42131000"), &genomic.Options{Called: sites})
	if s.CYP2D6.Status != genomic.Absent {
		t.Errorf("a block without a call, over called sites: got %s", show(s.CYP2D6))
	}
	write("chr22\t5\t4\n")
	if _, err := genomic.ReadSites(path); err == nil || !strings.Contains(err.Error(), "sites.bed:1: expected chromosome, start and end") {
		t.Errorf("got %v", err)
	}
	write("sample,copies\na,2\nb,5\n")
	if _, err := genomic.ReadCopies(path); err == nil || !strings.Contains(err.Error(), ":3: copies: expected 0 to 4, got 1 digit") {
		t.Errorf("got %v", err)
	}
}

// TestSharedSamples reads the 65 samples: every core position that has no call keeps more than
// one diplotype possible, and none of them is certain of *1.
func TestSharedSamples(t *testing.T) {
	tab, err := genomic.ReadVCF(context.Background(), golden.Data(t, "pgx/cyp2d6_100samples_subset.vcf.gz"), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := make(map[genomic.Status]int)
	for _, s := range tab.Samples {
		n[s.CYP2D6.Status]++
		if s.CYP2D6.Called < s.CYP2D6.Sites && s.CYP2D6.Status == genomic.Called {
			t.Errorf("called %v with %d of %d positions", s.CYP2D6.Diplotypes, s.CYP2D6.Called, s.CYP2D6.Sites)
		}
		if s.OPRM1G != -1 || s.COMTA != -1 {
			t.Error("a genotype of a gene that is not in the file")
		}
	}
	t.Logf("%d samples: %v", len(tab.Samples), n)
	if len(tab.Samples) != 65 || tab.Bad != 0 {
		t.Errorf("got %d samples, %d bad records", len(tab.Samples), tab.Bad)
	}
	tab, err = genomic.ReadVCF(context.Background(), golden.Data(t, "pgx/pharmcat_positions.vcf.gz"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := show(tab.Samples[0].CYP2D6); got != "called *1/*1 2 normal" {
		t.Errorf("positions all reference: got %s", got)
	}
}

func FuzzReadVCF(f *testing.F) {
	f.Add(head38 + oneSample + rows(block38, "22 42126611 C G 0|1:3 GT:PS", "22 42123000 N <DUP> 0/1:3 GT:CN END=42135500"))
	f.Add(head37 + oneSample + rows(block37, "22 42522613 G C 1/1", "22 42525035 C A,T,* 1/3"))
	f.Add(head38 + oneSample + rows("22 42128174 CTTC C,CTTCC 1/2:5,4,3 GT:AD", "22 42129033 CAT <*>,C,CG 0/0/1"))
	f.Fuzz(func(t *testing.T, text string) {
		tab, err := genomic.ReadVCFFrom(context.Background(), strings.NewReader(text), "t.vcf", &genomic.Options{MaxLine: 1 << 16})
		if err != nil {
			if diag.KindOf(err) == diag.Internal {
				t.Errorf("an error of kind internal: %v", err)
			}
			return
		}
		for _, s := range tab.Samples {
			c := s.CYP2D6
			if c.Status == genomic.Called && len(c.Diplotypes) != 1 || c.Status == genomic.Absent && c.Called > 0 {
				t.Errorf("%s with %v", c.Status, c.Diplotypes)
			}
		}
	})
}

// TestEachPositionCounts takes each position in turn out of a file in which all else is reference:
// *1/*1 stays certain only where no allele is defined by that position alone.
func TestEachPositionCounts(t *testing.T) {
	sites := coreSites(t)
	alone := map[string]string{"42128945C>T": "*4"} // by its sub-alleles it never comes alone
	for _, h := range haplotypes(t) {
		if len(h.v) == 1 {
			for v := range h.v {
				alone[v] = fmt.Sprintf("*%d", h.star)
			}
		}
	}
	certain := 0
	for i, v := range sites {
		s := one(t, file(sites, nil, nil, false, func(k int) bool { return k != i }), nil)
		star, single := alone[v[0]+v[1]+">"+v[2]]
		switch {
		case single && (s.CYP2D6.Status != genomic.Ambiguous || !slices.Contains(s.CYP2D6.Diplotypes, "*1/"+star) || !slices.Contains(s.CYP2D6.Diplotypes, "*1/*1")):
			t.Errorf("without %s: got %s, want *1/%s possible", v, show(s.CYP2D6), star)
		case !single:
			certain++
		}
		if !slices.ContainsFunc(s.Warnings, func(w diag.Warning) bool { return w.Code == "positions_missing" && w.Count == 1 }) {
			t.Errorf("without %s: no warning", v)
		}
	}
	t.Logf("%d positions, %d of them define an allele alone", len(sites), len(sites)-certain)
}
