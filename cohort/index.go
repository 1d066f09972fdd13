package cohort

import (
	"math"

	"dolor/clinical"
)

// Reason says why a patient is not in the cohort.
type Reason string

// The reasons, in the order in which they are tested.
const (
	Included          Reason = ""
	NoCancer          Reason = "no_cancer_of_a_group"
	TwoGroups         Reason = "primaries_of_two_groups"
	TooYoung          Reason = "below_minimum_age"
	NoBirth           Reason = "age_unknown"
	NoOpioid          Reason = "too_few_opioid_days"
	NoPainScore       Reason = "no_pain_score"
	ShortHistory      Reason = "history_too_short"
	NoIndex           Reason = "no_index_date"
	AlreadyRefractory Reason = "already_refractory"
	Intervened        Reason = "intervention_before_time_zero"
)

// Reasons lists every reason with the sentence that reports print.
func Reasons() []struct {
	Reason Reason
	Text   string
} {
	return []struct {
		Reason Reason
		Text   string
	}{
		{NoIndex, "no index date was given for the patient"},
		{NoCancer, "no active malignancy of one of the groups"},
		{TwoGroups, "primaries of two groups, or of an unknown site"},
		{NoBirth, "date of birth unknown"},
		{TooYoung, "younger than the minimum age"},
		{NoOpioid, "too few days with an opioid before time zero"},
		{NoPainScore, "no pain score before time zero"},
		{ShortHistory, "the opioid history before time zero is too short"},
		{AlreadyRefractory, "pain was refractory already in the washout"},
		{Intervened, "an intervention for pain before time zero"},
	}
}

// person is what eligibility needs of a history, computed once.
type person struct {
	h         *clinical.History
	r         *record
	cancerAt  clinical.Time // first record of a primary of a group; zero without
	group     string
	conflict  bool // two groups
	past      bool // h ends at the timestamp: a second primary found later is no conflict
	firstDrug clinical.Day
	hasDrug   bool
}

func (d *Definition) personOf(h *clinical.History, r *record) *person {
	p := &person{h: h, r: r}
	other := false
	for i := range h.Events {
		e := &h.Events[i]
		switch {
		case e.Kind == clinical.Condition && e.Verified != "refuted" && e.Verified != "entered-in-error" && e.Verified != "differential":
			m, group := clinical.CancerOf(e.Codes)
			switch {
			case m == clinical.Primary && p.group == "":
				p.group, p.cancerAt = group, e.Start
			case m == clinical.Primary && group != p.group:
				p.conflict = true
			case m == clinical.OtherTumor:
				other = true
			}
		case e.Drug != nil && !p.hasDrug:
			if _, ok := clinical.OpioidOf(e.Drug); ok {
				p.firstDrug, p.hasDrug = e.Start.Day(), true
			}
		}
	}
	if p.group == "" && other {
		p.conflict = true
	}
	return p
}

// opioidDays counts days with an opioid in the n days before day.
func (p *person) opioidDays(day clinical.Day, n int) int {
	k := 0
	for x := day - clinical.Day(n); x < day; x++ {
		if i := int(x - p.r.first); i >= 0 && i < len(p.r.series.Days) && p.r.series.Days[i].Total() > 0 {
			k++
		}
	}
	return k
}

// scored reports whether a pain score lies in the n days before day, and on the day itself.
func (p *person) scored(day clinical.Day, n int) (before, same bool) {
	for x := day - clinical.Day(n); x <= day; x++ {
		if i := int(x - p.r.first); i >= 0 && i < len(p.r.pain) && !math.IsNaN(p.r.pain[i]) {
			if x == day {
				same = true
			} else {
				before = true
			}
		}
	}
	return before, same
}

// eligible tests one day as time zero; at is the timestamp: the time of the event of that day
// that completes the conditions, else the start of the day.
func (d *Definition) eligible(p *person, day clinical.Day) (at clinical.Time, why Reason) {
	c := &d.Cohort
	at = clinical.At(day, 0)
	later := func(t clinical.Time) {
		if t.Day() == day && t.HasClock() && t.Compare(at) > 0 {
			at = t
		}
	}
	if c.RequireCancer == nil || *c.RequireCancer {
		switch {
		case p.conflict && p.past:
			return at, TwoGroups
		case p.cancerAt.IsZero() || p.cancerAt.Day() > day:
			return at, NoCancer
		}
		later(p.cancerAt)
	}
	switch age, ok := Age(p.h.Birth, day); {
	case !ok:
		return at, NoBirth
	case age < c.MinAge:
		return at, TooYoung
	}
	if p.opioidDays(day, c.OpioidLookbackDays) < c.OpioidDaysMin {
		return at, NoOpioid
	}
	before, same := p.scored(day, c.PainScoreLookback)
	switch {
	case before:
	case same:
		t, clocked := p.firstScore(day)
		if !clocked {
			return at, NoPainScore // a date alone: not known to be before the start of the day
		}
		later(t)
	default:
		return at, NoPainScore
	}
	if c.HistoryDaysMin > 0 && (!p.hasDrug || int(day-p.firstDrug) < c.HistoryDaysMin) {
		return at, ShortHistory
	}
	return at, Included
}

// firstScore returns the time of the first pain score of day that has a clock.
func (p *person) firstScore(day clinical.Day) (clinical.Time, bool) {
	for i := range p.h.Events {
		e := &p.h.Events[i]
		if e.Start.Day() != day || !e.Start.HasClock() {
			continue
		}
		if _, _, bad, ok := clinical.PainOf(e.Codes, e.Value); ok && !bad {
			return e.Start, true
		}
		for _, x := range e.Parts {
			if _, _, bad, ok := clinical.PainOf(x.Codes, x.Value); ok && !bad {
				return e.Start, true
			}
		}
	}
	return clinical.Time{}, false
}

// Age returns completed years on day; ok is false without a date of birth.
func Age(birth clinical.Time, day clinical.Day) (years int, ok bool) {
	if birth.IsZero() {
		return 0, false
	}
	b, x := birth.Time(), clinical.OnDay(day).Time()
	years = x.Year() - b.Year()
	if x.Month() < b.Month() || x.Month() == b.Month() && x.Day() < b.Day() {
		years--
	}
	return years, true
}

// index finds time zero by the definition's rule. given is the patient's date for fixed_date.
func (d *Definition) index(p *person, given clinical.Time) (clinical.Time, Reason) {
	switch d.Cohort.Index {
	case "fixed_date":
		if given.IsZero() {
			return given, NoIndex
		}
		if !given.HasClock() {
			given = clinical.At(given.Day(), 0)
		}
		return given, d.known(p, given)
	case "opioid_start":
		if !p.hasDrug {
			return clinical.Time{}, NoOpioid
		}
		at, _ := d.eligible(p, p.firstDrug)
		why := d.known(p, at)
		if why == NoOpioid || why == ShortHistory {
			why = Included // the rule itself says that nothing came before
		}
		return at, why
	case "clinic_visit":
		worst := NoIndex
		for i := range p.h.Events {
			e := &p.h.Events[i]
			if e.Kind != clinical.Encounter {
				continue
			}
			at := e.Start
			if !at.HasClock() {
				at = clinical.At(at.Day(), 0)
			}
			why := d.known(p, at)
			if why == Included {
				return at, Included
			}
			worst = furthest(worst, why)
		}
		return clinical.Time{}, worst
	}
	worst := NoOpioid
	if p.cancerAt.IsZero() && (d.Cohort.RequireCancer == nil || *d.Cohort.RequireCancer) {
		worst = NoCancer
	}
	for day := p.r.first; day <= p.r.last; day++ {
		at, why := d.eligible(p, day)
		if why == Included {
			if why = d.known(p, at); why == Included {
				return at, Included
			}
		}
		worst = furthest(worst, why)
	}
	return clinical.Time{}, worst
}

// known tests eligibility by what was written down at the moment at: an end or a diagnosis
// recorded later must neither let a patient in nor keep one out.
func (d *Definition) known(p *person, at clinical.Time) Reason {
	_, why := d.eligible(d.personAt(p.h, p.r.first, at), at.Day())
	return why
}

// personAt is the patient as known at a moment.
func (d *Definition) personAt(h *clinical.History, first clinical.Day, at clinical.Time) *person {
	past := clinical.History{Birth: h.Birth, Events: h.Until(at).Events()}
	first = min(max(first, at.Day()-clinical.Day(max(d.Cohort.OpioidLookbackDays, d.Cohort.PainScoreLookback, d.lookback()))), at.Day())
	out := d.personOf(&past, d.recordOf(past.Events, first, at.Day()))
	out.past = true
	return out
}

// furthest returns the reason that is tested later: how far the patient got.
func furthest(a, b Reason) Reason {
	at := func(r Reason) int {
		for k, x := range Reasons() {
			if x.Reason == r {
				return k
			}
		}
		return -1
	}
	if at(b) > at(a) {
		return b
	}
	return a
}
