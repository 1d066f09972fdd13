package frame

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"

	"github.com/parquet-go/parquet-go"

	"dolor/diag"
	"dolor/internal/atomicfile"
)

// schemaKey is the key of the file metadata that carries the schema as JSON.
const schemaKey = "dolor.schema"

// parquetSchema is what schemaKey holds.
type parquetSchema struct {
	Version int    `json:"version"`
	Columns Schema `json:"columns"`
}

// groupRows is how many rows one row group holds.
const groupRows = 1 << 17

// WriteParquet writes f to the file at path; see EncodeParquet. The file is replaced as a
// whole or, on any error, not at all.
func (f *Frame) WriteParquet(path string) error {
	return atomicfile.WriteFile(path, f.EncodeParquet)
}

// EncodeParquet writes f to w as Parquet: numbers as double, categories and texts as strings,
// times as date when every one is a whole day and else as days in double, missing as null.
// The schema travels in the file's metadata, so that ReadParquet gives back the same frame
// (same Hash). The same frame gives the same bytes. Errors are those of EncodeCSV.
func (f *Frame) EncodeParquet(w io.Writer) error {
	if len(f.cols) == 0 {
		return diag.Errorf(diag.Unsupported, "", "expected at least one column to write, got none")
	}
	if err := f.writable(); err != nil {
		return err
	}
	head, err := json.Marshal(parquetSchema{1, f.Schema()})
	if err != nil {
		return err
	}
	root := orderedGroup{Group: parquet.Group{}}
	for _, c := range f.cols {
		node := columnNode(c)
		root.Group[c.Name] = node
		root.fields = append(root.fields, orderedField{node, c.Name})
	}
	pw := parquet.NewGenericWriter[any](w, parquet.NewSchema("dolor", root), parquet.Compression(&parquet.Snappy),
		parquet.CreatedBy("dolor", "1", "0"), parquet.KeyValueMetadata(schemaKey, string(head)))
	columns := pw.ColumnWriters()
	for from := 0; from < f.rows; from += groupRows {
		to := min(from+groupRows, f.rows)
		for j, c := range f.cols {
			if err := writeColumn(columns[j], c, j, from, to); err != nil {
				return err
			}
		}
		if err := pw.Flush(); err != nil {
			return err
		}
	}
	return pw.Close()
}

func columnNode(c Column) parquet.Node {
	switch {
	case c.Kind == Category:
		return parquet.Optional(parquet.Encoded(parquet.String(), &parquet.RLEDictionary))
	case c.Kind == Text:
		return parquet.Optional(parquet.String())
	case c.Kind == Time && wholeDays(c.num):
		return parquet.Optional(parquet.Date())
	}
	return parquet.Optional(parquet.Leaf(parquet.DoubleType))
}

// wholeDays reports whether every day fits a Parquet date exactly.
func wholeDays(days []float64) bool {
	for _, v := range days {
		if !math.IsNaN(v) && (v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 || math.Signbit(v) && v == 0) {
			return false
		}
	}
	return true
}

// writeColumn writes rows [from, to) of c as column j.
func writeColumn(w *parquet.ColumnWriter, c Column, j, from, to int) error {
	dates := c.Kind == Time && wholeDays(c.num)
	var levels []parquet.Value
	for _, l := range c.Levels {
		levels = append(levels, parquet.ByteArrayValue([]byte(l)).Level(0, 1, j))
	}
	values := make([]parquet.Value, 0, 1024)
	for i := from; i < to; i++ {
		v := parquet.NullValue().Level(0, 0, j)
		switch {
		case c.IsMissing(i):
		case c.Kind == Category:
			v = levels[c.code[i]]
		case c.Kind == Text:
			v = parquet.ByteArrayValue([]byte(c.text[i])).Level(0, 1, j)
		case dates:
			v = parquet.Int32Value(int32(c.num[i])).Level(0, 1, j)
		default:
			v = parquet.DoubleValue(c.num[i]).Level(0, 1, j)
		}
		if values = append(values, v); len(values) == cap(values) || i == to-1 {
			n, err := w.WriteRowValues(values)
			if err != nil {
				return err
			}
			if n != len(values) {
				return fmt.Errorf("parquet: wrote %d of %d values", n, len(values))
			}
			values = values[:0]
		}
	}
	return nil
}

// orderedGroup is a group whose fields keep their order; parquet.Group sorts them by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

// Fields implements parquet.Node.
func (g orderedGroup) Fields() []parquet.Field { return g.fields }

type orderedField struct {
	parquet.Node
	name string
}

// Name implements parquet.Field.
func (f orderedField) Name() string { return f.name }

// Value implements parquet.Field; rows are written column by column and never taken apart.
func (orderedField) Value(reflect.Value) reflect.Value { return reflect.Value{} }
