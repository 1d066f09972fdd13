// Package dose turns medication records into daily oral morphine equivalents (OME, mg/day).
//
// [Daily] takes a patient's events and a range of days and gives, for each day, the scheduled
// and the rescue dose, whether they are known, and what was odd. Per ingredient, route and
// day the best evidence wins: administration, then patient diary, then dispensing spread over
// the days' supply, then order. Factors come from table ome-factors.csv of package clinical
// (CDC 2022, MMWR Recomm Rep 71(3), first); they describe exposure and are never for choosing
// a dose.
package dose

import (
	"cmp"
	"math"
	"slices"

	"dolor/clinical"
	"dolor/diag"
)

// Config holds the choices of the calculation. The zero value of a field means its default.
type Config struct {
	FactorSets []string // order of precedence; nil means clinical.OMESets
	RangeAs    string   // dose and frequency ranges count as high (default), mid or low
	Crossover  string   // on a day that one ordered drug follows another: max (default) or sum
	PatchTail  string   // after a patch is removed: none (default) or linear24h
	Ceiling    float64  // OME above this raises a warning; 0 means 2000 mg/day
}

// Day is one calendar day.
type Day struct {
	Day       clinical.Day
	Scheduled float64 // mg OME
	PRN       float64 // mg OME of rescue doses that were taken
	Known     bool    // false when records cannot say what was taken
	Main      string  // ingredient with the largest scheduled share; empty without one
	MainRoute clinical.Route
}

// Total returns the scheduled and the rescue dose.
func (d Day) Total() float64 { return d.Scheduled + d.PRN }

// Rescue is one rescue dose that was taken.
type Rescue struct {
	At  clinical.Time
	OME float64 // mg; NaN when the product has no factor
}

// Series is what [Daily] returns.
type Series struct {
	Days     []Day    // one a day, in order
	Rescues  []Rescue // in time order
	Warnings []diag.Warning
	// Substitution is set when an opioid was given for dependence: escalation has no meaning.
	Substitution bool
	Neuraxial    bool
}

// stream is one ingredient by one route.
type stream struct {
	ingredient string
	route      clinical.Route
}

// source is the evidence of a dose, best first.
type source uint8

const (
	given source = iota
	diary
	dispensed
	ordered
	sources
)

// cell collects one stream's evidence for one day.
type cell struct {
	sched, prn [sources]float64
	has        [sources]bool // scheduled evidence
	hasPRN     [sources]bool
	unknown    bool // an order without an end, and nothing better
}

// calc is one calculation.
type calc struct {
	c        *Config
	from, to clinical.Day
	cells    map[stream][]cell
	prnOrder map[string]bool // IDs of orders to be taken as needed
	replaced map[string]clinical.Time
	s        *Series
}

// Daily computes the series of days from to to, both included, from events in time order. What
// is not an opioid is ignored; a product without a factor makes its days unknown, with a
// warning. Antagonists count 0.
func Daily(events []clinical.Event, from, to clinical.Day, c *Config) *Series {
	if c == nil {
		c = &Config{}
	}
	full := *c
	if full.FactorSets == nil {
		full.FactorSets = clinical.OMESets
	}
	full.RangeAs, full.Crossover, full.PatchTail = cmp.Or(c.RangeAs, "high"), cmp.Or(c.Crossover, "max"), cmp.Or(c.PatchTail, "none")
	full.Ceiling = cmp.Or(c.Ceiling, 2000)
	k := &calc{
		c: &full, from: from, to: to, cells: make(map[stream][]cell), s: &Series{},
		prnOrder: make(map[string]bool), replaced: make(map[string]clinical.Time),
	}
	for i := range events {
		e := &events[i]
		if e.Kind != clinical.Order || e.Drug == nil {
			continue
		}
		if len(e.Drug.Doses) > 0 && e.Drug.Doses[0].AsNeeded {
			k.prnOrder[e.ID] = true
		}
		if e.Drug.Replaces != "" {
			k.replaced[e.Drug.Replaces] = e.Start
		}
	}
	k.patches(events)
	for i := range events {
		e := &events[i]
		if e.Drug == nil || e.Start.IsZero() {
			continue
		}
		o, ok := clinical.OpioidOf(e.Drug)
		if !ok {
			continue
		}
		k.s.Substitution = k.s.Substitution || o.Dependence
		if o.Route == clinical.Neuraxial {
			k.s.Neuraxial = true
		}
		switch e.Kind {
		case clinical.Administration:
			k.administration(e, o)
		case clinical.Statement:
			k.statement(e, o)
		case clinical.Dispense:
			k.dispense(e, o)
		case clinical.Order:
			k.order(e, o)
		default: // no dose
		}
	}
	k.merge()
	slices.SortStableFunc(k.s.Rescues, func(a, b Rescue) int { return a.At.Compare(b.At) })
	return k.s
}

func (k *calc) warn(code, msg string) {
	k.s.Warnings = diag.Merge(k.s.Warnings, diag.Warning{Code: code, Msg: msg, Count: 1})
}

// at returns the cell of a stream on day d, nil outside the range.
func (k *calc) at(o clinical.Opioid, d clinical.Day) *cell {
	if d < k.from || d > k.to {
		return nil
	}
	s := stream{o.Ingredient, o.Route}
	if k.cells[s] == nil {
		k.cells[s] = make([]cell, int(k.to-k.from)+1)
	}
	return &k.cells[s][d-k.from]
}

// ome converts an amount of the drug per day, in mg or for patches in ug/h worn the whole day.
// ok is false when no factor fits.
func (k *calc) ome(o clinical.Opioid, amount float64) (float64, bool) {
	f, ok := clinical.FactorOf(o.Ingredient, o.Route, k.c.FactorSets)
	if !ok {
		k.warn("ome_no_factor", "an opioid by a route without a factor; its days are unknown")
		return math.NaN(), false
	}
	if f.Set != "cdc2022" {
		k.warn("ome_non_cdc_factor", "a factor from outside CDC 2022 was used")
	}
	if o.Ingredient == "methadone" {
		k.warn("ome_methadone", "methadone: one factor for all doses, long and variable half-life")
	}
	switch f.Unit {
	case "mcg/h":
		if o.Route != clinical.Transdermal {
			return math.NaN(), false
		}
	case "mcg/day", "mcg":
		amount *= 1000
	}
	return amount * f.Value, true
}

// amount returns the drug in one dose: mg, or ug/h for patches. ok is false when the unit
// cannot be understood.
func (k *calc) amount(q clinical.Quantity, o clinical.Opioid) (float64, bool) {
	if o.Route == clinical.Transdermal {
		if v, err := clinical.Convert(q.Value, q.Unit, "ug/h"); err == nil {
			return v, true
		}
	} else if v, err := clinical.Convert(q.Value, q.Unit, "mg"); err == nil {
		return v, true
	}
	switch {
	case counted(q.Unit) && (o.Strength.Unit == "mg" && o.Route != clinical.Transdermal || o.Strength.Unit == "ug/h"):
		return q.Value * o.Strength.Value, true
	case o.Strength.Unit == "mg/mL":
		if v, err := clinical.Convert(q.Value, q.Unit, "mL"); err == nil {
			return v * o.Strength.Value, true
		}
	}
	k.warn("dose_unit", "a dose in a unit that does not give milligrams; its days are unknown")
	return math.NaN(), false
}

// counted reports whether unit counts pieces: tablets, capsules, patches, sprays.
func counted(unit string) bool {
	switch unit {
	case "", "1", "tablet", "tablets", "tab", "TAB", "capsule", "capsules", "cap", "CAP", "patch", "patches", "PATCH", "spray", "lozenge", "film", "suppository", "each", "EA", "dose":
		return true
	}
	return len(unit) > 1 && unit[0] == '{' && unit[len(unit)-1] == '}'
}

// merge turns cells into days, streams in a fixed order.
func (k *calc) merge() {
	streams := make([]stream, 0, len(k.cells))
	for s := range k.cells {
		streams = append(streams, s)
	}
	slices.SortFunc(streams, func(a, b stream) int {
		return cmp.Or(cmp.Compare(a.ingredient, b.ingredient), cmp.Compare(a.route, b.route))
	})
	k.s.Days = make([]Day, int(k.to-k.from)+1)
	for i := range k.s.Days {
		d := Day{Day: k.from + clinical.Day(i), Known: true}
		var sum, begins, ends, best float64
		for _, s := range streams {
			c := &k.cells[s][i]
			v, src, ok := c.best()
			for p := range sources {
				if c.hasPRN[p] {
					d.PRN += c.prn[p]
					break
				}
			}
			if c.unknown && !ok {
				d.Known = false
			}
			if !ok {
				continue
			}
			if math.IsNaN(v) {
				d.Known = false
				continue
			}
			switch turn := k.turn(s, i); {
			case src != ordered || turn == 0:
				sum += v
			case turn > 0:
				begins += v
			default:
				ends += v
			}
			if v > best {
				best, d.Main, d.MainRoute = v, s.ingredient, s.route
			}
		}
		// One order ends on the day that another begins: a rotation, not both doses.
		if k.c.Crossover == "max" {
			d.Scheduled = sum + max(begins, ends)
		} else {
			d.Scheduled = sum + begins + ends
		}
		if math.IsNaN(d.PRN) {
			d.PRN, d.Known = 0, false
		}
		if d.Total() > k.c.Ceiling {
			k.warn("implausible", "an oral morphine equivalent above the plausible ceiling")
		}
		k.s.Days[i] = d
	}
}

// best returns the scheduled dose by the best evidence.
func (c *cell) best() (v float64, src source, ok bool) {
	for p := range sources {
		if c.has[p] {
			return c.sched[p], p, true
		}
	}
	return 0, 0, false
}

// turn is 1 when the ordered stream s begins on day i, -1 when it ends there, 0 otherwise and
// when it does both.
func (k *calc) turn(s stream, i int) int {
	c := k.cells[s]
	begins := i > 0 && !c[i-1].has[ordered]
	ends := i+1 < len(c) && !c[i+1].has[ordered]
	switch {
	case begins == ends:
		return 0
	case begins:
		return 1
	}
	return -1
}
