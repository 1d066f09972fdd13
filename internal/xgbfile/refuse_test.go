package xgbfile_test

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"dolor/diag"
	"dolor/internal/xgbfile"
)

// model is a small file of one tree with three nodes and a split on categories.
const model = `{"learner":{"attributes":{},"feature_names":["a","b"],"feature_types":["float","c"],
"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"2"},"tree_info":[0,0],"trees":[
{"base_weights":[0.0,-1.0,1.0],"categories":[1,2],"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[2],
"default_left":[1,0,0],"id":0,"left_children":[1,-1,-1],"loss_changes":[3.0,0,0],"parents":[2147483647,0,0],
"right_children":[2,-1,-1],"split_conditions":[NaN,-0.5,0.5],"split_indices":[1,0,0],"split_type":[1,0,0],
"sum_hessian":[4.0,2.0,2.0],"tree_param":{"num_deleted":"0","num_feature":"2","num_nodes":"3","size_leaf_vector":"0"}},
{"base_weights":[0.25],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],
"default_left":[0],"id":1,"left_children":[-1],"loss_changes":[0],"parents":[2147483647],"right_children":[-1],
"split_conditions":[0.125],"split_indices":[0],"split_type":[0],"sum_hessian":[1],
"tree_param":{"num_deleted":"0","num_feature":"2","num_nodes":"1","size_leaf_vector":"0"}}]},"name":"gbtree"},
"learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"2","num_target":"1"},
"objective":{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[1,7,6]}`

func TestRefuse(t *testing.T) {
	if _, err := xgbfile.Read([]byte(model)); err != nil {
		t.Fatal(err)
	}
	const trees = "learner.gradient_booster.model.trees"
	for name, c := range map[string]struct {
		old, new string
		kind     diag.Kind
		want     string
	}{
		"objective":               {`"binary:logistic"`, `"multi:softprob"`, diag.Unsupported, `learner.objective.name: expected the objective binary:logistic, got "multi:softprob"`},
		"objective of regression": {`"binary:logistic"`, `"reg:squarederror"`, diag.Unsupported, `learner.objective.name: expected the objective binary:logistic, got "reg:squarederror"`},
		"booster":                 {`"name":"gbtree"`, `"name":"gblinear"`, diag.Unsupported, `learner.gradient_booster.name: expected the booster gbtree or dart, got "gblinear"`},
		"dart without weights":    {`"name":"gbtree"`, `"name":"dart"`, diag.Missing, `learner.gradient_booster.weight_drop: missing`},
		"classes":                 {`"num_class":"0"`, `"num_class":"3"`, diag.Unsupported, `learner.learner_model_param.num_class: expected a single outcome, got 3 classes`},
		"targets":                 {`"num_target":"1"`, `"num_target":"2"`, diag.Unsupported, `learner.learner_model_param.num_target: expected a single outcome, got 2`},
		"base score of one":       {`"5E-1"`, `"1E0"`, diag.Invalid, `learner.learner_model_param.base_score: expected a probability between 0 and 1, got 1`},
		"base score of text":      {`"5E-1"`, `"half"`, diag.Invalid, `learner.learner_model_param.base_score: expected a number or a list of one in quotes, got something else`},
		"two base scores":         {`"5E-1"`, `"[5E-1,5E-1]"`, diag.Unsupported, `learner.learner_model_param.base_score: expected one number, got 2`},
		"base score left out":     {`"base_score":"5E-1",`, ``, diag.Missing, `learner.learner_model_param.base_score: missing`},
		"cycle":                   {`"left_children":[1,-1,-1]`, `"left_children":[0,-1,-1]`, diag.Invalid, trees + `[0].left_children[0]: expected a node from 1 to 2, got 0`},
		"dangling child":          {`"left_children":[1,-1,-1]`, `"left_children":[3,-1,-1]`, diag.Invalid, trees + `[0].left_children[0]: expected a node from 1 to 2, got 3`},
		"child twice":             {`"left_children":[1,-1,-1]`, `"left_children":[2,-1,-1]`, diag.Invalid, trees + `[0].right_children[0]: expected a node that no other split leads to, got 2`},
		"half a leaf":             {`"right_children":[2,-1,-1]`, `"right_children":[2,1,-1]`, diag.Invalid, trees + `[0].right_children[1]: expected -1, as in left_children, got 1`},
		"parent":                  {`"parents":[2147483647,0,0]`, `"parents":[2147483647,0,1]`, diag.Invalid, trees + `[0].parents[2]: expected 0, whose child it is, got 1`},
		"root's parent":           {`"parents":[2147483647,0,0]`, `"parents":[0,0,0]`, diag.Invalid, trees + `[0].parents[0]: expected 2147483647, for the root, got 0`},
		"lost nodes":              {`"left_children":[1,-1,-1]`, `"left_children":[-1,-1,-1]`, diag.Invalid, trees + `[0].right_children[0]: expected -1, as in left_children, got 2`},
		"deleted":                 {`"num_deleted":"0"`, `"num_deleted":"1"`, diag.Invalid, trees + `[0].tree_param.num_deleted: expected 0, the nodes that no split leads to, got 1`},
		"short array":             {`"sum_hessian":[4.0,2.0,2.0]`, `"sum_hessian":[4.0,2.0]`, diag.Invalid, trees + `[0].sum_hessian: expected 3 numbers, as many as left_children, got 2`},
		"nodes":                   {`"num_nodes":"3"`, `"num_nodes":"4"`, diag.Invalid, trees + `[0].tree_param.num_nodes: expected 3, the length of left_children, got 4`},
		"fraction":                {`"split_indices":[1,0,0]`, `"split_indices":[0.5,0,0]`, diag.Invalid, trees + `[0].split_indices[0]: expected an integer, got another number`},
		"text":                    {`"split_indices":[1,0,0]`, `"split_indices":["1",0,0]`, diag.Invalid, trees + `[0].split_indices[0]: expected a number, got a string`},
		"negative feature":        {`"split_indices":[1,0,0]`, `"split_indices":[-1,0,0]`, diag.Invalid, trees + `[0].split_indices[0]: expected an integer from 0 to 2147483647, got -1`},
		"feature":                 {`"split_indices":[1,0,0]`, `"split_indices":[2,0,0]`, diag.Invalid, trees + `[0].split_indices[0]: expected a feature below 2, got 2`},
		"split type":              {`"split_indices":[1,0,0]`, `"split_indices":[0,0,0]`, diag.Invalid, trees + `[0].split_type[0]: expected a split on a number, as feature_types says, got one on categories`},
		"nan leaf":                {`[NaN,-0.5,0.5]`, `[NaN,NaN,0.5]`, diag.Invalid, trees + `[0].split_conditions[1]: expected a finite number`},
		"infinite weight":         {`"base_weights":[0.0,`, `"base_weights":[1e39,`, diag.Invalid, trees + `[0].base_weights[0]: expected a finite number`},
		"no set":                  {`"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[2]`, `"categories_nodes":[],"categories_segments":[],"categories_sizes":[]`, diag.Invalid, trees + `[0].split_type[0]: expected a set of categories in categories_nodes, got none`},
		"set of a leaf":           {`"categories_nodes":[0]`, `"categories_nodes":[1]`, diag.Invalid, trees + `[0].split_type[0]: expected a set of categories in categories_nodes, got none`},
		"segment":                 {`"categories_sizes":[2]`, `"categories_sizes":[3]`, diag.Invalid, trees + `[0].categories_segments[0]: expected a segment within 2 categories, got 3 from 0 on`},
		"category":                {`"categories":[1,2]`, `"categories":[1,16777216]`, diag.Invalid, trees + `[0].categories[1]: expected an integer from 0 to 16777215, got 16777216`},
		"id":                      {`"id":1`, `"id":0`, diag.Invalid, trees + `[1].id: expected an integer from 1 to 1, got 0`},
		"vector leaf":             {`"size_leaf_vector":"0"`, `"size_leaf_vector":"2"`, diag.Unsupported, trees + `[0]: expected one value a leaf, got 2`},
		"tree count":              {`"num_trees":"2"`, `"num_trees":"3"`, diag.Invalid, `learner.gradient_booster.model.gbtree_model_param.num_trees: expected 2, the number of trees, got 3`},
		"parallel":                {`"num_parallel_tree":"1"`, `"num_parallel_tree":"3"`, diag.Invalid, `learner.gradient_booster.model.gbtree_model_param.num_parallel_tree: expected a divisor of 2, the number of trees, got 3`},
		"tree of another class":   {`"tree_info":[0,0]`, `"tree_info":[0,1]`, diag.Unsupported, `learner.gradient_booster.model.tree_info[1]: expected 0, the only output, got 1`},
		"names":                   {`["a","b"]`, `["a"]`, diag.Invalid, `learner.feature_names: expected 2 texts, one a feature, got 1`},
		"name twice":              {`["a","b"]`, `["a","a"]`, diag.Invalid, `learner.feature_names[1]: expected a name of its own, got one that stands before`},
		"empty name":              {`["a","b"]`, `["","b"]`, diag.Invalid, `learner.feature_names[0]: expected a name, got an empty text`},
		"type":                    {`["float","c"]`, `["float","d"]`, diag.Unsupported, `learner.feature_types[1]: expected float, int, i, q or c, got "d"`},
		"huge feature count":      {`"num_feature":"2","num_target"`, `"num_feature":"2000000000","num_target"`, diag.Invalid, `learner.feature_names: expected 2000000000 texts, one a feature, got 2`},
		"key twice":               {`"version":[1,7,6]`, `"version":[1,7,6],"version":[1,7,6]`, diag.Invalid, `version: expected once, got it twice`},
		"version":                 {`"version":[1,7,6]`, `"version":[1,7]`, diag.Invalid, `version: expected 3 integers, got 2`},
		"no trees":                {`"trees":`, `"forest":`, diag.Missing, `learner.gradient_booster.model.trees: missing`},
		"trees an object":         {`"trees":[`, `"trees":{"a":[`, diag.Invalid, trees + `: expected an array, got an object`},
		"after the end":           {`"version":[1,7,6]}`, `"version":[1,7,6]} {`, diag.Invalid, `expected the end of the file, got something else at byte 1276`},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(model, c.old) {
				t.Fatalf("%s is not in the model", c.old)
			}
			_, err := xgbfile.Read([]byte(strings.Replace(model, c.old, c.new, 1)))
			if err == nil {
				t.Fatal("got no error")
			}
			if got := err.Error(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := diag.KindOf(err); got != c.kind {
				t.Errorf("got kind %s, want %s", got, c.kind)
			}
		})
	}
}

func TestRefuseTruncated(t *testing.T) {
	for _, name := range []string{"testdata/32-gbtree.json", "testdata/32-gbtree.ubj"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(b); n += 7 {
			if _, err := xgbfile.Read(b[:n]); err == nil {
				t.Fatalf("%s cut to %d bytes: got no error", name, n)
			}
		}
	}
	for _, other := range []string{"", "{", "binf", "PK\x03\x04", "[]", "null", "{}", `{"a":1}`} {
		if _, err := xgbfile.Read([]byte(other)); err == nil {
			t.Errorf("%q: got no error", other)
		}
	}
}

// ubj is the start of a UBJSON file up to the value of learner.feature_names.
func ubj(value string) []byte {
	key := func(s string) string {
		return "L" + string(binary.BigEndian.AppendUint64(nil, uint64(len(s)))) + s
	}
	return []byte("{" + key("learner") + "{" + key("feature_names") + value)
}

func TestRefuseUBJSON(t *testing.T) {
	huge := "L\x7f\xff\xff\xff\xff\xff\xff\xff"
	for name, value := range map[string]string{
		"huge count":         "[#" + huge,
		"huge typed count":   "[$d#" + huge,
		"huge text":          "[#i\x01S" + huge,
		"negative count":     "[#i\xff",
		"count of floats":    "[#d\x00\x00\x00\x00",
		"nothing, often":     "[$Z#" + huge,
		"type without count": "[$d",
		"arrays of arrays":   strings.Repeat("[", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := xgbfile.Read(ubj(value))
			if err == nil || diag.KindOf(err) != diag.Invalid {
				t.Fatalf("got %v, want an error of kind invalid", err)
			}
			if !strings.HasPrefix(err.Error(), "learner.feature_names") {
				t.Errorf("got %q, want the path first", err)
			}
		})
	}
}

func TestRefuseNesting(t *testing.T) {
	for _, open := range []string{"[", `{"a":`} {
		_, err := xgbfile.Read([]byte(`{"learner":{"unknown":` + strings.Repeat(open, 1_000_000)))
		if err == nil || !strings.Contains(err.Error(), "expected at most 64 levels of nesting") {
			t.Errorf("%s: got %v", open, err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*xgbfile.File)
		want   string
	}{
		"booster":   {func(f *xgbfile.File) { f.Booster = "gblinear" }, `booster: expected gbtree or dart, got "gblinear"`},
		"objective": {func(f *xgbfile.File) { f.Objective = "rank:ndcg" }, `objective: expected binary:logistic or reg:squarederror, got "rank:ndcg"`},
		"base":      {func(f *xgbfile.File) { f.Ensemble.Base = 1 }, `base_score: expected the base of the sums to be that of base_score, got another`},
		"weights":   {func(f *xgbfile.File) { f.Ensemble.Scale = []float32{1, 1} }, `weight_drop: expected a weight for each tree of dart and none for gbtree`},
		"rounds":    {func(f *xgbfile.File) { f.Rounds = []int{0, 2, 3} }, `rounds: expected 2 trees in rounds of one size, got another division`},
		"types":     {func(f *xgbfile.File) { f.Types = f.Types[:1] }, `feature_types: expected 2, one a feature, got 1`},
	} {
		f, err := xgbfile.Read([]byte(model))
		if err != nil {
			t.Fatal(err)
		}
		c.change(f)
		if _, err = xgbfile.Write(f, xgbfile.JSON); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}
