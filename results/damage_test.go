package results

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// threeBatches is a stream of three batches of two node events.
func threeBatches(t testing.TB) ([]byte, []NodeEvent) {
	d := &memoryFile{}
	s := newStream[NodeEvent](d, nil)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	var all []NodeEvent
	for i := range 3 {
		batch := []NodeEvent{{At: int64(i), Name: "hollow-0", Event: "ready"}, {At: int64(i) + 1, Name: "hollow-0", Event: "notready"}}
		if err := s.write(batch); err != nil {
			t.Fatal(err)
		}
		all = append(all, batch...)
	}
	if err := s.finish(true); err != nil {
		t.Fatal(err)
	}
	return d.Bytes(), all
}

type memoryFile struct{ bytes.Buffer }

func (m *memoryFile) Truncate(size int64) error { m.Buffer.Truncate(int(size)); return nil }
func (m *memoryFile) Sync() error               { return nil }
func (m *memoryFile) Close() error              { return nil }

func readBytes[T Record](data []byte) (got []T, err error) {
	for r, e := range read[T]("stream", bytes.NewReader(data), int64(len(data))) {
		if e != nil {
			return got, e
		}
		got = append(got, r)
	}
	return got, nil
}

// isPrefix also holds for whole.
func isPrefix(got, all []NodeEvent) bool {
	return len(got) <= len(all) && slices.Equal(got, all[:len(got)])
}

func TestTruncatedAtEveryByte(t *testing.T) {
	data, all := threeBatches(t)
	most := 0
	for size := range len(data) {
		got, err := readBytes[NodeEvent](data[:size])
		var damage *Damage
		if !errors.As(err, &damage) {
			t.Fatalf("cut to %d of %d bytes: error %v", size, len(data), err)
		}
		if damage.Kind != Truncated && damage.Kind != Unfinished {
			t.Fatalf("cut to %d bytes: %v", size, damage)
		}
		if damage.Kind == Truncated && damage.Unread == 0 && size > 0 {
			t.Fatalf("cut to %d bytes: truncated, but nothing unread", size)
		}
		if !isPrefix(got, all) || damage.Records != int64(len(got)) {
			t.Fatalf("cut to %d bytes: %d records, damage says %d", size, len(got), damage.Records)
		}
		if len(got) < most {
			t.Fatalf("cut to %d bytes: %d records, but %d with fewer bytes", size, len(got), most)
		}
		most = len(got)
	}
	if most != len(all) {
		t.Errorf("only %d of %d records without the end-of-stream mark", most, len(all))
	}
}

// TestFlippedBits damages each byte in turn. Either the reader notices or the records are the same as before; wrong
// records must never come out.
func TestFlippedBits(t *testing.T) {
	data, all := threeBatches(t)
	noticed := 0
	for i := range data {
		for _, mask := range [][]byte{{0x01}, {0x80}, {0xff}}[i%3] {
			bad := slices.Clone(data)
			bad[i] ^= mask
			got, err := readBytes[NodeEvent](bad)
			var damage *Damage
			if err != nil && !errors.As(err, &damage) {
				t.Fatalf("byte %d: error %v is no damage", i, err)
			}
			if err != nil {
				noticed++
			}
			if err == nil && !slices.Equal(got, all) {
				t.Fatalf("byte %d ^ %#x: wrong records came out: %+v", i, mask, got)
			}
			if err != nil && damage.Records != int64(len(got)) {
				t.Fatalf("byte %d: %d records, damage says %d", i, len(got), damage.Records)
			}
		}
	}
	if noticed < len(data)*9/10 {
		t.Errorf("only %d of %d flips were noticed", noticed, len(data))
	}
}

// TestCorruptBatchIsSkipped destroys the content of the second batch; the first and the third must come out.
func TestCorruptBatchIsSkipped(t *testing.T) {
	data, all := threeBatches(t)
	// The names stand for the content of a batch; they are short enough for zstd to leave them as they are.
	at := 0
	for range 2 {
		at += bytes.Index(data[at:], []byte("hollow-0hollow-0")) + 1
	}
	bad := slices.Clone(data)
	bad[at] ^= 0xff
	got, err := readBytes[NodeEvent](bad)
	want := append(slices.Clone(all[:2]), all[4:]...)
	if !slices.Equal(got, want) {
		t.Errorf("records %+v", got)
	}
	var damage *Damage
	if !errors.As(err, &damage) || damage.Kind != Corrupt || damage.Lost != 1 || damage.Batch != 1 {
		t.Fatalf("damage %+v", damage)
	}
	for _, part := range []string{"stream", "batch 1", "4 records read", "1 batches lost"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %q", err, part)
		}
	}
}

func TestWrongSchema(t *testing.T) {
	data, _ := threeBatches(t)
	var damage *Damage
	if _, err := readBytes[Request](data); !errors.As(err, &damage) || damage.Kind != WrongSchema {
		t.Errorf("node events read as requests: %v", err)
	}
	newer := bytes.Replace(data, []byte(metaFormat), []byte("windtunnel.Format"), 1)
	if _, err := readBytes[NodeEvent](newer); !errors.As(err, &damage) || damage.Kind != WrongSchema {
		t.Errorf("stream without a format: %v", err)
	}
	for _, text := range []string{"", "x", "planned,sent\n1,2\n", strings.Repeat("\xff", 64)} {
		if got, err := readBytes[NodeEvent]([]byte(text)); !errors.As(err, &damage) || len(got) > 0 {
			t.Errorf("%q: %d records, error %v", text, len(got), err)
		}
	}
}

// TestColumnsByName reads a stream whose columns are in another order, with one more and one fewer.
func TestColumnsByName(t *testing.T) {
	columns := columnsOf[NodeEvent]()
	extra := wordColumn("zone", "a column of the future", func(e *NodeEvent) *string { return &e.Name })
	d := &memoryFile{}
	stream := newStreamOf(d, []column[NodeEvent]{columns[2], extra, columns[0]}, nil)
	err := errors.Join(stream.start(), stream.write([]NodeEvent{{At: 7, Name: "zone-1", Event: "ready"}}), stream.finish(true))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readBytes[NodeEvent](d.Bytes())
	if want := (NodeEvent{At: 7, Event: "ready"}); err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestMissingFile(t *testing.T) {
	_, err := collect[Scrape](t, filepath.Join(t.TempDir(), "none"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// FuzzRead gives the reader anything; it must neither panic nor return an error that is not damage.
func FuzzRead(f *testing.F) {
	data, _ := threeBatches(f)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var damage *Damage
		if _, err := readBytes[NodeEvent](data); err != nil && !errors.As(err, &damage) {
			t.Fatalf("error %v is no damage", err)
		}
	})
}
