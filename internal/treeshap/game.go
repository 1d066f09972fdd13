package treeshap

import (
	"context"
	"slices"
)

// game is the tables of one game: attributions or interactions, by cover or by background.
type game struct {
	tables [][]table    // by tree and group; nil for a tree that is not in the game
	cubes  [][]leafCube // by tree and large group; nil for none
}

// table is what the leaves of a group contribute, by pattern: number s of the row of pattern p
// is in data[s/4*size+p][s%4] and belongs to output column slots[s].
type table struct {
	slots []int32
	data  [][4]float64
}

// counts gives, for each tree and group, how many of rows background rows have each pattern.
type counts struct {
	rows int
	by   [][][1 << mostBits]float64
}

// build makes the tables of all trees that have groups. Without counts the weights come from
// the covers.
func (x *Explainer) build(ctx context.Context, workers int, pairs bool, c *counts) (*game, error) {
	g := &game{tables: make([][]table, len(x.plans))}
	err := x.eachTree(ctx, workers, func(i int) error {
		p := &x.plans[i]
		if !p.single || pairs && !p.double {
			return nil
		}
		var by [][1 << mostBits]float64
		rows := 0
		if c != nil {
			by, rows = c.by[i], c.rows
		}
		g.tables[i] = new(builder).tables(x, p, pairs, by, rows)
		return nil
	})
	return g, err
}

// builder is the scratch space of one tree's tables.
type builder struct {
	cube cube
	met  [1 << mostBits]uint16
	freq [1 << mostBits]float64
	phi  []float64
	at   []int
}

// tables makes the tables of all groups of p.
func (b *builder) tables(x *Explainer, p *plan, pairs bool, by [][1 << mostBits]float64, rows int) []table {
	all := make([]table, len(p.groups))
	room := p.bytes()
	if pairs {
		room = p.pairBytes()
	}
	arena := make([][4]float64, room/32+1<<mostBits-p.size)
	for k := range p.groups {
		var count *[1 << mostBits]float64
		if by != nil {
			count = &by[k]
		}
		arena = b.table(&all[k], arena, x, p, &p.groups[k], pairs, count, rows)
	}
	return all
}

// table makes the table of one group at the start of arena and returns what follows.
func (b *builder) table(t *table, arena [][4]float64, x *Explainer, p *plan, g *group, pairs bool, count *[1 << mostBits]float64, rows int) [][4]float64 {
	if pairs {
		t.slots = groupPairs(x.pairs, g)
	} else {
		t.slots = g.columns
	}
	t.data = arena
	patterns := 1 << len(g.bits)
	for i := range g.leaves {
		l := &g.leaves[i]
		k := len(l.players)
		for s := range patterns {
			b.met[s] = l.satisfied(uint16(s))
		}
		if count == nil {
			b.cube.product(l.players)
		} else {
			clear(b.freq[:1<<k])
			for s := range patterns {
				b.freq[b.met[s]] += count[s]
			}
			b.cube.frequencies(k, b.freq[:], rows)
		}
		m := k
		if pairs {
			m = k * (k - 1) / 2
		}
		if cap(b.phi) < m<<k {
			b.phi = make([]float64, m<<k)
		}
		phi := b.phi[:m<<k]
		if pairs {
			b.cube.pairs(l.value, phi)
		} else {
			b.cube.values(l.value, phi)
		}
		b.at = slots(b.at[:0], x.pairs, t.slots, l.players, pairs)
		for v, slot := range b.at {
			data := t.data[slot/4*p.size:][:patterns]
			lane := slot % 4
			for s := range data {
				data[s][lane] += phi[int(b.met[s])*m+v]
			}
		}
	}
	return arena[chunks(len(t.slots))*p.size:]
}

// slots returns where in the sorted list the columns (or pairs) of players are.
func slots(at []int, all []pair, list []int32, players []player, pairs bool) []int {
	find := func(v int32) {
		k, _ := slices.BinarySearch(list, v)
		at = append(at, k)
	}
	if !pairs {
		for i := range players {
			find(players[i].column)
		}
		return at
	}
	for j := range players {
		for i := range j {
			find(pairID(all, players[i].column, players[j].column))
		}
	}
	return at
}

// pairID returns the position of the pair of a and b in all.
func pairID(all []pair, a, b int32) int32 {
	k, _ := slices.BinarySearchFunc(all, pair{min(a, b), max(a, b)}, order)
	return int32(k)
}

// groupPairs returns the pairs that share a path of g, as ascending positions in all.
func groupPairs(all []pair, g *group) []int32 {
	var list []int32
	for l := range g.leaves {
		players := g.leaves[l].players
		for j := range players {
			for i := range j {
				id := pairID(all, players[i].column, players[j].column)
				if at, ok := slices.BinarySearch(list, id); !ok {
					list = slices.Insert(list, at, id)
				}
			}
		}
	}
	return list
}
