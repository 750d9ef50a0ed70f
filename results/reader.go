package results

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// Read iterates over the records of the stream file at path, in the order in which they were appended, two batches in
// memory at a time. Columns are found by name: one that the file does not have leaves its field zero, one that this
// version does not know is passed over.
//
// A file that cannot be read whole gives every record that can be read and then, as the last step, one error. It is a
// *Damage when the content is at fault; a batch whose content is bad is skipped and those after it are read. A file that
// cannot be opened gives only its error (fs.ErrNotExist when it is missing).
func Read[T Record](path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		f, err := os.Open(path)
		if err != nil {
			yield(zero, fmt.Errorf("read records: %w", err))
			return
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			yield(zero, fmt.Errorf("read records: %w", err))
			return
		}
		for r, err := range read[T](path, f, info.Size()) {
			if !yield(r, err) {
				return
			}
		}
	}
}

// read iterates over the records in the first size bytes of r; name is for the damage.
func read[T Record](name string, r io.Reader, size int64) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		d := decoder[T]{name: name, frames: newFrames(r, size)}
		defer d.close()
		if damage := d.open(); damage != nil {
			yield(zero, damage)
			return
		}
		batches, stop := d.ahead()
		defer stop()
		for b := range batches {
			for _, r := range b.records {
				if !yield(r, nil) {
					return
				}
			}
			d.free <- b.records
			if b.err != nil && b.err != io.EOF {
				yield(zero, b.err)
			}
		}
	}
}

// decoded is what next returned.
type decoded[T Record] struct {
	records []T
	err     error
}

// readAhead is how many batches are in memory: one that is being used and one that is being decoded meanwhile, on another
// core.
const readAhead = 2

// ahead decodes batch after batch up to the first error, io.EOF included. A batch's records go back to free when they were
// used. stop ends the decoding and waits for its end.
func (d *decoder[T]) ahead() (batches <-chan decoded[T], stop func()) {
	out, quit := make(chan decoded[T]), make(chan struct{})
	d.free = make(chan []T, readAhead)
	for range readAhead {
		d.free <- nil
	}
	go func() {
		defer close(out)
		for {
			select {
			case d.batch = <-d.free:
			case <-quit:
				return
			}
			var b decoded[T]
			b.records, b.err = d.next()
			select {
			case out <- b:
			case <-quit:
				return
			}
			if b.err != nil {
				return
			}
		}
	}()
	return out, func() {
		close(quit)
		for range out { // until it is closed: the decoder is used no longer then
		}
	}
}

// decoder turns the batches of one stream into records.
type decoder[T Record] struct {
	name    string
	frames  *frames
	arrow   *ipc.Reader
	columns []*column[T] // by the file's column; nil for one that is not known
	strings interner
	batch   []T // for the records of the next batch
	free    chan []T
	batches int // that were seen
	records int64
	damage  *Damage // of the batches that were skipped
}

// open reads the schema and finds the columns.
func (d *decoder[T]) open() error {
	rd, err := ipc.NewReaderFromMessageReader(d.frames, ipc.WithAllocator(boundedAllocator()))
	if err != nil {
		return d.broken(err)
	}
	d.arrow = rd
	d.strings.seen = make(map[string]string)
	if err := d.match(rd.Schema()); err != nil {
		return &Damage{File: d.name, Kind: WrongSchema, Unread: d.frames.size, Err: err}
	}
	return nil
}

// match checks that the file holds records of type T and finds where their fields are.
func (d *decoder[T]) match(schema *arrow.Schema) error {
	meta := schema.Metadata()
	if got, _ := meta.GetValue(metaRecord); got != recordName[T]() {
		return fmt.Errorf("holds records of type %q, not %q", got, recordName[T]())
	}
	if got, _ := meta.GetValue(metaChecksum); got == sumKind {
		d.frames.sums = true
	}
	format, _ := meta.GetValue(metaFormat)
	if n, err := strconv.Atoi(format); err != nil || n < 1 || n > FormatVersion {
		return fmt.Errorf("has format %q; this windtunnel reads up to %d", format, FormatVersion)
	}
	known := columnsOf[T]()
	for _, f := range schema.Fields() {
		i := slices.IndexFunc(known, func(c column[T]) bool { return c.name == f.Name })
		if i < 0 {
			d.columns = append(d.columns, nil)
			continue
		}
		if !arrow.TypeEqual(known[i].typ, f.Type) {
			return fmt.Errorf("column %s is %s, not %s", f.Name, f.Type, known[i].typ)
		}
		d.columns = append(d.columns, &known[i])
	}
	return nil
}

// next returns the records of the next good batch, and io.EOF or the damage at the end.
func (d *decoder[T]) next() ([]T, error) {
	for {
		batch, err := d.arrow.Read()
		if errors.Is(err, io.EOF) || d.frames.ended() {
			return nil, d.end()
		}
		if d.frames.bad {
			err = errSum // what the decoder says of it, if anything, only follows from that
		}
		if err == nil {
			var records []T
			if records, err = d.decode(batch); err == nil {
				d.batches++
				d.records += int64(len(records))
				return records, nil
			}
		}
		// The frame was whole, so that the next one can be found: skip this one.
		if d.damage == nil {
			d.damage = &Damage{File: d.name, Kind: Corrupt, Batch: d.batches, Err: err}
		}
		d.damage.Lost++
		d.batches++
	}
}

// end is how the reading ends once no frame is left: io.EOF, the damage of batches that were skipped, or of the tail.
func (d *decoder[T]) end() error {
	if d.damage != nil {
		d.damage.Records = d.records
		d.damage.Unread = d.frames.unread()
		return d.damage
	}
	if d.frames.err != nil {
		return d.broken(d.frames.err)
	}
	return io.EOF
}

// broken is the damage of a file whose frames cannot be followed further.
func (d *decoder[T]) broken(err error) error {
	damage := &Damage{File: d.name, Kind: Corrupt, Batch: d.batches, Unread: d.frames.unread(), Records: d.records, Err: err}
	switch {
	case errors.Is(err, errNoMark) && d.arrow != nil:
		damage.Kind, damage.Err = Unfinished, nil
	case errors.Is(err, errShort), errors.Is(err, errNoMark):
		damage.Kind, damage.Err = Truncated, nil
	case d.frames.err != nil && d.frames.err != errFrame:
		// The disk, not the content.
		damage.Kind, damage.Err = Truncated, d.frames.err
	}
	return damage
}

// decode turns a batch into records. A batch that passed the decoder can still be nonsense; the panics of Arrow's
// accessors then become its error.
func (d *decoder[T]) decode(batch arrow.RecordBatch) (records []T, err error) {
	defer func() {
		if p := recover(); p != nil {
			records, err = nil, fmt.Errorf("decode batch: %v", p)
		}
	}()
	n := int(batch.NumRows())
	for i := range d.columns {
		if got := batch.Column(i).Len(); got != n {
			return nil, fmt.Errorf("decode batch: column %s has %d values, not %d", batch.ColumnName(i), got, n)
		}
		if batch.Column(i).NullN() > 0 {
			return nil, fmt.Errorf("decode batch: column %s has nulls", batch.ColumnName(i))
		}
	}
	if cap(d.batch) < n {
		d.batch = make([]T, n)
	}
	records = d.batch[:n]
	clear(records)
	for i, c := range d.columns {
		if c != nil {
			c.load(batch.Column(i), records, &d.strings)
		}
	}
	return records, nil
}

func (d *decoder[T]) close() {
	if d.arrow != nil {
		d.arrow.Release()
	}
}
