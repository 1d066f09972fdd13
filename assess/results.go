// Package assess turns the predictions table of a study into every performance number,
// curve and comparison, each with its interval, and describes the patients it came from.
//
// Nothing is fitted to a model's predictors here and no patient row leaves: [Results] is
// what results.json holds, and figures and the report are drawn from it alone.
package assess

import (
	"encoding/json"
	"math"

	"dolor/diag"
	"dolor/explain"
	"dolor/frame"
	"dolor/model"
)

// Num is a number that is null in JSON when it is NaN or infinite.
type Num float64

// MarshalJSON writes null for NaN and infinities.
func (n Num) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Num) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Num(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// The values of Row.Validation.
const (
	Apparent  = "apparent"  // the rows the model learnt from; optimistic
	Bootstrap = "bootstrap" // apparent less the optimism found by resampling
	Internal  = "internal"  // nested cross-validation
	Temporal  = "temporal"  // later patients
	External  = "external"  // a site held out, or a new file
	SiteOut   = "site"      // one site, predicted by a model of the others
	Pooled    = "pooled"    // random-effects mean over sites
)

// Row is one number of results.json. Lower and Upper are NaN where no interval holds, and
// Method says why.
type Row struct {
	Family          string  `json:"family"`
	Configuration   string  `json:"configuration"` // modality subset; "all"
	Validation      string  `json:"validation"`
	Site            string  `json:"site,omitempty"`
	Subgroup        string  `json:"subgroup,omitempty"` // column
	Stratum         string  `json:"stratum,omitempty"`  // level of the subgroup column
	Fold            *int    `json:"fold,omitempty"`
	Repeat          *int    `json:"repeat,omitempty"`
	Metric          string  `json:"metric"`
	Threshold       *Num    `json:"threshold,omitempty"`
	Estimate        Num     `json:"estimate"`
	Lower           Num     `json:"lower"`
	Upper           Num     `json:"upper"`
	Level           float64 `json:"level"`
	PredictionLower *Num    `json:"prediction_lower,omitempty"` // 95 % prediction interval for a new site
	PredictionUpper *Num    `json:"prediction_upper,omitempty"`
	N               int     `json:"n"`
	Events          int     `json:"events"`
	Method          string  `json:"method"`
}

// Comparison is a paired difference b - a on the same patients.
type Comparison struct {
	Metric     string `json:"metric"`
	A          string `json:"a"` // family or column
	B          string `json:"b"`
	Validation string `json:"validation,omitempty"`
	Site       string `json:"site,omitempty"`
	Threshold  *Num   `json:"threshold,omitempty"`
	Difference Num    `json:"difference"`
	Lower      Num    `json:"lower"`
	Upper      Num    `json:"upper"`
	P          Num    `json:"p_value"`
	N          int    `json:"n"`
	Events     int    `json:"events"`
	Method     string `json:"method"`
}

// Curves is what the figures of one family under one validation are drawn from.
type Curves struct {
	Family     string `json:"family"`
	Validation string `json:"validation"`
	Site       string `json:"site,omitempty"`
	N          int    `json:"n"`
	Events     int    `json:"events"`

	ROC         Line        `json:"roc"` // X false positive rate, Y sensitivity
	PR          Line        `json:"pr"`  // X recall, Y precision
	Calibration Calibration `json:"calibration"`
	Decision    Decision    `json:"decision"`
	Confusion   Confusion   `json:"confusion"` // at the declared decision threshold
}

// Line is a curve thinned for drawing. Lower and Upper are its pointwise band, nil when none.
type Line struct {
	X     []float64 `json:"x"`
	Y     []float64 `json:"y"`
	Lower []float64 `json:"lower,omitempty"`
	Upper []float64 `json:"upper,omitempty"`
	Note  string    `json:"note,omitempty"` // why it is empty: "12 events, fewer than 20"
}

// Calibration holds the smooth curve with its band, grouped points, and the histogram of
// predicted risk by outcome.
type Calibration struct {
	Smooth Line       `json:"smooth"` // X predicted, Y observed
	Method string     `json:"method"`
	Groups []CalGroup `json:"groups"`
	Edges  []float64  `json:"edges"` // histogram bin edges, len bins+1
	Events []int      `json:"events"`
	Others []int      `json:"others"`
}

// CalGroup is one group of patients of similar predicted risk.
type CalGroup struct {
	Predicted float64 `json:"predicted"`
	Observed  float64 `json:"observed"`
	Lower     float64 `json:"lower"` // Wilson
	Upper     float64 `json:"upper"`
	N         int     `json:"n"`
	Events    int     `json:"events"`
}

// Decision is a decision curve: net benefit per patient over threshold probabilities.
type Decision struct {
	Threshold  []float64 `json:"threshold"`
	NetBenefit []float64 `json:"net_benefit"`
	Lower      []float64 `json:"lower"`
	Upper      []float64 `json:"upper"`
	TreatAll   []float64 `json:"treat_all"`
	// TreatNone is 0 everywhere.
}

// Confusion is the 2x2 table at a declared threshold.
type Confusion struct {
	Threshold float64 `json:"threshold"`
	TP        int     `json:"tp"`
	FP        int     `json:"fp"`
	FN        int     `json:"fn"`
	TN        int     `json:"tn"`
}

// FlowStep is one line of the participant flow: how many remain, and why others left.
type FlowStep struct {
	Label    string `json:"label"`
	N        int    `json:"n"`
	Excluded int    `json:"excluded,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// FlowEnd is one of the groups the flow ends in (analysis set by site or by outcome).
type FlowEnd struct {
	Label  string `json:"label"`
	N      int    `json:"n"`
	Events int    `json:"events"`
}

// Table1 describes the patients by group (outcome, then site).
type Table1 struct {
	By     string      `json:"by"` // "outcome" or "site"
	Groups []string    `json:"groups"`
	N      []int       `json:"n"`
	Rows   []Table1Row `json:"rows"`
}

// Table1Row is one predictor, or one level of a categorical predictor.
type Table1Row struct {
	Variable string         `json:"variable"`
	Level    string         `json:"level,omitempty"`
	Unit     string         `json:"unit,omitempty"`
	Modality frame.Modality `json:"modality,omitempty"`
	// Cells has one entry a group. For numbers: median, lower and upper quartile; for levels:
	// count and share among the non-missing.
	Cells   []Table1Cell `json:"cells"`
	SMD     Num          `json:"smd"` // largest absolute standardised difference between two groups; NaN on level rows
	Missing []int        `json:"missing"`
}

// Table1Cell is one cell of Table 1.
type Table1Cell struct {
	Median Num `json:"median"`
	Q1     Num `json:"q1"`
	Q3     Num `json:"q3"`
	Count  int `json:"count"`
	Share  Num `json:"share"`
}

// Missingness is the share missing of each predictor at each site, and the commonest patterns.
type Missingness struct {
	Predictors []string `json:"predictors"`
	Sites      []string `json:"sites"` // one entry "all" when there are no sites
	N          []int    `json:"n"`
	Missing    [][]int  `json:"missing"` // [predictor][site] counts
}

// SitePool is one metric over the sites left out in turn, with its random-effects summary.
type SitePool struct {
	Family    string     `json:"family"`
	Metric    string     `json:"metric"`
	Threshold *Num       `json:"threshold,omitempty"`
	Sites     []SiteStat `json:"sites"`
	Estimate  Num        `json:"estimate"`
	Lower     Num        `json:"lower"`
	Upper     Num        `json:"upper"`
	PredLower Num        `json:"prediction_lower"`
	PredUpper Num        `json:"prediction_upper"`
	Tau2      Num        `json:"tau2"`
	I2        Num        `json:"i2"`
	Reference Num        `json:"reference"` // 1 for slope and O/E, 0.5 for AUC, NaN when none
	Method    string     `json:"method"`
}

// SiteStat is one line of a forest plot.
type SiteStat struct {
	Site     string `json:"site"`
	N        int    `json:"n"`
	Events   int    `json:"events"`
	Estimate Num    `json:"estimate"`
	Lower    Num    `json:"lower"`
	Upper    Num    `json:"upper"`
	Note     string `json:"note,omitempty"`
}

// Equation is a fully specified final model.
type Equation struct {
	Family string         `json:"family"`
	Scale  string         `json:"scale"` // "log-odds"
	Terms  []EquationTerm `json:"terms"`
	Steps  []string       `json:"steps"` // preprocessing in words, in order
	// Calibration says the recalibration applied after the model: "none", "logistic".
	Calibration string `json:"calibration"`
	Note        string `json:"note,omitempty"`
}

// EquationTerm is one line of the equation.
type EquationTerm struct {
	Name     string `json:"name"`
	Unit     string `json:"unit,omitempty"`
	Estimate Num    `json:"estimate"`
	Lower    Num    `json:"lower"`
	Upper    Num    `json:"upper"`
	P        Num    `json:"p_value"`
}

// TermOf converts a model's term.
func TermOf(t model.Term) EquationTerm {
	return EquationTerm{Name: t.Name, Estimate: Num(t.Estimate), Lower: Num(t.Lower), Upper: Num(t.Upper), P: Num(t.P)}
}

// Criterion is one sample-size requirement.
type Criterion struct {
	Name    string `json:"name"`
	Needed  int    `json:"needed"`
	Have    int    `json:"have"`
	Holds   bool   `json:"holds"`
	Detail  string `json:"detail"`
	Binding bool   `json:"binding,omitempty"`
}

// Provenance is where one data file came from.
type Provenance struct {
	File   string `json:"file"` // base name
	SHA256 string `json:"sha256"`
	Rows   int    `json:"rows"`
}

// Choice counts how often the folds chose a setting (calibration method, hyperparameters).
type Choice struct {
	Family string `json:"family"`
	What   string `json:"what"` // "calibration"
	Value  string `json:"value"`
	Count  int    `json:"count"`
	Of     int    `json:"of"`
}

// Results is results.json: everything a report shows except the protocol itself.
type Results struct {
	Format      int          `json:"format"` // 1
	Study       string       `json:"study"`
	Simulated   bool         `json:"simulated"`
	Outcome     string       `json:"outcome"` // in words: "target > 0"
	Level       float64      `json:"level"`
	Decision    float64      `json:"decision_threshold"`
	Thresholds  []float64    `json:"thresholds"` // all declared, decision included
	Primary     string       `json:"primary"`    // the family the headline is about
	Families    []string     `json:"families"`   // in protocol order
	N           int          `json:"n"`
	Events      int          `json:"events"`
	Inputs      []Provenance `json:"inputs"`
	Flow        []FlowStep   `json:"flow"`
	FlowEnds    []FlowEnd    `json:"flow_ends"`
	Table1      []Table1     `json:"table1"`
	Missingness Missingness  `json:"missingness"`
	SampleSize  []Criterion  `json:"sample_size"`
	Rows        []Row        `json:"rows"`
	Comparisons []Comparison `json:"comparisons"`
	Curves      []Curves     `json:"curves"`
	Sites       []SitePool   `json:"sites"`
	Equations   []Equation   `json:"equations"`
	Choices     []Choice     `json:"choices"`
	// Attributions says what the predictions of each family rest on, by validation.
	Attributions []explain.Summary `json:"attributions,omitempty"`
	Notes        []string          `json:"notes"` // what the intervals cover, and where none holds
	Warnings     []diag.Warning    `json:"warnings"`
}

// Find returns the row of family, validation and metric over all patients (of the only site
// where the validation has one only), no subgroup, no fold, at threshold t where the metric
// has one.
func (r *Results) Find(family, validation, metric string, t float64) (Row, bool) {
	found := -1
	for i, x := range r.Rows {
		if x.Family != family || x.Validation != validation || x.Metric != metric || x.Subgroup != "" || x.Fold != nil ||
			x.Threshold != nil && float64(*x.Threshold) != t {
			continue
		}
		if x.Site == "" {
			return x, true
		}
		if validation != SiteOut && found < 0 {
			found = i
		}
	}
	if found < 0 {
		return Row{}, false
	}
	return r.Rows[found], true
}
