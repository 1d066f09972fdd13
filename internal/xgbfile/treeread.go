package xgbfile

import (
	"math"
	"strconv"

	"dolor/diag"
	"dolor/internal/tree"
)

// noParent is what XGBoost writes as the parent of a root.
const noParent = math.MaxInt32

// maxCategories bounds a category's code: beyond it float32 does not hold every integer.
const maxCategories = 1 << 24

// rawTree is one tree's arrays.
type rawTree struct {
	left, right, parents, features, missingLeft, kinds []int32
	values, weights, gains, covers                     []float32
	cats, catNodes, segments, sizes                    []int32
	nodes, deleted, leafSize                           int64
}

// tree reads one tree, checks that it is one, and appends it.
func (r *reader) tree() error {
	t := rawTree{nodes: -1}
	at := len(r.f.Ensemble.Trees)
	err := r.object(fields{
		"left_children":       r.wholes(&t.left, -1, maxInt32),
		"right_children":      r.wholes(&t.right, -1, maxInt32),
		"parents":             r.wholes(&t.parents, -1, maxInt32),
		"split_indices":       r.wholes(&t.features, 0, maxInt32),
		"default_left":        r.wholes(&t.missingLeft, 0, 1),
		"split_type":          r.wholes(&t.kinds, 0, 1),
		"split_conditions":    r.floats(&t.values),
		"base_weights":        r.floats(&t.weights),
		"loss_changes":        r.floats(&t.gains),
		"sum_hessian":         r.floats(&t.covers),
		"categories":          r.wholes(&t.cats, 0, maxCategories-1),
		"categories_nodes":    r.wholes(&t.catNodes, 0, maxInt32),
		"categories_segments": r.wholes(&t.segments, 0, maxInt32),
		"categories_sizes":    r.wholes(&t.sizes, 0, maxInt32),
		"id": func() error {
			_, err := r.whole(int64(at), int64(at))
			return err
		},
		"tree_param": func() error {
			return r.object(fields{
				"num_nodes":        r.param(&t.nodes, maxInt32),
				"num_deleted":      r.param(&t.deleted, maxInt32),
				"size_leaf_vector": r.param(&t.leafSize, maxInt32),
			})
		},
	})
	if err != nil {
		return err
	}
	if t.leafSize > 1 {
		return r.unsupported("expected one value a leaf, got %d", t.leafSize)
	}
	if err := r.lengths(&t); err != nil {
		return err
	}
	order, err := r.order(&t)
	if err != nil {
		return err
	}
	out, facts, err := r.convert(&t, order)
	if err != nil {
		return err
	}
	r.f.Ensemble.Trees = append(r.f.Ensemble.Trees, out)
	r.raw.trees = append(r.raw.trees, facts)
	if facts.ids != nil {
		for len(r.f.NodeIDs) < at {
			r.f.NodeIDs = append(r.f.NodeIDs, nil)
		}
	}
	if facts.ids != nil || r.f.NodeIDs != nil {
		r.f.NodeIDs = append(r.f.NodeIDs, facts.ids)
	}
	return nil
}

// in is the error about one entry of an array of the tree.
func (r *reader) in(field string, k int32, format string, args ...any) error {
	return diag.Errorf(diag.Invalid, r.where()+"."+field+"["+strconv.Itoa(int(k))+"]", format, args...)
}

func (r *reader) lengths(t *rawTree) error {
	n := len(t.left)
	if n == 0 {
		return diag.Errorf(diag.Invalid, r.where()+".left_children", "expected at least one node, got none")
	}
	if t.nodes >= 0 && t.nodes != int64(n) {
		return diag.Errorf(diag.Invalid, r.where()+".tree_param.num_nodes", "expected %d, the length of left_children, got %d", n, t.nodes)
	}
	if t.kinds == nil { // before XGBoost 1.3
		t.kinds = make([]int32, n)
	}
	for _, c := range []struct {
		name string
		got  int
	}{
		{"right_children", len(t.right)},
		{"parents", len(t.parents)},
		{"split_indices", len(t.features)},
		{"default_left", len(t.missingLeft)},
		{"split_type", len(t.kinds)},
		{"split_conditions", len(t.values)},
		{"base_weights", len(t.weights)},
		{"loss_changes", len(t.gains)},
		{"sum_hessian", len(t.covers)},
	} {
		if c.got != n {
			return diag.Errorf(diag.Invalid, r.where()+"."+c.name, "expected %d numbers, as many as left_children, got %d", n, c.got)
		}
	}
	for _, c := range []struct {
		name string
		got  int
	}{{"categories_segments", len(t.segments)}, {"categories_sizes", len(t.sizes)}} {
		if c.got != len(t.catNodes) {
			return diag.Errorf(diag.Invalid, r.where()+"."+c.name, "expected %d integers, as many as categories_nodes, got %d", len(t.catNodes), c.got)
		}
	}
	return nil
}

// order walks the tree from its root and returns XGBoost's numbers of the nodes with every
// parent before its children: XGBoost's own order if it is such a one and has no deleted
// nodes (then nil), else level by level.
func (r *reader) order(t *rawTree) ([]int32, error) {
	n := int32(len(t.left))
	if t.parents[0] != noParent && t.parents[0] != -1 {
		return nil, r.in("parents", 0, "expected %d, for the root, got %d", noParent, t.parents[0])
	}
	reached := make([]bool, n)
	reached[0] = true
	queue := make([]int32, 1, n)
	sorted := true
	for k := 0; k < len(queue); k++ {
		p := queue[k]
		if t.left[p] == tree.Leaf {
			if t.right[p] != tree.Leaf {
				return nil, r.in("right_children", p, "expected -1, as in left_children, got %d", t.right[p])
			}
			continue
		}
		for _, c := range [...]struct {
			name string
			node int32
		}{{"left_children", t.left[p]}, {"right_children", t.right[p]}} {
			switch {
			case c.node <= 0 || c.node >= n:
				return nil, r.in(c.name, p, "expected a node from 1 to %d, got %d", n-1, c.node)
			case reached[c.node]:
				return nil, r.in(c.name, p, "expected a node that no other split leads to, got %d", c.node)
			case t.parents[c.node] != p:
				return nil, r.in("parents", c.node, "expected %d, whose child it is, got %d", p, t.parents[c.node])
			}
			reached[c.node] = true
			sorted = sorted && c.node > p
			queue = append(queue, c.node)
		}
	}
	if lost := int64(n) - int64(len(queue)); lost != t.deleted {
		for k := range n {
			if !reached[k] {
				return nil, r.in("parents", k, "expected a node that a split leads to, or %d deleted nodes, got %d that none leads to", t.deleted, lost)
			}
		}
		return nil, diag.Errorf(diag.Invalid, r.where()+".tree_param.num_deleted", "expected %d, the nodes that no split leads to, got %d", lost, t.deleted)
	}
	if sorted && t.deleted == 0 {
		return nil, nil
	}
	return queue, nil
}

// convert makes a tree of t with the nodes in the given order.
func (r *reader) convert(t *rawTree, order []int32) (tree.Tree, treeFacts, error) {
	facts := treeFacts{ids: order, maxFeature: -1, categorical: map[int32]int32{}, splitAt: map[int32][2]int32{}}
	segment, err := r.segments(t)
	if err != nil {
		return tree.Tree{}, facts, err
	}
	n := len(t.left)
	newID := func(old int32) int32 { return old }
	if order != nil {
		n = len(order)
		at := make([]int32, len(t.left))
		for k, old := range order {
			at[old] = int32(k)
		}
		newID = func(old int32) int32 { return at[old] }
	}
	out := tree.Tree{Nodes: make([]tree.Node, n)}
	for k := range out.Nodes {
		old := int32(k)
		if order != nil {
			old = order[k]
		}
		for _, c := range [...]struct {
			name string
			v    float32
		}{{"base_weights", t.weights[old]}, {"loss_changes", t.gains[old]}, {"sum_hessian", t.covers[old]}} {
			if !finite(c.v) {
				return out, facts, r.in(c.name, old, "expected a finite number")
			}
		}
		node := &out.Nodes[k]
		*node = tree.Node{Left: tree.Leaf, Right: tree.Leaf, Parent: -1, Weight: t.weights[old], Cover: t.covers[old]}
		if k > 0 {
			node.Parent = newID(t.parents[old])
		}
		if !finite(t.values[old]) && (t.left[old] == tree.Leaf || t.kinds[old] == 0) {
			return out, facts, r.in("split_conditions", old, "expected a finite number")
		}
		if t.left[old] == tree.Leaf {
			if _, set := segment[old]; set {
				return out, facts, r.in("categories_nodes", segment[old], "expected a split, got node %d, which is a leaf", old)
			}
			node.Value = t.values[old]
			continue
		}
		node.Left, node.Right = newID(t.left[old]), newID(t.right[old])
		node.Feature, node.DefaultLeft, node.Gain = t.features[old], t.missingLeft[old] == 1, t.gains[old]
		if node.Feature > facts.maxFeature {
			facts.maxFeature, facts.maxAt = node.Feature, old
		}
		s, set := segment[old]
		switch {
		case t.kinds[old] == 0 && set:
			return out, facts, r.in("categories_nodes", s, "expected a split on categories, got node %d, which split_type says is on a number", old)
		case t.kinds[old] == 0:
			node.Threshold = t.values[old]
		case !set:
			return out, facts, r.in("split_type", old, "expected a set of categories in categories_nodes, got none")
		default:
			bits, largest, err := r.set(t, s)
			if err != nil {
				return out, facts, err
			}
			out.Sets = append(out.Sets, bits)
			node.Set = int32(len(out.Sets))
			if had, ok := facts.categorical[node.Feature]; !ok || largest > had {
				facts.categorical[node.Feature], facts.splitAt[node.Feature] = largest, [2]int32{old, s}
			}
		}
	}
	return out, facts, nil
}

// segments maps each node that splits on categories to its place in categories_nodes.
func (r *reader) segments(t *rawTree) (map[int32]int32, error) {
	at := make(map[int32]int32, len(t.catNodes))
	for k, node := range t.catNodes {
		k := int32(k)
		_, twice := at[node]
		switch {
		case int(node) >= len(t.left):
			return nil, r.in("categories_nodes", k, "expected a node below %d, got %d", len(t.left), node)
		case twice:
			return nil, r.in("categories_nodes", k, "expected a node of its own, got %d again", node)
		case int64(t.segments[k])+int64(t.sizes[k]) > int64(len(t.cats)):
			return nil, r.in("categories_segments", k, "expected a segment within %d categories, got %d from %d on", len(t.cats), t.sizes[k], t.segments[k])
		}
		at[node] = k
	}
	return at, nil
}

// set makes the bit set of segment s and returns its largest category. The sets of a file
// may take 64 bytes for each of its bytes, and 64 MiB in any case: XGBoost's own take less than 1000
// categories a node.
func (r *reader) set(t *rawTree, s int32) ([]uint64, int32, error) {
	codes := t.cats[t.segments[s] : t.segments[s]+t.sizes[s]]
	largest := int32(-1)
	for _, c := range codes {
		largest = max(largest, c)
	}
	words := int(largest)/64 + 1
	r.raw.setBytes += 8 * words
	if r.raw.setBytes > max(64<<20, 64*r.size) {
		return nil, 0, diag.Errorf(diag.Unsupported, r.where()+".categories", "expected sets of categories of at most %d MiB in all", max(64<<20, 64*r.size)>>20)
	}
	bits := make([]uint64, words)
	for _, c := range codes {
		bits[c/64] |= 1 << (c % 64)
	}
	return bits, largest, nil
}
