package cli_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dolor/rng"
)

// archive is a txtar archive: a comment, then files under "-- name --" lines.
type archive struct {
	comment string
	files   []member
}

type member struct{ name, text string }

func parseArchive(src string) *archive {
	a := &archive{}
	to := &a.comment
	for line := range strings.Lines(src) {
		l := strings.TrimRight(line, "\n")
		if name, ok := strings.CutPrefix(l, "-- "); ok && strings.HasSuffix(name, " --") {
			a.files = append(a.files, member{name: strings.TrimSuffix(name, " --")})
			to = &a.files[len(a.files)-1].text
			continue
		}
		*to += line
	}
	return a
}

func (a *archive) String() string {
	var b strings.Builder
	b.WriteString(a.comment)
	for _, f := range a.files {
		fmt.Fprintf(&b, "-- %s --\n%s", f.name, f.text)
	}
	return b.String()
}

func (a *archive) index(name string) int {
	return slices.IndexFunc(a.files, func(f member) bool { return f.name == name })
}

// words splits a line at spaces; single quotes hold spaces; # begins a comment.
func words(line string) []string {
	var out []string
	for line = strings.TrimSpace(line); line != "" && line[0] != '#'; line = strings.TrimSpace(line) {
		if line[0] == '\'' {
			end := strings.IndexByte(line[1:], '\'')
			out, line = append(out, line[1:1+end]), line[2+end:]
			continue
		}
		w, rest, _ := strings.Cut(line, " ")
		out, line = append(out, w), rest
	}
	return out
}

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// keys checks the keys of the object at path of the JSON on the last line of stdout. A list
// on the way stands for its first element; the path "." is the whole.
func (s *script) keys(path string, want []string) {
	s.Helper()
	lines := strings.Split(strings.TrimSpace(s.stdout), "\n")
	var v any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &v); err != nil {
		s.fatalf("%v", err)
	}
	for _, p := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' }) {
		m, _ := v.(map[string]any)
		v = m[p]
		if l, ok := v.([]any); ok && len(l) > 0 {
			v = l[0]
		}
	}
	m, ok := v.(map[string]any)
	if !ok {
		s.fatalf("%s: expected an object, got %T", path, v)
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(m)); !slices.Equal(got, want) {
		s.fatalf("%s: got keys %v, want %v", path, got, want)
	}
}

// simulated is a table whose outcome depends on age and crp.
func simulated(n, sites int) string {
	r := rng.New(7).Child("script").Rand()
	var b strings.Builder
	b.WriteString("id,site,age,stage,crp,y\n")
	for i := range n {
		age, crp := 60+10*r.NormFloat64(), 1+r.NormFloat64()
		y := 0
		if (age-60)/10+crp-1+1.5*r.NormFloat64() > 0.7 {
			y = 1
		}
		fmt.Fprintf(&b, "p%03d,%c,%.0f,%s,%.2f,%s\n", i+1, 'A'+rune(i%sites), age, []string{"I", "II", "III"}[r.IntN(3)], crp, strconv.Itoa(y))
	}
	return b.String()
}
