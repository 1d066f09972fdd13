package frame

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The library takes memory as the lengths in a file ask for. These checks see first that a
// torn file asks for no more than its size can mean.

// checkFooter checks the length of the footer.
func checkFooter(r io.ReaderAt, size int64) error {
	var tail [8]byte
	if size < 12 {
		return errors.New("it is too short")
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(tail[4:]) != "PAR1" {
		return errors.New("it does not end as one")
	}
	if n := int64(binary.LittleEndian.Uint32(tail[:])); n > size-12 {
		return fmt.Errorf("it claims a footer of %d bytes in %d", n, size)
	}
	return nil
}

// checkPages reads the header of every page and checks the sizes in it.
func checkPages(r io.ReaderAt, file *parquet.File) error {
	for _, g := range file.Metadata().RowGroups {
		for _, c := range g.Columns {
			m := c.MetaData
			from := m.DataPageOffset
			if d := m.DictionaryPageOffset; d > 0 && d < from {
				from = d
			}
			if from < 0 || m.TotalCompressedSize > file.Size()-from {
				return errors.New("a column lies outside the file")
			}
			b := bufio.NewReaderSize(io.NewSectionReader(r, from, m.TotalCompressedSize), 4096)
			if err := checkChunk(b, m.TotalCompressedSize, m.NumValues); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkChunk(b *bufio.Reader, size, values int64) error {
	var compact thrift.CompactProtocol
	dec := thrift.NewDecoder(compact.NewReader(b))
	for values > 0 {
		var h format.PageHeader
		if err := dec.Decode(&h); err != nil {
			return fmt.Errorf("a page header does not read: %w", err)
		}
		packed, plain := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
		if packed < 0 || packed > size || plain < 0 || plain > 1<<20+4096*packed {
			return fmt.Errorf("a page claims %d bytes packed and %d plain in a column of %d", packed, plain, size)
		}
		n := int64(0)
		switch h.Type {
		case format.DataPage:
			n = int64(h.DataPageHeader.V.NumValues)
		case format.DataPageV2:
			n = int64(h.DataPageHeaderV2.V.NumValues)
		case format.DictionaryPage:
			if d := int64(h.DictionaryPageHeader.V.NumValues); d < 0 || d > values+plain {
				return fmt.Errorf("a dictionary claims %d values", d)
			}
		default:
		}
		if n < 0 || n > values {
			return errors.New("the pages of a column hold more values than it has")
		}
		values -= n
		if _, err := b.Discard(int(packed)); err != nil {
			return fmt.Errorf("a page is cut short: %w", err)
		}
	}
	return nil
}

// plausible checks the counts that a torn file gets wrong before memory is taken for them:
// the row groups must add up, and runs of equal cells may compress 4096-fold, no more.
func plausible(file *parquet.File, size int64, columns int) error {
	rows := file.NumRows()
	if most := (1<<22 + 4096*size) / int64(columns); rows < 0 || rows > most {
		return fmt.Errorf("it claims %d rows in %d bytes", rows, size)
	}
	for i, g := range file.Metadata().RowGroups {
		if g.NumRows < 0 || g.NumRows > rows || len(g.Columns) != columns {
			return fmt.Errorf("row group %d does not fit the file", i+1)
		}
		rows -= g.NumRows
		for _, c := range g.Columns {
			m := c.MetaData
			if m.NumValues != g.NumRows || m.TotalCompressedSize < 0 || m.TotalCompressedSize > size {
				return fmt.Errorf("row group %d does not fit the file", i+1)
			}
		}
	}
	if rows != 0 {
		return fmt.Errorf("%d rows are in no row group", rows)
	}
	return nil
}
