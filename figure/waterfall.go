package figure

import (
	"fmt"
	"math"

	"dolor/explain"
	"dolor/internal/glm"
)

// waterfallShown is how many predictors a waterfall names; the others are drawn as one.
const waterfallShown = 10

// Waterfall draws one patient's prediction from the base to the score, predictor by predictor. The lower
// axis is the scale on which the parts add up; on log-odds the upper one gives the same places as
// probabilities.
func Waterfall(w *explain.Waterfall) Figure {
	f := Figure{Name: "waterfall-" + slug(w.Row), Kind: "waterfall"}
	if len(w.Parts) == 0 {
		f = emptyFigure("Attributions "+Undefined, "the model has no predictors", false)
		f.Name, f.Kind = "waterfall-"+slug(w.Row), "waterfall"
		return f
	}
	f.Title = "Row " + w.Row + ": predicted " + Percent(float64(w.Probability), 1)
	if top := w.Parts[0]; top.Phi != 0 {
		f.Title += "; " + top.Predictor + " moves it most"
	}
	f.Sub = fmt.Sprintf("From the mean of the background (%s) to this row (%s). Attributions describe the model, not causes.", scoreText(w, w.Base), scoreText(w, w.Score))
	f.Wide, f.Narrow = drawWaterfall(w, 860, f.Title), drawWaterfall(w, 340, f.Title)
	return f
}

// scoreText writes a score with its probability: "−1.20 log-odds, 23.1 %".
func scoreText(w *explain.Waterfall, v float64) string {
	if w.Scale == explain.LogOdds {
		return Signed(v, 2) + " log-odds, " + Percent(glm.Expit(v), 1)
	}
	return Percent(v, 1)
}

type stepBar struct {
	name, value string
	from, to    float64
}

func stepsOf(w *explain.Waterfall) []stepBar {
	var out []stepBar
	at := w.Base
	shown := min(waterfallShown, len(w.Parts))
	if len(w.Parts) == waterfallShown+1 {
		shown++
	}
	for _, p := range w.Parts[:shown] {
		out = append(out, stepBar{p.Predictor, typeset(p.Value), at, at + p.Phi})
		at += p.Phi
	}
	if rest := w.Parts[shown:]; len(rest) > 0 {
		out = append(out, stepBar{fmt.Sprintf("%d other predictors", len(rest)), "", at, w.Score})
	}
	return out
}

func drawWaterfall(w *explain.Waterfall, width float64, title string) *Drawing {
	narrow := width < 600
	d := newDrawing(width, 0, newFaces())
	d.Title, d.Desc = "Prediction in parts, row "+w.Row, title+". "+w.String()+"."
	steps := stepsOf(w)
	p := plane{xmin: w.Base, xmax: w.Base}
	left, row := 0.0, 28.0
	for _, s := range steps {
		p.xmin, p.xmax = min(p.xmin, s.to), max(p.xmax, s.to)
		left = max(left, d.faces.width(s.name, sizeLabel, false), d.faces.width(s.value, sizeTick, false))
	}
	span := p.xmax - p.xmin
	if span == 0 {
		span = 1
	}
	const number = 52.0 // room for "+0.123" beyond the outermost bars
	left = min(left, 0.28*width)
	p.left, p.right = left+20, width-8
	p.top = 48
	if narrow {
		row, p.left = 46, 8
	} else {
		row = 36
	}
	pad := float64(number / (p.right - p.left - 2*number) * span)
	p.xmin, p.xmax = p.xmin-pad, p.xmax+pad
	p.bottom = p.top + row*float64(len(steps)+2)
	scoreAxis(d, p, w)
	ends := func(i int, name string, v float64) {
		y := p.top + row*(float64(i)+0.5)
		if narrow {
			d.text(label{bold: true, size: sizeTick, halo: true}, 2, y-8, d.faces.fit(name+": "+scoreText(w, v), sizeTick, true, width-4))
			y += 8
		} else {
			d.text(label{anchor: end, bold: true}, left+10, y+4, d.faces.fit(name, sizeLabel, true, left+8))
		}
		d.line(style{stroke: Dark, width: 3}, point{p.x(v), y - 9}, point{p.x(v), y + 9})
		if narrow {
			return
		}
		text := scoreText(w, v)
		l, x := label{size: sizeTick, halo: true}, p.x(v)+8
		if x+d.faces.width(text, sizeTick, false) > width-2 {
			l.anchor, x = end, p.x(v)-8
		}
		d.text(l, x, y+4, text)
	}
	ends(0, "Base", w.Base)
	for i, s := range steps {
		y := p.top + row*(float64(i)+1.5)
		if narrow {
			name := s.name
			if s.value != "" {
				name += " = " + s.value
			}
			d.text(label{size: sizeTick, halo: true}, 2, y-8, d.faces.fit(name, sizeTick, false, width-4))
			y += 8
		} else {
			up := 4.0
			if s.value != "" {
				up = -3
				d.text(label{anchor: end, size: sizeTick, color: Muted}, left+10, y+12, d.faces.fit(s.value, sizeTick, false, left+8))
			}
			d.text(label{anchor: end}, left+10, y+up, d.faces.fit(s.name, sizeLabel, false, left+8))
		}
		stepMark(d, p, s, y)
		d.line(style{stroke: Reference, width: 1, dash: []float64{2, 2}}, point{p.x(s.to), y + 9}, point{p.x(s.to), y + row - 9})
	}
	ends(len(steps)+1, "This row", w.Score)
	foot := p.bottom + 56
	if w.Scale == explain.LogOdds && w.Calibration != "none" && w.Calibration != "" {
		for _, l := range d.faces.wrap("After recalibration ("+w.Calibration+") the predicted probability is "+Percent(float64(w.Probability), 1)+".", sizeTick, false, width-4) {
			d.text(label{size: sizeTick}, 2, foot, l)
			foot += 15
		}
	}
	d.H = d.about(w.About, foot, width)
	return d
}

// stepMark draws one bar as an arrow with its number.
func stepMark(d *Drawing, p plane, s stepBar, y float64) {
	a, b := p.x(s.from), p.x(s.to)
	phi := s.to - s.from
	color := Comparator
	if phi < 0 {
		color = Lowers
	}
	tip := math.Copysign(min(6, math.Abs(b-a)), b-a)
	switch {
	case math.Abs(b-a) < 0.5:
		d.line(style{stroke: color, width: 2}, point{b, y - 8}, point{b, y + 8})
	default:
		d.area(style{fill: color}, point{a, y - 8}, point{b - tip, y - 8}, point{b, y}, point{b - tip, y + 8}, point{a, y + 8})
	}
	l, x := label{size: sizeTick, halo: true}, max(a, b)+5
	if phi < 0 {
		l.anchor, x = end, min(a, b)-5
	}
	d.text(l, x, y+4, Signed(phi, attributionDigits(phi)))
}

// scoreAxis draws the axis of the scores below and, for log-odds, of probabilities above.
func scoreAxis(d *Drawing, p plane, w *explain.Waterfall) {
	name := "Predicted probability (" + w.Scale + ")"
	step := niceStep(p.xmax-p.xmin, max(3, int((p.right-p.left)/80)))
	for k := math.Ceil(p.xmin / step); k*step <= p.xmax; k++ {
		v := k * step
		d.line(style{stroke: Rule, width: 1}, point{p.x(v), p.top}, point{p.x(v), p.bottom})
		s := Fixed(v, decimals(step))
		if w.Scale == explain.LogOdds {
			s = Signed(v, decimals(step))
		}
		tick(d, p.x(v), p.bottom+17, s)
	}
	if w.Scale == explain.LogOdds {
		name = "Score, " + w.ScaleText()
		for _, q := range probabilityTicks(d, p) {
			x := p.x(glm.Logit(q))
			d.line(style{stroke: Reference, width: 1}, point{x, p.top - 5}, point{x, p.top})
			tick(d, x, p.top-9, Threshold(q))
		}
		d.line(style{stroke: Reference, width: 1}, point{p.left, p.top}, point{p.right, p.top})
		d.text(label{color: Muted, size: sizeTick}, p.left, 14, "Probability"+beforeText(w))
	}
	d.line(style{stroke: Reference, width: 1}, point{p.left, p.bottom}, point{p.right, p.bottom})
	d.text(label{color: Muted, size: sizeTick, anchor: middle}, (p.left+p.right)/2, p.bottom+33, name)
}

// probabilityTicks are the probabilities to write along an axis of log-odds: of ever finer lists the
// first of which three fit.
func probabilityTicks(d *Drawing, p plane) []float64 {
	even := func(step int) []float64 {
		var q []float64
		for k := step; k < 1000; k += step {
			q = append(q, float64(k)/1000)
		}
		return q
	}
	rough := []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999}
	var out []float64
	for _, list := range [][]float64{rough, even(100), even(50), even(20), even(10), even(5), even(1)} {
		out = nil
		last := math.Inf(-1)
		for _, q := range list {
			v := glm.Logit(q)
			half := d.faces.width(Threshold(q), sizeTick, false) / 2
			if x := p.x(v); v >= p.xmin && v <= p.xmax && x-last >= 48 && x-half >= 0 && x+half <= d.W {
				out = append(out, q)
				last = x
			}
		}
		if len(out) >= 3 {
			break
		}
	}
	return out
}

func beforeText(w *explain.Waterfall) string {
	if w.Calibration == "none" || w.Calibration == "" {
		return ""
	}
	return " before recalibration"
}

// tick writes a centred label unless it would leave the drawing.
func tick(d *Drawing, x, y float64, s string) {
	if half := d.faces.width(s, sizeTick, false) / 2; x-half >= 0 && x+half <= d.W {
		d.text(label{color: Muted, size: sizeTick, anchor: middle}, x, y, s)
	}
}
