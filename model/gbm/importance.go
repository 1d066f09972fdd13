package gbm

import "dolor/internal/tree"

// Importance is what the splits of a model say about one column, as XGBoost's get_score defines it.
type Importance struct {
	Column     string  `json:"column"`
	Weight     float64 `json:"weight"`      // number of splits on the column
	Gain       float64 `json:"gain"`        // mean reduction of the loss by them; 0 without a split
	TotalGain  float64 `json:"total_gain"`  // sum of it
	Cover      float64 `json:"cover"`       // mean curvature of the nodes split; 0 without a split
	TotalCover float64 `json:"total_cover"` // sum of it
}

// Importance returns what the splits say about each column, in the trees' order of columns. Gains
// favour columns with many values, and no kind tells a direction; attributions do both better.
func (m *Model) Importance() []Importance {
	out := make([]Importance, len(m.fields))
	for j, f := range m.fields {
		out[j].Column = f.Name
	}
	for _, k := range []struct {
		kind string
		at   func(*Importance) *float64
	}{
		{tree.ImportanceWeight, func(i *Importance) *float64 { return &i.Weight }},
		{tree.ImportanceGain, func(i *Importance) *float64 { return &i.Gain }},
		{tree.ImportanceTotalGain, func(i *Importance) *float64 { return &i.TotalGain }},
		{tree.ImportanceCover, func(i *Importance) *float64 { return &i.Cover }},
		{tree.ImportanceTotalCover, func(i *Importance) *float64 { return &i.TotalCover }},
	} {
		values, err := m.ens.Importance(k.kind)
		if err != nil {
			return out // cannot happen: the kinds are known
		}
		for j, v := range values {
			*k.at(&out[j]) = v
		}
	}
	return out
}
