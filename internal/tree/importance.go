package tree

// Importance is what the splits of an ensemble say about one column, as XGBoost's get_score
// defines it. Trees are not weighted by Scale.
type Importance struct {
	Column     string  `json:"column"`
	Weight     int     `json:"weight"`      // number of splits on the column
	Gain       float64 `json:"gain"`        // mean reduction of the loss by them; 0 without a split
	TotalGain  float64 `json:"total_gain"`  // sum of it
	Cover      float64 `json:"cover"`       // mean cover of the nodes split; 0 without a split
	TotalCover float64 `json:"total_cover"` // sum of it
}

// Importance returns the importances of every column, in the order of Features.
func (e *Ensemble) Importance() []Importance {
	out := make([]Importance, len(e.Features))
	for j, f := range e.Features {
		out[j].Column = f.Name
	}
	for i := range e.Trees {
		for k := range e.Trees[i].Nodes {
			n := &e.Trees[i].Nodes[k]
			if n.IsLeaf() || int(n.Feature) >= len(out) {
				continue
			}
			o := &out[n.Feature]
			o.Weight++
			o.TotalGain += float64(n.Gain)
			o.TotalCover += float64(n.Cover)
		}
	}
	for j := range out {
		if o := &out[j]; o.Weight > 0 {
			o.Gain, o.Cover = o.TotalGain/float64(o.Weight), o.TotalCover/float64(o.Weight)
		}
	}
	return out
}
