package figure

import (
	"fmt"
	"math"
	"strings"

	"dolor/assess"
	"dolor/explain"
)

// The colours of a predictor's value from its lowest to its highest fifth.
func valueColors() [5]string { return [5]string{Lowers, LowValue, MidValue, HighValue, Comparator} }

// attributed draws the primary family's attributions under each validation that has some, first the
// internal one; where there are none, one empty figure that says why.
func attributed(name string, draw func(*explain.Summary) Figure) func(*assess.Results) []Figure {
	return func(r *assess.Results) []Figure {
		var out []Figure
		for i := range r.Attributions {
			s := &r.Attributions[i]
			if s.Family != r.Primary {
				continue
			}
			f := draw(s)
			f.View = View{Validation: s.Validation}
			f.Name = name + "-" + f.View.String()
			out = append(out, f)
		}
		if len(out) == 0 {
			f := emptyFigure("Attributions "+Undefined, "the run recorded none for "+orUnnamed(r.Primary), false)
			f.Name, f.Kind = name, name
			out = append(out, f)
		}
		return out
	}
}

func orUnnamed(family string) string {
	if family == "" {
		return "the primary family"
	}
	return FamilyName(family)
}

// noAttributions is the frame of a summary without numbers.
func noAttributions(name string, s *explain.Summary) Figure {
	why := s.Note
	if why == "" {
		why = "no row was explained"
	}
	f := emptyFigure("Attributions "+Undefined, why, false)
	f.Name, f.Kind = name, name
	return f
}

// aboutLines says what the numbers of a figure mean: scale, background and averaging.
func aboutLines(d *Drawing, a explain.About, w float64) []string {
	var out []string
	for _, l := range []string{"Scale: " + a.ScaleText() + ".", "Background: " + a.Background + ".", "Averaging: " + a.Averaging + "."} {
		out = append(out, d.faces.wrap(l, sizeTick, false, w)...)
	}
	return out
}

// about writes them below y and returns where the drawing ends.
func (d *Drawing) about(a explain.About, y, w float64) float64 {
	for _, l := range aboutLines(d, a, w-4) {
		d.text(label{color: Muted, size: sizeTick}, 2, y, l)
		y += 15
	}
	return y - 4
}

// weighsMost names the predictors whose rank may be the first.
func weighsMost(s *explain.Summary) string {
	var first []string
	for _, m := range s.Predictors {
		if m.MeanAbs > 0 && m.RankLower <= 1.5 {
			first = append(first, m.Predictor)
		}
	}
	switch {
	case len(s.Predictors) == 0 || s.Predictors[0].MeanAbs == 0:
		return "No predictor moves the prediction"
	case len(first) == 1:
		return first[0] + " weighs most"
	case len(first) == 2 || len(first) == 3:
		return strings.Join(first[:len(first)-1], ", ") + " and " + first[len(first)-1] + " weigh most; which of them leads is not settled"
	}
	return "No predictor can be told to weigh most"
}

func meanAbsText(m *explain.Importance) string {
	digits := attributionDigits(float64(m.MeanAbs))
	if math.IsNaN(float64(m.Lower)) || math.IsNaN(float64(m.Upper)) {
		return Fixed(float64(m.MeanAbs), digits)
	}
	return Fixed(float64(m.MeanAbs), digits) + " (" + Fixed(float64(m.Lower), digits) + " to " + Fixed(float64(m.Upper), digits) + ")"
}

// attributionDigits gives two digits, three where the number is under a tenth.
func attributionDigits(v float64) int {
	if math.Abs(v) < 0.0995 {
		return 3
	}
	return 2
}

// shareOut rounds counts to dots: one dot for at most k patients, so that none disappears.
func shareOut(n, k int) int { return (n + k - 1) / k }

func patientsText(s *explain.Summary) string {
	t := fmt.Sprintf("n %d", s.Patients)
	if s.N != s.Patients {
		t += fmt.Sprintf(", %d rows", s.N)
	}
	return t
}

// signAxis draws the vertical grid of an attribution axis with its labels and heads.
func signAxis(d *Drawing, p plane, head, foot float64, name string) {
	step := niceStep(p.xmax-p.xmin, max(3, int((p.right-p.left)/70)))
	digits := decimals(step)
	for k := math.Ceil(p.xmin / step); k*step <= p.xmax+1e-9; k++ {
		v := k * step
		st := style{stroke: Rule, width: 1}
		if k == 0 {
			st.stroke = Reference
		}
		d.line(st, point{p.x(v), p.top}, point{p.x(v), p.bottom})
		s := Signed(v, digits)
		if half := d.faces.width(s, sizeTick, false) / 2; p.x(v)-half >= 0 && p.x(v)+half <= d.W {
			d.text(label{color: Muted, size: sizeTick, anchor: middle}, p.x(v), p.bottom+17, s)
		}
	}
	lowers, raises := "← lowers risk", "raises risk →"
	zero := p.x(0)
	lw, rw := d.faces.width(lowers, sizeTick, false), d.faces.width(raises, sizeTick, false)
	switch {
	case zero-7-lw >= p.left-40 && zero+7+rw <= p.right+10:
		d.text(label{color: Muted, size: sizeTick, anchor: end}, zero-7, head, lowers)
		d.text(label{color: Muted, size: sizeTick}, zero+7, head, raises)
	default:
		d.text(label{color: Muted, size: sizeTick}, p.left, head, lowers)
		d.text(label{color: Muted, size: sizeTick, anchor: end}, p.right, head, raises)
	}
	d.text(label{color: Muted, size: sizeTick, anchor: middle}, (p.left+p.right)/2, foot, name)
}

// typeset gives a number in text its minus sign.
func typeset(value string) string {
	if rest, ok := strings.CutPrefix(value, "-"); ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		return minus + rest
	}
	return value
}

// nameAt writes a predictor's name so that it ends at x, on two lines when one is too short.
func (d *Drawing) nameAt(x, y, w float64, name string) {
	lines := d.faces.wrap(name, sizeLabel, false, w)
	if len(lines) == 1 {
		d.text(label{anchor: end}, x, y+4, lines[0])
		return
	}
	d.text(label{anchor: end}, x, y-3, lines[0])
	d.text(label{anchor: end}, x, y+12, d.faces.fit(strings.Join(lines[1:], " "), sizeLabel, false, w))
}
