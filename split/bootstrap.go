package split

import (
	"slices"
	"strconv"

	"dolor/diag"
	"dolor/rng"
)

// Bootstrap draws Samples samples: as many groups (rows, where there are none) as there are,
// with replacement. Train lists a row as often as it was drawn; Test holds the rows never
// drawn (out of bag). A sample without both classes, or without a test row, is drawn again,
// which conditions on both; with few events that matters, and 100 such draws in a row are an
// error of kind Unfit.
type Bootstrap struct{ Samples int }

var _ Splitter = Bootstrap{}

// redraws bounds how often one sample is drawn.
const redraws = 100

// Split implements Splitter: one split for each sample, Repeat counting them.
func (s Bootstrap) Split(d *Rows, r rng.Stream) ([]Split, error) {
	const op = "bootstrap split"
	if s.Samples < 1 {
		return nil, diag.Errorf(diag.Usage, op, "expected at least 1 sample, got %d", s.Samples)
	}
	if err := d.check(op); err != nil {
		return nil, err
	}
	gs := d.groups()
	all := make([]int, d.N)
	for i := range all {
		all[i] = i
	}
	if err := d.trainable(op, "", all); err != nil {
		return nil, err
	}
	out := make([]Split, s.Samples)
	for b := range out {
		out[b] = Split{Repeat: b, Name: "sample " + strconv.Itoa(b+1)}
		if !draw(&out[b], d, gs, r.Child("sample", b)) {
			return nil, diag.Errorf(diag.Unfit, op, "expected samples with both classes and a row left out, got none in %d draws", redraws)
		}
	}
	return out, nil
}

func draw(sp *Split, d *Rows, gs []group, r rng.Stream) bool {
	g := r.Rand()
	for range redraws {
		sp.Train = sp.Train[:0]
		for range gs {
			sp.Train = append(sp.Train, gs[g.IntN(len(gs))].rows...)
		}
		slices.Sort(sp.Train)
		sp.Test = others(d.N, sp.Train)
		events, rest := d.classes(sp.Train)
		if events != 0 && rest != 0 && len(sp.Test) > 0 {
			return true
		}
	}
	return false
}
