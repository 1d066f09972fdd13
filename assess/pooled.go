package assess

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"dolor/diag"
	"dolor/internal/glm"
	"dolor/pool"
	"dolor/samplesize"
)

// pooledMetrics are summarised over sites, each on the scale where its error is normal.
var pooledMetrics = []struct {
	name       string
	sc         scale
	reference  float64
	threshold  bool
	draw       bool    // a forest plot of its own
	least, top float64 // the possible range; intervals on three sites can leave it
}{
	{"auc", logOdds, 0.5, false, true, 0, 1},
	{"brier", identity, math.NaN(), false, true, 0, 1},
	{"oe_ratio", logarithm, 1, false, true, 0, math.Inf(1)},
	{"calibration_intercept", identity, 0, false, true, math.Inf(-1), math.Inf(1)},
	{"calibration_slope", identity, 1, false, true, math.Inf(-1), math.Inf(1)},
	{"net_benefit", identity, 0, true, true, math.Inf(-1), 1},
	{"net_benefit_treat_all", identity, 0, true, false, math.Inf(-1), 1},
	{"net_benefit_vs_treat_all", identity, 0, true, true, -1, 1},
}

func toScale(v float64, sc scale) float64 {
	switch sc {
	case logOdds:
		return glm.Logit(v)
	case logarithm:
		return math.Log(v)
	default:
		return v
	}
}

func fromScale(v float64, sc scale) float64 {
	switch sc {
	case logOdds:
		return glm.Expit(v)
	case logarithm:
		return math.Exp(v)
	default:
		return v
	}
}

// pooled summarises the left-out sites by random effects: restricted maximum likelihood with
// the Hartung-Knapp interval, and a prediction interval for a new site. The standard error
// of a site is read off its interval on the metric's scale, so all intervals agree.
func pooled(in *Input, r *Results) {
	z := distuv.UnitNormal.Quantile(0.5 + in.Level/2)
	for _, f := range in.Families {
		for _, pm := range pooledMetrics {
			p := SitePool{
				Family: f, Metric: pm.name, Reference: Num(pm.reference), Estimate: Num(math.NaN()), Lower: Num(math.NaN()),
				Upper: Num(math.NaN()), PredLower: Num(math.NaN()), PredUpper: Num(math.NaN()), Tau2: Num(math.NaN()), I2: Num(math.NaN()),
			}
			var effects []pool.Effect
			n, events := 0, 0
			for _, x := range r.Rows {
				if x.Validation != SiteOut || x.Family != f || x.Metric != pm.name || x.Subgroup != "" ||
					pm.threshold && (x.Threshold == nil || float64(*x.Threshold) != in.Decision) {
					continue
				}
				p.Threshold = x.Threshold
				st := SiteStat{Site: x.Site, N: x.N, Events: x.Events, Estimate: x.Estimate, Lower: x.Lower, Upper: x.Upper}
				lo, hi := toScale(float64(x.Lower), pm.sc), toScale(float64(x.Upper), pm.sc)
				se := (hi - lo) / (2 * z)
				if e, err := pool.Plain(toScale(float64(x.Estimate), pm.sc), se); err == nil && se > 0 {
					effects = append(effects, e)
					n += x.N
					events += x.Events
				} else {
					st.Note = x.Method
				}
				p.Sites = append(p.Sites, st)
			}
			if len(p.Sites) == 0 {
				continue
			}
			if len(effects) < 2 {
				p.Method = "not pooled: fewer than two sites with an estimate"
				r.Sites = append(r.Sites, p)
				continue
			}
			c, err := pool.Combine(effects, &pool.Options{Tau2: pool.REML, Level: in.Level})
			if err != nil {
				p.Method = "not pooled: " + err.Error()
				r.Sites = append(r.Sites, p)
				continue
			}
			fill(&p, c, pm.sc)
			for _, v := range []*Num{&p.Lower, &p.Upper, &p.PredLower, &p.PredUpper} {
				*v = Num(math.Min(math.Max(float64(*v), pm.least), pm.top))
			}
			if pm.draw {
				r.Sites = append(r.Sites, p)
			}
			pl, pu := p.PredLower, p.PredUpper
			r.Rows = append(r.Rows, Row{
				Family: f, Configuration: "all", Validation: Pooled, Metric: pm.name, Threshold: p.Threshold,
				Estimate: p.Estimate, Lower: p.Lower, Upper: p.Upper, Level: in.Level,
				PredictionLower: &pl, PredictionUpper: &pu, N: n, Events: events, Method: p.Method,
			})
			if len(effects) < 5 && pm.name == "auc" {
				r.Warnings = diag.Merge(r.Warnings, diag.Warning{
					Code: "few_sites", Count: 1, First: f,
					Msg: "fewer than five sites: the spread between sites, and so the prediction interval for a new one, is hardly known",
				})
			}
		}
	}
}

// corrected adds bootstrap rows: apparent performance less the mean optimism; the interval is
// the apparent one moved by the same amount (Noma et al. 2021, doi:10.1002/sim.9148).
func corrected(in *Input, r *Results) {
	if len(in.Optimism) == 0 {
		return
	}
	apparent := slices.Clone(r.Rows)
	for _, x := range apparent {
		if x.Validation != Apparent || x.Subgroup != "" {
			continue
		}
		sum, n := 0.0, 0
		for _, o := range in.Optimism {
			if o.Family != x.Family {
				continue
			}
			for _, s := range o.Stats {
				if s.Metric == x.Metric && sameThreshold(s.Threshold, x.Threshold) && s.Resample != nil && s.Original != nil {
					sum += *s.Resample - *s.Original
					n++
				}
			}
		}
		if x.Metric == "net_benefit_treat_all" { // no model, so no optimism
			x.Validation = Bootstrap
			r.Rows = append(r.Rows, x)
			continue
		}
		if n == 0 {
			continue
		}
		opt := sum / float64(n)
		x.Validation = Bootstrap
		x.Estimate -= Num(opt)
		x.Lower -= Num(opt)
		x.Upper -= Num(opt)
		x.Method = "apparent (" + x.Method + ") less the mean optimism of " + itoa(n) + " bootstrap replicates; interval shifted"
		r.Rows = append(r.Rows, x)
	}
}

func sameThreshold(a *float64, b *Num) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return *a == float64(*b)
}

// sampleSize holds the development data against Riley's criteria and each external set
// against the precision wanted of a validation.
func sampleSize(in *Input, r *Results) {
	n, events := 0, 0
	part, _ := in.Frame.Column(in.Keys.Part)
	y, _ := in.Frame.Column(in.Keys.Outcome)
	for i := range in.Frame.Rows() {
		if part.Codes()[i] == 0 {
			n++
			events += int(y.Numbers()[i])
		}
	}
	if parameters := in.Parameters[in.Primary]; parameters > 0 && events > 0 && events < n {
		r.SampleSize = developmentCriteria(n, events, parameters)
	}
	for _, v := range []string{Temporal, External} {
		r.SampleSize = append(r.SampleSize, validationCriteria(in, r, v)...)
	}
	for _, c := range r.SampleSize {
		if !c.Holds {
			r.Warnings = diag.Merge(r.Warnings, diag.Warning{
				Code: "sample_size", Count: 1, First: c.Name,
				Msg: c.short(),
			})
		}
	}
}

// choices counts which recalibration the fits chose.
func choices(in *Input, r *Results) {
	for _, f := range in.Families {
		counts, of := make(map[string]int), 0
		for _, t := range in.Tasks {
			if t.Family == f && t.Kind != "bootstrap" {
				counts[t.Calibration]++
				of++
			}
		}
		names := make([]string, 0, len(counts))
		for k := range counts {
			names = append(names, k)
		}
		slices.SortFunc(names, func(a, b string) int {
			if counts[a] != counts[b] {
				return counts[b] - counts[a]
			}
			if a < b {
				return -1
			}
			return 1
		})
		for _, k := range names {
			r.Choices = append(r.Choices, Choice{Family: f, What: "calibration", Value: k, Count: counts[k], Of: of})
		}
	}
}

// fill maps the random-effects summary back to the metric's own scale: mean with the
// truncated Hartung-Knapp interval, and the range expected at a new site.
func fill(p *SitePool, c *pool.Result, sc scale) {
	back := func(v float64) Num { return Num(fromScale(v, sc)) }
	p.Estimate = back(c.Mu)
	p.Lower, p.Upper = back(c.HKTruncated.Lower), back(c.HKTruncated.Upper)
	p.PredLower, p.PredUpper = back(c.PredictTruncated.Lower), back(c.PredictTruncated.Upper)
	p.Tau2, p.I2 = Num(c.Tau2), Num(c.I2Tau)
	p.Method = "random effects (REML), Hartung-Knapp truncated, " + [...]string{"identity", "logit", "log"}[sc] + " scale"
}

// assumedNagelkerke is the share of the largest possible R2 that a model is taken to reach
// before it exists, as Riley et al. 2019 advise when nothing better is known.
const assumedNagelkerke = 0.15

// developmentCriteria holds n patients against the criteria for developing a model.
func developmentCriteria(n, events, parameters int) []Criterion {
	prevalence := float64(events) / float64(n)
	rep, err := samplesize.DevelopmentReport(n, samplesize.Development{
		Prevalence: prevalence, R2: samplesize.R2FromNagelkerke(assumedNagelkerke, prevalence), Parameters: parameters,
	})
	if err != nil {
		return nil
	}
	var out []Criterion
	for _, c := range rep.Criteria {
		out = append(out, Criterion{
			Name: c.Name, Needed: c.Ceiling, Have: n, Holds: n >= c.Ceiling, Binding: c.Name == rep.Binding,
			Detail: fmt.Sprintf("%s; %d candidate parameters, R2 taken as 15 %% of its maximum", c.Cite, parameters),
		})
	}
	return out
}

// short says what it means that a criterion is not met.
func (c Criterion) short() string {
	if strings.HasPrefix(c.Name, Temporal) || strings.HasPrefix(c.Name, External) {
		return "fewer patients than a precise validation needs: its intervals are wide"
	}
	return "fewer patients than Riley's criteria ask for: expect predictions too extreme and unstable"
}

// validationCriteria holds a validation set against the numbers needed for intervals of width
// 0.2 of O/E and slope and 0.1 of the C statistic, expecting the AUC and the spread of
// predictions that were found.
func validationCriteria(in *Input, r *Results, validation string) []Criterion {
	auc, ok := r.Find(in.Primary, validation, "auc", 0)
	if !ok || math.IsNaN(float64(auc.Estimate)) || auc.Events == 0 || auc.Events == auc.N {
		return nil
	}
	v := samplesize.Validation{Prevalence: float64(auc.Events) / float64(auc.N), C: float64(auc.Estimate)}
	p := in.Predictions
	for i := range p.Len() {
		if p.Family[i] == in.Primary && p.Validation[i] == validation {
			v.LP = append(v.LP, glm.Logit(math.Min(math.Max(p.Probability[i], 1e-8), 1-1e-8)))
		}
	}
	rep, err := samplesize.ValidationReport(auc.N, v)
	if err != nil {
		return nil
	}
	var out []Criterion
	for _, c := range rep.Criteria {
		out = append(out, Criterion{
			Name: validation + ": " + c.Name, Needed: c.Ceiling, Have: auc.N, Holds: auc.N >= c.Ceiling,
			Binding: c.Name == rep.Binding, Detail: c.Cite + "; expecting the AUC and predictions found",
		})
	}
	return out
}
