package metric

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// OE is the ratio of observed to expected events with its ingredients.
type OE struct {
	Observed, Expected float64  // weighted sums of y and p
	Ratio              Estimate // log-normal, binomial standard error
	Poisson            Estimate // the same ratio with the exact Poisson interval
	SELog              float64  // of log(O/E), binomial: sqrt((1-prevalence)/O)
	SELogPoisson       float64  // 1/sqrt(O)
	MeanDifference     float64  // mean outcome - mean probability
}

// OERatio is observed over expected events. The default interval is log-normal with the
// binomial standard error sqrt((1-prevalence)/O), the expected count taken as fixed (Debray
// and others, "A guide to systematic review and meta-analysis of prediction model
// performance", BMJ 2017;356:i6460, doi:10.1136/bmj.i6460, appendix); with weights it is the
// sandwich sqrt(sum w^2(y-prevalence)^2)/O. Without events the ratio is 0 with the exact
// Poisson interval, and Method says so. NaN when nothing is expected.
func OERatio(d Data, level float64) (Estimate, error) {
	o, err := ObservedExpected(d, level)
	return o.Ratio, err
}

// ObservedExpected returns [OERatio] with both intervals and their standard errors. The
// exact Poisson interval is the chi-square one (Garwood 1936); weighted counts need not be
// whole, the gamma form is used as it stands and Method says so.
func ObservedExpected(d Data, level float64) (OE, error) {
	if err := checkCal(d, level); err != nil {
		return OE{}, err
	}
	t := d.totals()
	r := OE{Observed: t.wy, Expected: t.wp, MeanDifference: (t.wy - t.wp) / t.w, SELog: math.NaN(), SELogPoisson: math.NaN()}
	if !(t.wp > 0) {
		why := "no events expected"
		r.Ratio, r.Poisson = calUndefined("oe_ratio", level, why), calUndefined("oe_ratio", level, why)
		return r, nil
	}
	method := "exact poisson"
	if d.W != nil {
		method = "exact poisson on the weighted count"
	}
	ratio := t.wy / t.wp
	lo, hi := PoissonLimits(t.wy, level)
	r.Poisson = Estimate{"oe_ratio", math.NaN(), ratio, lo / t.wp, hi / t.wp, level, method}
	if t.wy == 0 {
		r.Ratio = r.Poisson
		r.Ratio.Method += " (no events)"
		return r, nil
	}
	prev := t.wy / t.w
	r.SELog = math.Sqrt((1 - prev) / t.wy)
	r.SELogPoisson = 1 / math.Sqrt(t.wy)
	method = "log-normal, binomial"
	if d.W != nil {
		var ss kahan
		for i, w := range d.W {
			e := w * (b2f(d.Y[i]) - prev)
			ss.add(e * e)
		}
		r.SELog = math.Sqrt(ss.sum()) / t.wy
		method = "log-normal, sandwich"
	}
	f := math.Exp(calZ(level) * r.SELog)
	r.Ratio = Estimate{"oe_ratio", math.NaN(), ratio, ratio / f, ratio * f, level, method}
	return r, nil
}

// PoissonLimits returns the exact interval of a Poisson mean given count o >= 0: Garwood,
// "Fiducial limits for the Poisson distribution", Biometrika 1936;28:437-442.
func PoissonLimits(o, level float64) (lower, upper float64) {
	a := (1 - level) / 2
	if o > 0 {
		lower = gammaQuantile(o, a)
	}
	return lower, gammaQuantile(o+1, 1-a)
}

// gammaQuantile is the quantile q of a Gamma(shape, 1), polished by Newton steps.
func gammaQuantile(shape, q float64) float64 {
	g := distuv.Gamma{Alpha: shape, Beta: 1}
	x := g.Quantile(q)
	for range 3 {
		den := g.Prob(x)
		if !(den > 0) {
			break
		}
		x -= (g.CDF(x) - q) / den
	}
	return x
}
