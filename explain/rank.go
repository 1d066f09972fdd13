package explain

import (
	"cmp"
	"math"
	"slices"
)

// ordered is the rows of a column in ascending order with the ends of its ties: sorted once,
// ranked again for each resample in linear time.
type ordered struct {
	rows []int32
	ends []int32 // exclusive end in rows of each run of equal values
}

// newOrdered orders the rows of v that keep names.
func newOrdered(v []float64, keep []int32) ordered {
	o := ordered{rows: slices.Clone(keep)}
	slices.SortStableFunc(o.rows, func(a, b int32) int { return cmp.Compare(v[a], v[b]) })
	for i := 1; i <= len(o.rows); i++ {
		if i == len(o.rows) || v[o.rows[i]] != v[o.rows[i-1]] {
			o.ends = append(o.ends, int32(i))
		}
	}
	return o
}

// ranks writes the midrank of each row into dst when row i is there w[i] times.
func (o *ordered) ranks(w, dst []float64) {
	from, before := int32(0), 0.0
	for _, end := range o.ends {
		n := 0.0
		for _, r := range o.rows[from:end] {
			n += w[r]
		}
		rank := before + (n+1)/2
		for _, r := range o.rows[from:end] {
			dst[r] = rank
		}
		before += n
		from = end
	}
}

// pair is two columns whose rank correlation is taken on many resamples.
type pair struct{ x, y ordered }

func newPair(x, y []float64) *pair {
	var keep []int32
	for i := range x {
		if !math.IsNaN(x[i]) && !math.IsNaN(y[i]) {
			keep = append(keep, int32(i))
		}
	}
	return &pair{newOrdered(x, keep), newOrdered(y, keep)}
}

// spearman is the correlation of midranks on the resample w (Spearman 1904,
// doi:10.2307/1412159); rx and ry are scratch of one entry a row. NaN when a side is constant.
func (p *pair) spearman(w, rx, ry []float64) float64 {
	p.x.ranks(w, rx)
	p.y.ranks(w, ry)
	n := 0.0
	for _, r := range p.x.rows {
		n += w[r]
	}
	mean := (n + 1) / 2
	sxy, sxx, syy := 0.0, 0.0, 0.0
	for _, r := range p.x.rows {
		dx, dy := rx[r]-mean, ry[r]-mean
		sxy += float64(w[r] * dx * dy)
		sxx += float64(w[r] * dx * dx)
		syy += float64(w[r] * dy * dy)
	}
	if n < 3 || sxx == 0 || syy == 0 {
		return nan
	}
	return min(1, max(-1, sxy/math.Sqrt(sxx*syy)))
}

// ranking gives each value its midrank from the largest (1) down.
func ranking(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(v[b], v[a]) })
	out := make([]float64, len(v))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && v[order[j]] == v[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			out[k] = float64(i+1+j) / 2
		}
		i = j
	}
	return out
}

// correlation is Pearson's between two rankings; NaN when one is constant.
func correlation(a, b []float64) float64 {
	n := float64(len(a))
	ma, mb := 0.0, 0.0
	for i := range a {
		ma += a[i] / n
		mb += b[i] / n
	}
	sab, saa, sbb := 0.0, 0.0, 0.0
	for i := range a {
		sab += float64((a[i] - ma) * (b[i] - mb))
		saa += float64((a[i] - ma) * (a[i] - ma))
		sbb += float64((b[i] - mb) * (b[i] - mb))
	}
	if saa == 0 || sbb == 0 {
		return nan
	}
	return min(1, max(-1, sab/math.Sqrt(saa*sbb)))
}

// kendallW is the concordance of judges [judge][item] of midranks, corrected for ties (Kendall
// and Babington Smith 1939, doi:10.1214/aoms/1177732186). NaN for under two judges or items.
func kendallW(ranks [][]float64) float64 {
	m := float64(len(ranks))
	if len(ranks) < 2 || len(ranks[0]) < 2 {
		return nan
	}
	p := float64(len(ranks[0]))
	s, mean := 0.0, m*(p+1)/2
	for j := range ranks[0] {
		r := 0.0
		for _, judge := range ranks {
			r += judge[j]
		}
		s += float64((r - mean) * (r - mean))
	}
	ties := 0.0
	for _, judge := range ranks {
		sorted := slices.Sorted(slices.Values(judge))
		for i := 0; i < len(sorted); {
			j := i
			for j < len(sorted) && sorted[j] == sorted[i] {
				j++
			}
			t := float64(j - i)
			ties += float64(t*t*t) - t
			i = j
		}
	}
	d := float64(m*m*(float64(p*p*p)-p)) - float64(m*ties)
	if d <= 0 {
		return nan
	}
	return 12 * s / d
}

// overlap is the share of the k leading items that two rankings have in common; an item tied
// over the edge counts in part.
func overlap(a, b []float64, k int) float64 {
	common := 0.0
	ia, ib := leading(a, k), leading(b, k)
	for j := range ia {
		common += min(ia[j], ib[j])
	}
	return common / float64(k)
}

// leading gives each item its membership of the first k places: 1, 0, or a share when tied.
func leading(rank []float64, k int) []float64 {
	out := make([]float64, len(rank))
	for j, r := range rank {
		below, same := 0, 0
		for _, q := range rank {
			switch {
			case q < r:
				below++
			case q == r:
				same++
			}
		}
		out[j] = min(1, max(0, float64(k-below)/float64(same)))
	}
	return out
}
