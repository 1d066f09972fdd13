package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"dolor/explain"
	"dolor/figure"
	"dolor/study"
)

func (a *app) explain() *cobra.Command {
	var t study.TableExplain
	c := &cobra.Command{
		Use: "explain", Short: "Attribute predictions to predictors: for one patient, or for a table", Args: cobra.NoArgs,
		Long: `Splits the score of every row into a base and one number for each predictor, which add up to
it. The first line of the CSV names scale, background and averaging; attributions of levels,
spline terms and missingness indicators are summed to their predictor.

  dolor explain --model model.dolor --data new.csv --out s.csv
  dolor explain --model model.dolor --data new.csv --summary --figures figures
  dolor explain --model model.dolor --data new.csv --row 3

Trees follow their training rows down each path unless --background names a file of rows to
compare with. Permutation importance (--permutation --outcome y) and effects (--effect COLUMN)
need predictions only and work for every family; give them rows the model has not seen.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case t.Model == "" || t.Data == "":
				return usage("--model and --data are needed")
			case t.Out == "" && !t.Summary && t.Row == 0 && t.Figures == "" && !t.Permutation && len(t.Effects) == 0:
				return usage("say what to do: --out, --summary, --row, --figures, --permutation or --effect")
			case t.Permutation && t.Outcome.Outcome == "":
				return usage("--permutation needs --outcome")
			}
			r, err := study.ExplainTable(cmd.Context(), a.studyEnv(), &t)
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(r)
			}
			a.warn(r.Warnings)
			a.explained(r, t.Out)
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVar(&t.Model, "model", "", "bundle")
	fl.StringVar(&t.Data, "data", "", "CSV or Parquet file")
	fl.StringVar(&t.Out, "out", "", "CSV file of attributions to write")
	fl.StringVar(&t.ID, "id", "", "column that names the rows")
	fl.BoolVar(&t.Summary, "summary", false, "mean absolute attributions with intervals, direction and stability")
	fl.IntVar(&t.Row, "row", 0, "show this row (from 1) in parts")
	fl.StringVar(&t.Figures, "figures", "", "folder for figures")
	fl.StringVar(&t.Mode, "mode", "", "path or interventional (default: the model's own)")
	fl.StringVar(&t.Background, "background", "", "file of rows to compare with")
	fl.BoolVar(&t.Permutation, "permutation", false, "permutation importance")
	fl.StringVar(&t.Outcome.Outcome, "outcome", "", "outcome column, for --permutation")
	fl.StringSliceVar(&t.Outcome.Event, "event", nil, `values that are the event, or a comparison such as "> 0" (default: 1)`)
	fl.StringArrayVar(&t.Effects, "effect", nil, "partial dependence and accumulated local effects of this predictor; may be given again")
	fl.StringSliceVar(&t.Missing, "missing", nil, "tokens that mean missing")
	fl.Float64Var(&t.Level, "level", 0.95, "level of the intervals")
	fl.Uint64Var(&t.Seed, "seed", 1, "seed of the bootstrap")
	fl.IntVar(&t.Workers, "workers", 0, "parallel work (default: the cores)")
	return c
}

// explained prints what was asked for; every part says its scale, background and averaging first.
func (a *app) explained(r *study.TableExplained, out string) {
	if out != "" {
		a.printf("%d rows explained: %s\n", r.Rows, out)
	}
	if r.About != nil {
		a.printf("scale: %s\nbackground: %s\naveraging: %s\n", r.ScaleText(), r.Background, r.Averaging)
	}
	if s := r.Summary; s != nil {
		a.printf("\nmean base %s; mean absolute attribution of %d rows (%s; %s)\n", number(s.Base), s.N, figure.Percent(s.Level, 0), s.Method)
		for i := range s.Predictors {
			m := &s.Predictors[i]
			a.printf("%-24s %s (%s to %s)  rank %s (%s to %s)  %s", m.Predictor, number(m.MeanAbs), number(m.Lower), number(m.Upper),
				plain(m.Rank), plain(m.RankLower), plain(m.RankUpper), m.Word())
			if m.Direction == m.Direction {
				a.printf(", Spearman %s (%s to %s)", number(m.Direction), number(m.DirectionLower), number(m.DirectionUpper))
			}
			a.printf("\n")
		}
		a.printf("ranking over resamples: mean rank correlation %s, overlap of the first %d %s\n",
			number(s.Stability.RankCorrelation), s.Stability.Top, number(s.Stability.BootOverlap))
	}
	if w := r.Row; w != nil {
		a.printf("\nrow %s: base %s", w.Row, number(explain.Num(w.Base)))
		a.printf(", score %s, predicted %s\n", number(explain.Num(w.Score)), figure.Percent(float64(w.Probability), 1))
		for _, p := range w.Parts {
			a.printf("%8s  %s = %s\n", figure.Signed(p.Phi, 3), p.Predictor, p.Value)
		}
	}
	if p := r.Permutation; p != nil {
		a.printf("\npermutation importance, %d rows, %d events; AUC %s, log loss %s (%s)\n", p.N, p.Events, number(p.AUC), number(p.LogLoss), p.Method)
		for _, m := range p.Predictors {
			a.printf("%-24s log loss %s (%s to %s)  AUC drop %s (%s to %s)\n", m.Predictor, number(m.LogLoss), number(m.LogLossLower), number(m.LogLossUpper),
				number(m.AUC), number(m.AUCLower), number(m.AUCUpper))
		}
	}
	for _, e := range r.Effects {
		a.printf("\n%s of %s, %s, n %d (%s)\n", e.Kind, e.Predictor, e.Scale, e.N, e.Method)
		for k := range e.Y {
			var at string
			if e.Levels != nil {
				at = e.Levels[k]
			} else {
				at = plain(explain.Num(e.X[k]))
			}
			a.printf("%-12s %s (%s to %s)\n", at, number(e.Y[k]), number(e.Lower[k]), number(e.Upper[k]))
		}
	}
	for _, f := range r.Figures {
		a.printf("figure: %s\n", f)
	}
}

// number writes three decimals, or that there is none.
func number(v explain.Num) string { return figure.Fixed(float64(v), 3) }

// plain writes as many digits as the number needs.
func plain(v explain.Num) string {
	if v != v {
		return figure.Undefined
	}
	return strconv.FormatFloat(float64(v), 'g', 6, 64)
}
