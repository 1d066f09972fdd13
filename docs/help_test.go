package docs_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"dolor/diag"
	"dolor/internal/cli"
)

// TestHelpCommandsAreWellFormed runs each command that a help text shows in an empty folder:
// a file may be missing there, but the command line itself must be right.
func TestHelpCommandsAreWellFormed(t *testing.T) {
	t.Chdir(t.TempDir())
	run := func(args ...string) (string, int) {
		var out bytes.Buffer
		code := cli.Run(context.Background(), &cli.Env{In: strings.NewReader(""), Out: &out, Err: &out}, args)
		return out.String(), code
	}
	root, code := run("--help")
	if code != 0 {
		t.Fatalf("dolor --help gave exit code %d", code)
	}
	_, list, _ := strings.Cut(root, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	shown := 0
	for line := range strings.Lines(list) {
		verb := strings.Fields(line)[0]
		if verb == "help" {
			continue
		}
		help, code := run("help", verb)
		if code != 0 {
			t.Errorf("dolor help %s gave exit code %d", verb, code)
		}
		text, _, _ := strings.Cut(help, "Usage:")
		for line := range strings.Lines(text) {
			command, ok := strings.CutPrefix(line, "  dolor ")
			if !ok {
				continue
			}
			shown++
			if out, code := run(words(strings.TrimSpace(command))...); code == diag.Usage.ExitCode() || code == diag.Internal.ExitCode() {
				t.Errorf("help %s shows %q: exit code %d, %s", verb, strings.TrimSpace(line), code, out)
			}
		}
		if !strings.Contains(text, "  dolor ") {
			t.Errorf("help %s shows no session", verb)
		}
	}
	if shown < 10 {
		t.Errorf("the help texts show %d commands, expected at least 10", shown)
	}
}
