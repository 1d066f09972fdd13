package preprocess

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"dolor/diag"
)

// Names returns the names of Steps, in order.
func Names() []string {
	names := make([]string, len(Steps))
	for i, k := range Steps {
		names[i] = k.Name
	}
	return names
}

// Find returns the named kind of Steps. An unknown name is an error of kind Invalid with the
// nearest name as hint.
func Find(name string) (Kind, error) { return find(name, nil) }

func find(name string, extra []Kind) (Kind, error) {
	all := slices.Concat(Steps, extra)
	names := make([]string, len(all))
	for i, k := range all {
		if k.Name == name {
			return k, nil
		}
		names[i] = k.Name
	}
	e := diag.Errorf(diag.Invalid, "step", "no such step")
	e.Hint = hint(name, names)
	return Kind{}, e
}

// Decode returns the named step with its defaults overwritten by settings, a JSON object;
// nil, empty or null settings leave the defaults. Unknown names and keys are errors of kind
// Invalid that offer the nearest known one; settings are checked by Validate.
func Decode(name string, settings []byte) (Step, error) {
	k, err := Find(name)
	if err != nil {
		return nil, err
	}
	return decodeStep(k, settings)
}

func decodeStep(k Kind, settings []byte) (Step, error) {
	s := k.New()
	if len(bytes.TrimSpace(settings)) > 0 {
		if err := strict(k.Name, settings, s); err != nil {
			return nil, err
		}
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return s, nil
}

// strict decodes one JSON value into dst: no unknown key, nothing after it. where prefixes
// the field of the error.
func strict(where string, b []byte, dst any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(dst)
	if err == nil {
		if _, err = d.Token(); !errors.Is(err, io.EOF) {
			return diag.Errorf(diag.Invalid, where, "expected one JSON value, got more after byte %d", d.InputOffset())
		}
		return nil
	}
	var typ *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var own *diag.Error
	switch {
	case errors.As(err, &own):
		return &diag.Error{Kind: own.Kind, Field: join(where, own.Field), Msg: own.Msg, Hint: own.Hint}
	case errors.As(err, &typ):
		return diag.Errorf(diag.Invalid, join(where, typ.Field), "expected %s, got %s", jsonType(typ.Type), got(typ.Value))
	case errors.As(err, &syntax):
		return diag.Errorf(diag.Invalid, where, "byte %d: expected JSON, got a syntax fault", syntax.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return diag.Errorf(diag.Invalid, where, "expected JSON, got an unfinished text")
	}
	if quoted, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		name, uerr := strconv.Unquote(quoted)
		if uerr != nil {
			name = quoted
		}
		e := diag.Errorf(diag.Invalid, join(where, name), "no such setting")
		e.Hint = hint(name, keys(reflect.TypeOf(dst)))
		return e
	}
	return diag.Errorf(diag.Invalid, where, "expected JSON, got a fault")
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "." + b
}

func hint(name string, known []string) string {
	if near := diag.Nearest(name, known); near != "" {
		return "did you mean " + strconv.Quote(near) + "?"
	}
	if len(known) == 0 {
		return ""
	}
	return "known: " + strings.Join(known, ", ")
}

func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "a whole number"
	default:
		return "a number"
	}
}

// got describes encoding/json's word for what it met without quoting a value.
func got(v string) string {
	word, _, _ := strings.Cut(v, " ")
	switch word {
	case "bool":
		return "true or false"
	case "string":
		return "text"
	case "array":
		return "a list"
	case "object":
		return "an object"
	}
	return "another number"
}

// keys lists the JSON names of a struct's fields.
func keys(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var out []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" && f.IsExported() {
			out = append(out, name)
		}
	}
	return out
}

// load decodes a fitted state and checks it, so that a damaged file cannot make Apply panic.
func load[T any, P interface {
	*T
	Transform
	check() error
}](b []byte) (Transform, error) {
	t := P(new(T))
	if err := strict("state", b, t); err != nil {
		return nil, err
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	return t, nil
}

// oneOf adds a fault unless got is among known.
func oneOf(l *diag.List, field, got string, known ...string) {
	if slices.Contains(known, got) {
		return
	}
	e := diag.Errorf(diag.Invalid, field, "expected one of %s, got %s", strings.Join(known, ", "), diag.Describe(got))
	if near := diag.Nearest(got, known); near != "" {
		e.Hint = "did you mean " + strconv.Quote(near) + "?"
	}
	l.Add(e)
}

// damaged is the error of a state that no Fit could have written.
func damaged(field, format string, args ...any) error {
	return diag.Errorf(diag.Invalid, join("state", field), format, args...)
}
