package glm

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Separated says whether and how the outcome is separated by the columns of a problem.
type Separated struct {
	Complete bool  // some linear combination tells all rows apart; otherwise quasi-complete
	Columns  []int // columns (of the X given) whose coefficients are infinite
	Rows     int   // rows that a separating direction tells apart
}

// Separation returns nil when finite maximum-likelihood estimates exist, else what stands in
// the way (Albert and Anderson, Biometrika 1984;71:1, doi:10.1093/biomet/71.1.1). With z_i the
// row x_i, negated where y is 0, estimates are finite if and only if some weights of at least
// 1 bring the sum of the z_i to 0. The smallest such sum is found exactly by non-negative least
// squares (Lawson and Hanson 1974, algorithm 23.10); when it is not 0, it is a separating
// direction. Rows it tells apart are then set aside and the rest is searched again, until all
// rows are told apart (complete) or none can be. Rows of weight 0 do not count; outcomes must
// be 0 or 1. b is the orthonormal design. Cost: O(Rows*Cols) a step, some Cols steps.
func Separation(b *Basis) *Separated {
	k := b.Cols
	var rows []int
	for i := range b.Rows {
		if b.W == nil || b.W[i] > 0 {
			rows = append(rows, i)
		}
	}
	z := func(i int) []float64 { return b.X[i*k : (i+1)*k] }
	sign := func(i int) float64 {
		if b.Y[i] > 0.5 {
			return 1
		}
		return -1
	}
	out := &Separated{}
	concerned := make(map[int]bool)
	for len(rows) > 0 {
		zs := mat.NewDense(len(rows), k, nil)
		for r, i := range rows {
			for a, v := range z(i) {
				zs.Set(r, a, sign(i)*v)
			}
		}
		dir, found := separating(zs)
		if !found {
			break
		}
		// Orthonormal columns: a unit direction moves rows by about 1/sqrt(n).
		eps := 1e-7 / math.Sqrt(float64(b.Rows))
		left := rows[:0:0]
		for r, i := range rows {
			if dot(zs.RawRowView(r), dir) <= eps {
				left = append(left, i)
			}
		}
		if len(left) == len(rows) {
			break
		}
		out.Rows += len(rows) - len(left)
		rows = left
		for _, j := range support(b, dir) {
			concerned[j] = true
		}
	}
	if out.Rows == 0 {
		return nil
	}
	out.Complete = len(rows) == 0
	for j := range concerned {
		out.Columns = append(out.Columns, j)
	}
	slices.Sort(out.Columns)
	return out
}

// support lists the original columns with a part in direction dir of the basis.
func support(b *Basis, dir []float64) []int {
	k := b.Cols
	coef := b.Coef(dir)
	var top float64
	size := make([]float64, k)
	for a := range k {
		var s float64 // norm of the column, from R
		for c := range a + 1 {
			s += b.R[c*k+a] * b.R[c*k+a]
		}
		size[a] = math.Abs(coef[a]) * math.Sqrt(s)
		top = max(top, size[a])
	}
	var out []int
	for a, v := range size {
		if v > 1e-6*top {
			out = append(out, b.Kept[a])
		}
	}
	return out
}

// separating minimises |sum_i l_i z_i| over l_i >= 1 and returns the unit vector of the sum
// and whether it differs from 0.
func separating(z *mat.Dense) ([]float64, bool) {
	n, k := z.Dims()
	base := make([]float64, k)
	var scale float64
	for i := range n {
		for a, v := range z.RawRowView(i) {
			base[a] += v
			scale += v * v
		}
	}
	scale = math.Sqrt(scale / float64(n)) // typical length of a row
	mu := make(map[int]float64)           // l_i - 1 where positive
	var passive []int
	rho := slices.Clone(base)
	for range 50 * (k + 5) {
		worst, at := -1e-9*scale*max(norm(rho), 1e-300), -1
		for i := range n {
			if _, in := mu[i]; in {
				continue
			}
			if v := dot(z.RawRowView(i), rho); v < worst {
				worst, at = v, i
			}
		}
		if at < 0 || norm(rho) <= 1e-9*scale {
			break
		}
		passive = append(passive, at)
		mu[at] = 0
		for len(passive) > 0 {
			s, ok := leastSquares(z, passive, base)
			if !ok {
				// Dependent rows: the newest adds nothing.
				delete(mu, passive[len(passive)-1])
				passive = passive[:len(passive)-1]
				break
			}
			shrink, blocked := 1.0, false
			for q, i := range passive {
				if s[q] <= 0 {
					blocked = true
					if d := mu[i] - s[q]; d > 0 {
						shrink = min(shrink, mu[i]/d)
					}
				}
			}
			for q, i := range passive {
				mu[i] += shrink * (s[q] - mu[i])
			}
			if !blocked {
				break
			}
			passive = slices.DeleteFunc(passive, func(i int) bool {
				if mu[i] <= 1e-14 {
					delete(mu, i)
					return true
				}
				return false
			})
		}
		copy(rho, base)
		for _, i := range passive {
			for a, v := range z.RawRowView(i) {
				rho[a] += mu[i] * v
			}
		}
	}
	size := norm(rho)
	if size <= 1e-8*scale {
		return nil, false
	}
	for a := range rho {
		rho[a] /= size
	}
	for i := range n {
		if dot(z.RawRowView(i), rho) < -1e-7*scale {
			return nil, false // not a separating direction: the search ended short of one
		}
	}
	return rho, true
}

// leastSquares solves min |sum_q s_q z_(passive q) + base|.
func leastSquares(z *mat.Dense, passive []int, base []float64) ([]float64, bool) {
	k := len(base)
	m := len(passive)
	if m > k {
		return nil, false
	}
	a := mat.NewDense(k, m, nil)
	for q, i := range passive {
		a.SetCol(q, z.RawRowView(i))
	}
	rhs := mat.NewVecDense(k, nil)
	for c, v := range base {
		rhs.SetVec(c, -v)
	}
	var qr mat.QR
	qr.Factorize(a)
	if qr.Cond() > 1e13 {
		return nil, false
	}
	s := mat.NewVecDense(m, nil)
	if err := qr.SolveVecTo(s, false, rhs); err != nil && !isCondition(err) {
		return nil, false
	}
	return s.RawVector().Data, true
}
