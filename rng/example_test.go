package rng_test

import (
	"fmt"

	"dolor/rng"
)

// Streams are keyed by meaning: asking for one does not move another.
func ExampleStream_Child() {
	root := rng.New(20260630)
	a := root.Child("outer", 3).Child("tune").Rand().IntN(1000)
	_ = root.Child("outer", 4).Rand().IntN(1000)
	b := root.Child("outer", 3).Child("tune").Rand().IntN(1000)
	fmt.Println(a == b)
	// Output: true
}
