// Package preprocesstest is the leak battery every preprocessing step passes, and a spy step
// that records which rows it was fitted on.
package preprocesstest

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"testing"

	"dolor/diag"
	"dolor/frame"
	"dolor/preprocess"
	"dolor/rng"
)

// Run runs the battery on kind with its default settings, or on each of variants: a fit
// depends on nothing but training rows and stream (y only when the step is known to use it:
// none does); applying is row by row and never changes its input; a state survives saving to
// the bit; hard frames are handled or refused with a clear error.
func Run(t *testing.T, kind preprocess.Kind, variants ...preprocess.Step) {
	t.Helper()
	if len(variants) == 0 {
		variants = []preprocess.Step{kind.New()}
	}
	for i, s := range variants {
		t.Run(kind.Name+"/"+strconv.Itoa(i), func(t *testing.T) { run(t, kind, s) })
	}
}

func run(t *testing.T, kind preprocess.Kind, s preprocess.Step) {
	t.Helper()
	all := Frame(90, 1)
	idx := make([]int, 90)
	for i := range idx {
		idx[i] = i
	}
	train, test := all.Take(idx[:60]), all.Take(idx[60:])
	y := make([]bool, 60)
	for i := range y {
		y[i] = i%3 == 0
	}
	before := Bytes(all)
	fitted := fit(t, s, train, y)
	state := save(t, fitted)
	onTest := apply(t, fitted, test)

	t.Run("fit sees training rows only", func(t *testing.T) {
		other := Frame(90, 1)
		changed := Frame(90, 2).Take(idx[60:])
		if !bytes.Equal(state, save(t, fit(t, s, other.Take(idx[:60]), y))) {
			t.Error("a refit gives another state")
		}
		if bytes.Equal(Bytes(apply(t, fitted, changed)), Bytes(onTest)) {
			t.Error("other rows give the same output: the battery sees nothing")
		}
		if !bytes.Equal(state, save(t, fitted)) {
			t.Error("applying changed the state")
		}
	})
	t.Run("levels of other rows do not reach the state", func(t *testing.T) {
		if !bytes.Equal(state, save(t, fit(t, s, withExtraLevel(train), y))) {
			t.Error("a level no training row has changed the state")
		}
	})
	t.Run("outcome is not used", func(t *testing.T) {
		z := slices.Clone(y)
		slices.Reverse(z)
		if !bytes.Equal(state, save(t, fit(t, s, train, z))) {
			t.Error("permuting the outcome changed the state")
		}
	})
	t.Run("subset", func(t *testing.T) {
		rows := []int{17, 3, 3, 29, 0}
		if !bytes.Equal(Bytes(apply(t, fitted, test.Take(rows))), Bytes(onTest.Take(rows))) {
			t.Error("applying to a subset is not the subset of applying")
		}
		for i := range test.Rows() {
			if !bytes.Equal(Bytes(apply(t, fitted, test.Take([]int{i}))), Bytes(onTest.Take([]int{i}))) {
				t.Fatalf("row %d alone is not its row in the batch", i)
			}
		}
	})
	t.Run("save and load", func(t *testing.T) {
		loaded, err := kind.Load(state)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(state, save(t, loaded)) || !bytes.Equal(Bytes(apply(t, loaded, test)), Bytes(onTest)) {
			t.Error("a loaded state is not the saved one")
		}
	})
	t.Run("output schema", func(t *testing.T) {
		if got, want := onTest.Schema().Names(), fitted.Output().Names(); !slices.Equal(got, want) {
			t.Errorf("got columns %v, want %v", got, want)
		}
	})
	t.Run("frames", func(t *testing.T) { frames(t, s, fitted, train, test, onTest) })
	t.Run("hard training rows", func(t *testing.T) { hard(t, s, train) })
	if !bytes.Equal(before, Bytes(all)) {
		t.Error("an input frame was written to")
	}
}

func frames(t *testing.T, s preprocess.Step, fitted preprocess.Transform, train, test, onTest *frame.Frame) {
	t.Helper()
	if got := apply(t, fitted, test.Take(nil)); got.Rows() != 0 || got.Cols() != onTest.Cols() {
		t.Errorf("no rows: got %d rows, %d columns", got.Rows(), got.Cols())
	}
	extra, err := test.With(frame.TextColumn(frame.Field{Name: "extra"}, make([]string, test.Rows()), nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := apply(t, fitted, extra); !bytes.Equal(Bytes(got.Without("extra")), Bytes(onTest)) || got.Cols() != onTest.Cols()+1 {
		t.Error("a column not met in training must pass through and change nothing")
	}
	if got := apply(t, fitted, withExtraLevel(test)); got.Rows() != test.Rows() {
		t.Error("an unseen level was not handled")
	}
	for i := range train.Cols() {
		_, err := fitted.Apply(context.Background(), test.Without(train.At(i).Name))
		if err != nil && diag.KindOf(err) != diag.Missing {
			t.Errorf("column %s missing: got %v, want kind missing or none", train.At(i).Name, err)
		}
	}
	if _, err := s.Fit(context.Background(), train.Take(nil), nil, rng.New(5)); diag.KindOf(err) != diag.Unfit {
		t.Errorf("fit on no rows: got %v, want kind unfit", err)
	}
}

func hard(t *testing.T, s preprocess.Step, train *frame.Frame) {
	t.Helper()
	gaps := make([]float64, train.Rows())
	for i := range gaps {
		gaps[i] = math.NaN()
	}
	empty, err := train.With(frame.NumberColumn(frame.Field{Name: "empty"}, gaps))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*frame.Frame{"one row": train.Take([]int{4}), "all missing": empty} {
		tr, err := s.Fit(context.Background(), f, make([]bool, f.Rows()), rng.New(5))
		if err != nil {
			if diag.KindOf(err) != diag.Unfit {
				t.Errorf("%s: got %v, want kind unfit or none", name, err)
			}
			continue
		}
		save(t, tr)
		apply(t, tr, f)
	}
}

func fit(t *testing.T, s preprocess.Step, train *frame.Frame, y []bool) preprocess.Transform {
	t.Helper()
	tr, err := s.Fit(t.Context(), train, y, rng.New(5))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func apply(t *testing.T, tr preprocess.Transform, in *frame.Frame) *frame.Frame {
	t.Helper()
	out, err := tr.Apply(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func save(t *testing.T, tr preprocess.Transform) []byte {
	t.Helper()
	b, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
