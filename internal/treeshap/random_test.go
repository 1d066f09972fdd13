package treeshap_test

import (
	"math"
	"math/rand/v2"

	"dolor/internal/tree"
)

// shape says what random ensembles look like.
type shape struct {
	columns, trees, depth int
	stop                  float64 // chance that a node above depth is a leaf
	noCover               float64 // chance that a node has no cover
	dart                  bool
}

const levels = 70 // categories of the odd columns

// randomEnsemble draws an ensemble; odd columns are categories.
func randomEnsemble(r *rand.Rand, s shape) *tree.Ensemble {
	e := &tree.Ensemble{Base: float32(r.NormFloat64())}
	for j := range s.columns {
		e.Features = append(e.Features, tree.Feature{Name: string(rune('a' + j)), Levels: levels * (j % 2)})
	}
	for range s.trees {
		e.Trees = append(e.Trees, randomTree(r, s))
		if s.dart {
			e.Scale = append(e.Scale, float32(r.Float64()))
		}
	}
	return e
}

func randomTree(r *rand.Rand, s shape) tree.Tree {
	var t tree.Tree
	t.Nodes = []tree.Node{{Left: tree.Leaf, Parent: -1, Cover: 100}}
	depth := []int{0}
	for k := 0; k < len(t.Nodes); k++ {
		if depth[k] >= s.depth || r.Float64() < s.stop {
			t.Nodes[k].Left, t.Nodes[k].Right = tree.Leaf, tree.Leaf
			t.Nodes[k].Value = float32(r.NormFloat64())
			continue
		}
		n := &t.Nodes[k]
		n.Feature = int32(r.IntN(s.columns))
		n.DefaultLeft = r.IntN(2) == 0
		if n.Feature%2 == 0 {
			n.Threshold = float32(r.IntN(9)) - 4
		} else {
			t.Sets = append(t.Sets, []uint64{r.Uint64(), r.Uint64()})
			n.Set = int32(len(t.Sets))
		}
		n.Left, n.Right = int32(len(t.Nodes)), int32(len(t.Nodes)+1)
		part := float32(r.Float64())
		covers := [2]float32{n.Cover * part, n.Cover * (1 - part)}
		for i := range covers {
			if r.Float64() < s.noCover {
				covers[i] = 0
			}
			t.Nodes = append(t.Nodes, tree.Node{Parent: int32(k), Cover: covers[i]})
			depth = append(depth, depth[k]+1)
		}
	}
	return t
}

// randomTable draws rows with values on thresholds, missing values and unseen categories.
func randomTable(r *rand.Rand, columns, rows int) *tree.Table {
	t := &tree.Table{Rows: rows}
	for j := range columns {
		c := tree.Column{Values: make([]float32, rows)}
		for i := range c.Values {
			switch {
			case r.Float64() < 0.15:
				c.Values[i] = tree.Missing
			case j%2 == 0:
				c.Values[i] = float32(r.IntN(9)) - 4
			default:
				c.Values[i] = float32(r.IntN(levels))
			}
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

func rowOf(t *tree.Table, i int) []float32 {
	row := make([]float32, len(t.Columns))
	for j := range row {
		row[j] = t.Columns[j].Values[i]
	}
	return row
}

func scale(e *tree.Ensemble, i int) float64 {
	if e.Scale == nil {
		return 1
	}
	return float64(e.Scale[i])
}

// margin is the float64 sum of the leaves that row reaches.
func margin(e *tree.Ensemble, row []float32) float64 {
	sum := float64(e.Base)
	for i := range e.Trees {
		t := &e.Trees[i]
		sum += scale(e, i) * float64(t.Nodes[t.LeafOf(row)].Value)
	}
	return sum
}

// expected is the score when the columns in known are known and the others follow covers.
func expected(e *tree.Ensemble, row []float32, known uint) float64 {
	sum := float64(e.Base)
	for i := range e.Trees {
		sum += scale(e, i) * expectedTree(&e.Trees[i], 0, row, known)
	}
	return sum
}

func expectedTree(t *tree.Tree, k int32, row []float32, known uint) float64 {
	n := &t.Nodes[k]
	if n.IsLeaf() {
		return float64(n.Value)
	}
	if known>>n.Feature&1 == 1 {
		return expectedTree(t, t.Next(n, row[n.Feature]), row, known)
	}
	l, r := float64(t.Nodes[n.Left].Cover), float64(t.Nodes[n.Right].Cover)
	if l+r == 0 {
		l, r = 1, 1
	}
	return (l*expectedTree(t, n.Left, row, known) + r*expectedTree(t, n.Right, row, known)) / (l + r)
}

// mixed is the mean score of rows that take the known columns from row and the others from ground.
func mixed(e *tree.Ensemble, row []float32, ground *tree.Table, known uint) float64 {
	sum := 0.0
	for b := range ground.Rows {
		m := rowOf(ground, b)
		for j := range m {
			if known>>j&1 == 1 {
				m[j] = row[j]
			}
		}
		sum += margin(e, m)
	}
	return sum / float64(ground.Rows)
}

func factorial(n int) float64 { return math.Gamma(float64(n + 1)) }

// bruteForce gives Shapley values and interaction values of the game v of n players from their
// definition, with all 2^n coalitions.
func bruteForce(n int, v func(known uint) float64) (phi, pairs []float64) {
	worth := make([]float64, 1<<n)
	for s := range worth {
		worth[s] = v(uint(s))
	}
	phi, pairs = make([]float64, n), make([]float64, n*n)
	for i := range n {
		for s := range worth {
			if s>>i&1 == 1 {
				continue
			}
			size := 0
			for j := range n {
				size += s >> j & 1
			}
			w := factorial(size) * factorial(n-size-1) / factorial(n)
			phi[i] += w * (worth[s|1<<i] - worth[s])
			for j := range n {
				if j == i || s>>j&1 == 1 {
					continue
				}
				w2 := factorial(size) * factorial(n-size-2) / (2 * factorial(n-1))
				pairs[i*n+j] += w2 * (worth[s|1<<i|1<<j] - worth[s|1<<i] - worth[s|1<<j] + worth[s])
			}
		}
	}
	for i := range n {
		pairs[i*n+i] = phi[i]
		for j := range n {
			if j != i {
				pairs[i*n+i] -= pairs[i*n+j]
			}
		}
	}
	return phi, pairs
}
