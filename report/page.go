package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"dolor/assess"
	"dolor/figure"
)

type builder struct {
	r       *assess.Results
	methods []string
	ids     int
}

// mark returns the number of an interval method, "" for none.
func (b *builder) mark(method string) string {
	if method == "" {
		return ""
	}
	for i, m := range b.methods {
		if m == method {
			return strconv.Itoa(i + 1)
		}
	}
	b.methods = append(b.methods, method)
	return strconv.Itoa(len(b.methods))
}

type big struct{ Value, Interval, Head, Text string }

type fig struct {
	Title, Sub, Empty string
	Wide, Narrow      template.HTML
	Square            bool
}

type cell struct {
	Text, Interval, Extra, Mark string
}

type allRow struct {
	Name  string
	Cells []cell
}

type allTable struct {
	Caption string
	Heads   []string
	Rows    []allRow
}

type block struct {
	Title, Sub string
	Intervals  *ivTable
	All        []*allTable
	Warnings   []string
}

type t1Row struct {
	Name, SMD, Missing string
	Group, Level       bool
	Cells              []cell
}

type t1 struct {
	By     string
	Heads  []string
	Rows   []t1Row
	Column int
}

type equation struct {
	Name, Scale, Calibration, Note string
	Terms                          []allRow
	Steps                          []string
}

type warning struct{ Class, Word, Text string }

type criterion struct{ Name, Needed, Have, Holds, Detail string }

// calibration is the figure with its numbers beside it.
type calibration struct {
	Fig  fig
	Rows []allRow
}

type page struct {
	R           *assess.Results
	Version     string
	Lede        string
	Bigs        []big
	One         string
	Note        string
	Decision    string
	Level       string
	Families    string
	Warnings    []warning
	Flow        fig
	Missing     fig
	Table1      []t1
	Criteria    []criterion
	Blocks      []block
	Curves      []fig
	Calibration []calibration
	Decisions   []fig
	Confusions  []fig
	Forests     []fig
	// Attributions are the figures of what the primary family's predictions rest on, Explained the numbers of
	// every family.
	Attributions []fig
	Explained    []explained
	Subgroups    []block
	Comparisons  []allRow
	Equations    []equation
	Choices      []string
	Methods      []string
	Folds        []allRow
	Protocol     string
	Tripod       *Tripod
	Counts       string
	Card         [][2]string
}

func newPage(in *Input) *page {
	r := in.Results
	b := &builder{r: r}
	p := &page{R: r, Version: in.Version, Decision: figure.Threshold(r.Decision), Level: figure.Percent(level(r), 0)}
	p.Families = strings.Join(familyNames(r), ", ")
	p.Lede = fmt.Sprintf("Predicted probability of the outcome %s. %s in %d patients, %d of them with the outcome.",
		orUnnamed(r.Outcome), plural(len(r.Families), "One model family", "%d model families"), r.N, r.Events)
	b.headline(p)
	b.cohort(p)
	b.validation(p)
	b.figures(p)
	b.explanations(p)
	b.rest(p)
	p.Protocol = string(in.Protocol)
	p.Tripod = in.Tripod
	if p.Tripod == nil {
		p.Tripod = NewTripod(r, in.Protocol)
	}
	p.Counts = fmt.Sprintf("%d of %d leaves filled from the run, %d pre-filled for you to check, %d need an author, %d not applicable",
		p.Tripod.Count(Automatic), len(p.Tripod.Items), p.Tripod.Count(Prefilled), p.Tripod.Count(Human), p.Tripod.Count(NotApplicable))
	p.Methods = b.methods
	b.card(p)
	return p
}

// lower writes a name inside a sentence; an abbreviation keeps its capitals.
func lower(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}

func level(r *assess.Results) float64 {
	if r.Level > 0 && r.Level < 1 {
		return r.Level
	}
	return 0.95
}

// plain says that w is a number of a whole validation, not of a fold or a subgroup.
func plain(w *assess.Row) bool { return w.Fold == nil && w.Repeat == nil && w.Subgroup == "" }

// look returns the row of a metric; thr NaN takes rows without threshold.
func look(r *assess.Results, family string, v figure.View, metric string, thr float64) *assess.Row {
	for i := range r.Rows {
		w := &r.Rows[i]
		if plain(w) && w.Family == family && w.Validation == v.Validation && w.Site == v.Site && w.Metric == metric &&
			(w.Configuration == "" || w.Configuration == "all") &&
			(w.Threshold == nil || float64(*w.Threshold) == thr) {
			return w
		}
	}
	return nil
}

// views lists the validations rows exist for, in the order of a report.
func views(r *assess.Results) []figure.View {
	var out []figure.View
	for _, want := range []string{assess.Internal, assess.Bootstrap, assess.Apparent, assess.Temporal, assess.External, assess.Pooled, assess.SiteOut, ""} {
		for i := range r.Rows {
			w := &r.Rows[i]
			known := w.Validation == want
			if want == "" {
				known = true
			}
			if !known || !plain(w) {
				continue
			}
			v := figure.View{Validation: w.Validation, Site: w.Site}
			seen := false
			for _, o := range out {
				seen = seen || o == v
			}
			if !seen {
				out = append(out, v)
			}
		}
	}
	return out
}

// first is the validation the headline is about: the least optimistic that covers everyone.
func first(r *assess.Results) figure.View {
	for _, want := range []string{assess.Internal, assess.Temporal, assess.External, assess.Pooled, assess.Bootstrap, assess.Apparent} {
		for _, v := range views(r) {
			if v.Validation == want {
				return v
			}
		}
	}
	return figure.View{Validation: assess.Internal}
}

func text(w *assess.Row) string {
	if w == nil {
		return figure.Undefined
	}
	return figure.ScaleOf(w.Metric).Text(float64(w.Estimate), float64(w.Lower), float64(w.Upper))
}

func headlineText(r *assess.Results) string {
	v := first(r)
	s := figure.FamilyName(r.Primary) + ", " + v.Text() + ": "
	s += "AUC " + text(look(r, r.Primary, v, "auc", r.Decision))
	s += "; slope " + text(look(r, r.Primary, v, "calibration_slope", r.Decision))
	s += "; net benefit at " + figure.Threshold(r.Decision) + " " + text(look(r, r.Primary, v, "net_benefit", r.Decision)) + " per 100"
	return s + fmt.Sprintf("; n %d, %d events", r.N, r.Events)
}

func (b *builder) headline(p *page) {
	r, v := b.r, first(b.r)
	get := func(metric string) (*assess.Row, string, string) {
		w := look(r, r.Primary, v, metric, r.Decision)
		if w == nil {
			return nil, "–", figure.Undefined
		}
		e, ci := figure.ScaleOf(metric).Format(float64(w.Estimate), float64(w.Lower), float64(w.Upper))
		if e == figure.Undefined {
			return nil, "–", strings.TrimSuffix(figure.Undefined+": "+w.Method, ": ")
		}
		if ci == "" {
			ci = "no interval: " + w.Method
		}
		return w, e, ci
	}
	name := figure.FamilyName(r.Primary)
	w, e, ci := get("auc")
	t := "In a random pair, one with and one without the outcome, this is how often the patient with it has the higher risk."
	if w != nil {
		t = fmt.Sprintf("In a random pair, one with and one without the outcome, the patient with it has the higher risk about %s times in 100.", figure.Fixed(100*float64(w.Estimate), 0))
	}
	p.Bigs = append(p.Bigs, big{e, ci, "AUC of " + lower(name) + ".", t})
	w, e, ci = get("calibration_slope")
	t = "1 is ideal. Below 1, predictions are too extreme: high risks are overestimated."
	if w != nil && !math.IsNaN(float64(w.Lower)) && !math.IsNaN(float64(w.Upper)) {
		switch {
		case float64(w.Upper) < 1:
			t += " The whole interval is below 1."
		case float64(w.Lower) > 1:
			t += " The whole interval is above 1: predictions are too moderate."
		default:
			t += " The interval includes 1."
		}
	}
	p.Bigs = append(p.Bigs, big{e, ci, "Calibration slope.", t})
	_, e, ci = get("net_benefit")
	all := look(r, r.Primary, v, "net_benefit_treat_all", r.Decision)
	t = "at a " + p.Decision + " threshold. Treat all: " + text(all) + ". Treat no one: 0.0."
	p.Bigs = append(p.Bigs, big{e, ci, "Net benefit per 100 patients", t})
	n, ev := r.N, r.Events
	if w := look(r, r.Primary, v, "auc", r.Decision); w != nil {
		n, ev = w.N, w.Events
	}
	p.Note = fmt.Sprintf("%s. %s. n %d, %d events. Intervals are %s; how each was made is listed at the end.", name, v.Text(), n, ev, p.Level)
	p.One = b.sentence(v)
}

// sentence says what can be told apart and what cannot, from intervals only.
func (b *builder) sentence(v figure.View) string {
	r := b.r
	who := "In these patients"
	if r.Simulated {
		who = "In these simulated patients"
	}
	name := figure.FamilyName(r.Primary)
	var parts []string
	if w := look(r, r.Primary, v, "auc", r.Decision); w != nil && !math.IsNaN(float64(w.Lower)) {
		if float64(w.Lower) > 0.5 {
			parts = append(parts, "ranks better than chance")
		} else {
			parts = append(parts, "cannot be told apart from chance")
		}
	}
	if w := look(r, r.Primary, v, "calibration_slope", r.Decision); w != nil && !math.IsNaN(float64(w.Lower)) {
		switch {
		case float64(w.Upper) < 1:
			parts = append(parts, "is too extreme")
		case float64(w.Lower) > 1:
			parts = append(parts, "is too moderate")
		default:
			parts = append(parts, "has a slope whose interval includes 1")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	s := who + ", " + lower(name) + " " + strings.Join(parts, " and ")
	outside := 0
	for _, w := range r.Rows {
		if plain(&w) && (w.Validation == assess.External || w.Validation == assess.Temporal || w.Validation == assess.SiteOut) && w.Metric == "auc" && w.Family == r.Primary {
			outside += w.Events
		}
	}
	if outside > 0 {
		return s + fmt.Sprintf("; outside its training patients it was tested on %d events.", outside)
	}
	return s + "; it was not tested outside the patients it was developed in."
}

func (b *builder) cohort(p *page) {
	r := b.r
	p.Flow = b.fig(figure.Flow(r))
	p.Missing = b.fig(figure.Missing(r))
	for _, t := range r.Table1 {
		out := t1{By: t.By}
		for i, g := range t.Groups {
			n := ""
			if i < len(t.N) {
				n = "n " + figure.Small(t.N[i])
			}
			out.Heads = append(out.Heads, g+"\n"+n)
		}
		out.Column = len(out.Heads) + 3
		modality := ""
		for i, w := range t.Rows {
			if m := string(w.Modality); m != "" && m != modality {
				modality = m
				out.Rows = append(out.Rows, t1Row{Name: m, Group: true})
			}
			row := t1Row{Name: w.Variable}
			if w.Unit != "" {
				row.Name += ", " + w.Unit
			}
			if w.Level != "" {
				row.Name, row.Level = w.Level, true
			}
			isHead := w.Level == "" && i+1 < len(t.Rows) && t.Rows[i+1].Variable == w.Variable && t.Rows[i+1].Level != ""
			for _, c := range w.Cells {
				switch {
				case isHead:
					row.Cells = append(row.Cells, cell{})
				case w.Level != "" || math.IsNaN(float64(c.Median)) && !math.IsNaN(float64(c.Share)):
					x := cell{Text: figure.Small(c.Count)}
					if c.Count == 0 || c.Count >= 10 {
						x.Interval = "(" + figure.Percent(float64(c.Share), 1) + ")"
					}
					row.Cells = append(row.Cells, x)
				case math.IsNaN(float64(c.Median)):
					row.Cells = append(row.Cells, cell{Text: "–"})
				default:
					d := digits(float64(c.Q1), float64(c.Q3))
					row.Cells = append(row.Cells, cell{Text: figure.Fixed(float64(c.Median), d), Interval: "(" + figure.Fixed(float64(c.Q1), d) + " to " + figure.Fixed(float64(c.Q3), d) + ")"})
				}
			}
			if s := float64(w.SMD); !math.IsNaN(s) && !math.IsInf(s, 0) {
				row.SMD = figure.Fixed(s, 2)
			}
			if len(w.Missing) > 0 && !row.Level {
				m, n := 0, 0
				for i, k := range w.Missing {
					m += k
					if i < len(t.N) {
						n += t.N[i]
					}
				}
				if n > 0 && m > 0 && m < 10 {
					row.Missing = figure.Small(m)
				} else if n > 0 {
					row.Missing = figure.Percent(float64(m)/float64(n), 1)
				}
			}
			out.Rows = append(out.Rows, row)
		}
		p.Table1 = append(p.Table1, out)
	}
	for _, c := range r.SampleSize {
		x := criterion{Name: c.Name, Needed: strconv.Itoa(c.Needed), Have: strconv.Itoa(c.Have), Holds: "not met", Detail: c.Detail}
		if c.Holds {
			x.Holds = "met"
		}
		if c.Binding {
			x.Holds += ", binding"
		}
		p.Criteria = append(p.Criteria, x)
	}
}

func digits(q1, q3 float64) int {
	switch s := math.Abs(q3 - q1); {
	case s >= 10 || s == 0 && math.Abs(q3) >= 10:
		return 0
	case s >= 1:
		return 1
	}
	return 2
}

func (b *builder) fig(f figure.Figure) fig {
	out := fig{Title: f.Title, Sub: f.Sub, Empty: f.Empty, Square: f.Square}
	class := "fig w"
	if f.Square {
		class = "fig sq w"
	}
	b.ids++
	out.Wide = template.HTML(f.Wide.Inline("f"+strconv.Itoa(b.ids), class)) //nolint:gosec // escaped by figure
	b.ids++
	out.Narrow = template.HTML(f.Narrow.Inline("f"+strconv.Itoa(b.ids), "fig n")) //nolint:gosec // escaped by figure
	return out
}

func (b *builder) figures(p *page) {
	var shown figure.View // whose attributions are drawn
	for _, e := range figure.All() {
		for _, f := range e.Draw(b.r) {
			if f.View.Validation == assess.SiteOut && f.View.Site != "" {
				continue // a site has its line in the forest plot; its files are in figures/
			}
			switch f.Kind {
			case "roc", "pr":
				p.Curves = append(p.Curves, b.fig(f))
			case "calibration":
				c := calibration{Fig: b.fig(f)}
				for _, m := range []string{"oe_ratio", "calibration_intercept", "calibration_slope", "ici", "e50", "e90", "emax", "brier", "scaled_brier"} {
					if w := look(b.r, b.r.Primary, f.View, m, b.r.Decision); w != nil {
						c.Rows = append(c.Rows, allRow{Name: figure.ScaleOf(m).Label, Cells: []cell{b.cell(w, w.N, w.Events)}})
					}
				}
				p.Calibration = append(p.Calibration, c)
			case "decision":
				p.Decisions = append(p.Decisions, b.fig(f))
			case "confusion":
				p.Confusions = append(p.Confusions, b.fig(f))
			case "beeswarm", "importance":
				if len(p.Attributions) > 0 && f.View != shown {
					continue // the other validations are in figures/
				}
				shown = f.View
				p.Attributions = append(p.Attributions, b.fig(f))
			case "forest":
				p.Forests = append(p.Forests, b.fig(f))
			}
		}
	}
	// ROC and precision-recall of one view stand side by side
	n := len(p.Curves) / 2
	var pairs []fig
	for i := range n {
		pairs = append(pairs, p.Curves[i], p.Curves[n+i])
	}
	if len(pairs) == len(p.Curves) {
		p.Curves = pairs
	}
}
