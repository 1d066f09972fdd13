package genomic_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dolor/clinical"
	"dolor/diag"
	"dolor/feature/genomic"
)

// TestScores holds the worked examples of the domain specification.
func TestScores(t *testing.T) {
	for _, c := range []struct {
		in, out   string
		score     float64
		phenotype genomic.Phenotype
	}{
		{"*1/*1", "*1/*1", 2, "normal"},
		{"*1/*4", "*1/*4", 1, "intermediate"},
		{"*4/*4", "*4/*4", 0, "poor"},
		{"*10/*10", "*10/*10", 0.5, "intermediate"},
		{"*1/*10", "*1/*10", 1.25, "normal"},
		{"*2x2/*1", "*1/*2x2", 3, "ultrarapid"},
		{"*41/*41", "*41/*41", 1, "intermediate"},
		{"*1x2/*9", "*1x2/*9", 2.5, "ultrarapid"},
		{"*1x2/*10", "*1x2/*10", 2.25, "normal"},
		{"*5/*41", "*5/*41", 0.5, "intermediate"},
		{"*4/unknown", "*4/unknown", math.NaN(), "indeterminate"},
		{"*36+*10/*1", "*1/*36+*10", 1.25, "normal"},
		{"*68+*4/*1", "*1/*68+*4", 1, "intermediate"},
		{"CYP2D6*4.001/CYP2D6*10.002", "*4/*10", 0.25, "intermediate"},
		{"*4xN/*4", "*4/*4xN", 0, "poor"},
		{"*1xN/*4", "*1xN/*4", math.NaN(), "indeterminate"},
		{"*999/*1", "*1/unknown", math.NaN(), "indeterminate"},
		{"*22/*1", "*1/*22", math.NaN(), "indeterminate"},
	} {
		d, err := genomic.ParseDiplotype(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		s := d.Score()
		if d.String() != c.out || s != c.score && !(math.IsNaN(s) && math.IsNaN(c.score)) || genomic.PhenotypeOf(s) != c.phenotype {
			t.Errorf("%s: got %s %v %s, want %s %v %s", c.in, d, s, genomic.PhenotypeOf(s), c.out, c.score, c.phenotype)
		}
	}
	for _, s := range []string{"", "*1", "*1/*2/*3", "1/4", "*1x0/*2", "*1x99/*2", "*/*", "*1/*x2", "*1a/*2", strings.Repeat("*1+", 100) + "*1/*1"} {
		if _, err := genomic.ParseDiplotype(s); diag.KindOf(err) != diag.Invalid {
			t.Errorf("%q: got %v, want an error", s, err)
		}
	}
	for score, want := range map[float64]genomic.Phenotype{-1: "indeterminate", 0: "poor", 0.25: "intermediate", 1.2499: "intermediate", 1.25: "normal", 2.25: "normal", 2.2501: "ultrarapid"} {
		if got := genomic.PhenotypeOf(score); got != want {
			t.Errorf("%v: got %s, want %s", score, got, want)
		}
	}
}

func TestPhenoconvert(t *testing.T) {
	for _, c := range []struct {
		strong, moderate, halve bool
		want                    float64
	}{{false, false, true, 2}, {true, false, false, 0}, {true, true, true, 0}, {false, true, false, 2}, {false, true, true, 1}} {
		if got := genomic.Phenoconvert(2, c.strong, c.moderate, c.halve); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

func TestReadStars(t *testing.T) {
	text := "sample,gene,diplotype,phenotype,date\n" +
		"a,CYP2D6,*1/*4,,2026-03-01\na,OPRM1,A/G,,2026-04-01\na,COMT,Val/Met,,\n" +
		"b,cyp2d6,*1/*10;*39/*65,Normal Metabolizer,\nb,COMT,AA,,\n" +
		"c,CYP2D6,,PM,\nd,CYP2D6,*1/*1,poor,\ne,CYP2D6,.,,\n"
	tab, err := genomic.ReadStarsFrom(context.Background(), strings.NewReader(text), "s.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"a": "1 1 called *1/*4 1 intermediate 2026-04-01 []",
		"b": "-1 2 ambiguous *1/*10|*39/*65 NaN indeterminate  [phenotype_differs]",
		"c": "-1 -1 called  NaN poor  []",
		"d": "-1 -1 called *1/*1 2 normal  [phenotype_differs]",
		"e": "-1 -1 missing  NaN indeterminate  []",
	} {
		s := tab.Lookup(id)
		var codes []string
		for _, w := range s.Warnings {
			codes = append(codes, w.Code)
		}
		if got := fmt.Sprint(s.OPRM1G, s.COMTA, " ", show(s.CYP2D6), " ", s.Reported, " ", codes); got != want {
			t.Errorf("%s: got %q, want %q", id, got, want)
		}
	}
	keyed, err := tab.Keyed(func(id string) string { return "k" + id })
	if err != nil || keyed.Lookup("ka") == nil || keyed.Lookup("a") != nil || tab.Lookup("a") == nil {
		t.Errorf("keyed: %v", err)
	}
	if _, err := tab.Keyed(func(string) string { return "x" }); diag.KindOf(err) != diag.Invalid {
		t.Errorf("got %v, want an error for two samples with one key", err)
	}
	for _, c := range []struct{ text, want string }{
		{"", "expected a header"},
		{"sample,diplotype\n", "s.csv:1: gene: expected this column"},
		{"sample,gene,diplotyp\n", "did you mean diplotype?"},
		{"sample,gene,diplotype\na,CYP2D6\n", "s.csv:2: expected 3 cells, got 2"},
		{"sample,gene,diplotype\na,CYP2D6,*1\n", "s.csv:2: diplotype: expected alleles such as *1/*4"},
		{"sample,gene,diplotype\na,OPRM1,T/C\n", "s.csv:2: diplotype: expected alleles A and G of the plus strand, got alleles of the other strand"},
		{"sample,gene,diplotype\na,OPRM1,AG\na,OPRM1,AG\n", "s.csv:3: sample: expected one row a sample and gene"},
		{"sample,gene,diplotype\na,CYP2C19,*1/*1\n", "s.csv:2: gene: expected CYP2D6, OPRM1 or COMT"},
		{"sample,gene,phenotype\na,CYP2D6,rapidish\n", "expected poor, intermediate"},
		{"sample,gene,date\na,CYP2D6,yesterday\n", "s.csv:2: date: expected a date"},
		{"sample,gene,diplotype\na,CYP2D6,\"*1\n", "s.csv:"},
	} {
		_, err := genomic.ReadStarsFrom(context.Background(), strings.NewReader(c.text), "s.csv", nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

// TestHWE compares with the probabilities counted out: every way to pair the alleles.
func TestHWE(t *testing.T) {
	lf := func(n int) float64 { v, _ := math.Lgamma(float64(n) + 1); return v }
	rapid.Check(t, func(t *rapid.T) {
		a, h, b := rapid.IntRange(0, 60).Draw(t, "a"), rapid.IntRange(0, 60).Draw(t, "h"), rapid.IntRange(0, 60).Draw(t, "b")
		n := a + h + b
		if n == 0 {
			return
		}
		na := 2*a + h
		prob := func(het int) float64 {
			x, y := (na-het)/2, n-het-(na-het)/2
			if x < 0 || y < 0 || (na-het)%2 != 0 {
				return 0
			}
			return math.Exp(lf(n) - lf(x) - lf(het) - lf(y) + float64(het)*math.Ln2 + lf(na) + lf(2*n-na) - lf(2*n))
		}
		want, all := 0.0, 0.0
		for k := 0; k <= n; k++ {
			p := prob(k)
			all += p
			if p <= prob(h)*(1+1e-7) {
				want += p
			}
		}
		if math.Abs(all-1) > 1e-9 {
			t.Fatalf("probabilities sum to %v", all)
		}
		if got := genomic.HWE(a, h, b); math.Abs(got-want) > 1e-7 {
			t.Fatalf("%d %d %d: got %v, want %v", a, h, b, got, want)
		}
	})
	// Rakvag et al. 2005: COMT genotypes 44, 96, 67 of 207 patients
	if got := genomic.HWE(44, 96, 67); got < 0.2 || got > 0.5 {
		t.Errorf("got %v", got)
	}
	if !math.IsNaN(genomic.HWE(0, 0, 0)) {
		t.Error("expected no p without genotypes")
	}
}

func TestChecksBySite(t *testing.T) {
	var b strings.Builder
	b.WriteString("sample,gene,diplotype\n")
	for i := range 80 {
		g := [2]string{"A/A", "G/G"}[i%2] // no heterozygotes: a fault
		if i >= 40 {
			g = [4]string{"A/A", "A/G", "G/A", "G/G"}[i%4]
		}
		fmt.Fprintf(&b, "p%d,OPRM1,%s\n", i, g)
	}
	tab, err := genomic.ReadStarsFrom(context.Background(), strings.NewReader(b.String()), "s.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	checks, warnings := tab.ChecksBy(func(id string) string {
		if len(id) == 2 || id < "p4" && len(id) == 3 {
			return "A"
		}
		return "B"
	})
	if len(checks) != 2 || checks[0].N != 40 || checks[0].Frequency != 0.5 || checks[0].HWE > 1e-6 || checks[1].HWE < 0.5 || len(checks[0].References) != 5 {
		t.Errorf("got %+v", checks)
	}
	if len(warnings) != 1 || warnings[0].Code != "hardy_weinberg" || warnings[0].First != "A" {
		t.Errorf("got %v", warnings)
	}
}

func TestContextsRecommendNothingOfOPRM1(t *testing.T) {
	for _, c := range genomic.Contexts() {
		if c.Gene != "CYP2D6" && (c.Strength != "none" || !strings.HasPrefix(c.Text, "no recommendation")) {
			t.Errorf("%+v", c)
		}
	}
	for _, v := range genomic.Versions() {
		if v.Version == "" || v.Source == "" {
			t.Errorf("table without a version: %+v", v)
		}
	}
}

func FuzzReadStars(f *testing.F) {
	f.Add("sample,gene,diplotype,phenotype,date\na,CYP2D6,*1x2/*4;*36+*10/*2xN,UM,2026-01\nb,COMT,Met/Val,,\n")
	f.Add("sample,gene,phenotype\n\"a\nb\",OPRM1,\n")
	f.Fuzz(func(t *testing.T, text string) {
		tab, err := genomic.ReadStarsFrom(context.Background(), strings.NewReader(text), "s.csv", &genomic.Options{BadShare: 1})
		if err != nil {
			if diag.KindOf(err) == diag.Internal || !strings.Contains(err.Error(), "s.csv") {
				t.Errorf("an error without the file or of kind internal: %v", err)
			}
			return
		}
		for i := range tab.Samples {
			for _, e := range tab.Samples[i].Events(clinical.OnDay(1)) {
				if len(e.Codes) != 1 {
					t.Error("an event without a code")
				}
			}
		}
	})
}

func ExampleParseDiplotype() {
	d, err := genomic.ParseDiplotype("*1x2/*10")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d, d.Score(), genomic.PhenotypeOf(d.Score()))
	// Output: *1x2/*10 2.25 normal
}
