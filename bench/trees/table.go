package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"dolor/frame"
	"dolor/rng"
)

// cols is the number of predictors.
const cols = 50

// write makes rows from the truth below. Every number is a float32, so that all sides train on
// the same values. A cell is missing with probability 0.05, whatever its value.
func write(path string, rows int, seed uint64) error {
	r := rng.New(seed).Child("trees").Rand()
	x := make([][]float64, cols)
	for j := range x {
		x[j] = make([]float64, rows)
	}
	y := make([]float64, rows)
	row := make([]float64, cols)
	for i := range rows {
		for j := range row {
			row[j] = cell(j, r)
		}
		if r.Float64() < 1/(1+math.Exp(-truth(row))) {
			y[i] = 1
		}
		for j, v := range row {
			x[j][i] = v
			if r.Float64() < 0.05 {
				x[j][i] = math.NaN()
			}
		}
	}
	columns := make([]frame.Column, 0, cols+1)
	for j, v := range x {
		columns = append(columns, frame.NumberColumn(frame.Field{Name: fmt.Sprintf("x%d", j)}, v))
	}
	columns = append(columns, frame.NumberColumn(frame.Field{Name: "y"}, y))
	f, err := frame.New(rows, columns...)
	if err != nil {
		return err
	}
	return f.WriteParquet(path)
}

// cell draws predictor j: bell-shaped, skewed, a score of 0 to 10, a rarely positive flag or a
// wide uniform, ten columns each.
func cell(j int, r *rand.Rand) float64 {
	v := 0.0
	switch j % 5 {
	case 0:
		v = r.NormFloat64()
	case 1:
		v = math.Exp(r.NormFloat64())
	case 2:
		v = float64(r.IntN(11))
	case 3:
		if r.Float64() < 0.15 {
			v = 1
		}
	case 4:
		v = 1000 * r.Float64()
	}
	return float64(float32(v))
}

// truth is the log-odds: steps, a hump, products and an exclusive or over 12 of the columns.
func truth(x []float64) float64 {
	s := -1.1 + 0.8*x[0] + 0.7*math.Log(x[1]) + 0.5*x[5]*x[10]
	if x[2] >= 7 {
		s += 0.9
	}
	s += 0.8 * x[3] * (x[7] - 5) / 5
	if (x[4] > 500) != (x[9] > 300) {
		s += 0.7
	}
	s -= 0.6 * math.Min(x[6], 3) * math.Max(0, x[15])
	s += math.Sin(x[14]/150) - 0.4*x[20]*x[20]
	return s
}
