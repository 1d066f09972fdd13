package forest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"dolor/diag"
	"dolor/frame"
	"dolor/internal/tree"
)

// The saved form, version 1: the line "dolor/forest", the length of the header (uint32), the
// header (JSON), the trees. A tree is the number of its nodes (uint32) and the nodes in depth-first
// order, left before right, so that children need no index. All numbers are little-endian.
//
//	leaf   0        value cover                        float32
//	split  1|2|4    value cover gain  column           float32, uint32
//	                threshold                          float32, on a number
//	                words set                          uint32, uint64 each, on a category (4)
//
// The first byte of a node says leaf (0) or split (1), and in a split whether missing values go
// left (2) and whether it is on a category (4).
const (
	magic   = "dolor/forest\n"
	version = 1

	isSplit     = 1
	missingLeft = 2
	onCategory  = 4

	leastNode = 9 // bytes of a leaf
)

// header is the JSON part of the saved form.
type header struct {
	Version  int            `json:"version"`
	Params   Params         `json:"params"`
	Columns  frame.Schema   `json:"columns"`
	Rows     int            `json:"rows"`
	Events   int            `json:"events"`
	OutOfBag *OutOfBag      `json:"out_of_bag"` // null when no row was left out
	Warnings []diag.Warning `json:"warnings,omitempty"`
	Trees    int            `json:"trees"`
}

// AppendBinary implements [model.Model].
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	head, err := json.Marshal(header{version, m.params, m.schema, m.rows, m.events, m.summary, m.warnings, len(m.ensemble.Trees)})
	if err != nil {
		return b, err
	}
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(head)))
	b = append(b, head...)
	f32 := func(v float32) { b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v)) }
	u32 := func(v int) { b = binary.LittleEndian.AppendUint32(b, uint32(v)) }
	for i := range m.ensemble.Trees {
		t := &m.ensemble.Trees[i]
		u32(len(t.Nodes))
		for k := range t.Nodes {
			n := &t.Nodes[k]
			kind := byte(0)
			if !n.IsLeaf() {
				kind = isSplit
				if n.DefaultLeft {
					kind |= missingLeft
				}
				if n.Set > 0 {
					kind |= onCategory
				}
			}
			b = append(b, kind)
			f32(n.Weight)
			f32(n.Cover)
			if kind == 0 {
				continue
			}
			f32(n.Gain)
			u32(int(n.Feature))
			if n.Set == 0 {
				f32(n.Threshold)
				continue
			}
			set := t.Sets[n.Set-1]
			u32(len(set))
			for _, w := range set {
				b = binary.LittleEndian.AppendUint64(b, w)
			}
		}
	}
	return b, nil
}

// Load reads what AppendBinary wrote. Anything else is an error of kind Invalid, or
// Unsupported for another version. Memory is bounded by a small multiple of len(b).
func Load(b []byte) (*Model, error) {
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok || len(rest) < 4 {
		return nil, diag.Errorf(diag.Invalid, "", "expected a saved forest model, got something else")
	}
	size := int64(binary.LittleEndian.Uint32(rest))
	rest = rest[4:]
	if size > int64(len(rest)) {
		return nil, diag.Errorf(diag.Invalid, "header", "expected %d bytes, got %d", size, len(rest))
	}
	h, err := readHeader(rest[:size])
	if err != nil {
		return nil, err
	}
	m := &Model{params: h.Params, schema: h.Columns, rows: h.Rows, events: h.Events, summary: h.OutOfBag, warnings: h.Warnings}
	m.features()
	r := &reader{b: rest[size:], features: m.ensemble.Features}
	if h.Trees > len(r.b)/(4+leastNode) {
		return nil, diag.Errorf(diag.Invalid, "trees", "expected %d trees, got %d bytes", h.Trees, len(r.b))
	}
	m.ensemble.Trees = make([]tree.Tree, h.Trees)
	for i := range m.ensemble.Trees {
		if m.ensemble.Trees[i], err = r.tree(); err != nil {
			return nil, &diag.Error{Kind: diag.Invalid, Field: fmt.Sprintf("trees[%d]", i), Msg: "not a tree", Err: err}
		}
	}
	if len(r.b) > 0 {
		return nil, diag.Errorf(diag.Invalid, "", "expected the file to end after the last tree, got %d bytes more", len(r.b))
	}
	m.prepare()
	return m, nil
}

func readHeader(b []byte) (*header, error) {
	h := &header{}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(h); err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Field: "header", Msg: "expected the header of a saved forest model", Err: err}
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, diag.Errorf(diag.Invalid, "header", "expected one JSON object, got more after it")
	}
	if h.Version != version {
		return nil, diag.Errorf(diag.Unsupported, "version", "expected %d, got %d", version, h.Version)
	}
	if err := h.Params.Validate(); err != nil {
		return nil, err
	}
	if h.Trees != h.Params.NEstimators {
		return nil, diag.Errorf(diag.Invalid, "trees", "expected %d, got %d", h.Params.NEstimators, h.Trees)
	}
	if h.Rows < 0 || h.Events < 0 || h.Events > h.Rows {
		return nil, diag.Errorf(diag.Invalid, "rows", "expected no fewer rows than events, got %d and %d", h.Rows, h.Events)
	}
	if s := h.OutOfBag; s != nil && !(s.LogLoss >= 0 && s.Brier >= 0 && s.Brier <= 1 && s.Error >= 0 && s.Error <= 1) {
		return nil, diag.Errorf(diag.Invalid, "out_of_bag", "expected a log loss of at least 0 and errors in [0, 1]")
	}
	seen := make(map[string]bool, len(h.Columns))
	for _, f := range h.Columns {
		if f.Name == "" || seen[f.Name] || f.Kind != frame.Number && f.Kind != frame.Category {
			return nil, diag.Errorf(diag.Invalid, "columns", "expected numbers and categories, each with a name of its own")
		}
		seen[f.Name] = true
	}
	return h, nil
}

// reader takes nodes off the front of b.
type reader struct {
	b        []byte
	features []tree.Feature
	short    bool // b ended too early
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.short, r.b = true, nil
		return make([]byte, 8)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u32() uint32  { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) f32() float32 { return math.Float32frombits(r.u32()) }

var errEarly = diag.Errorf(diag.Invalid, "", "the file ends too early")

func (r *reader) tree() (tree.Tree, error) {
	count := int64(r.u32())
	if count < 1 || count > int64(len(r.b)/leastNode) {
		return tree.Tree{}, diag.Errorf(diag.Invalid, "", "expected %d nodes, got %d bytes", count, len(r.b))
	}
	t := tree.Tree{Nodes: make([]tree.Node, 0, count)}
	open := []int32{-1} // parents whose next child has not come
	for k := int32(0); int64(k) < count; k++ {
		if len(open) == 0 {
			return t, diag.Errorf(diag.Invalid, "", "expected the tree to end at node %d of %d", k, count)
		}
		parent := open[len(open)-1]
		open = open[:len(open)-1]
		if parent >= 0 {
			if p := &t.Nodes[parent]; p.Left == tree.Leaf {
				p.Left = k
			} else {
				p.Right = k
			}
		}
		n, split, err := r.node(&t)
		if err != nil {
			return t, err
		}
		n.Parent = parent
		if split {
			open = append(open, k, k)
		}
		t.Nodes = append(t.Nodes, n)
	}
	if len(open) > 0 {
		return t, diag.Errorf(diag.Invalid, "", "expected children after %d nodes, got none", count)
	}
	return t, nil
}

func (r *reader) node(t *tree.Tree) (n tree.Node, split bool, err error) {
	kind := r.take(1)[0]
	n = tree.Node{Left: tree.Leaf, Right: tree.Leaf}
	n.Weight, n.Cover = r.f32(), r.f32()
	if !(n.Weight >= 0 && n.Weight <= 1) || !(n.Cover >= 0) || math.IsInf(float64(n.Cover), 0) {
		return n, false, diag.Errorf(diag.Invalid, "", "expected a value in [0, 1] and a finite cover")
	}
	if kind == 0 {
		n.Value = n.Weight
		return n, false, r.err()
	}
	n.Gain = r.f32()
	feature := r.u32()
	switch {
	case kind&isSplit == 0 || kind > isSplit|missingLeft|onCategory:
		return n, false, diag.Errorf(diag.Invalid, "", "expected a leaf or a split, got kind %d", kind)
	case !(n.Gain >= 0) || math.IsInf(float64(n.Gain), 0):
		return n, false, diag.Errorf(diag.Invalid, "", "expected a finite gain of at least 0")
	case int64(feature) >= int64(len(r.features)):
		return n, false, diag.Errorf(diag.Invalid, "", "expected a column below %d, got %d", len(r.features), feature)
	case (r.features[feature].Levels > 0) != (kind&onCategory != 0):
		return n, false, diag.Errorf(diag.Invalid, "", "expected a split that fits the kind of its column")
	}
	n.Feature, n.DefaultLeft = int32(feature), kind&missingLeft != 0
	if kind&onCategory == 0 {
		n.Threshold = r.f32()
		if v := float64(n.Threshold); v-v != 0 {
			return n, false, diag.Errorf(diag.Invalid, "", "expected a finite threshold")
		}
		return n, true, r.err()
	}
	levels := r.features[feature].Levels
	words := int64(r.u32())
	if words < 1 || words > int64(levels+63)/64 || words > int64(len(r.b)/8) {
		return n, false, diag.Errorf(diag.Invalid, "", "expected a set of at most %d categories, got %d words", levels, words)
	}
	set := make([]uint64, words)
	for i := range set {
		set[i] = binary.LittleEndian.Uint64(r.take(8))
	}
	if over := 64*int(words) - levels; over > 0 && set[words-1]>>(64-over) != 0 {
		return n, false, diag.Errorf(diag.Invalid, "", "expected a set of categories below %d", levels)
	}
	t.Sets = append(t.Sets, set)
	n.Set = int32(len(t.Sets))
	return n, true, r.err()
}

func (r *reader) err() error {
	if r.short {
		return errEarly
	}
	return nil
}
