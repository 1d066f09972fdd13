package figure

import (
	"fmt"
	"math"
	"slices"

	"dolor/assess"
)

// Decision draws net benefit over threshold risks for every family, with the band of the
// primary, treat-all and treat-none, and a strip that names the best choice by estimate.
func Decision(r *assess.Results, v View) Figure {
	cs := curvesOf(r, v)
	var c assess.Curves
	if len(cs) > 0 {
		c = cs[0]
	}
	if len(c.Decision.Threshold) < 2 || len(c.Decision.NetBenefit) != len(c.Decision.Threshold) {
		return emptyFigure("Decision curve "+Undefined, noteOf(cs, func(assess.Curves) assess.Line { return assess.Line{} }), false)
	}
	f := Figure{Title: decisionTitle(c), Sub: counts(c.N, c.Events) + ". " + v.Text() + "."}
	if len(c.Decision.Lower) > 0 {
		f.Sub += " Band: " + Percent(levelOf(r), 0) + " interval of " + lower(FamilyName(c.Family)) + "."
	}
	f.Wide, f.Narrow = drawDecision(r, v, cs, 860, 400), drawDecision(r, v, cs, 340, 340)
	return f
}

func decisionTitle(c assess.Curves) string {
	d := c.Decision
	name := FamilyName(c.Family)
	if len(d.Lower) != len(d.Threshold) || len(d.TreatAll) != len(d.Threshold) {
		return "Net benefit of " + lower(name) + " over threshold risks"
	}
	from, to, n := math.NaN(), math.NaN(), 0
	holes := false
	for i, t := range d.Threshold {
		if d.Lower[i] > max(0, d.TreatAll[i]) {
			if n == 0 {
				from = t
			} else if d.Lower[i-1] <= max(0, d.TreatAll[i-1]) {
				holes = true
			}
			to = t
			n++
		}
	}
	switch {
	case n == 0:
		return "Nowhere does the whole band of " + lower(name) + " lie above both simple rules"
	case holes:
		return fmt.Sprintf("Between thresholds of %s and %s, the band of %s lies mostly above both simple rules", Percent(from, 0), Percent(to, 0), lower(name))
	}
	return fmt.Sprintf("From a threshold of %s to %s, acting on %s is above both simple rules, band included", Percent(from, 0), Percent(to, 0), lower(name))
}

// decisionRange returns the axis: thresholds up to the last where anything is worth
// something, net benefit from a little under 0.
func decisionRange(cs []assess.Curves) (xmax, ymin, ymax float64) {
	xmax, ymax = 0.1, 0.02
	for _, c := range cs {
		d := c.Decision
		for i := range min(len(d.Threshold), len(d.NetBenefit)) {
			xmax = max(xmax, d.Threshold[i])
			if !math.IsNaN(d.NetBenefit[i]) {
				ymax = max(ymax, d.NetBenefit[i])
			}
			if i < len(d.TreatAll) && !math.IsNaN(d.TreatAll[i]) {
				ymax = max(ymax, d.TreatAll[i])
			}
			if i < len(d.Upper) && !math.IsNaN(d.Upper[i]) {
				ymax = max(ymax, d.Upper[i])
			}
		}
	}
	return min(1, xmax), -0.12 * ymax, ymax * 1.04
}

func niceStep(span float64, n int) float64 {
	raw := span / float64(n)
	if !(raw > 0) {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*p*1.0001 {
			return m * p
		}
	}
	return 10 * p
}

func decimals(step float64) int {
	d := 0
	for d < 6 && math.Abs(step-math.Round(step*math.Pow10(d))/math.Pow10(d)) > 1e-9 {
		d++
	}
	return d
}

func drawDecision(r *assess.Results, v View, cs []assess.Curves, w, h float64) *Drawing {
	narrow := w < 600
	c := cs[0]
	d := newDrawing(w, h, newFaces())
	d.Title = "Decision curve, " + v.Text()
	d.Desc = describe(r, cs, v, "net_benefit", "net benefit per 100 at "+Threshold(r.Decision))
	p := plane{left: 46, right: w - 172, top: 26, bottom: h - 76, xmin: 0}
	if narrow {
		p.right = w - 12
		p.bottom = h - 96
	}
	p.xmax, p.ymin, p.ymax = decisionRange(cs)
	step := niceStep(p.ymax, 5)
	for k := 0; step*float64(k) <= p.ymax; k++ {
		y := step * float64(k)
		d.line(style{stroke: Rule, width: 1}, point{p.left, p.y(y)}, point{p.right, p.y(y)})
		d.text(label{color: Muted, size: sizeTick, anchor: end}, p.left-7, p.y(y)+4, Fixed(y, decimals(step)))
	}
	d.text(label{}, 2, p.top-11, "Net benefit")
	xstep := niceStep(p.xmax, map[bool]int{true: 5, false: 10}[narrow])
	for k := 0; xstep*float64(k) <= p.xmax+1e-9; k++ {
		x := xstep * float64(k)
		d.line(style{stroke: Reference, width: 1}, point{p.x(x), p.bottom}, point{p.x(x), p.bottom + 5})
		d.text(label{color: Muted, size: sizeTick, anchor: middle}, p.x(x), p.bottom+19, Fixed(100*x, decimals(100*xstep)))
	}
	d.line(style{stroke: Reference, width: 1}, point{p.left, p.bottom}, point{p.right, p.bottom})
	d.line(style{stroke: Dark, width: 1.25}, point{p.left, p.y(0)}, point{p.right, p.y(0)})
	if r.Decision > 0 && r.Decision < p.xmax {
		d.line(style{stroke: Reference, width: 1.25, dash: []float64{4, 3}}, point{p.x(r.Decision), p.top}, point{p.x(r.Decision), p.bottom})
	}
	dc := c.Decision
	d.band(p, Primary, 0.17, dc.Threshold, dc.Lower, dc.Upper)
	d.curve(p, style{stroke: Dark, width: 1.75}, dc.Threshold, dc.TreatAll)
	for _, c := range slices.Backward(cs) {
		d.curve(p, familyStyle(r, c.Family), c.Decision.Threshold, c.Decision.NetBenefit)
	}
	decisionLabels(d, r, p, cs, narrow)
	bestStrip(d, p, c, narrow)
	return d
}

func decisionLabels(d *Drawing, r *assess.Results, p plane, cs []assess.Curves, narrow bool) {
	if r.Decision > 0 && r.Decision < p.xmax {
		s := "decision threshold " + Threshold(r.Decision)
		l := label{color: Muted, size: sizeTick, halo: true}
		x := p.x(r.Decision) + 6
		if x+d.faces.width(s, sizeTick, false) > p.right {
			l.anchor, x = end, p.x(r.Decision)-6
		} else {
			l.anchor = start
		}
		d.text(l, x, p.top+10, s)
	}
	// treat all: where it falls to a quarter of the axis
	dc := cs[0].Decision
	for i := range min(len(dc.TreatAll), len(dc.Threshold)) {
		if dc.TreatAll[i] < 0.22*p.ymax {
			d.text(label{color: Muted, anchor: end, halo: true}, p.x(dc.Threshold[i])-8, p.y(dc.TreatAll[i])+4, "Treat all")
			break
		}
	}
	d.text(label{color: Muted, anchor: start, halo: true}, p.left+8, p.y(0)+16, "Treat no one")
	type tag struct {
		y    float64
		text string
		bold bool
		st   style
	}
	if narrow {
		var lines []keyLine
		for _, c := range cs {
			lines = append(lines, keyLine{familyStyle(r, c.Family), d.faces.fit(FamilyName(c.Family), sizeLabel, true, 130), c.Family == r.Primary})
		}
		if len(lines) > 4 {
			lines = append(lines[:3:3], keyLine{style{stroke: Other, width: 1.5}, "other families", false})
		}
		key(d, p.right-keyWidth(d, lines)-2, p.top+22, "", lines)
		return
	}
	var tags []tag
	for _, c := range cs {
		n := min(len(c.Decision.Threshold), len(c.Decision.NetBenefit))
		for i := n - 1; i >= 0; i-- {
			if y := c.Decision.NetBenefit[i]; !math.IsNaN(y) {
				tags = append(tags, tag{p.y(max(p.ymin, min(p.ymax, y))), FamilyName(c.Family), c.Family == r.Primary, familyStyle(r, c.Family)})
				break
			}
		}
	}
	if len(tags) > 8 {
		tags = tags[:8]
	}
	ys := make([]float64, len(tags))
	for i, t := range tags {
		ys[i] = t.y
	}
	ys = spread(ys, 18, p.top+8, p.bottom)
	for i, t := range tags {
		d.line(style{stroke: Rule, width: 1}, point{p.right + 1, t.y}, point{p.right + 8, ys[i]})
		d.line(t.st, point{p.right + 8, ys[i]}, point{p.right + 24, ys[i]})
		d.text(label{bold: t.bold}, p.right+29, ys[i]+4, d.faces.fit(t.text, sizeLabel, t.bold, d.W-p.right-31))
	}
}

// spread moves label positions apart to at least gap, keeping their order and the limits.
func spread(ys []float64, gap, lo, hi float64) []float64 {
	n := len(ys)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for i := 1; i < n; i++ { // insertion sort: stable and short
		for j := i; j > 0 && ys[order[j]] < ys[order[j-1]]; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	out := append([]float64(nil), ys...)
	for k, i := range order {
		if k > 0 {
			out[i] = max(out[i], out[order[k-1]]+gap)
		} else {
			out[i] = max(out[i], lo)
		}
	}
	limit := hi
	for k := n - 1; k >= 0; k-- {
		i := order[k]
		out[i] = min(out[i], limit)
		limit = out[i] - gap
	}
	return out
}

// bestStrip names, under the axis, which choice has the highest estimate at each threshold.
func bestStrip(d *Drawing, p plane, c assess.Curves, narrow bool) {
	dc := c.Decision
	n := min(len(dc.Threshold), len(dc.NetBenefit), len(dc.TreatAll))
	if n < 2 {
		return
	}
	best := func(i int) int {
		m, a := dc.NetBenefit[i], dc.TreatAll[i]
		switch {
		case m > a+1e-12 && m > 1e-12:
			return 0
		case a > 0:
			return 1
		}
		return 2
	}
	top := p.bottom + 46
	if narrow {
		top = p.bottom + 64
		d.text(label{anchor: start}, 2, p.bottom+38, "Threshold risk at which one would act, %")
		d.text(label{color: Muted, size: sizeTick}, 2, p.bottom+58, "the model or a simple rule, highest estimate:")
	} else {
		d.text(label{anchor: middle}, (p.left+p.right)/2, p.bottom+38, "Threshold risk at which one would act, %")
		d.text(label{color: Muted, size: sizeTick}, p.right+8, top+5, "highest estimate")
		d.text(label{color: Muted, size: sizeTick}, p.right+8, top+18, "of these three")
	}
	names := [3]string{lower(FamilyName(c.Family)), "treat all", "treat no one"}
	if names[0] == "" {
		names[0] = "model"
	}
	fills := [3]string{Primary, Dark, Reference}
	for i := 0; i < n; {
		j := i
		for j+1 < n && best(j+1) == best(i) {
			j++
		}
		x0, x1 := p.x(max(0, dc.Threshold[i])), p.x(dc.Threshold[min(n-1, j+1)])
		k := best(i)
		d.rect(style{fill: fills[k]}, x0, top, max(1, x1-x0), 4)
		if s := names[k]; x1-x0 > d.faces.width(s, sizeTick, false)+4 {
			d.text(label{size: sizeTick, anchor: middle}, (x0+x1)/2, top+18, s)
		} else if s := map[int]string{0: "model", 1: "all", 2: "none"}[k]; x1-x0 > d.faces.width(s, sizeTick, false)+2 {
			d.text(label{size: sizeTick, anchor: middle}, (x0+x1)/2, top+18, s)
		}
		i = j + 1
	}
}
