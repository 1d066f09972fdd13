// Command trees makes the tables of the tree comparisons, times a tree family on them and
// summarises the lines that it and the peers' scripts print.
//
//	trees make ROWS SEED FILE         write a table of 50 predictors and the outcome y as Parquet
//	trees fit FAMILY PARAMS THREADS TRAIN TEST LABEL
//	trees summary < LINES
//
// fit prints one line, as the peers do: label, version, threads, seconds to read both tables, to
// train (binning included), to boost alone (- where the public call does not part the two), to
// predict the test rows (best of five), from start to the last prediction; MiB held before
// training and peak MiB of the process after it; AUC and log loss on the test rows.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "trees:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(args []string) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch {
	case verb == "make" && len(args) == 3:
		rows, err := strconv.Atoi(args[0])
		if err != nil || rows < 1 {
			return fmt.Errorf("rows: expected a whole number of at least 1, got %q", args[0])
		}
		seed, err := strconv.ParseUint(args[1], 10, 64)
		if err != nil {
			return fmt.Errorf("seed: expected a whole number, got %q", args[1])
		}
		return write(args[2], rows, seed)
	case verb == "fit" && len(args) == 6:
		threads, err := strconv.Atoi(args[2])
		if err != nil || threads < 1 {
			return fmt.Errorf("threads: expected a whole number of at least 1, got %q", args[2])
		}
		return fit(args[0], args[1], threads, args[3], args[4], args[5])
	case verb == "summary" && len(args) == 0:
		return summary(os.Stdin, os.Stdout)
	}
	return fmt.Errorf("expected make ROWS SEED FILE, fit FAMILY PARAMS THREADS TRAIN TEST LABEL or summary")
}
