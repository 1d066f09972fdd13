package preprocess_test

import (
	"cmp"
	"encoding/json"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"testing"

	"dolor/frame"
	"dolor/internal/golden"
	"dolor/preprocess"
	"dolor/rng"
)

// readMixed makes a frame of a reference table; levels come in order of appearance, which is
// not the order they must be learnt in.
func readMixed(t *testing.T, name string, columns ...string) *frame.Frame {
	t.Helper()
	csv := golden.CSV(t, name)
	numbers := []string{"age", "pain", "crp", "dose"}
	var cols []frame.Column
	for _, n := range columns {
		f := frame.Field{Name: n, Modality: frame.Clinical}
		if slices.Contains(numbers, n) {
			cols = append(cols, frame.NumberColumn(f, golden.Numbers(t, csv[n])))
			continue
		}
		codes := make([]int32, len(csv[n]))
		for i, cell := range csv[n] {
			codes[i] = -1
			if cell == "" {
				continue
			}
			k := slices.Index(f.Levels, cell)
			if k < 0 {
				k = len(f.Levels)
				f.Levels = append(f.Levels, cell)
			}
			codes[i] = int32(k)
		}
		cols = append(cols, frame.CategoryColumn(f, codes))
	}
	fr, err := frame.New(cols[0].Len(), cols...)
	if err != nil {
		t.Fatal(err)
	}
	return fr
}

func TestStepsAgreeWithScikitLearn(t *testing.T) {
	num := []string{"age", "pain", "crp", "dose"}
	cat := []string{"sex", "site", "stage"}
	impute := func(number string, indicator bool) *preprocess.Impute {
		s := preprocess.DefaultImpute()
		s.Number, s.Indicator = number, indicator
		return s
	}
	knn := preprocess.DefaultImputeKNN()
	knn.Indicator = false
	chained := preprocess.DefaultImputeChained()
	chained.Indicator = false
	tests := []struct {
		key   string
		cols  []string
		chain preprocess.Chain
		names []string
		tol   float64
	}{
		{
			"impute_median_indicator", num,
			preprocess.Chain{{Name: "impute", Step: impute("median", true)}},
			[]string{"age", "pain", "crp", "dose", "age:missing", "pain:missing", "crp:missing"},
			1e-10,
		},
		{"impute_mean", num, preprocess.Chain{{Name: "impute", Step: impute("mean", false)}}, num, 1e-10},
		{"standard_scaler_missing_pass_through", num, preprocess.Chain{{Name: "standardise", Step: &preprocess.Standardise{}}}, num, 1e-10},
		{"robust_scaler", num, preprocess.Chain{{Name: "robust", Step: &preprocess.Robust{}}}, num, 1e-10},
		{"min_max_scaler", num, preprocess.Chain{{Name: "min_max", Step: &preprocess.MinMax{}}}, num, 1e-10},
		{"yeo_johnson", num, preprocess.Chain{{Name: "yeo_johnson", Step: preprocess.DefaultYeoJohnson()}}, num, 1e-5},
		{"knn_imputer_5", num, preprocess.Chain{{Name: "impute_knn", Step: knn}}, num, 1e-10},
		{"iterative_imputer_bayesian_ridge", num, preprocess.Chain{{Name: "impute_chained", Step: chained}}, num, 1e-3},
		{"impute_median_then_standardise", num, preprocess.Chain{{Name: "impute", Step: impute("median", false)}, {Name: "standardise", Step: &preprocess.Standardise{}}}, num, 1e-10},
		{
			"one_hot_ignore_unknown", cat,
			preprocess.Chain{{Name: "one_hot", Step: &preprocess.OneHot{Drop: "none", Unknown: "zero", Missing: "level"}}},
			[]string{
				"sex=F", "sex=M", "sex:missing", "site=breast", "site=lung", "site=pancreas", "site=prostate", "site:missing",
				"stage=I", "stage=II", "stage=III", "stage=IV", "stage:missing",
			},
			0,
		},
		{
			"one_hot_drop_first", cat,
			preprocess.Chain{{Name: "one_hot", Step: preprocess.DefaultOneHot()}},
			[]string{
				"sex=M", "sex:missing", "site=lung", "site=pancreas", "site=prostate", "site:missing",
				"stage=II", "stage=III", "stage=IV", "stage:missing",
			},
			0,
		},
		{
			"one_hot_infrequent", cat,
			preprocess.Chain{{Name: "one_hot", Step: &preprocess.OneHot{Drop: "none", Unknown: "other", Missing: "level", MinCount: 8}}},
			[]string{
				"sex=F", "sex=M", "sex=other", "site=breast", "site=lung", "site:missing", "site=other",
				"stage=I", "stage=II", "stage=III", "stage=IV", "stage=other",
			},
			0,
		},
		{"ordinal_unknown_-1_missing_-2", cat, preprocess.Chain{{Name: "ordinal", Step: &preprocess.Ordinal{UnknownValue: new(-1.0), MissingValue: new(-2.0)}}}, cat, 0},
	}
	ref := golden.Load(t, "ml/preprocess.expected.json").Get("steps")
	if got, want := len(tests), len(ref.Keys()); got != want {
		t.Errorf("%d steps compared, the reference has %d", got, want)
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			train := readMixed(t, "ml/mixed-train.csv", tt.cols...)
			test := readMixed(t, "ml/mixed-test.csv", tt.cols...)
			fitted, out, err := tt.chain.FitApply(t.Context(), train, nil, rng.New(1))
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(fitted)
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := preprocess.LoadChain(b)
			if err != nil {
				t.Fatal(err)
			}
			outTest, err := loaded.Apply(t.Context(), test)
			if err != nil {
				t.Fatal(err)
			}
			names := tt.names
			if ref.Get(tt.key).Has("columns_out") && len(names) != ref.Get(tt.key, "columns_out").Len() {
				t.Fatalf("got %d columns, want %d", len(names), ref.Get(tt.key, "columns_out").Len())
			}
			alsoRight := func(*frame.Frame, int, int, float64) bool { return false }
			if tt.key == "knn_imputer_5" {
				alsoRight = func(in *frame.Frame, i, j int, want float64) bool { return tiedDonors(train, in, i, j, 5, want) }
			}
			compare(t, "train", train, out, ref.Get(tt.key, "train"), names, tt.tol, alsoRight)
			compare(t, "test", test, outTest, ref.Get(tt.key, "test"), names, tt.tol, alsoRight)
			if got := fitted.Output(); len(got) != out.Cols() {
				t.Errorf("output schema has %d columns, the frame %d", len(got), out.Cols())
			}
		})
	}
}

// tiedDonors reports whether want is the mean over the strictly nearest donors of in's cell
// (i, j) and some choice among those tied at the k-th distance: where donors tie, the
// reference takes whichever its partial sort leaves in place.
func tiedDonors(train, in *frame.Frame, i, j, k int, want float64) bool {
	type donor struct{ d, v float64 }
	var ds []donor
	for r := range train.Rows() {
		v := train.At(j).Numbers()[r]
		s, n := 0.0, 0.0
		for c := range in.Cols() {
			if d := in.At(c).Numbers()[i] - train.At(c).Numbers()[r]; !math.IsNaN(d) {
				s, n = s+d*d, n+1
			}
		}
		if n > 0 && !math.IsNaN(v) {
			ds = append(ds, donor{s / n, v})
		}
	}
	slices.SortFunc(ds, func(a, b donor) int { return cmp.Compare(a.d, b.d) })
	far, sum, near := ds[k-1].d, 0.0, 0
	var tied []float64
	for _, d := range ds {
		switch {
		case d.d < far*(1-1e-12):
			sum, near = sum+d.v, near+1
		case d.d <= far*(1+1e-12):
			tied = append(tied, d.v)
		}
	}
	for set := range 1 << len(tied) {
		if bits.OnesCount(uint(set)) != k-near {
			continue
		}
		s := sum
		for b, v := range tied {
			if set>>b&1 == 1 {
				s += v
			}
		}
		if math.Abs(s/float64(k)-want) < 1e-10 {
			return len(tied) > k-near
		}
	}
	return false
}

func compare(t *testing.T, what string, in, got *frame.Frame, want golden.Value, names []string, tol float64, alsoRight func(*frame.Frame, int, int, float64) bool) {
	t.Helper()
	if got.Cols() != len(names) || got.Rows() != want.Len() {
		t.Fatalf("%s: got %d rows of %v, want %d of %v", what, got.Rows(), got.Schema().Names(), want.Len(), names)
	}
	for j, n := range names {
		c, ok := got.Column(n)
		if !ok {
			t.Fatalf("%s: no column %s in %v", what, n, got.Schema().Names())
		}
		for i, v := range c.Numbers() {
			w := want.Get(i, j).Float()
			if math.IsNaN(v) != math.IsNaN(w) {
				t.Fatalf("%s: %s row %d: got %v, want %v", what, n, i, v, w)
			}
			if math.Abs(v-w) > tol && alsoRight(in, i, j, w) {
				continue
			}
			golden.Close(t, what+" "+n+" row "+strconv.Itoa(i), v, w, tol)
		}
	}
}

func TestFittedValuesAgreeWithScikitLearn(t *testing.T) {
	ref := golden.Load(t, "ml/preprocess.expected.json").Get("steps")
	train := readMixed(t, "ml/mixed-train.csv", "age", "pain", "crp", "dose")
	type state struct {
		Columns []struct {
			Value, Lambda, Center, Scale float64
		} `json:"columns"`
	}
	fit := func(s preprocess.Step) state {
		tr, err := s.Fit(t.Context(), train, nil, rng.New(1))
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(tr)
		if err != nil {
			t.Fatal(err)
		}
		var st state
		if err := json.Unmarshal(b, &st); err != nil {
			t.Fatal(err)
		}
		return st
	}
	for j := range 4 {
		v := fit(preprocess.DefaultImpute()).Columns[j]
		golden.Close(t, "median", v.Value, ref.Get("impute_median_indicator", "fitted", "statistics_", j).Float(), 1e-10)
		v = fit(&preprocess.Standardise{}).Columns[j]
		golden.Close(t, "mean", v.Center, ref.Get("standard_scaler_missing_pass_through", "fitted", "mean_", j).Float(), 1e-10)
		golden.Close(t, "sd", v.Scale, ref.Get("standard_scaler_missing_pass_through", "fitted", "scale_", j).Float(), 1e-10)
		v = fit(&preprocess.Robust{}).Columns[j]
		golden.Close(t, "centre", v.Center, ref.Get("robust_scaler", "fitted", "center_", j).Float(), 1e-10)
		golden.Close(t, "iqr", v.Scale, ref.Get("robust_scaler", "fitted", "scale_", j).Float(), 1e-10)
		v = fit(&preprocess.MinMax{}).Columns[j]
		golden.Close(t, "minimum", v.Center, ref.Get("min_max_scaler", "fitted", "data_min_", j).Float(), 1e-10)
		v = fit(preprocess.DefaultYeoJohnson()).Columns[j]
		golden.Close(t, "lambda", v.Lambda, ref.Get("yeo_johnson", "fitted", "lambdas_", j).Float(), 1e-5)
	}
}

func TestSplineBasisAgreesWithHmisc(t *testing.T) {
	ref := golden.Load(t, "stats/regression.expected.json").Get("rcs")
	csv := golden.CSV(t, "stats/rcs-input.csv")
	for _, name := range []string{"x", "u"} {
		all := golden.Numbers(t, csv[name])
		for k := 3; k <= 7; k++ {
			want := ref.Get(name + "_" + strconv.Itoa(k))
			n := int(want.Get("n").Float())
			x := all[:n]
			knots := preprocess.Knots(x, k)
			golden.CloseAll(t, name+" knots", knots, want.Get("knots").Floats(), 1e-8)
			fr, err := frame.New(n, frame.NumberColumn(frame.Field{Name: "age"}, x))
			if err != nil {
				t.Fatal(err)
			}
			tr, err := (&preprocess.RCS{Knots: k}).Fit(t.Context(), fr, nil, rng.New(1))
			if err != nil {
				t.Fatal(err)
			}
			out, err := tr.Apply(t.Context(), fr)
			if err != nil {
				t.Fatal(err)
			}
			rows := want.Get("basis_every_10th_row")
			for r := range rows.Len() {
				got := make([]float64, out.Cols())
				for j := range got {
					got[j] = out.At(j).Numbers()[10*r]
				}
				golden.CloseAll(t, name+" basis", got, rows.Get(r).Floats(), 1e-8)
			}
		}
	}
}
