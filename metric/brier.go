package metric

import "math"

// Brier is the mean squared difference between probability and outcome: Brier, "Verification
// of forecasts expressed in terms of probability", Monthly Weather Review 1950;78:1-3. The interval
// is normal with the standard error of a (weighted) mean, sd/sqrt(n) with n-1; weights are
// taken as sampling weights. NaN without rows; interval NaN with one row. Kind Invalid for
// bad rows, Usage for a bad level.
func Brier(d Data, level float64) (Estimate, error) {
	if err := checkCal(d, level); err != nil {
		return Estimate{}, err
	}
	v, se, t := brierParts(d)
	if t.rows == 0 {
		return calUndefined("brier", level, "no rows"), nil
	}
	return calWald("brier", v, se, level, "normal, standard error of the mean"), nil
}

// BrierSE returns the Brier score and its standard error.
func BrierSE(d Data) (value, se float64, err error) {
	if err := d.Check(); err != nil {
		return math.NaN(), math.NaN(), err
	}
	v, se, _ := brierParts(d)
	return v, se, nil
}

func brierParts(d Data) (value, se float64, t calTotals) {
	t = d.totals()
	var b kahan
	for i, p := range d.P {
		r := p - b2f(d.Y[i])
		b.add(d.Weight(i) * r * r)
	}
	value = b.sum() / t.w
	var ss kahan
	for i, p := range d.P {
		r := p - b2f(d.Y[i])
		e := d.Weight(i) * (r*r - value)
		ss.add(e * e)
	}
	return value, meanSE(ss.sum(), t), t
}

// meanSE is sqrt(sum w^2 e^2 / (sum w)^2 * n/(n-1)).
func meanSE(ss float64, t calTotals) float64 {
	n := float64(t.rows)
	if n < 2 {
		return math.NaN()
	}
	return math.Sqrt(ss/(t.w*t.w)) * math.Sqrt(n/(n-1))
}

// ScaledBrier is 1 - Brier/(prevalence(1-prevalence)): 1 is perfect, 0 is as good as the
// prevalence (Steyerberg and others, "Assessing the performance of prediction models",
// Epidemiology 2010;21:128-138, doi:10.1097/EDE.0b013e3181c30fb2). The interval is normal by the
// delta method over the joint sampling of Brier score and prevalence. NaN with one class.
func ScaledBrier(d Data, level float64) (Estimate, error) {
	if err := checkCal(d, level); err != nil {
		return Estimate{}, err
	}
	b, _, t := brierParts(d)
	if why := t.oneClass(); why != "" {
		return calUndefined("scaled_brier", level, why), nil
	}
	prev := t.wy / t.w
	u := prev * (1 - prev)
	var ss kahan
	for i, p := range d.P {
		y := b2f(d.Y[i])
		r := p - y
		e := d.Weight(i) * (-(r*r-b)/u + b/(u*u)*(1-2*prev)*(y-prev))
		ss.add(e * e)
	}
	return calWald("scaled_brier", 1-b/u, meanSE(ss.sum(), t), level, "normal, delta method"), nil
}
