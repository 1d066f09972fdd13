package treeshap_test

import (
	"fmt"
	"math"
	"os"
	"testing"

	"dolor/internal/golden"
	"dolor/internal/tree"
	"dolor/internal/treeshap"
	"dolor/internal/xgbfile"
)

// boosters are the reference models of shared/golden/ml and the way they are attributed here.
var boosters = []string{"exact", "hist", "exact-missing", "hist-breast"}

// TestAgainstXGBoost compares with pred_contribs, approx_contribs and pred_interactions of XGBoost
// 1.7.4: every algorithm, the rows explained, rows on split values and without any value, and
// the mean over all rows.
func TestAgainstXGBoost(t *testing.T) {
	for _, name := range boosters {
		for _, o := range algorithms {
			t.Run(fmt.Sprintf("%s/bytes=%d", name, o.Bytes), func(t *testing.T) { against(t, name, &o) })
		}
	}
}

func against(t *testing.T, name string, o *treeshap.Options) {
	t.Helper()
	want := golden.Load(t, "ml/xgb-"+name+".expected.json")
	raw, err := os.ReadFile(golden.Path(t, "ml/xgb-"+name+".model.json"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := xgbfile.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	e := &file.Ensemble
	all := csvTable(t, "ml/"+want.Get("data").Text(), e)
	x, err := treeshap.New(e, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, n := t.Context(), x.Columns()

	rows := want.Get("rows_explained").Floats()
	phi, base, err := x.PathDependent(ctx, all, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	approx, approxBase, err := x.Approximate(ctx, all, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	some := &tree.Table{Rows: len(rows)}
	for j := range n {
		c := tree.Column{}
		for _, r := range rows {
			c.Values = append(c.Values, all.Columns[j].Values[int(r)])
		}
		some.Columns = append(some.Columns, c)
	}
	pairs, _, err := x.Interactions(ctx, some, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		at := int(r) * n
		near(t, "contribs", append(clone(phi[at:at+n]), base), want.Get("contribs_last_is_bias_float32", i).Floats(), 1e-5)
		near(t, "approx", append(clone(approx[at:at+n]), approxBase), want.Get("approx_contribs_float32", i).Floats(), 1e-5)
		for a := range n {
			upper := want.Get("interactions_float32_upper_triangle_by_row", i, a).Floats()
			near(t, "interactions", pairs[(i*n+a)*n+a:(i*n+a)*n+n], upper[:n-a], 1e-5)
		}
	}
	mean := make([]float64, n)
	for i, v := range phi {
		mean[i%n] += math.Abs(v) / float64(all.Rows)
	}
	near(t, "mean", append(mean, math.Abs(base)), want.Get("contribs_all_rows_mean_abs_float32").Floats(), 1e-5)

	edges := want.Get("edge_rows")
	edge := &tree.Table{Rows: edges.Len()}
	for j := range n {
		c := tree.Column{}
		for i := range edges.Len() {
			c.Values = append(c.Values, float32(edges.Get(i, j).Float()))
		}
		edge.Columns = append(edge.Columns, c)
	}
	phi, base, err = x.PathDependent(ctx, edge, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range edge.Rows {
		row := phi[i*n:][:n]
		near(t, "edge contribs", append(clone(row), base), want.Get("edge_contribs_float32", i).Floats(), 1e-5)
		// The float32 margin of the file is met by settling.
		margin := want.Get("edge_margin_float32", i).Float()
		sum := treeshap.Settle(row, base, margin)
		for _, v := range row {
			sum += v
		}
		near(t, "edge margin", []float64{sum}, []float64{margin}, 1e-12)
	}
}

func clone(v []float64) []float64 { return append([]float64(nil), v...) }

// csvTable reads the ensemble's columns of a reference table.
func csvTable(t *testing.T, name string, e *tree.Ensemble) *tree.Table {
	t.Helper()
	cells := golden.CSV(t, name)
	out := &tree.Table{}
	for j := range e.Features {
		c := tree.Column{Name: e.Features[j].Name}
		for _, v := range golden.Numbers(t, cells[c.Name]) {
			c.Values = append(c.Values, float32(v))
		}
		out.Rows = len(c.Values)
		out.Columns = append(out.Columns, c)
	}
	return out
}
