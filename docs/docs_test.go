// Package docs_test runs what the pages show: every protocol is parsed, every session is run
// and its output compared, every link is followed.
package docs_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dolor/internal/builtin"
	"dolor/internal/cli"
	"dolor/study"
)

// block is one fenced block of a page.
type block struct {
	lang string
	line int
	text string
}

// blocks returns the fenced blocks of a page in order.
func blocks(page string) []block {
	var out []block
	var cur *block
	for i, line := range strings.Split(page, "\n") {
		switch lang, fence := strings.CutPrefix(line, "```"); {
		case fence && cur == nil:
			cur = &block{lang: strings.TrimSpace(lang), line: i + 2}
		case fence:
			out = append(out, *cur)
			cur = nil
		case cur != nil:
			cur.text += line + "\n"
		}
	}
	return out
}

// pages returns README and every page below docs, by path from the root of the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := make(map[string]string)
	names, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(".", func(p string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".md") {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[n] = string(b)
	}
	return out
}

func TestProtocolsParse(t *testing.T) {
	env := &study.Env{Families: builtin.Families(), Version: "test"}
	found := 0
	for name, page := range pages(t) {
		for _, b := range blocks(page) {
			if b.lang != "yaml" || !strings.Contains(b.text, "study:") {
				continue
			}
			found++
			if _, err := study.Parse(name, []byte(b.text), env); err != nil {
				t.Errorf("%s, block at line %d: %v", name, b.line, err)
			}
		}
	}
	if found < 3 {
		t.Errorf("found %d protocols in the pages, expected several", found)
	}
}

// TestSessionsRun runs the console blocks of each page in order in one fresh folder that
// holds the example data. A yaml or csv block whose first line is "# file: NAME" is written
// there first (csv without that line). In the expected output a line "..." stands for any lines.
func TestSessionsRun(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range pages(t) {
		if !strings.Contains(page, "```console") {
			continue
		}
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			dir := t.TempDir()
			for _, sub := range []string{"testdata/heart", "examples/heart"} {
				if err := os.CopyFS(filepath.Join(dir, sub), os.DirFS(filepath.Join(root, sub))); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(dir)
			for _, b := range blocks(page) {
				if b.lang == "console" {
					session(t, b)
					continue
				}
				first, rest, _ := strings.Cut(b.text, "\n")
				file, ok := strings.CutPrefix(first, "# file: ")
				if !ok {
					continue
				}
				if b.lang == "yaml" {
					rest = b.text
				}
				if err := os.WriteFile(strings.TrimSpace(file), []byte(rest), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func session(t *testing.T, b block) {
	t.Helper()
	parts := strings.Split("\n"+b.text, "\n$ ")
	for _, part := range parts[1:] {
		command, want, _ := strings.Cut(part, "\n")
		args := words(command)
		if len(args) == 0 || args[0] != "dolor" {
			t.Errorf("line %d: only dolor can be run, got %q", b.line, command)
			continue
		}
		var out bytes.Buffer
		cli.Run(context.Background(), &cli.Env{In: strings.NewReader(""), Out: &out, Err: &out}, args[1:])
		if got := out.String(); !matches(got, want) {
			t.Errorf("line %d: %s\n--- got\n%s--- the page says\n%s", b.line, command, got, want)
		}
	}
}

// matches compares got with want, where a line "..." of want stands for any lines.
func matches(got, want string) bool {
	var re strings.Builder
	re.WriteString(`\A`)
	for line := range strings.Lines(strings.TrimRight(want, "\n") + "\n") {
		line = strings.TrimRight(line, " \n")
		switch line {
		case "...":
			re.WriteString(`(?s:.*)`)
		default:
			re.WriteString(regexp.QuoteMeta(line) + `[ ]*\n`)
		}
	}
	re.WriteString(`\z`)
	if strings.TrimSpace(want) == "" {
		return strings.TrimSpace(got) == ""
	}
	return regexp.MustCompile(re.String()).MatchString(got)
}

// words splits a command line at blanks outside double quotes.
func words(s string) []string {
	var out []string
	var cur strings.Builder
	quoted, some := false, false
	for _, r := range s {
		switch {
		case r == '"':
			quoted, some = !quoted, true
		case r == ' ' && !quoted:
			if some {
				out = append(out, cur.String())
			}
			cur.Reset()
			some = false
		default:
			cur.WriteRune(r)
			some = true
		}
	}
	if some {
		out = append(out, cur.String())
	}
	return out
}

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

func TestLinksLead(t *testing.T) {
	for name, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: link to %s leads nowhere", name, m[1])
			}
		}
	}
}
