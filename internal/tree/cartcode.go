package tree

import (
	"context"
	"math"
	"slices"

	"dolor/diag"
	"dolor/internal/par"
)

// noCode is the code of a missing value; it is above every other code.
const noCode = math.MaxUint16

// Coded is a table whose values are replaced by their ranks, so that the search for exact
// splits compares small integers. It is immutable and safe for concurrent use.
type Coded struct {
	Rows int
	cols []codedColumn
}

// codedColumn holds the rank of every cell among the distinct values of its column.
type codedColumn struct {
	codes []uint16 // a row; noCode where missing
	// Smallest and largest value of each code. They are one slice unless binned. For a category,
	// first holds the level that each code stands for.
	first, last []float32
	levels      int  // > 0: a category
	missing     bool // some cell is missing
	binned      bool // codes are quantile bins, not single values
}

// Code ranks the columns of t, on at most workers goroutines (0 means GOMAXPROCS). A column
// of up to 65,535 distinct values is held exactly; one with more is cut into 65,535 bins of
// about equal numbers of rows, between distinct values. Errors: a category with more than
// 65,535 levels in use (Unsupported), Canceled. Cost: linear in the cells (radix sort).
func Code(ctx context.Context, t *Table, workers int) (*Coded, error) {
	c := &Coded{Rows: t.Rows, cols: make([]codedColumn, len(t.Columns))}
	err := par.For(ctx, len(t.Columns), workers, func(_ context.Context, j int) error {
		var err error
		c.cols[j], err = codeColumn(&t.Columns[j])
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Varies reports whether column j has at least two distinct values, or one and missing cells.
func (c *Coded) Varies(j int) bool {
	d := len(c.cols[j].first)
	return d > 1 || d == 1 && c.cols[j].missing
}

// Binned reports whether column j has too many distinct values to be split at each.
func (c *Coded) Binned(j int) bool { return c.cols[j].binned }

func codeColumn(col *Column) (codedColumn, error) {
	n := len(col.Values)
	out := codedColumn{codes: make([]uint16, n), levels: col.Levels}
	keys, tmp := make([]uint64, 0, n), make([]uint64, n)
	for i, v := range col.Values {
		if v != v {
			out.missing = true
			out.codes[i] = noCode
			continue
		}
		keys = append(keys, uint64(sortable(v))<<32|uint64(uint32(i)))
	}
	keys = radix(keys, tmp[:len(keys)])
	distinct := 0
	for k, key := range keys {
		if k == 0 || key>>32 != keys[k-1]>>32 {
			distinct++
		}
	}
	if distinct > noCode && col.Levels > 0 {
		return out, diag.Errorf(diag.Unsupported, col.Name, "expected at most %d levels in use, got %d", noCode, distinct)
	}
	out.binned = distinct > noCode
	out.first = make([]float32, 0, min(distinct, noCode))
	if out.last = out.first; out.binned {
		out.last = make([]float32, 0, noCode)
	}
	code, left := -1, distinct
	quota := 0 // rows of the bin being filled must reach this before another begins
	for k := 0; k < len(keys); {
		e := k
		for e < len(keys) && keys[e]>>32 == keys[k]>>32 {
			e++
		}
		v := unsortable(uint32(keys[k] >> 32))
		// A new bin when the last one is full, or when every value left can have a bin of its own.
		if code < 0 || !out.binned || k >= quota || left <= noCode-len(out.first) {
			code++
			out.first = append(out.first, v)
			if out.binned {
				out.last = append(out.last, v)
				room := noCode - code // bins for the rows from k on, this one included
				quota = k + (len(keys)-k+room-1)/room
			}
		} else {
			out.last[code] = v
		}
		for ; k < e; k++ {
			out.codes[uint32(keys[k])] = uint16(code)
		}
		left--
	}
	if !out.binned {
		out.last = out.first
	}
	return out, nil
}

// sortable maps a float32 that is not NaN to an integer of the same order; both zeros are one.
func sortable(v float32) uint32 {
	if v == 0 {
		v = 0
	}
	b := math.Float32bits(v)
	if b>>31 != 0 {
		return ^b
	}
	return b | 1<<31
}

func unsortable(b uint32) float32 {
	if b>>31 != 0 {
		return math.Float32frombits(b &^ (1 << 31))
	}
	return math.Float32frombits(^b)
}

// radix sorts keys by their upper 32 bits, stably, in three passes of 11 bits. tmp is as long
// as keys; the result is one of the two.
func radix(keys, tmp []uint64) []uint64 {
	if len(keys) < 256 {
		slices.Sort(keys) // rows ascend within a value either way
		return keys
	}
	for shift := 32; shift < 64; shift += 11 {
		var at [2049]int
		for _, k := range keys {
			at[k>>shift&2047+1]++
		}
		for d := 1; d < len(at); d++ {
			at[d] += at[d-1]
		}
		for _, k := range keys {
			d := k >> shift & 2047
			tmp[at[d]] = k
			at[d]++
		}
		keys, tmp = tmp, keys
	}
	return keys
}

// cut returns the last code whose values are all below threshold, -1 when there is none.
func (c *codedColumn) cut(threshold float32) int {
	k, _ := slices.BinarySearchFunc(c.last, threshold, func(v, t float32) int {
		if v < t {
			return -1
		}
		return 1
	})
	return k - 1
}

// between returns the threshold that separates values of code a from those of the greater
// code b: x < threshold is what x <= (last of a + first of b)/2 is, for every float32 x.
func (c *codedColumn) between(a, b int) float32 {
	if c.binned { // at the edge of a bin, so that codes say which side a row is on
		a += (b - a - 1) / 2
		b = a + 1
	}
	return above(float64(c.last[a])/2 + float64(c.first[b])/2)
}

// above returns the smallest float32 greater than t.
func above(t float64) float32 {
	f := float32(t)
	if float64(f) > t {
		return f
	}
	return math.Nextafter32(f, float32(math.Inf(1)))
}
