package treeshap

import (
	"math/bits"
	"slices"

	"dolor/internal/tree"
)

const (
	// mostBits is the largest number of bits of a pattern with a table, so that it fits a byte.
	mostBits = 8
	// mostCube is the largest number of columns on the path to a leaf for which a background is
	// counted by pattern; a leaf then takes 3 k 2^k additions, about 0.1 ms.
	mostCube = 12
	// mostNodes is the largest tree that is cut into groups.
	mostNodes = 1 << 16
)

// plan is how one tree is read. In a tree with tables each split gives a row one bit (1 is
// left); the tree is cut into groups of neighbouring leaves, and what the leaves of a group
// contribute together depends on a pattern of at most mostBits bits: the columns known from
// the path to the group's root, each satisfied or not, and the splits inside the group.
//
// WOODELF has one table for each leaf. Summing the leaves of a group in one table leaves 16
// table rows of 7 numbers for a full tree of depth 6 instead of 64 of 6.
type plan struct {
	tree   *tree.Tree
	scale  float64
	splits []int32 // node of bit array i
	merges []merge // bit array len(splits)+i: a column that is on a path more than once
	groups []group
	large  []group   // leaves with more than mostBits columns, up to mostCube
	far    []bool    // by node: the topmost nodes whose leaves all have more columns; nil for none
	size   int       // rows of a table: 128 or 256
	deep   *deepTree // how the tree is read without tables

	single, double bool // attributions and interactions come from tables
}

// merge is the conjunction of two bit arrays, each complemented when its flag is 1.
type merge struct {
	a, b       int32
	notA, notB uint8
}

// group is some leaves whose contributions are summed in one table.
type group struct {
	node    int32   // the root
	bits    []int32 // bit array of each bit of the pattern
	leaves  []leaf
	columns []int32 // columns that the group's leaves depend on, ascending
}

// leaf is a term of the score: value when every player's column is satisfied.
type leaf struct {
	value   float64 // scaled
	players []player
}

// player is a column on the path to a leaf. It is satisfied when pattern & mask == want.
type player struct {
	column     int32
	mask, want uint16
	share      float64 // product of the covers' shares along its splits
}

// known is a column of the path to a group.
type known struct {
	column int32
	array  int32 // bit array
	not    uint8 // 1 when the column is satisfied by a bit that is 0
	share  float64
}

// compile chooses how the tree is read; tables of attributions and of interactions may take up
// to single and double bytes.
func (p *plan) compile(single, double int, tables bool) {
	p.deep = newDeep(p.tree, p.scale)
	if !tables || len(p.tree.Nodes) > mostNodes {
		return
	}
	limit := min(max(mostBits-1, p.deep.most), mostBits)
	p.size = 1 << limit
	p.cut(limit)
	p.single = p.deep.most <= mostBits && p.bytes() <= single
	p.double = p.single && p.pairBytes() <= double
}

// counted reports whether a background is counted by pattern, at least for some leaves.
func (p *plan) counted() bool { return len(p.groups)+len(p.large) > 0 }

// cut makes groups of patterns of at most limit bits, and groups of their own for leaves that
// need more.
func (p *plan) cut(limit int) {
	inside := make([]int, len(p.tree.Nodes)) // splits at and under a node
	array := make([]int32, len(p.tree.Nodes))
	for k := len(p.tree.Nodes) - 1; k >= 0; k-- {
		if n := &p.tree.Nodes[k]; !n.IsLeaf() {
			inside[k] = 1 + inside[n.Left] + inside[n.Right]
		}
	}
	for k := range p.tree.Nodes {
		if !p.tree.Nodes[k].IsLeaf() {
			array[k] = int32(len(p.splits))
			p.splits = append(p.splits, int32(k))
		}
	}
	type work struct {
		node int32
		path []known
	}
	stack := []work{{}}
	for len(stack) > 0 {
		w := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n := &p.tree.Nodes[w.node]
		if len(w.path)+inside[w.node] <= limit {
			p.groups = append(p.groups, p.group(w.node, w.path, array))
			continue
		}
		if len(w.path) > mostCube {
			if p.far == nil {
				p.far = make([]bool, len(p.tree.Nodes))
			}
			p.far[w.node] = true
			continue
		}
		if n.IsLeaf() {
			p.large = append(p.large, p.group(w.node, w.path, array))
			continue
		}
		l, r := shares(p.tree, n)
		stack = append(stack,
			work{n.Right, p.step(w.path, n.Feature, array[w.node], 1, r)},
			work{n.Left, p.step(w.path, n.Feature, array[w.node], 0, l)})
	}
}

// beyond returns the nodes that have leaves with more than most columns under them, or nil when
// there are none.
func (p *plan) beyond(most int) []bool {
	far := slices.Clone(p.far)
	for k := range p.large {
		if g := &p.large[k]; len(g.bits) > most {
			if far == nil {
				far = make([]bool, len(p.tree.Nodes))
			}
			far[g.node] = true
		}
	}
	for k := range far {
		if n := &p.tree.Nodes[k]; far[k] && !n.IsLeaf() {
			far[n.Left], far[n.Right] = true, true
		}
	}
	for k := len(far) - 1; k >= 0; k-- {
		if n := &p.tree.Nodes[k]; !n.IsLeaf() {
			far[k] = far[n.Left] || far[n.Right]
		}
	}
	return far
}

// step returns path after a split on column whose bit is in array.
func (p *plan) step(path []known, column, array int32, not uint8, share float64) []known {
	next := slices.Clone(path)
	for i := range next {
		if k := &next[i]; k.column == column {
			p.merges = append(p.merges, merge{k.array, array, k.not, not})
			*k = known{column, int32(len(p.splits) + len(p.merges) - 1), 0, k.share * share}
			return next
		}
	}
	return append(next, known{column, array, not, share})
}

// group makes the group of all leaves under node.
func (p *plan) group(node int32, path []known, array []int32) group {
	g := group{node: node}
	first := make([]player, len(path))
	for j, k := range path {
		g.bits = append(g.bits, k.array)
		bit := uint16(1) << j
		first[j] = player{k.column, bit, bit * uint16(1-k.not), k.share}
	}
	type work struct {
		node    int32
		players []player
	}
	stack := []work{{node, first}}
	for len(stack) > 0 {
		w := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n := &p.tree.Nodes[w.node]
		if n.IsLeaf() {
			g.leaves = append(g.leaves, leaf{p.scale * float64(n.Value), w.players})
			for _, q := range w.players {
				if at, ok := slices.BinarySearch(g.columns, q.column); !ok {
					g.columns = slices.Insert(g.columns, at, q.column)
				}
			}
			continue
		}
		bit := uint16(1) << len(g.bits)
		g.bits = append(g.bits, array[w.node])
		l, r := shares(p.tree, n)
		stack = append(stack,
			work{n.Right, join(w.players, player{n.Feature, bit, 0, r})},
			work{n.Left, join(w.players, player{n.Feature, bit, bit, l})})
	}
	return g
}

// join adds a condition to players.
func join(players []player, q player) []player {
	next := slices.Clone(players)
	for i := range next {
		if k := &next[i]; k.column == q.column {
			k.mask |= q.mask
			k.want |= q.want
			k.share *= q.share
			return next
		}
	}
	return append(next, q)
}

// satisfied returns the players of l that pattern g satisfies, player i as bit i.
func (l *leaf) satisfied(g uint16) uint16 {
	var s uint16
	for i := range l.players {
		if q := &l.players[i]; g&q.mask == q.want {
			s |= 1 << i
		}
	}
	return s
}

// bytes returns the memory of the plan's tables of attributions.
func (p *plan) bytes() int {
	n := 0
	for i := range p.groups {
		n += chunks(len(p.groups[i].columns)) * p.size * 32
	}
	return n
}

// pairBytes returns the memory of the plan's tables of interactions.
func (p *plan) pairBytes() int {
	n := 0
	for i := range p.groups {
		k := len(p.groups[i].columns)
		n += chunks(k*(k-1)/2) * p.size * 32
	}
	return n
}

// pair is two columns, the lower first.
type pair struct{ a, b int32 }

// usedPairs returns the pairs of columns on one path of a tree whose interactions come from
// tables, ascending.
func usedPairs(plans []plan) []pair {
	seen := map[pair]struct{}{}
	for i := range plans {
		if !plans[i].double {
			continue
		}
		for k := range plans[i].groups {
			for l := range plans[i].groups[k].leaves {
				players := plans[i].groups[k].leaves[l].players
				for u := range players {
					for v := range u {
						a, b := players[u].column, players[v].column
						seen[pair{min(a, b), max(a, b)}] = struct{}{}
					}
				}
			}
		}
	}
	all := make([]pair, 0, len(seen))
	for p := range seen {
		all = append(all, p)
	}
	slices.SortFunc(all, order)
	return all
}

func order(p, q pair) int {
	if p.a != q.a {
		return int(p.a) - int(q.a)
	}
	return int(p.b) - int(q.b)
}

// chunks returns how many vectors of four hold n numbers.
func chunks(n int) int { return (n + 3) / 4 }

func ones(s int) int { return bits.OnesCount(uint(s)) }
