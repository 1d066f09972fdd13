package hypo_test

import (
	"fmt"
	"testing"

	"dolor/internal/golden"
	"dolor/internal/hypo"
)

const tol = 1e-8

func TestTablesMatchReference(t *testing.T) {
	tables := golden.Load(t, "stats/tests.expected.json").Get("tables")
	for i := range tables.Len() {
		r := tables.Get(i)
		var rows [][]float64
		for j := range r.Get("rows").Len() {
			rows = append(rows, r.Get("rows", j).Floats())
		}
		c := hypo.ChiSquareTest(rows)
		got := map[string]float64{
			"chisq": c.Statistic, "df": c.DF, "p": c.P, "cramers_v": c.CramersV, "chisq_yates": c.Yates.Statistic,
			"p_yates": c.Yates.P, "fisher_p": hypo.FisherTable(rows),
		}
		if r.Has("fisher_or_ci") {
			f := hypo.FisherTest(rows[0][0], rows[0][1], rows[1][0], rows[1][1], 0.95)
			got["fisher_conditional_or"], got["fisher_p_less"], got["fisher_p_greater"] = f.OddsRatio, f.Less, f.Greater
			golden.CloseAll(t, fmt.Sprint(i, " fisher ci"), []float64{f.Lower, f.Upper}, r.Get("fisher_or_ci").Floats(), tol)
			golden.Close(t, fmt.Sprint(i, " fisher p of 2 x 2"), f.P, r.Get("fisher_p").Float(), tol)
		}
		for k, v := range got {
			if r.Has(k) {
				golden.Close(t, fmt.Sprint(i, " ", k), v, r.Get(k).Float(), tol)
			}
		}
		for j := range rows {
			golden.CloseAll(t, "expected", c.Expected[j], r.Get("expected", j).Floats(), tol)
		}
	}
}

func TestVectorsMatchReference(t *testing.T) {
	ref := golden.Load(t, "stats/tests.expected.json")
	in := golden.CSV(t, "stats/vectors.csv")
	col := map[string][]float64{}
	group := map[string]map[string][]float64{}
	for _, k := range []string{"x", "z", "w"} {
		col[k] = golden.Numbers(t, in[k])
		group[k] = map[string][]float64{}
		for i, v := range col[k] {
			group[k][in["g"][i]] = append(group[k][in["g"][i]], v)
		}
	}
	mw := func(name string, x, y []float64) {
		t.Helper()
		r, w := ref.Get("mann_whitney", name), hypo.MannWhitneyTest(x, y)
		for k, v := range map[string]float64{"u": w.U, "p_normal": w.P, "p_normal_continuity": w.PCorr, "p_exact": w.PExact, "z_normal": w.Z} {
			if r.Has(k) {
				golden.Close(t, name+" "+k, v, r.Get(k).Float(), tol)
			}
		}
	}
	mw("x_no_ties_g0_g1", group["x"]["0"], group["x"]["1"])
	mw("z_ties_g0_g1", group["z"]["0"], group["z"]["1"])
	small := ref.Get("mann_whitney", "small_exact")
	mw("small_exact", small.Get("u_values").Floats(), small.Get("v_values").Floats())
	for _, k := range []string{"x", "z"} {
		h, r := hypo.KruskalWallis(group[k]["0"], group[k]["1"], group[k]["2"]), ref.Get("kruskal_wallis", k)
		golden.CloseAll(t, "kruskal "+k, []float64{h.Statistic, h.DF, h.P},
			[]float64{r.Get("h").Float(), r.Get("df").Float(), r.Get("p").Float()}, tol)
	}
	for _, k := range []string{"x_z", "z_w", "x_w"} {
		x, y, r := col[k[:1]], col[k[2:]], ref.Get("correlation", k)
		p, s, tau := hypo.Pearson(x, y, 0.95), hypo.Spearman(x, y), hypo.Kendall(x, y)
		for key, v := range map[string]float64{
			"pearson": p.R, "pearson_p": p.P, "spearman_rho": s.R, "spearman_p_t": s.P,
			"kendall_tau_b": tau.R, "kendall_z": tau.Statistic, "kendall_p_normal": tau.P,
		} {
			golden.Close(t, k+" "+key, v, r.Get(key).Float(), tol)
		}
		golden.CloseAll(t, k+" ci", []float64{p.Lower, p.Upper}, r.Get("pearson_ci_fisher").Floats(), tol)
	}
	w, r := hypo.Welch(group["x"]["0"], group["x"]["1"], 0.95), ref.Get("welch_t_x_g0_g1")
	golden.CloseAll(t, "welch", []float64{w.T, w.DF, w.P}, []float64{r.Get("t").Float(), r.Get("df").Float(), r.Get("p").Float()}, tol)
	golden.CloseAll(t, "welch ci", []float64{w.Lower, w.Upper}, r.Get("ci").Floats(), tol)

	ks := func(name string, x, y []float64) {
		t.Helper()
		k, r := hypo.KSTest(x, y), ref.Get("ks", name)
		golden.Close(t, name+" d", k.D, r.Get("d").Float(), tol)
		golden.Close(t, name+" p", k.PAsymptotic, r.Get("p_asymptotic").Float(), tol)
		golden.Close(t, name+" p as R", k.PAsymptotic, r.Get("p_asymptotic_r").Float(), 1e-6)
		if r.Has("p_exact") {
			golden.Close(t, name+" exact", k.PExact, r.Get("p_exact").Float(), tol)
		}
	}
	ks("x_g0_g1", group["x"]["0"], group["x"]["1"])
	drift := golden.CSV(t, "stats/drift.csv")
	part := map[string][]float64{}
	for i, v := range golden.Numbers(t, drift["p"]) {
		part[drift["sample"][i]] = append(part[drift["sample"][i]], v)
	}
	ks("drift", part["reference"], part["current"])
	for _, k := range []string{"psi_reference_deciles", "psi_equal_width"} {
		r := ref.Get(k)
		p := hypo.PSIOf(part["reference"], part["current"], r.Get("inner_edges").Floats())
		golden.Close(t, k, p.Value, r.Get("psi").Float(), tol)
		golden.CloseAll(t, k+" reference", floored(p.Reference), r.Get("reference").Floats(), tol)
		golden.CloseAll(t, k+" current", floored(p.Current), r.Get("current").Floats(), tol)
	}
	adj := ref.Get("adjusted_p")
	for k, f := range map[string]func([]float64) []float64{
		"holm": hypo.Holm, "bh": hypo.BenjaminiHochberg, "bonferroni": hypo.Bonferroni, "hochberg": hypo.Hochberg, "by": hypo.BenjaminiYekutieli,
	} {
		golden.CloseAll(t, k, f(adj.Get("p").Floats()), adj.Get(k).Floats(), tol)
	}
}

// floored are shares as they enter the index.
func floored(x []float64) []float64 {
	for i := range x {
		x[i] = max(x[i], 1e-4)
	}
	return x
}
