package metric

import (
	"cmp"
	"math"
	"slices"

	"dolor/diag"
)

// Sorted is a set of rows put in order of their score once, so that AUC, its variance, ROC,
// precision-recall and partial AUC can share the work. Scores may be any number, infinities
// included; only their order counts. Rows of weight 0 are left out. A Sorted is immutable and
// safe for concurrent use.
type Sorted struct {
	data  Data
	order []int32 // rows from the highest score to the lowest, ties in row order
	start []int32 // first position in order of each group of equal scores; one more at the end

	score    []float64 // distinct scores, descending
	pos, neg []float64 // weight of events and of non-events in each group

	// pos2, neg2 hold sums of squared weights; they are pos and neg when every weight is 1.
	pos2, neg2 []float64

	wpos, wneg float64 // total weight of events and of non-events
	rows1      int     // rows with the outcome and a weight above 0
	rows0      int
}

// NewSorted sorts the rows of d, by a radix sort on the bits of the score for large inputs
// (O(n)). It keeps d, which must not change afterwards. Unequal lengths, a missing score and a
// negative or infinite weight are errors of kind Invalid; no rows is not an error.
func NewSorted(d Data) (*Sorted, error) {
	if len(d.P) != len(d.Y) {
		return nil, diag.Errorf(diag.Invalid, "probability", "expected %d values, got %d", len(d.Y), len(d.P))
	}
	if d.W != nil && len(d.W) != len(d.Y) {
		return nil, diag.Errorf(diag.Invalid, "weight", "expected %d values, got %d", len(d.Y), len(d.W))
	}
	if len(d.Y) > math.MaxInt32-1 {
		return nil, diag.Errorf(diag.Unsupported, "", "expected fewer than 2147483647 rows, got %d", len(d.Y))
	}
	keys := make([]sortKey, 0, len(d.P))
	for i, p := range d.P {
		if math.IsNaN(p) {
			return nil, diag.Errorf(diag.Invalid, "probability", "row %d: expected a number, got a missing value", i+1)
		}
		if d.W != nil {
			if w := d.W[i]; !(w >= 0) || math.IsInf(w, 0) {
				return nil, diag.Errorf(diag.Invalid, "weight", "row %d: expected a finite number of at least 0", i+1)
			} else if w == 0 {
				continue
			}
		}
		keys = append(keys, sortKey{descending(p), int32(i)})
	}
	keys = sortKeys(keys)
	s := &Sorted{data: d, order: make([]int32, len(keys))}
	groups := 0
	for i, k := range keys {
		s.order[i] = k.row
		if i == 0 || k.key != keys[i-1].key {
			groups++
		}
	}
	s.start = make([]int32, 0, groups+1)
	s.score = make([]float64, 0, groups)
	for i, k := range keys {
		if i == 0 || k.key != keys[i-1].key {
			s.start = append(s.start, int32(i))
			s.score = append(s.score, d.P[k.row])
		}
	}
	s.start = append(s.start, int32(len(keys)))
	s.tally(d.W)
	return s, nil
}

// Reweigh returns the same rows with other weights, without sorting again: counts of a
// bootstrap resample, for example. w has one value per row of the original data, at least 0
// and finite; rows that had weight 0 stay out. It panics when the length differs. Cost O(n).
func (s *Sorted) Reweigh(w []float64) *Sorted {
	if len(w) != len(s.data.Y) {
		panic("metric: Reweigh needs one weight per row")
	}
	out := &Sorted{data: Data{Y: s.data.Y, P: s.data.P, W: w}, order: s.order, start: s.start, score: s.score}
	out.tally(w)
	return out
}

// Data returns the rows as they were given.
func (s *Sorted) Data() Data { return s.data }

// tally fills the group totals.
func (s *Sorted) tally(w []float64) {
	g := len(s.score)
	s.pos, s.neg = make([]float64, g), make([]float64, g)
	if w == nil {
		s.pos2, s.neg2 = s.pos, s.neg
		for k := range g {
			from, to := s.start[k], s.start[k+1]
			n1 := 0
			for _, r := range s.order[from:to] {
				if s.data.Y[r] {
					n1++
				}
			}
			s.pos[k], s.neg[k] = float64(n1), float64(int(to-from)-n1)
			s.rows1 += n1
		}
		s.rows0 = len(s.order) - s.rows1
		s.wpos, s.wneg = float64(s.rows1), float64(s.rows0)
		return
	}
	s.pos2, s.neg2 = make([]float64, g), make([]float64, g)
	var wpos, wneg runSum
	for k := range g {
		for _, r := range s.order[s.start[k]:s.start[k+1]] {
			switch v := w[r]; {
			case v == 0:
			case s.data.Y[r]:
				s.pos[k] += v
				s.pos2[k] += v * v
				s.rows1++
			default:
				s.neg[k] += v
				s.neg2[k] += v * v
				s.rows0++
			}
		}
		wpos.add(s.pos[k])
		wneg.add(s.neg[k])
	}
	s.wpos, s.wneg = wpos.sum(), wneg.sum()
}

// why says why discrimination cannot be estimated, or is empty.
func (s *Sorted) why() string {
	switch {
	case s.rows1+s.rows0 == 0:
		return "not estimable: no rows"
	case s.rows1 == 0 || s.rows0 == 0:
		return "not estimable: one class"
	}
	return ""
}

type sortKey struct {
	key uint64
	row int32
}

// descending maps a float to an integer whose order is the reverse of the float's; -0 and 0
// are one value.
func descending(p float64) uint64 {
	b := math.Float64bits(p + 0)
	if b>>63 != 0 {
		return b
	}
	return ^(b | 1<<63)
}

const (
	radixBits  = 11
	radixSize  = 1 << radixBits
	radixLevel = (64 + radixBits - 1) / radixBits
	radixFrom  = 2048 // below this many rows the comparison sort is faster
)

// sortKeys sorts by key, then row, and returns the slice that holds the result.
func sortKeys(keys []sortKey) []sortKey {
	if len(keys) < radixFrom {
		slices.SortFunc(keys, func(a, b sortKey) int {
			return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.row, b.row))
		})
		return keys
	}
	var count [radixLevel][radixSize]int32
	for _, k := range keys {
		for l := range radixLevel {
			count[l][k.key>>(l*radixBits)&(radixSize-1)]++
		}
	}
	other := make([]sortKey, len(keys))
	for l := range radixLevel {
		c := &count[l]
		shift := l * radixBits
		if int(c[keys[0].key>>shift&(radixSize-1)]) == len(keys) {
			continue
		}
		at := int32(0)
		for i, n := range c {
			c[i] = at
			at += n
		}
		for _, k := range keys {
			d := k.key >> shift & (radixSize - 1)
			other[c[d]] = k
			c[d]++
		}
		keys, other = other, keys
	}
	return keys
}

// runSum is a compensated running sum (Neumaier 1974, doi:10.1002/zamm.19740540106).
type runSum struct{ s, c float64 }

func (r *runSum) add(v float64) {
	t := r.s + v
	if math.Abs(r.s) >= math.Abs(v) {
		r.c += (r.s - t) + v
	} else {
		r.c += (v - t) + r.s
	}
	r.s = t
}

func (r *runSum) sum() float64 { return r.s + r.c }
