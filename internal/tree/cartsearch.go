package tree

import (
	"math"
)

// search finds the best split of it over columns drawn at random and reports whether there is one.
func (c *Cart) search(it *cartItem) bool {
	none := -1.0 // below a decrease of 0, which is a split all the same
	if c.params.LogLoss {
		none = math.Inf(-1)
	}
	c.best = cartSplit{num: none, den: 1}
	varied := false
	for v := 0; v < len(c.features) && (v < c.params.MaxFeatures || !varied); v++ {
		k := v + c.rand.IntN(len(c.features)-v)
		c.features[v], c.features[k] = c.features[k], c.features[v]
		j := c.features[v]
		if !c.data.Varies(int(j)) {
			continue
		}
		var varies bool
		switch {
		case c.params.Random && c.data.cols[j].levels == 0:
			varies = c.drawNumber(it, j)
		case !c.build(j, it):
		case c.params.Random:
			varies = true
			c.drawCategory(it, j)
		case c.data.cols[j].levels > 0:
			varies = true
			c.searchCategory(it, j)
		default:
			varies = true
			c.searchNumber(it, j)
		}
		varied = varied || varies
	}
	if !c.best.ok {
		return false
	}
	it.split = c.best
	it.gain = c.decrease(it)
	return true
}

// decrease returns how much the split of it lowers the weighted impurity.
func (c *Cart) decrease(it *cartItem) float64 {
	w, e := float64(it.w), float64(it.e)
	if c.params.LogLoss {
		return max(0, it.split.num-c.concentration(w, e))
	}
	// W gini - Wl gini_l - Wr gini_r = 2 d^2 / (W Wl Wr), d as in better.
	return 2 * it.split.num / it.split.den / w
}

// concentration is -w times the entropy of a node, in nats.
func (c *Cart) concentration(w, e float64) float64 {
	return c.log.at(e) + c.log.at(w-e) - c.log.at(w)
}

// better compares the split that sends weight wl, el of it with the outcome, left with the
// best so far and keeps its score if it is better.
//
// Gini's decrease is proportional to d^2 / (wl wr) with d = el W - wl E: quotients are compared
// without dividing.
func (c *Cart) better(it *cartItem, wl, el float64) bool {
	w, e := float64(it.w), float64(it.e)
	if c.params.LogLoss {
		num := c.concentration(wl, el) + c.concentration(w-wl, e-el)
		if num > c.best.num {
			c.best.num = num
			return true
		}
		return false
	}
	d := float64(el*w) - float64(wl*e)
	num, den := float64(d*d), float64(wl*(w-wl))
	if float64(num*c.best.den) > float64(c.best.num*den) {
		c.best.num, c.best.den = num, den
		return true
	}
	return false
}

// allowed reports whether n rows of weight w on the left leave both children large enough.
func (c *Cart) allowed(it *cartItem, n int32, w float64) bool {
	return int(n) >= c.params.MinLeaf && it.n-int(n) >= c.params.MinLeaf &&
		w >= float64(c.minWeight) && float64(it.w)-w >= float64(c.minWeight)
}

// scan tries a split after each run, with the missing values right and then left. It returns
// the best run and side if one beats the best so far, else run -1.
func (c *Cart) scan(it *cartItem) (run int, missingLeft bool) {
	run = -1
	r := &c.runs
	for side := range 2 {
		an, aw, ae := int32(0), 0.0, 0.0
		last := r.len() - 2
		switch {
		case side == 1 && r.missN == 0:
			return run, missingLeft
		case side == 1:
			an, aw, ae = r.missN, r.missW, r.missE
		case r.missN > 0:
			last++ // the missing values alone on the right
		}
		first := 0
		for first <= last && !c.enoughLeft(r, first, an, aw) {
			first++
		}
		for last >= first && !c.enoughRight(it, r, last, an, aw) {
			last--
		}
		if last < first {
			continue
		}
		var k int
		if c.params.LogLoss {
			k = c.scanLogLoss(it, r.w[first:last+1], r.e[first:last+1], aw, ae)
		} else {
			k = c.scanGini(it, r.w[first:last+1], r.e[first:last+1], aw, ae)
		}
		if k >= 0 {
			run, missingLeft = first+k, side == 1
		}
	}
	return run, missingLeft
}

func (c *Cart) enoughLeft(r *runs, k int, an int32, aw float64) bool {
	return int(r.n[k]+an) >= c.params.MinLeaf && r.w[k]+aw >= float64(c.minWeight)
}

func (c *Cart) enoughRight(it *cartItem, r *runs, k int, an int32, aw float64) bool {
	return it.n-int(r.n[k]+an) >= c.params.MinLeaf && float64(it.w)-r.w[k]-aw >= float64(c.minWeight)
}

// scanGini is better over many splits; it returns the last that was, or -1.
func (c *Cart) scanGini(it *cartItem, ws, es []float64, aw, ae float64) int {
	at := -1
	w, e := float64(it.w), float64(it.e)
	bestNum, bestDen := c.best.num, c.best.den
	es = es[:len(ws)]
	for k := range ws {
		wl, el := ws[k]+aw, es[k]+ae
		d := float64(el*w) - float64(wl*e)
		num, den := float64(d*d), float64(wl*(w-wl))
		if float64(num*bestDen) > float64(bestNum*den) {
			bestNum, bestDen, at = num, den, k
		}
	}
	c.best.num, c.best.den = bestNum, bestDen
	return at
}

func (c *Cart) scanLogLoss(it *cartItem, ws, es []float64, aw, ae float64) int {
	at := -1
	for k := range ws {
		if c.better(it, ws[k]+aw, es[k]+ae) {
			at = k
		}
	}
	return at
}

// searchNumber tries every split of the column of numbers whose runs were built.
func (c *Cart) searchNumber(it *cartItem, j int32) {
	r := &c.runs
	k, missingLeft := c.scan(it)
	if k < 0 {
		return
	}
	b := &c.best
	b.ok, b.feature, b.right, b.missingLeft = true, j, nil, missingLeft
	if r.missN == 0 {
		b.missingLeft = 2*r.w[k] > float64(it.w)
	}
	c.settle(j, int(r.code[k]), k+1 < r.len(), k+1)
}

// settle stores the threshold between the code a and run next, or below every number.
func (c *Cart) settle(j int32, a int, within bool, next int) {
	col := &c.data.cols[j]
	if !within {
		// The missing values alone: on the left, because no finite number is below this
		// threshold, while no finite one is above them all.
		c.best.cut, c.best.threshold, c.best.missingLeft = -1, -math.MaxFloat32, true
		return
	}
	c.best.threshold = col.between(a, int(c.runs.code[next]))
	c.best.cut = col.cut(c.best.threshold)
}

// drawNumber tries one split at a threshold drawn evenly between the smallest and the largest
// value, missing values on a side drawn by coin. It reports whether the column varies.
func (c *Cart) drawNumber(it *cartItem, j int32) bool {
	col := &c.data.cols[j]
	rows, pay := c.rows[it.in[0]:it.in[1]], c.pay[it.in[0]:it.in[1]]
	least, most := uint16(noCode), uint16(0)
	missing := 0
	for _, r := range rows {
		code := col.codes[r]
		if code == noCode {
			missing++
			continue
		}
		least, most = min(least, code), max(most, code)
	}
	if missing == len(rows) || least == most && missing == 0 {
		return false
	}
	s := cartSplit{feature: j, cut: -1, threshold: -math.MaxFloat32, missingLeft: true} // the missing values alone
	if least < most {
		s.missingLeft = false
		lo, hi := float64(col.first[least]), float64(col.last[most])
		t := lo + float64(c.rand.Float64()*(hi-lo))
		cut := min(max(col.cut(above(t)), int(least)), int(most)-1)
		s.cut = cut
		if col.binned {
			s.threshold = col.between(cut, cut+1)
		} else {
			// above(t) unless rounding took t out of the range.
			s.threshold = min(max(above(t), above(float64(col.last[cut]))), col.first[cut+1])
		}
		if missing > 0 {
			s.missingLeft = c.rand.IntN(2) == 1
		}
	}
	off := uint16(0)
	if s.missingLeft {
		off = 1 // missing codes wrap to 0
	}
	limit := uint16(s.cut) + off
	var n int32
	var w, e int64
	for i, r := range rows {
		if col.codes[r]+off <= limit {
			n++
			w += int64(pay[i] >> 1)
			e += int64(pay[i]>>1) & -int64(pay[i]&1)
		}
	}
	if c.allowed(it, n, float64(w)) && c.better(it, float64(w), float64(e)) {
		if missing == 0 {
			s.missingLeft = 2*w > it.w
		}
		s.ok, s.num, s.den = true, c.best.num, c.best.den
		c.best = s
	}
	return true
}

// partition sends the rows of it and those left out to its two sides, keeping their order,
// and returns where the right sides begin.
func (c *Cart) partition(it *cartItem) (mid [2]int) {
	s := &it.split
	col := &c.data.cols[s.feature]
	rows, pay := c.rows[it.in[0]:it.in[1]], c.pay[it.in[0]:it.in[1]]
	out := c.out[it.out[0]:it.out[1]]
	toRows, toPay := c.scratch.rows, c.scratch.pay
	var a, b int
	if col.levels > 0 {
		right := c.scratch.right
		for _, code := range s.right {
			right[code] = 1
		}
		if !s.missingLeft {
			right[noCode] = 1
		}
		for i, r := range rows {
			g := int(right[col.codes[r]])
			p := pay[i]
			rows[a], pay[a], toRows[b], toPay[b] = r, p, r, p
			a, b = a+1-g, b+g
		}
		mid[0] = it.in[0] + a
		copy(rows[a:], toRows[:b])
		copy(pay[a:], toPay[:b])
		a, b = 0, 0
		for _, r := range out {
			g := int(right[col.codes[r]])
			out[a], toRows[b] = r, r
			a, b = a+1-g, b+g
		}
		for _, code := range s.right {
			right[code] = 0
		}
		right[noCode] = 0
	} else {
		off := uint16(0)
		if s.missingLeft {
			off = 1 // missing codes wrap to 0
		}
		limit := uint16(s.cut) + off
		for i, r := range rows {
			g := 0
			if col.codes[r]+off > limit {
				g = 1
			}
			p := pay[i]
			rows[a], pay[a], toRows[b], toPay[b] = r, p, r, p
			a, b = a+1-g, b+g
		}
		mid[0] = it.in[0] + a
		copy(rows[a:], toRows[:b])
		copy(pay[a:], toPay[:b])
		a, b = 0, 0
		for _, r := range out {
			g := 0
			if col.codes[r]+off > limit {
				g = 1
			}
			out[a], toRows[b] = r, r
			a, b = a+1-g, b+g
		}
	}
	mid[1] = it.out[0] + a
	copy(out[a:], toRows[:b])
	return mid
}
