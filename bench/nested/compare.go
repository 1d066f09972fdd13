package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"dolor/evaluate"
	"dolor/study"
	"dolor/survival"
)

// kept is what a side left: the predictions of the outer test folds and every trial.
type kept struct {
	Row    []int            `json:"row"` // 1-based
	Repeat []int            `json:"repeat"`
	Fold   []int            `json:"fold"`
	P      []float64        `json:"probability"`
	Trials []evaluate.Trial `json:"trials"`
}

func keep(res *evaluate.Result) *kept {
	k := &kept{Trials: res.Trials}
	for i, v := range res.Predictions.Validation {
		if v == "internal" {
			k.Row = append(k.Row, res.Predictions.Row[i])
			k.Repeat = append(k.Repeat, res.Predictions.Repeat[i])
			k.Fold = append(k.Fold, res.Predictions.Fold[i])
			k.P = append(k.P, res.Predictions.Probability[i])
		}
	}
	return k
}

// difference is dolor minus peer.
type difference struct{ dolor, peer, value, lower, upper float64 }

// result is one line of the page.
type result struct {
	study, family, peer         string
	rows, events                int
	outer, inner, repeats, size int // size: settings tried on every inner fold
	censored                    bool
	auc, loss                   difference
}

// obs is a held-out prediction with its weight at the horizon.
type obs struct {
	row, group int // group: fold of a repeat
	y          bool
	w, p       float64
}

// compare gives the paired differences. Both sides predicted the same rows in the same folds.
func compare(d *evaluate.Data, p *study.Protocol, pr pair, a, b *kept) (*result, error) {
	if !slices.Equal(a.Row, b.Row) || !slices.Equal(a.Fold, b.Fold) || !slices.Equal(a.Repeat, b.Repeat) {
		return nil, fmt.Errorf("the sides were not predicted on the same folds")
	}
	if len(a.Trials) != len(b.Trials) {
		return nil, fmt.Errorf("the sides tried %d and %d settings", len(a.Trials), len(b.Trials))
	}
	for i := range a.Trials {
		if compact(a.Trials[i].Params) != compact(b.Trials[i].Params) || a.Trials[i].Task != b.Trials[i].Task {
			return nil, fmt.Errorf("trial %d of %s: the sides tried other settings", a.Trials[i].Trial, a.Trials[i].Task)
		}
	}
	w := make([]float64, d.Rows())
	for i := range w {
		w[i] = 1
	}
	if d.Timed() {
		s := survival.Data{Time: d.Time, Status: d.Status}
		var err error
		if w, err = survival.WeightsFrom(s, s, d.Horizon, survival.EventsFirst); err != nil {
			return nil, err
		}
	}
	observed := func(k *kept) []obs {
		out := make([]obs, len(k.P))
		for i, r := range k.Row {
			out[i] = obs{r - 1, 1000*k.Repeat[i] + k.Fold[i], d.Y[r-1], w[r-1], k.P[i]}
		}
		return out
	}
	oa, ob := observed(a), observed(b)
	in := p.Validation.Internal
	r := &result{
		study: p.Study, family: pr.family, peer: pr.title, rows: d.Rows(), outer: in.Outer, inner: in.Inner, repeats: in.Repeats,
		size: p.Tuning.Trials + 1, censored: d.Timed(),
	}
	for i, y := range d.Y {
		if y && w[i] > 0 {
			r.events++
		}
	}
	patient := patients(d)
	r.auc = paired(oa, ob, patient, foldAUC)
	r.loss = paired(oa, ob, patient, meanLoss)
	return r, nil
}

// compact is b without the spaces of a kept file.
func compact(b json.RawMessage) string {
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return string(b)
	}
	return out.String()
}

// patients numbers the patient of every row.
func patients(d *evaluate.Data) []int {
	out := make([]int, d.Rows())
	number := make(map[string]int)
	for i := range out {
		out[i] = i
		if d.Patient != nil {
			k, ok := number[d.Patient[i]]
			if !ok {
				k = len(number)
				number[d.Patient[i]] = k
			}
			out[i] = k
		}
	}
	return out
}

// statistic is a value with the influence of every observation on it.
type statistic func([]obs) (value float64, influence []float64)

// paired gives a - b with its 95 % interval from the influence curve of the difference, summed over
// the rows of a patient: folds share training rows, so the interval covers the sampling of
// patients and not that of other training sets.
func paired(a, b []obs, patient []int, f statistic) difference {
	va, ia := f(a)
	vb, ib := f(b)
	sum := make([]float64, len(patient))
	for i := range a {
		sum[patient[a[i].row]] += ia[i] - ib[i]
	}
	n := float64(slices.Max(patient) + 1)
	v := 0.0
	for _, s := range sum {
		v += s * s
	}
	half := 1.959963984540054 * math.Sqrt(v*n/(n-1))
	return difference{va, vb, va - vb, va - vb - half, va - vb + half}
}

// meanLoss is the weighted mean log loss.
func meanLoss(x []obs) (float64, []float64) {
	loss := make([]float64, len(x))
	total, mean := 0.0, 0.0
	for i, o := range x {
		p := min(max(o.p, 1e-15), 1-1e-15)
		if loss[i] = -math.Log(p); !o.y {
			loss[i] = -math.Log1p(-p)
		}
		total += o.w
		mean += o.w * loss[i]
	}
	mean /= total
	for i, o := range x {
		loss[i] = o.w * (loss[i] - mean) / total
	}
	return mean, loss
}

// foldAUC is the mean over folds of the weighted AUC of a fold (LeDell, Petersen and van der Laan 2015,
// doi:10.1214/15-EJS1035).
func foldAUC(x []obs) (float64, []float64) {
	groups := make(map[int][]int)
	for i, o := range x {
		if o.w > 0 {
			groups[o.group] = append(groups[o.group], i)
		}
	}
	mean, ic := 0.0, make([]float64, len(x))
	k := float64(len(groups))
	keys := make([]int, 0, len(groups))
	for g := range groups {
		keys = append(keys, g)
	}
	slices.Sort(keys)
	for _, g := range keys {
		mean += aucOf(x, groups[g], k, ic) / k
	}
	return mean, ic
}

// aucOf is the weighted AUC of the rows; it writes their influence, divided by k.
func aucOf(x []obs, rows []int, k float64, ic []float64) float64 {
	slices.SortFunc(rows, func(a, b int) int { return cmp.Compare(x[a].p, x[b].p) })
	var w [2]float64 // without and with the event
	for _, i := range rows {
		w[class(x[i])] += x[i].w
	}
	place := make([]float64, len(rows)) // share of the other class on the right side
	auc := 0.0
	var below [2]float64
	for from := 0; from < len(rows); {
		to := from
		var tied [2]float64
		for to < len(rows) && x[rows[to]].p == x[rows[from]].p {
			tied[class(x[rows[to]])] += x[rows[to]].w
			to++
		}
		for r := from; r < to; r++ {
			o := x[rows[r]]
			if o.y {
				place[r] = (below[0] + tied[0]/2) / w[0]
				auc += o.w / w[1] * place[r]
			} else {
				place[r] = 1 - (below[1]+tied[1]/2)/w[1]
			}
		}
		below[0], below[1] = below[0]+tied[0], below[1]+tied[1]
		from = to
	}
	for r, i := range rows {
		ic[i] = x[i].w / w[class(x[i])] * (place[r] - auc) / k
	}
	return auc
}

func class(o obs) int {
	if o.y {
		return 1
	}
	return 0
}

// write prints the page.
func write(w io.Writer, page []result) error {
	var err error
	put := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format, args...)
		}
	}
	put("%s", head)
	for _, r := range page {
		mark := ""
		if r.censored {
			mark = " (censored)"
		}
		put("| %s%s | %d | %d | %d x %d, %d inner | %d | %s | %s | %.4f | %.4f | %s | %.4f | %.4f | %s |\n", r.study, mark, r.rows, r.events,
			r.repeats, r.outer, r.inner, r.size, r.family, r.peer, r.auc.dolor, r.auc.peer, signed(r.auc), r.loss.dolor, r.loss.peer, signed(r.loss))
	}
	put("\n%s\n", verdict(page))
	return err
}

func signed(d difference) string {
	return fmt.Sprintf("%+.4f (%+.4f to %+.4f)", d.value, d.lower, d.upper)
}

// verdict counts the lines whose interval leaves zero out, on either side.
func verdict(page []result) string {
	worse, better := 0, 0
	for _, r := range page {
		for _, x := range []float64{r.auc.upper, -r.loss.lower} {
			if x < 0 {
				worse++
			}
		}
		for _, x := range []float64{r.auc.lower, -r.loss.upper} {
			if x > 0 {
				better++
			}
		}
	}
	return fmt.Sprintf("Of %d differences, %d are significantly worse and %d significantly better for dolor (95 %% intervals, not corrected for their number).",
		2*len(page), worse, better)
}

const head = `# Results on public data

Written by ` + "`bench/nested.sh`" + `; do not edit.

Nested cross-validation of dolor's tree families and their peers. Both sides run through the same program and differ
in the learner alone: the same outer and inner folds (stratified, patients whole), the same candidate settings on every
inner fold (the family's default and draws from its search space), the same rows for early stopping, the same
choice by log loss, no recalibration. Where the outcome is censored, every learner gets the same inverse-probability-of-censoring
weights, and both metrics are weighted likewise. AUC is the mean over the outer folds; log loss the mean over the
held-out predictions. Differences are dolor minus peer, with 95 % intervals from the influence curve of the paired difference
by patient: a positive difference of AUC and a negative difference of log loss are in dolor's favour. A category reaches
XGBoost as a category and scikit-learn as one column a level. The bounds of a random search are dolor's.

| table | rows | events | outer folds | settings | family | peer | AUC | AUC, peer | difference | log loss | log loss, peer | difference |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`
