package survival

import "math"

// Hazard is a Nelson-Aalen curve: one entry per distinct time, ascending.
type Hazard struct {
	Time     []float64
	H        []float64 // cumulative hazard after Time[i]
	Poisson  []float64 // variance, sum of d/n^2
	Binomial []float64 // variance, sum of d(n-d)/n^3
	Level    float64
}

// NelsonAalen estimates the cumulative hazard of Event; competing events count as
// censoring. Aalen 1978, Ann Stat 6:701, doi:10.1214/aos/1176344247; variances as in Klein
// 1991, Scand J Stat 18:333. Level 0 means 0.95. Errors: those of [Data.Check] and a level
// outside (0, 1).
func NelsonAalen(d Data, level float64) (*Hazard, error) {
	level, err := levelOr(level)
	if err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	t := newTable(d)
	k := len(t.time)
	h := &Hazard{Time: t.time, H: make([]float64, k), Poisson: make([]float64, k), Binomial: make([]float64, k), Level: level}
	var cum, pois, bin sum
	for i := range k {
		e, r := t.event[i], t.risk[i]
		cum.add(e / r)
		pois.add(e / (r * r))
		bin.add(e * (r - e) / (r * r * r))
		h.H[i], h.Poisson[i], h.Binomial[i] = cum.value(), pois.value(), bin.value()
	}
	return h, nil
}

// At returns the cumulative hazard at t with limits symmetric on the log scale and the
// Poisson variance; 0 without an interval before the first event.
func (h *Hazard) At(t float64) Estimate {
	i := upTo(h.Time, t) - 1
	if i < 0 {
		return logScale(0, 0, h.Level, "nelson-aalen")
	}
	return logScale(h.H[i], math.Sqrt(h.Poisson[i]), h.Level, "nelson-aalen")
}
