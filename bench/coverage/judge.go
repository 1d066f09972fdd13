package main

import (
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

// width is the mean width over populations.
func (l line) width() float64 {
	w := 0.0
	for _, c := range l.cells {
		w += c.width
	}
	return w
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
	if e.lo <= truth && truth <= e.hi {
		c.covered++
	}
}

func (c *cell) finish() {
	c.coverage = float64(c.covered) / float64(c.n)
	c.lower, c.upper = interval.ClopperPearson(float64(c.covered), float64(c.n), level)
	c.width /= float64(c.n - c.undefined)
	c.bias /= float64(c.n)
}

// kind is what a method needs from a study.
type kind struct {
	rank int
	text string
}

var (
	fromPredictions = kind{0, "held-out predictions only"}
	fromFoldModels  = kind{1, "the fold models' predictions on all rows, and the refitted model's"}
	fromRefits      = kind{2, "models refitted to resamples or sub-samples"}
	neverUsed       = kind{3, "listed for comparison; never chosen"}
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
	case has("Burman"):
		return fromFoldModels
	}
	return fromPredictions
}

// near is the difference in coverage below which the simpler, then the narrower method is
// taken: one Monte Carlo standard error at 1,000 replications.
const near = 0.007

// choose returns the method for a metric: of those that hold in every population (of all,
// when none does) and need no more than most, those within near of the smallest worst
// distance from 95 %; of these the one that needs least, then the narrowest. ok is false when
// nothing holds.
func choose(lines []line, metric int, most kind) (best line, ok bool) {
	var c []line
	for _, l := range lines {
		if l.metric == metric && kindOf(metric, l.method).rank <= most.rank {
			c = append(c, l)
		}
	}
	if len(c) == 0 {
		return line{}, false
	}
	if held := slices.DeleteFunc(slices.Clone(c), func(l line) bool { return !l.holds() }); len(held) > 0 {
		c, ok = held, true
	}
	least := math.Inf(1)
	for _, l := range c {
		least = math.Min(least, l.off())
	}
	c = slices.DeleteFunc(c, func(l line) bool { return l.off() > least+near })
	return slices.MinFunc(c, func(a, b line) int {
		if d := kindOf(metric, a.method).rank - kindOf(metric, b.method).rank; d != 0 {
			return d
		}
		switch {
		case a.width() < b.width():
			return -1
		case a.width() > b.width():
			return 1
		}
		return 0
	}), ok
}
