package elasticnet

import (
	"context"
	"math"
)

// solve finds the solution for one penalty from the state left by the previous one. check
// says whether columns outside the working set are held to their optimality condition. It
// returns the mean loss at the solution, which is left in f.sol.
func (f *fitter) solve(ctx context.Context, pe penalty, check bool) (loss float64, converged bool, err error) {
	q := f.q
	if err := f.extend(ctx); err != nil {
		return 0, false, err
	}
	inner := f.o.Tol * 0.01
	var change float64
	sinceRefresh := 0 // sweeps at this penalty with the same H
	for it := 0; ; it++ {
		var size float64
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		if f.naive() {
			size, change, err = q.solveNaive(ctx, f.at, f.sol, pe, inner)
			if err != nil {
				return 0, false, err
			}
		} else {
			size, change = q.solve(f.at, f.sol, pe, f.scale(), inner)
		}
		f.store()
		converged = size <= f.o.Tol
		if converged || it >= f.o.MaxIter {
			if !check {
				break
			}
			added, err := f.violations(ctx, pe)
			if err != nil {
				return 0, false, err
			}
			if !added || it >= 2*f.o.MaxIter {
				break
			}
			if err := f.extend(ctx); err != nil {
				return 0, false, err
			}
			continue
		}
		if err := f.advance(ctx, pe); err != nil {
			return 0, false, err
		}
		if it > 0 {
			f.extra++
			sinceRefresh++
		}
		if f.extra > f.patience() || sinceRefresh > 5 {
			if err := f.refresh(ctx); err != nil {
				return 0, false, err
			}
			sinceRefresh = 0
		}
	}
	return f.at.loss + change, converged, nil
}

// naive reports whether the working set is too large for a Hessian in memory.
func (f *fitter) naive() bool { return len(f.q.cols) >= f.o.MaxGram }

func (f *fitter) extend(ctx context.Context) error {
	if f.naive() {
		return nil
	}
	return f.q.extend(ctx)
}

// scale is how much the mean curvature has moved since H was measured.
func (f *fitter) scale() float64 {
	if f.q.sumV <= 0 || f.at.sumV <= 0 {
		return 1
	}
	return f.at.sumV / f.q.sumV
}

func (f *fitter) refresh(ctx context.Context) error {
	f.extra = 0
	if f.naive() {
		return nil
	}
	return f.q.refresh(ctx, f.at)
}

// patience is the price of measuring H in sweeps, by multiplications per row, with the
// exponential of a row counted as 40.
func (f *fitter) patience() int {
	k := float64(len(f.q.cols) + 1)
	return 1 + int(k*k/2/(k+float64(f.d.p)+80))
}

// store copies the model's minimiser to f.sol.
func (f *fitter) store() {
	f.sol.b0 = f.q.beta[0]
	for a, j := range f.q.cols {
		f.sol.b[j] = f.q.beta[a+1]
	}
}

// advance moves f.at to f.sol, or part of the way when the penalised loss would rise: the
// rescaled H need not bound the loss from above.
func (f *fitter) advance(ctx context.Context, pe penalty) error {
	before := f.at.loss + pe.value(f.at.b)
	f.next.b0 = f.sol.b0
	copy(f.next.b, f.sol.b)
	for range 30 {
		if err := f.sweep(ctx, f.next, f.gradientOf()); err != nil {
			return err
		}
		if after := f.next.loss + pe.value(f.next.b); after <= before+1e-13*math.Abs(before) {
			break
		}
		f.extra += f.patience() // the model was bad: measure it anew
		f.next.b0 = (f.next.b0 + f.at.b0) / 2
		for j, b := range f.next.b {
			if b != f.at.b[j] {
				f.next.b[j] = (b + f.at.b[j]) / 2
			}
		}
	}
	f.at, f.next = f.next, f.at
	return nil
}

// gradientOf lists the columns whose gradient a sweep needs: all of them where that is cheap
// beside reading the matrix, else the working set.
func (f *fitter) gradientOf() []int {
	if f.full || 2*len(f.q.cols) >= f.d.p {
		return nil
	}
	return f.q.cols
}

// violations adds to the working set every column whose optimality condition |g_j| <= l1_j
// fails outside it, and reports whether there was one.
func (f *fitter) violations(ctx context.Context, pe penalty) (bool, error) {
	if len(f.q.cols) == f.d.p {
		return false, nil
	}
	if f.gradientOf() != nil {
		if err := f.sweep(ctx, f.at, nil); err != nil {
			return false, err
		}
	}
	found := false
	for j, g := range f.at.g {
		if f.q.pos[j] < 0 && f.d.sd[j] > 0 && math.Abs(g) > pe.l1[j] {
			f.q.add(j)
			found = true
		}
	}
	return found, nil
}
