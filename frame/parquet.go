package frame

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"

	"dolor/diag"
	"dolor/internal/par"
)

// ParquetOptions says how to read a Parquet file. The zero value and nil take each column as
// the file has it.
type ParquetOptions struct {
	Missing []string              // as in CSVOptions
	Columns map[string]ColumnSpec // by name; a declared kind converts, or is a fault where it cannot
	Absent  bool                  // a column in Columns that the file lacks is left out instead of refused
	Name    string                // name of the file in errors; "" is the path, or "input"
	Workers int                   // 0: GOMAXPROCS; the result does not depend on it
}

// ReadParquet reads the file at path. A file that WriteParquet wrote gives back its frame with
// kinds, units, modalities and levels; what Columns declares goes before that. In files of
// other systems integers, floats, decimals and booleans (0 and 1) are Number, dates and
// timestamps Time, strings Category or Text by the rule of ReadCSV but never numbers unless
// declared. Null, NaN and the empty string are missing. Errors are of kind Missing (no file,
// no such column), Unsupported (nested columns) or Invalid (torn file, infinite numbers,
// whole numbers beyond 2^53, text that is not UTF-8, a cell that does not fit the declared
// kind) and name the column. Memory is that of the frame and of one page for each worker.
func ReadParquet(ctx context.Context, path string, opts *ParquetOptions) (*Frame, []diag.Warning, error) {
	var o ParquetOptions
	if opts != nil {
		o = *opts
	}
	if o.Name == "" {
		o.Name = path
	}
	file, err := openFile(path, o.Name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close() //nolint:errcheck // the file was only read
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	return readParquet(ctx, file, info.Size(), o)
}

// ReadParquetBytes is ReadParquet for data, which it does not change or keep.
func ReadParquetBytes(ctx context.Context, data []byte, opts *ParquetOptions) (*Frame, []diag.Warning, error) {
	var o ParquetOptions
	if opts != nil {
		o = *opts
	}
	if o.Name == "" {
		o.Name = "input"
	}
	return readParquet(ctx, bytes.NewReader(data), int64(len(data)), o)
}

func readParquet(ctx context.Context, r io.ReaderAt, size int64, o ParquetOptions) (f *Frame, ws []diag.Warning, err error) {
	// The library panics on some malformed files; to the caller that is a malformed file.
	defer func() {
		if p := recover(); p != nil {
			f, ws, err = nil, nil, torn(o.Name, fmt.Errorf("%v", p))
		}
	}()
	if size == 0 {
		return nil, nil, &diag.Error{Kind: diag.Invalid, Op: "frame.ReadParquet", Pos: diag.Pos{File: o.Name}, Msg: "expected a Parquet file, got an empty file"}
	}
	if err := checkFooter(r, size); err != nil {
		return nil, nil, torn(o.Name, err)
	}
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, nil, torn(o.Name, err)
	}
	own, err := ownSchema(file, o.Name)
	if err != nil {
		return nil, nil, err
	}
	leaves, err := flatColumns(file, o)
	if err != nil {
		return nil, nil, err
	}
	if file.NumRows() == 0 && own == nil {
		return nil, nil, &diag.Error{Kind: diag.Invalid, Op: "frame.ReadParquet", Pos: diag.Pos{File: o.Name}, Msg: "expected at least one row, got none"}
	}
	if err := plausible(file, size, len(leaves)); err != nil {
		return nil, nil, torn(o.Name, err)
	}
	if err := checkPages(r, file); err != nil {
		return nil, nil, torn(o.Name, err)
	}
	raws := make([]rawColumn, len(leaves))
	err = par.For(ctx, len(leaves), o.Workers, func(ctx context.Context, j int) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = torn(o.Name, fmt.Errorf("%v", p))
			}
		}()
		if err := raws[j].read(ctx, file, leaves[j]); err != nil {
			if diag.KindOf(err) == diag.Canceled {
				return err
			}
			if de, ok := errors.AsType[*diag.Error](err); ok {
				de.Pos.File, de.Field = o.Name, leaves[j].Name()
				return de
			}
			return torn(o.Name, err)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	rows := int(file.NumRows())
	t := &table{opts: CSVOptions{Name: o.Name}, rows: rows}
	cols := make([]Column, len(leaves))
	var faults diag.List
	for j, leaf := range leaves {
		if raws[j].rows() != rows {
			return nil, nil, torn(o.Name, fmt.Errorf("column %d holds %d rows of %d", j+1, raws[j].rows(), rows))
		}
		spec := o.Columns[leaf.Name()]
		if own != nil {
			spec = spec.over(own[j])
		}
		c, fault := raws[j].column(leaf.Name(), spec, o.Missing)
		if fault != nil {
			fault.Pos.File = o.Name
			faults.Add(fault)
			continue
		}
		if own != nil {
			c.column.Parent, c.column.Missing = own[j].Parent, own[j].Missing
		}
		cols[j] = c.column
		t.cols = append(t.cols, *c)
	}
	if err := faults.Err(); err != nil {
		return nil, nil, err
	}
	if f, err = New(rows, cols...); err != nil {
		return nil, nil, torn(o.Name, err)
	}
	if rows == 0 {
		return f, nil, nil
	}
	return f, t.warnings(), nil
}

func torn(name string, err error) error {
	return &diag.Error{Kind: diag.Invalid, Op: "frame.ReadParquet", Pos: diag.Pos{File: name}, Msg: "expected a whole Parquet file", Err: err}
}

// ownSchema returns the schema that WriteParquet left, or nil in a file of another system.
func ownSchema(file *parquet.File, name string) (Schema, error) {
	text, ok := file.Lookup(schemaKey)
	if !ok {
		return nil, nil
	}
	var s parquetSchema
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, torn(name, fmt.Errorf("its metadata %s does not read as a schema", schemaKey))
	}
	if s.Version != 1 {
		return nil, &diag.Error{
			Kind: diag.Unsupported, Op: "frame.ReadParquet", Pos: diag.Pos{File: name}, Field: schemaKey,
			Msg: "expected version 1, got " + itoa(s.Version),
		}
	}
	columns := file.Root().Columns()
	if len(columns) != len(s.Columns) {
		return nil, nil // another system rewrote the file and kept our metadata
	}
	for i, c := range columns {
		if c.Name() != s.Columns[i].Name {
			return nil, nil
		}
	}
	return s.Columns, nil
}

// over completes what a caller declared with what the file says of itself.
func (s ColumnSpec) over(f Field) ColumnSpec {
	if s.Kind == 0 || s.Kind == f.Kind {
		s.Kind = f.Kind
		if s.Levels == nil {
			s.Levels, s.Ordered = f.Levels, s.Ordered || f.Ordered
			if s.Levels == nil && f.Kind == Category {
				s.Levels = []string{}
			}
		}
	}
	if s.Unit == "" {
		s.Unit = f.Unit
	}
	if s.Modality == "" {
		s.Modality = f.Modality
	}
	return s
}

// flatColumns returns the columns of the file after checking that each is a plain one.
func flatColumns(file *parquet.File, o ParquetOptions) ([]*parquet.Column, error) {
	var faults diag.List
	var names []string
	columns := file.Root().Columns()
	for _, c := range columns {
		names = append(names, c.Name())
		if !c.Leaf() || c.Repeated() {
			faults.Add(&diag.Error{
				Kind: diag.Unsupported, Op: "frame.ReadParquet", Pos: diag.Pos{File: o.Name}, Field: c.Name(),
				Msg: "expected one value a row, got a nested column",
			})
		}
	}
	if len(columns) == 0 {
		return nil, &diag.Error{Kind: diag.Invalid, Op: "frame.ReadParquet", Pos: diag.Pos{File: o.Name}, Msg: "expected columns, got none"}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Columns)) {
		if o.Absent || slices.Contains(names, name) {
			continue
		}
		e := &diag.Error{Kind: diag.Missing, Op: "frame.ReadParquet", Pos: diag.Pos{File: o.Name}, Field: name, Msg: "no such column"}
		if near := diag.Nearest(name, names); near != "" {
			e.Hint = "did you mean \"" + near + "\"?"
		}
		faults.Add(e)
	}
	return columns, faults.Err()
}

// rawColumn is one column as the file has it.
type rawColumn struct {
	num   []float64 // numbers and days
	code  []int32   // strings, into dict
	dict  dict
	moves bool // num are days
	words bool
	inf   int
	big   int // whole numbers that float64 does not hold
}

func (c *rawColumn) rows() int {
	if c.words {
		return len(c.code)
	}
	return len(c.num)
}

// read reads the column's chunks one after another.
func (c *rawColumn) read(ctx context.Context, file *parquet.File, leaf *parquet.Column) error {
	convert, err := c.converter(leaf.Type())
	if err != nil {
		return err
	}
	c.dict.code = make(map[string]int32)
	values := make([]parquet.Value, 1024)
	for _, g := range file.RowGroups() {
		chunk := g.ColumnChunks()[leaf.Index()]
		pages := chunk.Pages()
		for {
			if err := ctx.Err(); err != nil {
				_ = pages.Close()
				return err
			}
			page, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				_ = pages.Close()
				return err
			}
			err = c.readPage(page, values, convert, file.NumRows())
			parquet.Release(page)
			if err != nil {
				_ = pages.Close()
				return err
			}
		}
		if err := pages.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (c *rawColumn) readPage(page parquet.Page, values []parquet.Value, convert func(parquet.Value) float64, limit int64) error {
	reader := page.Values()
	var none tokens
	if page.NumValues() > limit {
		return fmt.Errorf("a page holds more than %d rows", limit)
	}
	for {
		n, err := reader.ReadValues(values)
		for _, v := range values[:n] {
			switch {
			case c.words && (v.IsNull() || len(v.ByteArray()) == 0):
				c.code = append(c.code, -1)
			case c.words:
				c.code = append(c.code, c.dict.add(v.ByteArray(), &none))
			case v.IsNull():
				c.num = append(c.num, math.NaN())
			default:
				c.num = append(c.num, convert(v))
			}
		}
		if int64(c.rows()) > limit {
			return fmt.Errorf("a column holds more than %d rows", limit)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrNoProgress
		}
	}
}
