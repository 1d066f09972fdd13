package frame

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dolor/diag"
)

func read(t testing.TB, text string, o *CSVOptions) (*Frame, []diag.Warning) {
	t.Helper()
	f, ws, err := ReadCSVBytes(context.Background(), []byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return f, ws
}

func column(t testing.TB, f *Frame, name string) Column {
	t.Helper()
	c, ok := f.Column(name)
	if !ok {
		t.Fatalf("no column %s in %v", name, f.Schema().Names())
	}
	return c
}

// cells gives a column as text, missing as "-".
func cells(c Column) string {
	var out []string
	for i := range c.Len() {
		s, ok := c.String(i)
		if !ok {
			s = "-"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestReadCSVKinds(t *testing.T) {
	tests := []struct {
		name, column string
		spec         ColumnSpec
		opts         CSVOptions
		kind         Kind
		want         string
		levels       string
	}{
		{"numbers", "1|2.50|-3e2|+.5|5.|", ColumnSpec{}, CSVOptions{}, Number, "1 2.5 -300 0.5 5 -", ""},
		{"spaces around numbers", " 1|2 |\t3", ColumnSpec{}, CSVOptions{}, Number, "1 2 3", ""},
		{"quoted numbers", `"1"|"2"|""`, ColumnSpec{}, CSVOptions{}, Number, "1 2 -", ""},
		{"usual words for missing", "1|NA|nan|NULL|n/a|2", ColumnSpec{}, CSVOptions{}, Number, "1 - - - - 2", ""},
		{"a declared token", "1|?|2", ColumnSpec{}, CSVOptions{Missing: []string{"?"}}, Number, "1 - 2", ""},
		{"zero means missing", "0|0.0|-0|10|1", ColumnSpec{Missing: []string{"0"}}, CSVOptions{}, Number, "- - - 10 1", ""},
		{"few words", "b|a|b||a", ColumnSpec{}, CSVOptions{}, Category, "b a b - a", "a b"},
		{"levels in order of value", "10|9|x|y|z", ColumnSpec{}, CSVOptions{}, Category, "10 9 x y z", "9 10 x y z"},
		{"numbers as categories", "2|1.0|1|10", ColumnSpec{Kind: Category}, CSVOptions{}, Category, "2 1 1 10", "1 2 10"},
		{"a category's token by value", "2|0.0|1", ColumnSpec{Kind: Category, Missing: []string{"0"}}, CSVOptions{}, Category, "2 - 1", "1 2"},
		{"declared levels", "low|1|high", ColumnSpec{Kind: Category, Levels: []string{"low", "high", "1.0"}}, CSVOptions{}, Category, "low 1.0 high", "low high 1.0"},
		{"dates stay words", "2024-03-01|2024-03-02", ColumnSpec{}, CSVOptions{}, Category, "2024-03-01 2024-03-02", "2024-03-01 2024-03-02"},
		{"declared dates", "1970-01-02|1969-12-31T12:00Z|", ColumnSpec{Kind: Time}, CSVOptions{}, Time, "1 -0.5 -", ""},
		{"dates by option", "1970-01-02|1970-01-11 06:00:00", ColumnSpec{}, CSVOptions{Dates: true}, Time, "1 10.25", ""},
		{"declared text", "1|b| ", ColumnSpec{Kind: Text}, CSVOptions{}, Text, "1 b -", ""},
		{"no value", "||", ColumnSpec{}, CSVOptions{}, Number, "- - -", ""},
		{"quotes, breaks and separators", "\"a,b\"|\"c\"\"d\"|\"e\nf\"", ColumnSpec{Kind: Text}, CSVOptions{}, Text, "a,b c\"d e\nf", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := tt.opts
			o.Columns = map[string]ColumnSpec{"x": tt.spec}
			for _, eol := range []string{"\n", "\r\n"} {
				rows := strings.Split(tt.column, "|")
				text := "id,x" + eol
				for i, r := range rows {
					text += fmt.Sprintf("%d,%s%s", i, r, eol)
				}
				f, _ := read(t, text, &o)
				c := column(t, f, "x")
				if c.Kind != tt.kind {
					t.Errorf("kind %s, want %s", c.Kind, tt.kind)
				}
				if got := cells(c); got != tt.want {
					t.Errorf("cells %q, want %q", got, tt.want)
				}
				if got := strings.Join(c.Levels, " "); got != tt.levels {
					t.Errorf("levels %q, want %q", got, tt.levels)
				}
			}
		})
	}
}

func TestManyDistinctWordsAreText(t *testing.T) {
	var few, many strings.Builder
	few.WriteString("x\n")
	many.WriteString("x\n")
	for i := range 2000 {
		fmt.Fprintf(&few, "a%d\n", i%50)
		fmt.Fprintf(&many, "a%d\n", i%51)
	}
	for _, tt := range []struct {
		text string
		want Kind
	}{{few.String(), Category}, {many.String(), Text}} {
		f, _ := read(t, tt.text, nil)
		if got := f.At(0).Kind; got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// The exact texts: one for each way a table is wrong.
func TestReadCSVFaults(t *testing.T) {
	nine := strings.Repeat("1\n", 9)
	tests := []struct {
		name, text string
		opts       CSVOptions
		want       string
	}{
		{"empty file", "", CSVOptions{}, "t.csv: expected a header line, got an empty file"},
		{"only a mark", "\xef\xbb\xbf", CSVOptions{}, "t.csv: expected a header line, got an empty file"},
		{"zero rows", "a,b\n", CSVOptions{}, "t.csv:2: expected at least one row below the header, got none"},
		{"blank below", "a,b\r\n\r\n", CSVOptions{}, "t.csv:2: expected at least one row below the header, got none"},
		{"short row", "a,b\n1,2\n3\n", CSVOptions{}, "t.csv:3:1: expected 2 cells, got 1 cell"},
		{"long row", "a,b\n1,2,3\n", CSVOptions{}, "t.csv:2:5: expected 2 cells, got 3 cells; quote a cell that contains the separator; write decimals with a point"},
		{"blank row", "a,b\n\n1,2\n", CSVOptions{}, "t.csv:2:1: expected 2 cells, got an empty line"},
		{"duplicate header", "a,b,a\n1,2,3\n", CSVOptions{}, "t.csv:1:5: a: expected distinct header names, got this one in columns 1 and 3"},
		{"empty header", "a,,c\n1,2,3\n", CSVOptions{}, "t.csv:1:3: column 2: expected a header name, got an empty cell"},
		{"unclosed quote", "a,b\n1,\"x\n2,3\n", CSVOptions{}, "t.csv:2:3: expected a closing quote, got the end of the file"},
		{"quote within", "a,b\n1,5\" nail\n", CSVOptions{}, "t.csv:2:4: expected quotes around the whole cell and doubled inside, got a quote within it"},
		{"text after quote", "a,b\n1,\"x\"y\n", CSVOptions{}, "t.csv:2:6: expected a separator after the closing quote, got more text"},
		{"lone CR", "a,b\n1,2\r3,4\n", CSVOptions{}, "t.csv:2:4: expected a line to end in LF or CRLF, got a lone CR\nt.csv:2:7: expected 2 cells, got 3 cells; quote a cell that contains the separator; write decimals with a point"},
		{"Windows-1252", "a,b\n1,caf\xe9\n", CSVOptions{}, "t.csv:2:6: expected UTF-8 text, got a byte of another encoding at offset 9; convert the file to UTF-8 (often it is Windows-1252)"},
		{"Windows-1252 header", "a,caf\xe9\n1,2\n", CSVOptions{}, "t.csv:1:6: expected UTF-8 text, got a byte of another encoding at offset 5; convert the file to UTF-8 (often it is Windows-1252)"},
		{"UTF-16", "\xff\xfea\x00", CSVOptions{}, "t.csv:1:1: expected UTF-8 text, got UTF-16; save the file as UTF-8"},
		{"zero byte", "a,b\n1,x\x00\n", CSVOptions{}, "t.csv:2:4: expected text, got a zero byte"},
		{"text among numbers", "nrs\n" + nine + "severe\n", CSVOptions{}, "t.csv:11:1: nrs: expected a number, got 6 letters; declare its kind or the missing token"},
		{"text in a declared number", "id,nrs\n1,severe\n", CSVOptions{Columns: map[string]ColumnSpec{"nrs": {Kind: Number}}}, "t.csv:2:3: nrs: expected a number, got 6 letters"},
		{"decimal comma", "id;nrs\n1;3,5\n", CSVOptions{Comma: ';', Columns: map[string]ColumnSpec{"nrs": {Kind: Number}}}, "t.csv:2:3: nrs: expected a number, got a decimal comma; write decimals with a point: 3.5, not 3,5"},
		{"infinity", "nrs\n" + nine + "-Inf\n", CSVOptions{}, "t.csv:11:1: nrs: expected a finite number, got infinity; declare its kind or the missing token"},
		{"too large", "nrs\n" + nine + "1e999\n", CSVOptions{}, "t.csv:11:1: nrs: expected a finite number, got one too large for float64; declare its kind or the missing token"},
		{"hexadecimal", "nrs\n" + nine + "0x1F\n", CSVOptions{}, "t.csv:11:1: nrs: expected a number, got 4 characters; declare its kind or the missing token"},
		{"underscore", "nrs\n" + nine + "1_000\n", CSVOptions{}, "t.csv:11:1: nrs: expected a decimal number, got another notation; declare its kind or the missing token"},
		{"not a date", "d,x\n1/2/2024,1\n", CSVOptions{Columns: map[string]ColumnSpec{"d": {Kind: Time}}}, "t.csv:2:1: d: expected an ISO 8601 date such as 2024-03-01, got 8 characters"},
		{"no such day", "d\n2023-02-29\n", CSVOptions{Columns: map[string]ColumnSpec{"d": {Kind: Time}}}, "t.csv:2:1: d: expected an ISO 8601 date such as 2024-03-01, got 10 characters"},
		{"undeclared level", "g\nlow\nmiddle\n", CSVOptions{Columns: map[string]ColumnSpec{"g": {Kind: Category, Levels: []string{"low", "high"}}}}, "t.csv:3:1: g: expected one of the 2 declared levels, got 6 letters"},
		{"declared but absent", "age,nrs\n1,2\n", CSVOptions{Columns: map[string]ColumnSpec{"nsr": {}}}, "t.csv:1: nsr: no such column; did you mean \"nrs\"?"},
		{"line numbers count breaks in quotes", "a,nrs\n\"x\ny\",1\nz,bad\n", CSVOptions{Columns: map[string]ColumnSpec{"nrs": {Kind: Number}}}, "t.csv:4:3: nrs: expected a number, got 3 letters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := tt.opts
			o.Name = "t.csv"
			f, _, err := ReadCSVBytes(context.Background(), []byte(tt.text), &o)
			if err == nil {
				t.Fatalf("got %d rows, want an error", f.Rows())
			}
			if err.Error() != tt.want {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
			if k := diag.KindOf(err); k.ExitCode() != 3 {
				t.Errorf("kind %s leads to exit code %d, want 3", k, k.ExitCode())
			}
		})
	}
}

func TestReadCSVCollectsFaults(t *testing.T) {
	text := "a,b\n" + strings.Repeat("x,1\n", 30)
	_, _, err := ReadCSVBytes(context.Background(), []byte(text), &CSVOptions{Columns: map[string]ColumnSpec{"a": {Kind: Number}}})
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 21 || lines[20] != "and 10 more" {
		t.Errorf("got %d lines, last %q; want 20 faults and 10 more", len(lines), lines[len(lines)-1])
	}
}

func TestReadCSVFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		p := filepath.Join(dir, name)
		data := []byte(text)
		if strings.HasSuffix(name, ".gz") {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(data)
			_ = z.Close()
			data = b.Bytes()
		}
		if err := os.WriteFile(p, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, text := range map[string]string{
		"a.csv": "\xef\xbb\xbfx,y\n1,2\n", "b.csv.gz": "x,y\n1,2\n", "c.tsv": "x\ty\n1\t2\n", "d.tsv.gz": "x\ty\r\n1\t2",
	} {
		f, _, err := ReadCSV(context.Background(), put(name, text), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := strings.Join(f.Schema().Names(), " ") + " " + cells(f.At(0)) + " " + cells(f.At(1)); got != "x y 1 2" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	none := filepath.Join(dir, "none.csv")
	if _, _, err := ReadCSV(context.Background(), none, nil); err == nil || err.Error() != none+": no such file" || diag.KindOf(err) != diag.Missing {
		t.Errorf("no file: got %v", err)
	}
	if _, _, err := ReadCSV(context.Background(), dir, nil); err == nil || err.Error() != dir+": expected a file, got a folder" {
		t.Errorf("folder: got %v", err)
	}
	torn := put("torn.csv.gz", "x\n1\n")
	if err := os.Truncate(torn, 12); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadCSV(context.Background(), torn, nil); diag.KindOf(err) != diag.Invalid {
		t.Errorf("torn gzip: got %v", err)
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := ReadCSV(canceled, filepath.Join(dir, "a.csv"), nil); diag.KindOf(err) != diag.Canceled {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestReadCSVWarnings(t *testing.T) {
	_, ws := read(t, "a,b,c\nx,,1\nNA,,2\ny,,3\n", nil)
	want := []diag.Warning{
		{Code: "missing_token_level", Msg: "a has a level that reads like a missing value (NA, N/A, NaN, null); declare it as missing if it is", Count: 1, First: "a"},
		{Code: "column_all_missing", Msg: "b has no value in any row", Count: 1, First: "b"},
	}
	if d := cmp.Diff(want, ws); d != "" {
		t.Error(d)
	}
	if _, ws := read(t, "a;b\n1;2\n", nil); len(ws) != 1 || ws[0].Code != "one_column" {
		t.Errorf("semicolons: got %v", ws)
	}
}

// The guess from the first rows must not show: the same column, its odd cell early or late,
// and any order of rows, gives the same kind and levels.
func TestKindDoesNotDependOnRowOrder(t *testing.T) {
	var early, late strings.Builder
	early.WriteString("k,x\n")
	late.WriteString("k,x\n")
	for i := range 1000 {
		fmt.Fprintf(&late, "%d,%s\n", i, []string{"1", "w"}[max(0, (i-500)/250)])
		fmt.Fprintf(&early, "%d,%s\n", 999-i, []string{"1", "w"}[max(0, (999-i-500)/250)])
	}
	a, _ := read(t, early.String(), nil)
	b, _ := read(t, late.String(), nil)
	if d := cmp.Diff(a.Schema(), b.Schema()); d != "" {
		t.Error(d)
	}
	if a.At(1).Kind != Category {
		t.Errorf("kind %s, want category", a.At(1).Kind)
	}
	if cells(b.At(1).Take([]int{0, 999})) != cells(a.At(1).Take([]int{999, 0})) {
		t.Error("cells differ")
	}
}

// Blocks of any size and any number of workers give the same frame.
func TestReadCSVDoesNotDependOnBlocks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := anyFrame(rt)
		var b bytes.Buffer
		if err := f.EncodeCSV(&b); err != nil {
			rt.Fatal(err)
		}
		data := b.Bytes()
		if rapid.Bool().Draw(rt, "no last break") {
			data = bytes.TrimSuffix(data, []byte("\n"))
		}
		want, _, werr := readBlocks(data, 0, 1)
		got, _, gerr := readBlocks(data, rapid.IntRange(1, 40).Draw(rt, "block"), rapid.IntRange(1, 5).Draw(rt, "workers"))
		if fmt.Sprint(werr) != fmt.Sprint(gerr) {
			rt.Fatalf("errors differ: %v and %v", werr, gerr)
		}
		if werr == nil && want.Hash() != got.Hash() {
			rt.Fatalf("frames differ for %q", data)
		}
	})
}

func readBlocks(data []byte, block, workers int) (*Frame, []diag.Warning, error) {
	return readTable(context.Background(), &table{
		src: bytes.NewReader(data), size: int64(len(data)), block: block,
		opts: CSVOptions{Workers: workers, Comma: ',', Name: "input"},
	})
}

// Writing and reading with the kinds declared gives the frame back.
func TestCSVRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := anyFrame(rt)
		var b bytes.Buffer
		if err := f.EncodeCSV(&b); err != nil {
			rt.Fatal(err)
		}
		cols := map[string]ColumnSpec{}
		for _, c := range f.Schema() {
			cols[c.Name] = ColumnSpec{Kind: c.Kind, Levels: c.Levels, Unit: c.Unit, Modality: c.Modality, Ordered: c.Ordered}
		}
		got, _, err := ReadCSVBytes(context.Background(), b.Bytes(), &CSVOptions{Columns: cols})
		if err != nil {
			rt.Fatalf("%v\n%q", err, b.Bytes())
		}
		if got.Hash() != f.Hash() {
			rt.Fatalf("got another frame from %q", b.Bytes())
		}
	})
}

// anyFrame draws a frame whose cells CSV can carry: no blank text, whole-second times.
func anyFrame(rt *rapid.T) *Frame {
	rows := rapid.IntRange(1, 12).Draw(rt, "rows")
	n := rapid.IntRange(1, 5).Draw(rt, "cols")
	cols := make([]Column, n)
	word := rapid.StringMatching("[a-zà-é,\"\n;0-9 ]{0,6}[a-z]")
	for j := range cols {
		f := Field{Name: fmt.Sprintf("c%d%s", j, word.Draw(rt, "name")), Unit: "mg/dL", Modality: Clinical}
		missing := make([]bool, rows)
		for i := range missing {
			missing[i] = rapid.IntRange(0, 4).Draw(rt, "missing") == 0
		}
		num := make([]float64, rows)
		switch rapid.IntRange(0, 3).Draw(rt, "kind") {
		case 0:
			for i := range num {
				num[i] = rapid.Float64().Draw(rt, "v")
				if missing[i] {
					num[i] = math.NaN()
				}
			}
			cols[j] = NumberColumn(f, num)
		case 1:
			for i := range num {
				num[i] = nanosToDays(rapid.Int64Range(-1e9, 4e9).Draw(rt, "s"), 0)
				if missing[i] {
					num[i] = math.NaN()
				}
			}
			cols[j] = TimeColumn(f, num)
		case 2:
			f.Levels = rapid.SliceOfNDistinct(word, 1, 4, rapid.ID).Draw(rt, "levels")
			f.Ordered = rapid.Bool().Draw(rt, "ordered")
			codes := make([]int32, rows)
			for i := range codes {
				codes[i] = int32(rapid.IntRange(0, len(f.Levels)-1).Draw(rt, "code"))
				if missing[i] {
					codes[i] = -1
				}
			}
			cols[j] = CategoryColumn(f, codes)
		default:
			text, has := make([]string, rows), make([]bool, rows)
			for i := range text {
				if has[i] = !missing[i]; has[i] {
					text[i] = word.Draw(rt, "text")
				}
			}
			cols[j] = TextColumn(f, text, has)
		}
	}
	f, err := New(rows, cols...)
	if err != nil {
		rt.Fatal(err)
	}
	return f
}
