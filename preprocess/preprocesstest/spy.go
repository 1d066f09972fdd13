package preprocesstest

import (
	"context"
	"encoding/json"
	"sync"

	"dolor/frame"
	"dolor/preprocess"
	"dolor/rng"
)

// Spy is a step that records which rows it is fitted on and applied to, by the cells of the
// column ID, and then takes that column away so that no learner sees it. A text column
// passes through every other step untouched. The Spy is safe for concurrent use.
type Spy struct {
	ID string `json:"id"`

	mu      sync.Mutex
	fits    [][]string
	applied [][]string
}

var _ preprocess.Step = (*Spy)(nil)

// Kind lists the spy under the name "spy", for chains read from JSON.
func (s *Spy) Kind() preprocess.Kind {
	return preprocess.Kind{Name: "spy", New: func() preprocess.Step { return s }, Load: func(b []byte) (preprocess.Transform, error) {
		t := &spied{spy: s}
		return t, json.Unmarshal(b, t)
	}}
}

// Fits returns the identifiers of each fit, in the order the fits began.
func (s *Spy) Fits() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]string(nil), s.fits...)
}

// Applied returns the identifiers of each application.
func (s *Spy) Applied() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]string(nil), s.applied...)
}

// Validate has nothing to find.
func (s *Spy) Validate() error { return nil }

// Fit records the training rows. It needs the column ID.
func (s *Spy) Fit(_ context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (preprocess.Transform, error) {
	ids, err := s.read(train)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fits = append(s.fits, ids)
	return &spied{spy: s, Out: train.Without(s.ID).Schema()}, nil
}

func (s *Spy) read(f *frame.Frame) ([]string, error) {
	c, ok := f.Column(s.ID)
	if !ok {
		return nil, f.NoColumn(s.ID)
	}
	ids := make([]string, c.Len())
	for i := range ids {
		ids[i], _ = c.String(i)
	}
	return ids, nil
}

type spied struct {
	spy *Spy
	Out frame.Schema `json:"output"`
}

func (t *spied) Output() frame.Schema { return t.Out }

func (t *spied) Apply(_ context.Context, in *frame.Frame) (*frame.Frame, error) {
	ids, err := t.spy.read(in)
	if err != nil {
		return nil, err
	}
	t.spy.mu.Lock()
	defer t.spy.mu.Unlock()
	t.spy.applied = append(t.spy.applied, ids)
	return in.Without(t.spy.ID), nil
}
