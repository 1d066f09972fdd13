// Package glm fits logistic regression by maximum likelihood ([Logistic]) or with Firth's
// penalty ([Firth]): Newton's method with step halving on a dense row-major design, with
// weights and an offset. [Orthogonalise] finds aliased columns and gives a well-conditioned
// design, [Separation] decides whether finite estimates exist, [Profile] and [Fit.HC0] give
// intervals and variances beyond Wald's. Nothing here is random or concurrent.
package glm

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Problem is a weighted logistic regression. X is row-major [Rows, Cols] and holds the
// intercept column if one is wanted. Y is in [0, 1]; W and Offset may be nil.
type Problem struct {
	Rows, Cols int
	X          []float64
	Y          []float64
	W          []float64
	Offset     []float64
}

// Options of a fit; zero fields mean 100 iterations and tolerance 1e-12 on the relative
// change of the log-likelihood.
type Options struct {
	MaxIter int
	Tol     float64
	Stop    func() bool // asked before every iteration; true ends the fit, unconverged
}

func (o *Options) stop() bool { return o != nil && o.Stop != nil && o.Stop() }

// Fit is the solution.
type Fit struct {
	Coef      []float64 // [Cols]
	Cov       []float64 // inverse information at Coef, row-major [Cols, Cols]
	LogLik    float64
	Penalised float64 // LogLik + half the log determinant of the information; NaN without Firth's penalty
	Iter      int
	Converged bool
}

// ErrSingular says that the information matrix cannot be inverted: collinear columns, no
// rows, or fitted probabilities all 0 or 1.
var ErrSingular = errors.New("glm: information matrix is singular")

// Logistic maximises the log-likelihood sum w_i (y_i log p_i + (1-y_i) log(1-p_i)),
// logit p = X b + offset. Iterations stop when both the log-likelihood and the score have
// settled. Under separation the coefficients diverge and Converged is false or the
// covariance huge, see [Separation]. With ErrSingular comes the last iterate, without a
// covariance. Cost: O(Rows*Cols^2) an iteration.
func Logistic(pr Problem, o *Options) (*Fit, error) {
	maxIter, tol := 100, 1e-12
	if o != nil && o.MaxIter > 0 {
		maxIter = o.MaxIter
	}
	if o != nil && o.Tol > 0 {
		tol = o.Tol
	}
	n, p := pr.Rows, pr.Cols
	f := &Fit{Coef: make([]float64, p), Penalised: math.NaN()}
	eta := make([]float64, n)
	grad := make([]float64, p)
	info := mat.NewSymDense(p, nil)
	b := make([]float64, p)
	f.LogLik = pr.linpredLogLik(f.Coef, eta)
	var chol mat.Cholesky
	step := mat.NewVecDense(p, nil)
	for f.Iter = 1; f.Iter <= maxIter && !o.stop(); f.Iter++ {
		pr.scoreInfo(eta, grad, info)
		if !chol.Factorize(info) {
			return f, ErrSingular
		}
		if err := chol.SolveVecTo(step, mat.NewVecDense(p, grad)); err != nil && !isCondition(err) {
			return f, ErrSingular
		}
		decrement := mat.Dot(step, mat.NewVecDense(p, grad)) // twice the predicted gain
		next := math.Inf(-1)
		for h, k := 1.0, 0; k < 30; h, k = h/2, k+1 {
			for j := range b {
				b[j] = f.Coef[j] + h*step.AtVec(j)
			}
			next = pr.linpredLogLik(b, eta)
			if next >= f.LogLik-1e-12*math.Abs(f.LogLik) {
				break
			}
		}
		gain := next - f.LogLik
		copy(f.Coef, b)
		f.LogLik = next
		if math.Abs(gain) <= tol*(math.Abs(next)+0.1) && decrement <= 1e-14*(math.Abs(next)+1) {
			f.Converged = true
			break
		}
	}
	pr.scoreInfo(eta, grad, info)
	if !chol.Factorize(info) {
		return f, ErrSingular
	}
	var inv mat.SymDense
	if err := chol.InverseTo(&inv); err != nil && !isCondition(err) {
		return f, ErrSingular
	}
	f.Cov = make([]float64, p*p)
	for i := range p {
		for j := range p {
			f.Cov[i*p+j] = inv.At(i, j)
		}
	}
	return f, nil
}

func isCondition(err error) bool {
	var c mat.Condition
	return errors.As(err, &c)
}

// linpredLogLik fills eta with X b + offset and returns the log-likelihood.
func (pr Problem) linpredLogLik(b, eta []float64) float64 {
	var ll, comp float64 // Neumaier-free Kahan: the sum decides convergence
	for i := range pr.Rows {
		x := pr.X[i*pr.Cols : (i+1)*pr.Cols]
		var e float64
		if pr.Offset != nil {
			e = pr.Offset[i]
		}
		for j, v := range x {
			e += v * b[j]
		}
		eta[i] = e
		l := pr.Y[i]*e - Log1pExp(e)
		if pr.W != nil {
			l *= pr.W[i]
		}
		t := l - comp
		s := ll + t
		comp = (s - ll) - t
		ll = s
	}
	return ll
}

// scoreInfo fills the score X'W(y-p) and the information X'WX at eta.
func (pr Problem) scoreInfo(eta, grad []float64, info *mat.SymDense) {
	p := pr.Cols
	clear(grad)
	h := make([]float64, p*p)
	for i := range pr.Rows {
		x := pr.X[i*p : (i+1)*p]
		mu := Expit(eta[i])
		r, v := pr.Y[i]-mu, curvature(eta[i])
		if pr.W != nil {
			r *= pr.W[i]
			v *= pr.W[i]
		}
		for j, xj := range x {
			grad[j] += r * xj
			vx := v * xj
			row := h[j*p : j*p+j+1]
			for k := range row {
				row[k] += vx * x[k]
			}
		}
	}
	for j := range p {
		for k := range j + 1 {
			info.SetSym(j, k, h[j*p+k])
		}
	}
}

// Expit returns 1/(1+exp(-x)) without overflow.
func Expit(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// Logit returns log(p/(1-p)); 0 and 1 give infinities.
func Logit(p float64) float64 { return math.Log(p) - math.Log1p(-p) }

// Log1pExp returns log(1+exp(x)) without overflow.
func Log1pExp(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}
