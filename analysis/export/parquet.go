package export

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/parquet-go/parquet-go"

	"windtunnel/results"
)

// The bounds of a row group, whose pages are in memory until all of it is written.
const (
	groupRows  = 256 << 10
	groupBytes = 32 << 20 // of values, before they are compressed
	// Scrapes of one component are alike, but only those of one page are compressed together.
	scrapePage = 8 << 20
	// A column of mostly different texts outgrows its dictionary and is written plainly.
	maxDictionary = 1 << 20
)

// columnsKey is the key of the columns' units and descriptions in a Parquet file's metadata, as JSON, for readers that do
// not know Arrow's own key.
const columnsKey = "windtunnel.columns"

// Parquet writes a record stream as a Parquet file with the same columns, zstd-compressed, and returns how many records it
// wrote. The metadata of the stream's schema and those given are the file's; the units and descriptions of the columns are
// both in windtunnel.columns and in ARROW:schema, where pyarrow finds them. What cannot be read is returned as damage, which
// windtunnel.damage in the file's metadata says too; all else is written.
func Parquet(w io.Writer, s *results.Stream, meta map[string]string) (rows int64, damage, err error) {
	options := []parquet.WriterOption{parquetSchema(s.Schema), parquet.CreatedBy("windtunnel", "", ""), parquet.DictionaryMaxBytes(maxDictionary)}
	kv := metadata(s.Schema, meta)
	for _, key := range slices.Sorted(maps.Keys(kv)) {
		options = append(options, parquet.KeyValueMetadata(key, kv[key]))
	}
	if slices.ContainsFunc(s.Schema.Fields(), func(f arrow.Field) bool { return f.Type.ID() == arrow.BINARY }) {
		options = append(options, parquet.PageBufferSize(scrapePage))
	}
	out := parquet.NewWriter(w, options...)
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			err = fmt.Errorf("write Parquet: %w", err)
		}
	}()
	var values []parquet.Value
	inGroup, size := int64(0), 0
	for batch, bad := range s.Batches() {
		if bad != nil {
			damage = bad
			out.SetKeyValueMetadata("windtunnel.damage", bad.Error())
			break
		}
		for i, column := range batch.Columns() {
			var n int
			values, n = columnValues(values[:0], column, i)
			size += n
			if _, err := out.ColumnWriters()[i].WriteRowValues(values); err != nil {
				return rows, damage, err
			}
		}
		rows, inGroup = rows+batch.NumRows(), inGroup+batch.NumRows()
		if inGroup >= groupRows || size >= groupBytes {
			if err := out.Flush(); err != nil {
				return rows, damage, err
			}
			inGroup, size = 0, 0
		}
	}
	return rows, damage, nil
}

// parquetSchema has a required column for each of the stream's, in their order. The library keeps that order only for the
// fields of a Go struct, so one is made. Words have a dictionary; instants and other whole numbers are kept as differences.
func parquetSchema(s *arrow.Schema) *parquet.Schema {
	var fields []reflect.StructField
	for i, f := range s.Fields() {
		typ, encoding := reflect.TypeFor[string](), ",dict"
		switch f.Type.ID() {
		case arrow.INT64:
			typ, encoding = reflect.TypeFor[int64](), ",delta"
		case arrow.INT32:
			typ, encoding = reflect.TypeFor[int32](), ",delta"
		case arrow.FLOAT64:
			typ, encoding = reflect.TypeFor[float64](), ""
		case arrow.BINARY:
			typ, encoding = reflect.TypeFor[[]byte](), ""
		}
		tag := fmt.Sprintf(`parquet:"%s,zstd%s"`, f.Name, encoding)
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("Column%d", i), Type: typ, Tag: reflect.StructTag(tag)})
	}
	return parquet.NewSchema("record", parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Interface()))
}

// metadata are the keys of the file's footer.
func metadata(s *arrow.Schema, more map[string]string) map[string]string {
	kv := maps.Clone(more)
	if kv == nil {
		kv = map[string]string{}
	}
	for i, key := range s.Metadata().Keys() {
		kv[key] = s.Metadata().Values()[i]
	}
	type column struct {
		Name        string `json:"name"`
		Unit        string `json:"unit,omitempty"`
		Description string `json:"description"`
	}
	var columns []column
	for _, f := range s.Fields() {
		unit, _ := f.Metadata.GetValue("unit")
		description, _ := f.Metadata.GetValue("description")
		columns = append(columns, column{f.Name, unit, description})
	}
	described, _ := json.Marshal(columns) // strings can always be encoded
	kv[columnsKey] = string(described)
	// Arrow's readers take the fields' metadata from here: an IPC stream without batches, in base64.
	var b bytes.Buffer
	if err := ipc.NewWriter(&b, ipc.WithSchema(s)).Close(); err == nil {
		kv["ARROW:schema"] = base64.StdEncoding.EncodeToString(b.Bytes())
	}
	return kv
}

// columnValues appends the values of a column, which still belong to it, and tells their size in bytes.
func columnValues(to []parquet.Value, column arrow.Array, index int) (values []parquet.Value, size int) {
	switch c := column.(type) {
	case *array.Int64:
		for _, v := range c.Int64Values() {
			to = append(to, parquet.Int64Value(v).Level(0, 0, index))
		}
		return to, 8 * c.Len()
	case *array.Int32:
		for _, v := range c.Int32Values() {
			to = append(to, parquet.Int32Value(v).Level(0, 0, index))
		}
		return to, 4 * c.Len()
	case *array.Float64:
		for _, v := range c.Float64Values() {
			to = append(to, parquet.DoubleValue(v).Level(0, 0, index))
		}
		return to, 8 * c.Len()
	case *array.String:
		data, offsets := c.ValueBytes(), c.ValueOffsets()
		for i := range c.Len() {
			to = append(to, parquet.ByteArrayValue(data[offsets[i]-offsets[0]:offsets[i+1]-offsets[0]]).Level(0, 0, index))
		}
		return to, len(data)
	case *array.Binary:
		for i := range c.Len() {
			to = append(to, parquet.ByteArrayValue(c.Value(i)).Level(0, 0, index))
			size += len(c.Value(i))
		}
		return to, size
	}
	panic(fmt.Sprintf("export: a column of type %s", column.DataType())) // results has no others
}
