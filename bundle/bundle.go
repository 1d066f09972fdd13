// Package bundle is the file a fitted model travels in: a zip archive of JSON members with
// checksums, never executable, never holding a patient row. docs/format/bundle.md is its
// specification.
//
// [Write] makes one, byte for byte the same for the same model; [Read] checks every checksum
// and the worked example before it hands the model out.
package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
	"dolor/internal/atomicfile"
	"dolor/model"
)

// Format is the version written; readers accept this one and the one before.
const Format = 1

// maxMember bounds what a member may unpack to, so that a small file cannot fill the memory.
const maxMember = 1 << 30

// Card says what the model is for, in words that travel with it.
type Card struct {
	Study       string  `json:"study"`
	Outcome     string  `json:"outcome"`
	Simulated   bool    `json:"simulated"`
	IntendedUse string  `json:"intended_use,omitempty"`
	Population  string  `json:"population,omitempty"`
	Limitations string  `json:"limitations,omitempty"`
	Contact     string  `json:"contact,omitempty"`
	Decision    float64 `json:"decision_threshold"`
	Horizon     float64 `json:"horizon_days,omitempty"`
}

// Bundle is a model with what is needed to use it elsewhere.
type Bundle struct {
	Version string // of dolor that wrote it
	Card    Card
	Fitted  *evaluate.Fitted
	Example Example
}

// Example is a worked example: an invented patient and the probability to expect.
type Example struct {
	Row         map[string]any `json:"row"` // numbers, level names, or null for missing
	Probability float64        `json:"probability"`
}

type manifest struct {
	Format  int               `json:"format"`
	Version string            `json:"version"`
	Family  string            `json:"family"`
	SHA256  map[string]string `json:"sha256"`
}

var members = []string{"card.json", "model.json", "example.json"}

// Encode returns the archive's bytes.
func (b *Bundle) Encode() ([]byte, error) {
	files := make(map[string][]byte)
	for name, v := range map[string]any{"card.json": b.Card, "model.json": b.Fitted, "example.json": b.Example} {
		j, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		files[name] = j
	}
	m := manifest{Format: Format, Version: b.Version, Family: b.Fitted.Family.Name, SHA256: map[string]string{}}
	for name, content := range files {
		m.SHA256[name] = sum(content)
	}
	mj, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	add := func(name string, content []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}
	if err := add("manifest.json", mj); err != nil {
		return nil, err
	}
	for _, name := range members {
		if err := add(name, files[name]); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Write writes the bundle to path, whole or not at all.
func (b *Bundle) Write(path string) error {
	content, err := b.Encode()
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Read reads and verifies the bundle at path.
func Read(ctx context.Context, path string, family func(string) (model.Family, bool)) (*Bundle, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, diag.FileError(path, err)
	}
	b, err := Decode(ctx, content, family)
	var e *diag.Error
	if errors.As(err, &e) && e.Pos.File == "" {
		e.Pos.File = filepath.Base(path)
	}
	return b, err
}

// Decode is Read on bytes. Errors are of kind Invalid, or Unsupported for a newer format or a
// family that is not compiled in.
func Decode(ctx context.Context, content []byte, family func(string) (model.Family, bool)) (*Bundle, error) {
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, diag.Errorf(diag.Invalid, "", "expected a dolor bundle (a zip archive), got something else")
	}
	files := make(map[string][]byte)
	for _, f := range z.File {
		if f.Name != "manifest.json" && !slices.Contains(members, f.Name) {
			return nil, diag.Errorf(diag.Invalid, "", "unexpected member in the archive")
		}
		if _, dup := files[f.Name]; dup {
			return nil, diag.Errorf(diag.Invalid, f.Name, "expected once, got it twice")
		}
		r, err := f.Open()
		if err != nil {
			return nil, diag.Errorf(diag.Invalid, f.Name, "cannot be unpacked")
		}
		body, err := io.ReadAll(io.LimitReader(r, maxMember+1))
		_ = r.Close() // reading is over; the checksum below decides
		if err != nil || len(body) > maxMember {
			return nil, diag.Errorf(diag.Invalid, f.Name, "cannot be unpacked, or is over 1 GiB")
		}
		files[f.Name] = body
	}
	var m manifest
	if err := diag.DecodeJSON(files["manifest.json"], &m); err != nil {
		return nil, diag.Errorf(diag.Invalid, "manifest.json", "missing or not readable")
	}
	if m.Format != Format {
		return nil, diag.Errorf(diag.Unsupported, "format", "expected %d, got %d", Format, m.Format)
	}
	for _, name := range members {
		body, ok := files[name]
		if !ok {
			return nil, diag.Errorf(diag.Invalid, name, "missing")
		}
		if sum(body) != m.SHA256[name] {
			return nil, diag.Errorf(diag.Invalid, name, "checksum differs: the bundle is damaged or was altered")
		}
	}
	b := &Bundle{Version: m.Version}
	if err := diag.DecodeJSON(files["card.json"], &b.Card); err != nil {
		return nil, inMember("card.json", err)
	}
	if err := diag.DecodeJSON(files["example.json"], &b.Example); err != nil {
		return nil, inMember("example.json", err)
	}
	if b.Fitted, err = evaluate.LoadFitted(files["model.json"], family); err != nil {
		return nil, inMember("model.json", err)
	}
	if err := b.verify(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// inMember says which member of the archive err is about. Whatever it was, the bundle is at
// fault; what a decoder of Go said of it helps nobody.
func inMember(name string, err error) error {
	e := &diag.Error{Kind: diag.Invalid, Field: name, Msg: "not readable"}
	if cause, ok := errors.AsType[*diag.Error](err); ok {
		if cause.Kind == diag.Unsupported {
			e.Kind = diag.Unsupported
		}
		e.Msg, e.Hint = cause.Msg, cause.Hint
		if cause.Field != "" {
			e.Field += ": " + cause.Field
		}
	}
	return e
}

// verify replays the worked example: another machine must give the same probability.
func (b *Bundle) verify(ctx context.Context) error {
	got, err := predictRow(ctx, b.Fitted, b.Example.Row)
	if err != nil {
		if diag.KindOf(err) == diag.Canceled {
			return err
		}
		return inMember("model.json", err)
	}
	if !(math.Abs(got-b.Example.Probability) <= 1e-12) {
		return diag.Errorf(diag.Invalid, "example.json", "the worked example gives another probability than recorded")
	}
	return nil
}

// NewExample makes the worked example of f: row holds a value for each raw predictor.
func NewExample(ctx context.Context, f *evaluate.Fitted, row map[string]any) (Example, error) {
	p, err := predictRow(ctx, f, row)
	return Example{Row: row, Probability: p}, err
}

func predictRow(ctx context.Context, f *evaluate.Fitted, row map[string]any) (float64, error) {
	var cols []frame.Column
	for _, field := range f.Schema {
		v := row[field.Name]
		switch field.Kind {
		case frame.Category:
			code := int32(-1)
			if s, ok := v.(string); ok {
				code = int32(slices.Index(field.Levels, s))
			}
			cols = append(cols, frame.CategoryColumn(field, []int32{code}))
		default:
			x := math.NaN()
			if n, ok := v.(float64); ok {
				x = n
			}
			cols = append(cols, frame.NumberColumn(field, []float64{x}))
		}
	}
	x, err := frame.New(1, cols...)
	if err != nil {
		return 0, err
	}
	p, _, err := f.Predict(ctx, x)
	if err != nil {
		return 0, err
	}
	return p[0], nil
}

// Predict conforms x to the schema the model was learnt on and returns P(outcome) a row,
// with warnings such as unseen levels. Nothing is refitted.
func (b *Bundle) Predict(ctx context.Context, x *frame.Frame) ([]float64, []float64, []diag.Warning, error) {
	c, warnings, err := x.Conform(b.Fitted.Schema)
	if err != nil {
		return nil, nil, nil, err
	}
	p, raw, err := b.Fitted.Predict(ctx, c)
	return p, raw, warnings, err
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
