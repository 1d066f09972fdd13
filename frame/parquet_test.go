package frame

import (
	"bytes"
	"context"
	"testing"

	"pgregory.net/rapid"

	"dolor/diag"
)

// Writing and reading gives the frame back with its whole schema, and the same bytes twice.
func TestParquetRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := anyFrame(rt)
		var b, again bytes.Buffer
		if err := f.EncodeParquet(&b); err != nil {
			rt.Fatal(err)
		}
		if err := f.EncodeParquet(&again); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
			rt.Fatalf("the same frame gives other bytes (%v)", err)
		}
		got, _, err := ReadParquetBytes(context.Background(), b.Bytes(), nil)
		if err != nil {
			rt.Fatal(err)
		}
		if got.Hash() != f.Hash() {
			rt.Fatalf("got another frame: %+v, want %+v", got.Schema(), f.Schema())
		}
	})
}

func TestReadParquetRefusesGarbage(t *testing.T) {
	for _, s := range []string{"", "PAR1", "PAR1xxxxxxxxPAR1", "a,b\n1,2\n"} {
		if _, _, err := ReadParquetBytes(context.Background(), []byte(s), nil); diag.KindOf(err) != diag.Invalid {
			t.Errorf("%q: got %v, want kind invalid", s, err)
		}
	}
}

func FuzzReadParquet(f *testing.F) {
	fr, err := New(2, NumberColumn(Field{Name: "x"}, []float64{1, 2}), CategoryColumn(Field{Name: "g", Levels: []string{"a"}}, []int32{0, -1}))
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := fr.EncodeParquet(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _, _ = ReadParquetBytes(context.Background(), data, nil) // no panic
	})
}

func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,x\n", "a\n\"x\ny\"\n", "a,b\r\n,\"\"\"\"\r\n", "a\n1\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, _, err := readBlocks(data, 0, 1)
		b, _, berr := readBlocks(data, 3, 2)
		if (err == nil) != (berr == nil) || err != nil && diag.KindOf(err) == diag.Internal {
			t.Fatalf("%q: %v, in blocks %v", data, err, berr)
		}
		if err == nil && a.Hash() != b.Hash() {
			t.Fatalf("%q: blocks give another frame", data)
		}
	})
}

// Files that pandas 3.1, polars 2.1 and pyarrow 26 wrote from the same three rows.
func TestReadParquetOfOtherSystems(t *testing.T) {
	want := map[string]string{
		"i32": "number 1 - -3", "i64": "number 1 2 -", "u8": "number 1 255 0", "f32": "number 0.5 - 2", "f64": "number 0.1 - 3",
		"b": "number 1 - 0", "s": "category x é -", "cat": "category hi lo hi", "ts": "time 19783 19783.5 -",
		"d": "time 19783 - -1", "dec": "number 1.25 - -3.1", "nul": "number - - -",
	}
	for _, name := range []string{"pandas", "polars", "pyarrow", "pyarrow-v2-zstd", "pyarrow-int96"} {
		f, _, err := ReadParquet(context.Background(), "testdata/"+name+".parquet", nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Cols() < 9 || f.Rows() != 3 {
			t.Errorf("%s: %d x %d", name, f.Rows(), f.Cols())
		}
		for j := range f.Cols() {
			c := f.At(j)
			if got := c.Kind.String() + " " + cells(c); got != want[c.Name] {
				t.Errorf("%s: %s: got %q, want %q", name, c.Name, got, want[c.Name])
			}
		}
	}
	_, _, err := ReadParquet(context.Background(), "testdata/nested.parquet", nil)
	if err == nil || err.Error() != "testdata/nested.parquet: l: expected one value a row, got a nested column" {
		t.Errorf("nested: got %v", err)
	}
}
