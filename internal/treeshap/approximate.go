package treeshap

import (
	"context"

	"dolor/internal/par"
	"dolor/internal/tree"
)

// Approximate returns the contributions [rows, Columns] of Saabas (Interpreting random forests,
// 2014; XGBoost's approx_contribs): along the path of a row every split gives its column the change
// of the expected leaf value. They add up as the attributions do, but favour splits far from
// the root. The table is as in [Explainer.PathDependent].
func (x *Explainer) Approximate(ctx context.Context, t *tree.Table, workers int, dst []float64) (phi []float64, base float64, err error) {
	if err := x.accepts(t); err != nil {
		return nil, 0, err
	}
	columns := x.Columns()
	phi = sized(dst, t.Rows*columns)
	err = par.For(ctx, (t.Rows+mostRows-1)/mostRows, workers, func(_ context.Context, b int) error {
		for r := b * mostRows; r < min((b+1)*mostRows, t.Rows); r++ {
			row := phi[r*columns:][:columns]
			for i := range x.plans {
				p, means := &x.plans[i], x.means[i]
				for k := int32(0); !p.tree.Nodes[k].IsLeaf(); {
					n := &p.tree.Nodes[k]
					next := p.tree.Next(n, t.Columns[n.Feature].Values[r])
					row[n.Feature] += float64(p.scale * (means[next] - means[k]))
					k = next
				}
			}
		}
		return nil
	})
	return phi, x.base, err
}
