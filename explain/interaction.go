package explain

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/model"
)

// How the partner of a predictor was found.
const (
	InteractionValue    = "interaction values"   // exact, from the trees
	ResidualAssociation = "residual association" // not an interaction value; see [Partners]
)

// Partner is another predictor with which one interacts, or seems to.
type Partner struct {
	Predictor string `json:"predictor"`
	// Strength is the mean absolute interaction value of the pair (both halves, on the scale of the
	// attributions), or for a residual association a correlation from 0 to 1.
	Strength Num    `json:"strength"`
	Method   string `json:"method"` // InteractionValue or ResidualAssociation
}

// Interactor is a model that splits attributions into pairs: phi [rows, columns, columns], row-major,
// symmetric, each row of a matrix summing to that column's attribution.
type Interactor interface {
	Interactions(ctx context.Context, x *frame.Frame) (phi []float64, names []string, err error)
}

// interactionRows bounds the rows whose interaction values are averaged; they are spread evenly over
// the table.
const interactionRows = 500

// Partners lists the other predictors by falling strength of their interaction with the predictor
// called name. Trees give exact interaction values (Lundberg et al. 2020,
// doi:10.1038/s42256-019-0138-9, equations 4 to 6), averaged over at most 500 rows. For other models
// it falls back on the association of each other predictor with what is left of the attributions of name
// among rows of like value (a level, or up to twenty parts of a number): the absolute rank correlation within
// them, for an unordered category the correlation ratio, averaged by how much is left there. That is called [ResidualAssociation]: it shows where to look, and is
// not an interaction value. A model without interactions leaves nothing and gets no partner.
func Partners(ctx context.Context, f *evaluate.Fitted, x *frame.Frame, a *Attributions, name string) ([]Partner, error) {
	j := slices.Index(a.Phi.Names, name)
	if j < 0 {
		return nil, diag.Errorf(diag.Missing, name, "no such predictor among the attributions")
	}
	strength, err := interactions(ctx, f, x, a.Phi.Names, j)
	method := InteractionValue
	if err != nil {
		return nil, err
	}
	if strength == nil {
		strength, method = residuals(a, x, j), ResidualAssociation
	}
	var out []Partner
	for k, s := range strength {
		if k != j && s > 0 {
			out = append(out, Partner{a.Phi.Names[k], Num(s), method})
		}
	}
	slices.SortStableFunc(out, func(a, b Partner) int { return cmp.Compare(b.Strength, a.Strength) })
	return out, nil
}

// interactions is the mean absolute interaction value of predictor j with each other; nil when the
// model has none to give.
func interactions(ctx context.Context, f *evaluate.Fitted, x *frame.Frame, names []string, j int) ([]float64, error) {
	step := max(1, x.Rows()/interactionRows)
	var rows []int
	for i := 0; i < x.Rows() && len(rows) < interactionRows; i += step {
		rows = append(rows, i)
	}
	at := make(map[string]int, len(names))
	for k, n := range names {
		at[n] = k
	}
	sum := make([][]float64, len(rows)) // [row][predictor], averaged over members
	for i := range sum {
		sum[i] = make([]float64, len(names))
	}
	share := 1 / float64(len(f.Members))
	for _, m := range f.Members {
		t, err := m.Chain.Apply(ctx, x.Take(rows))
		if err != nil {
			return nil, err
		}
		phi, columns, err := pairs(ctx, m.Model, t)
		if err != nil || phi == nil {
			return nil, err
		}
		c := len(columns)
		parent := make([]int, c)
		for k, name := range columns {
			parent[k] = -1
			if i := t.Schema().Index(name); i >= 0 {
				if p, ok := at[t.At(i).Source()]; ok {
					parent[k] = p
				}
			}
		}
		for i := range rows {
			for u := range c {
				if parent[u] != j {
					continue
				}
				for v := range c {
					if parent[v] >= 0 && parent[v] != j {
						sum[i][parent[v]] += float64(2 * share * phi[(i*c+u)*c+v])
					}
				}
			}
		}
	}
	out := make([]float64, len(names))
	for _, row := range sum {
		for k, v := range row {
			out[k] += math.Abs(v) / float64(len(rows))
		}
	}
	return out, nil
}

// pairs asks the model, or its trees; nil when it has no interaction values.
func pairs(ctx context.Context, m model.Model, x *frame.Frame) ([]float64, []string, error) {
	if i, ok := m.(Interactor); ok {
		return i.Interactions(ctx, x)
	}
	if t, ok := m.(model.TreeEnsemble); ok {
		return treesInteractions(ctx, t, x)
	}
	return nil, nil, nil
}

// residuals is the association of each other predictor, among rows of like value of predictor j, with
// the attributions of j less their mean there.
func residuals(a *Attributions, x *frame.Frame, j int) []float64 {
	n := a.Phi.Rows
	left := make([]float64, n)
	biggest, rest := 0.0, 0.0
	bin := make([]int, n)
	if c, ok := x.Column(a.Phi.Names[j]); ok {
		bin = bins(c)
	}
	sum, count := map[int]float64{}, map[int]float64{}
	for i := range n {
		v := a.Phi.Data[i*a.Phi.Cols+j]
		biggest = max(biggest, math.Abs(v))
		sum[bin[i]] += v
		count[bin[i]]++
	}
	for i := range n {
		left[i] = a.Phi.Data[i*a.Phi.Cols+j] - sum[bin[i]]/count[bin[i]]
		rest = max(rest, math.Abs(left[i]))
	}
	out := make([]float64, a.Phi.Cols)
	if additive(a, x, j) || rest <= 1e-9*biggest {
		return out
	}
	groups := make(map[int][]int32)
	spread, total := map[int]float64{}, 0.0
	for i := range n {
		groups[bin[i]] = append(groups[bin[i]], int32(i))
		spread[bin[i]] += math.Abs(left[i])
	}
	order := slices.Sorted(maps.Keys(groups))
	for _, g := range order {
		total += spread[g]
	}
	for k, name := range a.Phi.Names {
		c, ok := x.Column(name)
		if !ok || k == j {
			continue
		}
		for _, g := range order {
			out[k] += float64(spread[g] / total * within(c, left, groups[g]))
		}
	}
	return out
}

// within is the absolute association of v and c among rows; 0 when it is not defined.
func within(c frame.Column, v []float64, rows []int32) float64 {
	var at []int
	y := make([]float64, 0, len(rows))
	for _, i := range rows {
		if !c.IsMissing(int(i)) {
			at, y = append(at, int(i)), append(y, v[i])
		}
	}
	c = c.Take(at)
	var r float64
	switch {
	case c.Kind == frame.Category && !c.Ordered:
		r = correlationRatio(c, y)
	default:
		u := make([]float64, len(y))
		for i := range u {
			switch c.Kind {
			case frame.Category:
				u[i] = float64(c.Codes()[i])
			case frame.Number:
				u[i] = c.Numbers()[i]
			default:
				return 0
			}
		}
		one := slices.Repeat([]float64{1}, len(y))
		r = math.Abs(newPair(u, y).spearman(one, make([]float64, len(y)), make([]float64, len(y))))
	}
	if math.IsNaN(r) {
		return 0
	}
	return r
}

// additive reports that equal values of predictor j have equal attributions: it then interacts with
// nothing, whatever the bins leave.
func additive(a *Attributions, x *frame.Frame, j int) bool {
	c, ok := x.Column(a.Phi.Names[j])
	if !ok {
		return true
	}
	seen := make(map[string]float64)
	repeated := false
	for i := range a.Phi.Rows {
		key, _ := c.String(i)
		v := a.Phi.Data[i*a.Phi.Cols+j]
		old, ok := seen[key]
		if ok && math.Abs(old-v) > 1e-9*max(1, math.Abs(v)) {
			return false
		}
		repeated = repeated || ok
		seen[key] = v
	}
	return repeated || monotone(a, c, j)
}

// monotone reports that attributions rise or fall with the value throughout, as those of a linear term
// do when no value occurs twice.
func monotone(a *Attributions, c frame.Column, j int) bool {
	if c.Kind != frame.Number {
		return false
	}
	var keep []int32
	for i, v := range c.Numbers() {
		if v == v {
			keep = append(keep, int32(i))
		}
	}
	o := newOrdered(c.Numbers(), keep)
	up, down := true, true
	for i := 1; i < len(o.rows); i++ {
		d := a.Phi.Data[int(o.rows[i])*a.Phi.Cols+j] - a.Phi.Data[int(o.rows[i-1])*a.Phi.Cols+j]
		up, down = up && d >= -1e-12, down && d <= 1e-12
	}
	return up || down
}

// bins groups rows by level, or by equal parts of a number's ranks: of about 30 rows, twenty at most.
// Missing is a group.
func bins(c frame.Column) []int {
	out := make([]int, c.Len())
	if c.Kind == frame.Category {
		for i, k := range c.Codes() {
			out[i] = int(k)
		}
		return out
	}
	var keep []int32
	for i := range out {
		out[i] = -1
		if !c.IsMissing(i) && c.Kind == frame.Number {
			keep = append(keep, int32(i))
		}
	}
	most := min(20, max(1, len(keep)/30))
	rank := make([]float64, c.Len())
	o := newOrdered(c.Numbers(), keep)
	o.ranks(slices.Repeat([]float64{1}, c.Len()), rank)
	for _, r := range o.rows {
		out[r] = int(float64(most) * (rank[r] - 0.5) / float64(len(o.rows)))
	}
	return out
}

// correlationRatio is the root of the share of variance of v between the levels of c.
func correlationRatio(c frame.Column, v []float64) float64 {
	sum, n := make([]float64, len(c.Levels)), make([]float64, len(c.Levels))
	mean, total := 0.0, 0.0
	for i, k := range c.Codes() {
		if k >= 0 {
			sum[k] += v[i]
			n[k]++
			mean += v[i]
			total++
		}
	}
	mean /= total
	between, all := 0.0, 0.0
	for k := range sum {
		if n[k] > 0 {
			d := sum[k]/n[k] - mean
			between += float64(n[k] * d * d)
		}
	}
	for i, k := range c.Codes() {
		if k >= 0 {
			all += float64((v[i] - mean) * (v[i] - mean))
		}
	}
	if all == 0 {
		return nan
	}
	return math.Sqrt(between / all)
}
