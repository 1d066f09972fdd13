package elasticnet

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas/gonum"
)

// quad is the quadratic model of the loss on the working set, around a point whose gradient
// is exact: g d + scale/2 d' H d. H was measured at an earlier point (version held in v) and
// is shared by neighbouring penalties; scale follows the mean curvature.
type quad struct {
	d      *design
	cols   []int // working set in order of entry; position 0 of H is the intercept
	pos    []int // [p] place in cols, or -1
	h      []float64
	stride int
	v      []float64 // row curvatures H was measured with
	sumV   float64
	filled int // rows of H that are current

	beta, grad []float64 // [len(cols)+1] coefficients and model gradient, intercept first
}

func newQuad(d *design) *quad {
	q := &quad{d: d, pos: make([]int, d.p), v: make([]float64, d.n)}
	for j := range q.pos {
		q.pos[j] = -1
	}
	return q
}

// add puts column j in the working set.
func (q *quad) add(j int) {
	q.pos[j] = len(q.cols)
	q.cols = append(q.cols, j)
}

// refresh measures H anew at pt.
func (q *quad) refresh(ctx context.Context, pt *point) error {
	q.d.curvature(pt.eta, q.v)
	q.sumV = 0
	for _, v := range q.v {
		q.sumV += v
	}
	q.filled = 0
	return q.extend(ctx)
}

// extend measures the rows of H for columns added since.
func (q *quad) extend(ctx context.Context) error {
	k := len(q.cols) + 1
	if q.filled == k {
		return nil
	}
	if k > q.stride {
		stride := min(q.d.p+1, max(2*q.stride, k, 16))
		h := make([]float64, stride*stride)
		for a := range q.filled {
			copy(h[a*stride:a*stride+q.filled], q.h[a*q.stride:a*q.stride+q.filled])
		}
		q.h, q.stride = h, stride
	}
	err := q.d.gram(ctx, q.v, q.cols, q.filled, q.h, q.stride)
	q.filled = k
	return err
}

// penalty is lambda with its two parts per column: l1[j] |b| + l2[j] b^2/2.
type penalty struct{ l1, l2 []float64 }

func (pe penalty) value(b []float64) float64 {
	var s float64
	for j, v := range b {
		if v != 0 {
			s += pe.l1[j]*math.Abs(v) + pe.l2[j]*v*v/2
		}
	}
	return s
}

// solve minimises the model plus penalty by cyclic coordinate descent with covariance
// updates and active sets (Friedman, Hastie, Tibshirani 2010, sections 2.2 and 2.5), starting
// from warm. It leaves the minimiser in q.beta and the model gradient there in q.grad, and
// returns max_j H_jj (beta_j - at_j)^2, the size of the step from pt, and the change of loss
// the model predicts.
func (q *quad) solve(pt, warm *point, pe penalty, scale, tol float64) (size, change float64) {
	var bl gonum.Implementation
	k := len(q.cols) + 1
	q.beta, q.grad = resize(q.beta, k), resize(q.grad, k)
	g0 := make([]float64, k)
	at := make([]float64, k)
	q.beta[0], g0[0], at[0] = warm.b0, pt.g0, pt.b0
	for a, j := range q.cols {
		q.beta[a+1], g0[a+1], at[a+1] = warm.b[j], pt.g[j], pt.b[j]
	}
	copy(q.grad, g0)
	for a := range k {
		if df := q.beta[a] - at[a]; df != 0 {
			bl.Daxpy(k, scale*df, q.h[a*q.stride:], 1, q.grad, 1)
		}
	}
	step := func(a int) float64 {
		hjj := scale * q.h[a*q.stride+a]
		if hjj <= 0 {
			return 0
		}
		old := q.beta[a]
		u := hjj*old - q.grad[a]
		next := u / hjj
		if a > 0 {
			j := q.cols[a-1]
			if l1 := pe.l1[j]; u > l1 {
				next = (u - l1) / (hjj + pe.l2[j])
			} else if u < -l1 {
				next = (u + l1) / (hjj + pe.l2[j])
			} else {
				next = 0
			}
		}
		df := next - old
		if df == 0 {
			return 0
		}
		q.beta[a] = next
		bl.Daxpy(k, scale*df, q.h[a*q.stride:], 1, q.grad, 1)
		return hjj * df * df
	}
	active := make([]int, 0, k)
	for range 1000 {
		var worst float64
		for a := range k {
			worst = max(worst, step(a))
		}
		if worst <= tol {
			break
		}
		active = active[:0]
		for a := range k {
			if a == 0 || q.beta[a] != 0 {
				active = append(active, a)
			}
		}
		for range 1000 {
			worst = 0
			for _, a := range active {
				worst = max(worst, step(a))
			}
			if worst <= tol {
				break
			}
		}
	}
	for a := range k {
		df := q.beta[a] - at[a]
		size = max(size, scale*q.h[a*q.stride+a]*df*df)
		change += df * (g0[a] + q.grad[a]) / 2
	}
	return size, change
}

func resize(v []float64, n int) []float64 {
	if cap(v) < n {
		return make([]float64, n, 2*n)
	}
	return v[:n]
}
