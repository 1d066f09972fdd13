package atomicfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"dolor/diag"
	"dolor/internal/atomicfile"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		out = append(out, e.Name())
	}
	return out
}

func TestWriteFileIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	if err := atomicfile.WriteFile(path, text("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	err := atomicfile.WriteFile(path, func(w io.Writer) error {
		_, _ = w.Write(make([]byte, 1<<20))
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want the writer's error", err)
	}
	if got := content(t, path); got != "old" {
		t.Errorf("after a failed write the file holds %d bytes, want the old 3", len(got))
	}
	if err := atomicfile.WriteFile(path, text("new")); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "new" {
		t.Errorf("got %q, want new", got)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

// A real full disk: /dev/full accepts opens and refuses every byte.
func TestWriteFileReportsFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here: not tried")
	}
	err := atomicfile.WriteFile("/dev/full", text("x"))
	if err == nil || diag.KindOf(err) != diag.Invalid {
		t.Fatalf("got %v, want an error of kind invalid", err)
	}
	if want := "/dev/full: cannot be written, what was there is unchanged: no space left on device"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestWriteFileNeedsAFolder(t *testing.T) {
	err := atomicfile.WriteFile(filepath.Join(t.TempDir(), "none", "a"), text("x"))
	if diag.KindOf(err) != diag.Missing {
		t.Errorf("got %v, want kind missing", err)
	}
	if err := atomicfile.WriteFile(t.TempDir(), text("x")); diag.KindOf(err) != diag.Invalid {
		t.Errorf("a folder: got %v, want kind invalid", err)
	}
}

func TestDirSwapsWhole(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "deep", "run")
	put := func(s string, commit bool) {
		t.Helper()
		d, err := atomicfile.Dir(path, "results.json")
		if err != nil {
			t.Fatal(err)
		}
		defer d.Abort()
		if err := d.WriteFile("results.json", text(s)); err != nil {
			t.Fatal(err)
		}
		if err := d.WriteFile("figures/"+s+".svg", text(s)); err != nil {
			t.Fatal(err)
		}
		if commit {
			if err := d.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	put("one", true)
	put("two", false)
	if got := content(t, filepath.Join(path, "results.json")); got != "one" {
		t.Errorf("after an abort: got %q, want one", got)
	}
	put("three", true)
	if got := names(t, filepath.Join(path, "figures")); len(got) != 1 || got[0] != "three.svg" {
		t.Errorf("figures: got %v, want only three.svg", got)
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

func TestDirRefusesForeignFolder(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := atomicfile.Dir(home, "results.json"); diag.KindOf(err) != diag.Invalid {
		t.Errorf("got %v, want kind invalid", err)
	}
	if _, err := atomicfile.Dir(filepath.Join(home, "thesis.tex")); diag.KindOf(err) != diag.Invalid {
		t.Errorf("a file: got %v, want kind invalid", err)
	}
	if got := names(t, home); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}
