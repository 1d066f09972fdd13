package clinical_test

import (
	"fmt"
	"math"
	"testing"

	"dolor/clinical"
	"dolor/diag"
)

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		v        float64
		from, to string
		want     float64
	}{
		{0.075, "mg/h", "ug/h", 75},
		{75, "mcg/hr", "mg/h", 0.075},
		{4, "g/dL", "g/L", 40},
		{1.2, "mg/dL", "mg/L", 12},
		{8, "pg/mL", "ng/L", 8},
		{5, "10*3/uL", "10*9/L", 5},
		{5, "K/uL", "10*9/L", 5},
		{37, "Cel", "[degF]", 98.6},
		{98.6, "[degF]", "Cel", 37},
		{2, "wk", "d", 14},
		{1, "kg", "[lb_av]", 2.2046226218487757},
		{120, "mm[Hg]", "kPa", 15.99864},
		{10, "mm", "cm", 1},
		{1, "cm3", "mL", 1},
		{50, "%", "1", 0.5},
		{3, "{tablet}", "1", 3},
		{60, "[MME]/d", "{MME}/d", 60},
		{1000, "mg", "g", 1},
		{1, "/d", "/h", 1.0 / 24},
	} {
		got, err := clinical.Convert(c.v, c.from, c.to)
		if err != nil || math.Abs(got-c.want) > 1e-12*math.Abs(c.want) {
			t.Errorf("%g %s in %s: got %v, %v, want %v", c.v, c.from, c.to, got, err, c.want)
		}
	}
	for _, c := range [][2]string{
		{"mg", "mL"},
		{"mg", "mmol"},
		{"mg", "[MME]"},
		{"[IU]", "mg"},
		{"Cel", "mg"},
		{"mg/d", "mg"},
		{"spoon", "mg"},
		{"mg//d", "mg"},
		{"mg.", "mg"},
		{"{x", "1"},
		{"kCel2", "K"},
		{"1e400", "1"},
		{"mg2x", "mg"},
	} {
		if v, err := clinical.Convert(1, c[0], c[1]); diag.KindOf(err) != diag.Invalid || !math.IsNaN(v) {
			t.Errorf("%s to %s: got %v, %v, want a refusal", c[0], c[1], v, err)
		}
	}
}

func ExampleConvert() {
	rate, _ := clinical.Convert(0.025, "mg/h", "ug/h")
	_, err := clinical.Convert(1, "mg", "mL")
	fmt.Println(rate, err)
	// Output: 25 unit: expected a unit that converts to mL, got one of another kind
}

func FuzzParseUnit(f *testing.F) {
	for _, s := range []string{"mg/dL", "10*3/uL", "{tablet}", "mm[Hg]", "a.b/c2", "[", "g-2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if u, err := clinical.ParseUnit(s); err == nil && !u.Same(u) {
			t.Error("a unit differs from itself")
		}
	})
}
