package metric

import (
	"math"
)

// LogLoss is the mean negative log-likelihood in nats, not clipped: an event given
// probability 0 makes it infinite (null in JSON), and Method says so. The interval is
// normal with the standard error of a (weighted) mean. NaN without rows.
func LogLoss(d Data, level float64) (Estimate, error) {
	if err := checkCal(d, level); err != nil {
		return Estimate{}, err
	}
	t := d.totals()
	if t.rows == 0 {
		return calUndefined("log_loss", level, "no rows"), nil
	}
	loss := make([]float64, len(d.P))
	var s kahan
	for i, p := range d.P {
		w := d.Weight(i)
		if w == 0 {
			continue
		}
		loss[i] = rowLogLoss(p, d.Y[i])
		if math.IsInf(loss[i], 1) {
			e := calUndefined("log_loss", level, "")
			e.Value, e.Method = math.Inf(1), "infinite: an outcome was given probability 0"
			return e, nil
		}
		s.add(w * loss[i])
	}
	v := s.sum() / t.w
	var ss kahan
	for i, l := range loss {
		e := d.Weight(i) * (l - v)
		ss.add(e * e)
	}
	return calWald("log_loss", v, meanSE(ss.sum(), t), level, "normal, standard error of the mean"), nil
}

// rowLogLoss is -log of the probability given to what happened.
func rowLogLoss(p float64, y bool) float64 {
	if y {
		return -math.Log(p)
	}
	return -math.Log1p(-p)
}

// LogLossNull is the log loss of giving everyone the prevalence: the entropy of the outcome.
// 0 with one class, NaN without rows.
func LogLossNull(d Data) (float64, error) {
	if err := d.Check(); err != nil {
		return math.NaN(), err
	}
	t := d.totals()
	return entropy(t.wy / t.w), nil
}

func entropy(q float64) float64 {
	if q == 0 || q == 1 {
		return 0
	}
	return -q*math.Log(q) - (1-q)*math.Log1p(-q)
}
