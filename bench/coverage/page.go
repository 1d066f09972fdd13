package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// page is docs/coverage.md.
func (s *simulation) page() []byte {
	var b bytes.Buffer
	put := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	put("# Coverage of the intervals\n")
	put("Written by `make coverage` (seed %d, about ten minutes on two cores); do not edit. Everything here is **simulated**: the true risk of", s.seed)
	put("every patient is known, so it can be counted how often a 95 %% interval holds the true value. A cell **fails**")
	put("when the Monte Carlo interval of its coverage (95 %%, Clopper-Pearson) lies wholly outside %.0f-%.0f %%.\n", 100*coverLow, 100*coverHigh)
	s.used(put)
	s.summary(put)
	s.design(put)
	if s.fixed > 0 {
		put("## (a) One fixed model on new patients\n")
		put("%s replications. Truth: the model's value on %s new patients; by integration in brackets.\n", count(s.fixed), count(s.population))
		put("| | %s |", strings.Join(s.labels(), " | "))
		put("|---|%s", strings.Repeat("---|", len(s.studies)))
		for k := range metrics {
			row := []string{titles[k]}
			for _, st := range s.studies {
				row = append(row, fmt.Sprintf("%.5f (%.5f)", st.drawn[k], st.integrated[k]))
			}
			put("| %s |", strings.Join(row, " | "))
		}
		put("")
		s.tables(put, fixedTruth)
	}
	if s.crossValidated > 0 {
		put("## (b) Cross-validation\n")
		put("%s replications. Each draws a study, cross-validates it and refits the model on all rows. The refitted", count(s.crossValidated))
		put("model's true value differs from study to study; the table gives its mean and standard deviation.\n")
		put("| | %s |", strings.Join(s.labels(), " | "))
		put("|---|%s", strings.Repeat("---|", len(s.studies)))
		for k := range metrics {
			row := []string{titles[k]}
			for _, st := range s.studies {
				row = append(row, fmt.Sprintf("%.4f (SD %.4f)", st.meanTruth[k], st.spreadTruth[k]))
			}
			put("| %s |", strings.Join(row, " | "))
		}
		put("")
		for _, st := range s.studies {
			bad, fits := 0, 0
			for _, x := range st.cvBooks {
				bad, fits = bad+x.separated, fits+x.fits
			}
			put("%s: of %s fits %s had no finite maximum (separation); their last iterate was used, nothing was left out.\n", st.name, count(fits), count(bad))
		}
		put("### Truth (b): the value of the refitted model\n")
		s.tables(put, refitTruth)
		put("### Beside it: the mean over training sets\n")
		put("The same intervals against the mean true value of models fitted to studies of this size.\n")
		s.tables(put, averageTruth)
	}
	put("%s", sources)
	return b.Bytes()
}

func (s *simulation) labels() []string {
	var out []string
	for _, st := range s.studies {
		out = append(out, st.name)
	}
	return out
}

// summary says what is used and where nothing holds.
func (s *simulation) summary(put func(string, ...any)) {
	put("## The best method for each number\n")
	put("Of the methods that hold in both populations, the one with the smallest interval score (width plus a penalty for")
	put("misses; Gneiting and Raftery 2007, doi:10.1198/016214506000001437), or one at most %.0f %% worse that needs less of the", 100*(near-1))
	put("study; under it, what is best with less. Where nothing holds, the nearest to 95 %%, marked so.\n")
	for _, t := range s.truths() {
		lines := s.judge(t.name)
		put("**%s**\n", t.text)
		put("| | best | coverage %s | needs |", strings.Join(s.labels(), " / "))
		put("|---|---|---|---|")
		for k := range metrics {
			l, ok := choose(lines, k, fromRefits)
			put("| %s | %s | %s | %s |", titles[k], l.method+mark(ok), shares(l), needs(t.name, k, l.method))
			if t.name == fixedTruth {
				continue
			}
			last := l.method
			for _, most := range []kind{fromApparent, fromPredictions} {
				if h, held := choose(lines, k, most); h.method != last {
					put("| | with less: %s | %s | %s |", h.method+mark(held), shares(h), kindOf(k, h.method).text)
					last = h.method
				}
			}
		}
		put("")
		if none := s.failing(lines); len(none) > 0 {
			put("No method holds in both populations for: %s.\n", strings.Join(none, "; "))
		} else {
			put("Some method holds in both populations for every number.\n")
		}
	}
}

func (s *simulation) failing(lines []line) []string {
	var none []string
	for k := range metrics {
		l, ok := choose(lines, k, fromRefits)
		if ok {
			continue
		}
		low := slices.ContainsFunc(l.cells, func(c cell) bool { return c.verdict() == "too low" })
		if low {
			none = append(none, titles[k])
		} else {
			none = append(none, titles[k]+" (the nearest covers too often: wider than need be, on the safe side)")
		}
	}
	return none
}

func needs(truth string, metric int, method string) string {
	if truth == fixedTruth {
		return "predictions only"
	}
	return kindOf(metric, method).text
}

func mark(holds bool) string {
	if holds {
		return ""
	}
	return " (**does not hold**)"
}

func shares(l line) string {
	var out []string
	for _, c := range l.cells {
		out = append(out, fmt.Sprintf("%.1f %%", 100*c.coverage))
	}
	return strings.Join(out, " / ")
}

type truth struct{ name, text string }

func (s *simulation) truths() []truth {
	var out []truth
	if s.fixed > 0 {
		out = append(out, truth{fixedTruth, "(a) One fixed model on new patients"})
	}
	if s.crossValidated > 0 {
		out = append(out, truth{refitTruth, "(b) Cross-validation, truth: the refitted model on new patients"},
			truth{averageTruth, "(b) Cross-validation, truth: the mean over training sets"})
	}
	return out
}

// tables has one table a metric.
func (s *simulation) tables(put func(string, ...any), truth string) {
	lines := s.judge(truth)
	for k := range metrics {
		put("#### %s\n", titles[k])
		head := []string{"method"}
		for _, st := range s.studies {
			head = append(head, fmt.Sprintf("n = %d: coverage (Monte Carlo) | width | bias | ", st.n))
		}
		put("| %s |", strings.Join(head, " | "))
		put("|---|%s", strings.Repeat("---|", 4*len(s.studies)))
		for _, l := range lines {
			if l.metric != k {
				continue
			}
			row := []string{strings.ReplaceAll(l.method, "+-", "±")}
			for _, c := range l.cells {
				row = append(row, fmt.Sprintf("%.1f (%.1f-%.1f) | %s | %s | %s", 100*c.coverage, 100*c.lower, 100*c.upper,
					digits(c.width), signed(c.bias), c.mark()))
			}
			put("| %s |", strings.Join(row, " | "))
		}
		put("")
	}
}

// mark is the verdict with the undefined intervals, which count as misses.
func (c cell) mark() string {
	v := c.verdict()
	if v != "holds" {
		v = "**fails**, " + v
	}
	if c.undefined > 0 {
		v += "; " + strconv.Itoa(c.undefined) + " undefined"
	}
	return v
}

func digits(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

func signed(v float64) string { return fmt.Sprintf("%+.4f", v) }

// count writes a whole number with thousands separated.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// choice is one line of coverage.json.
type choice struct {
	Truth      string       `json:"truth"` // fixed, refit or average
	Metric     string       `json:"metric"`
	AtMost     string       `json:"needs_at_most"` // what the method may need of the study
	Method     string       `json:"method"`
	Holds      bool         `json:"holds"`
	Coverage   []float64    `json:"coverage"` // by population
	MonteCarlo [][2]float64 `json:"monte_carlo"`
	Width      []float64    `json:"width"`
}

// population describes where coverage was counted.
type population struct {
	N          int     `json:"n"`
	Prevalence float64 `json:"prevalence"`
}

// table is coverage.json: what to use for each number, and whether it holds.
func (s *simulation) table() ([]byte, error) {
	out := struct {
		Simulated    bool         `json:"simulated"`
		Seed         uint64       `json:"seed"`
		Level        float64      `json:"level"`
		Replications [2]int       `json:"replications"` // fixed, cross-validated
		Populations  []population `json:"populations"`
		Choices      []choice     `json:"choices"`
	}{Simulated: true, Seed: s.seed, Level: level, Replications: [2]int{s.fixed, s.crossValidated}}
	for _, st := range s.studies {
		out.Populations = append(out.Populations, population{st.n, st.prevalence})
	}
	for _, t := range s.truths() {
		lines := s.judge(t.name)
		for k := range metrics {
			for _, most := range []kind{fromPredictions, fromApparent, fromRefits} {
				l, ok := choose(lines, k, most)
				c := choice{Truth: t.name, Metric: names[k], AtMost: most.text, Method: l.method, Holds: ok}
				if t.name == fixedTruth {
					if most != fromPredictions {
						continue
					}
					c.AtMost = "predictions only"
				}
				for _, x := range l.cells {
					c.Coverage = append(c.Coverage, x.coverage)
					c.MonteCarlo = append(c.MonteCarlo, [2]float64{x.lower, x.upper})
					c.Width = append(c.Width, x.width)
				}
				out.Choices = append(out.Choices, c)
			}
		}
	}
	b, err := json.MarshalIndent(out, "", "  ")
	return append(b, '\n'), err
}
