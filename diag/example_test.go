package diag_test

import (
	"fmt"

	"dolor/diag"
)

func ExampleErrorf() {
	err := diag.Errorf(diag.Invalid, "nrs", "expected a number from 0 to 10, got %s", diag.Describe("severe"))
	err.Pos = diag.Pos{File: "pain.csv", Line: 41, Col: 7}
	fmt.Println(err)
	fmt.Println("exit code", diag.KindOf(err).ExitCode())
	// Output:
	// pain.csv:41:7: nrs: expected a number from 0 to 10, got 6 letters
	// exit code 3
}

func ExampleNearest() {
	fmt.Println(diag.Nearest("cohrt", []string{"data", "cohort", "models"}))
	// Output: cohort
}
