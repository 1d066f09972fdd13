package figure

import (
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
)

// The light palette, one meaning each; on a page every hex is swapped for its variable.
const (
	Background = "#fcfbf8"
	Panel      = "#ffffff"
	Ink        = "#1d2126"
	Muted      = "#565d66"
	Rule       = "#dfdbd2"
	Reference  = "#767b83"
	Primary    = "#0b5c9e"
	Comparator = "#b04a0c"
	Other      = "#918f88"
	Dark       = "#454b53"
	Lowers     = "#1f5f9e" // a value that lowers the risk, and the lowest fifth of a predictor
	LowValue   = "#7ba3c9"
	MidValue   = "#a9a8a2"
	HighValue  = "#dd9c66"
)

// Variables returns the style sheet's variable for each colour of the palette.
func Variables() map[string]string {
	return map[string]string{
		Background: "--bg", Panel: "--panel", Ink: "--ink", Muted: "--muted", Rule: "--rule",
		Reference: "--ref", Primary: "--blue", Comparator: "--orange", Other: "--grey", Dark: "--dark",
		Lowers: "--v1", LowValue: "--v2", MidValue: "--v3", HighValue: "--v4",
	}
}

// Sizes of text, in drawing units (CSS pixels on screen; 0.6 pt in a PDF).
const (
	sizeLabel = 13.0
	sizeTick  = 12.0
	pdfScale  = 0.6
)

const fontStack = `Segoe UI, Helvetica Neue, Arial, Liberation Sans, sans-serif`

// faces measures text with the metrics of Liberation Sans, which are those of Arial.
type faces struct{ cache *font.Cache }

func newFaces() faces { return faces{font.NewCache(liberation.Collection())} }

func (f faces) face(size float64, bold bool) font.Face {
	ft := font.Font{Typeface: "Liberation", Variant: "Sans"}
	if bold {
		ft.Weight = 3 // x/image/font.WeightBold
	}
	return f.cache.Lookup(ft, font.Length(size))
}

// width is the advance of s in drawing units.
func (f faces) width(s string, size float64, bold bool) float64 {
	face := f.face(size, bold)
	return float64(face.Width(s))
}

// fit shortens s with an ellipsis until it is at most w wide.
func (f faces) fit(s string, size float64, bold bool, w float64) string {
	if f.width(s, size, bold) <= w {
		return s
	}
	r := []rune(s)
	for len(r) > 1 {
		r = r[:len(r)-1]
		if t := strings.TrimRight(string(r), " ") + "…"; f.width(t, size, bold) <= w {
			return t
		}
	}
	return "…"
}

// wrap breaks s at spaces into lines at most w wide; a longer word is shortened.
func (f faces) wrap(s string, size float64, bold bool, w float64) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		try := word
		if line != "" {
			try = line + " " + word
		}
		if f.width(try, size, bold) <= w {
			line = try
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		line = f.fit(word, size, bold, w)
	}
	return append(lines, line)
}
