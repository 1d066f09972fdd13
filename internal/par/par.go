// Package par runs independent tasks on several workers with results that do not depend on
// how many there are: task i writes slot i, the caller reduces in index order.
package par

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// For calls fn(ctx, i) for every i in [0, n) on at most workers goroutines (0 means
// GOMAXPROCS) and waits for all of them. The error returned is that of the lowest failing
// index among those that ran; after a failure or cancellation no new task starts. A panic in
// fn is returned as an error with its stack. No goroutine outlives the call.
func For(ctx context.Context, n, workers int, fn func(ctx context.Context, i int) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, n)
	if workers <= 1 {
		for i := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := guarded(ctx, i, fn); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	var (
		next  atomic.Int64
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		at    = n
	)
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	fail := func(i int, err error) {
		mu.Lock()
		defer mu.Unlock()
		// Tasks that stopped because a sibling failed must not hide the failure.
		if inner.Err() != nil && ctx.Err() == nil && first != nil && errors.Is(err, inner.Err()) {
			return
		}
		if i < at {
			first, at = err, i
		}
		cancel()
	}
	for range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || inner.Err() != nil {
					return
				}
				if err := guarded(inner, i, fn); err != nil {
					fail(i, err)
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return first
}

// guarded calls fn and returns a panic in it as an error.
func guarded(ctx context.Context, i int, fn func(ctx context.Context, i int) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("par: task %d panicked: %v\n%s", i, r, debug.Stack())
		}
	}()
	return fn(ctx, i)
}
