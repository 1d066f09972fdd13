package figure_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"dolor/assess"
	"dolor/explain"
	"dolor/figure"
	"dolor/frame"
	"dolor/internal/golden"
	"dolor/rng"
)

const longName = "Number of breakthrough episodes in the seven days before time zero, as counted by the patient"

// attributions are those of a score in which the first predictor counts more where the second is high.
func attributions(t testing.TB, n int) (*explain.Attributions, *frame.Frame) {
	t.Helper()
	random := rng.New(5).Child("figures").Rand()
	a, b := make([]float64, n), make([]float64, n)
	c := make([]int32, n)
	out := &explain.Attributions{Phi: frame.NewMatrix(n, 13), Base: make([]float64, n)}
	out.About = explain.About{Scale: explain.LogOdds, Calibration: "beta", Background: "the 512 training rows, path-dependent", Averaging: "none, one model"}
	out.Phi.Names = []string{longName, "albumin", "site", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"}
	for i := range n {
		a[i], b[i], c[i] = 5+3*random.NormFloat64(), 40+5*random.NormFloat64(), int32(random.IntN(7))-1
		if random.IntN(10) == 0 {
			a[i] = math.NaN()
		}
		row := out.Phi.Row(i)
		out.Base[i] = -1.2
		if row[0] = 0.1; a[i] == a[i] {
			row[0] = (a[i] - 5) * (0.2 + 0.02*(b[i]-40))
		}
		row[1], row[2] = -0.06*(b[i]-40), 0.3*float64(c[i]%3)-0.2
		for j := 3; j < 13; j++ {
			row[j] = 0.2 * random.NormFloat64() / float64(j)
		}
	}
	x, err := frame.New(n,
		frame.NumberColumn(frame.Field{Name: longName, Unit: "episodes"}, a), frame.NumberColumn(frame.Field{Name: "albumin", Unit: "g/L"}, b),
		frame.CategoryColumn(frame.Field{Name: "site", Levels: []string{"breast", "lung", "pancreas and bile ducts, or unknown primary", "bone", "kidney", "other"}}, c))
	if err != nil {
		t.Fatal(err)
	}
	return out, x
}

// drawn are the figures of package explain's results, by name of their golden file.
func drawn(t testing.TB) map[string]figure.Figure {
	t.Helper()
	a, x := attributions(t, 240)
	w, err := a.Waterfall(x, 3, "4", 0.31)
	if err != nil {
		t.Fatal(err)
	}
	share := *w
	share.Scale, share.Calibration, share.Base, share.Score = explain.Probability, "none", 0.3, 0.3
	share.Parts = []explain.Part{{Predictor: "age", Value: "61 years", Phi: 0.11}, {Predictor: "sex", Value: "missing", Phi: -0.04}}
	share.Score += 0.07
	plot := func(name string, p *explain.Partner) figure.Figure {
		d, err := a.DependencePlot(x, name, p)
		if err != nil {
			t.Fatal(err)
		}
		return figure.Dependence(d)
	}
	s, err := explain.Summarise(context.Background(), &explain.Table{About: a.About, Phi: a.Phi, Base: a.Base, X: x}, &explain.SummaryOptions{Replicates: 50})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]figure.Figure{
		"waterfall":           figure.Waterfall(w),
		"waterfall-share":     figure.Waterfall(&share),
		"dependence":          plot(longName, &explain.Partner{Predictor: "albumin", Strength: 0.21, Method: explain.InteractionValue}),
		"dependence-levels":   plot("site", &explain.Partner{Predictor: longName, Strength: 0.31, Method: explain.ResidualAssociation}),
		"dependence-by-level": plot("albumin", &explain.Partner{Predictor: "site", Strength: 0.1, Method: explain.InteractionValue}),
		"dependence-alone":    plot("albumin", nil),
		"beeswarm-long":       figure.Beeswarm(s),
		"importance-long":     figure.Importance(s),
	}
}

func TestGoldenAttributions(t *testing.T) {
	for name, f := range drawn(t) {
		for suffix, d := range map[string]*figure.Drawing{"wide": f.Wide, "narrow": f.Narrow} {
			var b bytes.Buffer
			if err := d.WriteSVG(&b); err != nil {
				t.Fatal(err)
			}
			golden.File(t, name+"-"+suffix+".svg.golden", b.Bytes())
			checkSVG(t, name+" "+suffix, b.Bytes(), d)
			for _, fact := range []string{"Scale: ", "Background: ", "Averaging: "} {
				if !strings.Contains(b.String(), fact) {
					t.Errorf("%s %s does not state its %s", name, suffix, strings.ToLower(fact))
				}
			}
		}
	}
}

func TestAttributionsInEveryFormat(t *testing.T) {
	for name, f := range drawn(t) {
		var a, b bytes.Buffer
		for _, w := range []*bytes.Buffer{&a, &b} {
			if err := f.Wide.WritePNG(w); err != nil {
				t.Fatal(err)
			}
			if err := f.Wide.WritePDF(w); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: two drawings differ", name)
		}
	}
}

// TestAttributionTitles: a title claims a leader only where the resamples agree on one.
func TestAttributionTitles(t *testing.T) {
	swarm := &explain.Swarm{Step: 1, Rows: []explain.SwarmRow{{Predictor: "a"}, {Predictor: "b"}}}
	for _, c := range []struct {
		upper explain.Num
		want  string
	}{{1, "a weighs most"}, {2, "a and b weigh most; which of them leads is not settled"}} {
		s := &explain.Summary{Swarm: swarm, Predictors: []explain.Importance{{Predictor: "a", MeanAbs: 2, RankLower: 1, RankUpper: c.upper}, {Predictor: "b", MeanAbs: 1, RankLower: 3 - c.upper, RankUpper: 2}}}
		if got := figure.Beeswarm(s).Title; got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	r := &assess.Results{Primary: "gbm", Attributions: []explain.Summary{{Family: "gbm", Validation: "internal", Note: "no trees"}}}
	for _, e := range figure.All() {
		if e.Name != "beeswarm" && e.Name != "importance" {
			continue
		}
		if f := e.Draw(r)[0]; f.Empty != "no trees" || f.Name != e.Name+"-internal" {
			t.Errorf("%s: %q, %q: a family without attributions must say why", e.Name, f.Name, f.Empty)
		}
	}
}
