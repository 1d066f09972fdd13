package survival

import (
	"math"

	"dolor/diag"
)

// Limits names the scale on which limits of a survival curve are symmetric.
type Limits int

// The scales. Cumulative incidence uses the same names for its own transforms.
const (
	LogLog Limits = iota // log(-log S): always inside 0..1
	Log                  // log S, as R's default
	Plain                // S itself, cut to 0..1
)

// String returns "log-log", "log" or "plain".
func (l Limits) String() string {
	switch l {
	case Log:
		return "log"
	case Plain:
		return "plain"
	default:
		return "log-log"
	}
}

// CurveOptions of a curve; nil and zero fields mean level 0.95 and log-log limits.
type CurveOptions struct {
	Level  float64
	Limits Limits
}

func (o *CurveOptions) get() (float64, Limits, error) {
	if o == nil {
		return DefaultLevel, LogLog, nil
	}
	level, err := levelOr(o.Level)
	return level, o.Limits, err
}

// Curve is a Kaplan-Meier curve: one entry per distinct time, ascending, right-continuous.
type Curve struct {
	Time   []float64
	AtRisk []int // patients with time >= Time[i]
	Events []int
	Censor []int
	S      []float64 // probability of being event-free after Time[i]
	SE     []float64 // Greenwood standard error of S
	Lower  []float64
	Upper  []float64
	Level  float64
	Limits Limits

	n    int
	gree []float64 // sum of d/(n(n-d))
}

// KaplanMeier estimates the event-free probability over time; competing events count as
// censoring (use [AalenJohansen] when they should not). Kaplan and Meier 1958, JASA
// 53:457, doi:10.1080/01621459.1958.10501452; variance by Greenwood 1926. Limits at S = 0
// are NaN, at S = 1 they are 1. Errors: those of [Data.Check] and a level outside (0, 1).
func KaplanMeier(d Data, o *CurveOptions) (*Curve, error) {
	level, limits, err := o.get()
	if err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	return kaplanMeier(newTable(d), d.N(), level, limits), nil
}

func kaplanMeier(t *table, n int, level float64, limits Limits) *Curve {
	k := len(t.time)
	c := &Curve{
		Time: t.time, AtRisk: make([]int, k), Events: make([]int, k), Censor: make([]int, k),
		S: make([]float64, k), SE: make([]float64, k), Lower: make([]float64, k), Upper: make([]float64, k),
		Level: level, Limits: limits, n: n, gree: make([]float64, k),
	}
	s, z := 1.0, zOf(level)
	var g sum
	for i := range k {
		r, e := t.risk[i], t.event[i]
		c.AtRisk[i], c.Events[i], c.Censor[i] = int(r), int(e), int(t.cens[i]+t.comp[i])
		if e > 0 {
			s *= (r - e) / r
			g.add(e / (r * (r - e))) // infinite when the curve reaches 0
		}
		c.S[i], c.gree[i] = s, g.value()
		if s == 0 {
			c.gree[i] = math.Inf(1)
		}
		c.SE[i], c.Lower[i], c.Upper[i] = limitsOf(s, c.gree[i], z, limits)
	}
	return c
}

// limitsOf returns se and limits of a survival probability s whose log has variance v.
func limitsOf(s, v, z float64, limits Limits) (se, lower, upper float64) {
	if s == 0 {
		return 0, math.NaN(), math.NaN()
	}
	root := math.Sqrt(v)
	se = s * root
	switch {
	case v == 0:
		return se, s, s
	case limits == Plain:
		return se, math.Max(0, s-z*se), math.Min(1, s+z*se)
	case limits == Log:
		return se, s * math.Exp(-z*root), math.Min(1, s*math.Exp(z*root))
	default:
		h := z * root / math.Log(s) // negative
		return se, math.Pow(s, math.Exp(-h)), math.Pow(s, math.Exp(h))
	}
}

// At returns the event-free probability at time t (events at t included) with its limits.
// Before the first time it is 1 with standard error 0; after the last the curve is carried
// forward, which [Curve.Followed] tells apart.
func (c *Curve) At(t float64) Estimate {
	method := "kaplan-meier, greenwood, " + c.Limits.String()
	i := upTo(c.Time, t) - 1
	if i < 0 {
		return Estimate{1, 0, 1, 1, c.Level, method}
	}
	return Estimate{c.S[i], c.SE[i], c.Lower[i], c.Upper[i], c.Level, method}
}

// RiskAt returns 1 - At(t), the probability of the event by t, with its limits.
func (c *Curve) RiskAt(t float64) Estimate {
	e := c.At(t)
	e.Value, e.Lower, e.Upper = 1-e.Value, 1-e.Upper, 1-e.Lower
	return e
}

// NRisk returns how many patients are still followed just before t.
func (c *Curve) NRisk(t float64) int {
	i := upTo(c.Time, t)
	if i > 0 && c.Time[i-1] == t {
		i--
	}
	if i == len(c.Time) {
		return 0
	}
	return c.AtRisk[i]
}

// Followed reports whether the curve is known at t: somebody was followed to t, or the curve
// has reached 0.
func (c *Curve) Followed(t float64) bool {
	k := len(c.Time)
	return k > 0 && (c.Time[k-1] >= t || c.S[k-1] == 0)
}

// Quantile returns the time by which a share p in [0, 1) of the patients had the event, NaN if the
// curve never falls that far. Where the curve is flat at 1-p the midpoint of the flat piece
// is taken; the limits are the quantiles of the limit curves (Brookmeyer and Crowley 1982,
// doi:10.2307/2530286). SE is NaN.
func (c *Curve) Quantile(p float64) Estimate {
	return Estimate{
		c.quantile(c.S, p), math.NaN(), c.quantile(c.Lower, p), c.quantile(c.Upper, p), c.Level,
		"kaplan-meier, brookmeyer-crowley, " + c.Limits.String(),
	}
}

// quantile finds where the falling step curve y crosses 1-p, with the midpoint rule.
func (c *Curve) quantile(y []float64, p float64) float64 {
	const tol = 1.4901161193847656e-08 // as R, for levels that are equal but for rounding
	target := 1 - p
	for i := range y {
		if math.IsNaN(y[i]) {
			// S is 0 here: both limit curves are undefined, the curve itself is 0.
			return math.NaN()
		}
		if y[i] > target+tol {
			continue
		}
		if y[i] < target-tol {
			return c.Time[i]
		}
		for j := i + 1; j < len(y); j++ {
			if y[j] < target-tol {
				return (c.Time[i] + c.Time[j]) / 2
			}
		}
		return (c.Time[i] + c.Time[len(y)-1]) / 2
	}
	return math.NaN()
}

// RestrictedMean returns the mean time free of the event up to tau: the area under the
// curve from 0 to tau (Irwin 1949; standard error from Greenwood's terms, Klein and
// Moeschberger 2003, eq. 4.5.2). Kind Unfit when nobody was followed to tau and the curve
// has not reached 0.
func (c *Curve) RestrictedMean(tau float64) (Estimate, error) {
	if err := checkHorizon(tau); err != nil {
		return Estimate{}, err
	}
	if !c.Followed(tau) {
		return Estimate{}, diag.Errorf(diag.Unfit, "horizon", "expected a time within the follow-up, got one after its end")
	}
	k := upTo(c.Time, tau)
	// Areas from the right, so that area[i] is the area from Time[i] to tau.
	var variance, area sum
	right := tau
	for i := k - 1; i >= 0; i-- {
		area.add(c.S[i] * (right - c.Time[i]))
		right = c.Time[i]
		r, e := float64(c.AtRisk[i]), float64(c.Events[i])
		if e > 0 && r > e {
			a := area.value()
			variance.add(a * a * e / (r * (r - e)))
		}
	}
	area.add(right)
	return linear(area.value(), math.Sqrt(variance.value()), c.Level, "restricted mean, greenwood"), nil
}
