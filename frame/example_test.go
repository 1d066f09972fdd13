package frame_test

import (
	"context"
	"fmt"

	"dolor/frame"
)

func ExampleReadCSVBytes() {
	table := []byte("age,chol,cp\n63,233,1\n67,0,4\n41,?,4\n")
	f, _, err := frame.ReadCSVBytes(context.Background(), table, &frame.CSVOptions{
		Missing: []string{"?"},
		Columns: map[string]frame.ColumnSpec{
			"chol": {Missing: []string{"0"}, Unit: "mg/dL"}, // 0 was not measured
			"cp":   {Kind: frame.Category},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range f.Cols() {
		c := f.At(i)
		missing := 0
		for r := range f.Rows() {
			if c.IsMissing(r) {
				missing++
			}
		}
		fmt.Println(c.Name, c.Kind, c.Unit, c.Levels, missing, "missing")
	}
	// Output:
	// age number  [] 0 missing
	// chol number mg/dL [] 2 missing
	// cp category  [1 4] 0 missing
}

func ExampleReadCSVBytes_fault() {
	_, _, err := frame.ReadCSVBytes(context.Background(), []byte("age\n63\nold\n"), &frame.CSVOptions{
		Name: "pain.csv", Columns: map[string]frame.ColumnSpec{"age": {Kind: frame.Number}},
	})
	fmt.Println(err)
	// Output: pain.csv:3:1: age: expected a number, got 3 letters
}
