// Command readcsv reads one CSV file with frame.ReadCSV and prints seconds, peak resident
// memory in MiB, rows, columns and the sum of the numbers; with -make it writes the table
// that the comparison reads.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"dolor/frame"
	"dolor/rng"
)

func main() {
	rows := flag.Int("make", 0, "write a table of this many rows and 50 columns instead")
	predictions := flag.Int("predictions", 0, "write a table of this many outcomes and probabilities instead")
	workers := flag.Int("workers", 0, "workers; 0 means the cores")
	flag.Parse()
	var err error
	switch {
	case *rows > 0:
		err = write(flag.Arg(0), *rows)
	case *predictions > 0:
		err = writePredictions(flag.Arg(0), *predictions)
	default:
		err = read(flag.Arg(0), *workers)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func read(path string, workers int) error {
	start := time.Now() //nolint:forbidigo // a benchmark needs the clock
	f, _, err := frame.ReadCSV(context.Background(), path, &frame.CSVOptions{Workers: workers})
	if err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	sum := 0.0
	for j := range f.Cols() {
		for _, v := range f.At(j).Numbers() {
			if !math.IsNaN(v) {
				sum += v
			}
		}
	}
	_, err = fmt.Fprintf(os.Stdout, "%.3f %.0f %d %d %.6g\n", seconds, peakMiB(), f.Rows(), f.Cols(), sum)
	return err
}

// peakMiB reads the peak resident memory of this process as Linux reports it; 0 elsewhere.
func peakMiB() float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	v, _ := strconv.ParseFloat(kib, 64)
	return v / 1024
}

// write makes 20 columns with one decimal, 10 of whole numbers and 20 of full precision, each
// cell missing with probability 0.05.
func write(path string, rows int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	r := rng.New(1).Child("csv").Rand()
	for j := range 50 {
		sep := ","
		if j == 0 {
			sep = ""
		}
		_, _ = fmt.Fprintf(w, "%sx%d", sep, j) // Flush reports a failed write
	}
	line := []byte{}
	for range rows {
		line = append(line[:0], '\n')
		for j := range 50 {
			if j > 0 {
				line = append(line, ',')
			}
			if r.Float64() >= 0.05 {
				line = cell(line, j, r)
			}
		}
		_, _ = w.Write(line)
	}
	_ = w.WriteByte('\n')
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

func cell(line []byte, j int, r *rand.Rand) []byte {
	switch {
	case j < 20:
		return strconv.AppendFloat(line, 100+15*r.NormFloat64(), 'f', 1, 64)
	case j < 30:
		return strconv.AppendInt(line, int64(r.IntN(1000)), 10)
	}
	return strconv.AppendFloat(line, r.NormFloat64(), 'g', -1, 64)
}

// writePredictions makes outcomes y with probabilities p that are a little too extreme.
func writePredictions(path string, rows int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	r := rng.New(1).Child("predictions").Rand()
	_, _ = w.WriteString("y,p\n") // Flush reports a failed write
	expit := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for range rows {
		lp := -1 + 1.2*r.NormFloat64()
		y := "0,"
		if r.Float64() < expit(lp) {
			y = "1,"
		}
		_, _ = w.WriteString(y)
		_, _ = w.WriteString(strconv.FormatFloat(expit(1.1*lp+0.1+0.3*r.NormFloat64()), 'g', 9, 64))
		_ = w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}
