package modeltest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"dolor/diag"
	"dolor/frame"
	"dolor/model"
	"dolor/rng"
)

func (b *battery) description(t *testing.T) {
	if b.fam.Name == "" || b.fam.Title == "" || len(b.fam.Needs) == 0 || len(b.fam.Cite) == 0 || b.fam.Load == nil {
		t.Error("the family lacks a name, title, kinds, citation or loader")
	}
	if err := b.fam.Default().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	// Hyperparameters survive JSON, the way protocols hold them.
	p := b.fam.Default()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	again := b.fam.Default()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(again); err != nil {
		t.Fatalf("defaults do not decode into Default(): %v", err)
	}
	raw2, err := json.Marshal(again)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw, raw2) {
		t.Errorf("hyperparameters changed through JSON: got %s, want %s", raw2, raw)
	}
	if b.fam.Space != nil {
		for k := range 50 {
			if err := b.fam.Space(rng.New(uint64(k))).Validate(); err != nil {
				t.Errorf("draw %d from the search space: %v", k, err)
			}
		}
	}
	if b.fam.Grid != nil {
		for k, p := range b.fam.Grid() {
			if err := p.Validate(); err != nil {
				t.Errorf("grid point %d: %v", k, err)
			}
		}
	}
}

func (b *battery) workers(t *testing.T) {
	one := b.fit(t, b.data, 1)
	want := bytesOf(t, one)
	for _, w := range []int{2, 7} {
		m := b.fit(t, b.data, w)
		if !bytes.Equal(bytesOf(t, m), want) {
			t.Errorf("%d workers save other bytes than one", w)
		}
		same(t, "predictions", predict(t, m, b.data.X), predict(t, one, b.data.X))
	}
}

func (b *battery) refit(t *testing.T) {
	l := b.o.Params().Learner()
	o := &model.FitOptions{Stream: rng.New(11), Workers: 1}
	if b.o.NeedsTune {
		o.Tune = b.tune
	}
	var saved [][]byte
	for range 2 {
		m, err := l.Fit(t.Context(), b.data, o)
		if err != nil {
			t.Fatal(err)
		}
		saved = append(saved, bytesOf(t, m))
	}
	if !bytes.Equal(saved[0], saved[1]) {
		t.Error("the same learner fitted twice on the same rows gives other bytes")
	}
}

func (b *battery) subset(t *testing.T) {
	m := b.fit(t, b.data, 1)
	all := predict(t, m, b.data.X)
	var rows []int
	var want []float64
	for i := b.data.Rows() - 1; i >= 0; i -= 3 {
		rows = append(rows, i)
		want = append(want, all[i])
	}
	same(t, "subset", predict(t, m, b.data.X.Take(rows)), want)
	// dst is used when it is long enough, and only its first values count.
	dst := make([]float64, len(all)+5)
	got, err := m.Predict(t.Context(), b.data.X, dst)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "into a longer slice", got, all)
	if &got[0] != &dst[0] {
		t.Error("a slice that is long enough was not used")
	}
}

func (b *battery) oneRow(t *testing.T) {
	m := b.fit(t, b.data, 1)
	all := predict(t, m, b.data.X)
	for i := range min(20, len(all)) {
		same(t, "one row", predict(t, m, b.data.X.Take([]int{i})), all[i:i+1])
	}
}

func (b *battery) byName(t *testing.T) {
	m := b.fit(t, b.data, 1)
	want := predict(t, m, b.data.X)
	names := b.data.X.Schema().Names()
	slices.Reverse(names)
	x, err := b.data.X.Select(names...)
	if err != nil {
		t.Fatal(err)
	}
	extra := make([]float64, x.Rows())
	x, err = x.With(frame.NumberColumn(frame.Field{Name: "unrelated"}, extra))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "other order and an extra column", predict(t, m, x), want)
	_, err = m.Predict(t.Context(), b.data.X.Without("x1", "x2"), nil)
	refused(t, "two columns missing", err, diag.Missing)
	for _, n := range []string{"x1", "x2"} {
		if err != nil && !strings.Contains(err.Error(), n) {
			t.Errorf("the error does not name %s: %v", n, err)
		}
	}
}

func (b *battery) concurrent(t *testing.T) {
	m := b.fit(t, b.data, 1)
	want := predict(t, m, b.data.X)
	var wg sync.WaitGroup
	got := make([][]float64, 4)
	for k := range got {
		wg.Go(func() {
			p, err := m.Predict(t.Context(), b.data.X, nil)
			if err == nil {
				got[k] = p
			}
		})
	}
	wg.Wait()
	for _, p := range got {
		same(t, "concurrent", p, want)
	}
}

func (b *battery) rowOrder(t *testing.T) {
	if b.o.OrderTol == 0 {
		t.Skip("the family does not claim that row order is immaterial")
	}
	rows := rng.New(4).Child("order").Rand().Perm(b.data.Rows())
	near(t, "reordered", predict(t, b.fit(t, b.data.Take(rows), 1), b.data.X), predict(t, b.fit(t, b.data, 1), b.data.X), b.o.OrderTol)
}

func (b *battery) saved(t *testing.T) {
	m := b.fit(t, b.data, 1)
	raw, err := m.AppendBinary([]byte("prefix"))
	if err != nil {
		t.Fatal(err)
	}
	raw, ok := bytes.CutPrefix(raw, []byte("prefix"))
	if !ok {
		t.Fatal("AppendBinary did not append")
	}
	again, err := b.fam.Load(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytesOf(t, again), raw) {
		t.Error("saved again, the bytes differ")
	}
	same(t, "loaded", predict(t, again, b.data.X), predict(t, m, b.data.X))
	if w, ok := m.(model.Warner); ok {
		if g := again.(model.Warner).Warnings(); !slices.Equal(g, w.Warnings()) {
			t.Errorf("warnings: got %v, want %v", g, w.Warnings())
		}
	}
}

// damaged loads cut and altered files: an error or a working model, never a panic.
func (b *battery) damaged(t *testing.T) {
	raw := bytesOf(t, b.fit(t, b.data, 1))
	step := max(1, len(raw)/97)
	for k := 0; k < len(raw); k += step {
		if _, err := b.fam.Load(raw[:k]); err == nil {
			t.Errorf("a file cut after %d of %d bytes was loaded", k, len(raw))
		}
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad := slices.Clone(raw)
			bad[k] ^= flip
			exercise(b.fam, bad)
		}
	}
	if _, err := b.fam.Load(append(slices.Clone(raw), raw...)); err == nil {
		t.Error("a file with bytes after its end was loaded")
	}
	_, err := b.fam.Load(nil)
	refused(t, "an empty file", err, diag.Invalid)
}
