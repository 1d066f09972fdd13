package genomic

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	"dolor/diag"
)

// Check is the quality of one variant at one location: how often its allele was seen, and whether
// the genotypes are in Hardy-Weinberg proportions. A p below 1e-6 speaks of a fault in the
// laboratory or of mixed populations.
type Check struct {
	Location   string      `json:"location,omitempty"`
	Variant    string      `json:"variant"`
	Allele     string      `json:"allele"`
	N          int         `json:"n"` // people with a call
	Frequency  float64     `json:"frequency"`
	HWE        float64     `json:"hwe_p"` // exact test
	References []Frequency `json:"references,omitempty"`
}

// Frequency is a published frequency of the same allele.
type Frequency struct {
	Population string `json:"population"`
	Frequency  string `json:"frequency"` // a number or a range
	Status     string `json:"status"`
}

// hweLimit is the p below which Hardy-Weinberg proportions are warned of (domain specification).
const hweLimit = 1e-6

// HWE returns the exact p of Hardy-Weinberg proportions given the counts of the three genotypes:
// the sum of the probabilities of all numbers of heterozygotes that are no likelier than the one
// seen (Wigginton, Cutler and Abecasis 2005, A note on exact tests of Hardy-Weinberg equilibrium,
// doi 10.1086/429864). It is NaN without genotypes or with a negative count. Cost is linear in
// the number of people.
func HWE(refHom, het, altHom int) float64 {
	n := refHom + het + altHom
	if n == 0 || refHom < 0 || het < 0 || altHom < 0 {
		return math.NaN()
	}
	rare := 2*min(refHom, altHom) + het
	// start where the probability is greatest and walk both ways, relative to it
	mid := rare * (2*n - rare) / (2 * n)
	if mid%2 != rare%2 {
		mid++
	}
	probs := make([]float64, rare+1)
	probs[mid] = 1
	sum := 1.0
	homR, homC := (rare-mid)/2, n-mid-(rare-mid)/2
	for h, r, c := mid, homR, homC; h >= 2; h, r, c = h-2, r+1, c+1 {
		probs[h-2] = probs[h] * float64(h) * float64(h-1) / (4 * float64(r+1) * float64(c+1))
		sum += probs[h-2]
	}
	for h, r, c := mid, homR, homC; h+2 <= rare; h, r, c = h+2, r-1, c-1 {
		probs[h+2] = probs[h] * 4 * float64(r) * float64(c) / (float64(h+2) * float64(h+1))
		sum += probs[h+2]
	}
	p := 0.0
	for _, q := range probs {
		if q <= probs[het]*(1+1e-9) {
			p += q
		}
	}
	return math.Min(1, p/sum)
}

// ChecksBy returns the checks by location, as location tells it of each sample's ID, for every
// variant with at least one call; and a warning of each that is out of Hardy-Weinberg proportions.
func (t *Table) ChecksBy(location func(id string) string) ([]Check, []diag.Warning) {
	groups := make(map[string][]int)
	for i, s := range t.Samples {
		at := location(s.ID)
		groups[at] = append(groups[at], i)
	}
	var out []Check
	var warnings []diag.Warning
	c := theCatalogue()
	for _, at := range slices.Sorted(maps.Keys(groups)) {
		for _, v := range c.variants {
			counts := t.counts[v.rsid+v.alt]
			if v.rsid == "" || counts == nil {
				continue
			}
			var n [3]int
			for _, i := range groups[at] {
				if k := counts[i]; k >= 0 {
					n[k]++
				}
			}
			all := n[0] + n[1] + n[2]
			if all == 0 {
				continue
			}
			k := Check{
				Location: at, Variant: v.gene + " " + v.rsid, Allele: v.alt, N: all,
				Frequency: float64(n[1]+2*n[2]) / float64(2*all), HWE: HWE(n[0], n[1], n[2]), References: published(v.rsid),
			}
			out = append(out, k)
			if k.HWE < hweLimit {
				warnings = append(warnings, diag.Warning{
					Code: "hardy_weinberg", Count: 1, First: at,
					Msg: k.Variant + ": genotypes are not in Hardy-Weinberg proportions (p " + strconv.FormatFloat(k.HWE, 'g', 2, 64) + ")",
				})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Check) int { return cmp.Compare(a.Location, b.Location) })
	return out, warnings
}

func published(rsid string) []Frequency {
	var out []Frequency
	for _, r := range records("allele-frequencies") {
		if r["variant"] == rsid {
			out = append(out, Frequency{r["population"], r["frequency"], r["status"]})
		}
	}
	return out
}
