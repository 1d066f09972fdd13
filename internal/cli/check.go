package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"dolor/bundle"
	"dolor/diag"
	"dolor/study"
)

func (a *app) check() *cobra.Command {
	c := &cobra.Command{
		Use: "check FILE", Short: "Check a protocol (with its data) or a bundle; every fault with its position", Args: cobra.ExactArgs(1),
		Long: `Reads a protocol and its data as a run would, and prints every fault; nothing is fitted or
written. A name ending in .dolor is checked as a bundle.

  dolor check examples/heart/study.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var n int
			var err error
			var ws []diag.Warning
			source := "table"
			if strings.HasSuffix(args[0], ".dolor") {
				source = "bundle"
				_, err = bundle.Read(cmd.Context(), args[0], a.studyEnv().Family)
			} else {
				n, ws, err = study.Check(cmd.Context(), a.studyEnv(), args[0])
			}
			if !a.json {
				if err == nil {
					a.warn(ws)
					a.printf("%s: no faults\n", args[0])
				}
				return err
			}
			return errors.Join(a.answer(map[string]any{"source": source, "patients": n, "records": map[string]int{"row": n}, "faults": faults(err)}), err)
		},
	}
	return c
}

type fault struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Path string `json:"path"`
	Msg  string `json:"msg"`
}

func faults(err error) []fault {
	out := []fault{}
	var l *diag.List
	var e *diag.Error
	switch {
	case errors.As(err, &l):
		for _, e := range l.Faults() {
			out = append(out, fault{e.Pos.File, e.Pos.Line, e.Field, e.Msg})
		}
	case errors.As(err, &e):
		out = append(out, fault{e.Pos.File, e.Pos.Line, e.Field, e.Msg})
	case err != nil:
		out = append(out, fault{Msg: err.Error()})
	}
	return out
}

func (a *app) bundle() *cobra.Command {
	c := &cobra.Command{Use: "bundle", Short: "Look into a bundle, verify it, import or export one", Long: `A bundle is a fitted model with everything needed to use it elsewhere.

  dolor bundle inspect runs/heart/model.dolor
  dolor bundle verify runs/heart/model.dolor
  dolor bundle import xgboost.json --out model.dolor
  dolor bundle export model.dolor --out xgboost.json`}
	c.AddCommand(a.bundleImport(), a.bundleExport())
	c.AddCommand(&cobra.Command{
		Use: "inspect FILE", Short: "Print what a bundle holds", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := bundle.Read(cmd.Context(), args[0], a.studyEnv().Family)
			if err != nil {
				return err
			}
			var params any = b.Fitted.Params
			if b.Imported() {
				params = nil // the file did not say
			}
			if a.json {
				return a.answer(map[string]any{
					"family": b.Fitted.Family.Name, "version": b.Version, "card": b.Card, "schema": b.Fitted.Schema,
					"params": params, "n": b.Fitted.N, "events": b.Fitted.Events,
					"calibration": b.Fitted.Calibration.Name(), "example": b.Example,
				})
			}
			if b.Imported() {
				a.printf("%s of %q; %s\n", b.Fitted.Family.Title, b.Card.Study, b.Origin())
			} else {
				a.printf("%s of %q, developed on %d patients with %d events\n", b.Fitted.Family.Title, b.Card.Study, b.Fitted.N, b.Fitted.Events)
			}
			a.printf("outcome: %s; recalibration: %s\n", b.Card.Outcome, b.Fitted.Calibration.Name())
			for _, f := range b.Fitted.Schema {
				a.printf("  %-20s %-9s %s %s\n", f.Name, f.Kind, f.Unit, strings.Join(f.Levels, " | "))
			}
			return nil
		},
	}, &cobra.Command{
		Use: "verify FILE", Short: "Check checksums and replay the worked example", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := bundle.Read(cmd.Context(), args[0], a.studyEnv().Family); err != nil {
				return err
			}
			if a.json {
				return a.answer(map[string]any{"file": args[0], "valid": true})
			}
			a.printf("%s: checksums and worked example agree\n", args[0])
			return nil
		},
	})
	return c
}
