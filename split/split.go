// Package split assigns rows to training and test sets: stratified and grouped folds,
// repeats, temporal, by site, bootstrap.
//
// Describe the rows in [Rows], choose a [Splitter] and call Split; [Nested] splits the
// training rows of a split again. All rows of one group (a patient) are always on one side.
// A splitter draws only from the stream it is given and keeps nothing.
//
// Row order. Where Group is set, folds and bootstrap samples depend on the group names and
// not on the order of rows; temporal and site splits never depend on it. Without groups a
// row is known only by its position, so reordered rows give other folds.
package split

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"dolor/diag"
	"dolor/rng"
)

// Split is one pair of training and test rows, both ascending row numbers.
type Split struct {
	Train, Test  []int  // Train of a bootstrap sample repeats rows; else both are sets
	Fold, Repeat int    // from 0
	Name         string // what the test rows are: "fold 1", "site E", "from 2025-07-01"
}

// Rows says of each row what splitters may use. A nil slice means not known; others have
// length N.
type Rows struct {
	N     int
	Y     []bool    // outcome; nil: folds are not stratified and outcomes not counted
	Group []string  // rows of one group stay together; "" is a group of its own; nil: every row is one
	Site  []string  // "" is missing
	Day   []float64 // days since 1970-01-01; NaN is missing
}

// Splitter makes splits. Errors are of kind Usage for a wrong setting, Missing for
// rows without what the splitter needs, Unfit when the data cannot be split so.
type Splitter interface {
	Split(d *Rows, r rng.Stream) ([]Split, error)
}

// Named is a splitter with the name that errors and reports use.
type Named struct {
	Name     string
	Splitter Splitter
	Exact    bool // every row is a test row exactly once per repeat
	Disjoint bool // no row is twice in Train
}

// All lists one of each splitter with usual settings; the shared battery runs over it.
func All() []Named {
	return []Named{
		{"folds", Folds{K: 5, Repeats: 2}, true, true},
		{"blocks", Blocks{N: 4}, false, true},
		{"leave-site-out", LeaveSiteOut{}, true, true},
		{"bootstrap", Bootstrap{Samples: 3}, false, false},
	}
}

// check reports slices of a wrong length, a programmer's mistake said as an error.
func (d *Rows) check(op string) error {
	for _, l := range []struct {
		name string
		n    int
		set  bool
	}{{"outcomes", len(d.Y), d.Y != nil}, {"groups", len(d.Group), d.Group != nil}, {"sites", len(d.Site), d.Site != nil}, {"dates", len(d.Day), d.Day != nil}} {
		if l.set && l.n != d.N {
			return diag.Errorf(diag.Internal, op, "expected %d %s, got %d", d.N, l.name, l.n)
		}
	}
	if d.N == 0 {
		return diag.Errorf(diag.Unfit, op, "expected rows, got none")
	}
	return nil
}

// take returns the description of rows.
func (d *Rows) take(rows []int) *Rows {
	out := &Rows{N: len(rows), Y: pick(d.Y, rows), Group: pick(d.Group, rows), Site: pick(d.Site, rows), Day: pick(d.Day, rows)}
	if d.Group == nil && repeats(rows) {
		out.Group = make([]string, len(rows))
		for i, r := range rows {
			out.Group[i] = strconv.Itoa(r)
		}
	}
	return out
}

func pick[T any](from []T, rows []int) []T {
	if from == nil {
		return nil
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = from[r]
	}
	return out
}

func repeats(sorted []int) bool {
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return true
		}
	}
	return false
}

// group is the rows that stay together.
type group struct {
	rows   []int
	events int
}

// groups returns the groups, named ones in order of name before single rows in row order.
func (d *Rows) groups() []group {
	named := make(map[string]*group)
	var single []group
	for i := range d.N {
		e := 0
		if d.Y != nil && d.Y[i] {
			e = 1
		}
		if d.Group == nil || d.Group[i] == "" {
			single = append(single, group{[]int{i}, e})
			continue
		}
		g := named[d.Group[i]]
		if g == nil {
			g = &group{}
			named[d.Group[i]] = g
		}
		g.rows, g.events = append(g.rows, i), g.events+e
	}
	out := make([]group, 0, len(named)+len(single))
	for _, name := range slices.Sorted(maps.Keys(named)) {
		out = append(out, *named[name])
	}
	return append(out, single...)
}

// classes counts rows with and without the outcome; both are -1 when it is not known.
func (d *Rows) classes(rows []int) (events, others int) {
	if d.Y == nil {
		return -1, -1
	}
	for _, i := range rows {
		if d.Y[i] {
			events++
		}
	}
	return events, len(rows) - events
}

// trainable reports a training set from which nothing can be learnt.
func (d *Rows) trainable(op, what string, train []int) error {
	events, others := d.classes(train)
	switch {
	case len(train) == 0:
		return diag.Errorf(diag.Unfit, op, "expected training rows%s, got none", what)
	case events == 0:
		return diag.Errorf(diag.Unfit, op, "no outcome in the training rows%s", what)
	case others == 0:
		return diag.Errorf(diag.Unfit, op, "every training row%s has the outcome", what)
	}
	return nil
}

// Nested splits the training rows of outer by inner. The row numbers are those of d. Where
// outer is a bootstrap sample, the copies of a row stay together.
func Nested(outer Split, inner Splitter, d *Rows, r rng.Stream) ([]Split, error) {
	in, err := inner.Split(d.take(outer.Train), r)
	if err != nil {
		return nil, err
	}
	for k := range in {
		for i, row := range in[k].Train {
			in[k].Train[i] = outer.Train[row]
		}
		for i, row := range in[k].Test {
			in[k].Test[i] = outer.Train[row]
		}
	}
	return in, nil
}

// others returns the rows of [0, n) that are not in the ascending rows, which may repeat.
func others(n int, rows []int) []int {
	out := make([]int, 0, max(0, n-len(rows)))
	k := 0
	for i := range n {
		for k < len(rows) && rows[k] < i {
			k++
		}
		if k == len(rows) || rows[k] != i {
			out = append(out, i)
		}
	}
	return out
}

func dayName(day float64) string {
	if math.IsNaN(day) || math.Abs(day) > 3e6 {
		return "day " + strconv.FormatFloat(day, 'g', -1, 64)
	}
	return time.Unix(int64(math.Floor(day))*86400, 0).UTC().Format(time.DateOnly)
}

// compareGroups puts groups with more events first, then larger ones.
func compareGroups(a, b group) int {
	return cmp.Or(cmp.Compare(b.events, a.events), cmp.Compare(len(b.rows), len(a.rows)))
}
