package preprocess

import (
	"context"
	"encoding/json"
	"strconv"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// Stage is a step of a chain with the name it is listed under.
type Stage struct {
	Name string
	Step Step
}

// Chain is a list of steps, each fitted on what the one before makes of the training rows.
// It is itself a Step. As JSON it is [{"step":"impute","settings":{...}}].
type Chain []Stage

var (
	_ Step      = Chain{}
	_ Transform = (*Fitted)(nil)
	_ Warner    = (*Fitted)(nil)
)

// Validate reports every fault of every step, each prefixed by its place in the chain.
func (c Chain) Validate() error {
	var faults diag.List
	for i, s := range c {
		if s.Step == nil {
			faults.Addf(diag.Invalid, place(i, s.Name), "expected a step, got none")
			continue
		}
		faults.AddErr(at(i, s.Name, s.Step.Validate()))
	}
	return faults.Err()
}

// Fit fits the chain; the Transform is a *Fitted.
func (c Chain) Fit(ctx context.Context, train *frame.Frame, y []bool, r rng.Stream) (Transform, error) {
	f, _, err := c.FitApply(ctx, train, y, r)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// FitApply fits the chain and returns with it the transformed training rows. Step k named n
// draws from r.Child(n, how many steps named n came before), so adding another step moves
// nobody's numbers.
func (c Chain) FitApply(ctx context.Context, train *frame.Frame, y []bool, r rng.Stream) (*Fitted, *frame.Frame, error) {
	if err := c.Validate(); err != nil {
		return nil, nil, err
	}
	f := &Fitted{in: train.Schema()}
	before := map[string]int{}
	for i, s := range c {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		t, err := s.Step.Fit(ctx, train, y, r.Child(s.Name, before[s.Name]))
		if err != nil {
			return nil, nil, at(i, s.Name, err)
		}
		before[s.Name]++
		if train, err = t.Apply(ctx, train); err != nil {
			return nil, nil, at(i, s.Name, err)
		}
		f.stages = append(f.stages, fittedStage{s.Name, t})
	}
	return f, train, nil
}

// MarshalJSON writes every step with all its settings.
func (c Chain) MarshalJSON() ([]byte, error) {
	out := make([]stageJSON, len(c))
	for i, s := range c {
		b, err := json.Marshal(s.Step)
		if err != nil {
			return nil, err
		}
		out[i] = stageJSON{Step: s.Name, Settings: b}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes; settings left out keep their defaults.
func (c *Chain) UnmarshalJSON(b []byte) error {
	got, err := DecodeChain(b)
	if err != nil {
		return err
	}
	*c = got
	return nil
}

type stageJSON struct {
	Step     string          `json:"step"`
	Settings json.RawMessage `json:"settings,omitempty"`
}

// DecodeChain reads [{"step":"impute","settings":{...}}, ...] as [Decode] reads each. extra
// kinds are known beside Steps.
func DecodeChain(b []byte, extra ...Kind) (Chain, error) {
	var raw []stageJSON
	if err := strict("steps", b, &raw); err != nil {
		return nil, err
	}
	c := make(Chain, 0, len(raw))
	var faults diag.List
	for i, s := range raw {
		k, err := find(s.Step, extra)
		if err == nil {
			var step Step
			if step, err = decodeStep(k, s.Settings); err == nil {
				c = append(c, Stage{s.Step, step})
			}
		}
		faults.AddErr(at(i, "", err))
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func place(i int, name string) string { return join("steps["+strconv.Itoa(i)+"]", name) }

// at says in which step err came up.
func at(i int, name string, err error) error {
	if err == nil {
		return nil
	}
	var l, out diag.List
	l.AddErr(err)
	for _, e := range l.Faults() {
		if e.Err != nil && e.Msg == "" && e.Field == "" {
			return err // cancelled, or a fault of another kind: keep it testable with errors.Is
		}
		moved := *e
		field := e.Field
		if name != "" && field != name && !hasPrefixName(field, name) {
			field = join(name, field)
		}
		moved.Field = join("steps["+strconv.Itoa(i)+"]", field)
		out.Add(&moved)
	}
	return out.Err()
}

func hasPrefixName(field, name string) bool {
	return len(field) > len(name) && field[:len(name)] == name && field[len(name)] == '.'
}

// Fitted is a fitted chain: immutable, safe for concurrent use. As JSON it is
// [{"step":"impute","state":{...}}]; [LoadChain] reads it back to the bit.
type Fitted struct {
	in     frame.Schema // the output of a chain without steps; unknown after loading
	stages []fittedStage
}

type fittedStage struct {
	name string
	t    Transform
}

type fittedJSON struct {
	Step  string          `json:"step"`
	State json.RawMessage `json:"state"`
}

// Len returns the number of fitted steps.
func (f *Fitted) Len() int { return len(f.stages) }

// At returns fitted step i and its name.
func (f *Fitted) At(i int) (string, Transform) { return f.stages[i].name, f.stages[i].t }

// Output returns the schema that the chain gives for the training frame. For a chain without
// steps it is the training schema, and nil once loaded.
func (f *Fitted) Output() frame.Schema {
	if n := len(f.stages); n > 0 {
		return f.stages[n-1].t.Output()
	}
	return f.in
}

// Apply replays every step in order.
func (f *Fitted) Apply(ctx context.Context, in *frame.Frame) (*frame.Frame, error) {
	out, _, err := f.apply(ctx, in, false)
	return out, err
}

// ApplyWarn is Apply that also tells what in the rows training had not met (see [Checker]).
func (f *Fitted) ApplyWarn(ctx context.Context, in *frame.Frame) (*frame.Frame, []diag.Warning, error) {
	return f.apply(ctx, in, true)
}

func (f *Fitted) apply(ctx context.Context, in *frame.Frame, warn bool) (*frame.Frame, []diag.Warning, error) {
	var ws []diag.Warning
	for i, s := range f.stages {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if k, ok := s.t.(Checker); ok && warn {
			ws = diag.Merge(ws, k.Check(in)...)
		}
		var err error
		if in, err = s.t.Apply(ctx, in); err != nil {
			return nil, nil, at(i, s.name, err)
		}
	}
	return in, ws, nil
}

// Warnings returns what the steps said when they were fitted, in order.
func (f *Fitted) Warnings() []diag.Warning {
	var ws []diag.Warning
	for _, s := range f.stages {
		if w, ok := s.t.(Warner); ok {
			ws = diag.Merge(ws, w.Warnings()...)
		}
	}
	return ws
}

// MarshalJSON writes every fitted step with its state.
func (f *Fitted) MarshalJSON() ([]byte, error) {
	out := make([]fittedJSON, len(f.stages))
	for i, s := range f.stages {
		b, err := json.Marshal(s.t)
		if err != nil {
			return nil, err
		}
		out[i] = fittedJSON{s.name, b}
	}
	return json.Marshal(out)
}

// LoadChain reads a fitted chain. extra kinds are known beside Steps. Every state is
// checked: what loads without an error can be applied without a panic. Errors are of kind
// Invalid and name the step.
func LoadChain(b []byte, extra ...Kind) (*Fitted, error) {
	var raw []fittedJSON
	if err := strict("steps", b, &raw); err != nil {
		return nil, err
	}
	f := &Fitted{}
	for i, s := range raw {
		k, err := find(s.Step, extra)
		if err != nil {
			return nil, at(i, "", err)
		}
		t, err := k.Load(s.State)
		if err != nil {
			return nil, at(i, s.Step, err)
		}
		f.stages = append(f.stages, fittedStage{s.Step, t})
	}
	return f, nil
}
