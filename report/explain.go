package report

import (
	"fmt"

	"dolor/explain"
	"dolor/figure"
)

// explained is the attributions of one family under one validation.
type explained struct {
	Title, Sub string
	Note       string // why there are none
	Rows       []allRow
	Levels     []allRow
	Stability  string
}

// explanations writes what each family's predictions rest on: what the numbers mean first, then the
// numbers.
func (b *builder) explanations(p *page) {
	for i := range b.r.Attributions {
		s := &b.r.Attributions[i]
		e := explained{Title: figure.FamilyName(s.Family) + ", " + figure.ValidationName(s.Validation), Note: s.Note}
		if len(s.Predictors) > 0 {
			e.Sub = fmt.Sprintf("Scale: %s. Background: %s. Averaging: %s. Base: %s, mean over %d rows.",
				s.ScaleText(), s.Background, s.Averaging, figure.Fixed(float64(s.Base), 3), s.N)
			e.Stability = stabilityText(s)
		}
		for k := range s.Predictors {
			b.predictor(&e, s, &s.Predictors[k])
		}
		p.Explained = append(p.Explained, e)
	}
}

func (b *builder) predictor(e *explained, s *explain.Summary, m *explain.Importance) {
	scale := figure.Scale{Digits: 3, Factor: 1, Reference: 0}
	est, ci := scale.Format(float64(m.MeanAbs), float64(m.Lower), float64(m.Upper))
	folds := cell{Text: "one fit"}
	if s.FoldMethod != "" {
		_, between := scale.Format(float64(m.MeanAbs), float64(m.FoldLower), float64(m.FoldUpper))
		folds = cell{Text: between, Mark: b.mark(s.FoldMethod)}
	}
	direction := cell{Text: m.Word()}
	if m.Direction == m.Direction {
		r, ri := figure.Scale{Digits: 2, Factor: 1, Signed: true, Reference: 0}.Format(float64(m.Direction), float64(m.DirectionLower), float64(m.DirectionUpper))
		direction.Text, direction.Interval = m.Word()+", "+r, ri
	}
	e.Rows = append(e.Rows, allRow{Name: m.Predictor, Cells: []cell{
		{Text: est, Interval: ci, Mark: b.mark(s.Method)}, folds, direction, {Text: figure.RankText(m)},
	}})
	for _, l := range m.Levels {
		mean, li := figure.Scale{Digits: 3, Factor: 1, Signed: true, Reference: 0}.Format(float64(l.Mean), float64(l.Lower), float64(l.Upper))
		e.Levels = append(e.Levels, allRow{Name: m.Predictor + " = " + l.Level, Cells: []cell{{Text: mean, Interval: li}, {Text: figure.Small(l.N)}}})
	}
}

// stabilityText says how far the order can be relied on.
func stabilityText(s *explain.Summary) string {
	st := s.Stability
	out := fmt.Sprintf("Ranking when patients are resampled: mean rank correlation %s, share of the first %d kept %s.",
		figure.Fixed(float64(st.RankCorrelation), 2), st.Top, figure.Percent(float64(st.BootOverlap), 0))
	if s.Fits > 1 {
		out = fmt.Sprintf("Ranking between the %d fits: Kendall’s W %s, share of the first %d that two fits have in common %s. ",
			s.Fits, figure.Fixed(float64(st.KendallW), 2), st.Top, figure.Percent(float64(st.FoldOverlap), 0)) + out
	}
	return out
}
