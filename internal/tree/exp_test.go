package tree_test

import (
	"math"
	"math/big"
	"testing"

	"dolor/internal/tree"
	"dolor/rng"
)

// bigExp is e^x to about 190 bits, by halving and the series.
func bigExp(x float64) *big.Float {
	const prec = 256
	const halvings = 24
	v := new(big.Float).SetPrec(prec).SetFloat64(x)
	v.SetMantExp(v, -halvings)
	sum := new(big.Float).SetPrec(prec).SetInt64(1)
	term := new(big.Float).SetPrec(prec).SetInt64(1)
	for i := int64(1); i < 40; i++ {
		term.Mul(term, v)
		term.Quo(term, new(big.Float).SetPrec(prec).SetInt64(i))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

func TestExpWithinOneUlp(t *testing.T) {
	r := rng.New(3).Rand()
	worst := 0.0
	check := func(x float64) {
		want := bigExp(x)
		near, _ := want.Float64()
		got := tree.Exp(x)
		diff := new(big.Float).SetPrec(256).SetFloat64(got)
		diff.Sub(diff, want)
		d, _ := diff.Float64()
		ulp := math.Nextafter(near, math.Inf(1)) - near
		worst = max(worst, math.Abs(d)/ulp)
	}
	for range 3000 {
		check(708 + 1.78*r.Float64())
		check(r.Float64()*1416 - 708)
		check(r.NormFloat64())
		check(r.NormFloat64() * 1e-9)
	}
	for _, x := range []float64{0, 1, -1, 709, 709.5, 709.78, -708.3, math.Ln2 / 64, -math.Ln2 / 64} {
		check(x)
	}
	t.Logf("worst error %.4f ulp", worst)
	if worst > 0.55 {
		t.Errorf("error %v ulp", worst)
	}
}

func TestExpEdges(t *testing.T) {
	for _, tt := range []struct{ x, want float64 }{
		{math.Inf(1), math.Inf(1)},
		{math.Inf(-1), 0},
		{1e308, math.Inf(1)},
		{-1e308, 0},
		{709.9, math.Inf(1)},
		{-709, 0},
		{0, 1},
		{math.Copysign(0, -1), 1},
	} {
		if got := tree.Exp(tt.x); got != tt.want {
			t.Errorf("Exp(%v) = %v, want %v", tt.x, got, tt.want)
		}
	}
	if got := tree.Exp(math.NaN()); got == got {
		t.Errorf("Exp(NaN) = %v", got)
	}
	if got := tree.Sigmoid(math.Inf(-1)); got != 0 {
		t.Errorf("Sigmoid(-Inf) = %v", got)
	}
	if got := tree.Sigmoid(0); got != 0.5 {
		t.Errorf("Sigmoid(0) = %v", got)
	}
}

func TestLogLossGradient(t *testing.T) {
	g, h := tree.LogLossGradient(0, 1, 2)
	if g != -1 || h != 0.5 {
		t.Errorf("got %v, %v, want -1, 0.5", g, h)
	}
	if _, h := tree.LogLossGradient(800, 1, 1); h != 1e-16 {
		t.Errorf("curvature of a certain row: got %v, want 1e-16", h)
	}
}

func BenchmarkLogLossGradient(b *testing.B) {
	r := rng.New(1).Rand()
	x := make([]float64, 1024)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	s := 0.0
	for i := 0; b.Loop(); i++ {
		g, h := tree.LogLossGradient(x[i&1023], 1, 1)
		s += g + h
	}
	_ = s
}
