package explain

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/glm"
)

// Waterfall is one row's prediction in parts.
type Waterfall struct {
	About
	Row   string  `json:"row"` // number or name of the row
	Base  float64 `json:"base"`
	Score float64 `json:"score"` // base plus all parts
	// Before is the probability of Score, Probability what the recalibration makes of it.
	Before      Num    `json:"probability_before_recalibration"`
	Probability Num    `json:"probability"`
	Parts       []Part `json:"parts"` // by falling size
}

// Part is what one predictor adds.
type Part struct {
	Predictor string  `json:"predictor"`
	Value     string  `json:"value"` // with its unit; "missing"
	Phi       float64 `json:"attribution"`
}

// Waterfall returns the parts of row i (from 0), called name, whose predictors are in x and whose
// probability after recalibration is p. Errors: Invalid for a row that is not there.
func (a *Attributions) Waterfall(x *frame.Frame, i int, name string, p float64) (*Waterfall, error) {
	if i < 0 || i >= len(a.Base) || x.Rows() != len(a.Base) {
		return nil, diag.Errorf(diag.Invalid, "row", "expected a row from 1 to %d, got %d", len(a.Base), i+1)
	}
	w := &Waterfall{About: a.About, Row: name, Base: a.Base[i], Score: a.Base[i], Probability: Num(p)}
	for j, v := range a.Phi.Row(i) {
		w.Score += v
		part := Part{Predictor: a.Phi.Names[j], Phi: v}
		if c, ok := x.Column(part.Predictor); ok {
			part.Value = valueText(c, i)
		}
		w.Parts = append(w.Parts, part)
	}
	if w.Before = Num(w.Score); a.Scale == LogOdds {
		w.Before = Num(glm.Expit(w.Score))
	}
	slices.SortStableFunc(w.Parts, func(a, b Part) int { return cmp.Compare(math.Abs(b.Phi), math.Abs(a.Phi)) })
	return w, nil
}

func valueText(c frame.Column, i int) string {
	switch {
	case c.IsMissing(i):
		return "missing"
	case c.Kind == frame.Number:
		s := strconv.FormatFloat(c.Numbers()[i], 'g', 4, 64)
		if v := math.Abs(c.Numbers()[i]); v >= 1e4 && v < 1e9 {
			s = strconv.FormatFloat(c.Numbers()[i], 'f', 0, 64)
		}
		if c.Unit != "" && c.Unit != "1" {
			s += " " + c.Unit
		}
		return s
	}
	s, _ := c.String(i)
	return s
}
