// Package source opens one site's records, patient by patient, each history in time order;
// one folder per format.
//
// A leaf's Open returns a [Source]. Range over Histories as often as needed: every pass gives
// the same patients in the same order. A record that cannot be understood is set aside,
// counted and named in the [Faults]; the rest goes on until too many are bad.
package source

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"sync"

	"dolor/clinical"
	"dolor/diag"
	"dolor/progress"
)

// Source is one site's records. It is safe for one goroutine at a time.
type Source interface {
	// Manifest counts patients and records by kind, reading everything once.
	Manifest(ctx context.Context) (*Manifest, error)
	// Histories gives each patient's history, sorted, in an order that does not depend on the
	// order of files or records. After an error nothing more comes.
	Histories(ctx context.Context) iter.Seq2[*clinical.History, error]
	// Faults returns what was set aside in the last pass.
	Faults() *Faults
	Close() error
}

// Manifest describes a source.
type Manifest struct {
	Source   string         `json:"source"` // fhir, omop, sim
	Patients int            `json:"patients"`
	Records  map[string]int `json:"records"` // by resource type or table
}

// Options are the circumstances of reading. Nil is allowed.
type Options struct {
	Site     string        // site of every patient; empty: as the records say
	Salt     []byte        // key of the patient keys; nil: keys are the identifiers of the records
	BadShare float64       // share of bad records that stops the run; 0 means 0.05
	Progress progress.Func // nil: nobody watches
	Workers  int           // 0 means GOMAXPROCS
}

// Key returns the patient key of an identifier: itself without a salt, else 16 hexadecimal
// digits of its HMAC-SHA256.
func (o *Options) Key(id string) string {
	if o == nil || len(o.Salt) == 0 {
		return id
	}
	m := hmac.New(sha256.New, o.Salt)
	m.Write([]byte(id))
	return hex.EncodeToString(m.Sum(nil)[:8])
}

// Faults collects bad records. It is safe for concurrent use.
type Faults struct {
	mu       sync.Mutex
	list     diag.List
	warnings []diag.Warning
	bad, all int
	share    float64
}

// minForShare is the least number of records before a share of bad ones says anything.
const minForShare = 100

// NewFaults returns an empty collection that tolerates the share of o.
func NewFaults(o *Options) *Faults {
	f := &Faults{share: 0.05}
	if o != nil && o.BadShare > 0 {
		f.share = o.BadShare
	}
	return f
}

// Good counts n records that were understood.
func (f *Faults) Good(n int) {
	f.mu.Lock()
	f.all += n
	f.mu.Unlock()
}

// Bad sets a record aside for err. It returns an error of kind Unfit when too many are bad.
func (f *Faults) Bad(err *diag.Error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list.Add(err)
	f.bad++
	f.all++
	if f.all >= minForShare && float64(f.bad) > f.share*float64(f.all) {
		return &diag.Error{
			Kind: diag.Unfit, Msg: "too many bad records", Err: f.list.Err(),
			Hint: "repair the extract, or allow a larger share of bad records",
		}
	}
	return nil
}

// Warn counts something odd that did not lose a record.
func (f *Faults) Warn(w diag.Warning) {
	f.mu.Lock()
	f.warnings = diag.Merge(f.warnings, w)
	f.mu.Unlock()
}

// Check returns an error of kind Unfit when the share of bad records is too large at the end of a pass,
// however few the records are.
func (f *Faults) Check() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bad > 0 && float64(f.bad) > f.share*float64(f.all) {
		return &diag.Error{
			Kind: diag.Unfit, Msg: "too many bad records", Err: f.list.Err(),
			Hint: "repair the extract, or allow a larger share of bad records",
		}
	}
	return nil
}

// Counts returns how many records were bad, of how many.
func (f *Faults) Counts() (bad, all int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bad, f.all
}

// List returns the first faults; the rest is counted.
func (f *Faults) List() []*diag.Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*diag.Error(nil), f.list.Faults()...)
}

// Warnings returns what was odd.
func (f *Faults) Warnings() []diag.Warning {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]diag.Warning(nil), f.warnings...)
}
