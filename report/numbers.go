package report

import (
	"fmt"
	"math"
	"strings"

	"dolor/assess"
	"dolor/figure"
)

// families returns the families of a validation, the primary first, then as in the protocol.
func (b *builder) families(keep func(*assess.Row) bool) []string {
	var out []string
	try := func(f string) {
		for i := range b.r.Rows {
			if w := &b.r.Rows[i]; w.Family == f && keep(w) {
				out = unique(out, f)
				return
			}
		}
	}
	try(b.r.Primary)
	for _, f := range b.r.Families {
		try(f)
	}
	for i := range b.r.Rows {
		if keep(&b.r.Rows[i]) {
			out = unique(out, b.r.Rows[i].Family)
		}
	}
	return out
}

func (b *builder) class(family string) string {
	if family == b.r.Primary {
		return " k"
	}
	return ""
}

func (b *builder) columns(treatAll float64) []column {
	nb := figure.ScaleOf("net_benefit")
	ref := 0.0
	hint := "per 100 patients; dashed: treat no one"
	if treatAll > 0 {
		ref, hint = treatAll, "per 100 patients; dashed: treat all"
	}
	return []column{
		{Label: "AUC", Hint: "0.5 is chance", scale: figure.ScaleOf("auc"), ref: math.NaN()},
		{Label: "Calibration slope", Hint: "below 1: too extreme", scale: figure.ScaleOf("calibration_slope"), ref: 1},
		{Label: "Net benefit at " + figure.Threshold(b.r.Decision), Hint: hint, scale: nb, ref: ref},
	}
}

func (b *builder) validation(p *page) {
	r := b.r
	for _, v := range views(r) {
		if v.Validation == assess.SiteOut {
			continue
		}
		keep := func(w *assess.Row) bool { return plain(w) && w.Validation == v.Validation && w.Site == v.Site }
		fams := b.families(keep)
		blk := block{Title: v.Text()}
		n, ev, same := -1, 0, true
		for i := range r.Rows {
			if w := &r.Rows[i]; keep(w) {
				if n < 0 {
					n, ev = w.N, w.Events
				}
				same = same && n == w.N && ev == w.Events
			}
		}
		if same && n >= 0 {
			blk.Sub = fmt.Sprintf("n %d, %d events in every row. ", n, ev)
		}
		if len(p.Blocks) == 0 {
			blk.Sub += "Point: estimate. Line: " + p.Level + " interval. Small number: how it was made, listed at the end."
		}
		all := math.NaN()
		if w := look(r, r.Primary, v, "net_benefit_treat_all", r.Decision); w != nil {
			all = float64(w.Estimate)
		}
		var entries []entry
		for _, f := range fams {
			e := entry{name: figure.FamilyName(f), class: b.class(f)}
			for _, m := range []string{"auc", "calibration_slope", "net_benefit"} {
				w := look(r, f, v, m, r.Decision)
				if w != nil && e.sub == "" && !same {
					e.sub = fmt.Sprintf("n %d, %d events", w.N, w.Events)
				}
				e.rows = append(e.rows, w)
			}
			if f == r.Primary {
				e.name += " (primary)"
			}
			entries = append(entries, e)
		}
		blk.Intervals = b.table("Performance, "+v.Text(), "Family", b.columns(all), entries)
		blk.All = []*allTable{b.everything("All numbers: "+lower(v.Text()), fams, keep, n, ev)}
		for _, w := range r.Warnings {
			if w.First != "" && v.Site != "" && strings.Contains(w.First, v.Site) {
				blk.Warnings = append(blk.Warnings, w.Msg)
			}
		}
		p.Blocks = append(p.Blocks, blk)
	}
	b.sites(p)
}

// sites puts the sites left out in turn into one table: the primary family at each, and all
// numbers of every family below.
func (b *builder) sites(p *page) {
	r := b.r
	blk := block{Title: "Sites left out in turn", Sub: figure.FamilyName(r.Primary) + " of the other sites, at each site."}
	var entries []entry
	for _, v := range views(r) {
		if v.Validation != assess.SiteOut {
			continue
		}
		e := entry{name: v.Site}
		for _, m := range []string{"auc", "calibration_slope", "net_benefit"} {
			w := look(r, r.Primary, v, m, r.Decision)
			if w != nil && e.sub == "" {
				e.sub = fmt.Sprintf("n %d, %d events", w.N, w.Events)
			}
			e.rows = append(e.rows, w)
		}
		entries = append(entries, e)
		keep := func(w *assess.Row) bool { return plain(w) && w.Validation == v.Validation && w.Site == v.Site }
		n, ev := -1, 0
		for i := range r.Rows {
			if w := &r.Rows[i]; n < 0 && keep(w) {
				n, ev = w.N, w.Events
			}
		}
		blk.All = append(blk.All, b.everything(fmt.Sprintf("All numbers: %s left out, n %d, %d events", v.Site, n, ev), b.families(keep), keep, n, ev))
		for _, w := range r.Warnings {
			if w.First != "" && v.Site != "" && strings.Contains(w.First, v.Site) {
				blk.Warnings = append(blk.Warnings, w.Msg)
			}
		}
	}
	if len(entries) == 0 {
		return
	}
	blk.Intervals = b.table("Performance at sites left out", "Site", b.columns(math.NaN()), entries)
	p.Blocks = append(p.Blocks, blk)
}

type metricKey struct {
	metric, threshold, configuration string
}

func keyOf(w *assess.Row) metricKey {
	k := metricKey{metric: w.Metric}
	if w.Threshold != nil {
		k.threshold = figure.Threshold(float64(*w.Threshold))
	}
	if w.Configuration != "all" {
		k.configuration = w.Configuration
	}
	return k
}

// label names the metric, its threshold and configuration.
func (k metricKey) label() string {
	s := figure.ScaleOf(k.metric)
	out := s.Label
	if k.threshold != "" {
		out += " at " + k.threshold
	}
	if s.Unit != "" {
		out += ", " + s.Unit
	}
	if k.configuration != "" {
		out += " (" + k.configuration + ")"
	}
	return out
}

// everything tables every number that keep accepts: a row a metric, a column a family.
func (b *builder) everything(caption string, fams []string, keep func(*assess.Row) bool, n, ev int) *allTable {
	t := &allTable{Caption: caption}
	at := map[string]int{}
	for i, f := range fams {
		at[f] = i
		t.Heads = append(t.Heads, figure.FamilyName(f))
	}
	where := map[metricKey]int{}
	for i := range b.r.Rows {
		w := &b.r.Rows[i]
		if !keep(w) {
			continue
		}
		k := keyOf(w)
		j, ok := where[k]
		if !ok {
			j = len(t.Rows)
			where[k] = j
			t.Rows = append(t.Rows, allRow{Name: k.label(), Cells: make([]cell, len(fams))})
		}
		t.Rows[j].Cells[at[w.Family]] = b.cell(w, n, ev)
	}
	return t
}

func (b *builder) cell(w *assess.Row, n, ev int) cell {
	s := figure.ScaleOf(w.Metric)
	est, ci := s.Format(float64(w.Estimate), float64(w.Lower), float64(w.Upper))
	c := cell{Text: est, Interval: ci, Mark: b.mark(w.Method)}
	if w.PredictionLower != nil && w.PredictionUpper != nil {
		_, pi := s.Format(float64(w.Estimate), float64(*w.PredictionLower), float64(*w.PredictionUpper))
		if pi != "" {
			c.Extra = "new site " + pi
		}
	}
	if w.N != n || w.Events != ev {
		if c.Extra != "" {
			c.Extra += "; "
		}
		c.Extra += fmt.Sprintf("n %d, %d events", w.N, w.Events)
	}
	return c
}

func (b *builder) rest(p *page) {
	r := b.r
	for _, col := range subgroups(r) {
		b.subgroup(p, col)
	}
	for _, c := range r.Comparisons {
		s := figure.ScaleOf(c.Metric).Difference()
		name := s.Label
		if c.Threshold != nil {
			name += " at " + figure.Threshold(float64(*c.Threshold))
		}
		if s.Unit != "" {
			name += ", " + s.Unit
		}
		est, ci := s.Format(float64(c.Difference), float64(c.Lower), float64(c.Upper))
		pv := "–"
		if v := float64(c.P); !math.IsNaN(v) {
			pv = figure.Fixed(v, 3)
			if v < 0.001 {
				pv = "< 0.001"
			}
		}
		v := figure.View{Validation: c.Validation, Site: c.Site}
		p.Comparisons = append(p.Comparisons, allRow{Name: figure.FamilyName(c.B) + " minus " + figure.FamilyName(c.A), Cells: []cell{
			{Text: name}, {Text: v.Text()}, {Text: est, Interval: ci, Mark: b.mark(c.Method)}, {Text: pv}, {Text: fmt.Sprintf("n %d, %d events", c.N, c.Events)},
		}})
	}
	for _, e := range r.Equations {
		q := equation{Name: figure.FamilyName(e.Family), Scale: e.Scale, Calibration: e.Calibration, Note: e.Note, Steps: e.Steps}
		for _, t := range e.Terms {
			name := t.Name
			if t.Unit != "" {
				name += ", per " + t.Unit
			}
			est, ci := figure.Scale{Digits: 4, Factor: 1, Reference: 0}.Format(float64(t.Estimate), float64(t.Lower), float64(t.Upper))
			if ci == "" {
				ci = "no interval"
			}
			q.Terms = append(q.Terms, allRow{Name: name, Cells: []cell{{Text: est}, {Text: ci}}})
		}
		p.Equations = append(p.Equations, q)
	}
	for _, c := range r.Choices {
		p.Choices = append(p.Choices, fmt.Sprintf("%s, %s: %s chosen in %d of %d folds", figure.FamilyName(c.Family), c.What, c.Value, c.Count, c.Of))
	}
	for _, w := range r.Warnings {
		x := warning{Class: "c", Word: "Check", Text: w.Msg}
		if w.First != "" && !strings.Contains(w.Msg, w.First) {
			x.Text += " (first: " + w.First + ")"
		}
		if w.Count > 1 {
			x.Text += fmt.Sprintf(" [%d times]", w.Count)
		}
		p.Warnings = append(p.Warnings, x)
	}
	for _, c := range r.SampleSize {
		if !c.Holds {
			p.Warnings = append(p.Warnings, warning{"c", "Check", fmt.Sprintf("Sample size, %s: %d needed, %d there.", c.Name, c.Needed, c.Have)})
		}
	}
	b.folds(p)
}

// folds lists the estimates of single folds, in order, one line a family and metric.
func (b *builder) folds(p *page) {
	type key struct {
		family, validation string
		m                  metricKey
	}
	where := map[key]int{}
	for i := range b.r.Rows {
		w := &b.r.Rows[i]
		if w.Fold == nil && w.Repeat == nil {
			continue
		}
		k := key{w.Family, w.Validation, keyOf(w)}
		j, ok := where[k]
		if !ok {
			j = len(p.Folds)
			where[k] = j
			p.Folds = append(p.Folds, allRow{Name: figure.FamilyName(w.Family), Cells: []cell{{Text: k.m.label()}, {}}})
		}
		c := &p.Folds[j].Cells[1]
		if c.Text != "" {
			c.Text += " · "
		}
		e, _ := figure.ScaleOf(w.Metric).Format(float64(w.Estimate), math.NaN(), math.NaN())
		c.Text += e
	}
}

func (b *builder) subgroup(p *page, col string) {
	r := b.r
	var vs []string
	for i := range r.Rows {
		if r.Rows[i].Subgroup == col {
			vs = unique(vs, r.Rows[i].Validation)
		}
	}
	for _, v := range vs {
		var levels []string
		for i := range r.Rows {
			if w := &r.Rows[i]; w.Subgroup == col && w.Validation == v {
				levels = unique(levels, w.Stratum)
			}
		}
		get := func(level, metric string) *assess.Row {
			for i := range r.Rows {
				w := &r.Rows[i]
				if w.Subgroup == col && w.Validation == v && w.Stratum == level && w.Family == r.Primary && w.Metric == metric && w.Fold == nil && w.Repeat == nil &&
					(w.Threshold == nil || float64(*w.Threshold) == r.Decision) {
					return w
				}
			}
			return nil
		}
		var entries []entry
		for _, l := range levels {
			e := entry{name: l}
			for _, m := range []string{"auc", "calibration_slope", "net_benefit"} {
				w := get(l, m)
				if w != nil && e.sub == "" {
					e.sub = "n " + figure.Small(w.N) + ", " + figure.Small(w.Events) + " events"
				}
				e.rows = append(e.rows, w)
			}
			entries = append(entries, e)
		}
		blk := block{Title: "By " + col + ": " + figure.ValidationName(v), Sub: figure.FamilyName(r.Primary) + ". Point: estimate. Line: " + p.Level + " interval."}
		blk.Intervals = b.table("Performance by "+col, col, b.columns(math.NaN()), entries)
		all := &allTable{Caption: "All numbers by " + col}
		for _, l := range levels {
			fams := b.families(func(w *assess.Row) bool { return w.Subgroup == col && w.Validation == v && w.Stratum == l })
			one := b.everything("", fams, func(w *assess.Row) bool {
				return w.Subgroup == col && w.Validation == v && w.Stratum == l && w.Fold == nil && w.Repeat == nil
			}, -1, -1)
			if len(one.Heads) > len(all.Heads) {
				all.Heads = one.Heads
			}
			for _, row := range one.Rows {
				row.Name = l + ": " + row.Name
				all.Rows = append(all.Rows, row)
			}
		}
		blk.All = []*allTable{all}
		p.Subgroups = append(p.Subgroups, blk)
	}
}

func (b *builder) card(p *page) {
	r := b.r
	add := func(k, v string) { p.Card = append(p.Card, [2]string{k, v}) }
	add("Intended use", "Research. Not a medical device. Not for decisions about patients until validated where it is to be used and approved there.")
	add("Predicts", "The probability of "+orUnnamed(r.Outcome)+"; never a class alone.")
	data := "patients"
	if r.Simulated {
		data = "simulated patients"
	}
	s := fmt.Sprintf("%d %s, %d events", r.N, data, r.Events)
	if n := siteNames(r); len(n) > 0 {
		s += "; sites " + strings.Join(n, ", ")
	}
	add("Trained on", s+".")
	add("Performance", headlineText(r)+".")
	for _, s := range r.Sites {
		if s.Family == r.Primary && s.Metric == "auc" && !math.IsNaN(float64(s.PredLower)) {
			_, ci := figure.ScaleOf("auc").Format(float64(s.Estimate), float64(s.PredLower), float64(s.PredUpper))
			add("In a new site", "AUC predicted "+ci+".")
		}
	}
	add("Threshold", figure.Threshold(r.Decision)+", from the protocol, not chosen on these patients.")
	add("Inputs", fmt.Sprintf("%d predictors, as in Table 1 and the equation; missing values are handled by the steps of the model.", predictors(r)))
	add("Limits", fmt.Sprintf("%d warnings above. No number here says how the model does in patients unlike these.", len(p.Warnings)))
}
