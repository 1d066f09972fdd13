package vcf

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"dolor/diag"
)

// Header is what stands above the records.
type Header struct {
	Version   string // of the format: 4.2
	Reference string // of ##reference; empty when not stated
	Contigs   []Contig
	Samples   []string // in the order of the columns; distinct

	name    string
	refLine int
}

// Contig is one ##contig line.
type Contig struct {
	ID       string
	Length   int    // 0 when not stated
	Assembly string // as stated
	Line     int
}

// Bounds of a header: no honest file comes near them.
const (
	maxHeaderLines = 1 << 20
	maxHeaderBytes = 256 << 20
	maxContigs     = 1 << 18
)

var columns = [...]string{"#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"}

func (h *Header) read(in *lines) error {
	h.name = in.name
	at := func(kind diag.Kind, msg string) error {
		return &diag.Error{Kind: kind, Pos: diag.Pos{File: in.name, Line: max(in.line, 1)}, Msg: msg}
	}
	size := 0
	for first := true; ; first = false {
		line, err := in.next()
		if errors.Is(err, io.EOF) {
			if first {
				return at(diag.Missing, "expected a VCF file, got an empty file")
			}
			return at(diag.Missing, "expected the header line #CHROM, got the end of the file")
		}
		if err != nil {
			return err
		}
		if size += len(line); size > maxHeaderBytes || in.line > maxHeaderLines {
			return at(diag.Invalid, "expected a header of reasonable size, got over "+strconv.Itoa(maxHeaderBytes>>20)+" MiB or "+strconv.Itoa(maxHeaderLines)+" lines")
		}
		if first {
			version, ok := bytes.CutPrefix(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")), []byte("##fileformat=VCFv"))
			if !ok {
				return &diag.Error{
					Kind: diag.Missing, Pos: diag.Pos{File: in.name, Line: 1}, Msg: "expected ##fileformat=VCFv4.x in the first line, got " + describe(line),
					Hint: "a VCF file without its header cannot be read: its genome build and samples are unknown",
				}
			}
			h.Version = string(version)
			if !strings.HasPrefix(h.Version, "4.") {
				return at(diag.Unsupported, "expected VCF version 4.x, got another version")
			}
			continue
		}
		switch {
		case bytes.HasPrefix(line, []byte("##")):
			h.meta(string(line[2:]), in.line)
		case bytes.HasPrefix(line, []byte("#")):
			return h.columns(strings.Split(string(line), "\t"), at)
		default:
			return at(diag.Missing, "expected the header line #CHROM before the first record, got "+describe(line))
		}
	}
}

func describe(line []byte) string {
	switch {
	case len(line) == 0:
		return "an empty line"
	case bytes.HasPrefix(line, []byte("##")):
		return "another header line"
	case bytes.HasPrefix(line, []byte("#CHROM")):
		return "the line of the columns"
	}
	return "a line of " + strconv.Itoa(len(line)) + " characters"
}

func (h *Header) meta(s string, line int) {
	key, value, _ := strings.Cut(s, "=")
	switch key {
	case "reference":
		h.Reference, h.refLine = value, line
	case "contig":
		if len(h.Contigs) >= maxContigs {
			return
		}
		c := Contig{Line: line}
		for key, value := range fields(value) {
			switch key {
			case "ID":
				c.ID = value
			case "length":
				c.Length, _ = strconv.Atoi(value) // a length that is not a number tells nothing
			case "assembly":
				c.Assembly = value
			}
		}
		h.Contigs = append(h.Contigs, c)
	}
}

// fields gives the pairs of <ID=chr1,assembly="GRCh38, patch 13">.
func fields(s string) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		s := strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
		for s != "" {
			key, rest, ok := strings.Cut(s, "=")
			if !ok {
				return
			}
			var value string
			if strings.HasPrefix(rest, `"`) {
				end := 1
				for end < len(rest) && rest[end] != '"' {
					if rest[end] == '\\' {
						end++
					}
					end++
				}
				end = min(end, len(rest))
				value = rest[1:end]
				_, rest, _ = strings.Cut(rest[end:], ",")
			} else {
				value, rest, _ = strings.Cut(rest, ",")
			}
			if !yield(strings.TrimSpace(key), value) {
				return
			}
			s = rest
		}
	}
}

func (h *Header) columns(cols []string, at func(diag.Kind, string) error) error {
	for i, want := range columns {
		if i >= len(cols) || cols[i] != want {
			return at(diag.Invalid, "expected column "+strconv.Itoa(i+1)+" to be "+want+" (columns are separated by tabs), got another name or none")
		}
	}
	if len(cols) == len(columns) {
		return nil
	}
	if cols[len(columns)] != "FORMAT" {
		return at(diag.Invalid, "expected column 9 to be FORMAT, got another name")
	}
	h.Samples = cols[len(columns)+1:]
	seen := make(map[string]bool, len(h.Samples))
	for i, s := range h.Samples {
		col := strconv.Itoa(len(columns) + 2 + i)
		if strings.TrimSpace(s) == "" {
			return at(diag.Invalid, "expected a sample's name in column "+col+", got none")
		}
		if seen[s] {
			return at(diag.Invalid, "expected distinct sample names, got that of column "+col+" twice")
		}
		seen[s] = true
	}
	return nil
}
