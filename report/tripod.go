package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"dolor/assess"
	"dolor/figure"
)

// The states of a checklist item.
const (
	Automatic     = "automatic"      // the run holds the evidence
	Prefilled     = "prefilled"      // the run proposes text; an author confirms
	Human         = "human"          // only an author can write it
	NotApplicable = "not applicable" // this study has no such part
)

// Tripod is the TRIPOD+AI checklist of a study: 27 items, 52 leaves (Collins GS et al. BMJ
// 2024;385:e078378, doi:10.1136/bmj-2023-078378; item names are ours).
type Tripod struct {
	Items []TripodItem `json:"items"`
}

// TripodItem is one leaf of the checklist.
type TripodItem struct {
	Item     string `json:"item"` // "12a"
	Name     string `json:"name"`
	Status   string `json:"status"`
	Evidence string `json:"evidence"`
	Where    string `json:"where,omitempty"` // anchor in the report, without #
}

// WriteJSON writes tripod.json, indented, ending in a newline.
func (t *Tripod) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(t)
}

// Count returns how many leaves have the status.
func (t *Tripod) Count(status string) int {
	n := 0
	for _, i := range t.Items {
		if i.Status == status {
			n++
		}
	}
	return n
}

// NewTripod fills the checklist from results and protocol. A leaf whose evidence the run did
// not keep falls back to [Human] and says what is missing; nothing is claimed without it.
func NewTripod(r *assess.Results, protocol []byte) *Tripod {
	t := &Tripod{}
	add := func(item, name, status, where, evidence string) {
		t.Items = append(t.Items, TripodItem{item, name, status, evidence, where})
	}
	when := func(ok bool, item, name, status, where, yes, no string) {
		if ok {
			add(item, name, status, where, yes)
		} else {
			add(item, name, Human, "", no)
		}
	}
	proto := len(protocol) > 0
	sites := siteNames(r)
	evaluated := has(r, assess.External) || has(r, assess.Temporal) || has(r, assess.SiteOut)
	n := fmt.Sprintf("n %d, %d events", r.N, r.Events)
	add("1", "Title: study kind, population, outcome", Prefilled, "top", fmt.Sprintf("Development and validation of a prediction model; outcome %s; name the population", orUnnamed(r.Outcome)))
	add("2", "Abstract", Prefilled, "summary", headlineText(r))
	add("3a", "Context, rationale, existing models", Human, "", "An author writes this; families compared in this run: "+strings.Join(familyNames(r), ", "))
	add("3b", "Target population, purpose, users", Prefilled, "card", "Intended-use lines of the model card; an author confirms")
	add("3c", "Known health inequalities", Human, "", "An author writes this; subgroups analysed: "+orNone(strings.Join(subgroups(r), ", ")))
	add("4", "Objectives", Prefilled, "summary", "To develop and validate a model of "+orUnnamed(r.Outcome))
	when(len(r.Inputs) > 0, "5a", "Data sources, why, representativeness", Prefilled, "provenance", fmt.Sprintf("%d files with SHA-256; an author says why and how representative", len(r.Inputs)), "The run recorded no input files")
	when(has(r, assess.Temporal), "5b", "Dates of accrual and follow-up", Prefilled, "protocol", "A temporal split by the protocol's date; an author adds calendar dates", "No date column was declared; an author writes the dates")
	when(len(sites) > 0, "6a", "Setting, number and place of centres", Prefilled, "validation", fmt.Sprintf("%d sites: %s", len(sites), strings.Join(sites, ", ")), "No site column was declared; an author writes the setting")
	when(len(r.Flow) > 0, "6b", "Eligibility", Automatic, "flow", fmt.Sprintf("%d steps of participant flow", len(r.Flow)), "The run recorded no participant flow")
	add("6c", "Treatments and how they were handled", Human, "", "The protocol declares no treatment; an author writes this")
	steps := 0
	for _, e := range r.Equations {
		steps += len(e.Steps)
	}
	when(steps > 0 || proto, "7", "Data preparation and quality checks", Automatic, "equation", fmt.Sprintf("%d preprocessing steps in words; protocol as run", steps), "The run recorded no preprocessing")
	when(r.Outcome != "", "8a", "Outcome, horizon, how and when assessed", Prefilled, "card", "Outcome: "+r.Outcome+"; an author says how and when it was assessed", "No outcome is named in the results")
	add("8b", "Subjective outcome: assessors", Human, "", "An author writes who assessed the outcome")
	add("8c", "Blinding of outcome assessment", Human, "", "An author writes whether assessors knew the predictors")
	when(len(r.Table1) > 0, "9a", "Initial predictors and pre-selection", Automatic, "patients", fmt.Sprintf("%d candidate predictors in Table 1", predictors(r)), "The run recorded no Table 1")
	when(proto, "9b", "Predictor definitions and timing", Prefilled, "protocol", "Columns, units and availability as declared in the protocol", "The protocol is not in this report")
	add("9c", "Subjective predictors: assessors", Human, "", "An author writes who assessed them")
	when(len(r.SampleSize) > 0, "10", "Sample size", Automatic, "size", fmt.Sprintf("%d criteria computed; %s", len(r.SampleSize), n), "The run computed no sample-size criterion")
	when(len(r.Missingness.Predictors) > 0, "11", "Missing data", Automatic, "missing", fmt.Sprintf("Share missing of %d predictors by site; handling in the preprocessing steps", len(r.Missingness.Predictors)), "The run recorded no missingness")
	when(proto, "12a", "Use and partition of data", Automatic, "protocol", "Validation plan as run", "The protocol is not in this report")
	when(steps > 0, "12b", "Predictor handling", Automatic, "equation", "Transforms in order, learnt on training rows only", "The run recorded no preprocessing step")
	when(proto && len(r.Families) > 0, "12c", "Model type, building, tuning, internal validation", Automatic, "models", strings.Join(familyNames(r), ", "), "The protocol is not in this report")
	whenSites(add, len(r.Sites) > 0, len(sites) > 0, "12d", "Clusters", "sites", "Sites left out in turn; random-effects pooling")
	when(len(r.Rows) > 0, "12e", "Performance measures and plots", Automatic, "validation", "Discrimination, calibration and net benefit, each with its interval method", "The run recorded no performance")
	if len(r.Choices) > 0 {
		add("12f", "Updating", Automatic, "equation", "Recalibration chosen and judged inside the folds")
	} else {
		add("12f", "Updating", NotApplicable, "", "No model was updated in this run")
	}
	when(proto, "12g", "How predictions were computed", Automatic, "provenance", "Every number is derived from held-out predictions of this run", "The protocol is not in this report")
	add("13", "Class imbalance", Automatic, "protocol", "No resampling or class weights by default; see the protocol")
	when(len(subgroups(r)) > 0, "14", "Fairness approach", Prefilled, "subgroups", "Performance by "+strings.Join(subgroups(r), ", "), "No subgroup was declared")
	add("15", "Output and thresholds", Automatic, "decision", "A probability; decision threshold "+figure.Threshold(r.Decision)+" from the protocol")
	if evaluated {
		add("16", "Differences between training and evaluation", Automatic, "patients", "Table 1 with standardised differences; performance by validation")
	} else {
		add("16", "Differences between training and evaluation", NotApplicable, "", "No evaluation outside the development data")
	}
	add("17", "Ethics", Human, "", "An author gives the approval")
	for _, x := range [][2]string{{"18a", "Funding"}, {"18b", "Conflicts of interest"}, {"18c", "Protocol access"}, {"18d", "Registration"}, {"18e", "Data sharing"}} {
		add(x[0], x[1], Human, "", "An author writes this")
	}
	add("18f", "Code sharing", Automatic, "provenance", "dolor is open source (Apache-2.0); protocol and version in this report")
	add("19", "Patient and public involvement", Human, "", "An author writes this")
	when(len(r.Flow) > 0, "20a", "Flow, events, follow-up", Automatic, "flow", n, "The run recorded no participant flow")
	when(len(r.Table1) > 0, "20b", "Characteristics and missingness by group", Automatic, "patients", fmt.Sprintf("Table 1 by %s", table1By(r)), "The run recorded no Table 1")
	if evaluated {
		when(len(r.Table1) > 1, "20c", "Development against evaluation distributions", Automatic, "patients", "Table 1 by site with standardised differences", "The run recorded no table by site or period")
	} else {
		add("20c", "Development against evaluation distributions", NotApplicable, "", "No evaluation outside the development data")
	}
	when(len(r.Rows) > 0, "21", "Patients and events in each analysis", Automatic, "validation", "n and events beside every estimate", "The run recorded no performance")
	when(len(r.Equations) > 0, "22", "Full model specification", Automatic, "equation", fmt.Sprintf("%d models written out with intervals", len(r.Equations)), "No model of this run can be written as an equation; share the model file")
	when(len(r.Rows) > 0, "23a", "Performance with intervals, by subgroup", Automatic, "validation", fmt.Sprintf("%d estimates", len(r.Rows)), "The run recorded no performance")
	whenSites(add, len(r.Sites) > 0, len(sites) > 0, "23b", "Heterogeneity between clusters", "sites", "Forest plots with prediction interval")
	if len(r.Choices) > 0 {
		add("24", "Results of updating", Automatic, "equation", "How often each calibration was chosen")
	} else {
		add("24", "Results of updating", NotApplicable, "", "No model was updated in this run")
	}
	add("25", "Interpretation, fairness included", Human, "", "An author writes this")
	add("26", "Limitations", Prefilled, "warnings", fmt.Sprintf("%d warnings of this run; an author completes them", len(r.Warnings)))
	add("27a", "Poor or absent inputs at use", Prefilled, "card", "Missing inputs are imputed by the steps of the model; an author adds refusal rules")
	add("27b", "User interaction and expertise", Prefilled, "card", "Intended-use lines of the model card")
	add("27c", "Next steps", Human, "", "An author writes this")
	return t
}

func whenSites(add func(item, name, status, where, evidence string), pooled, sites bool, item, name, where, evidence string) {
	switch {
	case pooled:
		add(item, name, Automatic, where, evidence)
	case sites:
		add(item, name, Human, "", "There are sites, but none was left out in turn")
	default:
		add(item, name, NotApplicable, "", "One site, or no site column")
	}
}

func orUnnamed(s string) string {
	if s == "" {
		return "not named"
	}
	return s
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func familyNames(r *assess.Results) []string {
	var out []string
	for _, f := range r.Families {
		out = append(out, figure.FamilyName(f))
	}
	return out
}

func has(r *assess.Results, validation string) bool {
	for _, w := range r.Rows {
		if w.Validation == validation {
			return true
		}
	}
	return false
}

func unique(out []string, s string) []string {
	if slices.Contains(out, s) {
		return out
	}
	return append(out, s)
}

func siteNames(r *assess.Results) []string {
	var out []string
	if len(r.Missingness.Sites) > 1 {
		return r.Missingness.Sites
	}
	for _, w := range r.Rows {
		if w.Site != "" {
			out = unique(out, w.Site)
		}
	}
	return out
}

func subgroups(r *assess.Results) []string {
	var out []string
	for _, w := range r.Rows {
		if w.Subgroup != "" {
			out = unique(out, w.Subgroup)
		}
	}
	return out
}

func predictors(r *assess.Results) int {
	var names []string
	for _, t := range r.Table1 {
		for _, w := range t.Rows {
			names = unique(names, w.Variable)
		}
	}
	return len(names)
}

func table1By(r *assess.Results) string {
	var by []string
	for _, t := range r.Table1 {
		by = append(by, t.By)
	}
	return strings.Join(by, " and ")
}
