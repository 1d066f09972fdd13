package clinical_test

import (
	"fmt"
	"testing"

	"dolor/clinical"
	"dolor/diag"
)

func at(t *testing.T, s string) clinical.Time {
	t.Helper()
	v, err := clinical.ParseTime(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

func TestParseTime(t *testing.T) {
	for _, s := range []string{
		"2026", "2026-05", "2026-05-17", "2026-05-17T08:00:00+02:00", "2026-05-17T08:00:00Z",
		"2024-02-29", "1969-12-31", "2026-05-17T23:59:59-05:00", "2026-05-17T08:00:00",
	} {
		if got := at(t, s).String(); got != s {
			t.Errorf("got %s, want %s", got, s)
		}
	}
	for in, want := range map[string]string{
		"2026-05-17 08:00:00.123":  "2026-05-17T08:00:00",
		"2026-05-17T24:00:00":      "2026-05-18T00:00:00",
		"2026-05-17T08:00Z":        "2026-05-17T08:00:00Z",
		"2016-12-31T23:59:60Z":     "2016-12-31T23:59:59Z",
		"2026-05-17T08:00:00+0:00": "",
	} {
		v, err := clinical.ParseTime(in)
		if want == "" {
			if diag.KindOf(err) != diag.Invalid {
				t.Errorf("%s: got %v, want an error of kind invalid", in, err)
			}
			continue
		}
		if err != nil || v.String() != want {
			t.Errorf("%s: got %s, %v, want %s", in, v, err, want)
		}
	}
	for _, s := range []string{"", "26", "2026-13", "2025-02-29", "2026-05-17T", "2026-05-17T25:00:00Z", "2026-05-17T08:61:00", "yesterday", "0000", "2026-05-17T24:00:01"} {
		if _, err := clinical.ParseTime(s); diag.KindOf(err) != diag.Invalid {
			t.Errorf("%q: got %v, want an error of kind invalid", s, err)
		}
	}
}

func TestLatest(t *testing.T) {
	for _, c := range []struct{ in, last string }{
		{"2024", "2024-12-31T23:59:59Z"},
		{"2024-02", "2024-02-29T23:59:59Z"},
		{"2024-02-03", "2024-02-03T23:59:59Z"},
		{"2024-02-03T10:00:00+01:00", "2024-02-03T09:00:00Z"},
	} {
		if got, want := at(t, c.in).Latest(), at(t, c.last).Earliest(); got != want {
			t.Errorf("%s: got %d, want %d", c.in, got, want)
		}
	}
}

// TestUntil plants events of every kind around the cut: none that happened, was dated less
// precisely or was written down later may be seen.
func TestUntil(t *testing.T) {
	cut := at(t, "2026-05-17T10:00:00Z")
	for _, k := range clinical.Kinds() {
		h := clinical.History{Events: []clinical.Event{
			{Kind: k, ID: "before", Start: at(t, "2026-05-17T09:59:59Z")},
			{Kind: k, ID: "same", Start: cut},
			{Kind: k, ID: "second later", Start: at(t, "2026-05-17T10:00:01Z")},
			{Kind: k, ID: "same day", Start: at(t, "2026-05-17")},
			{Kind: k, ID: "same month", Start: at(t, "2026-05")},
			{Kind: k, ID: "day before", Start: at(t, "2026-05-16")},
			{Kind: k, ID: "other zone", Start: at(t, "2026-05-17T11:30:00+02:00")},
			{Kind: k, ID: "other zone later", Start: at(t, "2026-05-17T09:00:00-02:00")},
			{Kind: k, ID: "late note", Start: at(t, "2026-05-10"), Recorded: at(t, "2026-05-18")},
			{Kind: k, ID: "noted", Start: at(t, "2026-05-10"), Recorded: at(t, "2026-05-11")},
			{Kind: k, ID: "undated"},
		}}
		h.Sort()
		var got []string
		for _, e := range h.Until(cut).Events() {
			got = append(got, e.ID)
		}
		want := "[noted day before other zone before same]"
		if fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", k, got, want)
		}
	}
}

func TestUntilMasks(t *testing.T) {
	cut := at(t, "2026-05-17T10:00:00Z")
	h := clinical.History{Death: at(t, "2026-06-01"), Deceased: true, Events: []clinical.Event{
		{Kind: clinical.Condition, ID: "later end", Start: at(t, "2026-05-01"), End: at(t, "2026-06-01"), Clinical: "resolved"},
		{Kind: clinical.Condition, ID: "no end", Start: at(t, "2026-05-01"), Clinical: "resolved"},
		{Kind: clinical.Condition, ID: "ended", Start: at(t, "2026-05-01"), End: at(t, "2026-05-02"), Clinical: "resolved"},
		{Kind: clinical.Order, ID: "stopped", Start: at(t, "2026-05-01"), Status: "stopped"},
		{Kind: clinical.Administration, ID: "given", Start: at(t, "2026-05-01"), Status: "completed"},
	}}
	want := map[string]string{"later end": "active", "no end": "active", "ended": "resolved", "stopped": "active", "given": "completed"}
	for _, e := range h.Until(cut).Events() {
		if got := e.Clinical + e.Status; got != want[e.ID] {
			t.Errorf("%s: got %s, want %s", e.ID, got, want[e.ID])
		}
		if e.ID == "later end" && !e.End.IsZero() {
			t.Error("an end after the cut is seen")
		}
	}
	if len(h.Events) != 5 || h.Events[0].Clinical != "resolved" {
		t.Error("the history itself was changed")
	}
}

func ExamplePast_Window() {
	h := clinical.History{}
	for d := range 5 {
		h.Events = append(h.Events, clinical.Event{Kind: clinical.Observation, Start: clinical.At(clinical.Day(100+d), 8*3600)})
	}
	past := h.Until(clinical.At(103, 12*3600))
	fmt.Println(len(past.Events()), len(past.Window(-2, -1)), len(past.Window(0, 0)))
	// Output: 4 2 1
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2026", "2026-05-17T08:00:00.5+02:00", "2026-05-17 24:00:00", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := clinical.ParseTime(s)
		if err != nil {
			return
		}
		if v.Latest() < v.Earliest() {
			t.Error("the latest instant is before the earliest")
		}
		if again, err := clinical.ParseTime(v.String()); err != nil || again.Compare(v) != 0 {
			t.Errorf("written and read again: got %v, %v", again, err)
		}
	})
}
