package tree_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"dolor/internal/tree"
	"dolor/rng"
)

func cutsOf(tb testing.TB, v []float32, w []float64, maxBin, workers int) []float32 {
	tb.Helper()
	t := &tree.Table{Rows: len(v), Columns: []tree.Column{{Values: v}}}
	b, err := tree.NewBins(context.Background(), t, w, maxBin, workers)
	if err != nil {
		tb.Fatal(err)
	}
	return b.Columns[0].Cuts
}

func TestCuts(t *testing.T) {
	nan := tree.Missing
	for _, tt := range []struct {
		name   string
		v      []float32
		maxBin int
		want   []float32
	}{
		{"a bin a value", []float32{3, 1, 2, 1, nan}, 256, []float32{1.5, 2.5}},
		{"zeros", []float32{0, float32(math.Copysign(0, -1)), 1}, 256, []float32{0.5}},
		{"signs", []float32{-2, 2, -1, 1}, 256, []float32{-1.5, 0, 1.5}},
		{"no room midway", []float32{1, math.Nextafter32(1, 2)}, 256, []float32{math.Nextafter32(1, 2)}},
		{"largest", []float32{math.MaxFloat32, -math.MaxFloat32}, 256, []float32{0}},
		{"empty", []float32{nan}, 256, nil},
	} {
		if got := cutsOf(t, tt.v, nil, tt.maxBin, 1); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Bins of many distinct values hold about equal numbers of rows, exactly the same for any order
// and for weights of 2 instead of 1.
func TestCutsAreQuantiles(t *testing.T) {
	r := rng.New(4).Rand()
	v := make([]float32, 50_000)
	two := make([]float64, len(v))
	for i := range v {
		v[i] = float32(math.Exp(r.NormFloat64()))
		two[i] = 2
	}
	cuts := cutsOf(t, v, nil, 100, 1)
	if len(cuts) < 95 || len(cuts) > 99 {
		t.Fatalf("%d cuts, want about 99", len(cuts))
	}
	count := make([]int, len(cuts)+1)
	for _, x := range v {
		k, _ := slices.BinarySearchFunc(cuts, x, func(c, x float32) int {
			if c <= x {
				return -1
			}
			return 1
		})
		count[k]++
	}
	if lo, hi := slices.Min(count), slices.Max(count); lo < 400 || hi > 600 {
		t.Errorf("bins of %d to %d rows, want about 500", lo, hi)
	}
	if !slices.Equal(cutsOf(t, v, two, 100, 2), cuts) {
		t.Error("other cuts for weights of 2")
	}
	shuffled := slices.Clone(v)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(v), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] }) //nolint:forbidigo // any order will do
	if !slices.Equal(cutsOf(t, shuffled, nil, 100, 2), cuts) {
		t.Error("other cuts for shuffled rows")
	}
}

// A row of weight 0 moves no quantile of many values.
func TestCutsFollowWeights(t *testing.T) {
	var v, doubled []float32
	var w []float64
	for i := range 3000 {
		x := float32(i*i%2999) / 16
		v = append(v, x)
		w = append(w, float64(1+i%2))
		doubled = append(doubled, x)
		if i%2 == 1 {
			doubled = append(doubled, x)
		}
	}
	if got, want := cutsOf(t, v, w, 40, 1), cutsOf(t, doubled, nil, 40, 1); !slices.Equal(got, want) {
		t.Errorf("weights of 1 and 2: got %v, rows once and twice: %v", got, want)
	}
}

// Tables of several sites with the same columns of bins grow as one table would.
func TestBinsFromGivenCuts(t *testing.T) {
	table, grad, hess := mixedTable(2000, 6)
	b := mustBins(t, table, 64)
	again, err := tree.NewBinsFrom(context.Background(), table, b.Columns, 2)
	if err != nil {
		t.Fatal(err)
	}
	p := plain()
	want, l := mustGrow(t, b, p, 1, grad, hess, nil)
	got, l2 := mustGrow(t, again, p, 1, grad, hess, nil)
	if !slices.Equal(got.Nodes, want.Nodes) || !slices.Equal(l, l2) {
		t.Error("another tree from the same cuts")
	}
	bad := slices.Clone(b.Columns)
	bad[0].Cuts = []float32{2, 1}
	if _, err := tree.NewBinsFrom(context.Background(), table, bad, 1); err == nil {
		t.Error("falling cuts: no error")
	}
	if _, err := tree.NewBinsFrom(context.Background(), table, bad[1:], 1); err == nil {
		t.Error("a column too few: no error")
	}
}
