package tree

import "dolor/diag"

// The kinds of importance of a feature, with XGBoost's names (get_score).
const (
	ImportanceWeight     = "weight"      // number of splits
	ImportanceGain       = "gain"        // mean gain of its splits
	ImportanceCover      = "cover"       // mean cover of its splits
	ImportanceTotalGain  = "total_gain"  // sum of the gains
	ImportanceTotalCover = "total_cover" // sum of the covers
)

// Importance returns the importance of each feature, 0 for one that no tree splits. Gain is on
// the scale of the training loss, cover is curvature (boosting) or weight of rows (forest); both
// depend on the training rows, and none says in which direction a predictor acts. Sums are in
// float64, so that they differ from XGBoost's, in float32, in the sixth digit. An unknown kind is an
// error of kind Invalid.
func (e *Ensemble) Importance(kind string) ([]float64, error) {
	n := len(e.Features)
	count, gain, cover := make([]float64, n), make([]float64, n), make([]float64, n)
	for t := range e.Trees {
		for i := range e.Trees[t].Nodes {
			if nd := &e.Trees[t].Nodes[i]; !nd.IsLeaf() {
				count[nd.Feature]++
				gain[nd.Feature] += float64(nd.Gain)
				cover[nd.Feature] += float64(nd.Cover)
			}
		}
	}
	mean := func(sum []float64) []float64 {
		for j := range sum {
			if count[j] > 0 {
				sum[j] /= count[j]
			}
		}
		return sum
	}
	switch kind {
	case ImportanceWeight:
		return count, nil
	case ImportanceGain:
		return mean(gain), nil
	case ImportanceCover:
		return mean(cover), nil
	case ImportanceTotalGain:
		return gain, nil
	case ImportanceTotalCover:
		return cover, nil
	}
	return nil, diag.Errorf(diag.Invalid, "importance", "expected weight, gain, cover, total_gain or total_cover, got another text")
}
