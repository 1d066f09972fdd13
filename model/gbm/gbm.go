// Package gbm is the family of gradient-boosted trees with second-order steps, as XGBoost grows
// them.
//
// Fill a [Params], take its Learner, Fit. The objective is the log loss with case weights (the
// censoring weights of an outcome by a horizon arrive as such) and a given offset. Missing values
// go the way each split has learnt; categories are split natively. tree_method hist bins the
// columns and sums gradients as fixed-point integers; exact tries every split between two
// neighbouring values. Results depend on the rows, the hyperparameters and the random stream,
// never on the number of workers. A saved [Model] is an XGBoost model file (JSON) that XGBoost
// loads; what dolor adds stands in its attributes.
package gbm

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/model"
)

// Choices of the tree method and of the order of growing.
const (
	Hist      = "hist"      // splits at bin edges
	Exact     = "exact"     // splits between any two neighbouring values
	DepthWise = "depthwise" // all leaves of a level, then the next level
	LossGuide = "lossguide" // the leaf with the largest gain first
)

// Params are the hyperparameters, with XGBoost's names and meanings. A zero limit (max_depth,
// max_leaves, max_delta_step, n_estimators, early_stopping_rounds) is no limit, no trees and no
// early stopping.
type Params struct {
	LearningRate   float64 `json:"learning_rate"`    // in (0, 1]: factor of every leaf
	NEstimators    int     `json:"n_estimators"`     // trees; with early stopping the most there can be
	MaxDepth       int     `json:"max_depth"`        // splits on a path
	MaxLeaves      int     `json:"max_leaves"`       // of a tree
	MinChildWeight float64 `json:"min_child_weight"` // least sum of curvature in a child
	Gamma          float64 `json:"gamma"`            // least gain of a split
	RegLambda      float64 `json:"reg_lambda"`       // L2 penalty of leaf weights
	RegAlpha       float64 `json:"reg_alpha"`        // L1 penalty of leaf weights
	MaxDeltaStep   float64 `json:"max_delta_step"`   // largest absolute leaf weight

	Subsample       float64 `json:"subsample"`         // share of patients drawn for a tree
	ColsampleByTree float64 `json:"colsample_bytree"`  // share of columns drawn for a tree
	ColsampleLevel  float64 `json:"colsample_bylevel"` // of those, for a level
	ColsampleNode   float64 `json:"colsample_bynode"`  // of those, for a node

	TreeMethod string `json:"tree_method"` // "hist" or "exact"
	GrowPolicy string `json:"grow_policy"` // "depthwise" or "lossguide"
	MaxBin     int    `json:"max_bin"`     // bins of a column (hist), 2 to 256

	ScalePosWeight float64  `json:"scale_pos_weight"` // extra weight of rows with the outcome; probabilities are then not calibrated
	BaseScore      *float64 `json:"base_score"`       // probability before the first tree; null: the weighted prevalence

	MonotoneConstraints    map[string]int `json:"monotone_constraints"`    // by column: 1 rising, -1 falling, 0 free
	InteractionConstraints [][]string     `json:"interaction_constraints"` // sets of columns that may meet on a path; empty: any

	EarlyStoppingRounds int `json:"early_stopping_rounds"` // trees without a smaller loss before stopping; 0: grow them all

	MaxCatToOneHot  int `json:"max_cat_to_onehot"` // a column with fewer categories than this splits one off; else a sorted partition
	MaxCatThreshold int `json:"max_cat_threshold"` // most categories on the right of a sorted partition
}

// Default returns 100 trees of depth 3 at learning rate 0.1 on all rows, without early stopping:
// with the hundreds of patients of a clinical cohort, a hold-out has too few events to count
// trees by, and costs the trees a fifth of the data. The search space stops early instead.
func Default() Params {
	return Params{
		LearningRate: 0.1, NEstimators: 100, MaxDepth: 3, MinChildWeight: 1, RegLambda: 1,
		Subsample: 1, ColsampleByTree: 1, ColsampleLevel: 1, ColsampleNode: 1,
		TreeMethod: Hist, GrowPolicy: DepthWise, MaxBin: 256, ScalePosWeight: 1,
		MaxCatToOneHot: 4, MaxCatThreshold: 64,
	}
}

var (
	_ model.Params       = (*Params)(nil)
	_ model.EarlyStopper = (*Params)(nil)
)

// Bounds that no table of patients needs to exceed; they keep a hostile protocol from asking for
// memory without end.
const (
	mostTrees = 1 << 20
	mostDepth = 64
	mostCats  = 1 << 24 // float32 holds every code below
)

// Validate reports every fault, kind Invalid, or Unsupported for a combination that is not offered.
func (p Params) Validate() error {
	var faults diag.List
	bad := func(field, format string, args ...any) { faults.Addf(diag.Invalid, field, format, args...) }
	atLeast0 := func(field string, v float64) {
		if !(v >= 0) || v > math.MaxFloat32 {
			bad(field, "must be a finite number of at least 0, got %g", v)
		}
	}
	share := func(field string, v float64) {
		if !(v > 0 && v <= 1) {
			bad(field, "must be in (0, 1], got %g", v)
		}
	}
	whole := func(field string, v, lo, hi int) {
		if v < lo || v > hi {
			bad(field, "must be from %d to %d, got %d", lo, hi, v)
		}
	}
	share("learning_rate", p.LearningRate)
	whole("n_estimators", p.NEstimators, 0, mostTrees)
	whole("max_depth", p.MaxDepth, 0, mostDepth)
	whole("max_leaves", p.MaxLeaves, 0, math.MaxInt32)
	if p.MaxLeaves == 1 {
		bad("max_leaves", "must be 0 or at least 2, got 1")
	}
	atLeast0("min_child_weight", p.MinChildWeight)
	atLeast0("gamma", p.Gamma)
	atLeast0("reg_lambda", p.RegLambda)
	atLeast0("reg_alpha", p.RegAlpha)
	atLeast0("max_delta_step", p.MaxDeltaStep)
	share("subsample", p.Subsample)
	share("colsample_bytree", p.ColsampleByTree)
	share("colsample_bylevel", p.ColsampleLevel)
	share("colsample_bynode", p.ColsampleNode)
	if p.TreeMethod != Hist && p.TreeMethod != Exact {
		bad("tree_method", "expected hist or exact, got %q", p.TreeMethod)
	}
	if p.GrowPolicy != DepthWise && p.GrowPolicy != LossGuide {
		bad("grow_policy", "expected depthwise or lossguide, got %q", p.GrowPolicy)
	}
	whole("max_bin", p.MaxBin, 2, 256)
	if !(p.ScalePosWeight > 0) || p.ScalePosWeight > math.MaxFloat32 {
		bad("scale_pos_weight", "must be a finite number above 0, got %g", p.ScalePosWeight)
	}
	if p.BaseScore != nil && !(*p.BaseScore > 0 && *p.BaseScore < 1) {
		bad("base_score", "must be in (0, 1), got %g", *p.BaseScore)
	}
	for _, name := range slices.Sorted(maps.Keys(p.MonotoneConstraints)) {
		if v := p.MonotoneConstraints[name]; v < -1 || v > 1 {
			bad("monotone_constraints."+name, "expected -1, 0 or 1, got %d", v)
		}
	}
	for k, set := range p.InteractionConstraints {
		field := fmt.Sprintf("interaction_constraints[%d]", k)
		if len(set) == 0 {
			bad(field, "expected columns, got none")
		}
		for i, name := range set {
			if slices.Contains(set[:i], name) {
				bad(field, "expected distinct columns, got %s twice", name)
			}
		}
	}
	whole("early_stopping_rounds", p.EarlyStoppingRounds, 0, mostTrees)
	whole("max_cat_to_onehot", p.MaxCatToOneHot, 1, mostCats)
	whole("max_cat_threshold", p.MaxCatThreshold, 1, mostCats)
	return faults.Err()
}

// HoldOut implements [model.EarlyStopper].
func (p Params) HoldOut() float64 {
	if p.EarlyStoppingRounds > 0 {
		return holdOut
	}
	return 0
}

// Learner returns the learner of p.
func (p Params) Learner() model.Learner { return &learner{p} }

// Family describes gradient-boosted trees.
func Family() model.Family {
	return model.Family{
		Name:  "gbm",
		Title: "Gradient-boosted trees",
		Needs: []frame.Kind{frame.Number, frame.Category},
		Default: func() model.Params {
			p := Default()
			return &p
		},
		Space: space,
		Grid:  grid,
		Load:  func(b []byte) (model.Model, error) { return Load(b) },
		Cite: []string{
			"10.1145/2939672.2939785 Chen and Guestrin, XGBoost: a scalable tree boosting system, KDD 2016:785",
			"10.1214/aos/1013203451 Friedman, Greedy function approximation: a gradient boosting machine, Ann Stat 2001;29:1189",
			"10.1016/S0167-9473(01)00065-2 Friedman, Stochastic gradient boosting, Comput Stat Data Anal 2002;38:367",
			"10.1080/01621459.1958.10501479 Fisher, On grouping for maximum homogeneity, J Am Stat Assoc 1958;53:789",
		},
	}
}
