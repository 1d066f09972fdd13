package study_test

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dolor/assess"
	"dolor/internal/golden"
	"dolor/study"
)

// The known results stand in the README of each data set; other software computed them. The
// data sets are not part of the repository: without them these tests skip.

// readShared reads a table by column, gzipped or not.
func readShared(t *testing.T, name string) map[string][]string {
	t.Helper()
	path := golden.Data(t, name)
	if strings.HasSuffix(path, ".gz") {
		path = unzip(t, path)
	}
	return golden.ReadCSV(t, path)
}

// table writes the columns names of the rows that keep wants to a file of the test.
func table(t *testing.T, name string, cols map[string][]string, names []string, keep func(i int) bool) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(strings.Join(names, ",") + "\n")
	for i := range cols[names[0]] {
		if !keep(i) {
			continue
		}
		for j, n := range names {
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteString(cols[n][i])
		}
		b.WriteByte('\n')
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// complete reports whether row i has a value in each of names.
func complete(cols map[string][]string, names []string) func(int) bool {
	return func(i int) bool {
		for _, n := range names {
			if c := cols[n][i]; c == "" || c == "?" || c == "NA" {
				return false
			}
		}
		return true
	}
}

func fit(t *testing.T, data, outcome string, event ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.dolor")
	_, err := study.FitTable(t.Context(), env(), &study.TableFit{
		TableOutcome: study.TableOutcome{Outcome: outcome, Event: event}, Family: "logistic", Data: data, Out: path, Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// validate returns the folder's results of the frozen model on data.
func validate(t *testing.T, model, data, outcome string, event ...string) *assess.Results {
	t.Helper()
	r, err := study.Validate(t.Context(), env(), model, data, filepath.Join(t.TempDir(), "v"),
		&study.TableOutcome{Outcome: outcome, Event: event}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func found(t *testing.T, r *assess.Results, validation, metric string, threshold float64) assess.Row {
	t.Helper()
	x, ok := r.Find("logistic", validation, metric, threshold)
	if !ok {
		t.Fatalf("no %s of %s", metric, validation)
	}
	return x
}

// closeRow compares an estimate and asks for an interval around it.
func closeRow(t *testing.T, r *assess.Results, metric string, want, tol float64) {
	t.Helper()
	x := found(t, r, assess.External, metric, 0)
	golden.Close(t, metric, float64(x.Estimate), want, tol)
	if !(float64(x.Lower) < want && want < float64(x.Upper)) {
		t.Errorf("%s: interval %v to %v", metric, x.Lower, x.Upper)
	}
}

// coefficients compares the equation with want, term by term.
func coefficients(t *testing.T, r *assess.Results, want map[string]float64, tol float64) {
	t.Helper()
	if len(r.Equations) != 1 || len(r.Equations[0].Terms) != len(want) {
		t.Fatalf("got equations %s, want %d terms", marshal(t, r.Equations), len(want))
	}
	for _, term := range r.Equations[0].Terms {
		w, ok := want[term.Name]
		if !ok {
			t.Errorf("unknown term %s", term.Name)
			continue
		}
		golden.Close(t, term.Name, float64(term.Estimate), w, tol)
	}
}

// TestHeart develops on Cleveland and validates on Budapest and Switzerland.
func TestHeart(t *testing.T) {
	names := []string{"age", "sex", "cp", "thalach", "exang", "oldpeak", "target"}
	file := func(hospital string) string {
		cols := readShared(t, "tabular-heart-4-hospitals/processed."+hospital+".csv")
		keep := complete(cols, names)
		for i, c := range cols["cp"] { // levels, not numbers
			v, _ := strconv.ParseFloat(c, 64)
			cols["cp"][i] = "type " + strconv.Itoa(int(v))
		}
		return table(t, hospital+".csv", cols, names, keep)
	}
	cleveland := file("cleveland")
	model := fit(t, cleveland, "target", "> 0")
	dev := validate(t, model, cleveland, "target", "> 0")
	golden.Close(t, "apparent AUC", float64(found(t, dev, assess.External, "auc", 0).Estimate), 0.890200, 1e-6)
	coefficients(t, dev, map[string]float64{
		"(intercept)": -2.80124, "age": 0.039361, "sex": 1.692929, "cp=type 2": 0.668753, "cp=type 3": 0.174237,
		"cp=type 4": 2.153889, "thalach": -0.019183, "exang": 0.861191, "oldpeak": 0.696776,
	}, 2e-5)
	for _, tt := range []struct {
		hospital   string
		n          int
		auc, slope float64
	}{{"hungarian", 293, 0.879074, 0.91858}, {"switzerland", 117, 0.738532, 0.55468}} {
		r := validate(t, model, file(tt.hospital), "target", "> 0")
		if r.N != tt.n {
			t.Errorf("%s: got %d rows, want %d", tt.hospital, r.N, tt.n)
		}
		closeRow(t, r, "auc", tt.auc, 1e-6)
		closeRow(t, r, "calibration_slope", tt.slope, 1e-5)
	}
}

// TestHeadNeck develops on two hospitals of Quebec and validates on a third.
func TestHeadNeck(t *testing.T) {
	cols := readShared(t, "tabular-headneck-4-hospitals/headneck.csv")
	names := []string{"Age", "T_stage", "N_stage", "event_Death"}
	known := complete(cols, names)
	in := func(sites ...string) func(int) bool {
		return func(i int) bool { return known(i) && strings.Contains(strings.Join(sites, " "), cols["site"][i]) }
	}
	dev := table(t, "dev.csv", cols, names, in("HGJ", "CHUS"))
	model := fit(t, dev, "event_Death")
	own := validate(t, model, dev, "event_Death")
	golden.Close(t, "apparent AUC", float64(found(t, own, assess.External, "auc", 0).Estimate), 0.686709, 1e-6)
	coefficients(t, own, map[string]float64{"(intercept)": -6.297561, "Age": 0.042959, "T_stage": 0.552551, "N_stage": 0.348460}, 2e-6)
	r := validate(t, model, table(t, "hmr.csv", cols, names, in("HMR")), "event_Death")
	if r.N != 40 || r.Events != 19 {
		t.Errorf("got %d rows with %d events, want 40 and 19", r.N, r.Events)
	}
	closeRow(t, r, "auc", 0.705514, 1e-6)
	closeRow(t, r, "calibration_slope", 1.29644, 1e-5)
	closeRow(t, r, "calibration_intercept", 1.16715, 1e-5)
}

// TestGusto is the GUSTO-I model of 30-day death on 28,392 patients.
func TestGusto(t *testing.T) {
	cols := readShared(t, "tabular-gusto-16-regions/gusto.csv.gz")
	names := []string{"age", "Killip", "sysbp", "pulse", "hyp", "day30"}
	data := table(t, "gusto.csv", cols, names, complete(cols, names))
	model := fit(t, data, "day30")
	p := filepath.Join(t.TempDir(), "p.csv")
	n, _, err := study.PredictTable(t.Context(), env(), model, data, "", p, nil)
	if err != nil || n != 28392 {
		t.Fatalf("%d predictions, want 28392 (%v)", n, err)
	}
	pred := golden.ReadCSV(t, p)
	pred["y"] = cols["day30"]
	joined := table(t, "joined.csv", pred, []string{"probability", "y"}, func(int) bool { return true })
	got := metrics(t, joined, "y", "probability", 0.2)
	golden.Close(t, "AUC", got["auc"], 0.809705, 1e-6)
	golden.Close(t, "Brier", got["brier"], 0.055410, 1e-6)
	golden.Close(t, "slope of the model's own rows", got["calibration_slope"], 1, 1e-8)
	golden.Close(t, "O/E of the model's own rows", got["oe_ratio"], 1, 1e-8)
}

func metrics(t *testing.T, file, outcome, prob string, thresholds ...float64) map[string]float64 {
	t.Helper()
	r, err := study.Metrics(t.Context(), &study.MetricsTable{File: file, Outcome: outcome, Prob: []string{prob}, Thresholds: thresholds, Level: 0.95, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]float64)
	for _, m := range r.Metrics {
		key := m.Name
		if !math.IsNaN(m.Threshold) && len(thresholds) > 1 {
			key += strconv.FormatFloat(m.Threshold, 'f', 2, 64)
		}
		out[key] = m.Value
	}
	return out
}

// TestDecisionCurveTable is the teaching set of decision curves.
func TestDecisionCurveTable(t *testing.T) {
	cols := readShared(t, "tabular-dca-simulated/df_binary.csv")
	for i, c := range cols["cancer"] {
		cols["cancer"][i] = map[string]string{"TRUE": "1", "FALSE": "0"}[c]
	}
	file := table(t, "dca.csv", cols, []string{"cancer", "cancerpredmarker"}, func(int) bool { return true })
	at := []float64{0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35}
	got := metrics(t, file, "cancer", "cancerpredmarker", at...)
	model := []float64{0.105544, 0.087407, 0.079216, 0.067333, 0.064000, 0.054667, 0.050154}
	all := []float64{0.094737, 0.044444, -0.011765, -0.075000, -0.146667, -0.228571, -0.323077}
	for i, v := range at {
		key := strconv.FormatFloat(v, 'f', 2, 64)
		golden.Close(t, "net benefit at "+key, got["net_benefit"+key], model[i], 1e-6)
		golden.Close(t, "net benefit of treating all at "+key, got["net_benefit_treat_all"+key], all[i], 1e-6)
	}
}
