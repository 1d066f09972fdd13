package cli_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"dolor/internal/cli"
)

var update = flag.Bool("update-scripts", false, "rewrite the expected output in testdata/script")

// TestMain is the program itself when a script needs it as a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		limitFileSize()
		os.Exit(cli.Run(context.Background(), &cli.Env{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:])) //nolint:forbidigo // TestMain stands for main here
	}
	os.Exit(m.Run()) //nolint:forbidigo // TestMain stands for main here
}

const (
	asProgram   = "DOLOR_TEST_AS_PROGRAM"
	fileSizeVar = "DOLOR_TEST_FILE_SIZE"
)

// TestScripts runs testdata/script/*.txtar: the command line as a user meets it, exact text
// and exit code. A script is a txtar archive: lines of commands, then files for its empty
// working folder. The commands, with the words of Go's own script tests where they agree:
//
//	exits N dolor ARGS...   runs and expects exit code N; output is kept for the next commands
//	exec dolor ARGS...      the same as exits 0 dolor ARGS...
//	cmp A B                 equal bytes; stdout and stderr name the last output
//	[!] stdout|stderr RE    the last output (does not) match
//	[!] like FILE RE        the whole file does (not) match
//	[!] exists FILE
//	rm FILE, cp A B
//	bytes FILE TEXT         writes TEXT, with Go escapes, as it is (BOM, CR, other encodings)
//	table FILE ROWS SITES   writes a simulated table: id, site, age, stage, crp, y
//	keys PATH KEY...        the JSON object at PATH (dots) of stdout has exactly these keys
//	fsize N                 later runs cannot make a file of over N bytes; 0: no limit
//	flip FILE TO AT         copies FILE with the bits of byte AT turned over
//	cut FILE TO N           copies the first N bytes of FILE
//	tidy                    no temporary file or folder is left in the working folder
func TestScripts(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "testdata", "script", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts (%v)", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			a := parseArchive(string(src))
			t.Chdir(t.TempDir())
			for _, x := range a.files {
				write(t, x.name, x.text)
			}
			s := &script{T: t, archive: a, vars: strings.NewReplacer("$REPO", root)}
			for i, line := range strings.Split(a.comment, "\n") {
				s.line = i + 1
				s.run(line)
			}
			if *update && s.changed {
				if err := os.WriteFile(f, []byte(a.String()), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

type script struct {
	*testing.T
	archive        *archive
	vars           *strings.Replacer
	line           int
	stdout, stderr string
	limit          string
	changed        bool
}

func (s *script) fatalf(format string, args ...any) {
	s.Helper()
	s.Fatalf("line %d: "+format, append([]any{s.line}, args...)...)
}

func (s *script) run(line string) {
	s.Helper()
	args := words(s.vars.Replace(line))
	if len(args) == 0 {
		return
	}
	not := args[0] == "!"
	if not {
		args = args[1:]
	}
	name, args := args[0], args[1:]
	switch {
	case name == "exec" && len(args) > 1:
		s.exits(0, args[1:])
	case name == "exits" && len(args) > 2:
		s.exits(s.number(args[0]), args[2:])
	case name == "cmp" && len(args) == 2:
		s.cmp(args[0], args[1])
	case (name == "stdout" || name == "stderr") && len(args) == 1:
		if text := s.read(name); regexp.MustCompile(`(?m)`+args[0]).MatchString(text) == not {
			s.fatalf("%s %s: %s", name, args[0], text)
		}
	case name == "like" && len(args) == 2:
		if text := s.read(args[0]); regexp.MustCompile(args[1]).MatchString(text) == not {
			s.fatalf("%s: %s", args[0], text)
		}
	case name == "exists" && len(args) == 1:
		if _, err := os.Stat(args[0]); (err == nil) == not {
			s.fatalf("exists %s: %v", args[0], err)
		}
	case name == "rm" && len(args) == 1:
		if err := os.RemoveAll(args[0]); err != nil {
			s.fatalf("%v", err)
		}
	case name == "cp" && len(args) == 2:
		write(s.T, args[1], s.read(args[0]))
	case name == "bytes" && len(args) == 2:
		text, err := strconv.Unquote(`"` + args[1] + `"`)
		if err != nil {
			s.fatalf("%v", err)
		}
		write(s.T, args[0], text)
	case name == "table" && len(args) == 3:
		write(s.T, args[0], simulated(s.number(args[1]), s.number(args[2])))
	case name == "keys" && len(args) > 1:
		s.keys(args[0], args[1:])
	case name == "fsize" && len(args) == 1:
		s.limit = args[0]
	case name == "flip" && len(args) == 3:
		b := []byte(s.read(args[0]))
		b[s.number(args[2])] ^= 0xff
		write(s.T, args[1], string(b))
	case name == "cut" && len(args) == 3:
		write(s.T, args[1], s.read(args[0])[:s.number(args[2])])
	case name == "tidy":
		s.tidy()
	default:
		s.fatalf("not a command: %s", line)
	}
}

func (s *script) number(text string) int {
	s.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		s.fatalf("%v", err)
	}
	return n
}

// exits runs dolor: in this process, or in one of its own when file sizes are limited.
func (s *script) exits(want int, args []string) {
	s.Helper()
	var out, errs strings.Builder
	var got int
	if s.limit == "" || s.limit == "0" {
		got = cli.Run(s.Context(), &cli.Env{In: strings.NewReader(""), Out: &out, Err: &errs}, args)
	} else {
		if !canLimit {
			s.Skip("limits the size of written files by a Linux call")
		}
		c := exec.CommandContext(s.Context(), os.Args[0], args...)
		c.Env = append(os.Environ(), asProgram+"=1", fileSizeVar+"="+s.limit)
		c.Stdout, c.Stderr = &out, &errs
		_ = c.Run() // the exit code says it
		got = c.ProcessState.ExitCode()
	}
	s.stdout, s.stderr = out.String(), errs.String()
	if got != want {
		s.fatalf("dolor %s: got exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, s.stdout, s.stderr)
	}
}

func (s *script) cmp(a, b string) {
	s.Helper()
	got, want := s.read(a), s.read(b)
	if got == want {
		return
	}
	if i := s.archive.index(b); *update && i >= 0 && (a == "stdout" || a == "stderr") {
		s.archive.files[i].text, s.changed = got, true
		return
	}
	s.fatalf("%s and %s differ\ngot:\n%s\nwant:\n%s", a, b, got, want)
}

func (s *script) read(name string) string {
	s.Helper()
	switch name {
	case "stdout":
		return s.stdout
	case "stderr":
		return s.stderr
	}
	b, err := os.ReadFile(name)
	if err != nil {
		s.fatalf("%v", err)
	}
	return string(b)
}

func (s *script) tidy() {
	s.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		s.fatalf("%v", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			s.fatalf("%s was left behind", e.Name())
		}
	}
}
