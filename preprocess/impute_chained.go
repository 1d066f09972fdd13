package preprocess

import (
	"cmp"
	"context"
	"math"
	"slices"

	"dolor/diag"
	"dolor/frame"
	"dolor/rng"
)

// ImputeChained fills gaps by chained equations: every variable in turn is regressed on all
// others, completed, for several rounds.
//
// Method bayesian_ridge is deterministic and follows scikit-learn's IterativeImputer with
// BayesianRidge (MacKay 1992, doi:10.1162/neco.1992.4.3.415), its order, its initial fill
// and its tolerance; every round's regressions are replayed on new rows. Method pmm is
// predictive mean matching (van Buuren, Flexible Imputation of Missing Data, 2nd edition
// 2018, doi:10.1201/9780429492259, algorithm 3.3): a Bayesian draw of the coefficients,
// type 1 matching, one of the nearest donors' observed values; the regressions and donors of
// the last round are kept and run over new rows as many rounds.
//
// Categories enter the regressions as 0/1 columns less the first level and start from the
// commonest level. As targets they are regressed level by level: bayesian_ridge takes the
// level with the largest prediction (ties: the first), pmm takes the level of a donor near
// in all predictions at once (Euclidean). mice would use logistic models there.
//
// Where pmm must choose among donors the choice is a hash of the fitted key, the round, the
// column and the row's observed values, not a running generator: a row's imputation depends
// on that row and the fitted state only, rows alike in everything get the same values, and
// predicting a subset gives the subset. The outcome is not used. Fitting costs rounds x
// variables x (rows x columns^2 + columns^3). The state of pmm holds observed values.
type ImputeChained struct {
	Columns   []string `json:"columns,omitempty"` // empty: every number and category column
	Method    string   `json:"method"`            // bayesian_ridge or pmm
	MaxIter   int      `json:"max_iter"`          // rounds
	Tol       float64  `json:"tol"`               // bayesian_ridge stops when no row moves more than tol times the largest value
	Initial   string   `json:"initial_strategy"`  // of numbers: mean, median or mode
	Order     string   `json:"imputation_order"`  // by training gaps: ascending, descending; by position: roman, arabic
	Donors    int      `json:"donors"`            // pmm
	MaxDonors int      `json:"max_donors"`        // pmm: a random sample of donors when there are more
	Indicator bool     `json:"indicator"`
	Empty     string   `json:"empty"` // a column wholly missing in training: error or drop
}

// DefaultImputeChained is scikit-learn's IterativeImputer, with indicators; five donors of
// at most 10,000 for pmm.
func DefaultImputeChained() *ImputeChained {
	return &ImputeChained{
		Method: "bayesian_ridge", MaxIter: 10, Tol: 1e-3, Initial: "mean", Order: "ascending",
		Donors: 5, MaxDonors: 10000, Indicator: true, Empty: "error",
	}
}

// Validate reports every fault at once.
func (s *ImputeChained) Validate() error {
	var l diag.List
	oneOf(&l, "impute_chained.method", s.Method, "bayesian_ridge", "pmm")
	oneOf(&l, "impute_chained.initial_strategy", s.Initial, "mean", "median", "mode")
	oneOf(&l, "impute_chained.imputation_order", s.Order, "ascending", "descending", "roman", "arabic")
	oneOf(&l, "impute_chained.empty", s.Empty, "error", "drop")
	if s.MaxIter < 0 || s.MaxIter > maxRounds {
		l.Addf(diag.Invalid, "impute_chained.max_iter", "expected 0 to %d, got %d", maxRounds, s.MaxIter)
	}
	if !(s.Tol >= 0) {
		l.Addf(diag.Invalid, "impute_chained.tol", "must be at least 0, got %g", s.Tol)
	}
	if s.Donors < 1 {
		l.Addf(diag.Invalid, "impute_chained.donors", "expected at least 1, got %d", s.Donors)
	}
	if s.MaxDonors < s.Donors {
		l.Addf(diag.Invalid, "impute_chained.max_donors", "expected at least donors (%d), got %d", s.Donors, s.MaxDonors)
	}
	return l.Err()
}

// maxRounds bounds what a state file can make Apply do.
const maxRounds = 1000

// chained is the fitted imputer. A variable is one column; it owns a block of design
// columns: itself, or its levels less the first.
type chained struct {
	Variables []variable    `json:"variables"`
	Models    []regression  `json:"models"` // in the order they run
	Repeat    int           `json:"repeat"` // how often the sequence runs
	Donors    int           `json:"donors,omitempty"`
	Key       uint64        `json:"key,omitempty"`
	Settled   bool          `json:"settled"` // the tolerance was met, or none applies
	Dropped   []frame.Field `json:"dropped,omitempty"`
	Out       frame.Schema  `json:"output"`
}

type variable struct {
	Field     frame.Field `json:"field"`
	Initial   float64     `json:"initial"` // a number or a code
	Indicator bool        `json:"indicator,omitempty"`
	at, width int         // block in the design
}

// regression predicts one variable from the design columns of the others: one response for
// a number, one per level for a category.
type regression struct {
	Target    int         `json:"target"`
	Intercept []float64   `json:"intercept"` // per response
	Coef      [][]float64 `json:"coef"`      // per response, over all design columns; 0 in the target's block
	// Donors of pmm: predictions (ascending for a number; rows of responses for a category)
	// and the values observed with them.
	Fitted []float64 `json:"fitted,omitempty"`
	Values []float64 `json:"values,omitempty"`
}

// layout sets the blocks and returns the number of design columns.
func (t *chained) layout() int {
	d := 0
	for i := range t.Variables {
		v := &t.Variables[i]
		v.at, v.width = d, 1
		if v.Field.Kind == frame.Category {
			v.width = max(len(v.Field.Levels)-1, 0)
		}
		d += v.width
	}
	return d
}

// put writes value x (a number or a code) into the block of the design row.
func (v *variable) put(row []float64, x float64) {
	if v.Field.Kind != frame.Category {
		row[v.at] = x
		return
	}
	for j := range v.width {
		row[v.at+j] = 0
	}
	if k := int(x); k > 0 {
		row[v.at+k-1] = 1
	}
}

// responses is how many regressions predict v.
func (v *variable) responses() int {
	if v.Field.Kind == frame.Category {
		return len(v.Field.Levels)
	}
	return 1
}

// values is the table as numbers and codes, NaN where missing: [variable][row].
func (t *chained) values(in *frame.Frame) ([][]float64, []frame.Column, error) {
	fields := make([]frame.Field, len(t.Variables))
	for i, v := range t.Variables {
		fields[i] = v.Field
	}
	cols, err := needAll(in, fields)
	if err != nil {
		return nil, nil, err
	}
	x := make([][]float64, len(cols))
	for j, c := range cols {
		if c.Kind == frame.Number {
			x[j] = slices.Clone(c.Numbers())
			continue
		}
		x[j] = make([]float64, c.Len())
		for i, k := range recodeKnown(c, fields[j].Levels) {
			x[j][i] = float64(k)
			if k < 0 {
				x[j][i] = math.NaN()
			}
		}
	}
	return x, cols, nil
}

// Fit learns initial fills and runs the rounds on the training rows. A column wholly missing
// in training is an error of kind Unfit unless Empty is drop.
func (s *ImputeChained) Fit(ctx context.Context, train *frame.Frame, _ []bool, r rng.Stream) (Transform, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cols, err := pick(train, s.Columns, false, frame.Number, frame.Category)
	if err != nil {
		return nil, err
	}
	t := &chained{}
	if cols, t.Dropped, err = withoutEmpty(cols, s.Empty); err != nil {
		return nil, err
	}
	gaps := make([]int, len(cols))
	for j, c := range cols {
		gaps[j] = c.MissingCount()
		v := variable{Field: seenField(c), Indicator: s.Indicator && gaps[j] > 0}
		switch {
		case c.Kind == frame.Category:
			v.Initial = float64(commonest(seen(c).counts))
		case s.Initial == "median":
			v.Initial = median(present(c.Numbers()))
		case s.Initial == "mode":
			v.Initial = mode(present(c.Numbers()))
		default:
			p := present(c.Numbers())
			v.Initial = total(p) / float64(len(p))
		}
		if !finite(v.Initial) {
			return nil, overflow(c.Name)
		}
		t.Variables = append(t.Variables, v)
	}
	t.layout()
	if t.Settled = s.MaxIter == 0 || len(cols) < 2 || s.Method == "pmm"; s.MaxIter > 0 && len(cols) > 1 {
		if err := s.rounds(ctx, t, train, visits(gaps, s.Order), r); err != nil {
			return nil, err
		}
	}
	t.Out, err = output(ctx, t, train)
	return t, err
}

// visits orders variables by their gaps in training (stable) or by position.
func visits(gaps []int, order string) []int {
	v := make([]int, len(gaps))
	for i := range v {
		v[i] = i
	}
	if order == "ascending" || order == "descending" {
		slices.SortStableFunc(v, func(a, b int) int { return cmp.Compare(gaps[a], gaps[b]) })
	}
	if order == "descending" || order == "arabic" {
		slices.Reverse(v)
	}
	return v
}

// rounds runs the chain on the training rows.
func (s *ImputeChained) rounds(ctx context.Context, t *chained, train *frame.Frame, order []int, r rng.Stream) error {
	x, _, err := t.values(train)
	if err != nil {
		return err
	}
	w := newWork(t, x)
	pmm := s.Method == "pmm"
	if pmm {
		t.Donors = s.Donors
		t.Key = r.Child("key").Rand().Uint64()
	}
	largest := 0.0 // over observed cells; a 0/1 column counts 1, which scikit-learn would see too
	for _, col := range x {
		for _, v := range col {
			if a := math.Abs(v); a > largest {
				largest = a
			}
		}
	}
	t.Repeat = 1
	previous := slices.Clone(w.z)
	for round := range s.MaxIter {
		if pmm {
			t.Models = t.Models[:0]
		}
		for _, v := range order {
			if err := ctx.Err(); err != nil {
				return err
			}
			var m regression
			if pmm {
				m, err = w.match(v, s.MaxDonors, r.Child("draw", round, v))
			} else {
				m, err = w.ridge(v)
			}
			if err != nil {
				return err
			}
			w.fill(m, round)
			t.Models = append(t.Models, m)
		}
		if !pmm {
			if moved(w.z, previous, w.cols) < s.Tol*largest {
				t.Settled = true
				break
			}
			copy(previous, w.z)
		}
	}
	if pmm {
		t.Repeat = s.MaxIter
	}
	return nil
}

// moved is the largest sum over a row of absolute changes: the norm scikit-learn compares.
func moved(a, b []float64, cols int) float64 {
	worst := 0.0
	for i := 0; i+cols <= len(a) && cols > 0; i += cols {
		s := 0.0
		for j := i; j < i+cols; j++ {
			s += math.Abs(a[j] - b[j])
		}
		worst = math.Max(worst, s)
	}
	return worst
}
