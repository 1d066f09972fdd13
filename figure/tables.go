package figure

import (
	"fmt"
	"math"
	"strconv"

	"dolor/assess"
)

// Confusion draws the two-by-two table of the primary family at the decision threshold;
// counts under ten print as "< 10".
func Confusion(r *assess.Results, v View) Figure {
	cs := curvesOf(r, v)
	if len(cs) == 0 || cs[0].Confusion == (assess.Confusion{}) ||
		cs[0].Confusion.TP+cs[0].Confusion.FP+cs[0].Confusion.FN+cs[0].Confusion.TN == 0 {
		return emptyFigure("Two-by-two table "+Undefined, noteOf(cs, func(assess.Curves) assess.Line { return assess.Line{} }), true)
	}
	c := cs[0].Confusion
	t := Threshold(c.Threshold)
	f := Figure{Square: true, Sub: FamilyName(cs[0].Family) + " at a threshold of " + t + ", " + lower(v.Text()) + ". " + counts(cs[0].N, cs[0].Events) + "."}
	switch {
	case c.TP+c.FN == 0:
		f.Title = "At " + t + ", no patient had the event: sensitivity is " + Undefined
	case c.TP+c.FP == 0:
		f.Title = "At " + t + ", no patient is flagged"
	default:
		f.Title = fmt.Sprintf("At %s, %s of 100 events are found; of 100 flagged, %s have the event", t,
			Fixed(100*float64(c.TP)/float64(c.TP+c.FN), 0), Fixed(100*float64(c.TP)/float64(c.TP+c.FP), 0))
	}
	draw := func(w float64) *Drawing {
		d := newDrawing(w, 216, newFaces())
		d.Title, d.Desc = "Two-by-two table, "+v.Text(), fmt.Sprintf("Threshold %s: %s true positive, %s false positive, %s false negative, %s true negative.",
			t, Small(c.TP), Small(c.FP), Small(c.FN), Small(c.TN))
		left := 96.0
		cw := (w - left - 2) / 2
		d.text(label{anchor: middle}, left+cw/2, 14, "event")
		d.text(label{anchor: middle}, left+cw*1.5, 14, "no event")
		total := float64(c.TP + c.FP + c.FN + c.TN)
		for row, cells := range [2][2]int{{c.TP, c.FP}, {c.FN, c.TN}} {
			y := 24 + 92*float64(row)
			d.text(label{}, 0, y+42, [2]string{"flagged", "not flagged"}[row])
			d.text(label{color: Muted, size: sizeTick}, 0, y+58, [2]string{"risk at or", "risk below"}[row])
			d.text(label{color: Muted, size: sizeTick}, 0, y+73, [2]string{"above " + t, t}[row])
			for col, n := range cells {
				x := left + cw*float64(col)
				right := row == col
				fill := Other
				if right {
					fill = Primary
				}
				d.rect(style{fill: fill, opacity: 0.06 + 0.5*float64(n)/total, stroke: Reference, width: 1}, x+1, y, cw-2, 88)
				d.text(label{size: 22, bold: true, anchor: middle}, x+cw/2, y+44, Small(n))
				d.text(label{size: sizeTick, anchor: middle}, x+cw/2, y+66, [2][2]string{{"true positive", "false positive"}, {"false negative", "true negative"}}[row][col])
			}
		}
		return d
	}
	f.Wide, f.Narrow = draw(420), draw(340)
	return f
}

// Forests draws one forest plot a pooled metric of the primary family.
func Forests(r *assess.Results) []Figure {
	var out []Figure
	for _, s := range r.Sites {
		if s.Family == r.Primary && len(s.Sites) > 0 {
			out = append(out, Forest(r, s))
		}
	}
	return out
}

// Forest draws one metric over the sites left out in turn: each site's interval, the pooled
// diamond and the prediction interval for a new site.
func Forest(r *assess.Results, s assess.SitePool) Figure {
	sc := ScaleOf(s.Metric)
	if s.Threshold != nil {
		sc.Label += " at " + Threshold(float64(*s.Threshold))
	}
	if !math.IsNaN(float64(s.Reference)) {
		sc.Reference = float64(s.Reference)
	}
	n, ev := 0, 0
	for _, t := range s.Sites {
		n, ev = n+t.N, ev+t.Events
	}
	f := Figure{Kind: "forest", Name: "forest-" + slug(s.Metric), View: View{Validation: assess.SiteOut}}
	if s.Threshold != nil {
		f.Name += "-" + slug(Fixed(100*float64(*s.Threshold), 1))
	}
	switch lo, hi := float64(s.PredLower), float64(s.PredUpper); {
	case math.IsNaN(float64(s.Estimate)):
		f.Title = sc.Label + " over " + strconv.Itoa(len(s.Sites)) + " sites: not pooled"
	case math.IsNaN(lo) || math.IsNaN(hi):
		f.Title = sc.Label + " pooled over sites: " + sc.Text(float64(s.Estimate), float64(s.Lower), float64(s.Upper))
	default:
		_, ci := sc.Format(float64(s.Estimate), lo, hi)
		f.Title = "In a new site, " + lower(sc.Label) + " is predicted between " + ci
		f.Title = replaceLast(f.Title, " to ", " and ")
	}
	f.Sub = "Each site predicted by " + lower(FamilyName(s.Family)) + " of the others. " + counts(n, ev) + ". Lines: " + Percent(levelOf(r), 0) + " intervals."
	if !math.IsNaN(float64(s.I2)) {
		f.Sub += " I² " + Percent(share(float64(s.I2)), 0) + "."
	}
	f.Wide, f.Narrow = drawForest(s, sc, 860), drawForest(s, sc, 340)
	return f
}

// share reads I² given as a share or, above 1, as a percentage.
func share(v float64) float64 {
	if v > 1 {
		return v / 100
	}
	return v
}

func replaceLast(s, from, to string) string {
	for i := len(s) - len(from); i >= 0; i-- {
		if s[i:i+len(from)] == from {
			return s[:i] + to + s[i+len(from):]
		}
	}
	return s
}

// forestRange spans estimates and pooled intervals and cuts site intervals far outside.
func forestRange(s assess.SitePool, ref float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	add := func(v assess.Num) {
		if x := float64(v); !math.IsNaN(x) && !math.IsInf(x, 0) {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	for _, t := range s.Sites {
		add(t.Estimate)
	}
	add(s.Estimate)
	add(s.Lower)
	add(s.Upper)
	if !math.IsNaN(ref) {
		add(assess.Num(ref))
	}
	if !(hi > lo) {
		if math.IsInf(lo, 0) {
			return 0, 1
		}
		lo, hi = lo-0.5, hi+0.5
	}
	most := 1.2 * (hi - lo) // a site's interval may widen the axis by this much at either end
	wantLo, wantHi := lo, hi
	for _, t := range s.Sites {
		if x := float64(t.Lower); !math.IsNaN(x) {
			wantLo = min(wantLo, max(x, lo-most))
		}
		if x := float64(t.Upper); !math.IsNaN(x) {
			wantHi = max(wantHi, min(x, hi+most))
		}
	}
	if x := float64(s.PredLower); !math.IsNaN(x) {
		wantLo = min(wantLo, max(x, lo-most))
	}
	if x := float64(s.PredUpper); !math.IsNaN(x) {
		wantHi = max(wantHi, min(x, hi+most))
	}
	pad := 0.04 * (wantHi - wantLo)
	return wantLo - pad, wantHi + pad
}

func drawForest(s assess.SitePool, sc Scale, w float64) *Drawing {
	narrow := w < 600
	rowH := 30.0
	p := plane{left: 190, right: w - 200, top: 30}
	if narrow {
		rowH = 50
		p.left, p.right = 8, w-8
	}
	rows := float64(len(s.Sites) + 2)
	p.bottom = p.top + rowH*rows
	d := newDrawing(w, p.bottom+50, newFaces())
	d.Title = "Forest plot over sites: " + sc.Label
	d.Desc = sc.Label + " pooled " + sc.Text(float64(s.Estimate), float64(s.Lower), float64(s.Upper)) + "."
	p.xmin, p.xmax = forestRange(s, sc.Reference)
	d.text(label{color: Muted, size: sizeTick}, 0, 14, "Site left out")
	if !narrow {
		d.text(label{color: Muted, size: sizeTick, anchor: end}, w, 14, sc.Label)
	}
	if x := sc.Reference; !math.IsNaN(x) && x > p.xmin && x < p.xmax {
		d.line(style{stroke: Reference, width: 1.25, dash: []float64{4, 3}}, point{p.x(x), p.top - 6}, point{p.x(x), p.bottom})
	}
	most := 1
	for _, t := range s.Sites {
		most = max(most, t.N)
	}
	y := p.top
	for _, t := range s.Sites {
		line := forestRow(d, p, y, rowH, narrow, t.Site, counts(t.N, t.Events))
		if math.IsNaN(float64(t.Estimate)) {
			why := Undefined
			if t.Note != "" {
				why += ": " + t.Note
			}
			room := w - p.left - 4
			d.text(label{color: Muted, size: sizeTick, halo: true}, p.left+2, line+4, d.faces.fit(why, sizeTick, false, room))
		} else {
			forestInterval(d, p, line, float64(t.Lower), float64(t.Upper), style{stroke: Dark, width: 1.75})
			side := 5 + 6*math.Sqrt(float64(t.N)/float64(most))
			if x := p.x(float64(t.Estimate)); x >= p.left && x <= p.right {
				d.rect(style{fill: Dark}, x-side/2, line-side/2, side, side)
			}
			forestNumber(d, y, rowH, narrow, sc.Text(float64(t.Estimate), float64(t.Lower), float64(t.Upper)), false)
		}
		y += rowH
	}
	d.line(style{stroke: Rule, width: 1}, point{0, y}, point{w, y})
	line := forestRow(d, p, y, rowH, narrow, "Pooled", "random effects")
	if e := float64(s.Estimate); !math.IsNaN(e) {
		lo, hi := e, e
		if !math.IsNaN(float64(s.Lower)) && !math.IsNaN(float64(s.Upper)) {
			lo, hi = max(p.xmin, float64(s.Lower)), min(p.xmax, float64(s.Upper))
		}
		d.area(style{fill: Primary}, point{p.x(lo), line}, point{p.x(e), line - 7}, point{p.x(hi), line}, point{p.x(e), line + 7})
	}
	forestNumber(d, y, rowH, narrow, sc.Text(float64(s.Estimate), float64(s.Lower), float64(s.Upper)), true)
	y += rowH
	line = forestRow(d, p, y, rowH, narrow, "A new site", "prediction interval")
	if lo, hi := float64(s.PredLower), float64(s.PredUpper); !math.IsNaN(lo) && !math.IsNaN(hi) {
		forestInterval(d, p, line, lo, hi, style{stroke: Primary, width: 3})
		_, ci := sc.Format(float64(s.Estimate), lo, hi)
		forestNumber(d, y, rowH, narrow, ci, false)
	} else {
		d.text(label{color: Muted, size: sizeTick, halo: true}, p.left+2, line+4, Undefined+": too few sites")
	}
	step := niceStep((p.xmax-p.xmin)*sc.Factor, map[bool]int{true: 4, false: 6}[narrow]) / sc.Factor
	d.line(style{stroke: Reference, width: 1}, point{p.left, p.bottom}, point{p.right, p.bottom})
	first := math.Ceil(p.xmin / step)
	for i := range 20 { // bounded: far from 0, adding 1 to a large k changes nothing
		x := (first + float64(i)) * step
		if !(x <= p.xmax) {
			break
		}
		d.line(style{stroke: Reference, width: 1}, point{p.x(x), p.bottom}, point{p.x(x), p.bottom + 5})
		d.text(label{color: Muted, size: sizeTick, anchor: middle}, p.x(x), p.bottom+19, sc.one(x, decimals(step*sc.Factor)))
	}
	name := sc.Label
	if sc.Unit != "" {
		name += ", " + sc.Unit
	}
	d.text(label{anchor: middle}, (p.left+p.right)/2, p.bottom+40, name)
	return d
}

func forestRow(d *Drawing, p plane, y, rowH float64, narrow bool, name, sub string) float64 {
	if narrow {
		d.text(label{halo: true}, 0, y+15, d.faces.fit(name, sizeLabel, false, 96))
		d.text(label{color: Muted, size: sizeTick, halo: true}, d.faces.width(d.faces.fit(name, sizeLabel, false, 96), sizeLabel, false)+8, y+15, sub)
		return y + 34
	}
	room := p.left - 16 - d.faces.width(sub, sizeTick, false)
	name = d.faces.fit(name, sizeLabel, false, max(40, room))
	d.text(label{}, 0, y+rowH/2+4, name)
	d.text(label{color: Muted, size: sizeTick, anchor: end}, p.left-12, y+rowH/2+4, sub)
	return y + rowH/2
}

func forestNumber(d *Drawing, y, rowH float64, narrow bool, s string, bold bool) {
	if narrow {
		d.text(label{bold: bold, anchor: end, size: sizeTick, halo: true}, d.W, y+15, s)
		return
	}
	d.text(label{bold: bold, anchor: end}, d.W, y+rowH/2+4, s)
}

// forestInterval draws an interval; an end beyond the axis gets an arrowhead.
func forestInterval(d *Drawing, p plane, y, lo, hi float64, s style) {
	if math.IsNaN(lo) || math.IsNaN(hi) {
		return
	}
	x0, x1 := p.x(max(lo, p.xmin)), p.x(min(hi, p.xmax))
	if x1 < x0 {
		return
	}
	d.line(s, point{x0, y}, point{x1, y})
	if lo < p.xmin {
		d.area(style{fill: s.stroke}, point{x0 - 1, y}, point{x0 + 7, y - 5}, point{x0 + 7, y + 5})
	}
	if hi > p.xmax {
		d.area(style{fill: s.stroke}, point{x1 + 1, y}, point{x1 - 7, y - 5}, point{x1 - 7, y + 5})
	}
}
