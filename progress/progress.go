// Package progress counts work done, for whoever watches. A [Func] travels in options; nil
// is fine; it never changes a result.
package progress

// Func is told that done of total units of stage are complete. It may be called from
// several goroutines at once.
type Func func(stage string, done, total int)

// Report calls f if it is not nil.
func (f Func) Report(stage string, done, total int) {
	if f != nil {
		f(stage, done, total)
	}
}
