package cohort

import (
	"context"
	"slices"

	"dolor/clinical"
	"dolor/diag"
	"dolor/internal/par"
	"dolor/progress"
	"dolor/source"
)

// Member is a patient of the cohort.
type Member struct {
	Key, Site string
	Group     string         // cancer group
	Index     clinical.Time  // the prediction timestamp, on day 0
	Past      *clinical.Past // what was known at the timestamp
	Outcome   Outcome
	Followed  int // days from time zero to the event, death or the last observation, at most the horizon
	// Sensitivity holds the outcome under each alternative of Alternatives, in its order.
	Sensitivity []Outcome
	ScoredDays  int // days with a pain score in the time at risk
	Course      *Course
}

// Step is one line of the attrition.
type Step struct {
	Reason Reason `json:"reason"`
	Text   string `json:"text"`
	N      int    `json:"n"` // patients who left here
}

// Summary is everything but the members.
type Summary struct {
	Definition string             `json:"definition"` // id and version
	Patients   int                `json:"patients"`   // in the source
	Members    int                `json:"members"`
	Attrition  []Step             `json:"attrition"`
	Outcomes   map[string]int     `json:"outcomes"` // by label
	Sites      map[string]int     `json:"sites,omitempty"`
	Scored     map[string]float64 `json:"scored_days_per_patient,omitempty"` // by site
	Tables     string             `json:"tables"`                            // version of the clinical tables
	Warnings   []diag.Warning     `json:"warnings,omitempty"`
}

// Options are the circumstances of [Each]. Nil is allowed.
type Options struct {
	IndexDates map[string]clinical.Time // patient key -> date, for index fixed_date
	Workers    int
	Progress   progress.Func
}

// Alternative is one change of the definition for the sensitivity analysis.
type Alternative struct {
	Name string
	Def  *Definition
}

// Alternatives returns the definition's sensitivity runs: one per alternative value of dose,
// duration and pain, the default's own value left out.
func (d *Definition) Alternatives() []Alternative {
	var out []Alternative
	add := func(name string, change func(*Definition)) {
		c := *d
		change(&c)
		out = append(out, Alternative{name, &c})
	}
	for _, v := range d.Sensitivity.OMEMin {
		if v != d.Opioid.OMEMin {
			add("ome_min="+num(v), func(c *Definition) { c.Opioid.OMEMin = v })
		}
	}
	for _, v := range d.Sensitivity.DurationDays {
		if v != d.Pain.DurationDays {
			add("duration_days="+num(float64(v)), func(c *Definition) { c.Pain.DurationDays = v })
		}
	}
	for _, v := range d.Sensitivity.PainMin {
		if v != d.Pain.Min {
			add("pain_min="+num(v), func(c *Definition) { c.Pain.Min = v })
		}
	}
	return out
}

// Visitor receives the members of a batch of patients. Visit may run on several goroutines at
// once; the commit that it returns (may be nil) runs in the order of the source.
type Visitor func(ctx context.Context, members []Member) (commit func() error, err error)

// batch is how many histories are handled together; memory holds some batches per worker.
const batch = 64

// judged is what one history became.
type judged struct {
	m        *Member
	why      Reason
	warnings []diag.Warning
}

// Each applies the definition to every history of src and hands the members to visit, batch by
// batch, so that no more than some hundred histories are in memory. The summary counts everybody. The result
// does not depend on the number of workers. Errors are those of the source and of visit.
func (d *Definition) Each(ctx context.Context, src source.Source, o *Options, visit Visitor) (*Summary, error) {
	if o == nil {
		o = &Options{}
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	s := newSummary(d)
	alternatives := d.Alternatives()
	group := make([]*clinical.History, 0, 16*batch)
	flush := func() error {
		n := (len(group) + batch - 1) / batch
		commits := make([]func() error, n)
		results := make([][]judged, n)
		err := par.For(ctx, n, o.Workers, func(ctx context.Context, b int) error {
			part := group[b*batch : min((b+1)*batch, len(group))]
			members := make([]Member, 0, len(part))
			for _, h := range part {
				j := d.judge(h, o.IndexDates, alternatives)
				if j.m != nil {
					members = append(members, *j.m)
				}
				results[b] = append(results[b], j)
			}
			if len(members) == 0 {
				return nil
			}
			var err error
			commits[b], err = visit(ctx, members)
			return err
		})
		if err != nil {
			return err
		}
		for b := range n {
			for _, j := range results[b] {
				s.count(d, &j)
			}
			if commits[b] != nil {
				if err := commits[b](); err != nil {
					return err
				}
			}
		}
		o.Progress.Report("cohort", s.Patients, 0)
		group = group[:0]
		return nil
	}
	for h, err := range src.Histories(ctx) {
		if err != nil {
			return nil, err
		}
		group = append(group, h)
		if len(group) == cap(group) {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	s.finish()
	return s, nil
}

// judge finds time zero and outcome of one patient.
func (d *Definition) judge(h *clinical.History, dates map[string]clinical.Time, alternatives []Alternative) judged {
	first, last, ok := span(h)
	if !ok {
		return judged{why: NoOpioid}
	}
	r := d.recordOf(h.Events, first, last)
	p := d.personOf(h, r)
	at, why := d.index(p, dates[h.Key])
	if why != Included {
		return judged{why: why, warnings: r.warnings}
	}
	day0 := at.Day()
	past := h.Until(at)
	// What may exclude is what was known: the washout is judged on the past alone.
	then := d.personAt(h, first, at)
	before := then.r
	if d.AlreadyRefractory(before.course(day0)) {
		return judged{why: AlreadyRefractory, warnings: r.warnings}
	}
	if len(before.intervened) > 0 {
		return judged{why: Intervened, warnings: r.warnings}
	}
	c := r.course(day0)
	d.followUp(c, r, h, day0)
	m := &Member{Key: h.Key, Site: h.Location, Group: then.group, Index: at, Past: past, Outcome: d.Label(c), Course: c}
	for _, a := range alternatives {
		m.Sensitivity = append(m.Sensitivity, a.Def.Label(c))
	}
	m.Followed = min(m.Outcome.Day, d.HorizonDays)
	if m.Outcome.Code == Undetermined {
		m.Followed = d.lastScored(c)
	}
	for x := d.OutcomeFromDay; x <= d.HorizonDays; x++ {
		if v := c.pain(x); v == v {
			m.ScoredDays++
		}
	}
	return judged{m: m, warnings: r.warnings}
}

// lookback is how far before day 0 the washout rule reaches.
func (d *Definition) lookback() int {
	return d.WashoutDays + max(d.Pain.DurationDays, d.Optimisation.AdjuvantLookback, d.DLT.LookbackDays)
}

// lastScored returns the last scored day of the follow-up, 0 without one.
func (d *Definition) lastScored(c *Course) int {
	for x := d.HorizonDays; x >= d.OutcomeFromDay; x-- {
		if v := c.pain(x); v == v {
			return x
		}
	}
	return 0
}

// followUp sets death and loss: loss is the last contact before a gap longer than the
// definition allows, within the horizon.
func (d *Definition) followUp(c *Course, r *record, h *clinical.History, day0 clinical.Day) {
	if !h.Death.IsZero() {
		c.Death = int(h.Death.Day() - day0)
		c.ScoreLast = h.Death.HasClock() && scoreBefore(h, h.Death)
	}
	end := day0 + clinical.Day(d.HorizonDays)
	seen := day0
	for _, x := range r.contacts {
		if x <= day0 {
			continue
		}
		if int(x-seen) > d.FollowUp.LostAfterDays {
			break
		}
		seen = x
	}
	if !h.To.IsZero() && h.To.Day() < end {
		c.Lost = int(h.To.Day() - day0)
		return
	}
	// A death ends contact; it is no loss.
	if c.Death != NoDay && c.Death-int(seen-day0) <= d.FollowUp.LostAfterDays {
		return
	}
	if seen < end && int(end-seen) > d.FollowUp.LostAfterDays {
		c.Lost = int(seen - day0)
	}
}

// scoreBefore reports whether every pain score of the day of death was charted before it.
func scoreBefore(h *clinical.History, death clinical.Time) bool {
	found := false
	for i := range h.Events {
		e := &h.Events[i]
		if e.Start.Day() != death.Day() {
			continue
		}
		if _, _, bad, ok := clinical.PainOf(e.Codes, e.Value); ok && !bad {
			if !e.Start.HasClock() || e.Start.Compare(death) > 0 {
				return false
			}
			found = true
		}
	}
	return found
}

// span returns the days from the first to the last event, at most 20 years before the last.
func span(h *clinical.History) (first, last clinical.Day, ok bool) {
	for i := range h.Events {
		if e := &h.Events[i]; !e.Start.IsZero() {
			if !ok {
				first, last, ok = e.Start.Day(), e.Start.Day(), true
			}
			first, last = min(first, e.Start.Day()), max(last, e.Start.Day())
		}
	}
	if ok {
		if !h.Death.IsZero() {
			last = max(last, h.Death.Day())
		}
		first = max(first, last-20*366)
	}
	return first, last, ok
}

func newSummary(d *Definition) *Summary {
	s := &Summary{
		Definition: d.ID + "/" + d.Version, Outcomes: make(map[string]int), Sites: make(map[string]int), Scored: make(map[string]float64),
		Tables: clinical.TablesVersion,
	}
	for _, r := range Reasons() {
		s.Attrition = append(s.Attrition, Step{Reason: r.Reason, Text: r.Text})
	}
	return s
}

func (s *Summary) count(d *Definition, j *judged) {
	s.Patients++
	s.Warnings = diag.Merge(s.Warnings, j.warnings...)
	if j.m == nil {
		k := slices.IndexFunc(s.Attrition, func(x Step) bool { return x.Reason == j.why })
		s.Attrition[k].N++
		return
	}
	s.Members++
	s.Outcomes[d.label(j.m.Outcome.Code)]++
	s.Sites[j.m.Site]++
	s.Scored[j.m.Site] += float64(j.m.ScoredDays)
}

func (s *Summary) finish() {
	for site, n := range s.Sites {
		s.Scored[site] /= float64(n)
	}
}
