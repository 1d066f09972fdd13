package genomic

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"dolor/diag"
	"dolor/internal/vcf"
)

// Request names one file of genotypes and how to read it.
type Request struct {
	File       string // VCF; a name ending in .csv is a table of star alleles
	Build      string // GRCh37 or GRCh38; empty: as the header says
	CopiesFile string // CSV of sample and copies of CYP2D6; empty: none
	SitesFile  string // BED of the positions that the assay calls; empty: none
	Alleles    []string
	MinDepth   int
	MinQuality float64
	AnyFilter  bool
	BadShare   float64 // 0 means 0.05
}

// Report is what a file of genotypes says, ready for JSON; unknown numbers are null.
type Report struct {
	Samples  []SampleReport `json:"samples"`
	Build    string         `json:"build,omitempty"` // of a VCF
	Tables   []Version      `json:"tables"`
	Checks   []Check        `json:"checks"`
	Context  []Context      `json:"context"` // what the guideline says of the phenotypes found: for a reader
	Warnings []diag.Warning `json:"warnings"`
	Faults   []FaultReport  `json:"faults"` // the first records set aside
	Bad      int            `json:"bad"`    // how many there were
}

// SampleReport is one person.
type SampleReport struct {
	ID       string         `json:"id"`
	OPRM1G   *int           `json:"oprm1_g"`
	COMTA    *int           `json:"comt_a"`
	CYP2D6   CallReport     `json:"cyp2d6"`
	Warnings []diag.Warning `json:"warnings"`
}

// CallReport is one person's CYP2D6.
type CallReport struct {
	Status     Status     `json:"status"`
	Diplotypes []string   `json:"diplotypes"`
	Score      *float64   `json:"score"`
	Scores     []*float64 `json:"scores"` // of the diplotypes, distinct; null where one is unknown
	Phenotype  Phenotype  `json:"phenotype"`
}

// FaultReport is one record that was set aside.
type FaultReport struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Path string `json:"path"`
	Msg  string `json:"msg"`
}

// Run reads the file that q names. Errors are those of [ReadVCF], [ReadStars], [ReadSites] and
// [ReadCopies].
func Run(ctx context.Context, q *Request) (*Report, error) {
	o := &Options{Alleles: q.Alleles, MinDepth: q.MinDepth, MinQuality: q.MinQuality, AnyFilter: q.AnyFilter, BadShare: q.BadShare}
	var err error
	if q.Build != "" {
		if o.Build, err = vcf.ParseBuild(q.Build); err != nil {
			return nil, err
		}
	}
	if q.CopiesFile != "" {
		if o.Copies, err = ReadCopies(q.CopiesFile); err != nil {
			return nil, err
		}
	}
	if q.SitesFile != "" {
		if o.Called, err = ReadSites(q.SitesFile); err != nil {
			return nil, err
		}
	}
	read := ReadVCF
	if strings.HasSuffix(strings.ToLower(q.File), ".csv") {
		read = ReadStars
	}
	t, err := read(ctx, q.File, o)
	if err != nil {
		return nil, err
	}
	return t.Report(), nil
}

// Report puts the table into words and numbers.
func (t *Table) Report() *Report {
	r := &Report{
		Samples: make([]SampleReport, len(t.Samples)), Tables: Versions(), Checks: slices.Clone(t.Checks),
		Context: []Context{}, Warnings: append([]diag.Warning{}, t.Warnings...), Faults: []FaultReport{}, Bad: t.Bad,
	}
	if r.Checks == nil {
		r.Checks = []Check{}
	}
	if t.Build != vcf.UnknownBuild {
		r.Build = t.Build.String()
	}
	for _, e := range t.Faults {
		r.Faults = append(r.Faults, FaultReport{e.Pos.File, e.Pos.Line, e.Field, e.Msg})
	}
	found := make(map[Phenotype]bool)
	gene := map[string]bool{}
	for i := range t.Samples {
		s := &t.Samples[i]
		c := &s.CYP2D6
		r.Samples[i] = SampleReport{
			ID: s.ID, OPRM1G: count(s.OPRM1G), COMTA: count(s.COMTA), Warnings: append([]diag.Warning{}, s.Warnings...),
			CYP2D6: CallReport{Status: c.Status, Diplotypes: append([]string{}, c.Diplotypes...), Score: known(c.Score), Scores: []*float64{}, Phenotype: c.Phenotype},
		}
		for _, v := range c.Scores {
			r.Samples[i].CYP2D6.Scores = append(r.Samples[i].CYP2D6.Scores, known(v))
		}
		found[c.Phenotype] = true
		gene["OPRM1"] = gene["OPRM1"] || s.OPRM1G >= 0
		gene["COMT"] = gene["COMT"] || s.COMTA >= 0
	}
	for _, c := range Contexts() {
		if gene[c.Gene] || slices.ContainsFunc([]Phenotype{Poor, Intermediate, Normal, Ultrarapid}, func(p Phenotype) bool { return found[p] && c.Applies(p) }) {
			r.Context = append(r.Context, c)
		}
	}
	return r
}

func count(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// minForCheck is the least number of people for whom the text form shows a check.
const minForCheck = 10

// maxNamed is how many diplotypes the text form names.
const maxNamed = 4

// WriteText writes r for a reader.
func (r *Report) WriteText(w io.Writer) error {
	b := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(b, format, args...) } // Flush tells of a failed write
	p("sample\tOPRM1 G\tCOMT Met\tCYP2D6\tscore\tphenotype\n")
	for _, s := range r.Samples {
		p("%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, cell(s.OPRM1G), cell(s.COMTA), s.CYP2D6.text(), cell(s.CYP2D6.Score), s.CYP2D6.Phenotype)
	}
	if err := b.Flush(); err != nil {
		return err
	}
	var warnings []diag.Warning
	for _, s := range r.Samples {
		warnings = diag.Merge(warnings, s.Warnings...)
	}
	if r.Build != "" {
		p("\ngenome build %s\n", r.Build)
	}
	head := "\nquality\tallele\tn\tfrequency\tHardy-Weinberg p\tpublished\n"
	for _, c := range r.Checks {
		if c.N >= minForCheck {
			p("%s", head)
			head = ""
			var pub []string
			for _, f := range c.References {
				pub = append(pub, f.Population+" "+f.Frequency)
			}
			p("%s\t%s\t%d\t%.3f\t%.2g\t%s\n", c.Variant, c.Allele, c.N, c.Frequency, c.HWE, strings.Join(pub, "; "))
		}
	}
	if err := b.Flush(); err != nil {
		return err
	}
	for _, x := range slices.Concat(r.Warnings, warnings) {
		p("warning: %s (%d)\n", x.Msg, x.Count)
	}
	for _, f := range r.Faults {
		p("set aside: %s:%d: %s: %s\n", f.File, f.Line, f.Path, f.Msg)
	}
	if r.Bad > len(r.Faults) {
		p("set aside: %d records in all\n", r.Bad)
	}
	if len(r.Context) > 0 {
		p("\nWhat the guideline says, for a reader; nothing here recommends a drug, and no guideline acts on OPRM1 or COMT.\n")
		for _, c := range r.Context {
			p("  %s, %s %s: %s (%s; %s)\n", c.Drug, c.Gene, c.Phenotype, c.Text, c.Strength, c.Status)
		}
	}
	var names []string
	for _, v := range r.Tables {
		names = append(names, v.Table+" "+v.Version)
	}
	p("\ntables: %s\n", strings.Join(names, ", "))
	return b.Flush()
}

func (c *CallReport) text() string {
	switch n := len(c.Diplotypes); {
	case n == 0:
		return strings.ReplaceAll(string(c.Status), "_", " ")
	case n > maxNamed:
		return strings.Join(c.Diplotypes[:maxNamed], " or ") + fmt.Sprintf(" or %d others", n-maxNamed)
	}
	return strings.Join(c.Diplotypes, " or ")
}

// cell writes a number, or a dash for none.
func cell[T int | float64](v *T) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprint(*v)
}
