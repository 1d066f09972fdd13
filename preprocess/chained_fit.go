package preprocess

import (
	"cmp"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// moments are the centred sums of one variable's regression over the rows that have it.
type moments struct {
	rows  []int       // rows with the target observed
	use   []int       // design columns of the other variables
	mean  []float64   // of use
	gram  []float64   // row-major [len(use), len(use)] centred cross products
	y     [][]float64 // [response][rows] centred
	ymean []float64
	xy    [][]float64 // [response][len(use)]
}

func (w *work) moments(target int) *moments {
	v := &w.t.Variables[target]
	m := &moments{}
	for i, x := range w.x[target] {
		if !math.IsNaN(x) {
			m.rows = append(m.rows, i)
		}
	}
	for j := range w.cols {
		if j < v.at || j >= v.at+v.width {
			m.use = append(m.use, j)
		}
	}
	n, p := float64(len(m.rows)), len(m.use)
	m.mean = make([]float64, p)
	for _, i := range m.rows {
		row := w.row(i)
		for a, j := range m.use {
			m.mean[a] += row[j]
		}
	}
	for a := range m.mean {
		m.mean[a] /= n
	}
	m.responses(w, v, target)
	m.gram = make([]float64, p*p)
	c := make([]float64, p)
	for k, i := range m.rows {
		row := w.row(i)
		for a, j := range m.use {
			c[a] = row[j] - m.mean[a]
		}
		for a, x := range c {
			if x == 0 {
				continue
			}
			g := m.gram[a*p : a*p+a+1]
			for b := range g {
				g[b] += x * c[b]
			}
		}
		for r, y := range m.y {
			for a, x := range c {
				m.xy[r][a] += x * y[k]
			}
		}
	}
	for a := range p {
		for b := range a {
			m.gram[b*p+a] = m.gram[a*p+b]
		}
	}
	return m
}

func (m *moments) responses(w *work, v *variable, target int) {
	r := v.responses()
	m.y, m.xy, m.ymean = make([][]float64, r), make([][]float64, r), make([]float64, r)
	for k := range m.y {
		y := make([]float64, len(m.rows))
		for a, i := range m.rows {
			x := w.x[target][i]
			if v.Field.Kind == frame.Category {
				is := int(x) == k
				x = 0
				if is {
					x = 1
				}
			}
			y[a] = x
		}
		m.ymean[k] = total(y) / float64(len(y))
		for a := range y {
			y[a] -= m.ymean[k]
		}
		m.y[k], m.xy[k] = y, make([]float64, len(m.use))
	}
}

// regression spreads coefficients over the design and moves the intercept to the origin.
func (m *moments) regression(target, cols int, mean []float64, beta [][]float64) regression {
	out := regression{Target: target}
	for r, b := range beta {
		coef := make([]float64, cols)
		for a, j := range m.use {
			coef[j] = b[a]
		}
		out.Coef = append(out.Coef, coef)
		out.Intercept = append(out.Intercept, mean[r]-dot(b, m.mean))
	}
	return out
}

// sse is the residual sum of squares of response r at b.
func (m *moments) sse(w *work, r int, b []float64) float64 {
	s := 0.0
	shift := dot(b, m.mean)
	for k, i := range m.rows {
		row, e := w.row(i), m.y[r][k]+shift
		for a, j := range m.use {
			e -= b[a] * row[j]
		}
		s += e * e
	}
	return s
}

// ridge fits scikit-learn's BayesianRidge with its defaults: evidence maximisation of the
// noise and weight precisions (MacKay 1992; Tipping 2001), Gamma(1e-6, 1e-6) priors, at most
// 300 updates, stop when the coefficients move less than 1e-3 in sum.
func (w *work) ridge(target int) (regression, error) {
	m := w.moments(target)
	p := len(m.use)
	beta := make([][]float64, len(m.y))
	if p == 0 {
		return m.regression(target, w.cols, m.ymean, emptyRows(beta)), nil
	}
	var eig mat.EigenSym
	if !eig.Factorize(mat.NewSymDense(p, m.gram), true) {
		return regression{}, diag.Errorf(diag.Unfit, w.t.Variables[target].Field.Name, "expected predictors that can be decomposed, got none; are values too large?")
	}
	vals := eig.Values(nil)
	var q mat.Dense
	eig.VectorsTo(&q)
	for i := range vals {
		vals[i] = math.Max(vals[i], 0)
	}
	for r := range beta {
		beta[r] = w.evidence(m, r, vals, &q)
	}
	return m.regression(target, w.cols, m.ymean, beta), nil
}

func emptyRows(b [][]float64) [][]float64 {
	for i := range b {
		b[i] = []float64{}
	}
	return b
}

func (w *work) evidence(m *moments, r int, vals []float64, q *mat.Dense) []float64 {
	const prior, tol, maxUpdates, eps = 1e-6, 1e-3, 300, 0x1p-52
	p, n := len(vals), float64(len(m.rows))
	rot := make([]float64, p) // Q'X'y
	for k := range rot {
		for a := range p {
			rot[k] += q.At(a, k) * m.xy[r][a]
		}
	}
	variance := 0.0
	for _, y := range m.y[r] {
		variance += y * y
	}
	alpha, lambda := 1/(variance/n+eps), 1.0
	b, old := make([]float64, p), make([]float64, p)
	coef := func() {
		clear(b)
		for k := range p {
			g := rot[k] / (vals[k] + lambda/alpha)
			for a := range p {
				b[a] += q.At(a, k) * g
			}
		}
	}
	for it := range maxUpdates {
		coef()
		sse := m.sse(w, r, b)
		gamma, norm, change := 0.0, 0.0, 0.0
		for k, v := range vals {
			gamma += alpha * v / (lambda + alpha*v)
			norm += b[k] * b[k]
			change += math.Abs(b[k] - old[k])
		}
		lambda = (gamma + 2*prior) / (norm + 2*prior)
		alpha = (n - gamma + 2*prior) / (sse + 2*prior)
		if it > 0 && change < tol {
			break
		}
		copy(old, b)
	}
	coef()
	return b
}

// match fits the regression of predictive mean matching: a ridge of 1e-5 times the diagonal
// as mice's norm.draw, sigma from a chi-square draw, coefficients from the posterior. Donors
// carry the prediction of the estimate, gaps that of the draw (type 1 matching).
func (w *work) match(target, maxDonors int, stream rng.Stream) (regression, error) {
	m := w.moments(target)
	rnd := stream.Rand()
	n := len(m.rows)
	m.dropFlat()
	p := len(m.use)
	const kappa = 1e-5
	var chol mat.Cholesky
	if p > 0 {
		g := slices.Clone(m.gram)
		for a := range p {
			g[a*p+a] *= 1 + kappa
		}
		if !chol.Factorize(mat.NewSymDense(p, g)) {
			return regression{}, diag.Errorf(diag.Unfit, w.t.Variables[target].Field.Name, "expected predictors that are not collinear, got a singular regression")
		}
	}
	df := float64(max(n-p-1, 1))
	hat, draw := make([][]float64, len(m.y)), make([][]float64, len(m.y))
	mean := make([]float64, len(m.y))
	var u mat.TriDense
	if p > 0 {
		chol.UTo(&u)
	}
	for r := range m.y {
		hat[r], draw[r] = make([]float64, p), make([]float64, p)
		if p > 0 {
			var b mat.VecDense
			if err := chol.SolveVecTo(&b, mat.NewVecDense(p, m.xy[r])); err != nil && b.Len() != p {
				return regression{}, err
			}
			copy(hat[r], b.RawVector().Data)
		}
		sigma := math.Sqrt(m.sse(w, r, hat[r]) / distuv.ChiSquared{K: df, Src: rnd}.Rand())
		mean[r] = m.ymean[r] + sigma*rnd.NormFloat64()/math.Sqrt(float64(n))
		if p > 0 { // V = (U'U)^-1, so U^-1 z has covariance V
			z := mat.NewVecDense(p, nil)
			for a := range p {
				z.SetVec(a, rnd.NormFloat64())
			}
			var step mat.VecDense
			if err := step.SolveVec(&u, z); err != nil && step.Len() != p {
				return regression{}, err
			}
			for a := range p {
				draw[r][a] = hat[r][a] + sigma*step.AtVec(a)
			}
		}
	}
	out := m.regression(target, w.cols, mean, draw)
	est := m.regression(target, w.cols, m.ymean, hat)
	w.donors(&out, &est, m, maxDonors, stream)
	return out, nil
}

// dropFlat leaves out design columns without spread: their coefficient is not determined.
func (m *moments) dropFlat() {
	p := len(m.use)
	var keep []int
	for a := range p {
		if scale := m.mean[a] * m.mean[a] * float64(len(m.rows)); m.gram[a*p+a] > 1e-20*scale {
			keep = append(keep, a)
		}
	}
	if len(keep) == p {
		return
	}
	k := len(keep)
	gram := make([]float64, k*k)
	use, mean := make([]int, k), make([]float64, k)
	for i, a := range keep {
		use[i], mean[i] = m.use[a], m.mean[a]
		for j, b := range keep {
			gram[i*k+j] = m.gram[a*p+b]
		}
	}
	for r, xy := range m.xy {
		short := make([]float64, k)
		for i, a := range keep {
			short[i] = xy[a]
		}
		m.xy[r] = short
	}
	m.gram, m.use, m.mean = gram, use, mean
}

// donors stores predictions and values of the observed rows, a random sample when there are
// more than limit.
func (w *work) donors(out, est *regression, m *moments, limit int, stream rng.Stream) {
	rows := m.rows
	if len(rows) > limit {
		perm := stream.Child("donors").Rand().Perm(len(rows))[:limit]
		slices.Sort(perm)
		rows = make([]int, limit)
		for i, k := range perm {
			rows[i] = m.rows[k]
		}
	}
	type donor struct {
		pred  []float64
		value float64
	}
	ds := make([]donor, len(rows))
	for k, i := range rows {
		pred := make([]float64, len(est.Coef))
		for r, c := range est.Coef {
			pred[r] = est.Intercept[r] + dot(c, w.row(i))
		}
		ds[k] = donor{pred, w.x[out.Target][i]}
	}
	if w.t.Variables[out.Target].Field.Kind == frame.Number {
		slices.SortStableFunc(ds, func(a, b donor) int { return cmp.Compare(a.pred[0], b.pred[0]) })
	}
	for _, d := range ds {
		out.Fitted = append(out.Fitted, d.pred...)
		out.Values = append(out.Values, d.value)
	}
}
