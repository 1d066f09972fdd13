package survival

import (
	"math"

	"dolor/diag"

	"gonum.org/v1/gonum/mat"
)

// GroupTest is a test that groups of patients have the same curve.
type GroupTest struct {
	N        []int       // patients per group
	Observed []float64   // weighted events per group; nil for Gray's test
	Expected []float64   // under equal hazards; nil for Gray's test
	Score    []float64   // observed minus expected
	Var      [][]float64 // covariance of Score
	ChiSq    float64
	DF       int
	P        float64
	Method   string
}

// LogRankOptions of [LogRank]; nil means no strata and rho 0.
type LogRankOptions struct {
	Strata []int   // stratum per patient, any codes; nil means one stratum
	Rho    float64 // weight S(t-)^rho (Harrington and Fleming 1982); 0 log-rank, 1 Peto and Peto
}

// LogRank compares the hazards of Event between groups 0..groups-1; competing events count
// as censoring. Mantel 1966; weights of Harrington and Fleming 1982, Biometrika 69:553,
// doi:10.1093/biomet/69.3.553, with the pooled left-continuous Kaplan-Meier curve, as
// R's survdiff. Kind Invalid on malformed input, Unfit with fewer than two groups that have
// patients at risk or no events.
func LogRank(d Data, group []int, groups int, o *LogRankOptions) (*GroupTest, error) {
	if err := checkGroups(d, group, groups); err != nil {
		return nil, err
	}
	if o == nil {
		o = &LogRankOptions{}
	}
	if o.Strata != nil && len(o.Strata) != d.N() {
		return nil, diag.Errorf(diag.Invalid, "strata", "expected %d values, got %d", d.N(), len(o.Strata))
	}
	res := &GroupTest{
		N: make([]int, groups), Observed: make([]float64, groups), Expected: make([]float64, groups),
		Score: make([]float64, groups), Var: matrix(groups), Method: "log-rank",
	}
	if o.Rho != 0 {
		res.Method = "harrington-fleming"
	}
	for _, g := range group {
		res.N[g]++
	}
	for _, rows := range strataRows(d.N(), o.Strata) {
		g := make([]int, len(rows))
		for i, r := range rows {
			g[i] = group[r]
		}
		res.addStratum(d.Take(rows), g, o.Rho)
	}
	for i := range groups {
		res.Score[i] = res.Observed[i] - res.Expected[i]
	}
	return res, res.finish()
}

func (res *GroupTest) addStratum(d Data, group []int, rho float64) {
	t := newTable(d)
	k := len(res.N)
	risk := make([]float64, k)
	for _, g := range group {
		risk[g]++
	}
	s := 1.0 // left-continuous
	ev := make([]float64, k)
	for i := range t.time {
		rows := t.order[t.starts[i]:t.starts[i+1]]
		clear(ev)
		for _, r := range rows {
			if d.Status[r] == Event {
				ev[group[r]]++
			}
		}
		n, e := t.risk[i], t.event[i]
		if e > 0 {
			w := math.Pow(s, rho)
			tie := 0.0
			if n > 1 {
				tie = (n - e) / (n - 1)
			}
			for a := range k {
				res.Observed[a] += w * ev[a]
				res.Expected[a] += w * e * risk[a] / n
				for b := range k {
					cov := -risk[a] * risk[b] / (n * n)
					if a == b {
						cov += risk[a] / n
					}
					res.Var[a][b] += w * w * e * tie * cov
				}
			}
			s *= (n - e) / n
		}
		for _, r := range rows {
			risk[group[r]]--
		}
	}
}

// finish computes the quadratic form over the groups that carry information, leaving one out.
func (res *GroupTest) finish() error {
	var use []int
	for i := range res.N {
		if res.Var[i][i] > 0 {
			use = append(use, i)
		}
	}
	if len(use) < 2 {
		return diag.Errorf(diag.Unfit, "group", "expected at least two groups with patients at risk at an event, got %d", len(use))
	}
	chi, ok := quadratic(res.Score, res.Var, use[1:])
	if !ok {
		return diag.Errorf(diag.Unfit, "group", "expected a covariance of full rank, got a singular one")
	}
	res.ChiSq, res.DF = chi, len(use)-1
	res.P = chiTail(chi, float64(res.DF))
	return nil
}

// quadratic returns u' V^-1 u over the chosen rows.
func quadratic(u []float64, v [][]float64, use []int) (float64, bool) {
	k := len(use)
	sym := mat.NewSymDense(k, nil)
	b := mat.NewVecDense(k, nil)
	for i, a := range use {
		b.SetVec(i, u[a])
		for j := range i + 1 {
			sym.SetSym(i, j, v[a][use[j]])
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(sym) {
		return 0, false
	}
	x := mat.NewVecDense(k, nil)
	if err := chol.SolveVecTo(x, b); err != nil {
		return 0, false
	}
	return mat.Dot(b, x), true
}

func matrix(k int) [][]float64 {
	m := make([][]float64, k)
	for i := range m {
		m[i] = make([]float64, k)
	}
	return m
}

func checkGroups(d Data, group []int, groups int) error {
	if err := d.Check(); err != nil {
		return err
	}
	if len(group) != d.N() {
		return diag.Errorf(diag.Invalid, "group", "expected %d values, got %d", d.N(), len(group))
	}
	if groups < 2 {
		return diag.Errorf(diag.Unfit, "group", "expected at least two groups, got %d", groups)
	}
	for i, g := range group {
		if g < 0 || g >= groups {
			return diag.Errorf(diag.Invalid, "group", "row %d: expected a number from 0 to %d, got %d", i+1, groups-1, g)
		}
	}
	return nil
}

// strataRows lists the patients of each stratum, strata in the order of first appearance.
func strataRows(n int, strata []int) [][]int {
	at := map[int]int{}
	var out [][]int
	for i := range n {
		s := 0
		if strata != nil {
			s = strata[i]
		}
		k, ok := at[s]
		if !ok {
			k = len(out)
			at[s] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], i)
	}
	return out
}
