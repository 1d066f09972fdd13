package forest

import (
	"math"
	"slices"

	"dolor/model"
)

// OutOfBag sums up the out-of-bag predictions: each row predicted by the trees that were grown
// without its patient. It describes this fit. When hyperparameters or predictors were chosen
// on the same rows it is optimistic, so nothing here validates a tuned model with it.
type OutOfBag struct {
	Rows    int     `json:"rows"`     // rows of positive weight that were out of bag at least once
	Never   int     `json:"never"`    // rows of positive weight that never were
	LogLoss float64 `json:"log_loss"` // weighted mean in nats; probabilities are kept from 0 and 1 by half a patient in the trees' number of votes
	Brier   float64 `json:"brier"`    // weighted mean squared error
	Error   float64 `json:"error"`    // weighted share of rows with the outcome below one half, or without it and not below
}

// tallyUnit is 1 in the whole numbers that leaf values are added up in, so that the sum does
// not depend on which worker grew which tree. 2^23 trees fit an int64.
const tallyUnit = 1 << 40

// tally holds, for each row, the sum of its out-of-bag leaf values and their number.
type tally struct {
	sum   []int64
	count []int32
}

func newTally(n int) tally { return tally{make([]int64, n), make([]int32, n)} }

func (t *tally) add(rows []int32, value float32) {
	v := int64(math.Round(float64(value) * tallyUnit))
	for _, r := range rows {
		t.sum[r] += v
		t.count[r]++
	}
}

func (t *tally) merge(o tally) {
	for i, v := range o.sum {
		t.sum[i] += v
		t.count[i] += o.count[i]
	}
}

// outOfBag keeps the out-of-bag probabilities and sums them up.
func (m *Model) outOfBag(train *model.Dataset, rows []int, t tally) {
	m.oob = slices.Repeat([]float64{math.NaN()}, train.Rows())
	s := &OutOfBag{}
	var weight, loss, brier, wrong float64
	for k, n := range t.count {
		i := k
		if rows != nil {
			i = rows[k]
		}
		if n == 0 {
			s.Never++
			continue
		}
		s.Rows++
		p := float64(t.sum[k]) / tallyUnit / float64(n)
		m.oob[i] = p
		w := 1.0
		if train.W != nil {
			w = train.W[i]
		}
		// A row that all of n trees give probability 0 counts as half a vote in n + 1.
		least := 0.5 / float64(n+1)
		given, other := p, 1-p // of the outcome that happened, and not
		if !train.Y[i] {
			given, other = other, given
		}
		weight += w
		loss -= float64(w * math.Log(max(given, least)))
		brier += float64(float64(w*other) * other)
		if (p >= 0.5) != train.Y[i] {
			wrong += w
		}
	}
	if s.Rows > 0 {
		s.LogLoss, s.Brier, s.Error = loss/weight, brier/weight, wrong/weight
		m.summary = s
	}
	if s.Never > 0 {
		m.warn("never_out_of_bag", "rows in every tree have no out-of-bag probability; more trees would give them one", s.Never)
	}
}
