package metric

import (
	"math"

	"dolor/diag"

	"gonum.org/v1/gonum/mathext"
)

// McNemar holds the tests of two paired decisions from the two discordant counts: B patients
// on which only the first is right, C on which only the second is (McNemar 1947,
// doi:10.1007/BF02295996; mid-p: Fagerland, Lydersen and Laake 2013,
// doi:10.1186/1471-2288-13-91).
type McNemar struct {
	B, C                 float64
	PExact               float64 // two-sided binomial
	PMid                 float64 // the same, counting half of the observed table
	ChiSquare            float64 // (b-c)^2/(b+c), 1 degree of freedom; NaN without discordance
	PChiSquare           float64
	ChiSquareContinuity  float64 // (|b-c|-1)^2/(b+c), 0 when b = c
	PChiSquareContinuity float64
}

// NewMcNemar returns the tests for discordant counts b and c, both whole numbers of at least 0
// (others give NaN). Without discordance the exact and mid p values are 1 and the rest NaN.
func NewMcNemar(b, c float64) McNemar {
	nan := math.NaN()
	m := McNemar{b, c, nan, nan, nan, nan, nan, nan}
	if !(b >= 0 && c >= 0) || b != math.Floor(b) || c != math.Floor(c) || math.IsInf(b+c, 0) {
		return m
	}
	n := b + c
	if n == 0 {
		m.PExact, m.PMid = 1, 1
		return m
	}
	k := min(b, c)
	if b == c {
		m.PExact = 1
	} else {
		// P(X <= k), X ~ Binomial(n, 1/2), as an incomplete beta function.
		m.PExact = min(1, 2*mathext.RegIncBeta(n-k, k+1, 0.5))
	}
	// 2 P(X < k) + P(X = k); at b = c that is 1.
	m.PMid = 1
	if b != c {
		m.PMid = m.PExact - math.Exp(logChoose(n, k)-n*math.Ln2)
	}
	d := math.Abs(b - c)
	m.ChiSquare = d * d / n
	if d > 0 {
		m.ChiSquareContinuity = (d - 1) * (d - 1) / n
	} else {
		m.ChiSquareContinuity = 0
	}
	m.PChiSquare = math.Erfc(math.Sqrt(m.ChiSquare / 2))
	m.PChiSquareContinuity = math.Erfc(math.Sqrt(m.ChiSquareContinuity / 2))
	return m
}

// CompareDecisions counts, at a threshold, on whom only a or only b decides rightly, and tests
// the difference. Weights are refused: the tests are of counts.
func CompareDecisions(a, b Data, threshold float64) (McNemar, error) {
	if err := a.Check(); err != nil {
		return McNemar{}, err
	}
	if err := b.Check(); err != nil {
		return McNemar{}, err
	}
	if err := samePatients(a, b); err != nil {
		return McNemar{}, err
	}
	if a.W != nil {
		return McNemar{}, diag.Errorf(diag.Unsupported, "weight", "expected no weights for McNemar's test")
	}
	var onlyA, onlyB float64
	for i, y := range a.Y {
		ra, rb := (a.P[i] >= threshold) == y, (b.P[i] >= threshold) == y
		switch {
		case ra && !rb:
			onlyA++
		case rb && !ra:
			onlyB++
		}
	}
	return NewMcNemar(onlyA, onlyB), nil
}

// logChoose returns the logarithm of n over k.
func logChoose(n, k float64) float64 {
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(k + 1)
	c, _ := math.Lgamma(n - k + 1)
	return a - b - c
}
