package preprocess

// Steps lists every step, in the order a reader would meet them. Each passes the leak
// battery of preprocesstest.
var Steps = []Kind{
	{"drop_missing", func() Step { return DefaultDropMissing() }, load[dropped]},
	{"impute", func() Step { return DefaultImpute() }, load[imputed]},
	{"impute_knn", func() Step { return DefaultImputeKNN() }, load[knnImputed]},
	{"impute_chained", func() Step { return DefaultImputeChained() }, load[chained]},
	{"winsorise", func() Step { return DefaultWinsorise() }, load[limited]},
	{"standardise", func() Step { return &Standardise{} }, load[scaled]},
	{"robust", func() Step { return &Robust{} }, load[scaled]},
	{"min_max", func() Step { return &MinMax{} }, load[scaled]},
	{"yeo_johnson", func() Step { return DefaultYeoJohnson() }, load[powered]},
	{"rcs", func() Step { return DefaultRCS() }, load[splined]},
	{"rare_levels", func() Step { return DefaultRareLevels() }, load[merged]},
	{"one_hot", func() Step { return DefaultOneHot() }, load[oneHot]},
	{"ordinal", func() Step { return &Ordinal{} }, load[ordinal]},
	{"variance", func() Step { return DefaultVariance() }, load[dropped]},
	{"correlation", func() Step { return DefaultCorrelation() }, load[dropped]},
}

// DefaultDense is the chain for a family that reads a dense matrix of numbers: columns
// wholly missing left out, gaps filled by median and mode with indicators where at least 5 % are missing, numbers
// standardised (not the indicators), levels with fewer than 10 rows merged, categories as
// 0/1 columns with the first level as reference, constant columns left out.
func DefaultDense() Chain {
	return Chain{
		{"drop_missing", DefaultDropMissing()},
		{"impute", denseImpute()},
		{"standardise", &Standardise{}},
		{"rare_levels", DefaultRareLevels()},
		{"one_hot", DefaultOneHot()},
		{"variance", DefaultVariance()},
	}
}

// denseImpute adds an indicator only to columns with 5 % of gaps or more: one for a handful
// of patients separates them by chance and blows its coefficient up.
func denseImpute() *Impute {
	s := DefaultImpute()
	s.Least = 0.05
	return s
}
