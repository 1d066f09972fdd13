package frame

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math"
)

// Hash returns the SHA-256, in hexadecimal, of the frame's content: its schema in order, then
// its cells column by column, with one bit pattern for a missing number. Equal frames have
// equal hashes whatever file they came from; it serves as provenance, not as anonymisation.
func (f *Frame) Hash() string {
	h := sha256.New()
	head, err := json.Marshal(f.Schema())
	if err != nil {
		panic("frame: schema does not marshal") // Kind is one of four by construction
	}
	b := append([]byte(nil), "dolor/frame/1\n"...)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.rows))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(head)))
	_, _ = h.Write(append(b, head...))
	for _, c := range f.cols {
		hashCells(h, c)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashCells(h hash.Hash, c Column) {
	b := make([]byte, 0, 1<<14)
	for i := range c.Len() {
		switch c.Kind {
		case Category:
			b = binary.LittleEndian.AppendUint32(b, uint32(c.code[i]))
		case Text:
			if !c.has[i] {
				b = binary.LittleEndian.AppendUint64(b, math.MaxUint64)
				break
			}
			b = binary.LittleEndian.AppendUint64(b, uint64(len(c.text[i])))
			b = append(b, c.text[i]...)
		default:
			v := c.num[i]
			if math.IsNaN(v) {
				v = math.NaN()
			}
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		if len(b) > 1<<13 {
			_, _ = h.Write(b)
			b = b[:0]
		}
	}
	_, _ = h.Write(b)
}
