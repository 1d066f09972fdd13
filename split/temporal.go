package split

import (
	"math"
	"slices"
	"strconv"

	"dolor/diag"
	"dolor/rng"
)

// Temporal trains on rows dated before From and tests on the others. A group with rows on
// both sides keeps its later rows and leaves the training set, so that the test is whole and
// nothing is learnt from its patients or from its time.
type Temporal struct{ From float64 } // days since 1970-01-01

// Blocks is rolling temporal validation: time is cut into blocks, and each block but the first
// is the test set of a model trained on all before it, groups as in Temporal. The cuts are
// Cuts (days since 1970-01-01, ascending, each the first day of a block), or else such that
// N blocks (at least 2) hold about as many rows each; days are never divided.
type Blocks struct {
	Cuts []float64
	N    int
}

var (
	_ Splitter = Temporal{}
	_ Splitter = Blocks{}
)

const temporalOp = "temporal split"

// Split implements Splitter: one split. It draws nothing.
func (s Temporal) Split(d *Rows, _ rng.Stream) ([]Split, error) {
	if math.IsNaN(s.From) {
		return nil, diag.Errorf(diag.Usage, temporalOp, "expected a date from which to test, got none")
	}
	if err := d.dated(); err != nil {
		return nil, err
	}
	sp := Split{Name: "from " + dayName(s.From)}
	sp.Train, sp.Test = d.cut(s.From, math.Inf(1))
	if len(sp.Test) == 0 {
		return nil, diag.Errorf(diag.Unfit, temporalOp, "expected rows from %s on, got none", dayName(s.From))
	}
	if events, _ := d.classes(sp.Test); events == 0 {
		return nil, &diag.Error{Kind: diag.Unfit, Field: temporalOp, Msg: "no outcome in the rows " + sp.Name, Hint: "test from an earlier date"}
	}
	if err := d.trainable(temporalOp, " before "+dayName(s.From), sp.Train); err != nil {
		return nil, err
	}
	return []Split{sp}, nil
}

// Split implements Splitter: one split for each block but the first, in order of time, Fold
// counting them. It draws nothing.
func (s Blocks) Split(d *Rows, _ rng.Stream) ([]Split, error) {
	if err := d.dated(); err != nil {
		return nil, err
	}
	cuts := s.Cuts
	if cuts == nil {
		if s.N < 2 {
			return nil, diag.Errorf(diag.Usage, temporalOp, "expected at least 2 blocks, got %d", s.N)
		}
		cuts = d.evenCuts(s.N)
		if len(cuts) < s.N-1 {
			return nil, diag.Errorf(diag.Unfit, temporalOp, "expected dates that divide into %d blocks, got %d", s.N, len(cuts)+1)
		}
	}
	for i, c := range cuts {
		if math.IsNaN(c) || i > 0 && c <= cuts[i-1] {
			return nil, diag.Errorf(diag.Usage, temporalOp, "expected ascending dates between blocks")
		}
	}
	var out []Split
	for k, from := range cuts {
		to, name := math.Inf(1), "from "+dayName(from)
		if k+1 < len(cuts) {
			to = cuts[k+1]
			name = dayName(from) + " to " + dayName(math.Ceil(to)-1)
		}
		sp := Split{Fold: k, Name: name}
		sp.Train, sp.Test = d.cut(from, to)
		events, _ := d.classes(sp.Test)
		switch {
		case len(sp.Test) == 0:
			return nil, &diag.Error{Kind: diag.Unfit, Field: temporalOp, Msg: "no row in " + name, Hint: "merge it with the next block"}
		case events == 0:
			return nil, &diag.Error{Kind: diag.Unfit, Field: temporalOp, Msg: "no outcome in " + name, Hint: "merge it with the next block"}
		}
		if err := d.trainable(temporalOp, " before "+dayName(from), sp.Train); err != nil {
			return nil, err
		}
		out = append(out, sp)
	}
	return out, nil
}

// dated reports rows without a date.
func (d *Rows) dated() error {
	if err := d.check(temporalOp); err != nil {
		return err
	}
	if d.Day == nil {
		return diag.Errorf(diag.Missing, temporalOp, "expected a date column, got none")
	}
	none := 0
	for _, v := range d.Day {
		if math.IsNaN(v) {
			none++
		}
	}
	if none > 0 {
		return diag.Errorf(diag.Missing, temporalOp, "expected a date in every row, got %s without", rowCount(none))
	}
	return nil
}

// cut returns the rows before from, less those of groups in the test set, and the rows in
// [from, to).
func (d *Rows) cut(from, to float64) (train, test []int) {
	seen := make(map[string]bool)
	for i, day := range d.Day {
		if day >= from && day < to {
			test = append(test, i)
			if d.Group != nil && d.Group[i] != "" {
				seen[d.Group[i]] = true
			}
		}
	}
	for i, day := range d.Day {
		if day < from && (d.Group == nil || !seen[d.Group[i]]) {
			train = append(train, i)
		}
	}
	return train, test
}

// evenCuts returns the first days of blocks 2 to n of about equal size; fewer when days repeat.
func (d *Rows) evenCuts(n int) []float64 {
	days := slices.Sorted(slices.Values(d.Day))
	var cuts []float64
	for k := 1; k < n; k++ {
		c := math.Floor(days[k*len(days)/n])
		if c > math.Floor(days[0]) && (len(cuts) == 0 || c > cuts[len(cuts)-1]) {
			cuts = append(cuts, c)
		}
	}
	return cuts
}

func rowCount(n int) string {
	if n == 1 {
		return "1 row"
	}
	return strconv.Itoa(n) + " rows"
}
