// Package sim makes simulated patients whose true risk is known. Nothing in it is evidence
// about patients.
//
// The outcome Y is drawn first, then features from known densities given Y, so that the exact
// posterior is a sum of log-likelihood ratios for any subset of modalities and any pattern of
// missing data ([Patient.Posterior]), and the Bayes AUC is known. Records, notes and genotypes
// are emitted from the features only, never from Y.
package sim

import (
	_ "embed" // parameters
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"dolor/diag"
)

//go:embed parameters.json
var parametersJSON []byte

// Domain is one of the five domains of the simulator, in the order of a subset's bits.
type Domain int

// The domains.
const (
	Clinical Domain = iota
	Imaging
	Genomic
	Opioid
	PRO
	Domains
)

var domainNames = [Domains]string{"clinical", "imaging", "genomic", "opioid", "pro"}

// String returns the modality tag of the domain.
func (d Domain) String() string { return domainNames[d] }

// Subset is a set of domains: bit d is domain d.
type Subset uint8

// All holds every domain.
const All Subset = 1<<Domains - 1

// Has reports whether s holds d.
func (s Subset) Has(d Domain) bool { return s>>d&1 != 0 }

// String joins the names by +; the empty subset is "none".
func (s Subset) String() string {
	out := ""
	for d := range Domains {
		if s.Has(d) {
			if out != "" {
				out += "+"
			}
			out += d.String()
		}
	}
	if out == "" {
		return "none"
	}
	return out
}

// groupNames is the order of the groups.
var groupNames = []string{"gastrointestinal", "breast", "lung", "head_neck", "genitourinary"}

// parameters mirrors the file.
type parameters struct {
	Version    string            `json:"version"`
	N          int               `json:"n"`
	Prevalence float64           `json:"prevalence"`
	Groups     map[string][2]int `json:"groups"`
	GroupCols  string            `json:"groups_columns"`
	Available  struct {
		Imaging float64 `json:"imaging"`
		Genomic float64 `json:"genomic"`
		PRO     float64 `json:"pro"`
	} `json:"availability"`
	Y0 struct {
		DN4, NRS     scale
		ECOG         []float64  `json:"ecog_cuts"`
		Stage        []float64  `json:"stage_cuts"`
		Mets         []float64  `json:"mets_cuts"`
		Lesions      []float64  `json:"lesion_count_cuts"`
		OPRM1        float64    `json:"oprm1_g"`
		COMT         float64    `json:"comt_a"`
		CYP          [4]float64 `json:"cyp_PM_IM_NM_UM"`
		CYPWeights   [4]float64 `json:"cyp_weights"`
		Rho          float64    `json:"inflammation_rho"`
		Signs        [4]float64 `json:"inflammation_signs_crp_il6_alb_nlr"`
		Rescue       negbin     `json:"rescue_n7"`
		Rotation     negbin     `json:"rotation_n28"`
		Breakthrough negbin     `json:"breakthrough_n7"`
		DLT          float64    `json:"dlt_prob"`
	} `json:"y0"`
	Interaction struct {
		Kappa float64 `json:"oprm1_x_escalation_kappa"`
	} `json:"interaction"`
	Effects map[string]map[string]map[string]float64 `json:"effects"`
	Presets map[string]struct {
		Effects    string  `json:"effects"`
		Multiplier float64 `json:"multiplier"`
	} `json:"presets"`
	Maps      map[string]string  `json:"maps"`
	SexFemale map[string]float64 `json:"sex_female"`
	Sites     struct {
		Share        []float64 `json:"share"`
		Offset       []float64 `json:"logit_prevalence_offset"`
		CTGain       []float64 `json:"ct_gain"`
		CTOffset     []float64 `json:"ct_offset_hu"`
		CTNoise      []float64 `json:"ct_noise_hu"`
		CRPFactor    []float64 `json:"crp_factor"`
		ScoresWeek   []float64 `json:"scores_per_week"`
		Instrument   []string  `json:"pro_instrument"`
		AvailImaging []float64 `json:"availability_imaging"`
		AvailGenomic []float64 `json:"availability_genomic"`
		AvailPRO     []float64 `json:"availability_pro"`
	} `json:"sites"`
	Shift map[string]struct {
		Attenuation  float64    `json:"attenuation"`
		Availability [3]float64 `json:"availability"`
	} `json:"shift"`
	Reference any `json:"reference_results"`
	Paper     any `json:"paper_targets"`
}

type scale struct {
	Mu, SD   float64
	Min, Max int
}

type negbin struct {
	Mean, Size float64
}

var params = sync.OnceValue(func() *parameters {
	p := new(parameters)
	if err := diag.DecodeJSON(parametersJSON, p); err != nil {
		panic("sim: embedded parameters: " + err.Error()) // cannot happen: tested
	}
	return p
})

// ParametersVersion returns the version of the embedded parameters.
func ParametersVersion() string { return params().Version }

// Presets lists the names of the presets.
func Presets() []string { return slices.Sorted(maps.Keys(params().Presets)) }

// effects are the effect sizes of one preset, multiplied.
type effects struct {
	dn4, nrs, ecog, stage, mets, age float64
	inv, het, vol, cnt               float64
	oprm1, comt, cyp                 float64
	inflammation                     [4]float64 // CRP, IL-6, albumin, NLR
	esc, rescue, ae, rot, ome        float64
	bt, sleep, anx, pf, trend        float64
	q1OPRM1, q1COMT, pDLT1, gBar     float64
	cyp1                             [4]float64
}

func expit(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
func logit(p float64) float64 { return math.Log(p / (1 - p)) }

// effectsOf returns the effects of a preset times extra (1, or the attenuation of a shift).
func effectsOf(preset string, extra float64) (*effects, error) {
	p := params()
	pr, ok := p.Presets[preset]
	if !ok {
		e := diag.Errorf(diag.Invalid, "preset", "expected one of %v, got %s", Presets(), diag.Describe(preset))
		return nil, e
	}
	m := pr.Multiplier * extra
	t := p.Effects[pr.Effects]
	get := func(domain, name string) float64 {
		v, ok := t[domain][name]
		if !ok {
			panic(fmt.Sprintf("sim: parameters lack effects.%s.%s.%s", pr.Effects, domain, name))
		}
		return m * v
	}
	e := &effects{
		dn4: get("clin", "dn4"), nrs: get("clin", "nrs"), ecog: get("clin", "ecog"), stage: get("clin", "stage"), mets: get("clin", "mets"), age: get("clin", "age"),
		inv: get("img", "inv"), het: get("img", "het"), vol: get("img", "vol"), cnt: get("img", "cnt"),
		oprm1: get("gen", "oprm1_logit"), comt: get("gen", "comt_logit"), cyp: get("gen", "cyp_log"),
		inflammation: [4]float64{get("gen", "crp"), get("gen", "il6"), get("gen", "alb"), get("gen", "nlr")},
		esc:          get("opi", "esc"), rescue: get("opi", "rescue_logmean"), ae: get("opi", "ae_logit"), rot: get("opi", "rot_logmean"), ome: get("opi", "ome"),
		bt: get("pro", "bt_logmean"), sleep: get("pro", "sleep"), anx: get("pro", "anx"), pf: get("pro", "pf"), trend: get("pro", "trend_logsd"),
	}
	e.q1OPRM1, e.q1COMT = expit(logit(p.Y0.OPRM1)+e.oprm1), expit(logit(p.Y0.COMT)+e.comt)
	e.pDLT1 = expit(logit(p.Y0.DLT) + e.ae)
	e.gBar = 2 * (p.Prevalence*e.q1OPRM1 + (1-p.Prevalence)*p.Y0.OPRM1)
	var sum float64
	for k := range e.cyp1 {
		e.cyp1[k] = p.Y0.CYP[k] * math.Exp(e.cyp*p.Y0.CYPWeights[k])
		sum += e.cyp1[k]
	}
	for k := range e.cyp1 {
		e.cyp1[k] /= sum
	}
	return e, nil
}
