package results

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// The bounds of a Writer. Up to twice maxPending records are in memory: one half fills while the other is written.
const (
	flushEvery  = time.Second // a record is in the file after at most this long, and the time of one write
	batchLen    = 4096        // records that are worth a batch before the second is over
	batchBytes  = 4 << 20     // the same, in bytes of record bodies
	maxPending  = 64 << 10    // records that wait for the disk before Append does
	maxPendingB = 64 << 20    // the same, in bytes of record bodies
)

// Writer appends records of one type to an Arrow IPC stream file: zstd-compressed batches, each written with one write
// call at least once a second by a goroutine of the writer's own. What was handed to Append is in the file a second
// later even when the process is killed, and a batch that could not be written whole is not left in the file.
type Writer[T Record] struct {
	path   string
	failed chan struct{}
	kick   chan struct{} // a batch is worth writing before the second is over
	stop   chan struct{}
	done   chan struct{} // the goroutine has ended

	mu           sync.Mutex
	room         sync.Cond // signalled when pending was taken, and when the writer fails or closes
	pending      []T
	pendingBytes int
	spare        []T
	closed       bool
	err          error
	stats        WriterStats

	out stream[T] // of the goroutine alone
}

// WriterStats counts what a writer did.
type WriterStats struct {
	Records int64         // in the file
	Lost    int64         // appended after the first error or after Close, or in the batch that failed
	Bytes   int64         // of the file
	Batches int64         // in the file
	Blocked time.Duration // that callers of Append waited for the disk, summed over the callers
}

// WriterOption sets something about a Writer.
type WriterOption func(*writerConfig)

type writerConfig struct{ clock *Clock }

// WithClock notes the base of the records' instants in the schema, so that the file can be understood without run.json.
func WithClock(c Clock) WriterOption { return func(cfg *writerConfig) { cfg.clock = &c } }

// NewWriter creates the file at path, which must not exist, and starts its writer. The schema is in the file at once.
func NewWriter[T Record](path string, opts ...WriterOption) (*Writer[T], error) {
	var cfg writerConfig
	for _, o := range opts {
		o(&cfg)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create record stream: %w", err)
	}
	w, err := newWriter[T](path, f, cfg)
	if err != nil {
		f.Close()
		return nil, err
	}
	return w, nil
}

// newWriter starts a writer on a file that is open and empty.
func newWriter[T Record](path string, f file, cfg writerConfig) (*Writer[T], error) {
	w := &Writer[T]{
		path:   path,
		failed: make(chan struct{}),
		kick:   make(chan struct{}, 1),
		stop:   make(chan struct{}),
		done:   make(chan struct{}),
		out:    newStream[T](f, cfg.clock),
	}
	w.room.L = &w.mu
	if err := w.out.start(); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	w.stats.Bytes = w.out.size
	go w.run()
	return w, nil
}

// Append adds a record. It is safe for concurrent use and costs a short lock; it waits only when the disk has fallen
// behind by more records than the writer will hold (65 536, or 64 MiB of scrapes), and that time is counted. After an
// error of the file the record is counted as lost: watch Failed. The record's slices must not be changed afterwards.
func (w *Writer[T]) Append(r T) {
	size := bodySize(&r)
	w.mu.Lock()
	if w.isFull() {
		w.waitForRoom()
	}
	if w.err != nil || w.closed {
		w.stats.Lost++
		w.mu.Unlock()
		return
	}
	w.pending = append(w.pending, r)
	w.pendingBytes += size
	worth := len(w.pending) == batchLen || (w.pendingBytes >= batchBytes && w.pendingBytes-size < batchBytes)
	w.mu.Unlock()
	if worth {
		select {
		case w.kick <- struct{}{}:
		default: // the goroutine has not yet seen the last one
		}
	}
}

func (w *Writer[T]) isFull() bool {
	return len(w.pending) >= maxPending || w.pendingBytes >= maxPendingB
}

// waitForRoom waits, with mu held, until a record can be appended or never will be.
func (w *Writer[T]) waitForRoom() {
	begin := time.Now()
	for w.isFull() && w.err == nil && !w.closed {
		w.room.Wait()
	}
	w.stats.Blocked += time.Since(begin)
}

// Err returns the first error of the file, or nil.
func (w *Writer[T]) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Failed returns a channel that is closed on the first error of the file, such as a full disk.
func (w *Writer[T]) Failed() <-chan struct{} { return w.failed }

// Stats returns what has been counted so far.
func (w *Writer[T]) Stats() WriterStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

// Close writes what is pending and the end-of-stream mark, flushes the file to the disk and closes it. It returns the
// first error that the writer ever had, with the number of records that were lost by it. No Append may follow; one that
// does counts as lost. A second Close returns what the first did.
func (w *Writer[T]) Close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.stop)
	}
	w.room.Broadcast()
	w.mu.Unlock()
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return fmt.Errorf("%w (%d records lost)", w.err, w.stats.Lost)
	}
	return nil
}

// run is the writer's goroutine.
func (w *Writer[T]) run() {
	defer close(w.done)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.flush()
		case <-w.kick:
			w.flush()
		case <-w.stop:
			w.flush()
			if err := w.out.finish(w.Err() == nil); err != nil {
				w.fail(err, 0)
			}
			return
		}
	}
}

// flush writes what is pending.
func (w *Writer[T]) flush() {
	w.mu.Lock()
	taken := w.pending
	w.pending, w.spare = w.spare[:0], nil
	w.pendingBytes = 0
	w.room.Broadcast()
	w.mu.Unlock()

	for rest := taken; len(rest) > 0; {
		n := batchEnd(rest)
		if w.Err() != nil {
			w.fail(nil, len(rest))
			break
		}
		if err := w.out.write(rest[:n]); err != nil {
			w.fail(err, len(rest))
			break
		}
		w.wrote(n)
		rest = rest[n:]
	}
	clear(taken) // lets go of what the records point to
	w.mu.Lock()
	w.spare = taken
	w.mu.Unlock()
}

// batchEnd is how many of the records go into one batch: at most batchLen, and no more after batchBytes of bodies.
func batchEnd[T Record](rs []T) int {
	size := 0
	for i := range rs {
		size += bodySize(&rs[i])
		if i+1 == batchLen || size >= batchBytes {
			return i + 1
		}
	}
	return len(rs)
}

func (w *Writer[T]) wrote(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Records += int64(n)
	w.stats.Batches++
	w.stats.Bytes = w.out.size
}

// fail notes an error and records that it cost; only the first error stays.
func (w *Writer[T]) fail(err error, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Lost += int64(lost)
	if w.err == nil {
		w.err = fmt.Errorf("write %s: %w", w.path, err)
		close(w.failed)
		w.room.Broadcast()
	}
}

// bodySize is the part of a record's size that has no natural bound.
func bodySize[T Record](r *T) int {
	if s, ok := any(r).(*Scrape); ok {
		return len(s.Body)
	}
	return 0
}

// file is what a stream needs of an os.File.
type file interface {
	Write([]byte) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

// stream encodes batches of records and writes them to a file, each with one call.
type stream[T Record] struct {
	f       file
	size    int64        // of the file up to its last whole batch
	buf     bytes.Buffer // one encoded message
	seed    uint32       // checksum of the schema
	arrow   *ipc.Writer  // writes to buf
	builder *array.RecordBuilder
	columns []column[T]
}

func newStream[T Record](f file, clock *Clock) stream[T] {
	return newStreamOf(f, columnsOf[T](), clock)
}

func newStreamOf[T Record](f file, columns []column[T], clock *Clock) stream[T] {
	schema := schemaOf(columns, clock)
	return stream[T]{f: f, columns: columns, builder: array.NewRecordBuilder(memory.DefaultAllocator, schema)}
}

// start writes the schema. It is done by an empty batch, which Arrow's writer puts the schema before.
func (s *stream[T]) start() error {
	s.arrow = ipc.NewWriter(&s.buf, ipc.WithSchema(s.builder.Schema()), ipc.WithZstd())
	empty := s.batch(nil)
	defer empty.Release()
	if err := s.arrow.Write(empty); err != nil {
		return fmt.Errorf("encode schema: %w", err)
	}
	b := s.buf.Bytes()
	end := frameHead + int(binary.LittleEndian.Uint32(b[4:]))
	s.seed = sum(0, b[frameHead:end])
	return s.drain(b[:end])
}

// write appends one batch to the file.
func (s *stream[T]) write(rs []T) error {
	batch := s.batch(rs)
	defer batch.Release()
	if err := s.arrow.Write(batch); err != nil {
		return fmt.Errorf("encode batch: %w", err)
	}
	return s.drain(appendSum(s.buf.Bytes(), s.seed))
}

func (s *stream[T]) batch(rs []T) arrow.RecordBatch {
	s.builder.Reserve(len(rs))
	for i, c := range s.columns {
		c.store(s.builder.Field(i), rs)
	}
	return s.builder.NewRecordBatch()
}

// drain writes b to the file and empties buf. What of a failed write reached the file is cut off again, as far as the
// system lets us, so that the file ends with a whole message.
func (s *stream[T]) drain(b []byte) error {
	defer s.buf.Reset()
	n, err := s.f.Write(b)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, s.f.Truncate(s.size))
		}
		return err
	}
	s.size += int64(n)
	return nil
}

// finish closes the file; where it is whole so far, the end-of-stream mark is put and all is flushed to the disk.
func (s *stream[T]) finish(whole bool) error {
	defer s.builder.Release()
	if !whole {
		return s.f.Close()
	}
	err := s.arrow.Close()
	if err == nil {
		err = s.drain(s.buf.Bytes())
	}
	if err == nil {
		err = s.f.Sync()
	}
	return errors.Join(err, s.f.Close())
}
