package modeltest

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"

	"dolor/diag"
	"dolor/frame"
	"dolor/model"
)

func (b *battery) weightTwo(t *testing.T) {
	t.Helper()
	if b.o.WeightTol == 0 {
		t.Skip("the family does not claim that weight 2 is the row twice")
	}
	weighted := *b.data
	weighted.W = make([]float64, b.data.Rows())
	var rows []int
	for i := range weighted.W {
		weighted.W[i] = 1
		rows = append(rows, i)
		if i%4 == 0 {
			weighted.W[i] = 2
			rows = append(rows, i)
		}
	}
	near(t, "weighted", predict(t, b.fit(t, &weighted, 1), b.data.X),
		predict(t, b.fit(t, b.data.Take(rows), 1), b.data.X), b.o.WeightTol)
}

func (b *battery) weightZero(t *testing.T) {
	t.Helper()
	if b.o.ZeroWeightTol == 0 {
		t.Skip("the family does not claim that weight 0 is the row left out")
	}
	weighted := *b.data
	weighted.W = make([]float64, b.data.Rows())
	var rows []int
	for i := range weighted.W {
		if i%5 != 0 {
			weighted.W[i] = 1
			rows = append(rows, i)
		}
	}
	near(t, "weighted", predict(t, b.fit(t, &weighted, 1), b.data.X),
		predict(t, b.fit(t, b.data.Take(rows), 1), b.data.X), b.o.ZeroWeightTol)
}

func (b *battery) badWeights(t *testing.T) {
	t.Helper()
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		d := *b.data
		d.W = slices.Repeat([]float64{1}, d.Rows())
		if b.o.NoWeights {
			_, err := b.try(t.Context(), &d, 1)
			refused(t, "weights", err, diag.Unsupported)
			return
		}
		d.W[3] = bad
		_, err := b.try(t.Context(), &d, 1)
		refused(t, "a weight that is negative or not finite", err, diag.Invalid)
	}
	d := *b.data
	d.W = []float64{1}
	_, err := b.try(t.Context(), &d, 1)
	refused(t, "too few weights", err, diag.Invalid, diag.Unsupported)
}

// spoiled returns d with x2 of some rows set to v.
func (b *battery) spoiled(t *testing.T, v float64) *model.Dataset {
	t.Helper()
	c, _ := b.data.X.Column("x2")
	num := slices.Clone(c.Numbers())
	for i := 0; i < len(num); i += 7 {
		num[i] = v
	}
	x, err := b.data.X.With(frame.NumberColumn(c.Field, num))
	if err != nil {
		t.Fatal(err)
	}
	d := *b.data
	d.X = x
	return &d
}

func (b *battery) missing(t *testing.T) {
	t.Helper()
	d := b.spoiled(t, math.NaN())
	m := b.fit(t, b.data, 1)
	if b.o.HandlesMissing {
		predict(t, m, d.X)
		predict(t, b.fit(t, d, 1), d.X)
		return
	}
	_, err := b.try(t.Context(), d, 1)
	refused(t, "fitting with missing values", err, diag.Invalid)
	_, err = m.Predict(t.Context(), d.X, nil)
	refused(t, "predicting with missing values", err, diag.Invalid)
}

// infinite cells are refused or give probabilities all the same.
func (b *battery) infinite(t *testing.T) {
	t.Helper()
	d := b.spoiled(t, math.Inf(1))
	if _, err := b.try(t.Context(), d, 1); err != nil {
		refused(t, "fitting with infinite values", err, diag.Invalid)
	}
	p, err := b.fit(t, b.data, 1).Predict(t.Context(), d.X, nil)
	if err != nil {
		refused(t, "predicting with infinite values", err, diag.Invalid)
		return
	}
	for _, v := range p {
		if !(v >= 0 && v <= 1) {
			t.Fatalf("infinite values: got %g, want a number in [0, 1]", v)
		}
	}
}

func (b *battery) oneClass(t *testing.T) {
	t.Helper()
	for _, class := range []bool{false, true} {
		d := *b.data
		d.Y = slices.Repeat([]bool{class}, d.Rows())
		_, err := b.try(t.Context(), &d, 1)
		refused(t, "one class", err, diag.Unfit)
	}
	d := *b.data
	d.Y = d.Y[:d.Rows()-1]
	_, err := b.try(t.Context(), &d, 1)
	refused(t, "too few outcomes", err, diag.Invalid)
}

func (b *battery) oneRowFit(t *testing.T) {
	_, err := b.try(t.Context(), b.data.Take([]int{0}), 1)
	refused(t, "one row", err, diag.Unfit)
}

func (b *battery) noRows(t *testing.T) {
	_, err := b.try(t.Context(), b.data.Take(nil), 1)
	refused(t, "no rows", err, diag.Unfit)
	if p := predict(t, b.fit(t, b.data, 1), b.data.X.Take(nil)); len(p) != 0 {
		t.Errorf("no rows: got %d predictions", len(p))
	}
}

func (b *battery) constant(t *testing.T) {
	with := func(d *model.Dataset) *model.Dataset {
		x, err := d.X.With(frame.NumberColumn(frame.Field{Name: "fixed", Modality: frame.Clinical}, slices.Repeat([]float64{3.25}, d.Rows())))
		if err != nil {
			t.Fatal(err)
		}
		out := *d
		out.X = x
		return &out
	}
	o := *b
	o.tune = with(b.tune) // tuning rows have the columns of the training rows
	d := with(b.data)
	predict(t, o.fit(t, d, 1), d.X)
}

func (b *battery) unseen(t *testing.T) {
	c, ok := b.data.X.Column("group")
	if !ok {
		t.Skip("the family reads no categories")
	}
	f := c.Field
	f.Levels = append(slices.Clone(f.Levels), "d")
	codes := slices.Clone(c.Codes())
	for i := 0; i < len(codes); i += 3 {
		codes[i] = 3
	}
	x, err := b.data.X.With(frame.CategoryColumn(f, codes))
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.fit(t, b.data, 1).Predict(t.Context(), x, nil)
	if err != nil {
		refused(t, "unseen level", err, diag.Invalid)
		return
	}
	for _, v := range p {
		if !(v >= 0 && v <= 1) {
			t.Fatalf("unseen level: got %g, want a number in [0, 1]", v)
		}
	}
}

func (b *battery) cancelling(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.try(ctx, b.data, 2)
	refused(t, "cancelled before the start", err, diag.Canceled)
	if _, err = b.fit(t, b.data, 1).Predict(ctx, b.data.X, nil); err == nil {
		t.Error("predict ignores a cancelled context")
	}

	big := Data(b.fam, b.o.CancelRows, b.o.CancelCols, "cancel")
	before := runtime.NumGoroutine()
	o := *b
	o.tune = Data(b.fam, 80, b.o.CancelCols, "cancel tune")
	// One second on a machine that is not doing something else: the best of three counts.
	late := 0
	for range 3 {
		if cancelled(t, &o, big) {
			break
		}
		late++
	}
	if late == 3 {
		t.Error("cancelling took more than a second, three times")
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Errorf("goroutines: got %d after cancelling, want at most %d", runtime.NumGoroutine(), before)
}

// cancelled fits big, cancels after 20 ms and reports whether the fit ended within a second.
func cancelled(t *testing.T, o *battery, big *model.Dataset) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := o.try(ctx, big, 2)
		done <- err
	}()
	<-time.After(20 * time.Millisecond)
	cancel()
	soon := true
	var err error
	select {
	case err = <-done:
	case <-time.After(time.Second):
		soon = false
		err = <-done
	}
	if err != nil {
		refused(t, "cancelled", err, diag.Canceled)
	}
	return soon
}
