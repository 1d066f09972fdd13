package xgbfile

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// jsonSink writes JSON (RFC 8259) without white space.
type jsonSink struct {
	b     []byte
	comma bool // a value stands before in this object or list
}

func (s *jsonSink) separate() {
	if s.comma {
		s.b = append(s.b, ',')
	}
	s.comma = false
}

func (s *jsonSink) open()         { s.b, s.comma = append(s.b, '{'), false }
func (s *jsonSink) close()        { s.b, s.comma = append(s.b, '}'), true }
func (s *jsonSink) list(int)      { s.b, s.comma = append(s.b, '['), false }
func (s *jsonSink) closeList()    { s.b, s.comma = append(s.b, ']'), true }
func (s *jsonSink) item()         { s.separate() }
func (s *jsonSink) bytes() []byte { return s.b }

func (s *jsonSink) key(name string) {
	s.separate()
	s.quote(name)
	s.b = append(s.b, ':')
}

func (s *jsonSink) str(v string) {
	s.quote(v)
	s.comma = true
}

func (s *jsonSink) whole(v int64) {
	s.b = strconv.AppendInt(s.b, v, 10)
	s.comma = true
}

func (s *jsonSink) single(v float32) {
	s.b = appendExponent(s.b, v)
	s.comma = true
}

func (s *jsonSink) singles(n int, at func(int) float32) {
	s.list(n)
	for k := range n {
		s.item()
		s.single(at(k))
	}
	s.closeList()
}

func (s *jsonSink) wholes(n int, _ byte, at func(int) int64) {
	s.list(n)
	for k := range n {
		s.item()
		s.whole(at(k))
	}
	s.closeList()
}

// quote appends v with the escapes that XGBoost's reader knows. Bytes that are not UTF-8 become
// the replacement character.
func (s *jsonSink) quote(v string) {
	s.b = append(s.b, '"')
	for _, c := range v {
		switch {
		case c == '"' || c == '\\':
			s.b = append(s.b, '\\', byte(c))
		case c == '\n':
			s.b = append(s.b, '\\', 'n')
		case c == '\r':
			s.b = append(s.b, '\\', 'r')
		case c == '\t':
			s.b = append(s.b, '\\', 't')
		case c < ' ':
			s.b = append(s.b, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			s.b = utf8.AppendRune(s.b, c)
		}
	}
	s.b = append(s.b, '"')
}

// ubjSink writes UBJSON as XGBoost does: lengths of 8 bytes, lists counted, arrays of
// parameters typed.
type ubjSink struct{ b []byte }

func (s *ubjSink) open()         { s.b = append(s.b, '{') }
func (s *ubjSink) close()        { s.b = append(s.b, '}') }
func (s *ubjSink) closeList()    {}
func (s *ubjSink) item()         {}
func (s *ubjSink) bytes() []byte { return s.b }

func (s *ubjSink) length(n int) {
	s.b = append(s.b, 'L')
	s.b = binary.BigEndian.AppendUint64(s.b, uint64(n))
}

func (s *ubjSink) list(n int) {
	s.b = append(s.b, '[', '#')
	s.length(n)
}

func (s *ubjSink) key(name string) {
	s.length(len(name))
	s.b = append(s.b, name...)
}

func (s *ubjSink) str(v string) {
	s.b = append(s.b, 'S')
	s.key(v)
}

func (s *ubjSink) whole(v int64) {
	switch {
	case v >= -128 && v < 128:
		s.b = append(s.b, 'i', byte(v))
	case v >= math.MinInt16 && v <= math.MaxInt16:
		s.b = binary.BigEndian.AppendUint16(append(s.b, 'I'), uint16(v))
	case v >= math.MinInt32 && v <= math.MaxInt32:
		s.b = binary.BigEndian.AppendUint32(append(s.b, 'l'), uint32(v))
	default:
		s.b = binary.BigEndian.AppendUint64(append(s.b, 'L'), uint64(v))
	}
}

func (s *ubjSink) single(v float32) {
	s.b = binary.BigEndian.AppendUint32(append(s.b, 'd'), math.Float32bits(v))
}

func (s *ubjSink) singles(n int, at func(int) float32) {
	s.b = append(s.b, '[', '$', 'd', '#')
	s.length(n)
	for k := range n {
		s.b = binary.BigEndian.AppendUint32(s.b, math.Float32bits(at(k)))
	}
}

func (s *ubjSink) wholes(n int, size byte, at func(int) int64) {
	s.b = append(s.b, '[', '$', size, '#')
	s.length(n)
	for k := range n {
		switch v := at(k); size {
		case 'L':
			s.b = binary.BigEndian.AppendUint64(s.b, uint64(v))
		case 'l':
			s.b = binary.BigEndian.AppendUint32(s.b, uint32(v))
		default:
			s.b = append(s.b, byte(v))
		}
	}
}
