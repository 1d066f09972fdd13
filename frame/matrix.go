package frame

import (
	"math"

	"dolor/diag"
)

// Matrix is dense and row-major: element (i, j) is Data[i*Cols+j]; rows are patients.
type Matrix struct {
	Rows, Cols int
	Data       []float64 // len Rows*Cols
	Names      []string  // len Cols; may be nil
}

// NewMatrix returns a zero matrix.
func NewMatrix(rows, cols int) Matrix {
	return Matrix{Rows: rows, Cols: cols, Data: make([]float64, rows*cols)}
}

// Row returns row i; it shares storage.
func (m Matrix) Row(i int) []float64 { return m.Data[i*m.Cols : (i+1)*m.Cols] }

// Matrix returns the columns of f as numbers. Every column must be a Number without missing
// values: a Category must have been encoded and a gap imputed before. Errors name the first
// column of each fault, kind Invalid. Cost: one pass over the cells.
func (f *Frame) Matrix() (Matrix, error) {
	m := NewMatrix(f.rows, len(f.cols))
	m.Names = f.Schema().Names()
	var faults diag.List
	for j, c := range f.cols {
		if c.Kind != Number {
			faults.Addf(diag.Invalid, c.Name, "expected a number column, got a %s; encode it first", c.Kind)
			continue
		}
		missing := 0
		for i, v := range c.num {
			if math.IsNaN(v) {
				missing++
			}
			m.Data[i*m.Cols+j] = v
		}
		if missing > 0 {
			faults.Addf(diag.Invalid, c.Name, "expected no missing values, got %d; impute first", missing)
		}
	}
	return m, faults.Err()
}
