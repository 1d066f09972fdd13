// Package rng derives independent random streams from one seed.
//
// A study has one seed. [New] turns it into a [Stream]; [Stream.Child] derives another by
// hashing the path of labels, so the order of derivation cannot matter and adding a consumer
// moves nobody else's numbers. [Stream.Rand] gives the generator. Never share a *rand.Rand
// between goroutines; a Stream is a value and may be shared.
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream names a sequence of random numbers. The zero Stream is valid but should not be
// used: start from New.
type Stream struct{ key [32]byte }

// New returns the root stream of seed.
func New(seed uint64) Stream {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	return Stream{sha256.Sum256(append([]byte("dolor/rng/1:"), b[:]...))}
}

// Child derives the stream named by label and indices under s. It does not change s.
func (s Stream) Child(label string, index ...int) Stream {
	b := make([]byte, 0, 64+len(label)+8*len(index))
	b = append(b, s.key[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(label)))
	b = append(b, label...)
	for _, i := range index {
		b = binary.LittleEndian.AppendUint64(b, uint64(i))
	}
	return Stream{sha256.Sum256(b)}
}

// Rand returns a new ChaCha8 generator at the start of the stream.
func (s Stream) Rand() *rand.Rand { return rand.New(rand.NewChaCha8(s.key)) }
