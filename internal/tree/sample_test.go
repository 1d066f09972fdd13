package tree_test

import (
	"slices"
	"testing"

	"dolor/internal/tree"
	"dolor/rng"
)

func someColumns(n int) []int32 {
	c := make([]int32, n)
	for j := range c {
		c[j] = int32(j)
	}
	return c
}

func TestColumnSampler(t *testing.T) {
	p := &tree.GrowParams{ColsampleByTree: 0.5, ColsampleByLevel: 0.5, ColsampleByNode: 0.5}
	draw := func(nodes ...int) [][]int32 {
		s := tree.NewColumnSampler(someColumns(40), p, rng.New(1).Child("tree", 3))
		out := [][]int32{s.Tree()}
		for _, k := range nodes {
			out = append(out, s.Node(2, k))
		}
		return out
	}
	a, b := draw(3, 4, 5), draw(5, 4, 3)
	if len(a[0]) != 20 || !slices.IsSorted(a[0]) {
		t.Errorf("tree: got %v, want 20 sorted columns", a[0])
	}
	for i := 1; i < 4; i++ {
		if len(a[i]) != 5 || !slices.IsSorted(a[i]) {
			t.Errorf("node: got %v, want 5 sorted columns", a[i])
		}
		if !slices.Equal(a[i], b[4-i]) {
			t.Errorf("node %d depends on the order of asking: %v and %v", i+2, a[i], b[4-i])
		}
		for _, j := range a[i] {
			if !slices.Contains(a[0], j) {
				t.Errorf("column %d of a node is not among the tree's", j)
			}
		}
	}
	all := tree.NewColumnSampler(someColumns(3), &tree.GrowParams{}, rng.New(1))
	if got := all.Node(0, 0); len(got) != 3 {
		t.Errorf("zero fractions: got %v, want all", got)
	}
	one := tree.NewColumnSampler(someColumns(3), &tree.GrowParams{ColsampleByTree: 0.01}, rng.New(1))
	if got := one.Node(4, 7); len(got) != 1 {
		t.Errorf("tiny fraction: got %v, want one column", got)
	}
}

func TestInteractionsAllowed(t *testing.T) {
	in := tree.NewInteractions([][]int32{{0, 1}, {1, 2, 70}})
	path := func(js ...int32) tree.ColumnSet {
		var s tree.ColumnSet
		for _, j := range js {
			s = s.With(j)
		}
		return s
	}
	every := append(someColumns(5), 70)
	tests := []struct {
		name string
		path tree.ColumnSet
		want []int32
	}{
		{"root", nil, every},
		{"one set", path(0), []int32{0, 1}},
		{"two sets", path(1), []int32{0, 1, 2, 70}},
		{"narrowed", path(1, 2), []int32{1, 2, 70}},
		{"in no set", path(4), []int32{4}},
		{"far column", path(70), []int32{1, 2, 70}},
	}
	for _, tt := range tests {
		if got := in.Allowed(tt.path).Filter(every); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	if tree.NewInteractions(nil).Allowed(path(1)) != nil {
		t.Error("no constraint: want nil")
	}
}
