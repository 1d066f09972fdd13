package frame

import (
	"math"
	"strconv"
	"time"
)

const (
	daySeconds = 86400
	dayNanos   = daySeconds * 1e9
)

// parseDate reads an ISO 8601 calendar date (2024-03-01), or a date and time of day separated
// by T or one space (2024-03-01T14:30, :05, .25, then Z or an offset such as +01:00), as days
// since 1970-01-01 UTC. A time without offset is taken as UTC.
func parseDate(cell []byte) (float64, bool) {
	s := string(trimSpace(cell))
	if len(s) < 10 || len(s) > 40 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	day, err := time.Parse(time.DateOnly, s[:10])
	if err != nil {
		return 0, false
	}
	days := float64(day.Unix() / daySeconds)
	if len(s) == 10 {
		return days, true
	}
	if s[10] != 'T' && s[10] != ' ' {
		return 0, false
	}
	for _, layout := range [...]string{"15:04:05Z07:00", "15:04:05", "15:04Z07:00", "15:04"} {
		t, err := time.Parse("2006-01-02 "+layout, s[:10]+" "+s[11:])
		if err == nil {
			return fromTime(t), true
		}
	}
	return 0, false
}

// fromTime returns t as days since 1970-01-01 UTC.
func fromTime(t time.Time) float64 {
	return nanosToDays(t.Unix(), int64(t.Nanosecond()))
}

// nanosToDays converts seconds since 1970 and nanoseconds in [0, 1e9) to days.
func nanosToDays(sec, nanos int64) float64 {
	day := sec / daySeconds
	rest := sec % daySeconds
	if rest < 0 {
		day--
		rest += daySeconds
	}
	return float64(day) + (float64(rest)*1e9+float64(nanos))/dayNanos
}

// appendDate writes days as parseDate reads them: a date when whole, else date and time to
// the nanosecond. Days outside the years 0 to 9999 are written as a number.
func appendDate(dst []byte, days float64) []byte {
	day := math.Floor(days)
	if day < -719528 || day > 2932896 {
		return appendNumber(dst, days)
	}
	nanos := int64(math.Round((days - day) * dayNanos))
	if nanos >= dayNanos {
		day, nanos = day+1, 0
	}
	t := time.Unix(int64(day)*daySeconds, 0).UTC()
	dst = t.AppendFormat(dst, time.DateOnly)
	if nanos == 0 {
		return dst
	}
	return t.Add(time.Duration(nanos)).AppendFormat(dst, "T15:04:05.999999999")
}

// FormatDays returns days since 1970-01-01 UTC as an ISO 8601 date, with the time of day
// when it is not midnight. NaN gives "".
func FormatDays(days float64) string {
	if math.IsNaN(days) {
		return ""
	}
	return string(appendDate(nil, days))
}

// ParseDays reads an ISO 8601 date, with or without a time of day, as days since 1970-01-01
// UTC; ok is false when s is none.
func ParseDays(s string) (days float64, ok bool) { return parseDate([]byte(s)) }

// compareLevels orders levels: numbers by value before other text, text by bytes.
func compareLevels(a, b string) int {
	x, xok := parseNumber([]byte(a))
	y, yok := parseNumber([]byte(b))
	switch {
	case xok && yok && x != y:
		if x < y {
			return -1
		}
		return 1
	case xok && !yok:
		return -1
	case yok && !xok:
		return 1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// normalLevels returns the levels with numbers in one spelling ("1.0" as "1") when every one
// is a number; otherwise it returns them as they are.
func normalLevels(levels []string) []string {
	out := make([]string, len(levels))
	for i, l := range levels {
		v, ok := parseNumber([]byte(l))
		if !ok {
			return levels
		}
		out[i] = strconv.FormatFloat(v+0, 'f', -1, 64)
		if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
			out[i] = formatNumber(v)
		}
	}
	return out
}
