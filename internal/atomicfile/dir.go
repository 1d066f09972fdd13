package atomicfile

import (
	"io"
	"os"
	"path/filepath"
	"slices"

	"dolor/diag"
)

// Folder is a folder being prepared beside its final place. It is not safe for concurrent
// Commit and Abort; its files may be written concurrently.
type Folder struct {
	path string // final place
	tmp  string // "" once committed or aborted
}

// Dir starts a folder that Commit will put at path; parents are made. When markers are
// given, an existing folder at path is replaced only if it is empty or holds an entry of one
// of these names (so that a mistyped path does not cost a home folder); without markers any
// folder is. A file at path is refused.
func Dir(path string, markers ...string) (*Folder, error) {
	path = filepath.Clean(path)
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	if err := replaceable(path, markers); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fault(path, err)
	}
	tmp, err := temporary(path, func(name string) error { return os.Mkdir(name, 0o777) })
	if err != nil {
		return nil, fault(path, err)
	}
	return &Folder{path: path, tmp: tmp}, nil
}

func replaceable(path string, markers []string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil //nolint:nilerr // nothing there, or Mkdir will say why not
	}
	refuse := func(msg string) error {
		return &diag.Error{Kind: diag.Invalid, Op: "atomicfile.Dir", Pos: diag.Pos{File: path}, Msg: msg}
	}
	if !info.IsDir() {
		return refuse("expected a folder, got a file")
	}
	if len(markers) == 0 {
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fault(path, err)
	}
	if len(entries) == 0 || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return slices.Contains(markers, e.Name()) }) {
		return nil
	}
	return refuse("expected an empty folder or one that holds " + markers[0] + ", got a folder of other files")
}

// Path returns where to write: the folder under its temporary name.
func (d *Folder) Path() string { return d.tmp }

// WriteFile writes one file below the folder; sub-folders are made.
func (d *Folder) WriteFile(name string, write func(io.Writer) error) error {
	p := filepath.Join(d.tmp, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
		return fault(filepath.Join(d.path, name), err)
	}
	f, err := os.Create(p)
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = fill(p, write)
	}
	if err != nil {
		return fault(filepath.Join(d.path, name), err)
	}
	return nil
}

// Commit moves the folder to its place. A folder already there is set aside first, put back
// if the move fails, and removed when it has succeeded.
func (d *Folder) Commit() error {
	if d.tmp == "" {
		return diag.Errorf(diag.Internal, "", "atomicfile: folder committed or aborted before")
	}
	syncFolder(d.tmp)
	old := ""
	if _, err := os.Lstat(d.path); err == nil {
		old, err = temporary(d.path+".old", func(name string) error {
			if _, err := os.Lstat(name); err == nil {
				return os.ErrExist
			}
			return os.Rename(d.path, name)
		})
		if err != nil {
			return fault(d.path, err)
		}
	}
	if err := os.Rename(d.tmp, d.path); err != nil {
		if old != "" {
			if back := os.Rename(old, d.path); back != nil {
				return &diag.Error{
					Kind: diag.Internal, Op: "atomicfile.Commit", Pos: diag.Pos{File: d.path},
					Msg: "cannot be replaced; the old folder is at " + old, Err: err,
				}
			}
		}
		return fault(d.path, err)
	}
	d.tmp = ""
	syncFolder(filepath.Dir(d.path))
	if old != "" {
		if err := os.RemoveAll(old); err != nil {
			return fault(old, err)
		}
	}
	return nil
}

// Abort removes what was prepared; after Commit, or a second time, it does nothing, so it can
// be deferred.
func (d *Folder) Abort() {
	if d.tmp != "" {
		_ = os.RemoveAll(d.tmp)
		d.tmp = ""
	}
}
