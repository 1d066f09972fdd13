package frame

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"dolor/diag"
)

// faultsKept is how many faults of one sort are remembered; diag.List keeps as many.
const faultsKept = 20

// cellMax is how much of one cell the careful reader remembers.
const cellMax = 1 << 20

// lexer is the careful, sequential reader of cells with their places. It serves the header,
// the sample that kinds are guessed from, and the explanation of what is wrong.
type lexer struct {
	t      *table
	r      *bufio.Reader
	offset int64 // of the next byte
	line   int
	start  int64 // offset of the line's first byte
	utf16  bool
	arena  []byte
	cells  []lexCell
	faults []*diag.Error // of the last row
	whole  int           // bytes of the current UTF-8 sequence still to come
}

type lexCell struct {
	text      []byte
	line, col int
}

// lexer returns a careful reader at the start of the file, past a byte order mark.
func (t *table) lexer() *lexer {
	end := t.size
	if t.end > 0 {
		end = t.end
	}
	l := &lexer{t: t, r: bufio.NewReaderSize(io.NewSectionReader(t.src, 0, end), 1<<16), line: 1}
	mark, _ := l.r.Peek(3)
	if string(mark) == "\xef\xbb\xbf" {
		_, _ = l.r.Discard(3)
		l.offset, l.start = 3, 3
	}
	if len(mark) >= 2 && (string(mark[:2]) == "\xff\xfe" || string(mark[:2]) == "\xfe\xff") {
		l.utf16 = true
	}
	return l
}

// next returns one byte and checks the encoding.
func (l *lexer) next() (byte, bool, error) {
	c, err := l.r.ReadByte()
	if err == io.EOF {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	l.offset++
	switch {
	case l.whole > 0:
		l.whole--
	case c >= utf8.RuneSelf:
		rest, _ := l.r.Peek(3)
		seq := append([]byte{c}, rest...)
		r, n := utf8.DecodeRune(seq)
		if r == utf8.RuneError && n == 1 {
			f := l.t.fault(l.line, int(l.offset-l.start), "", "expected UTF-8 text, got a byte of another encoding at offset "+strconv.FormatInt(l.offset-1, 10))
			f.Hint = "convert the file to UTF-8 (often it is Windows-1252)"
			l.faultOnce(f)
		}
		l.whole = n - 1
	case c == 0:
		l.faultOnce(l.t.fault(l.line, int(l.offset-l.start), "", "expected text, got a zero byte"))
	}
	return c, true, nil
}

// faultOnce keeps one fault of a message start for each row.
func (l *lexer) faultOnce(f *diag.Error) {
	for _, g := range l.faults {
		if g.Msg[:12] == f.Msg[:12] {
			return
		}
	}
	l.faults = append(l.faults, f)
}

func (l *lexer) peek() (byte, bool) {
	b, err := l.r.Peek(1)
	if err != nil {
		return 0, false
	}
	return b[0], true
}

// row reads one row. more is false at the end of the file. The cells are good until the next
// call; faults of the row's form are in l.faults.
func (l *lexer) row() (cells []lexCell, more bool, err error) {
	l.arena, l.cells, l.faults = l.arena[:0], l.cells[:0], l.faults[:0]
	if _, ok := l.peek(); !ok {
		return nil, false, nil
	}
	type span struct{ from, to, line, col int }
	var spans []span
	for {
		s := span{from: len(l.arena), line: l.line, col: int(l.offset-l.start) + 1}
		end, err := l.cell()
		if err != nil {
			return nil, false, err
		}
		s.to = len(l.arena)
		spans = append(spans, s)
		if end {
			break
		}
	}
	for _, s := range spans {
		l.cells = append(l.cells, lexCell{l.arena[s.from:s.to], s.line, s.col})
	}
	return l.cells, true, nil
}

// cell reads one cell and its separator; end says that the row ended with it.
func (l *lexer) cell() (end bool, err error) {
	from := len(l.arena)
	keep := func(c byte) {
		if len(l.arena)-from < cellMax {
			l.arena = append(l.arena, c)
		}
	}
	line, col := l.line, int(l.offset-l.start)+1
	quoted, first := false, true
	for {
		c, ok, err := l.next()
		if err != nil || !ok {
			return true, err
		}
		switch {
		case c == l.t.opts.Comma:
			return false, nil
		case c == '\n':
			l.line, l.start = l.line+1, l.offset
			return true, nil
		case c == '\r':
			if n, ok := l.peek(); ok && n == '\n' {
				continue
			}
			f := l.t.fault(l.line, int(l.offset-l.start), "", "expected a line to end in LF or CRLF, got a lone CR")
			l.faultOnce(f)
		case c == '"' && first:
			quoted = true
			closed, err := l.quotedPart(keep)
			if err != nil {
				return true, err
			}
			if !closed {
				l.faults = append(l.faults, l.t.fault(line, col, "", "expected a closing quote, got the end of the file"))
				return true, nil
			}
		case c == '"':
			f := l.t.fault(l.line, int(l.offset-l.start), "", "expected quotes around the whole cell and doubled inside, got a quote within it")
			l.faultOnce(f)
			keep(c)
		case quoted:
			f := l.t.fault(l.line, int(l.offset-l.start), "", "expected a separator after the closing quote, got more text")
			l.faultOnce(f)
			keep(c)
		default:
			keep(c)
		}
		first = false
	}
}

// quotedPart reads up to the closing quote.
func (l *lexer) quotedPart(keep func(byte)) (closed bool, err error) {
	for {
		c, ok, err := l.next()
		if err != nil || !ok {
			return false, err
		}
		switch c {
		case '"':
			if n, ok := l.peek(); !ok || n != '"' {
				return true, nil
			}
			if _, _, err := l.next(); err != nil {
				return false, err
			}
			keep('"')
		case '\n':
			l.line, l.start = l.line+1, l.offset
			keep(c)
		default:
			keep(c)
		}
	}
}

// explain reads the whole file carefully and says what is wrong and where.
func (t *table) explain(ctx context.Context) error {
	var all []*diag.Error
	total, form := 0, 0
	lex := t.lexer()
	if _, _, err := lex.row(); err != nil {
		return err
	}
	offenders := make([][]*diag.Error, len(t.cols))
	parsed, failed := make([]int, len(t.cols)), make([]int, len(t.cols))
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		cells, more, err := lex.row()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		rowFaults := lex.faults
		if len(cells) != len(t.cols) && !slices.ContainsFunc(rowFaults, func(e *diag.Error) bool { return strings.Contains(e.Msg, "quote") }) {
			rowFaults = append(rowFaults, t.ragged(cells))
		}
		if len(rowFaults) > 0 {
			total += len(rowFaults)
			for _, f := range rowFaults {
				if form++; form <= faultsKept {
					all = append(all, f)
				}
			}
			continue
		}
		for j := range t.cols {
			c := &t.cols[j]
			f, number := t.judge(c, cells[j])
			if number {
				parsed[j]++
			}
			if f == nil {
				continue
			}
			if failed[j]++; len(offenders[j]) < faultsKept {
				offenders[j] = append(offenders[j], f)
			}
		}
	}
	for j := range t.cols {
		if t.cols[j].spec.Kind == 0 && parsed[j] < 9*failed[j] {
			continue // not a number column
		}
		total += failed[j]
		all = append(all, offenders[j]...)
	}
	slices.SortStableFunc(all, func(a, b *diag.Error) int {
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Col - b.Pos.Col
	})
	var faults diag.List
	for _, f := range all {
		if faults.Len() < total {
			faults.Add(f)
		}
	}
	for len(all) > 0 && faults.Len() < total {
		faults.Add(all[len(all)-1]) // beyond those kept: only counted
	}
	if faults.Len() == 0 {
		return &diag.Error{
			Kind: diag.Internal, Op: "frame.ReadCSV", Pos: diag.Pos{File: t.opts.Name},
			Msg: "the fast and the careful reader disagree",
		}
	}
	return faults.Err()
}

func (t *table) ragged(cells []lexCell) *diag.Error {
	last := cells[len(cells)-1]
	at, want := last, len(t.cols)
	if len(cells) > want {
		at = cells[want]
	}
	got := count(len(cells), "cell")
	if len(cells) == 1 && len(last.text) == 0 {
		got = "an empty line"
	}
	f := t.fault(at.line, at.col, "", "expected "+count(want, "cell")+", got "+got)
	if len(cells) > want {
		f.Hint = "quote a cell that contains the separator; write decimals with a point"
	}
	return f
}

// judge returns the fault of a cell under its declared kind, or as a number where no kind is
// declared; number says that it reads as a number.
func (t *table) judge(c *csvColumn, cell lexCell) (f *diag.Error, number bool) {
	if len(trimSpace(cell.text)) == 0 || c.missing.match(cell.text) {
		return nil, false
	}
	switch c.spec.Kind {
	case Number, 0:
		if isNA(cell.text) {
			return nil, false
		}
		if _, ok := parseNumber(cell.text); ok {
			return nil, true
		}
		msg, hint := describeNumber(string(trimSpace(cell.text)))
		if hint == "" && c.spec.Kind == 0 {
			hint = "declare its kind or the missing token"
		}
		f = t.fault(cell.line, cell.col, c.name, msg)
		f.Hint = hint
	case Time:
		if _, ok := parseDate(cell.text); !ok {
			f = t.fault(cell.line, cell.col, c.name, "expected an ISO 8601 date such as 2024-03-01, got "+diag.Describe(string(cell.text)))
		}
	case Category:
		if c.spec.Levels != nil && c.levelOf(string(cell.text)) < 0 {
			f = t.fault(cell.line, cell.col, c.name, "expected one of the "+itoa(len(c.spec.Levels))+" declared levels, got "+diag.Describe(string(cell.text)))
		}
	default: // any text will do
	}
	return f, false
}

// describeNumber says why cell is no finite number, without quoting it.
func describeNumber(cell string) (msg, hint string) {
	bare := strings.TrimLeft(cell, "+-")
	switch {
	case strings.EqualFold(bare, "inf") || strings.EqualFold(bare, "infinity"):
		return "expected a finite number, got infinity", ""
	case strings.Count(cell, ",") == 1 && isDecimal(strings.Replace(cell, ",", ".", 1)):
		return "expected a number, got a decimal comma", "write decimals with a point: 3.5, not 3,5"
	case isDecimal(cell):
		return "expected a finite number, got one too large for float64", ""
	}
	if d := diag.Describe(cell); d != "a number" {
		return "expected a number, got " + d, ""
	}
	return "expected a decimal number, got another notation", ""
}

// isDecimal reports whether s has the form of a decimal number, whatever its size.
func isDecimal(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if !strings.ContainsRune("0123456789+-.eE", rune(s[i])) {
			return false
		}
	}
	_, next, _ := scanNumber(append([]byte(s), '\n'), 0) // it passes over a number too large
	return next == len(s)
}

func itoa(n int) string { return strconv.Itoa(n) }

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return itoa(n) + " " + word + "s"
}
