package cohort_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"

	"dolor/clinical"
	"dolor/cohort"
	"dolor/source"
)

// records is a source of given histories.
type records []*clinical.History

func (r records) Manifest(context.Context) (*source.Manifest, error) {
	return &source.Manifest{Source: "test", Patients: len(r)}, nil
}
func (r records) Faults() *source.Faults { return source.NewFaults(nil) }
func (r records) Close() error           { return nil }
func (r records) Histories(context.Context) iter.Seq2[*clinical.History, error] {
	return func(yield func(*clinical.History, error) bool) {
		for _, h := range r {
			c := *h
			c.Events = slices.Clone(h.Events)
			c.Sort()
			if !yield(&c, nil) {
				return
			}
		}
	}
}

const day0 = clinical.Day(20000)

func pain(day int, hour int, score float64) clinical.Event {
	return clinical.Event{
		Kind: clinical.Observation, Start: clinical.At(day0+clinical.Day(day), hour*3600),
		Codes: []clinical.Code{{System: clinical.LOINC, Code: "72514-3"}}, Value: clinical.Value{Kind: clinical.NumberValue, Number: score, Unit: "{score}"},
	}
}

func ordered(name string, from, to int, mg, perDay float64) clinical.Event {
	return clinical.Event{
		Kind: clinical.Order, ID: name, Status: "active", Start: clinical.OnDay(day0 + clinical.Day(from)),
		Drug: &clinical.Drug{Codes: []clinical.Code{{Display: name}}, Doses: []clinical.Dosage{{
			Dose: clinical.Quantity{Value: mg, Unit: "mg"}, Frequency: perDay, Period: 1, Unit: "d",
			From: clinical.OnDay(day0 + clinical.Day(from)), To: clinical.OnDay(day0 + clinical.Day(to)),
		}}},
	}
}

// patient is worked case c01 as records: weekly scores of 6, 90 mg/day, gabapentin.
func patient(key string) *clinical.History {
	h := &clinical.History{Key: key, Location: "A", Birth: clinical.OnDay(day0 - 60*366), Events: []clinical.Event{
		{Kind: clinical.Condition, Start: clinical.OnDay(day0 - 300), Codes: []clinical.Code{{System: clinical.ICD10, Code: "C34.1"}}},
		ordered("oxycodone oral tablet", -30, 84, 30, 2),
		ordered("gabapentin 300 MG Oral Capsule", -20, 84, 300, 3),
		pain(-3, 9, 3),
	}}
	for _, d := range []int{7, 14, 21, 28} {
		h.Events = append(h.Events, pain(d, 9, 6))
	}
	for _, d := range []int{42, 60, 80, 90} {
		h.Events = append(h.Events, pain(d, 9, 2))
	}
	h.Sort()
	return h
}

func members(t *testing.T, d *cohort.Definition, workers int, hs ...*clinical.History) ([]cohort.Member, *cohort.Summary) {
	t.Helper()
	var out []cohort.Member
	dates := make(map[string]clinical.Time)
	for _, h := range hs {
		dates[h.Key] = clinical.At(day0, 12*3600)
	}
	s, err := d.Each(t.Context(), records(hs), &cohort.Options{Workers: workers, IndexDates: dates}, func(_ context.Context, m []cohort.Member) (func() error, error) {
		return func() error { out = append(out, m...); return nil }, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, s
}

func fixed() *cohort.Definition {
	d := cohort.Default()
	d.Cohort.Index = "fixed_date"
	return d
}

func TestEach(t *testing.T) {
	young, benign, noPain, short, treated := patient("young"), patient("benign"), patient("no pain"), patient("short"), patient("treated")
	young.Birth = clinical.OnDay(day0 - 17*365)
	benign.Events[0].Codes = []clinical.Code{{System: clinical.ICD10, Code: "D12.0"}}
	noPain.Events = slices.DeleteFunc(noPain.Events, func(e clinical.Event) bool { return e.Kind == clinical.Observation && e.Start.Day() < day0 })
	for i := range short.Events {
		if e := &short.Events[i]; e.ID == "oxycodone oral tablet" {
			e.Start = clinical.OnDay(day0 - 10)
			e.Drug.Doses[0].From = e.Start
		}
	}
	treated.Events = append(treated.Events, clinical.Event{Kind: clinical.Procedure, Start: clinical.OnDay(day0 - 5), Codes: []clinical.Code{{Display: "Celiac plexus block"}}})
	refractory := patient("already")
	for _, d := range []int{-24, -17, -10, -3} {
		refractory.Events = append(refractory.Events, pain(d, 10, 9))
	}
	dead, lost := patient("dead"), patient("lost")
	dead.Death = clinical.OnDay(day0 + 15)
	dead.Events = slices.DeleteFunc(dead.Events, func(e clinical.Event) bool { return e.Start.Day() > day0+15 })
	lost.Events = slices.DeleteFunc(lost.Events, func(e clinical.Event) bool { return e.Start.Day() > day0+7 })
	got, s := members(t, fixed(), 2, patient("in"), young, benign, noPain, short, treated, refractory, dead, lost)
	var text []string
	for _, m := range got {
		text = append(text, fmt.Sprintf("%s:%d@%d", m.Key, m.Outcome.Code, m.Outcome.Day))
	}
	if want := "[in:1@21 dead:2@15 lost:9@7]"; fmt.Sprint(text) != want {
		t.Errorf("members: got %v, want %s", text, want)
	}
	left := make(map[cohort.Reason]int)
	for _, a := range s.Attrition {
		left[a.Reason] = a.N
	}
	for _, r := range []cohort.Reason{cohort.TooYoung, cohort.NoCancer, cohort.NoPainScore, cohort.ShortHistory, cohort.Intervened, cohort.AlreadyRefractory} {
		if left[r] != 1 {
			t.Errorf("%s: got %d, want 1 (%v)", r, left[r], left)
		}
	}
	if s.Patients != 9 || s.Members != 3 {
		t.Errorf("got %d of %d, want 3 of 9", s.Members, s.Patients)
	}
}

func TestFirstEligible(t *testing.T) {
	d := cohort.Default()
	h := patient("p")
	got, _ := members(t, d, 1, h)
	// Opioid since day -30: day -2 is the first with 28 days of history; the score of day -3 counts.
	if len(got) != 1 || got[0].Index.Day() != day0-2 || got[0].Index.Clock() != 0 {
		t.Fatalf("got %+v, want one member with time zero at the start of day -2", got)
	}
	// Without the earlier score, the first score sets the timestamp.
	h.Events = slices.DeleteFunc(h.Events, func(e clinical.Event) bool { return e.Kind == clinical.Observation && e.Start.Day() < day0 })
	got, _ = members(t, d, 1, h)
	if len(got) != 1 || got[0].Index.Day() != day0+7 || got[0].Index.Clock() != 9*3600 {
		t.Fatalf("got %+v, want time zero at the score of day 7", got)
	}
	if n := len(got[0].Past.Window(0, 0)); n != 1 {
		t.Errorf("the qualifying score is seen: got %d events of day 0, want 1", n)
	}
}

// TestNothingLaterSelects plants records after time zero: who is in, since when and what was known
// stay the same.
func TestNothingLaterSelects(t *testing.T) {
	d := fixed()
	base, _ := members(t, d, 1, patient("p"))
	h := patient("p")
	for _, k := range clinical.Kinds() {
		for _, at := range []clinical.Time{clinical.At(day0, 12*3600+1), clinical.At(day0+1, 0), clinical.At(day0+40, 0)} {
			h.Events = append(h.Events, clinical.Event{
				Kind: k, Start: at, Status: "completed", Codes: []clinical.Code{{System: clinical.ICD10, Code: "C50.9"}, {Display: "nerve block"}},
				Drug: &clinical.Drug{Codes: []clinical.Code{{Display: "morphine oral"}}, Doses: []clinical.Dosage{{Dose: clinical.Quantity{Value: 500, Unit: "mg"}}}},
			})
		}
	}
	// A diagnosis made later must not change the group at time zero.
	got, s := members(t, d, 1, h)
	if len(got) != 1 {
		t.Fatalf("records after time zero changed who is in: %+v", s.Attrition)
	}
	if a, b := len(got[0].Past.Events()), len(base[0].Past.Events()); a != b {
		t.Errorf("the past has %d events, want %d", a, b)
	}
	if got[0].Index != base[0].Index || got[0].Group != base[0].Group {
		t.Errorf("got %v %s, want %v %s", got[0].Index, got[0].Group, base[0].Index, base[0].Group)
	}
}

func TestWorkers(t *testing.T) {
	var hs []*clinical.History
	for i := range 300 {
		hs = append(hs, patient(fmt.Sprint(i)))
	}
	one, a := members(t, fixed(), 1, hs...)
	two, b := members(t, fixed(), 2, hs...)
	if len(one) != 300 || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Fatalf("got %d members; %v, %v", len(one), a, b)
	}
	for i := range one {
		if one[i].Key != two[i].Key || one[i].Outcome != two[i].Outcome {
			t.Fatalf("member %d differs", i)
		}
	}
}

func TestAlternatives(t *testing.T) {
	d := fixed()
	names := make([]string, 0, 5)
	for _, a := range d.Alternatives() {
		names = append(names, a.Name)
	}
	if want := "[ome_min=30 ome_min=100 duration_days=7 duration_days=21 pain_min=5]"; fmt.Sprint(names) != want {
		t.Errorf("got %v, want %s", names, want)
	}
	got, _ := members(t, d, 1, patient("p"))
	var codes []cohort.Code
	for _, o := range got[0].Sensitivity {
		codes = append(codes, o.Code)
	}
	// 90 mg/day is below 100; 21 scored days reach day 28.
	if want := "[1 0 1 1 1]"; fmt.Sprint(codes) != want {
		t.Errorf("got %v, want %s", codes, want)
	}
}
