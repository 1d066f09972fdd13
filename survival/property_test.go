package survival

import (
	"fmt"
	"math"
	"testing"

	"dolor/rng"

	"pgregory.net/rapid"
)

// simulate draws exponential event and censoring times rounded to give ties.
func simulate(n int, seed uint64, competing bool) Data {
	r := rng.New(seed).Child("survival").Rand()
	d := Data{Time: make([]float64, n), Status: make([]int, n)}
	for i := range n {
		a, b, c := r.ExpFloat64()*6, r.ExpFloat64()*10, 0.2+r.Float64()*14
		if !competing {
			b = math.Inf(1)
		}
		t := math.Min(a, math.Min(b, c))
		d.Time[i] = math.Ceil(t*10) / 10
		switch t {
		case a:
			d.Status[i] = Event
		case b:
			d.Status[i] = Competing
		}
	}
	return d
}

func risks(n int, seed uint64) []float64 {
	r := rng.New(seed).Child("risks").Rand()
	p := make([]float64, n)
	for i := range p {
		p[i] = math.Round(100*(0.05+0.9*r.Float64())) / 100
	}
	return p
}

func drawData(t *rapid.T) (Data, []float64) {
	n := rapid.IntRange(4, 40).Draw(t, "n")
	var d Data
	var p []float64
	for range n {
		d.Time = append(d.Time, float64(rapid.IntRange(1, 12).Draw(t, "time")))
		d.Status = append(d.Status, rapid.IntRange(0, 2).Draw(t, "status"))
		p = append(p, float64(rapid.IntRange(1, 19).Draw(t, "p"))/20)
	}
	return d, p
}

func near(t *rapid.T, what string, a, b float64) {
	if math.IsNaN(a) && math.IsNaN(b) {
		return
	}
	if !(math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b))) {
		t.Fatalf("%s: %.15g and %.15g", what, a, b)
	}
}

func TestIncidencesSumToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, _ := drawData(t)
		c, err := AalenJohansen(d, nil)
		if err != nil {
			t.Fatal(err)
		}
		any := Data{Time: d.Time, Status: make([]int, d.N())}
		for i, s := range d.Status {
			if s != Censored {
				any.Status[i] = Event
			}
		}
		km, err := KaplanMeier(any, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.Time {
			near(t, "F1 + F2 + S", c.F1[i]+c.F2[i]+c.S[i], 1)
			near(t, "S and Kaplan-Meier of any event", c.S[i], km.S[i])
		}
		// One cause only: incidence is 1 - KM and the delta variance is Greenwood's.
		one, err := AalenJohansen(any, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, u := range c.Time {
			near(t, "F1 and 1 - KM", one.F1[i], 1-km.S[i])
			if km.S[i] > 0 && km.S[i] < 1 {
				near(t, "delta and Greenwood", one.Risk(Event, u, Delta).SE, km.SE[i])
			}
		}
	})
}

func TestWithoutCensoringPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, p := drawData(t)
		for i, s := range d.Status {
			if s == Censored {
				d.Status[i] = Event
			}
		}
		const h = 6.5
		got, err := IPCW(d, p, h, &HorizonOptions{CompetingControls: true})
		if err != nil {
			t.Fatal(err)
		}
		var brier, pairs, wins, events float64
		for i := range p {
			y := 0.0
			if d.Time[i] <= h && d.Status[i] == Event {
				y = 1
			}
			events += y
			brier += (y - p[i]) * (y - p[i]) / float64(d.N())
			for j := range p {
				if y == 1 && !(d.Time[j] <= h && d.Status[j] == Event) {
					pairs++
					switch {
					case p[i] > p[j]:
						wins++
					case p[i] == p[j]:
						wins += 0.5
					}
				}
			}
		}
		near(t, "brier", got.Brier.Value, brier)
		near(t, "rate", got.EventRate.Value, events/float64(d.N()))
		near(t, "auc", got.AUC.Value, wins/pairs)
		km, err := KaplanMeier(Data{d.Time, make([]int, d.N())}, nil)
		if err != nil || km.S[len(km.S)-1] != 1 {
			t.Fatalf("nobody with the event: %v", err)
		}
		all := Data{Time: d.Time, Status: make([]int, d.N())}
		later := 0.0
		for i := range all.Status {
			all.Status[i] = Event
			if d.Time[i] > h {
				later += 1 / float64(d.N())
			}
		}
		if km, err = KaplanMeier(all, nil); err != nil {
			t.Fatal(err)
		}
		near(t, "empirical survival", km.At(h).Value, later)
	})
}

// The weighted event rate is the Aalen-Johansen risk and the weights sum to n.
func TestWeightsReproduceIncidence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, _ := drawData(t)
		d.Time[0], d.Status[0] = 13, Censored
		const h = 6
		w, err := Weights(d, h, EventsFirst)
		if err != nil {
			t.Fatal(err)
		}
		var total, rate float64
		for i, v := range w.W {
			total += v
			if w.Y[i] {
				rate += v
			}
		}
		f, _, _ := riskAt(d, h)
		near(t, "sum of weights", total, float64(d.N()))
		near(t, "rate", rate/float64(d.N()), f)
		if w.Cases+w.Competing+w.Controls+w.Lost != d.N() {
			t.Fatal("counts do not sum to n")
		}
	})
}

func TestPermutationInvariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, p := drawData(t)
		d.Time[0], d.Status[0] = 13, Censored
		rows := rapid.Permutation(sequence(d.N())).Draw(t, "order")
		q := make([]float64, len(p))
		for i, r := range rows {
			q[i] = p[r]
		}
		e := d.Take(rows)
		a, err := IPCW(d, p, 6, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := IPCW(e, q, 6, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "auc", a.AUC.Value, b.AUC.Value)
		near(t, "auc se", a.AUC.SE, b.AUC.SE)
		near(t, "brier", a.Brier.Value, b.Brier.Value)
		near(t, "brier se", a.Brier.SE, b.Brier.SE)
		ca, err := UnoC(d, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		cb, err := UnoC(e, q, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "uno", ca.C.Value, cb.C.Value)
		near(t, "uno se", ca.C.SE, cb.C.SE)
		// Against the pairs themselves.
		h, err := HarrellC(d, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		var conc, disc, tied float64
		for i := range p {
			for j := range p {
				if d.Status[i] != Event || d.Time[j] < d.Time[i] || d.Time[j] == d.Time[i] && d.Status[j] == Event {
					continue
				}
				switch {
				case p[i] > p[j]:
					conc++
				case p[i] < p[j]:
					disc++
				default:
					tied++
				}
			}
		}
		near(t, "concordant", h.Concordant, conc)
		near(t, "discordant", h.Discordant, disc)
		near(t, "tied", h.TiedScore, tied)
	})
}

func sequence(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func BenchmarkIPCW(b *testing.B) {
	d, p := simulate(100_000, 1, true), risks(100_000, 2)
	for b.Loop() {
		if _, err := IPCW(d, p, 5, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnoC(b *testing.B) {
	d, p := simulate(100_000, 1, false), risks(100_000, 2)
	for b.Loop() {
		if _, err := UnoC(d, p, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleWeights() {
	d := Data{Time: []float64{1, 2, 3, 5, 6}, Status: []int{Event, Censored, Event, Censored, Censored}}
	w, err := Weights(d, 4, EventsFirst)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(w.Y)
	fmt.Printf("%.4f\n", w.W)
	// Output:
	// [true false true false false]
	// [1.0000 0.0000 1.3333 1.3333 1.3333]
}
