package explain

import (
	"slices"

	"dolor/frame"
)

// DependencePlot is the attributions of one predictor against its values, coloured by another.
type DependencePlot struct {
	About
	Predictor string
	Unit      string
	Levels    []string  // of a category; then X holds codes
	X         []float64 // NaN missing
	Phi       []float64
	Partner   *Partner // nil: no other predictor
	Class     []int    // of the partner's value, as in [Classes]; nil without a partner
	Low, High string   // the partner's values at the ends of its classes, "" for an unordered category
	// PartnerLevels of an unordered category, PartnerCode the level of each row.
	PartnerLevels []string
	PartnerCode   []int32
}

// DependencePlot returns the points of one predictor, coloured by partner (nil: by nothing).
func (a *Attributions) DependencePlot(x *frame.Frame, name string, partner *Partner) (*DependencePlot, error) {
	j := slices.Index(a.Phi.Names, name)
	c, ok := x.Column(name)
	if !ok || j < 0 {
		return nil, x.NoColumn(name)
	}
	d := &DependencePlot{About: a.About, Predictor: name, Unit: c.Unit, Levels: c.Levels, Partner: partner}
	for i := range a.Phi.Rows {
		v := nan
		switch {
		case c.IsMissing(i):
		case c.Kind == frame.Category:
			v = float64(c.Codes()[i])
		case c.Kind == frame.Number:
			v = c.Numbers()[i]
		}
		d.X, d.Phi = append(d.X, v), append(d.Phi, a.Phi.Data[i*a.Phi.Cols+j])
	}
	if partner == nil {
		return d, nil
	}
	p, ok := x.Column(partner.Predictor)
	if !ok {
		return nil, x.NoColumn(partner.Predictor)
	}
	var ordered bool
	if d.Class, ordered = Classes(p); !ordered {
		d.PartnerLevels, d.PartnerCode = p.Levels, p.Codes()
		return d, nil
	}
	lo, hi := -1, -1
	value := func(i int) float64 {
		if p.Kind == frame.Category {
			return float64(p.Codes()[i])
		}
		return p.Numbers()[i]
	}
	for i := range p.Len() {
		if p.IsMissing(i) {
			continue
		}
		if lo < 0 || value(i) < value(lo) {
			lo = i
		}
		if hi < 0 || value(i) > value(hi) {
			hi = i
		}
	}
	if lo >= 0 {
		d.Low, d.High = valueText(p, lo), valueText(p, hi)
	}
	return d, nil
}
