package tree

import "slices"

// ColumnSet is a set of columns, as bits.
type ColumnSet []uint64

// Has reports whether column j is in the set.
func (s ColumnSet) Has(j int32) bool {
	return int(j>>6) < len(s) && s[j>>6]>>(j&63)&1 != 0
}

// With returns a copy of the set with column j in it.
func (s ColumnSet) With(j int32) ColumnSet {
	out := make(ColumnSet, max(len(s), int(j>>6)+1))
	copy(out, s)
	out[j>>6] |= 1 << (j & 63)
	return out
}

// Within reports whether every column of s is in t.
func (s ColumnSet) Within(t ColumnSet) bool {
	for k, b := range s {
		if k >= len(t) {
			if b != 0 {
				return false
			}
		} else if b&^t[k] != 0 {
			return false
		}
	}
	return true
}

// Interactions holds the sets of columns that may meet on a path, as XGBoost's
// interaction_constraints: at the root every column is allowed; below a path that splits on
// some columns, these are, and those of each set that contains all of them.
type Interactions struct{ sets []ColumnSet }

// NewInteractions returns nil, which allows everything, when sets is empty.
func NewInteractions(sets [][]int32) *Interactions {
	if len(sets) == 0 {
		return nil
	}
	in := &Interactions{make([]ColumnSet, len(sets))}
	for i, set := range sets {
		for _, j := range set {
			in.sets[i] = in.sets[i].With(j)
		}
	}
	return in
}

// Allowed returns the columns allowed below a path that splits on those in path. Nil means
// every column.
func (in *Interactions) Allowed(path ColumnSet) ColumnSet {
	if in == nil || len(path) == 0 {
		return nil
	}
	out := slices.Clone(path)
	for _, set := range in.sets {
		if !path.Within(set) {
			continue
		}
		for len(out) < len(set) {
			out = append(out, 0)
		}
		for k, b := range set {
			out[k] |= b
		}
	}
	return out
}

// Filter returns the columns that s has, in their order; all of them when s is nil.
func (s ColumnSet) Filter(columns []int32) []int32 {
	if s == nil {
		return columns
	}
	out := make([]int32, 0, len(columns))
	for _, j := range columns {
		if s.Has(j) {
			out = append(out, j)
		}
	}
	return out
}
