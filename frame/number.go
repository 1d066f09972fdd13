package frame

import (
	"math"
	"math/bits"
	"strconv"
	"unsafe"
)

// pow10 holds the powers of ten that float64 represents exactly.
var pow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// pow10u holds the powers of ten below 2^64.
var pow10u = [...]uint64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// scanNumber reads the decimal number that starts at b[p] and returns it with the position
// after it: an optional sign, digits with at most one point, an optional exponent. The
// result is the nearest float64, ties to even. ok is false when no number starts there. b
// must hold, at or after p, a byte that cannot be part of a number.
//
// Up to 2^53 the value is one exact division or multiplication (Clinger 1990,
// doi:10.1145/93542.93557); up to 19 digits behind a point it is one 128 by 64 bit division
// with its remainder as sticky bit; the rest goes to strconv.
func scanNumber(b []byte, p int) (v float64, next int, ok bool) {
	start := p
	neg := b[p] == '-'
	if neg || b[p] == '+' {
		p++
	}
	var m uint64
	first := p
	for d := b[p] - '0'; d <= 9; d = b[p] - '0' {
		m = m*10 + uint64(d)
		p++
	}
	digits, exp := p-first, 0
	if b[p] == '.' {
		p++
		first = p
		for d := b[p] - '0'; d <= 9; d = b[p] - '0' {
			m = m*10 + uint64(d)
			p++
		}
		exp = first - p
		digits -= exp
	}
	if digits == 0 {
		return 0, start, false
	}
	if b[p]|0x20 == 'e' {
		e, end, has := scanExponent(b, p+1)
		if !has {
			return 0, start, false
		}
		exp, p = exp+e, end
	}
	if digits <= 19 {
		switch {
		case exp == 0:
			v, ok = float64(m), true
		case m < 1<<53 && exp < 0 && exp >= -22:
			v, ok = float64(m)/pow10[-exp], true
		case m < 1<<53 && exp > 0 && exp <= 22:
			v, ok = float64(m)*pow10[exp], true
		case m > 0 && exp < 0 && exp >= -19:
			v, ok = quotient(m, pow10u[-exp]), true
		}
	}
	if !ok {
		v, ok = parseHard(b[start:p])
		return v, p, ok
	}
	if neg {
		v = -v
	}
	return v, p, true
}

// scanExponent reads an optional sign and digits; beyond 99,999 it saturates.
func scanExponent(b []byte, p int) (e, next int, ok bool) {
	neg := b[p] == '-'
	if neg || b[p] == '+' {
		p++
	}
	first := p
	for d := b[p] - '0'; d <= 9; d = b[p] - '0' {
		if e < 10_000 {
			e = e*10 + int(d)
		}
		p++
	}
	if neg {
		e = -e
	}
	return e, p, p > first
}

// quotient returns the float64 nearest to m/d, ties to even, for m and d in [1, 2^64).
func quotient(m, d uint64) float64 {
	lm, ld := bits.LeadingZeros64(m), bits.LeadingZeros64(d)
	m, d = m<<lm, d<<ld
	exp := ld - lm // m/d is the ratio of the normalised numbers times 2^exp
	hi, lo := m>>1, m<<63
	if m < d {
		hi, lo = m, 0
		exp--
	}
	q, r := bits.Div64(hi, lo, d) // q in [2^63, 2^64), value q * 2^(exp-63)
	rest := q & (1<<11 - 1)
	q >>= 11
	if rest > 1<<10 || rest == 1<<10 && (r != 0 || q&1 == 1) {
		q++
	}
	// q <= 2^53 and the exponent is far inside the normal range, so the product is exact.
	return float64(q) * math.Float64frombits(uint64(exp-52+1023)<<52)
}

// parseHard reads a checked literal with strconv; it is not ok when the value overflows.
func parseHard(b []byte) (float64, bool) {
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
	return v, err == nil
}

// parseNumber reads a whole cell as a finite number; spaces and tabs around it are ignored.
func parseNumber(cell []byte) (float64, bool) {
	cell = trimSpace(cell)
	if len(cell) == 0 || len(cell) > 4096 {
		return 0, false
	}
	var buf [64]byte
	b := append(append(buf[:0], cell...), '\n')
	v, next, ok := scanNumber(b, 0)
	return v, ok && next == len(cell)
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// formatNumber returns the shortest decimal that reads back as v: plain digits from 1e-6 to
// 1e21, an exponent outside.
func formatNumber(v float64) string { return string(appendNumber(nil, v)) }

func appendNumber(dst []byte, v float64) []byte {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}
