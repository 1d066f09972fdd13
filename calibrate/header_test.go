package calibrate_test

import (
	"os"
	"strings"
	"testing"

	"dolor/internal/golden"
)

// firstColumns returns the names of the first k columns of breast.csv.
func firstColumns(t *testing.T, k int) []string {
	t.Helper()
	b, err := os.ReadFile(golden.Path(t, "ml/breast.csv"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.Split(strings.TrimPrefix(line, "y,"), ",")[:k]
}
