package frame

import (
	"fmt"
	"math"
	"math/big"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"dolor/diag"
)

// exactWhole is the largest whole number up to which float64 holds every one.
const exactWhole = 1 << 53

// converter returns how values of typ become numbers or days; for strings it sets words.
func (c *rawColumn) converter(typ parquet.Type) (func(parquet.Value) float64, error) {
	var logical format.LogicalTypeValue
	if l := typ.LogicalType(); l != nil {
		logical = l.Value
	}
	whole := func(v int64) float64 {
		if v > exactWhole || v < -exactWhole {
			c.big++
		}
		return float64(v)
	}
	switch l := logical.(type) {
	case *format.DateType:
		c.moves = true
		return func(v parquet.Value) float64 { return float64(v.Int32()) }, nil
	case *format.TimestampType:
		if l.Unit.Value == nil {
			break
		}
		c.moves = true
		nanos := int64(l.Unit.Value.Duration())
		perSecond := int64(1e9) / nanos
		return func(v parquet.Value) float64 {
			sec, rest := v.Int64()/perSecond, v.Int64()%perSecond
			if rest < 0 {
				sec, rest = sec-1, rest+perSecond
			}
			return nanosToDays(sec, rest*nanos)
		}, nil
	case *format.DecimalType:
		if l.Scale < 0 || l.Scale > 38 {
			return nil, fmt.Errorf("a decimal column has scale %d", l.Scale)
		}
		return decimal(typ.Kind(), l.Scale)
	case *format.IntType:
		if !l.IsSigned && typ.Kind() == parquet.Int32 {
			return func(v parquet.Value) float64 { return float64(uint32(v.Int32())) }, nil
		}
		if !l.IsSigned {
			return func(v parquet.Value) float64 {
				if v.Uint64() > exactWhole {
					c.big++
				}
				return float64(v.Uint64())
			}, nil
		}
	case *format.NullType:
		return func(parquet.Value) float64 { return math.NaN() }, nil
	case *format.TimeType, *format.UUIDType, *format.Float16Type:
		return nil, unsupported(logical.String())
	}
	switch typ.Kind() {
	case parquet.Boolean:
		return func(v parquet.Value) float64 {
			if v.Boolean() {
				return 1
			}
			return 0
		}, nil
	case parquet.Int32:
		return func(v parquet.Value) float64 { return float64(v.Int32()) }, nil
	case parquet.Int64:
		return func(v parquet.Value) float64 { return whole(v.Int64()) }, nil
	case parquet.Int96: // nanoseconds of the day, then the Julian day
		c.moves = true
		return func(v parquet.Value) float64 {
			w := v.Int96()
			nanos := int64(uint64(w[0]) | uint64(w[1])<<32)
			return nanosToDays((int64(w[2])-2440588)*daySeconds+nanos/1e9, nanos%1e9)
		}, nil
	case parquet.Float:
		return func(v parquet.Value) float64 { return c.finite(float64(v.Float())) }, nil
	case parquet.Double:
		return func(v parquet.Value) float64 { return c.finite(v.Double()) }, nil
	case parquet.ByteArray:
		c.words = true
		return nil, nil
	default:
		return nil, unsupported(typ.String())
	}
}

func unsupported(typ string) *diag.Error {
	return diag.Errorf(diag.Unsupported, "", "expected numbers, text, dates or times, got %s", typ)
}

func (c *rawColumn) finite(v float64) float64 {
	if math.IsInf(v, 0) {
		c.inf++
	}
	return v
}

// decimal reads whole numbers of 10^-scale, nearest float64.
func decimal(kind parquet.Kind, scale int32) (func(parquet.Value) float64, error) {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	value := func(i *big.Int) float64 {
		v, _ := new(big.Rat).SetFrac(i, unit).Float64()
		return v
	}
	switch kind {
	case parquet.Int32:
		return func(v parquet.Value) float64 { return value(big.NewInt(int64(v.Int32()))) }, nil
	case parquet.Int64:
		return func(v parquet.Value) float64 { return value(big.NewInt(v.Int64())) }, nil
	case parquet.FixedLenByteArray, parquet.ByteArray:
		return func(v parquet.Value) float64 {
			b := v.ByteArray()
			i := new(big.Int).SetBytes(b)
			if len(b) > 0 && b[0]&0x80 != 0 { // two's complement, big-endian
				i.Sub(i, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
			}
			return value(i)
		}, nil
	default:
		return nil, fmt.Errorf("a decimal column has physical type %s", kind)
	}
}

// column makes the typed column under spec.
func (c *rawColumn) column(name string, spec ColumnSpec, missing []string) (*csvColumn, *diag.Error) {
	out := &csvColumn{name: name, spec: spec, missing: missingTokens(append(append([]string(nil), missing...), spec.Missing...))}
	invalid := func(format string, args ...any) (*csvColumn, *diag.Error) {
		return nil, diag.Errorf(diag.Invalid, name, format, args...)
	}
	switch {
	case c.inf > 0:
		return invalid("expected finite numbers, got %d infinite", c.inf)
	case c.big > 0 && spec.Kind != Category && spec.Kind != Text:
		return invalid("expected whole numbers up to 2^53, got %d beyond", c.big)
	case c.big > 0:
		return invalid("expected whole numbers up to 2^53, got %d beyond; store them as strings", c.big)
	}
	if !c.words {
		return c.numeric(out)
	}
	for _, s := range c.dict.cells {
		if !utf8.ValidString(s) {
			return invalid("expected UTF-8 text, got bytes")
		}
	}
	return c.textual(out)
}

func (c *rawColumn) numeric(out *csvColumn) (*csvColumn, *diag.Error) {
	spec := out.spec
	f := Field{Name: out.name, Modality: spec.Modality, Unit: spec.Unit}
	for i, v := range c.num {
		if len(out.missing.nums) > 0 && out.missing.value(v) {
			c.num[i] = math.NaN()
		}
	}
	kind := spec.Kind
	if kind == 0 {
		kind = Number
		if c.moves {
			kind = Time
		}
	}
	switch {
	case kind == Number && !c.moves:
		out.column = NumberColumn(f, c.num)
		return out, nil
	case kind == Time:
		out.column = TimeColumn(f, c.num)
		return out, nil
	case kind == Number:
		return nil, diag.Errorf(diag.Invalid, out.name, "expected numbers, got dates")
	}
	words := &rawColumn{code: make([]int32, len(c.num)), words: true}
	words.dict.code = make(map[string]int32)
	for i, v := range c.num {
		words.code[i] = -1
		if math.IsNaN(v) {
			continue
		}
		s := appendNumber(nil, v)
		if c.moves {
			s = appendDate(nil, v)
		}
		words.code[i] = words.dict.add(s, &out.missing)
	}
	return words.textual(out)
}

// textual makes a column of strings by the rules of CSV cells.
func (c *rawColumn) textual(out *csvColumn) (*csvColumn, *diag.Error) {
	cells, counts := c.dict.cells, c.dict.count
	out.code, out.mode = c.code, word
	for i, s := range cells {
		if len(trimSpace([]byte(s))) > 0 && !out.missing.match([]byte(s)) {
			continue
		}
		for r, code := range c.code {
			if int(code) == i {
				c.code[r] = -1
			}
		}
		cells[i], counts[i] = "", 0
	}
	cells, counts = c.compact()
	if out.spec.Kind == 0 {
		n := 0
		for _, k := range counts {
			n += k
		}
		out.spec.Kind = Category
		if len(cells) > max(50, int(math.Sqrt(float64(n)))) {
			out.spec.Kind = Text
		}
		defer func() { out.spec.Kind = 0 }()
	}
	t := &table{rows: len(c.code), cols: []csvColumn{*out}, segs: []segment{{rows: len(c.code), dicts: []*dict{{cells: cells, count: counts}}}}}
	for _, s := range cells {
		if fault, _ := t.judge(out, lexCell{text: []byte(s)}); fault != nil {
			return nil, diag.Errorf(diag.Invalid, out.name, "%s", fault.Msg)
		}
	}
	if !t.settleColumn(0) {
		return nil, diag.Errorf(diag.Invalid, out.name, "expected cells of kind %s", out.spec.Kind)
	}
	*out = t.cols[0]
	return out, nil
}

// compact drops the cells that became missing and renumbers the others.
func (c *rawColumn) compact() (cells []string, counts []int) {
	to := make([]int32, len(c.dict.cells))
	for i, s := range c.dict.cells {
		if s == "" {
			to[i] = -1
			continue
		}
		to[i] = int32(len(cells))
		cells, counts = append(cells, s), append(counts, c.dict.count[i])
	}
	for r, code := range c.code {
		if code >= 0 {
			c.code[r] = to[code]
		}
	}
	return cells, counts
}
