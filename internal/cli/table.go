package cli

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"dolor/diag"
	"dolor/study"
)

// outcomeFlags are shared by the verbs that read an outcome from a table.
type outcomeFlags struct{ o study.TableOutcome }

func (f *outcomeFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.o.Outcome, "outcome", "", "outcome column")
	fl.StringSliceVar(&f.o.Event, "event", nil, `values that are the event, or a comparison such as "> 0" (default: 1)`)
	fl.StringVar(&f.o.Time, "time", "", "follow-up time column, for an outcome that may be censored")
	fl.StringVar(&f.o.Status, "status", "", "column that says how follow-up ended")
	fl.StringSliceVar(&f.o.Competing, "competing", nil, "values of the status that are competing events")
	fl.Float64Var(&f.o.Horizon, "horizon", 0, "time by which the event counts")
	fl.StringVar(&f.o.ID, "id", "", "patient column")
	fl.StringVar(&f.o.Site, "site", "", "hospital column")
	fl.StringSliceVar(&f.o.Missing, "missing", nil, "tokens that mean missing")
}

func (a *app) fit() *cobra.Command {
	var of outcomeFlags
	var family, data, params, out string
	var seed uint64
	var workers int
	c := &cobra.Command{
		Use: "fit", Short: "Fit one family on one table", Args: cobra.NoArgs,
		Long: `Fits one family on every column that is not outcome, id or site, with the default
preprocessing, no tuning and no recalibration, and writes a bundle.

  dolor fit --family logistic --data train.csv --outcome y --out model.dolor`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case family == "" || data == "" || out == "":
				return usage("--family, --data and --out are needed")
			case of.o.Outcome == "" && of.o.Time == "":
				return usage("--outcome (or --time with --status) is needed")
			}
			start := time.Now()
			r, err := study.FitTable(cmd.Context(), a.studyEnv(), &study.TableFit{
				Family: family, Data: data, Params: json.RawMessage(params), Out: out, Seed: seed, Workers: workers, TableOutcome: of.o,
			})
			if err != nil {
				return err
			}
			a.warn(r.Warnings)
			r.Seconds = time.Since(start).Seconds()
			if a.json {
				return a.answer(r)
			}
			a.printf("%s fitted on %d rows, %d events: %s\n", r.Family, r.Rows, r.Events, out)
			return nil
		},
	}
	of.add(c)
	c.Flags().StringVar(&family, "family", "", "model family")
	c.Flags().StringVar(&data, "data", "", "CSV or Parquet file")
	c.Flags().StringVar(&params, "params", "", "hyperparameters as JSON")
	c.Flags().StringVar(&out, "out", "", "bundle to write")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of all randomness")
	c.Flags().IntVar(&workers, "workers", 0, "parallel work (default: the cores)")
	return c
}

func (a *app) predict() *cobra.Command {
	var bundle, data, out, id string
	var missing []string
	c := &cobra.Command{
		Use: "predict", Short: "Predict the rows of a table with a bundle", Args: cobra.NoArgs,
		Long: `Writes one line for each row: its number (or id) and the predicted probability.

  dolor predict --model model.dolor --data new.csv --out p.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if bundle == "" || data == "" || out == "" {
				return usage("--model, --data and --out are needed")
			}
			n, ws, err := study.PredictTable(cmd.Context(), a.studyEnv(), bundle, data, id, out, missing)
			if err != nil {
				return err
			}
			a.warn(ws)
			if a.json {
				return a.answer(map[string]any{"rows": n, "out": out, "warnings": orEmpty(ws)})
			}
			a.printf("%d predictions: %s\n", n, out)
			return nil
		},
	}
	c.Flags().StringVar(&bundle, "model", "", "bundle")
	c.Flags().StringVar(&data, "data", "", "CSV or Parquet file")
	c.Flags().StringVar(&out, "out", "", "CSV file to write")
	c.Flags().StringVar(&id, "id", "", "column that names the rows")
	c.Flags().StringSliceVar(&missing, "missing", nil, "tokens that mean missing")
	return c
}

func orEmpty(ws []diag.Warning) []diag.Warning {
	if ws == nil {
		return []diag.Warning{}
	}
	return ws
}

func (a *app) validate() *cobra.Command {
	var of outcomeFlags
	var bundle, data, out string
	var workers int
	c := &cobra.Command{
		Use: "validate", Short: "Validate a frozen model on new data: the full external report, no refit", Args: cobra.NoArgs,
		Long: `Predicts every row with the bundle as it is and writes a study folder with the external
validation: discrimination, calibration, net benefit, figures and report.

  dolor validate --model model.dolor --data hospital.csv --outcome y --out runs/external`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case bundle == "" || data == "" || out == "":
				return usage("--model, --data and --out are needed")
			case of.o.Outcome == "" && of.o.Time == "":
				return usage("--outcome (or --time with --status) is needed")
			}
			start := time.Now()
			r, err := study.Validate(cmd.Context(), a.studyEnv(), bundle, data, out, &of.o, &study.Options{Workers: workers, Progress: a.progress()})
			if err != nil {
				return err
			}
			a.warn(r.Warnings)
			if a.json {
				return a.answer(map[string]any{"study": r.Study, "folder": out, "seconds": time.Since(start).Seconds(), "results": out + "/results.json"})
			}
			a.summary(r)
			a.printf("Report: %s/report.html\n", out)
			return nil
		},
	}
	of.add(c)
	c.Flags().StringVar(&bundle, "model", "", "bundle")
	c.Flags().StringVar(&data, "data", "", "CSV or Parquet file")
	c.Flags().StringVar(&out, "out", "", "study folder to write")
	c.Flags().IntVar(&workers, "workers", 0, "parallel work (default: the cores)")
	return c
}
