package study

import (
	"fmt"
	"math"
	"slices"

	"dolor/assess"
	"dolor/evaluate"
	"dolor/model"
	"dolor/pool"
	"dolor/preprocess"
)

// equationOf writes a final model as a sum of terms, with the intervals its family gives,
// pooled by Rubin's rules over imputations; nil for a family that is no sum. parameters is
// how many candidate parameters the model chose from.
func equationOf(f *evaluate.Fitted) (e *assess.Equation, parameters int) {
	parameters = len(f.Members[0].Chain.Output())
	first, ok := f.Members[0].Model.(model.Equation)
	if !ok {
		return nil, parameters
	}
	e = &assess.Equation{Family: f.Family.Name, Scale: "log-odds", Calibration: f.Calibration.Name()}
	if c, ok := f.Members[0].Chain.(*preprocess.Fitted); ok {
		for i := range c.Len() {
			name, _ := c.At(i)
			e.Steps = append(e.Steps, name)
		}
	}
	units := make(map[string]string)
	for _, field := range f.Members[0].Chain.Output() {
		units[field.Name] = field.Unit
	}
	terms := first.Terms()
	if len(f.Members) > 1 {
		terms = pooledTerms(f)
		e.Note = fmt.Sprintf("pooled over %d imputations by Rubin's rules; predictions average the log-odds of the imputations", len(f.Members))
	}
	for _, t := range terms {
		term := assess.TermOf(t)
		term.Unit = units[t.Name]
		e.Terms = append(e.Terms, term)
	}
	return e, parameters
}

// pooledTerms applies Rubin's rules term by term; a term absent from an imputation (its
// column did not arise there) counts as 0 without variance and so has no interval.
func pooledTerms(f *evaluate.Fitted) []model.Term {
	var names []string
	byName := make([]map[string]model.Term, len(f.Members))
	for k, m := range f.Members {
		byName[k] = make(map[string]model.Term)
		eq, ok := m.Model.(model.Equation)
		if !ok {
			return nil
		}
		for _, t := range eq.Terms() {
			byName[k][t.Name] = t
			if !slices.Contains(names, t.Name) {
				names = append(names, t.Name)
			}
		}
	}
	out := make([]model.Term, 0, len(names))
	for _, name := range names {
		est, se := make([]float64, len(f.Members)), make([]float64, len(f.Members))
		complete := true
		for k := range f.Members {
			t, ok := byName[k][name]
			complete = complete && ok && !math.IsNaN(t.SE)
			est[k], se[k] = t.Estimate, t.SE
		}
		t := model.Term{Name: name, SE: math.NaN(), Lower: math.NaN(), Upper: math.NaN(), P: math.NaN(), Method: "rubin"}
		if r, err := pool.Rubin(est, se, math.Inf(1), 0.95); err == nil && complete {
			t.Estimate, t.SE, t.Lower, t.Upper, t.P = r.Estimate, r.SE, r.Lower, r.Upper, r.P
		} else {
			for _, v := range est {
				t.Estimate += v / float64(len(est))
			}
		}
		out = append(out, t)
	}
	return out
}
