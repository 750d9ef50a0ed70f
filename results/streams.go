package results

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// StreamSuffix ends the names of record streams.
const StreamSuffix = ".arrows"

// StreamFiles are the paths of all record streams of the run, relative to the directory, in order of their names.
func (d *Dir) StreamFiles() []string {
	var files []string
	for _, folder := range []string{"samples", "series"} {
		found, _ := filepath.Glob(d.globPath(folder + "/*" + StreamSuffix)) // the pattern is a constant: it cannot be malformed
		for _, f := range found {
			files = append(files, folder+"/"+filepath.Base(f))
		}
	}
	return files
}

// Stream is a record stream file whose records are of a type that is told by the file itself. Its columns are those of
// this version of the format, whatever version wrote the file.
type Stream struct {
	// Record is the name of the records' type, such as Request.
	Record string
	// Schema has the columns with their units and descriptions, and the metadata of the file.
	Schema *arrow.Schema

	batches iter.Seq2[arrow.RecordBatch, error]
}

// Batches iterates over the records as Arrow record batches of at most 65 536 records or 4 MiB of scrapes, each of which is
// valid until the next step. Damage ends it as it ends Read: all readable records first, then one error.
func (s *Stream) Batches() iter.Seq2[arrow.RecordBatch, error] { return s.batches }

// OpenStream reads the schema of the record stream at path. The error is that of Read: fs.ErrNotExist for a missing file, a
// *Damage for one whose schema cannot be read or is no record stream.
func OpenStream(path string) (*Stream, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	d := decoder[Request]{name: path, frames: newFrames(f, info.Size())}
	rd, err := ipc.NewReaderFromMessageReader(d.frames, ipc.WithAllocator(boundedAllocator()))
	if err != nil {
		return nil, d.broken(err)
	}
	defer rd.Release()
	meta := rd.Schema().Metadata()
	record, _ := meta.GetValue(metaRecord)
	switch record {
	case recordName[Request]():
		return streamOf[Request](path, meta), nil
	case recordName[WatchEvent]():
		return streamOf[WatchEvent](path, meta), nil
	case recordName[PodEvent]():
		return streamOf[PodEvent](path, meta), nil
	case recordName[ObjectEvent]():
		return streamOf[ObjectEvent](path, meta), nil
	case recordName[NodeEvent]():
		return streamOf[NodeEvent](path, meta), nil
	case recordName[ProcessSample]():
		return streamOf[ProcessSample](path, meta), nil
	case recordName[Scrape]():
		return streamOf[Scrape](path, meta), nil
	case recordName[Metric]():
		return streamOf[Metric](path, meta), nil
	}
	return nil, &Damage{File: path, Kind: WrongSchema, Unread: info.Size(), Err: fmt.Errorf("holds records of the unknown type %q", record)}
}

// streamOf is the stream of a file with records of type T.
func streamOf[T Record](path string, meta arrow.Metadata) *Stream {
	keys, values := meta.Keys(), meta.Values()
	if i := slices.Index(keys, metaChecksum); i >= 0 { // which is of the file's batches, not of those that are given out
		keys, values = slices.Delete(slices.Clone(keys), i, i+1), slices.Delete(slices.Clone(values), i, i+1)
	}
	rest := arrow.NewMetadata(keys, values)
	schema := arrow.NewSchema(schemaOf(columnsOf[T](), nil).Fields(), &rest)
	return &Stream{Record: recordName[T](), Schema: schema, batches: batchesOf[T](path, schema)}
}

// maxStreamBatch is the most records of a batch of Batches.
const maxStreamBatch = 64 << 10

// batchesOf reads records and gives them out column by column.
func batchesOf[T Record](path string, schema *arrow.Schema) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		columns := columnsOf[T]()
		builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		defer builder.Release()
		var waiting []T
		size := 0
		flush := func() bool {
			if len(waiting) == 0 {
				return true
			}
			builder.Reserve(len(waiting))
			for i, c := range columns {
				c.store(builder.Field(i), waiting)
			}
			batch := builder.NewRecordBatch()
			defer batch.Release()
			clear(waiting)
			waiting, size = waiting[:0], 0
			return yield(batch, nil)
		}
		for r, err := range Read[T](path) {
			if err != nil {
				if flush() {
					yield(nil, err)
				}
				return
			}
			waiting = append(waiting, r)
			size += bodySize(&r)
			if (len(waiting) == maxStreamBatch || size >= batchBytes) && !flush() {
				return
			}
		}
		flush()
	}
}
