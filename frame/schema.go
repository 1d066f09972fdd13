package frame

import (
	"slices"

	"dolor/diag"
)

// Kind is the type of a column.
type Kind uint8

// The kinds of column. Series (daily dose, pain) and Volume (lesion patches) arrive with
// their modalities.
const (
	Number   Kind = iota + 1 // float64, NaN missing
	Category                 // code into Levels, -1 missing
	Time                     // days since 1970-01-01 UTC as float64, NaN missing; never a predictor
	Text                     // string with an absent flag
)

var kindNames = [...]string{"", "number", "category", "time", "text"}

// String returns the name used in protocol files: number, category, time, text.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// MarshalText writes the protocol name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a protocol name.
func (k *Kind) UnmarshalText(b []byte) error {
	i := slices.Index(kindNames[1:], string(b))
	if i < 0 {
		return diag.Errorf(diag.Invalid, "kind", "expected number, category, time or text, got %s", diag.Describe(string(b)))
	}
	*k = Kind(i + 1)
	return nil
}

// Modality tags the domain a predictor comes from; an empty Modality is not a predictor.
type Modality string

// The modalities.
const (
	Clinical Modality = "clinical"
	Imaging  Modality = "imaging"
	Genomic  Modality = "genomic"
	Opioid   Modality = "opioid"
	PRO      Modality = "pro"
	Notes    Modality = "notes"
)

// Modalities lists every modality in report order.
var Modalities = []Modality{Clinical, Imaging, Genomic, Opioid, PRO, Notes}

// Field describes one column.
type Field struct {
	Name     string   `json:"name"`
	Kind     Kind     `json:"kind"`
	Modality Modality `json:"modality,omitempty"`
	Unit     string   `json:"unit,omitempty"` // UCUM, e.g. "mg/dL"; empty when it has none
	Levels   []string `json:"levels,omitempty"`
	Ordered  bool     `json:"ordered,omitempty"`        // levels are in rank order
	Parent   string   `json:"parent,omitempty"`         // the predictor a derived column came from
	Missing  bool     `json:"indicator,omitempty"`      // a missingness indicator of Parent
	Tokens   []string `json:"missing_tokens,omitempty"` // cells that mean missing in files of this column, beside the empty one
}

// Source returns the predictor that f derives from: Parent, or the name itself.
func (f Field) Source() string {
	if f.Parent != "" {
		return f.Parent
	}
	return f.Name
}

// Schema is the ordered list of columns of a frame.
type Schema []Field

// Index returns the position of the named field, or -1.
func (s Schema) Index(name string) int {
	return slices.IndexFunc(s, func(f Field) bool { return f.Name == name })
}

// Names returns the column names in order.
func (s Schema) Names() []string {
	names := make([]string, len(s))
	for i, f := range s {
		names[i] = f.Name
	}
	return names
}
