package figure

import (
	"fmt"
	"math"

	"dolor/explain"
)

// importanceShown is how many predictors an importance chart draws.
const importanceShown = 20

// Importance draws the mean absolute attribution of each predictor as a bar with its interval over
// patients (thick) and, where several fits explained the rows, the one that holds the training sets
// too (thin), the direction of the effect and the range of the rank.
func Importance(s *explain.Summary) Figure {
	if len(s.Predictors) == 0 {
		return noAttributions("importance", s)
	}
	f := Figure{Name: "importance", Kind: "importance", Title: stabilityTitle(s)}
	f.Sub = fmt.Sprintf("Mean absolute attribution, %s. Thick line: %s interval, patients resampled, models held fixed.", patientsText(s), Percent(s.Level, 0))
	if s.FoldMethod != "" {
		f.Sub += fmt.Sprintf(" Thin line: the same with the variance between the training sets of %d fits.", s.Fits)
	}
	f.Sub += " Direction: sign of the rank correlation of value and attribution, where its interval excludes 0."
	f.Wide, f.Narrow = drawImportance(s, 860, f.Title), drawImportance(s, 340, f.Title)
	return f
}

// stabilityTitle says how far the order can be relied on, by its own thresholds: 0.9 and 0.7 of
// Kendall's W over fits, or of the rank correlation over resamples.
func stabilityTitle(s *explain.Summary) string {
	v, over := float64(s.Stability.KendallW), "between fits"
	name := "Kendall’s W"
	if math.IsNaN(v) {
		v, over, name = float64(s.Stability.RankCorrelation), "between resamples of patients", "mean rank correlation"
	}
	switch {
	case math.IsNaN(v):
		return weighsMost(s)
	case v >= 0.9:
		return fmt.Sprintf("The order of predictors is much the same %s (%s %s)", over, name, Fixed(v, 2))
	case v >= 0.7:
		return fmt.Sprintf("The order of predictors differs somewhat %s (%s %s)", over, name, Fixed(v, 2))
	}
	return fmt.Sprintf("The order of predictors changes %s (%s %s): read it with care", over, name, Fixed(v, 2))
}

func drawImportance(s *explain.Summary, w float64, title string) *Drawing {
	narrow := w < 600
	d := newDrawing(w, 0, newFaces())
	d.Title, d.Desc = "Mean absolute attribution", title+". "+s.String()+"."
	shown := s.Predictors[:min(len(s.Predictors), importanceShown)]
	row, left, p := 26.0, 0.0, plane{top: 26, xmin: 0}
	for i := range shown {
		left = max(left, d.faces.width(shown[i].Predictor, sizeLabel, false))
		p.xmax = max(p.xmax, float64(shown[i].MeanAbs), finiteOr(float64(shown[i].Upper), 0), finiteOr(float64(shown[i].FoldUpper), 0))
	}
	left = min(left, 0.25*w)
	p.left, p.right = left+16, w-330
	if narrow {
		row, p.left, p.right, p.top = 58, 2, w-8, 10
	}
	if p.xmax == 0 {
		p.xmax = 1
	}
	p.bottom = p.top + row*float64(len(shown))
	step := niceStep(p.xmax, max(3, int((p.right-p.left)/80)))
	for k := 0.0; k*step <= p.xmax*1.0001; k++ {
		x := p.x(k * step)
		d.line(style{stroke: Rule, width: 1}, point{x, p.top}, point{x, p.bottom})
		l := label{color: Muted, size: sizeTick, anchor: middle}
		if k == 0 && narrow {
			l.anchor = start
		}
		d.text(l, x, p.bottom+17, Fixed(k*step, decimals(step)))
	}
	if !narrow {
		d.text(label{color: Muted, size: sizeTick}, p.right+16, 14, "mean ("+Percent(s.Level, 0)+")")
		d.text(label{color: Muted, size: sizeTick}, w-182, 14, "higher value")
		d.text(label{color: Muted, size: sizeTick, anchor: end}, w-2, 14, "rank")
	}
	for i := range shown {
		m := &shown[i]
		y := p.top + row*(float64(i)+0.5)
		if narrow {
			text := meanAbsText(m)
			d.text(label{bold: true, size: sizeTick, halo: true}, 2, y-14, d.faces.fit(m.Predictor, sizeTick, true, w-d.faces.width(text, sizeTick, false)-16))
			d.text(label{size: sizeTick, anchor: end, halo: true}, w-2, y-14, text)
			whiskers(d, p, m, y-1)
			d.text(label{color: Muted, size: sizeTick, halo: true}, 2, y+21, m.Word()+"; rank "+RankText(m))
			continue
		}
		d.text(label{anchor: end}, left+8, y+4, d.faces.fit(m.Predictor, sizeLabel, false, left+6))
		whiskers(d, p, m, y)
		d.text(label{size: sizeTick}, p.right+16, y+4, meanAbsText(m))
		d.text(label{size: sizeTick, color: wordColor(m)}, w-182, y+4, wordText(m))
		d.text(label{size: sizeTick, anchor: end}, w-2, y+4, RankText(m))
	}
	d.text(label{color: Muted, size: sizeTick, anchor: middle}, (p.left+p.right)/2, p.bottom+33, "Mean |attribution|, "+s.Scale)
	d.H = d.about(s.About, p.bottom+56, w)
	return d
}

func whiskers(d *Drawing, p plane, m *explain.Importance, y float64) {
	d.rect(style{fill: MidValue}, p.left, y-7, max(0.5, p.x(float64(m.MeanAbs))-p.left), 14)
	span := func(lo, hi explain.Num, width float64) {
		if l, h := float64(lo), float64(hi); !math.IsNaN(l) && !math.IsNaN(h) {
			d.line(style{stroke: Dark, width: width}, point{p.x(l), y}, point{p.x(h), y})
		}
	}
	span(m.FoldLower, m.FoldUpper, 1.25)
	span(m.Lower, m.Upper, 4)
}

func wordText(m *explain.Importance) string {
	switch s := m.Word(); s {
	case "raises":
		return "▲ raises"
	case "lowers":
		return "▼ lowers"
	default:
		return s
	}
}

func wordColor(m *explain.Importance) string {
	switch m.Word() {
	case "raises":
		return Comparator
	case "lowers":
		return Lowers
	}
	return Muted
}

// RankText writes a rank with the range it has over resamples: "2 (1 to 3)".
func RankText(m *explain.Importance) string {
	one := func(v explain.Num) string {
		if float64(v) == math.Round(float64(v)) {
			return Fixed(float64(v), 0)
		}
		return Fixed(float64(v), 1)
	}
	if math.IsNaN(float64(m.RankLower)) {
		return one(m.Rank)
	}
	return one(m.Rank) + " (" + Fixed(math.Floor(float64(m.RankLower)), 0) + " to " + Fixed(math.Ceil(float64(m.RankUpper)), 0) + ")"
}
