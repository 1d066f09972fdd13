package vcf

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strconv"

	"dolor/diag"
)

// lines gives the lines of a plain or compressed stream, none longer than limit.
type lines struct {
	name  string
	br    *bufio.Reader
	buf   []byte
	line  int
	limit int
	tail  *tail // of a bgzip stream
}

// bgzipEnd is the empty block that closes a bgzip file (SAM/BAM format specification, 4.1.2).
var bgzipEnd = []byte{0x1f, 0x8b, 0x08, 0x04, 0, 0, 0, 0, 0, 0xff, 0x06, 0, 0x42, 0x43, 0x02, 0, 0x1b, 0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0}

// tail remembers the last bytes that were read through it.
type tail struct {
	r    io.Reader
	last []byte
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n >= len(bgzipEnd) {
		t.last = append(t.last[:0], p[n-len(bgzipEnd):n]...)
	} else if n > 0 {
		t.last = append(t.last, p[:n]...)
		if over := len(t.last) - len(bgzipEnd); over > 0 {
			t.last = append(t.last[:0], t.last[over:]...)
		}
	}
	return n, err
}

func newLines(src io.Reader, name string, limit int) (*lines, error) {
	l := &lines{name: name, limit: limit}
	t := &tail{r: src}
	raw := bufio.NewReaderSize(t, 64<<10)
	head, err := raw.Peek(16)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, l.broken(err)
	}
	switch {
	case len(head) == 0:
		return nil, &diag.Error{Kind: diag.Missing, Pos: diag.Pos{File: name}, Msg: "expected a VCF file, got an empty file"}
	case bytes.HasPrefix(head, []byte("BCF")):
		return nil, binary(name)
	case !bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		l.br = raw
		return l, nil
	}
	if len(head) == 16 && head[3]&4 != 0 && head[12] == 'B' && head[13] == 'C' {
		l.tail = t
	}
	z, err := gzip.NewReader(raw)
	if err != nil {
		return nil, l.broken(err)
	}
	l.br = bufio.NewReaderSize(z, 64<<10)
	if head, _ := l.br.Peek(3); string(head) == "BCF" {
		return nil, binary(name)
	}
	return l, nil
}

func binary(name string) error {
	return &diag.Error{Kind: diag.Unsupported, Pos: diag.Pos{File: name}, Msg: "expected VCF text, got BCF", Hint: "convert it with bcftools view"}
}

// next returns the next line without its end, valid until the next call; io.EOF at the end.
func (l *lines) next() ([]byte, error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.br.ReadSlice('\n')
		if len(l.buf)+len(part) > l.limit {
			return nil, &diag.Error{
				Kind: diag.Invalid, Pos: diag.Pos{File: l.name, Line: l.line + 1},
				Msg: "expected a line of at most " + strconv.Itoa(l.limit) + " bytes, got a longer one",
			}
		}
		whole := part
		if len(l.buf) > 0 || err != nil {
			l.buf = append(l.buf, part...)
			whole = l.buf
		}
		switch {
		case err == nil:
			l.line++
			return chomp(whole), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			if l.tail != nil && !bytes.Equal(l.tail.last, bgzipEnd) {
				return nil, l.broken(io.ErrUnexpectedEOF)
			}
			if len(whole) == 0 {
				return nil, io.EOF
			}
			l.line++
			return chomp(whole), nil
		default:
			return nil, l.broken(err)
		}
	}
}

func chomp(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// broken says at which line the stream could not be read further.
func (l *lines) broken(err error) error {
	e := &diag.Error{Kind: diag.Invalid, Pos: diag.Pos{File: l.name, Line: l.line + 1}, Err: err}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Msg, e.Err, e.Hint = "expected more compressed data, got the end of the file", nil, "the file was cut: copy it again"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		e.Msg, e.Err = "expected intact gzip data, got damaged data", nil
	default:
		e.Msg = "cannot be read"
	}
	return e
}
