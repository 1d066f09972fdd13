package metric_test

import (
	"context"
	"math"
	"testing"

	"dolor/internal/golden"
	"dolor/metric"
	"dolor/rng"
)

func calCase(t *testing.T, name string) (d metric.Data, p2 []float64) {
	t.Helper()
	c := golden.CSV(t, "stats/calibration.csv")
	p, q, y := golden.Numbers(t, c["p"]), golden.Numbers(t, c["p2"]), golden.Numbers(t, c["y"])
	for i, n := range c["case"] {
		if n == name {
			d.P, d.Y, p2 = append(d.P, p[i]), append(d.Y, y[i] == 1), append(p2, q[i])
		}
	}
	return d, p2
}

func TestCalibrationAgainstR(t *testing.T) {
	all := golden.Load(t, "stats/calibration.expected.json")
	for _, name := range []string{"sim", "ties", "small", "rare", "birthwt"} {
		t.Run(name, func(t *testing.T) {
			d, p2 := calCase(t, name)
			g := all.Get(name)
			near := func(got, tol float64, path ...any) {
				t.Helper()
				golden.Close(t, pathText(path), got, g.Get(path...).Float(), tol)
			}
			pair := func(lo, hi, tol float64, path ...any) {
				t.Helper()
				golden.CloseAll(t, pathText(path), []float64{lo, hi}, g.Get(path...).Floats(), tol)
			}
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			near(float64(d.N()), 0, "n")
			near(float64(d.Events()), 0, "events")
			o, err := metric.ObservedExpected(d, .95)
			must(err)
			near(o.Expected/float64(d.N()), 1e-10, "mean_p")
			near(o.Observed, 0, "observed_expected", "observed")
			near(o.Expected, 1e-10, "observed_expected", "expected")
			near(o.Ratio.Value, 1e-10, "observed_expected", "ratio")
			pair(o.Poisson.Lower, o.Poisson.Upper, 1e-8, "observed_expected", "ci_exact_poisson")
			near(o.SELog, 1e-10, "observed_expected", "se_log_binomial")
			pair(o.Ratio.Lower, o.Ratio.Upper, 1e-10, "observed_expected", "ci_lognormal_binomial")
			near(o.SELogPoisson, 1e-10, "observed_expected", "se_log_poisson")
			half := 1.959963984540054 * o.SELogPoisson
			pair(o.Ratio.Value*math.Exp(-half), o.Ratio.Value*math.Exp(half), 1e-10, "observed_expected", "ci_lognormal_poisson")
			near(o.MeanDifference, 1e-10, "observed_expected", "mean_difference")
			c, err := metric.CalibrationInTheLarge(d, .95)
			must(err)
			near(c.Wald.Value, 1e-8, "citl", "intercept")
			near(c.SE, 1e-8, "citl", "se")
			pair(c.Wald.Lower, c.Wald.Upper, 1e-8, "citl", "ci_wald")
			pair(c.Profile.Lower, c.Profile.Upper, 1e-7, "citl", "ci_profile")
			near(c.Z, 1e-7, "citl", "z")
			near(c.P, 1e-8, "citl", "p")
			near(c.LR, 1e-8, "citl", "lr_chisq")
			near(c.LRP, 1e-8, "citl", "lr_p")
			s, err := metric.Recalibration(d, .95)
			must(err)
			near(s.Intercept.Value, 1e-7, "slope", "intercept")
			near(s.Slope.Value, 1e-7, "slope", "slope")
			pair(s.SE[0], s.SE[1], 1e-7, "slope", "se")
			for i := range 2 {
				pair(s.Cov[i][0], s.Cov[i][1], 1e-7, "slope", "vcov", i)
			}
			pair(s.Intercept.Lower, s.Intercept.Upper, 1e-7, "slope", "ci_wald_intercept")
			pair(s.Slope.Lower, s.Slope.Upper, 1e-7, "slope", "ci_wald_slope")
			pair(s.ProfileSlope.Lower, s.ProfileSlope.Upper, 1e-7, "slope", "ci_profile_slope")
			pair(s.ProfileIntercept.Lower, s.ProfileIntercept.Upper, 1e-7, "slope", "ci_profile_intercept")
			near(s.Z, 1e-7, "slope", "z_slope_vs_1")
			near(s.P, 1e-7, "slope", "p_slope_vs_1")
			near(s.JointWald, 1e-7, "slope", "joint_wald_chisq")
			near(s.JointWaldP, 1e-7, "slope", "joint_wald_p")
			near(s.JointLR, 1e-7, "slope", "joint_lr_chisq")
			near(s.JointLRP, 1e-7, "slope", "joint_lr_p")
			near(s.Deviance, 1e-8, "slope", "deviance")
			b, se, err := metric.BrierSE(d)
			must(err)
			near(b, 1e-10, "brier")
			near(se, 1e-10, "brier_se")
			sb, err := metric.ScaledBrier(d, .95)
			must(err)
			near(sb.Value, 1e-10, "brier_scaled")
			ll, err := metric.LogLoss(d, .95)
			must(err)
			near(ll.Value, 1e-10, "log_loss")
			ll0, err := metric.LogLossNull(d)
			must(err)
			near(ll0, 1e-10, "log_loss_null")
			z, p, err := metric.Spiegelhalter(d)
			must(err)
			near(z, 1e-8, "spiegelhalter", "z")
			near(p, 1e-8, "spiegelhalter", "p_two_sided")
			r2, err := metric.RSquared(d)
			must(err)
			r2r, err := metric.RSquaredRecalibrated(d)
			must(err)
			for key, r := range map[string]metric.R2{"r2_of_p": r2, "r2_after_recalibration": r2r} {
				near(r.LR, 1e-8, key, "lr_chisq")
				near(r.CoxSnell, 1e-8, key, "cox_snell")
				near(r.MaxCox, 1e-8, key, "cox_snell_max")
				near(r.Nagelkerke, 1e-8, key, "nagelkerke")
				near(r.McFadden, 1e-8, key, "mcfadden")
			}
			tj, err := metric.Tjur(d, .95)
			must(err)
			near(tj.Value, 1e-10, "tjur_discrimination_slope")
			for _, how := range []metric.Binning{metric.Quantile7, metric.EqualCount} {
				h, err := metric.HosmerLemeshowTest(d, how, 10)
				must(err)
				k := []any{"hosmer_lemeshow", string(how)}
				at := func(key string) []any { return append(k[:2:2], key) }
				near(float64(len(h.Groups)), 0, at("groups")...)
				var n, ob, ex []float64
				for _, b := range h.Groups {
					n, ob, ex = append(n, float64(b.N)), append(ob, b.Events), append(ex, b.MeanP*b.Weight)
				}
				golden.CloseAll(t, "hl n", n, g.Get(at("n")...).Floats(), 0)
				golden.CloseAll(t, "hl observed", ob, g.Get(at("observed")...).Floats(), 1e-10)
				golden.CloseAll(t, "hl expected", ex, g.Get(at("expected")...).Floats(), 1e-10)
				near(h.ChiSq, 1e-8, at("chisq")...)
				near(float64(h.DFDevelopment), 0, at("df_development")...)
				near(h.PDevelopment, 1e-8, at("p_development")...)
				near(float64(h.DFValidation), 0, at("df_validation")...)
				near(h.PValidation, 1e-8, at("p_validation")...)
			}
			for _, how := range []metric.Binning{metric.WidthRight, metric.WidthLeft, metric.Quantile7, metric.EqualCount} {
				e, err := metric.CalibrationErrorBinned(d, how, 10)
				must(err)
				near(e.ECE, 1e-10, "ece10", string(how), "ece")
				near(e.MCE, 1e-10, "ece10", string(how), "mce")
				near(e.RMSCE, 1e-10, "ece10", string(how), "rmsce")
				var bin, n, mp, my []float64
				for _, b := range e.Groups {
					bin, n, mp, my = append(bin, float64(b.Bin)), append(n, float64(b.N)), append(mp, b.MeanP), append(my, b.MeanY)
				}
				w := g.Get("ece10", string(how), "bins")
				golden.CloseAll(t, "bin "+string(how), bin, w.Get("bin").Floats(), 0)
				golden.CloseAll(t, "bin n", n, w.Get("n").Floats(), 0)
				golden.CloseAll(t, "bin p", mp, w.Get("mean_p").Floats(), 1e-10)
				golden.CloseAll(t, "bin y", my, w.Get("mean_y").Floats(), 1e-10)
			}
			for _, how := range []metric.Binning{metric.WidthRight, metric.Quantile7} {
				m, err := metric.MurphyDecomposition(d, how, 10)
				must(err)
				for key, v := range map[string]float64{
					"reliability": m.Reliability, "resolution": m.Resolution, "uncertainty": m.Uncertainty, "brier": m.Brier,
					"within_bin_variance": m.WithinVariance, "within_bin_covariance": m.WithinCovariance, "brier_binned": m.BrierBinned,
				} {
					near(v, 1e-10, "murphy10", string(how), key)
				}
				golden.Close(t, "identity", m.BrierBinned+m.WithinVariance-m.WithinCovariance, m.Brier, 1e-12)
			}
			m, err := metric.MurphyDistinct(d)
			must(err)
			near(m.Reliability, 1e-10, "murphy_distinct_p", "reliability")
			near(m.Resolution, 1e-10, "murphy_distinct_p", "resolution")
			near(m.Uncertainty, 1e-10, "murphy_distinct_p", "uncertainty")
			near(m.Uncertainty, 1e-10, "brier_null")
			vp, err := metric.ValProbIndices(d)
			must(err)
			for key, v := range map[string]float64{"D": vp.D, "D:Chi-sq": vp.DChiSq, "U": vp.U, "U:Chi-sq": vp.UChiSq, "U:p": vp.UP, "Q": vp.Q, "Brier": b, "S:z": z, "S:p": p, "R2": r2.Nagelkerke} {
				near(v, 1e-2, "val_prob", key)
			}
			near(s.Intercept.Value, 1e-4, "val_prob", "Intercept")
			near(s.Slope.Value, 1e-4, "val_prob", "Slope")
			smoothGolden(t, d, g)
			reclassGolden(t, d, p2, g.Get("reclassification_p_to_p2"))
		})
	}
	lo, hi := metric.PoissonLimits(0, .95)
	e := all.Get("zero_events_poisson", "expected").Float()
	golden.CloseAll(t, "no events", []float64{lo / e, hi / e}, all.Get("zero_events_poisson", "ci_exact_poisson").Floats(), 1e-8)
}

func pathText(path []any) string {
	s := ""
	for _, p := range path {
		if k, ok := p.(string); ok {
			s += "." + k
		}
	}
	return s
}

func smoothGolden(t *testing.T, d metric.Data, g golden.Value) {
	t.Helper()
	ici := func(o metric.SmoothOptions, clip bool, want golden.Value, tol float64) metric.SmoothError {
		t.Helper()
		e, err := metric.ICI(context.Background(), d, .95, rng.New(1), &metric.ICIOptions{Smooth: o, Clip: clip, Replicates: -1})
		if err != nil {
			t.Fatal(err)
		}
		golden.Close(t, e.Smoother+" ici", e.ICI.Value, want.Get("ici").Float(), tol)
		golden.Close(t, e.Smoother+" e50", e.E50.Value, want.Get("e50").Float(), tol)
		golden.Close(t, e.Smoother+" e90", e.E90.Value, want.Get("e90").Float(), tol)
		golden.Close(t, e.Smoother+" emax", e.Emax.Value, want.Get("emax").Float(), tol)
		golden.Close(t, e.Smoother+" mse", e.MSE, want.Get("mse").Float(), tol)
		return e
	}
	for key, m := range map[string]metric.Smoother{"direct": metric.Loess, "interpolate": metric.LoessInterpolate} {
		ici(metric.SmoothOptions{Method: m}, false, g.Get("loess", key), 1e-8)
		ici(metric.SmoothOptions{Method: m}, true, g.Get("loess", key, "clipped_to_0_1"), 1e-8)
	}
	low := ici(metric.SmoothOptions{Method: metric.Lowess}, false, g.Get("lowess", "error_default_delta"), 1e-7)
	golden.Close(t, "val_prob Eavg", low.ICI.Value, g.Get("val_prob", "Eavg").Float(), 1e-7)
	golden.Close(t, "val_prob E90", low.E90.Value, g.Get("val_prob", "E90").Float(), 1e-7)
	golden.Close(t, "val_prob Emax", low.Emax.Value, g.Get("val_prob", "Emax").Float(), 1e-7)
	rows := g.Get("loess", "row").Floats()
	for k, key := range map[int]string{3: "rcs3", 4: "rcs4", 5: "rcs5"} {
		if !g.Has(key) || g.Get(key).IsNull() || !g.Get(key).Has("coef") {
			t.Errorf("%s: no reference", key)
			continue
		}
		ici(metric.SmoothOptions{Method: metric.RCS, Knots: k}, false, g.Get(key), 1e-6)
		f, err := metric.SplineCalibration(d, k)
		if err != nil {
			t.Fatal(err)
		}
		golden.CloseAll(t, key+" knots", f.Knots, g.Get(key, "knots_logit").Floats(), 1e-9)
		golden.CloseAll(t, key+" coef", f.Coef, g.Get(key, "coef").Floats(), 1e-6)
		golden.Close(t, key+" deviance", f.Deviance, g.Get(key, "deviance").Float(), 1e-8)
		golden.Close(t, key+" nonlinearity", f.NonlinearityLR, g.Get(key, "nonlinearity_lr_chisq").Float(), 1e-7)
		var grid []float64
		for _, r := range rows {
			grid = append(grid, d.P[int(r)-1])
		}
		c, err := metric.SmoothCurve(context.Background(), d, .95, rng.New(1), &metric.CurveOptions{Smooth: metric.SmoothOptions{Method: metric.RCS, Knots: k}, Grid: grid})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range g.Get(key, "fitted_at_row").Floats() {
			golden.Close(t, key+" fitted", c.Points[i].Observed, v, 1e-6)
		}
	}
}

func reclassGolden(t *testing.T, d metric.Data, q []float64, g golden.Value) {
	t.Helper()
	i, err := metric.IntegratedDiscrimination(d, q, .95)
	if err != nil {
		t.Fatal(err)
	}
	for key, v := range map[string]float64{"idi": i.IDI.Value, "events": i.Events, "nonevents": i.NonEvents, "se": i.SE, "z": i.Z, "p": i.P, "relative": i.Relative} {
		golden.Close(t, "idi "+key, v, g.Get("idi", key).Float(), 1e-8)
	}
	golden.CloseAll(t, "idi ci", []float64{i.IDI.Lower, i.IDI.Upper}, g.Get("idi", "ci").Floats(), 1e-8)
	for key, cuts := range map[string][]float64{"nri_categorical": {.2, .5}, "nri_continuous": nil} {
		w := g.Get(key)
		n, err := metric.NetReclassification(d, q, cuts, .95)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range map[string]float64{
			"up_events": n.UpEvents, "down_events": n.DownEvents, "up_nonevents": n.UpOthers, "down_nonevents": n.DownOthers,
			"nri_events": n.Events, "nri_nonevents": n.NonEvents, "nri": n.NRI.Value, "null_se_events": n.NullSEEvents,
			"null_se_nonevents": n.NullSENonEvents, "null_se": n.NullSE, "z": n.Z, "p": n.P, "se_events": n.SEEvents,
			"se_nonevents": n.SENonEvents, "se": n.SE,
		} {
			golden.Close(t, key+" "+k, v, w.Get(k).Float(), 1e-8)
		}
		golden.CloseAll(t, key+" ci", []float64{n.NRI.Lower, n.NRI.Upper}, w.Get("ci").Floats(), 1e-8)
		if cuts != nil {
			for r := range 3 {
				golden.CloseAll(t, "table events", n.TableEvents[r], w.Get("table_events", r).Floats(), 0)
				golden.CloseAll(t, "table others", n.TableOthers[r], w.Get("table_nonevents", r).Floats(), 0)
			}
		}
		if len(n.Warnings) != 2 {
			t.Error("NRI must carry its two warnings")
		}
	}
}
