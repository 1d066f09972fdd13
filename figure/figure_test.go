package figure_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"dolor/assess"
	"dolor/figure"
	"dolor/internal/golden"
)

func results(t testing.TB) *assess.Results {
	t.Helper()
	b, err := os.ReadFile("../report/testdata/results.json")
	if err != nil {
		t.Fatal(err)
	}
	var r assess.Results
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestGoldenSVG(t *testing.T) {
	r := results(t)
	for _, e := range figure.All() {
		f := e.Draw(r)[0]
		for suffix, d := range map[string]*figure.Drawing{"wide": f.Wide, "narrow": f.Narrow} {
			var b bytes.Buffer
			if err := d.WriteSVG(&b); err != nil {
				t.Fatal(err)
			}
			golden.File(t, e.Name+"-"+suffix+".svg.golden", b.Bytes())
			checkSVG(t, e.Name+" "+suffix, b.Bytes(), d)
		}
	}
}

// checkSVG holds every SVG to the rules of the page.
func checkSVG(t *testing.T, name string, svg []byte, d *figure.Drawing) {
	t.Helper()
	s := string(svg)
	for _, bad := range []string{"style=", "NaN", "Inf", "@font-face"} {
		if strings.Contains(s, bad) {
			t.Errorf("%s: SVG contains %q", name, bad)
		}
	}
	if !strings.Contains(s, "<title>") || !strings.Contains(s, "<desc>") || !strings.Contains(s, "<text") {
		t.Errorf("%s: title, description or real text is missing", name)
	}
	if m := regexp.MustCompile(`[ "][0-9]+\.[0-9]{2,}[ "L]`).FindString(regexp.MustCompile(`(stroke-width|fill-opacity)="[^"]*"|>[^<]*<`).ReplaceAllString(s, "")); m != "" {
		t.Errorf("%s: coordinate %s has more than one decimal", name, m)
	}
	for _, m := range regexp.MustCompile(`font-size="([0-9.]+)"`).FindAllStringSubmatch(s, -1) {
		if v, _ := strconv.ParseFloat(m[1], 64); v < 12 {
			t.Errorf("%s: text of %s units is under 7.2 pt in a PDF", name, m[1])
		}
	}
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e, ok := tok.(xml.StartElement)
		if !ok || e.Name.Local != "text" {
			continue
		}
		for _, a := range e.Attr {
			if v, err := strconv.ParseFloat(a.Value, 64); err == nil && (a.Name.Local == "x" && (v < 0 || v > d.W) || a.Name.Local == "y" && (v < 0 || v > d.H)) {
				t.Errorf("%s: text at %s = %s lies outside %v x %v", name, a.Name.Local, a.Value, d.W, d.H)
			}
		}
	}
	if len(svg) > 40_000 {
		t.Errorf("%s: %d bytes, curves are not thinned", name, len(svg))
	}
}

func TestSameBytesInEveryFormat(t *testing.T) {
	r := results(t)
	for _, e := range figure.All() {
		d := e.Draw(r)[0].Wide
		again := e.Draw(r)[0].Wide
		for ext, write := range map[string]func(*figure.Drawing, io.Writer) error{
			"svg": (*figure.Drawing).WriteSVG, "png": (*figure.Drawing).WritePNG, "pdf": (*figure.Drawing).WritePDF,
		} {
			var a, b bytes.Buffer
			if err := write(d, &a); err != nil {
				t.Fatal(err)
			}
			if err := write(again, &b); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Errorf("%s.%s: two drawings of the same results differ", e.Name, ext)
			}
			if ext == "png" {
				c, err := png.DecodeConfig(&a)
				if err != nil || math.Abs(float64(c.Width)-2*d.W) > 1 {
					t.Errorf("%s.png: width %d, want %v (%v)", e.Name, c.Width, 2*d.W, err)
				}
			}
		}
	}
}

func TestWriteAll(t *testing.T) {
	r := results(t)
	r.Curves = r.Curves[:1]
	dir := filepath.Join(t.TempDir(), "figures")
	names, err := figure.WriteAll(dir, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if s, err := os.Stat(filepath.Join(dir, n)); err != nil || s.Size() == 0 {
			t.Errorf("%s was not written", n)
		}
	}
	if len(names)%4 != 0 || len(names) < 4*len(figure.All()) {
		t.Errorf("%d files, want four a figure", len(names))
	}
}

func TestNothingToDraw(t *testing.T) {
	nan := math.NaN()
	for _, r := range []*assess.Results{
		{},
		{Primary: "a", Families: []string{"a"}, Curves: []assess.Curves{{Family: "a", Validation: "internal", N: 12}}},
		{Primary: "a", Sites: []assess.SitePool{{
			Family: "a", Metric: "auc", Estimate: assess.Num(nan), Lower: assess.Num(nan), Upper: assess.Num(nan),
			PredLower: assess.Num(nan), PredUpper: assess.Num(nan), I2: assess.Num(nan), Reference: assess.Num(nan), Sites: []assess.SiteStat{{Site: "B", Estimate: assess.Num(nan), Note: "no event"}},
		}}},
	} {
		for _, e := range figure.All() {
			for _, f := range e.Draw(r) {
				var b bytes.Buffer
				if err := f.Wide.WriteSVG(&b); err != nil {
					t.Fatal(err)
				}
				if f.Title == "" || strings.Contains(b.String(), "NaN") {
					t.Errorf("%s: an empty figure needs a title and no NaN", e.Name)
				}
			}
		}
	}
}

func TestTitlesClaimNothingTheIntervalIncludes(t *testing.T) {
	r := results(t)
	v := figure.View{Validation: assess.Internal}
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{{-0.03, 0.01, "No family can be told apart"}, {-0.05, -0.01, "ranks better than"}, {0.01, 0.05, "Logistic regression ranks better"}} {
		r.Comparisons = []assess.Comparison{{Metric: "auc", A: r.Primary, B: "logistic", Validation: "internal", Lower: assess.Num(c.lo), Upper: assess.Num(c.hi)}}
		if got := figure.ROC(r, v).Title; !strings.Contains(got, c.want) {
			t.Errorf("difference %v to %v: title %q, want %q in it", c.lo, c.hi, got, c.want)
		}
	}
	for i := range r.Rows {
		if w := &r.Rows[i]; w.Metric == "calibration_slope" && w.Family == r.Primary && w.Validation == "internal" && w.Subgroup == "" {
			w.Lower, w.Upper = 0.5, 0.9
		}
	}
	if got := figure.Calibration(r, v).Title; !strings.Contains(got, "Too extreme") {
		t.Errorf("slope 0.5 to 0.9: title %q", got)
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{figure.Fixed(-0.004, 2), "0.00"},
		{figure.Fixed(-1.25, 1), "−1.2"},
		{figure.Fixed(math.NaN(), 2), "not estimated"},
		{figure.Signed(2.04, 1), "+2.0"},
		{figure.Percent(0.125, 1), "12.5\u00a0%"},
		{figure.Threshold(0.2), "20\u00a0%"},
		{figure.Threshold(0.125), "12.5\u00a0%"},
		{figure.Small(9), "<\u00a010"},
		{figure.Small(0), "0"},
		{figure.ScaleOf("auc").Text(0.85, 0.82, 0.88), "0.85 (0.82 to 0.88)"},
		{figure.ScaleOf("auc").Text(0.6, 0.501, 0.7), "0.600 (0.501 to 0.700)"},
		{figure.ScaleOf("net_benefit").Text(0.05, 0.027, 0.066), "+5.0 (+2.7 to +6.6)"},
		{figure.ScaleOf("calibration_slope").Text(1.1, math.NaN(), 2), "1.10"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func ExampleScale_Text() {
	fmt.Println(figure.ScaleOf("calibration_slope").Text(0.97, 0.80, 1.17))
	// Output: 0.97 (0.80 to 1.17)
}
