package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"windtunnel/results"
)

// stored writes records to a stream file and opens it.
func stored[T results.Record](t testing.TB, rs ...T) (*results.Stream, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stream.arrows")
	w, err := results.NewWriter[T](path, results.WithClock(results.ClockAt(1234)))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rs {
		w.Append(r)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := results.OpenStream(path)
	if err != nil {
		t.Fatal(err)
	}
	return s, path
}

// awkward are requests whose text needs quoting in one format or the other.
func awkward() []results.Request {
	return []results.Request{
		{Planned: -1, Sent: 2, FirstByte: 3, Done: math.MaxInt64, Verb: "GET", Object: `say "hello", world`, Code: 200},
		{Planned: 5, Verb: "LIST", Object: "line\nfeed\tand \\ and ü and \x01", Error: "timeout", Attempt: 2, ResourceVersion: 7},
		{},
	}
}

func TestCSV(t *testing.T) {
	s, _ := stored(t, awkward()...)
	var b bytes.Buffer
	rows, damage, err := CSV(&b, s)
	if err != nil || damage != nil || rows != 3 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(lines) != 4 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	at := func(row int, column string) string { return lines[row+1][slices.Index(lines[0], column)] }
	for i, r := range awkward() {
		want := map[string]string{"planned": fmt.Sprint(r.Planned), "done": fmt.Sprint(r.Done), "verb": r.Verb, "object": r.Object, "code": fmt.Sprint(r.Code), "attempt": fmt.Sprint(r.Attempt)}
		for column, value := range want {
			if got := at(i, column); got != value {
				t.Errorf("row %d, %s: %q, not %q", i, column, got, value)
			}
		}
	}
}

func TestJSONLines(t *testing.T) {
	s, _ := stored(t, awkward()...)
	var b bytes.Buffer
	if rows, _, err := JSONLines(&b, s); err != nil || rows != 3 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	if first, _, _ := strings.Cut(b.String(), ","); first != `{"planned":-1` {
		t.Errorf("it begins with %s", first)
	}
	in := json.NewDecoder(&b)
	for i, r := range awkward() {
		var got struct {
			Planned, Done int64
			Verb, Object  string
			Attempt       int32
		}
		if err := in.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got.Planned != r.Planned || got.Done != r.Done || got.Verb != r.Verb || got.Object != r.Object || got.Attempt != r.Attempt {
			t.Errorf("row %d: %+v", i, got)
		}
	}
}

func TestNumbersThatJSONLacks(t *testing.T) {
	s, _ := stored(t, results.Metric{Value: math.Inf(1)}, results.Metric{Value: math.NaN()}, results.Metric{Value: 1e-9})
	var b bytes.Buffer
	if _, _, err := JSONLines(&b, s); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`"value":"+Inf"}`, `"value":"NaN"}`, `"value":1e-09}`} {
		if line := strings.Split(b.String(), "\n")[i]; !strings.HasSuffix(line, want) || !json.Valid([]byte(line)) {
			t.Errorf("line %d: %s", i, line)
		}
	}
}

// parquetOf reads a Parquet file back: the values of every column as text, and the metadata.
func parquetOf(t testing.TB, data []byte) (columns map[string][]string, meta map[string]string, groups int) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	columns, meta = map[string][]string{}, map[string]string{}
	for _, kv := range f.Metadata().KeyValueMetadata {
		meta[kv.Key] = kv.Value
	}
	names := f.Schema().Columns()
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		buffer := make([]parquet.Row, 1000)
		for {
			n, err := rows.ReadRows(buffer)
			for _, row := range buffer[:n] {
				for i, v := range row {
					columns[names[i][0]] = append(columns[names[i][0]], v.String())
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		rows.Close()
	}
	for i, c := range columns {
		if int64(len(c)) != f.NumRows() {
			t.Fatalf("column %s has %d values, not %d", i, len(c), f.NumRows())
		}
	}
	return columns, meta, len(f.RowGroups())
}

func TestParquet(t *testing.T) {
	s, _ := stored(t, awkward()...)
	var b bytes.Buffer
	rows, _, err := Parquet(&b, s, map[string]string{"windtunnel.run": "density-1"})
	if err != nil || rows != 3 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	columns, meta, _ := parquetOf(t, b.Bytes())
	if len(columns) != s.Schema.NumFields() {
		t.Errorf("%d columns, not %d", len(columns), s.Schema.NumFields())
	}
	for i, r := range awkward() {
		if columns["planned"][i] != fmt.Sprint(r.Planned) || columns["done"][i] != fmt.Sprint(r.Done) || columns["object"][i] != r.Object ||
			columns["verb"][i] != r.Verb || columns["code"][i] != fmt.Sprint(r.Code) {
			t.Errorf("row %d differs", i)
		}
	}
	for key, want := range map[string]string{"windtunnel.record": "Request", "windtunnel.format": "1", "windtunnel.clock_base": "1234", "windtunnel.run": "density-1"} {
		if meta[key] != want {
			t.Errorf("%s is %q", key, meta[key])
		}
	}
	if !strings.Contains(meta[columnsKey], `{"name":"planned","unit":"ns since the run's clock base","description":"when it was to be sent`) || meta["ARROW:schema"] == "" {
		t.Errorf("the columns are not described: %s", meta[columnsKey])
	}
	if _, ok := meta["windtunnel.checksum"]; ok {
		t.Error("it promises checksums that it does not have")
	}
}

// TestParquetOfEveryType holds each type of records to its own Arrow stream, over more than one row group.
func TestParquetOfEveryType(t *testing.T) {
	const n = groupRows + 1000
	var requests []results.Request
	for i := range n {
		requests = append(requests, results.Request{Planned: int64(i), Verb: []string{"GET", "LIST"}[i%2], Object: fmt.Sprint("pod-", i)})
	}
	s, _ := stored(t, requests...)
	var b bytes.Buffer
	if rows, _, err := Parquet(&b, s, nil); err != nil || rows != n {
		t.Fatalf("%d rows, %v", rows, err)
	}
	columns, _, groups := parquetOf(t, b.Bytes())
	if groups != 2 || len(columns["planned"]) != n {
		t.Fatalf("%d row groups, %d rows", groups, len(columns["planned"]))
	}
	for i := range n {
		if columns["planned"][i] != fmt.Sprint(i) || columns["object"][i] != fmt.Sprint("pod-", i) || columns["verb"][i] != requests[i].Verb {
			t.Fatalf("row %d differs", i)
		}
	}
	one := func(s *results.Stream, column, want string) {
		t.Helper()
		var b bytes.Buffer
		if rows, _, err := Parquet(&b, s, nil); err != nil || rows != 1 {
			t.Fatalf("%s: %d rows, %v", s.Record, rows, err)
		}
		columns, _, _ := parquetOf(t, b.Bytes())
		if len(columns[column]) != 1 || columns[column][0] != want {
			t.Errorf("%s: %s is %q", s.Record, column, columns[column])
		}
	}
	s, _ = stored(t, results.WatchEvent{Watcher: 3})
	one(s, "watcher", "3")
	s, _ = stored(t, results.PodEvent{UID: "u"})
	one(s, "uid", "u")
	s, _ = stored(t, results.ObjectEvent{Event: "started"})
	one(s, "event", "started")
	s, _ = stored(t, results.NodeEvent{Event: "ready"})
	one(s, "event", "ready")
	s, _ = stored(t, results.ProcessSample{CPUSeconds: 1.5})
	one(s, "cpu_seconds", "1.5")
	s, _ = stored(t, results.Scrape{Body: []byte("a 1\n")})
	one(s, "body", "a 1\n")
	s, _ = stored(t, results.Metric{Labels: `{a="b"}`})
	one(s, "labels", `{a="b"}`)
}

func TestParquetOfNothing(t *testing.T) {
	s, _ := stored[results.NodeEvent](t)
	var b bytes.Buffer
	if rows, _, err := Parquet(&b, s, nil); err != nil || rows != 0 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	if f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil || f.NumRows() != 0 || len(f.Schema().Columns()) != 4 {
		t.Errorf("%v", err)
	}
}

// TestDamageIsWrittenAround: what can be read is there, the rest is named, in every format.
func TestDamageIsWrittenAround(t *testing.T) {
	_, path := stored(t, awkward()...)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data[:len(data)-8], 0o644); err != nil { // without the end-of-stream mark
		t.Fatal(err)
	}
	for name, write := range map[string]func(*bytes.Buffer, *results.Stream) (int64, error, error){
		"csv":     func(b *bytes.Buffer, s *results.Stream) (int64, error, error) { return CSV(b, s) },
		"jsonl":   func(b *bytes.Buffer, s *results.Stream) (int64, error, error) { return JSONLines(b, s) },
		"parquet": func(b *bytes.Buffer, s *results.Stream) (int64, error, error) { return Parquet(b, s, nil) },
	} {
		s, err := results.OpenStream(path)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		rows, damage, err := write(&b, s)
		var d *results.Damage
		if rows != 3 || err != nil || !errors.As(damage, &d) || d.Kind != results.Unfinished {
			t.Errorf("%s: %d rows, %v, %v", name, rows, damage, err)
		}
		if name == "parquet" {
			columns, meta, _ := parquetOf(t, b.Bytes())
			if len(columns["planned"]) != 3 || !strings.Contains(meta["windtunnel.damage"], "unfinished") {
				t.Errorf("the file has %d rows and says %q", len(columns["planned"]), meta["windtunnel.damage"])
			}
		} else if lines := strings.Count(b.String(), "\n"); lines < 3 {
			t.Errorf("%s: %d lines", name, lines)
		}
	}
}
