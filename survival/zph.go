package survival

import (
	"math"

	"dolor/diag"
)

// ZPH is the score test of proportional hazards, per column and for all together.
type ZPH struct {
	ChiSq  []float64
	P      []float64
	Global float64 // df: number of columns
	DF     int
	GlobP  float64
}

// ProportionalHazards tests whether coefficients change with time on the scale
// g(t) = 1 - S(t-), S the Kaplan-Meier curve (R's cox.zph with transform "km"): the score test
// for adding x g(t) to the model. Grambsch and Therneau 1994, Biometrika 81:515,
// doi:10.1093/biomet/81.3.515, in the exact form of survival 3. Kind Unfit when the test has
// no information.
func (f *Cox) ProportionalHazards() (*ZPH, error) {
	p, t := f.columns, f.life
	g := make([]float64, len(t.time))
	s, centre, events := 1.0, 0.0, 0.0
	for i := range t.time {
		g[i] = 1 - s
		s *= (t.risk[i] - t.event[i]) / t.risk[i]
		centre += t.event[i] * g[i]
		events += t.event[i]
	}
	for i := range g {
		g[i] -= centre / events // leaves the test unchanged and the sums well scaled
	}
	u := make([]float64, 2*p)
	v := matrix(2 * p)
	for i := range t.time {
		for _, r := range t.order[t.starts[i]:t.starts[i+1]] {
			if f.data.Status[r] == Event {
				for j := range p {
					u[p+j] += g[i] * f.x[r*p+j]
				}
			}
		}
	}
	f.partial(f.Coef, func(row int, mean, cov []float64) {
		w := g[row]
		for j := range p {
			u[p+j] -= w * mean[j]
			for k := range p {
				c := cov[j*p+k]
				v[j][k] += c
				v[j][p+k] += w * c
				v[p+j][k] += w * c
				v[p+j][p+k] += w * w * c
			}
		}
	})
	res := &ZPH{DF: p}
	base := make([]int, p, 2*p)
	for j := range base {
		base[j] = j
	}
	for j := range p {
		chi, ok := quadratic(u, v, append(base, p+j))
		if !ok {
			return nil, diag.Errorf(diag.Unfit, "x", "expected coefficients that can change with time, got a singular information matrix")
		}
		res.ChiSq = append(res.ChiSq, chi)
		res.P = append(res.P, chiTail(chi, 1))
	}
	all := base
	for j := range p {
		all = append(all, p+j)
	}
	chi, ok := quadratic(u, v, all)
	if !ok {
		chi = math.NaN()
	}
	res.Global, res.GlobP = chi, chiTail(chi, float64(p))
	return res, nil
}
