package sim_test

import (
	"math"
	"slices"
	"testing"

	"dolor/source/sim"
)

func auc(score []float64, y []bool) float64 {
	at := make([]int, len(score))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int {
		switch {
		case score[a] < score[b]:
			return -1
		case score[a] > score[b]:
			return 1
		}
		return 0
	})
	var sum, n1, n0 float64
	for i := 0; i < len(at); {
		j := i
		var ties1, ties0 float64
		for j < len(at) && score[at[j]] == score[at[i]] {
			if y[at[j]] {
				ties1++
			} else {
				ties0++
			}
			j++
		}
		sum += ties1 * (n0 + ties0/2)
		n1, n0 = n1+ties1, n0+ties0
		i = j
	}
	return sum / (n1 * n0)
}

// slope is the calibration slope of p: logistic regression of y on logit p by Newton's method.
func slope(p []float64, y []bool) float64 {
	a, b := 0.0, 1.0
	for range 25 {
		var g0, g1, h00, h01, h11 float64
		for i, v := range p {
			x := math.Log(v / (1 - v))
			q := 1 / (1 + math.Exp(-(a + b*x)))
			r := -q
			if y[i] {
				r++
			}
			w := q * (1 - q)
			g0, g1 = g0+r, g1+r*x
			h00, h01, h11 = h00+w, h01+w*x, h11+w*x*x
		}
		det := h00*h11 - h01*h01
		a, b = a+(h11*g0-h01*g1)/det, b+(h00*g1-h01*g0)/det
	}
	return b
}

func draw(t *testing.T, o sim.Options) []*sim.Patient {
	t.Helper()
	ps, err := sim.Draw(o)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func bayes(ps []*sim.Patient, s sim.Subset) (p []float64, y []bool) {
	p, y = make([]float64, len(ps)), make([]bool, len(ps))
	for i, x := range ps {
		p[i], y[i] = x.Posterior(s), x.Y
	}
	return p, y
}

const (
	clin = sim.Subset(1) << sim.Clinical
	img  = sim.Subset(1) << sim.Imaging
	gen  = sim.Subset(1) << sim.Genomic
	opi  = sim.Subset(1) << sim.Opioid
	pro  = sim.Subset(1) << sim.PRO
)

// TestBayesAUC compares with the table of the specification.
func TestBayesAUC(t *testing.T) {
	for _, c := range []struct {
		preset string
		want   map[sim.Subset]float64
	}{
		{"table4_deployed", map[sim.Subset]float64{
			clin: 0.741, clin | img: 0.830, clin | gen: 0.800, clin | opi: 0.821, clin | pro: 0.811,
			sim.All &^ pro: 0.898, sim.All: 0.920, img: 0.754, gen: 0.695, opi: 0.743, pro: 0.722,
		}},
		{"table6", map[sim.Subset]float64{sim.All: 0.795, clin: 0.657}},
	} {
		ps := draw(t, sim.Options{N: draws, Seed: 1, Preset: c.preset, Missing: "mcar"})
		for s, want := range c.want {
			p, y := bayes(ps, s)
			if got := auc(p, y); math.Abs(got-want) > aucTol {
				t.Errorf("%s %s: got %.4f, want %.3f", c.preset, s, got, want)
			}
		}
		p, y := bayes(ps, sim.All)
		if got := slope(p, y); math.Abs(got-1) > slopeTol {
			t.Errorf("%s: posterior slope %.3f, want 1", c.preset, got)
		}
	}
	ps := draw(t, sim.Options{N: draws, Seed: 2, Preset: "table4_complete", Missing: "none"})
	for s, want := range map[sim.Subset]float64{clin: 0.741, clin | img: 0.830, clin | gen: 0.800, clin | opi: 0.821, sim.All: 0.920, sim.All &^ pro: 0.897} {
		p, y := bayes(ps, s)
		if got := auc(p, y); math.Abs(got-want) > aucTol {
			t.Errorf("complete %s: got %.4f, want %.3f", s, got, want)
		}
	}
}

func TestNull(t *testing.T) {
	ps := draw(t, sim.Options{N: draws, Seed: 3, Preset: "null", Missing: "mcar"})
	p, _ := bayes(ps, sim.All&^clin)
	for i := range p {
		if math.Abs(p[i]-0.3859375) > 1e-12 {
			t.Fatalf("without effects: posterior %v, want the prevalence", p[i])
		}
	}
	all, y := bayes(ps, sim.All)
	if got := auc(all, y); got < 0.55 || got > 0.60 {
		t.Errorf("the group alone: AUC %.3f, want what Table 1 gives (0.55 to 0.60)", got)
	}
}

// TestMissingShares compares the shares observed with the source paper.
func TestMissingShares(t *testing.T) {
	ps := draw(t, sim.Options{N: 60000, Seed: 4})
	var n [sim.Domains]float64
	for _, p := range ps {
		for d := range sim.Domains {
			if p.Has.Has(d) {
				n[d]++
			}
		}
	}
	for d, want := range map[sim.Domain]float64{sim.Clinical: 1, sim.Imaging: 0.80, sim.Genomic: 0.68, sim.Opioid: 1, sim.PRO: 0.94} {
		if got := n[d] / float64(len(ps)); math.Abs(got-want) > 0.015 {
			t.Errorf("%s: observed in %.3f, want %.2f", d, got, want)
		}
	}
}

func TestExactCounts(t *testing.T) {
	ps := draw(t, sim.Options{N: 640, Seed: 5, Exact: true})
	var events int
	groups := make(map[int]int)
	for _, p := range ps {
		if p.Y {
			events++
		}
		groups[p.Group]++
	}
	if events != 247 || groups[0] != 154 || groups[1] != 132 || groups[2] != 126 || groups[3] != 118 || groups[4] != 110 {
		t.Errorf("got %d events and groups %v, want those of Table 1", events, groups)
	}
}

func TestPatientDependsOnSeedAndPlace(t *testing.T) {
	a, b := draw(t, sim.Options{N: 50, Seed: 7}), draw(t, sim.Options{N: 80, Seed: 7})
	for i := range a {
		if a[i].Posterior(sim.All) != b[i].Posterior(sim.All) || a[i].Y != b[i].Y {
			t.Fatalf("patient %d differs with the size of the cohort", i)
		}
	}
}

func TestItemsStayExact(t *testing.T) {
	ps := draw(t, sim.Options{N: 60000, Seed: 8, Missing: "mcar", Items: 0.2})
	p, y := bayes(ps, sim.All)
	if got := slope(p, y); math.Abs(got-1) > 0.04 {
		t.Errorf("slope with missing items: %.3f, want 1", got)
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []sim.Options{{N: 0}, {N: 1, Preset: "x"}, {N: 1, Missing: "x"}, {N: 1, SiteEffect: "x"}, {N: 1, Items: 1}} {
		if _, err := sim.Draw(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
