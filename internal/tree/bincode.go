package tree

import (
	"context"
	"math"

	"dolor/internal/par"
)

// blockRows is the number of rows that are coded at once, so that both layouts are written
// while they are in cache.
const blockRows = 4096

// encode replaces the values of t by codes.
func encode(ctx context.Context, t *Table, columns []BinColumn, workers int) (*Bins, error) {
	b := &Bins{Rows: t.Rows, Columns: columns, stride: strideOf(len(columns))}
	b.byRow = make([]uint8, t.Rows*b.stride)
	b.byCol = make([]uint8, t.Rows*len(columns))
	coders := make([]coder, len(columns))
	for j := range columns {
		coders[j].init(&columns[j])
	}
	blocks := (t.Rows + blockRows - 1) / blockRows
	err := par.For(ctx, blocks, workers, func(_ context.Context, k int) error {
		lo := k * blockRows
		hi := min(lo+blockRows, t.Rows)
		rows := b.byRow[lo*b.stride : hi*b.stride]
		for j := range coders {
			codes := b.column(int32(j))[lo:hi]
			coders[j].encode(codes, t.Columns[j].Values[lo:hi])
			at := j
			for _, c := range codes {
				rows[at] = c
				at += b.stride
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// coder turns the values of one column into codes.
type coder struct {
	missing uint8
	levels  []uint8 // code of each category; nil for a number
	cuts    [256]float32
}

func (c *coder) init(col *BinColumn) {
	c.missing = uint8(col.Bins())
	if col.Levels == 0 {
		for i := range c.cuts {
			c.cuts[i] = float32(math.Inf(1))
		}
		copy(c.cuts[:], col.Cuts)
		return
	}
	other := c.missing
	if n := len(col.LevelOf); n > 0 && col.LevelOf[n-1] < 0 {
		other = uint8(n - 1)
	}
	c.levels = make([]uint8, col.Levels)
	for k := range c.levels {
		c.levels[k] = other
	}
	for code, level := range col.LevelOf {
		if level >= 0 && int(level) < len(c.levels) {
			c.levels[level] = uint8(code)
		}
	}
}

func (c *coder) encode(dst []uint8, values []float32) {
	dst = dst[:len(values)]
	if c.levels != nil {
		for i, x := range values {
			dst[i] = c.missing
			if x == x && int(x) < len(c.levels) {
				dst[i] = c.levels[int(x)]
			}
		}
		return
	}
	// Four searches at a time, so that their loads overlap.
	i := 0
	for ; i+4 <= len(values); i += 4 {
		x0, x1, x2, x3 := values[i], values[i+1], values[i+2], values[i+3]
		var k0, k1, k2, k3 uint8
		for step := uint8(128); step > 0; step >>= 1 {
			k0 += step & below(c.cuts[k0+step-1], x0)
			k1 += step & below(c.cuts[k1+step-1], x1)
			k2 += step & below(c.cuts[k2+step-1], x2)
			k3 += step & below(c.cuts[k3+step-1], x3)
		}
		dst[i], dst[i+1], dst[i+2], dst[i+3] = c.mark(k0, x0), c.mark(k1, x1), c.mark(k2, x2), c.mark(k3, x3)
	}
	for ; i < len(values); i++ {
		x, k := values[i], uint8(0)
		for step := uint8(128); step > 0; step >>= 1 {
			k += step & below(c.cuts[k+step-1], x)
		}
		dst[i] = c.mark(k, x)
	}
}

// below returns all ones when cut <= x, so that the search has no branch.
func below(cut, x float32) uint8 {
	var b uint8
	if cut <= x {
		b = 1
	}
	return -b
}

// mark returns the code k, or that of missing where x is.
func (c *coder) mark(k uint8, x float32) uint8 {
	if x != x {
		return c.missing
	}
	return k
}
