package evaluate

import (
	"math"

	"dolor/diag"
	"dolor/frame"
)

// Predictions is the hinge of a study: one entry for each row predicted by each fit. All
// slices have equal length. Every performance number and curve is computed from it.
type Predictions struct {
	Row           []int     // 1-based row of the data as read
	Patient       []string  // key; "" when the protocol names no id
	Family        []string  //
	Configuration []string  // modality subset; "all"
	Validation    []string  // apparent, internal, temporal, external, site
	Repeat, Fold  []int     // 0-based; of internal
	Site          []string  // hospital of the row; "" when there are none
	Date          []float64 // days since 1970; NaN when there are none
	Outcome       []bool
	Time          []float64 // days; NaN for a binary outcome
	Status        []int     // 0 censored, 1 event, 2 competing; -1 for a binary outcome
	Probability   []float64
	Uncalibrated  []float64 // before recalibration
}

// Len returns the number of entries.
func (p *Predictions) Len() int { return len(p.Row) }

func (p *Predictions) add(d *Data, row int, t *Task, validation string, prob, raw float64) {
	patient, site, date, time, status := "", "", math.NaN(), math.NaN(), -1
	if d.Patient != nil {
		patient = d.Patient[row]
	}
	if d.Site != nil {
		site = d.Site[row]
	}
	if d.Date != nil {
		date = d.Date[row]
	}
	if d.Timed() {
		time, status = d.Time[row], d.Status[row]
	}
	p.Append(row+1, patient, t.Family, "all", validation, t.Repeat, t.Fold, site, date, d.Y[row], time, status, prob, raw)
}

// External returns the predictions p (raw before recalibration) of a frozen model for every
// row of d.
func External(d *Data, family string, p, raw []float64) *Predictions {
	out := &Predictions{}
	for i := range p {
		out.add(d, i, &Task{Family: family}, "external", p[i], raw[i])
	}
	return out
}

// Append adds one entry.
func (p *Predictions) Append(row int, patient, family, configuration, validation string, repeat, fold int,
	site string, date float64, outcome bool, time float64, status int, prob, raw float64,
) {
	p.Row = append(p.Row, row)
	p.Patient = append(p.Patient, patient)
	p.Family = append(p.Family, family)
	p.Configuration = append(p.Configuration, configuration)
	p.Validation = append(p.Validation, validation)
	p.Repeat = append(p.Repeat, repeat)
	p.Fold = append(p.Fold, fold)
	p.Site = append(p.Site, site)
	p.Date = append(p.Date, date)
	p.Outcome = append(p.Outcome, outcome)
	p.Time = append(p.Time, time)
	p.Status = append(p.Status, status)
	p.Probability = append(p.Probability, prob)
	p.Uncalibrated = append(p.Uncalibrated, raw)
}

// predictionColumns is the layout of predictions.parquet, in order.
var predictionColumns = []string{
	"row", "patient", "family", "configuration", "validation", "repeat", "fold",
	"site", "date", "outcome", "time", "status", "probability", "uncalibrated",
}

// Frame returns the table as columns, for predictions.parquet.
func (p *Predictions) Frame() (*frame.Frame, error) {
	n := p.Len()
	ints := func(v []int) []float64 {
		out := make([]float64, n)
		for i, x := range v {
			out[i] = float64(x)
		}
		return out
	}
	outcome := make([]float64, n)
	for i, y := range p.Outcome {
		if y {
			outcome[i] = 1
		}
	}
	text := func(v []string) []bool {
		has := make([]bool, n)
		for i, s := range v {
			has[i] = s != ""
		}
		return has
	}
	field := func(i int) frame.Field { return frame.Field{Name: predictionColumns[i]} }
	return frame.New(n,
		frame.NumberColumn(field(0), ints(p.Row)),
		frame.TextColumn(field(1), p.Patient, text(p.Patient)),
		frame.TextColumn(field(2), p.Family, nil),
		frame.TextColumn(field(3), p.Configuration, nil),
		frame.TextColumn(field(4), p.Validation, nil),
		frame.NumberColumn(field(5), ints(p.Repeat)),
		frame.NumberColumn(field(6), ints(p.Fold)),
		frame.TextColumn(field(7), p.Site, text(p.Site)),
		frame.NumberColumn(field(8), p.Date),
		frame.NumberColumn(field(9), outcome),
		frame.NumberColumn(field(10), p.Time),
		frame.NumberColumn(field(11), ints(p.Status)),
		frame.NumberColumn(field(12), p.Probability),
		frame.NumberColumn(field(13), p.Uncalibrated),
	)
}

// PredictionsFrom reads the table back from its columns.
func PredictionsFrom(f *frame.Frame) (*Predictions, error) {
	var faults diag.List
	num := func(name string) []float64 {
		c, ok := f.Column(name)
		if !ok || c.Numbers() == nil && f.Rows() > 0 {
			faults.Addf(diag.Invalid, name, "expected a number column in the predictions table")
			return make([]float64, f.Rows())
		}
		return c.Numbers()
	}
	text := func(name string) []string {
		c, ok := f.Column(name)
		if !ok {
			faults.Addf(diag.Invalid, name, "expected this column in the predictions table")
			return make([]string, f.Rows())
		}
		out := make([]string, f.Rows())
		for i := range out {
			out[i], _ = c.String(i)
		}
		return out
	}
	ints := func(name string) []int {
		v := num(name)
		out := make([]int, len(v))
		for i, x := range v {
			out[i] = int(x)
		}
		return out
	}
	p := &Predictions{
		Row: ints("row"), Patient: text("patient"), Family: text("family"), Configuration: text("configuration"),
		Validation: text("validation"), Repeat: ints("repeat"), Fold: ints("fold"), Site: text("site"),
		Date: num("date"), Time: num("time"), Status: ints("status"),
		Probability: num("probability"), Uncalibrated: num("uncalibrated"),
	}
	for _, y := range num("outcome") {
		p.Outcome = append(p.Outcome, y == 1)
	}
	return p, faults.Err()
}
