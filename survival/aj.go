package survival

import "math"

// Variance names an estimator of the variance of a cumulative incidence.
type Variance int

// The estimators. They differ where events tie.
const (
	Delta Variance = iota // Marubini and Valsecchi 1995, as R's survfit
	Gray                  // Gray 1988 with correction for ties, as R's cuminc
)

// String returns "delta" or "gray".
func (v Variance) String() string {
	if v == Gray {
		return "gray"
	}
	return "delta"
}

// Incidence holds the Aalen-Johansen curves of both causes: one entry per distinct time.
type Incidence struct {
	Time   []float64
	AtRisk []int
	F1, F2 []float64 // cumulative incidence of Event and of Competing after Time[i]
	S      []float64 // probability of being free of both
	Level  float64
	Limits Limits

	t *table
}

// AalenJohansen estimates the cumulative incidence of the event of interest and of the
// competing event: F1 + F2 + S = 1 at every time. Aalen and Johansen 1978, Scand J Stat
// 5:141. Without competing events F1 is 1 - Kaplan-Meier. Errors: those of [Data.Check] and a
// level outside (0, 1).
func AalenJohansen(d Data, o *CurveOptions) (*Incidence, error) {
	level, limits, err := o.get()
	if err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	c := aalenJohansen(newTable(d))
	c.Level, c.Limits = level, limits
	return c, nil
}

func aalenJohansen(t *table) *Incidence {
	k := len(t.time)
	c := &Incidence{
		Time: t.time, AtRisk: make([]int, k), F1: make([]float64, k), F2: make([]float64, k), S: make([]float64, k),
		Level: DefaultLevel, t: t,
	}
	s := 1.0
	var f1, f2 sum
	for i := range k {
		r := t.risk[i]
		c.AtRisk[i] = int(r)
		f1.add(s * t.event[i] / r)
		f2.add(s * t.comp[i] / r)
		if e := t.event[i] + t.comp[i]; e > 0 {
			s *= (r - e) / r
		}
		c.F1[i], c.F2[i], c.S[i] = f1.value(), f2.value(), s
	}
	return c
}

// cause returns the curve and the events of a cause, and the events of the other one.
func (c *Incidence) cause(cause int) (f, own, other []float64) {
	if cause == Competing {
		return c.F2, c.t.comp, c.t.event
	}
	return c.F1, c.t.event, c.t.comp
}

// Followed reports whether the curve is known at t: somebody was followed to t, or nobody
// is left free of both events.
func (c *Incidence) Followed(t float64) bool {
	k := len(c.Time)
	return k > 0 && (c.Time[k-1] >= t || c.S[k-1] == 0)
}

// Risk returns the cumulative incidence of a cause (Event or Competing) by t. Limits: Log
// symmetric for log F (R's survfit), LogLog for log(-log F), Plain for F, cut to 0..1. After
// the last time the curve is carried forward. O(distinct times).
func (c *Incidence) Risk(cause int, t float64, v Variance) Estimate {
	method := "aalen-johansen, " + v.String() + ", " + c.Limits.String()
	k := upTo(c.Time, t) - 1
	f, _, _ := c.cause(cause)
	if k < 0 || f[k] == 0 {
		return Estimate{0, 0, math.NaN(), math.NaN(), c.Level, method + ": no interval at 0"}
	}
	se := math.Sqrt(c.variance(cause, k, v))
	p, z := f[k], zOf(c.Level)
	e := Estimate{Value: p, SE: se, Level: c.Level, Method: method}
	switch {
	case c.Limits == Plain:
		e.Lower, e.Upper = math.Max(0, p-z*se), math.Min(1, p+z*se)
	case c.Limits == Log:
		e.Lower, e.Upper = p*math.Exp(-z*se/p), math.Min(1, p*math.Exp(z*se/p))
	case p >= 1:
		e.Lower, e.Upper = math.NaN(), math.NaN()
	default:
		h := z * se / (p * math.Log(p)) // negative
		e.Lower, e.Upper = math.Pow(p, math.Exp(-h)), math.Pow(p, math.Exp(h))
	}
	return e
}

// EventFree returns the probability of being free of both events at t, by Greenwood.
func (c *Incidence) EventFree(t float64) Estimate {
	k := upTo(c.Time, t) - 1
	method := "aalen-johansen, greenwood, " + c.Limits.String()
	if k < 0 {
		return Estimate{1, 0, 1, 1, c.Level, method}
	}
	var v sum
	for i := range k + 1 {
		r, e := c.t.risk[i], c.t.event[i]+c.t.comp[i]
		if r > e {
			v.add(e / (r * (r - e)))
		}
	}
	se, lo, hi := limitsOf(c.S[k], v.value(), zOf(c.Level), c.Limits)
	return Estimate{c.S[k], se, lo, hi, c.Level, method}
}

// variance of the incidence at row k.
//
// Delta: sum (F-F(u))^2 d/(n(n-d)) + S(u-)^2 d1(n-d1)/n^3 - 2 (F-F(u)) S(u-) d1/n^2, d the
// events of both causes. Gray: sum S(u-)^2/n^2 [d1 c(d1)(1-g)^2 + d2 c(d2) g^2] with
// g = (F-F(u))/S(u) and c(d) = 1-(d-1)/(n-1).
func (c *Incidence) variance(cause, k int, kind Variance) float64 {
	f, own, other := c.cause(cause)
	before := 1.0 // S(u-)
	var v sum
	for i := range k + 1 {
		n, d1, d2 := c.t.risk[i], own[i], other[i]
		d, rest := d1+d2, f[k]-f[i]
		if d == 0 {
			continue
		}
		if kind == Delta {
			if n > d {
				v.add(rest * rest * d / (n * (n - d)))
			}
			v.add(before * before * d1 * (n - d1) / (n * n * n))
			v.add(-2 * rest * before * d1 / (n * n))
		} else {
			g := 0.0
			if c.S[i] > 0 {
				g = rest / c.S[i]
			}
			w := before * before / (n * n)
			v.add(w * (tied(d1, n)*(1-g)*(1-g) + tied(d2, n)*g*g))
		}
		before = c.S[i]
	}
	return math.Max(0, v.value())
}

// tied is d (1 - (d-1)/(n-1)).
func tied(d, n float64) float64 {
	if d <= 1 {
		return d
	}
	return d * (1 - (d-1)/(n-1))
}
