package clinical

import (
	"math"
	"strconv"
	"strings"

	"dolor/diag"
)

// Unit is a parsed UCUM unit: a factor to the base units and the powers of them (Schadow and
// McDonald, The Unified Code for Units of Measure, version 2.1; the subset that clinical
// records use). The zero Unit is invalid.
type Unit struct {
	factor float64 // to base units
	offset float64 // base = value*factor + offset; not 0 only for Cel and [degF] alone
	dim    dimension
}

// dimension holds the powers of the base units.
type dimension [7]int8

const (
	mass   = iota // g
	length        // m
	during        // s
	amount        // mol
	warmth        // K
	arbU          // [IU]; arbitrary, converts to nothing else
	arbMME        // mg of oral morphine; never converts to a mass
)

type atom struct {
	factor float64
	dim    dimension
	metric bool // takes prefixes
	offset float64
}

func base(k int) dimension { var d dimension; d[k] = 1; return d }

// atoms are UCUM's codes; aliases below are texts that stand in records in their place.
var atoms = map[string]atom{
	"g": {1, base(mass), true, 0}, "m": {1, base(length), true, 0}, "s": {1, base(during), true, 0},
	"mol": {1, base(amount), true, 0}, "K": {1, base(warmth), true, 0},
	"L": {1e-3, dimension{length: 3}, true, 0}, "l": {1e-3, dimension{length: 3}, true, 0},
	"min": {60, base(during), false, 0}, "h": {3600, base(during), false, 0}, "d": {86400, base(during), false, 0},
	"wk": {7 * 86400, base(during), false, 0}, "mo": {30.4375 * 86400, base(during), false, 0}, "a": {365.25 * 86400, base(during), false, 0},
	"Cel": {1, base(warmth), true, 273.15}, "[degF]": {5.0 / 9, base(warmth), false, 459.67 * 5 / 9},
	"%": {0.01, dimension{}, false, 0}, "10*": {10, dimension{}, false, 0}, "10^": {10, dimension{}, false, 0}, "[ppm]": {1e-6, dimension{}, false, 0},
	"[IU]": {1, base(arbU), true, 0}, "[iU]": {1, base(arbU), true, 0}, "U": {1, base(arbU), true, 0},
	"Pa": {1000, dimension{mass: 1, length: -1, during: -2}, true, 0}, "m[Hg]": {133322000, dimension{mass: 1, length: -1, during: -2}, true, 0},
	"Gy": {1, dimension{length: 2, during: -2}, true, 0}, "eq": {1, base(amount), true, 0}, "osm": {1, base(amount), true, 0},
	"[in_i]": {0.0254, base(length), false, 0}, "[lb_av]": {453.59237, base(mass), false, 0}, "[oz_av]": {28.349523125, base(mass), false, 0},
	"[MME]": {1, base(arbMME), false, 0},
	"[drp]": {5e-8, dimension{length: 3}, false, 0}, // 1 mL / 20
}

var prefixes = map[string]float64{
	"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "c": 1e-2, "d": 1e-1, "da": 10, "h": 100, "k": 1e3, "M": 1e6, "G": 1e9,
}

// aliases are common texts that are not UCUM, by lower case.
var aliases = map[string]string{
	"mcg": "ug", "µg": "ug", "μg": "ug", "mcg/h": "ug/h", "mcg/hr": "ug/h", "µg/h": "ug/h", "μg/h": "ug/h", "ug/hr": "ug/h", "mg/hr": "mg/h", "ml/hr": "mL/h",
	"mg/day": "mg/d", "mcg/day": "ug/d", "cc": "mL", "gm": "g", "gram": "g", "milligram": "mg", "microgram": "ug", "ml": "mL", "dl": "dL", "ul": "uL",
	"hr": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "week": "wk", "weeks": "wk", "month": "mo", "months": "mo", "year": "a", "years": "a", "minute": "min", "minutes": "min", "sec": "s",
	"k/ul": "10*3/uL", "10^3/ul": "10*3/uL", "x10^3/ul": "10*3/uL", "thou/ul": "10*3/uL", "10e3/ul": "10*3/uL", "10^9/l": "10*9/L", "x10^9/l": "10*9/L", "10e9/l": "10*9/L", "g/l": "g/L", "g/dl": "g/dL", "mg/l": "mg/L", "mg/dl": "mg/dL", "pg/ml": "pg/mL", "ng/l": "ng/L", "iu": "[IU]", "mmhg": "mm[Hg]", "bpm": "/min", "percent": "%",
	"mme/d": "[MME]/d", "{mme}/d": "[MME]/d", "{mme}": "[MME]",
}

// ParseUnit reads a UCUM unit such as mg, ug/h, 10*3/uL or mm[Hg], and common texts for the same
// (mcg/hr, K/uL). Annotations in braces count as 1, so {tablet} and the empty text are the
// unit 1. Anything else is an error of kind Invalid: a wrong guess would change a dose.
func ParseUnit(s string) (Unit, error) {
	text := strings.TrimSpace(s)
	if a, ok := aliases[strings.ToLower(text)]; ok {
		text = a
	}
	u := Unit{factor: 1}
	bad := func() (Unit, error) {
		return Unit{}, diag.Errorf(diag.Invalid, "unit", "expected a UCUM unit such as mg, ug/h or 10*3/uL, got %s", diag.Describe(s))
	}
	if len(text) > 64 {
		return bad()
	}
	sign, first := 1, true
	for text != "" {
		switch text[0] {
		case '/':
			sign, text = -1, text[1:]
		case '.':
			if first {
				return bad()
			}
			sign, text = 1, text[1:]
		default:
			if !first {
				return bad()
			}
		}
		term, rest := cutTerm(text)
		if term == "" || !u.times(term, sign) {
			return bad()
		}
		text, first = rest, false
	}
	if u.offset != 0 && (u.factor == 0 || u.dim != base(warmth)) {
		return bad()
	}
	return u, nil
}

// cutTerm returns the text up to the next operator outside brackets and braces.
func cutTerm(s string) (term, rest string) {
	depth := 0
	for k := range len(s) {
		switch s[k] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case '/', '.':
			if depth == 0 {
				return s[:k], s[k:]
			}
		}
	}
	return s, ""
}

// times multiplies u by the term to the power sign.
func (u *Unit) times(term string, sign int) bool {
	if k := strings.IndexByte(term, '{'); k >= 0 {
		if !strings.HasSuffix(term, "}") || strings.Count(term, "{") != 1 {
			return false
		}
		if term = term[:k]; term == "" {
			return true
		}
	}
	if n, err := strconv.ParseFloat(term, 64); err == nil && n > 0 && n <= 1e12 && !strings.ContainsAny(term, "eExXnN+-_") {
		u.factor *= math.Pow(n, float64(sign))
		return true
	}
	a, power, ok := atomOf(term)
	if !ok {
		return false
	}
	power *= sign
	u.factor *= math.Pow(a.factor, float64(power))
	if a.offset != 0 {
		if power != 1 || u.dim != (dimension{}) || u.factor != a.factor {
			return false
		}
		u.offset = a.offset
	} else if u.offset != 0 {
		return false
	}
	for k := range u.dim {
		u.dim[k] += int8(int(a.dim[k]) * power)
	}
	return true
}

// atomOf finds prefix, atom and exponent of a term: kg, mm3, 10*3, cm2.
func atomOf(term string) (a atom, power int, ok bool) {
	name, power := term, 1
	k := len(term)
	for k > 0 && (term[k-1] >= '0' && term[k-1] <= '9') {
		k--
	}
	if k > 0 && k < len(term) {
		neg := false
		if term[k-1] == '-' || term[k-1] == '+' {
			neg = term[k-1] == '-'
			name = term[:k-1]
		} else {
			name = term[:k]
		}
		n, err := strconv.Atoi(term[k:])
		if err != nil || n == 0 || n > 15 {
			return a, 0, false
		}
		if power = n; neg {
			power = -n
		}
	}
	if a, ok = atoms[name]; ok {
		return a, power, true
	}
	for _, n := range []int{1, 2} {
		if len(name) <= n {
			break
		}
		f, isPrefix := prefixes[name[:n]]
		b, isAtom := atoms[name[n:]]
		if isPrefix && isAtom && b.metric && b.offset == 0 {
			b.factor *= f
			return b, power, true
		}
	}
	return atom{}, 0, false
}

// Same reports whether values in u and v measure the same kind of quantity.
func (u Unit) Same(v Unit) bool { return u.dim == v.dim }

// Convert returns v, which is in the unit from, in the unit to. Units of different kinds (mg and mL, mg and
// mmol, units of activity of two substances) are an error of kind Invalid that names both.
func Convert(v float64, from, to string) (float64, error) {
	if from == to {
		return v, nil
	}
	f, err := ParseUnit(from)
	if err != nil {
		return math.NaN(), err
	}
	t, err := ParseUnit(to)
	if err != nil {
		return math.NaN(), err
	}
	if !f.Same(t) {
		return math.NaN(), diag.Errorf(diag.Invalid, "unit", "expected a unit that converts to %s, got one of another kind", to)
	}
	if f.offset == 0 && t.offset == 0 {
		// One rounding for ratios such as 1000: keeps 0.075 mg/h at 75 ug/h.
		if r := f.factor / t.factor; r >= 1 {
			return v * snap(r), nil
		}
		return v / snap(t.factor/f.factor), nil
	}
	return (v*f.factor + f.offset - t.offset) / t.factor, nil
}

// snap removes the rounding of a ratio that is a whole number.
func snap(r float64) float64 {
	if n := math.Round(r); math.Abs(r-n) <= 1e-9*r {
		return n
	}
	return r
}
