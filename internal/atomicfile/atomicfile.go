// Package atomicfile writes files and folders that are either wholly new or still wholly
// old: a full disk, a crash or an error half-way never leaves a torn result.
//
// [WriteFile] replaces one file; [Dir] prepares a folder beside its place and moves it there.
package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"dolor/diag"
)

// tries bounds the search for an unused temporary name.
const tries = 10_000

// WriteFile makes path hold what write writes. The bytes go to a new file in the same folder,
// which takes path's place by a rename once they are on disk; on any error path is as it
// was and the new file is gone. Writes are buffered. A link is followed; a device or pipe
// is written directly. The error of write is returned as it is.
func WriteFile(path string, write func(io.Writer) error) error {
	mode := fs.FileMode(0o666)
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return &diag.Error{Kind: diag.Invalid, Op: "atomicfile.WriteFile", Pos: diag.Pos{File: path}, Msg: "expected a file, got a folder"}
		}
		if !info.Mode().IsRegular() {
			return direct(path, write)
		}
		mode = info.Mode().Perm()
	}
	tmp, err := temporary(path, func(name string) error {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		return f.Close()
	})
	if err != nil {
		return fault(path, err)
	}
	if err := fill(tmp, write); err != nil {
		_ = os.Remove(tmp)
		return fault(path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		_ = os.Remove(tmp)
		return fault(path, err)
	}
	syncFolder(filepath.Dir(path))
	return nil
}

// fill writes, flushes and syncs the file at tmp.
func fill(tmp string, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	w := bufio.NewWriterSize(f, 1<<18)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

func direct(path string, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fault(path, err)
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return fault(path, err)
	}
	if err := w.Flush(); err != nil {
		return fault(path, err)
	}
	return nil
}

// temporary finds an unused name beside path for which create succeeds.
func temporary(path string, create func(name string) error) (string, error) {
	dir, base := filepath.Split(path)
	for i := range tries {
		name := filepath.Join(dir, "."+base+".tmp"+strconv.Itoa(i))
		switch err := create(name); {
		case err == nil:
			return name, nil
		case !errors.Is(err, fs.ErrExist):
			return "", err
		}
	}
	return "", fs.ErrExist
}

// fault names the file in an error of the file system; other errors stay as they are.
func fault(path string, err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	var cause error
	switch {
	case errors.As(err, &pe):
		cause = pe.Err
	case errors.As(err, &le):
		cause = le.Err
	default:
		return err
	}
	kind := diag.Invalid
	if errors.Is(cause, fs.ErrNotExist) {
		kind = diag.Missing
	}
	return &diag.Error{
		Kind: kind, Op: "atomicfile", Pos: diag.Pos{File: path},
		Msg: "cannot be written, what was there is unchanged", Err: cause,
	}
}

// syncFolder asks that a rename survive a power cut; where the system cannot, it is skipped.
func syncFolder(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}
