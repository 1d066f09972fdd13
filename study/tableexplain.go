package study

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"dolor/bundle"
	"dolor/diag"
	"dolor/evaluate"
	"dolor/explain"
	"dolor/figure"
	"dolor/frame"
	"dolor/internal/atomicfile"
	"dolor/rng"
)

// TableExplain asks what a bundle's predictions of a table rest on.
type TableExplain struct {
	Model, Data string
	Out         string   // CSV of attributions; "": none
	ID          string   // column that names the rows; "": their number
	Missing     []string // tokens that mean missing
	Mode        string   // explain.Path or explain.Interventional; "": the model's own
	Background  string   // file of background rows; "": the model's own
	Summary     bool     // mean absolute attributions, direction, stability
	Row         int      // 1-based row to show in parts; 0: none
	Figures     string   // folder for figures; "": none
	Effects     []string // predictors whose partial dependence and accumulated local effects are wanted
	Permutation bool     // permutation importance; needs Outcome
	Outcome     TableOutcome
	Level       float64 // 0: 0.95
	Seed        uint64
	Workers     int
}

// TableExplained is the answer of ExplainTable.
type TableExplained struct {
	Family         string                         `json:"family"`
	Rows           int                            `json:"rows"`
	*explain.About                                // nil when nothing was attributed
	Gap            *float64                       `json:"gap,omitempty"` // largest distance of attributions plus base from the score
	Summary        *explain.Summary               `json:"summary,omitempty"`
	Row            *explain.Waterfall             `json:"row,omitempty"`
	Permutation    *explain.PermutationImportance `json:"permutation,omitempty"`
	Effects        []explain.Effect               `json:"effects,omitempty"`
	Figures        []string                       `json:"figures,omitempty"`
	Warnings       []diag.Warning                 `json:"warnings"`
}

// ExplainTable attributes the score of every row of t.Data to its predictors. A family that gives no
// attributions is refused with the reason, unless only permutation importance or effects are asked for, which work
// for every family.
func ExplainTable(ctx context.Context, env *Env, t *TableExplain) (*TableExplained, error) {
	b, err := bundle.Read(ctx, t.Model, env.Family)
	if err != nil {
		return nil, err
	}
	e := &tableExplainer{TableExplain: t, b: b, f: b.Fitted, stream: rng.New(t.Seed).Child("explain")}
	e.out = &TableExplained{Family: b.Fitted.Family.Name, Warnings: []diag.Warning{}}
	if e.raw, e.x, err = e.read(ctx, t.Data); err != nil {
		return nil, err
	}
	e.out.Rows = e.x.Rows()
	if e.x.Rows() == 0 {
		return nil, inFile(t.Data, diag.Errorf(diag.Invalid, "", "expected at least one row, got none"))
	}
	if t.Out != "" || t.Summary || t.Row != 0 || t.Figures != "" {
		if err := e.attribute(ctx); err != nil {
			return nil, err
		}
	}
	if t.Permutation {
		if err := e.permute(ctx); err != nil {
			return nil, err
		}
	}
	for _, name := range t.Effects {
		if err := e.effect(ctx, name); err != nil {
			return nil, err
		}
	}
	return e.out, nil
}

type tableExplainer struct {
	*TableExplain
	b      *bundle.Bundle
	f      *evaluate.Fitted
	raw, x *frame.Frame // as read, and as the model has its predictors
	stream rng.Stream
	out    *TableExplained
}

func (e *tableExplainer) read(ctx context.Context, path string) (raw, x *frame.Frame, err error) {
	raw, ws, err := readFor(ctx, e.b, path, e.Missing)
	if err != nil {
		return nil, nil, err
	}
	x, more, err := raw.Conform(e.f.Schema)
	if err != nil {
		return nil, nil, inFile(path, err)
	}
	e.out.Warnings = diag.Merge(diag.Merge(e.out.Warnings, ws...), more...)
	return raw, x, nil
}

func (e *tableExplainer) attribute(ctx context.Context) error {
	o := &explain.Options{Mode: e.Mode, Workers: e.Workers}
	if e.Background != "" {
		var err error
		if _, o.Background, err = e.read(ctx, e.Background); err != nil {
			return err
		}
		o.BackgroundName = filepath.Base(e.Background)
	}
	a, err := explain.Attribute(ctx, e.f, e.x, o)
	if err != nil {
		return err
	}
	e.out.About, e.out.Gap = &a.About, &a.Gap
	label, err := e.labels()
	if err != nil {
		return err
	}
	if e.Out != "" {
		if err := writeAttributionsCSV(e.Out, a, label); err != nil {
			return err
		}
	}
	if e.Row != 0 {
		if err := e.waterfall(ctx, a, label); err != nil {
			return err
		}
	}
	if e.Summary || e.Figures != "" {
		table := &explain.Table{About: a.About, Phi: a.Phi, Base: a.Base, X: e.x}
		s, err := explain.Summarise(ctx, table, &explain.SummaryOptions{Level: e.Level, Stream: e.stream, Workers: e.Workers})
		if err != nil {
			return err
		}
		s.Family = e.out.Family
		if e.Figures != "" {
			if err := e.draw(ctx, a, s); err != nil {
				return err
			}
		}
		if e.out.Summary = s; !e.Summary {
			e.out.Summary = nil
		}
	}
	return nil
}

// labels names the rows: their number, or the id column.
func (e *tableExplainer) labels() (frame.Column, error) {
	if e.ID != "" {
		c, ok := e.raw.Column(e.ID)
		if !ok {
			return c, inFile(e.Data, e.raw.NoColumn(e.ID))
		}
		c.Name = "row"
		return c, nil
	}
	v := make([]float64, e.x.Rows())
	for i := range v {
		v[i] = float64(i + 1)
	}
	return frame.NumberColumn(frame.Field{Name: "row"}, v), nil
}

// writeAttributionsCSV writes "# scale: ..." and the columns row, base and one a predictor. A predictor
// that is itself called row or base keeps its name after "predictor:".
func writeAttributionsCSV(path string, a *explain.Attributions, label frame.Column) error {
	cols := []frame.Column{label, frame.NumberColumn(frame.Field{Name: "base"}, a.Base)}
	for j, name := range a.Phi.Names {
		v := make([]float64, a.Phi.Rows)
		for i := range v {
			v[i] = a.Phi.Data[i*a.Phi.Cols+j]
		}
		if name == "row" || name == "base" {
			name = "predictor:" + name
		}
		cols = append(cols, frame.NumberColumn(frame.Field{Name: name}, v))
	}
	table, err := frame.New(a.Phi.Rows, cols...)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(path, func(w io.Writer) error {
		if _, err := fmt.Fprintf(w, "# %s\n", a.About); err != nil {
			return err
		}
		return table.EncodeCSV(w)
	})
}

func (e *tableExplainer) waterfall(ctx context.Context, a *explain.Attributions, label frame.Column) error {
	if e.Row < 1 || e.Row > e.x.Rows() {
		return diag.Errorf(diag.Usage, "--row", "expected a row from 1 to %d, got %d", e.x.Rows(), e.Row)
	}
	p, _, err := e.f.Predict(ctx, e.x.Take([]int{e.Row - 1}))
	if err != nil {
		return err
	}
	name, ok := label.String(e.Row - 1)
	if !ok {
		name = strconv.Itoa(e.Row)
	}
	e.out.Row, err = a.Waterfall(e.x, e.Row-1, name, p[0])
	return err
}

// dependencePlots is how many leading predictors are drawn against their values.
const dependencePlots = 6

func (e *tableExplainer) draw(ctx context.Context, a *explain.Attributions, s *explain.Summary) error {
	figures := []figure.Figure{figure.Beeswarm(s), figure.Importance(s)}
	if e.out.Row != nil {
		figures = append(figures, figure.Waterfall(e.out.Row))
	}
	for _, m := range s.Predictors[:min(len(s.Predictors), dependencePlots)] {
		if m.MeanAbs == 0 {
			continue
		}
		partners, err := explain.Partners(ctx, e.f, e.x, a, m.Predictor)
		if err != nil {
			return err
		}
		var partner *explain.Partner
		if len(partners) > 0 {
			partner = &partners[0]
		}
		d, err := a.DependencePlot(e.x, m.Predictor, partner)
		if err != nil {
			return err
		}
		figures = append(figures, figure.Dependence(d))
	}
	var err error
	if err = os.MkdirAll(e.Figures, 0o777); err != nil {
		return diag.FileError(e.Figures, err)
	}
	e.out.Figures, err = figure.Write(e.Figures, figures)
	return err
}

// predict is the probability after recalibration, of raw predictors.
func (e *tableExplainer) predict(ctx context.Context, x *frame.Frame) ([]float64, error) {
	p, _, err := e.f.Predict(ctx, x)
	return p, err
}

func (e *tableExplainer) permute(ctx context.Context) error {
	if e.Outcome.Time != "" {
		return diag.Errorf(diag.Unsupported, "--time", "permutation importance needs an outcome that is known for every row")
	}
	p, err := e.Outcome.protocol(e.Data)
	if err != nil {
		return err
	}
	if _, ok := e.raw.Column(e.Outcome.Outcome); !ok {
		return inFile(e.Data, e.raw.NoColumn(e.Outcome.Outcome))
	}
	o, rows, err := outcomeOf(p, e.raw)
	if err != nil {
		return inFile(e.Data, p.located(err))
	}
	d := &explain.Judged{X: e.x.Take(rows), Y: o.Take(rows).Y}
	e.out.Permutation, err = explain.Permutation(ctx, e.predict, d, &explain.PermutationOptions{Level: e.Level, Stream: e.stream.Child("permutation"), Workers: e.Workers})
	return err
}

func (e *tableExplainer) effect(ctx context.Context, name string) error {
	if e.f.Schema.Index(name) < 0 {
		f := diag.Errorf(diag.Usage, "--effect", "no predictor called %q", name)
		if near := diag.Nearest(name, e.f.Schema.Names()); near != "" {
			f.Hint = "did you mean \"" + near + "\"?"
		}
		return f
	}
	o := &explain.EffectOptions{Level: e.Level, Stream: e.stream.Child("effect").Child(name)}
	ale, err := explain.AccumulatedEffects(ctx, e.predict, e.x, name, o)
	if err != nil {
		return err
	}
	pd, err := explain.PartialDependence(ctx, e.predict, e.x, name, o)
	if err != nil {
		return err
	}
	e.out.Effects = slices.Concat(e.out.Effects, []explain.Effect{*ale, *pd})
	return nil
}
