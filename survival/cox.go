package survival

import (
	"errors"
	"math"
	"slices"

	"dolor/diag"

	"gonum.org/v1/gonum/mat"
)

// Method of tied event times in Cox regression.
type Method int

// The methods.
const (
	Efron Method = iota // Efron 1977, JASA 72:557
	Breslow
)

// String returns "efron" or "breslow".
func (m Method) String() string {
	if m == Breslow {
		return "breslow"
	}
	return "efron"
}

// CoxOptions of a fit; zero fields mean Efron, 50 iterations and relative tolerance 1e-12.
type CoxOptions struct {
	Method  Method
	MaxIter int
	Tol     float64
}

// Cox is a fitted proportional-hazards model.
type Cox struct {
	Coef       []float64
	SE         []float64
	Cov        [][]float64
	LogLik     float64
	LogLikNull float64
	LR         float64 // likelihood-ratio chi-square against no covariates, df len(Coef)
	Wald       float64
	Score      float64
	Iter       int
	Converged  bool
	Method     Method

	time    []float64 // event times, ascending
	hazard  []float64 // cumulative baseline hazard at centre
	centre  []float64
	data    Data
	x       []float64 // centred, row-major
	life    *table
	columns int
}

// FitCox fits Cox's model for the hazard of Event by Newton's method with step halving;
// competing events count as censoring (a cause-specific hazard). x is row-major
// [patients, columns]; no intercept. Cox 1972, JRSS B 34:187. Kind Invalid for malformed input, Unfit
// without events or with collinear columns. A monotone likelihood (a column that orders the events
// perfectly) gives Converged
// false or Unfit. O(n columns^2) an iteration.
func FitCox(d Data, x []float64, columns int, o *CoxOptions) (*Cox, error) {
	var opt CoxOptions
	if o != nil {
		opt = *o
	}
	if opt.MaxIter <= 0 {
		opt.MaxIter = 50
	}
	if opt.Tol <= 0 {
		opt.Tol = 1e-12
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	if columns < 1 {
		return nil, diag.Errorf(diag.Invalid, "columns", "expected at least one, got %d", columns)
	}
	if err := checkFinite("x", x, d.N()*columns); err != nil {
		return nil, err
	}
	if d.Count(Event) == 0 {
		return nil, diag.Errorf(diag.Unfit, "status", "expected at least one event, got none")
	}
	f := &Cox{Coef: make([]float64, columns), Method: opt.Method, data: d, life: newTable(d), columns: columns}
	f.x, f.centre = centred(x, columns)
	loglik, grad, info := f.partial(f.Coef, nil)
	f.LogLikNull = loglik
	step := mat.NewVecDense(columns, nil)
	next := make([]float64, columns)
	for f.Iter = 0; f.Iter < opt.MaxIter; {
		if !solve(info, grad, step) {
			return nil, collinear(columns)
		}
		gain := mat.Dot(step, mat.NewVecDense(columns, grad))
		if f.Iter == 0 {
			f.Score = gain
		}
		f.Converged = gain <= opt.Tol*(math.Abs(loglik)+1) // one last step then reaches rounding
		f.Iter++
		moved := false
		for h, k := 1.0, 0; k < 30; h, k = h/2, k+1 {
			for j := range next {
				next[j] = f.Coef[j] + h*step.AtVec(j)
			}
			l, g, v := f.partial(next, nil)
			if l >= loglik-1e-12*math.Abs(loglik) {
				copy(f.Coef, next)
				loglik, grad, info, moved = l, g, v, true
				break
			}
		}
		if f.Converged || !moved {
			break
		}
	}
	f.Converged = f.Converged && !diverging(step, f.x)
	f.LogLik, f.LR = loglik, 2*(loglik-f.LogLikNull)
	cov, ok := inverse(info)
	if !ok {
		return nil, collinear(columns)
	}
	f.Cov = cov
	for j := range columns {
		f.SE = append(f.SE, math.Sqrt(cov[j][j]))
		for k := range columns {
			f.Wald += f.Coef[j] * f.Coef[k] * info.At(j, k)
		}
	}
	f.baseline()
	return f, nil
}

func collinear(columns int) error {
	return diag.Errorf(diag.Unfit, "x", "expected %d linearly independent columns, got a singular information matrix", columns)
}

// centred subtracts the column means.
func centred(x []float64, columns int) ([]float64, []float64) {
	out, centre := make([]float64, len(x)), make([]float64, columns)
	n := len(x) / columns
	for j := range columns {
		var s sum
		for i := range n {
			s.add(x[i*columns+j])
		}
		centre[j] = s.value() / float64(n)
		for i := range n {
			out[i*columns+j] = x[i*columns+j] - centre[j]
		}
	}
	return out, centre
}

// diverging reports whether the last Newton step still moves the linear predictor although
// the likelihood has settled: some coefficient runs to infinity.
func diverging(step *mat.VecDense, x []float64) bool {
	p := step.Len()
	for j := range p {
		low, high := math.Inf(1), math.Inf(-1)
		for i := j; i < len(x); i += p {
			low, high = math.Min(low, x[i]), math.Max(high, x[i])
		}
		if math.Abs(step.AtVec(j))*(high-low) > 0.1 {
			return true
		}
	}
	return false
}

// moments holds, at one event time, the sums over the risk set and over the deaths.
type moments struct {
	s0, d0 float64
	s1, d1 []float64
	s2, d2 []float64 // row-major, full
}

func newMoments(p int) *moments {
	return &moments{s1: make([]float64, p), d1: make([]float64, p), s2: make([]float64, p*p), d2: make([]float64, p*p)}
}

// partial returns the log partial likelihood, score and information at b. visit, if not
// nil, is called at every event time, latest first, with the row of the life table, the mean and covariance of
// the covariates over the risk set for each tied event in turn.
func (f *Cox) partial(b []float64, visit func(row int, mean, cov []float64)) (float64, []float64, *mat.SymDense) {
	p, t := f.columns, f.life
	m := newMoments(p)
	grad, info := make([]float64, p), make([]float64, p*p)
	mean, cov := make([]float64, p), make([]float64, p*p)
	eta := make([]float64, f.data.N())
	top := math.Inf(-1)
	for i := range eta {
		for j, v := range f.x[i*p : i*p+p] {
			eta[i] += v * b[j]
		}
		top = math.Max(top, eta[i])
	}
	var ll sum
	for i := range slices.Backward(t.time) {
		m.d0 = 0
		clear(m.d1)
		clear(m.d2)
		deaths := 0
		for _, r := range t.order[t.starts[i]:t.starts[i+1]] {
			x := f.x[r*p : r*p+p]
			e := math.Exp(eta[r] - top)
			accumulate(&m.s0, m.s1, m.s2, x, e)
			if f.data.Status[r] != Event {
				continue
			}
			deaths++
			ll.add(eta[r] - top)
			for j, v := range x {
				grad[j] += v
			}
			accumulate(&m.d0, m.d1, m.d2, x, e)
		}
		for k := range deaths {
			share := 0.0
			if f.Method == Efron {
				share = float64(k) / float64(deaths)
			}
			s0 := m.s0 - share*m.d0
			ll.add(-math.Log(s0))
			for j := range p {
				mean[j] = (m.s1[j] - share*m.d1[j]) / s0
				grad[j] -= mean[j]
			}
			for j := range p {
				for l := range j + 1 {
					v := (m.s2[j*p+l]-share*m.d2[j*p+l])/s0 - mean[j]*mean[l]
					cov[j*p+l], cov[l*p+j] = v, v
				}
			}
			for j := range info {
				info[j] += cov[j]
			}
			if visit != nil {
				visit(i, mean, cov)
			}
		}
	}
	return ll.value(), grad, mat.NewSymDense(p, info)
}

// accumulate adds e, e*x and e*x*x'; only the lower triangle of s2 is filled.
func accumulate(s0 *float64, s1, s2, x []float64, e float64) {
	p := len(x)
	*s0 += e
	for j, v := range x {
		ev := e * v
		s1[j] += ev
		row := s2[j*p : j*p+j+1]
		for l := range row {
			row[l] += ev * x[l]
		}
	}
}

// baseline fills the cumulative hazard of a patient at the column means: Breslow's sum, or
// Efron's for Efron fits.
func (f *Cox) baseline() {
	p, t := f.columns, f.life
	var s0 float64
	steps := make([]float64, len(t.time))
	for i := len(t.time) - 1; i >= 0; i-- {
		var d0 float64
		deaths := 0
		for _, r := range t.order[t.starts[i]:t.starts[i+1]] {
			e := math.Exp(dot(f.x[r*p:r*p+p], f.Coef))
			s0 += e
			if f.data.Status[r] == Event {
				d0 += e
				deaths++
			}
		}
		for k := range deaths {
			share := 0.0
			if f.Method == Efron {
				share = float64(k) / float64(deaths)
			}
			steps[i] += 1 / (s0 - share*d0)
		}
	}
	var cum sum
	for i, h := range steps {
		if h > 0 {
			cum.add(h)
			f.time = append(f.time, t.time[i])
			f.hazard = append(f.hazard, cum.value())
		}
	}
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// Linear returns b'x of one patient on the original scale, x uncentred.
func (f *Cox) Linear(x []float64) float64 { return dot(x[:f.columns], f.Coef) }

// BaselineHazard returns the cumulative hazard at t of a patient whose covariates are all 0.
func (f *Cox) BaselineHazard(t float64) float64 {
	i := upTo(f.time, t) - 1
	if i < 0 {
		return 0
	}
	return f.hazard[i] * math.Exp(-dot(f.centre, f.Coef))
}

// Survival returns the predicted probability exp(-H(t) exp(b'x)) of being event-free at t
// for one patient with covariates x.
func (f *Cox) Survival(t float64, x []float64) float64 {
	i := upTo(f.time, t) - 1
	if i < 0 {
		return 1
	}
	return math.Exp(-f.hazard[i] * math.Exp(f.Linear(x)-dot(f.centre, f.Coef)))
}

// Concordance returns Harrell's C of the linear predictor on the data of the fit.
func (f *Cox) Concordance(level float64) (*Concordance, error) {
	lp := make([]float64, f.data.N())
	for i := range lp {
		lp[i] = dot(f.x[i*f.columns:(i+1)*f.columns], f.Coef)
	}
	return HarrellC(f.data, lp, &ConcordanceOptions{Level: level})
}

// solve computes info^-1 grad; false if info is not positive definite or nearly singular.
func solve(info *mat.SymDense, grad []float64, step *mat.VecDense) bool {
	var chol mat.Cholesky
	if !chol.Factorize(info) {
		return false
	}
	err := chol.SolveVecTo(step, mat.NewVecDense(len(grad), grad))
	return err == nil || isCondition(err)
}

func isCondition(err error) bool {
	var c mat.Condition
	return errors.As(err, &c) && !math.IsInf(float64(c), 1)
}

func inverse(info *mat.SymDense) ([][]float64, bool) {
	var chol mat.Cholesky
	if !chol.Factorize(info) {
		return nil, false
	}
	var inv mat.SymDense
	if err := chol.InverseTo(&inv); err != nil && !isCondition(err) {
		return nil, false
	}
	p := info.SymmetricDim()
	out := matrix(p)
	for i := range p {
		for j := range p {
			out[i][j] = inv.At(i, j)
		}
	}
	return out, true
}
