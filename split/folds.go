package split

import (
	"slices"
	"strconv"

	"dolor/diag"
	"dolor/rng"
)

// Folds is K-fold cross-validation, Repeats times (0 means once), stratified by the outcome
// and grouped. Groups are shuffled, then dealt largest first: one with events to the fold
// with the fewest events, one without to the fold with the fewest rows. With one row a group
// the folds' events, and their sizes, differ by at most one; with larger groups as little as
// this greedy rule can.
type Folds struct{ K, Repeats int }

var _ Splitter = Folds{}

// Split implements Splitter: K splits for each repeat, in order.
func (s Folds) Split(d *Rows, r rng.Stream) ([]Split, error) {
	const op = "internal split"
	if s.K < 2 {
		return nil, diag.Errorf(diag.Usage, op, "expected at least 2 folds, got %d", s.K)
	}
	if s.Repeats < 0 {
		return nil, diag.Errorf(diag.Usage, op, "expected repeats of at least 0, got %d", s.Repeats)
	}
	if err := d.check(op); err != nil {
		return nil, err
	}
	gs := d.groups()
	if err := s.feasible(op, d, gs); err != nil {
		return nil, err
	}
	var out []Split
	for rep := range max(1, s.Repeats) {
		tests := deal(slices.Clone(gs), s.K, r.Child("repeat", rep))
		for k, test := range tests {
			sp := Split{Train: others(d.N, test), Test: test, Fold: k, Repeat: rep, Name: "fold " + strconv.Itoa(k+1)}
			if err := d.trainable(op, " of "+sp.Name, sp.Train); err != nil {
				return nil, err
			}
			out = append(out, sp)
		}
	}
	return out, nil
}

// feasible reports fewer groups, events or other rows than folds.
func (s Folds) feasible(op string, d *Rows, gs []group) error {
	unfit := func(what string, got int) error {
		return diag.Errorf(diag.Unfit, op, "expected at least %d %s for %d folds, got %d", s.K, what, s.K, got)
	}
	if len(gs) < s.K {
		if d.Group == nil {
			return unfit("rows", len(gs))
		}
		return unfit("groups", len(gs))
	}
	if d.Y == nil {
		return nil
	}
	events, with, without := 0, 0, 0
	for _, g := range gs {
		events += g.events
		if g.events > 0 {
			with++
		}
		if g.events < len(g.rows) {
			without++
		}
	}
	switch {
	case events < s.K:
		return unfit("events", events)
	case d.N-events < s.K:
		return unfit("rows without the event", d.N-events)
	case with < s.K:
		return unfit("groups with an event", with)
	case without < s.K:
		return unfit("groups with a row without the event", without)
	}
	return nil
}

// deal assigns the groups to k folds and returns each fold's rows, ascending.
func deal(gs []group, k int, r rng.Stream) [][]int {
	r.Rand().Shuffle(len(gs), func(i, j int) { gs[i], gs[j] = gs[j], gs[i] })
	slices.SortStableFunc(gs, compareGroups)
	folds := make([][]int, k)
	events := make([]int, k)
	for _, g := range gs {
		best := 0
		for f := 1; f < k; f++ {
			de, dr := events[f]-events[best], len(folds[f])-len(folds[best])
			if g.events == 0 {
				de = 0
			}
			if de < 0 || de == 0 && dr < 0 {
				best = f
			}
		}
		folds[best] = append(folds[best], g.rows...)
		events[best] += g.events
	}
	for _, f := range folds {
		slices.Sort(f)
	}
	return folds
}
