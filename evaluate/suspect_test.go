package evaluate_test

import (
	"math"
	"slices"
	"testing"

	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/rng"
)

// suspects of a table with one honest column and the column given.
func suspects(t *testing.T, y []bool, c frame.Column) []evaluate.Suspect {
	t.Helper()
	r := rng.New(1).Child("honest").Rand()
	honest := make([]float64, len(y))
	rows := make([]int, len(y))
	for i := range y {
		honest[i], rows[i] = r.NormFloat64(), i
		if y[i] {
			honest[i]++
		}
	}
	x, err := frame.New(len(y), frame.NumberColumn(frame.Field{Name: "honest"}, honest), c)
	if err != nil {
		t.Fatal(err)
	}
	out, err := evaluate.Suspects(t.Context(), &evaluate.Data{X: x, Outcome: evaluate.Outcome{Y: y}}, rows, rng.New(2))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSuspects: a column that all but tells the outcome is named, whether by its value (in
// either direction), by its level or by its gaps; an honest column is not.
func TestSuspects(t *testing.T) {
	const n = 200
	y := make([]bool, n)
	up, down, gap, shuffled := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	level := make([]int32, n)
	r := rng.New(3).Child("suspect").Rand()
	for i := range n {
		y[i] = i%3 == 0
		shift := 0.0
		if y[i] {
			shift = 4
			level[i] = 1
			gap[i] = math.NaN()
		} else {
			gap[i] = r.NormFloat64()
		}
		up[i], down[i], shuffled[i] = shift+r.NormFloat64(), -shift+r.NormFloat64(), r.NormFloat64()
	}
	number := func(v []float64) frame.Column { return frame.NumberColumn(frame.Field{Name: "late"}, v) }
	for _, tt := range []struct {
		name   string
		column frame.Column
		want   bool
	}{
		{"higher with the event", number(up), true},
		{"lower with the event", number(down), true},
		{"missing with the event", number(gap), true},
		{"level", frame.CategoryColumn(frame.Field{Name: "late", Levels: []string{"alive", "dead"}}, level), true},
		{"noise", number(shuffled), false},
		{"constant", number(make([]float64, n)), false},
	} {
		got := suspects(t, y, tt.column)
		named := slices.ContainsFunc(got, func(s evaluate.Suspect) bool { return s.Column == "late" && s.AUC > 0.95 })
		if named != tt.want || slices.ContainsFunc(got, func(s evaluate.Suspect) bool { return s.Column == "honest" }) {
			t.Errorf("%s: got %v", tt.name, got)
		}
		if named {
			if w := got[0].Warning(); w.Code != "suspect_column" || w.First != "late" || w.Count != 1 {
				t.Errorf("%s: got %+v", tt.name, w)
			}
		}
	}
}

// TestCheck: what data cannot carry the plan, in words, fitting nothing.
func TestCheck(t *testing.T) {
	few := data(t, 120)
	for i := range few.Y {
		few.Y[i] = i < 4
	}
	paired := data(t, 120) // six rows with the event, of three patients
	for i := range paired.Y {
		paired.Y[i] = i < 6
	}
	one := data(t, 120)
	for i := range one.Y {
		one.Y[i] = false
	}
	siteOnly := data(t, 120) // every event is at site A
	for i := range siteOnly.Y {
		siteOnly.Y[i] = siteOnly.Site[i] == "A" && i%16 < 8
	}
	bare := data(t, 120)
	bare.Site, bare.Date = nil, nil
	for _, tt := range []struct {
		name string
		d    *evaluate.Data
		plan evaluate.Plan
		kind diag.Kind
		text string
	}{
		{"fine", data(t, 120), evaluate.Plan{Outer: 5, LeaveSiteOut: true, TemporalFrom: 20007}, 0, ""},
		{"few events", few, evaluate.Plan{Outer: 5}, diag.Unfit, "internal split: expected at least 5 events for 5 folds, got 4"},
		{"few patients with events", paired, evaluate.Plan{Outer: 5}, diag.Unfit, "internal split: expected at least 5 groups with an event for 5 folds, got 3"},
		{"one class", one, evaluate.Plan{Outer: 5}, diag.Unfit, "outcome: expected rows with and without the event, got 0 events in 120 rows of development"},
		{"no such site", data(t, 120), evaluate.Plan{External: []string{"a"}}, diag.Invalid, `validation.external.site: no row of site "a"; did you mean "A"?`},
		{"no sites", bare, evaluate.Plan{External: []string{"A"}}, diag.Invalid, "validation.external: expected a site for each row, got a table without sites"},
		{"no dates", bare, evaluate.Plan{TemporalFrom: 20007}, diag.Invalid, "validation.temporal: expected a date for each row, got a table without dates"},
		{"nothing later", data(t, 120), evaluate.Plan{TemporalFrom: 30000}, diag.Unfit, "temporal split: no row on or after the date test_from"},
		{"one site has all events", siteOnly, evaluate.Plan{LeaveSiteOut: true}, diag.Unfit, `validation.sites: without site "A" the other rows have one class only`},
	} {
		err := evaluate.Check(tt.d, &tt.plan, rng.New(1))
		switch {
		case tt.text == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.text != "" && (err == nil || diag.KindOf(err) != tt.kind || err.Error() != tt.text):
			t.Errorf("%s: got %v, want %s (%v)", tt.name, err, tt.text, tt.kind)
		}
	}
}
