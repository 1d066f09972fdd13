package figure

import (
	"fmt"
	"math"
	"slices"

	"dolor/explain"
)

// dependenceDots is about how many dots a dependence plot keeps: more hide one another.
const dependenceDots = 1500

// Dependence draws the attribution of one predictor against its value, coloured by the predictor it
// interacts with most. How that was found is named: interaction values, or an association of
// residuals that only hints at one.
func Dependence(p *explain.DependencePlot) Figure {
	f := Figure{Name: "dependence-" + slug(p.Predictor), Kind: "dependence"}
	lo, hi, n, missing := xRange(p)
	if n == 0 {
		f = emptyFigure("Dependence on "+p.Predictor+" "+Undefined, "no row has a value", false)
		f.Name, f.Kind = "dependence-"+slug(p.Predictor), "dependence"
		return f
	}
	f.Title = "Attribution of " + p.Predictor + " by its value"
	f.Sub = fmt.Sprintf("n %d with a value", n)
	if missing > 0 {
		f.Sub += fmt.Sprintf("; %d without, on the left, open", missing)
	}
	switch {
	case p.Partner == nil:
		f.Sub += ". No other predictor interacts with it."
	case p.Partner.Method == explain.InteractionValue:
		f.Sub += fmt.Sprintf(". Colour: %s, the strongest interaction (mean absolute interaction value %s).", p.Partner.Predictor, Fixed(float64(p.Partner.Strength), attributionDigits(float64(p.Partner.Strength))))
	default:
		f.Sub += fmt.Sprintf(". Colour: %s, the strongest association with what the value leaves unexplained (residual association %s, not an interaction value).", p.Partner.Predictor, Fixed(float64(p.Partner.Strength), 2))
	}
	f.Wide = drawDependence(p, lo, hi, missing, 860, 400, f.Title)
	f.Narrow = drawDependence(p, lo, hi, missing, 340, 330, f.Title)
	return f
}

func xRange(p *explain.DependencePlot) (lo, hi float64, n, missing int) {
	for _, v := range p.X {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			missing++
		case n == 0:
			lo, hi = v, v
			n++
		default:
			lo, hi = min(lo, v), max(hi, v)
			n++
		}
	}
	if p.Levels != nil {
		lo, hi = 0, float64(len(p.Levels)-1)
	}
	if lo == hi {
		lo, hi = lo-0.5, hi+0.5
	}
	return lo, hi, n, missing
}

func drawDependence(dp *explain.DependencePlot, lo, hi float64, missing int, w, h float64, title string) *Drawing {
	d := newDrawing(w, h, newFaces())
	d.Title, d.Desc = "Dependence on "+dp.Predictor, title+". "+dp.String()+"."
	key := partnerKey(d, dp, w)
	p := plane{left: 52, right: w - 12, top: 30 + key, bottom: 30 + key + h - 130, xmin: lo, xmax: hi}
	p.ymin, p.ymax = min(0, slices.Min(dp.Phi)), max(0, slices.Max(dp.Phi))
	if p.ymin == p.ymax {
		p.ymin, p.ymax = -1, 1
	}
	pad := float64(0.05 * (p.ymax - p.ymin))
	p.ymin, p.ymax = p.ymin-pad, p.ymax+pad
	step := niceStep(p.ymax-p.ymin, 5)
	for k := math.Ceil(p.ymin / step); k*step <= p.ymax; k++ {
		st := style{stroke: Rule, width: 1}
		if k == 0 {
			st.stroke = Reference
		}
		d.line(st, point{p.left, p.y(k * step)}, point{p.right, p.y(k * step)})
		d.text(label{color: Muted, size: sizeTick, anchor: end}, p.left-7, p.y(k*step)+4, Signed(k*step, decimals(step)))
	}
	d.text(label{}, 2, p.top-11, "Attribution, "+dp.Scale)
	inner := p
	inner.left += 12
	inner.right -= 12
	if missing > 0 {
		inner.left += 56
		d.line(style{stroke: Rule, width: 1}, point{inner.left - 26, p.top}, point{inner.left - 26, p.bottom})
		d.text(label{color: Muted, size: sizeTick, anchor: middle}, p.left+22, p.bottom+17, "missing")
	}
	xAxis(d, inner, dp)
	name := dp.Predictor
	if dp.Unit != "" && dp.Unit != "1" {
		name += ", " + dp.Unit
	}
	d.text(label{anchor: middle}, (p.left+p.right)/2, p.bottom+36, d.faces.fit(name, sizeLabel, false, p.right-p.left))
	scatter(d, inner, p.left+22, dp)
	d.H = d.about(dp.About, p.bottom+58, w)
	return d
}

func xAxis(d *Drawing, p plane, dp *explain.DependencePlot) {
	if dp.Levels == nil {
		step := niceStep(p.xmax-p.xmin, max(3, int((p.right-p.left)/80)))
		for k := math.Ceil(p.xmin / step); k*step <= p.xmax+1e-9*step; k++ {
			d.line(style{stroke: Reference, width: 1}, point{p.x(k * step), p.bottom}, point{p.x(k * step), p.bottom + 5})
			d.text(label{color: Muted, size: sizeTick, anchor: middle}, p.x(k*step), p.bottom+17, Fixed(k*step, decimals(step)))
		}
		return
	}
	room := (p.right - p.left) / float64(max(1, len(dp.Levels)-1))
	every := max(1, int(math.Ceil(34/room)))
	for k, l := range dp.Levels {
		if k%every != 0 {
			continue
		}
		x := p.x(float64(k))
		fit := d.faces.fit(l, sizeTick, false, max(30, min(room*float64(every)-6, 2*min(x, d.W-x))))
		d.text(label{color: Muted, size: sizeTick, anchor: middle}, x, p.bottom+17, fit)
	}
}

// scatter draws the points class by class, a level's spread sideways in a fixed pattern.
func scatter(d *Drawing, p plane, missingX float64, dp *explain.DependencePlot) {
	every := max(1, (len(dp.X)+dependenceDots-1)/dependenceDots)
	by := make(map[string][]point)
	var order []string
	var open []point
	for i := 0; i < len(dp.X); i += every {
		spread := math.Mod(float64(float64(i)*0.618033988749895), 1) - 0.5
		if x := dp.X[i]; math.IsNaN(x) || math.IsInf(x, 0) {
			open = append(open, point{missingX + float64(24*spread), p.y(dp.Phi[i])})
			continue
		}
		x := p.x(dp.X[i])
		if dp.Levels != nil {
			x += float64(spread * min(30, 0.6*(p.right-p.left)/float64(max(1, len(dp.Levels)-1))))
		}
		c := partnerColor(dp, i)
		if _, ok := by[c]; !ok {
			order = append(order, c)
		}
		by[c] = append(by[c], point{x, p.y(dp.Phi[i])})
	}
	slices.Sort(order)
	for _, c := range order {
		d.dots(style{stroke: c, width: 4}, by[c]...)
		if c == Muted {
			d.dots(style{stroke: Panel, width: 2}, by[c]...)
		}
	}
	d.dots(style{stroke: Muted, width: 4.5}, open...)
	d.dots(style{stroke: Panel, width: 2.2}, open...)
}

// levelColors distinguish the first levels of an unordered category; the others share the last.
func levelColors() [5]string { return [5]string{Primary, Comparator, Dark, LowValue, Other} }

// partnerColor is Muted for a missing value, whose dot is drawn open.
func partnerColor(dp *explain.DependencePlot, i int) string {
	switch {
	case dp.Partner == nil:
		return Primary
	case dp.PartnerCode != nil:
		if dp.PartnerCode[i] < 0 {
			return Muted
		}
		return levelColors()[min(4, dp.PartnerCode[i])]
	case dp.Class[i] <= 4:
		return valueColors()[dp.Class[i]]
	}
	return Muted
}

// partnerKey explains the colours above the plot and returns the height it took.
func partnerKey(d *Drawing, dp *explain.DependencePlot, w float64) float64 {
	if dp.Partner == nil {
		return 0
	}
	x, y := 2.0, 14.0
	item := func(c, s string) {
		s = d.faces.fit(s, sizeTick, false, w-24)
		width := d.faces.width(s, sizeTick, false) + 28
		if c == "" {
			width = d.faces.width(s, sizeTick, false) + 10
		}
		if x+width > w && x > 2 {
			x, y = 2, y+17
		}
		if c != "" {
			d.dots(style{stroke: c, width: 9}, point{x + 5, y - 4})
			if c == Muted {
				d.dots(style{stroke: Panel, width: 5}, point{x + 5, y - 4})
			}
			x += 14
			width -= 14
		}
		d.text(label{color: Muted, size: sizeTick}, x, y, s)
		x += width
	}
	item("", dp.Partner.Predictor+":")
	var missing bool
	if dp.PartnerCode != nil {
		for k, l := range dp.PartnerLevels {
			switch {
			case k < 4 || len(dp.PartnerLevels) == 5:
				item(levelColors()[k], l)
			case k == 4:
				item(levelColors()[4], fmt.Sprintf("%d others", len(dp.PartnerLevels)-4))
			}
		}
		missing = slices.Contains(dp.PartnerCode, -1)
	} else {
		c := valueColors()
		item(c[0], "low ("+typeset(dp.Low)+")")
		item(c[2], "middle")
		item(c[4], "high ("+typeset(dp.High)+")")
		missing = slices.Contains(dp.Class, explain.MissingClass)
	}
	if missing {
		item(Muted, "missing")
	}
	return y
}
