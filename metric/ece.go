package metric

import (
	"math"
	"sort"

	"dolor/diag"
	"dolor/internal/smooth"
)

// Binning says how probabilities are cut into groups.
type Binning string

// The binnings. Edges of the width binnings are the doubles nearest i/k.
const (
	WidthRight Binning = "width_right" // [0, 1/k], (1/k, 2/k], ...; scikit-learn's uniform
	WidthLeft  Binning = "width_left"  // [0, 1/k), ..., [(k-1)/k, 1]
	Quantile7  Binning = "quantile7"   // type 7 quantiles, duplicates dropped, right-closed
	EqualCount Binning = "equal_count" // stable sort, the first n mod k groups one larger
)

// Group is one group of a calibration plot. Empty groups are left out of every result.
type Group struct {
	Bin          int     // 1-based, as cut
	N            int     // rows of positive weight
	Weight       float64 // sum of weights
	Events       float64 // weighted events
	MeanP, MeanY float64
	Lower, Upper float64 // Wilson interval of MeanY at the level asked for
}

// Grouped is the outcome of a binning.
type Grouped struct {
	Binning  Binning
	Groups   []Group
	Level    float64
	Warnings []diag.Warning // groups of under 5 patients
}

// CalibrationGroups cuts the rows into at most k groups. Intervals are Wilson's (JASA
// 1927;22:209-212), with the effective size (sum w)^2/sum w^2 when weighted. Kind Usage for
// k < 1 or an unknown binning.
func CalibrationGroups(d Data, how Binning, k int, level float64) (Grouped, error) {
	if err := checkCal(d, level); err != nil {
		return Grouped{}, err
	}
	bin, err := assign(d, how, k)
	if err != nil {
		return Grouped{}, err
	}
	gs := make([]Group, k)
	acc := make([][4]kahan, k) // w, w2, wy, wp
	for i, b := range bin {
		w := d.Weight(i)
		if w == 0 {
			continue
		}
		gs[b].N++
		acc[b][0].add(w)
		acc[b][1].add(w * w)
		acc[b][2].add(w * b2f(d.Y[i]))
		acc[b][3].add(w * d.P[i])
	}
	out := Grouped{Binning: how, Level: level}
	small := 0
	for b, g := range gs {
		if g.N == 0 {
			continue
		}
		g.Bin, g.Weight, g.Events = b+1, acc[b][0].sum(), acc[b][2].sum()
		g.MeanP, g.MeanY = acc[b][3].sum()/g.Weight, g.Events/g.Weight
		g.Lower, g.Upper = wilsonShare(g.MeanY, g.Weight*g.Weight/acc[b][1].sum(), level)
		out.Groups = append(out.Groups, g)
		if g.N < 5 {
			small++
		}
	}
	if small > 0 {
		out.Warnings = []diag.Warning{{Code: "small_calibration_group", Count: small, Msg: "calibration groups hold fewer than 5 patients"}}
	}
	return out, nil
}

func wilsonShare(share, n, level float64) (lower, upper float64) {
	z := calZ(level)
	z2 := z * z
	mid := (share + z2/(2*n)) / (1 + z2/n)
	half := z / (1 + z2/n) * math.Sqrt(share*(1-share)/n+z2/(4*n*n))
	return math.Max(mid-half, 0), math.Min(mid+half, 1)
}

func assign(d Data, how Binning, k int) ([]int, error) {
	if k < 1 {
		return nil, diag.Errorf(diag.Usage, "bins", "expected at least 1, got %d", k)
	}
	bin := make([]int, len(d.P))
	edges := make([]float64, k+1)
	for i := range edges {
		edges[i] = float64(i) / float64(k)
	}
	switch how {
	case WidthRight:
		for i, p := range d.P {
			bin[i] = min(sort.SearchFloat64s(edges[1:], p), k-1)
		}
	case WidthLeft:
		for i, p := range d.P {
			bin[i] = min(sort.Search(k+1, func(j int) bool { return edges[j] > p })-1, k-1)
		}
	case Quantile7:
		q := smooth.NewQuantiles(d.P, d.W)
		var cuts []float64
		for _, s := range edges {
			if e := q.At(s); len(cuts) == 0 || e > cuts[len(cuts)-1] {
				cuts = append(cuts, e)
			}
		}
		for i, p := range d.P {
			if len(cuts) > 1 {
				bin[i] = min(sort.SearchFloat64s(cuts[1:], p), len(cuts)-2)
			}
		}
	case EqualCount:
		ord := smooth.Order(d.P)
		n := len(ord)
		if d.W == nil {
			size, more := n/k, n%k
			for pos, i := range ord {
				if pos < more*(size+1) {
					bin[i] = pos / (size + 1)
				} else {
					bin[i] = more + (pos-more*(size+1))/size
				}
			}
			break
		}
		total := d.totals().w
		var c float64
		for _, i := range ord { // weighted: by the middle of the row's mass
			if d.W[i] > 0 {
				bin[i] = min(int((c+d.W[i]/2)/total*float64(k)), k-1)
			}
			c += d.W[i]
		}
	default:
		return nil, diag.Errorf(diag.Usage, "binning", "expected width_right, width_left, quantile7 or equal_count")
	}
	return bin, nil
}

// ECE holds binned calibration errors. They depend on the binning and are biased upward in
// small samples; prefer ICI as a summary.
type ECE struct {
	Grouped
	ECE   float64 // sum of share * |mean p - mean y| (Naeini and others, AAAI 2015)
	MCE   float64 // the largest of them
	RMSCE float64 // root of the weighted mean square
}

// CalibrationErrorBinned returns the expected, maximum and root mean squared calibration
// error over k groups. NaN without rows. See [ICI] for the smooth version and
// [CalibrationErrorIntervals] for intervals of these.
func CalibrationErrorBinned(d Data, how Binning, k int) (ECE, error) {
	g, err := CalibrationGroups(d, how, k, 0.95)
	if err != nil {
		return ECE{}, err
	}
	e := ECE{Grouped: g}
	var w float64
	for _, b := range g.Groups {
		w += b.Weight
	}
	if w == 0 {
		e.ECE, e.MCE, e.RMSCE = math.NaN(), math.NaN(), math.NaN()
		return e, nil
	}
	for _, b := range g.Groups {
		gap := math.Abs(b.MeanP - b.MeanY)
		e.ECE += b.Weight / w * gap
		e.MCE = math.Max(e.MCE, gap)
		e.RMSCE += b.Weight / w * gap * gap
	}
	e.RMSCE = math.Sqrt(e.RMSCE)
	return e, nil
}
