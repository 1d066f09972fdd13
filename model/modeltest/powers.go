package modeltest

import (
	"context"
	"math"
	"testing"

	"dolor/diag"
	"dolor/model"
)

func (b *battery) attributions(t *testing.T) {
	m := b.fit(t, b.data, 1)
	a, ok := m.(model.Attributor)
	if !ok {
		t.Skip("the family gives no attributions")
	}
	phi, base, err := a.Attribute(t.Context(), b.data.X)
	if err != nil {
		t.Fatal(err)
	}
	if phi.Rows != b.data.Rows() || len(base) != phi.Rows || len(phi.Names) != phi.Cols {
		t.Fatalf("got [%d, %d] attributions, %d names and %d bases for %d rows", phi.Rows, phi.Cols, len(phi.Names), len(base), b.data.Rows())
	}
	var score []float64
	if b.o.Score != nil {
		if score, err = b.o.Score(t.Context(), m, b.data.X); err != nil {
			t.Fatal(err)
		}
	} else {
		for _, p := range predict(t, m, b.data.X) {
			score = append(score, math.Log(p)-math.Log1p(-p))
		}
	}
	sums := make([]float64, phi.Rows)
	for i := range sums {
		sums[i] = base[i]
		for _, v := range phi.Row(i) {
			sums[i] += v
		}
	}
	near(t, "attributions plus base", sums, score, b.o.AttributeTol)
}

func (b *battery) averaging(t *testing.T) {
	m := b.fit(t, b.data, 1)
	a, ok := m.(model.Averager)
	if !ok {
		t.Skip("the family cannot be averaged")
	}
	again, err := a.WithWeights(a.Weights())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "own weights", predict(t, again, b.data.X), predict(t, m, b.data.X))
	w := a.Weights()
	w[0] = math.NaN()
	_, err = a.WithWeights(w)
	refused(t, "a weight that is not a number", err, diag.Invalid)
	_, err = a.WithWeights(w[1:])
	refused(t, "too few weights", err, diag.Invalid)
	same(t, "after Weights was written to", predict(t, m, b.data.X), predict(t, again, b.data.X))
}

func (b *battery) equation(t *testing.T) {
	m := b.fit(t, b.data, 1)
	e, ok := m.(model.Equation)
	if !ok {
		t.Skip("the family has no equation")
	}
	terms := e.Terms()
	score := make([]float64, b.data.Rows())
	for _, term := range terms {
		c, ok := b.data.X.Column(term.Name)
		for i := range score {
			switch {
			case term.Name == "(intercept)":
				score[i] += term.Estimate
			case ok:
				score[i] += term.Estimate * c.Numbers()[i]
			default:
				t.Fatalf("term %s is neither a column nor the intercept", term.Name)
			}
		}
		if term.Lower > term.Estimate || term.Upper < term.Estimate {
			t.Errorf("%s: the interval does not hold the estimate", term.Name)
		}
	}
	p := make([]float64, len(score))
	for i, s := range score {
		p[i] = 1 / (1 + math.Exp(-s))
	}
	near(t, "probability from the equation", p, predict(t, m, b.data.X), 1e-12)
	if c := e.Covariance(); c != nil {
		if len(c) != len(terms)*len(terms) {
			t.Fatalf("covariance: got %d values, want %d", len(c), len(terms)*len(terms))
		}
		for a, term := range terms {
			if s := math.Sqrt(c[a*len(terms)+a]); math.Abs(s-term.SE) > 1e-12*s {
				t.Errorf("%s: standard error %g, from the covariance %g", term.Name, term.SE, s)
			}
		}
	}
}

// exercise loads b and, if that works, uses the model; only a panic is a failure.
func exercise(fam model.Family, b []byte) {
	m, err := fam.Load(b)
	if err != nil {
		return
	}
	d := Data(fam, 3, 6, "exercise")
	ctx := context.Background()
	_, _ = m.Predict(ctx, d.X, nil)
	_, _ = m.AppendBinary(nil)
	if a, ok := m.(model.Attributor); ok {
		_, _, _ = a.Attribute(ctx, d.X)
	}
	if e, ok := m.(model.Equation); ok {
		_, _ = e.Terms(), e.Covariance()
	}
}

// FuzzLoad feeds fam.Load with altered files: it must answer with an error or a model whose
// methods do not panic.
func FuzzLoad(f *testing.F, fam model.Family) {
	f.Helper()
	b := &battery{fam: fam, o: Options{Params: fam.Default}, data: Data(fam, 60, 6, "fuzz"), tune: Data(fam, 40, 6, "fuzz tune")}
	m, err := b.try(context.Background(), b.data, 1)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := m.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte("{}"))
	f.Add([]byte(nil))
	f.Fuzz(func(_ *testing.T, b []byte) { exercise(fam, b) })
}
