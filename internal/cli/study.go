package cli

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"dolor/assess"
	"dolor/study"
)

func (a *app) studyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "study",
		Short: "Run a protocol end to end, continue a stopped run, or show a finished one",
		Long: `A protocol is a YAML file that names the data, who is in, the outcome, the predictors, the
models and how they are validated. docs/format/protocol.md describes every key.

  dolor study run examples/heart/study.yaml --out runs/heart
  dolor study resume examples/heart/study.yaml --out runs/heart
  dolor study show runs/heart`,
	}
	c.AddCommand(a.studyRun(false), a.studyRun(true), a.studyShow())
	return c
}

func (a *app) studyRun(resume bool) *cobra.Command {
	var out string
	var workers int
	c := &cobra.Command{
		Use: "run PROTOCOL", Short: "Run the whole protocol", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usage("--out: missing; name the study folder to write")
			}
			start := time.Now()
			env := a.studyEnv()
			p, err := study.Read(args[0], env)
			if err != nil {
				return err
			}
			r, err := study.Run(cmd.Context(), env, p, out, &study.Options{Workers: workers, Progress: a.progress(), Resume: resume})
			if err != nil {
				return err
			}
			a.warn(r.Warnings)
			if !a.json {
				a.summary(r)
				a.printf("Report: %s\n", filepath.Join(out, "report.html"))
				return nil
			}
			return a.answer(map[string]any{
				"study": r.Study, "folder": out, "seconds": time.Since(start).Seconds(), "results": filepath.Join(out, "results.json"),
			})
		},
	}
	if resume {
		c.Use, c.Short = "resume PROTOCOL", "Continue a stopped run with the fits it finished"
	}
	c.Flags().StringVar(&out, "out", "", "study folder to write")
	c.Flags().IntVar(&workers, "workers", 0, "parallel fits (default: the cores); changes no result")
	return c
}

func (a *app) studyShow() *cobra.Command {
	return &cobra.Command{
		Use: "show FOLDER", Short: "Print the summary of a study folder", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := study.Show(args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(r)
			}
			a.summary(r)
			return nil
		},
	}
}

// summary prints what a reader needs first, in about ten lines.
func (a *app) summary(r *assess.Results) {
	sim := ""
	if r.Simulated {
		sim = " (simulated patients)"
	}
	a.printf("%s%s: %d patients, %d events (%.1f %%), outcome %s\n", r.Study, sim, r.N, r.Events, 100*float64(r.Events)/float64(max(1, r.N)), r.Outcome)
	a.printf("%-11s %-11s %-20s %-22s %-20s %s\n", "validation", "model", "AUC", "calibration slope", "Brier", fmt.Sprintf("net benefit at %g (treat all)", r.Decision))
	for _, v := range []string{assess.Internal, assess.Bootstrap, assess.Temporal, assess.External, assess.Pooled} {
		for _, f := range r.Families {
			if auc, ok := r.Find(f, v, "auc", 0); ok {
				slope, _ := r.Find(f, v, "calibration_slope", 0)
				brier, _ := r.Find(f, v, "brier", 0)
				nb, _ := r.Find(f, v, "net_benefit", r.Decision)
				all := ""
				if ta, ok := r.Find(f, v, "net_benefit_treat_all", r.Decision); ok {
					all = fmt.Sprintf(" (%.3f)", float64(ta.Estimate))
				}
				a.printf("%-11s %-11s %-20s %-22s %-20s %s%s\n", v, f, interval(auc, 2), interval(slope, 2), interval(brier, 3), interval(nb, 3), all)
			}
		}
	}
	for _, s := range r.Sites {
		if s.Family == r.Primary && s.Metric == "auc" {
			a.printf("At a new hospital the AUC is expected between %.2f and %.2f (%d hospitals).\n", float64(s.PredLower), float64(s.PredUpper), len(s.Sites))
		}
	}
	switch n := len(r.Warnings); n {
	case 0:
	case 1:
		a.printf("1 warning; it stands in the report where it matters.\n")
	default:
		a.printf("%d warnings; each stands in the report where it matters.\n", n)
	}
}

func interval(r assess.Row, digits int) string {
	if r.Estimate != r.Estimate {
		return "not estimated"
	}
	if r.Lower != r.Lower {
		return fmt.Sprintf("%.*f (no interval)", digits, float64(r.Estimate))
	}
	return fmt.Sprintf("%.*f (%.*f to %.*f)", digits, float64(r.Estimate), digits, float64(r.Lower), digits, float64(r.Upper))
}
