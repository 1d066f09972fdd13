package survival

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"dolor/internal/golden"
)

type refData struct {
	Data
	col map[string][]float64
}

func readRef(tb testing.TB, name string) refData {
	tb.Helper()
	cells := golden.CSV(tb, name)
	r := refData{col: map[string][]float64{}}
	for k, v := range cells {
		r.col[k] = golden.Numbers(tb, v)
	}
	r.Time = r.col["time"]
	for _, s := range r.col["status"] {
		r.Status = append(r.Status, int(s))
	}
	return r
}

func ints(v []float64) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}

func TestKaplanMeierGolden(t *testing.T) {
	d := readRef(t, "stats/survival.csv")
	want := golden.Load(t, "stats/survival.expected.json")
	for _, limits := range []Limits{Plain, Log, LogLog} {
		t.Run(limits.String(), func(t *testing.T) {
			c, err := KaplanMeier(d.Data, &CurveOptions{Limits: limits})
			if err != nil {
				t.Fatal(err)
			}
			at := want.Get("kaplan_meier", limits.String(), "at")
			for i, h := range at.Get("horizon").Floats() {
				e := c.At(h)
				golden.Close(t, "surv", e.Value, at.Get("surv", i).Float(), 1e-8)
				golden.Close(t, "se", e.SE, at.Get("se", i).Float(), 1e-8)
				golden.Close(t, "lower", e.Lower, at.Get("lower", i).Float(), 1e-8)
				golden.Close(t, "upper", e.Upper, at.Get("upper", i).Float(), 1e-8)
				golden.Close(t, "n_risk", float64(c.NRisk(h)), at.Get("n_risk", i).Float(), 0)
			}
			q := want.Get("kaplan_meier", limits.String(), "quantiles_25_50_75")
			for i, p := range []float64{.25, .5, .75} {
				e := c.Quantile(p)
				golden.Close(t, "quantile", e.Value, q.Get("time", i).Float(), 1e-8)
				golden.Close(t, "quantile lower", e.Lower, q.Get("lower", i).Float(), 1e-8)
				golden.Close(t, "quantile upper", e.Upper, q.Get("upper", i).Float(), 1e-8)
			}
		})
	}
	c, err := KaplanMeier(d.Data, nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := NelsonAalen(d.Data, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := want.Get("kaplan_meier", "curve")
	floats := func(v []int) []float64 {
		out := make([]float64, len(v))
		for i, x := range v {
			out[i] = float64(x)
		}
		return out
	}
	golden.CloseAll(t, "time", c.Time, w.Get("time").Floats(), 0)
	golden.CloseAll(t, "n_risk", floats(c.AtRisk), w.Get("n_risk").Floats(), 0)
	golden.CloseAll(t, "n_event", floats(c.Events), w.Get("n_event").Floats(), 0)
	golden.CloseAll(t, "n_censor", floats(c.Censor), w.Get("n_censor").Floats(), 0)
	golden.CloseAll(t, "surv", c.S, w.Get("surv").Floats(), 1e-8)
	golden.CloseAll(t, "greenwood_se", c.SE, w.Get("greenwood_se").Floats(), 1e-8)
	golden.CloseAll(t, "nelson_aalen", h.H, w.Get("nelson_aalen").Floats(), 1e-8)
	golden.CloseAll(t, "poisson", h.Poisson, w.Get("nelson_aalen_var_poisson").Floats(), 1e-12)
	golden.CloseAll(t, "binomial", h.Binomial, w.Get("nelson_aalen_var_binomial").Floats(), 1e-12)
	rm := want.Get("restricted_mean")
	for i := range rm.Len() {
		e, err := c.RestrictedMean(rm.Get(i, "horizon").Float())
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, "rmean", e.Value, rm.Get(i, "rmean").Float(), 1e-8)
		golden.Close(t, "rmean se", e.SE, rm.Get(i, "se").Float(), 1e-8)
	}
	groups := want.Get("by_group")
	for i := range groups.Len() {
		g := groups.Get(i)
		var rows []int
		for r, s := range d.col["sex"] {
			if s == g.Get("group").Float() {
				rows = append(rows, r)
			}
		}
		golden.Close(t, "group n", float64(len(rows)), g.Get("n").Float(), 0)
		c, err := KaplanMeier(d.Take(rows), &CurveOptions{Limits: Log})
		if err != nil {
			t.Fatal(err)
		}
		for j, hz := range want.Get("horizons").Floats() {
			golden.Close(t, "group surv", c.At(hz).Value, g.Get("surv", j).Float(), 1e-8)
			golden.Close(t, "group se", c.At(hz).SE, g.Get("se", j).Float(), 1e-8)
		}
		m := c.Quantile(.5)
		golden.Close(t, "median", m.Value, g.Get("median").Float(), 1e-8)
		golden.Close(t, "median lower", m.Lower, g.Get("median_lower").Float(), 1e-8)
		golden.Close(t, "median upper", m.Upper, g.Get("median_upper").Float(), 1e-8)
	}
}

func TestLogRankGolden(t *testing.T) {
	d := readRef(t, "stats/survival.csv")
	want := golden.Load(t, "stats/survival.expected.json").Get("logrank")
	sex, ecog := ints(d.col["sex"]), ints(d.col["ecog"])
	for _, tt := range []struct {
		key    string
		group  []int
		groups int
		o      *LogRankOptions
	}{
		{"two_groups", sex, 2, nil},
		{"by_ecog", ecog, 4, nil},
		{"stratified_by_ecog", sex, 2, &LogRankOptions{Strata: ecog}},
		{"peto_rho_1", sex, 2, &LogRankOptions{Rho: 1}},
	} {
		t.Run(tt.key, func(t *testing.T) {
			got, err := LogRank(d.Data, tt.group, tt.groups, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			w := want.Get(tt.key)
			golden.CloseAll(t, "observed", got.Observed, w.Get("observed").Floats(), 1e-8)
			golden.CloseAll(t, "expected", got.Expected, w.Get("expected").Floats(), 1e-8)
			golden.Close(t, "chisq", got.ChiSq, w.Get("chisq").Float(), 1e-8)
			golden.Close(t, "df", float64(got.DF), w.Get("df").Float(), 0)
			golden.Close(t, "p", got.P, w.Get("p").Float(), 1e-10)
			for i := range tt.groups {
				golden.CloseAll(t, "var", got.Var[i], w.Get("var", i).Floats(), 1e-8)
			}
		})
	}
}

func TestConcordanceGolden(t *testing.T) {
	d := readRef(t, "stats/survival.csv")
	want := golden.Load(t, "stats/survival.expected.json").Get("concordance")
	for _, tt := range []struct {
		key string
		fn  func(Data, []float64, *ConcordanceOptions) (*Concordance, error)
		o   *ConcordanceOptions
	}{
		{"harrell", HarrellC, nil},
		{"harrell_tau", HarrellC, &ConcordanceOptions{Tau: 365}},
		{"uno", UnoC, nil},
		{"uno_tau", UnoC, &ConcordanceOptions{Tau: 365}},
	} {
		t.Run(tt.key, func(t *testing.T) {
			got, err := tt.fn(d.Data, d.col["score"], tt.o)
			if err != nil {
				t.Fatal(err)
			}
			w := want.Get(tt.key)
			golden.Close(t, "c", got.C.Value, w.Get("c").Float(), 1e-8)
			golden.Close(t, "var", got.C.SE*got.C.SE, w.Get("var").Float(), 1e-8)
			golden.Close(t, "se", got.C.SE, w.Get("se").Float(), 1e-8)
			golden.Close(t, "concordant", got.Concordant, w.Get("concordant").Float(), 1e-8)
			golden.Close(t, "discordant", got.Discordant, w.Get("discordant").Float(), 1e-8)
			golden.Close(t, "tied_score", got.TiedScore, w.Get("tied_score").Float(), 1e-8)
			golden.Close(t, "tied_time", got.TiedTime, w.Get("tied_time").Float(), 1e-8)
		})
	}
	own := want.Get("uno_own")
	for key, o := range map[string]*ConcordanceOptions{
		"events_before_censorings": nil, "naive": {Ties: NaiveCensoring},
		"tau_events_before_censorings": {Tau: 365}, "tau_naive": {Tau: 365, Ties: NaiveCensoring},
	} {
		got, err := UnoC(d.Data, d.col["score"], o)
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, key, got.C.Value, own.Get(key).Float(), 1e-8)
	}
}

func TestIPCWGolden(t *testing.T) {
	for _, file := range []string{"survival", "competing"} {
		d := readRef(t, "stats/"+file+".csv")
		want := golden.Load(t, "stats/"+file+".expected.json").Get("ipcw")
		for _, ties := range []Ties{EventsFirst, NaiveCensoring} {
			key := map[Ties]string{EventsFirst: "events_before_censorings", NaiveCensoring: "naive_censoring_km"}[ties]
			list := want.Get(key)
			for i := range list.Len() {
				w := list.Get(i)
				h := w.Get("horizon").Float()
				p := d.col["p"+strconv.Itoa(int(h))]
				got, err := IPCW(d.Data, p, h, &HorizonOptions{Ties: ties})
				if err != nil {
					t.Fatal(err)
				}
				what := strings.Join([]string{file, key, strconv.Itoa(int(h))}, " ")
				golden.Close(t, what+" brier", got.Brier.Value, w.Get("brier").Float(), 1e-8)
				golden.Close(t, what+" rate", got.EventRate.Value, w.Get("weighted_event_rate").Float(), 1e-8)
				golden.Close(t, what+" null", got.BrierNull.Value, w.Get("brier_null").Float(), 1e-8)
				golden.Close(t, what+" scaled", got.BrierScaled.Value, w.Get("brier_scaled").Float(), 1e-8)
				golden.Close(t, what+" auc", got.AUC.Value, w.Get("auc_controls_event_free").Float(), 1e-8)
				golden.Close(t, what+" mean weight", got.MeanWeight, w.Get("mean_weight").Float(), 1e-8)
				golden.Close(t, what+" sum weight cases", got.SumWeightCases, w.Get("sum_weight_cases").Float(), 1e-8)
				golden.Close(t, what+" cases", float64(got.Cases), w.Get("cases").Float(), 0)
				golden.Close(t, what+" controls", float64(got.Controls), w.Get("controls").Float(), 0)
				if file == "competing" {
					golden.Close(t, what+" competing", float64(got.Competing), w.Get("competing").Float(), 0)
					both, err := IPCW(d.Data, p, h, &HorizonOptions{Ties: ties, CompetingControls: true})
					if err != nil {
						t.Fatal(err)
					}
					golden.Close(t, what+" auc both", both.AUC.Value, w.Get("auc_controls_event_free_or_competing").Float(), 1e-8)
				}
				hw, err := Weights(d.Data, h, ties)
				if err != nil {
					t.Fatal(err)
				}
				var total float64
				for _, v := range hw.W {
					total += v
				}
				golden.Close(t, what+" Weights", total/float64(d.N()), w.Get("mean_weight").Float(), 1e-8)
			}
		}
		if file == "survival" {
			hs := golden.Load(t, "stats/survival.expected.json").Get("horizons").Floats()
			var p [][]float64
			for _, h := range hs {
				p = append(p, d.col["p"+strconv.Itoa(int(h))])
			}
			got, err := IntegratedBrier(d.Data, p, hs, nil)
			if err != nil {
				t.Fatal(err)
			}
			golden.Close(t, "integrated brier", got.Value, want.Get("integrated_brier_trapezoid_over_horizons").Float(), 1e-8)
			if !(got.SE > 0) || math.IsNaN(got.Lower) {
				t.Error("integrated brier has no interval")
			}
		}
	}
}
