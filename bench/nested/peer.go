package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"sync"

	"dolor/frame"
	"dolor/model"
	"dolor/rng"
)

// workers are processes of the peers' script, one a model being fitted, kept for the next.
type workers struct {
	python, script string

	mu   sync.Mutex
	idle []*process
	all  []*process
}

// process is one peer process. It answers one request at a time.
type process struct {
	mu  sync.Mutex
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (w *workers) take() (*process, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.idle); n > 0 {
		p := w.idle[n-1]
		w.idle = w.idle[:n-1]
		return p, nil
	}
	p := &process{cmd: exec.Command(w.python, w.script)} //nolint:noctx // ends when its input is closed
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReaderSize(out, 1<<16)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	w.all = append(w.all, p)
	return p, nil
}

func (w *workers) give(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, p)
}

func (w *workers) close() {
	for _, p := range w.all {
		_ = p.in.Close() // the process ends at end of input
		_ = p.cmd.Wait() // its results are already here
	}
}

// family is fam with the peer's learner: the same name, so the same folds, candidates and streams.
func (w *workers) family(fam model.Family, peer string) model.Family {
	out := fam
	wrap := func(p model.Params) model.Params { return &peerParams{Params: p, peer: peer, workers: w} }
	out.Default = func() model.Params { return wrap(fam.Default()) }
	space := fam.Space
	out.Space = nil
	if space != nil {
		out.Space = func(s rng.Stream) model.Params { return wrap(space(s)) }
	}
	out.Grid, out.Load = nil, nil
	return out
}

// peerParams are the family's settings, translated by the script.
type peerParams struct {
	model.Params
	peer    string
	workers *workers
}

func (p *peerParams) MarshalJSON() ([]byte, error) { return json.Marshal(p.Params) }
func (p *peerParams) Learner() model.Learner       { return p }

// HoldOut holds out for the peer what the family would hold out for itself.
func (p *peerParams) HoldOut() float64 {
	if e, ok := p.Params.(model.EarlyStopper); ok {
		return e.HoldOut()
	}
	return 0
}

type request struct {
	Op     string       `json:"op"`
	Peer   string       `json:"peer,omitempty"`
	Params model.Params `json:"params,omitempty"`
	Seed   uint32       `json:"seed"`
	Rows   int          `json:"rows"`
	Tune   int          `json:"tune,omitempty"`
	Levels []int        `json:"levels,omitempty"` // of each column; 0 is a number
	ID     int          `json:"id"`
}

type answer struct {
	ID     int    `json:"id"`
	Kept   int    `json:"kept"`
	Run    int    `json:"run"`
	Staged bool   `json:"staged"`
	Fault  string `json:"fault"`
}

// Fit sends rows, weights and settings; the model stays in the process.
func (p *peerParams) Fit(_ context.Context, train *model.Dataset, o *model.FitOptions) (model.Model, error) {
	proc, err := p.workers.take()
	if err != nil {
		return nil, err
	}
	defer p.workers.give(proc)
	schema := train.X.Schema()
	req := request{Op: "fit", Peer: p.peer, Params: p.Params, Seed: o.Stream.Rand().Uint32() >> 1, Rows: train.Rows()}
	for _, f := range schema {
		levels := 0
		if f.Kind == frame.Category {
			levels = max(1, len(f.Levels))
		}
		req.Levels = append(req.Levels, levels)
	}
	body := appendRows(nil, train)
	if o.Tune != nil {
		req.Tune = o.Tune.Rows()
		body = appendRows(body, o.Tune)
	}
	a, err := proc.call(req, body, 0, nil)
	if err != nil {
		return nil, err
	}
	m := peerModel{proc, schema, a}
	if a.Staged {
		return stagedModel{m}, nil
	}
	return m, nil
}

// peerModel is a handle; it predicts once, and the process then forgets it.
type peerModel struct {
	proc   *process
	schema frame.Schema
	a      answer
}

// stagedModel tells the rounds a boosted peer kept.
type stagedModel struct{ peerModel }

// Rounds returns what the peer said.
func (m stagedModel) Rounds() (kept, run int) { return m.a.Kept, m.a.Run }

// Predict returns the peer's probabilities.
func (m peerModel) Predict(_ context.Context, x *frame.Frame, _ []float64) ([]float64, error) {
	p := make([]float64, x.Rows())
	_, err := m.proc.call(request{Op: "predict", ID: m.a.ID, Rows: x.Rows()}, appendX(nil, x), x.Rows(), p)
	return p, err
}

// AppendBinary has nothing to save.
func (m peerModel) AppendBinary([]byte) ([]byte, error) {
	return nil, errors.New("a peer's model stays in its process")
}

// call sends a request with its body, and reads the answer and the numbers behind it.
func (p *process) call(r request, body []byte, numbers int, dst []float64) (answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var a answer
	head, err := json.Marshal(r)
	if err != nil {
		return a, err
	}
	if _, err := p.in.Write(append(head, '\n')); err != nil {
		return a, err
	}
	if _, err := p.in.Write(body); err != nil {
		return a, err
	}
	text, err := p.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("the peer stopped: %w", err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, err
	}
	if a.Fault != "" {
		return a, errors.New(a.Fault)
	}
	buf := make([]byte, 8*numbers)
	if _, err := io.ReadFull(p.out, buf); err != nil {
		return a, err
	}
	for i := range numbers {
		dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(buf[8*i:]))
	}
	return a, nil
}

// appendRows appends predictors, outcome and weights as little-endian float32 and float64.
func appendRows(b []byte, d *model.Dataset) []byte {
	b = appendX(b, d.X)
	for i, y := range d.Y {
		v, w := 0.0, 1.0
		if y {
			v = 1
		}
		if d.W != nil {
			w = d.W[i]
		}
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(w))
	}
	return b
}

// appendX appends the predictors by row: numbers as they are, categories as codes, missing as NaN.
func appendX(b []byte, x *frame.Frame) []byte {
	for i := range x.Rows() {
		for j := range x.Cols() {
			c := x.At(j)
			v := math.NaN()
			if n := c.Numbers(); n != nil {
				v = n[i]
			} else if k := c.Codes()[i]; k >= 0 {
				v = float64(k)
			}
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
		}
	}
	return b
}
