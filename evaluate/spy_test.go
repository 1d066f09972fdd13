package evaluate_test

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/builtin"
	"dolor/preprocess"
	"dolor/preprocess/preprocesstest"
	"dolor/rng"
)

// data has n rows of n/2 patients (two rows each, of one site and date), with a text column
// id that names the row for the spy.
func data(t testing.TB, n int) *evaluate.Data {
	t.Helper()
	r := rng.New(5).Child("data").Rand()
	d := &evaluate.Data{}
	x, z, id := make([]float64, n), make([]float64, n), make([]string, n)
	for i := range n {
		patient := i / 2
		x[i], z[i], id[i] = r.NormFloat64(), r.NormFloat64(), "r"+strconv.Itoa(i)
		d.Y = append(d.Y, x[i]+r.NormFloat64() > 0.3)
		d.Patient = append(d.Patient, "p"+strconv.Itoa(patient))
		d.Site = append(d.Site, string(rune('A'+patient%4)))
		d.Date = append(d.Date, float64(20000+patient%10))
	}
	f, err := frame.New(n, frame.TextColumn(frame.Field{Name: "id"}, id, nil),
		frame.NumberColumn(frame.Field{Name: "x"}, x), frame.NumberColumn(frame.Field{Name: "z"}, z))
	if err != nil {
		t.Fatal(err)
	}
	d.X = f
	return d
}

func spied(spy *preprocesstest.Spy) evaluate.Recipe {
	f := builtin.Families()[0]
	return evaluate.Recipe{
		Family: f, Params: f.Default(), Calibration: "logistic",
		Steps: preprocess.Chain{{Name: "spy", Step: spy}, {Name: "standardise", Step: &preprocess.Standardise{}}},
	}
}

// rowsOf turns the spy's identifiers into a sorted set of rows, 0-based.
func rowsOf(t testing.TB, ids []string) []int {
	t.Helper()
	out := make([]int, len(ids))
	for i, s := range ids {
		n, err := strconv.Atoi(s[1:])
		if err != nil {
			t.Fatal(err)
		}
		out[i] = n
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func patients(d *evaluate.Data, rows []int) map[string]bool {
	out := make(map[string]bool)
	for _, r := range rows {
		out[d.Patient[r]] = true
	}
	return out
}

// overlap is a patient of both a and b, or "".
func overlap(d *evaluate.Data, a, b []int) string {
	in := patients(d, a)
	for _, r := range b {
		if in[d.Patient[r]] {
			return d.Patient[r]
		}
	}
	return ""
}

// TestNothingFittedSeesHeldOutRows runs each validation alone with one worker, so that the
// fits the spy recorded are known in order: for each task the inner folds, then the fit whose
// model predicts the test rows. No fit of a task may hold a row (or a patient) that the task
// predicts, and no inner fit a row of its inner test fold.
func TestNothingFittedSeesHeldOutRows(t *testing.T) {
	const inner = 3
	d := data(t, 120)
	for _, tt := range []struct {
		name string
		plan evaluate.Plan
		held string // the validation whose predictions were held out
	}{
		{"internal", evaluate.Plan{Outer: 4, Repeats: 2}, "internal"},
		{"sites", evaluate.Plan{LeaveSiteOut: true}, "site"},
		{"temporal", evaluate.Plan{TemporalFrom: 20007}, "temporal"},
		{"external", evaluate.Plan{External: []string{"B"}}, "external"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spy := &preprocesstest.Spy{ID: "id"}
			plan := tt.plan
			plan.Inner, plan.Recipes = inner, []evaluate.Recipe{spied(spy)}
			res, err := evaluate.Run(t.Context(), d, &plan, &evaluate.Options{Stream: rng.New(1), Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(spy.Fits()), len(res.Tasks)*(inner+1); got != want {
				t.Fatalf("the spy saw %d fits, want %d", got, want)
			}
			checkTasks(t, d, res, spy.Fits(), inner, tt.held)
		})
	}
}

func checkTasks(t *testing.T, d *evaluate.Data, res *evaluate.Result, fits [][]string, inner int, held string) {
	t.Helper()
	checked := 0
	for k, task := range res.Tasks {
		test := predictedBy(res.Predictions, task, held)
		own := fits[k*(inner+1) : (k+1)*(inner+1)]
		train := rowsOf(t, own[inner])
		if len(test) > 0 {
			checked++
		}
		var seen [][]int
		for j, ids := range own {
			rows := rowsOf(t, ids)
			if p := overlap(d, rows, test); p != "" {
				t.Errorf("%s, fit %d: learnt from %s, whom it predicts as held out", task.Key(), j, p)
			}
			for _, r := range rows {
				if !slices.Contains(train, r) {
					t.Errorf("%s, fit %d: row %d is not among the training rows", task.Key(), j, r)
				}
			}
			if j < inner { // what an inner fit left out is what it was judged on
				left := slices.DeleteFunc(slices.Clone(train), func(r int) bool { return slices.Contains(rows, r) })
				if p := overlap(d, rows, left); p != "" || len(left) == 0 {
					t.Errorf("%s, inner fold %d: %s on both sides, %d rows left out", task.Key(), j, p, len(left))
				}
				seen = append(seen, left)
			}
		}
		var all []int
		for _, s := range seen {
			all = append(all, s...)
		}
		slices.Sort(all)
		if !slices.Equal(all, train) {
			t.Errorf("%s: inner test folds are no partition of the training rows", task.Key())
		}
	}
	if checked == 0 {
		t.Errorf("no task held out a row as %s", held)
	}
}

// predictedBy lists the rows (0-based) that task predicted as validation.
func predictedBy(p *evaluate.Predictions, task evaluate.TaskReport, validation string) []int {
	var out []int
	kinds := map[string]string{"internal": "internal", "site": "site", "temporal": "final", "external": "final"}
	if kinds[validation] != task.Kind {
		return nil
	}
	for i := range p.Len() {
		same := task.Kind == "final" || p.Repeat[i] == task.Repeat && p.Fold[i] == task.Fold
		if p.Validation[i] == validation && same {
			out = append(out, p.Row[i]-1)
		}
	}
	return out
}

// TestBootstrapInnerFoldsKeepPatientsWhole: copies of a row drawn twice, and rows of one
// patient, never sit on both sides of an inner fold, with and without patient keys.
func TestBootstrapInnerFoldsKeepPatientsWhole(t *testing.T) {
	for _, keyed := range []bool{true, false} {
		d := data(t, 80)
		if !keyed {
			d.Patient = nil
		}
		spy := &preprocesstest.Spy{ID: "id"}
		plan := &evaluate.Plan{Bootstrap: 4, Inner: 3, Recipes: []evaluate.Recipe{spied(spy)}}
		if _, err := evaluate.Run(t.Context(), d, plan, &evaluate.Options{Stream: rng.New(2), Workers: 1}); err != nil {
			t.Fatal(err)
		}
		if !keyed {
			for i := range d.Rows() {
				d.Patient = append(d.Patient, strconv.Itoa(i))
			}
		}
		fits := spy.Fits()
		for b := range plan.Bootstrap {
			own := fits[b*4 : (b+1)*4]
			for j := range 3 {
				// The rows an inner fit did not see, with multiplicity, are its test rows.
				left := slices.Clone(own[3])
				for _, id := range own[j] {
					if at := slices.Index(left, id); at >= 0 {
						left = slices.Delete(left, at, at+1)
					}
				}
				if p := overlap(d, rowsOf(t, own[j]), rowsOf(t, left)); p != "" {
					t.Errorf("keyed %v, replicate %d, inner fold %d: %s on both sides", keyed, b, j, p)
				}
			}
		}
	}
}

// TestPatientsStayOnOneSide: every patient's rows are predicted by the same fold, and each
// row once a repeat.
func TestPatientsStayOnOneSide(t *testing.T) {
	d := data(t, 120)
	spy := &preprocesstest.Spy{ID: "id"}
	plan := &evaluate.Plan{Outer: 5, Inner: 3, Repeats: 3, LeaveSiteOut: true, Recipes: []evaluate.Recipe{spied(spy)}}
	res, err := evaluate.Run(t.Context(), d, plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		validation string
		repeat     int
		who        string
	}
	fold, count := map[key]int{}, map[key]int{}
	for i := range res.Predictions.Len() {
		p := res.Predictions
		k := key{p.Validation[i], p.Repeat[i], p.Patient[i]}
		if f, ok := fold[k]; ok && f != p.Fold[i] {
			t.Errorf("%v is in folds %d and %d", k, f, p.Fold[i])
		}
		fold[k] = p.Fold[i]
		count[key{p.Validation[i], p.Repeat[i], strconv.Itoa(p.Row[i])}]++
	}
	for k, n := range count {
		if n != 1 {
			t.Errorf("row of %v predicted %d times", k, n)
		}
	}
	if got, want := len(count), 120*(3+1+1); got != want {
		t.Errorf("got %d predictions, want %d", got, want)
	}
}

// TestPatientAcrossTheCut: a patient with rows before and after the temporal cut trains
// nothing that predicts the later rows.
func TestPatientAcrossTheCut(t *testing.T) {
	d := data(t, 120)
	for i := range 20 {
		d.Date[i*6] += 5 // one row of the patient moves past the cut
	}
	spy := &preprocesstest.Spy{ID: "id"}
	plan := &evaluate.Plan{TemporalFrom: 20007, Inner: 3, Recipes: []evaluate.Recipe{spied(spy)}}
	res, err := evaluate.Run(t.Context(), d, plan, &evaluate.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, ids := range spy.Fits() {
		if p := overlap(d, rowsOf(t, ids), res.Temporal); p != "" {
			t.Errorf("%s is on both sides of the cut", p)
		}
	}
}

// TestFutureRowsDoNotMatter: changing every predictor and outcome of the test rows changes
// no fitted thing, so the predictions of other folds stay as they were, bit for bit.
func TestFutureRowsDoNotMatter(t *testing.T) {
	run := func(change bool) *evaluate.Result {
		d := data(t, 120)
		if change {
			x := slices.Clone(d.X.At(1).Numbers())
			for i := range d.Rows() {
				if d.Date[i] >= 20007 {
					x[i], d.Y[i] = 50, !d.Y[i]
				}
			}
			f, err := d.X.With(frame.NumberColumn(frame.Field{Name: "x"}, x))
			if err != nil {
				t.Fatal(err)
			}
			d.X = f
		}
		spy := &preprocesstest.Spy{ID: "id"}
		plan := &evaluate.Plan{Outer: 3, TemporalFrom: 20007, Inner: 3, Recipes: []evaluate.Recipe{spied(spy)}}
		res, err := evaluate.Run(t.Context(), d, plan, &evaluate.Options{Stream: rng.New(3)})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	a, b := run(false).Predictions, run(true).Predictions
	moved := false
	for i := range a.Len() {
		switch {
		case a.Validation[i] == "temporal":
			moved = moved || a.Probability[i] != b.Probability[i]
		case math.Float64bits(a.Probability[i]) != math.Float64bits(b.Probability[i]):
			t.Fatalf("%s prediction %d moved with the test rows", a.Validation[i], i)
		}
	}
	if !moved {
		t.Error("the change did not reach the test rows: the test sees nothing")
	}
}
