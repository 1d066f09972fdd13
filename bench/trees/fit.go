package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"dolor/frame"
	"dolor/internal/builtin"
	"dolor/metric"
	"dolor/model"
	"dolor/rng"
)

// repeats is how often the prediction is timed; the best counts.
const repeats = 5

// fit trains the family once and prints the line described in the package comment.
func fit(family, params string, threads int, train, test, label string) error {
	runtime.GOMAXPROCS(threads)
	ctx := context.Background()
	start := now()
	fam, err := find(family)
	if err != nil {
		return err
	}
	p := fam.Default()
	if err := json.Unmarshal([]byte(params), p); err != nil {
		return err
	}
	d, err := read(ctx, train)
	if err != nil {
		return err
	}
	t, err := read(ctx, test)
	if err != nil {
		return err
	}
	readSeconds := since(start)
	runtime.GC() // what reading left behind is not training's
	held := status("VmRSS:")
	clearPeak()

	began := now()
	m, err := p.Learner().Fit(ctx, d, &model.FitOptions{Stream: rng.New(1), Workers: threads})
	if err != nil {
		return err
	}
	trainSeconds := since(began)
	peak := status("VmHWM:")

	var prob []float64
	predictSeconds := 0.0
	for k := range repeats {
		began = now()
		if prob, err = m.Predict(ctx, t.X, prob); err != nil {
			return err
		}
		if s := since(began); k == 0 || s < predictSeconds {
			predictSeconds = s
		}
	}
	total := readSeconds + trainSeconds + predictSeconds
	auc, err := metric.AUC(metric.Data{Y: t.Y, P: prob}, 0.95)
	if err != nil {
		return err
	}
	loss, err := metric.LogLoss(metric.Data{Y: t.Y, P: prob}, 0.95)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "%s %s %d %.3f %.3f - %.4f %.3f %.0f %.0f %.5f %.5f\n",
		label, runtime.Version(), threads, readSeconds, trainSeconds, predictSeconds, total, held, peak, auc.Value, loss.Value)
	return err
}

func find(name string) (model.Family, error) {
	for _, f := range builtin.Families() {
		if f.Name == name {
			return f, nil
		}
	}
	return model.Family{}, fmt.Errorf("family %q is not compiled in", name)
}

func read(ctx context.Context, path string) (*model.Dataset, error) {
	f, _, err := frame.ReadParquet(ctx, path, nil)
	if err != nil {
		return nil, err
	}
	c, ok := f.Column("y")
	if !ok {
		return nil, fmt.Errorf("%s: expected a column y", path)
	}
	d := &model.Dataset{X: f.Without("y"), Y: make([]bool, f.Rows())}
	for i, v := range c.Numbers() {
		d.Y[i] = v == 1
	}
	return d, nil
}

func now() time.Time { return time.Now() } //nolint:forbidigo // a benchmark needs the clock

func since(t time.Time) float64 { return time.Since(t).Seconds() }

// status reads a size of this process in MiB as Linux reports it; 0 elsewhere.
func status(key string) float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), key)
	var kib float64
	_, _ = fmt.Sscan(rest, &kib) // 0 when the system does not say
	return kib / 1024
}

// clearPeak makes the peak start from now, where Linux lets a process do so.
func clearPeak() {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // else the peak of reading counts too
}
