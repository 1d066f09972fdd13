// Package archtest holds the floors of the building: a package imports only lower floors.
package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// floors gives the floor of each room; a folder belongs to the nearest listed parent.
var floors = map[string]int{
	"cmd": 9, "internal/cli": 8, "internal/builtin": 5, "examples": 9, "bench": 9,
	"study": 7, "serve": 7,
	"bundle": 5, "report": 6,
	"feature": 4, "federate": 4, "figure": 4, "monitor": 4, "assess": 4,
	"cohort": 3, "evaluate": 3, "explain": 3,
	"source": 2, "preprocess": 2, "model": 2,
	"clinical": 1, "frame": 1, "split": 1, "metric": 1, "calibrate": 1, "risk": 1, "agreement": 1, "survival": 1, "pool": 1, "samplesize": 1,
	"diag": 0, "rng": 0, "progress": 0,
}

// sharing lists imports between rooms of one floor that are part of the design, with the reason.
var sharing = map[string]string{
	"figure -> assess": "figures and report are drawn from assess.Results, which is plain data",
}

func TestImportsPointDown(t *testing.T) {
	root := "../.."
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata" || d.Name() == "runs") && file != root {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		from := filepath.ToSlash(rel)
		for _, imp := range f.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			to, inside := strings.CutPrefix(p, "dolor/")
			if inside {
				check(t, fset.Position(imp.Pos()).String(), from, to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, pos, from, to string) {
	t.Helper()
	if strings.HasPrefix(to, "model/") && strings.HasPrefix(from, "model/") && !strings.HasSuffix(from, "test") {
		t.Errorf("%s: %s imports its sibling %s", pos, from, to)
		return
	}
	if (strings.HasPrefix(to, "model/") || strings.HasPrefix(to, "source/")) && !strings.HasSuffix(to, "test") &&
		from != "internal/builtin" {
		t.Errorf("%s: only internal/builtin may import the leaf %s, not %s", pos, to, from)
		return
	}
	toTool := isTool(to)
	if isTool(from) {
		if n, ok := floorOf(to); !toTool && (!ok || n > 0) {
			t.Errorf("%s: tool %s imports %s, which is not on floor 0", pos, from, to)
		}
		return
	}
	if toTool {
		return
	}
	ff, ok := floorOf(from)
	if !ok {
		t.Errorf("%s: %s has no floor; add it to the table", pos, from)
		return
	}
	tf, ok := floorOf(to)
	if !ok {
		t.Errorf("%s: %s has no floor; add it to the table", pos, to)
		return
	}
	if tf >= ff && root(from) != root(to) && sharing[from+" -> "+to] == "" {
		t.Errorf("%s: %s (floor %d) imports %s (floor %d); imports point down", pos, from, ff, to, tf)
	}
}

func isTool(p string) bool {
	return strings.HasPrefix(p, "internal/") && !strings.HasPrefix(p, "internal/cli") && !strings.HasPrefix(p, "internal/builtin")
}

func root(p string) string { r, _, _ := strings.Cut(p, "/"); return r }

func floorOf(p string) (int, bool) {
	for ; p != "." && p != "/"; p = path.Dir(p) {
		if n, ok := floors[p]; ok {
			return n, true
		}
	}
	return 0, false
}
