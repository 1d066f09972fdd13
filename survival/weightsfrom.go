package survival

import (
	"slices"

	"dolor/diag"
)

// WeightsFrom returns the inverse-probability-of-censoring weight of each patient of d at the
// horizon under the censoring curve of train, so that nothing of d is learnt: 0 for those
// censored by the horizon. With d equal to train it gives [Weights]. Kind Unfit when the
// curve of train has no one left uncensored where a weight is needed. O(n log n).
func WeightsFrom(train, d Data, horizon float64, ties Ties) ([]float64, error) {
	if err := train.Check(); err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, err
	}
	c, err := censoringAt(train, horizon, ties)
	if err != nil {
		return nil, err
	}
	w := make([]float64, d.N())
	end := c.at(horizon)
	for i, t := range d.Time {
		g := end
		if t <= horizon {
			if d.Status[i] == Censored {
				continue
			}
			k, _ := slices.BinarySearch(c.time, t)
			g = c.afterRow(k - 1)
		}
		if g <= 0 {
			return nil, diag.Errorf(diag.Unfit, "horizon", "every patient of the training rows is censored before one of these events")
		}
		w[i] = 1 / g
	}
	return w, nil
}
