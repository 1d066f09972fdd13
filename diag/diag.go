// Package diag holds what dolor says when something is wrong: errors with a kind and a
// position, lists of faults collected by readers, and warnings that travel as data.
//
// Use [Errorf] or fill an [Error]; test with [KindOf]; print with Error(). A message says
// what was expected and what came, never a patient's value: describe a cell with
// [Describe]. Everything here is deterministic and free of global state.
package diag

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind says what sort of failure an error is; it decides exit code and HTTP status.
type Kind uint8

// The kinds of failure.
const (
	Internal    Kind = iota // a fault of dolor itself
	Usage                   // wrong command line
	Invalid                 // input is malformed or out of range
	Missing                 // a file, column or value that is needed is absent
	Unsupported             // valid, but not something dolor does
	Unfit                   // the study cannot be done with these data
	Privacy                 // refused to protect patients
	Canceled                // stopped by the caller
)

var kindNames = [...]string{"internal", "usage", "invalid", "missing", "unsupported", "unfit", "privacy", "canceled"}

// String returns the lower-case name of k.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// ExitCode maps k to a process exit status: 1 internal, 2 usage, 3 bad input, 4 study
// cannot be done, 5 refused for privacy, 130 cancelled.
func (k Kind) ExitCode() int {
	switch k {
	case Usage:
		return 2
	case Invalid, Missing, Unsupported:
		return 3
	case Unfit:
		return 4
	case Privacy:
		return 5
	case Canceled:
		return 130
	default:
		return 1
	}
}

// Pos is a place in a file. Line and Col count from 1; zero means unknown.
type Pos struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	Col  int    `json:"col,omitempty"`
}

// String returns file:line:col, leaving out what is unknown.
func (p Pos) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		if b.Len() > 0 {
			b.WriteByte(':')
		}
		b.WriteString(strconv.Itoa(p.Line))
		if p.Col > 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(p.Col))
		}
	}
	return b.String()
}

// Error is one fault. Its text is "pos: field: msg", followed by the hint on the same line.
type Error struct {
	Kind  Kind
	Op    string // the operation, e.g. "cohort.Build"; not printed, for programs
	Pos   Pos    // zero when there is no file
	Field string // column, JSON path or hyperparameter
	Msg   string // "expected ..., got ..."
	Hint  string // what to do; optional
	Err   error  // cause; optional
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	part := func(s string) {
		if s == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(s)
	}
	part(e.Pos.String())
	part(e.Field)
	part(e.Msg)
	if e.Err != nil {
		part(e.Err.Error())
	}
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an *Error of kind k about field (may be empty) with a formatted message.
func Errorf(k Kind, field, format string, args ...any) *Error {
	return &Error{Kind: k, Field: field, Msg: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of the first *Error or [List] in err's chain. A context error is
// Canceled, a missing file is Missing, and anything else is Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if l, ok := errors.AsType[*List](err); ok {
		return l.kind()
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Canceled
	case errors.Is(err, fs.ErrNotExist):
		return Missing
	}
	return Internal
}

// Describe says what a cell holds without quoting it: "an empty cell", "6 letters",
// "a number", "5 characters". Error texts leave the hospital; values must not.
func Describe(cell string) string {
	n := utf8.RuneCountInString(cell)
	if n == 0 {
		return "an empty cell"
	}
	if strings.TrimSpace(cell) == "" {
		return plural(n, "space")
	}
	letters, digits := true, true
	for _, r := range cell {
		letters = letters && unicode.IsLetter(r)
		digits = digits && unicode.IsDigit(r)
	}
	switch {
	case letters:
		return plural(n, "letter")
	case digits:
		return plural(n, "digit")
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return "a number"
	}
	return plural(n, "character")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}
