package survival

import (
	"math"
	"slices"

	"dolor/diag"
)

// ConcordanceOptions of [HarrellC] and [UnoC]; nil and zero fields mean level 0.95, no
// limit on the event time and events before censorings.
type ConcordanceOptions struct {
	Level float64
	Tau   float64 // only events at or before Tau count; 0 means all
	Ties  Ties    // censoring curve of Uno's C
}

// Concordance counts the comparable pairs of patients: one has the event at a time when the
// other is still followed without it. Counts of Uno's C are weighted.
type Concordance struct {
	C          Estimate
	Concordant float64 // the earlier event has the higher score
	Discordant float64
	TiedScore  float64 // counted one half
	TiedTime   float64 // both have the event at the same time: not comparable
	Pairs      float64 // comparable
}

// HarrellC is the share of comparable pairs in which the patient with the earlier event has
// the higher score, ties in the score one half. Harrell et al. 1982, JAMA 247:2543. Competing
// events count as censoring. The standard error is the infinitesimal jackknife, the interval
// logit. score: any finite number per patient, higher meaning earlier. O(n log n).
func HarrellC(d Data, score []float64, o *ConcordanceOptions) (*Concordance, error) {
	return concordance(d, score, o, false)
}

// UnoC weights each pair by G(T-)^-2, T the earlier event time and G the censoring curve, so
// that its target does not depend on the censoring. Uno, Cai, Pencina, D'Agostino and Wei
// 2011, Stat Med 30:1105, doi:10.1002/sim.4154. Give Tau where few patients are followed
// late. The standard error holds the weights fixed, as R's survival does.
func UnoC(d Data, score []float64, o *ConcordanceOptions) (*Concordance, error) {
	return concordance(d, score, o, true)
}

func concordance(d Data, score []float64, o *ConcordanceOptions, uno bool) (*Concordance, error) {
	if o == nil {
		o = &ConcordanceOptions{}
	}
	level, err := levelOr(o.Level)
	if err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	if err := checkFinite("score", score, d.N()); err != nil {
		return nil, err
	}
	tau := o.Tau
	if tau == 0 {
		tau = math.Inf(1)
	}
	if !(tau > 0) {
		return nil, diag.Errorf(diag.Invalid, "tau", "expected a number above 0, got %g", tau)
	}
	t := newTable(d)
	weight := make([]float64, len(t.time)) // of an event at each time
	c := newCensoring(&table{time: t.time, risk: t.risk, event: t.event, comp: make([]float64, len(t.time)), cens: added(t.cens, t.comp)}, o.Ties)
	for i, u := range t.time {
		switch {
		case u > tau || t.event[i] == 0:
		case uno:
			g := c.before(i)
			weight[i] = 1 / (g * g)
		default:
			weight[i] = 1
		}
	}
	res, inf := pairCounts(d, score, t, weight)
	method := "harrell"
	if uno {
		method = "uno"
	}
	if res.Pairs == 0 {
		res.C = undefined(level, "no comparable pair")
		return res, nil
	}
	res.C = logitScale((res.Concordant+res.TiedScore/2)/res.Pairs, math.Sqrt(sumSquares(inf)), level, method+", infinitesimal jackknife")
	return res, nil
}

func added(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	return out
}

// fenwick is a tree of partial sums over ranks.
type fenwick []float64

func (f fenwick) add(i int, v float64) {
	for i++; i < len(f); i += i & -i {
		f[i] += v
	}
}

// upTo returns the sum over ranks <= i; -1 gives 0.
func (f fenwick) upTo(i int) float64 {
	s := 0.0
	for i++; i > 0; i -= i & -i {
		s += f[i]
	}
	return s
}

// pairCounts counts weighted pairs and returns the influence of every patient on C. Two
// sweeps over time with a tree over score ranks: one counts, for each event, the patients
// followed longer; the other, for each patient, the weighted events before.
func pairCounts(d Data, score []float64, t *table, weight []float64) (*Concordance, []float64) {
	n := d.N()
	rank, ranks := rankOf(score)
	net := make([]float64, n)  // concordant minus discordant weight of pairs with the patient
	pair := make([]float64, n) // comparable weight of pairs with the patient
	var conc, disc, tied, tiedTime sum

	later := make(fenwick, ranks+1)
	total := 0.0
	for i := range slices.Backward(t.time) {
		rows := t.order[t.starts[i]:t.starts[i+1]]
		for _, r := range rows { // same time without the event: followed longer
			if d.Status[r] != Event {
				later.add(rank[r], 1)
				total++
			}
		}
		w := weight[i]
		if w > 0 {
			e := t.event[i]
			tiedTime.add(w * e * (e - 1) / 2)
			for _, r := range rows {
				if d.Status[r] != Event {
					continue
				}
				low := later.upTo(rank[r] - 1)
				same := later.upTo(rank[r]) - low
				high := total - low - same
				conc.add(w * low)
				disc.add(w * high)
				tied.add(w * same)
				net[r] += w * (low - high)
				pair[r] += w * total
			}
		}
		for _, r := range rows {
			if d.Status[r] == Event {
				later.add(rank[r], 1)
				total++
			}
		}
	}

	before := make(fenwick, ranks+1)
	var all sum
	for i := range t.time {
		rows := t.order[t.starts[i]:t.starts[i+1]]
		count := func(r int) {
			low := before.upTo(rank[r] - 1)
			high := all.value() - before.upTo(rank[r])
			net[r] += high - low
			pair[r] += all.value()
		}
		for _, r := range rows {
			if d.Status[r] == Event {
				count(r)
			}
		}
		if w := weight[i]; w > 0 {
			for _, r := range rows {
				if d.Status[r] == Event {
					before.add(rank[r], w)
					all.add(w)
				}
			}
		}
		for _, r := range rows {
			if d.Status[r] != Event {
				count(r)
			}
		}
	}

	res := &Concordance{Concordant: conc.value(), Discordant: disc.value(), TiedScore: tied.value(), TiedTime: tiedTime.value()}
	res.Pairs = res.Concordant + res.Discordant + res.TiedScore
	// C = 1/2 + net/(2 pairs): derivative by the case weight.
	delta := (res.Concordant - res.Discordant) / res.Pairs
	for r := range net {
		net[r] = (net[r] - delta*pair[r]) / (2 * res.Pairs)
	}
	return res, net
}

// rankOf returns 0-based dense ranks of v and how many there are.
func rankOf(v []float64) ([]int, int) {
	sorted := slices.Compact(slices.Sorted(slices.Values(v)))
	rank := make([]int, len(v))
	for i, x := range v {
		rank[i], _ = slices.BinarySearch(sorted, x)
	}
	return rank, len(sorted)
}
