package agreement

import (
	"math"

	"dolor/diag"
	"dolor/internal/interval"
)

// paired checks two measurements of the same patients.
func paired(x, y []float64) error {
	if len(x) != len(y) || len(x) < 2 {
		return diag.Errorf(diag.Invalid, "", "expected two series of one length of at least 2, got %d and %d", len(x), len(y))
	}
	return nil
}

// Altman holds the agreement of two methods (Bland and Altman 1986,
// doi:10.1016/S0140-6736(86)90837-8).
type Altman struct {
	Bias       float64 // mean of x - y
	SD         float64 // standard deviation of x - y, n-1
	Lower      float64 // limits of agreement, bias -+ z SD
	Upper      float64
	BiasSE     float64
	LimitSE    float64 // standard error of either limit, sqrt(1/n + z^2/(2(n-1))) SD
	Level      float64
	Pairs      int
	SlopeTrend float64 // slope of the difference on the mean; 0 when bias is even
}

// BlandAltman compares x with y; level is the share of differences the limits should hold.
func BlandAltman(x, y []float64, level float64) (Altman, error) {
	if err := paired(x, y); err != nil {
		return Altman{}, err
	}
	if !(level > 0 && level < 1) {
		return Altman{}, diag.Errorf(diag.Invalid, "level", "expected a number between 0 and 1, got %g", level)
	}
	n := float64(len(x))
	var bias, mid float64
	for i := range x {
		bias += (x[i] - y[i]) / n
		mid += (x[i] + y[i]) / 2 / n
	}
	var ss, sxx, sxy float64
	for i := range x {
		d, m := x[i]-y[i]-bias, (x[i]+y[i])/2-mid
		ss += d * d
		sxx += m * m
		sxy += m * d
	}
	sd, z := math.Sqrt(ss/(n-1)), interval.Z(level)
	return Altman{
		Bias: bias, SD: sd, Lower: bias - z*sd, Upper: bias + z*sd, BiasSE: sd / math.Sqrt(n),
		LimitSE: sd * math.Sqrt(1/n+z*z/(2*(n-1))), Level: level, Pairs: len(x), SlopeTrend: sxy / sxx,
	}, nil
}

// LinCCC returns Lin's concordance correlation with moments over n (Lin 1989,
// doi:10.2307/2532051) and its interval on Fisher's z scale (variance as corrected in Lin 2000,
// doi:10.1111/j.0006-341X.2000.00324.x). The limits are NaN below three pairs, or when the
// correlation is 0 or complete.
func LinCCC(x, y []float64, level float64) (Interval, error) {
	if err := paired(x, y); err != nil {
		return Interval{}, err
	}
	n := float64(len(x))
	var mx, my, vx, vy, c float64
	for i := range x {
		mx += x[i] / n
		my += y[i] / n
	}
	for i := range x {
		vx += (x[i] - mx) * (x[i] - mx) / n
		vy += (y[i] - my) * (y[i] - my) / n
		c += (x[i] - mx) * (y[i] - my) / n
	}
	p := 2 * c / (vx + vy + (mx-my)*(mx-my))
	out := Interval{p, math.NaN(), math.NaN()}
	r := c / math.Sqrt(vx*vy)
	if n < 3 || p == 0 || !(math.Abs(p) < 1) || !(level > 0 && level < 1) {
		return out, nil
	}
	u2 := (mx - my) * (mx - my) / math.Sqrt(vx*vy)
	p2, r2 := p*p, r*r
	v := ((1-r2)*p2/((1-p2)*r2) + 2*p2*p*(1-p)*u2/(r*(1-p2)*(1-p2)) - p2*p2*u2*u2/(2*r2*(1-p2)*(1-p2))) / (n - 2)
	h := interval.Z(level) * math.Sqrt(v)
	out.Lower, out.Upper = math.Tanh(math.Atanh(p)-h), math.Tanh(math.Atanh(p)+h)
	return out, nil
}

// Weights says how far apart categories i and j of k count as agreeing.
type Weights string

// The usual weights: identity, 1 - |i-j|/(k-1), and 1 - ((i-j)/(k-1))^2.
const (
	Unweighted Weights = "unweighted"
	Linear     Weights = "linear"
	Quadratic  Weights = "quadratic"
)

// KappaResult is (weighted) kappa with its large-sample errors.
type KappaResult struct {
	Interval
	SE     float64 // Fleiss, Cohen and Everitt 1969, doi:10.1037/h0028106
	SENull float64 // under independence, for a test of kappa = 0
}

// Kappa returns Cohen's kappa of a square table of counts, first rater by row; the Wald
// interval is not clipped. NaN when chance agreement is complete. A table that is not square,
// or an unknown weighting, is an error of kind Invalid.
func Kappa(table [][]float64, w Weights, level float64) (KappaResult, error) {
	k := len(table)
	row, col, n := make([]float64, k), make([]float64, k), 0.0
	for i, r := range table {
		if len(r) != k {
			return KappaResult{}, diag.Errorf(diag.Invalid, "table", "expected a square table, row %d has %d of %d cells", i+1, len(r), k)
		}
		for j, v := range r {
			if !(v >= 0) || math.IsInf(v, 0) {
				return KappaResult{}, diag.Errorf(diag.Invalid, "table", "row %d: expected counts of at least 0", i+1)
			}
			row[i] += v
			col[j] += v
			n += v
		}
	}
	if w != Unweighted && w != Linear && w != Quadratic {
		return KappaResult{}, diag.Errorf(diag.Invalid, "weights", "expected unweighted, linear or quadratic")
	}
	agree := func(i, j int) float64 {
		if i == j {
			return 1
		}
		d := math.Abs(float64(i-j)) / float64(k-1)
		switch w {
		case Linear:
			return 1 - d
		case Quadratic:
			return 1 - d*d
		default:
			return 0
		}
	}
	var po, pe float64
	wr, wc := make([]float64, k), make([]float64, k) // mean weight of each row and column
	for i := range k {
		for j := range k {
			a := agree(i, j)
			po += a * table[i][j] / n
			pe += a * row[i] * col[j] / n / n
			wr[i] += a * col[j] / n
			wc[j] += a * row[i] / n
		}
	}
	nan := math.NaN()
	if !(pe < 1) {
		return KappaResult{Interval{nan, nan, nan}, nan, nan}, nil
	}
	kappa := (po - pe) / (1 - pe)
	var s, s0 float64
	for i := range k {
		for j := range k {
			a := agree(i, j)
			d := a - (wr[i]+wc[j])*(1-kappa)
			s += table[i][j] / n * d * d
			d0 := a - (wr[i] + wc[j])
			s0 += row[i] * col[j] / n / n * d0 * d0
		}
	}
	c := kappa - pe*(1-kappa)
	out := KappaResult{SE: math.Sqrt(max(0, s-c*c)/n) / (1 - pe), SENull: math.Sqrt(max(0, s0-pe*pe)/n) / (1 - pe)}
	h := interval.Z(level) * out.SE
	out.Interval = Interval{kappa, kappa - h, kappa + h}
	return out, nil
}
