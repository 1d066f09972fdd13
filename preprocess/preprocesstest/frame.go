package preprocesstest

import (
	"encoding/json"
	"math"
	"strconv"

	"dolor/frame"
	"dolor/rng"
)

// Frame returns a simulated mixed table: numbers with and without gaps, a constant, two
// correlated columns, categories with gaps and rare levels, an ordered category and a text
// identifier. The first rows have no gap. Same n and seed give the same frame.
func Frame(n int, seed uint64) *frame.Frame {
	r := rng.New(seed).Child("preprocesstest").Rand()
	age, pain, crp, dose, twin, same := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	sex, site, stage, id := make([]int32, n), make([]int32, n), make([]int32, n), make([]string, n)
	for i := range n {
		age[i] = math.Round(60 + 12*r.NormFloat64())
		pain[i] = float64(r.IntN(11))
		crp[i] = math.Exp(1 + r.NormFloat64() + pain[i]/10)
		dose[i] = 10 + 3*pain[i] + 5*r.NormFloat64()
		twin[i] = dose[i] + 0.1*r.NormFloat64()
		same[i] = 7
		sex[i], stage[i], site[i] = int32(r.IntN(2)), int32(r.IntN(4)), int32(r.IntN(3))
		if r.Float64() < 0.05 {
			site[i] = 3
		}
		id[i] = "p" + strconv.Itoa(i)
		gap := func(share float64) bool { return r.Float64() < share && i >= 5 }
		if gap(0.1) {
			age[i] = math.NaN()
		}
		if gap(0.2) {
			crp[i] = math.NaN()
		}
		if gap(0.1) {
			twin[i] = math.NaN()
		}
		if gap(0.1) {
			sex[i] = -1
		}
		if gap(0.2) {
			site[i] = -1
		}
	}
	num := func(name, unit string, v []float64) frame.Column {
		return frame.NumberColumn(frame.Field{Name: name, Modality: frame.Clinical, Unit: unit}, v)
	}
	f, err := frame.New(n, frame.TextColumn(frame.Field{Name: "id"}, id, nil),
		num("age", "a", age), num("pain", "", pain), num("crp", "mg/L", crp), num("dose", "mg", dose), num("twin", "mg", twin), num("same", "", same),
		frame.CategoryColumn(frame.Field{Name: "sex", Modality: frame.Clinical, Levels: []string{"M", "F"}}, sex),
		frame.CategoryColumn(frame.Field{Name: "site", Modality: frame.Clinical, Levels: []string{"lung", "breast", "prostate", "other"}}, site),
		frame.CategoryColumn(frame.Field{Name: "stage", Modality: frame.Clinical, Levels: []string{"I", "II", "III", "IV"}, Ordered: true}, stage))
	if err != nil {
		panic("preprocesstest: " + err.Error()) // only a fault of this function
	}
	return f
}

// withExtraLevel adds to every category a level no row has, and moves the codes about.
func withExtraLevel(f *frame.Frame) *frame.Frame {
	cols := make([]frame.Column, f.Cols())
	for j := range cols {
		c := f.At(j)
		if c.Kind == frame.Category {
			field := c.Field
			field.Levels = append([]string{"never met"}, c.Levels...)
			codes := make([]int32, c.Len())
			for i, k := range c.Codes() {
				codes[i] = k
				if k >= 0 {
					codes[i] = k + 1
				}
			}
			c = frame.CategoryColumn(field, codes)
		}
		cols[j] = c
	}
	out, err := frame.New(f.Rows(), cols...)
	if err != nil {
		panic("preprocesstest: " + err.Error()) // only a fault of this function
	}
	return out
}

// Bytes writes a frame's schema and cells, numbers by their bits, so that equal bytes mean
// equal frames.
func Bytes(f *frame.Frame) []byte {
	b, err := json.Marshal(f.Schema())
	if err != nil {
		panic("preprocesstest: " + err.Error()) // a schema is plain data
	}
	for j := range f.Cols() {
		c := f.At(j)
		for i := range f.Rows() {
			if v := c.Numbers(); v != nil && !c.IsMissing(i) {
				b = strconv.AppendUint(b, math.Float64bits(v[i]), 16)
			} else if s, ok := c.String(i); ok {
				b = strconv.AppendQuote(b, s)
			}
			b = append(b, '|')
		}
	}
	return b
}
