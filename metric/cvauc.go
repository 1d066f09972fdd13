package metric

import (
	"math"
	"strconv"

	"dolor/diag"
	"dolor/internal/interval"

	"gonum.org/v1/gonum/stat/distuv"
)

// FoldMethod is an interval for a cross-validated number.
type FoldMethod string

// The intervals of [AUCWithinBy] and [LossWithin]. Influence is the product's default; the
// others are candidates for comparison.
const (
	// Influence sums the variance of each fold's estimate over patients (LeDell, Petersen and
	// van der Laan 2015, doi:10.1214/15-EJS1035), on the logit scale for the AUC. It treats the
	// fitted models as given.
	Influence FoldMethod = "influence"
	// InfluencePlain is the same without the logit.
	InfluencePlain FoldMethod = "influence, plain"
	// NadeauBengio is the corrected resampled t interval over folds, whose variance of the mean
	// is (1/k + n_test/n_train) s^2 with k - 1 degrees of freedom (Nadeau and Bengio 2003,
	// doi:10.1023/A:1024068626366).
	NadeauBengio FoldMethod = "nadeau-bengio"
	// FoldT is the t interval that takes folds as independent.
	FoldT FoldMethod = "fold t"
	// FoldSD is mean -+ one standard deviation over folds. It is not a confidence interval.
	FoldSD FoldMethod = "fold mean +- sd"
)

// AUCWithin returns the mean of the AUCs within folds: scores of different folds come from
// different models and are never compared. The interval is [Influence]. A fold with one class
// cannot be scored; it is left out, and Method says how many were. Folds may repeat patients
// only through [AUCRepeats].
func AUCWithin(folds []Data, level float64) (Estimate, error) {
	return AUCWithinBy(folds, level, Influence)
}

// AUCWithinBy is AUCWithin with another interval. Fold methods need at least two scorable
// folds, else the limits are NaN with the reason.
func AUCWithinBy(folds []Data, level float64, method FoldMethod) (Estimate, error) {
	if err := levelFault(level); err != nil {
		return Estimate{}, err
	}
	var aucs, sizes []float64
	var v runSum
	lost := 0
	for _, f := range folds {
		s, err := NewSorted(f)
		if err != nil {
			return Estimate{}, err
		}
		if s.why() != "" {
			lost++
			continue
		}
		d := s.DeLong()
		aucs = append(aucs, d.AUC)
		sizes = append(sizes, float64(s.rows1+s.rows0))
		// A class with one row has no variance of its own: Hanley and McNeil's stands in.
		one := d.Var
		if math.IsNaN(one) {
			h := HanleyMcNeil(d.AUC, float64(s.rows1), float64(s.rows0))
			one = h * h
		}
		v.add(one)
	}
	if len(aucs) == 0 {
		return undefined("auc", math.NaN(), level, "not estimable: no fold holds both classes"), nil
	}
	k := float64(len(aucs))
	e := foldEstimate("auc", aucs, sizes, math.Sqrt(v.sum())/k, level, method)
	note := ""
	if lost > 0 {
		note = ", " + countFolds(lost) + " with one class left out"
	}
	e.Method = "mean within folds, " + e.Method + note
	return e, nil
}

// foldEstimate fills the estimate of a mean over folds; se is that of the influence method.
func foldEstimate(name string, values, sizes []float64, se, level float64, method FoldMethod) Estimate {
	k := float64(len(values))
	mean := sumOf(values) / k
	var ss, rows runSum
	for i, x := range values {
		ss.add((x - mean) * (x - mean))
		rows.add(sizes[i])
	}
	sd := math.Sqrt(ss.sum() / (k - 1))
	e := Estimate{Name: name, Threshold: math.NaN(), Value: mean, Lower: math.NaN(), Upper: math.NaN(), Level: level, Method: string(method)}
	t := func(se float64) {
		h := -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: k - 1}.Quantile((1-level)/2) * se
		e.Lower, e.Upper = mean-h, mean+h
	}
	switch {
	case method == Influence && name == "auc":
		e.Method = "influence, logit"
		e.Lower, e.Upper = logitLimits(mean, se, level)
		if math.IsNaN(e.Lower) {
			e.Method = "influence, interval not estimable: perfect separation in every fold"
		}
	case method == Influence, method == InfluencePlain:
		e.Lower, e.Upper = waldLimits(mean, se, level)
	case k < 2:
		e.Method = "interval not estimable: fewer than two folds"
	case method == NadeauBengio:
		test := rows.sum() / k
		t(sd * math.Sqrt(1/k+test/(rows.sum()-test)))
	case method == FoldT:
		t(sd / math.Sqrt(k))
	case method == FoldSD:
		e.Lower, e.Upper = mean-sd, mean+sd
	default:
		e.Method = "interval not estimable: unknown method"
	}
	return e
}

func countFolds(n int) string {
	if n == 1 {
		return "1 fold"
	}
	return strconv.Itoa(n) + " folds"
}

// Partition is one repeat of cross-validation: the held-out rows of each fold, and which
// patient each of them is. Patients are numbered from 0.
type Partition struct {
	Folds []Data
	Row   [][]int // Row[k][i] is the patient of Folds[k]'s row i
}

// AUCRepeats returns the mean of the within-fold AUCs over repeats. Repeats hold the same
// patients, so each patient's influence is averaged over repeats before squaring; the variance
// does not shrink as if repeats were new data. n is the number of patients. Folds with one
// class are left out. The interval is on the logit scale.
func AUCRepeats(repeats []Partition, n int, level float64) (Estimate, error) {
	if err := levelFault(level); err != nil {
		return Estimate{}, err
	}
	influence := make([]float64, n)
	var mean runSum
	used := 0
	for _, rep := range repeats {
		if len(rep.Row) != len(rep.Folds) {
			return Estimate{}, diag.Errorf(diag.Invalid, "fold", "expected row numbers for %d folds, got %d", len(rep.Folds), len(rep.Row))
		}
		own := make([]float64, n)
		var sum runSum
		folds := 0
		for k, f := range rep.Folds {
			s, err := NewSorted(f)
			if err != nil {
				return Estimate{}, err
			}
			if len(rep.Row[k]) != f.N() {
				return Estimate{}, diag.Errorf(diag.Invalid, "row", "expected %d numbers in fold %d, got %d", f.N(), k+1, len(rep.Row[k]))
			}
			if s.why() != "" {
				continue
			}
			folds++
			d := s.DeLong()
			sum.add(d.AUC)
			v := s.placements()
			// sqrt(n/(n-1)) makes the squares add up to DeLong's unbiased class variances.
			grow := func(m int) float64 { return math.Sqrt(float64(m) / float64(max(1, m-1))) }
			g1, g0 := grow(s.rows1)/s.wpos, grow(s.rows0)/s.wneg
			for i, p := range rep.Row[k] {
				if p < 0 || p >= n {
					return Estimate{}, diag.Errorf(diag.Invalid, "row", "expected numbers from 0 to %d", n-1)
				}
				if math.IsNaN(v[i]) {
					continue
				}
				g := g0
				if f.Y[i] {
					g = g1
				}
				own[p] += f.Weight(i) * (v[i] - d.AUC) * g
			}
		}
		if folds == 0 {
			continue
		}
		used++
		mean.add(sum.sum() / float64(folds))
		for i, v := range own {
			influence[i] += v / float64(folds)
		}
	}
	if used == 0 {
		return undefined("auc", math.NaN(), level, "not estimable: no fold holds both classes"), nil
	}
	var ss runSum
	for _, v := range influence {
		ss.add(v * v)
	}
	r := float64(used)
	e := Estimate{Name: "auc", Threshold: math.NaN(), Value: mean.sum() / r, Level: level, Method: "mean within folds and repeats, influence, logit"}
	e.Lower, e.Upper = logitLimits(e.Value, math.Sqrt(ss.sum())/r, level)
	if math.IsNaN(e.Lower) {
		e.Method = "mean within folds and repeats, interval not estimable: perfect separation"
	}
	return e, nil
}

// AUCPooled returns DeLong's interval on scores pooled over folds. It is biased, since it
// compares scores of different models, and is here only to be shown beside the others; Method
// says so.
func AUCPooled(folds []Data, level float64) (Estimate, error) {
	e, err := AUC(pool(folds), level)
	e.Method += ", pooled over folds (biased)"
	return e, err
}

// pool joins folds; missing weights become 1 when another fold has some.
func pool(folds []Data) Data {
	var out Data
	weighted := false
	for _, f := range folds {
		weighted = weighted || f.W != nil
	}
	for _, f := range folds {
		out.Y, out.P = append(out.Y, f.Y...), append(out.P, f.P...)
		for i := range f.Y {
			if weighted {
				out.W = append(out.W, f.Weight(i))
			}
		}
	}
	return out
}

// LossWithin returns the cross-validated mean of a loss known per row (squared error, log
// loss): the mean over all rows for the influence methods, with the standard error of a mean
// over rows (Bayle, Bayle, Janson and Mackey 2020, arXiv:2007.12671), and the mean of fold
// means for the others.
func LossWithin(name string, folds [][]float64, level float64, method FoldMethod) (Estimate, error) {
	if err := levelFault(level); err != nil {
		return Estimate{}, err
	}
	var means, sizes []float64
	var all, ss runSum
	n := 0.0
	for _, f := range folds {
		if len(f) == 0 {
			continue
		}
		m := sumOf(f) / float64(len(f))
		means, sizes = append(means, m), append(sizes, float64(len(f)))
		all.add(m * float64(len(f)))
		n += float64(len(f))
	}
	if n == 0 {
		return undefined(name, math.NaN(), level, "not estimable: no rows"), nil
	}
	if method != Influence && method != InfluencePlain {
		e := foldEstimate(name, means, sizes, 0, level, method)
		return e, nil
	}
	mean := all.sum() / n
	for _, f := range folds {
		for _, l := range f {
			ss.add((l - mean) * (l - mean))
		}
	}
	e := Estimate{Name: name, Threshold: math.NaN(), Value: mean, Level: level, Method: "mean over held-out rows, wald"}
	h := interval.Z(level) * math.Sqrt(ss.sum()/(n*(n-1)))
	e.Lower, e.Upper = mean-h, mean+h
	if n < 2 {
		e.Method = "interval not estimable: one row"
	}
	return e, nil
}
