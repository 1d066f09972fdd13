package survival

import "dolor/diag"

// Ties says how the censoring curve treats an event and a censoring at the same time.
type Ties int

// The rules.
const (
	EventsFirst    Ties = iota // the event comes first: it leaves the risk set of the censorings of that time
	NaiveCensoring             // Kaplan-Meier of the swapped status; events stay in that risk set
)

// String returns "events before censorings" or "naive censoring curve".
func (t Ties) String() string {
	if t == NaiveCensoring {
		return "naive censoring curve"
	}
	return "events before censorings"
}

// censoring is the reverse Kaplan-Meier curve G(t) = P(censoring time > t).
type censoring struct {
	*table
	g    []float64 // G after time[i]
	risk []float64 // risk set of the censorings at time[i]
	ties Ties
}

func newCensoring(t *table, ties Ties) *censoring {
	c := &censoring{table: t, g: make([]float64, len(t.time)), risk: make([]float64, len(t.time)), ties: ties}
	g := 1.0
	for i := range t.time {
		c.risk[i] = t.risk[i]
		if ties == EventsFirst {
			c.risk[i] -= t.event[i] + t.comp[i]
		}
		if t.cens[i] > 0 {
			g *= (c.risk[i] - t.cens[i]) / c.risk[i]
		}
		c.g[i] = g
	}
	return c
}

// at returns G(t).
func (c *censoring) at(t float64) float64 { return c.afterRow(upTo(c.time, t) - 1) }

// before returns G(t-) for row i of the table.
func (c *censoring) before(i int) float64 { return c.afterRow(i - 1) }

func (c *censoring) afterRow(i int) float64 {
	if i < 0 {
		return 1
	}
	return c.g[i]
}

// weights returns the inverse-probability weight of every patient at the horizon: 1/G(T-)
// for events and competing events by then, 1/G(horizon) for those followed past it, else 0.
func (c *censoring) weights(d Data, horizon float64) []float64 {
	w := make([]float64, d.N())
	end := c.at(horizon)
	for i, t := range d.Time {
		switch {
		case t > horizon:
			w[i] = 1 / end
		case d.Status[i] != Censored:
			w[i] = 1 / c.before(c.rowOf[i])
		}
	}
	return w
}

// influence turns derivatives into influence values when the weights come from this curve.
// direct[i] is the derivative of the statistic by the case weight of patient i with G held
// fixed; g[i] its derivative by the logarithm of the patient's censoring weight. The result
// is the derivative by the case weight including the estimation of G, so the sum of squares
// is the infinitesimal-jackknife variance (Graf 1999; Blanche, Dartigues and Jacqmin-Gadda
// 2013, Stat Med 32:5381, doi:10.1002/sim.5958, appendix; here exact under ties). O(n).
func (c *censoring) influence(d Data, horizon float64, direct, g []float64) []float64 {
	k := upTo(c.time, horizon)
	// kappa[i]: sum of g over patients whose weight uses G at time[i], those with T > time[i].
	kappa := make([]float64, k)
	var after sum
	for _, r := range c.order[c.starts[k]:] {
		after.add(g[r])
	}
	for i := k - 1; i >= 0; i-- {
		kappa[i] = after.value()
		for _, r := range c.order[c.starts[i]:c.starts[i+1]] {
			after.add(g[r])
		}
	}
	// drift[i]: sum over u <= time[i] of dLambda(u) kappa(u)/(n_u - c_u).
	out := make([]float64, d.N())
	var drift sum
	for i := range k {
		jump, before := 0.0, drift.value()
		if c.cens[i] > 0 && c.risk[i] > c.cens[i] {
			jump = kappa[i] / (c.risk[i] - c.cens[i])
			drift.add(jump * c.cens[i] / c.risk[i])
		}
		for _, r := range c.order[c.starts[i]:c.starts[i+1]] {
			out[r] = direct[r]
			switch {
			case d.Status[r] == Censored:
				out[r] += jump - drift.value()
			case c.ties == EventsFirst:
				out[r] -= before
			default:
				out[r] -= drift.value()
			}
		}
	}
	for _, r := range c.order[c.starts[k]:] {
		out[r] = direct[r] - drift.value()
	}
	return out
}

// HorizonWeights is a binary data set made from follow-up to one horizon.
type HorizonWeights struct {
	Y []bool    // Event by the horizon; false too where W is 0
	W []float64 // inverse probability of not being censored, 0 when censored before the horizon
	G float64   // probability of being uncensored at the horizon

	Cases, Competing, Controls, Lost int // patients with the event, the competing event, neither, unknown
}

// Weights turns follow-up into outcomes at the horizon with inverse-probability-of-censoring
// weights, for learners and metrics that take case weights. A patient with the event (or the
// competing event, which makes Y false) by the horizon gets 1/G(T-), one followed past it
// 1/G(horizon), one censored by then 0. Censoring must not depend on the patient's risk.
// Graf, Schmoor, Sauerbrei and Schumacher 1999, Stat Med 18:2529; Vock et al. 2016, J Biomed
// Inform 61:119, doi:10.1016/j.jbi.2016.03.009. With [EventsFirst] the weighted event rate
// equals the Kaplan-Meier (Aalen-Johansen) risk and the weights sum to n. Kind Unfit when
// the follow-up ends before the horizon while patients are still event-free.
func Weights(d Data, horizon float64, ties Ties) (*HorizonWeights, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	c, err := censoringAt(d, horizon, ties)
	if err != nil {
		return nil, err
	}
	out := &HorizonWeights{Y: make([]bool, d.N()), W: c.weights(d, horizon), G: c.at(horizon)}
	for i, t := range d.Time {
		switch {
		case t > horizon:
			out.Controls++
		case d.Status[i] == Event:
			out.Y[i] = true
			out.Cases++
		case d.Status[i] == Competing:
			out.Competing++
		default:
			out.Lost++
		}
	}
	return out, nil
}

// censoringAt checks the horizon against the follow-up of checked data.
func censoringAt(d Data, horizon float64, ties Ties) (*censoring, error) {
	if err := checkHorizon(horizon); err != nil {
		return nil, err
	}
	t := newTable(d)
	c := newCensoring(t, ties)
	last := len(t.time) - 1
	if t.time[last] <= horizon && t.cens[last] > 0 {
		return nil, diag.Errorf(diag.Unfit, "horizon", "expected patients followed past it, got a follow-up that ends before")
	}
	return c, nil
}
