package split_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dolor/diag"
	"dolor/rng"
	"dolor/split"
)

// anyRows draws a data set that every splitter of All can split: three sites with groups
// that do not cross them, dates in several years, both classes everywhere.
func anyRows(rt *rapid.T) *split.Rows {
	n := rapid.IntRange(60, 150).Draw(rt, "rows")
	d := &split.Rows{N: n, Y: make([]bool, n), Site: make([]string, n), Day: make([]float64, n)}
	grouped := rapid.Bool().Draw(rt, "grouped")
	if grouped {
		d.Group = make([]string, n)
	}
	per := rapid.IntRange(1, 3).Draw(rt, "rows a group")
	for i := range n {
		g := i / per
		d.Y[i] = i%2 == 0 || rapid.IntRange(0, 3).Draw(rt, "y") == 0
		d.Site[i] = string(rune('A' + g%3))
		d.Day[i] = float64(15000 + i*10)
		if grouped {
			d.Group[i] = "p" + strconv.Itoa(g)
		}
	}
	d.Y[1], d.Y[n-1] = false, false
	return d
}

// The partition battery: what must hold of every splitter.
func TestPartitionBattery(t *testing.T) {
	for _, s := range split.All() {
		t.Run(s.Name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				d := anyRows(rt)
				stream := rng.New(rapid.Uint64().Draw(rt, "seed"))
				splits, err := s.Splitter.Split(d, stream)
				if diag.KindOf(err) == diag.Unfit {
					rt.Skip("these rows cannot be split so")
				}
				if err != nil {
					rt.Fatal(err)
				}
				again, _ := s.Splitter.Split(d, stream)
				if diff := cmp.Diff(splits, again); diff != "" {
					rt.Fatal("the same stream gives other splits:", diff)
				}
				tested := map[int][]int{}
				for _, sp := range splits {
					battery(rt, d, sp, s.Disjoint)
					if tested[sp.Repeat] == nil {
						tested[sp.Repeat] = make([]int, d.N)
					}
					for _, i := range sp.Test {
						tested[sp.Repeat][i]++
					}
				}
				for rep, counts := range tested {
					for i, c := range counts {
						if s.Exact && c != 1 {
							rt.Fatalf("repeat %d: row %d is in %d test sets, want 1", rep, i, c)
						}
						if c > 1 {
							rt.Fatalf("repeat %d: row %d is in %d test sets", rep, i, c)
						}
					}
				}
			})
		})
	}
}

func battery(rt *rapid.T, d *split.Rows, sp split.Split, disjoint bool) {
	if len(sp.Train) == 0 || len(sp.Test) == 0 {
		rt.Fatalf("%s: empty side", sp.Name)
	}
	if !slices.IsSorted(sp.Train) || !slices.IsSorted(sp.Test) {
		rt.Fatalf("%s: rows are not ascending", sp.Name)
	}
	if disjoint && len(slices.Compact(slices.Clone(sp.Train))) != len(sp.Train) {
		rt.Fatalf("%s: a training row twice", sp.Name)
	}
	events := 0
	side := map[string]string{}
	for _, set := range []struct {
		name string
		rows []int
	}{{"train", sp.Train}, {"test", sp.Test}} {
		for _, i := range set.rows {
			if i < 0 || i >= d.N {
				rt.Fatalf("%s: row %d out of range", sp.Name, i)
			}
			key := "row " + strconv.Itoa(i)
			if d.Group != nil {
				key = d.Group[i]
			}
			if was, ok := side[key]; ok && was != set.name {
				rt.Fatalf("%s: %s is on both sides", sp.Name, key)
			}
			side[key] = set.name
			if set.name == "train" && d.Y[i] {
				events++
			}
		}
	}
	if events == 0 || events == len(sp.Train) {
		rt.Fatalf("%s: one class in the training rows", sp.Name)
	}
}

// With one row a group, events and sizes of the folds differ by at most one.
func TestFoldsAreStratified(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(10, 200).Draw(rt, "n")
		k := rapid.IntRange(2, 5).Draw(rt, "k")
		y := make([]bool, n)
		for i := range y {
			y[i] = rapid.IntRange(0, 2).Draw(rt, "y") == 0
		}
		splits, err := split.Folds{K: k}.Split(&split.Rows{N: n, Y: y}, rng.New(3))
		if err != nil {
			rt.Skip(err)
		}
		size, events := spread(splits, y)
		if size > 1 || events > 1 {
			rt.Fatalf("sizes differ by %d, events by %d", size, events)
		}
	})
}

// Three rows a patient, the outcome a property of the patient: the folds' patients with the
// outcome differ by at most one.
func TestGroupedFoldsAreStratified(t *testing.T) {
	const n = 300
	d := &split.Rows{N: n, Y: make([]bool, n), Group: make([]string, n)}
	for i := range n {
		d.Group[i], d.Y[i] = fmt.Sprint("p", i/3), i/3%4 == 0
	}
	splits, err := split.Folds{K: 5, Repeats: 3}.Split(d, rng.New(1))
	if err != nil {
		t.Fatal(err)
	}
	if size, events := spread(splits, d.Y); size > 3 || events > 3 {
		t.Errorf("sizes differ by %d, events by %d rows, want at most one patient of 3", size, events)
	}
	if cmp.Equal(splits[0].Test, splits[5].Test) {
		t.Error("two repeats have the same first fold")
	}
}

func spread(splits []split.Split, y []bool) (size, events int) {
	lo, hi, elo, ehi := math.MaxInt, 0, math.MaxInt, 0
	for _, sp := range splits {
		e := 0
		for _, i := range sp.Test {
			if y[i] {
				e++
			}
		}
		lo, hi, elo, ehi = min(lo, len(sp.Test)), max(hi, len(sp.Test)), min(elo, e), max(ehi, e)
	}
	return hi - lo, ehi - elo
}

// Groups are known by name: reordered rows give the same patients in the same folds, and
// renaming the outcome of nobody changes them.
func TestGroupedFoldsDoNotDependOnRowOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := 60
		d := &split.Rows{N: n, Y: make([]bool, n), Group: make([]string, n)}
		for i := range n {
			d.Group[i], d.Y[i] = fmt.Sprint("p", i/2), i%3 == 0
		}
		order := rapid.Permutation(identity(n)).Draw(rt, "order")
		e := &split.Rows{N: n, Y: make([]bool, n), Group: make([]string, n)}
		for i, o := range order {
			e.Y[i], e.Group[i] = d.Y[o], d.Group[o]
		}
		for _, s := range []split.Splitter{split.Folds{K: 5}, split.Bootstrap{Samples: 2}} {
			a, err := s.Split(d, rng.New(9))
			if err != nil {
				rt.Fatal(err)
			}
			b, err := s.Split(e, rng.New(9))
			if err != nil {
				rt.Fatal(err)
			}
			for k := range a {
				if diff := cmp.Diff(patients(d, a[k].Test), patients(e, b[k].Test)); diff != "" {
					rt.Fatal(diff)
				}
			}
		}
	})
}

func patients(d *split.Rows, rows []int) []string {
	var out []string
	for _, i := range rows {
		out = append(out, d.Group[i])
	}
	slices.Sort(out)
	return out
}

func identity(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestNestedStaysInside(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := anyRows(rt)
		for _, s := range []split.Splitter{split.Folds{K: 3}, split.Bootstrap{Samples: 2}} {
			outer, err := s.Split(d, rng.New(5))
			if err != nil {
				rt.Skip(err)
			}
			for _, o := range outer {
				inner, err := split.Nested(o, split.Folds{K: 3}, d, rng.New(5).Child("inner", o.Fold))
				if diag.KindOf(err) == diag.Unfit {
					continue
				}
				if err != nil {
					rt.Fatal(err)
				}
				var seen []int
				for _, in := range inner {
					battery(rt, d, in, false)
					for _, rows := range [][]int{in.Train, in.Test} {
						for _, i := range rows {
							if _, ok := slices.BinarySearch(o.Test, i); ok {
								rt.Fatalf("an inner split holds row %d of the outer test set", i)
							}
						}
					}
					seen = append(seen, in.Test...)
				}
				slices.Sort(seen)
				if diff := cmp.Diff(o.Train, seen); diff != "" {
					rt.Fatal("the inner test sets do not make up the outer training set:", diff)
				}
			}
		}
	})
}

func TestTemporal(t *testing.T) {
	d := &split.Rows{
		N: 6, Y: []bool{true, false, true, false, true, false}, Day: []float64{0, 1, 2, 3, 4, 5},
		Group: []string{"a", "b", "c", "d", "a", "e"},
	}
	got, err := split.Temporal{From: 3}.Split(d, rng.New(1))
	if err != nil {
		t.Fatal(err)
	}
	// Patient a has a row on either side: the early one is not learnt from.
	want := []split.Split{{Train: []int{1, 2}, Test: []int{3, 4, 5}, Name: "from 1970-01-04"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = split.Blocks{Cuts: []float64{2, 4}}.Split(&split.Rows{N: 6, Y: d.Y, Day: d.Day}, rng.New(1))
	if err != nil {
		t.Fatal(err)
	}
	want = []split.Split{
		{Train: []int{0, 1}, Test: []int{2, 3}, Name: "1970-01-03 to 1970-01-04"},
		{Train: []int{0, 1, 2, 3}, Test: []int{4, 5}, Fold: 1, Name: "from 1970-01-05"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrors(t *testing.T) {
	y := func(events, n int) []bool {
		out := make([]bool, n)
		for i := range events {
			out[i] = true
		}
		return out
	}
	days := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = 18628 + float64(i) // from 2021-01-01
		}
		return out
	}
	pairs := []string{"a", "a", "b", "b", "c", "c"}
	tests := []struct {
		name string
		s    split.Splitter
		d    split.Rows
		kind diag.Kind
		want string
	}{
		{"few events", split.Folds{K: 5}, split.Rows{N: 20, Y: y(3, 20)}, diag.Unfit, "internal split: expected at least 5 events for 5 folds, got 3"},
		{"few others", split.Folds{K: 5}, split.Rows{N: 20, Y: y(18, 20)}, diag.Unfit, "internal split: expected at least 5 rows without the event for 5 folds, got 2"},
		{"few rows", split.Folds{K: 5}, split.Rows{N: 4}, diag.Unfit, "internal split: expected at least 5 rows for 5 folds, got 4"},
		{"few groups", split.Folds{K: 5}, split.Rows{N: 6, Y: y(3, 6), Group: pairs}, diag.Unfit, "internal split: expected at least 5 groups for 5 folds, got 3"},
		{"few groups with events", split.Folds{K: 3}, split.Rows{N: 6, Y: y(3, 6), Group: pairs}, diag.Unfit, "internal split: expected at least 3 groups with an event for 3 folds, got 2"},
		{"one fold", split.Folds{K: 1}, split.Rows{N: 6}, diag.Usage, "internal split: expected at least 2 folds, got 1"},
		{"no rows", split.Folds{K: 2}, split.Rows{}, diag.Unfit, "internal split: expected rows, got none"},
		{"no outcome after", split.Temporal{From: 18630}, split.Rows{N: 4, Y: y(1, 4), Day: days(4)}, diag.Unfit, "temporal split: no outcome in the rows from 2021-01-03; test from an earlier date"},
		{"nothing after", split.Temporal{From: 19000}, split.Rows{N: 4, Y: y(1, 4), Day: days(4)}, diag.Unfit, "temporal split: expected rows from 2022-01-08 on, got none"},
		{"nothing before", split.Temporal{From: 18000}, split.Rows{N: 4, Y: y(1, 4), Day: days(4)}, diag.Unfit, "temporal split: expected training rows before 2019-04-14, got none"},
		{"no outcome in a block", split.Blocks{Cuts: []float64{18630, 18632}}, split.Rows{N: 6, Y: y(1, 6), Day: days(6)}, diag.Unfit, "temporal split: no outcome in 2021-01-03 to 2021-01-04; merge it with the next block"},
		{"no dates", split.Temporal{}, split.Rows{N: 4}, diag.Missing, "temporal split: expected a date column, got none"},
		{"a date missing", split.Temporal{}, split.Rows{N: 2, Day: []float64{1, math.NaN()}}, diag.Missing, "temporal split: expected a date in every row, got 1 row without"},
		{"one site", split.LeaveSiteOut{}, split.Rows{N: 2, Site: []string{"A", "A"}}, diag.Unfit, "site split: expected at least 2 sites, got 1"},
		{"a site missing", split.LeaveSiteOut{}, split.Rows{N: 2, Site: []string{"A", ""}}, diag.Missing, "site split: expected a site in every row, got 1 row without"},
		{"unknown site", split.SiteHoldout{Sites: []string{"Nroth"}}, split.Rows{N: 2, Site: []string{"North", "West"}}, diag.Missing, "site split: no row of site Nroth; did you mean North?"},
		{"patient in two sites", split.LeaveSiteOut{}, split.Rows{N: 3, Site: []string{"A", "B", "B"}, Group: []string{"p", "p", "q"}}, diag.Invalid, "site split: expected each group (patient) in one site, got 1 in several"},
		{"one class elsewhere", split.LeaveSiteOut{}, split.Rows{N: 4, Y: y(2, 4), Site: []string{"A", "A", "B", "B"}}, diag.Unfit, "site split: no outcome in the training rows without site A"},
		{"one class", split.Bootstrap{Samples: 2}, split.Rows{N: 4, Y: y(0, 4)}, diag.Unfit, "bootstrap split: no outcome in the training rows"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.s.Split(&tt.d, rng.New(1))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if k := diag.KindOf(err); k != tt.kind {
				t.Errorf("kind %s, want %s", k, tt.kind)
			}
		})
	}
}

// A site of one class is held out all the same.
func TestSiteOfOneClassIsHeldOut(t *testing.T) {
	d := &split.Rows{N: 6, Y: []bool{true, false, true, false, false, false}, Site: []string{"B", "B", "A", "A", "C", "C"}}
	got, err := split.LeaveSiteOut{}.Split(d, rng.New(1))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[2].Name != "site C" || !cmp.Equal(got[2].Test, []int{4, 5}) {
		t.Errorf("got %+v", got)
	}
}

// The out-of-bag share tends to 1/e.
func TestBootstrapLeavesOutAThird(t *testing.T) {
	const n = 500
	got, err := split.Bootstrap{Samples: 200}.Split(&split.Rows{N: n}, rng.New(2))
	if err != nil {
		t.Fatal(err)
	}
	out := 0
	for _, sp := range got {
		out += len(sp.Test)
	}
	if share := float64(out) / (200 * n); math.Abs(share-math.Exp(-1)) > 0.005 {
		t.Errorf("out-of-bag share %.4f, want 0.368 within 0.005", share)
	}
}

func ExampleFolds() {
	y := []bool{true, false, false, true, false, false}
	splits, err := split.Folds{K: 2}.Split(&split.Rows{N: len(y), Y: y}, rng.New(1).Child("outer"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range splits {
		events := 0
		for _, i := range s.Test {
			if y[i] {
				events++
			}
		}
		fmt.Printf("%s: %d rows, %d event\n", s.Name, len(s.Test), events)
	}
	// Output:
	// fold 1: 3 rows, 1 event
	// fold 2: 3 rows, 1 event
}
