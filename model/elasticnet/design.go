package elasticnet

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"dolor/frame"
	"dolor/internal/par"
)

// blockRows is how many rows a block of the packed matrix holds: its columns are then runs of
// 2 kB, and a block of 50 columns stays in the second-level cache between the two kernels of
// a pass.
const blockRows = 256

// design holds the standardised predictors, the outcome, and case weights that sum to 1. The
// matrix is packed by blocks of rows; inside a block of m rows, column j is the run
// [j*m, (j+1)*m). One sweep over memory then serves both the linear predictor and the
// gradient, inactive columns cost nothing, and every inner loop is contiguous.
type design struct {
	n, p     int
	data     []float64
	mean, sd []float64 // sd is 1 when not standardising, 0 for a constant column
	y, w     []float64
	off      []float64 // nil means 0
	uniform  bool      // all weights are equal
	chunk    int       // blocks in a unit of parallel work; depends on n and p only
	workers  int
}

func newDesign(x frame.Matrix, y []bool, w, offset []float64, standardise bool, workers int) *design {
	n, p := x.Rows, x.Cols
	d := &design{
		n: n, p: p, y: make([]float64, n), w: make([]float64, n), off: offset, workers: workers,
		mean: make([]float64, p), sd: make([]float64, p), data: make([]float64, n*p),
	}
	var total float64
	d.uniform = true
	for i := range n {
		if y[i] {
			d.y[i] = 1
		}
		d.w[i] = 1
		if w != nil {
			d.w[i] = w[i]
			d.uniform = d.uniform && w[i] == w[0]
		}
		total += d.w[i]
	}
	for i := range n {
		d.w[i] /= total
	}
	d.chunk = max(1, (1<<18)/(blockRows*max(p, 1)))
	for i := range n {
		for j, v := range x.Row(i) {
			d.mean[j] += d.w[i] * v
		}
	}
	for i := range n {
		for j, v := range x.Row(i) {
			c := v - d.mean[j]
			d.sd[j] += d.w[i] * c * c
		}
	}
	inv := make([]float64, p)
	for j, v := range d.sd {
		s := math.Sqrt(v)
		// A column whose spread is rounding noise of its mean is constant.
		if s <= 1e-14*math.Abs(d.mean[j]) {
			d.sd[j] = 0
			continue
		}
		d.sd[j] = 1
		if standardise {
			d.sd[j] = s
		}
		inv[j] = 1 / d.sd[j]
	}
	for b := range d.blocks() {
		lo, m, blk := d.block(b)
		for i := range m {
			for j, v := range x.Row(lo + i) {
				blk[j*m+i] = (v - d.mean[j]) * inv[j]
			}
		}
	}
	return d
}

func (d *design) blocks() int { return (d.n + blockRows - 1) / blockRows }

// block returns the first row, the number of rows and the packed cells of block b.
func (d *design) block(b int) (lo, m int, blk []float64) {
	lo = b * blockRows
	m = min(blockRows, d.n-lo)
	return lo, m, d.data[lo*d.p : (lo+m)*d.p]
}

// point is a place in coefficient space with what one pass over the data tells about it.
// Gradients are of the mean loss.
type point struct {
	b0   float64
	b    []float64 // [p], standardised scale
	loss float64   // mean weighted log loss
	g0   float64
	g    []float64 // [p]; only the columns asked for are current
	sumV float64   // sum of w p (1-p)
	eta  []float64 // [n]
	res  []float64 // [n] w (y - p)
}

func newPoint(n, p int) *point {
	return &point{b: make([]float64, p), g: make([]float64, p), eta: make([]float64, n), res: make([]float64, n)}
}

type partial struct {
	loss, g0, sumV float64
	g              []float64
}

// pass fills everything of pt from pt.b0 and pt.b. cols lists the columns whose gradient is
// wanted; nil means all. Blocks are reduced in order, so workers do not change a bit.
func (d *design) pass(ctx context.Context, pt *point, cols []int) error {
	var active []int
	for j, v := range pt.b {
		if v != 0 {
			active = append(active, j)
		}
	}
	nb := d.blocks()
	parts := make([]partial, (nb+d.chunk-1)/d.chunk)
	err := par.For(ctx, len(parts), d.workers, func(_ context.Context, c int) error {
		pa := partial{g: make([]float64, d.p)}
		for b := c * d.chunk; b < min(nb, (c+1)*d.chunk); b++ {
			d.passBlock(b, pt, active, cols, &pa)
		}
		parts[c] = pa
		return nil
	})
	if err != nil {
		return err
	}
	pt.loss, pt.g0, pt.sumV = 0, 0, 0
	clear(pt.g)
	for _, pa := range parts {
		pt.loss += pa.loss
		pt.g0 += pa.g0
		pt.sumV += pa.sumV
		for j, v := range pa.g {
			pt.g[j] += v
		}
	}
	return nil
}

func (d *design) passBlock(b int, pt *point, active, cols []int, pa *partial) {
	var bl gonum.Implementation
	lo, m, blk := d.block(b)
	eta, res := pt.eta[lo:lo+m], pt.res[lo:lo+m]
	for i := range eta {
		eta[i] = pt.b0
	}
	if d.off != nil {
		for i, v := range d.off[lo : lo+m] {
			eta[i] += v
		}
	}
	switch {
	case 2*len(active) > d.p:
		bl.Dgemv(blas.Trans, d.p, m, 1, blk, m, pt.b, 1, 1, eta, 1)
	default:
		for _, j := range active {
			bl.Daxpy(m, pt.b[j], blk[j*m:(j+1)*m], 1, eta, 1)
		}
	}
	y, w := d.y[lo:lo+m], d.w[lo:lo+m]
	// sum of log(1+e) as the log of a product: each factor is in (1, 2], so 256 cannot overflow.
	prod := 1.0
	var loss, g0, sumV float64
	for i, e := range eta {
		t := math.Exp(-math.Abs(e))
		q := 1 / (1 + t)
		p, lin := q, e*(1-y[i])
		if e < 0 {
			p, lin = t*q, -e*y[i]
		}
		wi := w[i]
		r := wi * (y[i] - p)
		res[i] = r
		g0 -= r
		sumV += wi * t * q * q
		if d.uniform {
			prod *= 1 + t
			loss += wi * lin
		} else {
			loss += wi * (lin + math.Log1p(t))
		}
	}
	if d.uniform {
		loss += w[0] * math.Log(prod)
	}
	pa.loss += loss
	pa.g0 += g0
	pa.sumV += sumV
	if cols == nil {
		bl.Dgemv(blas.NoTrans, d.p, m, -1, blk, m, res, 1, 1, pa.g, 1)
		return
	}
	for _, j := range cols {
		pa.g[j] -= bl.Ddot(m, blk[j*m:(j+1)*m], 1, res, 1)
	}
}

// curvature fills v with w p (1-p) at eta, floored so that no row is wholly lost.
func (d *design) curvature(eta, v []float64) {
	for i, e := range eta {
		t := math.Exp(-math.Abs(e))
		v[i] = d.w[i] * max(t/((1+t)*(1+t)), 1e-9)
	}
}

// gram adds rows from..len(cols) of the weighted cross-product matrix, in the order
// (intercept, cols...), to h, which has the given stride; both triangles are filled.
func (d *design) gram(ctx context.Context, v []float64, cols []int, from int, h []float64, stride int) error {
	k := len(cols) + 1
	nb := d.blocks()
	// Each unit keeps a triangle of its own; their number is bounded by memory, not by workers.
	units := max(1, min((nb+d.chunk-1)/d.chunk, 8, (1<<23)/(k*k)))
	parts := make([][]float64, units)
	err := par.For(ctx, units, d.workers, func(ctx context.Context, c int) error {
		var bl gonum.Implementation
		acc := make([]float64, (k-from)*k)
		pack := make([]float64, k*blockRows)
		u := make([]float64, blockRows)
		for b := c * nb / units; b < (c+1)*nb/units; b++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			lo, m, blk := d.block(b)
			vb := v[lo : lo+m]
			for i := range m {
				pack[i] = 1
			}
			for q, j := range cols {
				copy(pack[(q+1)*m:(q+2)*m], blk[j*m:(j+1)*m])
			}
			for a := from; a < k; a++ {
				for i, z := range pack[a*m : (a+1)*m] {
					u[i] = vb[i] * z
				}
				bl.Dgemv(blas.NoTrans, a+1, m, 1, pack, m, u, 1, 1, acc[(a-from)*k:], 1)
			}
		}
		parts[c] = acc
		return nil
	})
	if err != nil {
		return err
	}
	for a := from; a < k; a++ {
		for q := range a + 1 {
			var s float64
			for _, acc := range parts {
				s += acc[(a-from)*k+q]
			}
			h[a*stride+q], h[q*stride+a] = s, s
		}
	}
	return nil
}
