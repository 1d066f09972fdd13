package frame

import (
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"dolor/diag"
	"dolor/internal/atomicfile"
)

// WriteCSV writes f to the file at path as RFC 4180 CSV with LF line ends; see EncodeCSV. The
// file is replaced as a whole or, on any error, not at all.
func (f *Frame) WriteCSV(path string) error {
	return atomicfile.WriteFile(path, f.EncodeCSV)
}

// EncodeCSV writes f to w as RFC 4180 CSV with LF line ends: a header, then one line a row.
// Numbers are the shortest decimals that read back as the same float64, times are ISO 8601
// in UTC, categories their levels, and a missing cell is empty. A text that is empty or only
// spaces reads back as missing; kinds, units and modalities are not kept (Parquet keeps
// them). Errors of kind Invalid: infinite numbers, text that is not UTF-8 or holds a zero
// byte; kind Unsupported: no columns.
func (f *Frame) EncodeCSV(w io.Writer) error {
	if len(f.cols) == 0 {
		return diag.Errorf(diag.Unsupported, "", "expected at least one column to write, got none")
	}
	if err := f.writable(); err != nil {
		return err
	}
	quoted := make([][]string, len(f.cols))
	line := make([]byte, 0, 1<<16)
	for j, c := range f.cols {
		if j > 0 {
			line = append(line, ',')
		}
		line = appendCell(line, c.Name)
		if c.Kind == Category {
			for _, l := range c.Levels {
				quoted[j] = append(quoted[j], string(appendCell(nil, l)))
			}
		}
	}
	line = append(line, '\n')
	for i := range f.rows {
		for j := range f.cols {
			c := &f.cols[j]
			if j > 0 {
				line = append(line, ',')
			}
			if c.IsMissing(i) {
				continue
			}
			switch c.Kind {
			case Category:
				line = append(line, quoted[j][c.code[i]]...)
			case Text:
				line = appendCell(line, c.text[i])
			case Time:
				line = appendDate(line, c.num[i])
			default:
				line = appendNumber(line, c.num[i])
			}
		}
		line = append(line, '\n')
		if len(line) > 1<<15 {
			if _, err := w.Write(line); err != nil {
				return err
			}
			line = line[:0]
		}
	}
	_, err := w.Write(line)
	return err
}

// writable names the columns with a cell that no reader would take back.
func (f *Frame) writable() error {
	var faults diag.List
	for _, c := range f.cols {
		bad := 0
		check := func(s string) {
			if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
				bad++
			}
		}
		want := "UTF-8 text"
		switch c.Kind {
		case Category:
			for _, l := range c.Levels {
				check(l)
			}
		case Text:
			for _, s := range c.text {
				check(s)
			}
		default:
			want = "finite numbers"
			for _, v := range c.num {
				if math.IsInf(v, 0) {
					bad++
				}
			}
		}
		check(c.Name)
		if bad > 0 {
			faults.Addf(diag.Invalid, c.Name, "expected only %s, got %d other", want, bad)
		}
	}
	return faults.Err()
}

// appendCell writes s, in quotes where RFC 4180 needs them.
func appendCell(dst []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") && !strings.HasPrefix(s, "\ufeff") {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}
