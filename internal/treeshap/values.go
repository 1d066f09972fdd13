package treeshap

// A leaf with k columns on its path is a game of k players. Let X be the columns whose
// conditions the row meets and Q(A) the weight with which all columns of A are met when they
// are not known: a product of cover shares (path-dependent), or the fraction of background rows
// that meet all of A (interventional). A coalition S is then worth
//
//	v(S) = value * [S is within X] * Q(N \ S).
//
// Both Shapley values and interactions are sums of Q(N \ S) over subsets S of X with weights
// that depend on the size of S, so three sums over subsets (Yates 1937's algorithm, k 2^k
// additions) give them for all 2^k patterns X. WOODELF (Nadel and Wettenstein 2025) reaches the
// same table by a sparse matrix from patterns to cubes.

// cube holds the sums over subsets of one leaf; entry X is a bit set of players.
type cube struct {
	k       int
	q       []float64 // q[A]: weight with which all of A are met
	a, h, j []float64 // sums over S within X of w(|S|), w(|S|-1), w(|S|-2) times q[N \ S]
}

// grow makes room for k players.
func (c *cube) grow(k int) {
	c.k = k
	if len(c.q) < 1<<k {
		for _, f := range []*[]float64{&c.q, &c.a, &c.h, &c.j} {
			*f = make([]float64, 1<<k)
		}
	}
}

// product fills q for players that are met independently with their share.
func (c *cube) product(players []player) {
	c.grow(len(players))
	c.q[0] = 1
	for i := range players {
		half := 1 << i
		for s := range half {
			c.q[half+s] = c.q[s] * players[i].share
		}
	}
}

// frequencies fills q from count[X], the number of background rows with pattern X.
func (c *cube) frequencies(k int, count []float64, rows int) {
	c.grow(k)
	size := 1 << k
	copy(c.q[:size], count[:size])
	for bit := 1; bit < size; bit <<= 1 {
		for s := range size {
			if s&bit == 0 {
				c.q[s] += c.q[s|bit]
			}
		}
	}
	for s := range size {
		c.q[s] /= float64(rows)
	}
}

// subsets replaces f[X] by the sum of f over the subsets of X.
func subsets(f []float64) {
	for bit := 1; bit < len(f); bit <<= 1 {
		for s := 0; s < len(f); s += 2 * bit {
			lo, hi := f[s:s+bit], f[s+bit:s+2*bit]
			for i := range lo {
				hi[i] += lo[i]
			}
		}
	}
}

// sums fills a and h for Shapley values, times value.
func (c *cube) sums(value float64) {
	k, size := c.k, 1<<c.k
	var w [mostCube + 2]float64 // w[s+1] = s!(k-s-1)!/k!, 0 outside
	for s := range k {
		w[s+1] = weight(s, k-s-1)
	}
	full := size - 1
	for s := range size {
		n := ones(s)
		q := c.q[full^s] * value
		c.a[s], c.h[s] = w[n+1]*q, w[n]*q
	}
	subsets(c.a[:size])
	subsets(c.h[:size])
}

// values fills phi[X*k+i] with the Shapley value of player i for pattern X, times value.
func (c *cube) values(value float64, phi []float64) {
	k, size := c.k, 1<<c.k
	c.sums(value)
	for x := range size {
		row := phi[x*k : x*k+k]
		for i := range row {
			if bit := 1 << i; x&bit != 0 {
				row[i] = c.h[x] - c.h[x^bit] - c.a[x^bit]
			} else {
				row[i] = -c.a[x]
			}
		}
	}
}

// pairs fills phi[X*m+...] with half the Shapley interaction of each of the m = k(k-1)/2 pairs
// of players i < j, in the order (0,1), (0,2), (1,2), (0,3), ..., for pattern X, times value
// (Lundberg et al. 2020, equation 4).
func (c *cube) pairs(value float64, phi []float64) {
	k, size := c.k, 1<<c.k
	m := k * (k - 1) / 2
	var w [mostBits + 3]float64 // w[s+2] = s!(k-s-2)!/(2(k-1)!), 0 outside
	for s := range k - 1 {
		w[s+2] = weight(s, k-s-2) / 2
	}
	full := size - 1
	for s := range size {
		n := ones(s)
		q := c.q[full^s] * value
		c.a[s], c.h[s], c.j[s] = w[n+2]*q, w[n+1]*q, w[n]*q
	}
	subsets(c.a[:size])
	subsets(c.h[:size])
	subsets(c.j[:size])
	for x := range size {
		row := phi[x*m : x*m+m]
		at := 0
		for j := range k {
			for i := range j {
				bi, bj := 1<<i, 1<<j
				switch {
				case x&bi != 0 && x&bj != 0:
					xi, xj, xx := x^bi, x^bj, x^bi^bj
					row[at] = c.j[x] - c.j[xi] - c.j[xj] + c.j[xx] - (c.h[xj] - c.h[xx]) - (c.h[xi] - c.h[xx]) + c.a[xx]
				case x&bi != 0:
					row[at] = c.h[x^bi] - c.h[x] + c.a[x^bi]
				case x&bj != 0:
					row[at] = c.h[x^bj] - c.h[x] + c.a[x^bj]
				default:
					row[at] = c.a[x]
				}
				at++
			}
		}
	}
}

// weight returns a! b! / (a+b+1)!, the share of orders in which a given player has the a before
// it and the b after it.
func weight(a, b int) float64 {
	w := 1 / float64(a+b+1)
	for i := 1; i <= b; i++ {
		w *= float64(i) / float64(a+i)
	}
	return w
}
