package figure

import (
	"math"

	"dolor/assess"
)

// Calibration draws observed against predicted risk for the primary family: smooth curve
// with band, grouped points with Wilson intervals, and the predicted risks by outcome.
func Calibration(r *assess.Results, v View) Figure {
	cs := curvesOf(r, v)
	if len(cs) == 0 {
		return emptyFigure("Calibration "+Undefined, "no predictions in this validation", true)
	}
	c := cs[0]
	cal := c.Calibration
	if len(cal.Smooth.X) < 2 && len(cal.Groups) == 0 {
		why := noteOf(cs[:1], func(c assess.Curves) assess.Line { return c.Calibration.Smooth })
		return emptyFigure("Calibration "+Undefined, why, true)
	}
	f := Figure{Title: calibrationTitle(r, v, c), Square: true, Sub: FamilyName(c.Family) + ", " + lower(v.Text()) + ". " + counts(c.N, c.Events) + "."}
	if cal.Method != "" && len(cal.Smooth.X) > 1 {
		f.Sub += " Smooth curve: " + cal.Method + "."
	}
	draw := func(w float64) *Drawing { return drawCalibration(r, v, c, w) }
	f.Wide, f.Narrow = draw(420), draw(340)
	return f
}

func drawCalibration(r *assess.Results, v View, c assess.Curves, w float64) *Drawing {
	cal := c.Calibration
	p, _ := square(w)
	histTop := p.bottom + 26
	d := newDrawing(w, histTop+118, newFaces())
	d.Title = "Calibration of " + lower(FamilyName(c.Family)) + ", " + v.Text()
	d.Desc = "Observed against predicted risk. " + counts(c.N, c.Events) + "."
	if row := find(r, c.Family, v, "calibration_slope", r.Decision); row != nil {
		d.Desc += " Slope " + ScaleOf(row.Metric).Text(float64(row.Estimate), float64(row.Lower), float64(row.Upper)) + "."
	}
	unitSquare(d, p, "", "Observed, %", true, false)
	d.line(style{stroke: Reference, width: 1.25, dash: []float64{4, 3}}, point{p.x(0), p.y(0)}, point{p.x(1), p.y(1)})
	s := cal.Smooth
	d.band(p, Primary, 0.17, s.X, s.Lower, s.Upper)
	d.curve(p, style{stroke: Primary, width: 3}, s.X, s.Y)
	for _, g := range cal.Groups {
		d.line(style{stroke: Dark, width: 1.5}, point{p.x(g.Predicted), p.y(g.Lower)}, point{p.x(g.Predicted), p.y(g.Upper)})
		d.circle(style{fill: Background, stroke: Primary, width: 2}, p.x(g.Predicted), p.y(g.Observed), 4.2)
	}
	// labels in the upper left, which good and bad calibration alike mostly leave free
	y := p.top + 14
	row := func(sample func(y float64), s string) {
		sample(y - 4)
		d.text(label{size: sizeTick, halo: true}, p.left+38, y, s)
		y += 18
	}
	if len(s.X) > 1 {
		name := "smooth curve"
		if len(s.Lower) > 0 {
			name += ", " + Percent(levelOf(r), 0) + " band"
		}
		row(func(y float64) {
			if len(s.Lower) > 0 {
				d.rect(style{fill: Primary, opacity: 0.17}, p.left+10, y-6, 22, 12)
			}
			d.line(style{stroke: Primary, width: 3}, point{p.left + 10, y}, point{p.left + 32, y})
		}, name)
	}
	if len(cal.Groups) > 0 {
		row(func(y float64) {
			d.line(style{stroke: Dark, width: 1.5}, point{p.left + 21, y - 7}, point{p.left + 21, y + 7})
			d.circle(style{fill: Background, stroke: Primary, width: 2}, p.left+21, y, 4.2)
		}, "groups of "+groupSize(cal.Groups))
	}
	row(func(y float64) {
		d.line(style{stroke: Reference, width: 1.25, dash: []float64{4, 3}}, point{p.left + 10, y}, point{p.left + 32, y})
	}, "ideal")
	drawHistogram(d, p, cal, histTop)
	return d
}

func levelOf(r *assess.Results) float64 {
	if r.Level > 0 && r.Level < 1 {
		return r.Level
	}
	return 0.95
}

func groupSize(gs []assess.CalGroup) string {
	lo, hi := gs[0].N, gs[0].N
	for _, g := range gs {
		lo, hi = min(lo, g.N), max(hi, g.N)
	}
	if lo == hi {
		return Small(lo) + " patients"
	}
	return Small(lo) + " to " + Small(hi) + " patients"
}

func drawHistogram(d *Drawing, p plane, cal assess.Calibration, top float64) {
	const up, down = 26.0, 38.0
	base := top + up + 8
	most := 1
	for i := range cal.Events {
		most = max(most, cal.Events[i])
	}
	for i := range cal.Others {
		most = max(most, cal.Others[i])
	}
	bars := min(len(cal.Events), len(cal.Others), len(cal.Edges)-1)
	scale := down / float64(most)
	if upNeed := up / float64(most); upNeed < scale {
		scale = upNeed
	}
	for i := range bars {
		x0, x1 := p.x(cal.Edges[i]), p.x(cal.Edges[i+1])
		if h := scale * float64(cal.Events[i]); h > 0 {
			d.rect(style{fill: Dark}, x0+0.5, base-0.5-h, x1-x0-1, h)
		}
		if h := scale * float64(cal.Others[i]); h > 0 {
			d.rect(style{fill: Other}, x0+0.5, base+0.5, x1-x0-1, h)
		}
	}
	d.text(label{size: sizeTick, anchor: end, halo: true}, p.right, base-up+6, "with the event")
	d.text(label{size: sizeTick, color: Muted, anchor: end, halo: true}, p.right, base+26, "without")
	axis := base + up + 12
	d.line(style{stroke: Reference, width: 1}, point{p.left, axis}, point{p.right, axis})
	for i := 0; i <= 5; i++ {
		v := float64(i) / 5
		d.line(style{stroke: Reference, width: 1}, point{p.x(v), axis}, point{p.x(v), axis + 5})
		d.text(label{color: Muted, size: sizeTick, anchor: middle}, p.x(v), axis+18, Fixed(100*v, 0))
	}
	d.text(label{anchor: middle}, (p.left+p.right)/2, axis+36, "Predicted risk, %")
}

func calibrationTitle(r *assess.Results, v View, c assess.Curves) string {
	get := func(metric string) (lo, hi float64, ok bool) {
		row := find(r, c.Family, v, metric, r.Decision)
		if row == nil || math.IsNaN(float64(row.Lower)) || math.IsNaN(float64(row.Upper)) {
			return 0, 0, false
		}
		return float64(row.Lower), float64(row.Upper), true
	}
	slo, shi, slope := get("calibration_slope")
	olo, ohi, oe := get("oe_ratio")
	switch {
	case slope && shi < 1 && oe && ohi < 1:
		return "Too extreme, and risks overestimated on average"
	case slope && shi < 1 && oe && olo > 1:
		return "Too extreme, and risks underestimated on average"
	case slope && shi < 1:
		return "Too extreme: high risks overestimated, low risks underestimated"
	case oe && ohi < 1:
		return "Risks overestimated on average"
	case oe && olo > 1:
		return "Risks underestimated on average"
	case slope && slo > 1:
		return "Too moderate: high risks underestimated, low risks overestimated"
	}
	s := c.Calibration.Smooth
	if len(s.Lower) == len(s.X) && len(s.Upper) == len(s.X) && len(s.X) > 1 {
		in, all := 0.0, s.X[len(s.X)-1]-s.X[0]
		for i := 1; i < len(s.X); i++ {
			m := (s.X[i] + s.X[i-1]) / 2
			if (s.Lower[i]+s.Lower[i-1])/2 <= m && m <= (s.Upper[i]+s.Upper[i-1])/2 {
				in += s.X[i] - s.X[i-1]
			}
		}
		level := Percent(levelOf(r), 0)
		if share := in / all; share > 0.999 {
			return "The " + level + " band includes the ideal line throughout"
		} else if share >= 0.9 {
			return "The " + level + " band includes the ideal line nearly everywhere"
		} else if share >= 0 {
			return "The " + level + " band includes the ideal line over " + Percent(share, 0) + " of the range of risks"
		}
	}
	if slope && oe {
		return "Slope and average risk: both intervals include the ideal"
	}
	return "Observed against predicted risk"
}
