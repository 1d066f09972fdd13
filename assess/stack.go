package assess

import (
	"slices"
	"strconv"

	"dolor/evaluate"
)

// stack is the predictions of one family under one validation: each row of the data appears
// once a repeat, predicted by the model of one fold. Influence values are per distinct row
// and summed over the rows of a patient before they are squared.
type stack struct {
	cluster []int     // patient of each distinct row
	repeats [][]obs   // observations of each repeat, in row order
	y       []bool    // of each distinct row
	time    []float64 // nil for a binary outcome
	status  []int
}

// obs is one prediction.
type obs struct {
	row  int // index of the distinct row
	fold int
	y    bool
	p    float64
}

func (s *stack) rows() int { return len(s.y) }

func (s *stack) events() int {
	n := 0
	for _, y := range s.y {
		if y {
			n++
		}
	}
	return n
}

// selection picks entries of a predictions table.
type selection struct {
	family, configuration, validation, site string
	rows                                    map[int]bool // nil: all
}

func (s selection) holds(p *evaluate.Predictions, i int) bool {
	return p.Family[i] == s.family && p.Configuration[i] == s.configuration && p.Validation[i] == s.validation &&
		(s.site == "" || p.Site[i] == s.site) && (s.rows == nil || s.rows[p.Row[i]])
}

// stackOf gathers the selected entries. Rows keep the order of first appearance by row
// number, so the result does not depend on the order of folds.
func stackOf(p *evaluate.Predictions, sel selection) *stack {
	var at []int
	for i := range p.Len() {
		if sel.holds(p, i) {
			at = append(at, i)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int {
		if p.Repeat[a] != p.Repeat[b] {
			return p.Repeat[a] - p.Repeat[b]
		}
		return p.Row[a] - p.Row[b]
	})
	s := &stack{}
	index := make(map[int]int)
	patients := make(map[string]int)
	repeat := -1
	for _, i := range at {
		r, ok := index[p.Row[i]]
		if !ok {
			r = len(s.y)
			index[p.Row[i]] = r
			key := "patient " + p.Patient[i]
			if p.Patient[i] == "" {
				key = "row " + strconv.Itoa(p.Row[i])
			}
			c, ok := patients[key]
			if !ok {
				c = len(patients)
				patients[key] = c
			}
			s.cluster = append(s.cluster, c)
			s.y = append(s.y, p.Outcome[i])
			if p.Status[i] >= 0 {
				s.time = append(s.time, p.Time[i])
				s.status = append(s.status, p.Status[i])
			}
		}
		if p.Repeat[i] != repeat {
			repeat = p.Repeat[i]
			s.repeats = append(s.repeats, nil)
		}
		last := len(s.repeats) - 1
		s.repeats[last] = append(s.repeats[last], obs{r, p.Fold[i], p.Outcome[i], p.Probability[i]})
	}
	return s
}

// folds splits the observations of a repeat by fold, in fold order.
func folds(o []obs) [][]obs {
	last := 0
	for _, x := range o {
		last = max(last, x.fold)
	}
	out := make([][]obs, last+1)
	for _, x := range o {
		out[x.fold] = append(out[x.fold], x)
	}
	return slices.DeleteFunc(out, func(f []obs) bool { return len(f) == 0 })
}
