package smooth

import (
	"math"
	"sort"
)

// Surface is a loess evaluated at a few vertices and joined by cubic Hermite pieces: R's
// surface="interpolate" in one dimension (Cleveland and Grosse, "Computational methods for
// local regression", Statistics and Computing 1991;1:47-62, doi:10.00507/BF01890836), with
// the vertex rules of R's loessf.f (ehg126, ehg129, ehg124): a box 0.5% wider than the data
// on each side, cells cut at the median row, or the nearest row that differs from the next,
// until they hold at most floor(n*span*cell) rows.
type Surface struct {
	At, Value, Slope []float64 // vertices, increasing
}

// Interpolate builds the surface; cell is R's loess.control(cell = 0.2). Cost is one local
// fit a vertex. Weights that are not whole numbers count each distinct point once in the
// choice of vertices.
func (l *Loess) Interpolate(cell float64) Surface {
	rows := l.pts.X
	if l.pts.whole {
		rows = make([]float64, 0, int(l.cum[len(l.pts.X)]))
		for i, x := range l.pts.X {
			for range int(l.pts.N[i]) {
				rows = append(rows, x)
			}
		}
	}
	n := len(rows)
	lo, hi := rows[0], rows[n-1]
	margin := math.Max(hi-lo, math.Max(math.Abs(lo), math.Abs(hi))*1e-10+1e-30) * 0.005
	fc := int(math.Floor(float64(n) * l.span * cell))
	v := []float64{lo - margin, hi + margin}
	v = cut(v, rows, lo-margin, hi+margin, fc)
	sort.Float64s(v)
	s := Surface{At: v, Value: make([]float64, len(v)), Slope: make([]float64, len(v))}
	for i, q := range v {
		s.Value[i], s.Slope[i] = l.At(q)
	}
	return s
}

// cut appends the cut points of the cell that holds rows and spans [left, right].
func cut(v, rows []float64, left, right float64, fc int) []float64 {
	n := len(rows)
	if n <= fc || n < 2 || rows[n-1] <= rows[0] {
		return v
	}
	// ehg129's median with the search for an untied neighbour, 1-based m in [1, n].
	m, offset := (1+n)/2, 0
	for m+offset < n && m+offset >= 1 {
		if rows[m+offset-1] != rows[m+offset] {
			m += offset
			break
		}
		offset = -offset
		if offset >= 0 {
			offset++
		}
	}
	t := rows[m-1]
	if m >= n || t == left || t == right || rows[m] == t {
		return v
	}
	v = append(v, t)
	v = cut(v, rows[:m], left, t, fc)
	return cut(v, rows[m:], t, right, fc)
}

// Eval returns the surface at q, which is moved into the box if outside.
func (s Surface) Eval(q float64) float64 {
	last := len(s.At) - 1
	q = math.Min(math.Max(q, s.At[0]), s.At[last])
	j := min(max(sort.SearchFloat64s(s.At, q), 1), last)
	a, b := s.At[j-1], s.At[j]
	w := b - a
	h := (q - a) / w
	g := 1 - h
	return g*g*(1+2*h)*s.Value[j-1] + h*h*(3-2*h)*s.Value[j] +
		(h*g*g*s.Slope[j-1]-h*h*g*s.Slope[j])*w
}
