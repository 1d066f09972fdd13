package figure

import (
	"bytes"
	"image/color"
	"io"
	"strconv"
	"strings"
	"time"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"

	"dolor/diag"
)

// number writes a coordinate with at most one decimal.
func number(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(s)
}

// WriteSVG writes a free-standing SVG file: real text, presentation attributes only (a
// strict content security policy refuses style attributes, which gonum's vgsvg writes).
func (d *Drawing) WriteSVG(w io.Writer) error {
	_, err := io.WriteString(w, d.svg("", false))
	return err
}

// Inline returns the SVG element for a page: colours are the page's variables and id makes
// the identifiers of title and description unique. Class is the element's class.
func (d *Drawing) Inline(id, class string) string {
	s := d.svg(id, true)
	return strings.Replace(s, "<svg ", `<svg class="`+escape(class)+`" `, 1)
}

func (d *Drawing) svg(id string, inline bool) string {
	vars := Variables()
	paint := func(c string) string {
		if v, ok := vars[c]; ok && inline {
			return "var(" + v + ")"
		}
		return c
	}
	var b strings.Builder
	b.WriteString(`<svg viewBox="0 0 ` + number(d.W) + " " + number(d.H) + `" width="` + number(d.W) + `"`)
	if inline {
		b.WriteString(` role="img" aria-labelledby="` + id + `t ` + id + `d"><title id="` + id + `t">` + escape(d.Title) +
			`</title><desc id="` + id + `d">` + escape(d.Desc) + `</desc>`)
	} else {
		b.WriteString(` height="` + number(d.H) + `" xmlns="http://www.w3.org/2000/svg" role="img" font-family="` + fontStack + `"><title>` +
			escape(d.Title) + `</title><desc>` + escape(d.Desc) + "</desc>\n" +
			`<rect width="` + number(d.W) + `" height="` + number(d.H) + `" fill="` + Panel + `"/>` + "\n")
	}
	for _, m := range d.marks {
		m.writeSVG(&b, paint)
		if !inline {
			b.WriteByte('\n')
		}
	}
	b.WriteString("</svg>")
	if !inline {
		b.WriteByte('\n')
	}
	return b.String()
}

func (m mark) writeSVG(b *strings.Builder, paint func(string) string) {
	switch m.kind {
	case line, area:
		b.WriteString(`<path d="`)
		for i, p := range m.pts {
			if i == 0 {
				b.WriteByte('M')
			} else {
				b.WriteByte('L')
			}
			b.WriteString(number(p.x) + " " + number(p.y))
		}
		if m.kind == area {
			b.WriteByte('Z')
		}
		b.WriteByte('"')
	case dots:
		b.WriteString(`<path d="`)
		for _, p := range m.pts {
			b.WriteString("M" + number(p.x) + " " + number(p.y) + "h0")
		}
		b.WriteString(`" stroke-linecap="round"`)
	case circle:
		b.WriteString(`<circle cx="` + number(m.pts[0].x) + `" cy="` + number(m.pts[0].y) + `" r="` + number(m.radius) + `"`)
	case text:
		b.WriteString(`<text x="` + number(m.pts[0].x) + `" y="` + number(m.pts[0].y) + `" font-size="` + number(m.size) + `" fill="` + paint(m.fill) + `"`)
		if m.bold {
			b.WriteString(` font-weight="700"`)
		}
		switch m.anchor {
		case middle:
			b.WriteString(` text-anchor="middle"`)
		case end:
			b.WriteString(` text-anchor="end"`)
		}
		if m.halo {
			b.WriteString(` paint-order="stroke" stroke="` + paint(Background) + `" stroke-width="4" stroke-linejoin="round"`)
		}
		b.WriteString(">" + escape(m.text) + "</text>")
		return
	}
	if m.fill == "" {
		b.WriteString(` fill="none"`)
	} else {
		b.WriteString(` fill="` + paint(m.fill) + `"`)
		if m.opacity > 0 && m.opacity < 1 {
			b.WriteString(` fill-opacity="` + strconv.FormatFloat(m.opacity, 'f', 2, 64) + `"`)
		}
	}
	if m.stroke != "" {
		b.WriteString(` stroke="` + paint(m.stroke) + `" stroke-width="` + strconv.FormatFloat(m.width, 'f', -1, 64) + `"`)
		if len(m.dash) > 0 {
			b.WriteString(` stroke-dasharray="`)
			for i, v := range m.dash {
				if i > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(number(v))
			}
			b.WriteByte('"')
		}
		if m.kind == line {
			b.WriteString(` stroke-linejoin="round"`)
		}
	}
	b.WriteString("/>")
}

func rgb(hex string) (r, g, b uint8) {
	v, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil {
		return 0, 0, 0
	}
	return uint8(v >> 16), uint8(v >> 8), uint8(v)
}

func colorOf(hex string, opacity float64) color.Color {
	r, g, b := rgb(hex)
	a := uint8(255)
	if opacity > 0 && opacity < 1 {
		a = uint8(255*opacity + 0.5)
	}
	return color.NRGBA{R: r, G: g, B: b, A: a}
}

// shift is how far left of its point a text starts.
func (d *Drawing) shift(m mark) float64 {
	switch m.anchor {
	case middle:
		return d.faces.width(m.text, m.size, m.bold) / 2
	case end:
		return d.faces.width(m.text, m.size, m.bold)
	}
	return 0
}

// WritePNG writes the drawing at two pixels a unit on white.
func (d *Drawing) WritePNG(w io.Writer) error {
	const unit = 0.75 // vg points a drawing unit: 96 dpi
	c := vgimg.NewWith(vgimg.UseWH(vg.Length(d.W*unit), vg.Length(d.H*unit)), vgimg.UseDPI(192), vgimg.UseBackgroundColor(color.White))
	at := func(p point) vg.Point { return vg.Point{X: vg.Length(p.x * unit), Y: vg.Length((d.H - p.y) * unit)} }
	for _, m := range d.marks {
		d.drawVG(c, m, at, unit)
	}
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(w); err != nil {
		return &diag.Error{Kind: diag.Internal, Op: "figure.WritePNG", Err: err}
	}
	return nil
}

func (d *Drawing) drawVG(c vg.Canvas, m mark, at func(point) vg.Point, unit float64) {
	if m.kind == text {
		p := m.pts[0]
		p.x -= d.shift(m)
		if m.halo {
			wd := d.faces.width(m.text, m.size, m.bold)
			var box vg.Path
			box.Move(at(point{p.x - 2, p.y + 3}))
			box.Line(at(point{p.x + wd + 2, p.y + 3}))
			box.Line(at(point{p.x + wd + 2, p.y - m.size + 2}))
			box.Line(at(point{p.x - 2, p.y - m.size + 2}))
			box.Close()
			c.SetColor(colorOf(Panel, 0.8))
			c.Fill(box)
		}
		c.SetColor(colorOf(m.fill, 1))
		c.FillString(d.faces.face(m.size*unit, m.bold), at(p), m.text)
		return
	}
	if m.kind == dots {
		c.SetColor(colorOf(m.stroke, 1))
		for _, p := range m.pts {
			d.drawVG(c, mark{kind: circle, pts: []point{p}, radius: m.width / 2, fill: m.stroke}, at, unit)
		}
		return
	}
	var path vg.Path
	if m.kind == circle {
		q := at(m.pts[0])
		path.Move(vg.Point{X: q.X + vg.Length(m.radius*unit), Y: q.Y})
		path.Arc(q, vg.Length(m.radius*unit), 0, 2*3.141592653589793)
		path.Close()
	} else {
		for i, p := range m.pts {
			if i == 0 {
				path.Move(at(p))
			} else {
				path.Line(at(p))
			}
		}
		if m.kind == area {
			path.Close()
		}
	}
	if m.fill != "" {
		c.SetColor(colorOf(m.fill, m.opacity))
		c.Fill(path)
	}
	if m.stroke != "" {
		c.SetColor(colorOf(m.stroke, 1))
		c.SetLineWidth(vg.Length(m.width * unit))
		dash := make([]vg.Length, len(m.dash))
		for i, v := range m.dash {
			dash[i] = vg.Length(v * unit)
		}
		c.SetLineDash(dash, 0)
		c.Stroke(path)
	}
}

// epoch dates every PDF, so that the same results give the same bytes.
func epoch() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// WritePDF writes one page as large as the drawing, 0.6 pt a unit, with subset fonts and
// Unicode text. It writes with fpdf itself: gonum's vgpdf has only Windows-1252, which
// lacks the minus sign, and dates its files.
func (d *Drawing) WritePDF(w io.Writer) error {
	p := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: d.W * pdfScale, Ht: d.H * pdfScale}})
	p.SetCreationDate(epoch())
	p.SetModificationDate(epoch())
	p.SetCatalogSort(true)
	p.SetMargins(0, 0, 0)
	p.SetAutoPageBreak(false, 0)
	p.SetTitle(d.Title, true)
	p.SetSubject(d.Desc, true)
	p.AddUTF8FontFromBytes("sans", "", bytes.Clone(liberationsansregular.TTF))
	p.AddUTF8FontFromBytes("sans", "B", bytes.Clone(liberationsansbold.TTF))
	p.AddPage()
	for _, m := range d.marks {
		d.drawPDF(p, m)
	}
	if err := p.Output(w); err != nil {
		return &diag.Error{Kind: diag.Internal, Op: "figure.WritePDF", Err: err}
	}
	return nil
}

func (d *Drawing) drawPDF(p *fpdf.Fpdf, m mark) {
	set := func(hex string, f func(r, g, b int)) {
		r, g, b := rgb(hex)
		f(int(r), int(g), int(b))
	}
	if m.kind == text {
		weight := ""
		if m.bold {
			weight = "B"
		}
		p.SetFont("sans", weight, m.size*pdfScale)
		x := (m.pts[0].x - d.shift(m)) * pdfScale
		y := m.pts[0].y * pdfScale
		if m.halo {
			set(Panel, p.SetFillColor)
			p.SetAlpha(0.8, "Normal")
			p.Rect(x-1.2, y-(m.size-2)*pdfScale, d.faces.width(m.text, m.size, m.bold)*pdfScale+2.4, (m.size+1)*pdfScale, "F")
			p.SetAlpha(1, "Normal")
		}
		set(m.fill, p.SetTextColor)
		p.Text(x, y, m.text)
		return
	}
	if m.kind == dots {
		set(m.stroke, p.SetFillColor)
		for _, q := range m.pts {
			p.Circle(q.x*pdfScale, q.y*pdfScale, m.width/2*pdfScale, "F")
		}
		return
	}
	path := func() {
		for i, q := range m.pts {
			if i == 0 {
				p.MoveTo(q.x*pdfScale, q.y*pdfScale)
			} else {
				p.LineTo(q.x*pdfScale, q.y*pdfScale)
			}
		}
		if m.kind == area {
			p.ClosePath()
		}
	}
	draw := func(how string) {
		if m.kind == circle {
			p.Circle(m.pts[0].x*pdfScale, m.pts[0].y*pdfScale, m.radius*pdfScale, how)
			return
		}
		path()
		p.DrawPath(how)
	}
	if m.fill != "" {
		set(m.fill, p.SetFillColor)
		if m.opacity > 0 && m.opacity < 1 {
			p.SetAlpha(m.opacity, "Normal")
		}
		draw("F")
		p.SetAlpha(1, "Normal")
	}
	if m.stroke != "" {
		set(m.stroke, p.SetDrawColor)
		p.SetLineWidth(max(0.5, m.width*pdfScale))
		dash := make([]float64, len(m.dash))
		for i, v := range m.dash {
			dash[i] = v * pdfScale
		}
		p.SetDashPattern(dash, 0)
		draw("D")
	}
}
