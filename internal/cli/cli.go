// Package cli is the command line: one file per subcommand, each flags, one library call and
// printing. Results go to standard output, everything else to standard error.
package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"dolor/diag"
	"dolor/internal/builtin"
	"dolor/progress"
	"dolor/study"
)

// Version is the release; the build sets it.
var Version = "0.1.0"

// Env holds the streams.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	Terminal bool // Err is a terminal: progress is shown
}

type app struct {
	env  *Env
	json bool
}

// Run executes the command line and returns the exit code: 0 done, 1 internal, 2 usage, 3
// bad input, 4 study cannot be done, 5 refused for privacy, 130 cancelled.
func Run(ctx context.Context, env *Env, args []string) int {
	a := &app{env: env}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	kind := diag.KindOf(err)
	if ctx.Err() != nil {
		kind = diag.Canceled
	}
	if kind == diag.Canceled {
		_, _ = fmt.Fprintln(env.Err, "dolor: stopped")
		return kind.ExitCode()
	}
	for line := range strings.Lines(err.Error()) {
		_, _ = fmt.Fprintf(env.Err, "dolor: %s\n", strings.TrimRight(line, "\n"))
	}
	return kind.ExitCode()
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "dolor",
		Short: "Develop, validate and report clinical prediction models",
		Long: `dolor develops and validates prediction models of refractory cancer pain, and of any
other binary or time-to-event outcome held in a table, and reports them to TRIPOD+AI.

It is a research tool, not a medical device.`,
		SilenceUsage: true, SilenceErrors: true, Version: Version,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print the answer as JSON")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return diag.Errorf(diag.Usage, "", "%s", err.Error()) })
	root.AddCommand(a.studyCommand(), a.report(), a.figure(), a.metrics(), a.fit(), a.predict(), a.explain(), a.validate(), a.check(), a.bundle())
	root.AddCommand(a.pgx())
	for _, c := range root.Commands() {
		usageErrors(c)
	}
	asGroup(root)
	return root
}

// usageErrors gives wrong arguments their exit code.
func usageErrors(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return diag.Errorf(diag.Usage, "", "%s; see dolor help %s", err.Error(), verbs(cmd))
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		usageErrors(sub)
	}
}

// verbs is the path of cmd below the program: "study run".
func verbs(cmd *cobra.Command) string {
	_, below, _ := strings.Cut(cmd.CommandPath(), " ")
	return below
}

// asGroup makes a command that only holds others, and those below it, print help when called
// alone and refuse names it does not know.
func asGroup(c *cobra.Command) {
	if !c.HasSubCommands() {
		return
	}
	for _, sub := range c.Commands() {
		asGroup(sub)
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	c.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		e := diag.Errorf(diag.Usage, verbs(cmd), "unknown command %q", args[0])
		if near := diag.Nearest(args[0], names); near != "" {
			e.Hint = "did you mean \"" + near + "\"?"
		} else {
			e.Hint = "known: " + strings.Join(names, ", ")
		}
		return e
	}
}

func (a *app) studyEnv() *study.Env {
	return &study.Env{Families: builtin.Families(), Version: Version}
}

// printf writes to standard output.
func (a *app) printf(format string, args ...any) { _, _ = fmt.Fprintf(a.env.Out, format, args...) }

func (a *app) answer(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	a.printf("%s\n", b)
	return nil
}

// warn prints warnings to standard error.
func (a *app) warn(ws []diag.Warning) {
	for _, w := range ws {
		times := ""
		if w.Count > 1 {
			times = fmt.Sprintf(" (%d times)", w.Count)
		}
		_, _ = fmt.Fprintf(a.env.Err, "warning: %s%s\n", w.Msg, times)
	}
}

// progress shows a bar for each stage when standard error is a terminal.
func (a *app) progress() progress.Func {
	if !a.env.Terminal {
		return nil
	}
	var mu sync.Mutex
	var bar *progressbar.ProgressBar
	stage := ""
	return func(s string, done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if s != stage {
			stage = s
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(a.env.Err), progressbar.OptionSetDescription(s),
				progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true), progressbar.OptionShowCount())
		}
		if done > int(bar.State().CurrentNum) {
			_ = bar.Set(done) // a bar that cannot be drawn changes no result
		}
	}
}

// usage is an error of the command line.
func usage(format string, args ...any) error { return diag.Errorf(diag.Usage, "", format, args...) }
