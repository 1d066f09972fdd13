package hypo

import "math"

// ChiSquare is Pearson's test of independence.
type ChiSquare struct {
	Result
	Expected [][]float64
	CramersV float64
	Yates    Result // with Yates' continuity correction, 2 x 2 only, else NaN
}

// ChiSquareTest tests a table of counts, rows by columns. An empty margin makes it NaN.
func ChiSquareTest(table [][]float64) ChiSquare {
	rows, cols, n := margins(table)
	out := ChiSquare{Result: nothing(), CramersV: math.NaN(), Yates: nothing()}
	if len(rows) < 2 || len(cols) < 2 || !(n > 0) {
		return out
	}
	square, x2 := len(rows) == 2 && len(cols) == 2, 0.0
	correction := 0.5
	for i := range rows {
		out.Expected = append(out.Expected, make([]float64, len(cols)))
		for j := range cols {
			e := rows[i] * cols[j] / n
			out.Expected[i][j] = e
			d := math.Abs(table[i][j] - e)
			x2 += d * d / e
			correction = min(correction, d)
		}
	}
	df := float64((len(rows) - 1) * (len(cols) - 1))
	out.Result = Result{x2, df, chiSquareP(x2, df)}
	out.CramersV = math.Sqrt(x2 / (n * float64(min(len(rows), len(cols))-1)))
	if square {
		c := 0.0
		for i := range rows {
			for j := range cols {
				d := math.Abs(table[i][j]-out.Expected[i][j]) - correction
				c += d * d / out.Expected[i][j]
			}
		}
		out.Yates = Result{c, 1, chiSquareP(c, 1)}
	}
	return out
}

func margins(table [][]float64) (rows, cols []float64, n float64) {
	if len(table) == 0 {
		return nil, nil, 0
	}
	rows, cols = make([]float64, len(table)), make([]float64, len(table[0]))
	for i, r := range table {
		for j, v := range r {
			rows[i] += v
			cols[j] += v
			n += v
		}
	}
	return rows, cols, n
}
