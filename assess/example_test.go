package assess_test

import (
	"encoding/json"
	"fmt"
	"math"

	"dolor/assess"
)

// Undefined numbers are null, never 0.
func ExampleNum() {
	b, err := json.Marshal(map[string]assess.Num{"estimate": assess.Num(math.NaN()), "n": 12})
	fmt.Println(string(b), err)
	// Output: {"estimate":null,"n":12} <nil>
}
