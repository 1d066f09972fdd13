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
		return Errorf(Invalid, typ.Field, "expected %s, got a %s", typ.Type.Kind(), typ.Value)
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
