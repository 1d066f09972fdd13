package boot_test

import (
	"context"
	"math"
	"slices"
	"strconv"
	"testing"

	"dolor/internal/boot"
	"dolor/internal/glm"
	"dolor/internal/golden"
	"dolor/metric"
	"dolor/rng"
)

func aucOf(tb testing.TB, y []bool, p []float64) float64 {
	tb.Helper()
	s, err := metric.NewSorted(metric.Data{Y: y, P: p})
	if err != nil {
		tb.Fatal(err)
	}
	return s.DeLong().AUC
}

func brierOf(y []bool, p []float64) float64 {
	s := 0.0
	for i, v := range p {
		d := v
		if y[i] {
			d--
		}
		s += d * d
	}
	return s / float64(len(p))
}

func pick[T any](x []T, rows []int) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = x[r]
	}
	return out
}

func load(t *testing.T) (y []bool, p []float64, x [][]float64, resamples [][]int) {
	t.Helper()
	in := golden.CSV(t, "stats/bootstrap.csv")
	for _, v := range in["y"] {
		y = append(y, v == "1")
	}
	p = golden.Numbers(t, in["p"])
	x1, x2, x3 := golden.Numbers(t, in["x1"]), golden.Numbers(t, in["x2"]), golden.Numbers(t, in["x3"])
	for i := range y {
		x = append(x, []float64{1, x1[i], x2[i], x3[i]})
	}
	idx := golden.CSV(t, "stats/bootstrap-indices.csv")
	names := make([]string, 0, len(idx))
	for k := range idx {
		names = append(names, k)
	}
	// Columns are numbered; the order within a resample does not matter.
	slices.Sort(names)
	for i := range idx[names[0]] {
		rows := make([]int, 0, len(names))
		for _, k := range names {
			v, err := strconv.Atoi(idx[k][i])
			if err != nil {
				continue
			}
			rows = append(rows, v)
		}
		resamples = append(resamples, rows)
	}
	return y, p, x, resamples
}

func TestIntervalsMatchReference(t *testing.T) {
	ref := golden.Load(t, "stats/bootstrap.expected.json").Get("intervals")
	for _, name := range ref.Keys() {
		r := ref.Get(name)
		t0, reps := r.Get("t0").Float(), r.Get("t").Floats()
		near := func(key string, got float64) {
			t.Helper()
			golden.Close(t, name+" "+key, got, r.Get(key).Float(), 1e-9)
		}
		bias, se := boot.Moments(t0, reps)
		near("bias", bias)
		near("se", se)
		near("z0", boot.Bias(t0, reps, false))
		near("z0_with_half_ties", boot.Bias(t0, reps, true))
		a := boot.Acceleration(boot.JackknifeInfluence(t0, r.Get("jackknife").Floats()))
		near("acceleration", a)
		if r.Has("bca_adjusted_alpha_95") {
			lo, hi := boot.Adjusted(boot.Bias(t0, reps, false), a, 0.95)
			golden.CloseAll(t, "alpha", []float64{lo, hi}, r.Get("bca_adjusted_alpha_95").Floats(), 1e-9)
		}
		for _, ci := range []string{"ci95", "ci90"} {
			q := r.Get(ci)
			level := q.Get("conf").Float()
			check := func(key string, lo, hi float64) {
				t.Helper()
				golden.CloseAll(t, name+" "+ci+" "+key, []float64{lo, hi}, q.Get(key).Floats(), 1e-9)
			}
			lo, hi := boot.Normal(t0, reps, level)
			check("normal", lo, hi)
			lo, hi = boot.Basic(t0, reps, level)
			check("basic", lo, hi)
			lo, hi = boot.Percentile(reps, level)
			check("percentile", lo, hi)
			lo, hi = boot.BCa(t0, reps, a, level)
			check("bca", lo, hi)
		}
	}
}

func TestRefitsMatchReference(t *testing.T) {
	ref := golden.Load(t, "stats/bootstrap.expected.json")
	y, p, x, resamples := load(t)
	const tol = 1e-7
	var auc, brier []float64
	for _, rows := range resamples {
		auc = append(auc, aucOf(t, pick(y, rows), pick(p, rows)))
		brier = append(brier, brierOf(pick(y, rows), pick(p, rows)))
	}
	golden.CloseAll(t, "auc t", auc, ref.Get("intervals", "auc", "t").Floats(), 1e-9)
	golden.CloseAll(t, "brier t", brier, ref.Get("intervals", "brier", "t").Floats(), 1e-9)

	fit := func(rows []int, cols [][]float64) []float64 {
		pr := glm.Problem{Rows: len(rows), Cols: len(cols[0])}
		for _, r := range rows {
			pr.X = append(pr.X, cols[r]...)
			v := 0.0
			if y[r] {
				v = 1
			}
			pr.Y = append(pr.Y, v)
		}
		f, err := glm.Logistic(pr, nil)
		if err != nil {
			t.Fatal(err)
		}
		return f.Coef
	}
	predict := func(b []float64) (lin, prob []float64) {
		for _, r := range x {
			e := 0.0
			for j, v := range r {
				e += b[j] * v
			}
			lin, prob = append(lin, e), append(prob, glm.Expit(e))
		}
		return lin, prob
	}
	all := make([]int, len(y))
	for i := range all {
		all[i] = i
	}
	b0 := fit(all, x)
	_, p0 := predict(b0)
	golden.CloseAll(t, "coef", b0, ref.Get("optimism", "coef").Floats(), tol)
	inBoot, inOrig := map[string][]float64{}, map[string][]float64{}
	oobSum, oobN := make([]float64, len(y)), make([]float64, len(y))
	var brierOut, aucOut []float64
	for i, rows := range resamples {
		b := fit(rows, x)
		if i == 0 {
			golden.CloseAll(t, "first", b, ref.Get("optimism", "coef_first_resample").Floats(), tol)
		}
		lin, prob := predict(b)
		cols := make([][]float64, len(lin))
		for j, v := range lin {
			cols[j] = []float64{1, v}
		}
		c := fit(all, cols)
		add := func(k string, bootV, orig float64) {
			inBoot[k], inOrig[k] = append(inBoot[k], bootV), append(inOrig[k], orig)
		}
		add("auc", aucOf(t, pick(y, rows), pick(prob, rows)), aucOf(t, y, prob))
		add("brier", brierOf(pick(y, rows), pick(prob, rows)), brierOf(y, prob))
		add("slope", 1, c[1])
		add("intercept", 0, c[0])
		in := make([]bool, len(y))
		for _, r := range rows {
			in[r] = true
		}
		var out []int
		for j := range y {
			if !in[j] {
				out = append(out, j)
				oobSum[j] += brierOf(y[j:j+1], prob[j:j+1])
				oobN[j]++
			}
		}
		brierOut = append(brierOut, brierOf(pick(y, out), pick(prob, out)))
		aucOut = append(aucOut, aucOf(t, pick(y, out), pick(prob, out)))
	}
	for _, k := range []string{"auc", "brier", "slope", "intercept"} {
		c := boot.Optimism(ref.Get("optimism", "apparent", k).Float(), inBoot[k], inOrig[k])
		golden.Close(t, k+" optimism", c.Optimism, ref.Get("optimism", "optimism", k).Float(), tol)
		golden.Close(t, k+" corrected", c.Corrected, ref.Get("optimism", "corrected", k).Float(), tol)
	}
	mean := func(v []float64) float64 {
		s := 0.0
		for _, a := range v {
			s += a
		}
		return s / float64(len(v))
	}
	perPatient := make([]float64, len(y))
	for i := range y {
		perPatient[i] = oobSum[i] / oobN[i]
	}
	blend := func(what, e, plus string, app, oob, none float64) {
		t.Helper()
		r, b := ref.Get(what), boot.Point632(app, oob, none)
		golden.Close(t, what+" oob", oob, r.Get("out_of_bag").Float(), tol)
		golden.Close(t, what+" 632", b.E632, r.Get(e).Float(), tol)
		golden.Close(t, what+" overfitting", b.Overfitting, r.Get("relative_overfitting").Float(), tol)
		golden.Close(t, what+" weight", b.Weight, r.Get("weight").Float(), tol)
		golden.Close(t, what+" 632+", b.E632Plus, r.Get(plus).Float(), tol)
	}
	none := boot.NoInformationBrier(y, p0)
	golden.Close(t, "no information", none, ref.Get("brier_632_by_patient", "no_information").Float(), tol)
	blend("brier_632_by_patient", "e632", "e632plus", brierOf(y, p0), mean(perPatient), none)
	blend("brier_632_by_resample", "e632", "e632plus", brierOf(y, p0), mean(brierOut), none)
	blend("auc_632", "auc632", "auc632plus", aucOf(t, y, p0), mean(aucOut), 0.5)
}

func TestWorkersDoNotMatterAndClustersStayWhole(t *testing.T) {
	p := boot.Plan{N: 30, Stratum: make([]int, 30), Cluster: make([]int, 30)}
	for i := range 30 {
		p.Cluster[i], p.Stratum[i] = i/3, i/15
	}
	stat := func(rows []int) float64 {
		n := map[int]int{}
		low := 0
		for _, r := range rows {
			n[r]++
			if r < 15 {
				low++
			}
		}
		for r, k := range n {
			if n[r/3*3] != k {
				t.Errorf("cluster of row %d was split", r)
			}
		}
		if low != 15 {
			t.Errorf("got %d rows of the first stratum, want 15", low)
		}
		s := 0.0
		for i, r := range rows {
			s += float64(r) * math.Sin(float64(i))
		}
		return s
	}
	var first []float64
	for _, w := range []int{1, 2, 7} {
		got, err := boot.Run(context.Background(), p, 50, w, rng.New(3), stat)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !slices.Equal(got, first) {
			t.Errorf("%d workers: other replicates", w)
		}
	}
	if _, err := boot.Run(context.Background(), boot.Plan{N: 3, Cluster: []int{1}}, 1, 1, rng.New(1), stat); err == nil {
		t.Error("a short cluster column was accepted")
	}
}
