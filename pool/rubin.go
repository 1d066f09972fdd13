package pool

import (
	"math"

	"dolor/diag"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Imputed is one number pooled over completed data sets.
type Imputed struct {
	M                  int
	Estimate           float64
	Within             float64 // mean variance
	Between            float64 // variance of the estimates
	Total              float64 // Within + (1 + 1/M) Between
	SE                 float64
	Lambda             float64 // share of Total due to missing values
	RelativeIncrease   float64 // (1 + 1/M) Between / Within
	DFRubin            float64 // Rubin 1987
	DFObserved         float64
	DF                 float64 // Barnard and Rubin 1999
	FMI                float64 // fraction of missing information
	RelativeEfficiency float64 // against infinitely many imputations
	T, P               float64 // test of 0
	Lower, Upper       float64 // t with DF degrees of freedom
	Level              float64
}

// Rubin pools estimates and standard errors of at least two completed data sets. df is the
// degrees of freedom of the complete data, +Inf where the estimate is asymptotic; level 0
// means 0.95. Rubin 1987, Multiple Imputation for Nonresponse in Surveys, ch. 3; Barnard and
// Rubin 1999, Biometrika 86:948, doi:10.1093/biomet/86.4.948. Kind Invalid for malformed
// input.
func Rubin(estimates, se []float64, df, level float64) (*Imputed, error) {
	if level == 0 {
		level = 0.95
	}
	m := float64(len(estimates))
	switch {
	case !(level > 0 && level < 1):
		return nil, diag.Errorf(diag.Invalid, "level", "expected a number between 0 and 1, got %g", level)
	case len(estimates) < 2:
		return nil, diag.Errorf(diag.Invalid, "estimates", "expected at least two imputations, got %d", len(estimates))
	case len(se) != len(estimates):
		return nil, diag.Errorf(diag.Invalid, "se", "expected %d values, got %d", len(estimates), len(se))
	case !(df > 0):
		return nil, diag.Errorf(diag.Invalid, "df", "expected a number above 0, got %g", df)
	}
	r := &Imputed{M: len(estimates), Level: level}
	for i, q := range estimates {
		if math.IsNaN(q) || math.IsInf(q, 0) || !(se[i] > 0) || math.IsInf(se[i], 0) {
			return nil, diag.Errorf(diag.Invalid, "estimates", "imputation %d: expected a finite estimate with a standard error above 0", i+1)
		}
		r.Estimate += q / m
		r.Within += se[i] * se[i] / m
	}
	same := true
	for _, q := range estimates {
		r.Between += (q - r.Estimate) * (q - r.Estimate) / (m - 1)
		same = same && q == estimates[0]
	}
	if same { // rounding of the mean must not look like variance
		r.Estimate, r.Between = estimates[0], 0
	}
	extra := (1 + 1/m) * r.Between
	r.Total = r.Within + extra
	r.SE = math.Sqrt(r.Total)
	r.Lambda = extra / r.Total
	r.RelativeIncrease = extra / r.Within
	r.DFRubin = math.Inf(1)
	if r.Between > 0 {
		r.DFRubin = (m - 1) / (r.Lambda * r.Lambda)
	}
	r.DFObserved = math.Inf(1)
	if !math.IsInf(df, 1) {
		r.DFObserved = (df + 1) / (df + 3) * df * (1 - r.Lambda)
	}
	r.DF = 1 / (1/r.DFRubin + 1/r.DFObserved)
	r.FMI = (r.RelativeIncrease + 2/(r.DF+3)) / (1 + r.RelativeIncrease)
	r.RelativeEfficiency = 1 / (1 + r.FMI/m)
	r.T = r.Estimate / r.SE
	r.P = tTwoSided(r.T, r.DF)
	h := tQuantile(0.5+level/2, r.DF) * r.SE
	r.Lower, r.Upper = r.Estimate-h, r.Estimate+h
	return r, nil
}

func tTwoSided(t, df float64) float64 {
	if math.IsInf(df, 1) {
		return 2 * distuv.UnitNormal.Survival(math.Abs(t))
	}
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.CDF(-math.Abs(t))
}

// ImputedVector is a vector pooled over completed data sets with the joint test that it is 0.
type ImputedVector struct {
	Estimate []float64
	Within   [][]float64
	Between  [][]float64
	Total    [][]float64 // Within + (1 + 1/m) Between
	TotalD1  [][]float64 // (1 + R1) Within, used by the test
	R1       float64     // average relative increase
	D1       float64     // F statistic
	DF1      int
	DF2      float64
	P        float64
}

// RubinVector pools coefficient vectors with their covariance matrices and tests that all
// are 0 by D1: Li, Raghunathan and Rubin 1991, JASA 86:1065,
// doi:10.1080/01621459.1991.10475152. Kind Invalid for malformed input, Unfit for a singular
// within-imputation covariance.
func RubinVector(estimates [][]float64, cov [][][]float64) (*ImputedVector, error) {
	m := len(estimates)
	if m < 2 {
		return nil, diag.Errorf(diag.Invalid, "estimates", "expected at least two imputations, got %d", m)
	}
	if len(cov) != m {
		return nil, diag.Errorf(diag.Invalid, "cov", "expected %d matrices, got %d", m, len(cov))
	}
	k := len(estimates[0])
	if k == 0 {
		return nil, diag.Errorf(diag.Invalid, "estimates", "expected at least one coefficient, got none")
	}
	for i := range estimates {
		if len(estimates[i]) != k || len(cov[i]) != k {
			return nil, diag.Errorf(diag.Invalid, "estimates", "imputation %d: expected %d coefficients and a square covariance", i+1, k)
		}
		for a := range k {
			if len(cov[i][a]) != k {
				return nil, diag.Errorf(diag.Invalid, "cov", "imputation %d: expected %d columns, got %d", i+1, k, len(cov[i][a]))
			}
		}
	}
	r := &ImputedVector{Estimate: make([]float64, k), Within: square(k), Between: square(k), Total: square(k), TotalD1: square(k), DF1: k}
	fm := float64(m)
	for i := range estimates {
		for a := range k {
			r.Estimate[a] += estimates[i][a] / fm
			for b := range k {
				r.Within[a][b] += cov[i][a][b] / fm
			}
		}
	}
	for i := range estimates {
		for a := range k {
			for b := range k {
				r.Between[a][b] += (estimates[i][a] - r.Estimate[a]) * (estimates[i][b] - r.Estimate[b]) / (fm - 1)
			}
		}
	}
	within := mat.NewSymDense(k, nil)
	for a := range k {
		for b := range a + 1 {
			within.SetSym(a, b, r.Within[a][b])
		}
	}
	var chol mat.Cholesky
	var inv mat.SymDense
	if !chol.Factorize(within) {
		return nil, diag.Errorf(diag.Unfit, "cov", "expected a positive definite covariance, got a singular one")
	}
	if err := chol.InverseTo(&inv); err != nil {
		return nil, diag.Errorf(diag.Unfit, "cov", "expected a positive definite covariance, got a nearly singular one")
	}
	var trace, quad float64
	for a := range k {
		for b := range k {
			trace += r.Between[a][b] * inv.At(b, a)
			quad += r.Estimate[a] * inv.At(a, b) * r.Estimate[b]
		}
	}
	fk := float64(k)
	r.R1 = (1 + 1/fm) * trace / fk
	for a := range k {
		for b := range k {
			r.Total[a][b] = r.Within[a][b] + (1+1/fm)*r.Between[a][b]
			r.TotalD1[a][b] = (1 + r.R1) * r.Within[a][b]
		}
	}
	r.D1 = quad / (1 + r.R1) / fk
	t := fk * (fm - 1)
	switch {
	case r.R1 == 0:
		r.DF2 = math.Inf(1)
	case t > 4:
		g := 1 + (1-2/t)/r.R1
		r.DF2 = 4 + (t-4)*g*g
	default:
		g := 1 + 1/r.R1
		r.DF2 = t * (1 + 1/fk) * g * g / 2
	}
	if math.IsInf(r.DF2, 1) {
		r.P = distuv.ChiSquared{K: fk}.Survival(fk * r.D1)
	} else {
		r.P = distuv.F{D1: fk, D2: r.DF2}.Survival(r.D1)
	}
	return r, nil
}

func square(k int) [][]float64 {
	m := make([][]float64, k)
	for i := range m {
		m[i] = make([]float64, k)
	}
	return m
}
