package figure

import (
	"fmt"
	"slices"
	"strings"

	"dolor/assess"
)

// unitSquare draws the frame of a square plot with both axes 0 to 1. Labels are decimals or,
// with percent, whole per cent.
func unitSquare(d *Drawing, p plane, xname, yname string, percent, xaxis bool) {
	for i := 0; i <= 5; i++ {
		v := float64(i) / 5
		s := Fixed(v, 1)
		if percent {
			s = Fixed(100*v, 0)
		}
		d.line(style{stroke: Rule, width: 1}, point{p.left, p.y(v)}, point{p.right, p.y(v)})
		d.text(label{color: Muted, size: sizeTick, anchor: end}, p.left-7, p.y(v)+4, s)
		d.line(style{stroke: Reference, width: 1}, point{p.x(v), p.bottom}, point{p.x(v), p.bottom + 5})
		if xaxis {
			d.text(label{color: Muted, size: sizeTick, anchor: middle}, p.x(v), p.bottom+19, s)
		}
	}
	d.line(style{stroke: Reference, width: 1}, point{p.left, p.bottom}, point{p.right, p.bottom})
	d.text(label{}, 2, p.top-11, yname)
	if xaxis {
		d.text(label{anchor: middle}, (p.left+p.right)/2, p.bottom+38, xname)
	}
}

func square(w float64) (plane, float64) {
	p := plane{left: 44, right: w - 12, top: 24, xmin: 0, xmax: 1, ymin: 0, ymax: 1}
	p.bottom = p.top + (p.right - p.left)
	return p, p.bottom + 46
}

type keyLine struct {
	st   style
	text string
	bold bool
}

// key writes direct labels with a sample of each line, the primary first; families drawn as
// thin grey lines share one entry when they are many.
func key(d *Drawing, x, y float64, head string, lines []keyLine) {
	d.text(label{color: Muted, size: sizeTick, halo: true}, x, y, head)
	for i, l := range lines {
		yy := y + 19*float64(i+1)
		d.line(l.st, point{x, yy - 4}, point{x + 24, yy - 4})
		d.text(label{bold: l.bold, size: sizeLabel, halo: true}, x+30, yy, l.text)
	}
}

func keyLines(r *assess.Results, cs []assess.Curves, v View, metric string, d *Drawing, room float64) []keyLine {
	var out []keyLine
	var grey []float64
	for _, c := range cs {
		st := familyStyle(r, c.Family)
		value := ""
		if row := find(r, c.Family, v, metric, r.Decision); row != nil {
			value = " " + Fixed(float64(row.Estimate), 2)
			if st.stroke == Other {
				grey = append(grey, float64(row.Estimate))
			}
		}
		name := d.faces.fit(FamilyName(c.Family), sizeLabel, true, room-30-d.faces.width(value, sizeLabel, true))
		out = append(out, keyLine{st, name + value, c.Family == r.Primary})
	}
	if len(out) <= 5 {
		return out
	}
	kept := out[:0:0]
	n := 0
	for _, l := range out {
		if l.st.stroke == Other {
			n++
			continue
		}
		kept = append(kept, l)
	}
	s := fmt.Sprintf("%d others", n)
	if len(grey) > 0 {
		lo, hi := grey[0], grey[0]
		for _, g := range grey {
			lo, hi = min(lo, g), max(hi, g)
		}
		s += " " + Fixed(lo, 2) + " to " + Fixed(hi, 2)
	}
	return append(kept, keyLine{style{stroke: Other, width: 1.5}, s, false})
}

func noteOf(cs []assess.Curves, line func(assess.Curves) assess.Line) string {
	if len(cs) == 0 {
		return "no predictions in this validation"
	}
	for _, c := range cs {
		if len(line(c).X) > 1 {
			return ""
		}
	}
	for _, c := range cs {
		if n := line(c).Note; n != "" {
			return n
		}
	}
	switch c := cs[0]; c.Events {
	case 0:
		return fmt.Sprintf("no event among %d patients", c.N)
	case c.N:
		return fmt.Sprintf("every one of %d patients had the event", c.N)
	default:
		return fmt.Sprintf("no curve for %s", counts(c.N, c.Events))
	}
}

// ROC draws the receiver operating characteristic of every family of a view together.
func ROC(r *assess.Results, v View) Figure {
	cs := curvesOf(r, v)
	if why := noteOf(cs, func(c assess.Curves) assess.Line { return c.ROC }); why != "" {
		return emptyFigure("ROC "+Undefined, why, true)
	}
	f := Figure{Title: rocTitle(r, v, cs), Square: true, Sub: counts(cs[0].N, cs[0].Events) + ". " + v.Text() + ". Dashed diagonal: chance."}
	draw := func(w float64) *Drawing {
		p, h := square(w)
		d := newDrawing(w, h, newFaces())
		d.Title, d.Desc = "ROC curve, "+v.Text(), describe(r, cs, v, "auc", "AUC")
		unitSquare(d, p, "1 "+minus+" specificity", "Sensitivity", false, true)
		d.line(style{stroke: Reference, width: 1.25, dash: []float64{4, 3}}, point{p.x(0), p.y(0)}, point{p.x(1), p.y(1)})
		if l := cs[0].ROC; cs[0].Family == r.Primary {
			d.band(p, Primary, 0.16, l.X, l.Lower, l.Upper)
		}
		for _, c := range slices.Backward(cs) {
			d.curve(p, familyStyle(r, c.Family), c.ROC.X, c.ROC.Y)
		}
		lines := keyLines(r, cs, v, "auc", d, 0.72*(p.right-p.left))
		x := p.right - keyWidth(d, lines) - 4
		key(d, x, p.bottom-14-19*float64(len(lines)), "AUC", lines)
		return d
	}
	f.Wide, f.Narrow = draw(420), draw(340)
	return f
}

func keyWidth(d *Drawing, lines []keyLine) float64 {
	w := 0.0
	for _, l := range lines {
		w = max(w, 30+d.faces.width(l.text, sizeLabel, l.bold))
	}
	return w
}

func describe(r *assess.Results, cs []assess.Curves, v View, metric, name string) string {
	var parts []string
	for _, c := range cs {
		s := FamilyName(c.Family)
		if row := find(r, c.Family, v, metric, r.Decision); row != nil {
			s += " " + name + " " + ScaleOf(metric).Text(float64(row.Estimate), float64(row.Lower), float64(row.Upper))
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ") + ". " + counts(cs[0].N, cs[0].Events) + "."
}

// rocTitle names only families whose paired difference from the primary has an interval
// without 0.
func rocTitle(r *assess.Results, v View, cs []assess.Curves) string {
	prim := FamilyName(r.Primary)
	row := find(r, r.Primary, v, "auc", r.Decision)
	if len(cs) == 1 {
		if row == nil {
			return "ROC of " + lower(FamilyName(cs[0].Family))
		}
		return "AUC " + ScaleOf("auc").Text(float64(row.Estimate), float64(row.Lower), float64(row.Upper))
	}
	var better, worse []string
	compared := 0
	for _, c := range r.Comparisons {
		if c.Metric != "auc" || c.Site != v.Site || c.Validation != "" && c.Validation != v.Validation {
			continue
		}
		other, sign := c.A, 1.0
		if c.A == r.Primary {
			other, sign = c.B, -1
		} else if c.B != r.Primary {
			continue
		}
		compared++
		lo, hi := sign*float64(c.Lower), sign*float64(c.Upper)
		if lo > hi {
			lo, hi = hi, lo
		}
		if lo > 0 {
			better = append(better, lower(FamilyName(other)))
		}
		if hi < 0 {
			worse = append(worse, lower(FamilyName(other)))
		}
	}
	switch {
	case len(worse) > 0:
		return list(worse, true) + verb(len(worse), " ranks", " rank") + " better than " + lower(prim)
	case len(better) > 0 && len(better) == compared && compared > 1:
		return prim + " ranks better than every other family"
	case len(better) > 0:
		return prim + " ranks better than " + list(better, false)
	case compared > 0:
		return "No family can be told apart from " + lower(prim) + " by AUC"
	}
	return fmt.Sprintf("ROC of %d families", len(cs))
}

func lower(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func list(s []string, capital bool) string {
	t := s[0]
	if len(s) > 3 {
		t = fmt.Sprintf("%d families", len(s))
	} else if len(s) > 1 {
		t = strings.Join(s[:len(s)-1], ", ") + " and " + s[len(s)-1]
	}
	if capital {
		t = strings.ToUpper(t[:1]) + t[1:]
	}
	return t
}

// PrecisionRecall draws positive predictive value against sensitivity for every family.
func PrecisionRecall(r *assess.Results, v View) Figure {
	cs := curvesOf(r, v)
	if why := noteOf(cs, func(c assess.Curves) assess.Line { return c.PR }); why != "" {
		return emptyFigure("Precision and recall "+Undefined, why, true)
	}
	share := float64(cs[0].Events) / float64(max(1, cs[0].N))
	title := "Precision against the share of events found"
	if row := find(r, r.Primary, v, "average_precision", r.Decision); row != nil {
		title = "Average precision " + ScaleOf("average_precision").Text(float64(row.Estimate), float64(row.Lower), float64(row.Upper)) +
			" where chance gives " + Fixed(share, 2)
	}
	f := Figure{Title: title, Square: true, Sub: counts(cs[0].N, cs[0].Events) + ". " + v.Text() + ". Dashed line: share with the event."}
	draw := func(w float64) *Drawing {
		p, h := square(w)
		d := newDrawing(w, h, newFaces())
		d.Title, d.Desc = "Precision-recall curve, "+v.Text(), describe(r, cs, v, "average_precision", "average precision")
		unitSquare(d, p, "Sensitivity (recall)", "Positive predictive value", false, true)
		d.line(style{stroke: Reference, width: 1.25, dash: []float64{4, 3}}, point{p.x(0), p.y(share)}, point{p.x(1), p.y(share)})
		for _, c := range slices.Backward(cs) {
			d.curve(p, familyStyle(r, c.Family), c.PR.X, c.PR.Y)
		}
		lines := keyLines(r, cs, v, "average_precision", d, 0.7*(p.right-p.left))
		y := p.bottom - 14 - 19*float64(len(lines))
		if top := y - 16; top < p.y(share) && p.y(share) < p.bottom-8 && share > 0.1 && share < 0.75 {
			// keep the key on one side of the reference line
			if room := p.bottom - p.y(share); room < 19*float64(len(lines))+34 {
				y = p.y(share) - 12 - 19*float64(len(lines))
			}
		}
		key(d, p.left+10, y, "Average precision", lines)
		ty := p.y(share) + 15 // below the line: the curves end on it
		d.text(label{color: Muted, size: sizeTick, anchor: end, halo: true}, p.right-2, ty, "share with the event "+Fixed(share, 2))
		return d
	}
	f.Wide, f.Narrow = draw(420), draw(340)
	return f
}
