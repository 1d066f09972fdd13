package genomic

import (
	"slices"
	"strings"
	"sync"

	"dolor/clinical"
)

// inhibitor is a row of table cyp2d6-drugs.
type inhibitor struct {
	strong bool
	rxnorm string
	atc    []string
	names  []string
}

var inhibitors = sync.OnceValue(func() []inhibitor {
	var out []inhibitor
	for _, r := range records("cyp2d6-drugs") {
		out = append(out, inhibitor{r["role"] == "strong", r["rxnorm_ingredient"], strings.Split(r["atc"], ";"), strings.Split(r["names"], "|")})
	}
	return out
})

// topical is the ATC groups of forms that do not reach the liver in doses that matter.
var topical = []string{"D01AE"}

// is reports whether the drug holds the inhibitor: by RxNorm ingredient, ATC or name.
func (in *inhibitor) is(codes []clinical.Code) bool {
	for _, c := range codes {
		if c.System == clinical.ATC && slices.ContainsFunc(topical, func(p string) bool { return strings.HasPrefix(c.Code, p) }) {
			return false
		}
	}
	for _, c := range codes {
		switch {
		case c.System == clinical.RxNorm && c.Code == in.rxnorm:
			return true
		case c.System == clinical.ATC && slices.Contains(in.atc, c.Code):
			return true
		case slices.ContainsFunc(in.names, func(n string) bool { return clinical.HasWord(c.Display, n) }):
			return true
		}
	}
	return false
}

// taking reports whether the event shows the drug taken on a day of [from, to]: an administration or
// a dispensing on such a day or whose supply reaches it, an order or statement that holds then. One
// without an end holds for a year (ours).
func taking(e *clinical.Event, from, to clinical.Day) bool {
	if e.Drug == nil || refused(e) {
		return false
	}
	start := e.Start.Day()
	if start > to {
		return false
	}
	end := start
	switch e.Kind {
	case clinical.Administration:
		if !e.End.IsZero() {
			end = e.End.Day()
		}
	case clinical.Dispense:
		end = start + clinical.Day(max(e.Drug.Supply, 1)) - 1
	case clinical.Order, clinical.Statement:
		end = start + 365
		if !e.End.IsZero() {
			end = e.End.Day()
		} else if last, ok := bounded(e); ok {
			end = last
		}
	default:
		return false
	}
	return end >= from
}

// bounded returns the last day that the instructions or the supply of an order name.
func bounded(e *clinical.Event) (clinical.Day, bool) {
	var last clinical.Day
	found := false
	for _, d := range e.Drug.Doses {
		var day clinical.Day
		switch {
		case !d.To.IsZero():
			day = d.To.Day()
		case d.Bounds.Value > 0:
			n, err := clinical.Convert(d.Bounds.Value, d.Bounds.Unit, "d")
			if err != nil || n > 36500 {
				return 0, false
			}
			day = e.Start.Day() + clinical.Day(n)
		default:
			return 0, false // one instruction without an end
		}
		if !found || day > last {
			last, found = day, true
		}
	}
	if !found && e.Drug.Supply > 0 && e.Drug.Supply < 36500 {
		return e.Start.Day() + clinical.Day(e.Drug.Supply) - 1, true
	}
	return last, found
}

// refused reports whether the record says that the drug was not given, or is no more than a plan.
func refused(e *clinical.Event) bool {
	switch e.Status {
	case "not-done", "not-taken", "cancelled", "declined", "draft", "entered-in-error", "intended", "preparation", "unknown":
		return true
	}
	switch e.Drug.Intent {
	case "proposal", "plan", "option":
		return true
	}
	return false
}

// drugs is what the medication of a past says of CYP2D6.
type drugs struct {
	any              bool // the past holds medication at all: without it nothing is known
	strong, moderate bool // an inhibitor in days -14..0
	relevant         bool // an opioid that CYP2D6 activates or clears, in the look-back
}

// Windows in days from time zero, both ends included.
const (
	inhibitorDays = -14
	lookBackDays  = -28
)

func readDrugs(past *clinical.Past) drugs {
	var d drugs
	day0 := past.Day0()
	events := past.Events()
	for i := range events {
		e := &events[i]
		if e.Drug == nil {
			continue
		}
		d.any = true
		if taking(e, day0+inhibitorDays, day0) {
			for _, in := range inhibitors() {
				if in.is(e.Drug.Codes) {
					d.strong, d.moderate = d.strong || in.strong, d.moderate || !in.strong
				}
			}
		}
		if !d.relevant && taking(e, day0+lookBackDays, day0) {
			if o, ok := clinical.OpioidOf(e.Drug); ok {
				switch o.Ingredient {
				case "codeine", "tramadol", "hydrocodone", "oxycodone":
					d.relevant = true
				}
			}
		}
	}
	return d
}

// Phenoconvert returns the score that inhibitors leave of a genotype's: a strong one 0, a moderate
// one half where halve is set (memory: an option of the domain specification), else all. NaN stays.
func Phenoconvert(score float64, strong, moderate, halve bool) float64 {
	switch {
	case strong:
		return 0 * score
	case moderate && halve:
		return score / 2
	}
	return score
}

var antibiotics = sync.OnceValue(func() (out struct{ atc, names []string }) {
	for _, r := range records("antibiotics") {
		if r["role"] == "atc" {
			out.atc = append(out.atc, r["code"])
		} else {
			out.names = append(out.names, r["code"])
		}
	}
	return out
})

// antibioticStarts reports whether the event is the begin of an antibiotic.
func antibioticStarts(e *clinical.Event) bool {
	if e.Drug == nil || refused(e) {
		return false
	}
	for _, c := range e.Drug.Codes {
		if c.System == clinical.ATC {
			if slices.ContainsFunc(antibiotics().atc, func(p string) bool { return strings.HasPrefix(c.Code, p) }) {
				return true
			}
		}
		if slices.ContainsFunc(antibiotics().names, func(n string) bool { return clinical.HasWord(c.Display, n) }) {
			return true
		}
	}
	return false
}
