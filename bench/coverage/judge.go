package main

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"dolor/internal/interval"
)

// The truths a number is held against.
const (
	fixedTruth   = "fixed"   // one fixed model on new patients
	refitTruth   = "refit"   // the model refitted on all rows, on new patients
	averageTruth = "average" // the mean of the refitted models' values over training sets
)

// cell is one method for one metric in one population against one truth.
type cell struct {
	n, covered, undefined  int
	coverage, lower, upper float64 // with the Monte Carlo interval (Clopper-Pearson)
	width, bias            float64 // means; width over defined intervals
	score                  float64 // mean interval score of defined intervals; smaller is better
}

// The share of replications that an interval at 95 % should cover.
const coverLow, coverHigh = 0.93, 0.97

// verdict is "holds", "too low" or "too high".
func (c cell) verdict() string {
	switch {
	case c.upper < coverLow:
		return "too low"
	case c.lower > coverHigh:
		return "too high"
	}
	return "holds"
}

// line is one method for one metric in every population.
type line struct {
	metric int
	method string
	cells  []cell
}

func (l line) holds() bool {
	return !slices.ContainsFunc(l.cells, func(c cell) bool { return c.verdict() != "holds" })
}

// off is the largest distance of the coverage from 95 %.
func (l line) off() float64 {
	d := 0.0
	for _, c := range l.cells {
		d = math.Max(d, math.Abs(c.coverage-level))
	}
	return d
}

// score is the product of the interval scores, so that populations of different size weigh
// alike (Gneiting and Raftery 2007, doi:10.1198/016214506000001437): it asks for intervals
// that are short and hold the truth, and is smallest at the right coverage.
func (l line) score() float64 {
	s := 1.0
	for _, c := range l.cells {
		s *= c.score
	}
	return s
}

// judge counts coverage of every method against one truth.
func (s *simulation) judge(truth string) []line {
	var lines []line
	for j, st := range s.studies {
		books := st.cvBooks
		if truth == fixedTruth {
			books = st.fixedBooks
		}
		for i, b := range books {
			target := st.meanTruth
			switch truth {
			case fixedTruth:
				target = st.drawn
			case refitTruth:
				target = b.truth
			}
			for k, e := range b.entries {
				if i == 0 && j == 0 {
					lines = append(lines, line{e.metric, e.method, make([]cell, len(s.studies))})
				}
				lines[k].cells[j].count(e, target[e.metric])
			}
		}
	}
	for _, l := range lines {
		for j := range l.cells {
			l.cells[j].finish()
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		if a.metric != b.metric {
			return a.metric - b.metric
		}
		return kindOf(a.metric, a.method).rank - kindOf(b.metric, b.method).rank
	})
	return lines
}

// count adds one interval; an undefined one covers nothing.
func (c *cell) count(e entry, truth float64) {
	c.n++
	if !math.IsNaN(e.est) {
		c.bias += e.est - truth
	}
	if !e.defined {
		c.undefined++
		return
	}
	c.width += e.hi - e.lo
	c.score += e.hi - e.lo + 2/(1-level)*math.Max(0, math.Max(e.lo-truth, truth-e.hi))
	if e.lo <= truth && truth <= e.hi {
		c.covered++
	}
}

func (c *cell) finish() {
	c.coverage = float64(c.covered) / float64(c.n)
	c.lower, c.upper = interval.ClopperPearson(float64(c.covered), float64(c.n), level)
	c.width /= float64(c.n - c.undefined)
	c.score /= float64(c.n - c.undefined)
	c.bias /= float64(c.n)
}

// kind is what a method needs from a study.
type kind struct {
	rank int
	text string
}

var (
	fromPredictions = kind{0, "held-out predictions only"}
	fromApparent    = kind{1, "held-out predictions, and the refitted model's on the same rows"}
	fromFoldModels  = kind{2, "every fold model's predictions on all rows, and the refitted model's"}
	fromRefits      = kind{3, "models refitted to resamples or sub-samples"}
	neverUsed       = kind{4, "listed for comparison; never chosen"}
)

// kindOf sorts the methods. Never chosen: an AUC on scores pooled over folds, which compares
// scores of different models, and spreads that are no confidence interval.
func kindOf(metric int, method string) kind {
	has := func(p string) bool { return strings.HasPrefix(method, p) }
	switch {
	case method == "fold mean +- SD", method == "fold mean +- 1.96 SD", metric == auc && has("as one fixed model, pooled"):
		return neverUsed
	case has("optimism"), has("out-of-bag"), has("bootstrapped"), has("nested"), strings.Contains(method, "between training sets"):
		return fromRefits
	case has("cross-validation,"):
		return fromApparent
	case has("Burman"):
		return fromFoldModels
	}
	return fromPredictions
}

// near is how much worse in interval score (5 %) a method may be to be preferred because it
// needs less; within tie (1 %) of equal needs the first listed is taken.
const near, tie = 1.05, 1.01

// choose returns the method for a metric that needs no more than most. Of those that hold in
// every population it takes the one with the smallest interval score, or one within near of it
// that needs less of the study. When none holds it takes the nearest to 95 %, and ok is false.
func choose(lines []line, metric int, most kind) (best line, ok bool) {
	var c, held []line
	for _, l := range lines {
		if l.metric == metric && kindOf(metric, l.method).rank <= most.rank {
			c = append(c, l)
			if l.holds() {
				held = append(held, l)
			}
		}
	}
	if len(c) == 0 {
		return line{}, false
	}
	if len(held) == 0 {
		return slices.MinFunc(c, func(a, b line) int {
			return cmp.Or(cmp.Compare(a.off(), b.off()), cmp.Compare(a.score(), b.score()))
		}), false
	}
	within := func(c []line, factor float64) []line {
		least := math.Inf(1)
		for _, l := range c {
			least = math.Min(least, l.score())
		}
		limit := least * math.Pow(factor, float64(len(c[0].cells)))
		return slices.DeleteFunc(slices.Clone(c), func(l line) bool { return l.score() > limit })
	}
	held = within(held, near)
	rank := kindOf(metric, held[0].method).rank // lines are sorted by what they need
	held = slices.DeleteFunc(held, func(l line) bool { return kindOf(metric, l.method).rank > rank })
	return within(held, tie)[0], true
}
