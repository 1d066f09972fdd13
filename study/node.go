package study

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"dolor/diag"
)

// decoder fills Go values from a YAML tree (JSON is YAML too), collecting every fault with
// its line and column. Keys are the json tags of the structs; an unknown key is a fault with
// the nearest known key as hint.
type decoder struct {
	file   string
	faults diag.List
	pos    map[string]diag.Pos // where each path stood, for faults found later
}

// nodeDecoder is implemented by types that accept more than one shape.
type nodeDecoder interface {
	decodeNode(d *decoder, path string, n ast.Node)
}

// decode parses src and fills v, a pointer to a struct.
func (d *decoder) decode(src []byte, v any) {
	d.pos = make(map[string]diag.Pos)
	f, err := parser.ParseBytes(src, 0)
	if err != nil {
		d.syntax(err)
		return
	}
	if len(f.Docs) == 0 || f.Docs[0].Body == nil {
		d.faults.Add(&diag.Error{Kind: diag.Invalid, Pos: diag.Pos{File: d.file}, Msg: "expected a study protocol, got an empty file"})
		return
	}
	if len(f.Docs) > 1 {
		d.faults.Add(&diag.Error{Kind: diag.Invalid, Pos: diag.Pos{File: d.file}, Msg: "expected one YAML document, got " + strconv.Itoa(len(f.Docs))})
		return
	}
	d.value("", f.Docs[0].Body, reflect.ValueOf(v).Elem())
}

func (d *decoder) syntax(err error) {
	e := &diag.Error{Kind: diag.Invalid, Pos: diag.Pos{File: d.file}, Msg: "not valid YAML"}
	if ye, ok := errors.AsType[yaml.Error](err); ok {
		if t := ye.GetToken(); t != nil && t.Position != nil {
			e.Pos.Line, e.Pos.Col = t.Position.Line, t.Position.Column
		}
		e.Msg = "not valid YAML: " + ye.GetMessage()
	}
	d.faults.Add(e)
}

func (d *decoder) at(n ast.Node) diag.Pos {
	p := diag.Pos{File: d.file}
	if n == nil {
		return p
	}
	// A mapping's own token is its first colon; its first key is where a person would look.
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		n = m.Values[0].Key
	}
	if mv, ok := n.(*ast.MappingValueNode); ok {
		n = mv.Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Col = t.Position.Line, t.Position.Column
	}
	return p
}

func (d *decoder) fault(path string, n ast.Node, format string, args ...any) {
	_ = d.mark(path, n, format, args...)
}

// mark is fault for callers that add a hint.
func (d *decoder) mark(path string, n ast.Node, format string, args ...any) *diag.Error {
	e := diag.Errorf(diag.Invalid, path, format, args...)
	e.Pos = d.at(n)
	d.faults.Add(e)
	return e
}

// unwrap removes anchors, tags and aliases.
func unwrap(n ast.Node) ast.Node {
	for {
		switch x := n.(type) {
		case *ast.TagNode:
			n = x.Value
		case *ast.AnchorNode:
			n = x.Value
		default:
			return n
		}
	}
}

func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch x := n.(type) {
	case *ast.MappingNode:
		return x.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{x}, true
	}
	return nil, false
}

func keyOf(n ast.MapKeyNode) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	if t := n.GetToken(); t != nil {
		return t.Value
	}
	return n.String()
}

// scalarText returns the text of a scalar as written.
func scalarText(n ast.Node) (string, bool) {
	switch x := n.(type) {
	case *ast.StringNode:
		return x.Value, true
	case *ast.LiteralNode:
		return x.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func shape(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "nothing"
	}
	return "something else"
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (d *decoder) value(path string, n ast.Node, v reflect.Value) {
	n = unwrap(n)
	if n == nil {
		return
	}
	d.pos[path] = d.at(n)
	if v.CanAddr() {
		if c, ok := reflect.TypeAssert[nodeDecoder](v.Addr()); ok {
			c.decodeNode(d, path, n)
			return
		}
	}
	if _, null := n.(*ast.NullNode); null {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		d.value(path, n, p.Elem())
		v.Set(p)
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Slice:
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			d.fault(path, n, "expected a list, got %s", shape(n))
			return
		}
		out := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
		for i, e := range seq.Values {
			d.value(path+"["+strconv.Itoa(i)+"]", e, out.Index(i))
		}
		v.Set(out)
	case reflect.Map:
		kv, ok := mapping(n)
		if !ok {
			d.fault(path, n, "expected a mapping, got %s", shape(n))
			return
		}
		out := reflect.MakeMap(v.Type())
		for _, e := range kv {
			x := reflect.New(v.Type().Elem()).Elem()
			d.value(join(path, keyOf(e.Key)), e.Value, x)
			out.SetMapIndex(reflect.ValueOf(keyOf(e.Key)).Convert(v.Type().Key()), x)
		}
		v.Set(out)
	default:
		d.scalar(path, n, v)
	}
}

// into decodes n into *v without looking for a nodeDecoder on v itself.
func (d *decoder) into(path string, n ast.Node, v any) {
	d.structure(path, n, reflect.ValueOf(v).Elem())
}

// slice decodes n into *v, a slice.
func (d *decoder) slice(path string, n ast.Node, v any) {
	d.value(path, n, reflect.ValueOf(v).Elem())
}

func (d *decoder) structure(path string, n ast.Node, v reflect.Value) {
	kv, ok := mapping(n)
	if !ok {
		d.fault(path, n, "expected a mapping, got %s", shape(n))
		return
	}
	fields := make(map[string]int)
	var known []string
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = i
			known = append(known, name)
		}
	}
	seen := make(map[string]bool)
	for _, e := range kv {
		key := keyOf(e.Key)
		i, ok := fields[key]
		switch {
		case !ok:
			f := d.mark(join(path, key), e.Key, "unknown key")
			if near := diag.Nearest(key, known); near != "" {
				f.Hint = "did you mean \"" + near + "\"?"
			} else {
				slices.Sort(known)
				f.Hint = "known here: " + strings.Join(known, ", ")
			}
		case seen[key]:
			d.fault(join(path, key), e.Key, "expected each key once, got it twice")
		default:
			seen[key] = true
			d.value(join(path, key), e.Value, v.Field(i))
		}
	}
}

func (d *decoder) scalar(path string, n ast.Node, v reflect.Value) {
	text, ok := scalarText(n)
	if !ok {
		d.fault(path, n, "expected %s, got %s", kindWord(v.Kind()), shape(n))
		return
	}
	_, isText := n.(*ast.StringNode)
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
			return
		}
	case reflect.Int, reflect.Int64:
		if i, err := strconv.ParseInt(text, 10, 64); err == nil && !isText {
			v.SetInt(i)
			return
		}
	case reflect.Uint64:
		if i, err := strconv.ParseUint(text, 10, 64); err == nil && !isText {
			v.SetUint(i)
			return
		}
	case reflect.Float64:
		if f, err := strconv.ParseFloat(text, 64); err == nil && !isText {
			v.SetFloat(f)
			return
		}
	case reflect.Interface:
		v.Set(reflect.ValueOf(plain(n)))
		return
	default:
	}
	d.fault(path, n, "expected %s, got %s", kindWord(v.Kind()), shape(n))
}

func kindWord(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	default:
		return "a value"
	}
}

// plain converts a tree to what encoding/json would give.
func plain(n ast.Node) any {
	n = unwrap(n)
	if kv, ok := mapping(n); ok {
		m := make(map[string]any, len(kv))
		for _, e := range kv {
			m[keyOf(e.Key)] = plain(e.Value)
		}
		return m
	}
	switch x := n.(type) {
	case *ast.SequenceNode:
		out := make([]any, len(x.Values))
		for i, e := range x.Values {
			out[i] = plain(e)
		}
		return out
	case *ast.BoolNode:
		return x.Value
	case *ast.IntegerNode, *ast.FloatNode:
		if f, err := strconv.ParseFloat(n.GetToken().Value, 64); err == nil {
			return f
		}
	case *ast.NullNode:
		return nil
	}
	s, _ := scalarText(n)
	return s
}
