package frame

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dolor/diag"
)

func TestConform(t *testing.T) {
	f, _ := read(t, "extra,sex,cp,nrs,site,grade\n1,m,3,5,9,a\n2,f,1,6,7,b\n3,x,2,,9,a\n", nil)
	want := Schema{
		{Name: "nrs", Kind: Number, Unit: "1"},
		{Name: "sex", Kind: Category, Levels: []string{"m", "f"}},
		{Name: "cp", Kind: Category, Levels: []string{"1", "2", "3", "4"}},
		{Name: "site", Kind: Text},
	}
	got, ws, err := f.Conform(want)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got.Schema()); d != "" {
		t.Error(d)
	}
	for i, cell := range []string{"5 6 -", "m f -", "3 1 2", "9 7 9"} {
		if g := cells(got.At(i)); g != cell {
			t.Errorf("%s: got %q, want %q", got.At(i).Name, g, cell)
		}
	}
	wantW := []diag.Warning{{Code: "unseen_level", Count: 1, First: "row 3", Msg: "sex has levels that are not among the 2 known; they became missing"}}
	if d := cmp.Diff(wantW, ws); d != "" {
		t.Error(d)
	}
	f2, err := f.With(NumberColumn(Field{Name: "chol", Unit: "mmol/L"}, []float64{1, 2, 3}))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = f2.Conform(Schema{{Name: "nsr", Kind: Number}, {Name: "sex", Kind: Number}, {Name: "chol", Kind: Number, Unit: "mg/dL"}})
	wantE := "nsr: no such column; did you mean \"nrs\"?\nsex: expected a number column, got a category\nchol: expected unit mg/dL, got mmol/L"
	if err == nil || err.Error() != wantE {
		t.Errorf("got  %v\nwant %s", err, wantE)
	}
}

func TestConcat(t *testing.T) {
	a, _ := read(t, "g,x,only\nb,1,\na,2,\n", nil)
	b, _ := read(t, "x,g,only\n3,c,w\n", nil)
	a, _ = a.With(ConstantColumn(Field{Name: "site"}, "A", 2))
	b, _ = b.With(ConstantColumn(Field{Name: "site"}, "B", 1))
	got, err := Concat(a, b)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for j := range got.Cols() {
		out = append(out, got.At(j).Name+": "+cells(got.At(j))+" ["+strings.Join(got.At(j).Levels, " ")+"]")
	}
	want := []string{"g: b a c [a b c]", "x: 1 2 3 []", "only: - - w [w]", "site: A A B [A B]"}
	if d := cmp.Diff(want, out); d != "" {
		t.Error(d)
	}
	c, _ := read(t, "x\nq\n", nil)
	if _, err := Concat(a, c); err == nil || err.Error() != "x: expected one kind in every file, got number and, in file 2, category; declare its kind" {
		t.Errorf("got %v", err)
	}
}
