package xgbfile

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"

	"dolor/diag"
)

// ubjLexer reads Universal Binary JSON as XGBoost writes it: objects closed by a brace, arrays
// open, counted, or counted and typed.
type ubjLexer struct {
	b     []byte
	at    int
	stack []ubjOpen
}

// ubjOpen is an object or array that is being read.
type ubjOpen struct {
	counted bool
	typed   byte  // marker that every item shares; 0 when each has its own
	left    int64 // items to come, when counted
}

// ubjSize is the number of bytes of a number's marker; 0 for any other.
func ubjSize(marker byte) int {
	switch marker {
	case 'i', 'U':
		return 1
	case 'I':
		return 2
	case 'l', 'd':
		return 4
	case 'L', 'D':
		return 8
	}
	return 0
}

func (l *ubjLexer) fail(expected string) error {
	got := "the end of the file"
	if l.at < len(l.b) {
		got = "something else at byte " + strconv.Itoa(l.at)
	}
	return diag.Errorf(diag.Invalid, "", "expected %s, got %s", expected, got)
}

// marker returns the type of the value that comes next, without consuming it.
func (l *ubjLexer) marker() byte {
	if n := len(l.stack); n > 0 && l.stack[n-1].typed != 0 {
		return l.stack[n-1].typed
	}
	if l.at < len(l.b) {
		return l.b[l.at]
	}
	return 0
}

// skipMarker consumes the marker unless the array gives it once for all.
func (l *ubjLexer) skipMarker() {
	if n := len(l.stack); n == 0 || l.stack[n-1].typed == 0 {
		l.at++
	}
}

func (l *ubjLexer) next() (kind, error) {
	switch m := l.marker(); {
	case m == '{':
		return kObject, nil
	case m == '[':
		return kArray, nil
	case m == 'S':
		return kString, nil
	case ubjSize(m) > 0:
		return kNumber, nil
	case m == 'T' || m == 'F':
		return kBool, nil
	case m == 'Z':
		return kNull, nil
	}
	return 0, l.fail("a value")
}

func (l *ubjLexer) open() error {
	if len(l.stack) == maxDepth {
		return diag.Errorf(diag.Invalid, "", "expected at most %d levels of nesting", maxDepth)
	}
	array := l.b[l.at] == '['
	l.at++
	var o ubjOpen
	if array && l.at < len(l.b) && l.b[l.at] == '$' {
		if l.at+1 == len(l.b) || ubjSize(l.b[l.at+1]) == 0 {
			l.at++
			return l.fail("the type of an array's numbers")
		}
		o.typed = l.b[l.at+1]
		l.at += 2
		if l.at == len(l.b) || l.b[l.at] != '#' {
			return l.fail("the count of a typed array")
		}
	}
	if array && l.at < len(l.b) && l.b[l.at] == '#' {
		l.at++
		n, err := l.length()
		if err != nil {
			return err
		}
		// Every item takes at least this many bytes, so a claim cannot outgrow the file.
		if n > int64(len(l.b)-l.at)/int64(max(1, ubjSize(o.typed))) {
			return diag.Errorf(diag.Invalid, "", "expected as many items as the rest of the file can hold, got a count of %d", n)
		}
		o.counted, o.left = true, n
	}
	l.stack = append(l.stack, o)
	return nil
}

// length reads a count or length with its marker.
func (l *ubjLexer) length() (int64, error) {
	if l.at == len(l.b) || ubjSize(l.b[l.at]) == 0 || l.b[l.at] == 'd' || l.b[l.at] == 'D' {
		return 0, l.fail("a length")
	}
	m := l.b[l.at]
	l.at++
	v, err := l.value(m)
	if err != nil {
		return 0, err
	}
	if v.i < 0 {
		return 0, diag.Errorf(diag.Invalid, "", "expected a length of 0 or more, got a negative one")
	}
	return v.i, nil
}

// value reads the bytes of a number of the given marker.
func (l *ubjLexer) value(marker byte) (number, error) {
	n := ubjSize(marker)
	if n == 0 || len(l.b)-l.at < n {
		return number{}, l.fail("a number")
	}
	b := l.b[l.at : l.at+n]
	l.at += n
	var i int64
	switch marker {
	case 'i':
		i = int64(int8(b[0]))
	case 'U':
		i = int64(b[0])
	case 'I':
		i = int64(int16(binary.BigEndian.Uint16(b)))
	case 'l':
		i = int64(int32(binary.BigEndian.Uint32(b)))
	case 'L':
		i = int64(binary.BigEndian.Uint64(b))
	case 'd':
		return number{f: math.Float32frombits(binary.BigEndian.Uint32(b))}, nil
	default:
		return number{f: float32(math.Float64frombits(binary.BigEndian.Uint64(b)))}, nil
	}
	return number{f: float32(i), i: i, integer: true}, nil
}

func (l *ubjLexer) more() (bool, error) {
	top := len(l.stack) - 1
	o := &l.stack[top]
	if o.counted {
		if o.left > 0 {
			o.left--
			return true, nil
		}
		l.stack = l.stack[:top]
		return false, nil
	}
	if l.at == len(l.b) {
		return false, l.fail("an item or ']'")
	}
	if l.b[l.at] == ']' {
		l.at++
		l.stack = l.stack[:top]
		return false, nil
	}
	return true, nil
}

func (l *ubjLexer) key() (string, bool, error) {
	if l.at == len(l.b) {
		return "", false, l.fail("a key or '}'")
	}
	if l.b[l.at] == '}' {
		l.at++
		l.stack = l.stack[:len(l.stack)-1]
		return "", false, nil
	}
	s, err := l.text()
	return s, err == nil, err
}

// text reads a length and that many bytes of UTF-8.
func (l *ubjLexer) text() (string, error) {
	n, err := l.length()
	if err != nil {
		return "", err
	}
	if n > int64(len(l.b)-l.at) {
		return "", diag.Errorf(diag.Invalid, "", "expected a text within the file, got a length of %d bytes", n)
	}
	s := l.b[l.at : l.at+int(n)]
	l.at += int(n)
	if !utf8.Valid(s) {
		return "", diag.Errorf(diag.Invalid, "", "expected UTF-8, got other bytes")
	}
	return string(s), nil
}

func (l *ubjLexer) str() (string, error) {
	l.skipMarker()
	return l.text()
}

func (l *ubjLexer) num() (number, error) {
	m := l.marker()
	l.skipMarker()
	return l.value(m)
}

func (l *ubjLexer) boolean() (bool, error) {
	t := l.marker() == 'T'
	l.skipMarker()
	return t, nil
}

func (l *ubjLexer) null() error {
	l.skipMarker()
	return nil
}

func (l *ubjLexer) end() error {
	if l.at != len(l.b) {
		return l.fail("the end of the file")
	}
	return nil
}
