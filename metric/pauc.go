package metric

import (
	"math"

	"dolor/diag"
)

// PartialAUC is the area under a band of the ROC curve.
type PartialAUC struct {
	Area         Estimate // between 0 and the width of the band, "partial_auc"
	Standardised Estimate // McClish: 1 is perfect, 0.5 is chance, "partial_auc_standardised"
	OverWidth    Estimate // mean sensitivity (or specificity) within the band, "partial_auc_mean"
	SE           float64  // of Area
}

// PartialAUCSpecificity returns the area over specificities from lo to hi (0.8 to 1, say), by
// the trapezoid rule with linear interpolation at the ends; standardised as in McClish 1989
// (doi:10.1177/0272989X8900900307). The interval comes from the influence function of the
// empirical curve, which allows for the estimated cut (He and Escobar 2008,
// Statistics in Medicine 27:5291-5308), on the logit scale of area over width ("influence, logit"). One class
// gives NaN with the reason.
func PartialAUCSpecificity(d Data, lo, hi, level float64) (PartialAUC, error) {
	if err := bandFault("specificity", lo, hi); err != nil {
		return PartialAUC{}, err
	}
	if err := levelFault(level); err != nil {
		return PartialAUC{}, err
	}
	s, err := NewSorted(d)
	if err != nil {
		return PartialAUC{}, err
	}
	return s.partial(1-hi, 1-lo, level), nil
}

// PartialAUCSensitivity returns the area over sensitivities from lo to hi: the mean
// specificity there times the width. It is [PartialAUCSpecificity] with the classes and the
// order of scores exchanged.
func PartialAUCSensitivity(d Data, lo, hi, level float64) (PartialAUC, error) {
	if err := bandFault("sensitivity", lo, hi); err != nil {
		return PartialAUC{}, err
	}
	if err := levelFault(level); err != nil {
		return PartialAUC{}, err
	}
	m := Data{Y: make([]bool, len(d.Y)), P: make([]float64, len(d.P)), W: d.W}
	for i, y := range d.Y {
		m.Y[i] = !y
	}
	for i, p := range d.P {
		m.P[i] = -p
	}
	s, err := NewSorted(m)
	if err != nil {
		return PartialAUC{}, err
	}
	return s.partial(1-hi, 1-lo, level), nil
}

func bandFault(field string, lo, hi float64) error {
	if lo >= 0 && lo < hi && hi <= 1 {
		return nil
	}
	return diag.Errorf(diag.Invalid, field, "expected a band within 0 to 1 with its start below its end, got %g to %g", lo, hi)
}

// partial returns the area over false positive rates from f1 to f2.
func (s *Sorted) partial(f1, f2, level float64) PartialAUC {
	if r := s.why(); r != "" {
		nan := math.NaN()
		return PartialAUC{
			Area:         undefined("partial_auc", nan, level, r),
			Standardised: undefined("partial_auc_standardised", nan, level, r),
			OverWidth:    undefined("partial_auc_mean", nan, level, r), SE: nan,
		}
	}
	hi, lo := s.areaTo(f2), s.areaTo(f1)
	area, width := hi.area-lo.area, f2-f1
	var v1, v0 runSum
	x, t := 0.0, 0.0 // FPR and TPR before the group
	var cum runSum   // in the order of tally, so that the last FPR is exactly 1
	for g, p := range s.pos {
		q := s.neg[g]
		cum.add(q)
		next := cum.sum() / s.wneg
		dt := p / s.wpos
		if p > 0 {
			e := eventPlacement(x, next, f2) - eventPlacement(x, next, f1) - area
			v1.add(s.pos2[g] * e * e)
		}
		if q > 0 {
			e := hi.otherPlacement(x, next, t, dt) - lo.otherPlacement(x, next, t, dt) - area
			v0.add(s.neg2[g] * e * e)
		}
		x, t = next, t+dt
	}
	se := math.Sqrt(classVariance(v1.sum(), s.wpos, s.rows1) + classVariance(v0.sum(), s.wneg, s.rows0))
	method := "influence, logit"
	l, u := logitLimits(area/width, se/width, level)
	if math.IsNaN(l) {
		method = "not estimable: area at its limit or one row in a class"
	}
	// McClish: (1 + (A - min)/(max - min))/2, min the area of chance, max the width.
	chance := width * (f1 + f2) / 2
	standard := func(a float64) float64 { return (1 + (a-chance)/(width-chance)) / 2 }
	make3 := func(name string, f func(float64) float64) Estimate {
		return Estimate{
			Name: name, Threshold: math.NaN(), Value: f(area), Lower: f(l * width), Upper: f(u * width),
			Level: level, Method: method,
		}
	}
	return PartialAUC{
		Area:         make3("partial_auc", func(a float64) float64 { return a }),
		Standardised: make3("partial_auc_standardised", standard),
		OverWidth:    make3("partial_auc_mean", func(a float64) float64 { return a / width }),
		SE:           se,
	}
}

// leftArea is the area over false positive rates from 0 to f, and the curve's height at f.
type leftArea struct{ f, area, height float64 }

func (s *Sorted) areaTo(f float64) leftArea {
	if f <= 0 {
		return leftArea{}
	}
	var area, cum runSum
	x, t := 0.0, 0.0
	for g, p := range s.pos {
		cum.add(s.neg[g])
		next := cum.sum() / s.wneg
		dx, dt := next-x, p/s.wpos
		if dx > 0 && next >= f && f < 1 {
			end := t + dt*(f-x)/dx
			area.add((f - x) * (t + end) / 2)
			return leftArea{f, area.sum(), end}
		}
		area.add(dx * (t + dt/2))
		x, t = next, t+dt
	}
	return leftArea{f, area.sum(), t}
}

// eventPlacement is the share of [0, f] over which an event in a tied group that spans false
// positive rates x to next is found, the group's step taken as a straight line.
func eventPlacement(x, next, f float64) float64 {
	switch {
	case f <= x:
		return 0
	case f >= next:
		return f - (x+next)/2
	}
	return (f - x) * (f - x) / (2 * (next - x))
}

// otherPlacement is the influence of a non-event in a group from (x, t) to (next, t+dt), plus the
// area: its height less that at f when it lies left of f, and the constant f height(f).
func (a leftArea) otherPlacement(x, next, t, dt float64) float64 {
	base := a.f * a.height
	switch {
	case a.f <= x:
		return base
	case a.f >= next:
		return base + t + dt/2 - a.height
	}
	return base + (a.f-x)/(next-x)*((t+a.height)/2-a.height)
}
