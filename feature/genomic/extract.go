package genomic

import (
	"context"
	"math"

	"dolor/clinical"
	"dolor/feature"
	"dolor/frame"
)

// Settings say where an extractor finds genotypes and how it reads medication. Nil is allowed.
type Settings struct {
	// Genotypes are of the patients, by patient key (see [Table.Keyed]). Nil: the events of the
	// history alone tell (see [Sample.Events]).
	Genotypes *Table
	// HalveModerate halves the activity score under a moderate inhibitor in the columns that
	// account for inhibitors.
	HalveModerate bool
}

// Extractor computes the columns of the genomic domain. It is safe for concurrent use.
type Extractor struct {
	set  Settings
	cols []feature.Column
}

var _ feature.Extractor = (*Extractor)(nil)

// New returns the extractor.
func New(s *Settings) *Extractor {
	x := &Extractor{cols: columns()}
	if s != nil {
		x.set = *s
	}
	return x
}

// The columns, in order.
const (
	colOPRM1 = iota
	colOPRM1Carrier
	colCOMT
	colScore
	colPhenotype
	colInhibitor
	colScoreNow
	colPhenotypeNow
	colRelevant
	colInteraction
	colCRP
	colCRPAge
	colCRPCensored
	colHsCRP
	colHsCRPAge
	colIL6
	colIL6Age
	colAlbumin
	colAlbuminAge
	colNeutrophils
	colLymphocytes
	colNLR
	colNLRAge
	colMGPS
	colGPS
	colInfection
)

var short = map[Phenotype]string{Poor: "PM", Intermediate: "IM", Normal: "NM", Ultrarapid: "UM", Indeterminate: "indeterminate"}

func columns() []feature.Column {
	const (
		cpic = "CPIC 2021, doi 10.1002/cpt.2149"
		lab  = "table inflammatory-labs"
	)
	num := func(name, unit string, from int, lo, hi float64, direction, definition, source string, codes ...string) feature.Column {
		c := feature.Column{
			Field: frame.Field{Name: name, Kind: frame.Number, Unit: unit, Modality: "genomic"},
			From:  from, Min: lo, Max: hi, Direction: direction, Definition: definition, Source: source,
		}
		for _, code := range codes {
			c.Codes = append(c.Codes, clinical.Code{System: clinical.LOINC, Code: code})
		}
		return c
	}
	cat := func(name string, from int, levels []string, definition, source string) feature.Column {
		return feature.Column{
			Field: frame.Field{Name: name, Kind: frame.Category, Modality: "genomic", Levels: levels},
			From:  from, Definition: definition, Source: source,
		}
	}
	local := func(c feature.Column, code string) feature.Column {
		c.Codes = append(c.Codes, clinical.Code{System: clinical.Local, Code: code})
		return c
	}
	const life = -36525 // germline: whenever it was reported
	phenotypes := []string{"PM", "IM", "NM", "UM", "indeterminate"}
	const worse = "higher is worse"
	return []feature.Column{
		local(num("oprm1_g", "1", life, 0, 2, "", "copies of G at OPRM1 rs1799971 (118A>G); no call is missing", cpic), CodeOPRM1),
		local(num("oprm1_g_carrier", "1", life, 0, 1, "", "1 with a copy of G at OPRM1 rs1799971, else 0", cpic), CodeOPRM1),
		local(num("comt_met", "1", life, 0, 2, "", "copies of A (Met) at COMT rs4680 (472G>A); no call is missing", cpic), CodeCOMT),
		local(num("cyp2d6_score", "1", life, 0, 16, "", "CYP2D6 activity score of the genotype; missing unless every possible diplotype has the same", cpic), CodeCYP2D6),
		local(cat("cyp2d6_phenotype", life, phenotypes, "CYP2D6 phenotype of the genotype; indeterminate when possible diplotypes differ or an allele is unknown, missing without a genotype", cpic), CodeCYP2D6),
		cat("cyp2d6_inhibitor", inhibitorDays, []string{"none", "moderate", "strong"}, "strongest CYP2D6 inhibitor taken; missing without any medication record", "table cyp2d6-drugs"),
		num("cyp2d6_score_inhibited", "1", life, 0, 16, "", "cyp2d6_score after inhibitors: a strong one makes it 0, a moderate one halves it where that is set", "table cyp2d6-drugs"),
		cat("cyp2d6_phenotype_inhibited", life, phenotypes, "phenotype of the score after inhibitors; poor under a strong one whatever the genotype", "table cyp2d6-drugs"),
		num("cyp2d6_relevant", "1", lookBackDays, 0, 1, "", "1 when codeine, tramadol, hydrocodone or oxycodone is taken, else 0; missing without any medication record", cpic),
		cat("cyp2d6_phenotype_relevant", life, append([]string{"not relevant"}, phenotypes...), "phenotype after inhibitors while a relevant opioid is taken", "ours"),
		num("crp", "mg/L", lookBackDays, 0, 1000, worse, "last C-reactive protein; below the limit of detection at half of it", lab, "1988-5"),
		num("crp_age", "d", lookBackDays, 0, 28, "", "days from the last C-reactive protein to time zero", lab, "1988-5"),
		num("crp_censored", "1", lookBackDays, 0, 1, "", "1 when the last C-reactive protein is stated as below or above a limit", lab, "1988-5"),
		num("hscrp", "mg/L", lookBackDays, 0, 1000, worse, "last high-sensitivity C-reactive protein; below the limit of detection at half of it", lab, "30522-7"),
		num("hscrp_age", "d", lookBackDays, 0, 28, "", "days from it to time zero", lab, "30522-7"),
		num("il6", "pg/mL", lookBackDays, 0, 1e6, worse, "last interleukin 6; below the limit of detection at half of it", lab, "26881-3"),
		num("il6_age", "d", lookBackDays, 0, 28, "", "days from it to time zero", lab, "26881-3"),
		num("albumin", "g/L", lookBackDays, 5, 70, "higher is better", "last serum albumin", lab, "1751-7"),
		num("albumin_age", "d", lookBackDays, 0, 28, "", "days from it to time zero", lab, "1751-7"),
		num("neutrophils", "10*3/uL", lookBackDays, 0, 200, "", "last neutrophil count", lab, "751-8", "26499-4"),
		num("lymphocytes", "10*3/uL", lookBackDays, 0, 500, "", "last lymphocyte count", lab, "731-0", "26474-7"),
		num("nlr", "1", lookBackDays, 0, 500, worse, "neutrophils by lymphocytes of the last sample with both", lab, "751-8", "26499-4", "731-0", "26474-7"),
		num("nlr_age", "d", lookBackDays, 0, 28, "", "days from that sample to time zero", lab),
		num("mgps", "1", lookBackDays, 0, 2, worse, "modified Glasgow prognostic score: 0 with CRP up to 10 mg/L, else 1, 2 with albumin below 35 g/L as well", lab, "1988-5", "30522-7", "1751-7"),
		num("gps", "1", lookBackDays, 0, 2, worse, "Glasgow prognostic score: a point each for CRP above 10 mg/L and albumin below 35 g/L", lab, "1988-5", "30522-7", "1751-7"),
		num("infection_confounded", "1", lookBackDays-7, 0, 1, "", "1 when an antibiotic was begun or fever measured within 7 days of the last inflammatory marker; missing without a marker", "ours"),
	}
}

// Columns declares the columns.
func (x *Extractor) Columns() []feature.Column { return x.cols }

// Extract fills row from the genotypes that were reported before the past's end and from its events.
func (x *Extractor) Extract(_ context.Context, past *clinical.Past, row *feature.Row) error {
	s, ok := x.genotype(past)
	d := readDrugs(past)
	for _, w := range s.Warnings {
		row.Warn(w.Code, w.Msg)
	}
	if ok {
		x.genes(&s, row)
	}
	x.inhibition(&s, ok, d, row)
	inflammation(past, row)
	return nil
}

// genotype returns what was known of the patient's genotypes at the end of the past: the table
// where it holds the patient, and otherwise, gene by gene, the events.
func (x *Extractor) genotype(past *clinical.Past) (Sample, bool) {
	fromPast, found := fromEvents(past.Events())
	s := x.set.Genotypes.Lookup(past.Key())
	if s == nil || !s.Reported.IsZero() && s.Reported.Latest() > past.At().Earliest() {
		return fromPast, found
	}
	out := *s
	if out.OPRM1G < 0 {
		out.OPRM1G = fromPast.OPRM1G
	}
	if out.COMTA < 0 {
		out.COMTA = fromPast.COMTA
	}
	if out.CYP2D6.Status == Absent {
		out.CYP2D6 = fromPast.CYP2D6
	}
	return out, true
}

func (x *Extractor) genes(s *Sample, row *feature.Row) {
	if s.OPRM1G >= 0 {
		row.Number(colOPRM1, float64(s.OPRM1G))
		row.Number(colOPRM1Carrier, truth(s.OPRM1G > 0))
	}
	if s.COMTA >= 0 {
		row.Number(colCOMT, float64(s.COMTA))
	}
	if s.CYP2D6.Status != Absent {
		row.Number(colScore, s.CYP2D6.Score)
		row.Level(colPhenotype, short[s.CYP2D6.Phenotype])
	}
}

func (x *Extractor) inhibition(s *Sample, known bool, d drugs, row *feature.Row) {
	if !d.any {
		return
	}
	switch {
	case d.strong:
		row.Level(colInhibitor, "strong")
	case d.moderate:
		row.Level(colInhibitor, "moderate")
	default:
		row.Level(colInhibitor, "none")
	}
	row.Number(colRelevant, truth(d.relevant))
	p := Phenotype("")
	if known && s.CYP2D6.Status != Absent {
		score := s.CYP2D6.Score
		p = s.CYP2D6.Phenotype
		switch {
		case d.strong:
			score, p = 0, Poor // whatever the genotype
		case d.moderate && x.set.HalveModerate:
			score = Phenoconvert(score, false, true, true)
			p = halved(&s.CYP2D6)
		}
		row.Number(colScoreNow, score)
		row.Level(colPhenotypeNow, short[p])
	}
	switch {
	case !d.relevant:
		row.Level(colInteraction, "not relevant")
	case p != "":
		row.Level(colInteraction, short[p])
	}
}

// halved returns the phenotype of half of every possible score, when all agree.
func halved(c *Call) Phenotype {
	if len(c.Scores) == 0 {
		return Indeterminate
	}
	p := PhenotypeOf(c.Scores[0] / 2)
	for _, s := range c.Scores[1:] {
		if PhenotypeOf(s/2) != p {
			return Indeterminate
		}
	}
	return p
}

func inflammation(past *clinical.Past, row *feature.Row) {
	l := readLabs(past)
	day0 := past.Day0()
	last := clinical.Day(math.MinInt32)
	put := func(m marker, value, age int) {
		r := l.last[m]
		if !r.found {
			return
		}
		row.Number(value, r.value)
		if age >= 0 {
			row.Number(age, float64(day0-r.start.Day()))
		}
		last = max(last, r.start.Day())
	}
	put(crp, colCRP, colCRPAge)
	put(hsCRP, colHsCRP, colHsCRPAge)
	put(il6, colIL6, colIL6Age)
	put(albumin, colAlbumin, colAlbuminAge)
	put(neutrophils, colNeutrophils, -1)
	put(lymphocytes, colLymphocytes, -1)
	if r := l.last[crp]; r.found {
		row.Number(colCRPCensored, truth(r.below || r.above))
	}
	if !math.IsNaN(l.nlr) {
		row.Number(colNLR, l.nlr)
		row.Number(colNLRAge, float64(day0-l.nlrStart.Day()))
	}
	mgps, gps := scores(l.acutePhase(), l.last[albumin])
	row.Number(colMGPS, mgps)
	row.Number(colGPS, gps)
	if last > math.MinInt32 {
		row.Number(colInfection, truth(infected(past, last)))
	}
	for _, w := range []struct {
		n         int
		code, msg string
	}{
		{l.unitless, "unit_missing", "inflammatory marker without a unit: not used"},
		{l.badUnit, "unit_refused", "inflammatory marker in a unit that is not one of its kind: not used"},
		{l.negative, "negative_value", "inflammatory marker below zero: not used"},
		{l.zero, "no_lymphocytes", "lymphocyte count of zero: no ratio"},
	} {
		for range w.n {
			row.Warn(w.code, w.msg)
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
