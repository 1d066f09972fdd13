package dose

import (
	"math"

	"dolor/clinical"
)

// administration adds what was given. Patches are handled apart; infusions by overlap.
func (k *calc) administration(e *clinical.Event, o clinical.Opioid) {
	if e.Status == "not-done" || e.Status == "on-hold" || o.Route == clinical.Transdermal || len(e.Drug.Doses) == 0 {
		return
	}
	d := &e.Drug.Doses[0]
	prn := d.AsNeeded || k.prnOrder[e.Order]
	switch {
	case d.Delivered.Unit != "":
		mg, ok := k.amount(d.Delivered, o)
		k.put(e.Start.Day(), o, given, prn, mg, ok, e)
	case d.Rate.Unit != "" && !e.End.IsZero():
		k.infusion(e, o, d, prn)
	case d.Dose.Unit != "" || d.Dose.Value != 0:
		mg, ok := k.amount(d.Dose, o)
		k.put(e.Start.Day(), o, given, prn, mg, ok, e)
	default:
		k.warn("no_amount", "an administration without an amount counts 0")
		k.put(e.Start.Day(), o, given, prn, 0, true, e)
	}
}

// infusion spreads rate x overlap over the days it ran.
func (k *calc) infusion(e *clinical.Event, o clinical.Opioid, d *clinical.Dosage, prn bool) {
	perHour, err := clinical.Convert(d.Rate.Value, d.Rate.Unit, "mg/h")
	if err != nil {
		if ml, err2 := clinical.Convert(d.Rate.Value, d.Rate.Unit, "mL/h"); err2 == nil && o.Strength.Unit == "mg/mL" {
			perHour, err = ml*o.Strength.Value, nil
		}
	}
	start, end := local(e.Start), local(e.End)
	for day := max(e.Start.Day(), k.from); day <= min(e.End.Day(), k.to); day++ {
		lo, hi := max(start, int64(day)*86400), min(end, int64(day+1)*86400)
		if hi <= lo {
			continue
		}
		k.put(day, o, given, prn, perHour*float64(hi-lo)/3600, err == nil, e)
	}
	if err != nil {
		k.warn("dose_unit", "an infusion rate that does not give milligrams an hour; its days are unknown")
	}
}

// local returns the seconds of the local calendar.
func local(t clinical.Time) int64 { return int64(t.Day())*86400 + int64(t.Clock()) }

// put adds mg of o taken on day d.
func (k *calc) put(d clinical.Day, o clinical.Opioid, src source, prn bool, mg float64, ok bool, e *clinical.Event) {
	v := math.NaN()
	if ok {
		v, _ = k.ome(o, mg)
	}
	c := k.at(o, d)
	if prn && (src == given || src == diary) && e != nil && c != nil {
		k.s.Rescues = append(k.s.Rescues, Rescue{At: e.Start, OME: v})
	}
	if c == nil {
		return
	}
	if prn {
		c.prn[src] += v
		c.hasPRN[src] = true
		return
	}
	c.sched[src] += v
	c.has[src] = true
}

// statement is the patient's diary: single doses where they have a clock, else a regimen.
func (k *calc) statement(e *clinical.Event, o clinical.Opioid) {
	if len(e.Drug.Doses) == 0 || o.Route == clinical.Transdermal {
		return
	}
	d := &e.Drug.Doses[0]
	if d.Frequency == 0 && d.Period == 0 {
		mg, ok := k.amount(d.Dose, o)
		k.put(e.Start.Day(), o, diary, d.AsNeeded || k.prnOrder[e.Order], mg, ok, e)
		return
	}
	if d.AsNeeded || e.End.IsZero() {
		return
	}
	for i := range e.Drug.Doses {
		k.regimen(&e.Drug.Doses[i], o, diary, e.Start.Day(), e.End.Day())
	}
}

// dispense spreads what was dispensed over the days' supply.
func (k *calc) dispense(e *clinical.Event, o clinical.Opioid) {
	if k.prnOrder[e.Order] || len(e.Drug.Doses) > 0 && e.Drug.Doses[0].AsNeeded {
		return
	}
	days := math.Round(e.Drug.Supply)
	if !(days >= 1) || e.Drug.Amount.Value <= 0 || days > 366 {
		k.warn("dispense_incomplete", "a dispensing without amount or days' supply is not used")
		return
	}
	total, ok := k.amount(e.Drug.Amount, o)
	perDay := total / days
	if o.Route == clinical.Transdermal {
		// Patches last 3 days (fentanyl) or 7 (buprenorphine): rate worn = strength x patches x wear / days.
		perDay = total * wearDays(o) / days
	}
	first := e.Start.Day()
	for d := max(first, k.from); d <= min(first+clinical.Day(days)-1, k.to); d++ {
		k.put(d, o, dispensed, false, perDay, ok, nil)
	}
}

func wearDays(o clinical.Opioid) float64 {
	if o.Ingredient == "buprenorphine" {
		return 7
	}
	return 3
}

// order adds the scheduled doses of an order for the days it runs. Orders to be taken as
// needed add nothing: only observed rescue doses count.
func (k *calc) order(e *clinical.Event, o clinical.Opioid) {
	switch e.Status {
	case "cancelled", "draft", "entered-in-error":
		return
	}
	if e.Drug.Intent == "proposal" || e.Drug.Intent == "plan" || e.Drug.Intent == "option" {
		return
	}
	for i := range e.Drug.Doses {
		d := &e.Drug.Doses[i]
		if d.AsNeeded {
			continue
		}
		first, last, open := k.span(e, d)
		if by, ok := k.replaced[e.ID]; ok && !by.IsZero() {
			last, open = min(last, by.Day()-1), false
		}
		if open {
			for day := max(first, k.from); day <= k.to; day++ {
				if c := k.at(o, day); c != nil {
					c.unknown = true
				}
			}
			continue
		}
		k.regimen(d, o, ordered, first, last)
	}
}

// span returns the days of an instruction; open when nothing says how long it goes on.
func (k *calc) span(e *clinical.Event, d *clinical.Dosage) (first, last clinical.Day, open bool) {
	first = e.Start.Day()
	if !d.From.IsZero() {
		first = d.From.Day()
	}
	switch {
	case !d.To.IsZero():
		return first, d.To.Day(), false
	case d.Bounds.Unit != "":
		if n, err := clinical.Convert(d.Bounds.Value, d.Bounds.Unit, "d"); err == nil && n >= 1 && n < 3660 {
			return first, first + clinical.Day(math.Ceil(n)) - 1, false
		}
	case !e.End.IsZero():
		return first, e.End.Day(), false
	case e.Drug.Supply >= 1 && e.Drug.Supply < 3660:
		return first, first + clinical.Day(math.Round(e.Drug.Supply)) - 1, false
	}
	return first, k.to, true
}

// regimen adds the daily dose of d for each day.
func (k *calc) regimen(d *clinical.Dosage, o clinical.Opioid, src source, first, last clinical.Day) {
	perDay, ok := k.perDay(d, o)
	for day := max(first, k.from); day <= min(last, k.to); day++ {
		if c := k.at(o, day); c != nil && src == ordered && c.has[ordered] {
			k.warn("overlap_summed", "overlapping orders of the same drug and route were summed")
		}
		k.put(day, o, src, false, perDay, ok, nil)
	}
}

// PerDay returns the drug an instruction gives in a day: mg, or ug/h worn for patches.
func (k *calc) perDay(d *clinical.Dosage, o clinical.Opioid) (float64, bool) {
	q := d.Dose
	if q.Unit == "" && q.Value == 0 && d.Rate.Unit != "" {
		v, err := clinical.Convert(d.Rate.Value, d.Rate.Unit, "mg/d")
		if o.Route == clinical.Transdermal {
			v, err = clinical.Convert(d.Rate.Value, d.Rate.Unit, "ug/h")
		}
		return v, err == nil
	}
	if d.DoseHigh > 0 {
		q.Value = k.ranged(q.Value, d.DoseHigh)
	}
	one, ok := k.amount(q, o)
	if !ok {
		return 0, false
	}
	if o.Route == clinical.Transdermal {
		return one, true // the rate holds while a patch is worn, whatever the change interval
	}
	times, ok := k.timesPerDay(d)
	return one * times, ok
}

// timesPerDay returns how often a day the dose is taken.
func (k *calc) timesPerDay(d *clinical.Dosage) (float64, bool) {
	if d.Period == 0 {
		if n := len(d.When); n > 0 {
			return float64(n), true
		}
		if d.Frequency > 0 {
			return k.ranged(d.Frequency, d.FreqMax), true
		}
		k.warn("no_frequency", "an instruction without a frequency; its days are unknown")
		return 0, false
	}
	unit := d.Unit
	if unit == "" {
		unit = "d"
	}
	freq := d.Frequency
	if freq == 0 {
		freq = float64(max(1, len(d.When)))
	}
	period, err := clinical.Convert(d.Period, unit, "d")
	if err != nil || period <= 0 {
		k.warn("no_frequency", "an instruction without a frequency; its days are unknown")
		return 0, false
	}
	n := k.ranged(freq, d.FreqMax) / period
	if d.PeriodMax > d.Period {
		longest, _ := clinical.Convert(d.PeriodMax, unit, "d")
		switch k.c.RangeAs {
		case "low":
			n = freq / longest
		case "mid":
			n = (freq/period + freq/longest) / 2
		}
	}
	return n, true
}

// ranged picks from a range as configured; high 0 means no range.
func (k *calc) ranged(low, high float64) float64 {
	if high <= low {
		return low
	}
	switch k.c.RangeAs {
	case "low":
		return low
	case "mid":
		return (low + high) / 2
	}
	return high
}
