package tree

import (
	"cmp"
	"math"
	"slices"

	"dolor/diag"
)

// weightBits is the resolution of weights when quantiles are taken: sums of integers do not
// depend on their order.
const weightBits = 30

// fixWeights rounds weights to integers of weightBits; nil stays nil.
func fixWeights(weights []float64) ([]int64, error) {
	if weights == nil {
		return nil, nil
	}
	most := 0.0
	for _, w := range weights {
		if !(w >= 0) || math.IsInf(w, 1) {
			return nil, diag.Errorf(diag.Invalid, "weights", "expected finite numbers from 0 on, got another")
		}
		most = max(most, w)
	}
	if most == 0 {
		return nil, nil
	}
	_, e := math.Frexp(most)
	scale := math.Ldexp(1, weightBits-e)
	out := make([]int64, len(weights))
	for i, w := range weights {
		out[i] = int64(w*scale + 0.5)
	}
	return out, nil
}

// sorter sorts the values of one column after another.
type sorter struct {
	keys, spare []uint32
	pairs       []pair
	counts      [3][2048]int32
	values      []float32 // distinct values, rising
	weight      []int64   // sum of weights of each
}

// pair is a value and its row, for weighted quantiles.
type pair struct {
	key uint32
	row int32
}

// keyOf maps a float32 to an integer of the same order; -0 and 0 are equal.
func keyOf(x float32) uint32 {
	u := math.Float32bits(x + 0)
	return u ^ (uint32(int32(u)>>31) | 1<<31)
}

// valueOf undoes keyOf.
func valueOf(k uint32) float32 {
	return math.Float32frombits(k ^ (uint32(int32(^k)>>31) | 1<<31))
}

// distinct fills s.values and s.weight from the values that are not missing.
func (s *sorter) distinct(values []float32, weights []int64) {
	s.values, s.weight = s.values[:0], s.weight[:0]
	if weights != nil {
		s.distinctWeighted(values, weights)
		return
	}
	s.keys = slices.Grow(s.keys[:0], len(values))
	for _, x := range values {
		if x == x {
			s.keys = append(s.keys, keyOf(x))
		}
	}
	s.sort()
	for i := 0; i < len(s.keys); {
		k := s.keys[i]
		j := i + 1
		for j < len(s.keys) && s.keys[j] == k {
			j++
		}
		s.values = append(s.values, valueOf(k))
		s.weight = append(s.weight, int64(j-i))
		i = j
	}
}

// distinctWeighted is distinct with weights; values of no weight are still values.
func (s *sorter) distinctWeighted(values []float32, weights []int64) {
	s.pairs = slices.Grow(s.pairs[:0], len(values))
	for i, x := range values {
		if x == x {
			s.pairs = append(s.pairs, pair{keyOf(x), int32(i)})
		}
	}
	slices.SortFunc(s.pairs, func(a, b pair) int { return cmp.Compare(a.key, b.key) })
	for i := 0; i < len(s.pairs); {
		k, w := s.pairs[i].key, int64(0)
		for ; i < len(s.pairs) && s.pairs[i].key == k; i++ {
			w += weights[s.pairs[i].row]
		}
		s.values = append(s.values, valueOf(k))
		s.weight = append(s.weight, w)
	}
}

// sort sorts s.keys: three rounds of 11 bits, least significant first.
func (s *sorter) sort() {
	if len(s.keys) < 256 {
		slices.Sort(s.keys)
		return
	}
	s.spare = slices.Grow(s.spare[:0], len(s.keys))[:len(s.keys)]
	clear(s.counts[:])
	for _, k := range s.keys {
		s.counts[0][k&2047]++
		s.counts[1][k>>11&2047]++
		s.counts[2][k>>22]++
	}
	from, to := s.keys, s.spare
	for round := range s.counts {
		c := &s.counts[round]
		shift := 11 * round
		if c[from[0]>>shift&2047] == int32(len(from)) {
			continue
		}
		sum := int32(0)
		for d := range c {
			c[d], sum = sum, sum+c[d]
		}
		for _, k := range from {
			d := k >> shift & 2047
			to[c[d]] = k
			c[d]++
		}
		from, to = to, from
	}
	s.keys, s.spare = from, to
}

// chooseBins chooses the codes of one column.
func chooseBins(c *Column, weights []int64, maxBin int, s *sorter) BinColumn {
	out := BinColumn{Name: c.Name, Levels: c.Levels}
	if c.Levels > 0 {
		out.LevelOf = chooseLevels(c, weights)
		return out
	}
	s.distinct(c.Values, weights)
	out.Cuts = quantileCuts(s.values, s.weight, maxBin)
	return out
}

// chooseLevels gives each category a code, or the most frequent ones and a shared one.
func chooseLevels(c *Column, weights []int64) []int32 {
	levels := make([]int32, c.Levels)
	for k := range levels {
		levels[k] = int32(k)
	}
	if c.Levels < MaxBins {
		return levels
	}
	sum := make([]int64, c.Levels)
	for i, x := range c.Values {
		switch {
		case x != x:
		case weights == nil:
			sum[int32(x)]++
		default:
			sum[int32(x)] += weights[i]
		}
	}
	slices.SortStableFunc(levels, func(a, b int32) int { return cmp.Compare(sum[b], sum[a]) })
	levels = levels[:MaxBins-2]
	slices.Sort(levels)
	return append(levels, -1)
}

// quantileCuts parts rising values with the given weights into at most maxBin bins, in the way of
// XGBoost's hist where its sketch of quantiles is exact (WQSummary::SetPrune; Chen and Guestrin
// 2016, appendix A): each of the maxBin-1 evenly spaced ranks between the first and the last
// value takes the value whose middle rank is nearest, and every value taken starts a bin. A
// frequent value is met by several ranks and so has a bin of its own.
func quantileCuts(values []float32, weight []int64, maxBin int) []float32 {
	n := len(values)
	cuts := make([]float32, 0, max(0, min(n, maxBin)-1))
	if n <= maxBin {
		for i := 1; i < n; i++ {
			cuts = append(cuts, between(values[i-1], values[i]))
		}
		return cuts
	}
	total := int64(0)
	for _, w := range weight {
		total += w
	}
	first := weight[0]
	span := total - weight[n-1] - first // from the end of the first value to the start of the last
	i, before := 1, first               // before is the weight of the values before i
	last := 0
	for k := 1; k < maxBin; k++ {
		// Twice the rank sought, to be compared with twice the middle ranks.
		rank := 2 * (float64(k)*float64(span)/float64(maxBin) + float64(first))
		for i < n-1 && rank >= float64(2*(before+weight[i])+weight[i+1]) {
			before += weight[i]
			i++
		}
		if i == n-1 {
			break
		}
		at := i
		if rank >= float64(2*(before+weight[i])) {
			at++ // beyond the edge of the two values around the rank
		}
		if at != last {
			cuts = append(cuts, between(values[at-1], values[at]))
			last = at
		}
	}
	return cuts
}

// between returns a float32 c with a < c <= b, midway where it can.
func between(a, b float32) float32 {
	c := float32((float64(a) + float64(b)) / 2)
	if c > a && c <= b {
		return c
	}
	return b
}
