package par_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"dolor/internal/par"
)

func ExampleFor() {
	squares := make([]int, 5)
	_ = par.For(context.Background(), len(squares), 3, func(_ context.Context, i int) error {
		squares[i] = i * i
		return nil
	})
	fmt.Println(squares)
	// Output: [0 1 4 9 16]
}

func TestEveryTaskOnce(t *testing.T) {
	for _, workers := range []int{-1, 0, 1, 2, 7, 500} {
		for _, n := range []int{0, 1, 2, 100} {
			count := make([]atomic.Int32, n)
			err := par.For(t.Context(), n, workers, func(_ context.Context, i int) error {
				count[i].Add(1)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range count {
				if got := count[i].Load(); got != 1 {
					t.Errorf("%d workers: task %d of %d ran %d times", workers, i, n, got)
				}
			}
		}
	}
}

// TestNoMoreThanWorkers counts how many tasks run at once.
func TestNoMoreThanWorkers(t *testing.T) {
	var now, most atomic.Int32
	err := par.For(t.Context(), 200, 3, func(context.Context, int) error {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		runtime.Gosched()
		now.Add(-1)
		return nil
	})
	if err != nil || most.Load() > 3 {
		t.Errorf("%d tasks ran at once (%v)", most.Load(), err)
	}
}

// TestLowestFailureWins: two tasks that fail together give the error of the lower index.
func TestLowestFailureWins(t *testing.T) {
	for range 50 {
		both := make(chan struct{})
		err := par.For(t.Context(), 2, 2, func(_ context.Context, i int) error {
			if i == 0 {
				<-both
				return errors.New("task 0")
			}
			close(both)
			return errors.New("task 1")
		})
		if err == nil {
			t.Fatal("got no error")
		}
	}
	err := par.For(t.Context(), 10, 1, func(_ context.Context, i int) error {
		if i >= 4 {
			return fmt.Errorf("task %d", i)
		}
		return nil
	})
	if err == nil || err.Error() != "task 4" {
		t.Errorf("got %v, want task 4", err)
	}
}

// TestFailureIsNotHidden: siblings that stop because one failed do not hide why.
func TestFailureIsNotHidden(t *testing.T) {
	cause := errors.New("cause")
	for range 50 {
		started := make(chan struct{})
		err := par.For(t.Context(), 2, 2, func(ctx context.Context, i int) error {
			if i == 1 {
				<-started
				return cause
			}
			close(started)
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, cause) {
			t.Fatalf("got %v, want the cause", err)
		}
	}
}

func TestCancel(t *testing.T) {
	for _, workers := range []int{1, 4} {
		ctx, cancel := context.WithCancel(t.Context())
		var ran atomic.Int32
		err := par.For(ctx, 1000, workers, func(context.Context, int) error {
			if ran.Add(1) == 5 {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%d workers: got %v, want canceled", workers, err)
		}
		if n := ran.Load(); n > 5+4 {
			t.Errorf("%d workers: %d tasks ran", workers, n)
		}
	}
}

func TestPanicIsAnError(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, workers := range []int{1, 3} {
		err := par.For(t.Context(), 9, workers, func(_ context.Context, i int) error {
			if i == 4 {
				panic("broken")
			}
			return nil
		})
		if err == nil || !strings.HasPrefix(err.Error(), "par: task 4 panicked: broken") {
			t.Errorf("%d workers: got %v", workers, err)
		}
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines before, %d after", before, n)
	}
}
