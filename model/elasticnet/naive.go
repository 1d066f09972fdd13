package elasticnet

import (
	"context"

	"gonum.org/v1/gonum/blas/gonum"
)

// solveNaive does what solve does without a Hessian: each coordinate reads its column and
// keeps the working residual current (Friedman, Hastie, Tibshirani 2010, section 2.1). The
// curvature is that of pt. Cost: O(rows) a coordinate, O(rows) memory.
func (q *quad) solveNaive(ctx context.Context, pt, warm *point, pe penalty, tol float64) (size, change float64, err error) {
	var bl gonum.Implementation
	d, k := q.d, len(q.cols)+1
	q.beta, q.grad = resize(q.beta, k), resize(q.grad, k)
	g0, at, h := make([]float64, k), make([]float64, k), make([]float64, k)
	v, u := make([]float64, d.n), make([]float64, blockRows)
	d.curvature(pt.eta, v)
	rho := append([]float64(nil), pt.res...)
	// move subtracts df v z from the residual for coordinate a.
	move := func(a int, df float64) {
		for b := range d.blocks() {
			lo, m, blk := d.block(b)
			r, vb := rho[lo:lo+m], v[lo:lo+m]
			if a == 0 {
				bl.Daxpy(m, -df, vb, 1, r, 1)
				continue
			}
			z := blk[q.cols[a-1]*m : (q.cols[a-1]+1)*m]
			for i, zi := range z {
				u[i] = vb[i] * zi
			}
			bl.Daxpy(m, -df, u, 1, r, 1)
		}
	}
	gradient := func(a int) float64 {
		var s float64
		for b := range d.blocks() {
			lo, m, blk := d.block(b)
			if a == 0 {
				for _, r := range rho[lo : lo+m] {
					s -= r
				}
				continue
			}
			j := q.cols[a-1]
			s -= bl.Ddot(m, blk[j*m:(j+1)*m], 1, rho[lo:lo+m], 1)
		}
		return s
	}
	for a := range k {
		if a == 0 {
			q.beta[a], g0[a], at[a] = warm.b0, pt.g0, pt.b0
			for _, vi := range v {
				h[a] += vi
			}
		} else {
			j := q.cols[a-1]
			q.beta[a], g0[a], at[a] = warm.b[j], pt.g[j], pt.b[j]
			for b := range d.blocks() {
				lo, m, blk := d.block(b)
				for i, z := range blk[j*m : (j+1)*m] {
					h[a] += v[lo+i] * z * z
				}
			}
		}
		if df := q.beta[a] - at[a]; df != 0 {
			move(a, df)
		}
	}
	for sweep := range 100000 {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		// Every tenth sweep is of all columns, the others of the non-zero ones.
		all := sweep%10 == 0
		var worst float64
		for a := range k {
			if h[a] <= 0 || !all && a > 0 && q.beta[a] == 0 {
				continue
			}
			old := q.beta[a]
			w := h[a]*old - gradient(a)
			next := w / h[a]
			if a > 0 {
				j := q.cols[a-1]
				switch l1 := pe.l1[j]; {
				case w > l1:
					next = (w - l1) / (h[a] + pe.l2[j])
				case w < -l1:
					next = (w + l1) / (h[a] + pe.l2[j])
				default:
					next = 0
				}
			}
			if df := next - old; df != 0 {
				q.beta[a] = next
				move(a, df)
				worst = max(worst, h[a]*df*df)
			}
		}
		if worst <= tol && all {
			break
		}
	}
	for a := range k {
		q.grad[a] = gradient(a)
		df := q.beta[a] - at[a]
		size = max(size, h[a]*df*df)
		change += df * (g0[a] + q.grad[a]) / 2
	}
	return size, change, nil
}
