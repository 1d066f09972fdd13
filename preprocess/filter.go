package preprocess

import (
	"context"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// DropMissing leaves out the columns that say too little: wholly missing in training, or
// missing in more than MaxShare of the training rows.
type DropMissing struct {
	Columns  []string `json:"columns,omitempty"` // empty: every number and category column
	MaxShare float64  `json:"max_share"`         // 1: only columns wholly missing
}

// Variance leaves out columns that hardly vary in training: all present values equal,
// variance (divisor n) not above MinVariance, or, with NearZero, near-zero variance as
// caret's nearZeroVar (Kuhn 2008, doi:10.18637/jss.v028.i05): the commonest value more than
// FreqCut times as frequent as the next and distinct values at most UniqueCut percent of
// rows. Categories are judged by their levels; a wholly missing column is left out.
type Variance struct {
	Columns     []string `json:"columns,omitempty"` // empty: every number and category column
	MinVariance float64  `json:"min_variance"`      // numbers only
	NearZero    bool     `json:"near_zero"`
	FreqCut     float64  `json:"freq_cut"`
	UniqueCut   float64  `json:"unique_cut"` // percent
}

// Correlation leaves out one of every two number columns whose Pearson correlation over the
// training rows with both is beyond MaxAbs. Pairs are taken from the strongest down (ties by
// position); of a pair still whole the column with the greater mean absolute correlation
// with the columns still there goes, on a tie the later one. A correlation that is not
// defined (constant, fewer than two rows) counts as 0. Cost: columns squared times rows.
type Correlation struct {
	Columns []string `json:"columns,omitempty"` // empty: every number column
	MaxAbs  float64  `json:"max_abs"`
}

// DefaultDropMissing leaves out only columns wholly missing.
func DefaultDropMissing() *DropMissing { return &DropMissing{MaxShare: 1} }

// DefaultVariance leaves out only constant columns; NearZero has caret's limits.
func DefaultVariance() *Variance { return &Variance{FreqCut: 19, UniqueCut: 10} }

// DefaultCorrelation has the limit 0.9.
func DefaultCorrelation() *Correlation { return &Correlation{MaxAbs: 0.9} }

// Validate reports every fault at once.
func (s *DropMissing) Validate() error {
	if !(s.MaxShare >= 0 && s.MaxShare <= 1) {
		return diag.Errorf(diag.Invalid, "drop_missing.max_share", "must be in [0, 1], got %g", s.MaxShare)
	}
	return nil
}

// Validate reports every fault at once.
func (s *Variance) Validate() error {
	var l diag.List
	if !(s.MinVariance >= 0) {
		l.Addf(diag.Invalid, "variance.min_variance", "must be at least 0, got %g", s.MinVariance)
	}
	if !(s.FreqCut >= 1) {
		l.Addf(diag.Invalid, "variance.freq_cut", "must be at least 1, got %g", s.FreqCut)
	}
	if !(s.UniqueCut >= 0 && s.UniqueCut <= 100) {
		l.Addf(diag.Invalid, "variance.unique_cut", "must be in [0, 100], got %g", s.UniqueCut)
	}
	return l.Err()
}

// Validate reports every fault at once.
func (s *Correlation) Validate() error {
	if !(s.MaxAbs > 0 && s.MaxAbs <= 1) {
		return diag.Errorf(diag.Invalid, "correlation.max_abs", "must be in (0, 1], got %g", s.MaxAbs)
	}
	return nil
}

// dropped is the transform of every filter: it leaves out the named columns where they are.
type dropped struct {
	Dropped []frame.Field `json:"dropped"`
	Code    string        `json:"code"`
	Why     string        `json:"why"`
	Out     frame.Schema  `json:"output"`
}

func (t *dropped) Output() frame.Schema { return t.Out }

// Apply does not mind when a column to leave out is not there.
func (t *dropped) Apply(_ context.Context, in *frame.Frame) (*frame.Frame, error) {
	names := make([]string, len(t.Dropped))
	for i, f := range t.Dropped {
		names[i] = f.Name
	}
	return in.Without(names...), nil
}

func (t *dropped) Warnings() []diag.Warning { return dropWarnings(t.Code, t.Why, t.Dropped) }

func (t *dropped) check() error { return nil }

// Fit counts the gaps.
func (s *DropMissing) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	return fitFilter(ctx, s, train, s.Columns, "too many missing values in training, dropped", func(c frame.Column) bool {
		m := c.MissingCount()
		return m == c.Len() || float64(m) > s.MaxShare*float64(c.Len())
	})
}

// Fit measures the spread.
func (s *Variance) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	return fitFilter(ctx, s, train, s.Columns, "hardly varies in training, dropped", s.flat)
}

func fitFilter(ctx context.Context, s Step, train *frame.Frame, names []string, why string, drop func(frame.Column) bool) (Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cols, err := pick(train, names, true, frame.Number, frame.Category)
	if err != nil {
		return nil, err
	}
	t := &dropped{Code: "column_dropped", Why: why, Dropped: []frame.Field{}}
	for _, c := range cols {
		if drop(c) {
			t.Dropped = append(t.Dropped, seenField(c))
		}
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

func (s *Variance) flat(c frame.Column) bool {
	var counts []int
	if c.Kind == frame.Category {
		counts = seen(c).counts
	} else {
		v := present(c.Numbers())
		if len(v) > 0 && s.MinVariance > 0 {
			if _, variance := meanVar(v); variance <= s.MinVariance {
				return true
			}
		}
		if !s.NearZero { // no need to sort
			return len(v) == 0 || slices.Max(v) == slices.Min(v)
		}
		slices.Sort(v)
		for i := range v {
			if i == 0 || v[i] != v[i-1] {
				counts = append(counts, 0)
			}
			counts[len(counts)-1]++
		}
	}
	distinct := len(counts)
	if distinct < 2 {
		return true
	}
	if !s.NearZero {
		return false
	}
	slices.Sort(counts)
	ratio := float64(counts[distinct-1]) / float64(counts[distinct-2])
	return ratio > s.FreqCut && 100*float64(distinct) <= s.UniqueCut*float64(c.Len())
}

// Fit correlates the columns.
func (s *Correlation) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cols, err := pick(train, s.Columns, true, frame.Number)
	if err != nil {
		return nil, err
	}
	p := len(cols)
	abs := make([]float64, p*p)
	type pair struct {
		a, b int
		r    float64
	}
	var strong []pair
	for a := range p {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for b := a + 1; b < p; b++ {
			r := math.Abs(pearson(cols[a].Numbers(), cols[b].Numbers()))
			abs[a*p+b], abs[b*p+a] = r, r
			if r > s.MaxAbs {
				strong = append(strong, pair{a, b, r})
			}
		}
	}
	slices.SortStableFunc(strong, func(x, y pair) int {
		switch {
		case x.r > y.r:
			return -1
		case x.r < y.r:
			return 1
		}
		return 0
	})
	gone := make([]bool, p)
	load := func(j int) float64 {
		sum := 0.0
		for k := range p {
			if !gone[k] {
				sum += abs[j*p+k]
			}
		}
		return sum
	}
	for _, q := range strong {
		switch {
		case gone[q.a] || gone[q.b]:
		case load(q.a) > load(q.b):
			gone[q.a] = true
		default:
			gone[q.b] = true
		}
	}
	t := &dropped{Code: "column_dropped", Why: "correlated with another column in training, dropped", Dropped: []frame.Field{}}
	for j, c := range cols {
		if gone[j] {
			t.Dropped = append(t.Dropped, c.Field)
		}
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

// pearson is the correlation over rows where both are present; 0 when it is not defined.
func pearson(a, b []float64) float64 {
	var n, ma, mb, saa, sbb, sab float64
	for i, x := range a {
		y := b[i]
		if x != x || y != y {
			continue
		}
		n++ // Welford's updates, as Chan, Golub and LeVeque 1983
		da, db := x-ma, y-mb
		ma += da / n
		mb += db / n
		saa += da * (x - ma)
		sbb += db * (y - mb)
		sab += da * (y - mb)
	}
	if r := sab / math.Sqrt(saa) / math.Sqrt(sbb); finite(r) {
		return r
	}
	return 0
}
