package explain

import (
	"cmp"
	"context"
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
// it falls back on the association of each other predictor with what is left of the attributions of name once its own
// value is accounted for (mean by twentieths of the value, or by level): the absolute rank correlation, for an unordered
// category the correlation ratio. That is called [ResidualAssociation]: it shows where to look, and is
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

// residuals is the association of each other predictor with the attributions of predictor j less
// their mean at its value.
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
	one := slices.Repeat([]float64{1}, n)
	rx, ry := make([]float64, n), make([]float64, n)
	for k, name := range a.Phi.Names {
		c, ok := x.Column(name)
		if !ok || k == j {
			continue
		}
		var r float64
		switch {
		case c.Kind == frame.Category && !c.Ordered:
			r = correlationRatio(c, left)
		case c.Kind == frame.Category:
			v := make([]float64, n)
			for i, code := range c.Codes() {
				if v[i] = float64(code); code < 0 {
					v[i] = nan
				}
			}
			r = math.Abs(newPair(v, left).spearman(one, rx, ry))
		case c.Kind == frame.Number:
			r = math.Abs(newPair(c.Numbers(), left).spearman(one, rx, ry))
		}
		if r == r {
			out[k] = r
		}
	}
	return out
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

// bins groups rows by level, or by twentieths of a number's ranks; missing is a group.
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
	rank := make([]float64, c.Len())
	o := newOrdered(c.Numbers(), keep)
	o.ranks(slices.Repeat([]float64{1}, c.Len()), rank)
	for _, r := range o.rows {
		out[r] = int(20 * (rank[r] - 0.5) / float64(len(o.rows)))
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
			between += n[k] * d * d
		}
	}
	for i, k := range c.Codes() {
		if k >= 0 {
			all += (v[i] - mean) * (v[i] - mean)
		}
	}
	if all == 0 {
		return nan
	}
	return math.Sqrt(between / all)
}

// DependencePlot is the attributions of one predictor against its values, coloured by another.
type DependencePlot struct {
	About
	Predictor string
	Unit      string
	Levels    []string  // of a category; then X holds codes
	X         []float64 // NaN missing
	Phi       []float64
	Partner   *Partner // nil: no other predictor
	Class     []int    // of the partner's value, as in [Classes]; nil without a partner
	Low, High string   // the partner's values at the ends of its classes, "" for an unordered category
	// PartnerLevels of an unordered category, PartnerCode the level of each row.
	PartnerLevels []string
	PartnerCode   []int32
}

// DependencePlot returns the points of one predictor, coloured by partner (nil: by nothing).
func (a *Attributions) DependencePlot(x *frame.Frame, name string, partner *Partner) (*DependencePlot, error) {
	j := slices.Index(a.Phi.Names, name)
	c, ok := x.Column(name)
	if !ok || j < 0 {
		return nil, x.NoColumn(name)
	}
	d := &DependencePlot{About: a.About, Predictor: name, Unit: c.Unit, Levels: c.Levels, Partner: partner}
	for i := range a.Phi.Rows {
		v := nan
		switch {
		case c.IsMissing(i):
		case c.Kind == frame.Category:
			v = float64(c.Codes()[i])
		case c.Kind == frame.Number:
			v = c.Numbers()[i]
		}
		d.X, d.Phi = append(d.X, v), append(d.Phi, a.Phi.Data[i*a.Phi.Cols+j])
	}
	if partner == nil {
		return d, nil
	}
	p, ok := x.Column(partner.Predictor)
	if !ok {
		return nil, x.NoColumn(partner.Predictor)
	}
	var ordered bool
	if d.Class, ordered = Classes(p); !ordered {
		d.PartnerLevels, d.PartnerCode = p.Levels, p.Codes()
		return d, nil
	}
	lo, hi := -1, -1
	value := func(i int) float64 {
		if p.Kind == frame.Category {
			return float64(p.Codes()[i])
		}
		return p.Numbers()[i]
	}
	for i := range p.Len() {
		if p.IsMissing(i) {
			continue
		}
		if lo < 0 || value(i) < value(lo) {
			lo = i
		}
		if hi < 0 || value(i) > value(hi) {
			hi = i
		}
	}
	if lo >= 0 {
		d.Low, d.High = valueText(p, lo), valueText(p, hi)
	}
	return d, nil
}
