package treeshap_test

import (
	"context"
	"fmt"

	"dolor/internal/tree"
	"dolor/internal/treeshap"
)

// A tree splits age at 60 and, for the older, pain at 5. A patient of 70 with pain 8 reaches
// the leaf 1; the score expected before either is known is 0.28.
func Example() {
	e := &tree.Ensemble{
		Features: []tree.Feature{{Name: "age"}, {Name: "pain"}},
		Trees: []tree.Tree{{Nodes: []tree.Node{
			{Left: 1, Right: 2, Parent: -1, Feature: 0, Threshold: 60, Cover: 100},
			{Left: tree.Leaf, Right: tree.Leaf, Parent: 0, Value: 0, Cover: 50},
			{Left: 3, Right: 4, Parent: 0, Feature: 1, Threshold: 5, Cover: 50},
			{Left: tree.Leaf, Right: tree.Leaf, Parent: 2, Value: 0.125, Cover: 25},
			{Left: tree.Leaf, Right: tree.Leaf, Parent: 2, Value: 1, Cover: 25},
		}}},
	}
	patient := &tree.Table{Rows: 1, Columns: []tree.Column{{Values: []float32{70}}, {Values: []float32{8}}}}
	x, err := treeshap.New(e, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	phi, base, err := x.PathDependent(context.Background(), patient, 1, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("base %.4f, age %+.4f, pain %+.4f, score %.4f\n", base, phi[0], phi[1], base+phi[0]+phi[1])
	// Output: base 0.2812, age +0.3906, pain +0.3281, score 1.0000
}
