package export

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"windtunnel/results"
)

// CSV writes a record stream as comma-separated values after RFC 4180, the names of the columns first, and returns how many
// records it wrote. Values are in the stream's own units. What cannot be read is returned as damage; all else is written.
func CSV(w io.Writer, s *results.Stream) (rows int64, damage, err error) {
	out := csv.NewWriter(w) // keeps its first error
	line := make([]string, s.Schema.NumFields())
	for i, f := range s.Schema.Fields() {
		line[i] = f.Name
	}
	_ = out.Write(line)
	for batch, err := range s.Batches() {
		if err != nil {
			damage = err
			break
		}
		for row := range int(batch.NumRows()) {
			for i, column := range batch.Columns() {
				line[i] = text(column, row)
			}
			_ = out.Write(line)
		}
		rows += batch.NumRows()
		if err := out.Error(); err != nil {
			return rows, damage, fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return rows, damage, fmt.Errorf("write CSV: %w", err)
	}
	return rows, damage, nil
}

// text is a value as it stands in a CSV file.
func text(column arrow.Array, row int) string {
	switch c := column.(type) {
	case *array.Int64:
		return strconv.FormatInt(c.Value(row), 10)
	case *array.Int32:
		return strconv.FormatInt(int64(c.Value(row)), 10)
	case *array.Float64:
		return strconv.FormatFloat(c.Value(row), 'g', -1, 64)
	case *array.String:
		return c.Value(row)
	case *array.Binary:
		return string(c.Value(row))
	}
	panic(fmt.Sprintf("export: a column of type %s", column.DataType())) // results has no others
}

// JSONLines writes a record stream as one JSON object a line, with the columns as its fields in their order, and returns
// how many records it wrote. Numbers that JSON does not have are the strings NaN, +Inf and -Inf; the bodies of scrapes are
// strings. What cannot be read is returned as damage; all else is written.
func JSONLines(w io.Writer, s *results.Stream) (rows int64, damage, err error) {
	out := bufio.NewWriterSize(w, 64<<10) // keeps its first error
	var names [][]byte
	for i, f := range s.Schema.Fields() {
		lead := []byte(`,`)
		if i == 0 {
			lead = []byte(`{`)
		}
		names = append(names, append(appendString(lead, f.Name), ':'))
	}
	var line []byte
	for batch, err := range s.Batches() {
		if err != nil {
			damage = err
			break
		}
		for row := range int(batch.NumRows()) {
			line = line[:0]
			for i, column := range batch.Columns() {
				line = appendValue(append(line, names[i]...), column, row)
			}
			if _, err := out.Write(append(line, '}', '\n')); err != nil {
				return rows, damage, fmt.Errorf("write JSON: %w", err)
			}
		}
		rows += batch.NumRows()
	}
	if err := out.Flush(); err != nil {
		return rows, damage, fmt.Errorf("write JSON: %w", err)
	}
	return rows, damage, nil
}

func appendValue(b []byte, column arrow.Array, row int) []byte {
	switch c := column.(type) {
	case *array.String:
		return appendString(b, c.Value(row))
	case *array.Binary:
		return appendString(b, string(c.Value(row)))
	case *array.Float64:
		if v := c.Value(row); math.IsNaN(v) || math.IsInf(v, 0) {
			return appendString(b, strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
	return append(b, text(column, row)...)
}

// appendString appends a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string can always be encoded
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
