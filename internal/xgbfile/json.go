package xgbfile

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"dolor/diag"
)

// jsonLexer reads JSON (RFC 8259) with XGBoost's three additions NaN, Infinity and -Infinity.
type jsonLexer struct {
	b      []byte
	at     int
	opened []bool // for each open value, whether its first item was read
	closer []byte
}

func (l *jsonLexer) fail(expected string) error {
	got := "the end of the file"
	if l.at < len(l.b) {
		got = "something else at byte " + strconv.Itoa(l.at)
	}
	return diag.Errorf(diag.Invalid, "", "expected %s, got %s", expected, got)
}

func (l *jsonLexer) space() {
	for l.at < len(l.b) {
		switch l.b[l.at] {
		case ' ', '\t', '\r', '\n':
			l.at++
		default:
			return
		}
	}
}

func (l *jsonLexer) next() (kind, error) {
	l.space()
	if l.at == len(l.b) {
		return 0, l.fail("a value")
	}
	switch c := l.b[l.at]; {
	case c == '{':
		return kObject, nil
	case c == '[':
		return kArray, nil
	case c == '"':
		return kString, nil
	case c == '-' || c == 'N' || c == 'I' || '0' <= c && c <= '9':
		return kNumber, nil
	case c == 't' || c == 'f':
		return kBool, nil
	case c == 'n':
		return kNull, nil
	}
	return 0, l.fail("a value")
}

func (l *jsonLexer) open() error {
	if len(l.opened) == maxDepth {
		return diag.Errorf(diag.Invalid, "", "expected at most %d levels of nesting", maxDepth)
	}
	l.closer = append(l.closer, l.b[l.at]+2) // '{' and '}', '[' and ']' are two apart
	l.opened = append(l.opened, false)
	l.at++
	return nil
}

// item steps to the next item of the innermost open value, or closes it.
func (l *jsonLexer) item() (bool, error) {
	top := len(l.opened) - 1
	l.space()
	switch {
	case l.at < len(l.b) && l.b[l.at] == l.closer[top]:
		l.at++
		l.opened, l.closer = l.opened[:top], l.closer[:top]
		return false, nil
	case !l.opened[top]:
		l.opened[top] = true
		return true, nil
	case l.at < len(l.b) && l.b[l.at] == ',':
		l.at++
		return true, nil
	}
	return false, l.fail("a comma or '" + string(l.closer[top]) + "'")
}

func (l *jsonLexer) more() (bool, error) { return l.item() }

func (l *jsonLexer) key() (string, bool, error) {
	ok, err := l.item()
	if !ok || err != nil {
		return "", false, err
	}
	l.space()
	if l.at == len(l.b) || l.b[l.at] != '"' {
		return "", false, l.fail("a key in quotes")
	}
	s, err := l.str()
	if err != nil {
		return "", false, err
	}
	l.space()
	if l.at == len(l.b) || l.b[l.at] != ':' {
		return "", false, l.fail("a colon")
	}
	l.at++
	return s, true, nil
}

func (l *jsonLexer) str() (string, error) {
	start := l.at + 1
	n := bytes.IndexAny(l.b[start:], "\"\\")
	if n < 0 {
		l.at = len(l.b)
		return "", l.fail("a closing quote")
	}
	out := l.b[start : start+n]
	l.at = start + n
	if l.b[l.at] == '\\' {
		out = bytes.Clone(out)
		for l.b[l.at] != '"' {
			if l.b[l.at] == '\\' {
				var err error
				if out, err = l.escape(out); err != nil {
					return "", err
				}
			} else {
				out = append(out, l.b[l.at])
				l.at++
			}
			if l.at == len(l.b) {
				return "", l.fail("a closing quote")
			}
		}
	}
	l.at++
	if !utf8.Valid(out) {
		return "", diag.Errorf(diag.Invalid, "", "expected UTF-8, got other bytes")
	}
	return string(out), nil
}

// escape appends what the escape sequence at l.at stands for.
func (l *jsonLexer) escape(out []byte) ([]byte, error) {
	if l.at+1 == len(l.b) {
		l.at++
		return nil, l.fail("an escape sequence")
	}
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if k := bytes.IndexByte([]byte(from), l.b[l.at+1]); k >= 0 {
		l.at += 2
		return append(out, to[k]), nil
	}
	hex := func() (rune, bool) {
		if l.at+6 > len(l.b) || l.b[l.at] != '\\' || l.b[l.at+1] != 'u' {
			return 0, false
		}
		v, err := strconv.ParseUint(string(l.b[l.at+2:l.at+6]), 16, 16)
		if err != nil {
			return 0, false
		}
		l.at += 6
		return rune(v), true
	}
	c, ok := hex()
	if !ok {
		return nil, l.fail("an escape sequence")
	}
	if utf16.IsSurrogate(c) {
		low, _ := hex()
		c = utf16.DecodeRune(c, low)
	}
	return utf8.AppendRune(out, c), nil
}

// word consumes text when it comes next.
func (l *jsonLexer) word(text string) bool {
	if bytes.HasPrefix(l.b[l.at:], []byte(text)) {
		l.at += len(text)
		return true
	}
	return false
}

func (l *jsonLexer) num() (number, error) {
	start := l.at
	for _, w := range [...]string{"NaN", "Infinity", "-Infinity"} {
		if l.word(w) {
			f, _ := strconv.ParseFloat(w, 32) // these three always parse
			return number{f: float32(f)}, nil
		}
	}
	for l.at < len(l.b) && bytes.IndexByte([]byte("+-.0123456789eE"), l.b[l.at]) >= 0 {
		l.at++
	}
	text := string(l.b[start:l.at])
	bad := func() (number, error) {
		l.at = start
		return number{}, l.fail("a number")
	}
	if len(text) > 64 || len(text) == 0 || text[0] == '+' {
		return bad()
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number{f: float32(i), i: i, integer: true}, nil
	}
	f, err := strconv.ParseFloat(text, 32)
	if err != nil && (f == 0 || f == f && f-f == 0) { // out of range gives infinity: the caller's to judge
		return bad()
	}
	return number{f: float32(f)}, nil
}

func (l *jsonLexer) boolean() (bool, error) {
	switch {
	case l.word("true"):
		return true, nil
	case l.word("false"):
		return false, nil
	}
	return false, l.fail("true or false")
}

func (l *jsonLexer) null() error {
	if !l.word("null") {
		return l.fail("null")
	}
	return nil
}

func (l *jsonLexer) end() error {
	l.space()
	if l.at != len(l.b) {
		return l.fail("the end of the file")
	}
	return nil
}
