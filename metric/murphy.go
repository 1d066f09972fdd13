package metric

import "math"

// Murphy is the decomposition of the Brier score over groups: Brier = Reliability -
// Resolution + Uncertainty + WithinVariance - WithinCovariance. The first three are Murphy's
// ("A new vector partition of the probability score", J Applied Meteorology 1973;12:595-600);
// the within-group terms are those of Stephenson, Coelho and Jolliffe, Weather and Forecasting
// 2008;23:752-757, doi:10.1175/2007WAF2006116.1, and vanish when groups share one probability.
type Murphy struct {
	Reliability, Resolution, Uncertainty float64
	WithinVariance, WithinCovariance     float64
	Brier                                float64 // of the probabilities as they are
	BrierBinned                          float64 // of the group means: Reliability - Resolution + Uncertainty
}

// MurphyDecomposition decomposes over k groups. All NaN without rows.
func MurphyDecomposition(d Data, how Binning, k int) (Murphy, error) {
	if err := d.Check(); err != nil {
		return Murphy{}, err
	}
	bin, err := assign(d, how, k)
	if err != nil {
		return Murphy{}, err
	}
	return decompose(d, bin, k), nil
}

// MurphyDistinct decomposes over the distinct probabilities: no within-group terms.
func MurphyDistinct(d Data) (Murphy, error) {
	if err := d.Check(); err != nil {
		return Murphy{}, err
	}
	at := make(map[float64]int)
	bin := make([]int, len(d.P))
	for i, p := range d.P {
		b, ok := at[p]
		if !ok {
			b = len(at)
			at[p] = b
		}
		bin[i] = b
	}
	return decompose(d, bin, len(at)), nil
}

func decompose(d Data, bin []int, k int) Murphy {
	t := d.totals()
	if t.rows == 0 {
		nan := math.NaN()
		return Murphy{nan, nan, nan, nan, nan, nan, nan}
	}
	w, mp, my := make([]float64, k), make([]float64, k), make([]float64, k)
	for i, b := range bin {
		wi := d.Weight(i)
		w[b] += wi
		mp[b] += wi * d.P[i]
		my[b] += wi * b2f(d.Y[i])
	}
	var m Murphy
	prev := t.wy / t.w
	var rel, res, wv, wc, br kahan
	for b := range k {
		if w[b] == 0 {
			continue
		}
		mp[b] /= w[b]
		my[b] /= w[b]
		rel.add(w[b] * (mp[b] - my[b]) * (mp[b] - my[b]))
		res.add(w[b] * (my[b] - prev) * (my[b] - prev))
	}
	for i, b := range bin {
		wi, p, y := d.Weight(i), d.P[i], b2f(d.Y[i])
		wv.add(wi * (p - mp[b]) * (p - mp[b]))
		wc.add(2 * wi * (p - mp[b]) * (y - my[b]))
		br.add(wi * (p - y) * (p - y))
	}
	m.Reliability, m.Resolution, m.Uncertainty = rel.sum()/t.w, res.sum()/t.w, prev*(1-prev)
	m.WithinVariance, m.WithinCovariance, m.Brier = wv.sum()/t.w, wc.sum()/t.w, br.sum()/t.w
	m.BrierBinned = m.Reliability - m.Resolution + m.Uncertainty
	return m
}
