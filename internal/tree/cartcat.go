package tree

import "slices"

// searchCategory tries the splits of the categories whose runs were built: one category
// against the rest when few are present, else after each category in the order of its share
// of outcomes. For two classes and a concave impurity the best of all 2^(K-1) - 1 splits is
// among those (Breiman and others 1984, theorem 4.5).
func (c *Cart) searchCategory(it *cartItem, j int32) {
	r := &c.runs
	k := r.len()
	if k <= c.params.MaxOneHot {
		c.oneAgainstRest(it, j)
		return
	}
	s := &c.scratch
	if cap(s.order) < k {
		s.order, s.n, s.w, s.e = make([]int32, k), make([]int32, k), make([]int64, k), make([]int64, k)
	}
	order, n, w, e := s.order[:k], s.n[:k], s.w[:k], s.e[:k]
	c.single(n, w, e)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		// Shares are compared without dividing: e/w of whole numbers, below 2^52.
		if x, y := float64(float64(e[a])*float64(w[b])), float64(float64(e[b])*float64(w[a])); x != y {
			if x < y {
				return -1
			}
			return 1
		}
		return int(a - b)
	})
	code := make([]uint16, k)
	var tn int32
	var tw, te int64
	for i, o := range order {
		code[i] = r.code[o]
		tn, tw, te = tn+n[o], tw+w[o], te+e[o]
		r.n[i], r.w[i], r.e[i] = tn, float64(tw), float64(te)
	}
	copy(r.code, code)
	run, missingLeft := c.scan(it)
	if run < 0 {
		return
	}
	left := r.w[run]
	if missingLeft {
		left += r.missW
	}
	c.takeCategory(it, j, code[:run+1], code[run+1:], missingLeft, left)
}

// single turns the sums of the runs back into what each holds.
func (c *Cart) single(n []int32, w, e []int64) {
	r := &c.runs
	for i := range n {
		n[i], w[i], e[i] = r.n[i], int64(r.w[i]), int64(r.e[i])
		if i > 0 {
			n[i] -= r.n[i-1]
			w[i] -= int64(r.w[i-1])
			e[i] -= int64(r.e[i-1])
		}
	}
}

// oneAgainstRest tries each category, and the missing values, against all others.
func (c *Cart) oneAgainstRest(it *cartItem, j int32) {
	r := &c.runs
	k := r.len()
	one := -2 // run that goes right; k: the missing values alone
	missingLeft := false
	var left float64
	try := func(run int, withRest bool, n int32, w, e float64) {
		// n, w, e are of what goes left.
		if c.allowed(it, n, w) && c.better(it, w, e) {
			one, missingLeft, left = run, withRest, w
		}
	}
	allN, allW, allE := int32(it.n), float64(it.w), float64(it.e)
	for i := range k {
		n, w, e := r.n[i], r.w[i], r.e[i]
		if i > 0 {
			n, w, e = n-r.n[i-1], w-r.w[i-1], e-r.e[i-1]
		}
		if k > 1 {
			try(i, true, allN-n, allW-w, allE-e)
		}
		if r.missN > 0 && k > 1 {
			try(i, false, allN-n-r.missN, allW-w-r.missW, allE-e-r.missE)
		}
	}
	if r.missN > 0 {
		try(k, false, allN-r.missN, allW-r.missW, allE-r.missE)
	}
	if one < -1 {
		return
	}
	var goLeft, goRight []uint16
	for i, code := range r.code {
		if i == one {
			goRight = append(goRight, code)
		} else {
			goLeft = append(goLeft, code)
		}
	}
	c.takeCategory(it, j, goLeft, goRight, missingLeft, left)
}

// takeCategory stores the split, sides swapped if need be so that the heavier child is on the
// left, where categories go that the node does not have. leftWeight includes the missing values if they go left.
func (c *Cart) takeCategory(it *cartItem, j int32, left, right []uint16, missingLeft bool, leftWeight float64) {
	b := &c.best
	missing := c.runs.missN > 0
	if 2*leftWeight < float64(it.w) {
		right, missingLeft = left, !missingLeft
	}
	b.ok, b.feature, b.right = true, j, slices.Clone(right)
	b.missingLeft = missingLeft || !missing
}

// drawCategory tries one split: each category present, and the missing values, on a side drawn
// by coin.
func (c *Cart) drawCategory(it *cartItem, j int32) {
	r := &c.runs
	k := r.len()
	var left, right []uint16
	var n int32
	var w, e float64
	missingLeft := false
	if k == 1 { // the missing values alone
		left, n, w, e = r.code, r.n[0], r.w[0], r.e[0]
	}
	for k > 1 && (len(left) == 0 || len(right) == 0) {
		left, right = left[:0], right[:0]
		n, w, e = 0, 0, 0
		for i, code := range r.code {
			if c.rand.IntN(2) == 1 {
				right = append(right, code)
				continue
			}
			left = append(left, code)
			n, w, e = n+r.n[i], w+r.w[i], e+r.e[i]
			if i > 0 {
				n, w, e = n-r.n[i-1], w-r.w[i-1], e-r.e[i-1]
			}
		}
		missingLeft = r.missN > 0 && c.rand.IntN(2) == 1
	}
	if missingLeft {
		n, w, e = n+r.missN, w+r.missW, e+r.missE
	}
	if c.allowed(it, n, w) && c.better(it, w, e) {
		c.takeCategory(it, j, left, right, missingLeft, w)
	}
}
