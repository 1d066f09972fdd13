package cohort

import "math"

// Code is the outcome of a patient, with the numbers of the definition's labels.
type Code int

// The codes.
const (
	NotRefractory Code = 0
	Refractory    Code = 1
	DeathFirst    Code = 2
	Undetermined  Code = 8
	Censored      Code = 9
)

// Course is what happened to a patient by day, relative to time zero. Slices run from day
// First; a day outside them has no record.
type Course struct {
	First    int
	Pain     []float64 // mean score of the day, 0 to 10; NaN not scored
	OME      []float64 // mg/day
	Known    []bool    // OME is known; nil means always
	Adjuvant []bool    // some adjuvant class that counts was active
	DLT      []int     // days of dose-limiting toxicity
	// Optimised lists days from which optimisation counts whatever the adjuvants
	// (an intervention such as a nerve block; a rotation where the definition says so).
	Optimised []int
	Death     int  // day; NoDay when alive at the horizon
	Lost      int  // last day of observation; NoDay when observed to the horizon
	ScoreLast bool // scores of the day of death were charted before it
}

// NoDay stands for a day that does not come.
const NoDay = math.MaxInt32

// Outcome is a label with its day: of the event, of death, of the last observation; NoDay for
// codes 0 and 8.
type Outcome struct {
	Code Code
	Day  int
}

func (c *Course) pain(d int) float64 {
	if k := d - c.First; k >= 0 && k < len(c.Pain) {
		return c.Pain[k]
	}
	return math.NaN()
}

func (c *Course) ome(d int) (v float64, known bool) {
	k := d - c.First
	if k < 0 || k >= len(c.OME) {
		return 0, true
	}
	return c.OME[k], c.Known == nil || k >= len(c.Known) || c.Known[k]
}

func (c *Course) adjuvant(d int) bool {
	k := d - c.First
	return k >= 0 && k < len(c.Adjuvant) && c.Adjuvant[k]
}

// verdict of a question that missing records can leave open.
type verdict uint8

const (
	no verdict = iota
	open
	yes
)

// window is a run of pain that meets step 2 of the rule.
type window struct{ a, b int }

// Event returns the day of the earliest window with pain, dose and optimisation whose days lie in
// [from, to] (steps 2 to 5 of the definition). open is true when there is none but unknown
// doses alone stand against one.
func (d *Definition) event(c *Course, from, to int) (day int, undecided bool) {
	var scored []int
	for x := from; x <= to; x++ {
		if !math.IsNaN(c.pain(x)) {
			scored = append(scored, x)
		}
	}
	for j := range scored { // earliest end first
		for i := range j {
			w := window{scored[i], scored[j]}
			if !d.painful(c, w, scored[i:j+1]) {
				continue
			}
			toxic := d.toxic(c, w)
			dose, optimised := d.adequate(c, w), no
			if d.optimised(c, w) {
				optimised = yes
			}
			if toxic {
				for _, s := range d.DLT.Waives {
					switch s {
					case "dose":
						dose = yes
					case "optimisation":
						optimised = yes
					}
				}
			}
			switch {
			case dose == yes && optimised == yes:
				return w.b, false
			case dose == open && optimised == yes:
				undecided = true
			}
		}
	}
	return NoDay, undecided
}

// painful is step 2; days are the scored days of the window.
func (d *Definition) painful(c *Course, w window, days []int) bool {
	p := &d.Pain
	if w.b-w.a+1 < p.DurationDays || len(days) < p.MinScoredDays {
		return false
	}
	if p.EndsMustQualify && (c.pain(w.a) < p.Min || c.pain(w.b) < p.Min) {
		return false
	}
	high := 0
	for k, x := range days {
		if k > 0 && x-days[k-1] > p.MaxGapDays {
			return false
		}
		if c.pain(x) >= p.Min {
			high++
		}
	}
	return reaches(high, len(days), p.FracDays)
}

// reaches reports high/n >= frac without the rounding that would spoil equality (12/15 = 0.8).
func reaches(high, n int, frac float64) bool { return float64(high) >= frac*float64(n)-1e-9 }

// adequate is step 3 without toxicity.
func (d *Definition) adequate(c *Course, w window) verdict {
	n := d.Pain.DurationDays
	high, unknown := 0, 0
	for x := w.b - n + 1; x <= w.b; x++ {
		v, known := c.ome(x)
		switch {
		case !known:
			unknown++
		case v >= d.Opioid.OMEMin-1e-9:
			high++
		}
	}
	lowest, highest := reaches(high, n, d.Opioid.FracDays), reaches(high+unknown, n, d.Opioid.FracDays)
	switch {
	case lowest:
		return yes
	case !highest:
		return no
	case float64(unknown) > d.Opioid.UnknownDaysFrac*float64(n)+1e-9:
		return open
	case unknown < n && reaches(high, n-unknown, d.Opioid.FracDays):
		return yes // few unknown days: the known ones decide
	}
	return no
}

// optimised is step 4 without toxicity.
func (d *Definition) optimised(c *Course, w window) bool {
	from := w.b - d.Optimisation.AdjuvantLookback + 1
	days := 0
	for x := from; x <= w.b; x++ {
		if c.adjuvant(x) {
			days++
		}
	}
	if days >= d.Optimisation.AdjuvantMinDays {
		return true
	}
	for _, x := range c.Optimised {
		if x >= from && x <= w.b {
			return true
		}
	}
	return false
}

func (d *Definition) toxic(c *Course, w window) bool {
	for _, x := range c.DLT {
		if x >= w.a-d.DLT.LookbackDays && x <= w.b {
			return true
		}
	}
	return false
}

// AlreadyRefractory reports whether the criterion was met in the washout, up to and including
// day 0 as far as c knows it.
func (d *Definition) AlreadyRefractory(c *Course) bool {
	day, _ := d.event(c, -d.WashoutDays, 0)
	return day != NoDay
}

// Label applies the outcome rule to the days from OutcomeFromDay to the horizon.
func (d *Definition) Label(c *Course) Outcome {
	h := d.HorizonDays
	end := min(h, c.Death, c.Lost)
	last := end
	if c.Death == end && !c.ScoreLast {
		last = end - 1
	}
	day, undecided := d.event(c, d.OutcomeFromDay, last)
	switch {
	case day <= h:
		return Outcome{Refractory, day}
	case c.Death <= h && c.Death <= c.Lost:
		return Outcome{DeathFirst, c.Death}
	case c.Lost < h:
		return Outcome{Censored, c.Lost}
	case undecided || !d.observable(c):
		return Outcome{Undetermined, NoDay}
	}
	return Outcome{NotRefractory, NoDay}
}

// observable reports whether every block of the follow-up has enough scored days.
func (d *Definition) observable(c *Course) bool {
	for from := d.OutcomeFromDay; from <= d.HorizonDays; from += d.FollowUp.BlockDays {
		n := 0
		for x := from; x < from+d.FollowUp.BlockDays && x <= d.HorizonDays; x++ {
			if !math.IsNaN(c.pain(x)) {
				n++
			}
		}
		if n < d.FollowUp.ScoredPerBlock {
			return false
		}
	}
	return true
}
