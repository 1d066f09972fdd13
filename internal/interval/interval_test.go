package interval_test

import (
	"fmt"
	"math"
	"testing"

	"dolor/internal/golden"
	"dolor/internal/interval"

	"pgregory.net/rapid"
)

func TestProportionsMatchReference(t *testing.T) {
	ref := golden.Load(t, "stats/proportions.expected.json")
	for _, set := range []string{"proportions", "proportions_conf_0.9"} {
		rows := ref.Get(set)
		for i := range rows.Len() {
			r := rows.Get(i)
			x, n, level := r.Get("x").Float(), r.Get("n").Float(), r.Get("conf").Float()
			for name, f := range map[string]func(x, n, level float64) (float64, float64){
				"wald": interval.Wald, "wilson": interval.Wilson,
				"wilson_continuity":           interval.WilsonContinuity,
				"wilson_continuity_prop_test": interval.WilsonPropTest,
				"clopper_pearson":             interval.ClopperPearson,
				"agresti_coull":               interval.AgrestiCoull,
				"agresti_coull_clipped":       interval.AgrestiCoullClipped,
				"jeffreys":                    interval.Jeffreys,
				"jeffreys_modified_at_ends":   interval.JeffreysModified,
			} {
				lo, hi := f(x, n, level)
				what := fmt.Sprintf("%s %s %g/%g", set, name, x, n)
				golden.CloseAll(t, what, []float64{lo, hi}, r.Get(name).Floats(), 1e-9)
			}
		}
	}
}

func TestIntervalsAreSymmetricAndHoldTheShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := float64(rapid.IntRange(1, 3000).Draw(t, "n"))
		x := float64(rapid.IntRange(0, int(n)).Draw(t, "x"))
		for name, f := range map[string]func(x, n, level float64) (float64, float64){
			"wilson": interval.Wilson, "clopper": interval.ClopperPearson, "continuity": interval.WilsonContinuity,
		} {
			lo, hi := f(x, n, 0.95)
			lo2, hi2 := f(n-x, n, 0.95)
			if math.Abs(lo-(1-hi2)) > 1e-9 || math.Abs(hi-(1-lo2)) > 1e-9 {
				t.Fatalf("%s: [%g %g] is not the mirror of [%g %g]", name, lo, hi, lo2, hi2)
			}
			if lo > x/n+1e-12 || hi < x/n-1e-12 || lo < 0 || hi > 1 {
				t.Fatalf("%s: [%g %g] does not hold %g", name, lo, hi, x/n)
			}
		}
	})
}

func TestUndefinedIsNaN(t *testing.T) {
	for _, c := range [][3]float64{{0, 0, 0.95}, {-1, 5, 0.95}, {6, 5, 0.95}, {1, 5, 0}, {1, 5, 1}, {math.NaN(), 5, 0.95}} {
		for name, f := range map[string]func(x, n, level float64) (float64, float64){
			"wald": interval.Wald, "wilson": interval.Wilson, "clopper": interval.ClopperPearson, "jeffreys": interval.Jeffreys,
		} {
			if lo, hi := f(c[0], c[1], c[2]); !math.IsNaN(lo) || !math.IsNaN(hi) {
				t.Errorf("%s%v: got [%g %g], want NaN", name, c, lo, hi)
			}
		}
	}
}

func ExampleWilson() {
	lo, hi := interval.Wilson(40, 48, 0.95)
	fmt.Printf("%.4f %.4f\n", lo, hi)
	// Output: 0.7042 0.9130
}
