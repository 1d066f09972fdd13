package diag

import (
	"errors"
	"fmt"
	"strings"
)

// listMax is how many faults a List keeps and prints; the rest are counted.
const listMax = 20

// List collects faults so that a reader can report all of them at once. The zero value is
// ready to use; it is not safe for concurrent use.
type List struct { //nolint:errname // a list of errors that is one: diag.List reads better than diag.ListError
	errs  []*Error
	total int
}

// Add records a fault; the first 20 are kept and the rest counted.
func (l *List) Add(e *Error) {
	l.total++
	if len(l.errs) < listMax {
		l.errs = append(l.errs, e)
	}
}

// Addf records a fault of kind k about field.
func (l *List) Addf(k Kind, field, format string, args ...any) {
	l.Add(Errorf(k, field, format, args...))
}

// AddErr records err: an *Error as it is, a *List fault by fault, anything else by its text.
// A nil err is ignored.
func (l *List) AddErr(err error) {
	if err == nil {
		return
	}
	if inner, ok := errors.AsType[*List](err); ok {
		for _, e := range inner.errs {
			l.Add(e)
		}
		l.total += inner.total - len(inner.errs)
		return
	}
	if e, ok := errors.AsType[*Error](err); ok {
		l.Add(e)
		return
	}
	l.Add(&Error{Kind: KindOf(err), Err: err})
}

// Len returns the number of faults recorded, including those not kept.
func (l *List) Len() int { return l.total }

// Faults returns the kept faults in order.
func (l *List) Faults() []*Error { return l.errs }

// Err returns nil if nothing was recorded, the fault itself if there is one, else l.
func (l *List) Err() error {
	switch l.total {
	case 0:
		return nil
	case 1:
		return l.errs[0]
	}
	return l
}

// Error prints one fault a line, then how many more there are.
func (l *List) Error() string {
	var b strings.Builder
	for i, e := range l.errs {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Error())
	}
	if more := l.total - len(l.errs); more > 0 {
		fmt.Fprintf(&b, "\nand %d more", more)
	}
	return b.String()
}

func (l *List) kind() Kind {
	if len(l.errs) == 0 {
		return Internal
	}
	return l.errs[0].Kind
}
