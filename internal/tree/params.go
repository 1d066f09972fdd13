package tree

// GrowParams says how a tree is grown for second-order boosting (Chen and Guestrin 2016,
// doi:10.1145/2939672.2939785). Names and meanings are XGBoost's. The zero value of a limit means no
// limit; the zero value of a fraction means 1.
type GrowParams struct {
	MaxDepth   int  // splits on a path; 0 means no limit
	MaxLeaves  int  // 0 means no limit
	LossGuided bool // split the leaf with the largest gain first, instead of level by level

	LearningRate   float64 // leaf values are the optimal weight times this
	MinChildWeight float64 // least sum of curvature in a child
	Gamma          float64 // least gain of a split
	Lambda, Alpha  float64 // L2 and L1 penalty of leaf weights
	MaxDeltaStep   float64 // largest absolute leaf weight; 0 means no limit

	// Fractions of columns drawn for a tree, then for a level of it, then for a node.
	ColsampleByTree, ColsampleByLevel, ColsampleByNode float64

	Monotone     []int8    // one a column: 1 rising, -1 falling, 0 free; nil means all free
	Interactions [][]int32 // sets of columns allowed together on a path; nil means no constraint

	MaxCatToOneHot  int // categories up to which one level is split off; 0 means 4
	MaxCatThreshold int // most categories that go right in a sorted partition; 0 means 64
}
