package xgbfile

import (
	"strconv"
	"unicode/utf8"

	"dolor/diag"
)

// catNames is the names of one feature's categories, in the order of their codes.
type catNames struct {
	names []string
	whole bool // the names are integers in the file
	count int  // of categories; names is nil when they are damaged
}

// categories reads the container that XGBoost 3.1 added: for each feature an object with the
// bytes of all names and where each starts (texts), or with integers.
func (r *reader) categories() error {
	m := &r.raw
	m.hasCats = true
	return r.object(fields{"enc": func() error {
		return r.array(func(int) error {
			var offsets, bytes []int32
			var names []string
			text := false
			err := r.object(fields{
				"offsets": func() error { text = true; return r.wholes(&offsets, 0, maxInt32)() },
				"values": func() error {
					return r.array(func(int) error {
						v, err := r.number()
						if err == nil && !v.integer {
							return r.unsupported("expected an integer, got another number")
						}
						names = append(names, strconv.FormatInt(v.i, 10))
						bytes = append(bytes, int32(v.i))
						return err
					})
				},
			})
			if err != nil {
				return err
			}
			count := len(names)
			if text {
				count = max(0, len(offsets)-1)
				if names, err = r.split(offsets, bytes); err != nil {
					return err
				}
			}
			seen := make(map[string]bool, len(names))
			for i, s := range names {
				if seen[s] {
					return diag.Errorf(diag.Invalid, r.where()+".values", "expected distinct categories, got the one of code %d before", i)
				}
				seen[s] = true
			}
			m.cats = append(m.cats, catNames{names, !text, count})
			return nil
		})
	}})
}

// split cuts bytes at offsets: the Arrow layout of a column of texts. XGBoost 3.2 for Python counts
// characters where it should count bytes, so that names beyond ASCII arrive cut; if one is not UTF-8,
// no name of the feature can be trusted and none is returned.
func (r *reader) split(offsets, bytes []int32) ([]string, error) {
	raw := make([]byte, len(bytes))
	for i, v := range bytes {
		if v < -128 || v > 255 {
			return nil, diag.Errorf(diag.Invalid, r.where()+".values["+strconv.Itoa(i)+"]", "expected a byte, got %d", v)
		}
		raw[i] = byte(v)
	}
	var names []string
	damaged := false
	for k, at := range offsets {
		path := r.where() + ".offsets[" + strconv.Itoa(k) + "]"
		switch {
		case k == 0 && at != 0:
			return nil, diag.Errorf(diag.Invalid, path, "expected 0, got %d", at)
		case int(at) > len(raw) || k > 0 && at < offsets[k-1]:
			return nil, diag.Errorf(diag.Invalid, path, "expected an offset from the one before to %d, got %d", len(raw), at)
		case k == 0:
			continue
		}
		s := raw[offsets[k-1]:at]
		if !utf8.Valid(s) {
			damaged = true
		}
		names = append(names, string(s))
	}
	if damaged {
		return nil, nil
	}
	return names, nil
}
