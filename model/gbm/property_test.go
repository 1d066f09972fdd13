package gbm_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dolor/diag"
	"dolor/frame"
	"dolor/metric"
	"dolor/model"
	"dolor/model/gbm"
	"dolor/model/modeltest"
	"dolor/rng"
)

var methods = []string{gbm.Exact, gbm.Hist}

// fit fits p with the given seed.
func fit(t testing.TB, p gbm.Params, d *model.Dataset, seed uint64) *gbm.Model {
	t.Helper()
	m, err := p.Learner().Fit(t.Context(), d, &model.FitOptions{Stream: rng.New(seed), Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return m.(*gbm.Model)
}

func margins(t testing.TB, m *gbm.Model, x *frame.Frame) []float64 {
	t.Helper()
	s, err := m.Score(t.Context(), x, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// small returns defaults with few trees of the method.
func small(method string) gbm.Params {
	p := gbm.Default()
	p.TreeMethod, p.NEstimators = method, 15
	return p
}

func near(t testing.TB, what string, got, want []float64, tol float64) {
	t.Helper()
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tol) {
			t.Fatalf("%s: row %d: got %.9g, want %.9g", what, i, got[i], want[i])
		}
	}
}

func TestValidateReportsEveryFault(t *testing.T) {
	nan := math.NaN()
	p := gbm.Params{
		LearningRate: nan, NEstimators: -1, MaxDepth: -1, MaxLeaves: 1, MinChildWeight: nan, Gamma: -1, RegLambda: math.Inf(1),
		RegAlpha: -1, MaxDeltaStep: -1, Subsample: 0, ColsampleByTree: 2, ColsampleLevel: nan, ColsampleNode: 0,
		TreeMethod: "approx", GrowPolicy: "", MaxBin: 257, ScalePosWeight: 0, BaseScore: &nan,
		MonotoneConstraints: map[string]int{"a": 2}, InteractionConstraints: [][]string{{}},
		EarlyStoppingRounds: -1, MaxCatToOneHot: 0, MaxCatThreshold: 0,
	}
	err := p.Validate()
	l, ok := err.(*diag.List) //nolint:errorlint // Validate returns the list itself
	if !ok || diag.KindOf(err) != diag.Invalid {
		t.Fatalf("got %v, want a list of kind invalid", err)
	}
	if l.Len() != 23 {
		t.Errorf("got %d faults, want 23:\n%v", l.Len(), err)
	}
	if err := gbm.Default().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	d := modeltest.Data(gbm.Family(), 60, 3, "refusals")
	for name, tt := range map[string]struct {
		edit func(*gbm.Params)
		kind diag.Kind
	}{
		"monotone on no column":      {func(p *gbm.Params) { p.MonotoneConstraints = map[string]int{"age": 1} }, diag.Missing},
		"monotone on a category":     {func(p *gbm.Params) { p.MonotoneConstraints = map[string]int{"group": 1} }, diag.Invalid},
		"interaction of no column":   {func(p *gbm.Params) { p.InteractionConstraints = [][]string{{"x1", "age"}} }, diag.Missing},
		"a category with exact":      {func(p *gbm.Params) { p.TreeMethod = gbm.Exact }, diag.Unsupported},
		"a bad hyperparameter":       {func(p *gbm.Params) { p.LearningRate = 3 }, diag.Invalid},
		"an interaction set twice x": {func(p *gbm.Params) { p.InteractionConstraints = [][]string{{"x1", "x1"}} }, diag.Invalid},
	} {
		p := gbm.Default()
		tt.edit(&p)
		_, err := p.Learner().Fit(t.Context(), d, nil)
		if err == nil || diag.KindOf(err) != tt.kind {
			t.Errorf("%s: got %v, want kind %v", name, err, tt.kind)
		}
	}
}

// TestNoTrees: without trees, or without a split, everybody gets the weighted prevalence.
func TestNoTrees(t *testing.T) {
	d := modeltest.Data(numbers(), 200, 3, "no trees")
	d.W = make([]float64, d.Rows())
	var with, total float64
	for i := range d.W {
		d.W[i] = 0.5 + float64(i%3)
		total += d.W[i]
		if d.Y[i] {
			with += d.W[i]
		}
	}
	for _, method := range methods {
		for name, edit := range map[string]func(*gbm.Params){
			"zero trees": func(p *gbm.Params) { p.NEstimators = 0 },
			"no split":   func(p *gbm.Params) { p.MinChildWeight = 1e6; p.NEstimators = 3 },
		} {
			p := small(method)
			edit(&p)
			m := fit(t, p, d, 1)
			got, err := m.Predict(t.Context(), d.X, nil)
			if err != nil {
				t.Fatal(err)
			}
			near(t, method+", "+name, got, slices.Repeat([]float64{with / total}, d.Rows()), 1e-6)
			if w := m.Warnings(); len(w) != 1 || w[0].Code != "empty_model" {
				t.Errorf("%s, %s: got warnings %v", method, name, w)
			}
			if raw, err := m.AppendBinary(nil); err != nil {
				t.Error(err)
			} else if _, err := gbm.Load(raw); err != nil {
				t.Errorf("%s, %s: saved and loaded: %v", method, name, err)
			}
		}
	}
}

// TestDepthZeroIsNoLimit grows until every leaf is pure or too small.
func TestDepthZeroIsNoLimit(t *testing.T) {
	d := modeltest.Data(numbers(), 300, 3, "depth")
	for _, method := range methods {
		p := small(method)
		p.MaxDepth, p.NEstimators, p.MinChildWeight, p.RegLambda = 0, 1, 0, 0
		if got := fit(t, p, d, 1).Trees().Trees[0].Depth(); got < 6 {
			t.Errorf("%s: got depth %d without a limit", method, got)
		}
		p.MaxDepth = 1
		if got := fit(t, p, d, 1).Trees().Trees[0].Depth(); got != 1 {
			t.Errorf("%s: got depth %d, want 1", method, got)
		}
		p.MaxDepth, p.MaxLeaves, p.GrowPolicy = 0, 5, gbm.LossGuide
		leaves := 0
		for _, n := range fit(t, p, d, 1).Trees().Trees[0].Nodes {
			if n.IsLeaf() {
				leaves++
			}
		}
		if leaves != 5 {
			t.Errorf("%s: got %d leaves, want 5", method, leaves)
		}
	}
}

// TestScalePosWeightIsAWeight: it is the weight of the rows with the outcome, in the base too.
func TestScalePosWeightIsAWeight(t *testing.T) {
	d := modeltest.Data(numbers(), 200, 4, "scale")
	weighted := *d
	weighted.W = make([]float64, d.Rows())
	for i, y := range d.Y {
		weighted.W[i] = 1
		if y {
			weighted.W[i] = 3
		}
	}
	for _, method := range methods {
		p := small(method)
		want := margins(t, fit(t, p, &weighted, 1), d.X)
		p.ScalePosWeight = 3
		m := fit(t, p, d, 1)
		near(t, method, margins(t, m, d.X), want, 0)
		if w := m.Warnings(); len(w) != 1 || w[0].Code != "scale_pos_weight" {
			t.Errorf("%s: got warnings %v", method, w)
		}
	}
}

// TestOffset: a constant offset is taken up by the base; one that explains the outcome leaves
// nothing to learn.
func TestOffset(t *testing.T) {
	d := modeltest.Data(numbers(), 400, 3, "offset")
	for _, method := range methods {
		p := small(method)
		plain := margins(t, fit(t, p, d, 1), d.X)
		shifted := *d
		shifted.Offset = slices.Repeat([]float64{1.5}, d.Rows())
		got := margins(t, fit(t, p, &shifted, 1), d.X)
		for i := range got {
			got[i] += 1.5
		}
		near(t, method+", constant", got, plain, 2e-5)

		known := *d
		known.Offset = make([]float64, d.Rows())
		for i, y := range d.Y {
			known.Offset[i] = -8
			if y {
				known.Offset[i] = 8
			}
		}
		s := margins(t, fit(t, p, &known, 1), d.X)
		if spread := slices.Max(s) - slices.Min(s); spread > 0.2 {
			t.Errorf("%s: got margins %g apart after an offset that knows the outcome", method, spread)
		}
	}
}

// TestMonotone: raising a column by any amount, from any row, never moves the margin the wrong way.
func TestMonotone(t *testing.T) {
	for _, method := range methods {
		rapid.Check(t, func(t *rapid.T) {
			d := modeltest.Data(numbers(), rapid.IntRange(30, 200).Draw(t, "rows"), 4, rapid.StringMatching("[a-z]{3}").Draw(t, "data"))
			p := small(method)
			p.MonotoneConstraints = map[string]int{"x1": -1, "x2": 1} // against and with the truth
			p.MaxDepth = rapid.IntRange(1, 6).Draw(t, "depth")
			p.LearningRate = rapid.Float64Range(0.05, 1).Draw(t, "rate")
			p.MinChildWeight = rapid.Float64Range(0, 2).Draw(t, "child")
			p.RegLambda = rapid.Float64Range(0, 2).Draw(t, "lambda")
			p.RegAlpha = rapid.Float64Range(0, 1).Draw(t, "alpha")
			p.MaxDeltaStep = rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "step")
			fitted, err := p.Learner().Fit(t.Context(), d, nil)
			if err != nil {
				if diag.KindOf(err) == diag.Unfit {
					return
				}
				t.Fatal(err)
			}
			m := fitted.(*gbm.Model)
			before, err := m.Score(t.Context(), d.X, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, sign := range p.MonotoneConstraints {
				c, _ := d.X.Column(name)
				v := slices.Clone(c.Numbers())
				up := rapid.Float64Range(0, 5).Draw(t, "up")
				for i := range v {
					v[i] += up
				}
				x, err := d.X.With(frame.NumberColumn(c.Field, v))
				if err != nil {
					t.Fatal(err)
				}
				after, err := m.Score(t.Context(), x, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i := range after {
					if float64(sign)*(after[i]-before[i]) < -1e-5 {
						t.Fatalf("%s, %s: margin moved by %g", method, name, after[i]-before[i])
					}
				}
			}
		})
	}
}

// TestInteractionConstraints: no path holds two columns that no set has together.
func TestInteractionConstraints(t *testing.T) {
	d := modeltest.Data(numbers(), 400, 6, "interactions")
	for _, method := range methods {
		p := small(method)
		p.MaxDepth = 5
		p.InteractionConstraints = [][]string{{"x1", "x2"}, {"x2", "x3", "x4"}}
		e := fit(t, p, d, 1).Trees()
		together := [][]int32{{0, 1}, {1, 2, 3}, {4}, {5}}
		depth := 0
		for i := range e.Trees {
			nodes := e.Trees[i].Nodes
			depth = max(depth, e.Trees[i].Depth())
			for k := range nodes {
				var path []int32
				for at := int32(k); at >= 0; at = nodes[at].Parent {
					if !nodes[at].IsLeaf() {
						path = append(path, nodes[at].Feature)
					}
				}
				if !slices.ContainsFunc(together, func(set []int32) bool {
					return !slices.ContainsFunc(path, func(j int32) bool { return !slices.Contains(set, j) })
				}) {
					t.Fatalf("%s: tree %d: columns %v meet on a path", method, i, path)
				}
			}
		}
		if depth < 3 {
			t.Errorf("%s: depth %d: the constraint was not tried", method, depth)
		}
	}
}

// TestColumns: permuted columns permute attributions and change no margin; a constant added to a
// column changes no margin; a column without a value is never split on.
func TestColumns(t *testing.T) {
	d := modeltest.Data(numbers(), 300, 5, "columns")
	empty := frame.NumberColumn(frame.Field{Name: "empty"}, slices.Repeat([]float64{math.NaN()}, d.Rows()))
	x, err := d.X.With(empty)
	if err != nil {
		t.Fatal(err)
	}
	d.X = x
	for _, method := range methods {
		p := small(method)
		m := fit(t, p, d, 1)
		want := margins(t, m, d.X)
		if w := m.Importance()[5]; w.Column != "empty" || w.Weight != 0 {
			t.Errorf("%s: got importance %+v of a column without a value", method, w)
		}

		names := d.X.Schema().Names()
		slices.Reverse(names)
		y := *d
		if y.X, err = d.X.Select(names...); err != nil {
			t.Fatal(err)
		}
		turned := fit(t, p, &y, 1)
		near(t, method+", columns turned", margins(t, turned, d.X), want, 0)
		phi, _, err := m.Attribute(t.Context(), d.X)
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := turned.Attribute(t.Context(), d.X)
		if err != nil {
			t.Fatal(err)
		}
		for i := range phi.Rows {
			for j := range phi.Cols {
				if got, want := back.Row(i)[phi.Cols-1-j], phi.Row(i)[j]; math.Abs(got-want) > 1e-12 {
					t.Fatalf("%s: row %d, column %d: attribution %g after turning, %g before", method, i, j, got, want)
				}
			}
		}

		c, _ := d.X.Column("x1")
		v := slices.Clone(c.Numbers())
		for i := range v {
			// Quarters below 2^10 stay distinct and exact in float32 after the shift.
			v[i] = math.Round(v[i]*64) / 64
		}
		at := *d
		shifted := *d
		if at.X, err = d.X.With(frame.NumberColumn(c.Field, v)); err != nil {
			t.Fatal(err)
		}
		moved := slices.Clone(v)
		for i := range moved {
			moved[i] += 256
		}
		if shifted.X, err = d.X.With(frame.NumberColumn(c.Field, moved)); err != nil {
			t.Fatal(err)
		}
		near(t, method+", constant added", margins(t, fit(t, p, &shifted, 1), shifted.X), margins(t, fit(t, p, &at, 1), at.X), 0)
	}
}

// TestPermutedOutcome: an outcome dealt at random is not predicted on other rows, and early
// stopping keeps few trees.
func TestPermutedOutcome(t *testing.T) {
	fresh := modeltest.Data(numbers(), 2000, 5, "fresh")
	for _, method := range methods {
		var mean float64
		const rounds = 10
		for k := range rounds {
			d := modeltest.Data(numbers(), 300, 5, "permuted")
			rng.New(uint64(k)).Rand().Shuffle(len(d.Y), func(a, b int) { d.Y[a], d.Y[b] = d.Y[b], d.Y[a] })
			p := small(method)
			p.NEstimators, p.EarlyStoppingRounds = 200, 10
			m := fit(t, p, d, 1)
			if n := len(m.Trees().Trees); n > 60 {
				t.Errorf("%s, permutation %d: kept %d trees", method, k, n)
			}
			prob, err := m.Predict(t.Context(), fresh.X, nil)
			if err != nil {
				t.Fatal(err)
			}
			auc, err := metric.AUC(metric.Data{Y: fresh.Y, P: prob}, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			mean += auc.Value / rounds
		}
		if math.Abs(mean-0.5) > 0.08 {
			t.Errorf("%s: mean AUROC %.3f of permuted outcomes", method, mean)
		}
	}
}
