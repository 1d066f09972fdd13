package treeshap_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dolor/internal/tree"
	"dolor/internal/treeshap"
	"dolor/internal/xgbfile"
)

const peerColumns = 50

// TestAgainstPeers times the attributions beside other programs on the same model and rows, and
// compares them. bench/treeshap.sh runs it.
func TestAgainstPeers(t *testing.T) {
	script := os.Getenv("DOLOR_PEER_SCRIPT")
	if script == "" {
		t.Skip("run by bench/treeshap.sh")
	}
	repeats, err := strconv.Atoi(os.Getenv("DOLOR_PEER_REPEATS"))
	if err != nil {
		t.Fatal(err)
	}
	p := peers{python: os.Getenv("DOLOR_PEER_PYTHON"), script: script, dir: t.TempDir(), repeats: repeats}
	depth := os.Getenv("DOLOR_PEER_DEPTH")
	p.run(t, "make", os.Getenv("DOLOR_PEER_ROWS"), depth)
	raw, err := os.ReadFile(filepath.Join(p.dir, "model.json"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := xgbfile.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	e := &file.Ensemble
	rows, ground := p.table(t, "rows.f32"), p.table(t, "background.f32")
	for _, workers := range []int{1, 2} {
		_, _ = fmt.Fprintf(os.Stdout, "%d rows x %d, 100 trees of depth %s, %d thread(s)\n", rows.Rows, peerColumns, depth, workers)
		ours := p.dolor(t, e, rows, ground, workers)
		for _, peer := range []string{"xgboost", "woodelf", "shap"} {
			p.compare(t, peer, workers, ours)
		}
	}
}

// peers runs the other programs.
type peers struct {
	python, script, dir string
	repeats             int
}

// result is what dolor took for a task and what came out; prepare is the part of seconds that is
// spent once for a model or a background.
type result struct {
	seconds, prepare float64
	phi              []float64
}

func (p *peers) dolor(t *testing.T, e *tree.Ensemble, rows, ground *tree.Table, workers int) map[string]result {
	t.Helper()
	ctx := t.Context()
	best := map[string]result{}
	put := func(task string, r result) {
		if b, ok := best[task]; !ok || r.seconds < b.seconds {
			best[task] = r
		}
	}
	one, few := head(rows, 1), head(rows, 200)
	for range p.repeats {
		start := time.Now() //nolint:forbidigo // a stopwatch, printed only
		x, err := treeshap.New(e, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Prepare(ctx, workers); err != nil {
			t.Fatal(err)
		}
		ready := time.Since(start).Seconds()
		phi, _, err := x.PathDependent(ctx, rows, workers, nil)
		if err != nil {
			t.Fatal(err)
		}
		put("path", result{time.Since(start).Seconds(), ready, phi})
		for range 20 {
			start = time.Now() //nolint:forbidigo // a stopwatch, printed only
			phi, _, err = x.PathDependent(ctx, one, 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			put("one", result{time.Since(start).Seconds(), 0, phi})
		}
		start = time.Now() //nolint:forbidigo // a stopwatch, printed only
		phi, _, err = x.Interactions(ctx, few, workers, nil)
		if err != nil {
			t.Fatal(err)
		}
		put("pairs", result{time.Since(start).Seconds(), 0, phi})

		start = time.Now() //nolint:forbidigo // a stopwatch, printed only
		x, err = treeshap.New(e, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := x.Interventional(ctx, ground, workers)
		if err != nil {
			t.Fatal(err)
		}
		ready = time.Since(start).Seconds()
		phi, _, err = b.Values(ctx, rows, workers, nil)
		if err != nil {
			t.Fatal(err)
		}
		put("background", result{time.Since(start).Seconds(), ready, phi})
		for range 20 {
			start = time.Now() //nolint:forbidigo // a stopwatch, printed only
			phi, _, err = b.Values(ctx, one, 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			put("one row, background", result{time.Since(start).Seconds(), 0, phi})
		}
	}
	for _, task := range []string{"path", "background", "pairs", "one", "one row, background"} {
		r := best[task]
		_, _ = fmt.Fprintf(os.Stdout, "  dolor %s %.6f s", task, r.seconds)
		if r.prepare > 0 {
			_, _ = fmt.Fprintf(os.Stdout, ", of it preparing %.4f s", r.prepare)
		}
		_, _ = fmt.Fprintln(os.Stdout)
	}
	return best
}

// compare prints what the peer took for its tasks and how far its attributions are.
func (p *peers) compare(t *testing.T, peer string, workers int, ours map[string]result) {
	t.Helper()
	lines := bufio.NewScanner(bytes.NewReader(p.run(t, peer, strconv.Itoa(workers), strconv.Itoa(p.repeats))))
	for lines.Scan() {
		task, rest, _ := strings.Cut(lines.Text(), " ")
		if task == "none" {
			_, _ = fmt.Fprintf(os.Stdout, "  %s: %s is not installed: not compared\n", peer, rest)
			return
		}
		r, ok := ours[task]
		seconds, err := strconv.ParseFloat(rest, 64)
		if err != nil || !ok {
			continue
		}
		phi := p.numbers(t, peer+"-"+task+".f64")
		gap := 0.0
		for i, v := range phi {
			gap = max(gap, math.Abs(v-r.phi[i]))
		}
		_, _ = fmt.Fprintf(os.Stdout, "  %s %s %.4f s: %.1f times dolor's; largest difference %.1e\n", peer, task, seconds, seconds/r.seconds, gap)
		if !(gap < 1e-4) {
			t.Errorf("%s %s: attributions differ by %g", peer, task, gap)
		}
	}
}

func (p *peers) run(t *testing.T, what string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), p.python, append([]string{p.script, what, p.dir}, args...)...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	return out
}

func (p *peers) table(t *testing.T, name string) *tree.Table {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	out := &tree.Table{Rows: len(b) / 4 / peerColumns}
	for j := range peerColumns {
		c := tree.Column{Values: make([]float32, out.Rows)}
		for i := range c.Values {
			c.Values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*(j*out.Rows+i):]))
		}
		out.Columns = append(out.Columns, c)
	}
	return out
}

func (p *peers) numbers(t *testing.T, name string) []float64 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, len(b)/8)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return out
}

// head returns the first n rows of t.
func head(t *tree.Table, n int) *tree.Table {
	out := &tree.Table{Rows: n}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, tree.Column{Values: c.Values[:n]})
	}
	return out
}
