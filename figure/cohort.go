package figure

import (
	"fmt"
	"strconv"

	"dolor/assess"
)

// Flow draws how many patients remained after each step, why others left, and the groups
// the analysis set consists of.
func Flow(r *assess.Results) Figure {
	if len(r.Flow) == 0 {
		f := emptyFigure("Participant flow "+Undefined, "the run recorded no steps", false)
		f.Name, f.Kind = "flow", "flow"
		return f
	}
	first, last := r.Flow[0], r.Flow[len(r.Flow)-1]
	f := Figure{Name: "flow", Kind: "flow", Title: fmt.Sprintf("%d of %d analysed", last.N, first.N), Sub: "Each step removes patients once, in this order."}
	if first.N == last.N {
		f.Title = fmt.Sprintf("All %d analysed", last.N)
	}
	draw := func(w float64) *Drawing {
		d := newDrawing(w, 0, newFaces())
		d.Title, d.Desc = "Participant flow", f.Title+"."
		y := 1.0
		boxW := min(w-2, 420)
		for i, s := range r.Flow {
			if s.Excluded > 0 && i > 0 {
				why := "Removed " + Small(s.Excluded)
				if s.Reason != "" {
					why += ": " + s.Reason
				}
				lines := d.faces.wrap(why, sizeLabel, false, w-60)
				h := 14 + 17*float64(len(lines))
				d.line(style{stroke: Reference, width: 1.5}, point{40, y}, point{40, y + h})
				for k, l := range lines {
					d.text(label{color: Muted}, 56, y+19+17*float64(k), l)
				}
				y += h
			} else if i > 0 {
				d.line(style{stroke: Reference, width: 1.5}, point{40, y}, point{40, y + 14})
				y += 14
			}
			n := strconv.Itoa(s.N)
			lines := d.faces.wrap(s.Label, sizeLabel, false, boxW-40-d.faces.width(n, 16, true))
			h := 18 + 17*float64(len(lines))
			d.rect(style{fill: Panel, stroke: Ink, width: 1.5}, 1, y, boxW, h)
			d.text(label{size: 16, bold: true}, 14, y+23, n)
			for k, l := range lines {
				d.text(label{}, 22+d.faces.width(n, 16, true), y+22+17*float64(k), l)
			}
			y += h
		}
		if len(r.FlowEnds) > 0 {
			y = flowEnds(d, r.FlowEnds, y+16, w)
		}
		d.H = y + 4
		return d
	}
	f.Wide, f.Narrow = draw(860), draw(340)
	return f
}

func flowEnds(d *Drawing, ends []assess.FlowEnd, y, w float64) float64 {
	cols := min(len(ends), 5)
	if w < 600 {
		cols = min(len(ends), 2)
	}
	mixed := false // the groups are not the outcome itself
	for _, e := range ends {
		mixed = mixed || e.Events > 0 && e.Events < e.N
	}
	cw := w / float64(cols)
	low := y
	for i, e := range ends {
		if i > 0 && i%cols == 0 {
			y = low + 14
		}
		x := cw * float64(i%cols)
		d.rect(style{fill: Dark}, x, y, cw-8, 4)
		d.text(label{size: 20, bold: true}, x, y+28, Small(e.N))
		lines := d.faces.wrap(e.Label, sizeLabel, false, cw-12)
		if mixed {
			lines = append(lines, Small(e.Events)+" events")
		}
		for k, l := range lines {
			d.text(label{}, x, y+46+17*float64(k), l)
		}
		low = max(low, y+46+17*float64(len(lines)-1))
	}
	return low + 6
}

// Missing draws the share missing of each predictor at each site as cells with the number
// inside; the darker the cell, the larger the share.
func Missing(r *assess.Results) Figure {
	m := r.Missingness
	var rows []int
	worst, at, site := 0.0, -1, 0
	share := func(i, j int) float64 {
		if i >= len(m.Missing) || j >= len(m.Missing[i]) || j >= len(m.N) || m.N[j] == 0 {
			return 0
		}
		return float64(m.Missing[i][j]) / float64(m.N[j])
	}
	for i := range m.Predictors {
		sum := 0.0
		for j := range m.Sites {
			s := share(i, j)
			sum += s
			if s > worst {
				worst, at, site = s, i, j
			}
		}
		if sum > 0 {
			rows = append(rows, i)
		}
	}
	if len(m.Predictors) == 0 {
		f := emptyFigure("Missing data "+Undefined, "the run recorded no predictors", false)
		f.Name, f.Kind = "missing", "missing"
		return f
	}
	f := Figure{Name: "missing", Kind: "missing", Sub: fmt.Sprintf("Share of patients without a value. %d of %d predictors have any missing; the others are not drawn.", len(rows), len(m.Predictors))}
	if at < 0 {
		f = emptyFigure("No predictor has a missing value", fmt.Sprintf("all %d predictors are complete", len(m.Predictors)), false)
		f.Name, f.Kind, f.Sub, f.Empty = "missing", "missing", fmt.Sprintf("All %d predictors are complete.", len(m.Predictors)), "complete"
		for _, d := range []*Drawing{f.Wide, f.Narrow} {
			d.marks = d.marks[:1]
			d.text(label{anchor: middle}, d.W/2, d.H/2, f.Sub)
			d.Desc = f.Sub
		}
		return f
	}
	f.Title = m.Predictors[at] + " is missing most, in " + Percent(worst, 0)
	if len(m.Sites) > 1 {
		f.Title += " of patients at " + m.Sites[site]
	} else {
		f.Title += " of patients"
	}
	f.Wide, f.Narrow = drawMissing(m, rows, share, 860, f.Title), drawMissing(m, rows, share, 340, f.Title)
	return f
}

func drawMissing(m assess.Missingness, rows []int, share func(i, j int) float64, w float64, title string) *Drawing {
	d := newDrawing(w, 0, newFaces())
	d.Title, d.Desc = "Missingness map", title+"."
	left := 0.0
	for _, i := range rows {
		left = max(left, d.faces.width(m.Predictors[i], sizeLabel, false)+12)
	}
	left = min(left, 0.36*w)
	cols := len(m.Sites)
	cw := min(130, (w-left)/float64(max(1, cols)))
	const rowH = 24.0
	for j, s := range m.Sites {
		x := left + cw*(float64(j)+0.5)
		d.text(label{size: sizeTick, anchor: middle}, x, 12, d.faces.fit(s, sizeTick, false, cw-4))
		if j < len(m.N) {
			d.text(label{size: sizeTick, color: Muted, anchor: middle}, x, 27, d.faces.fit("n "+strconv.Itoa(m.N[j]), sizeTick, false, cw-2))
		}
	}
	y := 34.0
	for _, i := range rows {
		d.text(label{}, 0, y+17, d.faces.fit(m.Predictors[i], sizeLabel, false, left-8))
		for j := range m.Sites {
			v := share(i, j)
			x := left + cw*float64(j)
			st := style{stroke: Rule, width: 1}
			if v > 0 {
				st.fill, st.opacity = Other, 0.12+0.5*v
			}
			d.rect(st, x+1, y+1, cw-2, rowH-2)
			s := Percent(v, 0)
			switch {
			case v == 0:
				s = "0"
			case v < 0.005:
				s = "<" + nbsp + "1" + nbsp + "%"
			}
			d.text(label{size: sizeTick, anchor: middle}, x+cw/2, y+16, d.faces.fit(s, sizeTick, false, cw-2))
		}
		y += rowH
	}
	d.H = y + 4
	return d
}
