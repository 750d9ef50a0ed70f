package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) {
	if base := os.Getenv(clockProbe); base != "" {
		probeClock(base)
		return
	}
	goleak.VerifyTestMain(m)
}

func TestRoundTrip(t *testing.T) {
	t.Run("Request", roundTrip[Request])
	t.Run("WatchEvent", roundTrip[WatchEvent])
	t.Run("ObjectEvent", roundTrip[ObjectEvent])
	t.Run("PodEvent", roundTrip[PodEvent])
	t.Run("NodeEvent", roundTrip[NodeEvent])
	t.Run("ProcessSample", roundTrip[ProcessSample])
	t.Run("Scrape", roundTrip[Scrape])
	t.Run("Metric", roundTrip[Metric])
}

func roundTrip[T Record](t *testing.T) {
	dir := t.TempDir()
	var n int
	rapid.Check(t, func(rt *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(drawRecord[T]), 0, 20).Draw(rt, "records")
		n++
		path := filepath.Join(dir, fmt.Sprint(n))
		writeAll(t, path, want)
		got, err := collect[T](t, path)
		if err != nil {
			rt.Fatal(err)
		}
		if len(want) == 0 {
			want = nil
		}
		if d := cmp.Diff(want, got); d != "" {
			rt.Fatal(d)
		}
	})
}

// TestManyBatches writes from several goroutines more than one batch holds; nothing may be lost or doubled.
func TestManyBatches(t *testing.T) {
	const each, writers = 3 * batchLen, 4
	path := filepath.Join(t.TempDir(), "requests")
	w, err := NewWriter[Request](path, WithClock(ClockAt(42)))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range writers {
		wg.Go(func() {
			for i := range each {
				w.Append(Request{Planned: int64(g), Sent: int64(i), Verb: "GET"})
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	stats := w.Stats()
	if stats.Records != each*writers || stats.Lost != 0 || stats.Batches < each*writers/batchLen {
		t.Errorf("stats %+v", stats)
	}
	if info, err := os.Stat(path); err != nil || info.Size() < stats.Bytes {
		t.Errorf("file of %d bytes, stats say %d (%v)", info.Size(), stats.Bytes, err)
	}
	next := make([]int64, writers)
	got, err := collect[Request](t, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		if r.Sent != next[r.Planned] {
			t.Fatalf("goroutine %d: record %d where %d was due", r.Planned, r.Sent, next[r.Planned])
		}
		next[r.Planned]++
	}
	if len(got) != each*writers {
		t.Errorf("%d records of %d", len(got), each*writers)
	}
}

// TestKilled copies the file while the writer lives, which is what a killed process leaves.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes")
	w, err := NewWriter[NodeEvent](path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.Append(NodeEvent{At: 1, Name: "hollow-0", Event: "ready"})
	deadline := time.Now().Add(5 * flushEvery)
	for w.Stats().Records < 1 {
		if time.Now().After(deadline) {
			t.Fatal("the record is not in the file after 5 s")
		}
		time.Sleep(10 * time.Millisecond)
	}
	got, err := collect[NodeEvent](t, path)
	var damage *Damage
	if !errors.As(err, &damage) || damage.Kind != Unfinished || damage.Records != 1 {
		t.Errorf("damage %v", err)
	}
	if len(got) != 1 || got[0].Name != "hollow-0" {
		t.Errorf("records %+v", got)
	}
}

func TestNewWriterRefusesToOverwrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scrapes")
	writeAll(t, path, []Scrape{{At: 1, Body: []byte("up 1\n")}})
	if _, err := NewWriter[Scrape](path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v", err)
	}
}

func TestAppendAfterClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes")
	w, err := NewWriter[NodeEvent](path)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Append(NodeEvent{})
	if got := w.Stats().Lost; got != 1 {
		t.Errorf("%d records counted as lost", got)
	}
	if err := w.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// disk is a file whose writes can be made to wait or fail.
type disk struct {
	*os.File
	gate chan struct{} // a write waits for it, when it is not nil
	left int           // bytes until it is full; -1: endless
}

func (d *disk) Write(p []byte) (int, error) {
	if d.gate != nil {
		<-d.gate
	}
	if d.left >= 0 && len(p) > d.left {
		n, _ := d.File.Write(p[:d.left])
		d.left -= n
		return n, syscall.ENOSPC
	}
	if d.left >= 0 {
		d.left -= len(p)
	}
	return d.File.Write(p)
}

func newDisk(t *testing.T) (*disk, string) {
	path := filepath.Join(t.TempDir(), "stream")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return &disk{File: f, left: -1}, path
}

func TestFullDisk(t *testing.T) {
	d, path := newDisk(t)
	d.left = 20_000
	w, err := newWriter[Request](path, d, writerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	rs := exampleRequests(batchLen)
	timeout := time.After(20 * time.Second)
	for appended := 0; ; appended++ {
		select {
		case <-w.Failed():
		case <-timeout:
			t.Fatal("the disk never filled")
		default:
			w.Append(rs[appended%len(rs)])
			continue
		}
		break
	}
	if !errors.Is(w.Err(), syscall.ENOSPC) {
		t.Errorf("Err %v", w.Err())
	}
	w.Append(rs[0])
	if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close %v", err)
	}
	// What is in the file ends with a whole batch and is readable.
	got, err := collect[Request](t, path)
	var damage *Damage
	if !errors.As(err, &damage) || damage.Kind != Unfinished {
		t.Errorf("damage %v", err)
	}
	if int64(len(got)) != w.Stats().Records || w.Stats().Lost == 0 {
		t.Errorf("%d records read, stats %+v", len(got), w.Stats())
	}
}

// TestSlowDisk fills the buffer while the disk hangs: Append must wait, lose nothing, and say how long it waited.
func TestSlowDisk(t *testing.T) {
	d, path := newDisk(t)
	w, err := newWriter[NodeEvent](path, d, writerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	d.gate = make(chan struct{}) // before the first record: the writer's goroutine has no reason to write yet
	const n = 3 * maxPending
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range n {
			w.Append(NodeEvent{At: int64(i)})
		}
	}()
	select {
	case <-done:
		t.Fatal("Append never waited: the buffer has no bound")
	case <-time.After(200 * time.Millisecond):
	}
	close(d.gate)
	<-done
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	stats := w.Stats()
	if stats.Blocked < 50*time.Millisecond || stats.Lost != 0 || stats.Records != n {
		t.Errorf("stats %+v", stats)
	}
	var at int64
	for r, err := range Read[NodeEvent](path) {
		if err != nil {
			t.Fatal(err)
		}
		if r.At != at {
			t.Fatalf("record %d where %d was due", r.At, at)
		}
		at++
	}
	if at != n {
		t.Errorf("%d records of %d", at, n)
	}
}

// BenchmarkAppend measures the caller's cost, with the writer's goroutine encoding and writing on the side.
func BenchmarkAppend(b *testing.B) {
	w, err := NewWriter[Request](filepath.Join(b.TempDir(), "requests"))
	if err != nil {
		b.Fatal(err)
	}
	rs := exampleRequests(1 << 16)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		w.Append(rs[i%len(rs)])
	}
	b.StopTimer()
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(w.Stats().Bytes)/float64(b.N), "fileB/record")
	b.ReportMetric(float64(w.Stats().Blocked.Nanoseconds())/float64(b.N), "blocked-ns/record")
}

// BenchmarkAppendPaced measures Append at a rate that the disk keeps up with: the cost that a load generator sees.
func BenchmarkAppendPaced(b *testing.B) {
	w, err := NewWriter[Request](filepath.Join(b.TempDir(), "requests"))
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	rs := exampleRequests(batchLen)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if i%maxPending == maxPending-1 {
			b.StopTimer()
			for n := w.Stats().Records; n < int64(i-batchLen); n = w.Stats().Records {
				time.Sleep(time.Millisecond)
			}
			b.StartTimer()
		}
		w.Append(rs[i%len(rs)])
	}
}

// BenchmarkTenMillion writes 10 million records as fast as they are taken and looks at the memory meanwhile.
func BenchmarkTenMillion(b *testing.B) {
	const n = 10_000_000
	rs := exampleRequests(1 << 16)
	for range b.N {
		w, err := NewWriter[Request](filepath.Join(b.TempDir(), "requests"))
		if err != nil {
			b.Fatal(err)
		}
		var peak uint64
		for i := range n {
			w.Append(rs[i%len(rs)])
			if i%100_000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.Sys)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
		b.ReportMetric(float64(w.Stats().Bytes)/n, "fileB/record")
	}
}

func BenchmarkRead(b *testing.B) {
	path := filepath.Join(b.TempDir(), "requests")
	writeAll(b, path, exampleRequests(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	n := 0
	for _, err := range Read[Request](path) {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != b.N {
		b.Fatalf("%d records of %d", n, b.N)
	}
}
