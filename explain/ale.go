package explain

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"dolor/diag"
	"dolor/frame"
)

// AccumulatedEffects adds up the differences that a predictor makes within small intervals of its own
// values, so that no row is moved far from where it was (Apley and Zhu 2020,
// doi:10.1111/rssb.12377, equations 15 and 16): for a number, rows between two neighbouring
// quantiles are predicted at both; for a category, rows of two neighbouring levels are predicted at
// both, levels of an unordered one being arranged by how alike their rows are in the other
// predictors (appendix E of the paper: Kolmogorov-Smirnov distances of numbers, half the
// total variation of categories, first coordinate of classical scaling). The curve is centred, its mean over
// the rows being 0. Rows without a value are left out. Intervals, errors and cost are as in
// [PartialDependence]. ICE does not exist here and is refused.
func AccumulatedEffects(ctx context.Context, predict Predictor, x *frame.Frame, name string, o *EffectOptions) (*Effect, error) {
	opts := o.filled()
	if opts.ICE {
		return nil, diag.Errorf(diag.Unsupported, "ice", "accumulated local effects have no curve of single rows")
	}
	predict = opts.on(predict)
	e, c, err := opts.start(x, name, Accumulated)
	if err != nil {
		return nil, err
	}
	var rows []int
	for i := range c.Len() {
		if !c.IsMissing(i) && (c.Kind == frame.Category || !math.IsInf(c.Numbers()[i], 0)) {
			rows = append(rows, i)
		}
	}
	x = x.Take(rows)
	c, _ = x.Column(name)
	if opts.Patient != nil {
		kept := make([]string, len(rows))
		for i, r := range rows {
			kept[i] = opts.Patient[r]
		}
		opts.Patient = kept
	}
	e.N = len(rows)
	if c.Kind == frame.Category && !c.Ordered && len(e.Levels) > 2 {
		e.Levels = arranged(x, c, e.Levels)
	}
	place := positions(c, e)
	steps := len(e.X) + len(e.Levels) - 1
	lower, upper, at := e.moves(c, place, steps)
	d, row, err := differences(ctx, predict, x, c, lower, upper, e)
	if err != nil {
		return nil, err
	}
	curve := func(w []float64) []float64 {
		sum, n := make([]float64, steps), make([]float64, steps)
		for k, diff := range d {
			sum[at[k]] += float64(w[row[k]] * diff)
			n[at[k]] += w[row[k]]
		}
		out := make([]float64, steps+1)
		for k := range steps {
			out[k+1] = out[k]
			if n[k] > 0 { // an interval that a resample leaves empty adds nothing
				out[k+1] += sum[k] / n[k]
			}
		}
		return e.centred(out, place, w)
	}
	return e, opts.band(e, len(rows), curve)
}

// positions gives each row its place on the grid: the index of its level, or of the upper end of
// its interval (0 for the smallest value).
func positions(c frame.Column, e *Effect) []int {
	out := make([]int, c.Len())
	for i := range out {
		if c.Kind == frame.Category {
			out[i] = slices.Index(e.Levels, c.Levels[c.Codes()[i]])
			continue
		}
		out[i], _ = slices.BinarySearch(e.X, c.Numbers()[i])
	}
	return out
}

// moves lists row and step k: the row is predicted at grid points k and k+1. A row of a number moves
// over its own interval, a row of a level to both neighbours.
func (e *Effect) moves(c frame.Column, place []int, steps int) (row, from []int, at []int) {
	add := func(i, k int) {
		if k >= 0 && k < steps {
			row, from, at = append(row, i), append(from, k), append(at, k)
		}
	}
	for i, p := range place {
		if c.Kind == frame.Category {
			add(i, p-1)
			add(i, p)
			continue
		}
		add(i, max(0, p-1))
	}
	return row, from, at
}

// differences predicts each listed row at grid points from and from+1.
func differences(ctx context.Context, predict Predictor, x *frame.Frame, c frame.Column, row, from []int, e *Effect) (d []float64, of []int, err error) {
	if len(row) == 0 {
		return nil, nil, nil
	}
	moved := x.Take(row)
	at := func(offset int) ([]float64, error) {
		var col frame.Column
		if c.Kind == frame.Category {
			code := make([]int32, len(row))
			for k := range code {
				code[k] = int32(slices.Index(c.Levels, e.Levels[from[k]+offset]))
			}
			col = frame.CategoryColumn(c.Field, code)
		} else {
			v := make([]float64, len(row))
			for k := range v {
				v[k] = e.X[from[k]+offset]
			}
			col = frame.NumberColumn(c.Field, v)
		}
		set, err := moved.With(col)
		if err != nil {
			return nil, err
		}
		p, err := predict(ctx, set)
		return slices.Clone(p), err
	}
	a, err := at(0)
	if err != nil {
		return nil, nil, err
	}
	d, err = at(1)
	if err != nil {
		return nil, nil, err
	}
	for k := range d {
		d[k] -= a[k]
	}
	return d, row, nil
}

// centred takes off the mean over rows: of a number, the mean of the two ends of the row's interval
// (as ALEPlot does); of a category, the value at its level.
func (e *Effect) centred(y []float64, place []int, w []float64) []float64 {
	sum, n := 0.0, 0.0
	for i, p := range place {
		v := y[p]
		if len(e.X) > 0 {
			k := max(1, min(p, len(y)-1))
			if len(y) == 1 {
				k = 0
			}
			v = (y[max(0, k-1)] + y[k]) / 2
		}
		sum += float64(w[i] * v)
		n += w[i]
	}
	for k := range y {
		y[k] -= sum / n
	}
	return y
}

// arranged orders levels by the first coordinate of classical scaling of their distances; the
// sign is such that the first level comes before the last.
func arranged(x *frame.Frame, c frame.Column, levels []string) []string {
	k := len(levels)
	members := make([][]int, k)
	for i, code := range c.Codes() {
		l := slices.Index(levels, c.Levels[code])
		members[l] = append(members[l], i)
	}
	b := mat.NewSymDense(k, nil)
	for a := range k {
		for z := range a {
			sum := 0.0
			for j := range x.Cols() {
				if col := x.At(j); col.Name != c.Name {
					sum += apart(col, members[a], members[z])
				}
			}
			b.SetSym(a, z, -sum*sum/2)
		}
	}
	mean, all := make([]float64, k), 0.0
	for a := range k {
		for z := range k {
			mean[a] += b.At(a, z) / float64(k)
		}
		all += mean[a] / float64(k)
	}
	for a := range k {
		for z := range a + 1 {
			b.SetSym(a, z, b.At(a, z)-mean[a]-mean[z]+all)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(b, true) {
		return levels
	}
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	score := make([]float64, k)
	for a := range k {
		// Rounded, so that levels that are equally far do not swap by the last bit.
		score[a] = math.Round(vectors.At(a, k-1)*1e9) / 1e9
	}
	if score[0] > score[k-1] {
		for a := range score {
			score[a] = -score[a]
		}
	}
	order := make([]int, k)
	for a := range order {
		order[a] = a
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[a], score[b]) })
	out := make([]string, k)
	for i, a := range order {
		out[i] = levels[a]
	}
	return out
}

// apart is the distance of two groups of rows in one column.
func apart(c frame.Column, a, b []int) float64 {
	switch c.Kind {
	case frame.Category:
		d := make([]float64, len(c.Levels)+1)
		for _, i := range a {
			d[c.Codes()[i]+1] += 1 / float64(len(a))
		}
		for _, i := range b {
			d[c.Codes()[i]+1] -= 1 / float64(len(b))
		}
		sum := 0.0
		for _, v := range d {
			sum += math.Abs(v) / 2
		}
		return sum
	case frame.Number:
		va, vb := numbersOf(c, a), numbersOf(c, b)
		most := 0.0
		for _, v := range slices.Concat(va, vb) {
			ka, _ := slices.BinarySearch(va, math.Nextafter(v, math.Inf(1)))
			kb, _ := slices.BinarySearch(vb, math.Nextafter(v, math.Inf(1)))
			if len(va) > 0 && len(vb) > 0 {
				most = max(most, math.Abs(float64(ka)/float64(len(va))-float64(kb)/float64(len(vb))))
			}
		}
		return most
	default:
		return 0
	}
}

func numbersOf(c frame.Column, rows []int) []float64 {
	var v []float64
	for _, i := range rows {
		if x := c.Numbers()[i]; !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	slices.Sort(v)
	return v
}
