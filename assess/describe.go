package assess

import (
	"math"
	"slices"
	"strconv"

	"dolor/frame"
	"dolor/internal/quant"
	"dolor/metric"
)

// describe fills Table 1 (by outcome, and by site when there are several), the missingness
// map and the ends of the flow.
func describe(in *Input, r *Results) {
	y, _ := in.Frame.Column(in.Keys.Outcome)
	byOutcome := make([]int, r.N)
	for i, v := range y.Numbers() {
		byOutcome[i] = int(v)
	}
	r.Table1 = append(r.Table1, tableOne(in, "outcome", []string{"no event", "event"}, byOutcome))
	sites, bySite := []string{"all"}, make([]int, r.N)
	if c, ok := in.Frame.Column(in.Keys.Site); ok {
		sites = distinct(c, math.MaxInt)
		index := make(map[string]int)
		for k, s := range sites {
			index[s] = k
		}
		for i := range r.N {
			s, _ := c.String(i)
			bySite[i] = index[s]
		}
		if len(sites) > 1 {
			r.Table1 = append(r.Table1, tableOne(in, "site", sites, bySite))
		}
	}
	r.Missingness = Missingness{Predictors: in.Predictors, Sites: sites, N: make([]int, len(sites))}
	events := make([]int, len(sites))
	for i, k := range bySite {
		r.Missingness.N[k]++
		events[k] += byOutcome[i]
	}
	for _, name := range in.Predictors {
		c, _ := in.Frame.Column(name)
		counts := make([]int, len(sites))
		for i, k := range bySite {
			if c.IsMissing(i) {
				counts[k]++
			}
		}
		r.Missingness.Missing = append(r.Missingness.Missing, counts)
	}
	for k, s := range sites {
		if s == "all" {
			s = "All patients"
		}
		r.FlowEnds = append(r.FlowEnds, FlowEnd{Label: s, N: r.Missingness.N[k], Events: events[k]})
	}
}

// tableOne describes every predictor by group.
func tableOne(in *Input, by string, groups []string, of []int) Table1 {
	t := Table1{By: by, Groups: groups, N: make([]int, len(groups))}
	for _, g := range of {
		t.N[g]++
	}
	for _, name := range in.Predictors {
		c, _ := in.Frame.Column(name)
		missing := make([]int, len(groups))
		for i, g := range of {
			if c.IsMissing(i) {
				missing[g]++
			}
		}
		row := Table1Row{Variable: name, Unit: c.Unit, Modality: c.Modality, Missing: missing, SMD: Num(largestSMD(c, of, len(groups)))}
		if c.Kind == frame.Number {
			for g := range groups {
				v := presentIn(c, of, g)
				row.Cells = append(row.Cells, Table1Cell{
					Median: Num(quantile7(v, 0.5)), Q1: Num(quantile7(v, 0.25)), Q3: Num(quantile7(v, 0.75)),
					Count: len(v), Share: Num(math.NaN()),
				})
			}
			t.Rows = append(t.Rows, row)
			continue
		}
		for range groups { // the levels below carry the numbers
			nan := Num(math.NaN())
			row.Cells = append(row.Cells, Table1Cell{Median: nan, Q1: nan, Q3: nan, Share: nan})
		}
		t.Rows = append(t.Rows, row)
		for l, level := range c.Levels {
			lr := Table1Row{Variable: name, Level: level, Modality: c.Modality, SMD: Num(math.NaN())}
			for g := range groups {
				n, k := 0, 0
				for i, x := range c.Codes() {
					if of[i] == g && x >= 0 {
						n++
						if int(x) == l {
							k++
						}
					}
				}
				share := math.NaN()
				if n > 0 {
					share = float64(k) / float64(n)
				}
				lr.Cells = append(lr.Cells, Table1Cell{Count: k, Share: Num(share), Median: Num(math.NaN()), Q1: Num(math.NaN()), Q3: Num(math.NaN())})
			}
			t.Rows = append(t.Rows, lr)
		}
	}
	return t
}

// largestSMD is the largest absolute standardised difference between two groups.
func largestSMD(c frame.Column, of []int, groups int) float64 {
	best := math.NaN()
	for a := range groups {
		for b := a + 1; b < groups; b++ {
			var d float64
			if c.Kind == frame.Number {
				d = metric.SMDContinuous(presentIn(c, of, a), presentIn(c, of, b))
			} else {
				d = metric.SMDCategorical(shares(c, of, a), shares(c, of, b))
			}
			if d = math.Abs(d); !math.IsNaN(d) && !(d <= best) {
				best = d
			}
		}
	}
	return best
}

func shares(c frame.Column, of []int, g int) []float64 {
	counts := make([]float64, len(c.Levels))
	n := 0.0
	for i, k := range c.Codes() {
		if of[i] == g && k >= 0 {
			counts[k]++
			n++
		}
	}
	for i := range counts {
		counts[i] /= n
	}
	return counts
}

func presentIn(c frame.Column, of []int, g int) []float64 {
	var v []float64
	for i, x := range c.Numbers() {
		if of[i] == g && !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	return v
}

func present(c frame.Column) []float64 {
	return presentIn(c, make([]int, c.Len()), 0)
}

// quantile7 is R's default quantile; NaN when v is empty.
func quantile7(v []float64, p float64) float64 { return quant.Of(v, p, 7) }

// distinct returns at most limit distinct values of c: levels in their order, numbers by
// value, texts sorted.
func distinct(c frame.Column, limit int) []string {
	seen := make(map[string]bool)
	for i := range c.Len() {
		if s, ok := c.String(i); ok && !seen[s] {
			seen[s] = true
			if len(seen) >= limit {
				break
			}
		}
	}
	var out []string
	if c.Kind == frame.Category {
		for _, l := range c.Levels {
			if seen[l] {
				out = append(out, l)
			}
		}
		return out
	}
	for s := range seen {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b string) int {
		x, ex := strconv.ParseFloat(a, 64)
		y, ey := strconv.ParseFloat(b, 64)
		if ex == nil && ey == nil && x != y {
			if x < y {
				return -1
			}
			return 1
		}
		if a < b {
			return -1
		}
		return 1
	})
	return out
}
