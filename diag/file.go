package diag

import (
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
)

// FileError turns an error of opening or reading path into one that names the file only by
// its base name and says what is wrong in plain words.
func FileError(path string, err error) error {
	e := &Error{Kind: Internal, Pos: Pos{File: filepath.Base(path)}, Err: err}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		e.Err = pe.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Kind, e.Msg, e.Err = Missing, "no such file", nil
	case errors.Is(err, fs.ErrPermission):
		e.Kind, e.Msg, e.Err = Invalid, "not allowed to open this file", nil
	case errors.Is(err, syscall.EISDIR):
		e.Kind, e.Msg, e.Err = Invalid, "expected a file, got a folder", nil
	}
	return e
}
