package glm

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Firth maximises the penalised likelihood l + 0.5 log det I, whose estimate is finite even
// under separation and whose first-order bias vanishes (Firth, Biometrika 1993;80:27,
// doi:10.1093/biomet/80.1.27; Heinze and Schemper, Stat Med 2002;21:2409,
// doi:10.1002/sim.1047). Cov is the inverse information at the estimate, without the penalty's
// curvature, as both papers have it. Weights count rows in the information too.
// Cost: O(Rows*Cols^2) an iteration.
func Firth(pr Problem, o *Options) (*Fit, error) {
	maxIter, tol := 500, 1e-12
	if o != nil && o.MaxIter > 0 {
		maxIter = o.MaxIter
	}
	if o != nil && o.Tol > 0 {
		tol = o.Tol
	}
	s := newSearch(pr, true)
	s.stop = o.stop
	g := make([]float64, pr.Cols)
	f := &Fit{Coef: g}
	var ok bool
	f.Penalised, f.Iter, f.Converged, ok = s.maximise(g, pr.Cols, maxIter, tol)
	if !ok {
		return nil, ErrSingular
	}
	f.LogLik = pr.linpredLogLik(g, s.eta)
	pr.scoreInfo(s.eta, s.grad, s.info)
	if !s.chol.Factorize(s.info) {
		return nil, ErrSingular
	}
	var inv mat.SymDense
	if err := s.chol.InverseTo(&inv); err != nil && !isCondition(err) {
		return nil, ErrSingular
	}
	f.Cov = make([]float64, pr.Cols*pr.Cols)
	for i := range pr.Cols {
		for j := range pr.Cols {
			f.Cov[i*pr.Cols+j] = inv.At(i, j)
		}
	}
	return f, nil
}

// search is the workspace of a constrained maximisation.
type search struct {
	pr    Problem
	firth bool
	stop  func() bool // nil means never
	eta   []float64
	grad  []float64
	info  *mat.SymDense
	chol  mat.Cholesky
}

func newSearch(pr Problem, firth bool) *search {
	return &search{
		pr: pr, firth: firth, eta: make([]float64, pr.Rows), grad: make([]float64, pr.Cols),
		info: mat.NewSymDense(pr.Cols, nil),
	}
}

// value returns the objective at g and leaves eta there; -Inf where the information is singular.
func (s *search) value(g []float64) float64 {
	ll := s.pr.linpredLogLik(g, s.eta)
	if !s.firth {
		return ll
	}
	s.pr.scoreInfo(s.eta, s.grad, s.info)
	if !s.chol.Factorize(s.info) {
		return math.Inf(-1)
	}
	return ll + 0.5*s.chol.LogDet()
}

// score fills grad with the (modified) score and info with the information at s.eta.
func (s *search) score() bool {
	pr, p := s.pr, s.pr.Cols
	pr.scoreInfo(s.eta, s.grad, s.info)
	if !s.firth {
		return true
	}
	if !s.chol.Factorize(s.info) {
		return false
	}
	var inv mat.SymDense
	if err := s.chol.InverseTo(&inv); err != nil && !isCondition(err) {
		return false
	}
	c := make([]float64, p*p)
	for i := range p {
		for j := range p {
			c[i*p+j] = inv.At(i, j)
		}
	}
	for i := range pr.Rows {
		x := pr.X[i*p : (i+1)*p]
		mu := Expit(s.eta[i])
		v := curvature(s.eta[i])
		if pr.W != nil {
			v *= pr.W[i]
		}
		var h float64
		for a, xa := range x {
			var t float64
			for b, xb := range x {
				t += c[a*p+b] * xb
			}
			h += xa * t
		}
		m := v * h * (0.5 - mu)
		for a, xa := range x {
			s.grad[a] += m * xa
		}
	}
	return true
}

// curvature returns p(1-p) at log-odds e without cancellation.
func curvature(e float64) float64 {
	t := math.Exp(-math.Abs(e))
	return t / ((1 + t) * (1 + t))
}

// maximise climbs from g, changing its first free coordinates, and leaves the maximum in g.
func (s *search) maximise(g []float64, free, maxIter int, tol float64) (best float64, iter int, converged, ok bool) {
	best = s.value(g)
	if math.IsInf(best, -1) || math.IsNaN(best) {
		return best, 0, false, false
	}
	next := make([]float64, len(g))
	copy(next, g)
	small := 0
	for iter = 1; iter <= maxIter && (s.stop == nil || !s.stop()); iter++ {
		if free == 0 {
			return best, iter, true, true
		}
		if !s.score() {
			return best, iter, false, false
		}
		step, ok := s.step(free)
		if !ok {
			return best, iter, false, false
		}
		var slope, longest float64
		for a, v := range step {
			slope += v * s.grad[a]
			longest = max(longest, math.Abs(v))
		}
		h := 1.0
		val := math.Inf(-1)
		for range 40 {
			for a, v := range step {
				next[a] = g[a] + h*v
			}
			val = s.value(next)
			if val >= best-1e-13*math.Abs(best) {
				break
			}
			h /= 2
		}
		if val < best-1e-13*math.Abs(best) || math.IsNaN(val) {
			s.value(g)
			return best, iter, slope < 1e-8, true
		}
		gain := val - best
		copy(g, next)
		best = val
		if math.Abs(gain) <= tol*(math.Abs(best)+0.1) && slope <= 1e-15*(math.Abs(best)+1) {
			return best, iter, true, true
		}
		// Rounding can hold the slope above its bound; a stalled climb is at the top.
		if small++; gain > 1e-15*(math.Abs(best)+1) {
			small = 0
		}
		if small >= 5 {
			return best, iter, slope < 1e-9, true
		}
	}
	return best, iter, false, true
}

// step solves the free block of the information for the score.
func (s *search) step(free int) ([]float64, bool) {
	out := mat.NewVecDense(free, nil)
	rhs := mat.NewVecDense(free, s.grad[:free])
	if free == s.pr.Cols && s.firth {
		err := s.chol.SolveVecTo(out, rhs)
		return out.RawVector().Data, err == nil || isCondition(err)
	}
	sub := mat.NewSymDense(free, nil)
	for a := range free {
		for b := a; b < free; b++ {
			sub.SetSym(a, b, s.info.At(a, b))
		}
	}
	var c mat.Cholesky
	if !c.Factorize(sub) {
		return nil, false
	}
	err := c.SolveVecTo(out, rhs)
	return out.RawVector().Data, err == nil || isCondition(err)
}
