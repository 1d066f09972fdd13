package gbm

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"dolor/diag"
	"dolor/frame"
	"dolor/model"
	"dolor/model/modeltest"
	"dolor/rng"
)

func stopData(n int, label string) *model.Dataset {
	f := Family()
	f.Needs = []frame.Kind{frame.Number}
	d := modeltest.Data(f, n, 5, label)
	d.Group = make([]string, n)
	for i := range d.Group {
		d.Group[i] = fmt.Sprintf("p%d", i/2) // two rows a patient
	}
	return d
}

func mustFit(t *testing.T, p Params, d, tune *model.Dataset) *Model {
	t.Helper()
	m, err := p.Learner().Fit(t.Context(), d, &model.FitOptions{Stream: rng.New(5), Workers: 1, Tune: tune})
	if err != nil {
		t.Fatal(err)
	}
	return m.(*Model)
}

func stopParams(method string) Params {
	p := Default()
	p.TreeMethod, p.NEstimators, p.EarlyStoppingRounds, p.LearningRate, p.Subsample = method, 150, 8, 0.2, 0.8
	return p
}

// TestInnerSplit: patients are whole, both classes are on both sides in the stated share, and the
// draw depends neither on the order of rows nor on the values.
func TestInnerSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(20, 200).Draw(t, "rows")
		d := &model.Dataset{}
		for i := range n {
			d.Y = append(d.Y, i%7 == 0 || rapid.Bool().Draw(t, "y"))
			d.Group = append(d.Group, fmt.Sprintf("p%d", rapid.IntRange(0, n/2).Draw(t, "patient")))
		}
		s := rng.New(rapid.Uint64().Draw(t, "seed"))
		train, tune, rarer, err := innerSplit(d, patients(d), s)
		c := classes(d, patients(d))
		if few := min(len(c[0]), len(c[1])); few < 2 {
			if diag.KindOf(err) != diag.Unfit {
				t.Fatalf("got %v with %d patients of a class, want kind unfit", err, few)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(train)+len(tune) != n {
			t.Fatalf("got %d and %d rows of %d", len(train), len(tune), n)
		}
		held := map[string]bool{}
		for _, i := range tune {
			held[d.Group[i]] = true
		}
		for _, i := range train {
			if held[d.Group[i]] {
				t.Fatal("a patient is on both sides")
			}
		}
		if want := max(1, int(math.Round(holdOut*float64(min(len(c[0]), len(c[1])))))); rarer > len(held)-rarer+1 || rarer < want {
			t.Fatalf("got %d held-out patients of the rarer class, want at least %d", rarer, want)
		}
		perm := rng.New(1).Rand().Perm(n)
		turned := &model.Dataset{}
		for _, i := range perm {
			turned.Y, turned.Group = append(turned.Y, d.Y[i]), append(turned.Group, d.Group[i])
		}
		_, again, _, err := innerSplit(turned, patients(turned), s)
		if err != nil || len(again) != len(tune) {
			t.Fatalf("other order of rows: held out %d rows, before %d (%v)", len(again), len(tune), err)
		}
		for _, i := range again {
			if !held[turned.Group[i]] {
				t.Fatal("other order of rows: another patient is held out")
			}
		}
	})
}

// TestStoppingRowsTeachNothing: what the trees are does not depend on the rows that count them,
// be they given or held out; only how many there are does.
func TestStoppingRowsTeachNothing(t *testing.T) {
	for _, method := range []string{Exact, Hist} {
		p := stopParams(method)
		d := stopData(400, "stop")
		s := rng.New(5).Child("gbm").Child("hold out")
		rows, held, _, err := innerSplit(d, patients(d), s)
		if err != nil {
			t.Fatal(err)
		}
		train, tune := d.Take(rows), d.Take(held)

		endless := p
		endless.EarlyStoppingRounds = 0
		all := mustFit(t, endless, train, nil)
		given := mustFit(t, p, train, tune)
		other := mustFit(t, p, train, stopData(150, "other stop"))
		own := mustFit(t, p, d, nil)

		// The spy: cells of the held-out rows that would be noticed if anything read them.
		x := d.X
		for j := range x.Cols() {
			v := append([]float64(nil), x.At(j).Numbers()...)
			for k, i := range held {
				v[i] = 1e6 * float64(1+(k+j)%3)
			}
			if x, err = x.With(frame.NumberColumn(x.At(j).Field, v)); err != nil {
				t.Fatal(err)
			}
		}
		spied := *d
		spied.X = x
		poisoned := mustFit(t, p, &spied, nil)

		for name, m := range map[string]*Model{"given": given, "others given": other, "held out": own, "poisoned": poisoned} {
			kept, run := m.Rounds()
			if kept > len(all.ens.Trees) || !reflect.DeepEqual(append(all.ens.Trees[:0:0], all.ens.Trees[:kept]...), append(all.ens.Trees[:0:0], m.ens.Trees...)) {
				t.Errorf("%s, %s: the %d trees kept are not the first of those grown without stopping", method, name, kept)
			}
			if run > kept+p.EarlyStoppingRounds {
				t.Errorf("%s, %s: grew %d trees, kept %d, patience %d", method, name, run, kept, p.EarlyStoppingRounds)
			}
			if m.ens.Base != all.ens.Base {
				t.Errorf("%s, %s: the base moved", method, name)
			}
		}
		if !reflect.DeepEqual(given.ens.Trees, own.ens.Trees) {
			t.Errorf("%s: holding the same rows out and giving them differ", method)
		}
		if len(given.ens.Trees) == 0 || len(given.ens.Trees) == p.NEstimators {
			t.Errorf("%s: kept %d of %d trees: stopping was not tried", method, len(given.ens.Trees), p.NEstimators)
		}
		checkBest(t, all, given, tune)
		codes := map[string]bool{}
		for _, w := range own.Warnings() {
			codes[w.Code] = true
		}
		if !codes["early_stopping_split"] || len(codes) != 1 {
			t.Errorf("%s: got warnings %v", method, own.Warnings())
		}
	}
}

// checkBest recomputes the loss after every tree and compares where it is smallest.
func checkBest(t *testing.T, all, stopped *Model, tune *model.Dataset) {
	t.Helper()
	table, err := all.Table(tune.X)
	if err != nil {
		t.Fatal(err)
	}
	kept, run := stopped.Rounds()
	o := objective{y: tune.Y}
	margin := make([]float32, table.Rows)
	best, at := math.Inf(1), -1
	for k := range run + 1 {
		if err := all.ens.MarginsFirst(t.Context(), table, 1, k, margin); err != nil {
			t.Fatal(err)
		}
		if l := o.loss(margin); l < best {
			best, at = l, k
		}
	}
	if at != kept || *stopped.training.TuneLoss != best {
		t.Errorf("kept %d trees at loss %g, the smallest is %g after %d", kept, *stopped.training.TuneLoss, best, at)
	}
}

// TestStoppingNeedsBothClasses refuses to count trees on nothing.
func TestStoppingNeedsBothClasses(t *testing.T) {
	p := stopParams(Hist)
	d := stopData(40, "few")
	for i := range d.Y {
		d.Y[i] = i == 3
	}
	if _, err := p.Learner().Fit(t.Context(), d, nil); diag.KindOf(err) != diag.Unfit {
		t.Errorf("one patient with the outcome: got %v, want kind unfit", err)
	}
	tune := stopData(20, "one class")
	for i := range tune.Y {
		tune.Y[i] = false
	}
	if _, err := p.Learner().Fit(t.Context(), stopData(40, "train"), &model.FitOptions{Tune: tune}); diag.KindOf(err) != diag.Unfit {
		t.Errorf("tuning rows of one class: got %v, want kind unfit", err)
	}
}

// TestObjective compares with math's functions.
func TestObjective(t *testing.T) {
	for _, x := range []float64{1e-300, 1e-9, 0.3, 0.70710678, 0.9999999999, 1, 1 + 1e-12, 1.5, 2, 3e5, 1e300} {
		if got, want := logOf(x), math.Log(x); math.Abs(got-want) > 1e-15*max(1, math.Abs(want)) {
			t.Errorf("log %g: got %.17g, want %.17g", x, got, want)
		}
	}
	o := objective{y: []bool{true, false, true}, w: []float32{1, 2, 0.5}}
	if got, want := o.rate(nil), 1.5/3.5; math.Abs(got-want) > 1e-15 {
		t.Errorf("rate: got %g, want %g", got, want)
	}
	offset := []float64{-2, 0.5, 3}
	p := o.rate(offset)
	b := math.Log(p / (1 - p))
	var sum float64
	for i, v := range offset {
		sum += float64(o.w[i]) / (1 + math.Exp(-b-v))
	}
	if math.Abs(sum-1.5) > 1e-9 {
		t.Errorf("rate with an offset: expects %g outcomes, want 1.5", sum)
	}
	want := (math.Log1p(math.Exp(-0.5)) + 2*math.Log1p(math.Exp(-1)) + 0.5*math.Log1p(math.Exp(40))) / 3.5
	if got := o.loss([]float32{0.5, -1, -40}); math.Abs(got-want) > 1e-14 {
		t.Errorf("loss: got %.17g, want %.17g", got, want)
	}
}
