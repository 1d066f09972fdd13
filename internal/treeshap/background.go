package treeshap

import (
	"context"
	"sync"

	"dolor/diag"
	"dolor/internal/tree"
)

// BackgroundExplainer attributes scores against the average row of a background table. It is
// safe for concurrent use and must not outlive changes to the table.
type BackgroundExplainer struct {
	x      *Explainer
	table  *tree.Table
	rows   []float32 // the table by row
	most   int       // columns on the path to a leaf up to which rows are counted by pattern
	far    [][]bool  // by tree and node: leaves with more columns are under it; nil for none
	counts *counts
	single *game
	base   float64

	mu      sync.Mutex
	doubles *game
}

// Interventional prepares attributions against the rows of background, all with the same
// weight: the columns that are not known take their values from a background row, together,
// whatever the known ones are (Lundberg et al. 2020; Janzing, Minorics and Bloebaum 2020,
// arXiv:1910.13413). background must have the ensemble's columns and at least one row (Missing
// or Invalid otherwise). The cost is that of attributing background.Rows rows and of making the
// tables. Leaves with more than 8 columns on their path are counted by pattern too while that
// pays for the size of the background (12 columns at most); for those with more, every row is
// compared with every background row, which is what interactions of such trees always do.
func (x *Explainer) Interventional(ctx context.Context, background *tree.Table, workers int) (*BackgroundExplainer, error) {
	if err := x.accepts(background); err != nil {
		return nil, err
	}
	if background.Rows == 0 {
		return nil, diag.Errorf(diag.Missing, "background", "expected at least one row, got none")
	}
	b := &BackgroundExplainer{x: x, table: background, most: mostCounted(background.Rows), far: make([][]bool, len(x.plans))}
	for r := range background.Rows {
		for j := range background.Columns {
			b.rows = append(b.rows, background.Columns[j].Values[r])
		}
	}
	b.counts = &counts{rows: background.Rows, by: make([][][1 << mostBits]float64, len(x.plans))}
	base := make([]float64, len(x.plans))
	err := x.eachTree(ctx, workers, func(i int) error {
		p := &x.plans[i]
		base[i] = p.mean(background)
		b.far[i] = p.beyond(b.most)
		if p.single {
			b.counts.by[i] = p.count(background)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.base = float64(x.ensemble.Base)
	for _, v := range base {
		b.base += v
	}
	b.single, err = x.build(ctx, workers, false, b.counts)
	return b, err
}

// mostCounted returns the largest number of columns k on a path for which counting rows
// background rows by pattern, 3 k 2^k additions, is cheaper than comparing 200 rows with each of
// them: a fraction (3/4)^k of the pairs reaches a leaf, at about fifty times the cost of an
// addition. It depends on the background, not on the rows that are explained, so that a row has
// the same attributions alone and in a batch.
func mostCounted(rows int) int {
	reach := 10000 * float64(rows)
	for range mostBits {
		reach *= 0.75
	}
	k := mostBits
	for k < mostCube {
		reach *= 0.75
		if float64(3*(k+1)*(2<<k)) > reach {
			break
		}
		k++
	}
	return k
}

// mean returns the mean of what the tree adds to the score of the rows of t.
func (p *plan) mean(t *tree.Table) float64 {
	sum := 0.0
	for r := range t.Rows {
		n := &p.tree.Nodes[0]
		for !n.IsLeaf() {
			n = &p.tree.Nodes[p.tree.Next(n, t.Columns[n.Feature].Values[r])]
		}
		sum += float64(n.Value)
	}
	return p.scale * sum / float64(t.Rows)
}

// count returns how many rows of t have each pattern, by group.
func (p *plan) count(t *tree.Table) [][1 << mostBits]float64 {
	by := make([][1 << mostBits]float64, len(p.groups))
	stride := blockRows(0, t.Rows)
	var s space
	for lo := 0; lo < t.Rows; lo += stride {
		hi := min(lo+stride, t.Rows)
		p.decide(&s, t, lo, hi, stride)
		for k := range p.groups {
			p.groups[k].read(&s, stride)
			for _, v := range s.pattern[:hi-lo] {
				by[k][v]++
			}
		}
	}
	return by
}

// Base returns the mean score of the background.
func (b *BackgroundExplainer) Base() float64 { return b.base }

// Values returns the interventional attributions [rows, Columns] of the rows of t, in dst when
// it is long enough, and the base. The table is as in [Explainer.PathDependent].
func (b *BackgroundExplainer) Values(ctx context.Context, t *tree.Table, workers int, dst []float64) (phi []float64, base float64, err error) {
	if err := b.x.accepts(t); err != nil {
		return nil, 0, err
	}
	phi = sized(dst, t.Rows*b.x.Columns())
	return phi, b.base, b.x.singles(ctx, t, workers, phi, b.single, b)
}

// Interactions returns the interventional interaction values [rows, Columns, Columns] of the
// rows of t, arranged as in [Explainer.Interactions].
func (b *BackgroundExplainer) Interactions(ctx context.Context, t *tree.Table, workers int, dst []float64) (phi []float64, base float64, err error) {
	if err := b.x.accepts(t); err != nil {
		return nil, 0, err
	}
	double, err := b.pairs(ctx, workers)
	if err != nil {
		return nil, 0, err
	}
	phi, err = b.x.matrices(ctx, t, workers, dst, b.single, double, b)
	return phi, b.base, err
}

// pairs returns the tables of the interactions, and builds them on first use.
func (b *BackgroundExplainer) pairs(ctx context.Context, workers int) (*game, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.doubles == nil {
		g, err := b.x.build(ctx, workers, true, b.counts)
		if err != nil {
			return nil, err
		}
		b.doubles = g
	}
	return b.doubles, nil
}
