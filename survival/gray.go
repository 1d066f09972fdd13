package survival

import (
	"math"

	"dolor/diag"
)

// GrayTest compares the cumulative incidence of a cause (Event or Competing) between groups
// 0..groups-1: Gray 1988, Ann Stat 16:1141, doi:10.1214/aos/1176350951, with rho 0, as R's
// cuminc. Errors as [LogRank].
func GrayTest(d Data, cause int, group []int, groups int) (*GroupTest, error) {
	if err := checkGroups(d, group, groups); err != nil {
		return nil, err
	}
	if cause != Event && cause != Competing {
		return nil, diag.Errorf(diag.Invalid, "cause", "expected 1 or 2, got %d", cause)
	}
	g := newGray(groups)
	for _, k := range group {
		g.risk[k]++
	}
	t := newTable(d)
	d1, d2 := make([]float64, groups), make([]float64, groups)
	for i := range t.time {
		rows := t.order[t.starts[i]:t.starts[i+1]]
		clear(d1)
		clear(d2)
		for _, r := range rows {
			switch d.Status[r] {
			case Censored:
			case cause:
				d1[group[r]]++
			default:
				d2[group[r]]++
			}
		}
		if t.event[i]+t.comp[i] > 0 {
			g.step(d1, d2)
		}
		for _, r := range rows {
			g.risk[group[r]]--
		}
	}
	return g.result(group)
}

// gray accumulates Gray's score and its variance. Per group k: s is the left-continuous
// Kaplan-Meier curve of both events, f the incidence of the cause; c, v2 and v3 are the
// running integrals of the influence of earlier times on later ones (section 3 of the paper).
type gray struct {
	k          int
	risk, s, f []float64
	pooled     float64 // incidence under equal subdistribution hazards
	score      []float64
	c, v, v2   [][]float64 // v2[i][k]
	v3         []float64
	a          [][]float64
}

func newGray(k int) *gray {
	g := &gray{
		k: k, risk: make([]float64, k), s: make([]float64, k), f: make([]float64, k), score: make([]float64, k),
		c: matrix(k), v: matrix(k), v2: matrix(k), v3: make([]float64, k), a: matrix(k),
	}
	for i := range g.s {
		g.s[i] = 1
	}
	return g
}

func (g *gray) step(d1, d2 []float64) {
	next, inc := append([]float64(nil), g.s...), append([]float64(nil), g.f...)
	var n1, tr, tq float64
	h := make([]float64, g.k) // risk set over S(t-), 0 when empty
	for i := range g.k {
		n1 += d1[i]
		if g.risk[i] <= 0 {
			continue
		}
		next[i] = g.s[i] * (g.risk[i] - d1[i] - d2[i]) / g.risk[i]
		inc[i] = g.f[i] + g.s[i]*d1[i]/g.risk[i]
		h[i] = g.risk[i] / g.s[i]
		tr += h[i]
		tq += h[i] * (1 - g.f[i])
	}
	pooled := g.pooled + n1/tr
	for i := range g.k {
		for j := range g.k {
			g.a[i][j] = 0
			if h[i] == 0 || h[j] == 0 {
				continue
			}
			g.a[i][j] = -h[i] * h[j] / tr
			if i == j {
				g.a[i][j] = h[i] * (1 - h[i]/tr)
			}
			g.c[i][j] += g.a[i][j] * n1 / (tr * (1 - g.pooled))
		}
		if h[i] > 0 {
			g.score[i] += d1[i] - n1*h[i]*(1-g.f[i])/tq
		}
	}
	for k := range g.k {
		if n1 > 0 && g.risk[k] > 0 {
			lead := 1.0
			if next[k] > 0 {
				lead = 1 - (1-pooled)/next[k]
			}
			tie := 1.0
			if n1 > 1 {
				tie = 1 - (n1-1)/(tr*g.s[k]-1)
			}
			g.spread(k, lead, tie*g.s[k]*n1/(tr*g.risk[k]), 1)
		}
		if next[k] > 0 && d2[k] > 0 {
			tie := 1.0
			if d2[k] > 1 {
				tie = 1 - (d2[k]-1)/(g.risk[k]-1)
			}
			g.spread(k, (1-pooled)/next[k], tie*g.s[k]*g.s[k]*d2[k]/(g.risk[k]*g.risk[k]), 0)
		}
	}
	g.pooled, g.s, g.f = pooled, next, inc
}

// spread adds the variance of the events of group k at one time: own is 1 for the cause and
// 0 for the other one.
func (g *gray) spread(k int, lead, weight, own float64) {
	g.v3[k] += lead * lead * weight
	// Own events act through a - lead*c, the others through -lead*c with the sign of lead turned.
	sign := 1.0
	if own == 0 {
		sign = -1
	}
	u := make([]float64, g.k)
	for i := range g.k {
		u[i] = own*g.a[i][k] - lead*g.c[i][k]
		if own == 0 {
			u[i] = lead * g.c[i][k]
		}
		g.v2[i][k] += sign * u[i] * lead * weight
	}
	for i := range g.k {
		for j := range g.k {
			g.v[i][j] += u[i] * u[j] * weight
		}
	}
}

func (g *gray) result(group []int) (*GroupTest, error) {
	res := &GroupTest{N: make([]int, g.k), Score: g.score, Var: g.v, Method: "gray"}
	for _, k := range group {
		res.N[k]++
	}
	for i := range g.k {
		for j := range g.k {
			var s sum
			s.add(g.v[i][j])
			for k := range g.k {
				s.add(g.c[i][k] * g.c[j][k] * g.v3[k])
				s.add(g.c[i][k] * g.v2[j][k])
				s.add(g.c[j][k] * g.v2[i][k])
			}
			g.v[i][j] = s.value()
		}
	}
	for i := range g.k {
		if math.IsNaN(g.v[i][i]) {
			g.v[i][i] = 0
		}
	}
	return res, res.finish()
}
