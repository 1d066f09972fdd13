package quant_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"dolor/internal/golden"
	"dolor/internal/quant"

	"pgregory.net/rapid"
)

func TestQuantilesMatchReference(t *testing.T) {
	ref := golden.Load(t, "stats/quantiles.expected.json")
	in := golden.CSV(t, "stats/quantiles.csv")
	ps := ref.Get("probabilities").Floats()
	x := map[string][]float64{}
	for i, v := range golden.Numbers(t, in["x"]) {
		x[in["case"][i]] = append(x[in["case"][i]], v)
	}
	for _, c := range ref.Get("quantiles").Keys() {
		for typ := 1; typ <= 9; typ++ {
			want := ref.Get("quantiles", c, "type"+strconv.Itoa(typ)).Floats()
			golden.CloseAll(t, fmt.Sprintf("%s type %d", c, typ), quant.All(x[c], ps, typ), want, 1e-12)
		}
	}
}

func TestQuantilesAreMonotoneAndInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 40).Draw(t, "x")
		typ := rapid.IntRange(1, 9).Draw(t, "type")
		last := slices.Min(x)
		for p := 0.0; p <= 1; p += 1.0 / 64 {
			q := quant.Of(x, p, typ)
			if q < last-1e-9 || q > slices.Max(x) {
				t.Fatalf("type %d p %g: %g after %g", typ, p, q, last)
			}
			last = q
		}
	})
}

func TestUndefined(t *testing.T) {
	for _, v := range []float64{
		quant.Of(nil, 0.5, 7), quant.Of([]float64{1}, -1, 7), quant.Of([]float64{1}, 0.5, 10),
		quant.Of([]float64{1, math.NaN()}, 0.5, 7), quant.All([]float64{math.NaN(), 2}, []float64{0.5}, 7)[0],
	} {
		if !math.IsNaN(v) {
			t.Errorf("got %g, want NaN", v)
		}
	}
}
