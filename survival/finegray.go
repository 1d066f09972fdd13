package survival

import (
	"math"

	"dolor/diag"

	"gonum.org/v1/gonum/mat"
)

// FineGray is a fitted proportional-subdistribution-hazards model for Event.
type FineGray struct {
	Coef       []float64
	SE         []float64   // robust, with the estimation of the censoring curve
	Cov        [][]float64 // robust
	LogLik     float64
	LogLikNull float64
	Iter       int
	Converged  bool

	time, hazard []float64 // cumulative baseline subdistribution hazard at centre
	centre       []float64
}

// FineGrayOptions of a fit; zero fields mean events before censorings, 50 iterations,
// relative tolerance 1e-12. NaiveCensoring gives R's crr.
type FineGrayOptions struct {
	Ties    Ties
	MaxIter int
	Tol     float64
}

// fgProblem holds what does not change between iterations.
type fgProblem struct {
	d    Data
	x    []float64
	p    int
	t    *table
	c    *censoring
	g    []float64 // G(t-) per row of the table
	eta  []float64
	s0   []float64 // per row: weighted risk sum at the event times
	mean []float64 // per row: weighted covariate mean [rows, p]
	top  float64
}

// FitFineGray fits the model of Fine and Gray 1999, JASA 94:496,
// doi:10.1080/01621459.1999.10474144: patients with the competing event stay in the risk set
// with weight G(t-)/G(T-). Ties among events follow Breslow. x is row-major [patients,
// columns]. Errors as [FitCox].
func FitFineGray(d Data, x []float64, columns int, o *FineGrayOptions) (*FineGray, error) {
	var opt FineGrayOptions
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
	pr := &fgProblem{d: d, p: columns, t: newTable(d), eta: make([]float64, d.N())}
	f := &FineGray{Coef: make([]float64, columns)}
	pr.x, f.centre = centred(x, columns)
	pr.c = newCensoring(pr.t, opt.Ties)
	pr.g = make([]float64, len(pr.t.time))
	for i := range pr.g {
		pr.g[i] = pr.c.before(i)
	}
	pr.s0, pr.mean = make([]float64, len(pr.t.time)), make([]float64, len(pr.t.time)*columns)
	loglik, grad, info := pr.partial(f.Coef)
	f.LogLikNull = loglik
	step := mat.NewVecDense(columns, nil)
	next := make([]float64, columns)
	for f.Iter < opt.MaxIter {
		if !solve(info, grad, step) {
			return nil, collinear(columns)
		}
		f.Converged = mat.Dot(step, mat.NewVecDense(columns, grad)) <= opt.Tol*(math.Abs(loglik)+1)
		f.Iter++
		moved := false
		for h, k := 1.0, 0; k < 30 && !moved; h, k = h/2, k+1 {
			for j := range next {
				next[j] = f.Coef[j] + h*step.AtVec(j)
			}
			if l, g, v := pr.partial(next); l >= loglik-1e-12*math.Abs(loglik) {
				copy(f.Coef, next)
				loglik, grad, info, moved = l, g, v, true
			}
		}
		if f.Converged || !moved {
			break
		}
	}
	f.Converged = f.Converged && !diverging(step, pr.x)
	f.LogLik, _, info = pr.partial(f.Coef) // leaves the sums at Coef
	inv, ok := inverse(info)
	if !ok {
		return nil, collinear(columns)
	}
	f.Cov = pr.robust(inv)
	for j := range columns {
		f.SE = append(f.SE, math.Sqrt(f.Cov[j][j]))
	}
	var cum sum
	for i, e := range pr.t.event {
		if e > 0 {
			cum.add(e / pr.s0[i] * math.Exp(-pr.top))
			f.time, f.hazard = append(f.time, pr.t.time[i]), append(f.hazard, cum.value())
		}
	}
	return f, nil
}

// partial returns log-likelihood, score and information at b and keeps s0 and mean. O(n p^2).
func (pr *fgProblem) partial(b []float64) (float64, []float64, *mat.SymDense) {
	p, t := pr.p, pr.t
	pr.top = math.Inf(-1)
	for i := range pr.eta {
		pr.eta[i] = dot(pr.x[i*p:i*p+p], b)
		pr.top = math.Max(pr.top, pr.eta[i])
	}
	// Sums over competing patients with T before the row, of weight 1/G(T-).
	m := newMoments(p)
	rows := len(t.time)
	c0, c1, c2 := make([]float64, rows), make([]float64, rows*p), make([]float64, rows*p*p)
	for i := range rows {
		c0[i] = m.s0
		copy(c1[i*p:], m.s1)
		copy(c2[i*p*p:], m.s2)
		for _, r := range t.order[t.starts[i]:t.starts[i+1]] {
			if pr.d.Status[r] == Competing {
				accumulate(&m.s0, m.s1, m.s2, pr.x[r*p:r*p+p], math.Exp(pr.eta[r]-pr.top)/pr.g[i])
			}
		}
	}
	m = newMoments(p)
	var ll sum
	grad, info := make([]float64, p), make([]float64, p*p)
	for i := rows - 1; i >= 0; i-- {
		for _, r := range t.order[t.starts[i]:t.starts[i+1]] {
			x := pr.x[r*p : r*p+p]
			accumulate(&m.s0, m.s1, m.s2, x, math.Exp(pr.eta[r]-pr.top))
			if pr.d.Status[r] == Event {
				ll.add(pr.eta[r] - pr.top)
				for j, v := range x {
					grad[j] += v
				}
			}
		}
		e := t.event[i]
		if e == 0 {
			continue
		}
		g := pr.g[i]
		s0 := m.s0 + g*c0[i]
		pr.s0[i] = s0
		ll.add(-e * math.Log(s0))
		mean := pr.mean[i*p : i*p+p]
		for j := range p {
			mean[j] = (m.s1[j] + g*c1[i*p+j]) / s0
			grad[j] -= e * mean[j]
		}
		for j := range p {
			for l := range j + 1 {
				v := (m.s2[j*p+l]+g*c2[(i*p+j)*p+l])/s0 - mean[j]*mean[l]
				info[j*p+l] += e * v
				info[l*p+j] = info[j*p+l]
			}
		}
	}
	return ll.value(), grad, mat.NewSymDense(p, info)
}

// robust returns I^-1 (sum (eta_i+psi_i)(eta_i+psi_i)') I^-1 of Fine and Gray 1999, section 3:
// eta is the score residual, psi what the patient adds through the censoring curve. O(n p).
func (pr *fgProblem) robust(inv [][]float64) [][]float64 {
	p, t, n := pr.p, pr.t, pr.d.N()
	rows := len(t.time)
	// Sums over event times up to a row: dL, dL*mean; after a row, times G(t-).
	l0, l1 := make([]float64, rows), make([]float64, rows*p)
	a0, a1 := make([]float64, rows), make([]float64, rows*p)
	run0, run1 := 0.0, make([]float64, p)
	for i := range rows {
		if e := t.event[i]; e > 0 {
			h := e / pr.s0[i]
			run0 += h
			for j := range p {
				run1[j] += h * pr.mean[i*p+j]
			}
		}
		l0[i] = run0
		copy(l1[i*p:], run1)
	}
	run0 = 0
	clear(run1)
	for i := rows - 1; i >= 0; i-- {
		a0[i] = run0
		copy(a1[i*p:], run1)
		if e := t.event[i]; e > 0 {
			h := e / pr.s0[i] * pr.g[i]
			run0 += h
			for j := range p {
				run1[j] += h * pr.mean[i*p+j]
			}
		}
	}
	psi := pr.censoringPart(a0, a1)
	res := make([]float64, n*p)
	for i := range n {
		row := t.rowOf[i]
		x := pr.x[i*p : i*p+p]
		e := math.Exp(pr.eta[i] - pr.top)
		for j := range p {
			v := -e * (x[j]*l0[row] - l1[row*p+j])
			switch pr.d.Status[i] {
			case Event:
				v += x[j] - pr.mean[row*p+j]
			case Competing:
				v -= e / pr.g[row] * (x[j]*a0[row] - a1[row*p+j])
			}
			res[i*p+j] = v + psi[i*p+j]
		}
	}
	meat := matrix(p)
	for i := range n {
		for j := range p {
			for l := range p {
				meat[j][l] += res[i*p+j] * res[i*p+l]
			}
		}
	}
	return product(product(inv, meat), inv)
}

// censoringPart returns psi_i = integral of q(u)/pi(u) dM_i of the censoring martingale,
// q(u) the sensitivity of the score to the censoring hazard at u, through competing patients
// with T <= u and event times after u.
func (pr *fgProblem) censoringPart(a0, a1 []float64) []float64 {
	p, t := pr.p, pr.t
	psi := make([]float64, pr.d.N()*p)
	q0, q1 := 0.0, make([]float64, p)
	drift, before := make([]float64, p), make([]float64, p)
	for i := range t.time {
		rows := t.order[t.starts[i]:t.starts[i+1]]
		for _, r := range rows {
			if pr.d.Status[r] == Competing {
				e := math.Exp(pr.eta[r]-pr.top) / pr.g[i]
				q0 += e
				for j := range p {
					q1[j] += e * pr.x[r*p+j]
				}
			}
		}
		copy(before, drift)
		jump := make([]float64, p)
		if t.cens[i] > 0 {
			for j := range p {
				jump[j] = (q1[j]*a0[i] - q0*a1[i*p+j]) / pr.c.risk[i]
				drift[j] += jump[j] * t.cens[i] / pr.c.risk[i]
			}
		}
		for _, r := range rows {
			for j := range p {
				switch {
				case pr.d.Status[r] == Censored:
					psi[r*p+j] = jump[j] - drift[j]
				case pr.c.ties == EventsFirst:
					psi[r*p+j] = -before[j]
				default:
					psi[r*p+j] = -drift[j]
				}
			}
		}
	}
	return psi
}

func product(a, b [][]float64) [][]float64 {
	out := matrix(len(a))
	for i := range a {
		for j := range a {
			for k := range a {
				out[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return out
}

// Risk returns the predicted cumulative incidence 1 - exp(-H(t) exp(b'x)) of one patient.
func (f *FineGray) Risk(t float64, x []float64) float64 {
	i := upTo(f.time, t) - 1
	if i < 0 {
		return 0
	}
	lp := 0.0
	for j, b := range f.Coef {
		lp += b * (x[j] - f.centre[j])
	}
	return -math.Expm1(-f.hazard[i] * math.Exp(lp))
}
