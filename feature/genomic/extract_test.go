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
	"dolor/feature"
	"dolor/feature/genomic"
	"dolor/frame"
)

const day0 = clinical.Day(20000)

func lab(day int, loinc string, value float64, unit, compare string) clinical.Event {
	return clinical.Event{
		Kind: clinical.Observation, Start: clinical.At(day0+clinical.Day(day), 8*3600), Status: "final",
		Codes: []clinical.Code{{System: clinical.LOINC, Code: loinc}},
		Value: clinical.Value{Kind: clinical.NumberValue, Number: value, Unit: unit, Compare: compare},
	}
}

func drug(kind clinical.Kind, day int, display string, codes ...clinical.Code) clinical.Event {
	codes = append(codes, clinical.Code{Display: display})
	return clinical.Event{Kind: kind, Start: clinical.At(day0+clinical.Day(day), 8*3600), Drug: &clinical.Drug{Codes: codes}}
}

// extract returns the named cells of one patient, missing as a dash, and the codes of warnings.
func extract(t testing.TB, set *genomic.Settings, events []clinical.Event, names ...string) string {
	t.Helper()
	h := clinical.History{Key: "p", Events: events}
	h.Sort()
	f, ws, err := feature.Build(context.Background(), []*clinical.Past{h.Until(clinical.At(day0, 12*3600))}, []feature.Extractor{genomic.New(set)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, n := range names {
		c, ok := f.Column(n)
		if !ok {
			t.Fatalf("no column %s", n)
		}
		s, has := c.String(0)
		if !has {
			s = "-"
		}
		out = append(out, s)
	}
	for _, w := range ws {
		out = append(out, "!"+w.Code)
	}
	return strings.Join(out, " ")
}

func stars(t testing.TB, rows string) *genomic.Table {
	t.Helper()
	tab, err := genomic.ReadStarsFrom(context.Background(), strings.NewReader("sample,gene,diplotype,date\n"+rows), "s.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestGenotypeColumns(t *testing.T) {
	names := []string{"oprm1_g", "oprm1_g_carrier", "comt_met", "cyp2d6_score", "cyp2d6_phenotype"}
	date := func(d int) string { return clinical.OnDay(day0 + clinical.Day(d)).String() }
	ev := func(day int, code string, v clinical.Value) clinical.Event {
		return clinical.Event{Kind: clinical.Observation, Start: clinical.OnDay(day0 + clinical.Day(day)), Codes: []clinical.Code{{System: clinical.Local, Code: code}}, Value: v}
	}
	text := func(s string) clinical.Value { return clinical.Value{Kind: clinical.TextValue, Text: s} }
	for _, c := range []struct {
		name   string
		table  string
		events []clinical.Event
		want   string
	}{
		{"nobody", "q,OPRM1,A/G,\n", nil, "- - - - -"},
		{"table", "p,OPRM1,A/G,\np,COMT,A/A,\np,CYP2D6,*1/*4,\n", nil, "1 1 2 1 IM"},
		{"no call is no zero", "p,OPRM1,.,\np,COMT,G/G,\np,CYP2D6,.,\n", nil, "- - 0 - -"},
		{"ambiguous", "p,CYP2D6,*1/*10;*10/*10,\n", nil, "- - - - indeterminate"},
		{"reported the day before", "p,OPRM1,G/G," + date(-1) + "\n", nil, "2 1 - - -"},
		{"reported on the day itself, without a time", "p,OPRM1,G/G," + date(0) + "\n", nil, "- - - - -"},
		{"reported later", "p,OPRM1,G/G," + date(3) + "\n", nil, "- - - - -"},
		{"events", "", []clinical.Event{ev(-400, genomic.CodeOPRM1, clinical.Value{Kind: clinical.NumberValue, Number: 2}), ev(-3, genomic.CodeCYP2D6, text("*4/*5")), ev(-3, genomic.CodeCOMT, text("A/G"))}, "2 1 1 0 PM"},
		{"an event later", "", []clinical.Event{ev(1, genomic.CodeCYP2D6, text("*4/*5"))}, "- - - - -"},
		{"an event that says nothing", "", []clinical.Event{ev(-1, genomic.CodeOPRM1, clinical.Value{Kind: clinical.NumberValue, Number: 7})}, "- - - - - !genotype_unread"},
		{"phenotype alone", "", []clinical.Event{ev(-1, genomic.CodeCYP2D6, text("ultrarapid"))}, "- - - - UM"},
	} {
		set := &genomic.Settings{Genotypes: stars(t, c.table)}
		if got := extract(t, set, c.events, names...); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestEventsCarrySample writes a sample as events and reads it back.
func TestEventsCarrySample(t *testing.T) {
	tab := stars(t, "p,OPRM1,A/G,\np,COMT,A/A,\np,CYP2D6,*1/*10;*39/*65,\n")
	names := []string{"oprm1_g", "comt_met", "cyp2d6_score", "cyp2d6_phenotype"}
	direct := extract(t, &genomic.Settings{Genotypes: tab}, nil, names...)
	s := tab.Lookup("p")
	carried := extract(t, nil, s.Events(clinical.OnDay(day0-5)), names...)
	if direct != carried || !strings.HasPrefix(direct, "1 2 ") {
		t.Errorf("table %s, events %s", direct, carried)
	}
}

func TestPhenoconversion(t *testing.T) {
	names := []string{"cyp2d6_score", "cyp2d6_phenotype", "cyp2d6_inhibitor", "cyp2d6_score_inhibited", "cyp2d6_phenotype_inhibited", "cyp2d6_relevant", "cyp2d6_phenotype_relevant"}
	atc := func(c string) clinical.Code { return clinical.Code{System: clinical.ATC, Code: c} }
	ended := drug(clinical.Order, -60, "paroxetine 20 mg")
	ended.End = clinical.OnDay(day0 - 20)
	running := drug(clinical.Order, -60, "paroxetine 20 mg")
	running.End = clinical.OnDay(day0 + 20)
	dispensed := drug(clinical.Dispense, -30, "Fluoxetine")
	dispensed.Drug.Supply = 28
	given := drug(clinical.Administration, -3, "x", clinical.Code{System: clinical.RxNorm, Code: "42347"})
	notDone := given
	notDone.Status = "not-done"
	for _, c := range []struct {
		name  string
		halve bool
		ev    []clinical.Event
		want  string
	}{
		{"no medication known", false, nil, "2 NM - - - - -"},
		{"none", false, []clinical.Event{drug(clinical.Order, -5, "ibuprofen")}, "2 NM none 2 NM 0 not relevant"},
		{"strong, running", false, []clinical.Event{running}, "2 NM strong 0 PM 0 not relevant"},
		{"strong, ended", false, []clinical.Event{ended}, "2 NM none 2 NM 0 not relevant"},
		{"strong, supply reaches", false, []clinical.Event{dispensed}, "2 NM strong 0 PM 0 not relevant"},
		{"strong, given", false, []clinical.Event{given}, "2 NM strong 0 PM 0 not relevant"},
		{"strong, not given", false, []clinical.Event{notDone}, "2 NM none 2 NM 0 not relevant"},
		{"strong, tomorrow", false, []clinical.Event{drug(clinical.Order, 1, "quinidine"), drug(clinical.Order, -5, "ibuprofen")}, "2 NM none 2 NM 0 not relevant"},
		{"strong, given 15 days ago", false, []clinical.Event{drug(clinical.Administration, -15, "terbinafine")}, "2 NM none 2 NM 0 not relevant"},
		{"strong, given 14 days ago", false, []clinical.Event{drug(clinical.Administration, -14, "terbinafine")}, "2 NM strong 0 PM 0 not relevant"},
		{"on the skin", false, []clinical.Event{drug(clinical.Order, -4, "terbinafine cream", atc("D01AE15"))}, "2 NM none 2 NM 0 not relevant"},
		{"moderate, not counted", false, []clinical.Event{drug(clinical.Order, -4, "", atc("N06AX21"))}, "2 NM moderate 2 NM 0 not relevant"},
		{"moderate, halved", true, []clinical.Event{drug(clinical.Order, -4, "", atc("N06AX21"))}, "2 NM moderate 1 IM 0 not relevant"},
		{"on codeine", false, []clinical.Event{drug(clinical.Order, -4, "", atc("R05DA04"))}, "2 NM none 2 NM 1 NM"},
		{"on tramadol with an inhibitor", false, []clinical.Event{drug(clinical.Order, -4, "tramadol 50 mg"), running}, "2 NM strong 0 PM 1 PM"},
		{"on morphine", false, []clinical.Event{drug(clinical.Order, -4, "morphine 10 mg")}, "2 NM none 2 NM 0 not relevant"},
	} {
		set := &genomic.Settings{Genotypes: stars(t, "p,CYP2D6,*1/*1,\n"), HalveModerate: c.halve}
		if got := extract(t, set, c.ev, names...); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if got := extract(t, nil, []clinical.Event{running, drug(clinical.Order, -4, "codeine 30 mg")}, names...); got != "- - strong - - 1 -" {
		t.Errorf("without a genotype: got %s", got)
	}
}

func TestInflammation(t *testing.T) {
	names := []string{"crp", "crp_age", "crp_censored", "albumin", "nlr", "nlr_age", "mgps", "gps", "infection_confounded"}
	crp := func(day int, v float64, unit string) clinical.Event { return lab(day, "1988-5", v, unit, "") }
	panel := lab(-2, "58410-2", 0, "", "")
	panel.Value = clinical.Value{}
	panel.Parts = []clinical.Part{
		{Codes: []clinical.Code{{System: clinical.LOINC, Code: "751-8"}}, Value: clinical.Value{Kind: clinical.NumberValue, Number: 6, Unit: "10*9/L"}},
		{Codes: []clinical.Code{{System: clinical.LOINC, Code: "731-0"}}, Value: clinical.Value{Kind: clinical.NumberValue, Number: 1500, Unit: "/uL"}},
	}
	text := lab(-1, "1988-5", 0, "", "")
	text.Value = clinical.Value{Kind: clinical.TextValue, Text: "< 5 mg/L"}
	cancelled := crp(-1, 80, "mg/L")
	cancelled.Status = "cancelled"
	for _, c := range []struct {
		name string
		ev   []clinical.Event
		want string
	}{
		{"nothing", nil, "- - - - - - - - -"},
		{"last of two, in both units", []clinical.Event{crp(-9, 30, "mg/L"), crp(-3, 1.2, "mg/dL"), lab(-4, "1751-7", 3.4, "g/dL", "")}, "12 3 0 34 - - 2 2 0"},
		{"albumin low alone", []clinical.Event{crp(-3, 4, "mg/L"), lab(-4, "1751-7", 30, "g/L", "")}, "4 3 0 30 - - 0 1 0"},
		{"CRP high alone", []clinical.Event{crp(-3, 10.1, "mg/L"), lab(-4, "1751-7", 35, "g/L", "")}, "10.1 3 0 35 - - 1 1 0"},
		{"CRP of 10 is not high", []clinical.Event{crp(-3, 10, "mg/L")}, "10 3 0 - - - 0 - 0"},
		{"CRP high, albumin not known", []clinical.Event{crp(-3, 40, "mg/L")}, "40 3 0 - - - - - 0"},
		{"below 5", []clinical.Event{lab(-1, "1988-5", 5, "mg/L", "<")}, "2.5 1 1 - - - 0 - 0"},
		{"below 5 as text", []clinical.Event{text}, "2.5 1 1 - - - 0 - 0"},
		{"below 20 tells no score", []clinical.Event{lab(-1, "1988-5", 20, "mg/L", "<")}, "10 1 1 - - - - - 0"},
		{"above 300", []clinical.Event{lab(-1, "1988-5", 300, "mg/L", ">"), lab(-1, "1751-7", 20, "g/L", "")}, "300 1 1 20 - - 2 2 0"},
		{"29 days ago, and tomorrow", []clinical.Event{crp(-29, 30, "mg/L"), crp(1, 30, "mg/L")}, "- - - - - - - - -"},
		{"28 days ago", []clinical.Event{crp(-28, 30, "mg/L")}, "30 28 0 - - - - - 0"},
		{"a unit of another kind", []clinical.Event{crp(-1, 30, "mmol/L")}, "- - - - - - - - - !unit_refused"},
		{"no unit", []clinical.Event{crp(-1, 30, "")}, "- - - - - - - - - !unit_missing"},
		{"below zero", []clinical.Event{crp(-1, -3, "mg/L")}, "- - - - - - - - - !negative_value"},
		{"cancelled", []clinical.Event{cancelled}, "- - - - - - - - -"},
		{"ratio of one sample", []clinical.Event{lab(-2, "751-8", 6, "10*3/uL", ""), lab(-2, "731-0", 1.5, "10*3/uL", "")}, "- - - - 4 2 - - 0"},
		{"ratio of a panel", []clinical.Event{panel}, "- - - - 4 2 - - 0"},
		{"two samples give no ratio", []clinical.Event{lab(-2, "751-8", 6, "10*3/uL", ""), lab(-3, "731-0", 1.5, "10*3/uL", "")}, "- - - - - - - - 0"},
		{"no lymphocytes", []clinical.Event{lab(-2, "751-8", 6, "10*3/uL", ""), lab(-2, "731-0", 0, "10*3/uL", "")}, "- - - - - - - - 0 !no_lymphocytes"},
		{"fever", []clinical.Event{crp(-10, 30, "mg/L"), lab(-17, "8310-5", 101.3, "[degF]", "")}, "30 10 0 - - - - - 1"},
		{"fever too early", []clinical.Event{crp(-10, 30, "mg/L"), lab(-18, "8310-5", 39, "Cel", "")}, "30 10 0 - - - - - 0"},
		{"warm, no fever", []clinical.Event{crp(-10, 30, "mg/L"), lab(-10, "8310-5", 37.9, "Cel", "")}, "30 10 0 - - - - - 0"},
		{"antibiotic after the sample", []clinical.Event{crp(-10, 30, "mg/L"), drug(clinical.Order, -4, "Piperacillin/tazobactam")}, "30 10 0 - - - - - 1"},
		{"antibiotic by ATC", []clinical.Event{crp(-1, 30, "mg/L"), drug(clinical.Administration, 0, "", clinical.Code{System: clinical.ATC, Code: "J01DD04"})}, "30 1 0 - - - - - 1"},
		{"antibiotic after time zero", []clinical.Event{crp(-1, 30, "mg/L"), drug(clinical.Order, 1, "ceftriaxone")}, "30 1 0 - - - - - 0"},
	} {
		if got := extract(t, nil, c.ev, names...); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNothingLaterCounts plants events of every kind after time zero: no column moves.
func TestNothingLaterCounts(t *testing.T) {
	var names []string
	for _, c := range genomic.New(nil).Columns() {
		names = append(names, c.Name)
		if c.Modality != "genomic" || c.Definition == "" || c.Source == "" || c.Kind == frame.Number && c.Unit == "" {
			t.Errorf("column %s: modality, definition, source or unit is missing", c.Name)
		}
	}
	before := []clinical.Event{lab(-3, "1988-5", 12, "mg/L", ""), drug(clinical.Order, -5, "codeine"), lab(-3, "1751-7", 33, "g/L", "")}
	want := extract(t, nil, before, names...)
	rapid.Check(t, func(t *rapid.T) {
		events := append([]clinical.Event(nil), before...)
		for range rapid.IntRange(1, 6).Draw(t, "n") {
			var e clinical.Event
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				e = lab(0, rapid.SampledFrom([]string{"1988-5", "1751-7", "8310-5", "751-8"}).Draw(t, "code"), 40, rapid.SampledFrom([]string{"mg/L", "g/L", "Cel", "10*3/uL"}).Draw(t, "unit"), "")
			case 1:
				e = drug(rapid.SampledFrom(clinical.Kinds()).Draw(t, "kind"), 0, rapid.SampledFrom([]string{"paroxetine", "ceftriaxone", "tramadol"}).Draw(t, "drug"))
			case 2:
				e = lab(0, "1988-5", 99, "mg/L", "")
				e.Start = clinical.OnDay(day0 - 1)
				e.Recorded = clinical.At(day0, 12*3600+1)
			default:
				e = clinical.Event{Kind: clinical.Observation, Codes: []clinical.Code{{System: clinical.Local, Code: genomic.CodeOPRM1}}, Value: clinical.Value{Kind: clinical.NumberValue, Number: 2}}
			}
			if e.Recorded.IsZero() {
				e.Start = clinical.At(day0, 12*3600+1+rapid.IntRange(0, 40*86400).Draw(t, "later"))
			}
			events = append(events, e)
		}
		h := clinical.History{Key: "p", Events: events}
		h.Sort()
		f, ws, err := feature.Build(context.Background(), []*clinical.Past{h.Until(clinical.At(day0, 12*3600))}, []feature.Extractor{genomic.New(nil)}, 1)
		if err != nil || len(ws) > 0 {
			t.Fatal(err, ws)
		}
		var got []string
		for _, n := range names {
			c, _ := f.Column(n)
			s, ok := c.String(0)
			if !ok {
				s = "-"
			}
			got = append(got, s)
		}
		if g := strings.Join(got, " "); g != want {
			t.Fatalf("got %s, want %s", g, want)
		}
	})
}

func TestReport(t *testing.T) {
	tab := stars(t, "p,OPRM1,A/G,\np,CYP2D6,*1/*4,\nq,CYP2D6,*4/*4;*1/*1,\n")
	r := tab.Report()
	if r.Samples[0].COMTA != nil || *r.Samples[0].OPRM1G != 1 || *r.Samples[0].CYP2D6.Score != 1 || r.Samples[1].CYP2D6.Score != nil || len(r.Samples[1].CYP2D6.Scores) != 2 {
		t.Errorf("got %+v", r.Samples)
	}
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"*1/*4 ", "*4/*4 or *1/*1", "recommends a drug", "cyp2d6-haplotypes 1.0.0"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, b.String())
		}
	}
	if _, err := genomic.Run(context.Background(), &genomic.Request{File: "none.vcf"}); diag.KindOf(err) != diag.Missing {
		t.Errorf("got %v", err)
	}
}

func BenchmarkExtract(b *testing.B) {
	var events []clinical.Event
	for d := -28; d <= 0; d++ {
		events = append(events, lab(d, "1988-5", 12, "mg/L", ""), drug(clinical.Order, d, "morphine 10 mg"), lab(d, "751-8", 4, "10*3/uL", ""), lab(d, "731-0", 2, "10*3/uL", ""))
	}
	h := clinical.History{Key: "p", Events: events}
	h.Sort()
	pasts := []*clinical.Past{h.Until(clinical.At(day0, 12*3600))}
	x := []feature.Extractor{genomic.New(nil)}
	for b.Loop() {
		if _, _, err := feature.Build(context.Background(), pasts, x, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleNew() {
	h := clinical.History{Key: "p", Events: []clinical.Event{lab(-1, "1988-5", 5, "mg/L", "<")}}
	f, _, err := feature.Build(context.Background(), []*clinical.Past{h.Until(clinical.At(day0, 12*3600))}, []feature.Extractor{genomic.New(nil)}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, _ := f.Column("crp")
	g, _ := f.Column("oprm1_g")
	fmt.Println(c.Numbers()[0], math.IsNaN(g.Numbers()[0]))
	// Output: 2.5 true
}
