package tree

import (
	"context"
	"math"
	"math/bits"

	"dolor/diag"
	"dolor/internal/par"
)

// maxBlock is the number of rows whose packed sums are kept together before they are added to
// wide ones. It sets the bits of a gradient: 16, or more where there are fewer rows.
const maxBlock = 1<<15 - 1

// Fixed is how gradients and curvatures become integers, so that their sums are exact and
// do not depend on the order of rows, on workers or on how rows are spread over sites.
// Histograms hold coarse integers, both sums packed in 64 bits; leaf weights come from fine
// ones. All follow from the row bound and, for each tree, from the largest gradient and
// curvature: a value v is the integer nearest to v times 2 to the power of an exponent.
type Fixed struct {
	RowBound int `json:"row_bound"` // most rows of a tree, all sites together
	Block    int `json:"block"`     // rows whose packed sums cannot overflow
	GradBits int `json:"grad_bits"` // bits of the largest coarse gradient, sign excluded
	HessBits int `json:"hess_bits"`
	FineBits int `json:"fine_bits"` // bits of the largest fine value
}

// NewFixed returns the bits for at most rowBound rows.
func NewFixed(rowBound int) Fixed {
	f := Fixed{RowBound: rowBound, Block: max(1, min(rowBound, maxBlock))}
	f.GradBits = 30
	for f.Block<<f.GradBits >= 1<<31 {
		f.GradBits--
	}
	f.HessBits = f.GradBits + 1
	f.FineBits = min(48, 62-bits.Len(uint(rowBound)))
	return f
}

// scales are the powers of two that one tree's values are multiplied by.
type scales struct {
	g, h           float64 // coarse
	ug, uh         float64 // 1/g, 1/h
	fineG, fineH   float64
	ufineG, ufineH float64
}

// scalesFor returns the scales for values up to g and h in size.
func (f Fixed) scalesFor(g, h float64) scales {
	var s scales
	pair := func(most float64, bits int) (float64, float64) {
		if most == 0 {
			return 1, 1
		}
		_, e := math.Frexp(most)
		return math.Ldexp(1, bits-e), math.Ldexp(1, e-bits)
	}
	s.g, s.ug = pair(g, f.GradBits)
	s.h, s.uh = pair(h, f.HessBits)
	s.fineG, s.ufineG = pair(g, f.FineBits)
	s.fineH, s.ufineH = pair(h, f.FineBits)
	return s
}

// magic added to a float64 below 2^51 in size rounds it to the nearest integer (ties to even),
// which is then the difference of the bits.
const magic = 0x1.8p52

const magicBits = 0x4338000000000000

// toInt rounds x, below 2^51 in size, to the nearest integer.
func toInt(x float64) int64 { return int64(math.Float64bits(x+magic)) - magicBits }

// extremes returns the largest |grad| and hess over rows (nil means all).
func extremes(ctx context.Context, grad, hess []float32, rows []int32, workers int) (g, h float64, err error) {
	n := len(grad)
	if rows != nil {
		n = len(rows)
	}
	parts := splitRange(0, n, max(1, min(workers, n>>14)))
	type most struct {
		g, h float32
		bad  bool
	}
	found := make([]most, len(parts))
	err = par.For(ctx, len(parts), workers, func(_ context.Context, k int) error {
		var m most
		low := float32(0)
		for i := parts[k].lo; i < parts[k].hi; i++ {
			r := i
			if rows != nil {
				r = int(rows[i])
			}
			a, b := grad[r], hess[r]
			a = math.Float32frombits(math.Float32bits(a) &^ (1 << 31))
			if a > m.g {
				m.g = a
			}
			if b > m.h {
				m.h = b
			}
			if b < low {
				low = b
			}
			if a != a || b != b {
				m.bad = true
			}
		}
		m.bad = m.bad || low < 0 || m.g > math.MaxFloat32 || m.h > math.MaxFloat32
		found[k] = m
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	for _, m := range found {
		if m.bad {
			return 0, 0, diag.Errorf(diag.Unfit, "gradient", "expected finite gradients and curvatures from 0 on, got another")
		}
		g, h = max(g, float64(m.g)), max(h, float64(m.h))
	}
	return g, h, nil
}

// pack fills dst[i] with the coarse gradient (high half) and curvature (low half) of rows[i].
func (s *scales) pack(dst []int64, grad, hess []float32, rows []int32) {
	for i, r := range rows {
		dst[i] = toInt(float64(grad[r])*s.g)<<32 + toInt(float64(hess[r])*s.h)
	}
}

// span is a range of indices.
type span struct{ lo, hi int }

func (s span) len() int { return s.hi - s.lo }

// splitRange parts [lo, hi) into n ranges of about equal length.
func splitRange(lo, hi, n int) []span {
	out := make([]span, n)
	for k := range out {
		out[k] = span{lo + (hi-lo)*k/n, lo + (hi-lo)*(k+1)/n}
	}
	return out
}
