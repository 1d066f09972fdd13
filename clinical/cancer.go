package clinical

import (
	"slices"
	"strings"
	"sync"
)

// CancerGroup is a row of table cancer-groups.csv.
type CancerGroup struct {
	Group   string
	ICD10   []string // three-character categories
	SNOMED  []string
	Exclude []string // SNOMED codes that never count
}

// CancerGroups returns the five groups of primaries, in the order of the table.
var CancerGroups = sync.OnceValue(func() []CancerGroup {
	var out []CancerGroup
	leading := func(cell string) []string {
		var codes []string
		for _, s := range list(cell) {
			if code, _, _ := strings.Cut(s, " "); len(code) > 5 && strings.Trim(code, "0123456789") == "" {
				codes = append(codes, code)
			}
		}
		return codes
	}
	for _, r := range rows("cancer-groups.csv") {
		out = append(out, CancerGroup{r["group"], list(r["icd10"]), leading(r["snomed_examples"]), leading(r["exclude"])})
	}
	return out
})

// Malignancy says what a condition tells of cancer.
type Malignancy uint8

// The answers of [CancerOf].
const (
	NotCancer  Malignancy = iota
	Primary               // a primary of one of the groups
	OtherTumor            // a malignant primary of no group, or C76-C80
	Metastasis            // secondary: never sets the group
)

var metastasisSNOMED = []string{"128462008", "94225005"}

// CancerOf returns the group of a condition's codes. "Suspected" and in-situ codes are not
// cancer. Descendants of the listed SNOMED codes count only where the display says primary
// malignant disease of a listed site: a site without a hierarchy maps the rest itself.
func CancerOf(codes []Code) (Malignancy, string) {
	found := NotCancer
	for _, c := range codes {
		switch c.System {
		case ICD10, ICD10CM, ICDO3:
			code := strings.ToUpper(strings.ReplaceAll(c.Code, ".", ""))
			if len(code) < 3 || code[0] != 'C' {
				continue
			}
			cat := code[:3]
			if cat >= "C77" && cat <= "C79" {
				found = max(found, Metastasis)
				continue
			}
			for _, g := range CancerGroups() {
				if slices.Contains(g.ICD10, cat) {
					return Primary, g.Group
				}
			}
			found = OtherTumor
		case SNOMED:
			if slices.Contains(metastasisSNOMED, c.Code) {
				found = max(found, Metastasis)
				continue
			}
			for _, g := range CancerGroups() {
				if slices.Contains(g.Exclude, c.Code) {
					return NotCancer, ""
				}
			}
			for _, g := range CancerGroups() {
				if slices.Contains(g.SNOMED, c.Code) {
					return Primary, g.Group
				}
			}
			if m, group := cancerWords(c.Display); m != NotCancer {
				if m == Primary {
					return m, group
				}
				found = max(found, m)
			}
		default: // no terminology of diagnoses
		}
	}
	return found, ""
}

// cancerSites maps words of SNOMED displays to groups.
var cancerSites = []struct{ word, group string }{
	{"colon", "gastrointestinal"},
	{"rectum", "gastrointestinal"},
	{"rectal", "gastrointestinal"},
	{"colorectal", "gastrointestinal"},
	{"stomach", "gastrointestinal"},
	{"gastric", "gastrointestinal"},
	{"oesophagus", "gastrointestinal"},
	{"esophagus", "gastrointestinal"},
	{"pancreas", "gastrointestinal"},
	{"pancreatic", "gastrointestinal"},
	{"liver", "gastrointestinal"},
	{"hepatocellular", "gastrointestinal"},
	{"biliary", "gastrointestinal"},
	{"breast", "breast"},
	{"lung", "lung"},
	{"bronchus", "lung"},
	{"larynx", "head_neck"},
	{"pharynx", "head_neck"},
	{"tongue", "head_neck"},
	{"oral cavity", "head_neck"},
	{"head and neck", "head_neck"},
	{"prostate", "genitourinary"},
	{"bladder", "genitourinary"},
	{"kidney", "genitourinary"},
	{"renal", "genitourinary"},
	{"testis", "genitourinary"},
	{"ureter", "genitourinary"},
}

func cancerWords(display string) (Malignancy, string) {
	if HasWord(display, "suspected") || strings.Contains(strings.ToLower(display), "in situ") || HasWord(display, "benign") || HasWord(display, "history") || HasWord(display, "screening") {
		return NotCancer, ""
	}
	malignant := false
	for _, w := range []string{"malignant", "carcinoma", "cancer", "adenocarcinoma", "sarcoma", "lymphoma", "melanoma"} {
		malignant = malignant || HasWord(display, w)
	}
	if !malignant {
		return NotCancer, ""
	}
	for _, w := range []string{"secondary", "metastatic", "metastasis"} {
		if HasWord(display, w) {
			return Metastasis, ""
		}
	}
	for _, s := range cancerSites {
		if HasWord(display, s.word) {
			return Primary, s.group
		}
	}
	return OtherTumor, ""
}

// PainScale says how a pain score is read.
type PainScale struct {
	Name   string  // now, average, worst, least
	Factor float64 // to 0-10
}

// painCodes are the quantities of table instruments.csv that enter the daily pain.
var painCodes = map[Code]PainScale{
	{System: LOINC, Code: "72514-3"}: {"now", 1}, {System: LOINC, Code: "38208-5"}: {"now", 1}, {System: LOINC, Code: "56840-2"}: {"now", 1},
	{System: LOINC, Code: "38214-3"}: {"now", 0.1}, {System: SNOMED, Code: "406127006"}: {"now", 1},
	{System: Local, Code: "bpi_now"}: {"now", 1}, {System: Local, Code: "bpi_average"}: {"average", 1}, {System: Local, Code: "bpi_worst"}: {"worst", 1},
	{System: Local, Code: "esas_pain"}: {"now", 1},
}

// PainOf returns the pain score of an observation or of one item of a questionnaire, 0 to 10.
// ok is false when codes are not a pain score or the value is not a number; a number outside
// 0 to 10 gives ok and bad: it is missing and must be warned of. A visual analogue scale counts
// millimetres.
func PainOf(codes []Code, v Value) (score float64, scale string, bad, ok bool) {
	for _, c := range codes {
		s, found := painCodes[Code{System: c.System, Code: c.Code}]
		if !found {
			continue
		}
		if v.Kind != NumberValue || v.Compare != "" {
			return 0, "", false, false
		}
		score = v.Number
		if s.Factor != 1 && (score > 10 || v.Unit == "mm") {
			score *= s.Factor
		}
		return score, s.Name, !(score >= 0 && score <= 10), true
	}
	return 0, "", false, false
}
