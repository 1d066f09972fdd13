package cohort_test

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"

	"dolor/cohort"
	"dolor/internal/golden"
)

// course builds the days -60..84 of a worked case.
type worked struct {
	ID         string             `json:"id"`
	Label      any                `json:"expect_label"`
	Day        *int               `json:"expect_day"`
	Reason     string             `json:"expect_reason"`
	Pain       map[string]float64 `json:"pain"`
	OME        [][3]float64       `json:"ome"`
	OMEUnknown [][2]int           `json:"ome_unknown"`
	Adjuvant   [][2]int           `json:"adjuvant"`
	DLT        []int              `json:"dlt"`
	Death      *int               `json:"death"`
	Lost       *int               `json:"lost"`
	ScoreFirst bool               `json:"score_before_death"`
}

func (w *worked) course(t *testing.T) *cohort.Course {
	t.Helper()
	const first, n = -60, 60 + 85
	c := &cohort.Course{
		First: first, Pain: make([]float64, n), OME: make([]float64, n), Known: make([]bool, n), Adjuvant: make([]bool, n),
		DLT: w.DLT, Death: cohort.NoDay, Lost: cohort.NoDay, ScoreLast: w.ScoreFirst,
	}
	for i := range n {
		c.Pain[i], c.Known[i] = math.NaN(), true
	}
	for k, v := range w.Pain {
		d, err := strconv.Atoi(k)
		if err != nil {
			t.Fatal(err)
		}
		c.Pain[d-first] = v
	}
	for _, r := range w.OME {
		for d := int(r[0]); d <= int(r[1]); d++ {
			c.OME[d-first] = r[2]
		}
	}
	for _, r := range w.OMEUnknown {
		for d := r[0]; d <= r[1]; d++ {
			c.Known[d-first] = false
		}
	}
	for _, r := range w.Adjuvant {
		for d := r[0]; d <= r[1]; d++ {
			c.Adjuvant[d-first] = true
		}
	}
	if w.Death != nil {
		c.Death = *w.Death
	}
	if w.Lost != nil {
		c.Lost = *w.Lost
	}
	return c
}

// TestWorkedCases labels the worked cases of the definition exactly.
func TestWorkedCases(t *testing.T) {
	b, err := os.ReadFile(golden.Path(t, "cohort/refractory-cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []worked `json:"cases"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 22 {
		t.Fatalf("expected 22 cases, got %d", len(file.Cases))
	}
	d := cohort.Default()
	for _, w := range file.Cases {
		c := w.course(t)
		if got, want := d.AlreadyRefractory(c), w.Reason == "already_refractory"; got != want {
			t.Errorf("%s: already refractory %v, want %v", w.ID, got, want)
		}
		if w.Reason != "" {
			continue
		}
		want := cohort.Outcome{Code: cohort.Code(int(w.Label.(float64))), Day: cohort.NoDay}
		if w.Day != nil {
			want.Day = *w.Day
		}
		if got := d.Label(c); got != want {
			t.Errorf("%s: got %+v, want %+v", w.ID, got, want)
		}
		if w.ID == "c08" {
			low := *d
			low.Opioid.OMEMin = 30
			if got := low.Label(c); got.Code != cohort.Refractory {
				t.Errorf("c08 with 30 mg/day: got %+v, want refractory", got)
			}
		}
	}
}
