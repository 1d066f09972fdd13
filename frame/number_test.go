package frame

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dolor/rng"
)

// Every decimal reads as strconv reads it, to the last bit.
func TestParseNumberIsExact(t *testing.T) {
	fixed := []string{
		"0", "-0", "1", "9007199254740993", "9007199254740992.5", "18446744073709551615", "18446744073709551616",
		"0.1", "0.30000000000000004", "1.7976931348623157e308", "2.2250738585072014e-308", "4.9e-324", "2.4e-324",
		"1234567890123456789", "0.1234567890123456789", "99999999999999999.99", "4503599627370496.5", "4503599627370497.5",
		"1e22", "1e23", "123456789012345678e5", ".5", "5.", "+7", "1E+2", "1e-5", "000000000000000000000001.50", "1e0000000000000000000001",
	}
	for _, s := range fixed {
		sameAsStrconv(t, s)
	}
	r := rng.New(1).Rand()
	for range 200_000 {
		v := math.Float64frombits(r.Uint64())
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		sameAsStrconv(t, strconv.FormatFloat(v, 'g', -1, 64))
		sameAsStrconv(t, strconv.FormatFloat(r.NormFloat64(), 'f', r.IntN(22), 64))
		sameAsStrconv(t, strconv.FormatUint(r.Uint64(), 10)+"."+strconv.Itoa(r.IntN(1000)))
		sameAsStrconv(t, strconv.FormatUint(r.Uint64()>>(1+r.IntN(63)), 10)+"e"+strconv.Itoa(r.IntN(50)-25))
	}
	// Halfway between two floats, written out with up to 19 digits.
	for range 100_000 {
		m := 1<<53 + r.Uint64N(1<<53) | 1 // odd, 54 bits: exactly between two floats
		k := r.IntN(4)
		d := m * [...]uint64{1, 5, 25, 125}[k] // m / 2^k = m * 5^k / 10^k
		s := strconv.FormatUint(d, 10)
		if k > 0 {
			s = s[:len(s)-k] + "." + s[len(s)-k:]
		}
		sameAsStrconv(t, s)
	}
}

func sameAsStrconv(t testing.TB, s string) {
	t.Helper()
	want, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(want, 0) {
		t.Fatalf("%s: %v", s, err)
	}
	got, ok := parseNumber([]byte(s))
	if ok == math.IsInf(want, 0) {
		t.Fatalf("%s: ok %v", s, ok)
	}
	if ok && math.Float64bits(got) != math.Float64bits(want) {
		t.Fatalf("%s: got %v, want %v", s, got, want)
	}
}

func TestParseNumberRefuses(t *testing.T) {
	for _, s := range []string{"", " ", ".", "-", "+", "e5", "1e", "1e+", "1.2.3", "--1", "0x10", "1_000", "Inf", "NaN", "1,5", "1 2", "1e999", "-1e400", "١"} {
		if v, ok := parseNumber([]byte(s)); ok {
			t.Errorf("%q: got %v, want a refusal", s, v)
		}
	}
}

func TestNumbersWrittenReadBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.Float64().Draw(rt, "v")
		s := formatNumber(v)
		got, ok := parseNumber([]byte(s))
		if !ok || math.Float64bits(got) != math.Float64bits(v) {
			rt.Fatalf("%v written as %s read as %v", v, s, got)
		}
	})
	for v, want := range map[float64]string{1e6: "1000000", 123456789: "123456789", 0.5: "0.5", 1e-7: "1e-07", 1e21: "1e+21"} {
		if got := formatNumber(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestDates(t *testing.T) {
	for s, want := range map[string]float64{
		"1970-01-01": 0, "2000-02-29": 11016, "1969-12-31": -1, "2024-03-01T12:00": 19783.5, "2024-03-01 12:00:00Z": 19783.5,
		"2024-03-01T12:00:00.0+12:00": 19783, "2024-03-01T06:00:00-06:00": 19783.5,
	} {
		if got, ok := ParseDays(s); !ok || got != want {
			t.Errorf("%s: got %v, %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "2024", "2024-3-1", "2023-02-29", "2024-13-01", "01/02/2024", "2024-03-01T", "2024-03-01T25:00", "20240301"} {
		if got, ok := ParseDays(s); ok {
			t.Errorf("%q: got %v, want a refusal", s, got)
		}
	}
	if got := FormatDays(19783.5); got != "2024-03-01T12:00:00" {
		t.Errorf("got %s", got)
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"1", "-2.5e-3", "9007199254740993", ".5", "1e999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseNumber([]byte(s))
		trim := strings.Trim(s, " \t")
		want, err := strconv.ParseFloat(trim, 64)
		plain := strings.Trim(trim, "0123456789+-.eE") == ""
		if len(trim) > 4096 {
			return
		}
		if ok != (err == nil && plain) {
			t.Fatalf("%q: ok %v, strconv %v", s, ok, err)
		}
		if ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q: got %v, want %v", s, got, want)
		}
	})
}
