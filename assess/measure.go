package assess

import (
	"context"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"dolor/diag"
	"dolor/internal/par"
	"dolor/metric"
	"dolor/rng"
)

// Bootstrap replicates behind the intervals that have no closed form.
const replicates = 200

// fewEvents is the count of events, or of non-events, below which a subgroup or site gets
// no estimate: intervals no longer mean what they say.
const fewEvents = 10

// measurer judges one stack of predictions.
type measurer struct {
	in       *Input
	s        *stack
	j        job
	stream   rng.Stream
	rows     []Row
	warnings []diag.Warning
}

func (m *measurer) row(metricName string, threshold, est, lower, upper float64, method string) {
	r := Row{
		Family: m.j.family, Configuration: m.j.configuration, Validation: m.j.validation, Site: m.j.site,
		Subgroup: m.j.subgroup, Stratum: m.j.stratum, Metric: metricName, Estimate: Num(est), Lower: Num(lower),
		Upper: Num(upper), Level: m.in.Level, N: m.s.rows(), Events: m.s.events(), Method: method,
	}
	if !math.IsNaN(threshold) {
		t := Num(threshold)
		r.Threshold = &t
	}
	m.rows = append(m.rows, r)
}

func (m *measurer) estimate(e metric.Estimate) {
	m.row(e.Name, e.Threshold, e.Value, e.Lower, e.Upper, e.Method)
}

// all fills rows with every metric.
func (m *measurer) all(ctx context.Context) error {
	if note := m.tooFew(); note != "" {
		for _, name := range []string{"auc", "brier", "calibration_slope", "net_benefit"} {
			t := math.NaN()
			if name == "net_benefit" {
				t = m.in.Decision
			}
			m.row(name, t, math.NaN(), math.NaN(), math.NaN(), "not estimated: "+note)
		}
		return nil
	}
	switch {
	case m.s.time != nil:
		return m.timed(ctx)
	case m.single():
		return m.fixed(ctx)
	default:
		return m.crossValidated(ctx)
	}
}

// tooFew says why nothing can be estimated, or "".
func (m *measurer) tooFew() string {
	e, n := m.s.events(), m.s.rows()
	limit := 1
	if m.j.subgroup != "" {
		limit = fewEvents
	}
	switch {
	case n == 0:
		return "no patients"
	case e == 0:
		return "no events"
	case e == n:
		return "only events"
	case e < limit:
		return counted(e, "event") + ", fewer than 10"
	case n-e < limit:
		return counted(n-e, "non-event") + ", fewer than 10"
	}
	return ""
}

func counted(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return itoa(n) + " " + word
}

// single reports whether one model predicted every row once.
func (m *measurer) single() bool {
	return m.j.validation != Internal
}

// data is the first (or only) repeat as metric data.
func (m *measurer) data(repeat int) metric.Data {
	o := m.s.repeats[repeat]
	d := metric.Data{Y: make([]bool, len(o)), P: make([]float64, len(o))}
	for i, x := range o {
		d.Y[i], d.P[i] = x.y, x.p
	}
	return d
}

// clustered reports whether some patient has several rows, so that closed forms for
// independent rows do not hold.
func (m *measurer) clustered() bool {
	seen := make(map[int]bool, len(m.s.cluster))
	for _, c := range m.s.cluster {
		if seen[c] {
			return true
		}
		seen[c] = true
	}
	return false
}

// fixed judges one model on new patients.
func (m *measurer) fixed(ctx context.Context) error {
	if m.clustered() {
		return m.crossValidated(ctx) // the influence formulas sum over patients
	}
	es, ws, err := Fixed(ctx, m.data(0), &FixedOptions{Thresholds: m.in.Thresholds, Level: m.in.Level, Stream: m.stream, Workers: 1})
	if err != nil {
		return err
	}
	for _, e := range es {
		m.estimate(e)
	}
	m.warnings = diag.Merge(m.warnings, ws...)
	return nil
}

// crossValidated judges held-out predictions of nested cross-validation.
func (m *measurer) crossValidated(ctx context.Context) error {
	nan := math.NaN()
	method := "influence curve"
	if len(m.s.repeats) > 1 {
		method += ", repeats averaged"
	}
	m.auc(method)
	type item struct {
		name string
		f    statistic
		sc   scale
		how  string
	}
	for _, it := range []item{
		{"brier", meanStatistic(brierLoss), identity, method},
		{"scaled_brier", scaledBrierStatistic, identity, method},
		{"log_loss", meanStatistic(logLoss), identity, method},
		{"oe_ratio", oeStatistic, logarithm, method + ", log"},
		{"calibration_intercept", recalibration(false), identity, method + " (sandwich)"},
	} {
		m.influenceRow(it.name, nan, over(m.s, it.f), it.sc, it.how)
	}
	m.slope()
	m.foldRows()
	if err := m.averagePrecision(ctx); err != nil {
		return err
	}
	if err := m.smoothErrors(ctx); err != nil {
		return err
	}
	for _, t := range m.in.Thresholds {
		table := m.meanTable(t)
		es := tableEstimates(table, m.in.Level)
		if m.clustered() {
			m.influenceRow("net_benefit", t, over(m.s, netBenefitStatistic(t)), identity, method)
			m.influenceRow("net_benefit_treat_all", t, over(m.s, treatAllStatistic(t)), identity, method)
			m.influenceRow("net_benefit_vs_treat_all", t, over(m.s, difference(netBenefitStatistic(t), treatAllStatistic(t))), identity, method)
		} else {
			es = append(decisionEstimates(table.Decide(m.in.Level, nil)), es...)
		}
		for _, e := range es {
			e.Threshold = t
			if len(m.s.repeats) > 1 {
				e.Method += ", counts averaged over repeats"
			}
			m.estimate(e)
		}
	}
	return nil
}

// foldRows adds the AUC of every fold, with DeLong's interval of that fold alone.
func (m *measurer) foldRows() {
	if m.j.subgroup != "" || m.single() {
		return
	}
	for r, o := range m.s.repeats {
		for k, f := range folds(o) {
			d := metric.Data{}
			for _, x := range f {
				d.Y, d.P = append(d.Y, x.y), append(d.P, x.p)
			}
			e, err := metric.AUC(d, m.in.Level)
			if err != nil {
				continue // Check has passed for the whole set: a fold cannot be malformed
			}
			m.estimate(e)
			row := &m.rows[len(m.rows)-1]
			row.Fold, row.Repeat, row.N, row.Events = &k, &r, d.N(), d.Events()
		}
	}
}

func (m *measurer) influenceRow(name string, t float64, f influence, sc scale, method string) {
	if math.IsNaN(f.value) {
		m.row(name, t, f.value, math.NaN(), math.NaN(), "not estimated: "+f.note)
		return
	}
	lo, hi := interval(f.value, m.s.variance(f), m.in.Level, sc)
	if math.IsNaN(lo) {
		method += "; no interval at the edge of the range"
	}
	m.row(name, t, f.value, lo, hi, method)
}

// difference is the statistic a - b.
func difference(a, b statistic) statistic {
	return func(o []obs, ic []float64) (float64, string) {
		va, note := a(o, ic)
		if note != "" {
			return va, note
		}
		neg := make([]float64, len(ic))
		vb, note := b(o, neg)
		for i, x := range neg {
			ic[i] -= x
		}
		return va - vb, note
	}
}

// meanTable is the two-by-two table at t, its counts averaged over repeats.
func (m *measurer) meanTable(t float64) metric.Table {
	var tp, fp, fn, tn float64
	k := float64(len(m.s.repeats))
	for _, o := range m.s.repeats {
		for _, x := range o {
			switch {
			case x.p >= t && x.y:
				tp++
			case x.p >= t:
				fp++
			case x.y:
				fn++
			default:
				tn++
			}
		}
	}
	table := metric.NewTable(tp/k, fp/k, fn/k, tn/k)
	table.Threshold = t
	return table
}

// auc adds the mean of the AUC within folds. Its interval is Hanley and McNeil's on the logit
// scale with all patients' numbers of events: of the intervals that need nothing but the
// held-out predictions it is one that holds in simulation, where the influence curve, which
// ignores that other training patients give other models, covers too seldom at n = 200
// (docs/coverage.md). It takes rows as independent, so with several rows a patient the
// influence curve summed over patients stands.
func (m *measurer) auc(method string) {
	f := over(m.s, aucStatistic)
	if math.IsNaN(f.value) || m.clustered() {
		m.influenceRow("auc", math.NaN(), f, logOdds, "mean within folds, "+method+", logit")
		return
	}
	e := float64(m.s.events())
	se := metric.HanleyMcNeil(f.value, e, float64(m.s.rows())-e)
	lo, hi := interval(f.value, se*se, m.in.Level, logOdds)
	how := "mean within folds, hanley-mcneil, logit"
	if math.IsNaN(lo) {
		how += "; no interval at the edge of the range"
	}
	m.row("auc", math.NaN(), f.value, lo, hi, how)
}

// slope adds the calibration slope: the mean of the slopes within folds with a t interval from
// their spread (averaged over repeats), which holds in simulation where the slope of all
// held-out rows with its sandwich covers too seldom (docs/coverage.md). Where a fold has no
// slope, or patients have several rows, the latter is given and the method says so.
func (m *measurer) slope() {
	pooled := over(m.s, recalibration(true))
	if m.single() {
		m.influenceRow("calibration_slope", math.NaN(), pooled, identity, "influence curve summed over patients (sandwich)")
		return
	}
	why := ""
	mean, half := 0.0, 0.0
	for _, o := range m.s.repeats {
		var v []float64
		for _, f := range folds(o) {
			ic := make([]float64, m.s.rows())
			b, note := recalibration(true)(f, ic)
			if note != "" {
				why = "a fold has no slope: " + note
				break
			}
			v = append(v, b)
		}
		if len(v) < 2 && why == "" {
			why = "fewer than two folds"
		}
		if why != "" {
			break
		}
		k := float64(len(v))
		c, sd := stat.MeanStdDev(v, nil)
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: k - 1}.Quantile(0.5 + m.in.Level/2)
		mean += c / float64(len(m.s.repeats))
		half += t * sd / math.Sqrt(k) / float64(len(m.s.repeats))
	}
	if m.clustered() {
		why = "patients have several rows"
	}
	if why != "" || math.IsNaN(pooled.value) {
		m.influenceRow("calibration_slope", math.NaN(), pooled, identity, "all held-out rows, influence curve (sandwich), too narrow in small studies; "+why)
		return
	}
	how := "mean of the slopes within folds, t interval of their spread"
	if len(m.s.repeats) > 1 {
		how += ", repeats averaged"
	}
	m.row("calibration_slope", math.NaN(), mean, mean-half, mean+half, how)
}

// averagePrecision adds the mean of the average precision within folds, with a percentile
// interval from resampling patients.
func (m *measurer) averagePrecision(ctx context.Context) error {
	at := func(pick []int) float64 {
		sum, n := 0.0, 0
		for _, o := range m.s.repeats {
			rows := o
			if pick != nil {
				rows = make([]obs, len(pick))
				for i, r := range pick {
					rows[i] = o[r]
				}
			}
			for _, f := range folds(rows) {
				d := metric.Data{}
				for _, x := range f {
					d.Y, d.P = append(d.Y, x.y), append(d.P, x.p)
				}
				if s, err := metric.NewSorted(d); err == nil {
					if v := s.AveragePrecision(m.in.Level).Value; !math.IsNaN(v) {
						sum += v
						n++
					}
				}
			}
		}
		return sum / float64(n)
	}
	est := at(nil)
	if math.IsNaN(est) {
		m.row("average_precision", math.NaN(), est, est, est, "not estimated: no fold with both classes")
		return nil
	}
	boot := make([]float64, replicates)
	err := par.For(ctx, replicates, 1, func(_ context.Context, b int) error {
		boot[b] = at(m.resample(m.stream.Child("average precision", b)))
		return nil
	})
	if err != nil {
		return err
	}
	a := (1 - m.in.Level) / 2
	m.row("average_precision", math.NaN(), est, quantile7(boot, a), quantile7(boot, 1-a), "mean within folds; percentile bootstrap of patients")
	return nil
}

// smoothErrors adds ICI, E50, E90 and Emax: means over repeats, with a percentile interval
// from resampling patients.
func (m *measurer) smoothErrors(ctx context.Context) error {
	names := []string{"ici", "e50", "e90", "emax"}
	at := func(ctx context.Context, pick []int) ([4]float64, string, error) {
		var sum [4]float64
		method := ""
		for k := range m.s.repeats {
			d := m.data(k)
			if pick != nil {
				d = d.Take(pick)
			}
			e, how, err := smoothCalibration(ctx, d, m.in.Level, pick != nil)
			if err != nil {
				return sum, "", err
			}
			method = how
			for i := range sum {
				sum[i] += e[i] / float64(len(m.s.repeats))
			}
		}
		return sum, method, nil
	}
	est, method, err := at(ctx, nil)
	if err != nil {
		return err
	}
	if math.IsNaN(est[0]) {
		for _, n := range names {
			m.row(n, math.NaN(), math.NaN(), math.NaN(), math.NaN(), method)
		}
		return nil
	}
	boot := make([][4]float64, replicates)
	err = par.For(ctx, replicates, 1, func(ctx context.Context, b int) error {
		v, _, err := at(ctx, m.resample(m.stream.Child("smooth", b)))
		boot[b] = v
		return err
	})
	if err != nil {
		return err
	}
	for i, n := range names {
		v := make([]float64, 0, replicates)
		for _, b := range boot {
			if !math.IsNaN(b[i]) {
				v = append(v, b[i])
			}
		}
		a := (1 - m.in.Level) / 2
		m.row(n, math.NaN(), est[i], quantile7(v, a), quantile7(v, 1-a), method+"; percentile bootstrap of patients, interpolated surface")
	}
	return nil
}

// resample draws patients with replacement and returns their distinct rows, repeats kept.
// Every repeat lists its rows in the same order, so the positions serve them all.
func (m *measurer) resample(s rng.Stream) []int {
	var members [][]int
	for i, c := range m.s.cluster {
		for c >= len(members) {
			members = append(members, nil)
		}
		members[c] = append(members[c], i)
	}
	r := s.Rand()
	var out []int
	for range members {
		out = append(out, members[r.IntN(len(members))]...)
	}
	return out
}
