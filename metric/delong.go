package metric

import (
	"math"

	"dolor/diag"

	"gonum.org/v1/gonum/stat/distuv"
)

// DeLong holds an AUC and its variance (DeLong, DeLong and Clarke-Pearson 1988,
// doi:10.2307/2531595), computed from midranks in O(n) after sorting (Sun and Xu 2014,
// doi:10.1109/LSP.2014.2337313).
//
// With weights the AUC is that of the weighted rows, and the variance is the linearised one
// for sampling weights, sum w^2 (V - AUC)^2 / W^2 in each class times n/(n-1): a common factor
// in the weights changes nothing, and a weight of 2 counts as one sampled patient, not two.
type DeLong struct {
	AUC      float64
	Var      float64 // VarEvent + VarOther; NaN when a class has fewer than two rows
	VarEvent float64 // the part due to the sampling of events
	VarOther float64 // the part due to the sampling of non-events
	Events   int     // rows with the outcome and a weight above 0
	Others   int
}

// DeLong returns the AUC and its variance; NaN with one class.
func (s *Sorted) DeLong() DeLong {
	a := s.aucValue()
	out := DeLong{AUC: a, Events: s.rows1, Others: s.rows0, VarEvent: math.NaN(), VarOther: math.NaN()}
	if s.rows1 == 0 || s.rows0 == 0 {
		out.Var = math.NaN()
		return out
	}
	var v1, v0 runSum
	below, above := s.wneg, 0.0
	for g, p := range s.pos {
		q := s.neg[g]
		below -= q
		if p > 0 {
			d := (below+q/2)/s.wneg - a
			v1.add(s.pos2[g] * d * d)
		}
		if q > 0 {
			d := (above+p/2)/s.wpos - a
			v0.add(s.neg2[g] * d * d)
		}
		above += p
	}
	out.VarEvent = classVariance(v1.sum(), s.wpos, s.rows1)
	out.VarOther = classVariance(v0.sum(), s.wneg, s.rows0)
	out.Var = out.VarEvent + out.VarOther
	return out
}

// classVariance returns the variance of a weighted mean of n terms from the sum of squared
// weighted deviations; NaN for fewer than two.
func classVariance(ss, w float64, n int) float64 {
	if n < 2 {
		return math.NaN()
	}
	return ss / (w * w) * float64(n) / float64(n-1)
}

// SE returns the standard error.
func (d DeLong) SE() float64 { return math.Sqrt(d.Var) }

// Wald returns AUC -+ z SE, not clipped.
func (d DeLong) Wald(level float64) (lower, upper float64) { return waldLimits(d.AUC, d.SE(), level) }

// Logit returns the interval made on the logit scale; NaN when the AUC is 0 or 1.
func (d DeLong) Logit(level float64) (lower, upper float64) { return logitLimits(d.AUC, d.SE(), level) }

// placements returns for each row the share of the other class it beats (ties one half); the
// mean over either class is the AUC. Rows left out hold NaN.
func (s *Sorted) placements() []float64 {
	v := make([]float64, len(s.data.Y))
	for i := range v {
		v[i] = math.NaN()
	}
	below, above := s.wneg, 0.0
	for g, p := range s.pos {
		q := s.neg[g]
		below -= q
		event, other := (below+q/2)/s.wneg, (above+p/2)/s.wpos
		for _, r := range s.order[s.start[g]:s.start[g+1]] {
			if s.data.Weight(int(r)) == 0 {
				continue
			}
			if s.data.Y[r] {
				v[r] = event
			} else {
				v[r] = other
			}
		}
		above += p
	}
	return v
}

// Comparison is the difference of one metric between two sets of predictions, a minus b.
type Comparison struct {
	Metric     string
	Threshold  float64 // NaN when the metric has none
	Difference float64
	Lower      float64
	Upper      float64
	Level      float64
	SE         float64
	Z          float64 // Difference / SE
	P          float64 // two-sided
	Method     string

	Covariance  float64 // of the two estimates; 0 when unpaired, NaN when not computed
	Correlation float64 // NaN when a variance is 0 or it was not computed
	DF          float64 // degrees of freedom of a t test, else NaN
	PT          float64 // two-sided p of that t test, else NaN
}

// AUCPaired compares two scores of the same patients by DeLong's test ("delong, paired"). Y
// and W must agree row by row, else an error of kind Invalid. The interval is that of the
// difference on its own scale. Undefined parts are NaN with the reason in Method.
func AUCPaired(a, b Data, level float64) (Comparison, error) {
	if err := levelFault(level); err != nil {
		return Comparison{}, err
	}
	if err := samePatients(a, b); err != nil {
		return Comparison{}, err
	}
	sa, err := NewSorted(a)
	if err != nil {
		return Comparison{}, err
	}
	sb, err := NewSorted(b)
	if err != nil {
		return Comparison{}, err
	}
	c := noComparison("auc", level)
	if r := sa.why(); r != "" {
		c.Method = r
		return c, nil
	}
	da, db := sa.DeLong(), sb.DeLong()
	va, vb := sa.placements(), sb.placements()
	var diff, cov [2]runSum // non-events, events
	for i, y := range a.Y {
		w := a.Weight(i)
		if w == 0 {
			continue
		}
		k := 0
		if y {
			k = 1
		}
		ea, eb := w*(va[i]-da.AUC), w*(vb[i]-db.AUC)
		diff[k].add((ea - eb) * (ea - eb))
		cov[k].add(ea * eb)
	}
	both := func(r [2]runSum) float64 {
		return classVariance(r[1].sum(), sa.wpos, sa.rows1) + classVariance(r[0].sum(), sa.wneg, sa.rows0)
	}
	c.Difference = da.AUC - db.AUC
	c.Covariance = both(cov)
	c.Correlation = c.Covariance / math.Sqrt(da.Var*db.Var)
	c.SE = math.Sqrt(both(diff))
	c.normal("delong, paired")
	return c, nil
}

// AUCUnpaired compares scores on two separate groups of patients: the normal test in P, and
// the t test with Welch's degrees of freedom (as pROC: N patients less one in each group) in
// PT and DF ("delong, unpaired").
func AUCUnpaired(a, b Data, level float64) (Comparison, error) {
	if err := levelFault(level); err != nil {
		return Comparison{}, err
	}
	sa, err := NewSorted(a)
	if err != nil {
		return Comparison{}, err
	}
	sb, err := NewSorted(b)
	if err != nil {
		return Comparison{}, err
	}
	c := noComparison("auc", level)
	for _, s := range []*Sorted{sa, sb} {
		if r := s.why(); r != "" {
			c.Method = r
			return c, nil
		}
	}
	da, db := sa.DeLong(), sb.DeLong()
	c.Difference = da.AUC - db.AUC
	c.Covariance = 0
	v := da.Var + db.Var
	c.SE = math.Sqrt(v)
	c.normal("delong, unpaired")
	na, nb := float64(da.Events+da.Others), float64(db.Events+db.Others)
	if c.SE > 0 {
		c.DF = v * v / (da.Var*da.Var/(na-1) + db.Var*db.Var/(nb-1))
		c.PT = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: c.DF}.CDF(-math.Abs(c.Z))
	}
	return c, nil
}

// noComparison returns a comparison of which nothing is known yet.
func noComparison(metric string, level float64) Comparison {
	nan := math.NaN()
	return Comparison{
		Metric: metric, Threshold: nan, Difference: nan, Lower: nan, Upper: nan, Level: level, SE: nan,
		Z: nan, P: nan, Covariance: nan, Correlation: nan, DF: nan, PT: nan,
	}
}

// normal fills interval, z and p from Difference and SE.
func (c *Comparison) normal(method string) {
	c.Method = method
	switch {
	case math.IsNaN(c.SE):
		c.Method = "not estimable: fewer than two rows in a class"
	case c.SE == 0 && c.Difference == 0:
		c.Lower, c.Upper, c.P = 0, 0, 1
		c.Method += " (no difference in any row)"
	case c.SE == 0:
		c.Method = "not estimable: variance 0"
	default:
		c.Z = c.Difference / c.SE
		c.P = normalP(c.Z)
		c.Lower, c.Upper = waldLimits(c.Difference, c.SE, c.Level)
	}
}

// samePatients reports data sets that do not describe the same rows.
func samePatients(a, b Data) error {
	if len(a.Y) != len(b.Y) {
		return diag.Errorf(diag.Invalid, "outcome", "expected the same patients in both, got %d and %d rows", len(a.Y), len(b.Y))
	}
	for i := range a.Y {
		if a.Y[i] != b.Y[i] {
			return diag.Errorf(diag.Invalid, "outcome", "row %d: expected the same outcome in both", i+1)
		}
		if len(a.W) == len(a.Y) && len(b.W) == len(b.Y) && a.Weight(i) != b.Weight(i) || (a.W == nil) != (b.W == nil) {
			return diag.Errorf(diag.Invalid, "weight", "row %d: expected the same weight in both", i+1)
		}
	}
	return nil
}
