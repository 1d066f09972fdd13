package figure

import (
	"fmt"
	"math"

	"dolor/explain"
)

// swarmShown is how many predictors a beeswarm draws.
const swarmShown = 12

// Beeswarm draws the attributions of the leading predictors: a dot for each patient (or few), coloured
// by the patient's value, beside the mean absolute attribution with its interval. It needs
// s.Swarm.
func Beeswarm(s *explain.Summary) Figure {
	if len(s.Predictors) == 0 || s.Swarm == nil || len(s.Swarm.Rows) == 0 {
		return noAttributions("beeswarm", s)
	}
	shown := min(swarmShown, len(s.Swarm.Rows), len(s.Predictors))
	b := newBee(s, shown)
	f := Figure{Name: "beeswarm", Kind: "beeswarm", Title: weighsMost(s)}
	f.Sub = fmt.Sprintf("%s. A dot is %s.", patientsText(s), b.dotText())
	if rest := s.Predictors[shown:]; len(rest) > 0 {
		sum := 0.0
		for _, m := range rest {
			sum += float64(m.MeanAbs)
		}
		f.Sub += fmt.Sprintf(" %d of %d predictors; the rest add up to %s.", shown, len(s.Predictors), Fixed(sum, attributionDigits(sum)))
	}
	f.Sub += " Attributions describe the model, not causes."
	f.Wide, f.Narrow = b.draw(860, f.Title), b.draw(340, f.Title)
	return f
}

type bee struct {
	s     *explain.Summary
	shown int
	group int // bins drawn as one
	per   int // patients a dot, at most
}

// dotsShown is about how many dots a predictor gets.
const dotsShown = 170

// newBee merges bins and patients until no predictor has more dots than can be seen.
func newBee(s *explain.Summary, shown int) *bee {
	b := &bee{s: s, shown: shown, group: 1, per: 1}
	for b.most() > dotsShown {
		if b.group < 2 && b.per >= 4 || b.per > 1000 {
			b.group *= 2
			if b.group > 8 {
				break
			}
			b.per = 1
			continue
		}
		b.per++
	}
	return b
}

func (b *bee) most() int {
	n := 0
	for _, r := range b.s.Swarm.Rows[:b.shown] {
		k := 0
		for _, c := range b.cells(r) {
			for _, v := range c {
				k += shareOut(v, b.per)
			}
		}
		n = max(n, k)
	}
	return n
}

// cells counts patients by merged bin and class.
func (b *bee) cells(r explain.SwarmRow) [][explain.MissingClass + 1]int {
	out := make([][explain.MissingClass + 1]int, (explain.SwarmBins+b.group-1)/b.group)
	for _, d := range r.Dots {
		if d[0] >= 0 && d[0] < explain.SwarmBins && d[1] >= 0 && d[1] <= explain.MissingClass {
			out[d[0]/b.group][d[1]] += d[2]
		}
	}
	return out
}

func (b *bee) dotText() string {
	rows := "patient"
	if b.s.N != b.s.Patients {
		rows = "row"
	}
	if b.per == 1 {
		return "one " + rows
	}
	return fmt.Sprintf("up to %d %ss", b.per, rows)
}

func (b *bee) draw(w float64, title string) *Drawing {
	narrow := w < 600
	d := newDrawing(w, 0, newFaces())
	d.Title, d.Desc = "Attributions of "+FamilyName(b.s.Family), title+". "+b.s.String()+"."
	if b.s.Family == "" {
		d.Title = "Attributions"
	}
	row, left, right := 34.0, 0.0, 600.0
	p := plane{top: 46, xmin: b.s.Swarm.From, xmax: b.s.Swarm.From + float64(explain.SwarmBins*b.s.Swarm.Step)}
	if narrow {
		row, right = 52, w-8
		p.left = 8
		p.top = 64
	} else {
		for _, m := range b.s.Predictors[:b.shown] {
			left = max(left, d.faces.width(m.Predictor, sizeLabel, false))
		}
		left = min(left, 0.25*w)
		p.left = left + 24
	}
	p.right = right
	p.bottom = p.top + row*float64(b.shown)
	b.key(d, narrow)
	head := p.top - 8
	signAxis(d, p, head, p.bottom+33, "Attribution, "+b.s.Scale)
	bar := plane{left: right + 34, right: w - 130, xmin: 0}
	for _, m := range b.s.Predictors[:b.shown] {
		bar.xmax = max(bar.xmax, float64(m.MeanAbs), finiteOr(float64(m.Upper), 0))
	}
	if !narrow {
		d.text(label{color: Muted, size: sizeTick}, bar.left, head, "mean |attribution| ("+Percent(b.s.Level, 0)+")")
	}
	for i := range b.shown {
		m := &b.s.Predictors[i]
		y := p.top + row*(float64(i)+0.5)
		if narrow {
			text := meanAbsText(m)
			tw := d.faces.width(text, sizeTick, false)
			d.text(label{bold: true, size: sizeTick, halo: true}, 2, y-14, d.faces.fit(m.Predictor, sizeTick, true, w-tw-18))
			d.text(label{color: Muted, size: sizeTick, anchor: end, halo: true}, w-2, y-14, text)
			b.dots(d, p, b.s.Swarm.Rows[i], y+8, 15)
			continue
		}
		d.nameAt(left+8, y, left+6, m.Predictor)
		b.dots(d, p, b.s.Swarm.Rows[i], y, 15)
		b.bar(d, bar, m, y)
	}
	d.H = d.about(b.s.About, p.bottom+56, w)
	return d
}

func finiteOr(v, other float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return other
	}
	return v
}

// bar draws mean, interval and number.
func (b *bee) bar(d *Drawing, p plane, m *explain.Importance, y float64) {
	if p.xmax > 0 {
		d.rect(style{fill: MidValue}, p.left, y-6, max(0.5, p.x(float64(m.MeanAbs))-p.left), 12)
	}
	lo, hi := float64(m.Lower), float64(m.Upper)
	if !math.IsNaN(lo) && !math.IsNaN(hi) && p.xmax > 0 {
		d.line(style{stroke: Dark, width: 1.5}, point{p.x(lo), y}, point{p.x(hi), y})
	}
	d.text(label{size: sizeTick, anchor: end}, d.W-2, y+4, meanAbsText(m))
}

// dots stacks each bin around y, low values below, at most half high.
func (b *bee) dots(d *Drawing, p plane, r explain.SwarmRow, y, half float64) {
	width := 3.6
	by := make(map[int][]point)
	step := b.s.Swarm.Step * float64(b.group)
	for k, c := range b.cells(r) {
		n := 0
		for _, v := range c {
			n += shareOut(v, b.per)
		}
		if n == 0 {
			continue
		}
		// A full column goes on in a neighbouring one, six at most.
		const spacing = 2.6
		room := int(2*half/spacing) + 1
		columns := min(6, (n+room-1)/room)
		high := (n + columns - 1) / columns
		gap := spacing
		if high > 1 {
			gap = min(gap, 2*half/float64(high-1))
		}
		x := p.x(b.s.Swarm.From + float64(step*(float64(k)+0.5)))
		i := 0
		for class, v := range c {
			for range shareOut(v, b.per) {
				dx := float64(spacing * (float64(i%columns) - float64(columns-1)/2))
				by[class] = append(by[class], point{x + dx, y + float64(gap*(float64(high-1)/2-float64(i/columns)))})
				i++
			}
		}
	}
	for class := range explain.MissingClass + 1 {
		switch class {
		case explain.MissingClass:
			d.dots(style{stroke: Muted, width: width}, by[class]...)
			d.dots(style{stroke: Panel, width: width - 1.8}, by[class]...)
		case explain.NoClass:
			d.dots(style{stroke: Dark, width: width}, by[class]...)
		default:
			d.dots(style{stroke: valueColors()[class], width: width}, by[class]...)
		}
	}
}

// key explains the colours in use.
func (b *bee) key(d *Drawing, narrow bool) {
	ordered, plain, missing := false, false, false
	for _, r := range b.s.Swarm.Rows[:b.shown] {
		ordered = ordered || r.Ordered
		for _, c := range r.Dots {
			plain = plain || c[1] == explain.NoClass
			missing = missing || c[1] == explain.MissingClass
		}
	}
	x, y := 2.0, 14.0
	write := func(s string) {
		d.text(label{color: Muted, size: sizeTick}, x, y, s)
		x += d.faces.width(s, sizeTick, false) + 6
	}
	dot := func(c string) {
		d.dots(style{stroke: c, width: 9}, point{x + 4, y - 4})
		x += 14
	}
	if ordered {
		write("Value: low")
		for _, c := range valueColors() {
			dot(c)
		}
		write("high")
		x += 10
	}
	if narrow && ordered && plain && missing {
		x, y = 2, 31
	}
	if plain {
		dot(Dark)
		write("category")
		x += 10
	}
	if missing {
		dot(Muted)
		d.dots(style{stroke: Panel, width: 5}, point{x - 10, y - 4})
		write("missing")
	}
}
