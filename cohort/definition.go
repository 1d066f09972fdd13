// Package cohort says who is in, when time zero is, what happened next, who was left out and
// why.
//
// A [Definition] is data (refractory-cancer-pain 1.0.0 is embedded); [Build] applies it to the
// histories of a source and returns the patients with their time zero, past and outcome, and
// the attrition. [Definition.Label] is the outcome rule alone, on a [Course] of pain, dose,
// adjuvants and toxicity by day.
package cohort

import (
	"slices"
	"strconv"

	"dolor/clinical"
	"dolor/diag"
)

// Definition is a computable phenotype with its cohort. Its JSON is the file form; numbers are
// days unless stated.
type Definition struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Status  string `json:"status"`

	Cohort struct {
		MinAge             int    `json:"min_age"` // years
		OpioidDaysMin      int    `json:"opioid_days_min"`
		OpioidLookbackDays int    `json:"opioid_lookback_days"`
		PainScoreLookback  int    `json:"pain_score_lookback_days"`
		HistoryDaysMin     int    `json:"history_days_min"`
		HistoryFrom        string `json:"history_from"` // first_opioid_record
		Index              string `json:"index"`        // first_eligible, clinic_visit, opioid_start, fixed_date
		Timestamp          string `json:"timestamp"`    // qualifying_event
		FixedDate          string `json:"fixed_date,omitempty"`
		RequireCancer      *bool  `json:"require_cancer,omitempty"` // nil means true
	} `json:"cohort"`

	WashoutDays    int `json:"washout_days"`
	HorizonDays    int `json:"horizon_days"`
	OutcomeFromDay int `json:"outcome_from_day"`

	Pain struct {
		Min             float64 `json:"min"` // NRS 0 to 10
		DurationDays    int     `json:"duration_days"`
		MinScoredDays   int     `json:"min_scored_days"`
		MaxGapDays      int     `json:"max_gap_days"`
		FracDays        float64 `json:"frac_days"`
		EndsMustQualify bool    `json:"ends_must_qualify"`
		Daily           string  `json:"daily"`      // mean_now_average
		WorstAs         string  `json:"worst_as"`   // use, ignore, separate
		VerbalMap       string  `json:"verbal_map"` // none, or mild=2,moderate=5,severe=8
	} `json:"pain"`

	Opioid struct {
		OMEMin          float64  `json:"ome_min"` // mg/day
		FracDays        float64  `json:"frac_days"`
		FactorSet       string   `json:"factor_set"`
		ExtraFactors    []string `json:"extra_factors"`
		Crossover       string   `json:"crossover"`
		UnknownDaysFrac float64  `json:"unknown_days_max_frac"`
	} `json:"opioid"`

	Optimisation struct {
		AdjuvantMinDays  int  `json:"adjuvant_min_days"`
		AdjuvantLookback int  `json:"adjuvant_lookback_days"`
		NSAIDCounts      bool `json:"nsaid_counts"`
		NonDrugCounts    bool `json:"nondrug_counts"`
		RotationCounts   bool `json:"rotation_counts"`
	} `json:"optimisation"`

	DLT struct {
		GradeMin        int      `json:"grade_min"` // CTCAE
		ResponseWithin  int      `json:"response_within_days"`
		LookbackDays    int      `json:"lookback_before_window_days"`
		CodeAloneCounts bool     `json:"code_alone_counts"`
		Waives          []string `json:"waives"` // dose, optimisation
	} `json:"dlt"`

	FollowUp struct {
		BlockDays      int `json:"observability_blocks_days"`
		ScoredPerBlock int `json:"min_scored_days_per_block"`
		LostAfterDays  int `json:"lost_after_days"`
	} `json:"followup"`

	Labels   map[string]string `json:"labels"`
	Training struct {
		Code2      string  `json:"code2"`   // non_event, exclude, event
		Code89     string  `json:"code8_9"` // ipcw, drop
		Truncation float64 `json:"weight_truncation_quantile"`
	} `json:"training"`
	Sensitivity struct {
		OMEMin       []float64 `json:"ome_min"`
		DurationDays []int     `json:"duration_days"`
		PainMin      []float64 `json:"pain_min"`
	} `json:"sensitivity"`
}

// Default returns refractory-cancer-pain 1.0.0.
func Default() *Definition {
	b, _ := clinical.Table("refractory-default.json")
	d, err := Parse(b)
	if err != nil {
		panic("cohort: embedded definition: " + err.Error()) // cannot happen: tested
	}
	return d
}

// Parse reads a definition; unknown keys and numbers without meaning are errors of kind Invalid.
func Parse(b []byte) (*Definition, error) {
	d := new(Definition)
	if err := diag.DecodeJSON(b, d); err != nil {
		return nil, err
	}
	return d, d.Validate()
}

// Validate reports every number or word that has no meaning, kind Invalid.
func (d *Definition) Validate() error {
	var faults diag.List
	atLeast := func(field string, v, low int) {
		if v < low {
			faults.Addf(diag.Invalid, field, "expected at least %d, got %d", low, v)
		}
	}
	share := func(field string, v float64) {
		if !(v >= 0 && v <= 1) {
			faults.Addf(diag.Invalid, field, "expected a share from 0 to 1, got %g", v)
		}
	}
	word := func(field, v string, allowed ...string) {
		if !slices.Contains(allowed, v) {
			faults.Addf(diag.Invalid, field, "expected one of %v, got %s", allowed, diag.Describe(v))
		}
	}
	atLeast("cohort.min_age", d.Cohort.MinAge, 0)
	atLeast("cohort.opioid_days_min", d.Cohort.OpioidDaysMin, 0)
	atLeast("cohort.opioid_lookback_days", d.Cohort.OpioidLookbackDays, 1)
	word("cohort.index", d.Cohort.Index, "first_eligible", "clinic_visit", "opioid_start", "fixed_date")
	atLeast("washout_days", d.WashoutDays, 0)
	atLeast("horizon_days", d.HorizonDays, 1)
	atLeast("outcome_from_day", d.OutcomeFromDay, 1)
	if !(d.Pain.Min >= 0 && d.Pain.Min <= 10) {
		faults.Addf(diag.Invalid, "pain.min", "expected a number from 0 to 10, got %g", d.Pain.Min)
	}
	atLeast("pain.duration_days", d.Pain.DurationDays, 2)
	atLeast("pain.min_scored_days", d.Pain.MinScoredDays, 2)
	atLeast("pain.max_gap_days", d.Pain.MaxGapDays, 1)
	share("pain.frac_days", d.Pain.FracDays)
	word("pain.worst_as", d.Pain.WorstAs, "use", "ignore", "separate")
	if !(d.Opioid.OMEMin >= 0) {
		faults.Addf(diag.Invalid, "opioid.ome_min", "expected at least 0, got %g", d.Opioid.OMEMin)
	}
	share("opioid.frac_days", d.Opioid.FracDays)
	share("opioid.unknown_days_max_frac", d.Opioid.UnknownDaysFrac)
	word("opioid.crossover", d.Opioid.Crossover, "max", "sum")
	atLeast("optimisation.adjuvant_min_days", d.Optimisation.AdjuvantMinDays, 0)
	atLeast("optimisation.adjuvant_lookback_days", d.Optimisation.AdjuvantLookback, 1)
	atLeast("followup.observability_blocks_days", d.FollowUp.BlockDays, 1)
	atLeast("followup.lost_after_days", d.FollowUp.LostAfterDays, 1)
	word("training.code2", d.Training.Code2, "non_event", "exclude", "event")
	word("training.code8_9", d.Training.Code89, "ipcw", "drop")
	return faults.Err()
}

// label returns the definition's word for a code.
func (d *Definition) label(c Code) string {
	if s, ok := d.Labels[strconv.Itoa(int(c))]; ok {
		return s
	}
	return strconv.Itoa(int(c))
}

func num(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
