package results

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Record is what a stream can hold.
type Record interface {
	Request | WatchEvent | PodEvent | ObjectEvent | NodeEvent | ProcessSample | Scrape | Metric
}

// Keys of the metadata of a stream's schema and of its fields.
const (
	metaFormat    = "windtunnel.format"     // FormatVersion
	metaRecord    = "windtunnel.record"     // name of the record type
	metaClockBase = "windtunnel.clock_base" // CLOCK_MONOTONIC nanoseconds at instant 0
	metaChecksum  = "windtunnel.checksum"   // sumKind
	metaUnit      = "unit"
	metaDoc       = "description"
)

// sumKind is the value of metaChecksum: every batch ends with its CRC-32C, see appendSum.
const sumKind = "crc32c"

// column is one column of a stream. A record type's columns are one table that the writer, the reader and the
// documentation all follow, so that they cannot differ.
type column[T any] struct {
	name, unit, doc string
	typ             arrow.DataType
	store           func(b array.Builder, from []T)          // appends the field of each record
	load            func(a arrow.Array, to []T, s *interner) // sets the field of each record
}

// interner gives one copy of each of the strings that come again and again, such as verbs.
type interner struct {
	seen   map[string]string
	recent [256]string // by a cheap hash, before the map is asked
}

// maxShared bounds the memory of interner when a file's column is not as repetitive as it should be.
const maxShared = 1 << 16

func (s *interner) get(v string) string {
	n := len(v) // not 0: empty strings are not asked for
	recent := &s.recent[uint8(n*59)^v[0]^v[n/2]<<1^v[n-1]<<2]
	if *recent == v {
		return *recent
	}
	if c, ok := s.seen[v]; ok {
		*recent = c
		return c
	}
	c := strings.Clone(v) // v points into the batch, which is big and short-lived
	if len(s.seen) < maxShared {
		s.seen[c] = c
	}
	return c
}

func int64Column[T any](name, unit, doc string, field func(*T) *int64) column[T] {
	return column[T]{name: name, unit: unit, doc: doc, typ: arrow.PrimitiveTypes.Int64,
		store: func(b array.Builder, from []T) {
			b64 := b.(*array.Int64Builder)
			for i := range from {
				b64.UnsafeAppend(*field(&from[i]))
			}
		},
		load: func(a arrow.Array, to []T, _ *interner) {
			for i, v := range a.(*array.Int64).Int64Values() {
				*field(&to[i]) = v
			}
		},
	}
}

func int32Column[T any](name, unit, doc string, field func(*T) *int32) column[T] {
	return column[T]{name: name, unit: unit, doc: doc, typ: arrow.PrimitiveTypes.Int32,
		store: func(b array.Builder, from []T) {
			b32 := b.(*array.Int32Builder)
			for i := range from {
				b32.UnsafeAppend(*field(&from[i]))
			}
		},
		load: func(a arrow.Array, to []T, _ *interner) {
			for i, v := range a.(*array.Int32).Int32Values() {
				*field(&to[i]) = v
			}
		},
	}
}

func float64Column[T any](name, unit, doc string, field func(*T) *float64) column[T] {
	return column[T]{name: name, unit: unit, doc: doc, typ: arrow.PrimitiveTypes.Float64,
		store: func(b array.Builder, from []T) {
			b64 := b.(*array.Float64Builder)
			for i := range from {
				b64.UnsafeAppend(*field(&from[i]))
			}
		},
		load: func(a arrow.Array, to []T, _ *interner) {
			for i, v := range a.(*array.Float64).Float64Values() {
				*field(&to[i]) = v
			}
		},
	}
}

// wordColumn is a column of few different strings, which the reader keeps once each.
func wordColumn[T any](name, doc string, field func(*T) *string) column[T] {
	return stringColumn(name, doc, field, (*interner).get)
}

// textColumn is a column of mostly different strings.
func textColumn[T any](name, doc string, field func(*T) *string) column[T] {
	return stringColumn(name, doc, field, func(_ *interner, v string) string { return strings.Clone(v) })
}

func stringColumn[T any](name, doc string, field func(*T) *string, keep func(*interner, string) string) column[T] {
	return column[T]{name: name, doc: doc, typ: arrow.BinaryTypes.String,
		store: func(b array.Builder, from []T) {
			bs := b.(*array.StringBuilder)
			for i := range from {
				bs.Append(*field(&from[i]))
			}
		},
		load: func(a arrow.Array, to []T, s *interner) {
			as := a.(*array.String)
			for i := range to {
				if v := as.Value(i); v != "" {
					*field(&to[i]) = keep(s, v)
				}
			}
		},
	}
}

func bytesColumn[T any](name, doc string, field func(*T) *[]byte) column[T] {
	return column[T]{name: name, doc: doc, typ: arrow.BinaryTypes.Binary,
		store: func(b array.Builder, from []T) {
			bb := b.(*array.BinaryBuilder)
			for i := range from {
				bb.Append(*field(&from[i]))
			}
		},
		load: func(a arrow.Array, to []T, _ *interner) {
			ab := a.(*array.Binary)
			for i := range to {
				if v := ab.Value(i); len(v) > 0 {
					*field(&to[i]) = append([]byte(nil), v...)
				}
			}
		},
	}
}

// recordName is the name of a record type in the metadata of its streams.
func recordName[T Record]() string {
	return strings.TrimPrefix(fmt.Sprintf("%T", *new(T)), "results.")
}

// schemaOf is the Arrow schema of a record type's streams. clock is nil where the base is not known.
func schemaOf[T Record](columns []column[T], clock *Clock) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.typ, Metadata: arrow.NewMetadata(
			[]string{metaUnit, metaDoc}, []string{c.unit, c.doc})}
	}
	keys := []string{metaFormat, metaRecord, metaChecksum}
	values := []string{strconv.Itoa(FormatVersion), recordName[T](), sumKind}
	if clock != nil {
		keys = append(keys, metaClockBase)
		values = append(values, strconv.FormatInt(clock.Base(), 10))
	}
	meta := arrow.NewMetadata(keys, values)
	return arrow.NewSchema(fields, &meta)
}
