// Package figure draws the results of a study: one drawing each, written as SVG for the
// page, as PNG and as PDF.
//
// Every figure is a function of plain data (package assess) to a [Figure]: a wide and a
// narrow drawing, a title that says what was found and a line that says what is drawn.
// A title never claims a difference whose interval includes none. The same data give the
// same bytes in every format.
package figure

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dolor/assess"
	"dolor/diag"
)

// Figure is one result drawn twice.
type Figure struct {
	Name   string // file name without ending: "roc-internal"
	Kind   string // name of its entry in All: "roc"
	Title  string // what was found
	Sub    string // what is drawn, n and events
	Empty  string // why nothing could be drawn, "" otherwise
	Square bool   // the wide drawing is about 430 units wide, not 860
	Wide   *Drawing
	Narrow *Drawing
	// View says which predictions it shows; zero for figures of the whole study.
	View View
}

// View is one set of predictions: a kind of validation, at one site or at all.
type View struct{ Validation, Site string }

// String returns "internal" or "external-B", fit for a file name.
func (v View) String() string {
	if v.Site == "" {
		return slug(v.Validation)
	}
	return slug(v.Validation + "-" + v.Site)
}

// Text returns how v is called in print.
func (v View) Text() string {
	if v.Site == "" {
		return ValidationName(v.Validation)
	}
	return ValidationName(v.Validation) + ": " + v.Site
}

// Entry is one line of [All].
type Entry struct {
	Name string
	Draw func(*assess.Results) []Figure
}

// All lists every figure in the order of the report. The slice is new on each call.
func All() []Entry {
	return []Entry{
		{"flow", single(Flow)},
		{"missing", single(Missing)},
		{"roc", byView("roc", ROC)},
		{"pr", byView("pr", PrecisionRecall)},
		{"calibration", byView("calibration", Calibration)},
		{"decision", byView("decision", Decision)},
		{"confusion", byView("confusion", Confusion)},
		{"forest", Forests},
		{"beeswarm", attributed("beeswarm", Beeswarm)},
		{"importance", attributed("importance", Importance)},
	}
}

func single(f func(*assess.Results) Figure) func(*assess.Results) []Figure {
	return func(r *assess.Results) []Figure { return []Figure{f(r)} }
}

func byView(name string, f func(*assess.Results, View) Figure) func(*assess.Results) []Figure {
	return func(r *assess.Results) []Figure {
		var out []Figure
		for _, v := range Views(r) {
			fig := f(r, v)
			fig.Kind, fig.View, fig.Name = name, v, name+"-"+v.String()
			out = append(out, fig)
		}
		return out
	}
}

// Views lists the views r has curves for: internal, temporal, external, sites left out, then
// the rest, each in order of appearance.
func Views(r *assess.Results) []View {
	var out []View
	order := []string{assess.Internal, assess.Temporal, assess.External, assess.SiteOut, assess.Pooled, assess.Bootstrap, assess.Apparent}
	add := func(c assess.Curves) {
		v := View{c.Validation, c.Site}
		if slices.Contains(out, v) {
			return
		}
		out = append(out, v)
	}
	for _, want := range order {
		for _, c := range r.Curves {
			if c.Validation == want {
				add(c)
			}
		}
	}
	for _, c := range r.Curves {
		add(c)
	}
	return out
}

// curvesOf returns the curves of one view: the primary family first, then protocol order.
func curvesOf(r *assess.Results, v View) []assess.Curves {
	var first, rest []assess.Curves
	take := func(fam string) {
		for _, c := range r.Curves {
			if c.Validation == v.Validation && c.Site == v.Site && c.Family == fam {
				if fam == r.Primary {
					first = append(first, c)
				} else {
					rest = append(rest, c)
				}
			}
		}
	}
	seen := map[string]bool{r.Primary: true}
	take(r.Primary)
	for _, f := range r.Families {
		if !seen[f] {
			seen[f] = true
			take(f)
		}
	}
	for _, c := range r.Curves {
		if !seen[c.Family] {
			seen[c.Family] = true
			take(c.Family)
		}
	}
	return append(first, rest...)
}

// comparator is the family drawn second: logistic regression, or the first that is not primary.
func comparator(r *assess.Results) string {
	for _, f := range r.Families {
		if f == "logistic" && f != r.Primary {
			return f
		}
	}
	for _, f := range r.Families {
		if f != r.Primary {
			return f
		}
	}
	return ""
}

func familyStyle(r *assess.Results, family string) style {
	switch family {
	case r.Primary:
		return style{stroke: Primary, width: 3}
	case comparator(r):
		return style{stroke: Comparator, width: 2.25, dash: []float64{7, 3}}
	}
	return style{stroke: Other, width: 1.5}
}

func slug(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s), "-")
}

func counts(n, events int) string { return fmt.Sprintf("n %d, %d events", n, events) }

// find returns the row of one metric of one family in a view, nil when there is none. Rows
// of folds, repeats and subgroups are passed over.
func find(r *assess.Results, family string, v View, metric string, threshold float64) *assess.Row {
	for i := range r.Rows {
		w := &r.Rows[i]
		if w.Family == family && w.Validation == v.Validation && w.Site == v.Site && w.Metric == metric &&
			w.Fold == nil && w.Repeat == nil && w.Subgroup == "" && (w.Configuration == "" || w.Configuration == "all") &&
			(w.Threshold == nil || float64(*w.Threshold) == threshold) {
			return w
		}
	}
	return nil
}

// emptyFigure keeps a frame and says why nothing is in it.
func emptyFigure(title, why string, square bool) Figure {
	f := Figure{Title: title, Sub: Undefined + ": " + why, Empty: why, Square: square}
	draw := func(w, h float64) *Drawing {
		d := newDrawing(w, h, newFaces())
		d.Title, d.Desc = title, f.Sub
		d.rect(style{stroke: Rule, width: 1}, 1, 1, w-2, h-2)
		d.text(label{bold: true, anchor: middle}, w/2, h/2-4, Undefined)
		for i, l := range d.faces.wrap(why, sizeTick, false, w-40) {
			d.text(label{color: Muted, size: sizeTick, anchor: middle}, w/2, h/2+14+15*float64(i), l)
		}
		return d
	}
	f.Wide, f.Narrow = draw(860, 160), draw(340, 160)
	if square {
		f.Wide = draw(420, 300)
	}
	return f
}

// WriteAll writes every figure of r into dir as [Write] does.
func WriteAll(dir string, r *assess.Results) ([]string, error) {
	var figures []Figure
	for _, e := range All() {
		figures = append(figures, e.Draw(r)...)
	}
	return Write(dir, figures)
}

// Write writes figures into dir, made when it is not there, as SVG (wide, and narrow with the
// ending -narrow), PNG and PDF, and returns the file names in order.
func Write(dir string, figures []Figure) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, &diag.Error{Kind: diag.KindOf(err), Op: "figure.Write", Msg: "the folder cannot be made", Err: err}
	}
	var names []string
	for _, f := range figures {
		for _, out := range []struct {
			end   string
			write func(*os.File) error
		}{
			{".svg", func(w *os.File) error { return f.Wide.WriteSVG(w) }},
			{"-narrow.svg", func(w *os.File) error { return f.Narrow.WriteSVG(w) }},
			{".png", func(w *os.File) error { return f.Wide.WritePNG(w) }},
			{".pdf", func(w *os.File) error { return f.Wide.WritePDF(w) }},
		} {
			name := f.Name + out.end
			if err := writeFile(filepath.Join(dir, name), out.write); err != nil {
				return names, err
			}
			names = append(names, name)
		}
	}
	return names, nil
}

func writeFile(path string, write func(*os.File) error) error {
	f, err := os.Create(path)
	if err != nil {
		return &diag.Error{Kind: diag.KindOf(err), Op: "figure.Write", Field: filepath.Base(path), Msg: "cannot be written", Err: err}
	}
	err = write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return &diag.Error{Kind: diag.KindOf(err), Op: "figure.Write", Field: filepath.Base(path), Msg: "cannot be written", Err: err}
	}
	return nil
}
