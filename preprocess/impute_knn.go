package preprocess

import (
	"context"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// ImputeKNN fills a gap in a number column with the mean of that column over the nearest
// training rows that have it (Troyanskaya and others, Missing value estimation methods for
// DNA microarrays, 2001, doi:10.1093/bioinformatics/17.6.520), as scikit-learn's KNNImputer:
// distance is Euclidean over the columns both rows have, scaled up by columns / columns
// shared. A row that shares nothing with any donor gets the column mean. Of equally distant
// donors the first in training order are taken. Categories pass through untouched.
//
// Columns are not scaled first; put standardise before. The fitted state holds the training
// values, so it must not leave the hospital; Warnings says so.
type ImputeKNN struct {
	Columns   []string `json:"columns,omitempty"` // empty: every number column
	Neighbors int      `json:"n_neighbors"`
	Weights   string   `json:"weights"` // uniform, or distance (1/d)
	Indicator bool     `json:"indicator"`
	Empty     string   `json:"empty"` // a column wholly missing in training: error or drop
}

// DefaultImputeKNN takes five neighbours with equal weights and adds indicators.
func DefaultImputeKNN() *ImputeKNN {
	return &ImputeKNN{Neighbors: 5, Weights: "uniform", Indicator: true, Empty: "error"}
}

// Validate reports every fault at once.
func (s *ImputeKNN) Validate() error {
	var l diag.List
	if s.Neighbors < 1 {
		l.Addf(diag.Invalid, "impute_knn.n_neighbors", "expected at least 1, got %d", s.Neighbors)
	}
	oneOf(&l, "impute_knn.weights", s.Weights, "uniform", "distance")
	oneOf(&l, "impute_knn.empty", s.Empty, "error", "drop")
	return l.Err()
}

type knnImputed struct {
	Fields     []frame.Field `json:"fields"`
	Means      []float64     `json:"means"`
	Train      gappy         `json:"train"` // row-major [rows, len(Fields)]
	Neighbors  int           `json:"n_neighbors"`
	Distance   bool          `json:"distance,omitempty"`
	Indicators []bool        `json:"indicators"`
	Dropped    []frame.Field `json:"dropped,omitempty"`
	Out        frame.Schema  `json:"output"`
}

// Fit keeps the training values of the columns.
func (s *ImputeKNN) Fit(ctx context.Context, train *frame.Frame, _ []bool, _ rng.Stream) (Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cols, err := pick(train, s.Columns, false, frame.Number)
	if err != nil {
		return nil, err
	}
	t := &knnImputed{Neighbors: s.Neighbors, Distance: s.Weights == "distance"}
	if cols, t.Dropped, err = withoutEmpty(cols, s.Empty); err != nil {
		return nil, err
	}
	p := len(cols)
	t.Train = make(gappy, train.Rows()*p)
	for j, c := range cols {
		t.Fields = append(t.Fields, c.Field)
		v := present(c.Numbers())
		t.Means = append(t.Means, total(v)/float64(len(v)))
		t.Indicators = append(t.Indicators, s.Indicator && len(v) < c.Len())
		for i, x := range c.Numbers() {
			t.Train[i*p+j] = x
		}
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

// withoutEmpty splits off the columns wholly missing in training, or refuses them.
func withoutEmpty(cols []frame.Column, policy string) (kept []frame.Column, dropped []frame.Field, err error) {
	var faults diag.List
	for _, c := range cols {
		switch {
		case c.MissingCount() < c.Len():
			kept = append(kept, c)
		case policy == "drop":
			dropped = append(dropped, seenField(c))
		default:
			faults.Add(allMissing(c.Name))
		}
	}
	return kept, dropped, faults.Err()
}

func (t *knnImputed) Output() frame.Schema { return t.Out }

// Apply costs training rows times columns for each row with a gap.
func (t *knnImputed) Apply(ctx context.Context, in *frame.Frame) (*frame.Frame, error) {
	cols, err := needAll(in, t.Fields)
	if err != nil {
		return nil, err
	}
	p := len(t.Fields)
	filled := make([][]float64, p)
	e := newEdit()
	for j, c := range cols {
		filled[j] = slices.Clone(c.Numbers())
		e.set(c.Name, frame.NumberColumn(c.Field, filled[j]))
		if t.Indicators[j] {
			e.tail = append(e.tail, indicator(c))
		}
	}
	row := make([]float64, p)
	dist := make([]float64, len(t.Train)/max(p, 1))
	for i := range in.Rows() {
		gaps := 0
		for j, c := range cols {
			row[j] = c.Numbers()[i]
			if math.IsNaN(row[j]) {
				gaps++
			}
		}
		if gaps == 0 {
			continue
		}
		if i%64 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		t.distances(row, dist)
		for j, x := range row {
			if math.IsNaN(x) {
				filled[j][i] = t.estimate(j, dist)
			}
		}
	}
	for _, f := range t.Dropped {
		e.set(f.Name)
	}
	return e.apply(in)
}

// distances fills dist with the squared nan-Euclidean distance to every training row; NaN
// where nothing is shared.
func (t *knnImputed) distances(row, dist []float64) {
	p := len(row)
	for d := range dist {
		donor := t.Train[d*p : (d+1)*p]
		s, shared := 0.0, 0
		for j, x := range row {
			if diff := x - donor[j]; diff == diff {
				s += diff * diff
				shared++
			}
		}
		if shared == 0 {
			dist[d] = math.NaN()
			continue
		}
		dist[d] = s * float64(p) / float64(shared)
	}
}

// estimate is the (weighted) mean of column j over the nearest donors that have it.
func (t *knnImputed) estimate(j int, dist []float64) float64 {
	type donor struct{ d, v float64 }
	p := len(t.Fields)
	near := make([]donor, 0, min(t.Neighbors, len(dist))+1)
	for i, d := range dist {
		v := t.Train[i*p+j]
		if math.IsNaN(v) || math.IsNaN(d) || len(near) == t.Neighbors && d >= near[len(near)-1].d {
			continue
		}
		at := len(near)
		for at > 0 && near[at-1].d > d {
			at--
		}
		near = slices.Insert(near, at, donor{d, v})
		near = near[:min(len(near), t.Neighbors)]
	}
	if len(near) == 0 {
		return t.Means[j]
	}
	exact := t.Distance && near[0].d == 0 // zero distance takes all the weight, as scikit-learn
	sum, weight := 0.0, 0.0
	for _, n := range near {
		w := 1.0
		switch {
		case exact && n.d > 0:
			w = 0
		case t.Distance && !exact:
			w = 1 / math.Sqrt(n.d)
		}
		sum += w * n.v
		weight += w
	}
	return sum / weight
}

func (t *knnImputed) Warnings() []diag.Warning {
	ws := dropWarnings("column_all_missing", "wholly missing in training, dropped", t.Dropped)
	return append(ws, diag.Warning{Code: "state_holds_values", Msg: "impute_knn: the fitted state holds training values; it must not leave the hospital", Count: 1})
}

func (t *knnImputed) check() error {
	p := len(t.Fields)
	switch {
	case len(t.Means) != p || len(t.Indicators) != p:
		return damaged("means", "expected %d means and indicators, got %d and %d", p, len(t.Means), len(t.Indicators))
	case p > 0 && len(t.Train)%p != 0 || p == 0 && len(t.Train) > 0:
		return damaged("train", "expected whole rows of %d values", p)
	case t.Neighbors < 1:
		return damaged("n_neighbors", "expected at least 1, got %d", t.Neighbors)
	}
	return allNumbers(t.Fields)
}

func allNumbers(fields []frame.Field) error {
	for _, f := range fields {
		if f.Kind != frame.Number {
			return damaged(f.Name, "expected a number column, got a %s", f.Kind)
		}
	}
	return nil
}
