package progress_test

import (
	"fmt"

	"dolor/progress"
)

func ExampleFunc() {
	var watch progress.Func = func(stage string, done, total int) { fmt.Println(stage, done, "of", total) }
	watch.Report("fit", 3, 10)
	progress.Func(nil).Report("fit", 4, 10) // nobody watches
	// Output: fit 3 of 10
}
