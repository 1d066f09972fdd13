package cohort

import (
	"math"
	"slices"
	"strings"

	"dolor/clinical"
	"dolor/clinical/dose"
	"dolor/diag"
)

// record is a patient's days, computed once from the whole history.
type record struct {
	first, last clinical.Day // of Pain, dose and adjuvants
	pain        []float64
	series      *dose.Series
	adjuvant    []bool
	dlt         []clinical.Day
	possible    int // toxicity codes without the response that makes them dose-limiting
	intervened  []clinical.Day
	contact     clinical.Day // last contact
	contacts    []clinical.Day
	warnings    []diag.Warning
}

func (r *record) warn(code, msg string) {
	r.warnings = diag.Merge(r.warnings, diag.Warning{Code: code, Msg: msg, Count: 1})
}

// doseConfig is the calculation the definition asks for.
func (d *Definition) doseConfig() *dose.Config {
	return &dose.Config{FactorSets: append([]string{d.Opioid.FactorSet}, d.Opioid.ExtraFactors...), Crossover: d.Opioid.Crossover}
}

// recordOf computes the days from first to last of events.
func (d *Definition) recordOf(events []clinical.Event, first, last clinical.Day) *record {
	n := max(0, int(last-first)+1)
	r := &record{first: first, last: last, pain: make([]float64, n), adjuvant: make([]bool, n), contact: first - 1}
	d.scores(r, events)
	r.series = dose.Daily(events, first, last, d.doseConfig())
	r.warnings = diag.Merge(r.warnings, r.series.Warnings...)
	for i := range events {
		e := &events[i]
		d.contactOf(r, e)
		if e.Drug != nil {
			d.adjuvantOf(r, e)
		}
		if intervention(e) {
			r.intervened = append(r.intervened, e.Start.Day())
		}
	}
	slices.Sort(r.contacts)
	r.contacts = slices.Compact(r.contacts)
	d.toxicity(r, events)
	return r
}

// scores fills the daily pain: the mean of now and average scores; of worst scores where there
// is nothing else and the definition uses them.
func (d *Definition) scores(r *record, events []clinical.Event) {
	type sum struct {
		v float64
		n int
	}
	usual, worst := make([]sum, len(r.pain)), make([]sum, len(r.pain))
	add := func(e *clinical.Event, codes []clinical.Code, v clinical.Value) {
		score, scale, bad, ok := clinical.PainOf(codes, v)
		k := int(e.Start.Day() - r.first)
		if !ok || k < 0 || k >= len(r.pain) {
			return
		}
		if bad {
			r.warn("pain_out_of_range", "a pain score outside 0 to 10 is missing")
			return
		}
		switch scale {
		case "worst":
			worst[k].v += score
			worst[k].n++
		case "now", "average":
			usual[k].v += score
			usual[k].n++
		}
	}
	for i := range events {
		e := &events[i]
		if e.Kind != clinical.Observation && e.Kind != clinical.Questionnaire {
			continue
		}
		add(e, e.Codes, e.Value)
		for _, p := range e.Parts {
			add(e, p.Codes, p.Value)
		}
	}
	for k := range r.pain {
		switch {
		case usual[k].n > 0:
			r.pain[k] = usual[k].v / float64(usual[k].n)
		case worst[k].n > 0 && d.Pain.WorstAs == "use":
			r.pain[k] = worst[k].v / float64(worst[k].n)
		default:
			r.pain[k] = math.NaN()
		}
	}
}

// contactOf keeps days on which the patient was seen or something was done for them.
func (d *Definition) contactOf(r *record, e *clinical.Event) {
	switch e.Kind {
	case clinical.Encounter, clinical.Observation, clinical.Order, clinical.Administration, clinical.Questionnaire, clinical.Dispense, clinical.Procedure, clinical.Report, clinical.Imaging, clinical.Note:
	default:
		return
	}
	day := e.Start.Day()
	if day < r.first || day > r.last {
		return
	}
	r.contacts = append(r.contacts, day)
	r.contact = max(r.contact, day)
}

// adjuvantOf marks the days on which a class that counts was active.
func (d *Definition) adjuvantOf(r *record, e *clinical.Event) {
	class := clinical.AdjuvantClass(e.Drug.Codes)
	if class == "" || !d.counts(class) {
		return
	}
	first, last := e.Start.Day(), e.Start.Day()
	switch e.Kind {
	case clinical.Order, clinical.Statement:
		if e.Status == "cancelled" || e.Status == "draft" || len(e.Drug.Doses) > 0 && e.Drug.Doses[0].AsNeeded {
			return
		}
		switch {
		case !e.End.IsZero():
			last = e.End.Day()
		case len(e.Drug.Doses) > 0 && !e.Drug.Doses[0].To.IsZero():
			last = e.Drug.Doses[0].To.Day()
		case e.Drug.Supply >= 1:
			last = first + clinical.Day(math.Round(e.Drug.Supply)) - 1
		default:
			last = r.last // goes on
		}
	case clinical.Dispense:
		if e.Drug.Supply >= 1 {
			last = first + clinical.Day(math.Round(e.Drug.Supply)) - 1
		}
	case clinical.Administration:
		if e.Status == "not-done" {
			return
		}
		if !e.End.IsZero() {
			last = e.End.Day()
		}
	default:
		return
	}
	for x := max(first, r.first); x <= min(last, r.last); x++ {
		r.adjuvant[x-r.first] = true
	}
}

// counts reports whether a class of adjuvants counts as optimisation.
func (d *Definition) counts(class string) bool {
	for _, a := range clinical.Adjuvants() {
		if a.Class != class {
			continue
		}
		switch {
		case a.Counts == "1":
			return true
		case class == "nsaid":
			return d.Optimisation.NSAIDCounts
		case strings.Contains(a.Counts, "nondrug_counts"):
			return d.Optimisation.NonDrugCounts
		}
	}
	return false
}

// interventionWords name procedures that always count as optimisation (row intervention of
// table adjuvants.csv); terminologies differ too much between sites for a list of codes.
var interventionWords = []string{"nerve block", "neurolysis", "neurolytic", "intrathecal", "epidural catheter", "neuraxial", "cordotomy", "plexus block"}

func intervention(e *clinical.Event) bool {
	if e.Kind != clinical.Procedure || e.Status == "not-done" || e.Status == "preparation" {
		return false
	}
	for _, c := range e.Codes {
		for _, w := range interventionWords {
			if clinical.HasWord(c.Display, w) {
				return true
			}
		}
	}
	return false
}

// courseOf is r relative to day 0, between days from and to.
func (r *record) course(day0 clinical.Day) *Course {
	c := &Course{First: int(r.first - day0), Pain: r.pain, Adjuvant: r.adjuvant, Death: NoDay, Lost: NoDay}
	c.OME, c.Known = make([]float64, len(r.series.Days)), make([]bool, len(r.series.Days))
	for i, x := range r.series.Days {
		c.OME[i], c.Known[i] = x.Total(), x.Known
	}
	for _, x := range r.dlt {
		c.DLT = append(c.DLT, int(x-day0))
	}
	for _, x := range r.intervened {
		c.Optimised = append(c.Optimised, int(x-day0))
	}
	return c
}
