package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"dolor/assess"
	"dolor/figure"
)

// column is one metric of an interval table: a picture cell and a number cell a row.
type column struct {
	Label, Hint string
	Axis        template.HTML
	scale       figure.Scale
	lo, hi      float64
	ref         float64
}

type ivCell struct {
	Picture            template.HTML
	Name               string // for the stacked layout
	Estimate, Interval string
	Mark               string // number of the method
	Empty              string
}

type ivRow struct {
	Name, Sub string
	Primary   bool
	Cells     []ivCell
}

type ivTable struct {
	Caption string
	First   string
	Columns []column
	Rows    []ivRow
}

// span sets the axis from the numbers: estimates and the reference always inside, interval
// ends up to 1.5 times their range away.
func (c *column) span(rows []*assess.Row) {
	lo, hi := math.Inf(1), math.Inf(-1)
	add := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	for _, r := range rows {
		if r != nil {
			add(float64(r.Estimate))
		}
	}
	add(c.ref)
	if math.IsInf(lo, 0) {
		c.lo, c.hi = 0, 1
		return
	}
	var widths []float64
	for _, r := range rows {
		if r != nil && !math.IsNaN(float64(r.Upper-r.Lower)) {
			widths = append(widths, float64(r.Upper-r.Lower))
		}
	}
	most := max(1.5*(hi-lo), 1e-6)
	if len(widths) > 0 {
		slices.Sort(widths)
		most = max(most, widths[(len(widths)-1)/2])
	}
	wlo, whi := lo, hi
	for _, r := range rows {
		if r == nil {
			continue
		}
		if v := float64(r.Lower); !math.IsNaN(v) {
			wlo = min(wlo, max(v, lo-most))
		}
		if v := float64(r.Upper); !math.IsNaN(v) {
			whi = max(whi, min(v, hi+most))
		}
	}
	if whi-wlo < 1e-9 {
		wlo, whi = wlo-0.5, whi+0.5
	}
	c.lo, c.hi = wlo, whi
}

func (c *column) pct(v float64) string {
	return strconv.FormatFloat(5+90*(v-c.lo)/(c.hi-c.lo), 'f', 1, 64) + "%"
}

// picture is the interval as a small SVG with percentage coordinates.
func (c *column) picture(r *assess.Row, class string) template.HTML {
	var b strings.Builder
	b.WriteString(`<svg width="100%" height="28" aria-hidden="true">`)
	if !math.IsNaN(c.ref) && c.ref >= c.lo && c.ref <= c.hi {
		fmt.Fprintf(&b, `<line class="rf" x1="%[1]s" x2="%[1]s" y1="0" y2="28"/>`, c.pct(c.ref))
	}
	est, lo, hi := float64(r.Estimate), float64(r.Lower), float64(r.Upper)
	if !math.IsNaN(lo) && !math.IsNaN(hi) && !math.IsNaN(est) {
		a, z := max(lo, c.lo), min(hi, c.hi)
		fmt.Fprintf(&b, `<line class="iv%s" x1="%s" x2="%s" y1="14" y2="14"/>`, class, c.pct(a), c.pct(z))
		if lo < c.lo {
			fmt.Fprintf(&b, `<svg x="%s" y="14" overflow="visible"><path class="ar%s" d="M0 -4.5L-7 0L0 4.5Z"/></svg>`, c.pct(c.lo), class)
		}
		if hi > c.hi {
			fmt.Fprintf(&b, `<svg x="%s" y="14" overflow="visible"><path class="ar%s" d="M0 -4.5L7 0L0 4.5Z"/></svg>`, c.pct(c.hi), class)
		}
	}
	if !math.IsNaN(est) && est >= c.lo && est <= c.hi {
		size := "4.2"
		if class == " k" {
			size = "5.5"
		}
		fmt.Fprintf(&b, `<circle class="pt%s" cx="%s" cy="14" r="%s"/>`, class, c.pct(est), size)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // only numbers and fixed class names
}

func (c *column) axis() template.HTML {
	var b strings.Builder
	b.WriteString(`<svg width="100%" height="22" aria-hidden="true"><line class="ax" x1="4%" x2="96%" y1="1" y2="1"/>`)
	f := c.scale.Factor
	step := tickStep((c.hi - c.lo) * f)
	for range 3 {
		if math.Floor(c.hi*f/step)-math.Ceil(c.lo*f/step) >= 1 {
			break
		}
		step /= 2
	}
	d := 0
	for d < 4 && math.Abs(step-math.Round(step*math.Pow10(d))/math.Pow10(d)) > 1e-9 {
		d++
	}
	begin := math.Ceil(c.lo * f / step)
	for i := range 20 { // bounded: far from 0, adding 1 to a large k changes nothing
		k := begin + float64(i)
		if !(k*step <= c.hi*f) {
			break
		}
		s := figure.Fixed(k*step, d)
		if c.scale.Signed {
			s = figure.Signed(k*step, d)
		}
		x := c.pct(k * step / f)
		fmt.Fprintf(&b, `<line class="ax" x1="%[1]s" x2="%[1]s" y1="1" y2="6"/><text x="%[1]s" y="19" class="c s m">%[2]s</text>`, x, s)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // only numbers
}

// tickStep gives two to four ticks over span.
func tickStep(span float64) float64 {
	raw := span / 3.5
	if !(raw > 0) || math.IsInf(raw, 0) {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*p*1.0001 {
			return m * p
		}
	}
	return 10 * p
}

// entry is what one line of an interval table is made of.
type entry struct {
	name, sub, class string
	rows             []*assess.Row // one a column, nil when there is none
}

func (b *builder) table(caption, first string, cols []column, entries []entry) *ivTable {
	t := &ivTable{Caption: caption, First: first}
	for j := range slices.Backward(cols) { // a measure nobody computed has no column
		if slices.ContainsFunc(entries, func(e entry) bool { return e.rows[j] != nil }) {
			continue
		}
		cols = slices.Delete(cols, j, j+1)
		for i := range entries {
			entries[i].rows = slices.Delete(entries[i].rows, j, j+1)
		}
	}
	for j := range cols {
		var rows []*assess.Row
		for _, e := range entries {
			rows = append(rows, e.rows[j])
		}
		cols[j].span(rows)
		cols[j].Axis = cols[j].axis()
	}
	for _, e := range entries {
		row := ivRow{Name: e.name, Sub: e.sub, Primary: e.class == " k"}
		for j := range cols {
			r := e.rows[j]
			if r == nil || math.IsNaN(float64(r.Estimate)) {
				why := ""
				if r != nil {
					why = r.Method
				}
				row.Cells = append(row.Cells, ivCell{Name: cols[j].Label, Empty: strings.TrimSuffix(figure.Undefined+": "+why, ": ")})
				continue
			}
			est, ci := cols[j].scale.Format(float64(r.Estimate), float64(r.Lower), float64(r.Upper))
			row.Cells = append(row.Cells, ivCell{Picture: cols[j].picture(r, e.class), Name: cols[j].Label, Estimate: est, Interval: ci, Mark: b.mark(r.Method)})
		}
		t.Rows = append(t.Rows, row)
	}
	t.Columns = cols
	return t
}
