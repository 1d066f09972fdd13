package cli

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"dolor/figure"
	"dolor/study"
)

func (a *app) report() *cobra.Command {
	var workers int
	c := &cobra.Command{
		Use: "report FOLDER", Short: "Derive results, figures and report again from a study folder; refits nothing", Args: cobra.ExactArgs(1),
		Long: `Computes every number and curve again from the predictions in the study folder and writes
results.json, tripod.json, figures/ and report.html. No model is fitted.

  dolor report runs/heart`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := study.Rederive(cmd.Context(), a.studyEnv(), args[0], &study.Options{Workers: workers, Progress: a.progress()})
			if err != nil {
				return err
			}
			path := filepath.Join(args[0], "report.html")
			if a.json {
				return a.answer(map[string]any{"study": r.Study, "folder": args[0], "report": path})
			}
			a.printf("Report: %s\n", path)
			return nil
		},
	}
	c.Flags().IntVar(&workers, "workers", 0, "parallel work (default: the cores); changes no result")
	return c
}

func (a *app) figure() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use: "figure FOLDER", Short: "Draw the figures of a study folder as SVG, PNG and PDF", Args: cobra.ExactArgs(1),
		Long: `Draws every figure from results.json alone.

  dolor figure runs/heart --out figures`,
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return usage("--out: missing; name the folder for the figures")
			}
			r, err := study.Show(args[0])
			if err != nil {
				return err
			}
			names, err := figure.WriteAll(out, r)
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(map[string]any{"figures": names})
			}
			for _, n := range names {
				a.printf("%s\n", filepath.Join(out, n))
			}
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "folder to write")
	return c
}
