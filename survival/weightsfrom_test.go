package survival_test

import (
	"testing"

	"dolor/internal/golden"
	"dolor/survival"
)

func TestWeightsFromTheSameDataAreWeights(t *testing.T) {
	d := survival.Data{Time: []float64{1, 2, 2, 3, 4, 5, 6, 7}, Status: []int{1, 0, 1, 2, 0, 1, 0, 0}}
	for _, ties := range []survival.Ties{survival.EventsFirst, survival.NaiveCensoring} {
		want, err := survival.Weights(d, 4.5, ties)
		if err != nil {
			t.Fatal(err)
		}
		got, err := survival.WeightsFrom(d, d, 4.5, ties)
		if err != nil {
			t.Fatal(err)
		}
		golden.CloseAll(t, ties.String(), got, want.W, 0)
	}
}

func TestWeightsFromIgnoreTheOtherRows(t *testing.T) {
	train := survival.Data{Time: []float64{1, 2, 3, 6, 7}, Status: []int{1, 0, 1, 0, 0}}
	a := survival.Data{Time: []float64{2.5, 6}, Status: []int{1, 0}}
	b := survival.Data{Time: []float64{2.5, 6, 0.5, 0.6}, Status: []int{1, 0, 0, 0}}
	wa, err := survival.WeightsFrom(train, a, 5, survival.EventsFirst)
	if err != nil {
		t.Fatal(err)
	}
	wb, err := survival.WeightsFrom(train, b, 5, survival.EventsFirst)
	if err != nil {
		t.Fatal(err)
	}
	golden.CloseAll(t, "first two rows", wb[:2], wa, 0)
	golden.Close(t, "weight of an early event after one censoring of four", wa[0], 4.0/3, 1e-12)
}
