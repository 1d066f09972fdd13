package cohort

import (
	"slices"
	"strings"

	"dolor/clinical"
	"dolor/diag"
)

// effectOf returns the row of the adverse-effect table that codes name.
func effectOf(codes []clinical.Code) (clinical.AdverseEffect, bool) {
	for _, a := range clinical.AdverseEffects() {
		for _, c := range codes {
			switch c.System {
			case clinical.SNOMED:
				if slices.Contains(a.SNOMED, c.Code) {
					return a, true
				}
			case clinical.ICD10, clinical.ICD10CM:
				for _, p := range a.ICD10 {
					if !strings.Contains(p, "?") && strings.HasPrefix(strings.ToUpper(c.Code), p) {
						return a, true
					}
				}
			default: // no code of adverse effects
			}
		}
	}
	return clinical.AdverseEffect{}, false
}

// limiting reports whether an effect of a grade is dose-limiting by its row; the row wins over
// the definition's grade. grade 0 is not stated.
func (d *Definition) limiting(a clinical.AdverseEffect, grade float64) bool {
	switch {
	case a.DoseLimiting == "1" && strings.Contains(a.Rule, "if grade>="):
		return grade >= gradeIn(a.Rule)
	case a.DoseLimiting == "1":
		if r := gradeIn(a.Rule); r > 0 {
			return grade >= r
		}
		return true
	case strings.HasPrefix(a.DoseLimiting, "1 if grade>="):
		return grade >= gradeIn(a.DoseLimiting)
	case a.DoseLimiting == "1 with response":
		return true
	}
	return a.DoseLimiting != "0" && grade >= float64(d.DLT.GradeMin)
}

// gradeIn reads the n of "grade>=n", else 0.
func gradeIn(s string) float64 {
	if _, after, ok := strings.Cut(s, "grade>="); ok && after != "" && after[0] >= '1' && after[0] <= '5' {
		return float64(after[0] - '0')
	}
	return 0
}

// toxicity finds dose-limiting toxicity: an effect that is limiting and, within the days of the
// definition, a lower dose, a stop, a rotation or naloxone.
func (d *Definition) toxicity(r *record, events []clinical.Event) {
	rescue := make(map[clinical.Day]bool)
	for i := range events {
		if e := &events[i]; e.Drug != nil && e.Kind == clinical.Administration && clinical.IsAntagonist(e.Drug) {
			rescue[e.Start.Day()] = true
			r.respond(d, e.Start.Day(), rescue, true)
		}
	}
	for i := range events {
		e := &events[i]
		if e.Kind != clinical.Condition && e.Kind != clinical.AdverseEvent && e.Kind != clinical.Observation || e.Verified == "refuted" {
			continue
		}
		a, ok := effectOf(e.Codes)
		if !ok {
			continue
		}
		day := e.Start.Day()
		if day < r.first || day > r.last {
			continue
		}
		grade := 0.0
		if e.Value.Kind == clinical.NumberValue {
			grade = e.Value.Number
		}
		if !d.limiting(a, grade) {
			continue
		}
		r.respond(d, day, rescue, d.DLT.CodeAloneCounts)
	}
	slices.Sort(r.dlt)
	r.dlt = slices.Compact(r.dlt)
}

// respond records the day as dose-limiting when a response follows; sure skips the search.
func (r *record) respond(d *Definition, day clinical.Day, rescue map[clinical.Day]bool, sure bool) {
	k := int(day - r.first)
	if k < 0 || k >= len(r.series.Days) {
		return
	}
	if sure {
		r.dlt = append(r.dlt, day)
		return
	}
	before := r.series.Days[k]
	if k > 0 {
		before = r.series.Days[k-1]
	}
	for x := k; x <= min(k+d.DLT.ResponseWithin, len(r.series.Days)-1); x++ {
		now := r.series.Days[x]
		lower := now.Known && before.Known && now.Scheduled < before.Scheduled-1e-9
		rotated := before.Main != "" && now.Main != "" && now.Main != before.Main
		if lower || rotated || rescue[now.Day] {
			r.dlt = append(r.dlt, day)
			return
		}
	}
	r.possible++
	r.warnings = diag.Merge(r.warnings, diag.Warning{Code: "possible_dlt", Msg: "an adverse effect without a dose reduction, stop, rotation or naloxone is not dose-limiting", Count: 1})
}

// Toxicity returns the days of dose-limiting toxicity among events, which are in time order,
// from day first to day last, and the effects that lacked a response.
func (d *Definition) Toxicity(events []clinical.Event, first, last clinical.Day) (days []clinical.Day, possible int) {
	r := d.recordOf(events, first, last)
	return r.dlt, r.possible
}

// Effect names the opioid adverse effect of table adverse-effects.csv that an event reports, "" for none.
func Effect(e *clinical.Event) string {
	if e.Kind != clinical.Condition && e.Kind != clinical.AdverseEvent && e.Kind != clinical.Observation || e.Verified == "refuted" {
		return ""
	}
	a, _ := effectOf(e.Codes)
	return a.Effect
}
