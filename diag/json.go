package diag

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
)

// DecodeJSON decodes b into v, refusing unknown keys (with the nearest known key as hint),
// wrong types and trailing text. Errors are of kind Invalid and name the key.
func DecodeJSON(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		if _, end := dec.Token(); !errors.Is(end, io.EOF) {
			return Errorf(Invalid, "", "expected one JSON value, got text after it")
		}
		return nil
	}
	if typ, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return Errorf(Invalid, typ.Field, "expected %s, got %s", wanted(typ.Type.Kind()), given(typ.Value))
	}
	if key, ok := strings.CutPrefix(err.Error(), `json: unknown field "`); ok {
		key = strings.TrimSuffix(key, `"`)
		e := Errorf(Invalid, key, "unknown key")
		if near := Nearest(key, jsonKeys(v)); near != "" {
			e.Hint = `did you mean "` + near + `"?`
		} else if known := jsonKeys(v); len(known) > 0 {
			e.Hint = "known here: " + strings.Join(known, ", ")
		}
		return e
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &Error{Kind: Invalid, Msg: "not valid JSON", Err: err}
}

func jsonKeys(v any) []string {
	t := reflect.TypeOf(v)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for field := range t.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
			keys = append(keys, name)
		}
	}
	return keys
}

// wanted says in words what a Go kind reads from JSON.
func wanted(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	default:
		return "another value"
	}
}

// given says in words what encoding/json met, without the value it may quote.
func given(value string) string {
	kind, _, _ := strings.Cut(value, " ")
	switch kind {
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "array":
		return "a list"
	case "object":
		return "an object"
	}
	return "a number"
}
