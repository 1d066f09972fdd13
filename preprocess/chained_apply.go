package preprocess

import (
	"context"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
)

// work is a table being completed: x as it came, z the completed design row by row.
type work struct {
	t    *chained
	x    [][]float64 // [variable][row], NaN missing
	now  [][]float64 // [variable][row], completed
	z    []float64   // row-major [rows, cols]
	cols int
	hash []uint64 // of each row's observed values; nil unless donors are drawn
	gaps [][]int  // [variable] rows to fill
}

func newWork(t *chained, x [][]float64) *work {
	w := &work{t: t, x: x, now: make([][]float64, len(x)), gaps: make([][]int, len(x))}
	for _, v := range t.Variables {
		w.cols += v.width
	}
	rows := 0
	if len(x) > 0 {
		rows = len(x[0])
	}
	w.z = make([]float64, rows*w.cols)
	w.hash = make([]uint64, rows)
	for j := range x {
		v := &t.Variables[j]
		w.now[j] = slices.Clone(x[j])
		for i, val := range x[j] {
			if math.IsNaN(val) {
				val = v.Initial
				w.now[j][i] = val
				w.gaps[j] = append(w.gaps[j], i)
			} else {
				w.hash[i] = mix(w.hash[i] ^ mix(uint64(j)+1) ^ math.Float64bits(val+0)) // +0 makes -0 and 0 alike
			}
			v.put(w.row(i), val)
		}
	}
	return w
}

func (w *work) row(i int) []float64 { return w.z[i*w.cols : (i+1)*w.cols] }

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// fill completes the gaps of m's target. Each row's value comes from that row alone.
func (w *work) fill(m regression, round int) {
	v := &w.t.Variables[m.Target]
	pred := make([]float64, len(m.Coef))
	var scratch []float64
	for _, i := range w.gaps[m.Target] {
		row := w.row(i)
		for r, coef := range m.Coef {
			pred[r] = m.Intercept[r] + dot(coef, row)
		}
		var x float64
		switch {
		case len(m.Values) > 0:
			pick := mix(w.t.Key ^ mix(w.hash[i]+uint64(round)<<32+uint64(m.Target)))
			if v.Field.Kind == frame.Category {
				x, scratch = m.nearest(pred, w.t.Donors, pick, scratch)
			} else {
				x = m.nearestSorted(pred[0], w.t.Donors, pick)
			}
		case v.Field.Kind == frame.Category:
			best := 0
			for r, p := range pred {
				if p > pred[best] {
					best = r
				}
			}
			x = float64(best)
		default:
			x = pred[0]
		}
		w.now[m.Target][i] = x
		v.put(row, x)
	}
}

// dot sums in index order, so that a row gives the same number in any batch.
func dot(a, b []float64) float64 {
	s := 0.0
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

// nearestSorted picks one of the k donors nearest to p. Donors tied at the k-th distance
// share the places left, as mice breaks ties at random.
func (m *regression) nearestSorted(p float64, k int, pick uint64) float64 {
	f := m.Fitted
	n := len(f)
	k = min(k, n)
	lo, _ := slices.BinarySearch(f, p)
	hi := lo // the k nearest end up as f[lo:hi]
	for hi-lo < k {
		if lo > 0 && (hi >= n || p-f[lo-1] <= f[hi]-p) {
			lo--
		} else {
			hi++
		}
	}
	far := math.Max(math.Abs(p-f[lo]), math.Abs(f[hi-1]-p))
	// Widen over donors at exactly that distance, then set the strictly nearer apart.
	left, right := lo, hi
	for left > 0 && math.Abs(p-f[left-1]) == far {
		left--
	}
	for right < n && math.Abs(f[right]-p) == far {
		right++
	}
	a := lo
	for a < hi && math.Abs(p-f[a]) == far {
		a++
	}
	b := hi
	for b > a && math.Abs(f[b-1]-p) == far {
		b--
	}
	near := b - a
	if u := int(pick % uint64(k)); u < near {
		return m.Values[a+u]
	}
	tied := (a - left) + (right - b)
	u := int(mix(pick) % uint64(tied))
	if u < a-left {
		return m.Values[left+u]
	}
	return m.Values[b+u-(a-left)]
}

// nearest is nearestSorted for several responses; scratch is reused.
func (m *regression) nearest(p []float64, k int, pick uint64, scratch []float64) (float64, []float64) {
	n, r := len(m.Values), len(p)
	k = min(k, n)
	scratch = slices.Grow(scratch[:0], 2*n)[:2*n]
	dist, order := scratch[:n], scratch[n:]
	for d := range dist {
		s := 0.0
		for j, x := range m.Fitted[d*r : (d+1)*r] {
			s += (x - p[j]) * (x - p[j])
		}
		dist[d] = s
	}
	copy(order, dist)
	far := nth(order, k-1)
	near := 0
	tied := 0
	for _, d := range dist {
		if d < far {
			near++
		} else if d == far {
			tied++
		}
	}
	u, strict := int(pick%uint64(k)), true
	if u >= near {
		strict = false
		u = int(mix(pick) % uint64(max(tied, 1)))
	}
	for i, d := range dist {
		if strict && d < far || !strict && d == far {
			if u == 0 {
				return m.Values[i], scratch
			}
			u--
		}
	}
	return m.Values[0], scratch // only when distances overflow to NaN
}

func (t *chained) Output() frame.Schema { return t.Out }

// Apply completes each row by itself.
func (t *chained) Apply(ctx context.Context, in *frame.Frame) (*frame.Frame, error) {
	x, cols, err := t.values(in)
	if err != nil {
		return nil, err
	}
	w := newWork(t, x)
	for round := range t.Repeat {
		for _, m := range t.Models {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			w.fill(m, round)
		}
	}
	e := newEdit()
	for j, c := range cols {
		v := t.Variables[j]
		f := c.Field
		if v.Field.Kind == frame.Category {
			codes := make([]int32, c.Len())
			for i, k := range w.now[j] {
				codes[i] = int32(k)
			}
			f.Levels = v.Field.Levels
			e.set(c.Name, frame.CategoryColumn(f, codes))
		} else {
			e.set(c.Name, frame.NumberColumn(f, w.now[j]))
		}
		if v.Indicator {
			ind := make([]float64, c.Len())
			for _, i := range w.gaps[j] {
				ind[i] = 1
			}
			e.tail = append(e.tail, indicatorColumn(c.Field, ind))
		}
	}
	for _, f := range t.Dropped {
		e.set(f.Name)
	}
	return e.apply(in)
}

func (t *chained) Check(in *frame.Frame) []diag.Warning {
	var ws []diag.Warning
	for _, v := range t.Variables {
		ws = append(ws, checkLevels(in, v.Field, "missing")...)
	}
	return ws
}

func (t *chained) Warnings() []diag.Warning {
	ws := dropWarnings("column_all_missing", "wholly missing in training, dropped", t.Dropped)
	if !t.Settled {
		ws = append(ws, diag.Warning{Code: "not_converged", Msg: "impute_chained: rounds ended before the tolerance was met", Count: 1})
	}
	if t.Donors > 0 {
		ws = append(ws, diag.Warning{Code: "state_holds_values", Msg: "impute_chained: the fitted state holds training values; it must not leave the hospital", Count: 1})
	}
	return ws
}

func (t *chained) check() error {
	d := t.layout()
	for _, v := range t.Variables {
		switch v.Field.Kind {
		case frame.Number:
		case frame.Category:
			if !isCode(v.Initial, len(v.Field.Levels)) {
				return damaged(v.Field.Name, "expected the initial fill to be one of %d levels", len(v.Field.Levels))
			}
		default:
			return damaged(v.Field.Name, "expected a number or category column, got a %s", v.Field.Kind)
		}
	}
	if t.Repeat < 0 || t.Repeat > maxRounds || t.Donors < 0 {
		return damaged("repeat", "expected 0 to %d rounds", maxRounds)
	}
	for _, m := range t.Models {
		if m.Target < 0 || m.Target >= len(t.Variables) {
			return damaged("models", "expected a target below %d, got %d", len(t.Variables), m.Target)
		}
		v := &t.Variables[m.Target]
		if err := m.check(v, d, t.Donors); err != nil {
			return err
		}
	}
	return nil
}

func (m *regression) check(v *variable, cols, donors int) error {
	r := v.responses()
	if len(m.Coef) != r || len(m.Intercept) != r {
		return damaged(v.Field.Name, "expected %d regressions, got %d", r, len(m.Coef))
	}
	for _, c := range m.Coef {
		if len(c) != cols {
			return damaged(v.Field.Name, "expected %d coefficients, got %d", cols, len(c))
		}
	}
	if len(m.Fitted) != r*len(m.Values) || len(m.Values) > 0 && donors < 1 {
		return damaged(v.Field.Name, "expected %d predictions of donors, got %d", r*len(m.Values), len(m.Fitted))
	}
	if v.Field.Kind == frame.Category {
		for _, x := range m.Values {
			if !isCode(x, r) {
				return damaged(v.Field.Name, "expected donors to be one of %d levels", r)
			}
		}
	} else if !slices.IsSorted(m.Fitted) {
		return damaged(v.Field.Name, "expected the predictions of donors in ascending order")
	}
	return nil
}

func isCode(x float64, n int) bool { return x >= 0 && x < float64(n) && x == math.Trunc(x) }
