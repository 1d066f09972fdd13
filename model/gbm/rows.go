package gbm

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"

	"dolor/diag"
	"dolor/model"
	"dolor/rng"
)

// holdOut is the share of the patients of each class that an inner split keeps for counting trees.
const holdOut = 0.2

// fewEvents is the number of held-out patients of the rarer class below which a warning says so.
const fewEvents = 10

// patients returns a number for the patient of each row: a hash of Group, else of the row's
// position. Draws of rows are functions of it, so neither the order of the rows (with
// Group) nor the number of workers changes them, and a patient's rows stay together.
func patients(d *model.Dataset) []uint64 {
	id := make([]uint64, d.Rows())
	for i := range id {
		if d.Group == nil {
			id[i] = mix(uint64(i) + 1)
			continue
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(d.Group[i])) // never fails
		id[i] = mix(h.Sum64())
	}
	return id
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195),
// a bijection whose bits all depend on all bits of x.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// keyed returns the number in [0, 1) that a patient draws under a stream's key.
func keyed(key, id uint64) float64 { return float64(mix(key^id)>>11) / (1 << 53) }

// subsample returns the rows whose patient draws less than share, nil for all.
func subsample(id []uint64, share float64, s rng.Stream) []int32 {
	if share >= 1 {
		return nil
	}
	key := s.Rand().Uint64()
	rows := make([]int32, 0, int(share*float64(len(id)))+1)
	for i, p := range id {
		if keyed(key, p) < share {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// classes returns the patients without and those with the outcome (one with both kinds of row is
// one with), each in order of first appearance.
func classes(d *model.Dataset, id []uint64) (class [2][]uint64) {
	with := make(map[uint64]bool, len(id))
	for i, p := range id {
		with[p] = with[p] || d.Y[i]
	}
	seen := make(map[uint64]bool, len(id))
	for _, p := range id {
		if seen[p] {
			continue
		}
		seen[p] = true
		k := 0
		if with[p] {
			k = 1
		}
		class[k] = append(class[k], p)
	}
	return class
}

// countRarer returns the number of patients of the rarer class.
func countRarer(d *model.Dataset) int {
	c := classes(d, patients(d))
	return min(len(c[0]), len(c[1]))
}

// innerSplit holds out a fifth of the patients with and of those without the outcome, and
// returns how many of the rarer class those are. Kind Unfit when a class has fewer than two.
func innerSplit(d *model.Dataset, id []uint64, s rng.Stream) (train, tune []int, rarer int, err error) {
	key := s.Rand().Uint64()
	held := make(map[uint64]bool)
	rarer = math.MaxInt
	for _, c := range classes(d, id) {
		if len(c) < 2 {
			return nil, nil, 0, &diag.Error{
				Kind: diag.Unfit, Field: "outcome", Msg: "expected at least 2 patients with and 2 without the outcome to hold out rows for early stopping, got fewer",
				Hint: "set early_stopping_rounds to 0",
			}
		}
		slices.SortFunc(c, func(a, b uint64) int { return cmp.Compare(mix(key^a), mix(key^b)) })
		n := max(1, int(math.Round(holdOut*float64(len(c)))))
		rarer = min(rarer, n)
		for _, p := range c[:n] {
			held[p] = true
		}
	}
	for i, p := range id {
		if held[p] {
			tune = append(tune, i)
		} else {
			train = append(train, i)
		}
	}
	return train, tune, rarer, nil
}
