package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// line is one measured run. Columns are as in the package comment.
type line struct {
	label, version, threads string
	values                  [9]float64 // read train boost predict total held peak auc loss; -1 unknown
}

var names = [9]string{"read", "train", "boost", "predict", "end to end", "held", "peak MiB", "AUC", "log loss"}

// summary groups the lines by label and threads, in order of appearance, and prints for each the
// best seconds and, for the groups of dolor/KIND beside every other PEER/KIND of the same number of
// threads, the ratios of the runs of the same round: least, median and largest.
func summary(in io.Reader, out io.Writer) error {
	runs := map[string][]line{}
	var order []string
	sc := bufio.NewScanner(in)
	for sc.Scan() {
		l, err := parse(sc.Text())
		if err != nil {
			return err
		}
		key := l.label + " " + l.threads
		if len(runs[key]) == 0 {
			order = append(order, key)
		}
		runs[key] = append(runs[key], l)
	}
	if err := sc.Err(); err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	for _, key := range order {
		report(w, runs[key])
	}
	for _, key := range order {
		if who, rest, _ := strings.Cut(key, "/"); who == "dolor" {
			for _, other := range order {
				if peer, kind, _ := strings.Cut(other, "/"); peer != who && kind == rest {
					compare(w, runs[key], runs[other])
				}
			}
		}
	}
	return w.Flush()
}

func parse(s string) (line, error) {
	f := strings.Fields(s)
	if len(f) != 12 {
		return line{}, fmt.Errorf("expected 12 columns, got %d", len(f))
	}
	l := line{label: f[0], version: f[1], threads: f[2]}
	for i, c := range f[3:] {
		l.values[i] = -1
		if c == "-" {
			continue
		}
		v, err := strconv.ParseFloat(c, 64)
		if err != nil {
			return line{}, fmt.Errorf("column %d: expected a number", i+4)
		}
		l.values[i] = v
	}
	return l, nil
}

func report(w io.Writer, runs []line) {
	best := runs[0].values
	for _, l := range runs {
		for k, v := range l.values {
			best[k] = min(best[k], v)
		}
	}
	boost := "-"
	if best[2] >= 0 {
		boost = fmt.Sprintf("%.3f", best[2])
	}
	_, _ = fmt.Fprintf(w, "%s %s, %s threads, best of %d: read %.2f s, train %.3f s (boosting alone %s), predict %.4f s, end to end %.2f s; %.0f MiB before, peak %.0f MiB; AUC %.5f, log loss %.5f\n",
		runs[0].label, runs[0].version, runs[0].threads, len(runs), best[0], best[1], boost, best[3], best[4], best[5], best[6], runs[0].values[7], runs[0].values[8])
}

// compare prints dolor's time over the peer's, round by round.
func compare(w io.Writer, a, b []line) {
	_, _ = fmt.Fprintf(w, "%s / %s, %s threads:", a[0].label, b[0].label, a[0].threads)
	for _, k := range []int{1, 3, 4, 6} {
		_, _ = fmt.Fprintf(w, " %s %s;", names[k], spread(a, b, func(x, y line) float64 { return x.values[k] / y.values[k] }))
	}
	if b[0].values[2] >= 0 {
		_, _ = fmt.Fprintf(w, " train over the peer's boosting alone %s;", spread(a, b, func(x, y line) float64 { return x.values[1] / y.values[2] }))
	}
	_, _ = fmt.Fprintf(w, " AUC %+.5f, log loss %+.5f\n", a[0].values[7]-b[0].values[7], a[0].values[8]-b[0].values[8])
}

func spread(a, b []line, f func(x, y line) float64) string {
	var r []float64
	for i := range min(len(a), len(b)) {
		r = append(r, f(a[i], b[i]))
	}
	slices.Sort(r)
	return fmt.Sprintf("%.2f %.2f %.2f", r[0], r[len(r)/2], r[len(r)-1])
}
