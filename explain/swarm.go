package explain

import (
	"math"
	"slices"

	"dolor/frame"
)

// Swarm holds the dots of a beeswarm as counts, so that no patient row travels with a figure:
// how many rows of each class of value fall in each bin of the attribution.
type Swarm struct {
	From float64    `json:"from"` // lower edge of bin 0
	Step float64    `json:"step"` // width of a bin
	Rows []SwarmRow `json:"rows"` // by falling mean absolute attribution, at most SwarmTop
}

// SwarmRow is the dots of one predictor.
type SwarmRow struct {
	Predictor string `json:"predictor"`
	Ordered   bool   `json:"ordered"` // classes run from low to high; otherwise all are NoClass
	// Dots has [bin, class, count] in ascending order. Classes 0 to 4 are fifths of the values
	// from low to high, NoClass a value without order, MissingClass no value.
	Dots [][3]int `json:"dots"`
}

// Classes of values in a swarm.
const (
	NoClass      = 5
	MissingClass = 6
)

// SwarmTop is how many predictors a swarm keeps, SwarmBins how many bins it has.
const (
	SwarmTop  = 20
	SwarmBins = 120
)

func newSwarm(t *Table, order []Importance) *Swarm {
	at := make(map[string]int, t.Phi.Cols)
	for j, name := range t.Phi.Names {
		at[name] = j
	}
	order = order[:min(len(order), SwarmTop)]
	lo, hi := 0.0, 0.0
	for _, m := range order {
		j := at[m.Predictor]
		for i := range t.Phi.Rows {
			v := t.Phi.Data[i*t.Phi.Cols+j]
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if hi == lo {
		lo, hi = lo-1, hi+1
	}
	s := &Swarm{From: lo, Step: (hi - lo) / SwarmBins}
	for _, m := range order {
		j := at[m.Predictor]
		class := make([]int, t.Phi.Rows)
		ordered := false
		if t.X != nil {
			if c, ok := t.X.Column(m.Predictor); ok {
				class, ordered = Classes(c)
			}
		}
		if !ordered {
			for i := range class {
				if class[i] != MissingClass {
					class[i] = NoClass
				}
			}
		}
		var counts [SwarmBins][MissingClass + 1]int
		for i := range t.Phi.Rows {
			b := int((t.Phi.Data[i*t.Phi.Cols+j] - s.From) / s.Step)
			counts[min(max(b, 0), SwarmBins-1)][class[i]]++
		}
		row := SwarmRow{Predictor: m.Predictor, Ordered: ordered}
		for b := range counts {
			for c, n := range counts[b] {
				if n > 0 {
					row.Dots = append(row.Dots, [3]int{b, c, n})
				}
			}
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

// Classes gives each row of c its fifth of the values, 0 (low) to 4 (high), by midrank; few
// distinct values are spread over the five. ordered is false for an unordered category, whose
// rows are all NoClass. A missing value is MissingClass.
func Classes(c frame.Column) (class []int, ordered bool) {
	class = make([]int, c.Len())
	v := make([]float64, c.Len())
	for i := range v {
		switch {
		case c.IsMissing(i):
			v[i] = nan
		case c.Kind == frame.Category:
			v[i] = float64(c.Codes()[i])
		case c.Kind == frame.Number:
			v[i] = c.Numbers()[i]
		}
	}
	ordered = c.Kind == frame.Number || c.Kind == frame.Category && c.Ordered
	sorted := slices.DeleteFunc(slices.Clone(v), math.IsNaN)
	slices.Sort(sorted)
	distinct := slices.Compact(slices.Clone(sorted))
	for i, x := range v {
		switch {
		case x != x:
			class[i] = MissingClass
		case !ordered:
			class[i] = NoClass
		case len(distinct) == 1:
			class[i] = 2
		case len(distinct) <= 5:
			k, _ := slices.BinarySearch(distinct, x)
			class[i] = (4*k + (len(distinct)-1)/2) / (len(distinct) - 1)
		default:
			lo, _ := slices.BinarySearch(sorted, x)
			hi, _ := slices.BinarySearch(sorted, math.Nextafter(x, math.Inf(1)))
			class[i] = min(4, 5*(lo+hi)/2/len(sorted))
		}
	}
	return class, ordered
}
