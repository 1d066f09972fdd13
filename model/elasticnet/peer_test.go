package elasticnet_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dolor/model/elasticnet"
)

// TestAgainstGlmnet times the path beside glmnet on the same data and compares coefficients,
// default thresholds on both sides. bench/elasticnet.sh runs it.
func TestAgainstGlmnet(t *testing.T) {
	script := os.Getenv("DOLOR_PEER_SCRIPT")
	if script == "" {
		t.Skip("run by bench/elasticnet.sh")
	}
	repeats, err := strconv.Atoi(os.Getenv("DOLOR_PEER_REPEATS"))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range [][2]int{{2000, 200}, {100000, 50}} {
		n, p := size[0], size[1]
		x, y := simulated(n, p)
		dir := t.TempDir()
		data := filepath.Join(dir, "data.bin")
		cells := append([]float64(nil), x.Data...)
		for _, v := range y {
			if v {
				cells = append(cells, 1)
			} else {
				cells = append(cells, 0)
			}
		}
		var buf bytes.Buffer
		if err := binary.Write(&buf, binary.LittleEndian, cells); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(data, buf.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, l1 := range []float64{.5, 1} {
			coef := filepath.Join(dir, "coef.csv")
			cmd := exec.CommandContext(t.Context(), "Rscript", script, data, strconv.Itoa(n), strconv.Itoa(p),
				fmt.Sprint(l1), strconv.Itoa(repeats), coef)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
			if err != nil {
				t.Fatal(err)
			}
			for _, workers := range []int{1, 2} {
				var r *elasticnet.PathResult
				ours := math.Inf(1)
				for range repeats {
					start := time.Now() //nolint:forbidigo // a stopwatch, printed only
					r, err = elasticnet.Path(context.Background(), x, y, nil, nil, &elasticnet.PathOptions{L1Ratio: l1, Workers: workers})
					if err != nil {
						t.Fatal(err)
					}
					ours = min(ours, time.Since(start).Seconds())
				}
				gap, both := compare(t, coef, r)
				exact, _ := compare(t, coef+".exact", r)
				_, _ = fmt.Fprintf(os.Stdout, "rows=%d cols=%d l1_ratio=%g workers=%d: dolor %.3f s, glmnet %.3f s, ratio %.2f; largest difference over %d penalties: %.1e, from glmnet at thresh 1e-13: %.1e\n",
					n, p, l1, workers, ours, theirs, ours/theirs, both, gap, exact)
				if gap > 2e-3 || exact > 1e-4 {
					t.Errorf("coefficients differ by %g, from the exact path by %g", gap, exact)
				}
			}
		}
	}
}

func compare(t *testing.T, file string, r *elasticnet.PathResult) (gap float64, both int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	both = min(len(rows), len(r.Lambda))
	for k := range both {
		v := make([]float64, len(rows[k]))
		for j, c := range rows[k] {
			if v[j], err = strconv.ParseFloat(strings.TrimSpace(c), 64); err != nil {
				t.Fatal(err)
			}
		}
		if math.Abs(v[0]-r.Lambda[k]) > 1e-6*v[0] {
			t.Fatalf("penalty %d: got %g, want %g", k, r.Lambda[k], v[0])
		}
		gap = max(gap, math.Abs(v[1]-r.Intercept[k]))
		for j, b := range r.Beta.Row(k) {
			gap = max(gap, math.Abs(v[2+j]-b))
		}
	}
	return gap, both
}
