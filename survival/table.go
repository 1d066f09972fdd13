package survival

import "slices"

// table is the life table of a Data: one row per distinct time, ascending.
type table struct {
	time   []float64
	risk   []float64 // patients with time >= this one
	event  []float64
	comp   []float64
	cens   []float64
	order  []int // patients by time, stable
	rowOf  []int // patient -> row of the table
	starts []int // row -> first position in order; one more at the end
}

// newTable sorts the patients once: O(n log n).
func newTable(d Data) *table {
	n := d.N()
	t := &table{order: byTime(d.Time), rowOf: make([]int, n)}
	for at := 0; at < n; {
		end := at
		var e, c, z float64
		for ; end < n && d.Time[t.order[end]] == d.Time[t.order[at]]; end++ {
			switch d.Status[t.order[end]] {
			case Event:
				e++
			case Competing:
				c++
			default:
				z++
			}
			t.rowOf[t.order[end]] = len(t.time)
		}
		t.time = append(t.time, d.Time[t.order[at]])
		t.risk = append(t.risk, float64(n-at))
		t.event = append(t.event, e)
		t.comp = append(t.comp, c)
		t.cens = append(t.cens, z)
		t.starts = append(t.starts, at)
		at = end
	}
	t.starts = append(t.starts, n)
	return t
}

// byTime returns the positions of time in ascending order; ties keep their order.
func byTime(time []float64) []int {
	order := make([]int, len(time))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case time[a] < time[b]:
			return -1
		case time[a] > time[b]:
			return 1
		}
		return a - b
	})
	return order
}

// upTo returns how many entries of the ascending times are <= t.
func upTo(times []float64, t float64) int {
	i, found := slices.BinarySearch(times, t)
	if found {
		i++
	}
	return i
}
