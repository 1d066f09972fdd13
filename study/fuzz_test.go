package study_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"dolor/diag"
	"dolor/internal/golden"
	"dolor/study"
)

// FuzzProtocol: whatever the text, Parse returns a protocol or faults of the input, and what
// it accepts can be written and read back to the same protocol.
func FuzzProtocol(f *testing.F) {
	f.Add(everything)
	f.Add(followUp)
	if b, err := os.ReadFile(filepath.Join(golden.Root(), "examples/heart/study.yaml")); err == nil {
		f.Add(string(b))
	}
	f.Add("study: &a [*a]\n")
	f.Add("a: {b: {c: [}}")
	f.Add("study: s\ndata: {path: t.csv}\ncohort: {outcome: {column: y, event: \"> x\"}}\npredictors: {clinical: all}\nmodels: [{family: logistic, params: {penalty: firth}}]\npreprocess: [{step: rcs, knots: 4}]\n")
	f.Fuzz(func(t *testing.T, src string) {
		p, err := study.Parse("s.yaml", []byte(src), env())
		if err != nil {
			if k := diag.KindOf(err); k != diag.Invalid && k != diag.Unsupported {
				t.Errorf("kind %v: %v", k, err)
			}
			return
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := study.Parse("protocol.json", b, env())
		if err != nil {
			t.Fatalf("what was accepted is refused when written: %v\n%s", err, b)
		}
		if c, err := json.Marshal(again); err != nil || string(c) != string(b) {
			t.Errorf("written again it differs (%v):\n%s\n%s", err, b, c)
		}
	})
}
