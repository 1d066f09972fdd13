package dose_test

import (
	"fmt"
	"math"
	"testing"

	"dolor/clinical"
	"dolor/clinical/dose"
)

func drug(display string, doses ...clinical.Dosage) *clinical.Drug {
	return &clinical.Drug{Codes: []clinical.Code{{Display: display}}, Doses: doses}
}

func every(value float64, unit string, freq, period float64, per string) clinical.Dosage {
	return clinical.Dosage{Dose: clinical.Quantity{Value: value, Unit: unit}, Frequency: freq, Period: period, Unit: per}
}

func route(r string, d clinical.Dosage) clinical.Dosage {
	d.Route = []clinical.Code{{Display: r}}
	return d
}

func order(id string, from, to clinical.Day, d *clinical.Drug) clinical.Event {
	return clinical.Event{Kind: clinical.Order, ID: id, Status: "active", Start: clinical.OnDay(from), End: clinical.OnDay(to), Drug: d}
}

func gave(day clinical.Day, hour int, display string, d clinical.Dosage) clinical.Event {
	return clinical.Event{Kind: clinical.Administration, Status: "completed", Start: clinical.At(day, hour*3600), Drug: drug(display, d)}
}

func mg(v float64) clinical.Dosage {
	return clinical.Dosage{Dose: clinical.Quantity{Value: v, Unit: "mg"}}
}

// TestReference holds the reference answers of the specification and worked examples of the CDC guideline.
func TestReference(t *testing.T) {
	for _, c := range []struct {
		name string
		drug *clinical.Drug
		want float64
	}{
		{"hydrocodone 5 mg four times a day", drug("Hydrocodone Oral Tablet", every(5, "mg", 4, 1, "d")), 20},
		{"oxycodone ER 10 mg twice a day", drug("12 HR Oxycodone Hydrochloride 10 MG Extended Release Oral Tablet", every(1, "{tablet}", 2, 1, "d")), 30},
		{"fentanyl 75 mcg/h", drug("72 HR Fentanyl 0.075 MG/HR Transdermal System", every(1, "{patch}", 1, 3, "d")), 180},
		{"fentanyl 100 mcg/h as a rate", drug("fentanyl transdermal", clinical.Dosage{Rate: clinical.Quantity{Value: 100, Unit: "ug/h"}}), 240},
		{"morphine 30 mg SC a day", drug("morphine injection", route("SC", every(30, "mg", 1, 1, "d"))), 60},
		{"oxycodone 10 mg every 12 h", drug("oxycodone oral", every(10, "mg", 1, 12, "h")), 30},
		{"methadone 10 mg every 8 h", drug("methadone oral tablet", every(10, "mg", 1, 8, "h")), 141},
		{"hydromorphone SC is on CDC's oral scale", drug("hydromorphone injection", route("subcutaneous", every(2, "mg", 6, 1, "d"))), 120},
		{"codeine with paracetamol", drug("Acetaminophen 300 MG / Codeine Phosphate 30 MG Oral Tablet", every(2, "{tablet}", 4, 1, "d")), 36},
		{"oral solution", drug("oxycodone hydrochloride 5 MG/5 ML Oral Solution", every(10, "mL", 4, 1, "d")), 60},
		{"tramadol", drug("tramadol hydrochloride 50 MG Oral Tablet", every(100, "mg", 4, 1, "d")), 80},
		{"buprenorphine patch", drug("buprenorphine 0.02 MG/HR Transdermal System", every(1, "patch", 1, 1, "wk")), 48},
	} {
		s := dose.Daily([]clinical.Event{order("a", 100, 110, c.drug)}, 100, 110, nil)
		for _, d := range s.Days {
			if !d.Known || math.Abs(d.Total()-c.want) > 1e-9*c.want {
				t.Errorf("%s, day %d: got %v (known %v), want %v", c.name, d.Day, d.Total(), d.Known, c.want)
				break
			}
		}
	}
}

func TestRules(t *testing.T) {
	oxy := "oxycodone oral tablet"
	prn := mg(10)
	prn.AsNeeded = true
	ranged := every(5, "mg", 4, 1, "d")
	ranged.DoseHigh = 10
	patch := clinical.Dosage{Dose: clinical.Quantity{Value: 1, Unit: "{patch}"}}
	f25, f50 := "72 HR fentanyl 0.025 MG/HR Transdermal System", "72 HR fentanyl 0.05 MG/HR Transdermal System"
	removed := gave(100, 12, f25, patch)
	removed.End = clinical.At(101, 12*3600)
	infusion := gave(100, 18, "morphine injection", route("IV", clinical.Dosage{Rate: clinical.Quantity{Value: 2, Unit: "mg/h"}}))
	infusion.End = clinical.At(101, 6*3600)
	notGiven := gave(100, 8, oxy, mg(50))
	notGiven.Status = "not-done"
	open := order("o", 90, 0, drug(oxy, every(10, "mg", 2, 1, "d")))
	open.End = clinical.Time{}
	replacing := order("new", 102, 110, drug(oxy, every(20, "mg", 2, 1, "d")))
	replacing.Drug.Replaces = "old"
	neuraxial := order("n", 100, 110, drug("morphine", route("intrathecal", every(1, "mg", 1, 1, "d"))))
	for _, c := range []struct {
		name   string
		events []clinical.Event
		day    clinical.Day
		c      *dose.Config
		want   float64
		known  bool
	}{
		{"nothing is 0", nil, 100, nil, 0, true},
		{"administrations win over the order", []clinical.Event{order("a", 90, 120, drug(oxy, every(20, "mg", 2, 1, "d"))), gave(100, 8, oxy, mg(10)), gave(100, 20, oxy, mg(10))}, 100, nil, 30, true},
		{"not given is not counted", []clinical.Event{notGiven, gave(100, 9, oxy, mg(10))}, 100, nil, 15, true},
		{"an order as needed adds nothing", []clinical.Event{order("a", 90, 120, drug(oxy, prn))}, 100, nil, 0, true},
		{"scheduled and rescue of one drug sum", []clinical.Event{order("a", 90, 120, drug(oxy, every(20, "mg", 2, 1, "d"))), gave(100, 9, oxy, prn)}, 100, nil, 75, true},
		{"range, high", []clinical.Event{order("a", 90, 120, drug(oxy, ranged))}, 100, nil, 60, true},
		{"range, low", []clinical.Event{order("a", 90, 120, drug(oxy, ranged))}, 100, &dose.Config{RangeAs: "low"}, 30, true},
		{"range, mid", []clinical.Event{order("a", 90, 120, drug(oxy, ranged))}, 100, &dose.Config{RangeAs: "mid"}, 45, true},
		{"patch, first half day", []clinical.Event{removed}, 100, nil, 30, true},
		{"patch, removed at noon", []clinical.Event{removed}, 101, nil, 30, true},
		{"patch, tail", []clinical.Event{removed}, 102, &dose.Config{PatchTail: "linear24h"}, 60 * 0.125, true},
		{"patch lasts 72 hours", []clinical.Event{gave(100, 0, f25, patch)}, 102, nil, 60, true},
		{"then no more", []clinical.Event{gave(100, 0, f25, patch)}, 103, nil, 0, true},
		{"a new patch replaces", []clinical.Event{gave(100, 0, f25, patch), gave(102, 0, f50, patch)}, 102, nil, 120, true},
		{"infusion overlaps the first day", []clinical.Event{infusion}, 100, nil, 36, true},
		{"and the second", []clinical.Event{infusion}, 101, nil, 36, true},
		{"an order without end is unknown", []clinical.Event{open}, 100, nil, 0, false},
		{"administrations make it known", []clinical.Event{open, gave(100, 8, oxy, mg(10))}, 100, nil, 15, true},
		{"replaced", []clinical.Event{order("old", 100, 110, drug(oxy, every(10, "mg", 2, 1, "d"))), replacing}, 105, nil, 60, true},
		{"before it is replaced", []clinical.Event{order("old", 100, 110, drug(oxy, every(10, "mg", 2, 1, "d"))), replacing}, 101, nil, 30, true},
		{"overlaps sum", []clinical.Event{order("a", 100, 110, drug(oxy, every(10, "mg", 2, 1, "d"))), order("b", 105, 110, drug(oxy, every(10, "mg", 2, 1, "d")))}, 106, nil, 60, true},
		{"rotation day takes the larger", []clinical.Event{order("a", 90, 100, drug("morphine oral", every(60, "mg", 2, 1, "d"))), order("b", 100, 110, drug("hydromorphone oral", every(6, "mg", 2, 1, "d")))}, 100, nil, 120, true},
		{"or the sum", []clinical.Event{order("a", 90, 100, drug("morphine oral", every(60, "mg", 2, 1, "d"))), order("b", 100, 110, drug("hydromorphone oral", every(6, "mg", 2, 1, "d")))}, 100, &dose.Config{Crossover: "sum"}, 180, true},
		{"two drugs that begin together sum", []clinical.Event{order("a", 100, 110, drug("morphine oral", every(60, "mg", 1, 1, "d"))), order("b", 100, 110, drug(oxy, every(20, "mg", 1, 1, "d")))}, 100, nil, 90, true},
		{"no factor", []clinical.Event{neuraxial}, 100, nil, 0, false},
	} {
		s := dose.Daily(c.events, 95, 110, c.c)
		d := s.Days[c.day-95]
		if math.Abs(d.Total()-c.want) > 1e-9 || d.Known != c.known {
			t.Errorf("%s: got %v (known %v), want %v (%v); %v", c.name, d.Total(), d.Known, c.want, c.known, s.Warnings)
		}
	}
}

func ExampleDaily() {
	morning := clinical.Dosage{Dose: clinical.Quantity{Value: 10, Unit: "mg"}}
	rescue := clinical.Dosage{Dose: clinical.Quantity{Value: 5, Unit: "mg"}, AsNeeded: true}
	s := dose.Daily([]clinical.Event{
		gave(100, 8, "oxycodone oral tablet", morning), gave(100, 15, "oxycodone oral tablet", rescue),
	}, 100, 100, nil)
	fmt.Println(s.Days[0].Scheduled, s.Days[0].PRN, len(s.Rescues))
	// Output: 15 7.5 1
}
