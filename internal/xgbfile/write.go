package xgbfile

import (
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"dolor/diag"
	"dolor/internal/tree"
)

// written is the version that files claim: XGBoost 1.7 takes it as its own, and later ones read it as
// an older file, with base_score a single probability and the rounds from num_parallel_tree.
var written = [3]int64{1, 7, 6}

// sink receives a document in order. Objects and arrays are closed by the caller.
type sink interface {
	open()            // an object
	key(name string)  // the next member's name
	close()           // the object
	list(n int)       // an array of n values of their own types
	item()            // before each value of a list
	closeList()       // the array
	str(s string)     //
	whole(v int64)    //
	single(v float32) // a float of its own
	singles(n int, at func(int) float32)
	wholes(n int, size byte, at func(int) int64) // size is the UBJSON type: 'l', 'L' or 'U'
	bytes() []byte
}

// Write returns f as a model file that XGBoost 1.7 and 3.2 load, with the same margins. The
// same file gives the same bytes. Errors are of kind Unsupported for what the format cannot
// hold: rounds of differing size, NaN or infinite numbers, a base that is not that of BaseScore.
//
// Levels are written to JSON only: XGBoost 1.7 refuses a UBJSON file with XGBoost 3's container of
// names, though it skips it in JSON; nor when one is unknown. Without them XGBoost matches categories by code.
func Write(f *File, format Format) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	var s sink = &jsonSink{}
	if format == UBJSON {
		s = &ubjSink{}
	}
	s.open()
	s.key("learner")
	s.open()
	s.key("attributes")
	s.open()
	for _, k := range slices.Sorted(maps.Keys(f.Attributes)) {
		s.key(k)
		s.str(f.Attributes[k])
	}
	s.close()
	n := len(f.Ensemble.Features)
	names, types := n, len(f.Types)
	if !f.Named {
		names = 0
	}
	s.key("feature_names")
	texts(s, names, func(j int) string { return f.Ensemble.Features[j].Name })
	if types == 0 && slices.ContainsFunc(f.Ensemble.Features, func(c tree.Feature) bool { return c.Levels > 0 }) {
		types = n // XGBoost must be told which features are categories
	}
	s.key("feature_types")
	texts(s, types, f.typeOf)
	s.key("gradient_booster")
	s.open()
	if f.Booster == Dart {
		s.key("gbtree")
		s.open()
		f.model(s, format)
		s.close()
		s.key("name")
		s.str(Dart)
		s.key("weight_drop")
		s.list(len(f.Ensemble.Trees))
		for _, w := range f.Ensemble.Scale {
			s.item()
			s.single(w)
		}
		s.closeList()
	} else {
		f.model(s, format)
	}
	s.close()
	s.key("learner_model_param")
	params(s, "base_score", exponent(f.BaseScore), "boost_from_average", "1", "num_class", "0",
		"num_feature", strconv.Itoa(n), "num_target", "1")
	s.key("objective")
	s.open()
	s.key("name")
	s.str(f.Objective)
	s.key("reg_loss_param")
	weight := f.ScalePosWeight
	if weight == 0 {
		weight = 1
	}
	params(s, "scale_pos_weight", strconv.FormatFloat(float64(weight), 'g', -1, 32))
	s.close()
	s.close()
	s.key("version")
	s.list(len(written))
	for _, v := range written {
		s.item()
		s.whole(v)
	}
	s.closeList()
	s.close()
	return s.bytes(), nil
}

// typeOf is the feature_types entry of feature j.
func (f *File) typeOf(j int) string {
	switch {
	case f.Types != nil:
		return f.Types[j]
	case f.Ensemble.Features[j].Levels > 0:
		return "c"
	}
	return "float"
}

func texts(s sink, n int, at func(int) string) {
	s.list(n)
	for j := range n {
		s.item()
		s.str(at(j))
	}
	s.closeList()
}

// params writes an object of texts.
func params(s sink, pairs ...string) {
	s.open()
	for k := 0; k < len(pairs); k += 2 {
		s.key(pairs[k])
		s.str(pairs[k+1])
	}
	s.close()
}

// exponent prints x as XGBoost does, with the fewest digits that read back equal: 3.6E-1.
func exponent(x float32) string { return string(appendExponent(nil, x)) }

func appendExponent(b []byte, x float32) []byte {
	b = strconv.AppendFloat(b, float64(x), 'E', -1, 32)
	// Go writes a sign and at least two digits of exponent.
	e := len(b) - 1
	for b[e] != 'E' {
		e--
	}
	digits := b[e+2:]
	if digits[0] == '0' {
		digits = digits[1:]
	}
	if b[e+1] == '-' {
		return append(b[:e+2], digits...)
	}
	return append(b[:e+1], digits...)
}

// model writes a gbtree's model and name.
func (f *File) model(s sink, format Format) {
	trees := f.Ensemble.Trees
	s.key("model")
	s.open()
	if f.allLevels() && format == JSON {
		f.writeLevels(s)
	}
	parallel := 1
	if len(f.Rounds) > 1 {
		parallel = f.Rounds[1]
	}
	s.key("gbtree_model_param")
	params(s, "num_parallel_tree", strconv.Itoa(parallel), "num_trees", strconv.Itoa(len(trees)), "size_leaf_vector", "0")
	s.key("tree_info")
	s.list(len(trees))
	for range trees {
		s.item()
		s.whole(0)
	}
	s.closeList()
	s.key("trees")
	s.list(len(trees))
	for t := range trees {
		s.item()
		writeTree(s, &trees[t], t, len(f.Ensemble.Features))
	}
	s.closeList()
	s.close()
	s.key("name")
	s.str(GBTree)
}

func writeTree(s sink, t *tree.Tree, id, features int) {
	n := len(t.Nodes)
	singles := func(key string, at func(*tree.Node) float32) {
		s.key(key)
		s.singles(n, func(k int) float32 { return at(&t.Nodes[k]) })
	}
	wholes := func(key string, size byte, at func(*tree.Node) int32) {
		s.key(key)
		s.wholes(n, size, func(k int) int64 { return int64(at(&t.Nodes[k])) })
	}
	is := func(b bool) int32 {
		if b {
			return 1
		}
		return 0
	}
	var nodes, codes, starts, sizes []int64
	for k := range t.Nodes {
		if set := t.Nodes[k].Set; set > 0 {
			nodes, starts = append(nodes, int64(k)), append(starts, int64(len(codes)))
			for w, word := range t.Sets[set-1] {
				for ; word != 0; word &= word - 1 {
					codes = append(codes, int64(64*w+bits.TrailingZeros64(word)))
				}
			}
			sizes = append(sizes, int64(len(codes))-starts[len(starts)-1])
		}
	}
	list := func(key string, size byte, v []int64) {
		s.key(key)
		s.wholes(len(v), size, func(k int) int64 { return v[k] })
	}
	s.open()
	singles("base_weights", func(n *tree.Node) float32 { return n.Weight })
	list("categories", 'l', codes)
	list("categories_nodes", 'l', nodes)
	list("categories_segments", 'L', starts)
	list("categories_sizes", 'L', sizes)
	wholes("default_left", 'U', func(n *tree.Node) int32 { return is(n.DefaultLeft) })
	s.key("id")
	s.whole(int64(id))
	wholes("left_children", 'l', func(n *tree.Node) int32 { return n.Left })
	singles("loss_changes", func(n *tree.Node) float32 { return n.Gain })
	wholes("parents", 'l', func(n *tree.Node) int32 {
		if n.Parent < 0 {
			return noParent
		}
		return n.Parent
	})
	wholes("right_children", 'l', func(n *tree.Node) int32 { return n.Right })
	singles("split_conditions", func(n *tree.Node) float32 {
		switch {
		case n.IsLeaf():
			return n.Value
		case n.Set > 0:
			return 0 // XGBoost 1.7 writes NaN here, which JSON does not have, and 3.2 a denormal
		}
		return n.Threshold
	})
	wholes("split_indices", 'l', func(n *tree.Node) int32 { return n.Feature })
	wholes("split_type", 'U', func(n *tree.Node) int32 { return is(n.Set > 0) })
	singles("sum_hessian", func(n *tree.Node) float32 { return n.Cover })
	s.key("tree_param")
	params(s, "num_deleted", "0", "num_feature", strconv.Itoa(features), "num_nodes", strconv.Itoa(n), "size_leaf_vector", "0")
	s.close()
}

// int64Type is XGBoost's number of the type int64 in the container of categories.
const int64Type = 15

// integers returns the levels of feature j as integers, when the file that was read held them so.
func (f *File) integers(j int) ([]int64, bool) {
	if f.whole == nil || !f.whole[j] {
		return nil, false
	}
	out := make([]int64, len(f.Levels[j]))
	for k, name := range f.Levels[j] {
		v, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			return nil, false
		}
		out[k] = v
	}
	return out, true
}

// allLevels reports whether the names of every category are known: XGBoost takes all or none.
func (f *File) allLevels() bool {
	for j, c := range f.Ensemble.Features {
		if c.Levels > 0 && (f.Levels == nil || len(f.Levels[j]) < c.Levels) {
			return false
		}
	}
	return f.Levels != nil
}

// writeLevels writes the names of categories as XGBoost 3.1 does (see cats.go), with the
// permutation that sorts each feature's names.
func (f *File) writeLevels(s sink) {
	s.key("cats")
	s.open()
	s.key("enc")
	s.list(len(f.Ensemble.Features))
	starts, sorted := []int64{0}, []int64(nil)
	for j := range f.Ensemble.Features {
		names := f.Levels[j]
		var offsets []int64
		var text []byte
		order := make([]int64, len(names))
		for k, name := range names {
			if k == 0 {
				offsets = append(offsets, 0)
			}
			text = append(text, name...)
			offsets = append(offsets, int64(len(text)))
			order[k] = int64(k)
		}
		slices.SortFunc(order, func(a, b int64) int {
			if names[a] < names[b] {
				return -1
			}
			return 1
		})
		sorted = append(sorted, order...)
		starts = append(starts, int64(len(sorted)))
		s.item()
		s.open()
		if values, ok := f.integers(j); ok {
			s.key("type")
			s.whole(int64Type)
			s.key("values")
			s.wholes(len(values), 'L', func(k int) int64 { return values[k] })
			s.close()
			continue
		}
		s.key("offsets")
		s.wholes(len(offsets), 'l', func(k int) int64 { return offsets[k] })
		s.key("values")
		s.wholes(len(text), 'i', func(k int) int64 { return int64(int8(text[k])) })
		s.close()
	}
	s.closeList()
	s.key("feature_segments")
	s.wholes(len(starts), 'l', func(k int) int64 { return starts[k] })
	s.key("sorted_idx")
	s.wholes(len(sorted), 'l', func(k int) int64 { return sorted[k] })
	s.close()
}

// check refuses what Write cannot hold.
func (f *File) check() error {
	e := &f.Ensemble
	bad := func(field, format string, args ...any) error {
		return diag.Errorf(diag.Unsupported, field, format, args...)
	}
	base, fault := baseMargin(f.Objective, f.BaseScore)
	switch {
	case f.Booster != GBTree && f.Booster != Dart:
		return bad("booster", "expected gbtree or dart, got %s", describe(f.Booster))
	case f.Objective != Logistic && f.Objective != SquaredError:
		return bad("objective", "expected %s or %s, got %s", Logistic, SquaredError, describe(f.Objective))
	case fault != nil:
		fault.Field = "base_score"
		return fault
	case math.Float32bits(base+0) != math.Float32bits(e.Base+0):
		return bad("base_score", "expected the base of the sums to be that of base_score, got another")
	case f.Booster == GBTree && e.Scale != nil, f.Booster == Dart && len(e.Scale) != len(e.Trees):
		return bad("weight_drop", "expected a weight for each tree of dart and none for gbtree")
	case f.Types != nil && len(f.Types) != len(e.Features):
		return bad("feature_types", "expected %d, one a feature, got %d", len(e.Features), len(f.Types))
	case f.Levels != nil && len(f.Levels) != len(e.Features):
		return bad("levels", "expected %d lists, one a feature, got %d", len(e.Features), len(f.Levels))
	}
	for i, at := range f.Rounds {
		if at != i*f.Rounds[min(1, len(f.Rounds)-1)] || i == len(f.Rounds)-1 && at != len(e.Trees) {
			return bad("rounds", "expected %d trees in rounds of one size, got another division", len(e.Trees))
		}
	}
	for t := range e.Trees {
		for k := range e.Trees[t].Nodes {
			n := &e.Trees[t].Nodes[k]
			if !finite(n.Value) || !finite(n.Threshold) || !finite(n.Weight) || !finite(n.Gain) || !finite(n.Cover) {
				return bad("trees["+strconv.Itoa(t)+"]", "expected finite numbers, got others in node %d", k)
			}
		}
	}
	for t, w := range e.Scale {
		if !finite(w) {
			return bad("weight_drop["+strconv.Itoa(t)+"]", "expected a finite number")
		}
	}
	return nil
}
