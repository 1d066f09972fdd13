package diag_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dolor/diag"
)

func ExampleError() {
	err := &diag.Error{
		Kind: diag.Invalid, Pos: diag.Pos{File: "pain.csv", Line: 41, Col: 7}, Field: "nrs",
		Msg: "expected a number from 0 to 10, got " + diag.Describe("severe"), Hint: "write the score",
	}
	fmt.Println(err)
	fmt.Println(diag.KindOf(fmt.Errorf("reading: %w", err)), diag.KindOf(err).ExitCode())
	// Output:
	// pain.csv:41:7: nrs: expected a number from 0 to 10, got 6 letters; write the score
	// invalid 3
}

func TestKindOf(t *testing.T) {
	var l diag.List
	l.Addf(diag.Privacy, "x", "a")
	l.Addf(diag.Invalid, "y", "b")
	for _, tt := range []struct {
		err  error
		want diag.Kind
		exit int
	}{
		{errors.New("x"), diag.Internal, 1},
		{diag.Errorf(diag.Usage, "", "x"), diag.Usage, 2},
		{diag.Errorf(diag.Missing, "", "x"), diag.Missing, 3},
		{diag.Errorf(diag.Unsupported, "", "x"), diag.Unsupported, 3},
		{fmt.Errorf("w: %w", diag.Errorf(diag.Unfit, "", "x")), diag.Unfit, 4},
		{&l, diag.Privacy, 5},
		{context.Canceled, diag.Canceled, 130},
		{fmt.Errorf("w: %w", context.DeadlineExceeded), diag.Canceled, 130},
		{fs.ErrNotExist, diag.Missing, 3},
		{&diag.List{}, diag.Internal, 1},
		{diag.Errorf(diag.Kind(99), "", "x"), diag.Kind(99), 1},
	} {
		if got := diag.KindOf(tt.err); got != tt.want || got.ExitCode() != tt.exit {
			t.Errorf("%v: got %v (exit %d), want %v (exit %d)", tt.err, got, got.ExitCode(), tt.want, tt.exit)
		}
	}
	if got := diag.Kind(99).String(); got != "kind(99)" {
		t.Errorf("got %s", got)
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("cause")
	for _, tt := range []struct {
		err  diag.Error
		want string
	}{
		{diag.Error{}, ""},
		{diag.Error{Msg: "m"}, "m"},
		{diag.Error{Pos: diag.Pos{File: "f"}, Msg: "m"}, "f: m"},
		{diag.Error{Pos: diag.Pos{File: "f", Line: 2}, Field: "x", Msg: "m"}, "f:2: x: m"},
		{diag.Error{Pos: diag.Pos{Line: 2, Col: 3}, Msg: "m"}, "2:3: m"},
		{diag.Error{Field: "x", Err: cause}, "x: cause"},
		{diag.Error{Msg: "m", Err: cause, Hint: "h"}, "m: cause; h"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	if !errors.Is(&diag.Error{Err: cause}, cause) {
		t.Error("the cause is not found")
	}
}

// TestDescribe: what a cell holds is said, never quoted.
func TestDescribe(t *testing.T) {
	for cell, want := range map[string]string{
		"": "an empty cell", " ": "1 space", "   ": "3 spaces", "x": "1 letter", "Müller": "6 letters", "7": "1 digit",
		"0041": "4 digits", "-3.5e2": "a number", "3,5": "3 characters", "a1": "2 characters", "1 2": "3 characters",
	} {
		if got := diag.Describe(cell); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestList(t *testing.T) {
	var l diag.List
	if l.Err() != nil || l.Len() != 0 {
		t.Error("an empty list is no error")
	}
	l.AddErr(nil)
	l.Addf(diag.Invalid, "a", "first")
	if got := l.Err(); got == nil || got.Error() != "a: first" {
		t.Errorf("got %v", got)
	}
	for i := range 30 {
		l.Addf(diag.Invalid, "b", "fault %d", i)
	}
	text := l.Err().Error()
	if l.Len() != 31 || len(l.Faults()) != 20 || strings.Count(text, "\n") != 20 || !strings.HasSuffix(text, "\nand 11 more") {
		t.Errorf("got %d faults, %d kept:\n%s", l.Len(), len(l.Faults()), text)
	}
	var outer diag.List
	outer.AddErr(fmt.Errorf("w: %w", &l))
	outer.AddErr(errors.New("plain"))
	if outer.Len() != 32 || !strings.HasSuffix(outer.Error(), "and 12 more") {
		t.Errorf("got %d faults:\n%s", outer.Len(), outer.Error())
	}
}

func TestNearest(t *testing.T) {
	names := []string{"age", "sex", "learning_rate", "outcome"}
	for name, want := range map[string]string{
		"agee": "age", "AGE": "age", "outcom": "outcome", "learnin_rat": "learning_rate", "temperature": "", "": "", "sx": "sex",
	} {
		if got := diag.Nearest(name, names); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if got := diag.Nearest("ab", []string{"abc", "abd"}); got != "abc" {
		t.Errorf("of equals the first wins: got %q", got)
	}
}

func TestMerge(t *testing.T) {
	got := diag.Merge(nil, diag.Warning{Code: "a", Msg: "m", First: "x"}, diag.Warning{Code: "b", Msg: "m", Count: 3},
		diag.Warning{Code: "a", Msg: "m", Count: 2, First: "y"}, diag.Warning{Code: "a", Msg: "other"})
	want := []diag.Warning{{Code: "a", Msg: "m", Count: 3, First: "x"}, {Code: "b", Msg: "m", Count: 3}, {Code: "a", Msg: "other", Count: 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestFileError(t *testing.T) {
	dir := t.TempDir()
	gone := filepath.Join(dir, "gone.csv")
	_, err := os.ReadFile(gone)
	if e := diag.FileError(gone, err); e.Error() != "gone.csv: no such file" || diag.KindOf(e) != diag.Missing {
		t.Errorf("got %v", e)
	}
	_, err = os.ReadFile(dir)
	if e := diag.FileError(dir, err); e.Error() != filepath.Base(dir)+": expected a file, got a folder" || diag.KindOf(e) != diag.Invalid {
		t.Errorf("got %v", e)
	}
	if e := diag.FileError("x", &fs.PathError{Op: "open", Path: "/secret/x", Err: fs.ErrPermission}); strings.Contains(e.Error(), "secret") {
		t.Errorf("the path shows: %v", e)
	}
}

func TestDecodeJSON(t *testing.T) {
	type settings struct {
		Rate float64 `json:"learning_rate"`
		Deep int     `json:"max_depth"`
	}
	for _, tt := range []struct{ src, want string }{
		{`{"learning_rate": 0.1, "max_depth": 3}`, ""},
		{`{"learningrate": 1}`, `learningrate: unknown key; did you mean "learning_rate"?`},
		{`{"qqqqqq": 1}`, `qqqqqq: unknown key; known here: learning_rate, max_depth`},
		{`{"max_depth": "x"}`, "max_depth: expected a whole number, got text"},
		{`{"max_depth": 1.25}`, "max_depth: expected a whole number, got a number"},
		{`{"learning_rate": [1]}`, "learning_rate: expected a number, got a list"},
		{`{"max_depth": 1} x`, "expected one JSON value, got text after it"},
	} {
		var s settings
		err := diag.DecodeJSON([]byte(tt.src), &s)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.src, err)
		case tt.want != "" && (err == nil || err.Error() != tt.want || diag.KindOf(err) != diag.Invalid):
			t.Errorf("%s: got %v, want %s", tt.src, err, tt.want)
		}
	}
	var s settings
	if err := diag.DecodeJSON([]byte(`{`), &s); diag.KindOf(err) != diag.Invalid {
		t.Errorf("got %v", err)
	}
}
