package tree

// prune takes back, from the bottom, every split of two leaves whose gain is below Gamma, and
// closes the gaps. The order of the nodes that stay does not change.
func (t *Tree) prune(p *GrowParams) {
	gone := make([]bool, len(t.Nodes))
	cut := false
	// Children come after their parent, so one pass from the end sees both children settled.
	for k := len(t.Nodes) - 1; k >= 0; k-- {
		n := &t.Nodes[k]
		if n.IsLeaf() || !t.Nodes[n.Left].IsLeaf() || !t.Nodes[n.Right].IsLeaf() || !(n.Gain < float32(p.Gamma)) {
			continue
		}
		gone[n.Left], gone[n.Right], cut = true, true, true
		n.Left, n.Right, n.Feature, n.Threshold, n.DefaultLeft = Leaf, Leaf, 0, 0, false
		n.Gain, n.Value = 0, n.Weight*float32(p.LearningRate)
	}
	if !cut {
		return
	}
	at := make([]int32, len(t.Nodes))
	kept := t.Nodes[:0]
	for k, n := range t.Nodes {
		if gone[k] {
			continue
		}
		at[k] = int32(len(kept))
		if n.Parent >= 0 {
			n.Parent = at[n.Parent]
		}
		kept = append(kept, n)
	}
	for k := range kept {
		if n := &kept[k]; !n.IsLeaf() {
			n.Left, n.Right = at[n.Left], at[n.Right]
		}
	}
	t.Nodes = kept
}
