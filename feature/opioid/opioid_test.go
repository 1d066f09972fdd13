package opioid_test

import (
	"fmt"
	"math"
	"testing"

	"dolor/clinical"
	"dolor/feature"
	"dolor/feature/opioid"
)

const day0 = clinical.Day(20000)

func gave(day, hour int, name string, mg float64, prn bool) clinical.Event {
	return clinical.Event{
		Kind: clinical.Administration, Status: "completed", Start: clinical.At(day0+clinical.Day(day), hour*3600),
		Drug: &clinical.Drug{Codes: []clinical.Code{{Display: name}}, Doses: []clinical.Dosage{{Dose: clinical.Quantity{Value: mg, Unit: "mg"}, AsNeeded: prn}}},
	}
}

func row(t *testing.T, h *clinical.History) map[string]any {
	t.Helper()
	x, err := opioid.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Sort()
	f, _, err := feature.Build(t.Context(), []*clinical.Past{h.Until(clinical.At(day0, 12*3600))}, []feature.Extractor{x}, 1)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]any)
	for j := range f.Cols() {
		c := f.At(j)
		if s, ok := c.String(0); ok {
			out[c.Name] = s
			if c.Numbers() != nil {
				out[c.Name] = c.Numbers()[0]
			}
		}
	}
	return out
}

func TestRisingDose(t *testing.T) {
	h := &clinical.History{}
	for d := -28; d < 0; d++ {
		// Morphine that rises by 12 % a week on the scale of ln(dose + 1).
		h.Events = append(h.Events, gave(d, 8, "morphine oral tablet", 60*math.Exp(0.12*float64(d+28)/7), false))
	}
	for d := -6; d <= 0; d++ {
		h.Events = append(h.Events, gave(d, 9, "morphine oral tablet", 10, true))
	}
	h.Events = append(h.Events, gave(-1, 21, "morphine oral tablet", 10, true))
	// Twenty minutes after the last one: the same episode of rescue.
	late := gave(-1, 21, "morphine oral tablet", 10, true)
	late.Start = late.Start.Add(20 * 60)
	h.Events = append(h.Events, late)
	got := row(t, h)
	if s := got["ome_slope_week"].(float64); math.Abs(s-0.12) > 0.03 {
		t.Errorf("slope: got %v, want about 0.12", s)
	}
	for name, want := range map[string]any{
		"rescue_n7": 8.0, "rotation_n28": 0.0, "main_opioid": "morphine", "ome_known_share": 1.0, "dlt": 0.0,
		"opioid_profile": "dose_escalation", "adjuvant_classes": 0.0, "benzo_overlap": 0.0,
	} {
		if got[name] != want {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
}

func TestRotationAndStable(t *testing.T) {
	h := &clinical.History{}
	for d := -28; d < 0; d++ {
		name, mg := "morphine oral tablet", 60.0
		if d >= -10 {
			name, mg = "hydromorphone oral tablet", 12
		}
		if d == -20 {
			name, mg = "oxycodone oral tablet", 40 // one day only: no rotation
		}
		h.Events = append(h.Events, gave(d, 8, name, mg, false))
	}
	got := row(t, h)
	for name, want := range map[string]any{"rotation_n28": 1.0, "main_opioid": "hydromorphone", "ome_mean28": 60.0, "opioid_profile": "stable_response", "rescue_n7": 0.0} {
		if got[name] != want {
			t.Errorf("%s: got %v, want %v", name, got[name], want)
		}
	}
}

func TestNobody(t *testing.T) {
	got := row(t, &clinical.History{})
	if got["ome_mean28"] != 0.0 || got["main_opioid"] != "none" || got["oei_pct"] != nil {
		t.Errorf("got %v", got)
	}
}

// TestNothingLater plants doses after the timestamp, from one second on.
func TestNothingLater(t *testing.T) {
	h := &clinical.History{}
	for d := -28; d < 0; d++ {
		h.Events = append(h.Events, gave(d, 8, "morphine oral tablet", 60, false))
	}
	want := fmt.Sprint(row(t, h))
	for k, at := range []clinical.Time{clinical.At(day0, 12*3600+1), clinical.At(day0+1, 0), clinical.At(day0+30, 0)} {
		e := gave(0, 0, "fentanyl injection", 1, k == 0)
		e.Start = at
		h.Events = append(h.Events, e)
	}
	if got := fmt.Sprint(row(t, h)); got != want {
		t.Errorf("later doses changed the predictors:\n%s\n%s", got, want)
	}
}

func ExampleTheilSen() {
	fmt.Println(opioid.TheilSen([]float64{0, 1, 2, 3, 4}, []float64{1, 3, 5, 7, 100}))
	// Output: 2
}
