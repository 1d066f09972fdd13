package frame

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"dolor/diag"
)

// ColumnSpec declares one column of a file. The zero value declares nothing.
type ColumnSpec struct {
	Kind     Kind     // 0: inferred
	Missing  []string // tokens that mean missing here, besides the empty cell; a number also matches by value
	Unit     string
	Modality Modality
	Levels   []string // of a category, in code order; nil: those found, numbers by value before text by bytes
	Ordered  bool     // the levels are in rank order
}

// CSVOptions says how to read a CSV file. The zero value and nil read a comma-separated file
// and infer every kind.
type CSVOptions struct {
	Missing []string              // tokens that mean missing in every column ("?"); a number also matches by value
	Columns map[string]ColumnSpec // by header name
	Absent  bool                  // a column in Columns that the file lacks is left out instead of refused
	Dates   bool                  // undeclared columns of ISO 8601 dates become Time, not Text or Category
	Comma   byte                  // separator; 0: tab for names ending in .tsv or .tab (before .gz), else comma
	Name    string                // name of the file in errors; "" is the path, or "input"
	Workers int                   // 0: GOMAXPROCS; the result does not depend on it
}

// ReadCSV reads the file at path as RFC 4180 CSV: a header line of distinct names, then rows
// with as many cells. A name ending in .gz is decompressed. A byte order mark and CRLF are
// accepted; line breaks inside quotes belong to the cell. Blank lines at the end are
// ignored, except that in a file of one column a blank line is a missing cell.
//
// Missing. An empty cell, quoted or not, is missing in every kind; so are the declared
// tokens. In a number column NA, N/A, NaN and null in any case are missing too. In other
// kinds those are text, and a category with such a level comes with the warning
// missing_token_level.
//
// Kind, where not declared. A column is a Number when every non-missing cell is a finite
// decimal number (spaces around it are ignored; hexadecimal, underscores, infinity and
// decimal commas are no numbers). When at least nine tenths of them are, the others are
// reported as faults. Otherwise it is a Category when it has at most max(50, sqrt(cells))
// distinct values, else Text. A column without a value is a Number. Dates are Time where
// declared or with Dates. The levels of a category are sorted, numbers by value before text
// by bytes, so codes do not depend on row order; when all are numbers, "1" and "1.0" are one
// level, "1".
//
// Errors are of kind Missing (no file, a declared column that is not there) or Invalid, and
// name file, line, column (in bytes, from 1) and header name; up to 20 are kept, in file
// order. No message quotes a cell.
//
// Memory is that of the frame and a few megabytes for each worker; a compressed file is held
// whole. Cost: two passes over the file.
func ReadCSV(ctx context.Context, path string, opts *CSVOptions) (*Frame, []diag.Warning, error) {
	o := csvOptions(opts)
	if o.Name == "" {
		o.Name = path
	}
	plain, zipped := strings.CutSuffix(path, ".gz")
	if o.Comma == 0 && (strings.HasSuffix(plain, ".tsv") || strings.HasSuffix(plain, ".tab")) {
		o.Comma = '\t'
	}
	file, err := openFile(path, o.Name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close() //nolint:errcheck // the file was only read
	if zipped {
		z, err := gzip.NewReader(file)
		if err != nil {
			return nil, nil, gzipFault(o.Name, err)
		}
		data, err := io.ReadAll(&ctxReader{ctx, z})
		if err != nil {
			return nil, nil, gzipFault(o.Name, err)
		}
		return readCSV(ctx, bytes.NewReader(data), int64(len(data)), o)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() { // a pipe has no size
		return ReadCSVFrom(ctx, file, &o)
	}
	return readCSV(ctx, file, info.Size(), o)
}

// ReadCSVFrom is ReadCSV for the bytes that r yields until io.EOF, held in memory.
func ReadCSVFrom(ctx context.Context, r io.Reader, opts *CSVOptions) (*Frame, []diag.Warning, error) {
	data, err := io.ReadAll(&ctxReader{ctx, r})
	if err != nil {
		return nil, nil, err
	}
	return ReadCSVBytes(ctx, data, opts)
}

// ReadCSVBytes is ReadCSV for data, which it does not change or keep.
func ReadCSVBytes(ctx context.Context, data []byte, opts *CSVOptions) (*Frame, []diag.Warning, error) {
	o := csvOptions(opts)
	if o.Name == "" {
		o.Name = "input"
	}
	return readCSV(ctx, bytes.NewReader(data), int64(len(data)), o)
}

func csvOptions(opts *CSVOptions) CSVOptions {
	if opts == nil {
		return CSVOptions{}
	}
	return *opts
}

// openFile opens path for reading; a missing file and a folder are said plainly.
func openFile(path, name string) (*os.File, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &diag.Error{Kind: diag.Missing, Op: "frame.open", Pos: diag.Pos{File: name}, Msg: "no such file"}
	}
	if err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			err = pe.Err
		}
		return nil, &diag.Error{Kind: diag.Invalid, Op: "frame.open", Pos: diag.Pos{File: name}, Msg: "cannot be opened", Err: err}
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close()
		return nil, &diag.Error{Kind: diag.Invalid, Op: "frame.open", Pos: diag.Pos{File: name}, Msg: "expected a file, got a folder"}
	}
	return file, nil
}

func gzipFault(name string, err error) error {
	if diag.KindOf(err) == diag.Canceled {
		return err
	}
	return &diag.Error{
		Kind: diag.Invalid, Op: "frame.ReadCSV", Pos: diag.Pos{File: name},
		Msg: "expected a whole gzip file", Err: err,
	}
}

// ctxReader stops reading when ctx is done.
type ctxReader struct {
	ctx context.Context //nolint:containedctx // lives for one call
	r   io.Reader
}

func (c *ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// readCSV reads size bytes of r.
func readCSV(ctx context.Context, r io.ReaderAt, size int64, o CSVOptions) (*Frame, []diag.Warning, error) {
	if o.Comma == 0 {
		o.Comma = ','
	}
	if o.Comma == '"' || o.Comma == '\n' || o.Comma == '\r' || o.Comma >= 0x80 {
		return nil, nil, diag.Errorf(diag.Usage, "comma", "expected a separator that is an ASCII character other than a quote or a line break")
	}
	return readTable(ctx, &table{src: r, size: size, opts: o})
}

// readTable reads the file. The fast passes only find out that something is wrong; what and
// where is then told by explain, which reads the file again from the start.
func readTable(ctx context.Context, t *table) (*Frame, []diag.Warning, error) {
	if err := t.readHeader(); err != nil {
		return nil, nil, err
	}
	if err := t.split(ctx); err != nil {
		return nil, nil, err
	}
	if t.rows == 0 && !t.broken {
		return nil, nil, t.fault(2, 0, "", "expected at least one row below the header, got none")
	}
	ok := !t.broken
	var err error
	if ok {
		t.guess()
		if ok, err = t.parse(ctx); err != nil {
			return nil, nil, err
		}
	}
	if ok {
		ok, err = t.settle(ctx)
		if err != nil {
			return nil, nil, err
		}
	}
	if !ok {
		return nil, nil, t.explain(ctx)
	}
	cols := make([]Column, len(t.cols))
	for j := range t.cols {
		cols[j] = t.cols[j].column
	}
	f, err := New(t.rows, cols...)
	if err != nil {
		return nil, nil, err
	}
	return f, t.warnings(), nil
}

// fault returns an Invalid error at a place of the file.
func (t *table) fault(line, col int, field, msg string) *diag.Error {
	return &diag.Error{
		Kind: diag.Invalid, Op: "frame.ReadCSV", Field: field, Msg: msg,
		Pos: diag.Pos{File: t.opts.Name, Line: line, Col: col},
	}
}

// readHeader reads the first line, checks the names and lays out the columns.
func (t *table) readHeader() error {
	var faults diag.List
	lex := t.lexer()
	if t.size == 0 {
		return &diag.Error{
			Kind: diag.Invalid, Op: "frame.ReadCSV", Pos: diag.Pos{File: t.opts.Name},
			Msg: "expected a header line, got an empty file",
		}
	}
	if lex.utf16 {
		return &diag.Error{
			Kind: diag.Invalid, Op: "frame.ReadCSV", Pos: diag.Pos{File: t.opts.Name, Line: 1, Col: 1},
			Msg: "expected UTF-8 text, got UTF-16", Hint: "save the file as UTF-8",
		}
	}
	cells, more, err := lex.row()
	if err != nil {
		return err
	}
	if !more {
		return &diag.Error{
			Kind: diag.Invalid, Op: "frame.ReadCSV", Pos: diag.Pos{File: t.opts.Name},
			Msg: "expected a header line, got an empty file",
		}
	}
	for _, f := range lex.faults {
		faults.Add(f)
	}
	seen := make(map[string]int, len(cells))
	for i, c := range cells {
		name := string(c.text)
		switch first, dup := seen[name]; {
		case len(trimSpace(c.text)) == 0:
			faults.Add(t.fault(c.line, c.col, "", "column "+itoa(i+1)+": expected a header name, got "+diag.Describe(name)))
		case dup:
			faults.Add(t.fault(c.line, c.col, name, "expected distinct header names, got this one in columns "+itoa(first+1)+" and "+itoa(i+1)))
		default:
			seen[name] = i
		}
		spec, declared := t.opts.Columns[name]
		t.cols = append(t.cols, csvColumn{
			name: name, spec: spec, declared: declared,
			missing: missingTokens(slices.Concat(t.opts.Missing, spec.Missing)),
		})
	}
	if !t.opts.Absent {
		for _, name := range slices.Sorted(maps.Keys(t.opts.Columns)) {
			if _, ok := seen[name]; ok {
				continue
			}
			e := &diag.Error{Kind: diag.Missing, Op: "frame.ReadCSV", Pos: diag.Pos{File: t.opts.Name, Line: 1}, Field: name, Msg: "no such column"}
			if near := diag.Nearest(name, slices.Sorted(maps.Keys(seen))); near != "" {
				e.Hint = "did you mean \"" + near + "\"?"
			}
			faults.Add(e)
		}
	}
	t.begin = lex.offset
	return faults.Err()
}
