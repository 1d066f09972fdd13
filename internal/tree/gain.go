package tree

import "math"

// MinGain is the least reduction of the loss that a split must exceed (XGBoost's kRtEps).
const MinGain = 1e-6

// Bounds hold the weights that a node may take under monotone constraints.
type Bounds struct{ Lower, Upper float64 }

// Unbounded is the interval of the root.
func Unbounded() Bounds { return Bounds{math.Inf(-1), math.Inf(1)} }

// Split returns the bounds of the two children of a node with bounds b that is split on a
// column with the given direction (1 rising, -1 falling, 0 free) into children of weights
// left and right: both are held apart by the mean of the two weights.
func (b Bounds) Split(direction int8, left, right float64) (l, r Bounds) {
	l, r = b, b
	mid := (left + right) / 2
	switch {
	case direction > 0:
		l.Upper, r.Lower = mid, mid
	case direction < 0:
		l.Lower, r.Upper = mid, mid
	}
	return l, r
}

// clamp returns w held inside b.
func (b Bounds) clamp(w float64) float64 {
	if w < b.Lower {
		return b.Lower
	}
	if w > b.Upper {
		return b.Upper
	}
	return w
}

// ThresholdL1 moves g towards 0 by alpha and stops there (the soft threshold of an L1 penalty).
func ThresholdL1(g, alpha float64) float64 {
	if g > alpha {
		return g - alpha
	}
	if g < -alpha {
		return g + alpha
	}
	return 0
}

// Weight returns the weight that minimises the second-order loss of a node with sums of
// gradient g and of curvature h (equation 5 of Chen and Guestrin 2016,
// doi:10.1145/2939672.2939785, with an L1 penalty and a limit added). It is 0 when h is below
// MinChildWeight or not positive.
func (p *GrowParams) Weight(g, h float64) float64 {
	if h < p.MinChildWeight || h <= 0 {
		return 0
	}
	w := -ThresholdL1(g, p.Alpha) / (h + p.Lambda)
	if p.MaxDeltaStep != 0 && math.Abs(w) > p.MaxDeltaStep {
		w = math.Copysign(p.MaxDeltaStep, w)
	}
	return w
}

// BoundedWeight returns Weight held inside b.
func (p *GrowParams) BoundedWeight(g, h float64, b Bounds) float64 {
	return b.clamp(p.Weight(g, h))
}

// GainGivenWeight returns minus twice the second-order loss of a node that takes the weight
// w; 0 when h is not positive. Without a limit and without monotone constraints w must be the
// optimal weight and the closed form of equation 7 is used, as XGBoost does, because it
// rounds less.
func (p *GrowParams) GainGivenWeight(g, h, w float64) float64 {
	if h <= 0 {
		return 0
	}
	if p.MaxDeltaStep == 0 && p.Monotone == nil {
		t := ThresholdL1(g, p.Alpha)
		return float64(t*t) / (h + p.Lambda)
	}
	return -(float64(2*g*w) + float64((h+p.Lambda)*float64(w*w)))
}

// Gain returns minus twice the least second-order loss of a node inside b.
func (p *GrowParams) Gain(g, h float64, b Bounds) float64 {
	return p.GainGivenWeight(g, h, p.BoundedWeight(g, h, b))
}

// SplitGain returns the gain of two children in a node with bounds b, the parent's gain not
// taken off, when column feature is split. It is -Inf where the children would break the
// column's monotone constraint.
func (p *GrowParams) SplitGain(feature int, gl, hl, gr, hr float64, b Bounds) float64 {
	return p.splitGain(p.direction(feature), gl, hl, gr, hr, b)
}

// splitGain is SplitGain for a column with the given monotone constraint.
func (p *GrowParams) splitGain(direction int8, gl, hl, gr, hr float64, b Bounds) float64 {
	wl, wr := p.BoundedWeight(gl, hl, b), p.BoundedWeight(gr, hr, b)
	if direction > 0 && wl > wr || direction < 0 && wl < wr {
		return math.Inf(-1)
	}
	return p.GainGivenWeight(gl, hl, wl) + p.GainGivenWeight(gr, hr, wr)
}

// direction returns the monotone constraint of column feature.
func (p *GrowParams) direction(feature int) int8 {
	if p.Monotone == nil {
		return 0
	}
	return p.Monotone[feature]
}
