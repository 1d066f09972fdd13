// Package forest is the family of random forests: the mean of many classification trees, each
// grown on a random sample of the patients with a random choice of predictors at every split.
//
// Fill a [Params], take its Learner, Fit: the [Model] predicts, attributes on the probability
// scale, tells how well it did on the rows left out of each tree, and is saved. Predictors are numbers and categories as
// they come: missing values and categories need no preparation. Fitting is deterministic: the
// same rows, hyperparameters and stream give the same bytes for any number of workers.
package forest

import (
	"dolor/diag"
	"dolor/frame"
	"dolor/model"
)

// Measures of a node's impurity.
const (
	Gini    = "gini"     // 2 p (1 - p)
	LogLoss = "log_loss" // entropy
)

// Ways to split a node.
const (
	Best   = "best"   // the best threshold of each column drawn
	Random = "random" // one random threshold of each column drawn: extremely randomised trees
)

// Class weights.
const (
	NoClassWeight = "none"
	Balanced      = "balanced" // both classes get the same total weight
)

// Params are the hyperparameters, named as in scikit-learn.
type Params struct {
	NEstimators       int         `json:"n_estimators"`             // trees
	Criterion         string      `json:"criterion"`                // "gini" or "log_loss"
	Splitter          string      `json:"splitter"`                 // "best" or "random"
	MaxDepth          int         `json:"max_depth"`                // splits on a path; 0: no limit
	MaxLeafNodes      int         `json:"max_leaf_nodes"`           // leaves of a tree, largest gain first; 0: no limit
	MinSamplesSplit   int         `json:"min_samples_split"`        // fewest rows in a node that is split
	MinSamplesLeaf    int         `json:"min_samples_leaf"`         // fewest rows in a leaf
	MinWeightFraction float64     `json:"min_weight_fraction_leaf"` // least weight in a leaf, as a fraction of the tree's
	MaxFeatures       MaxFeatures `json:"max_features"`             // columns drawn for a split: "sqrt", "log2", "all", a fraction below 1 or a number
	Bootstrap         bool        `json:"bootstrap"`                // draw patients with replacement
	MaxSamples        *float64    `json:"max_samples"`              // patients drawn for a tree, as a fraction; null: as many as there are. Without bootstrap they are drawn without replacement
	MaxCatToOneHot    int         `json:"max_cat_to_onehot"`        // categories present in a node up to which one is split off; above, categories are sorted by event rate
	ClassWeight       string      `json:"class_weight"`             // "none", or "balanced", which distorts probabilities
}

// Default returns 500 trees with leaves of at least 10 patients.
//
// 500 trees: the error falls with every tree and levels off after some hundreds, so the
// number is set by patience, not tuned (Probst and Boulesteix 2018, J Mach Learn Res 18(181)).
// Leaves of 10: fully grown trees rank well but give overconfident probabilities; larger nodes
// make consistent and better calibrated ones (Malley and others 2012,
// doi:10.3414/ME00-01-0052; Barreñada and others 2024, doi:10.1186/s41512-024-00177-1; 10 is
// also the node size of ranger for probabilities, Wright and Ziegler 2017,
// doi:10.18637/jss.v077.i01). The square root of the columns and the bootstrap are Breiman's.
// No class weights: they shift every probability (van den Goorbergh and others 2022,
// doi:10.1093/jamia/ocac093).
func Default() Params {
	return Params{
		NEstimators: 500, Criterion: Gini, Splitter: Best, MinSamplesSplit: 2, MinSamplesLeaf: 10,
		MaxFeatures: MaxFeatures{Rule: "sqrt"}, Bootstrap: true, MaxCatToOneHot: 4, ClassWeight: NoClassWeight,
	}
}

var _ model.Params = (*Params)(nil)

// Limits that keep a forest within memory.
const (
	mostTrees = 100_000
	mostLevel = 1 << 30
)

// Validate reports every fault, kind Invalid.
func (p Params) Validate() error {
	var faults diag.List
	whole := func(field string, v, least, most int) {
		if v < least || v > most {
			faults.Addf(diag.Invalid, field, "must be from %d to %d, got %d", least, most, v)
		}
	}
	choice := func(field, v, a, b string) {
		if v != a && v != b {
			faults.Addf(diag.Invalid, field, "expected %s or %s, got %q", a, b, v)
		}
	}
	whole("n_estimators", p.NEstimators, 1, mostTrees)
	choice("criterion", p.Criterion, Gini, LogLoss)
	choice("splitter", p.Splitter, Best, Random)
	whole("max_depth", p.MaxDepth, 0, mostLevel)
	whole("max_leaf_nodes", p.MaxLeafNodes, 0, mostLevel)
	if p.MaxLeafNodes == 1 {
		faults.Addf(diag.Invalid, "max_leaf_nodes", "must be 0 (no limit) or at least 2, got 1")
	}
	whole("min_samples_split", p.MinSamplesSplit, 2, mostLevel)
	whole("min_samples_leaf", p.MinSamplesLeaf, 1, mostLevel)
	if !(p.MinWeightFraction >= 0 && p.MinWeightFraction <= 0.5) {
		faults.Addf(diag.Invalid, "min_weight_fraction_leaf", "must be in [0, 0.5], got %g", p.MinWeightFraction)
	}
	if err := p.MaxFeatures.validate(); err != nil {
		faults.Add(err)
	}
	if p.MaxSamples != nil && !(*p.MaxSamples > 0 && *p.MaxSamples <= 1) {
		faults.Addf(diag.Invalid, "max_samples", "must be in (0, 1] or null, got %g", *p.MaxSamples)
	}
	whole("max_cat_to_onehot", p.MaxCatToOneHot, 1, mostLevel)
	choice("class_weight", p.ClassWeight, NoClassWeight, Balanced)
	return faults.Err()
}

// Learner returns the learner of p.
func (p Params) Learner() model.Learner { return &learner{p} }

// Family describes random forests.
func Family() model.Family {
	return model.Family{
		Name:  "forest",
		Title: "Random forest",
		Needs: []frame.Kind{frame.Number, frame.Category},
		Default: func() model.Params {
			p := Default()
			return &p
		},
		Space: space,
		Grid:  grid,
		Load:  func(b []byte) (model.Model, error) { return Load(b) },
		Cite: []string{
			"10.1023/A:1010933404324 Breiman, Random forests, Mach Learn 2001;45:5",
			"10.1007/s10994-006-6226-1 Geurts, Ernst and Wehenkel, Extremely randomized trees, Mach Learn 2006;63:3",
			"10.3414/ME00-01-0052 Malley et al., Probability machines, Methods Inf Med 2012;51:74",
			"10.1201/9781315139470 Breiman, Friedman, Olshen and Stone, Classification and regression trees, 1984",
		},
	}
}
