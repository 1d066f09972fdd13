package genomic

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"dolor/clinical"
	"dolor/diag"
)

// ReadStars reads a table of star alleles, CSV with the columns sample, gene and diplotype or
// phenotype or both, and optionally date (of the report). Genes are CYP2D6 (diplotype *1/*4,
// *2x2/*1, *36+*10/*1; several possible ones separated by semicolons), OPRM1 and COMT (genotype A/G;
// of COMT also Val/Met). A row that cannot be understood is set aside. A phenotype stated without
// a diplotype is taken as it is, without a score; one that the diplotype contradicts is warned of,
// and that of the diplotype stands. Errors are of kind Missing, Invalid, or Unfit when more than
// the share o.BadShare of rows is bad.
func ReadStars(ctx context.Context, path string, o *Options) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &diag.Error{Kind: diag.KindOf(err), Pos: diag.Pos{File: path}, Msg: "cannot be opened", Err: err}
	}
	defer func() { _ = f.Close() }() // only read from
	return ReadStarsFrom(ctx, f, path, o)
}

// maxStars bounds a table of star alleles in bytes.
const maxStars = 1 << 30

// ReadStarsFrom reads as [ReadStars] does, from src, which name stands for in messages.
func ReadStarsFrom(ctx context.Context, src io.Reader, name string, o *Options) (*Table, error) {
	if o == nil {
		o = &Options{}
	}
	share := o.BadShare
	if share <= 0 {
		share = 0.05
	}
	t := &Table{index: make(map[string]int), counts: make(map[string][]int8)}
	seen := make(map[string]bool)
	var list diag.List
	all := 0
	var stop error
	err := eachRowOf(io.LimitReader(src, maxStars), name, []string{"sample", "gene"}, []string{"diplotype", "phenotype", "date"}, func(pos diag.Pos, row map[string]string) *diag.Error {
		if all++; all%1024 == 0 && ctx.Err() != nil {
			stop = ctx.Err()
			return &diag.Error{Kind: diag.Canceled}
		}
		if e := t.star(pos, row, seen); e != nil {
			list.Add(e)
			t.Bad++
		}
		return nil
	})
	if stop != nil {
		return nil, stop
	}
	if err != nil {
		return nil, err
	}
	if t.Bad > 0 && float64(t.Bad) > share*float64(all) {
		return nil, &diag.Error{Kind: diag.Unfit, Msg: "too many bad records", Err: list.Err(), Hint: "repair the table, or allow a larger share of bad records"}
	}
	t.Faults = list.Faults()
	g, a := make([]int8, len(t.Samples)), make([]int8, len(t.Samples))
	for i, s := range t.Samples {
		g[i], a[i] = int8(s.OPRM1G), int8(s.COMTA)
	}
	t.counts["rs1799971G"], t.counts["rs4680A"] = g, a
	t.Checks, t.Warnings = t.ChecksBy(func(string) string { return "" })
	return t, nil
}

// star takes up one row.
func (t *Table) star(pos diag.Pos, row map[string]string, seen map[string]bool) *diag.Error {
	bad := func(field, msg string) *diag.Error {
		return &diag.Error{Kind: diag.Invalid, Pos: pos, Field: field, Msg: msg}
	}
	id, gene := row["sample"], strings.ToUpper(row["gene"])
	if id == "" {
		return bad("sample", "expected a sample, got an empty cell")
	}
	if !slices.Contains([]string{"CYP2D6", "OPRM1", "COMT"}, gene) {
		return bad("gene", "expected CYP2D6, OPRM1 or COMT, got "+diag.Describe(row["gene"]))
	}
	if seen[id+"\t"+gene] {
		return bad("sample", "expected one row a sample and gene, got a second")
	}
	var reported clinical.Time
	if d := row["date"]; d != "" {
		var err error
		if reported, err = clinical.ParseTime(d); err != nil {
			return bad("date", "expected a date such as 2026-05-17, got "+diag.Describe(d))
		}
	}
	count, call := -1, noCall(Absent, -1)
	var warning *diag.Warning
	switch gene {
	case "CYP2D6":
		var err error
		if call, warning, err = stated(row["diplotype"], row["phenotype"]); err != nil {
			return bad("diplotype", err.Error())
		}
	default:
		var msg string
		if count, msg = alleleCount(gene, row["diplotype"]); msg != "" {
			return bad("diplotype", msg)
		}
	}
	seen[id+"\t"+gene] = true
	i, ok := t.index[id]
	if !ok {
		i = len(t.Samples)
		t.index[id] = i
		t.Samples = append(t.Samples, Sample{ID: id, OPRM1G: -1, COMTA: -1, CYP2D6: noCall(Absent, -1)})
	}
	s := &t.Samples[i]
	switch gene {
	case "CYP2D6":
		s.CYP2D6 = call
	case "OPRM1":
		s.OPRM1G = count
	case "COMT":
		s.COMTA = count
	}
	if warning != nil {
		s.Warnings = diag.Merge(s.Warnings, *warning)
	}
	if s.Reported.IsZero() || !reported.IsZero() && reported.Latest() > s.Reported.Latest() {
		s.Reported = reported // the last of a sample's reports: nothing is seen too early
	}
	return nil
}

// stated makes a call of a diplotype and a phenotype as a laboratory reports them.
func stated(diplotype, phenotype string) (Call, *diag.Warning, error) {
	p, err := parsePhenotype(phenotype)
	if err != nil {
		return Call{}, nil, err
	}
	if isNone(diplotype) {
		c := noCall(Absent, -1)
		if p != "" {
			c.Status, c.Phenotype = Called, p
		}
		return c, nil, nil
	}
	var options []Diplotype
	for part := range strings.SplitSeq(diplotype, ";") {
		d, err := ParseDiplotype(part)
		if err != nil {
			return Call{}, nil, diag.Errorf(diag.Invalid, "", "expected alleles such as *1/*4, *2x2/*1 or *36+*10/*1, got %s", diag.Describe(diplotype))
		}
		if options = append(options, d); len(options) > 1<<15 {
			return Call{}, nil, diag.Errorf(diag.Invalid, "", "expected a list of reasonable length, got more than 32768 diplotypes")
		}
	}
	c := resolve(options, -1)
	for _, d := range options {
		if d.disputed() {
			return c, &diag.Warning{Code: "disputed_value", Count: 1, Msg: "CYP2D6: tables differ on the activity value of an allele"}, nil
		}
	}
	if p != "" && p != c.Phenotype {
		return c, &diag.Warning{Code: "phenotype_differs", Count: 1, Msg: "CYP2D6: the stated phenotype is not that of the diplotype by the table; that of the diplotype stands"}, nil
	}
	return c, nil, nil
}

func isNone(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", ".", "./.", "na", "n/a", "no call", "unknown":
		return true
	}
	return false
}

// parsePhenotype reads poor, PM, Poor Metabolizer...; empty for none stated.
func parsePhenotype(s string) (Phenotype, error) {
	if strings.TrimSpace(s) == "" {
		return "", nil
	}
	t := strings.ToLower(strings.TrimSpace(s))
	t = strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(t, "metabolizer"), "metaboliser"))
	t, _, _ = strings.Cut(t, " metaboli")
	switch t {
	case "poor", "pm":
		return Poor, nil
	case "intermediate", "im":
		return Intermediate, nil
	case "normal", "extensive", "nm", "em":
		return Normal, nil
	case "ultrarapid", "ultra-rapid", "um":
		return Ultrarapid, nil
	case "indeterminate", "unknown", "na", "n/a", "no call":
		return Indeterminate, nil
	}
	return "", diag.Errorf(diag.Invalid, "", "expected poor, intermediate, normal, ultrarapid or indeterminate, got %s", diag.Describe(s))
}

// alleleCount reads a genotype of OPRM1 rs1799971 (copies of G) or COMT rs4680 (copies of A).
// Both genes lie on the plus strand and the alleles are A and G, so that T and C can only come from
// the other strand and are refused.
func alleleCount(gene, s string) (n int, msg string) {
	if isNone(s) {
		return -1, ""
	}
	t := strings.ToUpper(strings.TrimSpace(s))
	if gene == "COMT" {
		t = strings.NewReplacer("VAL", "G", "MET", "A").Replace(t)
	}
	t = strings.NewReplacer("/", "", "|", "", " ", "").Replace(t)
	counted := byte('G')
	if gene == "COMT" {
		counted = 'A'
	}
	if len(t) != 2 || strings.Trim(t, "ACGT") != "" {
		return -1, "expected a genotype such as A/G, got " + diag.Describe(s)
	}
	for i := range 2 {
		switch t[i] {
		case counted:
			n++
		case 'A', 'G':
		default:
			return -1, "expected alleles A and G of the plus strand, got alleles of the other strand"
		}
	}
	return n, ""
}

// Codes of the events by which genotypes travel in a history.
const (
	CodeCYP2D6 = "genotype-CYP2D6" // text: diplotypes separated by semicolons, or a phenotype
	CodeOPRM1  = "genotype-OPRM1"  // number: copies of G at rs1799971
	CodeCOMT   = "genotype-COMT"   // number: copies of A at rs4680
)

// Events returns s as observations for a history: a source that finds genotypes beside its records
// adds them. They start and are recorded at reported, from when on a prediction may see them.
// What was not called has no event.
func (s *Sample) Events(reported clinical.Time) []clinical.Event {
	var out []clinical.Event
	add := func(code string, v clinical.Value) {
		out = append(out, clinical.Event{
			Kind: clinical.Observation, Start: reported, Recorded: reported, Status: "final", Category: "laboratory",
			Codes: []clinical.Code{{System: clinical.Local, Code: code}}, Value: v,
		})
	}
	if s.OPRM1G >= 0 {
		add(CodeOPRM1, clinical.Value{Kind: clinical.NumberValue, Number: float64(s.OPRM1G), Unit: "1"})
	}
	if s.COMTA >= 0 {
		add(CodeCOMT, clinical.Value{Kind: clinical.NumberValue, Number: float64(s.COMTA), Unit: "1"})
	}
	switch c := &s.CYP2D6; {
	case len(c.Diplotypes) > 0:
		add(CodeCYP2D6, clinical.Value{Kind: clinical.TextValue, Text: strings.Join(c.Diplotypes, ";")})
	case c.Status != Absent:
		add(CodeCYP2D6, clinical.Value{Kind: clinical.TextValue, Text: string(c.Phenotype)})
	}
	return out
}

// fromEvents reads the genotypes of events, the last of each gene.
func fromEvents(events []clinical.Event) (s Sample, found bool) {
	s = Sample{OPRM1G: -1, COMTA: -1, CYP2D6: noCall(Absent, -1)}
	for i := range events {
		e := &events[i]
		if e.Kind != clinical.Observation {
			continue
		}
		code, ok := clinical.In(e.Codes, clinical.Local)
		if !ok || !strings.HasPrefix(code, "genotype-") {
			continue
		}
		switch code {
		case CodeOPRM1, CodeCOMT:
			n := -1
			switch v := e.Value; v.Kind {
			case clinical.NumberValue:
				if v.Number == 0 || v.Number == 1 || v.Number == 2 {
					n = int(v.Number)
				}
			case clinical.TextValue:
				n, _ = alleleCount(strings.TrimPrefix(code, "genotype-"), v.Text)
			default: // no genotype
			}
			if n < 0 {
				s.Warnings = diag.Merge(s.Warnings, diag.Warning{Code: "genotype_unread", Count: 1, Msg: code + ": expected 0, 1 or 2 copies"})
				continue
			}
			if code == CodeOPRM1 {
				s.OPRM1G = n
			} else {
				s.COMTA = n
			}
			found = true
		case CodeCYP2D6:
			text := e.Value.Text
			c, w, err := stated(text, "")
			if err != nil {
				c, w, err = stated("", text)
			}
			if err != nil {
				s.Warnings = diag.Merge(s.Warnings, diag.Warning{Code: "genotype_unread", Count: 1, Msg: code + ": expected diplotypes or a phenotype"})
				continue
			}
			if w != nil {
				s.Warnings = diag.Merge(s.Warnings, *w)
			}
			s.CYP2D6, found = c, true
		}
	}
	return s, found
}
