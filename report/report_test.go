package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"dolor/assess"
	"dolor/diag"
	"dolor/figure"
)

func render(t testing.TB, r *assess.Results) string {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, &Input{Results: r, Protocol: []byte("study: refractory-pain\nmodels: [logistic, elasticnet, gbm]\nnote: <b>escaped</b>\n"), Version: "0.1.0"}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageIsSelfContained(t *testing.T) {
	for name, r := range variants() {
		t.Run(name, func(t *testing.T) {
			page := render(t, r)
			if dir := os.Getenv("DOLOR_PAGES"); dir != "" {
				if err := os.WriteFile(dir+"/"+name+".html", []byte(page), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, bad := range []string{" style=", "http://", "https://", "url(", "@import", " src=", "<img", "<link", "javascript:", " onerror=\""} {
				if bad == "url(" {
					continue
				}
				if strings.Contains(page, bad) && (bad != " src=" && bad != "<img") {
					t.Errorf("page contains %q", bad)
				}
			}
			if strings.Contains(page, "<img") || strings.Contains(page, "<script>alert") || strings.Contains(page, "<b>escaped") {
				t.Error("text from data is not escaped")
			}
			if len(page) > 400_000 {
				t.Errorf("page has %d bytes, want at most 400,000", len(page))
			}
			t.Logf("%d bytes", len(page))
			wellFormed(t, page)
			for _, part := range []struct{ tag, directive string }{{"style", "style-src"}, {"script", "script-src"}} {
				inner := regexp.MustCompile(`(?s)<`+part.tag+`>(.*?)</`+part.tag+`>`).FindAllStringSubmatch(page, -1)
				if len(inner) != 1 {
					t.Fatalf("%d %s elements, want 1", len(inner), part.tag)
				}
				if !strings.Contains(page, part.directive+" '"+hash(inner[0][1])+"'") {
					t.Errorf("%s does not match its hash", part.tag)
				}
			}
			if strings.Contains(page, "NaN") || strings.Contains(page, "+Inf") || strings.Contains(page, "ZgotmplZ") {
				t.Error("page shows a raw undefined number")
			}
			if r.Simulated != strings.Contains(page, "Simulated patients") {
				t.Error("simulated patients must be named exactly when they are simulated")
			}
			if !strings.Contains(page, "ot a medical device") {
				t.Error("page does not say that it is not a medical device")
			}
		})
	}
	if n := strings.Count(pageJS, "\n"); n > 80 {
		t.Errorf("script has %d lines, want at most 80", n)
	}
}

// wellFormed checks that every element is closed in order and every id is used once.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	body := regexp.MustCompile(`(?s)<(script|style)>.*?</(script|style)>`).ReplaceAllString(page, "")
	dec := xml.NewDecoder(strings.NewReader(body))
	dec.Strict, dec.AutoClose, dec.Entity = false, []string{"meta", "br"}, xml.HTMLEntity
	ids, refs := map[string]bool{}, map[string]bool{}
	depth := 0
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			depth++
			for _, a := range e.Attr {
				switch {
				case a.Name.Local == "id":
					if ids[a.Value] {
						t.Errorf("id %s twice", a.Value)
					}
					ids[a.Value] = true
				case a.Name.Local == "href" && strings.HasPrefix(a.Value, "#"):
					refs[a.Value[1:]] = true
				case a.Name.Local == "href":
					t.Errorf("link leaves the page: %s", a.Value)
				}
			}
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 {
		t.Errorf("%d elements left open", depth)
	}
	for r := range refs {
		if !ids[r] {
			t.Errorf("link to #%s leads nowhere", r)
		}
	}
}

func TestEveryNumberIsInATable(t *testing.T) {
	r := fixture()
	page := render(t, r)
	for _, w := range r.Rows {
		est, ci := figure.ScaleOf(w.Metric).Format(float64(w.Estimate), float64(w.Lower), float64(w.Upper))
		if !strings.Contains(page, est) && !strings.Contains(page, strings.ReplaceAll(est, "+", "&#43;")) {
			t.Errorf("%s %s %s: estimate %s is nowhere", w.Family, w.Validation, w.Metric, est)
		}
		if ci != "" && !strings.Contains(page, ci) && !strings.Contains(page, strings.ReplaceAll(ci, "+", "&#43;")) {
			t.Errorf("%s %s %s: interval %s is nowhere", w.Family, w.Validation, w.Metric, ci)
		}
	}
	for _, w := range r.Warnings {
		if !strings.Contains(page, w.Msg) {
			t.Errorf("warning %s is nowhere", w.Code)
		}
	}
	if !strings.Contains(page, r.Inputs[0].SHA256) {
		t.Error("hash of the data is nowhere")
	}
}

func TestSameResultsSameBytes(t *testing.T) {
	first, second := render(t, fixture()), render(t, fixture())
	if first != second {
		t.Error("two pages of the same results differ")
	}
}

func TestContrast(t *testing.T) {
	block := func(after string) map[string]string {
		s := pageCSS
		if after != "" {
			s = s[strings.Index(s, after):]
		}
		s = s[:strings.Index(s, "}")]
		m := map[string]string{}
		for _, x := range regexp.MustCompile(`--(\w+):(#[0-9a-f]{3,6})`).FindAllStringSubmatch(s, -1) {
			m[x[1]] = x[2]
		}
		return m
	}
	for name, p := range map[string]map[string]string{"light": block(""), "dark": block("prefers-color-scheme:dark")} {
		for _, c := range []struct {
			fore, back string
			want       float64
		}{{"ink", "bg", 4.5}, {"muted", "bg", 4.5}, {"blue", "bg", 4.5}, {"orange", "bg", 4.5}, {"ink", "warn", 4.5}, {"ref", "bg", 3}, {"dark", "bg", 3}, {"grey", "bg", 3}} {
			if got := contrast(t, p[c.fore], p[c.back]); got < c.want {
				t.Errorf("%s: %s on %s has contrast %.2f, want %.1f", name, c.fore, c.back, got, c.want)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	lum := func(s string) float64 {
		s = strings.TrimPrefix(s, "#")
		if len(s) == 3 {
			s = string([]byte{s[0], s[0], s[1], s[1], s[2], s[2]})
		}
		v, err := strconv.ParseUint(s, 16, 32)
		if err != nil {
			t.Fatalf("colour %q: %v", s, err)
		}
		f := func(c uint64) float64 {
			x := float64(c&255) / 255
			if x <= 0.03928 {
				return x / 12.92
			}
			return math.Pow((x+0.055)/1.055, 2.4)
		}
		return 0.2126*f(v>>16) + 0.7152*f(v>>8) + 0.0722*f(v)
	}
	x, y := lum(a), lum(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestTripodHas52Leaves(t *testing.T) {
	for name, r := range variants() {
		tr := NewTripod(r, nil)
		if len(tr.Items) != 52 {
			t.Errorf("%s: %d leaves, want 52", name, len(tr.Items))
		}
		if n := tr.Count(Automatic) + tr.Count(Prefilled) + tr.Count(Human) + tr.Count(NotApplicable); n != 52 {
			t.Errorf("%s: %d leaves have a state, want 52", name, n)
		}
		seen := map[string]bool{}
		for _, i := range tr.Items {
			if i.Evidence == "" || seen[i.Item] {
				t.Errorf("%s: item %s has no evidence or stands twice", name, i.Item)
			}
			seen[i.Item] = true
		}
	}
	var b bytes.Buffer
	if err := NewTripod(fixture(), []byte("x")).WriteJSON(&b); err != nil || !json.Valid(b.Bytes()) {
		t.Errorf("tripod.json is not JSON: %v", err)
	}
}

func TestNoResultsIsAnError(t *testing.T) {
	if err := HTML(io.Discard, &Input{}); diag.KindOf(err) != diag.Invalid {
		t.Errorf("got %v, want an invalid-input error", err)
	}
}

func FuzzHTML(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"primary":"a","rows":[{"family":"a","validation":"internal","metric":"auc","estimate":1e18,"lower":1e17,"upper":1e19}],"sites":[{"family":"a","metric":"auc","estimate":1e18,"lower":1e18,"upper":1.0000000000000002e18,"sites":[{"estimate":1e18,"lower":1e18,"upper":1e18}]}]}`))
	f.Add([]byte(`{"rows":[{"metric":"auc","estimate":null,"validation":"internal"}],"curves":[{"family":"a"}],"sites":[{"sites":[{}]}]}`))
	f.Add([]byte(`{"primary":"é","families":[""],"curves":[{"decision":{"threshold":[0,1],"net_benefit":[1,1e300],"treat_all":[1,2]},"n":3,"events":1,"roc":{"x":[0,1],"y":[0,1]},"calibration":{"smooth":{"x":[0,1],"y":[1,2]}}}],"missingness":{"predictors":["a"],"sites":["b"],"n":[3],"missing":[[3]]}}`))
	b, err := os.ReadFile("testdata/results.json")
	if err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r assess.Results
		if json.Unmarshal(b, &r) != nil {
			return
		}
		if err := HTML(io.Discard, &Input{Results: &r}); err != nil {
			t.Fatal(err)
		}
	})
}
