// Package opioid computes the predictors of opioid response: dose, escalation, rescue doses,
// rotation, adjuvants, adverse effects and the response profile, all from days -28 to 0.
package opioid

import (
	"context"
	"math"
	"slices"
	"strings"

	"dolor/clinical"
	"dolor/clinical/dose"
	"dolor/cohort"
	"dolor/diag"
	"dolor/feature"
	"dolor/frame"
)

// Extractor implements [feature.Extractor]. It is safe for concurrent use.
type Extractor struct {
	def   *cohort.Definition
	rules Rules
	cols  []feature.Column
}

var _ feature.Extractor = (*Extractor)(nil)

// Rules are the thresholds of the response profile (table profile-rules.json).
type Rules struct {
	Version        string   `json:"version"`
	Window         [2]int   `json:"window"`
	Order          []string `json:"order"`
	DoseEscalation struct {
		SlopeWeekMin float64 `json:"slope_week_min"`
		OEIPctMin    float64 `json:"oei_pct_min_exclusive"`
		KnownDaysMin int     `json:"known_days_min"`
	} `json:"dose_escalation"`
	Rescue struct {
		PerDay7Min     float64 `json:"rescue_per_day7_min"`
		BreakthroughN7 float64 `json:"breakthrough_n7_min"`
	} `json:"breakthrough_rescue_use"`
	Stable struct {
		KnownFracMin float64 `json:"known_frac_min"`
		PainLast7Max float64 `json:"pain_last7_max_exclusive"`
	} `json:"stable_response"`
	PaperTable7       any    `json:"paper_table7"`
	MergeUnclassified string `json:"merge_unclassified"` // none, stable
}

// The profiles, in the order in which they are tested.
const (
	Toxicity     = "adverse_opioid_toxicity"
	Escalation   = "dose_escalation"
	RescueUse    = "breakthrough_rescue_use"
	Stable       = "stable_response"
	Unclassified = "unclassified"
)

// DefaultRules returns the embedded rules.
func DefaultRules() (Rules, error) {
	var r Rules
	b, _ := clinical.Table("profile-rules.json")
	err := diag.DecodeJSON(b, &r)
	return r, err
}

// The columns, by position.
const (
	omeLast7 = iota
	omeMean28
	omeMax28
	omeKnown
	slopeWeek
	oeiPct
	oeiMg
	rescueN7
	rescuePerDay7
	rescueRatio
	rotationN28
	routeSwitchN28
	mainOpioid
	adjuvantClasses
	benzoOverlap
	aeCount
	dltFlag
	substitution
	profile
	columns
)

// lookback is the first day of every window.
const lookback = 28

// New returns the extractor. def gives the dose factors and the toxicity rule; nil means the
// default definition. rules nil means the embedded ones.
func New(def *cohort.Definition, rules *Rules) (*Extractor, error) {
	x := &Extractor{def: def}
	if def == nil {
		x.def = cohort.Default()
	}
	if rules != nil {
		x.rules = *rules
	} else {
		var err error
		if x.rules, err = DefaultRules(); err != nil {
			return nil, err
		}
	}
	x.cols = x.declare()
	return x, nil
}

// Columns implements [feature.Extractor].
func (x *Extractor) Columns() []feature.Column { return x.cols }

func (x *Extractor) declare() []feature.Column {
	number := func(name, unit string, from, to int, lo, hi float64, def, src string) feature.Column {
		return feature.Column{
			Field: frame.Field{Name: name, Kind: frame.Number, Modality: frame.Opioid, Unit: unit},
			From:  from, To: to, Min: lo, Max: hi, Direction: "higher is worse", Definition: def, Source: src,
		}
	}
	category := func(name, def string, levels ...string) feature.Column {
		return feature.Column{
			Field: frame.Field{Name: name, Kind: frame.Category, Modality: frame.Opioid, Levels: levels},
			From:  -lookback, To: 0, Definition: def, Source: "ours",
		}
	}
	cdc := "CDC 2022, MMWR Recomm Rep 71(3); other factors as table ome-factors.csv"
	c := make([]feature.Column, columns)
	c[omeLast7] = number("ome_last7", "[MME]/d", -7, -1, 0, 5000, "mean daily oral morphine equivalent over the known days -7 to -1", cdc)
	c[omeMean28] = number("ome_mean28", "[MME]/d", -28, -1, 0, 5000, "mean over the known days -28 to -1", cdc)
	c[omeMax28] = number("ome_max28", "[MME]/d", -28, -1, 0, 5000, "largest day of -28 to -1", cdc)
	c[omeKnown] = number("ome_known_share", "1", -28, -1, 0, 1, "share of days -28 to -1 whose dose is known", "ours")
	c[omeKnown].Direction = ""
	c[slopeWeek] = number("ome_slope_week", "1/wk", -28, -1, -20, 20, "Theil-Sen slope of ln(OME + 1) per 7 days, with at least 10 known days", "Theil 1950; Sen 1968, doi:10.1080/01621459.1968.10480934")
	c[oeiPct] = number("oei_pct", "%/d", -28, -1, -1000, 10000, "opioid escalation index: rise from the mean of the first to that of the last 3 known days, in per cent a day", "Mercadante; Lowe 2008, J Pain Symptom Manage 35:51-57")
	c[oeiMg] = number("oei_mg", "[MME]/d2", -28, -1, -5000, 5000, "the same in mg a day", "as oei_pct")
	c[oeiMg].Unit = "[MME]/d/d"
	c[rescueN7] = number("rescue_n7", "1", -6, 0, 0, 500, "rescue doses taken on days -6 to 0; doses within 30 minutes count once", "ours")
	c[rescuePerDay7] = number("rescue_per_day7", "/d", -6, 0, 0, 100, "rescue_n7 / 7", "ours")
	c[rescueRatio] = number("rescue_ratio", "1", -7, -1, 0, 1, "share of the dose of days -7 to -1 that was rescue", "ours")
	c[rotationN28] = number("rotation_n28", "1", -28, -1, 0, 28, "changes of the main scheduled opioid that lasted 2 days or more", "ours")
	c[routeSwitchN28] = number("route_switch_n28", "1", -28, -1, 0, 28, "changes of the route of the same main opioid that lasted 2 days or more", "ours")
	names := make([]string, 0, 12)
	names = append(names, "none", "morphine", "oxycodone", "hydromorphone", "fentanyl", "methadone", "buprenorphine", "tramadol", "tapentadol", "codeine", "hydrocodone", "other")
	c[mainOpioid] = category("main_opioid", "ingredient with the largest scheduled share on the last known day", names...)
	c[adjuvantClasses] = number("adjuvant_classes", "1", -28, 0, 0, 13, "distinct classes of table adjuvants.csv", "ours")
	c[adjuvantClasses].Direction = ""
	c[benzoOverlap] = number("benzo_overlap", "1", -28, 0, 0, 1, "a benzodiazepine on a day with an opioid", "ours; ATC N05BA, N05CD")
	c[aeCount] = number("ae_count", "1", -28, 0, 0, 20, "distinct opioid adverse effects of table adverse-effects.csv", "ours")
	c[dltFlag] = number("dlt", "1", -28, 0, 0, 1, "dose-limiting toxicity: a limiting effect with a dose reduction, stop, rotation or naloxone", "definition of refractory pain, section 3")
	c[substitution] = number("opioid_substitution", "1", -28, 0, 0, 1, "an opioid for dependence: escalation is not computed", "ours")
	c[substitution].Direction = ""
	c[profile] = category("opioid_profile", "response profile, first match of table profile-rules.json "+x.rules.Version, Toxicity, Escalation, RescueUse, Stable, Unclassified)
	return c
}

// Extract implements [feature.Extractor].
func (x *Extractor) Extract(_ context.Context, past *clinical.Past, row *feature.Row) error {
	d0 := past.Day0()
	cfg := &dose.Config{FactorSets: append([]string{x.def.Opioid.FactorSet}, x.def.Opioid.ExtraFactors...), Crossover: x.def.Opioid.Crossover}
	s := dose.Daily(past.Events(), d0-lookback, d0, cfg)
	for _, w := range s.Warnings {
		row.Warn(w.Code, w.Msg)
	}
	days := s.Days[:lookback] // days -28 to -1: day 0 is not complete
	v := values{}
	v.doses(row, days)
	v.slope, v.oei = math.NaN(), math.NaN()
	if !s.Substitution {
		v.escalation(row, days)
	}
	row.Number(substitution, flag(s.Substitution))
	v.rescue = x.rescues(row, s, days, d0)
	rotations(row, days)
	x.drugs(row, past, s, d0)
	dlt := x.effects(row, past, d0)
	row.Level(profile, x.profileOf(past, &v, dlt))
	return nil
}

// values are what the profile needs.
type values struct {
	known      int
	slope, oei float64
	rescue     float64 // per day
}

func (v *values) doses(row *feature.Row, days []dose.Day) {
	var sum, last, top float64
	n7 := 0
	for i, d := range days {
		if !d.Known {
			continue
		}
		v.known++
		sum += d.Total()
		top = max(top, d.Total())
		if i >= lookback-7 {
			last += d.Total()
			n7++
		}
	}
	row.Number(omeKnown, float64(v.known)/float64(len(days)))
	if v.known == 0 {
		return
	}
	row.Number(omeMean28, sum/float64(v.known))
	row.Number(omeMax28, top)
	if n7 > 0 {
		row.Number(omeLast7, last/float64(n7))
	}
}

// escalation fills the slope and the escalation index.
func (v *values) escalation(row *feature.Row, days []dose.Day) {
	var t, y, positive []float64
	var at []int
	for i, d := range days {
		if !d.Known {
			continue
		}
		t, y = append(t, float64(i)), append(y, math.Log(d.Total()+1))
		if d.Total() > 0 || len(positive) > 0 {
			positive, at = append(positive, d.Total()), append(at, i)
		}
	}
	if len(t) >= 10 {
		v.slope = 7 * TheilSen(t, y)
		row.Number(slopeWeek, v.slope)
	}
	// The first three days above 0 and the last three known days must not be the same days.
	first := make([]float64, 0, 3)
	var from int
	for k, p := range positive {
		if p > 0 && len(first) < 3 {
			if first = append(first, p); len(first) == 1 {
				from = at[k]
			}
		}
	}
	if len(first) < 3 || len(positive) < 6 {
		return
	}
	start, end := mean(first), mean(positive[len(positive)-3:])
	span := float64(at[len(at)-1] - from)
	v.oei = (end - start) / start / span * 100
	row.Number(oeiPct, v.oei)
	row.Number(oeiMg, (end-start)/span)
}

// TheilSen returns the median of the slopes between all pairs of points (t, y) with different t.
func TheilSen(t, y []float64) float64 {
	var slopes []float64
	for i := range t {
		for j := range i {
			if t[i] != t[j] {
				slopes = append(slopes, (y[i]-y[j])/(t[i]-t[j]))
			}
		}
	}
	if len(slopes) == 0 {
		return math.NaN()
	}
	slices.Sort(slopes)
	m := len(slopes) / 2
	if len(slopes)%2 == 1 {
		return slopes[m]
	}
	return (slopes[m-1] + slopes[m]) / 2
}

func mean(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// rescues counts doses taken on days -6 to 0 and their share of the dose.
func (x *Extractor) rescues(row *feature.Row, s *dose.Series, days []dose.Day, d0 clinical.Day) (perDay float64) {
	n := 0
	var last clinical.Time // of the dose counted last
	for _, r := range s.Rescues {
		if r.At.Day() < d0-6 {
			continue
		}
		if r.At.HasClock() {
			if !last.IsZero() && r.At.Earliest()-last.Earliest() <= 30*60 {
				continue
			}
			last = r.At
		}
		n++
	}
	perDay = float64(n) / 7
	known := slices.ContainsFunc(days[lookback-7:], func(d dose.Day) bool { return d.Known })
	if !known && n == 0 {
		return math.NaN()
	}
	row.Number(rescueN7, float64(n))
	row.Number(rescuePerDay7, perDay)
	var prn, total float64
	for _, d := range days[lookback-7:] {
		if d.Known {
			prn, total = prn+d.PRN, total+d.Total()
		}
	}
	if total > 0 {
		row.Number(rescueRatio, prn/total)
	}
	return perDay
}

// rotations counts lasting changes of the main opioid and of its route.
func rotations(row *feature.Row, days []dose.Day) {
	type main struct {
		drug  string
		route clinical.Route
	}
	var runs []main
	for i := 0; i < len(days); {
		m := main{days[i].Main, days[i].MainRoute}
		j := i
		for j < len(days) && days[j].Main == m.drug && days[j].MainRoute == m.route {
			j++
		}
		if m.drug != "" && (j-i >= 2 || len(runs) == 0) {
			runs = append(runs, m)
		}
		i = j
	}
	rotated, switched := 0, 0
	for k := 1; k < len(runs); k++ {
		switch {
		case runs[k].drug != runs[k-1].drug:
			rotated++
		case runs[k].route != runs[k-1].route:
			switched++
		}
	}
	row.Number(rotationN28, float64(rotated))
	row.Number(routeSwitchN28, float64(switched))
	level := "none"
	for _, d := range days {
		if d.Main != "" {
			level = d.Main
		}
	}
	if !slices.Contains(row.Levels(mainOpioid), level) {
		level = "other"
	}
	row.Level(mainOpioid, level)
}

// drugs counts adjuvant classes and looks for benzodiazepines on opioid days.
func (x *Extractor) drugs(row *feature.Row, past *clinical.Past, s *dose.Series, d0 clinical.Day) {
	classes := make(map[string]bool)
	benzo := false
	for i := range past.Events() {
		e := &past.Events()[i]
		if e.Drug == nil || e.Status == "not-done" || e.Status == "cancelled" {
			continue
		}
		first, last := active(e, d0)
		if last < d0-lookback {
			continue
		}
		if c := clinical.AdjuvantClass(e.Drug.Codes); c != "" {
			classes[c] = true
		}
		if !benzo && benzodiazepine(e.Drug.Codes) {
			for _, d := range s.Days {
				benzo = benzo || d.Day >= first && d.Day <= last && d.Total() > 0
			}
		}
	}
	row.Number(adjuvantClasses, float64(len(classes)))
	row.Number(benzoOverlap, flag(benzo))
}

// active returns the days of a drug record up to day 0.
func active(e *clinical.Event, d0 clinical.Day) (first, last clinical.Day) {
	first, last = e.Start.Day(), e.Start.Day()
	switch {
	case !e.End.IsZero():
		last = e.End.Day()
	case len(e.Drug.Doses) > 0 && !e.Drug.Doses[0].To.IsZero():
		last = e.Drug.Doses[0].To.Day()
	case e.Drug.Supply >= 1:
		last = first + clinical.Day(math.Round(e.Drug.Supply)) - 1
	case e.Kind == clinical.Order || e.Kind == clinical.Statement:
		last = d0
	}
	return first, min(last, d0)
}

var benzodiazepines = []string{"diazepam", "lorazepam", "midazolam", "alprazolam", "clonazepam", "temazepam", "oxazepam", "bromazepam", "nitrazepam"}

func benzodiazepine(codes []clinical.Code) bool {
	for _, c := range codes {
		if c.System == clinical.ATC && (strings.HasPrefix(c.Code, "N05BA") || strings.HasPrefix(c.Code, "N05CD")) {
			return true
		}
		if slices.ContainsFunc(benzodiazepines, func(w string) bool { return clinical.HasWord(c.Display, w) }) {
			return true
		}
	}
	return false
}

// effects counts adverse effects and finds dose-limiting toxicity.
func (x *Extractor) effects(row *feature.Row, past *clinical.Past, d0 clinical.Day) bool {
	seen := make(map[string]bool)
	window := past.Window(-lookback, 0)
	for i := range window {
		if name := cohort.Effect(&window[i]); name != "" {
			seen[name] = true
		}
	}
	days, _ := x.def.Toxicity(past.Events(), d0-lookback-1, d0)
	limited := slices.ContainsFunc(days, func(d clinical.Day) bool { return d >= d0-lookback })
	row.Number(aeCount, float64(len(seen)))
	row.Number(dltFlag, flag(limited))
	return limited
}

// profileOf is the first rule that matches.
func (x *Extractor) profileOf(past *clinical.Past, v *values, dlt bool) string {
	r := &x.rules
	pain := clinical.MeanPain(past.Window(-7, -1))
	episodes, counted := clinical.Episodes(past.Window(-7, -1))
	switch {
	case dlt:
		return Toxicity
	case v.known >= r.DoseEscalation.KnownDaysMin && (v.slope >= r.DoseEscalation.SlopeWeekMin || v.oei > r.DoseEscalation.OEIPctMin):
		return Escalation
	case v.rescue >= r.Rescue.PerDay7Min || counted && episodes >= r.Rescue.BreakthroughN7 && v.rescue > 0:
		return RescueUse
	case float64(v.known) >= r.Stable.KnownFracMin*lookback && !(pain >= r.Stable.PainLast7Max):
		return Stable
	}
	if r.MergeUnclassified == "stable" {
		return Stable
	}
	return Unclassified
}
