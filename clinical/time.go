package clinical

import (
	"cmp"
	"math"
	"time"

	"dolor/diag"
)

// Day is a day of the local calendar, counted from 1970-01-01.
type Day int32

// Precision is how exactly a record states a time.
type Precision uint8

// The precisions.
const (
	NoTime Precision = iota
	ToYear
	ToMonth
	ToDay
	ToSecond
)

// Time is a moment as a record states it: the local calendar and clock, the offset from UTC
// where it was stated, and the precision. The zero Time is "not stated".
type Time struct {
	local  int64 // seconds of the local calendar since 1970-01-01T00:00:00
	offset int16 // minutes east of UTC
	zoned  bool
	prec   Precision
}

// At returns the day d at sec seconds after local midnight, without a zone.
func At(d Day, sec int) Time {
	return Time{local: int64(d)*86400 + int64(sec), prec: ToSecond}
}

// OnDay returns day d without a time of day.
func OnDay(d Day) Time { return Time{local: int64(d) * 86400, prec: ToDay} }

// FromTime converts t with its zone.
func FromTime(t time.Time) Time {
	_, off := t.Zone()
	return Time{local: t.Unix() + int64(off), offset: int16(off / 60), zoned: true, prec: ToSecond}
}

// IsZero reports whether no time was stated.
func (t Time) IsZero() bool { return t.prec == NoTime }

// Precision returns how exactly t was stated.
func (t Time) Precision() Precision { return t.prec }

// HasClock reports whether t has a time of day.
func (t Time) HasClock() bool { return t.prec == ToSecond }

// Day returns the day of the local calendar; the first day of a month or year that was stated alone.
func (t Time) Day() Day { return Day(floorDiv(t.local, 86400)) }

// Clock returns the seconds after local midnight.
func (t Time) Clock() int { return int(t.local - int64(t.Day())*86400) }

// Earliest returns the first instant, in seconds since 1970 UTC, that t allows. Without a stated
// zone the local clock is taken for UTC.
func (t Time) Earliest() int64 { return t.local - int64(t.offset)*60 }

// Latest returns the last instant that t allows: the last second of a day, month or year that was
// stated alone. Of the zero Time it is the end of time.
func (t Time) Latest() int64 {
	switch t.prec {
	case NoTime:
		return math.MaxInt64
	case ToSecond:
		return t.Earliest()
	case ToDay:
		return t.Earliest() + 86399
	case ToMonth, ToYear:
	}
	d := time.Unix(t.local, 0).UTC()
	if t.prec == ToMonth {
		return t.Earliest() + d.AddDate(0, 1, 0).Unix() - d.Unix() - 1
	}
	return t.Earliest() + d.AddDate(1, 0, 0).Unix() - d.Unix() - 1
}

// Compare orders by earliest instant, the less precise first; not stated comes last.
func (t Time) Compare(u Time) int {
	if t.IsZero() || u.IsZero() {
		return cmp.Compare(b2i(t.IsZero()), b2i(u.IsZero()))
	}
	return cmp.Or(cmp.Compare(t.Earliest(), u.Earliest()), cmp.Compare(t.prec, u.prec))
}

// Add returns t moved by sec seconds, to the second.
func (t Time) Add(sec int64) Time { t.local += sec; t.prec = ToSecond; return t }

// AddDays returns t moved by n days of the local calendar, as precise as before.
func (t Time) AddDays(n int) Time { t.local += int64(n) * 86400; return t }

// Time returns t as a time.Time, without a stated zone in UTC.
func (t Time) Time() time.Time {
	return time.Unix(t.Earliest(), 0).In(time.FixedZone("", int(t.offset)*60))
}

// String writes t as FHIR does: 2026, 2026-05, 2026-05-17, 2026-05-17T08:00:00+02:00.
func (t Time) String() string {
	switch t.prec {
	case ToYear:
		return t.Time().Format("2006")
	case ToMonth:
		return t.Time().Format("2006-01")
	case ToDay:
		return t.Time().Format("2006-01-02")
	case ToSecond:
		if t.zoned {
			return t.Time().Format("2006-01-02T15:04:05Z07:00")
		}
		return t.Time().Format("2006-01-02T15:04:05")
	case NoTime:
	}
	return ""
}

// ParseTime reads FHIR's date, dateTime and instant, and the same with a blank in place of the
// T as OMOP extracts write it. Fractions of a second are cut. 24:00:00 is the next midnight,
// a leap second counts as the second before. Errors are of kind Invalid.
func ParseTime(s string) (Time, error) {
	bad := func() (Time, error) {
		return Time{}, diag.Errorf(diag.Invalid, "", "expected a date or time such as 2026-05-17 or 2026-05-17T08:00:00+02:00, got %s", diag.Describe(s))
	}
	year, s1, ok := digits(s, 4)
	if !ok || year == 0 {
		return bad()
	}
	month, day, prec := 1, 1, ToYear
	rest := s1
	if len(rest) > 0 {
		if rest[0] != '-' {
			return bad()
		}
		if month, rest, ok = digits(rest[1:], 2); !ok || month < 1 || month > 12 {
			return bad()
		}
		prec = ToMonth
	}
	if prec == ToMonth && len(rest) > 0 {
		if rest[0] != '-' {
			return bad()
		}
		if day, rest, ok = digits(rest[1:], 2); !ok || day < 1 || day > daysIn(year, month) {
			return bad()
		}
		prec = ToDay
	}
	t := Time{local: civil(year, month, day) * 86400, prec: prec}
	if len(rest) == 0 {
		return t, nil
	}
	if prec != ToDay || rest[0] != 'T' && rest[0] != ' ' {
		return bad()
	}
	return t.clock(rest[1:], bad)
}

// clock reads the time of day and zone after the date.
func (t Time) clock(rest string, bad func() (Time, error)) (Time, error) {
	h, rest, ok := digits(rest, 2)
	if !ok || h > 24 || len(rest) == 0 || rest[0] != ':' {
		return bad()
	}
	m, rest, ok := digits(rest[1:], 2)
	if !ok || m > 59 {
		return bad()
	}
	sec := 0
	if len(rest) > 0 && rest[0] == ':' {
		if sec, rest, ok = digits(rest[1:], 2); !ok || sec > 60 {
			return bad()
		}
		if len(rest) > 1 && rest[0] == '.' {
			k := 1
			for k < len(rest) && rest[k] >= '0' && rest[k] <= '9' {
				k++
			}
			if k == 1 {
				return bad()
			}
			rest = rest[k:]
		}
	}
	if h == 24 && (m != 0 || sec != 0) {
		return bad()
	}
	t.local += int64(h)*3600 + int64(m)*60 + int64(min(sec, 59))
	t.prec = ToSecond
	switch {
	case rest == "":
	case rest == "Z":
		t.zoned = true
	case rest[0] == '+' || rest[0] == '-':
		zh, r, ok := digits(rest[1:], 2)
		if !ok || zh > 14 || len(r) == 0 || r[0] != ':' {
			return bad()
		}
		zm, r, ok := digits(r[1:], 2)
		if !ok || zm > 59 || r != "" {
			return bad()
		}
		t.offset = int16(zh*60 + zm)
		if rest[0] == '-' {
			t.offset = -t.offset
		}
		t.zoned = true
	default:
		return bad()
	}
	return t, nil
}

func digits(s string, n int) (v int, rest string, ok bool) {
	if len(s) < n {
		return 0, s, false
	}
	for k := range n {
		c := s[k]
		if c < '0' || c > '9' {
			return 0, s, false
		}
		v = v*10 + int(c-'0')
	}
	return v, s[n:], true
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// civil returns the days from 1970-01-01 to the date (H. Hinnant, days_from_civil).
func civil(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := floorDiv(int64(y), 400)
	yoe := int64(y) - era*400
	mp := int64((m + 9) % 12)
	doy := (153*mp+2)/5 + int64(d) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
