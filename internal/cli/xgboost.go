package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dolor/bundle"
	"dolor/diag"
	"dolor/internal/atomicfile"
)

func (a *app) bundleImport() *cobra.Command {
	var o bundle.ImportOptions
	var out, rounds string
	var levels []string
	c := &cobra.Command{
		Use: "import FILE", Short: "Make a bundle of an XGBoost model file", Args: cobra.ExactArgs(1),
		Long: `Reads a model that XGBoost saved as JSON or UBJSON (binary:logistic, gbtree or dart) and writes
a bundle that predicts the same probabilities. All rounds are used, as XGBoost's
Booster.predict does; its scikit-learn wrapper stops at the best one: --rounds best.

  dolor bundle import model.json --out model.dolor --outcome "death within 30 days"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usage("--out is needed")
			}
			var err error
			if o.Rounds, err = roundsOf(rounds); err != nil {
				return err
			}
			if o.Levels, err = levelsOf(levels); err != nil {
				return err
			}
			content, err := os.ReadFile(args[0])
			if err != nil {
				return diag.FileError(args[0], err)
			}
			if o.Name == "" {
				o.Name = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			fam, ok := a.studyEnv().Family("gbm")
			if !ok {
				return diag.Errorf(diag.Unsupported, "family", "gbm is not compiled in")
			}
			b, err := bundle.Import(cmd.Context(), content, fam, Version, &o)
			if err != nil {
				return inFile(args[0], err)
			}
			if err := b.Write(out); err != nil {
				return err
			}
			a.warn(b.Fitted.Warnings)
			if a.json {
				return a.answer(map[string]any{
					"file": args[0], "out": out, "family": fam.Name, "schema": b.Fitted.Schema, "card": b.Card,
					"example": b.Example, "warnings": orEmpty(b.Fitted.Warnings),
				})
			}
			a.printf("%s imported with %d predictors: %s\n", args[0], len(b.Fitted.Schema), out)
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVar(&out, "out", "", "bundle to write")
	fl.StringVar(&o.Outcome, "outcome", "", "what the model predicts, in words")
	fl.StringVar(&o.Name, "name", "", "name of the model (default: that of the file)")
	fl.Float64Var(&o.Decision, "decision", 0.2, "decision threshold of the card")
	fl.StringVar(&rounds, "rounds", "all", "boosting rounds to use: all, best (of early stopping) or a number")
	fl.StringSliceVar(&o.Columns, "columns", nil, "names of the features, for a file that has none")
	fl.StringArrayVar(&levels, "levels", nil, `names of a feature's categories by code, for a file that has none: "stage=I|II|III"`)
	return c
}

// inFile names the file in a fault that names none.
func inFile(path string, err error) error {
	if e, ok := errors.AsType[*diag.Error](err); ok && e.Pos.File == "" {
		e.Pos.File = filepath.Base(path)
	}
	return err
}

func roundsOf(s string) (int, error) {
	switch s {
	case "all", "":
		return 0, nil
	case "best":
		return bundle.BestRound, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, usage("--rounds: expected all, best or a number from 1 on")
	}
	return n, nil
}

func levelsOf(flags []string) (map[string][]string, error) {
	out := make(map[string][]string)
	for _, s := range flags {
		name, levels, ok := strings.Cut(s, "=")
		if _, twice := out[name]; !ok || twice {
			return nil, usage(`--levels: expected each feature once, as in "stage=I|II|III"`)
		}
		out[name] = strings.Split(levels, "|")
	}
	return out, nil
}

func (a *app) bundleExport() *cobra.Command {
	var out, format string
	var o bundle.ExportOptions
	c := &cobra.Command{
		Use: "export FILE", Short: "Write a bundle's trees as an XGBoost model file", Args: cobra.ExactArgs(1),
		Long: `Writes the model of a bundle as JSON or UBJSON that XGBoost 1.7 and later load and predict the same
margins with. What XGBoost would not do (impute, encode, average, recalibrate) is refused, and
what it will not check is said.

  dolor bundle export model.dolor --out model.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usage("--out is needed")
			}
			switch {
			case format == "json" || format == "" && !strings.HasSuffix(out, ".ubj"):
			case format == "ubj" || format == "":
				o.UBJSON = true
			default:
				return usage("--format: expected json or ubj")
			}
			b, err := bundle.Read(cmd.Context(), args[0], a.studyEnv().Family)
			if err != nil {
				return err
			}
			content, ws, err := b.Export(&o)
			if err != nil {
				return inFile(args[0], err)
			}
			err = atomicfile.WriteFile(out, func(w io.Writer) error {
				_, err := w.Write(content)
				return err
			})
			if err != nil {
				return err
			}
			a.warn(ws)
			if a.json {
				return a.answer(map[string]any{"file": args[0], "out": out, "bytes": len(content), "warnings": orEmpty(ws)})
			}
			a.printf("%s exported: %s\n", args[0], out)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "file to write")
	c.Flags().StringVar(&format, "format", "", "json or ubj (default: by the name of the file)")
	c.Flags().BoolVar(&o.Uncalibrated, "uncalibrated", false, "leave the recalibration out")
	return c
}
