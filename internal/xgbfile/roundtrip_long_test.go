//go:build long

package xgbfile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dolor/internal/golden"
	"dolor/internal/xgbfile"
)

// TestXGBoostReadsWhatIsWritten asks the XGBoost of the Python named by PYTHON (default
// python3) to load what Write made of each fixture, and to predict the same margins.
func TestXGBoostReadsWhatIsWritten(t *testing.T) {
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.CommandContext(t.Context(), python, "-c", "import xgboost, numpy").Run(); err != nil {
		t.Skip("no Python with xgboost and numpy: not compared")
	}
	dir := t.TempDir()
	for _, path := range append(fixtures(t), "testdata/names.json") {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
		for ext, format := range map[string]xgbfile.Format{"json": xgbfile.JSON, "ubj": xgbfile.UBJSON} {
			out, err := xgbfile.Write(mustRead(t, path), format)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to+".written."+ext, out, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.CommandContext(t.Context(), python, filepath.Join(golden.Root(), "bench/peers/xgboost_roundtrip.py"), dir).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
