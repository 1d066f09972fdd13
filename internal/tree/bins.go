package tree

import (
	"context"

	"dolor/diag"
	"dolor/internal/par"
)

const (
	// MaxBins is the number of codes that a column can have, the code of missing among them.
	MaxBins = 256
	// group is the number of columns whose codes are read at once.
	group = 8
	// slots is the number of histogram entries of a group of columns.
	slots = group * MaxBins
)

// BinColumn says how the values of a column become codes. The code of missing is Bins().
type BinColumn struct {
	Name   string
	Levels int // number of categories; 0 means a number
	// Cuts of a number rise: code b holds Cuts[b-1] <= x < Cuts[b], so that the threshold
	// Cuts[b] parts the codes up to b from the rest exactly.
	Cuts []float32
	// LevelOf gives the category of a code. Where a column has more categories than codes the
	// last entry is -1: the code that the rarest share, which no split can tell apart.
	LevelOf []int32
}

// Bins returns the number of codes of values that are not missing, at most 255.
func (c *BinColumn) Bins() int {
	if c.Levels > 0 {
		return len(c.LevelOf)
	}
	return len(c.Cuts) + 1
}

// Bins is a table whose values are replaced by codes of one byte. It is not changed by
// growing and may be shared.
type Bins struct {
	Rows    int
	Columns []BinColumn
	stride  int     // bytes from one row to the next
	byRow   []uint8 // code of row i, column j at i*stride+j: for histograms
	byCol   []uint8 // the same at j*Rows+i: for moving rows to the children
}

// NewBins bins the columns of t by quantiles: every distinct value has its own code where
// there are few enough, else the codes hold about equal sums of weights (nil means 1 each), a
// value that is more frequent than that alone. Cuts lie midway between neighbouring values.
// maxBin is the number of codes for values, 2 to 256 (0 means 256); one fewer is used where it
// would leave no code for missing. Categories have a code each; above 254 the most frequent do
// (ties: lower code first). Quantiles are exact and do not depend on the order of rows nor on
// workers (0 means GOMAXPROCS). Infinite numbers and codes outside of their levels are of kind Invalid.
func NewBins(ctx context.Context, t *Table, weights []float64, maxBin, workers int) (*Bins, error) {
	if maxBin == 0 {
		maxBin = MaxBins
	}
	if maxBin < 2 || maxBin > MaxBins {
		return nil, diag.Errorf(diag.Invalid, "max_bin", "expected 2 to %d, got %d", MaxBins, maxBin)
	}
	if weights != nil && len(weights) != t.Rows {
		return nil, diag.Errorf(diag.Invalid, "weights", "expected %d, got %d", t.Rows, len(weights))
	}
	fixed, err := fixWeights(weights)
	if err != nil {
		return nil, err
	}
	columns := make([]BinColumn, len(t.Columns))
	sorters := make(chan *sorter, max(len(t.Columns), 1))
	err = par.For(ctx, len(t.Columns), workers, func(_ context.Context, j int) error {
		if err := checkColumn(&t.Columns[j], t.Rows); err != nil {
			return err
		}
		var s *sorter
		select {
		case s = <-sorters:
		default:
			s = &sorter{}
		}
		columns[j] = chooseBins(&t.Columns[j], fixed, min(maxBin, MaxBins-1), s)
		sorters <- s
		return nil
	})
	if err != nil {
		return nil, err
	}
	return encode(ctx, t, columns, workers)
}

// NewBinsFrom bins the columns of t as columns says: by cuts chosen elsewhere, so that several
// tables have the same codes. A category that LevelOf does not name takes the shared code if
// there is one and counts as missing otherwise.
func NewBinsFrom(ctx context.Context, t *Table, columns []BinColumn, workers int) (*Bins, error) {
	if len(columns) != len(t.Columns) {
		return nil, diag.Errorf(diag.Invalid, "columns", "expected %d, got %d", len(columns), len(t.Columns))
	}
	for j := range columns {
		c := &columns[j]
		if err := checkColumn(&t.Columns[j], t.Rows); err != nil {
			return nil, err
		}
		if (c.Levels > 0) != (t.Columns[j].Levels > 0) {
			return nil, diag.Errorf(diag.Invalid, c.Name, "expected the kind of column that the cuts were made for, got another")
		}
		if n := c.Bins(); n < 1 || n > MaxBins-1 {
			return nil, diag.Errorf(diag.Invalid, c.Name, "expected 1 to %d bins, got %d", MaxBins-1, n)
		}
		for k := 1; k < len(c.Cuts); k++ {
			if !(c.Cuts[k-1] < c.Cuts[k]) {
				return nil, diag.Errorf(diag.Invalid, c.Name, "expected rising cuts, got one that does not exceed the one before")
			}
		}
	}
	return encode(ctx, t, columns, workers)
}

// checkColumn refuses values that no tree can be grown on.
func checkColumn(c *Column, rows int) error {
	if len(c.Values) != rows {
		return diag.Errorf(diag.Invalid, c.Name, "expected %d values, got %d", rows, len(c.Values))
	}
	bad := 0
	if c.Levels > 0 {
		top := float32(c.Levels)
		for _, x := range c.Values {
			if x == x && !(x >= 0 && x < top && x == float32(int32(x))) {
				bad++
			}
		}
		if bad > 0 {
			return diag.Errorf(diag.Invalid, c.Name, "expected codes of %d categories, got %d others", c.Levels, bad)
		}
		return nil
	}
	for _, x := range c.Values {
		if x-x != 0 && x == x {
			bad++
		}
	}
	if bad > 0 {
		return diag.Errorf(diag.Invalid, c.Name, "expected finite numbers, got %d infinite", bad)
	}
	return nil
}

// strideOf returns the bytes of a row of n codes: a multiple of 8 that keeps a row inside one
// cache line where it can.
func strideOf(n int) int {
	switch {
	case n <= 8:
		return 8
	case n <= 16:
		return 16
	case n <= 32:
		return 32
	case n <= 64:
		return 64
	}
	return (n + 7) &^ 7
}

// groups returns the number of groups of columns.
func (b *Bins) groups() int { return (len(b.Columns) + group - 1) / group }

// column returns the codes of column j by row.
func (b *Bins) column(j int32) []uint8 {
	return b.byCol[int(j)*b.Rows:][:b.Rows:b.Rows]
}
