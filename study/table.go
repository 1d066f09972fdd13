package study

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dolor/assess"
	"dolor/diag"
	"dolor/evaluate"
	"dolor/frame"
)

// cohort is a table turned into a study's data, with what happened on the way.
type cohort struct {
	data      *evaluate.Data
	raw       *frame.Frame // all columns of the rows kept, for subgroups and Table 1
	flow      []assess.FlowStep
	inputs    []assess.Provenance
	outcome   string   // in words
	left      []string // columns left out because they are known after time zero
	warnings  []diag.Warning
	rowNumber []int // 1-based row over all files, of each row kept
}

// columnSpecs says how each declared column is read.
func columnSpecs(p *Protocol) map[string]frame.ColumnSpec {
	specs := make(map[string]frame.ColumnSpec)
	for _, m := range modalityNames() {
		for _, c := range p.Predictors[m].Columns {
			s := frame.ColumnSpec{Missing: c.Missing, Unit: c.Unit, Modality: frame.Modality(m), Levels: c.Levels, Ordered: c.Ordered}
			switch c.Kind {
			case "number":
				s.Kind = frame.Number
			case "category":
				s.Kind = frame.Category
			}
			specs[c.Column] = s
		}
	}
	if p.Cohort.Date != "" {
		specs[p.Cohort.Date] = frame.ColumnSpec{Kind: frame.Time}
	}
	if p.Cohort.ID != "" {
		specs[p.Cohort.ID] = frame.ColumnSpec{Kind: frame.Text}
	}
	if o := p.Cohort.Outcome; o.Time != "" {
		specs[o.Time] = frame.ColumnSpec{Kind: frame.Number}
	}
	if p.Cohort.Weight != "" {
		specs[p.Cohort.Weight] = frame.ColumnSpec{Kind: frame.Number}
	}
	return specs
}

// readTables reads every file and stacks them. file holds the stem of each row's file.
func readTables(ctx context.Context, p *Protocol, workers int) (f *frame.Frame, file []string, inputs []assess.Provenance, ws []diag.Warning, err error) {
	specs := columnSpecs(p)
	var frames []*frame.Frame
	var faults diag.List
	for _, path := range p.Data.Path {
		one, warnings, err := ReadTable(ctx, path, p.Data.Missing, p.Data.Delimiter, specs, workers)
		if err != nil {
			if diag.KindOf(err) == diag.Canceled {
				return nil, nil, nil, nil, err
			}
			faults.AddErr(err)
			continue
		}
		sum, err := fileSum(path)
		if err != nil {
			return nil, nil, nil, nil, diag.FileError(path, err)
		}
		inputs = append(inputs, assess.Provenance{File: filepath.Base(path), SHA256: sum, Rows: one.Rows()})
		for _, w := range warnings {
			if len(p.Data.Path) > 1 {
				w.Msg = filepath.Base(path) + ": " + w.Msg
			}
			ws = diag.Merge(ws, w)
		}
		frames = append(frames, one)
		for range one.Rows() {
			file = append(file, stem(path))
		}
	}
	if err := faults.Err(); err != nil {
		return nil, nil, nil, nil, err
	}
	if f, err = frame.Concat(frames...); err != nil {
		return nil, nil, nil, nil, err
	}
	return f, file, inputs, ws, nil
}

// ReadTable reads one CSV, TSV (also gzipped) or Parquet file.
func ReadTable(ctx context.Context, path string, missing []string, delimiter string, specs map[string]frame.ColumnSpec, workers int) (*frame.Frame, []diag.Warning, error) {
	name := filepath.Base(path)
	if strings.HasSuffix(name, ".parquet") {
		return frame.ReadParquet(ctx, path, &frame.ParquetOptions{Missing: missing, Columns: specs, Absent: true, Name: name, Workers: workers})
	}
	o := &frame.CSVOptions{Missing: missing, Columns: specs, Absent: true, Name: name, Workers: workers}
	if delimiter != "" {
		if len(delimiter) != 1 {
			return nil, nil, diag.Errorf(diag.Invalid, "data.delimiter", "expected one character, got %d bytes", len(delimiter))
		}
		o.Comma = delimiter[0]
	}
	return frame.ReadCSV(ctx, path, o)
}

func stem(path string) string {
	s := filepath.Base(path)
	for _, ext := range []string{".gz", ".csv", ".tsv", ".tab", ".txt", ".parquet"} {
		s = strings.TrimSuffix(s, ext)
	}
	return s
}

// buildCohort reads the tables of p and decides who is in, with what outcome and predictors.
func buildCohort(ctx context.Context, p *Protocol, workers int) (*cohort, error) {
	c, err := cohortOf(ctx, p, workers)
	return c, p.located(err)
}

func cohortOf(ctx context.Context, p *Protocol, workers int) (*cohort, error) {
	f, file, inputs, ws, err := readTables(ctx, p, workers)
	if err != nil {
		return nil, err
	}
	c := &cohort{inputs: inputs, warnings: ws}
	if err := checkColumns(p, f); err != nil {
		return nil, err
	}
	total := f.Rows()
	label := "Rows in " + strconv.Itoa(len(inputs)) + " files"
	if len(inputs) == 1 {
		label = "Rows in the table"
	}
	c.flow = append(c.flow, assess.FlowStep{Label: label, N: total})
	out, keep, err := outcomeOf(p, f)
	if err != nil {
		return nil, err
	}
	c.warnings = diag.Merge(c.warnings, undeclaredStatus(p, f)...)
	if gone := total - len(keep); gone > 0 {
		c.flow = append(c.flow, assess.FlowStep{Label: "Outcome recorded", N: len(keep), Excluded: gone, Reason: "outcome missing"})
		c.warnings = diag.Merge(c.warnings, diag.Warning{
			Code: "outcome_missing", Count: gone,
			Msg: "rows without an outcome were left out; if they differ from the others, results are biased",
		})
	}
	c.outcome = outcomeText(p)
	c.raw = f.Take(keep)
	d := &evaluate.Data{Outcome: out.Take(keep)}
	for _, r := range keep {
		c.rowNumber = append(c.rowNumber, r+1)
	}
	if err := keysOf(p, c.raw, take(file, keep), d); err != nil {
		return nil, err
	}
	names, left, err := predictorNames(p, c.raw)
	if err != nil {
		return nil, err
	}
	c.left = left
	if len(left) > 0 {
		c.warnings = diag.Merge(c.warnings, diag.Warning{
			Code: "late_columns", Count: len(left), First: left[0],
			Msg: "columns known only after time zero were left out of the predictors",
		})
	}
	if d.X, err = tagged(p, c.raw, names); err != nil {
		return nil, err
	}
	c.warnings = diag.Merge(c.warnings, emptyOrConstant(d.X)...)
	c.data = d
	if n, all := countTrue(d.Y), d.Rows(); n == 0 || n == all {
		return nil, diag.Errorf(diag.Unfit, "cohort.outcome", "expected rows with and without the event (%s), got %d events in %d rows", c.outcome, n, all)
	}
	return c, nil
}

func checkColumns(p *Protocol, f *frame.Frame) error {
	var faults diag.List
	need := func(field, column string) {
		if column == "" {
			return
		}
		if _, ok := f.Column(column); !ok {
			e := f.NoColumn(column)
			e.Field = field
			e.Msg = fmt.Sprintf("the data have no column %q", column)
			faults.Add(e)
		}
	}
	need("cohort.outcome.column", p.Cohort.Outcome.Column)
	need("cohort.outcome.time", p.Cohort.Outcome.Time)
	need("cohort.outcome.status", p.Cohort.Outcome.Status)
	need("cohort.id", p.Cohort.ID)
	need("cohort.site", p.Cohort.Site.Column)
	need("cohort.date", p.Cohort.Date)
	need("cohort.weight", p.Cohort.Weight)
	for _, m := range modalityNames() {
		for i, c := range p.Predictors[m].Columns {
			need(fmt.Sprintf("predictors.%s[%d]", m, i), c.Column)
		}
	}
	for _, col := range sortedKeys(p.Available) {
		need("available", col)
	}
	for i, col := range p.Subgroups {
		need(fmt.Sprintf("subgroups[%d]", i), col)
	}
	return faults.Err()
}

// outcomeOf returns the outcome of all rows and the rows where it is known.
func outcomeOf(p *Protocol, f *frame.Frame) (*evaluate.Outcome, []int, error) {
	if p.Cohort.Outcome.Time != "" {
		return timedOutcome(p, f)
	}
	spec := p.Cohort.Outcome
	c, _ := f.Column(spec.Column)
	out := &evaluate.Outcome{Y: make([]bool, f.Rows())}
	isEvent, err := eventTest(spec, c)
	if err != nil {
		return nil, nil, err
	}
	var keep []int
	for i := range f.Rows() {
		if c.IsMissing(i) {
			continue
		}
		out.Y[i] = isEvent(i)
		keep = append(keep, i)
	}
	return out, keep, nil
}

// eventTest returns whether row i of c is an event.
func eventTest(spec OutcomeSpec, c frame.Column) (func(int) bool, error) {
	const path = "cohort.outcome.event"
	if spec.Event.Compare != "" {
		if c.Kind != frame.Number {
			return nil, diag.Errorf(diag.Invalid, path, "a comparison needs a number column, %q is a %s", c.Name, c.Kind)
		}
		test, _, err := parseCompare(spec.Event.Compare)
		if err != nil {
			return nil, diag.Errorf(diag.Invalid, path, "expected a comparison such as \"> 0\"")
		}
		return func(i int) bool { return test(c.Numbers()[i]) }, nil
	}
	values := distinctValues(c, 4)
	if len(values) == 0 {
		return nil, diag.Errorf(diag.Unfit, "cohort.outcome", "expected an outcome, got %q without a single value", c.Name)
	}
	if len(spec.Event.Values) == 0 {
		switch {
		case slices.Equal(values, []string{"0", "1"}), slices.Equal(values, []string{"0"}), slices.Equal(values, []string{"1"}):
			spec.Event.Values = []string{"1"}
		case len(values) > 2:
			return nil, diag.Errorf(diag.Invalid, path, "expected an outcome of two values, %q has %s; say which are the event, e.g. event: \"> 0\"", c.Name, atLeast(len(values), 4))
		default:
			return nil, diag.Errorf(diag.Invalid, path, "missing; %q does not hold 0 and 1, so list the values that are the event", c.Name)
		}
	}
	want := make(map[string]bool)
	for _, v := range spec.Event.Values {
		want[canonical(v)] = true
	}
	found := false
	for i := range c.Len() {
		if s, ok := c.String(i); ok && want[canonical(s)] {
			found = true
			break
		}
	}
	if !found {
		return nil, diag.Errorf(diag.Unfit, path, "no row of %q has a value that is the event", c.Name)
	}
	return func(i int) bool { s, _ := c.String(i); return want[canonical(s)] }, nil
}

// canonical writes numbers one way, so that 1 and 1.0 are the same value.
func canonical(s string) string {
	if v, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return s
}

// distinctValues returns the sorted distinct non-missing values, at most limit of them.
func distinctValues(c frame.Column, limit int) []string {
	seen := make(map[string]bool)
	for i := range c.Len() {
		if s, ok := c.String(i); ok {
			seen[canonical(s)] = true
			if len(seen) == limit {
				break
			}
		}
	}
	return sortedKeys(seen)
}

func atLeast(n, limit int) string {
	if n == limit {
		return "more than " + strconv.Itoa(limit-1)
	}
	return strconv.Itoa(n)
}

// timedOutcome reads time and status. A row counts as an event when it happened by the
// horizon; status after the horizon is cut there.
func timedOutcome(p *Protocol, f *frame.Frame) (*evaluate.Outcome, []int, error) {
	spec := p.Cohort.Outcome
	tc, _ := f.Column(spec.Time)
	sc, _ := f.Column(spec.Status)
	n := f.Rows()
	out := &evaluate.Outcome{Y: make([]bool, n), Time: make([]float64, n), Status: make([]int, n), Horizon: spec.Horizon}
	event, competing := make(map[string]bool), make(map[string]bool)
	for _, v := range spec.Event.Values {
		event[canonical(v)] = true
	}
	for _, v := range spec.Competing {
		competing[canonical(v)] = true
	}
	var keep []int
	var faults diag.List
	for i := range n {
		if tc.IsMissing(i) || sc.IsMissing(i) {
			continue
		}
		t := tc.Numbers()[i]
		if t < 0 || math.IsInf(t, 0) {
			faults.Addf(diag.Invalid, spec.Time, "row %d: expected a time of at least 0", i+1)
			continue
		}
		s, _ := sc.String(i)
		switch {
		case event[canonical(s)]:
			out.Status[i] = 1
		case competing[canonical(s)]:
			out.Status[i] = 2
		}
		out.Time[i] = t
		out.Y[i] = out.Status[i] == 1 && t <= spec.Horizon
		keep = append(keep, i)
	}
	return out, keep, faults.Err()
}

// undeclaredStatus warns when the status holds several values that the protocol names neither
// as event nor as competing: one of them may be a competing event that would count as
// censored, which overstates the risk.
func undeclaredStatus(p *Protocol, f *frame.Frame) []diag.Warning {
	spec := p.Cohort.Outcome
	if spec.Time == "" {
		return nil
	}
	sc, _ := f.Column(spec.Status)
	n := 0
	for _, v := range distinctValues(sc, sc.Len()+1) {
		named := func(list []string) bool {
			return slices.ContainsFunc(list, func(x string) bool { return canonical(x) == v })
		}
		if !named(spec.Event.Values) && !named(spec.Competing) {
			n++
		}
	}
	if n < 2 {
		return nil
	}
	return []diag.Warning{{
		Code: "undeclared_status", Count: 1, First: spec.Status,
		Msg: fmt.Sprintf("%s holds %d values that are neither event nor competing; all count as censored: if one is a death or the like, list it under competing", spec.Status, n),
	}}
}

func outcomeText(p *Protocol) string {
	o := p.Cohort.Outcome
	if o.Time != "" {
		return fmt.Sprintf("%s %s by %g days", o.Status, strings.Join(o.Event.Values, " or "), o.Horizon)
	}
	switch {
	case o.Event.Compare != "":
		return o.Column + " " + o.Event.Compare
	case len(o.Event.Values) > 0:
		return o.Column + " " + strings.Join(o.Event.Values, " or ")
	}
	return o.Column + " 1"
}

// keysOf fills patient, site, date and weight.
func keysOf(p *Protocol, f *frame.Frame, file []string, d *evaluate.Data) error {
	n := f.Rows()
	texts := func(column, field string) ([]string, error) {
		c, _ := f.Column(column)
		out := make([]string, n)
		for i := range n {
			s, ok := c.String(i)
			if !ok {
				return nil, diag.Errorf(diag.Invalid, field, "row %d: expected a value in %q, got an empty cell", i+1, column)
			}
			out[i] = s
		}
		return out, nil
	}
	var err error
	if p.Cohort.ID != "" {
		if d.Patient, err = texts(p.Cohort.ID, "cohort.id"); err != nil {
			return err
		}
	}
	switch {
	case p.Cohort.Site.From == "file":
		d.Site = file
	case p.Cohort.Site.Column != "":
		if d.Site, err = texts(p.Cohort.Site.Column, "cohort.site"); err != nil {
			return err
		}
	}
	if p.Cohort.Date != "" {
		c, _ := f.Column(p.Cohort.Date)
		d.Date = c.Numbers()
	}
	if p.Cohort.Weight != "" {
		c, _ := f.Column(p.Cohort.Weight)
		d.Weight = c.Numbers()
		for i, w := range d.Weight {
			if !(w >= 0) || math.IsInf(w, 0) {
				return diag.Errorf(diag.Invalid, "cohort.weight", "row %d: expected a number of at least 0", i+1)
			}
		}
	}
	return oneSiteEach(d)
}

// oneSiteEach refuses a patient key that appears at two sites: either two hospitals use the
// same numbers for different people, or one patient would sit on both sides of a split.
func oneSiteEach(d *evaluate.Data) error {
	if d.Patient == nil || d.Site == nil {
		return nil
	}
	first := make(map[string]int)
	shared, a, b := make(map[string]bool), 0, 0
	for i, k := range d.Patient {
		j, ok := first[k]
		if !ok {
			first[k] = i
			continue
		}
		if d.Site[i] != d.Site[j] {
			if len(shared) == 0 {
				a, b = j+1, i+1
			}
			shared[k] = true
		}
	}
	if len(shared) == 0 {
		return nil
	}
	e := diag.Errorf(diag.Invalid, "cohort.id", "expected each patient at one site, got %d at more than one (first in rows %d and %d)", len(shared), a, b)
	e.Hint = "if hospitals reuse numbers, put the site into the id"
	return e
}

// predictorNames lists the predictor columns in the order of the file's columns for all, and
// of the protocol otherwise; left holds those known after time zero.
func predictorNames(p *Protocol, f *frame.Frame) (names, left []string, err error) {
	zero, _ := availableDay(p.Cohort.TimeZero)
	reserved := map[string]bool{}
	o := p.Cohort.Outcome
	for _, c := range []string{o.Column, o.Time, o.Status, p.Cohort.ID, p.Cohort.Site.Column, p.Cohort.Date, p.Cohort.Weight} {
		reserved[c] = true
	}
	listed := make(map[string]bool)
	for _, m := range modalityNames() {
		for i, c := range p.Predictors[m].Columns {
			listed[c.Column] = true
			if reserved[c.Column] && c.Column != p.Cohort.Site.Column {
				return nil, nil, diag.Errorf(diag.Invalid, fmt.Sprintf("predictors.%s[%d]", m, i), "%q is the outcome, id, date or weight; it cannot be a predictor", c.Column)
			}
		}
	}
	for _, m := range modalityNames() {
		l := p.Predictors[m]
		for _, c := range l.Columns {
			names = append(names, c.Column)
		}
		if !l.All {
			continue
		}
		for _, field := range f.Schema() {
			if listed[field.Name] || reserved[field.Name] || field.Kind == frame.Text || field.Kind == frame.Time {
				continue
			}
			if day, _ := availableDay(p.Available[field.Name]); day > zero {
				left = append(left, field.Name)
				continue
			}
			names = append(names, field.Name)
		}
	}
	if len(names) == 0 {
		return nil, nil, diag.Errorf(diag.Invalid, "predictors", "expected at least one column, got none")
	}
	return names, left, nil
}

// tagged returns the predictors with their modality and unit.
func tagged(p *Protocol, f *frame.Frame, names []string) (*frame.Frame, error) {
	modality, tokens := make(map[string]frame.Modality), make(map[string][]string)
	rest := frame.Clinical
	for _, m := range modalityNames() {
		for _, c := range p.Predictors[m].Columns {
			modality[c.Column] = frame.Modality(m)
			tokens[c.Column] = c.Missing
		}
		if p.Predictors[m].All {
			rest = frame.Modality(m)
		}
	}
	x, err := f.Select(names...)
	if err != nil {
		return nil, err
	}
	for i := range x.Cols() {
		c := x.At(i)
		if c.Kind == frame.Text || c.Kind == frame.Time {
			return nil, diag.Errorf(diag.Unsupported, c.Name, "a predictor must be a number or a category, got %s", c.Kind)
		}
		var ok bool
		if c.Modality, ok = modality[c.Name]; !ok {
			c.Modality = rest
		}
		c.Tokens = slices.Concat(p.Data.Missing, tokens[c.Name])
		if x, err = x.With(c); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// emptyOrConstant warns of predictors that carry nothing.
func emptyOrConstant(x *frame.Frame) []diag.Warning {
	var ws []diag.Warning
	for i := range x.Cols() {
		c := x.At(i)
		switch {
		case c.MissingCount() == c.Len():
			ws = diag.Merge(ws, diag.Warning{Code: "column_missing", Count: 1, First: c.Name, Msg: "predictors without a single value carry nothing: " + c.Name})
		case len(distinctValues(c, 2)) == 1:
			ws = diag.Merge(ws, diag.Warning{Code: "column_constant", Count: 1, First: c.Name, Msg: "predictors with one value only carry nothing: " + c.Name})
		}
	}
	return ws
}

func take[T any](v []T, rows []int) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = v[r]
	}
	return out
}

func countTrue(y []bool) int {
	n := 0
	for _, v := range y {
		if v {
			n++
		}
	}
	return n
}
