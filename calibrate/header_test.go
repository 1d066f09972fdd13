package calibrate_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"dolor/internal/golden"
)

// firstColumns returns the names of the first k columns of breast.csv.
func firstColumns(t *testing.T, k int) []string {
	t.Helper()
	f, err := os.Open(golden.Path(t, "ml/breast.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Scan()
	return strings.Split(strings.TrimPrefix(s.Text(), "y,"), ",")[:k]
}
