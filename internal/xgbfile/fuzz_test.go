package xgbfile_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"dolor/diag"
	"dolor/internal/tree"
	"dolor/internal/xgbfile"
)

// FuzzRead checks that no file, in either encoding, does more than give an error with a kind; and that
// one which is read predicts, and is written and read again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(model))
	for _, path := range append(fixtures(f), "testdata/names.json") {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := xgbfile.Read(b)
		if err != nil {
			if e, ok := errors.AsType[*diag.Error](err); !ok || e.Kind == diag.Internal {
				t.Fatalf("got %v, want an error of a user's file", err)
			}
			return
		}
		x := &tree.Table{Rows: 1, Columns: make([]tree.Column, len(file.Ensemble.Features))}
		for j := range x.Columns {
			x.Columns[j].Values = []float32{float32(j % 3)}
		}
		first, second := make([]float32, 1), make([]float32, 1)
		if err := file.Ensemble.Margins(context.Background(), x, 1, first); err != nil {
			t.Fatal(err)
		}
		for _, format := range []xgbfile.Format{xgbfile.JSON, xgbfile.UBJSON} {
			out, err := xgbfile.Write(file, format)
			if diag.KindOf(err) == diag.Unsupported && err != nil {
				continue // rounds of differing size
			}
			if err != nil {
				t.Fatal(err)
			}
			again, err := xgbfile.Read(out)
			if err != nil {
				t.Fatalf("what was written is not read: %v", err)
			}
			if err := again.Ensemble.Margins(context.Background(), x, 1, second); err != nil {
				t.Fatal(err)
			}
			if first[0] != second[0] && (first[0] == first[0] || second[0] == second[0]) {
				t.Fatalf("margins: got %v, want %v", second[0], first[0])
			}
		}
	})
}
