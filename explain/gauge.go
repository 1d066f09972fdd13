package explain

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"dolor/frame"
)

// gauge measures a table on resamples. It is built once and then only read.
type gauge struct {
	t       *Table
	pairs   []*pair   // value and attribution of each predictor; nil: no direction
	level   [][]int32 // of each predictor, the level of each row, -1 none; nil: not by level
	names   [][]string
	levelAt []int // where a predictor's levels begin in measured.level
	levels  int
	notes   []string
}

// measured is one resample.
type measured struct {
	abs   []float64 // mean absolute attribution a predictor
	rho   []float64
	level []float64 // mean attribution a level; NaN when no row has it
}

func newGauge(t *Table) *gauge {
	p := t.Phi.Cols
	g := &gauge{t: t, pairs: make([]*pair, p), level: make([][]int32, p), names: make([][]string, p), levelAt: make([]int, p), notes: make([]string, p)}
	for j, name := range t.Phi.Names {
		g.levelAt[j] = g.levels
		c, ok := frame.Column{}, false
		if t.X != nil {
			c, ok = t.X.Column(name)
		}
		if !ok {
			g.notes[j] = "values not given"
			continue
		}
		g.column(j, c)
		g.levels += len(g.names[j])
	}
	return g
}

func (g *gauge) column(j int, c frame.Column) {
	phi := g.phi(j)
	gaps := c.MissingCount() > 0
	rows := make([]int32, len(phi))
	x := make([]float64, len(phi))
	for i := range x {
		x[i], rows[i] = nan, -1
		switch {
		case c.IsMissing(i):
		case c.Kind == frame.Category:
			x[i] = float64(c.Codes()[i])
		case c.Kind == frame.Number:
			x[i] = c.Numbers()[i]
		}
	}
	unordered := c.Kind == frame.Category && !c.Ordered
	if unordered {
		g.notes[j] = "unordered category; see its levels"
		g.names[j] = append([]string(nil), c.Levels...)
		for i, v := range x {
			if v == v {
				rows[i] = int32(v)
			}
		}
	} else {
		g.pairs[j] = newPair(x, phi)
	}
	if gaps {
		for i := range rows {
			if c.IsMissing(i) {
				rows[i] = int32(len(g.names[j]))
			}
		}
		g.names[j] = append(g.names[j], Missing)
	}
	if len(g.names[j]) > 0 {
		g.level[j] = rows
	}
}

func (g *gauge) phi(j int) []float64 {
	out := make([]float64, g.t.Phi.Rows)
	for i := range out {
		out[i] = g.t.Phi.Data[i*g.t.Phi.Cols+j]
	}
	return out
}

// describe fills what does not depend on a resample.
func (g *gauge) describe(j int) Importance {
	m := Importance{Predictor: g.t.Phi.Names[j], DirectionNote: g.notes[j]}
	if g.t.X != nil {
		if c, ok := g.t.X.Column(m.Predictor); ok {
			m.Unit, m.Modality = c.Unit, c.Modality
		}
	}
	for k, name := range g.names[j] {
		l := LevelMean{Level: name}
		for _, r := range g.level[j] {
			if int(r) == k {
				l.N++
			}
		}
		m.Levels = append(m.Levels, l)
	}
	return m
}

// measure takes every statistic when row i is there w[i] times.
func (g *gauge) measure(w []float64) measured {
	n, p := g.t.Phi.Rows, g.t.Phi.Cols
	m := measured{abs: make([]float64, p), rho: make([]float64, p), level: make([]float64, g.levels)}
	count := make([]float64, g.levels)
	total := 0.0
	for i := range n {
		if w[i] == 0 {
			continue
		}
		total += w[i]
		for j, v := range g.t.Phi.Row(i) {
			m.abs[j] += float64(w[i] * math.Abs(v))
			if g.level[j] != nil && g.level[j][i] >= 0 {
				at := g.levelAt[j] + int(g.level[j][i])
				m.level[at] += float64(w[i] * v)
				count[at] += w[i]
			}
		}
	}
	rx, ry := make([]float64, n), make([]float64, n)
	for j := range p {
		m.abs[j] /= total
		m.rho[j] = nan
		if g.pairs[j] != nil {
			m.rho[j] = g.pairs[j].spearman(w, rx, ry)
		}
	}
	for k := range m.level {
		m.level[k] /= count[k] // 0/0: no row of that level
	}
	return m
}

// foldMeans is the mean absolute attribution [fit][predictor], fits in ascending number; nil for
// one fit.
func foldMeans(t *Table) [][]float64 {
	if t.Fold == nil {
		return nil
	}
	at := make(map[int]int)
	most := 0
	for _, f := range t.Fold {
		at[f] = 0
		most = max(most, f)
	}
	k := 0
	for f := range most + 1 {
		if _, ok := at[f]; ok {
			at[f] = k
			k++
		}
	}
	if k < 2 {
		return nil
	}
	out, n := make([][]float64, k), make([]float64, k)
	for f := range out {
		out[f] = make([]float64, t.Phi.Cols)
	}
	for i, f := range t.Fold {
		n[at[f]]++
		for j, v := range t.Phi.Row(i) {
			out[at[f]][j] += math.Abs(v)
		}
	}
	for f := range out {
		for j := range out[f] {
			out[f][j] /= n[f]
		}
	}
	return out
}

// corrected is the interval of Nadeau and Bengio, cut at 0.
func corrected(folds [][]float64, j int, testShare, level float64) (Num, Num) {
	n := float64(len(folds))
	mean, ss := 0.0, 0.0
	for _, f := range folds {
		mean += f[j] / n
	}
	for _, f := range folds {
		ss += float64((f[j] - mean) * (f[j] - mean))
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile((1 + level) / 2)
	h := t * math.Sqrt(ss/(n-1)*(1/n+testShare))
	return Num(max(0, mean-h)), Num(mean + h)
}

func stability(rank []float64, ranks, folds [][]float64, top int) Stability {
	s := Stability{Top: top, KendallW: Num(nan), FoldOverlap: Num(nan), RankCorrelation: Num(nan), BootOverlap: Num(nan)}
	if len(folds) > 1 {
		judges := make([][]float64, len(folds))
		for f := range folds {
			judges[f] = ranking(folds[f])
		}
		s.KendallW = Num(kendallW(judges))
		sum, n := 0.0, 0.0
		for a := range judges {
			for b := range a {
				sum += overlap(judges[a], judges[b], top)
				n++
			}
		}
		s.FoldOverlap = Num(sum / n)
	}
	if len(ranks) > 0 && len(rank) > 1 {
		rho, same := 0.0, 0.0
		for _, r := range ranks {
			rho += correlation(rank, r)
			same += overlap(rank, r, top)
		}
		n := float64(len(ranks))
		s.RankCorrelation, s.BootOverlap = Num(rho/n), Num(same/n)
	}
	return s
}
