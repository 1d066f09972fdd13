package agreement_test

import (
	"fmt"
	"testing"

	"dolor/agreement"
	"dolor/internal/golden"
)

const tol = 1e-8

func raters(t *testing.T) [][]float64 {
	t.Helper()
	in := golden.CSV(t, "stats/raters.csv")
	rows := make([][]float64, len(in["rater1"]))
	for j := 1; j <= 4; j++ {
		for i, v := range golden.Numbers(t, in[fmt.Sprint("rater", j)]) {
			rows[i] = append(rows[i], v)
		}
	}
	return rows
}

func TestAgreementMatchesReference(t *testing.T) {
	ref := golden.Load(t, "stats/tests.expected.json")
	rows := raters(t)
	c, err := agreement.NewICC(rows, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	r := ref.Get("icc")
	for k, v := range map[string]float64{
		"msr": c.MSR, "msc": c.MSC, "mse": c.MSE, "msw": c.MSW, "icc_1_1": c.Single1.Value, "icc_2_1": c.Single2.Value,
		"icc_3_1": c.Single3.Value, "icc_2_1_df_v": c.DF2, "icc_2_k": c.Average2.Value, "icc_3_k": c.Average3.Value,
	} {
		golden.Close(t, k, v, r.Get(k).Float(), tol)
	}
	for k, v := range map[string]agreement.Interval{"icc_1_1_ci": c.Single1, "icc_2_1_ci": c.Single2, "icc_3_1_ci": c.Single3} {
		golden.CloseAll(t, k, []float64{v.Lower, v.Upper}, r.Get(k).Floats(), tol)
	}
	var x, y []float64
	for _, v := range rows {
		x, y = append(x, v[0]), append(y, v[1])
	}
	b, err := agreement.BlandAltman(x, y, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	r = ref.Get("two_raters", "bland_altman")
	golden.Close(t, "bias", b.Bias, r.Get("bias").Float(), tol)
	golden.Close(t, "sd", b.SD, r.Get("sd").Float(), tol)
	golden.CloseAll(t, "limits", []float64{b.Lower, b.Upper}, r.Get("limits").Floats(), tol)
	l, err := agreement.LinCCC(x, y, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	golden.Close(t, "lin", l.Value, ref.Get("two_raters", "lin_ccc").Float(), tol)
	if !(l.Lower < l.Value && l.Value < l.Upper) {
		t.Errorf("limits %v do not hold the value", l)
	}
	r = ref.Get("kappa_table")
	var table [][]float64
	for i := range r.Get("rows").Len() {
		table = append(table, r.Get("rows", i).Floats())
	}
	for _, w := range []agreement.Weights{agreement.Unweighted, agreement.Linear, agreement.Quadratic} {
		k, err := agreement.Kappa(table, w, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		q := r.Get(string(w))
		golden.CloseAll(t, string(w), []float64{k.Value, k.SE, k.SENull},
			[]float64{q.Get("kappa").Float(), q.Get("se").Float(), q.Get("se_null").Float()}, tol)
	}
}

func TestBadRatingsAreRefused(t *testing.T) {
	for _, rows := range [][][]float64{nil, {{1, 2}}, {{1}, {2}}, {{1, 2}, {3}}} {
		if _, err := agreement.NewICC(rows, 0.95); err == nil {
			t.Errorf("%v was accepted", rows)
		}
	}
	if _, err := agreement.Kappa([][]float64{{1, 2}}, agreement.Unweighted, 0.95); err == nil {
		t.Error("a table that is not square was accepted")
	}
}

func ExampleKappa() {
	k, _ := agreement.Kappa([][]float64{{20, 5}, {10, 15}}, agreement.Unweighted, 0.95)
	fmt.Printf("%.2f\n", k.Value)
	// Output: 0.40
}
