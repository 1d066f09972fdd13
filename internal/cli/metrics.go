package cli

import (
	"github.com/spf13/cobra"

	"dolor/assess"
	"dolor/study"
)

func (a *app) metrics() *cobra.Command {
	var o study.MetricsTable
	c := &cobra.Command{
		Use: "metrics FILE", Short: "Every metric of a table of outcomes and probabilities, each with its interval", Args: cobra.ExactArgs(1),
		Long: `Reads outcome and probability columns and prints every metric with its interval; with two
probability columns or more, also their paired differences.

  dolor metrics predictions.csv --outcome y --prob p
  dolor metrics predictions.csv --outcome y --prob p --prob q --threshold 0.2 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Outcome == "" || len(o.Prob) == 0 {
				return usage("--outcome and --prob are needed")
			}
			o.File = args[0]
			r, err := study.Metrics(cmd.Context(), &o)
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(r)
			}
			a.warn(r.Warnings)
			a.printf("%d rows, %d events\n", r.N, r.Events)
			for _, m := range r.Metrics {
				name := m.Name
				if m.Threshold == m.Threshold {
					name += " at " + assess.Number(m.Threshold)
				}
				a.printf("%-12s %-34s %9.4f (%.4f to %.4f)  %s\n", m.Column, name, m.Value, m.Lower, m.Upper, m.Method)
			}
			for _, d := range r.Comparisons {
				name := d.Metric
				if d.Threshold != nil {
					name += " at " + assess.Number(float64(*d.Threshold))
				}
				a.printf("%s - %s: %-24s %9.4f (%.4f to %.4f)  p %.3g  %s\n", d.B, d.A, name,
					float64(d.Difference), float64(d.Lower), float64(d.Upper), float64(d.P), d.Method)
			}
			return nil
		},
	}
	c.Flags().StringVar(&o.Outcome, "outcome", "", "outcome column, 0 or 1")
	c.Flags().StringArrayVar(&o.Prob, "prob", nil, "probability column; may be given again")
	c.Flags().Float64SliceVar(&o.Thresholds, "threshold", nil, "threshold probability (default 0.2); may be given again")
	c.Flags().StringSliceVar(&o.Only, "metric", nil, "only these metrics (default: all)")
	c.Flags().StringVar(&o.Weight, "weight", "", "weight column")
	c.Flags().Float64Var(&o.Level, "level", 0.95, "level of the intervals")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of the bootstrap")
	c.Flags().IntVar(&o.Workers, "workers", 0, "parallel work (default: the cores)")
	return c
}
