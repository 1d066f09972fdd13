package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"dolor/calibrate"
	"dolor/diag"
	"dolor/model"
	"dolor/preprocess"
)

// Env is what is compiled in.
type Env struct {
	Families []model.Family
	Version  string
}

// Family finds a family by name.
func (e *Env) Family(name string) (model.Family, bool) {
	i := slices.IndexFunc(e.Families, func(f model.Family) bool { return f.Name == name })
	if i < 0 {
		return model.Family{}, false
	}
	return e.Families[i], true
}

func (e *Env) familyNames() []string {
	names := make([]string, len(e.Families))
	for i, f := range e.Families {
		names[i] = f.Name
	}
	return names
}

// Read reads and checks the protocol at path and fills every default. File paths in it are
// relative to its folder. The error lists every fault with line and column.
func Read(path string, env *Env) (*Protocol, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, diag.FileError(path, err)
	}
	p, err := Parse(filepath.Base(path), src, env)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	for i, f := range p.Data.Path {
		if !filepath.IsAbs(f) {
			p.Data.Path[i] = filepath.Join(dir, f)
		}
	}
	return p, nil
}

// Parse is Read on bytes; name is used in positions.
func Parse(name string, src []byte, env *Env) (*Protocol, error) {
	p := defaults()
	d := &decoder{file: name}
	d.decode(src, p)
	if d.faults.Len() == 0 {
		c := checker{d: d, env: env}
		c.protocol(p)
	}
	if err := d.faults.Err(); err != nil {
		return nil, err
	}
	p.pos = d.pos
	return p, nil
}

// located gives the faults of err that name a key of the protocol the place of that key, or
// the flag that stood for it.
func (p *Protocol) located(err error) error {
	var l *diag.List
	var e *diag.Error
	switch {
	case errors.As(err, &l):
		for _, e := range l.Faults() {
			p.locate(e)
		}
	case errors.As(err, &e):
		p.locate(e)
	}
	return err
}

func (p *Protocol) locate(e *diag.Error) {
	if e.Pos.File != "" {
		return
	}
	if pos, ok := nearest(p.pos, e.Field); ok {
		e.Pos = pos
	}
	if flag, ok := nearest(p.flags, e.Field); ok {
		e.Field = flag
	}
}

// nearest returns what m holds for path, or for the closest key above it.
func nearest[V any](m map[string]V, path string) (V, bool) {
	for {
		v, ok := m[path]
		if i := strings.LastIndexAny(path, ".["); !ok && i >= 0 {
			path = path[:i]
			continue
		}
		return v, ok
	}
}

func defaults() *Protocol {
	return &Protocol{
		Seed: 1, Level: 0.95, Imputations: 1,
		Tuning:      TuningSpec{Method: "random", Trials: 20, Metric: "log_loss"},
		Calibration: CalibrationSpec{Method: "auto"},
		Thresholds:  ThresholdSpec{Decision: 0.20},
	}
}

type checker struct {
	d   *decoder
	env *Env
}

// fault records a fault at the nearest known position of path.
func (c *checker) fault(path, format string, args ...any) { _ = c.mark(path, format, args...) }

// mark is fault for callers that add a hint.
func (c *checker) mark(path, format string, args ...any) *diag.Error {
	e := diag.Errorf(diag.Invalid, path, format, args...)
	e.Pos = diag.Pos{File: c.d.file}
	if pos, ok := nearest(c.d.pos, path); ok {
		e.Pos = pos
	}
	c.d.faults.Add(e)
	return e
}

// faults records every fault of err at path, each with its own field behind it.
func (c *checker) faults(path string, err error) {
	var l diag.List
	l.AddErr(err)
	for _, e := range l.Faults() {
		c.fault(path, "%s", e.Error())
	}
}

func (c *checker) oneOf(path, got string, allowed ...string) {
	if !slices.Contains(allowed, got) {
		e := c.mark(path, "expected one of %s", strings.Join(allowed, ", "))
		if near := diag.Nearest(got, allowed); near != "" {
			e.Hint = "did you mean \"" + near + "\"?"
		}
	}
}

func (c *checker) protocol(p *Protocol) {
	if p.Study == "" {
		c.fault("study", "missing; name the study")
	}
	if p.Data.Source == "" {
		p.Data.Source = "table"
	}
	c.oneOf("data.source", p.Data.Source, "table")
	if len(p.Data.Path) == 0 {
		c.fault("data.path", "missing; name one file or several")
	}
	if !(p.Level > 0.5 && p.Level < 1) {
		c.fault("level", "must be in (0.5, 1), got %v", p.Level)
	}
	if p.Imputations < 1 || p.Imputations > 100 {
		c.fault("imputations", "must be from 1 to 100, got %d", p.Imputations)
	}
	c.outcome(&p.Cohort.Outcome)
	c.predictors(p)
	c.models(p)
	c.steps(p)
	c.oneOf("tuning.method", p.Tuning.Method, "none", "random", "grid")
	c.oneOf("tuning.metric", p.Tuning.Metric, "log_loss", "brier", "auc")
	if p.Tuning.Trials < 0 || p.Tuning.Trials > 10000 {
		c.fault("tuning.trials", "must be from 0 to 10000, got %d", p.Tuning.Trials)
	}
	c.oneOf("calibration.method", p.Calibration.Method, append(calibrate.Names(), "auto")...)
	c.validation(p)
	c.thresholds(&p.Thresholds)
	if p.Cohort.Site.From != "" {
		c.oneOf("cohort.site.from", p.Cohort.Site.From, "file")
		if p.Cohort.Site.Column != "" {
			c.fault("cohort.site", "expected a column or {from: file}, got both")
		}
	}
	if _, err := availableDay(p.Cohort.TimeZero); p.Cohort.TimeZero != "" && err != nil {
		c.fault("cohort.time_zero", "%s", err.Error())
	}
	c.available(p)
}

func (c *checker) outcome(o *OutcomeSpec) {
	const path = "cohort.outcome"
	timed := o.Time != "" || o.Status != ""
	switch {
	case timed && o.Column != "":
		c.fault(path, "expected a column, or a time with a status, got both")
	case timed:
		if o.Time == "" {
			c.fault(path+".time", "missing; name the column of follow-up time")
		}
		if o.Status == "" {
			c.fault(path+".status", "missing; name the column that says how follow-up ended")
		}
		if len(o.Event.Values) == 0 {
			c.fault(path+".event", "missing; list the values of %s that are the event", o.Status)
		}
		if !(o.Horizon > 0) {
			c.fault(path+".horizon", "must be above 0, got %v; say by when the event counts", o.Horizon)
		}
		for _, v := range o.Competing {
			if slices.Contains(o.Event.Values, v) {
				c.fault(path+".competing", "a value is both event and competing")
			}
		}
	case o.Column == "":
		c.fault(path+".column", "missing; name the outcome column")
	default:
		if o.Horizon != 0 || len(o.Competing) > 0 {
			c.fault(path, "horizon and competing go with time and status")
		}
	}
}

func (c *checker) predictors(p *Protocol) {
	if len(p.Predictors) == 0 {
		c.fault("predictors", "missing; list columns by modality, e.g. clinical: all")
	}
	all, seen := "", make(map[string]string)
	for _, m := range modalityNames() {
		l, ok := p.Predictors[m]
		if !ok {
			continue
		}
		if l.All {
			if all != "" {
				c.fault("predictors."+m, "only one modality can take all columns; %s does", all)
			}
			all = m
		}
		for i, col := range l.Columns {
			at := fmt.Sprintf("predictors.%s[%d]", m, i)
			if other, dup := seen[col.Column]; dup {
				c.fault(at, "%q is listed before, under %s", col.Column, other)
			}
			seen[col.Column] = m
			if col.Kind != "" {
				c.oneOf(at+".kind", col.Kind, "number", "category")
			}
			if len(col.Levels) > 0 && col.Kind != "category" {
				c.fault(at+".levels", "levels go with kind: category")
			}
		}
	}
	for _, m := range sortedKeys(p.Predictors) {
		c.oneOf("predictors."+m, m, modalityNames()...)
	}
}

func (c *checker) models(p *Protocol) {
	if len(p.Models) == 0 {
		c.fault("models", "missing; list one family or several: %s", strings.Join(c.env.familyNames(), ", "))
	}
	seen := make(map[string]bool)
	for i, m := range p.Models {
		at := fmt.Sprintf("models[%d]", i)
		if seen[m.Family] {
			c.fault(at, "family %q is listed twice", m.Family)
		}
		seen[m.Family] = true
		f, ok := c.env.Family(m.Family)
		if !ok {
			e := c.mark(at, "unknown family %q", m.Family)
			if near := diag.Nearest(m.Family, c.env.familyNames()); near != "" {
				e.Hint = "did you mean \"" + near + "\"?"
			} else {
				e.Hint = "known: " + strings.Join(c.env.familyNames(), ", ")
			}
			continue
		}
		if _, err := paramsOf(f, m.Params); err != nil {
			c.faults(at+".params", err)
		}
	}
	if p.Primary == "" && len(p.Models) > 0 {
		p.Primary = p.Models[0].Family
	}
	if len(p.Models) > 0 && !seen[p.Primary] {
		c.fault("primary", "%q is not among the models", p.Primary)
	}
}

// paramsOf decodes settings over the family's defaults; unknown keys are faults.
func paramsOf(f model.Family, settings map[string]any) (model.Params, error) {
	p := f.Default()
	if len(settings) > 0 {
		b, err := json.Marshal(settings)
		if err != nil {
			return nil, err
		}
		if err := diag.DecodeJSON(b, p); err != nil {
			return nil, err
		}
	}
	return p, p.Validate()
}

// DecodeParams reads hyperparameters of f from JSON over the defaults.
func DecodeParams(f model.Family, b []byte) (model.Params, error) {
	p := f.Default()
	if len(b) > 0 {
		if err := diag.DecodeJSON(b, p); err != nil {
			return nil, err
		}
	}
	return p, p.Validate()
}

func (c *checker) steps(p *Protocol) {
	if p.Preprocess == nil {
		chain, err := defaultChain()
		if err != nil {
			c.fault("preprocess", "%s", err.Error())
		}
		for _, s := range chain {
			spec, err := specOf(s)
			if err != nil {
				c.fault("preprocess", "%s", err.Error())
				continue
			}
			p.Preprocess = append(p.Preprocess, spec)
		}
	}
	for i, s := range p.Preprocess {
		if _, err := stepOf(s); err != nil {
			c.faults(fmt.Sprintf("preprocess[%d]", i), err)
		}
	}
}

// defaultChain prepares a dense matrix: empty columns out, gaps filled with indicators, rare
// levels merged, categories coded, constant columns out. Numbers keep their units, so that
// equations can be read; families that need a common scale standardise inside.
func defaultChain() (preprocess.Chain, error) {
	var chain preprocess.Chain
	for _, s := range preprocess.DefaultDense() {
		if s.Name != "standardise" {
			chain = append(chain, s)
		}
	}
	return chain, chain.Validate()
}

func stepOf(s StepSpec) (preprocess.Step, error) {
	b, err := json.Marshal(s.Settings)
	if err != nil {
		return nil, err
	}
	if s.Settings == nil {
		b = []byte("{}")
	}
	step, err := preprocess.Decode(s.Step, b)
	if err != nil {
		return nil, err
	}
	return step, step.Validate()
}

func (c *checker) validation(p *Protocol) {
	v := &p.Validation
	if v.Internal == nil && v.Temporal == nil && v.External == nil && v.Sites == "" && v.Bootstrap == 0 && v.Frozen == "" {
		v.Internal = &InternalSpec{Outer: 5, Inner: 5, Repeats: 1}
	}
	if in := v.Internal; in != nil {
		if in.Outer == 0 {
			in.Outer = 5
		}
		if in.Inner == 0 {
			in.Inner = 5
		}
		if in.Repeats == 0 {
			in.Repeats = 1
		}
		for _, f := range []struct {
			name    string
			v, low  int
			highest int
		}{{"outer", in.Outer, 2, 100}, {"inner", in.Inner, 2, 100}, {"repeats", in.Repeats, 1, 1000}} {
			if f.v < f.low || f.v > f.highest {
				c.fault("validation.internal."+f.name, "must be from %d to %d, got %d", f.low, f.highest, f.v)
			}
		}
	}
	hasSite := p.Cohort.Site.Column != "" || p.Cohort.Site.From != ""
	if v.Sites != "" {
		c.oneOf("validation.sites", v.Sites, "leave-one-out")
		if !hasSite {
			c.fault("validation.sites", "needs cohort.site")
		}
	}
	if v.External != nil {
		if len(v.External.Site) == 0 {
			c.fault("validation.external.site", "missing; name the sites to hold out")
		}
		if !hasSite {
			c.fault("validation.external", "needs cohort.site")
		}
	}
	if v.Temporal != nil {
		if _, err := parseDate(v.Temporal.TestFrom); err != nil {
			c.fault("validation.temporal.test_from", "expected a date like 2025-07-01")
		}
		if p.Cohort.Date == "" {
			c.fault("validation.temporal", "needs cohort.date")
		}
	}
	if v.Bootstrap < 0 || v.Bootstrap > 10000 {
		c.fault("validation.bootstrap", "must be from 0 to 10000, got %d", v.Bootstrap)
	}
}

func (c *checker) thresholds(t *ThresholdSpec) {
	if !(t.Decision > 0 && t.Decision < 1) {
		c.fault("thresholds.decision", "must be in (0, 1), got %v", t.Decision)
	}
	for i, v := range t.Report {
		if !(v > 0 && v < 1) {
			c.fault(fmt.Sprintf("thresholds.report[%d]", i), "must be in (0, 1), got %v", v)
		}
	}
	if t.Curve == nil {
		t.Curve = []float64{0.01, 0.60}
	}
	if len(t.Curve) != 2 || !(t.Curve[0] > 0 && t.Curve[0] < t.Curve[1] && t.Curve[1] < 1) {
		c.fault("thresholds.curve", "expected two thresholds in (0, 1), from below to above")
	}
	if !slices.IsSorted(t.Strata) {
		c.fault("thresholds.strata", "expected increasing cut points")
	}
}

// available refuses listed predictors that are known only after time zero.
func (c *checker) available(p *Protocol) {
	zero, _ := availableDay(p.Cohort.TimeZero)
	for _, m := range modalityNames() {
		for i, col := range p.Predictors[m].Columns {
			when, at := col.Available, fmt.Sprintf("predictors.%s[%d]", m, i)
			if when == "" {
				when = p.Available[col.Column]
			} else {
				at += ".available"
			}
			if when == "" {
				continue
			}
			day, err := availableDay(when)
			if err != nil {
				c.fault(at, "%s", err.Error())
				continue
			}
			if day > zero {
				c.fault(at, "%q is known at %s, after time zero (%s); it cannot be a predictor", col.Column, when, zeroText(p))
			}
		}
	}
	for _, col := range sortedKeys(p.Available) {
		if _, err := availableDay(p.Available[col]); err != nil {
			c.fault("available."+col, "%s", err.Error())
		}
	}
}

func zeroText(p *Protocol) string {
	if p.Cohort.TimeZero == "" {
		return "day 0"
	}
	return p.Cohort.TimeZero
}

// availableDay turns "day 3", "admission", "discharge" into days; "" is day 0. What is known
// only when follow-up ends is infinitely late.
func availableDay(s string) (float64, error) {
	switch t := strings.ToLower(strings.TrimSpace(s)); t {
	case "", "time zero", "baseline", "admission":
		return 0, nil
	case "discharge", "death", "follow-up", "outcome", "later":
		return math.Inf(1), nil
	default:
		if n, ok := strings.CutPrefix(t, "day "); ok {
			if v, err := strconv.ParseFloat(n, 64); err == nil && !math.IsNaN(v) {
				return v, nil
			}
		}
		return 0, fmt.Errorf("expected day N, baseline, admission, discharge, follow-up, death or later")
	}
}

// parseDate reads an ISO date as days since 1970.
func parseDate(s string) (float64, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, err
	}
	return float64(t.Unix()) / 86400, nil
}

// parseCompare reads "> 0", ">= 1", "< 3", "<= 2", "= 1", "!= 0".
func parseCompare(s string) (func(float64) bool, float64, error) {
	s = strings.TrimSpace(s)
	for _, op := range []string{">=", "<=", "!=", ">", "<", "="} {
		rest, ok := strings.CutPrefix(s, op)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
		if err != nil {
			return nil, 0, err
		}
		switch op {
		case ">=":
			return func(x float64) bool { return x >= v }, v, nil
		case "<=":
			return func(x float64) bool { return x <= v }, v, nil
		case "!=":
			return func(x float64) bool { return x != v }, v, nil
		case ">":
			return func(x float64) bool { return x > v }, v, nil
		case "<":
			return func(x float64) bool { return x < v }, v, nil
		default:
			return func(x float64) bool { return x == v }, v, nil
		}
	}
	return nil, 0, fmt.Errorf("not a comparison")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
