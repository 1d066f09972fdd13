// Package genomic computes the predictors of the genomic domain: OPRM1 and COMT genotypes, the
// CYP2D6 diplotype with its activity score and phenotype, and the markers of inflammation that
// the domain is reported with.
//
// Genotypes come from a VCF file ([ReadVCF]), from a table of star alleles ([ReadStars]) or,
// as events with codes of this product, in the history itself ([Events]). [New] makes the
// extractor. A genotype does not change in life, so time zero does not bound it; its report
// does: a genotype with a date of report is invisible to a prediction made before that date.
//
// A position without a record is a reference position only where a reference block or a list
// of called sites covers it; else it is unknown, and every diplotype that the rest allows is
// kept. A phenotype is given only when all of them agree.
//
// Genotypes are context for a reader: no guideline acts on OPRM1 or COMT, and nothing here
// recommends a drug. Variants and functions are from tables whose versions [Versions] lists.
//
// Sources: Crews et al., Clinical Pharmacogenetics Implementation Consortium guideline for
// CYP2D6, OPRM1 and COMT genotypes and select opioid therapy, Clinical Pharmacology and Therapeutics 2021,
// doi 10.1002/cpt.2149; Caudle et al., Clin Transl Sci 2020;13:116-124, doi 10.1111/cts.12692;
// Twesigomwe et al., StellarPGx, Clinical Pharmacology and Therapeutics 2021, doi 10.1002/cpt.2173.
package genomic

import (
	"math"

	"dolor/clinical"
	"dolor/diag"
	"dolor/internal/vcf"
)

// Sample is what is known of one person's genotypes.
type Sample struct {
	ID       string
	OPRM1G   int // copies of G at rs1799971; -1: no call
	COMTA    int // copies of A (Met) at rs4680; -1: no call
	CYP2D6   Call
	Reported clinical.Time // of a star-allele table; zero: not stated
	Warnings []diag.Warning
}

// Status says how far a CYP2D6 call went.
type Status string

// The states of a call.
const (
	Called    Status = "called"    // one diplotype is left
	Ambiguous Status = "ambiguous" // several are, all listed
	NoCall    Status = "no_call"   // the genotype contradicts itself or fits no pair of known alleles
	Absent    Status = "missing"   // no position of the gene was called
)

// Phenotype is what an activity score means.
type Phenotype string

// The phenotypes, in the words of table cyp2d6-phenotype.
const (
	Poor          Phenotype = "poor"
	Intermediate  Phenotype = "intermediate"
	Normal        Phenotype = "normal"
	Ultrarapid    Phenotype = "ultrarapid"
	Indeterminate Phenotype = "indeterminate"
)

// Call is one person's CYP2D6.
type Call struct {
	Status     Status
	Diplotypes []string  // all that are left, ordered: *1/*4, *1x2/*10, *5/*41
	Scores     []float64 // their distinct activity scores, rising; NaN last, when one is unknown
	Score      float64   // when all agree, else NaN
	Phenotype  Phenotype // when all agree, else Indeterminate
	Copies     int       // of the gene; -1: not stated, 2 assumed
	Called     int       // positions of the table that were called, of Sites
	Sites      int
}

// Table is the genotypes of one file.
type Table struct {
	Samples []Sample
	Build   vcf.Build // of a VCF
	Faults  []*diag.Error
	Bad     int // records set aside; Faults holds the first
	// Warnings tell of the whole file.
	Warnings []diag.Warning
	Checks   []Check // of the sites, by location; one location when the file is one

	counts map[string][]int8 // by variant: copies of its allele in each sample, -1 unknown
	index  map[string]int
}

// Lookup returns the sample of a patient key, or nil.
func (t *Table) Lookup(key string) *Sample {
	if t == nil {
		return nil
	}
	i, ok := t.index[key]
	if !ok {
		return nil
	}
	return &t.Samples[i]
}

// Keyed returns the table with key(ID) in place of each ID, as a source with salted keys needs it:
// t.Keyed(options.Key). Errors are of kind Invalid when two samples get one key.
func (t *Table) Keyed(key func(id string) string) (*Table, error) {
	out := *t
	out.Samples = make([]Sample, len(t.Samples))
	out.index = make(map[string]int, len(t.Samples))
	for i, s := range t.Samples {
		s.ID = key(s.ID)
		if _, dup := out.index[s.ID]; dup {
			return nil, diag.Errorf(diag.Invalid, "sample", "expected one sample a patient, got two for one key")
		}
		out.Samples[i], out.index[s.ID] = s, i
	}
	return &out, nil
}

// noCall returns a call of nothing.
func noCall(status Status, copies int) Call {
	return Call{Status: status, Score: math.NaN(), Phenotype: Indeterminate, Copies: copies}
}
