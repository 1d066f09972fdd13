package frame

import (
	"bytes"
	"context"
	"io"
	"sync"

	"dolor/internal/par"
)

// blockSize is how many bytes one task reads; tests make it small.
const blockSize = 1 << 20

// table is a CSV file being read.
type table struct {
	src    io.ReaderAt
	size   int64
	opts   CSVOptions
	cols   []csvColumn
	begin  int64 // offset of the first row
	end    int64 // past the last byte that belongs to a row
	block  int   // 0: blockSize
	segs   []segment
	rows   int
	broken bool // quotes do not pair up
	bufs   sync.Pool
}

// segment is a run of whole rows.
type segment struct {
	off, end  int64
	row, rows int // first row and how many
	dicts     []*dict
	bad       []int
}

// blockInfo is what one block says for both states it may start in: [0] outside and [1]
// inside quotes.
type blockInfo struct {
	odd   bool
	lines [2]int // line breaks outside quotes
	first [2]int // position of the first of them, -1
}

// split cuts the file into segments of whole rows and counts the rows. Blocks are scanned in
// parallel for both quote states, then chained.
func (t *table) split(ctx context.Context) error {
	if err := t.trimEnd(); err != nil {
		return err
	}
	size := int64(t.block)
	if size == 0 {
		size = blockSize
	}
	n := int((t.end - t.begin + size - 1) / size)
	infos := make([]blockInfo, n)
	err := par.For(ctx, n, t.opts.Workers, func(_ context.Context, i int) error {
		off := t.begin + int64(i)*size
		return t.read(off, min(off+size, t.end), func(b []byte) { infos[i] = scanBlock(b[:len(b)-1]) })
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	state, rows := 0, 0
	t.segs = append(t.segs, segment{off: t.begin})
	for i, info := range infos {
		start := t.begin + int64(i)*size + int64(info.first[state]) + 1
		if i > 0 && info.first[state] >= 0 && start < t.end {
			t.segs = append(t.segs, segment{off: start, row: rows + 1})
		}
		rows += info.lines[state]
		if info.odd {
			state ^= 1
		}
	}
	t.broken = state == 1
	var last [1]byte
	if _, err := t.src.ReadAt(last[:], t.end-1); err != nil && err != io.EOF {
		return err
	}
	if last[0] != '\n' {
		rows++
	}
	t.rows = rows
	for i := range t.segs {
		s := &t.segs[i]
		s.end, s.rows = t.end, rows-s.row
		if i+1 < len(t.segs) {
			s.end, s.rows = t.segs[i+1].off, t.segs[i+1].row-s.row
		}
	}
	return nil
}

// trimEnd finds the end of the last row: line breaks at the end of the file do not count,
// except in a file of one column, where a blank line is a missing cell.
func (t *table) trimEnd() error {
	t.end = t.size
	if len(t.cols) == 1 {
		return nil
	}
	buf := make([]byte, 4096)
	for t.end > t.begin {
		n := min(int64(len(buf)), t.end-t.begin)
		if _, err := t.src.ReadAt(buf[:n], t.end-n); err != nil && err != io.EOF {
			return err
		}
		i := n
		for i > 0 && buf[i-1] == '\n' {
			i--
			if i > 0 && buf[i-1] == '\r' {
				i--
			}
		}
		t.end -= n - i
		if i > 0 {
			break
		}
	}
	return nil
}

// read calls fn with the bytes in [off, end) and one line break more.
func (t *table) read(off, end int64, fn func([]byte)) error {
	buf, _ := t.bufs.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	n := int(end - off)
	if cap(*buf) < n+1 {
		*buf = make([]byte, n+1, n+n/8+1)
	}
	b := (*buf)[:n+1]
	if got, err := t.src.ReadAt(b[:n], off); got < n {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	b[n] = '\n'
	fn(b)
	t.bufs.Put(buf)
	return nil
}

func scanBlock(b []byte) blockInfo {
	if bytes.IndexByte(b, '"') < 0 {
		return blockInfo{lines: [2]int{bytes.Count(b, []byte{'\n'}), 0}, first: [2]int{bytes.IndexByte(b, '\n'), -1}}
	}
	info := blockInfo{first: [2]int{-1, -1}}
	state := 0
	for i, c := range b {
		switch c {
		case '"':
			state ^= 1
		case '\n': // outside for whoever started in this state
			if info.lines[state]++; info.lines[state] == 1 {
				info.first[state] = i
			}
		}
	}
	info.odd = state == 1
	return info
}
