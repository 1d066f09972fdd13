package explain

import (
	"dolor/frame"
)

// pool averages attributions by model column over members, whose columns may differ: a column
// that a member does not have counts 0 there.
type pool struct {
	rows   int
	at     map[string]int
	names  []string
	parent []string
	phi    [][]float64 // by column
}

func newPool(rows int) *pool { return &pool{rows: rows, at: make(map[string]int)} }

// add adds share times phi, whose columns are described in s.
func (p *pool) add(phi frame.Matrix, s frame.Schema, share float64) {
	parent := make(map[string]string, len(s))
	for _, f := range s {
		parent[f.Name] = f.Source()
	}
	for j, name := range phi.Names {
		k, ok := p.at[name]
		if !ok {
			k = len(p.names)
			p.at[name] = k
			from, known := parent[name]
			if !known {
				from = name
			}
			p.names, p.parent = append(p.names, name), append(p.parent, from)
			p.phi = append(p.phi, make([]float64, p.rows))
		}
		for i := range p.rows {
			p.phi[k][i] += float64(share * phi.Data[i*phi.Cols+j])
		}
	}
}

func (p *pool) matrix() (frame.Matrix, []string) {
	m := frame.NewMatrix(p.rows, len(p.names))
	m.Names = p.names
	for k, col := range p.phi {
		for i, v := range col {
			m.Data[i*m.Cols+k] = v
		}
	}
	return m, p.parent
}

// sumToPredictors fills Phi with the sums of Columns by raw predictor, in the order of schema.
// A predictor without a column (constant, dropped) has 0 everywhere. Columns that derive from
// none of them keep their own name, at the end.
func (a *Attributions) sumToPredictors(schema frame.Schema) {
	at := make(map[string]int, len(schema))
	var names []string
	place := func(name string) {
		if _, ok := at[name]; !ok {
			at[name] = len(names)
			names = append(names, name)
		}
	}
	for _, f := range schema {
		place(f.Name)
	}
	for _, p := range a.Parent {
		place(p)
	}
	a.Phi = frame.NewMatrix(a.Columns.Rows, len(names))
	a.Phi.Names = names
	for i := range a.Phi.Rows {
		row := a.Phi.Row(i)
		for k, v := range a.Columns.Row(i) {
			row[at[a.Parent[k]]] += v
		}
	}
}
