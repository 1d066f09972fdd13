package study_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dolor/diag"
	"dolor/study"
)

const everything = `study: sim
seed: 3
data: {path: t.csv}
cohort: {outcome: {column: y}, id: id, site: site, date: date}
predictors: {clinical: [x1, x2, x3, x4, stage]}
models: [logistic, {family: elasticnet, params: {n_lambda: 10, folds: 3}}]
tuning: {method: random, trials: 1, metric: brier}
calibration: auto
validation:
  internal: {outer: 3, inner: 2, repeats: 2}
  temporal: {test_from: "2023-04-01"}
  external: {site: C}
  sites: leave-one-out
  bootstrap: 4
thresholds: {decision: 0.3, report: [0.5], curve: [0.2, 0.5]}
subgroups: [stage]
`

// brief has both families and a search, and the internal validation alone.
const brief = `study: brief
seed: 6
data: {path: t.csv}
cohort: {outcome: {column: y}, id: id}
predictors: {clinical: [x1, x2, stage]}
models: [logistic, {family: elasticnet, params: {n_lambda: 10, folds: 3}}]
tuning: {method: random, trials: 2}
validation: {internal: {outer: 3, inner: 2}}
`

const followUp = `study: follow
seed: 4
data: {path: t.csv}
cohort: {outcome: {time: time, status: status, event: [1], competing: [2], horizon: 100}, id: id, site: site}
predictors: {clinical: [x1, x2, stage]}
models: [logistic]
tuning: {method: none}
calibration: logistic
validation:
  internal: {outer: 3, inner: 2}
  sites: leave-one-out
  bootstrap: 2
thresholds: {decision: 0.3, curve: [0.25, 0.35]}
`

// prepare writes the simulated table and the protocol into a folder of its own.
func prepare(t testing.TB, protocol string, n int) (dir string, p *study.Protocol) {
	t.Helper()
	dir = t.TempDir()
	d := simulate(t, n, 1, 8)
	if strings.Contains(protocol, "competing") {
		timed(d, 100, 8)
	}
	writeCSV(t, dir, d)
	path := filepath.Join(dir, "s.yaml")
	if err := os.WriteFile(path, []byte(protocol), 0o666); err != nil {
		t.Fatal(err)
	}
	p, err := study.Read(path, env())
	if err != nil {
		t.Fatal(err)
	}
	return dir, p
}

// contents maps each file below dir to its bytes.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameContents(t testing.TB, what string, got, want map[string]string) {
	t.Helper()
	if len(want) < 10 {
		t.Errorf("%s: only %d files to compare", what, len(want))
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %s differs (%d and %d bytes)", what, name, len(got[name]), len(want[name]))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is there in one only", what, name)
		}
	}
}

// TestSameBytes: the whole study folder is the same for 1 and 7 workers, report derives it
// again byte for byte, and the protocol kept in it repeats it with 2.
func TestSameBytes(t *testing.T) {
	for name, protocol := range map[string]string{"binary": everything, "censored": followUp} {
		t.Run(name, func(t *testing.T) {
			dir, p := prepare(t, protocol, 150)
			out := filepath.Join(dir, "out")
			var first map[string]string
			for _, workers := range []int{7, 1} {
				if _, err := study.Run(t.Context(), env(), p, out, &study.Options{Workers: workers}); err != nil {
					t.Fatal(err)
				}
				got := contents(t, out)
				if first == nil {
					first = got
					continue
				}
				sameContents(t, "workers", got, first)
			}
			if _, err := study.Rederive(t.Context(), env(), out, &study.Options{Workers: 2}); err != nil {
				t.Fatal(err)
			}
			sameContents(t, "report", contents(t, out), first)

			again, err := study.Read(filepath.Join(out, "protocol.json"), env())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := study.Run(t.Context(), env(), again, filepath.Join(dir, "again"), &study.Options{Workers: 2}); err != nil {
				t.Fatal(err)
			}
			sameContents(t, "protocol.json run again", contents(t, filepath.Join(dir, "again")), first)
			for file, text := range first {
				if strings.Contains(text, dir) {
					t.Errorf("%s names a folder of this machine", file)
				}
			}
		})
	}
}

// TestResume stops a run half-way and continues it: the same bytes, and finished fits are
// loaded, not run again (their files keep their time).
func TestResume(t *testing.T) {
	dir, p := prepare(t, everything, 150)
	whole := filepath.Join(dir, "whole")
	if _, err := study.Run(t.Context(), env(), p, whole, nil); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	if _, err := study.Resume(t.Context(), env(), p, out, nil); diag.KindOf(err) != diag.Missing {
		t.Errorf("resume without a stopped run: got %v, want kind missing", err)
	}
	ctx, cancel := withCancel(t.Context())
	defer cancel()
	_, err := study.Run(ctx, env(), p, out, &study.Options{Workers: 2, Progress: func(stage string, done, _ int) {
		if stage == "fits" && done == 9 {
			cancel()
		}
	}})
	if diag.KindOf(err) != diag.Canceled {
		t.Fatalf("got %v, want kind canceled", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a stopped run left a study folder")
	}
	before := times(t, out+".partial")
	if len(before) < 9 {
		t.Fatalf("%d fits kept, want 9 or more", len(before))
	}

	other := *p
	other.Seed++
	if _, err := study.Resume(t.Context(), env(), &other, out, nil); diag.KindOf(err) != diag.Invalid {
		t.Errorf("resume with another protocol: got %v, want kind invalid", err)
	}
	var mu sync.Mutex
	var after map[string]time.Time
	_, err = study.Resume(t.Context(), env(), p, out, &study.Options{Workers: 2, Progress: func(stage string, done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if stage == "fits" && done == total {
			after = times(t, out+".partial")
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range before {
		if !after[name].Equal(at) {
			t.Errorf("%s was run again", name)
		}
	}
	if len(after) <= len(before) {
		t.Errorf("resume ran no fit: %d kept before, %d after", len(before), len(after))
	}
	sameContents(t, "resumed", contents(t, out), contents(t, whole))
	if _, err := os.Stat(out + ".partial"); err == nil {
		t.Error("the finished fits stay beside the study folder")
	}
}

// times maps the fits kept in dir to when they were written.
func times(t testing.TB, dir string) map[string]time.Time {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	out := make(map[string]time.Time)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.Name() != "fingerprint" && !strings.HasPrefix(e.Name(), ".") {
			out[e.Name()] = info.ModTime()
		}
	}
	return out
}

const slow = `study: slow
data: {path: t.csv}
cohort: {outcome: {column: y}}
predictors: {clinical: [x1, x2, x3, x4, stage]}
models: [elasticnet]
tuning: {method: random, trials: 200}
validation:
  internal: {outer: 10, inner: 10, repeats: 20}
  bootstrap: 500
`

// TestCancel stops a study that would take minutes, in its fits and in its figures: it ends
// within a second, leaves no goroutine and no half-written folder.
func TestCancel(t *testing.T) {
	before := runtime.NumGoroutine()
	for name, protocol := range map[string]string{"fits": slow, "assess": strings.Replace(everything, "bootstrap: 4", "bootstrap: 1", 1)} {
		t.Run(name, func(t *testing.T) {
			dir, p := prepare(t, protocol, 240)
			out := filepath.Join(dir, "out")
			ctx, cancel := withCancel(t.Context())
			var stopped time.Time
			var once sync.Once
			stop := func() { once.Do(func() { stopped = time.Now(); cancel() }) } //nolint:forbidigo // the test measures how soon a run stops
			if name == "fits" {
				time.AfterFunc(300*time.Millisecond, stop)
			}
			_, err := study.Run(ctx, env(), p, out, &study.Options{Workers: 2, Progress: func(stage string, _, _ int) {
				if name == "assess" && stage != "fits" {
					stop()
				}
			}})
			if diag.KindOf(err) != diag.Canceled {
				t.Fatalf("got %v, want kind canceled", err)
			}
			if d := time.Since(stopped); d > time.Second {
				t.Errorf("took %v to stop", d)
			}
			cancel()
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if !slices.Contains([]string{"t.csv", "s.yaml", "out.partial"}, e.Name()) {
					t.Errorf("%s was left behind", e.Name())
				}
			}
		})
	}
	for range 50 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

// TestAnotherFamilyMovesNothing: the numbers of logistic are the same with elasticnet beside
// it, and without.
func TestAnotherFamilyMovesNothing(t *testing.T) {
	dir, both := prepare(t, brief, 150)
	one := *both
	one.Models = both.Models[:1]
	a, err := study.Run(t.Context(), env(), both, filepath.Join(dir, "both"), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := study.Run(t.Context(), env(), &one, filepath.Join(dir, "one"), nil)
	if err != nil {
		t.Fatal(err)
	}
	kept := slices.DeleteFunc(slices.Clone(a.Rows), func(r row) bool { return r.Family != "logistic" })
	if len(kept) != len(b.Rows) || len(kept) == 0 {
		t.Fatalf("got %d rows of logistic with another family, %d alone", len(kept), len(b.Rows))
	}
	for i := range kept {
		if marshal(t, kept[i]) != marshal(t, b.Rows[i]) {
			t.Errorf("moved:\n%s\n%s", marshal(t, kept[i]), marshal(t, b.Rows[i]))
		}
	}
}

// TestFolderInTheWay: a run never replaces a folder of other files, and says so before it fits.
func TestFolderInTheWay(t *testing.T) {
	dir, p := prepare(t, followUp, 240)
	if _, err := study.Run(t.Context(), env(), p, dir, nil); diag.KindOf(err) != diag.Invalid {
		t.Errorf("got %v, want kind invalid", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "t.csv")); err != nil {
		t.Error(err)
	}
	file := filepath.Join(dir, "t.csv")
	_, err := study.Run(t.Context(), env(), p, file, nil)
	var e *diag.Error
	if !errors.As(err, &e) || e.Kind != diag.Invalid {
		t.Errorf("a file in the way: got %v, want kind invalid", err)
	}
}
