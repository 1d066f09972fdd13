package glm

import "math"

// aliasTol is the share of a column's norm that must be left after removing its projection
// on the columns before it; R's glm.fit uses the same 1e-11.
const aliasTol = 1e-11

// Basis is a problem rewritten with orthonormal columns: X[:, Kept] = Q R. It has the same
// likelihood and no conditioning trouble.
type Basis struct {
	Problem           // X holds Q, Cols is len(Kept)
	R       []float64 // upper triangular, row-major [Cols, Cols]
	Kept    []int     // columns of the original X, in order
	Aliased []int     // columns that are a linear combination of kept ones before them
}

// Orthogonalise applies Gram-Schmidt with a second pass to the columns of pr in the order
// given, leaving out those that add nothing, as R's glm does. Rows of weight 0 do not count.
// Cost: O(Rows * Cols^2).
func Orthogonalise(pr Problem) *Basis {
	n, p := pr.Rows, pr.Cols
	b := &Basis{Problem: pr}
	var qs [][]float64
	var rs [][]float64
	for j := range p {
		v := make([]float64, n)
		for i := range n {
			if pr.W == nil || pr.W[i] > 0 {
				v[i] = pr.X[i*p+j]
			}
		}
		whole := norm(v)
		r := make([]float64, len(qs), p)
		for range 2 {
			for k, q := range qs {
				c := dot(q, v)
				r[k] += c
				for i, qi := range q {
					v[i] -= c * qi
				}
			}
		}
		left := norm(v)
		if !(left > aliasTol*whole) || left == 0 {
			b.Aliased = append(b.Aliased, j)
			continue
		}
		for i := range v {
			v[i] /= left
		}
		qs = append(qs, v)
		rs = append(rs, append(r, left))
		b.Kept = append(b.Kept, j)
	}
	k := len(qs)
	b.Cols = k
	b.X = make([]float64, n*k)
	b.R = make([]float64, k*k)
	for j, q := range qs {
		for i, v := range q {
			b.X[i*k+j] = v
		}
		for a, v := range rs[j] {
			b.R[a*k+j] = v
		}
	}
	return b
}

// Coef returns the coefficients of the kept columns that g on Q stands for: R x = g.
func (b *Basis) Coef(g []float64) []float64 {
	k := b.Cols
	x := make([]float64, k)
	for a := k - 1; a >= 0; a-- {
		s := g[a]
		for c := a + 1; c < k; c++ {
			s -= b.R[a*k+c] * x[c]
		}
		x[a] = s / b.R[a*k+a]
	}
	return x
}

// Cov returns the covariance of the kept columns' coefficients: inv(R) c inv(R)'.
func (b *Basis) Cov(c []float64) []float64 {
	k := b.Cols
	half := make([]float64, k*k) // rows of inv(R) c
	col := make([]float64, k)
	for j := range k {
		for a := range k {
			col[a] = c[a*k+j]
		}
		for a, v := range b.Coef(col) {
			half[a*k+j] = v
		}
	}
	out := make([]float64, k*k)
	for a := range k {
		copy(out[a*k:(a+1)*k], b.Coef(half[a*k:(a+1)*k]))
	}
	for a := range k {
		for j := range a {
			m := (out[a*k+j] + out[j*k+a]) / 2
			out[a*k+j], out[j*k+a] = m, m
		}
	}
	return out
}

// back turns a fit on Q into one on the kept columns.
func (b *Basis) back(f *Fit) *Fit {
	out := *f
	out.Coef = b.Coef(f.Coef)
	if f.Cov != nil {
		out.Cov = b.Cov(f.Cov)
	}
	if !math.IsNaN(f.Penalised) {
		// det of X'WX is det of Q'WQ times det(R)^2.
		for a := range b.Cols {
			out.Penalised += math.Log(math.Abs(b.R[a*b.Cols+a]))
		}
	}
	return &out
}

// Fit maximises the likelihood, with Firth's penalty if firth, on Q and returns the fit for
// the kept columns; with ErrSingular the last iterate of a maximum-likelihood fit.
func (b *Basis) Fit(firth bool, o *Options) (*Fit, error) {
	fit := Logistic
	if firth {
		fit = Firth
	}
	f, err := fit(b.Problem, o)
	if f == nil {
		return nil, err
	}
	return b.back(f), err
}

func dot(a, b []float64) float64 {
	var s float64
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func norm(v []float64) float64 {
	var top float64
	for _, a := range v {
		top = max(top, math.Abs(a))
	}
	if top == 0 {
		return 0
	}
	var s float64
	for _, a := range v {
		s += (a / top) * (a / top)
	}
	return top * math.Sqrt(s)
}
