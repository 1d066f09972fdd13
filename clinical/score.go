package clinical

import "math"

// MeanPain returns the mean of the pain scores among events (now and average scales; worst ones where there
// are no others), NaN without one.
func MeanPain(events []Event) float64 {
	var usual, worst float64
	var n, m int
	EachPain(events, func(_ *Event, score float64, scale string) {
		if scale == "worst" {
			worst += score
			m++
		} else {
			usual += score
			n++
		}
	})
	switch {
	case n > 0:
		return usual / float64(n)
	case m > 0:
		return worst / float64(m)
	}
	return math.NaN()
}

// EachPain calls f for every pain score from 0 to 10 among events.
func EachPain(events []Event, f func(e *Event, score float64, scale string)) {
	for i := range events {
		e := &events[i]
		if e.Kind != Observation && e.Kind != Questionnaire {
			continue
		}
		if score, scale, bad, ok := PainOf(e.Codes, e.Value); ok && !bad {
			f(e, score, scale)
		}
		for _, p := range e.Parts {
			if score, scale, bad, ok := PainOf(p.Codes, p.Value); ok && !bad {
				f(e, score, scale)
			}
		}
	}
}

// Episodes returns the breakthrough episodes reported among events (local code bt_per_day, one
// value a diary day, the last of a day counts); ok is false without a report. A diary day that is missing
// is missing, not 0: the sum is over the days reported.
func Episodes(events []Event) (sum float64, ok bool) {
	day, last := Day(math.MinInt32), 0.0
	take := func(e *Event, codes []Code, v Value) {
		if !Has(codes, Local, "bt_per_day") || v.Kind != NumberValue || !(v.Number >= 0 && v.Number <= 30) {
			return
		}
		if d := e.Start.Day(); d != day {
			sum, day = sum+last, d
		}
		last, ok = v.Number, true
	}
	for i := range events {
		e := &events[i]
		take(e, e.Codes, e.Value)
		for _, p := range e.Parts {
			take(e, p.Codes, p.Value)
		}
	}
	return sum + last, ok
}
