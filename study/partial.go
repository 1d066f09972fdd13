package study

import (
	"io"
	"os"
	"path/filepath"

	"dolor/diag"
	"dolor/internal/atomicfile"
)

// partial keeps finished fits beside the study folder while a run goes on.
type partial struct{ dir string }

// openPartial prepares dir. Resuming needs a fingerprint equal to the one stored there: the
// same protocol, data and program. Otherwise what is there is dropped and a new start made.
func openPartial(dir, fingerprint string, resume bool) (*partial, error) {
	mark := filepath.Join(dir, "fingerprint")
	old, err := os.ReadFile(mark)
	switch {
	case err == nil && resume && string(old) == fingerprint:
		return &partial{dir}, nil
	case err == nil && resume:
		return nil, &diag.Error{
			Kind: diag.Invalid, Field: "resume", Msg: "protocol, data or program changed since the run was stopped",
			Hint: "start again with study run",
		}
	case err != nil && resume:
		return nil, &diag.Error{Kind: diag.Missing, Field: "resume", Msg: "no stopped run beside this folder", Hint: "start with study run"}
	}
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		if _, err := os.Stat(mark); err != nil {
			if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
				return nil, diag.Errorf(diag.Invalid, filepath.Base(dir), "expected the fits of a stopped run, got a folder of something else")
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, diag.FileError(dir, err)
	}
	err = atomicfile.WriteFile(mark, func(w io.Writer) error {
		_, err := io.WriteString(w, fingerprint)
		return err
	})
	return &partial{dir}, err
}

func (p *partial) file(key string) string { return filepath.Join(p.dir, key+".json") }

// Load implements evaluate.Checkpoint.
func (p *partial) Load(key string) ([]byte, bool, error) {
	b, err := os.ReadFile(p.file(key))
	if os.IsNotExist(err) {
		return nil, false, nil
	}
	return b, err == nil, err
}

// Store implements evaluate.Checkpoint.
func (p *partial) Store(key string, b []byte) error {
	return atomicfile.WriteFile(p.file(key), func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

func (p *partial) remove() error { return os.RemoveAll(p.dir) }

// removeIfEmpty drops the folder of a run that failed before its first fit: there is nothing
// to resume.
func (p *partial) removeIfEmpty() {
	if entries, err := os.ReadDir(p.dir); err == nil && len(entries) <= 1 {
		_ = p.remove() // what is left behind is only a fingerprint
	}
}
