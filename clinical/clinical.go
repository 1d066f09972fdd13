// Package clinical holds what one site knows of one patient: events in time order with codes,
// units and the moment at which each became known, and the tables that give them meaning.
//
// Only package source makes a [History]. Package cohort reads whole histories; everything
// that computes a predictor receives a [Past], which [History.Until] cuts at time zero: what
// happened later, or was written down later, is not in it.
package clinical

import (
	"cmp"
	"slices"
)

// Kind says what an event is.
type Kind uint8

// The kinds of event, with the FHIR resources and OMOP tables they come from.
const (
	Condition      Kind = iota + 1 // Condition; condition_occurrence
	Observation                    // Observation; measurement, observation
	Order                          // MedicationRequest
	Administration                 // MedicationAdministration; drug_exposure of type administration
	Dispense                       // MedicationDispense; drug_exposure of type dispensing
	Statement                      // MedicationStatement: what the patient says is taken; diary
	Questionnaire                  // QuestionnaireResponse
	Encounter                      // Encounter; visit_occurrence
	Procedure                      // Procedure; procedure_occurrence
	Report                         // DiagnosticReport
	Note                           // DocumentReference; note
	Imaging                        // ImagingStudy
	AdverseEvent                   // AdverseEvent
	Specimen                       // Specimen
)

var kindNames = [...]string{
	"", "condition", "observation", "order", "administration", "dispense", "statement", "questionnaire",
	"encounter", "procedure", "report", "note", "imaging", "adverse_event", "specimen",
}

// String returns the name used in counts and messages.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Kinds lists every kind.
func Kinds() []Kind {
	out := make([]Kind, 0, len(kindNames)-1)
	for k := Condition; int(k) < len(kindNames); k++ {
		out = append(out, k)
	}
	return out
}

// Event is one record. Zero fields were not stated.
type Event struct {
	Kind     Kind
	ID       string // within the source; for references, never shown
	Start    Time   // when it happened or began; effective, onset, authored
	End      Time   // zero while open, or for a moment
	Recorded Time   // when it was written down: issued, recorded, signed, received
	Status   string // FHIR's word in lower case; entered-in-error never gets here
	Codes    []Code // what: condition, quantity measured, drug, procedure, type of note
	Category string // FHIR's category code: vital-signs, survey, inpatient, outpatient, community
	Visit    string // ID of the encounter
	Value    Value  // of an observation; grade of an adverse event
	Drug     *Drug  // of Order, Administration, Dispense, Statement
	Parts    []Part // components of an observation, items of a questionnaire
	Site     []Code // body site
	Stage    []Code // of a condition
	Verified string // verificationStatus of a condition: confirmed, provisional, refuted
	Clinical string // clinicalStatus of a condition: active, recurrence, remission, resolved
	Text     string // of a note or a narrative report
	Order    string // ID of the order that an administration or dispense fulfils
}

// Part is a component of an observation or an item of a questionnaire.
type Part struct {
	Codes []Code // or the item's linkId with system Local
	Value Value
}

// ValueKind is the type of a Value.
type ValueKind uint8

// The types of value.
const (
	NoValue ValueKind = iota
	NumberValue
	CodedValue
	TextValue
	BoolValue
	TimeValue
)

// Value is a measured or reported value. Absent gives the reason where there is none, as
// FHIR's data-absent-reason code (not-asked, asked-declined, unknown, ...).
type Value struct {
	Kind    ValueKind
	Number  float64 // also 0 or 1 of a BoolValue
	Unit    string  // UCUM code, or the text that stood in its place
	Compare string  // <, <=, >=, > or empty
	Codes   []Code
	Text    string
	Time    Time
	Low     *float64 // reference range, in Unit
	High    *float64
	Absent  string
}

// Quantity is a number with its UCUM unit.
type Quantity struct {
	Value float64
	Unit  string
}

// Drug is the medication part of an event.
type Drug struct {
	Codes    []Code   // product and ingredients, as stated
	Form     []Code   // dose form
	Strength Quantity // of one unit of the product, where the record says it
	Doses    []Dosage // instructions of an order or statement; what was given (one) in an administration
	Supply   float64  // days of supply dispensed or ordered
	Amount   Quantity // dispensed
	Replaces string   // ID of the order that this one replaces
	Intent   string   // order, plan, proposal, ...
	Reason   []Code
}

// Dosage is one instruction, or what was given.
type Dosage struct {
	Text      string
	Route     []Code
	AsNeeded  bool
	Dose      Quantity // per administration
	DoseHigh  float64  // upper end of a range in Dose.Unit; 0 when not a range
	Rate      Quantity // of an infusion or a patch, per time
	Frequency float64  // times per Period; 0 unknown
	FreqMax   float64  // upper end; 0 when not a range
	Period    float64  // in PeriodUnit
	PeriodMax float64
	Unit      string   // of Period: s, min, h, d, wk, mo
	Bounds    Quantity // how long to go on
	From, To  Time     // bounds as dates
	MaxPerDay Quantity
	When      []string // HS, MORN, C, ... (HL7 event timing)
	Delivered Quantity // PCA: total delivered
}

// Sex is the administrative sex.
type Sex uint8

// The values of Sex.
const (
	UnknownSex Sex = iota
	Female
	Male
	OtherSex
)

// String returns female, male, other or unknown.
func (s Sex) String() string { return [...]string{"unknown", "female", "male", "other"}[s&3] }

// History is everything that one site knows of one patient, in time order.
type History struct {
	Key      string // patient key: stable within the site, never a name or a number on paper
	Location string // site
	Sex      Sex
	Birth    Time
	Death    Time // zero when no death is recorded
	Deceased bool // death recorded, with or without a date
	// From and To bound what the site observed (OMOP's observation_period); zero when unstated.
	From, To Time
	Events   []Event
}

// Sort puts the events in time order: by instant, then kind, then as they came.
func (h *History) Sort() {
	slices.SortStableFunc(h.Events, func(a, b Event) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Kind, b.Kind))
	})
}

// Past is a history cut at a moment: nothing in it happened, ended or was written down later.
// The zero Past is of nobody.
type Past struct {
	h  History
	at Time
}

// Until cuts h at the moment at, the prediction timestamp. An event stays when the latest
// moment that its start and its recording allow is not after at: a date without a time counts
// as the end of that day, a month as its end. An end that is later is masked. Statuses of
// conditions, orders, statements and encounters that tell of an end (completed, stopped,
// resolved) are kept only with an end before the cut: without one nobody knows since when they hold.
// Death is never in a Past. Events without a start are left out.
func (h *History) Until(at Time) *Past {
	limit := at.Earliest()
	p := &Past{h: *h, at: at}
	p.h.Death, p.h.Deceased, p.h.To = Time{}, false, Time{}
	p.h.Events = make([]Event, 0, len(h.Events))
	for _, e := range h.Events {
		if e.Start.IsZero() || e.Start.Latest() > limit || !e.Recorded.IsZero() && e.Recorded.Latest() > limit {
			continue
		}
		if e.End.IsZero() || e.End.Latest() > limit {
			e.End = Time{}
			switch e.Kind {
			case Condition, Order, Statement, Encounter:
				e.Status, e.Clinical = masked(e.Status), masked(e.Clinical)
			default: // a status of the moment itself: final, completed, not-done
			}
		}
		p.h.Events = append(p.h.Events, e)
	}
	return p
}

// masked hides a status that only a later end can have given.
func masked(status string) string {
	switch status {
	case "completed", "stopped", "cancelled", "on-hold", "ended", "finished", "resolved", "inactive", "remission":
		return "active"
	}
	return status
}

// At returns the moment of the cut.
func (p *Past) At() Time { return p.at }

// Day0 returns the calendar day of the cut; events of day -k have Start.Day() == Day0()-k.
func (p *Past) Day0() Day { return p.at.Day() }

// Key returns the patient key.
func (p *Past) Key() string { return p.h.Key }

// Location returns the site.
func (p *Past) Location() string { return p.h.Location }

// Sex returns the administrative sex.
func (p *Past) Sex() Sex { return p.h.Sex }

// Birth returns the date of birth, or zero.
func (p *Past) Birth() Time { return p.h.Birth }

// From returns the begin of observation, or zero.
func (p *Past) From() Time { return p.h.From }

// Events returns the events in time order. The caller must not write to them.
func (p *Past) Events() []Event { return p.h.Events }

// Window returns the events that start on days from to to relative to time zero, both
// included: Window(-28, -1) is the look-back without day 0.
func (p *Past) Window(from, to int) []Event {
	d0 := p.Day0()
	lo, _ := slices.BinarySearchFunc(p.h.Events, d0+Day(from), func(e Event, d Day) int { return cmp.Compare(e.Start.Day(), d) })
	hi, _ := slices.BinarySearchFunc(p.h.Events, d0+Day(to)+1, func(e Event, d Day) int { return cmp.Compare(e.Start.Day(), d) })
	return p.h.Events[lo:max(lo, hi)]
}
