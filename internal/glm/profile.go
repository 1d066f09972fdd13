package glm

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Profiled is what the profile of one coefficient says.
type Profiled struct {
	Lower, Upper float64 // interval; an infinity where the profile never falls far enough
	ChiSq, P     float64 // likelihood-ratio test of 0, 1 degree of freedom
}

// Profile profiles the (penalised, if firth) likelihood of column j: the interval holds the
// values whose maximum over the other coefficients is within half the chi-square quantile of
// level below the overall maximum. f is the fit of pr, whose columns must not be aliased.
// With Firth's penalty the information is that of the whole model (Heinze and Schemper 2002).
//
// The penalised profile of separated data has flat ridges and several local maxima, where a
// single Newton search stops early; each point is therefore climbed from several starts: its
// neighbours' solutions, their extrapolation, the ray through the estimate, the estimate, and 0.
// Only o.Stop is used; when it ends the search the result is of no use.
// Cost: about 100 to 1000 constrained fits.
func Profile(pr Problem, f *Fit, j int, firth bool, level float64, o *Options) Profiled {
	pf := newProfiler(pr, f, j, firth)
	pf.s.stop = o.stop
	out := Profiled{Lower: math.NaN(), Upper: math.NaN()}
	zero, _ := pf.at(0, nil)
	// Walk from the estimate to 0 as well, so that the ridge is followed.
	zero = max(zero, pf.walkTo(0))
	out.ChiSq = max(0, 2*(pf.top-zero))
	out.P = distuv.ChiSquared{K: 1}.Survival(out.ChiSq)
	drop := distuv.ChiSquared{K: 1}.Quantile(level) / 2
	out.Lower = pf.limit(-1, drop)
	out.Upper = pf.limit(1, drop)
	return out
}

// profiler holds the problem with column j last and orthogonal, so that fixing the last
// coordinate of the basis fixes the coefficient.
type profiler struct {
	s     *search
	rjj   float64
	last  []float64 // column of R that belongs to the coefficient
	est   []float64 // the overall maximum on the basis
	c0    float64   // coefficient there
	se    float64
	top   float64
	firth bool
}

func newProfiler(pr Problem, f *Fit, j int, firth bool) *profiler {
	n, p := pr.Rows, pr.Cols
	order := make([]int, 0, p)
	for k := range p {
		if k != j {
			order = append(order, k)
		}
	}
	order = append(order, j)
	x := make([]float64, n*p)
	for i := range n {
		for k, o := range order {
			x[i*p+k] = pr.X[i*p+o]
		}
	}
	moved := pr
	moved.X = x
	b := Orthogonalise(moved)
	pf := &profiler{s: newSearch(b.Problem, firth), firth: firth, c0: f.Coef[j], se: math.Sqrt(f.Cov[j*p+j])}
	k := b.Cols
	pf.rjj = b.R[k*k-1]
	pf.est, pf.last = make([]float64, k), make([]float64, k)
	for a := range k {
		pf.last[a] = b.R[a*k+k-1]
		for c := a; c < k; c++ {
			pf.est[a] += b.R[a*k+c] * f.Coef[order[c]]
		}
	}
	// Start from the fit given, but own the top: it decides every limit.
	pf.top, _, _, _ = pf.s.maximise(pf.est, k, 500, 1e-13)
	pf.c0 = pf.est[k-1] / pf.rjj
	return pf
}

// at returns the profile at coefficient c and the maximiser, climbing from each start given
// and the standard ones.
func (pf *profiler) at(c float64, starts [][]float64) (float64, []float64) {
	k := len(pf.est)
	best := math.Inf(-1)
	var arg []float64
	try := func(start []float64) {
		g := append([]float64(nil), start...)
		g[k-1] = c * pf.rjj
		v, _, _, ok := pf.s.maximise(g, k-1, 300, 1e-13)
		if ok && v > best {
			best, arg = v, g
		}
	}
	for _, s := range starts {
		// The neighbour with its other coefficients, not its other coordinates, kept.
		moved := make([]float64, k)
		for a := range k {
			moved[a] = s[a] + (c*pf.rjj-s[k-1])/pf.rjj*pf.last[a]
		}
		try(moved)
		if pf.firth || arg == nil {
			try(s)
		}
		if arg != nil && !pf.firth {
			return best, arg // the likelihood is concave: one start is enough
		}
	}
	try(pf.est)
	if pf.firth {
		try(make([]float64, k))
		if pf.c0 != 0 {
			ray := make([]float64, k)
			for a, v := range pf.est {
				ray[a] = v * c / pf.c0
			}
			try(ray)
		}
	}
	return best, arg
}

// walkTo follows the profile from the estimate to c in twenty steps.
func (pf *profiler) walkTo(c float64) float64 {
	if !pf.firth {
		return math.Inf(-1)
	}
	prev := pf.est
	var v float64
	for k := 1; k <= 20 && !pf.s.stop(); k++ {
		var arg []float64
		v, arg = pf.at(pf.c0+(c-pf.c0)*float64(k)/20, [][]float64{prev})
		if arg != nil {
			prev = arg
		}
	}
	return v
}

// limit walks outwards on one side with growing steps until the profile has fallen by drop,
// then narrows the bracket by bisection on secants.
func (pf *profiler) limit(side, drop float64) float64 {
	target := pf.top - drop
	step := pf.se / 4
	if !(step > 0) || math.IsInf(step, 0) {
		return math.NaN()
	}
	inC, in, before := pf.c0, pf.est, []float64(nil)
	inV := pf.top
	var outC, outV float64
	var out []float64
	for k := 0; ; k++ {
		if k == 60 || pf.s.stop() {
			return math.Inf(int(side))
		}
		c := inC + side*step
		starts := [][]float64{in}
		if before != nil {
			ahead := make([]float64, len(in))
			for a := range in {
				ahead[a] = in[a] + (in[a]-before[a])*step/math.Max(step/1.25, 1e-300)
			}
			starts = append(starts, ahead)
		}
		v, arg := pf.at(c, starts)
		if arg == nil || v < target {
			outC, outV, out = c, v, arg
			break
		}
		before, in, inC, inV = in, arg, c, v
		step *= 1.25
	}
	for k := range 200 {
		if pf.s.stop() || math.Abs(outC-inC) <= 1e-10*(1+math.Abs(inC)) {
			break
		}
		// Secant (false position), every third step bisection.
		c := (inC + outC) / 2
		if w := (inV - target) / (inV - outV); k%3 != 2 && w > 0.01 && w < 0.99 {
			c = inC + w*(outC-inC)
		}
		starts := [][]float64{in}
		if out != nil {
			starts = append(starts, out)
		}
		v, arg := pf.at(c, starts)
		if arg == nil || v < target {
			outC, outV, out = c, v, arg
		} else {
			inC, inV, in = c, v, arg
		}
	}
	return (inC + outC) / 2
}
