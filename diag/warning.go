package diag

// Warning is a fact about a result that its reader must see. Results carry warnings and
// reports print them; they are never only a log line.
type Warning struct {
	Code  string `json:"code"`            // stable, snake case: "separation"
	Msg   string `json:"msg"`             // one sentence, no patient value
	Count int    `json:"count"`           // how often it happened, at least 1
	First string `json:"first,omitempty"` // where it happened first
}

// Merge appends each of more to ws, adding counts where code and message agree. It keeps
// the order of first appearance.
func Merge(ws []Warning, more ...Warning) []Warning {
next:
	for _, w := range more {
		if w.Count == 0 {
			w.Count = 1
		}
		for i := range ws {
			if ws[i].Code == w.Code && ws[i].Msg == w.Msg {
				ws[i].Count += w.Count
				continue next
			}
		}
		ws = append(ws, w)
	}
	return ws
}
