package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// eventsOf is a whole stream of pod events, in batches of one.
func eventsOf(t *testing.T, events int) []byte {
	t.Helper()
	var out bytes.Buffer
	s := newStream[PodEvent](wire{&out}, nil)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := s.write([]PodEvent{{At: int64(i), UID: fmt.Sprint("u", i), Source: "runtime", Event: "started"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.finish(true); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// countIn reads a copy as a run's file is read.
func countIn(t *testing.T, copied []byte) (n int, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hollow-0.arrows")
	if err := os.WriteFile(file, copied, 0o600); err != nil {
		t.Fatal(err)
	}
	for e, e2 := range Read[PodEvent](file) {
		if e2 != nil {
			err = e2
			continue
		}
		if e.At != int64(n) {
			t.Errorf("record %d has instant %d", n, e.At)
		}
		n++
	}
	return n, err
}

// TestCopyStream: whatever a connection delivers, the copy ends with a whole message, and only the mark is an end without error.
func TestCopyStream(t *testing.T) {
	whole := eventsOf(t, 3)
	var out bytes.Buffer
	if err := CopyStream(&out, slowly{bytes.NewReader(whole)}); err != nil || !bytes.Equal(out.Bytes(), whole) {
		t.Fatalf("%d of %d bytes: %v", out.Len(), len(whole), err)
	}
	if n, err := countIn(t, out.Bytes()); n != 3 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
	seen := map[int]bool{}
	for cut := range len(whole) {
		var part bytes.Buffer
		if err := CopyStream(&part, bytes.NewReader(whole[:cut])); !errors.Is(err, ErrUnfinished) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if part.Len() == 0 {
			continue
		}
		n, err := countIn(t, part.Bytes())
		var damage *Damage
		if !errors.As(err, &damage) || damage.Kind != Unfinished {
			t.Fatalf("cut at %d: the copy is %v", cut, err)
		}
		seen[n] = true
	}
	if len(seen) != 4 {
		t.Errorf("the cuts left %v records", seen)
	}
}

func TestCopyStreamRefusesNonsense(t *testing.T) {
	whole := eventsOf(t, 1)
	whole[0] = 'H'
	var out bytes.Buffer
	if err := CopyStream(&out, bytes.NewReader(whole)); err == nil || errors.Is(err, ErrUnfinished) || out.Len() != 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
	if err := CopyStream(failing{}, bytes.NewReader(eventsOf(t, 1))); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a file that cannot be written: %v", err)
	}
}

func TestStreamWriterGivesUpWhenItsReaderIsGone(t *testing.T) {
	if _, err := NewStreamWriter[PodEvent]("a pod", failing{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("no schema could be written: %v", err)
	}
	var out bytes.Buffer
	w, err := NewStreamWriter[PodEvent]("a pod", &out, WithClock(NewClock()))
	if err != nil {
		t.Fatal(err)
	}
	w.Append(PodEvent{At: 0})
	w.Append(PodEvent{At: 1})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := countIn(t, out.Bytes()); n != 2 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

type slowly struct{ r io.Reader }

func (o slowly) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }
