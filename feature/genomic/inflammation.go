package genomic

import (
	"bytes"
	"encoding/csv"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"dolor/clinical"
)

// marker is a quantity of table inflammatory-labs.
type marker int

const (
	crp marker = iota
	hsCRP
	il6
	albumin
	neutrophils
	lymphocytes
	nMarkers
)

// markerUnits are what the columns are in; results in another unit are converted.
var markerUnits = [nMarkers]string{"mg/L", "mg/L", "pg/mL", "g/L", "10*3/uL", "10*3/uL"}

// markerOf gives the marker of a LOINC code by table inflammatory-labs of the domain tables.
var markerOf = sync.OnceValue(func() map[string]marker {
	b, ok := clinical.Table("inflammatory-labs.csv")
	if !ok {
		panic("genomic: no table inflammatory-labs")
	}
	in := csv.NewReader(bytes.NewReader(b))
	in.LazyQuotes = true // a cell quotes "<5"
	rows, err := in.ReadAll()
	if err != nil {
		panic("genomic: table inflammatory-labs: " + err.Error())
	}
	names := map[string]marker{"CRP": crp, "hsCRP": hsCRP, "IL-6": il6, "albumin": albumin, "neutrophils": neutrophils, "lymphocytes": lymphocytes}
	out := make(map[string]marker)
	for _, r := range rows[1:] {
		name, _, _ := strings.Cut(r[0], " ")
		if m, ok := names[name]; ok {
			out[r[1]] = m
		}
	}
	return out
})

// result is one measured value of a marker in its column's unit.
type result struct {
	found    bool
	value    float64 // at half the limit where below it
	limit    float64 // the limit, where censored
	below    bool    // stated as < or <=
	above    bool    // stated as > or >=
	start    clinical.Time
	specimen int // the event it came from
}

// least and most bound what the true value may be.
func (r result) least() float64 {
	if r.below {
		return 0
	}
	return r.value
}

func (r result) most() float64 {
	switch {
	case r.below:
		return r.limit
	case r.above:
		return math.Inf(1)
	}
	return r.value
}

// numberOf reads a value as a number with comparison and unit; "<5 mg/L" as text too.
func numberOf(v *clinical.Value) (x float64, compare, unit string, ok bool) {
	switch v.Kind {
	case clinical.NumberValue:
		return v.Number, v.Compare, v.Unit, true
	case clinical.TextValue:
		t := strings.TrimSpace(v.Text)
		for _, c := range []string{"<=", ">=", "<", ">"} {
			if rest, found := strings.CutPrefix(t, c); found {
				compare, t = c, strings.TrimSpace(rest)
				break
			}
		}
		end := strings.IndexFunc(t, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if end < 0 {
			end = len(t)
		}
		x, err := strconv.ParseFloat(t[:end], 64)
		if err != nil {
			return 0, "", "", false
		}
		unit = strings.TrimSpace(t[end:])
		if unit == "" {
			unit = v.Unit
		}
		return x, compare, unit, true
	default: // no number
	}
	return 0, "", "", false
}

// labs is the last values of the look-back.
type labs struct {
	last     [nMarkers]result
	nlr      float64 // of the last sample that holds both; NaN: none
	nlrStart clinical.Time
	// counts of what could not be used
	unitless, badUnit, negative, zero int
}

// usable reports whether a result is one that a laboratory stands by.
func usable(status string) bool {
	switch status {
	case "", "final", "amended", "corrected", "appended", "preliminary", "registered":
		return true
	}
	return false
}

func readLabs(past *clinical.Past) labs {
	l := labs{nlr: math.NaN()}
	events := past.Window(lookBackDays, 0)
	byMoment := make(map[clinical.Time][2]result)
	for i := range events {
		e := &events[i]
		if e.Kind != clinical.Observation || !usable(e.Status) {
			continue
		}
		l.take(e, e.Codes, &e.Value, i, byMoment)
		for j := range e.Parts {
			l.take(e, e.Parts[j].Codes, &e.Parts[j].Value, i, byMoment)
		}
	}
	// the last moment at which both counts were taken from one sample
	for i := range events {
		pair, ok := byMoment[events[i].Start]
		if !ok || !pair[0].found || !pair[1].found || pair[0].above || pair[0].below || pair[1].above || pair[1].below {
			continue
		}
		if !events[i].Start.HasClock() && pair[0].specimen != pair[1].specimen && !sameReport(&events[pair[0].specimen], &events[pair[1].specimen]) {
			continue
		}
		if pair[1].value == 0 {
			l.zero++
			delete(byMoment, events[i].Start)
			continue
		}
		l.nlr, l.nlrStart = pair[0].value/pair[1].value, events[i].Start
	}
	return l
}

// sameReport reports whether two results that state only a day belong to one sample: nothing tells
// them apart, as visit and time of recording agree.
func sameReport(a, b *clinical.Event) bool { return a.Visit == b.Visit && a.Recorded == b.Recorded }

// take reads one value.
func (l *labs) take(e *clinical.Event, codes []clinical.Code, v *clinical.Value, specimen int, byMoment map[clinical.Time][2]result) {
	m, ok := marker(0), false
	for _, c := range codes {
		if c.System == clinical.LOINC {
			if m, ok = markerOf()[c.Code]; ok {
				break
			}
		}
	}
	if !ok {
		return
	}
	x, compare, unit, ok := numberOf(v)
	if !ok {
		return
	}
	if unit == "" {
		l.unitless++
		return
	}
	x, err := clinical.Convert(x, unit, markerUnits[m])
	switch {
	case err != nil:
		l.badUnit++
		return
	case !(x >= 0) || math.IsInf(x, 0):
		l.negative++
		return
	}
	r := result{found: true, value: x, start: e.Start, specimen: specimen}
	switch compare {
	case "<", "<=":
		r.value, r.limit, r.below = x/2, x, true
	case ">", ">=":
		r.limit, r.above = x, true
	}
	l.last[m] = r // events come in time order
	if m == neutrophils || m == lymphocytes {
		pair := byMoment[e.Start]
		pair[m-neutrophils] = r
		byMoment[e.Start] = pair
	}
}

// acutePhase returns CRP, or hsCRP where only that was measured: the same protein.
func (l *labs) acutePhase() result {
	if l.last[crp].found {
		return l.last[crp]
	}
	return l.last[hsCRP]
}

// Limits of the prognostic scores (table inflammatory-labs; McMillan 2013, doi 10.1016/j.ctrv.2012.08.003).
const (
	crpLimit     = 10 // mg/L, above
	albuminLimit = 35 // g/L, below
)

// over returns 1 when CRP is above its limit, 0 when not, NaN when that cannot be told.
func over(c result) float64 {
	switch {
	case !c.found:
		return math.NaN()
	case c.least() > crpLimit, c.above && c.value >= crpLimit:
		return 1
	case c.most() <= crpLimit:
		return 0
	}
	return math.NaN()
}

// under returns 1 when albumin is below its limit, 0 when not, NaN when that cannot be told.
func under(a result) float64 {
	switch {
	case !a.found:
		return math.NaN()
	case a.most() < albuminLimit, a.below && a.limit <= albuminLimit:
		return 1
	case a.least() >= albuminLimit:
		return 0
	}
	return math.NaN()
}

// scores returns the modified Glasgow prognostic score, in which low albumin counts only beside a
// high CRP, and the first one, in which each counts a point. NaN when the values do not tell.
func scores(c, a result) (mgps, gps float64) {
	high, low := over(c), under(a)
	gps = high + low
	switch high {
	case 0:
		return 0, gps
	case 1:
		return 1 + low, gps
	}
	return math.NaN(), gps
}

// feverLOINC are codes of body temperature.
var feverLOINC = []string{"8310-5", "8331-1", "8332-9", "8333-7"}

// infected reports whether an antibiotic was begun, or fever of 38.0 degrees or more measured, within
// 7 days before or after day, never after time zero.
func infected(past *clinical.Past, day clinical.Day) bool {
	d0 := past.Day0()
	events := past.Window(int(day-d0)-7, min(int(day-d0)+7, 0))
	for i := range events {
		e := &events[i]
		if antibioticStarts(e) {
			return true
		}
		if e.Kind != clinical.Observation || !usable(e.Status) {
			continue
		}
		fever := func(codes []clinical.Code, v *clinical.Value) bool {
			if !slices.ContainsFunc(feverLOINC, func(c string) bool { return clinical.Has(codes, clinical.LOINC, c) }) {
				return false
			}
			x, compare, unit, ok := numberOf(v)
			if !ok || strings.HasPrefix(compare, "<") {
				return false
			}
			t, err := clinical.Convert(x, unit, "Cel")
			return err == nil && t >= 38-1e-9 && t < 45
		}
		if fever(e.Codes, &e.Value) {
			return true
		}
		for j := range e.Parts {
			if fever(e.Parts[j].Codes, &e.Parts[j].Value) {
				return true
			}
		}
	}
	return false
}
