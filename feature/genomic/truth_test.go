package genomic_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dolor/feature/genomic"
	"dolor/internal/golden"
)

const head38 = "##fileformat=VCFv4.2\n##reference=GRCh38\n##contig=<ID=chr22,length=50818468>\n##contig=<ID=chr6,length=170805979>\n"

// coreSites returns every variant of the haplotype table as pos, ref, alt, in order of position.
func coreSites(t testing.TB) [][3]string {
	t.Helper()
	b, err := os.ReadFile("tables/cyp2d6-haplotypes.csv")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	var out [][3]string
	for _, line := range strings.Split(string(b), "\n")[2:] {
		cells := strings.Split(line, ",")
		if len(cells) < 3 {
			continue
		}
		for v := range strings.SplitSeq(cells[2], ";") {
			if v == "" || seen[v] {
				continue
			}
			seen[v] = true
			at := strings.IndexAny(v, "ACGT")
			ref, alt, _ := strings.Cut(v[at:], ">")
			out = append(out, [3]string{v[:at], ref, alt})
		}
	}
	slices.SortFunc(out, func(a, b [3]string) int { return strings.Compare(a[0]+a[1]+a[2], b[0]+b[1]+b[2]) })
	return out
}

// genotypeOf reads 42126611~C>G~1/1;...
func genotypeOf(s string) map[string]string {
	out := make(map[string]string)
	for v := range strings.SplitSeq(s, ";") {
		if c := strings.Split(v, "~"); len(c) == 3 {
			out[c[0]+c[1]] = c[2]
		}
	}
	return out
}

type truthRow struct {
	star     string
	genotype map[string]string
}

func truth(t testing.TB) []truthRow {
	t.Helper()
	f, err := os.Open(golden.Data(t, "pgx/cyp2d6_diplotype_truth.tsv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []truthRow
	in := bufio.NewScanner(z)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		name, g, _ := strings.Cut(in.Text(), "\t")
		a, b, ok := strings.Cut(name, "_")
		if !ok || name == "diplotype" || !strings.Contains(b, ".v") {
			continue
		}
		star := func(s string) int { n, _ := strconv.Atoi(strings.Split(s, ".")[0]); return n }
		x, y := star(a), star(b)
		out = append(out, truthRow{fmt.Sprintf("*%d/*%d", min(x, y), max(x, y)), genotypeOf(g)})
	}
	return out
}

// TestDiplotypes calls every diplotype of the shared list from the unphased genotype that it gives,
// all in one file of many samples. Ambiguity is judged by enumerating the haplotype table itself,
// here, without the caller.
func TestDiplotypes(t *testing.T) {
	rows := truth(t)
	sites := coreSites(t)
	var b strings.Builder
	b.WriteString(head38 + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT")
	for i := range rows {
		fmt.Fprintf(&b, "\tr%d", i)
	}
	b.WriteByte('\n')
	for _, s := range sites {
		fmt.Fprintf(&b, "chr22\t%s\t.\t%s\t%s\t.\tPASS\t.\tGT", s[0], s[1], s[2])
		for _, r := range rows {
			g := r.genotype[s[0]+s[1]+">"+s[2]]
			if g == "" {
				g = "0/0"
			}
			b.WriteString("\t" + g)
		}
		b.WriteByte('\n')
	}
	tab, err := genomic.ReadVCFFrom(context.Background(), strings.NewReader(b.String()), "truth.vcf", nil)
	if err != nil {
		t.Fatal(err)
	}
	expected := enumerate(t)
	called, ambiguous, none := 0, 0, 0
	for i, r := range rows {
		got := tab.Samples[i].CYP2D6
		want := expected[signature(r.genotype)]
		switch {
		case len(want) == 0:
			none++
			if got.Status != genomic.NoCall {
				t.Errorf("%s: no pair of the table gives this genotype, got %s %v", r.star, got.Status, got.Diplotypes)
			}
			continue
		case len(want) == 1:
			called++
			if got.Status != genomic.Called {
				t.Errorf("%s: got %s %v, want called", r.star, got.Status, got.Diplotypes)
			}
		default:
			ambiguous++
			if got.Status != genomic.Ambiguous {
				t.Errorf("%s: got %s, want ambiguous among %v", r.star, got.Status, want)
			}
		}
		if !slices.Contains(got.Diplotypes, r.star) || len(got.Diplotypes) != len(want) {
			t.Errorf("%s: got %v, want %v", r.star, got.Diplotypes, want)
		}
	}
	t.Logf("%d rows: %d unambiguous and called, %d ambiguous with the truth listed, %d that no pair of the table gives", len(rows), called, ambiguous, none)
	if called < 1700 || called+ambiguous+none != len(rows) {
		t.Errorf("got %d called of %d", called, len(rows))
	}
}

// signature writes a genotype as sorted counts of variants.
func signature(g map[string]string) string {
	var out []string
	for v, gt := range g {
		out = append(out, v+"="+strconv.Itoa(strings.Count(gt, "1")))
	}
	slices.Sort(out)
	return strings.Join(out, ";")
}

// enumerate lists the diplotypes of every genotype that two rows of the table give.
func enumerate(t testing.TB) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("tables/cyp2d6-haplotypes.csv")
	if err != nil {
		t.Fatal(err)
	}
	type hap struct {
		star int
		v    []string
	}
	var haps []hap
	for _, line := range strings.Split(string(b), "\n")[2:] {
		if c := strings.Split(line, ","); len(c) >= 3 {
			n, _ := strconv.Atoi(c[0][1:])
			h := hap{star: n}
			if c[2] != "" {
				h.v = strings.Split(c[2], ";")
			}
			haps = append(haps, h)
		}
	}
	out := make(map[string][]string)
	for i, a := range haps {
		for _, b := range haps[i:] {
			g := make(map[string]string)
			for _, v := range slices.Concat(a.v, b.v) {
				g[v] += "1"
			}
			s := signature(g)
			name := fmt.Sprintf("*%d/*%d", min(a.star, b.star), max(a.star, b.star))
			if !slices.Contains(out[s], name) {
				out[s] = append(out[s], name)
			}
		}
	}
	return out
}
