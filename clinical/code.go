package clinical

import "strings"

// System names a terminology; one that is not listed keeps its URI.
type System string

// The terminologies that tables and features know.
const (
	LOINC    System = "loinc"
	SNOMED   System = "snomed"
	RxNorm   System = "rxnorm"
	ATC      System = "atc"
	ICD10    System = "icd10"   // WHO and national editions without a clinical modification
	ICD10CM  System = "icd10cm" // United States
	ICDO3    System = "icdo3"
	UCUM     System = "ucum"
	CTCAE    System = "ctcae"
	NDC      System = "ndc"
	CVX      System = "cvx"
	CPT      System = "cpt"
	Local    System = "local" // codes of this product's own tables, and linkIds
	OMOPCode System = "omop"  // concept_id
	Unknown  System = ""      // a text without a system
)

// Code is one coding of a thing.
type Code struct {
	System  System
	Code    string
	Display string
}

var systems = map[string]System{
	"http://loinc.org":                              LOINC,
	"http://snomed.info/sct":                        SNOMED,
	"http://www.nlm.nih.gov/research/umls/rxnorm":   RxNorm,
	"http://www.whocc.no/atc":                       ATC,
	"http://hl7.org/fhir/sid/icd-10":                ICD10,
	"http://hl7.org/fhir/sid/icd-10-de":             ICD10,
	"http://fhir.de/codesystem/bfarm/icd-10-gm":     ICD10,
	"http://fhir.de/codesystem/dimdi/icd-10-gm":     ICD10,
	"http://hl7.org/fhir/sid/icd-10-cm":             ICD10CM,
	"http://terminology.hl7.org/codesystem/icd-o-3": ICDO3,
	"http://unitsofmeasure.org":                     UCUM,
	"http://hl7.org/fhir/sid/ndc":                   NDC,
	"http://hl7.org/fhir/sid/cvx":                   CVX,
	"http://www.ama-assn.org/go/cpt":                CPT,
	"urn:oid:2.16.840.1.113883.6.1":                 LOINC,
	"urn:oid:2.16.840.1.113883.6.96":                SNOMED,
	"urn:oid:2.16.840.1.113883.6.88":                RxNorm,
	"urn:oid:2.16.840.1.113883.6.73":                ATC,
	"urn:oid:2.16.840.1.113883.6.3":                 ICD10,
	"urn:oid:2.16.840.1.113883.6.90":                ICD10CM,
	"urn:oid:2.16.840.1.113883.6.8":                 UCUM,
	"urn:oid:2.16.840.1.113883.6.69":                NDC,
	// OMOP vocabulary_id
	"loinc": LOINC, "snomed": SNOMED, "rxnorm": RxNorm, "rxnorm extension": RxNorm, "atc": ATC,
	"icd10": ICD10, "icd10gm": ICD10, "icd10cm": ICD10CM, "icdo3": ICDO3, "ucum": UCUM, "ndc": NDC, "cvx": CVX, "cpt4": CPT,
}

// SystemOf returns the terminology of a FHIR system URI, an OID or an OMOP vocabulary_id; one
// that is not known is returned as it is.
func SystemOf(uri string) System {
	if s, ok := systems[strings.ToLower(strings.TrimSuffix(uri, "/"))]; ok {
		return s
	}
	return System(uri)
}

// Has reports whether codes holds the code of system.
func Has(codes []Code, system System, code string) bool {
	for _, c := range codes {
		if c.System == system && c.Code == code {
			return true
		}
	}
	return false
}

// In returns the first code of system in codes.
func In(codes []Code, system System) (string, bool) {
	for _, c := range codes {
		if c.System == system && c.Code != "" {
			return c.Code, true
		}
	}
	return "", false
}
