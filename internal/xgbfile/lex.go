package xgbfile

// kind is what a value is.
type kind uint8

const (
	kObject kind = iota
	kArray
	kString
	kNumber
	kBool
	kNull
)

var kindNames = [...]string{"an object", "an array", "a string", "a number", "a boolean", "null"}

func (k kind) String() string { return kindNames[k] }

// number is a number in both readings that a model file needs.
type number struct {
	f       float32 // nearest float32
	i       int64
	integer bool // i holds it exactly
}

// maxDepth bounds how deep values nest; XGBoost's own files reach 8.
const maxDepth = 64

// lexer pulls values out of a document in order. The caller asks for the kind of the next value
// and then consumes it: an object by open, then key until there is none; an array by open, then
// more until there is none; anything else by its own method. Errors carry no path.
type lexer interface {
	next() (kind, error)
	open() error
	key() (name string, ok bool, err error)
	more() (bool, error)
	str() (string, error)
	num() (number, error)
	boolean() (bool, error)
	null() error
	end() error // nothing but white space follows
}
