package clinical

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
)

// TablesVersion names the edition of the embedded tables; every result that uses one prints it.
const TablesVersion = "1.0.0"

//go:embed tables
var tables embed.FS

// Table returns the raw bytes of an embedded table, e.g. "refractory-default.json".
func Table(name string) ([]byte, bool) {
	b, err := tables.ReadFile("tables/" + name)
	return b, err == nil
}

// rows reads an embedded CSV as one map a row. It panics when the table is not there or not
// CSV, which only a change of the source code can cause.
func rows(name string) []map[string]string {
	b, ok := Table(name)
	if !ok {
		panic("clinical: no table " + name)
	}
	r := csv.NewReader(bytes.NewReader(b))
	all, err := r.ReadAll()
	if err != nil {
		panic(fmt.Sprintf("clinical: table %s: %v", name, err))
	}
	out := make([]map[string]string, len(all)-1)
	for i, rec := range all[1:] {
		out[i] = make(map[string]string, len(rec))
		for j, v := range rec {
			out[i][all[0][j]] = v
		}
	}
	return out
}

// list splits a cell of codes.
func list(cell string) []string {
	var out []string
	for s := range strings.SplitSeq(cell, ";") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Adjuvant is a class of drug given beside opioids.
type Adjuvant struct {
	Class       string
	ATC         []string // codes or their first characters
	Ingredients []string // lower case
	Counts      string   // 1, 0, or the option that decides: option nsaid_counts, always
	Status      string   // how far the row was verified
}

// Adjuvants returns the classes of table adjuvants.csv.
var Adjuvants = sync.OnceValue(func() []Adjuvant {
	var out []Adjuvant
	for _, r := range rows("adjuvants.csv") {
		a := Adjuvant{Class: r["class"], ATC: list(r["atc"]), Counts: r["counts_as_adjuvant"], Status: r["status"]}
		if r["ingredients"] != "class" {
			a.Ingredients = list(strings.ToLower(r["ingredients"]))
		}
		out = append(out, a)
	}
	return out
})

// AdverseEffect is a row of table adverse-effects.csv.
type AdverseEffect struct {
	Effect        string
	ICD10, SNOMED []string
	Other, Rule   string
	DoseLimiting  string // 1, 0, "1 if grade>=3", "1 if grade>=2", "1 with response"
	Status        string
}

// AdverseEffects returns the opioid adverse effects.
var AdverseEffects = sync.OnceValue(func() []AdverseEffect {
	var out []AdverseEffect
	for _, r := range rows("adverse-effects.csv") {
		out = append(out, AdverseEffect{
			Effect: r["effect"], ICD10: list(r["icd10cm"]), SNOMED: list(r["snomed"]),
			Other: r["other"], Rule: r["grade_or_rule"], DoseLimiting: r["dlt"], Status: r["status"],
		})
	}
	return out
})

// AdjuvantClass returns the class of a drug by ATC code or ingredient name, or "".
func AdjuvantClass(codes []Code) string {
	for _, a := range Adjuvants() {
		for _, c := range codes {
			if c.System == ATC {
				for _, p := range a.ATC {
					if strings.HasPrefix(c.Code, p) {
						return a.Class
					}
				}
			}
			for _, name := range a.Ingredients {
				if HasWord(c.Display, name) {
					return a.Class
				}
			}
		}
	}
	return ""
}

// HasWord reports whether text holds word as a whole word, whatever the case.
func HasWord(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	for at := 0; ; {
		k := strings.Index(text[at:], word)
		if k < 0 {
			return false
		}
		lo, hi := at+k, at+k+len(word)
		if (lo == 0 || !letter(text[lo-1])) && (hi == len(text) || !letter(text[hi])) {
			return true
		}
		at = hi
	}
}

func letter(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b >= 0x80 }
