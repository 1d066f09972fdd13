package study_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dolor/assess"
	"dolor/diag"
	"dolor/internal/golden"
	"dolor/study"
)

// runShared runs protocol on a shared table; DATA in it stands for the table's path.
func runShared(t *testing.T, name, protocol string) *assess.Results {
	t.Helper()
	return runOn(t, golden.Data(t, name), protocol)
}

func runOn(t *testing.T, path, protocol string) *assess.Results {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "s.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(protocol, "DATA", path)), 0o666); err != nil {
		t.Fatal(err)
	}
	p, err := study.Read(file, env())
	if err != nil {
		t.Fatal(err)
	}
	r, err := study.Run(t.Context(), env(), p, filepath.Join(dir, "out"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// judged wants an AUC with an interval for validation, between low and high.
func judged(t *testing.T, r *assess.Results, validation string, low, high float64) {
	t.Helper()
	x := found(t, r, validation, "auc", 0)
	if v := float64(x.Estimate); !(low <= v && v <= high) || !(float64(x.Lower) < v && v < float64(x.Upper)) {
		t.Errorf("%s AUC %v (%v to %v), want from %v to %v with an interval around it", validation, v, x.Lower, x.Upper, low, high)
	}
}

func warned(r *assess.Results, code string) (diag.Warning, bool) {
	for _, w := range r.Warnings {
		if w.Code == code {
			return w, true
		}
	}
	return diag.Warning{}, false
}

// TestLung: one-year death in advanced lung cancer, some of it censored before.
func TestLung(t *testing.T) {
	r := runShared(t, "tabular-ncctg-lung/lung.csv", `study: lung
data: {path: DATA}
cohort: {outcome: {time: time, status: status, event: [2], horizon: 365}}
predictors: {clinical: [age, {column: sex, kind: category}, ph.ecog, pat.karno, wt.loss]}
models: [logistic]
tuning: {method: none}
calibration: none
validation: {internal: {outer: 3, inner: 3}}
thresholds: {decision: 0.5, curve: [0.3, 0.6]}
`)
	judged(t, r, assess.Internal, 0.5, 0.85)
	if r.N != 148 {
		t.Errorf("got %d rows, want 148", r.N)
	}
}

// TestRotterdam: death within five years, in every fourth patient to be quick.
func TestRotterdam(t *testing.T) {
	cols := readShared(t, "tabular-rotterdam-gbsg/rotterdam.csv")
	names := []string{"pid", "age", "nodes", "grade", "size", "dtime", "death"}
	r := runOn(t, table(t, "rotterdam.csv", cols, names, func(i int) bool { return i%4 == 0 }), `study: rotterdam
data: {path: DATA}
cohort: {outcome: {time: dtime, status: death, event: [1], horizon: 1826}, id: pid}
predictors: {clinical: [age, nodes, {column: grade, kind: category}, {column: size, kind: category}]}
models: [logistic]
tuning: {method: none}
calibration: none
validation: {internal: {outer: 2, inner: 2}}
thresholds: {decision: 0.3, curve: [0.2, 0.3]}
`)
	judged(t, r, assess.Internal, 0.65, 0.85)
}

// TestMetabric: spelling variants stay levels of their own, gaps are filled in the folds,
// and sites are the cohorts, one of them of three patients.
func TestMetabric(t *testing.T) {
	r := runShared(t, "tabular-metabric/metabric_clinical.tsv.gz", `study: metabric
data: {path: DATA, missing: [NA]}
cohort: {outcome: {column: Overall Survival Status, event: ["1:DECEASED"]}, id: Patient ID}
predictors:
  clinical: [Age at Diagnosis, Cellularity, ER status measured by IHC, Neoplasm Histologic Grade, Tumor Size, Type of Breast Surgery, Mutation Count]
models: [logistic]
tuning: {method: none}
calibration: none
validation: {internal: {outer: 3, inner: 3}}
`)
	judged(t, r, assess.Internal, 0.6, 0.85)
	if _, ok := warned(r, "outcome_missing"); !ok {
		t.Errorf("rows without an outcome went unmentioned: %v", r.Warnings)
	}
}

// TestRHC: thirty-day death with many gaps; a column for the date of death is known too late.
// Its first column has no name, which is refused with its place, so the test names it.
func TestRHC(t *testing.T) {
	path := unzip(t, golden.Data(t, "tabular-rhc/rhc.csv.gz"))
	_, _, err := study.ReadTable(t.Context(), path, nil, "", nil, 1)
	if diag.KindOf(err) != diag.Invalid || !strings.HasPrefix(err.Error(), "rhc.csv:1:1: column 1: expected a header name") {
		t.Errorf("a column without a name: got %v", err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte("row"), b...), 0o666); err != nil {
		t.Fatal(err)
	}
	r := runOn(t, path, `study: rhc
data: {path: DATA, missing: [NA]}
cohort: {outcome: {column: dth30, event: ["Yes"]}, id: ptid}
available: {dthdte: death}
predictors:
  clinical: [age, sex, cat1, ca, aps1, meanbp1, crea1, adld3p, urin1, income]
models: [logistic]
tuning: {method: none}
calibration: none
validation: {internal: {outer: 3, inner: 3}}
`)
	judged(t, r, assess.Internal, 0.65, 0.80)
}

// TestLateColumnIsNamed: d.time of SUPPORT2 is follow-up, known after the outcome; alone it
// has a within-fold AUC of 0.971, and the warning names it and no other.
func TestLateColumnIsNamed(t *testing.T) {
	r := runShared(t, "tabular-support2/support2.csv.gz", `study: support2
data: {path: DATA}
cohort: {outcome: {column: hospdead}, id: Index}
predictors: {clinical: [age, sex, meanbp, crea, d.time, dnr, avtisst, surv2m]}
models: [logistic]
tuning: {method: none}
calibration: none
validation: {internal: {outer: 2, inner: 2}}
`)
	w, ok := warned(r, "suspect_column")
	if !ok || w.First != "d.time" || !strings.Contains(w.Msg, "d.time alone has AUC 0.97") || w.Count != 1 {
		t.Errorf("got %+v", r.Warnings)
	}
}
