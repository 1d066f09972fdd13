package figure

import (
	"math"
	"slices"
)

// Drawing is one picture as plain marks in units of CSS pixels, origin top left. It can be
// written as SVG, PNG and PDF, each time with the same bytes.
type Drawing struct {
	W, H  float64
	Title string
	Desc  string
	marks []mark
	faces faces
}

type kind uint8

const (
	line kind = iota
	area
	circle
	dots
	text
)

type point struct{ x, y float64 }

type mark struct {
	kind    kind
	pts     []point
	fill    string
	stroke  string
	width   float64
	dash    []float64
	opacity float64 // of the fill
	radius  float64
	text    string
	size    float64
	bold    bool
	anchor  int // start, middle or end
	halo    bool
}

type style struct {
	fill, stroke string
	width        float64
	dash         []float64
	opacity      float64
}

func newDrawing(w, h float64, f faces) *Drawing { return &Drawing{W: w, H: h, faces: f} }

func finite(p point) bool {
	return !math.IsNaN(p.x) && !math.IsNaN(p.y) && !math.IsInf(p.x, 0) && !math.IsInf(p.y, 0)
}

// line draws a polyline; it breaks where a point is not finite.
func (d *Drawing) line(s style, pts ...point) {
	start := 0
	for i := 0; i <= len(pts); i++ {
		if i < len(pts) && finite(pts[i]) {
			continue
		}
		if i-start > 1 {
			d.marks = append(d.marks, mark{kind: line, pts: pts[start:i], stroke: s.stroke, width: s.width, dash: s.dash})
		}
		start = i + 1
	}
}

func (d *Drawing) area(s style, pts ...point) {
	for _, p := range pts {
		if !finite(p) {
			return
		}
	}
	if len(pts) < 3 {
		return
	}
	d.marks = append(d.marks, mark{kind: area, pts: pts, fill: s.fill, stroke: s.stroke, width: s.width, opacity: s.opacity})
}

func (d *Drawing) rect(s style, x, y, w, h float64) {
	d.area(s, point{x, y}, point{x + w, y}, point{x + w, y + h}, point{x, y + h})
}

func (d *Drawing) circle(s style, x, y, r float64) {
	if finite(point{x, y}) {
		d.marks = append(d.marks, mark{kind: circle, pts: []point{{x, y}}, radius: r, fill: s.fill, stroke: s.stroke, width: s.width, opacity: s.opacity})
	}
}

// dots draws round points of one colour, as wide as the stroke: far fewer bytes than circles.
func (d *Drawing) dots(s style, pts ...point) {
	if len(pts) > 0 {
		d.marks = append(d.marks, mark{kind: dots, pts: pts, stroke: s.stroke, width: s.width})
	}
}

type label struct {
	color  string
	size   float64
	bold   bool
	anchor int
	halo   bool
}

const (
	start  = 0
	middle = 1
	end    = 2
)

func (d *Drawing) text(l label, x, y float64, s string) {
	if s == "" || !finite(point{x, y}) {
		return
	}
	if l.color == "" {
		l.color = Ink
	}
	if l.size == 0 {
		l.size = sizeLabel
	}
	d.marks = append(d.marks, mark{kind: text, pts: []point{{x, y}}, text: s, fill: l.color, size: l.size, bold: l.bold, anchor: l.anchor, halo: l.halo})
}

// plane maps data to the drawing.
type plane struct {
	left, right, top, bottom float64
	xmin, xmax, ymin, ymax   float64
}

// Products are rounded before they are added: no processor may fuse them and move a last digit.
func (p plane) x(v float64) float64 {
	return p.left + float64((v-p.xmin)/(p.xmax-p.xmin)*(p.right-p.left))
}

func (p plane) y(v float64) float64 {
	return p.bottom - float64((v-p.ymin)/(p.ymax-p.ymin)*(p.bottom-p.top))
}

// clip returns the parts of a polyline in data units that lie inside p, in drawing units.
func (p plane) clip(xs, ys []float64) [][]point {
	var out [][]point
	var cur []point
	flush := func() {
		if len(cur) > 1 {
			out = append(out, cur)
		}
		cur = nil
	}
	for i := 0; i+1 < min(len(xs), len(ys)); i++ {
		a, b := point{xs[i], ys[i]}, point{xs[i+1], ys[i+1]}
		if !finite(a) || !finite(b) {
			flush()
			continue
		}
		t0, t1, ok := inside(a, b, p)
		if !ok {
			flush()
			continue
		}
		at := func(t float64) point { return point{p.x(a.x + t*(b.x-a.x)), p.y(a.y + t*(b.y-a.y))} }
		if t0 > 0 || len(cur) == 0 {
			flush()
			cur = append(cur, at(t0))
		}
		cur = append(cur, at(t1))
		if t1 < 1 {
			flush()
		}
	}
	flush()
	return out
}

// inside is Liang and Barsky's clipping of the segment a b (Liang YD, Barsky BA. ACM Trans
// Graph 1984;3:1-22, doi:10.1145/357332.357333).
func inside(a, b point, p plane) (t0, t1 float64, ok bool) {
	t0, t1 = 0, 1
	dx, dy := b.x-a.x, b.y-a.y
	for _, e := range [4][2]float64{{-dx, a.x - p.xmin}, {dx, p.xmax - a.x}, {-dy, a.y - p.ymin}, {dy, p.ymax - a.y}} {
		if e[0] == 0 {
			if e[1] < 0 {
				return 0, 0, false
			}
			continue
		}
		r := e[1] / e[0]
		if e[0] < 0 {
			t0 = max(t0, r)
		} else {
			t1 = min(t1, r)
		}
	}
	return t0, t1, t0 <= t1
}

// curve draws a clipped polyline thinned to about a hundred points.
func (d *Drawing) curve(p plane, s style, xs, ys []float64) {
	xs, ys = thin(xs, ys, 100)
	for _, part := range p.clip(xs, ys) {
		d.line(s, part...)
	}
}

// band fills between lower and upper, cut at the plane's edges.
func (d *Drawing) band(p plane, color string, opacity float64, xs, lo, hi []float64) {
	if len(lo) != len(xs) || len(hi) != len(xs) {
		return
	}
	var up, down []point
	flush := func() {
		if len(up) > 1 {
			for _, d := range slices.Backward(down) {
				up = append(up, d)
			}
			d.area(style{fill: color, opacity: opacity}, up...)
		}
		up, down = nil, nil
	}
	step := max(1, len(xs)/100)
	for i := range xs {
		if i%step != 0 && i != len(xs)-1 {
			continue
		}
		x := xs[i]
		if math.IsNaN(lo[i]) || math.IsNaN(hi[i]) || x < p.xmin || x > p.xmax {
			flush()
			continue
		}
		up = append(up, point{p.x(x), p.y(max(p.ymin, min(p.ymax, hi[i])))})
		down = append(down, point{p.x(x), p.y(max(p.ymin, min(p.ymax, lo[i])))})
	}
	flush()
}

// thin keeps at most about n points of a curve: the ends, and those farthest from the chord
// (Douglas DH, Peucker TK. Cartographica 1973;10:112-122, doi:10.3138/FM57-6770-U75U-7727),
// with a tolerance doubled until they are few enough. The input is not changed.
func thin(xs, ys []float64, n int) ([]float64, []float64) {
	m := min(len(xs), len(ys))
	xs, ys = xs[:m], ys[:m]
	if m <= n {
		return xs, ys
	}
	for tol := 0.0005; ; tol *= 2 {
		keep := make([]bool, m)
		keep[0], keep[m-1] = true, true
		stack := [][2]int{{0, m - 1}}
		count := 2
		for len(stack) > 0 && count <= n {
			a, b := stack[len(stack)-1][0], stack[len(stack)-1][1]
			stack = stack[:len(stack)-1]
			far, at := tol, -1
			dx, dy := xs[b]-xs[a], ys[b]-ys[a]
			l := math.Hypot(dx, dy)
			for i := a + 1; i < b; i++ {
				dist := math.Hypot(xs[i]-xs[a], ys[i]-ys[a])
				if l > 0 {
					dist = math.Abs(dx*(ys[i]-ys[a])-dy*(xs[i]-xs[a])) / l
				}
				if dist > far || math.IsNaN(dist) && at < 0 {
					far, at = dist, i
				}
			}
			if at > 0 {
				keep[at] = true
				count++
				stack = append(stack, [2]int{a, at}, [2]int{at, b})
			}
		}
		if count <= n || tol > 1e6 {
			var ox, oy []float64
			for i, k := range keep {
				if k {
					ox, oy = append(ox, xs[i]), append(oy, ys[i])
				}
			}
			return ox, oy
		}
	}
}
