package report

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"dolor/assess"
	"dolor/diag"
	"dolor/explain"
	"dolor/frame"
	"dolor/internal/golden"
	"dolor/rng"
)

// fixture simulates 640 patients of three sites with a known risk, scores them with three
// imperfect predictors, and fills Results with plain estimates. Nothing in it is real.
func fixture() *assess.Results {
	random := rng.New(20260714).Child("page fixture").Rand()
	nan := assess.Num(math.NaN())
	r := &assess.Results{
		Format: 1, Study: "Refractory pain within 12 weeks", Simulated: true, Outcome: "refractory by day 84", Level: 0.95,
		Decision: 0.2, Thresholds: []float64{0.2, 0.5}, Primary: "elasticnet", Families: []string{"logistic", "elasticnet", "gbm"},
		Inputs: []assess.Provenance{{File: "pain.csv", SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Rows: 703}},
	}
	const n = 640
	y := make([]bool, n)
	site := make([]int, n)
	p := map[string][]float64{}
	for i := range n {
		x := random.NormFloat64()
		site[i] = random.IntN(3)
		lp := -0.7 + 1.5*x
		y[i] = random.Float64() < 1/(1+math.Exp(-lp))
		for k, f := range r.Families {
			z := lp*[]float64{0.9, 1, 1.35}[k] + []float64{0.75, 0.6, 0.7}[k]*random.NormFloat64()
			p[f] = append(p[f], 1/(1+math.Exp(-z)))
		}
	}
	ev := 0
	for _, v := range y {
		if v {
			ev++
		}
	}
	r.N, r.Events = n, ev
	add := func(row assess.Row) {
		row.Configuration, row.Level = "all", 0.95
		r.Rows = append(r.Rows, row)
	}
	numbers := func(f, val, site string, keep func(i int) bool, sub, stratum string) (c assess.Curves) {
		var q []float64
		var o []bool
		for i := range n {
			if keep(i) {
				q, o = append(q, p[f][i]), append(o, y[i])
			}
		}
		c = curvesFor(q, o)
		c.Family, c.Validation, c.Site = f, val, site
		row := func(metric string, est, se float64, t *assess.Num, method string) {
			add(assess.Row{
				Family: f, Validation: val, Site: site, Subgroup: sub, Stratum: stratum, Metric: metric, Threshold: t, Estimate: assess.Num(est),
				Lower: assess.Num(est - 1.96*se), Upper: assess.Num(est + 1.96*se), N: c.N, Events: c.Events, Method: method,
			})
		}
		e := float64(c.Events)
		if e < 5 || c.Events == c.N {
			for _, m := range []string{"auc", "calibration_slope"} {
				add(assess.Row{
					Family: f, Validation: val, Site: site, Subgroup: sub, Stratum: stratum, Metric: m, Estimate: nan, Lower: nan, Upper: nan, N: c.N, Events: c.Events,
					Method: fmt.Sprintf("%d events, fewer than 5", c.Events),
				})
			}
			return c
		}
		a := auc(q, o)
		row("auc", a, math.Sqrt(a*(1-a)/e), nil, "DeLong within folds")
		row("average_precision", a-0.07, 0.03, nil, "bootstrap by patient, 1,000 resamples")
		row("brier", 0.21-0.08*a, 0.008, nil, "influence function")
		row("scaled_brier", a-0.55, 0.04, nil, "bootstrap by patient, 1,000 resamples")
		row("oe_ratio", 1.02, 0.9/math.Sqrt(e), nil, "log normal")
		row("calibration_intercept", 0.03, 1.5/math.Sqrt(e), nil, "logistic likelihood")
		row("calibration_slope", map[string]float64{"logistic": 1.01, "elasticnet": 0.96, "gbm": 0.69}[f], 1.7/math.Sqrt(e), nil, "logistic likelihood")
		row("ici", 0.021, 0.005, nil, "bootstrap by patient, 1,000 resamples")
		t := assess.Num(0.2)
		i := slices.IndexFunc(c.Decision.Threshold, func(v float64) bool { return v > 0.199 })
		row("net_benefit", c.Decision.NetBenefit[i], 0.6/math.Sqrt(float64(c.N)), &t, "influence function")
		row("net_benefit_treat_all", c.Decision.TreatAll[i], 0.6/math.Sqrt(float64(c.N)), &t, "influence function")
		row("sensitivity", 0.89, 0.02, &t, "Wilson")
		row("specificity", 0.52, 0.02, &t, "Wilson")
		return c
	}
	everyone := func(int) bool { return true }
	for _, f := range r.Families {
		r.Curves = append(r.Curves, numbers(f, assess.Internal, "", everyone, "", ""))
		numbers(f, assess.Bootstrap, "", everyone, "", "")
		for fold := range 5 {
			k := fold
			add(assess.Row{Family: f, Validation: assess.Internal, Fold: &k, Metric: "auc", Estimate: assess.Num(0.8 + 0.02*float64(fold)), Lower: nan, Upper: nan, N: 128, Events: 45, Method: "one fold"})
		}
	}
	names := []string{"North", "Centre", "South"}
	for _, metric := range []string{"auc", "calibration_slope", "oe_ratio"} {
		sp := assess.SitePool{
			Family: r.Primary, Metric: metric, Tau2: 0.01, I2: 0.31, Reference: assess.Num(map[string]float64{"auc": 0.5, "calibration_slope": 1, "oe_ratio": 1}[metric]),
			Method: "random effects, restricted maximum likelihood, Hartung-Knapp",
		}
		base := map[string]float64{"auc": 0.84, "calibration_slope": 0.95, "oe_ratio": 1.04}[metric]
		for s, name := range names {
			e := assess.Num(base + 0.04*float64(s-1))
			sp.Sites = append(sp.Sites, assess.SiteStat{Site: name, N: 200 + 10*s, Events: 70 + 5*s, Estimate: e, Lower: e - 0.07, Upper: e + 0.06 + assess.Num(0.9*float64(s/2))})
		}
		sp.Estimate, sp.Lower, sp.Upper, sp.PredLower, sp.PredUpper = assess.Num(base), assess.Num(base-0.05), assess.Num(base+0.05), assess.Num(base-0.16), assess.Num(base+0.14)
		r.Sites = append(r.Sites, sp)
		pl, pu := sp.PredLower, sp.PredUpper
		add(assess.Row{Family: r.Primary, Validation: assess.Pooled, Metric: metric, Estimate: sp.Estimate, Lower: sp.Lower, Upper: sp.Upper, PredictionLower: &pl, PredictionUpper: &pu, N: n, Events: ev, Method: sp.Method})
	}
	for s, name := range names {
		for _, f := range r.Families {
			r.Curves = append(r.Curves, numbers(f, assess.SiteOut, name, func(i int) bool { return site[i] == s }, "", ""))
		}
	}
	for k, lv := range []string{"women", "men", "not recorded"} {
		numbers(r.Primary, assess.Internal, "", func(i int) bool { return i%40 == 0 && k == 2 && !y[i] || k < 2 && i%2 == k }, "sex", lv)
	}
	for _, c := range []assess.Comparison{
		{Metric: "auc", A: "elasticnet", B: "logistic", Difference: -0.012, Lower: -0.031, Upper: 0.007, P: 0.21, Method: "DeLong, paired"},
		{Metric: "auc", A: "elasticnet", B: "gbm", Difference: -0.0004, Lower: -0.021, Upper: 0.0003, P: 0.057, Method: "DeLong, paired"},
	} {
		c.Validation, c.N, c.Events = assess.Internal, n, ev
		r.Comparisons = append(r.Comparisons, c)
	}
	r.Flow = []assess.FlowStep{{Label: "Patients in the source", N: 703}, {Label: "Adults with an active cancer diagnosis", N: 671, Excluded: 32, Reason: "under 18, or no active cancer"}, {Label: "Outcome known", N: 640, Excluded: 31, Reason: "outcome missing"}}
	r.FlowEnds = []assess.FlowEnd{{Label: "refractory", N: ev, Events: ev}, {Label: "not refractory", N: n - ev}}
	m := assess.Missingness{Sites: names, N: []int{210, 215, 215}}
	for g, by := range []string{"outcome", "site"} {
		groups, ns := [][]string{{"refractory", "not refractory"}, names}[g], [][]int{{ev, n - ev}, m.N}[g]
		t := assess.Table1{By: by, Groups: groups, N: ns}
		for k, v := range []string{"Age", "Pain now", "Daily dose", "Cancer group", "Cancer group", "Cancer group", "C-reactive protein"} {
			w := assess.Table1Row{Variable: v, Unit: []string{"years", "", "mg OME", "", "", "", "mg/L"}[k], Modality: "clinical", Level: []string{"", "", "", "", "Lung", "Breast", ""}[k], SMD: assess.Num(0.05 * float64(k))}
			if w.Level != "" {
				w.SMD = nan
			}
			for q := range groups {
				c := assess.Table1Cell{Median: assess.Num(60 - 9*k + q), Q1: assess.Num(52 - 9*k), Q3: assess.Num(70 - 8*k), Share: nan}
				if w.Level != "" {
					c = assess.Table1Cell{Median: nan, Q1: nan, Q3: nan, Count: 6 + 40*(k-4) + 3*q, Share: assess.Num(0.03 + 0.2*float64(k-4))}
				}
				w.Cells = append(w.Cells, c)
				w.Missing = append(w.Missing, 11*k*q)
			}
			t.Rows = append(t.Rows, w)
		}
		r.Table1 = append(r.Table1, t)
	}
	for k, v := range []string{"Age", "Pain now", "Daily dose", "C-reactive protein", "Tumour invasion index"} {
		m.Predictors = append(m.Predictors, v)
		m.Missing = append(m.Missing, []int{7 * k, 0, 31 * k})
	}
	r.Missingness = m
	r.SampleSize = []assess.Criterion{{Name: "Shrinkage of at most 10 %", Needed: 712, Have: 640, Detail: "R² (Cox-Snell) 0.25, 30 parameters", Binding: true}, {Name: "Average risk within 0.05", Needed: 355, Have: 640, Holds: true, Detail: "event share 0.35"}}
	r.Equations = []assess.Equation{{
		Family: "elasticnet", Scale: "log-odds", Calibration: "none", Steps: []string{"Impute the median of the training rows, with an indicator", "Standardise to mean 0 and standard deviation 1"},
		Terms: []assess.EquationTerm{{Name: "intercept", Estimate: -0.71, Lower: nan, Upper: nan, P: nan}, {Name: "Age", Unit: "year", Estimate: 0.012, Lower: -0.003, Upper: 0.027, P: 0.12}, {Name: "Pain now", Estimate: 0.31, Lower: 0.19, Upper: 0.43, P: 0.0004}},
	}}
	r.Choices = []assess.Choice{{Family: "elasticnet", What: "calibration", Value: "none", Count: 4, Of: 5}}
	r.Warnings = []diag.Warning{{Code: "sample_size", Msg: "30 parameters offered where the criteria allow 27", Count: 1}, {Code: "few_events", Msg: "fewer than 5 events in a stratum: not estimated", Count: 2, First: "sex = not recorded"}}
	r.Attributions = attributionsFor(n)
	return r
}

func auc(p []float64, y []bool) float64 {
	s, k := 0.0, 0.0
	for i := range p {
		for j := range p {
			if y[i] && !y[j] {
				k++
				if p[i] > p[j] {
					s++
				}
			}
		}
	}
	return s / k
}

func curvesFor(p []float64, y []bool) (c assess.Curves) {
	n := len(p)
	c.N = n
	order := make([]int, n)
	for i := range order {
		order[i] = i
		if y[i] {
			c.Events++
		}
	}
	c.Calibration.Edges = make([]float64, 41)
	for i := range c.Calibration.Edges {
		c.Calibration.Edges[i] = float64(i) / 40
	}
	c.Calibration.Events, c.Calibration.Others = make([]int, 40), make([]int, 40)
	for i, v := range p {
		if b := min(39, int(v*40)); y[i] {
			c.Calibration.Events[b]++
		} else {
			c.Calibration.Others[b]++
		}
	}
	if c.Events < 5 {
		c.ROC.Note = fmt.Sprintf("%d events, fewer than 5", c.Events)
		return c
	}
	slices.SortFunc(order, func(a, b int) int {
		if p[a] > p[b] {
			return -1
		}
		return 1
	})
	tp, fp := 0.0, 0.0
	c.ROC.X, c.ROC.Y = []float64{0}, []float64{0}
	e := float64(c.Events)
	for _, i := range order {
		if y[i] {
			tp++
		} else {
			fp++
		}
		c.ROC.X, c.ROC.Y = append(c.ROC.X, fp/(float64(n)-e)), append(c.ROC.Y, tp/e)
		if tp+fp > 6 {
			c.PR.X, c.PR.Y = append(c.PR.X, tp/e), append(c.PR.Y, tp/(tp+fp))
		}
	}
	for i := range 46 {
		x := 0.03 + 0.94*float64(i)/45
		o := 1 / (1 + math.Exp(-0.93*math.Log(x/(1-x))))
		w := 1.2 * math.Sqrt(o*(1-o)/float64(n)*4)
		s := &c.Calibration.Smooth
		s.X, s.Y, s.Lower, s.Upper = append(s.X, x), append(s.Y, o), append(s.Lower, max(0, o-w)), append(s.Upper, min(1, o+w))
	}
	c.Calibration.Method = "loess, span 0.75"
	for g := 9; g >= 0; g-- {
		var q, k, m float64
		for _, i := range order[g*n/10 : (g+1)*n/10] {
			q += p[i]
			m++
			if y[i] {
				k++
			}
		}
		o := k / m
		w := 1.96 * math.Sqrt((o*(1-o)+0.01)/m)
		c.Calibration.Groups = append(c.Calibration.Groups, assess.CalGroup{Predicted: q / m, Observed: o, Lower: max(0, o-w), Upper: min(1, o+w), N: int(m), Events: int(k)})
	}
	for t := 0.02; t < 0.81; t += 0.02 {
		tp, fp = 0, 0
		for i := range p {
			if p[i] >= t {
				if y[i] {
					tp++
				} else {
					fp++
				}
			}
		}
		if math.Abs(t-0.2) < 1e-9 {
			c.Confusion = assess.Confusion{Threshold: 0.2, TP: int(tp), FP: int(fp), FN: c.Events - int(tp), TN: n - c.Events - int(fp)}
		}
		nb := (tp - fp*t/(1-t)) / float64(n)
		d := &c.Decision
		d.Threshold, d.NetBenefit = append(d.Threshold, t), append(d.NetBenefit, nb)
		d.Lower, d.Upper = append(d.Lower, nb-1.1/math.Sqrt(float64(n))), append(d.Upper, nb+1.1/math.Sqrt(float64(n)))
		d.TreatAll = append(d.TreatAll, (e-(float64(n)-e)*t/(1-t))/float64(n))
	}
	return c
}

// variants are shapes of results that pages and figures must bear.
func variants() map[string]*assess.Results {
	none := fixture()
	none.Sites, none.Table1, none.Missingness.Sites = nil, none.Table1[:1], []string{"all"}
	none.Rows = slices.DeleteFunc(none.Rows, func(w assess.Row) bool { return w.Site != "" || w.Validation == assess.Pooled })
	none.Curves = none.Curves[:3]
	none.Simulated = false
	wide := fixture()
	for i := range wide.Rows {
		w := &wide.Rows[i]
		if i%3 == 0 {
			w.Lower -= 40
			w.Upper += 300
		}
	}
	one := fixture()
	one.Sites[0].Sites[1].Estimate, one.Sites[0].Sites[1].Note = assess.Num(math.NaN()), "every one of 215 patients had the event"
	one.Sites[0].Sites[1].Events = 215
	long := fixture()
	long.Study = "<script>alert('x')</script> & a study whose name goes on and on, over several lines of any page that shows it"
	long.Families = []string{"logistic", "elasticnet", "gbm"}
	for i := range long.Missingness.Predictors {
		long.Missingness.Predictors[i] = `"><img src=x onerror=alert(1)> a very long predictor name nobody would read to its end`
	}
	for k := range 30 {
		long.Missingness.Predictors = append(long.Missingness.Predictors, fmt.Sprintf("predictor_%02d", k))
		long.Missingness.Missing = append(long.Missingness.Missing, []int{k, 2 * k, 7 * k})
		long.Equations[0].Terms = append(long.Equations[0].Terms, assess.EquationTerm{Name: fmt.Sprintf("predictor_%02d", k), Estimate: 0.1})
	}
	return map[string]*assess.Results{"plain": fixture(), "nosites": none, "wide": wide, "oneclass": one, "long": long, "empty": {}}
}

// attributionsFor explains n invented patients of two families; a third has none and says why.
func attributionsFor(n int) []explain.Summary {
	random := rng.New(20260714).Child("attributions").Rand()
	fields := []frame.Field{{Name: "breakthrough", Unit: "episodes"}, {Name: "dose slope", Unit: "% a week"}, {Name: "tumour site"}, {Name: "neuropathic items"}, {Name: "age", Unit: "years"}, {Name: "albumin", Unit: "g/L"}}
	effect := []float64{0.5, 0.35, 0, -0.2, -0.1, 0.004}
	value := make([][]float64, len(fields))
	site := make([]int32, n)
	for j := range fields {
		value[j] = make([]float64, n)
		for i := range n {
			value[j][i] = random.NormFloat64()
			if j == 1 && random.IntN(12) == 0 {
				value[j][i] = math.NaN()
			}
			site[i] = int32(random.IntN(3))
		}
	}
	cols := make([]frame.Column, len(fields))
	for j, f := range fields {
		cols[j] = frame.NumberColumn(f, value[j])
	}
	cols[2] = frame.CategoryColumn(frame.Field{Name: "tumour site", Levels: []string{"breast", "lung", "pancreas"}}, site)
	x, err := frame.New(n, cols...)
	if err != nil {
		panic(err)
	}
	var out []explain.Summary
	for k, family := range []string{"elasticnet", "gbm"} {
		t := &explain.Table{Phi: frame.NewMatrix(2*n, len(fields)), TestShare: 0.25}
		t.About = explain.About{Scale: explain.LogOdds, Calibration: "beta or logistic", Background: "the 511 to 513 training rows of each fit, interventional", Averaging: "each row by the model that had not seen it, 10 fits, all 2 repeats counted"}
		t.Phi.Names = x.Schema().Names()
		var rows []int
		for i := range 2 * n {
			fit := i%5 + 5*(i/n)
			rows = append(rows, i%n)
			t.Fold, t.Base, t.Patient = append(t.Fold, fit), append(t.Base, -0.7+0.01*float64(fit)), append(t.Patient, fmt.Sprint(i%n))
			for j := range fields {
				v := value[j][i%n]
				t.Phi.Row(i)[j] = effect[j] * (1 + 0.05*float64(fit%3+k)) * v * (1 + 0.2*float64(k)*random.NormFloat64())
				if v != v {
					t.Phi.Row(i)[j] = -0.05
				}
			}
			t.Phi.Row(i)[2] = []float64{-0.2, 0.05, 0.4}[site[i%n]]
		}
		t.X = x.Take(rows)
		s, err := explain.Summarise(context.Background(), t, &explain.SummaryOptions{Replicates: 100, Stream: rng.New(1)})
		if err != nil {
			panic(err)
		}
		if s.Family, s.Validation = family, assess.Internal; k > 0 {
			s.Swarm = nil
		}
		out = append(out, *s)
	}
	return append(out, explain.Summary{Family: "logistic", Validation: assess.Internal, Note: "logistic: an invented reason why there are none"})
}

func TestFixtureIsCurrent(t *testing.T) {
	b, err := json.Marshal(fixture())
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, "results.json", append(b, '\n'))
}
