package xgbfile

import (
	"errors"
	"math"
	"strconv"

	"dolor/diag"
)

// reader walks a document by what a model file should hold. It keeps the path for errors.
type reader struct {
	lex  lexer
	size int // bytes of the file: the bound of what it may claim
	path []step
	f    *File
	raw  rawModel
}

// step is an object's key, or an array's position when key is empty.
type step struct {
	key string
	at  int
}

// where is the current path: learner.gradient_booster.model.trees[3].left_children[5].
func (r *reader) where() string {
	var b []byte
	for _, s := range r.path {
		if s.key == "" {
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(s.at), 10)
			b = append(b, ']')
			continue
		}
		if len(b) > 0 {
			b = append(b, '.')
		}
		b = append(b, s.key...)
	}
	return string(b)
}

// at gives err the current path, unless it has one.
func (r *reader) at(err error) error {
	if e, ok := errors.AsType[*diag.Error](err); ok && e.Field == "" {
		e.Field = r.where()
	}
	return err
}

func (r *reader) failf(format string, args ...any) error {
	return diag.Errorf(diag.Invalid, r.where(), format, args...)
}

func (r *reader) unsupported(format string, args ...any) error {
	return diag.Errorf(diag.Unsupported, r.where(), format, args...)
}

// expect checks the kind of the next value.
func (r *reader) expect(want kind) error {
	got, err := r.lex.next()
	if err != nil {
		return r.at(err)
	}
	if got != want {
		return r.failf("expected %s, got %s", want, got)
	}
	return nil
}

// fields says what is done with each key of an object.
type fields map[string]func() error

// object reads an object. Keys that want does not name are skipped, as XGBoost does.
func (r *reader) object(want fields) error {
	seen := make(map[string]bool, len(want))
	return r.entries(func(key string) error {
		do, ok := want[key]
		if !ok {
			return r.skip()
		}
		if seen[key] {
			return r.failf("expected once, got it twice")
		}
		seen[key] = true
		return do()
	})
}

// entries reads an object and calls do at each value.
func (r *reader) entries(do func(key string) error) error {
	if err := r.expect(kObject); err != nil {
		return err
	}
	if err := r.lex.open(); err != nil {
		return r.at(err)
	}
	for {
		key, ok, err := r.lex.key()
		if err != nil {
			return r.at(err)
		}
		if !ok {
			return nil
		}
		r.path = append(r.path, step{key: key})
		if err := do(key); err != nil {
			return err
		}
		r.path = r.path[:len(r.path)-1]
	}
}

// array reads an array and calls do at each item.
func (r *reader) array(do func(i int) error) error {
	if err := r.expect(kArray); err != nil {
		return err
	}
	if err := r.lex.open(); err != nil {
		return r.at(err)
	}
	for i := 0; ; i++ {
		ok, err := r.lex.more()
		if err != nil {
			return r.at(err)
		}
		if !ok {
			return nil
		}
		r.path = append(r.path, step{at: i})
		if err := do(i); err != nil {
			return err
		}
		r.path = r.path[:len(r.path)-1]
	}
}

// skip passes over a value of any kind. It does not recurse: it counts what is open.
func (r *reader) skip() error {
	var arrays []bool // for each open value, whether it is an array
	for {
		k, err := r.lex.next()
		if err != nil {
			return r.at(err)
		}
		switch k {
		case kObject, kArray:
			err = r.lex.open()
			arrays = append(arrays, k == kArray)
		case kString:
			_, err = r.lex.str()
		case kNumber:
			_, err = r.lex.num()
		case kBool:
			_, err = r.lex.boolean()
		default:
			err = r.lex.null()
		}
		for more := false; err == nil && !more; {
			if len(arrays) == 0 {
				return nil
			}
			if arrays[len(arrays)-1] {
				more, err = r.lex.more()
			} else {
				_, more, err = r.lex.key()
			}
			if !more {
				arrays = arrays[:len(arrays)-1]
			}
		}
		if err != nil {
			return r.at(err)
		}
	}
}

func (r *reader) text() (string, error) {
	if err := r.expect(kString); err != nil {
		return "", err
	}
	s, err := r.lex.str()
	return s, r.at(err)
}

// number reads a number; a boolean counts as 0 or 1, as XGBoost 1.0 to 1.4 wrote default_left.
func (r *reader) number() (number, error) {
	k, err := r.lex.next()
	if err != nil {
		return number{}, r.at(err)
	}
	if k == kBool {
		t, err := r.lex.boolean()
		if t {
			return number{f: 1, i: 1, integer: true}, r.at(err)
		}
		return number{integer: true}, r.at(err)
	}
	if k != kNumber {
		return number{}, r.failf("expected a number, got %s", k)
	}
	n, err := r.lex.num()
	return n, r.at(err)
}

// whole reads an integer from low to high.
func (r *reader) whole(low, high int64) (int64, error) {
	n, err := r.number()
	switch {
	case err != nil:
		return 0, err
	case !n.integer:
		return 0, r.failf("expected an integer, got another number")
	case n.i < low || n.i > high:
		return 0, r.failf("expected an integer from %d to %d, got %d", low, high, n.i)
	}
	return n.i, nil
}

// wholes reads an array of integers from low to high into dst.
func (r *reader) wholes(dst *[]int32, low, high int64) func() error {
	return func() error {
		return r.array(func(int) error {
			v, err := r.whole(low, high)
			*dst = append(*dst, int32(v))
			return err
		})
	}
}

// floats reads an array of numbers into dst. Whether they must be finite is the caller's to judge.
func (r *reader) floats(dst *[]float32) func() error {
	return func() error {
		return r.array(func(int) error {
			n, err := r.number()
			*dst = append(*dst, n.f)
			return err
		})
	}
}

// texts reads an array of strings into dst.
func (r *reader) texts(dst *[]string) func() error {
	return func() error {
		return r.array(func(int) error {
			s, err := r.text()
			*dst = append(*dst, s)
			return err
		})
	}
}

// word reads a string into dst.
func (r *reader) word(dst *string) func() error {
	return func() error {
		var err error
		*dst, err = r.text()
		return err
	}
}

// param reads an integer that is kept as a string, as XGBoost does in its parameters.
func (r *reader) param(dst *int64, high int64) func() error {
	return func() error {
		s, err := r.text()
		if err != nil {
			return err
		}
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil || v < 0 || v > high {
			return r.failf("expected an integer from 0 to %d in quotes, got something else", high)
		}
		*dst = v
		return nil
	}
}

// finite reports whether x is neither infinite nor NaN.
func finite(x float32) bool { return x-x == 0 }

const maxInt32 = math.MaxInt32
