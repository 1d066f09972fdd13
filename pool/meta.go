package pool

import (
	"math"

	"dolor/diag"

	"gonum.org/v1/gonum/stat/distuv"
)

// Tau2 names an estimator of the variance between sites.
type Tau2 int

// The estimators.
const (
	REML             Tau2 = iota // restricted maximum likelihood (Viechtbauer 2005)
	DerSimonianLaird             // moments (DerSimonian and Laird 1986)
	PauleMandel                  // Q = k-1 (Paule and Mandel 1982)
	CommonEffect                 // 0: the sites share one value
)

// String returns the lower-case name of the estimator.
func (m Tau2) String() string {
	switch m {
	case DerSimonianLaird:
		return "dersimonian-laird"
	case PauleMandel:
		return "paule-mandel"
	case CommonEffect:
		return "common effect"
	default:
		return "reml"
	}
}

// Options of [Combine]; nil and zero fields mean REML and level 0.95.
type Options struct {
	Tau2  Tau2
	Level float64
	Scale Scale // for [Result.Report]
}

// Interval is a pair of limits on the scale of pooling.
type Interval struct{ Lower, Upper float64 }

// Back maps both limits to the scale of reports.
func (i Interval) Back(s Scale) Interval { return Interval{s.Back(i.Lower), s.Back(i.Upper)} }

// Result is a meta-analysis; every number is on the scale of pooling.
type Result struct {
	K         int
	Mu        float64
	Tau2      float64
	Tau2SE    float64   // from the restricted likelihood's expected information; NaN unless REML
	LogLik    float64   // restricted, without constant; NaN unless REML
	Weights   []float64 // shares that sum to 1
	Level     float64
	Estimator Tau2
	Scale     Scale

	SE          float64  // Wald
	Wald        Interval // normal
	QFactor     float64  // weighted residual mean square
	SEHK        float64  // Hartung-Knapp (Hartung and Knapp 2001; IntHout 2014)
	HK          Interval // t with k-1 degrees of freedom
	SEHKTrunc   float64  // factor not below 1 (Roever 2015)
	HKTruncated Interval

	// Where the value of a new site lies.
	PredictWald       Interval // Higgins 2009: t with k-2, Wald standard error; NaN for k = 2
	PredictHK         Interval // t with k-2, Hartung-Knapp standard error; NaN for k = 2
	PredictHKMinus1   Interval // t with k-1, Hartung-Knapp standard error
	PredictTruncated  Interval // t with k-1, truncated Hartung-Knapp standard error: never inside HKTruncated
	PredictWaldNormal Interval

	Q, QP        float64  // Cochran's Q with k-1 degrees of freedom
	QDF          int      //
	I2, H2       float64  // from Q (Higgins and Thompson 2002)
	TypicalV     float64  // typical within-site variance
	I2Tau, H2Tau float64  // from Tau2 and TypicalV
	Tau2CI       Interval // Q-profile (Viechtbauer 2007)
}

// Combine pools the estimates of at least two sites by the random-effects model
// y_i ~ N(mu, tau2 + v_i). Higgins, Thompson and Spiegelhalter 2009, JRSS A 172:137,
// doi:10.1111/j.1467-985X.2008.00552.x; for prediction models Debray et al. 2017. Kind
// Invalid for variances that are not above 0, Unfit with fewer than two sites.
func Combine(effects []Effect, o *Options) (*Result, error) {
	var opt Options
	if o != nil {
		opt = *o
	}
	if opt.Level == 0 {
		opt.Level = 0.95
	}
	if !(opt.Level > 0 && opt.Level < 1) {
		return nil, diag.Errorf(diag.Invalid, "level", "expected a number between 0 and 1, got %g", opt.Level)
	}
	if len(effects) < 2 {
		return nil, diag.Errorf(diag.Unfit, "effects", "expected at least two sites, got %d", len(effects))
	}
	for i, e := range effects {
		if math.IsNaN(e.Y) || math.IsInf(e.Y, 0) || !(e.V > 0) || math.IsInf(e.V, 0) {
			return nil, diag.Errorf(diag.Invalid, "effects", "site %d: expected a finite estimate with a variance above 0", i+1)
		}
	}
	r := &Result{K: len(effects), Level: opt.Level, Estimator: opt.Tau2, Scale: opt.Scale, Tau2SE: math.NaN(), LogLik: math.NaN()}
	r.heterogeneity(effects)
	switch opt.Tau2 {
	case CommonEffect:
	case DerSimonianLaird:
		r.Tau2 = dersimonianLaird(effects)
	case PauleMandel:
		r.Tau2 = rootQ(effects, float64(r.K-1))
	case REML:
		r.Tau2 = reml(effects)
		r.LogLik = restricted(effects, r.Tau2)
		_, info := remlStep(effects, r.Tau2)
		r.Tau2SE = math.Sqrt(1 / info)
	default:
		return nil, diag.Errorf(diag.Invalid, "tau2", "expected a known estimator, got number %d", int(opt.Tau2))
	}
	r.I2Tau = r.Tau2 / (r.Tau2 + r.TypicalV)
	r.H2Tau = (r.Tau2 + r.TypicalV) / r.TypicalV
	r.intervals(effects)
	return r, nil
}

// fit returns the weighted mean, sum of weights and Q at tau2.
func fit(e []Effect, tau2 float64) (mu, w, q float64) {
	var wy float64
	for _, x := range e {
		w += 1 / (x.V + tau2)
		wy += x.Y / (x.V + tau2)
	}
	mu = wy / w
	for _, x := range e {
		q += (x.Y - mu) * (x.Y - mu) / (x.V + tau2)
	}
	return mu, w, q
}

func (r *Result) heterogeneity(e []Effect) {
	_, w, q := fit(e, 0)
	k1 := float64(r.K - 1)
	var w2 float64
	for _, x := range e {
		w2 += 1 / (x.V * x.V)
	}
	r.Q, r.QDF, r.QP = q, r.K-1, distuv.ChiSquared{K: k1}.Survival(q)
	r.H2 = q / k1
	if q > 0 {
		r.I2 = math.Max(0, (q-k1)/q)
	}
	r.TypicalV = k1 * w / (w*w - w2)
	chi := distuv.ChiSquared{K: k1}
	r.Tau2CI = Interval{rootQ(e, chi.Quantile(0.5+r.Level/2)), rootQ(e, chi.Quantile(0.5-r.Level/2))}
}

func dersimonianLaird(e []Effect) float64 {
	_, w, q := fit(e, 0)
	var w2 float64
	for _, x := range e {
		w2 += 1 / (x.V * x.V)
	}
	return math.Max(0, (q-float64(len(e)-1))/(w-w2/w))
}

// rootQ returns the tau2 >= 0 at which the falling function Q(tau2) equals target; 0 when
// it starts below.
func rootQ(e []Effect, target float64) float64 {
	q := func(tau2 float64) float64 { _, _, v := fit(e, tau2); return v - target }
	if q(0) <= 0 {
		return 0
	}
	high := 1e-8
	for q(high) > 0 && high < 1e200 {
		high *= 2
	}
	return bisect(q, 0, high)
}

// bisect halves [low, high] with f(low) > 0 >= f(high) until it cannot be halved further.
func bisect(f func(float64) float64, low, high float64) float64 {
	for {
		mid := low + (high-low)/2
		if mid <= low || mid >= high {
			return mid
		}
		if f(mid) > 0 {
			low = mid
		} else {
			high = mid
		}
	}
}

// remlStep returns the score of the restricted likelihood and its expected information.
func remlStep(e []Effect, tau2 float64) (score, info float64) {
	mu, w, _ := fit(e, tau2)
	var w2, w3, res float64
	for _, x := range e {
		v := 1 / (x.V + tau2)
		w2 += v * v
		w3 += v * v * v
		res += v * v * (x.Y - mu) * (x.Y - mu)
	}
	trP := w - w2/w
	trPP := w2 - 2*w3/w + w2*w2/(w*w)
	return (res - trP) / 2, trPP / 2
}

// restricted is the restricted log-likelihood without its constant.
func restricted(e []Effect, tau2 float64) float64 {
	_, w, q := fit(e, tau2)
	l := -math.Log(w)/2 - q/2
	for _, x := range e {
		l -= math.Log(x.V+tau2) / 2
	}
	return l
}

// reml maximises the restricted likelihood over tau2 >= 0. The likelihood may have more
// than one local maximum: each sign change of its score on a fine grid is solved and the
// best, or 0, is taken.
func reml(e []Effect) float64 {
	score := func(t float64) float64 { s, _ := remlStep(e, t); return s }
	top := 0.0
	for _, x := range e {
		top = math.Max(top, x.V)
		for _, z := range e {
			top = math.Max(top, (x.Y-z.Y)*(x.Y-z.Y))
		}
	}
	top *= 2
	const grid = 400
	best, at := restricted(e, 0), 0.0
	low, slow := 0.0, score(0)
	for i := range grid {
		high := top * math.Pow(10, -8*(1-float64(i+1)/grid))
		shigh := score(high)
		if slow > 0 && shigh <= 0 {
			t := bisect(score, low, high)
			if l := restricted(e, t); l > best {
				best, at = l, t
			}
		}
		low, slow = high, shigh
	}
	return at
}

func (r *Result) intervals(e []Effect) {
	mu, w, q := fit(e, r.Tau2)
	r.Mu, r.SE = mu, math.Sqrt(1/w)
	for _, x := range e {
		r.Weights = append(r.Weights, 1/(x.V+r.Tau2)/w)
	}
	k := float64(r.K)
	r.QFactor = q / (k - 1)
	r.SEHK = r.SE * math.Sqrt(r.QFactor)
	r.SEHKTrunc = r.SE * math.Sqrt(math.Max(1, r.QFactor))
	z := distuv.UnitNormal.Quantile(0.5 + r.Level/2)
	t1 := tQuantile(0.5+r.Level/2, k-1)
	t2 := tQuantile(0.5+r.Level/2, k-2)
	around := func(h float64) Interval { return Interval{mu - h, mu + h} }
	r.Wald = around(z * r.SE)
	r.HK = around(t1 * r.SEHK)
	r.HKTruncated = around(t1 * r.SEHKTrunc)
	r.PredictWald = around(t2 * math.Sqrt(r.Tau2+r.SE*r.SE))
	r.PredictHK = around(t2 * math.Sqrt(r.Tau2+r.SEHK*r.SEHK))
	r.PredictHKMinus1 = around(t1 * math.Sqrt(r.Tau2+r.SEHK*r.SEHK))
	r.PredictTruncated = around(t1 * math.Sqrt(r.Tau2+r.SEHKTrunc*r.SEHKTrunc))
	r.PredictWaldNormal = around(z * math.Sqrt(r.Tau2+r.SE*r.SE))
}

// tQuantile is NaN without degrees of freedom and normal for infinitely many. gonum's
// quantile is polished by Newton steps on its own distribution function.
func tQuantile(p, df float64) float64 {
	switch {
	case !(df > 0):
		return math.NaN()
	case math.IsInf(df, 1):
		return distuv.UnitNormal.Quantile(p)
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}
	x := t.Quantile(p)
	for range 4 {
		step := (t.CDF(x) - p) / t.Prob(x)
		if math.IsNaN(step) || math.IsInf(step, 0) || math.Abs(step) > 0.1*math.Abs(x)+1e-9 {
			break
		}
		x -= step
	}
	return x
}

// Report is a pooled number on the scale of reports.
type Report struct {
	Estimate                   float64
	Lower, Upper               float64 // Hartung-Knapp, truncated
	PredictLower, PredictUpper float64 // Hartung-Knapp truncated, t with k-1
	K                          int
	Tau2, I2                   float64
	Method                     string
}

// Report maps the headline numbers back: mean with the truncated Hartung-Knapp interval and
// the range expected at a new site.
func (r *Result) Report() Report {
	ci, pi := r.HKTruncated.Back(r.Scale), r.PredictTruncated.Back(r.Scale)
	return Report{
		r.Scale.Back(r.Mu), ci.Lower, ci.Upper, pi.Lower, pi.Upper, r.K, r.Tau2, r.I2Tau,
		r.Estimator.String() + ", hartung-knapp truncated, " + r.Scale.String() + " scale",
	}
}
